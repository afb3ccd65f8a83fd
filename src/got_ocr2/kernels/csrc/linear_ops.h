/* What linear.c needs from each instruction set: packing rows of x, one tile of the product, and its end.
 *
 * A tile is one panel of weights times one block of rows, over a range of steps. A step is 128 bytes of a panel in
 * every format but the compact one, 96 bytes: 1, 2, 4 or 8 inputs for 32 outputs.
 */
#ifndef GOT_LINEAR_OPS_H
#define GOT_LINEAR_OPS_H

#include "linear.h"

#include <stdbool.h>

#define GOT_STEP_BYTES 128
#define GOT_MOST_ROWS 12 /* rows of a block, in any instruction set */

/* Inputs of one step, and 32-bit words that they take in a packed row. */
static const int got_step_inputs[GOT_FORMATS] = {1, 2, 4, 8, 2, 2};
static const int got_step_words[GOT_FORMATS] = {1, 2, 1, 2, 2, 1};

/* The format of the weights once they are in a tile's hands. */
static inline int got_tile_format(const got_linear *layer)
{
    return layer->format == GOT_COMPACT ? GOT_BF16 : layer->format;
}

typedef struct {
    const uint8_t *weights; /* the panel's first step of the range */
    const void *x;          /* [words][rows]: fp32, or four inputs of 8 bits or two of 16 in a word */
    const int32_t *start;   /* int8: [rows], int4: [groups][rows]; what cancels the weights' offset */
    const uint16_t *scales; /* int4: [groups][32] bf16 */
    const uint8_t *table;   /* compact: the panel's */
    const got_escape *escapes, *escapes_end; /* compact: those from the range's first step on */
    uint32_t place;         /* compact: of the range's first weight in its panel */
    float *sums;            /* [rows][32]; int8, int16: int32 */
    int steps;
    int group_steps; /* int4 */
    ptrdiff_t ahead; /* bytes from the weights in use to those to fetch */
    bool first;      /* the range begins the panel: the sums begin with it */
} got_tile;

/* A block of packed rows. */
typedef struct {
    void *x;        /* [words][rows] */
    int32_t *start; /* [groups][rows] */
    float *scales;  /* [rows]: what one quantised unit of each row is worth */
    int rows;
} got_rows;

/* Many rows times one panel. Their inputs lie as they came, fp32, or prepared, see got_wide_way. */
typedef struct {
    const got_linear *layer;
    int panel, rows;
    const uint8_t *weights; /* the panel's first step */
    const void *x;       /* fp32, or prepared rows; what lies after them, up to GOT_WIDE_UNIT rows, is anything */
    ptrdiff_t ldx;       /* between rows: floats, or units of 16 bits */
    const float *scales; /* int8, int16: what one quantised unit of each row is worth */
    void *room;          /* GOT_WIDE_BYTES, for the unpacked weights */
    float *sums;         /* [rows up to GOT_WIDE_UNIT][32] */
    float *y;
    ptrdiff_t ldy;
    const float *residual; /* or NULL */
    ptrdiff_t ldr;
} got_wide;

/* Inputs of a range. Float sums are rounded range by range, so it is the same for few rows and for many. */
#define GOT_RANGE_INPUTS 256
#define GOT_WIDE_BYTES (GOT_RANGE_INPUTS * GOT_PANEL * 4)
#define GOT_WIDE_UNIT 32  /* rows: there is room for whole ones */
#define GOT_WIDE_EXTRA 64 /* bytes behind each prepared row */

typedef struct {
    void (*product)(const got_wide *job); /* NULL where many rows are best packed too */
    /* One row of k inputs -> `padded` of them, zeros at the end, a multiple of 64; returns what one quantised unit is
     * worth. `bytes` is room for a quantised row. NULL where inputs are taken as they came. */
    float (*prepare)(const float *x, int k, int padded, int8_t *bytes, void *out);
    int input_bytes; /* of a prepared row, without GOT_WIDE_EXTRA */
} got_wide_way;

typedef struct {
    int rows[GOT_FORMATS]; /* most rows of a tile, by format */
    got_wide_way wide[GOT_FORMATS]; /* by format */
    /* Packs block.rows rows of x (k inputs, zeros up to all steps); `bytes` is room for one quantised row. */
    void (*pack)(const got_linear *layer, const float *x, ptrdiff_t ldx, int steps, got_rows *block, int8_t *bytes);
    void (*tile[GOT_FORMATS])(const got_tile *tile, int rows);
    /* Some steps of a compact panel -> steps of bf16; escapes become anything. */
    void (*inflate)(const uint8_t *compact, int steps, const uint8_t *table, uint8_t *out);
    /* Scales the sums of `rows` rows, adds bias, applies the epilogue, adds the residual and writes y. */
    void (*finish)(const got_linear *layer, int panel, int rows, const float *sums, const float *scales, float *y,
                   ptrdiff_t ldy, const float *residual, ptrdiff_t ldr);
} got_linear_ops;

extern const got_linear_ops got_linear_plain, got_linear_amx, got_linear_mmla;
#if defined(__x86_64__)
extern const got_linear_ops got_linear_avx2, got_linear_avx2_vnni, got_linear_avx512;
#elif defined(__aarch64__)
extern const got_linear_ops got_linear_neon_dot;
#endif

#endif
