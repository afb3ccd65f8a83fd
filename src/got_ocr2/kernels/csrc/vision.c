#include "vision.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "ops.h"
#include "region.h"

#define QUERY_BLOCK 96   /* queries of a task of attention over the whole grid */
#define KEYS_PER_TASK 256 /* a multiple of GOT_KEY_PANEL */
#define MLP_ROWS 1024    /* rows that go through the feed-forward part together */

typedef struct {
    const got_vision *vision;
    const got_ops *ops;
    const float *pixels;
    float *result;
    int members, tokens, head_dim;
    float *x, *normed, *qkv, *mixed, *inner; /* (tokens, ...), inner (MLP_ROWS, inner) */
    float *keys, *values; /* of all heads, for attention over the whole grid */
    float *patches;       /* the input of a convolution, where qkv is */
    float *neck, *half;   /* (tokens, neck); (quarter of the tokens, ...) */
    atomic_int *next;     /* three lists of tasks for each layer */
    char *scratch;        /* for each member */
    size_t scratch_size;
    double *times;
} picture;

static int half_up(int n)
{
    return (n + 1) / 2;
}

static void run_linear(const picture *p, const got_linear *layer, const float *x, float *y, const float *residual,
                       int rows, int thread)
{
    got_linear_run_part(layer, x, layer->k, rows, y, layer->n, residual, layer->n, thread, p->members,
                        p->scratch + (size_t)thread * p->scratch_size);
}

static void norm_rows(const picture *p, const float *x, const float *weight, const float *bias, int rows, int width,
                      float eps, float *out, int thread)
{
    int64_t from, to;
    got_share(rows, thread, p->members, &from, &to);
    for (int64_t i = from; i < to; i++)
        p->ops->layer_norm(x + i * width, weight, bias, width, eps, out + i * width);
}

/* Pixels -> rows of patches. */
static void cut_patches(const picture *p, int thread)
{
    const got_vision *v = p->vision;
    const int64_t width = (int64_t)v->columns * v->patch_columns, height = (int64_t)v->rows * v->patch_rows;
    int64_t from, to;
    got_share(p->tokens, thread, p->members, &from, &to);
    for (int64_t i = from; i < to; i++) {
        float *out = p->patches + i * v->patch.k;
        int64_t top = i / v->columns * v->patch_rows, left = i % v->columns * v->patch_columns;
        for (int c = 0; c < v->channels; c++)
            for (int r = 0; r < v->patch_rows; r++, out += v->patch_columns)
                memcpy(out, p->pixels + (c * height + top + r) * width + left,
                       sizeof(float) * (size_t)v->patch_columns);
    }
}

/* x (rows, columns, channels) -> 3 x 3 neighbourhoods of every `stride`-th position, zeros outside. */
static void cut_neighbourhoods(const picture *p, const float *x, int rows, int columns, int channels, int stride,
                               int thread)
{
    int across = (columns + stride - 1) / stride, down = (rows + stride - 1) / stride;
    size_t size = sizeof(float) * (size_t)channels;
    int64_t from, to;
    got_share((int64_t)down * across, thread, p->members, &from, &to);
    for (int64_t i = from; i < to; i++) {
        float *out = p->patches + i * 9 * channels;
        int top = (int)(i / across) * stride - 1, left = (int)(i % across) * stride - 1;
        for (int r = top; r < top + 3; r++)
            for (int c = left; c < left + 3; c++, out += channels) {
                if (r < 0 || r >= rows || c < 0 || c >= columns)
                    memset(out, 0, size);
                else
                    memcpy(out, x + ((int64_t)r * columns + c) * channels, size);
            }
    }
}

/* Puts key number `at` of a head, `d` numbers or, if NULL, zeros, into its panel. */
static void put_key(const float *key, int d, int at, float *panels)
{
    float *to = panels + (int64_t)(at / GOT_KEY_PANEL) * GOT_KEY_PANEL * d + at % GOT_KEY_PANEL;
    for (int e = 0; e < d; e++)
        to[e * GOT_KEY_PANEL] = key != NULL ? key[e] : 0.0f;
}

