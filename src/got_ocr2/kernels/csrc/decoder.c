#include "decoder.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "ops.h"
#include "region.h"

#define QUERY_BLOCK 48 /* queries of one attention task */
#define NORM_ALONE 8   /* up to so many tokens every member norms all of them, which saves a barrier */

/* Queries `first` .. `first + count` of one head of one row. */
typedef struct {
    int row, head, first, count;
} task;

typedef struct {
    const got_decoder *decoder;
    const got_ops *ops;
    const got_row *rows;
    int n_rows, tokens, wanted, members;
    float *x, *normed, *qkv, *mixed, *inner; /* (tokens, ...); normed once for each member if tokens <= NORM_ALONE */
    float *last;                             /* (wanted, hidden) */
    float *cosines, *sines;                  /* (tokens, head_dim / 2) */
    int64_t *places;                         /* (tokens): position in the arena */
    task *tasks;
    int n_tasks;
    atomic_int *next_task; /* for each layer */
    float *logits;
    int64_t *best, *peak_at; /* peaks: (members, wanted) */
    float *logprobs, *peak_score, *peak_sum;
    char *scratch; /* for each member */
    size_t scratch_size;
    double *times;
} step;

/* Norms all tokens; returns where this member finds them. Complete on return. */
static const float *norm_all(const step *s, const float *weight, int thread, double *since)
{
    const got_decoder *d = s->decoder;
    int alone = s->tokens <= NORM_ALONE;
    float *to = s->normed + (alone ? (int64_t)thread * s->tokens * d->hidden : 0);
    int64_t from = 0, end = s->tokens;
    if (!alone)
        got_share(s->tokens, thread, s->members, &from, &end);
    for (int64_t i = from; i < end; i++)
        s->ops->rms_norm(s->x + i * d->hidden, weight, d->hidden, d->eps, to + i * d->hidden);
    if (!alone)
        got_finish(s->times, GOT_T_NORM, thread, since);
    return to;
}

static uint16_t to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40u); /* NaN stays NaN */
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

/* Stores a head's floats as whole numbers and returns their scale; NaN if one of them is not finite. */
static float store_bytes(int8_t *to, const float *from, int count, int apart)
{
    float top = 0.0f, odd = 0.0f;
    for (int e = 0; e < count; e++) {
        top = fmaxf(top, fabsf(from[e]));
        odd += from[e] * 0.0f;
    }
    const float factor = odd == 0.0f && top > 0.0f ? 127.0f / top : 0.0f;
    for (int e = 0; e < count; e++) {
        float value = factor > 0.0f ? rintf(from[e] * factor) : 0.0f;
        to[(int64_t)e * apart] = (int8_t)(value > 127.0f ? 127.0f : value < -127.0f ? -127.0f : value);
    }
    return odd == 0.0f ? top / 127.0f : NAN;
}

/* Stores a head's keys or values, `count` floats, `apart` elements apart, from element `at` of the arena on. */
static void store(const got_decoder *d, void *arena, int64_t at, const float *from, int count, int apart, float *scale)
{
    if (d->cache == GOT_CACHE_INT8) {
        *scale = store_bytes((int8_t *)arena + at, from, count, apart);
    } else if (d->cache == GOT_CACHE_BF16) {
        uint16_t *to = (uint16_t *)arena + at;
        for (int e = 0; e < count; e++)
            to[(int64_t)e * apart] = to_bf16(from[e]);
    } else {
        float *to = (float *)arena + at;
        for (int e = 0; e < count; e++)
            to[(int64_t)e * apart] = from[e];
    }
}

/* Elements before the keys and before the values of a head of a layer. */
static int64_t key_plane(const got_decoder *d, int layer, int head)
{
    return ((int64_t)layer * d->kv_heads + head) * d->capacity * d->head_dim;
}

static int64_t value_plane(const got_decoder *d, int layer, int head)
{
    return ((int64_t)layer * d->kv_heads + head) * d->capacity * got_padded(d->head_dim);
}

/* Where the scale of one position of a head stands; NULL where there are none. */
static float *scale_of(const got_decoder *d, float *scales, int layer, int head, int64_t place)
{
    return scales != NULL ? scales + ((int64_t)layer * d->kv_heads + head) * d->capacity + place : NULL;
}

