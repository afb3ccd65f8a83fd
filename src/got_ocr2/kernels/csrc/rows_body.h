/* Norms and the like over rows of floats, in the dialect of simd.h that the including file chose. */

#include "ops.h"
#include "simd.h"

static float sum_of_squares(const float *x, int n, float less)
{
    vf sum = vf_set(0.0f), mean = vf_set(less);
    int i = 0;
    for (; i + GOT_LANES <= n; i += GOT_LANES) {
        vf v = vf_sub(vf_load(x + i), mean);
        sum = vf_fma(v, v, sum);
    }
    float total = vf_sum(sum);
    for (; i < n; i++)
        total += (x[i] - less) * (x[i] - less);
    return total;
}

static void rms_norm(const float *x, const float *weight, int n, float eps, float *out)
{
    float scale = 1.0f / sqrtf(sum_of_squares(x, n, 0.0f) / (float)n + eps);
    vf wide = vf_set(scale);
    int i = 0;
    for (; i + GOT_LANES <= n; i += GOT_LANES)
        vf_store(out + i, vf_mul(vf_load(weight + i), vf_mul(vf_load(x + i), wide)));
    for (; i < n; i++)
        out[i] = weight[i] * (x[i] * scale);
}

static void layer_norm(const float *x, const float *weight, const float *bias, int n, float eps, float *out)
{
    vf sum = vf_set(0.0f);
    int i = 0;
    for (; i + GOT_LANES <= n; i += GOT_LANES)
        sum = vf_add(sum, vf_load(x + i));
    float mean = vf_sum(sum);
    for (; i < n; i++)
        mean += x[i];
    mean /= (float)n;
    float scale = 1.0f / sqrtf(sum_of_squares(x, n, mean) / (float)n + eps);
    for (i = 0; i + GOT_LANES <= n; i += GOT_LANES) {
        vf v = vf_mul(vf_sub(vf_load(x + i), vf_set(mean)), vf_set(scale));
        vf_store(out + i, vf_fma(v, vf_load(weight + i), vf_load(bias + i)));
    }
    for (; i < n; i++)
        out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

static void peak(const float *scores, long n, int64_t *at, float *highest, float *sum)
{
    vf top = vf_set(-INFINITY), odd = vf_set(0.0f);
    long i = 0;
    for (; i + GOT_LANES <= n; i += GOT_LANES) {
        vf v = vf_load(scores + i);
        top = vf_max(top, v);
        odd = vf_fma(v, vf_set(0.0f), odd); /* NaN as soon as one score is infinite or NaN */
    }
    float best = vf_top(top), check = vf_sum(odd);
    for (; i < n; i++) {
        best = scores[i] > best ? scores[i] : best;
        check += scores[i] * 0.0f;
    }
    if (check != 0.0f) {
        *at = -1;
        *highest = *sum = NAN;
        return;
    }
    vf total = vf_set(0.0f);
    for (i = 0; i + GOT_LANES <= n; i += GOT_LANES)
        total = vf_add(total, vf_exp(vf_sub(vf_load(scores + i), vf_set(best))));
    float rest = 0.0f;
    for (; i < n; i++)
        rest += expf(scores[i] - best);
    *sum = vf_sum(total) + rest;
    *highest = best;
    for (i = 0; scores[i] != best; i++)
        ;
    *at = i;
}

static void rotate(float *x, const float *cosines, const float *sines, int half, float scale)
{
    for (int i = 0; i < half; i++) {
        float a = x[i], b = x[i + half];
        x[i] = (a * cosines[i] - b * sines[i]) * scale;
        x[i + half] = (b * cosines[i] + a * sines[i]) * scale;
    }
}

/* What the including file exports. */
#define GOT_OPS_TABLE                                                                                         \
    {                                                                                                         \
        .attend = attend, .rms_norm = rms_norm, .layer_norm = layer_norm, .rotate = rotate, .peak = peak,      \
        .project = project,                                                                                   \
    }
