/* Attention, in the dialect of simd.h that the including file chose.
 *
 * For every block of keys and every tile of queries: logits = q k (a small matrix product), the running maximum and sum
 * of exponentials are brought up to date, and the weighted values are added to what the tile has (another product).
 * Queries and sums of a call stay in the second-level cache, a block of keys in the first or second.
 */

#include "attention.h"
#include "simd.h"

/* Vectors across a register tile: AVX-512 and NEON have 32 registers for 6 x 4 sums, AVX2 and SSE 16 for 6 x 2. */
#if GOT_LANES == 16 || defined(__aarch64__)
#define TILE_COLUMNS 4
#else
#define TILE_COLUMNS 2
#endif

#define MASKED (-1e30f)

/* Vector `i` elements from the start of `b`, which holds floats or, if `half`, bf16. */
GOT_INLINE vf load(const void *b, long i, int half)
{
    return half ? vf_load_bf16((const uint16_t *)b + i) : vf_load((const float *)b + i);
}

/* What a sum starts from: 0, what stands there, or that times the row's scale. */
typedef enum { FROM_ZERO, FROM_OUT, FROM_SCALED } start_from;

/* out (rows, cols vectors) = start + a b over `depth` terms; vector j of row k of b stands `k * ldb + j * step` elements
 * from its start. Every sum runs over k in order, whatever the tile. */
GOT_INLINE void tile(int rows, int cols, int half, const float *a, long lda, const void *b, long ldb, long step,
                     int depth, float *out, long ldo, start_from from, const float *scale)
{
    vf sum[GOT_QUERY_TILE][2 * TILE_COLUMNS];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            vf start = from == FROM_ZERO ? vf_set(0.0f) : vf_load(out + i * ldo + j * GOT_LANES);
            sum[i][j] = from == FROM_SCALED ? vf_mul(start, vf_set(scale[i])) : start;
        }
    for (int k = 0; k < depth; k++) {
        vf bs[2 * TILE_COLUMNS];
        for (int j = 0; j < cols; j++)
            bs[j] = load(b, k * ldb + j * step, half);
        for (int i = 0; i < rows; i++) {
            vf as = vf_set(a[i * lda + k]);
            for (int j = 0; j < cols; j++)
                sum[i][j] = vf_fma(as, bs[j], sum[i][j]);
        }
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            vf_store(out + i * ldo + j * GOT_LANES, sum[i][j]);
}

/* One function for each size, so that the sums live in registers. One or two rows leave room for twice the columns, and
 * need them: a sum waits for the one before it. */
typedef void (*tile_fn)(const float *, long, const void *, long, long, int, float *, long, start_from, const float *);

#define TILE(rows, cols, half)                                                                                      \
    static void tile_##rows##_##cols##_##half(const float *a, long lda, const void *b, long ldb, long step, int depth, \
                                              float *out, long ldo, start_from from, const float *scale)            \
    {                                                                                                               \
        tile(rows, cols, half, a, lda, b, ldb, step, depth, out, ldo, from, scale);                                 \
    }
#define TILES(cols, half) \
    TILE(1, cols, half) TILE(2, cols, half) TILE(3, cols, half) TILE(4, cols, half) TILE(5, cols, half) TILE(6, cols, half)