/* Rotates queries and keys, stores keys and values. Work is dealt out by (token, head). */
static void rotate_and_store(const step *s, int layer, int thread)
{
    const got_decoder *d = s->decoder;
    const int dim = d->head_dim, half = dim / 2, heads = d->heads + 2 * d->kv_heads, wide = got_padded(dim);
    const float scale = 1.0f / sqrtf((float)dim);
    int64_t from, to;
    got_share((int64_t)s->tokens * heads, thread, s->members, &from, &to);
    for (int64_t i = from; i < to; i++) {
        int64_t token = i / heads, place = s->places[token];
        int head = (int)(i % heads);
        float *part = s->qkv + i * dim;
        const float *cosines = s->cosines + token * half, *sines = s->sines + token * half;
        if (head < d->heads) {
            s->ops->rotate(part, cosines, sines, half, scale);
        } else if (head < d->heads + d->kv_heads) {
            s->ops->rotate(part, cosines, sines, half, 1.0f);
            int64_t panel = place / GOT_KEY_PANEL * GOT_KEY_PANEL * dim;
            store(d, d->keys, key_plane(d, layer, head - d->heads) + panel + place % GOT_KEY_PANEL, part, dim,
                  GOT_KEY_PANEL, scale_of(d, d->key_scales, layer, head - d->heads, place));
        } else {
            int own = head - d->heads - d->kv_heads;
            int64_t at = value_plane(d, layer, own) + place * wide;
            const float nothing[GOT_KEY_PANEL] = {0};
            float none;
            store(d, d->values, at, part, dim, 1, scale_of(d, d->value_scales, layer, own, place));
            store(d, d->values, at + dim, nothing, wide - dim, 1, &none);
        }
    }
}

static void run_task(const step *s, int layer, const task *t, float *scratch)
{
    const got_decoder *d = s->decoder;
    const got_row *row = &s->rows[t->row];
    const int dim = d->head_dim, width = (d->heads + 2 * d->kv_heads) * dim;
    const int kv_head = t->head / (d->heads / d->kv_heads);
    const int64_t size = d->cache == GOT_CACHE_INT8 ? 1 : d->cache == GOT_CACHE_BF16 ? 2 : 4, panel = row->start / GOT_KEY_PANEL * GOT_KEY_PANEL;
    int64_t token = t->first;
    for (int r = 0; r < t->row; r++)
        token += s->rows[r].tokens;
    got_attention job = {
        .head_dim = dim,
        .queries = t->count,
        .q = s->qkv + token * width + t->head * dim,
        .q_stride = width,
        .k = (const char *)d->keys + size * (key_plane(d, layer, kv_head) + panel * dim),
        .v = (const char *)d->values + size * (value_plane(d, layer, kv_head) + panel * got_padded(dim)),
        .stored = d->cache,
        .k_scales = scale_of(d, d->key_scales, layer, kv_head, panel),
        .v_scales = scale_of(d, d->value_scales, layer, kv_head, panel),
        .first = (int)(row->start - panel),
        .keys = (int)(row->start - panel) + row->past + t->first + t->count,
        .causal = 1,
        .out = s->mixed + (token * d->heads + t->head) * dim,
        .out_stride = (long)d->heads * dim,
    };
    if (t->count > GOT_QUERY_TILE) { /* side by side: they are read many times, and `width` apart they share few cache sets */
        for (int i = 0; i < t->count; i++)
            memcpy(scratch + (int64_t)i * dim, job.q + i * job.q_stride, sizeof(float) * (size_t)dim);
        job.q = scratch;
        job.q_stride = dim;
        scratch += (int64_t)QUERY_BLOCK * dim;
    }
    s->ops->attend(&job, scratch);
}

static void run_linear(const step *s, const got_linear *layer, const float *x, float *y, const float *residual, int rows,
                       int thread)
{
    got_linear_run_part(layer, x, layer->k, rows, y, layer->n, residual, layer->n, thread, s->members,
                        s->scratch + (size_t)thread * s->scratch_size);
}

