/* Softmax attention of a block of queries, in fp32, a few keys at a time: a row of logits is never held as a whole.
 *
 * Keys are stored in panels of GOT_KEY_PANEL positions, element by element: element e of key k stands at
 * [k / GOT_KEY_PANEL][e][k % GOT_KEY_PANEL]. Values are rows of got_padded(head_dim) elements.
 */
#ifndef GOT_ATTENTION_H
#define GOT_ATTENTION_H

#include <stdint.h>

#define GOT_KEY_PANEL 16
#define GOT_KEY_BLOCK 128 /* keys taken at a time; a multiple of GOT_KEY_PANEL */
#define GOT_QUERY_TILE 6  /* queries taken at a time */

/* How keys and values are stored. */
typedef enum {
    GOT_CACHE_FP32 = 0,
    GOT_CACHE_BF16 = 1,
    GOT_CACHE_INT8 = 2, /* whole numbers times a scale of each position */
} got_cache;

typedef struct {
    int head_dim;
    int queries;      /* rows of q and out */
    const float *q;   /* (queries, head_dim), already scaled */
    long q_stride;
    const void *k;    /* the first panel */
    const void *v;    /* the value row of that panel's first position */
    int stored;       /* got_cache, of both */
    const float *k_scales, *v_scales; /* GOT_CACHE_INT8: of each position, from that panel's first one on */
    int first;        /* keys below this one belong to somebody else: 0 .. GOT_KEY_PANEL - 1 */
    int keys;         /* end of the keys, counted from the first panel's start; > first */
    int causal;       /* query i sees keys below keys - queries + 1 + i; else every query sees all keys */
    /* Relative position, or NULL. Query i adds to the logit of key `row * columns + column`
     *     rel[i * rel_stride + row_shift[i] + row] + rel[i * rel_stride + column_shift[i] + column]. */
    const float *rel;
    long rel_stride;
    const int *row_shift;
    const int *column_shift;
    int columns;
    float *out;       /* (queries, head_dim) */
    long out_stride;
} got_attention;

/* n up to a whole panel: the length of a stored value row. */
static inline int got_padded(int n)
{
    return (n + GOT_KEY_PANEL - 1) / GOT_KEY_PANEL * GOT_KEY_PANEL;
}

/* Floats of scratch for a call with up to `queries` queries. */
static inline long got_attention_scratch(int head_dim, int queries)
{
    return (long)queries * (got_padded(head_dim) + 2) + (long)GOT_KEY_BLOCK * (head_dim + got_padded(head_dim));
}

#endif
