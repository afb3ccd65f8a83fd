/* aarch64's products of small matrices in plain C: the names of mmla.h, computing as Arm's manual says the processor
 * does where FPCR.EBF is 0, as Linux leaves it. */
#include <math.h>

/* What is below the normal numbers counts as zero, before and after. */
static inline float emulated_flushed(float x)
{
    return fabsf(x) < 0x1p-126f ? copysignf(0.0f, x) : x;
}

/* To fp32: what would be inexact is cut and gets an odd last bit. */
static inline float emulated_odd(double x)
{
    const uint64_t below = (1u << 29) - 1; /* bits that fp32 has no room for */
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits & ~below) | (bits & below ? below + 1 : 0);
    memcpy(&x, &bits, sizeof x);
    return fabs(x) < 0x1p-126 ? copysignf(0.0f, (float)x) : (float)x;
}

static inline float emulated_odd_sum(float a, float b)
{
    double sum = (double)a + b, part = sum - a, lost = (a - (sum - part)) + (b - part);
    if (lost != 0.0 && sum == (float)sum)
        sum = nextafter(sum, lost > 0.0 ? INFINITY : -INFINITY);
    return emulated_odd(sum);
}

static inline float emulated_product(uint16_t a, uint16_t b)
{
    uint32_t bits[2] = {(uint32_t)a << 16, (uint32_t)b << 16};
    float value[2];
    memcpy(value, bits, sizeof value);
    return emulated_odd((double)emulated_flushed(value[0]) * emulated_flushed(value[1]));
}

/* Two products are added, then join the sum; twice. */
static inline void mm_add_bf16(vw *sums, vw x, vw w)
{
    float sum[4];
    uint16_t a[2][4], b[2][4];
    memcpy(a, &x, sizeof a);
    memcpy(b, &w, sizeof b);
    memcpy(sum, sums, sizeof sum);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k += 2) {
            const uint16_t *p = a[i / 2] + k, *q = b[i % 2] + k;
            float two = emulated_odd_sum(emulated_product(p[0], q[0]), emulated_product(p[1], q[1]));
            sum[i] = emulated_odd_sum(emulated_flushed(sum[i]), two);
        }
    memcpy(sums, sum, sizeof sum);
}

static inline void mm_add_bytes(vw *sums, vw x, vw w)
{
    int8_t a[2][8], b[2][8];
    memcpy(a, &x, sizeof a);
    memcpy(b, &w, sizeof b);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 8; k++)
            (*sums)[i] += a[i / 2][k] * b[i % 2][k];
}