#define NAMES(cols, half)                                                                             \
    {tile_1_##cols##_##half, tile_2_##cols##_##half, tile_3_##cols##_##half, tile_4_##cols##_##half, \
     tile_5_##cols##_##half, tile_6_##cols##_##half}

TILES(1, 0) TILES(1, 1) TILES(2, 0) TILES(2, 1)
#if TILE_COLUMNS == 4
TILES(3, 0) TILES(3, 1) TILES(4, 0) TILES(4, 1)
TILE(1, 8, 0) TILE(1, 8, 1) TILE(2, 8, 0) TILE(2, 8, 1)
static const tile_fn tiles[2][TILE_COLUMNS][GOT_QUERY_TILE] = {
    {NAMES(1, 0), NAMES(2, 0), NAMES(3, 0), NAMES(4, 0)},
    {NAMES(1, 1), NAMES(2, 1), NAMES(3, 1), NAMES(4, 1)},
};
static const tile_fn broad_tiles[2][2] = {{tile_1_8_0, tile_2_8_0}, {tile_1_8_1, tile_2_8_1}};
#else
TILE(1, 4, 0) TILE(1, 4, 1) TILE(2, 4, 0) TILE(2, 4, 1)
static const tile_fn tiles[2][TILE_COLUMNS][GOT_QUERY_TILE] = {
    {NAMES(1, 0), NAMES(2, 0)},
    {NAMES(1, 1), NAMES(2, 1)},
};
static const tile_fn broad_tiles[2][2] = {{tile_1_4_0, tile_2_4_0}, {tile_1_4_1, tile_2_4_1}};
#endif

static inline int at_most(int n, int limit)
{
    return n < limit ? n : limit;
}

static inline const void *element(const void *b, long i, int half)
{
    return half ? (const void *)((const uint16_t *)b + i) : (const void *)((const float *)b + i);
}

/* out (rows, vectors) = start + a (rows, depth) b, rows <= GOT_QUERY_TILE; b's vectors stand `step` apart. */
static void multiply(int rows, int vectors, const float *a, long lda, const void *b, long ldb, long step, int half,
                     int depth, float *out, long ldo, start_from from, const float *scale)
{
    for (int j = 0; j < vectors;) {
        int broad = rows <= 2 && vectors - j >= 2 * TILE_COLUMNS;
        int cols = broad ? 2 * TILE_COLUMNS : at_most(vectors - j, TILE_COLUMNS);
        tile_fn run = broad ? broad_tiles[half][rows - 1] : tiles[half][cols - 1][rows - 1];
        run(a, lda, element(b, j * step, half), ldb, step, depth, out + j * GOT_LANES, ldo, from, scale);
        j += cols;
    }
}

/* out (rows, keys) = start + a (rows, depth) times panels of keys; keys in whole panels. */
static void multiply_panels(int rows, int keys, const float *a, long lda, const void *panels, int half, int depth,
                            float *out, long ldo, start_from from)
{
#if GOT_LANES == GOT_KEY_PANEL /* a vector is as wide as a panel: a tile spans several */
    multiply(rows, keys / GOT_LANES, a, lda, panels, GOT_KEY_PANEL, (long)depth * GOT_KEY_PANEL, half, depth, out, ldo, from,
             NULL);
#else
    for (int c = 0; c < keys; c += GOT_KEY_PANEL)
        multiply(rows, GOT_KEY_PANEL / GOT_LANES, a, lda, element(panels, (long)c * depth, half), GOT_KEY_PANEL,
                 GOT_LANES, half, depth, out + c, ldo, from, NULL);
#endif
}

static void project(int rows, int width, const float *a, long lda, const float *b, long ldb, int depth, float *out,
                    long ldo)
{
    for (int i = 0; i < rows; i += GOT_QUERY_TILE) {
        int some = at_most(rows - i, GOT_QUERY_TILE);
        multiply(some, width / GOT_LANES, a + i * lda, lda, b, ldb, GOT_LANES, 0, depth, out + i * ldo, ldo, FROM_ZERO,
                 NULL);
    }
}

/* What the logits of one query for the keys at .. at + count start from: the relative terms of their places. */
static void start_logits(const got_attention *job, int query, int at, int count, float *logits)
{
    const float *by_row = job->rel + query * job->rel_stride + job->row_shift[query];
    const float *by_column = job->rel + query * job->rel_stride + job->column_shift[query];
    int row = at / job->columns, column = at % job->columns, k = 0;
    int known = at_most(count, job->keys - at); /* the last panel may reach beyond the keys */
    while (k < known) {
        int length = at_most(job->columns - column, known - k), j = 0;
        vf term = vf_set(by_row[row]);
        for (; j + GOT_LANES <= length; j += GOT_LANES)
            vf_store(logits + k + j, vf_add(term, vf_load(by_column + column + j)));
        if (j < length)
            vf_store_some(logits + k + j, vf_add(term, vf_load_some(by_column + column + j, length - j)), length - j);
        k += length;
        column = 0;
        row++;
    }
    for (; k < count; k++)
        logits[k] = 0.0f;
}

/* Some vectors of logits -> exp(logit - shift); returns their sum added to `sum`. */
GOT_INLINE vf exponentials(float *logits, int count, vf shift, vf sum)
{
    vf x[4];
    for (int i = 0; i < count; i++)
        x[i] = vf_sub(vf_load(logits + i * GOT_LANES), shift);
    vf_exps(x, count);
    for (int i = 0; i < count; i++) {
        vf_store(logits + i * GOT_LANES, x[i]);
        sum = vf_add(sum, x[i]);
    }
    return sum;
}

/* Replaces a query's logits, in whole vectors, by exp(logit - maximum) and updates its running maximum and sum.
 * Returns the factor by which what was summed before has shrunk. */
static float soften(float *logits, int count, float *maximum, float *total)
{
    vf top = vf_load(logits);
    for (int k = GOT_LANES; k < count; k += GOT_LANES)
        top = vf_max(top, vf_load(logits + k));
    float before = *maximum, now = fmaxf(before, vf_top(top));
    vf shift = vf_set(now), sum = vf_set(0.0f);
    for (int k = 0, some; k < count; k += some * GOT_LANES) {
        some = count - k >= 4 * GOT_LANES ? 4 : 1;
        sum = some == 4 ? exponentials(logits + k, 4, shift, sum) : exponentials(logits + k, 1, shift, sum);
    }
    float shrunk = before > MASKED ? expf(before - now) : 0.0f;
    *total = *total * shrunk + vf_sum(sum);
    *maximum = now;
    return shrunk;
}

static void widen(const uint16_t *from, long count, float *to)
{
    for (long i = 0; i < count; i += GOT_LANES)
        vf_store(to + i, vf_load_bf16(from + i));
}

/* Panels of keys, `count` positions in whole panels, from whole numbers to floats. */
static void scale_keys(const int8_t *from, int count, int d, const float *scales, float *to)
{
    for (int at = 0; at < count; at += GOT_KEY_PANEL)
        for (int e = 0; e < d; e++)
            for (int j = 0; j < GOT_KEY_PANEL; j += GOT_LANES, from += GOT_LANES, to += GOT_LANES)
                vf_store(to, vf_mul(vf_load_int8(from), vf_load(scales + at + j)));
}

/* The same for rows of values. */
static void scale_values(const int8_t *from, int count, int wide, const float *scales, float *to)
{
    for (int i = 0; i < count; i++)
        for (int e = 0; e < wide; e += GOT_LANES, from += GOT_LANES, to += GOT_LANES)
            vf_store(to, vf_mul(vf_load_int8(from), vf_set(scales[i])));
}

/* Takes the keys begin .. count of the block at `at` into the sums of `rows` queries from `query` on. */
static void attend_tile(const got_attention *job, int query, int rows, int at, int begin, int count, const void *k,
                        const void *v, int half, float *sums, float *maxima, float *totals)
{
    const int d = job->head_dim, wide = got_padded(d);
    float logits[GOT_QUERY_TILE * GOT_KEY_BLOCK], shrunk[GOT_QUERY_TILE];
    /* one past the last key of this block that the tile's first query sees */
    int first_end = job->causal ? job->keys - job->queries + query + 1 - at : count;
    int seen = job->causal ? at_most(first_end + rows - 1, count) : count;
    if (seen <= begin)
        return;
    int width = got_padded(seen);
    for (int r = 0; job->rel != NULL && r < rows; r++)
        start_logits(job, query + r, at, width, logits + r * GOT_KEY_BLOCK);
    multiply_panels(rows, width, job->q + query * job->q_stride, job->q_stride, k, half, d, logits, GOT_KEY_BLOCK,
                    job->rel != NULL ? FROM_OUT : FROM_ZERO);
    for (int r = 0; r < rows; r++) {
        float *row = logits + r * GOT_KEY_BLOCK;
        int end = job->causal ? at_most(first_end + r, seen) : seen;
        for (int j = 0; j < begin; j++)
            row[j] = MASKED;
        for (int j = end > 0 ? end : 0; j < width; j++)
            row[j] = MASKED;
        shrunk[r] = soften(row, width, &maxima[query + r], &totals[query + r]);
    }
    multiply(rows, wide / GOT_LANES, logits + begin, GOT_KEY_BLOCK, element(v, (long)begin * wide, half), wide, GOT_LANES,
             half, seen - begin, sums + (long)query * wide, wide, FROM_SCALED, shrunk);
}

static void attend(const got_attention *job, float *scratch)
{
    const int d = job->head_dim, wide = got_padded(d);
    float *sums = scratch; /* (queries, wide) */
    float *maxima = sums + (long)job->queries * wide, *totals = maxima + job->queries;
    float *block_k = totals + job->queries, *block_v = block_k + (long)GOT_KEY_BLOCK * d;
    memset(sums, 0, sizeof(float) * (size_t)job->queries * (size_t)wide);
    for (int i = 0; i < job->queries; i++) {
        maxima[i] = MASKED;
        totals[i] = 0.0f;
    }
    for (int at = 0; at < job->keys; at += GOT_KEY_BLOCK) {
        int count = at_most(job->keys - at, GOT_KEY_BLOCK), begin = at ? 0 : job->first;
        int half = job->stored == GOT_CACHE_BF16;
        const void *k = element(job->k, (long)at * d, half), *v = element(job->v, (long)at * wide, half);
        if (job->stored == GOT_CACHE_INT8) {
            scale_keys((const int8_t *)job->k + (long)at * d, got_padded(count), d, job->k_scales + at, block_k);
            scale_values((const int8_t *)job->v + (long)at * wide, count, wide, job->v_scales + at, block_v);
            k = block_k;
            v = block_v;
        } else if (half && job->queries > GOT_QUERY_TILE) { /* several tiles: widened once instead of by each */
            widen(k, (long)got_padded(count) * d, block_k);
            widen(v, (long)count * wide, block_v);
            k = block_k;
            v = block_v;
            half = 0;
        }
        for (int i = 0; i < job->queries; i += GOT_QUERY_TILE)
            attend_tile(job, i, at_most(job->queries - i, GOT_QUERY_TILE), at, begin, count, k, v, half, sums, maxima,
                        totals);
    }
    for (int i = 0; i < job->queries; i++) {
        const float *sum = sums + (long)i * wide;
        float *out = job->out + i * job->out_stride;
        vf share = vf_set(1.0f / totals[i]);
        for (int e = 0; e < d; e += GOT_LANES)
            vf_store_some(out + e, vf_mul(vf_load(sum + e), share), at_most(d - e, GOT_LANES));
    }
}