/* Stores a value, NULL for zeros, and fills its row up. */
static void put_value(const float *value, int d, float *to)
{
    memset(to, 0, sizeof(float) * (size_t)got_padded(d));
    if (value != NULL)
        memcpy(to, value, sizeof(float) * (size_t)d);
}

/* Memory of a task: queries, their relative terms and shifts, and for windows keys, values and results. */
typedef struct {
    float *q, *rel, *keys, *values, *out, *scratch;
    int *row_shift, *column_shift;
} desk;

static size_t set_desk(const picture *p, const got_vision_layer *layer, char *block, desk *d)
{
    const size_t dim = (size_t)p->head_dim, wide = (size_t)got_padded(p->head_dim);
    const size_t positions = layer->window ? (size_t)(layer->window * layer->window) : 0;
    const size_t queries = layer->window ? positions : QUERY_BLOCK;
    size_t used = 0;
    d->q = got_take(block, &used, sizeof(float) * queries * dim);
    d->rel = got_take(block, &used, layer->rel ? sizeof(float) * queries * (size_t)layer->rel_width : 0);
    d->row_shift = got_take(block, &used, sizeof(int) * queries);
    d->column_shift = got_take(block, &used, sizeof(int) * queries);
    d->keys = got_take(block, &used, sizeof(float) * (size_t)got_padded((int)positions) * dim);
    d->values = got_take(block, &used, sizeof(float) * positions * wide);
    d->out = got_take(block, &used, sizeof(float) * positions * dim);
    d->scratch = got_take(block, &used, sizeof(float) * (size_t)got_attention_scratch(p->head_dim, (int)queries));
    return used;
}

/* Attention of the queries on the desk; `count` of them, those of a grid of rows x columns. */
static void attend(const picture *p, const got_vision_layer *layer, const desk *d, int count, const float *keys,
                   const float *values, int rows, int columns, float *out, long out_stride)
{
    const int dim = p->head_dim;
    const float scale = 1.0f / sqrtf((float)dim);
    if (layer->rel != NULL) /* with queries that are not scaled yet */
        p->ops->project(count, layer->rel_width, d->q, dim, layer->rel, layer->rel_width, dim, d->rel, layer->rel_width);
    for (int i = 0; i < count * dim; i++)
        d->q[i] *= scale;
    got_attention job = {
        .head_dim = dim,
        .queries = count,
        .q = d->q,
        .q_stride = dim,
        .k = keys,
        .v = values,
        .keys = rows * columns,
        .rel = layer->rel != NULL ? d->rel : NULL,
        .rel_stride = layer->rel_width,
        .row_shift = d->row_shift,
        .column_shift = d->column_shift,
        .columns = columns,
        .out = out,
        .out_stride = out_stride,
    };
    p->ops->attend(&job, d->scratch);
}

/* One head of one window. Positions beyond the grid are keys like any other, made of the bias alone; as queries they
 * are left out, for nobody asks for their results. */
static void attend_window(const picture *p, const got_vision_layer *layer, int task, const desk *d)
{
    const got_vision *v = p->vision;
    const int dim = p->head_dim, side = layer->window, wide = got_padded(dim), head = task % v->heads;
    const int across = (v->columns + side - 1) / side, window = task / v->heads;
    const int top = window / across * side, left = window % across * side, width = 3 * v->hidden;
    const float *bias = layer->qkv.bias;
    int count = 0;
    for (int at = 0; at < side * side; at++) {
        int row = at / side, column = at % side;
        const float *key = bias != NULL ? bias + v->hidden + head * dim : NULL;
        const float *value = bias != NULL ? bias + 2 * v->hidden + head * dim : NULL;
        if (top + row < v->rows && left + column < v->columns) {
            const float *own = p->qkv + ((int64_t)(top + row) * v->columns + left + column) * width + head * dim;
            memcpy(d->q + (int64_t)count * dim, own, sizeof(float) * (size_t)dim);
            d->row_shift[count] = side - 1 - row;
            d->column_shift[count] = 2 * side - 1 + side - 1 - column;
            count++;
            key = own + v->hidden;
            value = own + 2 * v->hidden;
        }
        put_key(key, dim, at, d->keys);
        put_value(value, dim, d->values + (int64_t)at * wide);
    }
    attend(p, layer, d, count, d->keys, d->values, side, side, d->out, dim);
    const float *out = d->out;
    for (int row = top; row < top + side && row < v->rows; row++)
        for (int column = left; column < left + side && column < v->columns; column++, out += dim)
            memcpy(p->mixed + ((int64_t)row * v->columns + column) * v->hidden + head * dim, out,
                   sizeof(float) * (size_t)dim);
}

