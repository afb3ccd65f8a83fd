/* The image encoder, from pixels to image tokens in the decoder's space, one picture in one region.
 *
 * Positions of a grid are rows of hidden numbers, row by row. Convolutions are linear layers over patches whose numbers
 * stand in the order (row, column, channel), those of the patch embedding in the order (channel, row, column).
 */
#ifndef GOT_VISION_H
#define GOT_VISION_H

#include <stdint.h>

#include "export.h"
#include "linear.h"

typedef struct {
    const float *norm1, *norm1_bias, *norm2, *norm2_bias; /* (hidden) */
    got_linear qkv;  /* hidden -> queries of all heads, keys, values */
    got_linear out;  /* hidden -> hidden */
    got_linear up;   /* hidden -> inner, GOT_GELU */
    got_linear down; /* inner -> hidden */
    int32_t window;  /* side of the windows; 0: attention over the whole grid */
    int32_t rel_width; /* row length of `rel`, a multiple of GOT_KEY_PANEL */
    /* Relative positions of a grid of R rows and C columns (of a window or the whole), or NULL: (head_dim, rel_width),
     * column j < 2R - 1 is entry 2R - 2 - j of the table for rows, column 2R - 1 + j entry 2C - 2 - j of that for columns. */
    const float *rel;
} got_vision_layer;

typedef struct {
    int32_t channels, patch_rows, patch_columns; /* pixels of a patch */
    int32_t rows, columns;                       /* patches */
    int32_t hidden, inner, heads, layers;
    float eps, neck_eps;
    got_linear patch;     /* channels * patch_rows * patch_columns -> hidden */
    const float *place;   /* (rows * columns, hidden), or NULL */
    const got_vision_layer *layer;
    got_linear neck1;     /* hidden -> neck */
    got_linear neck2;     /* 3 x 3 x neck -> neck */
    const float *neck_norm1, *neck_norm1_bias, *neck_norm2, *neck_norm2_bias; /* (neck) */
    got_linear down1;     /* 3 x 3 x neck -> ..., every second row and column */
    got_linear down2;     /* 3 x 3 x that -> text hidden, likewise */
    got_linear connector; /* text hidden -> text hidden */
} got_vision;

/* Parts, in seconds of member 0, waiting at barriers included. */
enum { GOT_V_PATCH, GOT_V_NORM, GOT_V_QKV, GOT_V_WINDOW, GOT_V_GLOBAL, GOT_V_OUT, GOT_V_UP, GOT_V_DOWN, GOT_V_NECK, GOT_V_TIMES };

/* Bytes of workspace, on a 64-byte boundary. */
GOT_API size_t got_vision_workspace(const got_vision *vision);

/* One picture. pixels: (channels, rows * patch_rows, columns * patch_columns). out: (tokens, text hidden), where tokens is
 * ceil(ceil(rows / 2) / 2) * ceil(ceil(columns / 2) / 2). times: GOT_V_TIMES seconds that are added to, or NULL. */
GOT_API void got_vision_encode(const got_vision *vision, const float *pixels, float *out, void *workspace, double *times);

/* A picture of several, as got_vision_encode takes one. */
typedef struct {
    const got_vision *vision;
    const float *pixels;
    float *out;
} got_vision_picture;

/* Bytes of workspace that one thread needs for a picture, on a 64-byte boundary. */
GOT_API size_t got_vision_workspace_alone(const got_vision *vision);

/* Several pictures, each by one thread from beginning to end: small ones, whose parts are over before a team has met.
 * workspace: for every thread `stride` bytes, a multiple of 64, enough for the largest picture. */
GOT_API void got_vision_encode_each(const got_vision_picture *pictures, int count, void *workspace, size_t stride);

#endif
