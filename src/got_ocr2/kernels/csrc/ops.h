/* The parts of both networks besides their linear layers: attention, norms, activations. One set for each instruction
 * set, all of them fp32 arithmetic.
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

    /* out (n) = silu(gate) * up; out may be gate */
    void (*silu_multiply)(const float *gate, const float *up, int n, float *out);

    /* x (n) = x * (1 + erf(x / sqrt 2)) / 2 */
    void (*gelu)(float *x, long n);

    /* to (n) += x */
    void (*add)(float *to, const float *x, long n);

    /* Rotary embedding of one head, (2 half) in place, halves paired, the result times `scale`. */
    void (*rotate)(float *x, const float *cosines, const float *sines, int half, float scale);

    /* out (rows, width) = a (rows, depth) b (depth, width); width and ldb multiples of GOT_PANEL. */
    void (*project)(int rows, int width, const float *a, long lda, const float *b, long ldb, int depth, float *out,
                    long ldo);
} got_ops;

/* Those for the instruction set in use. */
const got_ops *got_ops_used(void);

/* The same one by one, for tests. */
GOT_API void got_attend(const got_attention *job);
GOT_API void got_rms_norm(const float *x, const float *weight, int n, float eps, float *out);
GOT_API void got_layer_norm(const float *x, const float *weight, const float *bias, int n, float eps, float *out);
GOT_API void got_silu_multiply(const float *gate, const float *up, int n, float *out);
GOT_API void got_gelu(float *x, long n);
GOT_API void got_rotate(float *x, const float *cosines, const float *sines, int half, float scale);

#endif