/* Some keys and values of one head, for all tasks of attend_grid. */
static void put_keys(const picture *p, int task)
{
    const got_vision *v = p->vision;
    const int dim = p->head_dim, wide = got_padded(dim), parts = (p->tokens + KEYS_PER_TASK - 1) / KEYS_PER_TASK;
    const int head = task / parts, first = task % parts * KEYS_PER_TASK;
    const int end = first + KEYS_PER_TASK < p->tokens ? first + KEYS_PER_TASK : p->tokens;
    float *keys = p->keys + (int64_t)head * got_padded(p->tokens) * dim;
    float *values = p->values + (int64_t)head * p->tokens * wide;
    for (int at = first; at < end; at++) {
        const float *own = p->qkv + (int64_t)at * 3 * v->hidden + head * dim;
        put_key(own + v->hidden, dim, at, keys);
        put_value(own + 2 * v->hidden, dim, values + (int64_t)at * wide);
    }
}

/* One head of some queries, over the whole grid. */
static void attend_grid(const picture *p, const got_vision_layer *layer, int task, const desk *d)
{
    const got_vision *v = p->vision;
    const int dim = p->head_dim, blocks = (p->tokens + QUERY_BLOCK - 1) / QUERY_BLOCK;
    const int head = task / blocks, first = task % blocks * QUERY_BLOCK;
    const int count = p->tokens - first < QUERY_BLOCK ? p->tokens - first : QUERY_BLOCK;
    for (int i = 0; i < count; i++) {
        int at = first + i;
        memcpy(d->q + (int64_t)i * dim, p->qkv + (int64_t)at * 3 * v->hidden + head * dim, sizeof(float) * (size_t)dim);
        d->row_shift[i] = v->rows - 1 - at / v->columns;
        d->column_shift[i] = 2 * v->rows - 1 + v->columns - 1 - at % v->columns;
    }
    attend(p, layer, d, count, p->keys + (int64_t)head * got_padded(p->tokens) * dim,
           p->values + (int64_t)head * p->tokens * got_padded(dim), v->rows, v->columns,
           p->mixed + (int64_t)first * v->hidden + head * dim, v->hidden);
}

static void attend_all(const picture *p, int number, int thread, double *since)
{
    const got_vision *v = p->vision;
    const got_vision_layer *layer = &v->layer[number];
    atomic_int *next = p->next + 3 * number;
    desk d;
    set_desk(p, layer, p->scratch + (size_t)thread * p->scratch_size, &d);
    if (layer->window) {
        int side = layer->window, windows = (v->rows + side - 1) / side * ((v->columns + side - 1) / side);
        for (int t; (t = atomic_fetch_add(&next[0], 1)) < windows * v->heads;)
            attend_window(p, layer, t, &d);
        got_finish(p->times, GOT_V_WINDOW, thread, since);
        return;
    }
    int parts = (p->tokens + KEYS_PER_TASK - 1) / KEYS_PER_TASK, blocks = (p->tokens + QUERY_BLOCK - 1) / QUERY_BLOCK;
    for (int t; (t = atomic_fetch_add(&next[1], 1)) < parts * v->heads;)
        put_keys(p, t);
    got_barrier();
    for (int t; (t = atomic_fetch_add(&next[2], 1)) < blocks * v->heads;)
        attend_grid(p, layer, t, &d);
    got_finish(p->times, GOT_V_GLOBAL, thread, since);
}

