#include "ops.h"

#include <math.h>
#include <stdlib.h>

#include "isa.h"

extern const got_ops got_ops_portable;
#if GOT_X86
extern const got_ops got_ops_avx2, got_ops_avx512;
#endif

const got_ops *got_ops_used(void)
{
#if GOT_X86
    switch (got_isa_vectors()) {
    case GOT_ISA_AVX512:
        return &got_ops_avx512;
    case GOT_ISA_AVX2:
        return &got_ops_avx2;
    }
#endif
    return &got_ops_portable;
}

void got_attend(const got_attention *job)
{
    float *scratch = malloc(sizeof(float) * (size_t)got_attention_scratch(job->head_dim, job->queries));
    if (scratch == NULL)
        abort();
    got_ops_used()->attend(job, scratch);
    free(scratch);
}

void got_rms_norm(const float *x, const float *weight, int n, float eps, float *out)
{
    got_ops_used()->rms_norm(x, weight, n, eps, out);
}

void got_layer_norm(const float *x, const float *weight, const float *bias, int n, float eps, float *out)
{
    got_ops_used()->layer_norm(x, weight, bias, n, eps, out);
}

void got_best(const float *scores, long n, int64_t *best, float *logprob)
{
    float highest, sum;
    got_ops_used()->peak(scores, n, best, &highest, &sum);
    *logprob = -logf(sum);
}

void got_rotate(float *x, const float *cosines, const float *sines, int half, float scale)
{
    got_ops_used()->rotate(x, cosines, sines, half, scale);
}