/* The last norm over the tokens whose scores are wanted, the head, and the best score of each. */
static void score(const step *s, int thread, double *since)
{
    const got_decoder *d = s->decoder;
    const int64_t vocabulary = d->head->n;
    int64_t from, to;
    if (thread == 0) {
        int64_t end = 0;
        float *out = s->last;
        for (int r = 0; r < s->n_rows; r++) {
            end += s->rows[r].tokens;
            for (int64_t i = end - s->rows[r].wanted; i < end; i++, out += d->hidden)
                s->ops->rms_norm(s->x + i * d->hidden, d->norm, d->hidden, d->eps, out);
        }
    }
    got_barrier();
    run_linear(s, d->head, s->last, s->logits, NULL, s->wanted, thread);
    got_barrier();
    got_share(vocabulary, thread, s->members, &from, &to);
    for (int w = 0; w < s->wanted && to > from; w++) {
        int64_t at = (int64_t)thread * s->wanted + w;
        s->ops->peak(s->logits + w * vocabulary + from, to - from, &s->peak_at[at], &s->peak_score[at],
                     &s->peak_sum[at]);
        if (s->peak_at[at] >= 0)
            s->peak_at[at] += from;
    }
    got_barrier();
    for (int w = 0; thread == 0 && w < s->wanted; w++) {
        int best = -1, finite = 1;
        float sum = 0.0f;
        for (int m = 0; m < s->members; m++) {
            got_share(vocabulary, m, s->members, &from, &to);
            if (to == from)
                continue;
            finite &= s->peak_at[m * s->wanted + w] >= 0;
            if (best < 0 || s->peak_score[m * s->wanted + w] > s->peak_score[best * s->wanted + w])
                best = m;
        }
        float highest = s->peak_score[best * s->wanted + w];
        for (int m = 0; m < s->members; m++) {
            got_share(vocabulary, m, s->members, &from, &to);
            if (to > from)
                sum += s->peak_sum[m * s->wanted + w] * expf(s->peak_score[m * s->wanted + w] - highest);
        }
        s->best[w] = finite ? s->peak_at[best * s->wanted + w] : -1;
        s->logprobs[w] = finite ? -logf(sum) : NAN;
    }
    got_finish(s->times, GOT_T_HEAD, thread, since);
}

static void run_member(void *ctx, int thread, int members)
{
    step local = *(step *)ctx;
    const step *s = &local;
    const got_decoder *d = s->decoder;
    double since = s->times != NULL ? got_seconds() : 0.0;
    local.members = members;
    for (int l = 0; l < d->layers; l++) {
        const got_decoder_layer *layer = &d->layer[l];
        const float *normed = norm_all(s, layer->attention_norm, thread, &since);
        run_linear(s, &layer->qkv, normed, s->qkv, NULL, s->tokens, thread);
        got_finish(s->times, GOT_T_QKV, thread, &since);
        rotate_and_store(s, l, thread);
        got_finish(s->times, GOT_T_ROTATE, thread, &since);
        for (int t; (t = atomic_fetch_add(&s->next_task[l], 1)) < s->n_tasks;)
            run_task(s, l, &s->tasks[t], (float *)(s->scratch + (size_t)thread * s->scratch_size));
        got_finish(s->times, GOT_T_ATTEND, thread, &since);
        run_linear(s, &layer->out, s->mixed, s->x, s->x, s->tokens, thread);
        got_finish(s->times, GOT_T_OUT, thread, &since);
        normed = norm_all(s, layer->mlp_norm, thread, &since);
        run_linear(s, &layer->gate_up, normed, s->inner, NULL, s->tokens, thread);
        got_finish(s->times, GOT_T_GATE_UP, thread, &since);
        run_linear(s, &layer->down, s->inner, s->x, s->x, s->tokens, thread);
        got_finish(s->times, GOT_T_DOWN, thread, &since);
    }
    if (s->wanted > 0)
        score(s, thread, &since);
}

/* Arena positions, rotary tables and attention tasks of all new tokens. */
static void prepare(step *s)
{
    const got_decoder *d = s->decoder;
    const int half = d->head_dim / 2;
    int64_t token = 0;
    for (int r = 0; r < s->n_rows; r++) {
        const got_row *row = &s->rows[r];
        for (int i = 0; i < row->tokens; i++, token++) {
            s->places[token] = row->start + row->past + i;
            for (int e = 0; e < half; e++) {
                float angle = (float)(row->past + i) * d->inverse_lengths[e];
                s->cosines[token * half + e] = cosf(angle);
                s->sines[token * half + e] = sinf(angle);
            }
        }
        /* Later queries see more keys: the longest tasks first, so that members finish together. */
        for (int first = (row->tokens - 1) / QUERY_BLOCK * QUERY_BLOCK; first >= 0; first -= QUERY_BLOCK) {
            int count = row->tokens - first < QUERY_BLOCK ? row->tokens - first : QUERY_BLOCK;
            for (int head = 0; head < d->heads; head++)
                s->tasks[s->n_tasks++] = (task){r, head, first, count};
        }
    }
    for (int l = 0; l < d->layers; l++)
        atomic_init(&s->next_task[l], 0);
}