static void run_layer(const picture *p, int number, int thread, double *since)
{
    const got_vision *v = p->vision;
    const got_vision_layer *layer = &v->layer[number];
    norm_rows(p, p->x, layer->norm1, layer->norm1_bias, p->tokens, v->hidden, v->eps, p->normed, thread);
    got_finish(p->times, GOT_V_NORM, thread, since);
    run_linear(p, &layer->qkv, p->normed, p->qkv, NULL, p->tokens, thread);
    got_finish(p->times, GOT_V_QKV, thread, since);
    attend_all(p, number, thread, since);
    run_linear(p, &layer->out, p->mixed, p->x, p->x, p->tokens, thread);
    got_finish(p->times, GOT_V_OUT, thread, since);
    norm_rows(p, p->x, layer->norm2, layer->norm2_bias, p->tokens, v->hidden, v->eps, p->normed, thread);
    got_finish(p->times, GOT_V_NORM, thread, since);
    for (int row = 0; row < p->tokens; row += MLP_ROWS) {
        int rows = p->tokens - row < MLP_ROWS ? p->tokens - row : MLP_ROWS;
        float *x = p->x + (int64_t)row * v->hidden;
        run_linear(p, &layer->up, p->normed + (int64_t)row * v->hidden, p->inner, NULL, rows, thread);
        got_finish(p->times, GOT_V_UP, thread, since);
        run_linear(p, &layer->down, p->inner, x, x, rows, thread);
        got_finish(p->times, GOT_V_DOWN, thread, since);
    }
}

/* Neck, both halving convolutions, connector. */
static void run_neck(const picture *p, int thread)
{
    const got_vision *v = p->vision;
    const int neck = v->neck1.n, rows = half_up(v->rows), columns = half_up(v->columns);
    const int last = half_up(rows) * half_up(columns);
    run_linear(p, &v->neck1, p->x, p->neck, NULL, p->tokens, thread);
    got_barrier();
    norm_rows(p, p->neck, v->neck_norm1, v->neck_norm1_bias, p->tokens, neck, v->neck_eps, p->neck, thread);
    got_barrier();
    cut_neighbourhoods(p, p->neck, v->rows, v->columns, neck, 1, thread);
    got_barrier();
    run_linear(p, &v->neck2, p->patches, p->neck, NULL, p->tokens, thread);
    got_barrier();
    norm_rows(p, p->neck, v->neck_norm2, v->neck_norm2_bias, p->tokens, neck, v->neck_eps, p->neck, thread);
    got_barrier();
    cut_neighbourhoods(p, p->neck, v->rows, v->columns, neck, 2, thread);
    got_barrier();
    run_linear(p, &v->down1, p->patches, p->half, NULL, rows * columns, thread);
    got_barrier();
    cut_neighbourhoods(p, p->half, rows, columns, v->down1.n, 2, thread);
    got_barrier();
    run_linear(p, &v->down2, p->patches, p->normed, NULL, last, thread);
    got_barrier();
    run_linear(p, &v->connector, p->normed, p->result, NULL, last, thread);
}

static void run_member(void *ctx, int thread, int members)
{
    picture own = *(picture *)ctx;
    const picture *p = &own;
    const got_vision *v = p->vision;
    double since = p->times != NULL ? got_seconds() : 0.0;
    own.members = members;
    cut_patches(p, thread);
    got_barrier();
    run_linear(p, &v->patch, p->patches, p->x, v->place, p->tokens, thread);
    got_finish(p->times, GOT_V_PATCH, thread, &since);
    for (int l = 0; l < v->layers; l++)
        run_layer(p, l, thread, &since);
    run_neck(p, thread);
    got_finish(p->times, GOT_V_NECK, thread, &since);
}

