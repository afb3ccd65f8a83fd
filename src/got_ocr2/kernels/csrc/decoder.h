/* The text decoder: a ragged step of many rows through all layers, the final norm and the head, in one region.
 *
 * Keys and values lie in an arena of `capacity` positions, a multiple of GOT_KEY_PANEL, for each layer:
 *     keys    [kv_heads][capacity / GOT_KEY_PANEL][head_dim][GOT_KEY_PANEL]
 *     values  [kv_heads][capacity][got_padded(head_dim)]
 * in fp32, bf16, or as whole numbers of 8 bits, each position of a head with a scale of its own: value = number * scale,
 *     scales  [kv_heads][capacity], of keys and of values.
 * A row's positions stand one after the other from `start` on.
 */
#ifndef GOT_DECODER_H
#define GOT_DECODER_H

#include <stdint.h>

#include "attention.h"
#include "export.h"
#include "linear.h"

typedef struct {
    const float *attention_norm, *mlp_norm; /* (hidden) */
    got_linear qkv;     /* hidden -> queries of all heads, keys, values */
    got_linear out;     /* heads * head_dim -> hidden */
    got_linear gate_up; /* hidden -> inner, GOT_SILU_MUL */
    got_linear down;    /* inner -> hidden */
} got_decoder_layer;

typedef struct {
    int32_t hidden, inner, layers, heads, kv_heads, head_dim;
    float eps;
    int32_t cache;               /* got_cache: how keys and values are stored */
    const float *inverse_lengths; /* (head_dim / 2): radians a position turns each pair by */
    const float *norm;           /* (hidden), the last one */
    const got_decoder_layer *layer;
    const got_linear *head;      /* hidden -> vocabulary */
    int64_t capacity;            /* positions of the arena */
    void *keys, *values;
    float *key_scales, *value_scales; /* GOT_CACHE_INT8, else NULL */
} got_decoder;

typedef struct {
    int64_t start;  /* the row's first position in the arena */
    int32_t past;   /* positions stored before */
    int32_t tokens; /* new ones, >= 1 */
    int32_t wanted; /* scores are wanted after the last `wanted` of them */
    int32_t unused;
} got_row;

/* Parts of a pass, in seconds of member 0, waiting at barriers included. */
enum { GOT_T_NORM, GOT_T_QKV, GOT_T_ROTATE, GOT_T_ATTEND, GOT_T_OUT, GOT_T_GATE_UP, GOT_T_DOWN, GOT_T_HEAD, GOT_TIMES };

/* Bytes of workspace, on a 64-byte boundary, that a step with these rows needs. */
GOT_API size_t got_decoder_workspace(const got_decoder *decoder, const got_row *rows, int n_rows);

/* One step. x: (sum tokens, hidden) embeddings, overwritten. logits: (sum wanted, vocabulary). best, logprobs: (sum
 * wanted), the place of the highest score, -1 where a score is not finite, and the logarithm of its probability.
 * times: GOT_TIMES seconds that are added to, or NULL. */
GOT_API void got_decoder_step(const got_decoder *decoder, float *x, const got_row *rows, int n_rows, float *logits,
                              int64_t *best, float *logprobs, void *workspace, double *times);

#endif