/* Divides the block among the step's buffers; returns its size. */
static size_t lay_out(step *s, char *block, int members)
{
    const got_decoder *d = s->decoder;
    const size_t tokens = (size_t)s->tokens, wanted = (size_t)s->wanted, hidden = (size_t)d->hidden;
    const size_t heads = (size_t)(d->heads + 2 * d->kv_heads) * (size_t)d->head_dim;
    size_t used = 0, blocks = 0, scratch = 0;
    for (int r = 0; r < s->n_rows; r++)
        blocks += (size_t)((s->rows[r].tokens + QUERY_BLOCK - 1) / QUERY_BLOCK);
    const got_linear *layers[] = {&d->layer[0].qkv, &d->layer[0].out, &d->layer[0].gate_up, &d->layer[0].down, d->head};
    for (int i = 0; i < 5; i++) {
        size_t size = got_scratch(layers[i], layers[i] == d->head ? s->wanted : s->tokens, members);
        scratch = size > scratch ? size : scratch;
    }
    size_t attention = sizeof(float) * (size_t)(got_attention_scratch(d->head_dim, QUERY_BLOCK) + QUERY_BLOCK * d->head_dim);
    scratch = attention > scratch ? attention : scratch;
    s->scratch_size = (scratch + 63) / 64 * 64;

    s->normed = got_take(block, &used, sizeof(float) * tokens * hidden * (s->tokens <= NORM_ALONE ? (size_t)members : 1));
    s->qkv = got_take(block, &used, sizeof(float) * tokens * heads);
    s->mixed = got_take(block, &used, sizeof(float) * tokens * (size_t)(d->heads * d->head_dim));
    s->inner = got_take(block, &used, sizeof(float) * tokens * (size_t)d->inner);
    s->last = got_take(block, &used, sizeof(float) * wanted * hidden);
    s->cosines = got_take(block, &used, sizeof(float) * tokens * (size_t)(d->head_dim / 2));
    s->sines = got_take(block, &used, sizeof(float) * tokens * (size_t)(d->head_dim / 2));
    s->places = got_take(block, &used, sizeof(int64_t) * tokens);
    s->tasks = got_take(block, &used, sizeof(task) * blocks * (size_t)d->heads);
    s->next_task = got_take(block, &used, sizeof(atomic_int) * (size_t)d->layers);
    s->peak_at = got_take(block, &used, sizeof(int64_t) * wanted * (size_t)members);
    s->peak_score = got_take(block, &used, sizeof(float) * wanted * (size_t)members);
    s->peak_sum = got_take(block, &used, sizeof(float) * wanted * (size_t)members);
    s->scratch = got_take(block, &used, s->scratch_size * (size_t)members);
    return used;
}

static step begin(const got_decoder *decoder, const got_row *rows, int n_rows)
{
    step s = {.decoder = decoder, .ops = got_ops_used(), .rows = rows, .n_rows = n_rows};
    for (int r = 0; r < n_rows; r++) {
        s.tokens += rows[r].tokens;
        s.wanted += rows[r].wanted;
    }
    return s;
}

size_t got_decoder_workspace(const got_decoder *decoder, const got_row *rows, int n_rows)
{
    step s = begin(decoder, rows, n_rows);
    return lay_out(&s, NULL, got_threads());
}

void got_decoder_step(const got_decoder *decoder, float *x, const got_row *rows, int n_rows, float *logits, int64_t *best,
                      float *logprobs, void *workspace, double *times)
{
    step s = begin(decoder, rows, n_rows);
    s.x = x;
    s.logits = logits;
    s.best = best;
    s.logprobs = logprobs;
    s.times = times;
    lay_out(&s, workspace, got_threads());
    prepare(&s);
    got_team(run_member, &s);
}