static size_t at_least(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Divides the block among the picture's buffers; returns its size. */
static size_t lay_out(picture *p, char *block, int members)
{
    const got_vision *v = p->vision;
    const size_t tokens = (size_t)p->tokens, hidden = (size_t)v->hidden, real = sizeof(float);
    const size_t neck = (size_t)v->neck1.n, quarter = (size_t)(half_up(v->rows) * half_up(v->columns));
    const size_t last = (size_t)(half_up(half_up(v->rows)) * half_up(half_up(v->columns)));
    size_t used = 0, scratch = 0;
    desk unused;
    for (int l = 0; l < v->layers; l++) {
        const got_vision_layer *layer = &v->layer[l];
        scratch = at_least(scratch, set_desk(p, layer, NULL, &unused));
        scratch = at_least(scratch, got_scratch(&layer->qkv, p->tokens, members));
        scratch = at_least(scratch, got_scratch(&layer->out, p->tokens, members));
        for (int row = 0; row < p->tokens; row += MLP_ROWS) {
            int rows = p->tokens - row < MLP_ROWS ? p->tokens - row : MLP_ROWS;
            scratch = at_least(scratch, got_scratch(&layer->up, rows, members));
            scratch = at_least(scratch, got_scratch(&layer->down, rows, members));
        }
    }
    scratch = at_least(scratch, got_scratch(&v->patch, p->tokens, members));
    scratch = at_least(scratch, got_scratch(&v->neck1, p->tokens, members));
    scratch = at_least(scratch, got_scratch(&v->neck2, p->tokens, members));
    scratch = at_least(scratch, got_scratch(&v->down1, (int)quarter, members));
    scratch = at_least(scratch, got_scratch(&v->down2, (int)last, members));
    scratch = at_least(scratch, got_scratch(&v->connector, (int)last, members));
    p->scratch_size = (scratch + 63) / 64 * 64;

    size_t wide = at_least(3 * hidden * tokens, (size_t)v->patch.k * tokens);
    wide = at_least(wide, at_least((size_t)v->neck2.k * tokens, (size_t)v->down1.k * quarter));
    wide = at_least(wide, (size_t)v->down2.k * last);
    p->x = got_take(block, &used, real * tokens * hidden);
    p->normed = got_take(block, &used, real * at_least(tokens * hidden, last * (size_t)v->connector.k));
    p->qkv = p->patches = got_take(block, &used, real * wide);
    p->mixed = got_take(block, &used, real * tokens * hidden);
    p->inner = got_take(block, &used, real * MLP_ROWS * (size_t)v->inner);
    p->keys = got_take(block, &used, real * (size_t)got_padded(p->tokens) * hidden);
    p->values = got_take(block, &used, real * tokens * (size_t)(v->heads * got_padded(p->head_dim)));
    p->neck = got_take(block, &used, real * tokens * neck);
    p->half = got_take(block, &used, real * quarter * (size_t)v->down1.n);
    p->next = got_take(block, &used, sizeof(atomic_int) * 3 * (size_t)v->layers);
    p->scratch = got_take(block, &used, p->scratch_size * (size_t)members);
    return used;
}

static picture begin(const got_vision *vision)
{
    return (picture){.vision = vision, .ops = got_ops_used(), .tokens = vision->rows * vision->columns,
                     .head_dim = vision->hidden / vision->heads};
}

static void encode(const got_vision *vision, const float *pixels, float *out, void *workspace, int members,
                   double *times)
{
    picture p = begin(vision);
    p.pixels = pixels;
    p.result = out;
    p.times = times;
    lay_out(&p, workspace, members);
    for (int i = 0; i < 3 * vision->layers; i++)
        atomic_init(&p.next[i], 0);
    got_team(run_member, &p);
}

size_t got_vision_workspace(const got_vision *vision)
{
    picture p = begin(vision);
    return lay_out(&p, NULL, got_threads());
}

void got_vision_encode(const got_vision *vision, const float *pixels, float *out, void *workspace, double *times)
{
    encode(vision, pixels, out, workspace, got_threads(), times);
}

size_t got_vision_workspace_alone(const got_vision *vision)
{
    picture p = begin(vision);
    return lay_out(&p, NULL, 1);
}

typedef struct {
    const got_vision_picture *pictures;
    char *workspace;
    size_t stride;
} pile;

static void encode_one(void *ctx, int task, int thread)
{
    const pile *all = ctx;
    const got_vision_picture *one = &all->pictures[task];
    encode(one->vision, one->pixels, one->out, all->workspace + (size_t)thread * all->stride, 1, NULL);
}

void got_vision_encode_each(const got_vision_picture *pictures, int count, void *workspace, size_t stride)
{
    pile all = {pictures, workspace, stride};
    got_parallel(encode_one, &all, count);
}
