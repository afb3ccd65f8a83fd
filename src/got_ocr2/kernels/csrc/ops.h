/* What both networks need besides linear layers: attention, norms and the like, in fp32. One set of them for each
 * instruction set.
 */
#ifndef GOT_OPS_H
#define GOT_OPS_H

#include "attention.h"
#include "export.h"

typedef struct {
    /* Attention of a block of queries; `scratch` as got_attention_scratch says. */
    void (*attend)(const got_attention *job, float *scratch);

    /* out (n) = x / sqrt(mean(x^2) + eps) * weight */
    void (*rms_norm)(const float *x, const float *weight, int n, float eps, float *out);

    /* out (n) = (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias */
    void (*layer_norm)(const float *x, const float *weight, const float *bias, int n, float eps, float *out);

    /* Rotary embedding of one head, (2 half) in place, halves paired, the result times `scale`. */
    void (*rotate)(float *x, const float *cosines, const float *sines, int half, float scale);

    /* Of n scores the highest, the first among equals, and the sum of exp(score - highest); *at is -1 and the others
     * NaN where a score is not finite. */
    void (*peak)(const float *scores, long n, int64_t *at, float *highest, float *sum);

    /* out (rows, width) = a (rows, depth) b (depth, width); width and ldb multiples of GOT_KEY_PANEL. */
    void (*project)(int rows, int width, const float *a, long lda, const float *b, long ldb, int depth, float *out,
                    long ldo);
} got_ops;

/* Those for the instruction set in use. */
const got_ops *got_ops_used(void);

/* The same one by one, for tests. */
GOT_API void got_attend(const got_attention *job);
GOT_API void got_rms_norm(const float *x, const float *weight, int n, float eps, float *out);
GOT_API void got_layer_norm(const float *x, const float *weight, const float *bias, int n, float eps, float *out);
GOT_API void got_best(const float *scores, long n, int64_t *best, float *logprob);
GOT_API void got_rotate(float *x, const float *cosines, const float *sines, int half, float scale);

#endif
