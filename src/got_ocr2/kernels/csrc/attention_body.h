/* Attention, in the dialect of simd.h that the including file chose.
 *
 * For every block of keys and every tile of queries: logits = q k (a small matrix product), the running maximum and sum
 * of exponentials are brought up to date, and the weighted values are added to what the tile has (another product).
 * Queries and sums of a call stay in the second-level cache, a block of keys in the first or second.
 */

#include "attention.h"
#include "simd.h"

/* Vectors across a register tile: AVX-512 has 32 registers for 6 x 4 sums, AVX2 16 for 6 x 2. */
#if GOT_LANES == 16
#define TILE_COLUMNS 4
#else
#define TILE_COLUMNS 2
#endif

#define MASKED (-1e30f)

/* out (rows, cols vectors) = out * scale + a b over `depth` terms; vector j of row k of b stands at b + k * ldb + j * step.
 * Without scale, out is taken as it is. */
GOT_INLINE void tile(int rows, int cols, const float *a, long lda, const float *b, long ldb, long step, int depth,
                     float *out, long ldo, const float *scale)
{
    vf sum[GOT_QUERY_TILE][TILE_COLUMNS];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            vf start = vf_load(out + i * ldo + j * GOT_LANES);
            sum[i][j] = scale ? vf_mul(start, vf_set(scale[i])) : start;
        }
    for (int k = 0; k < depth; k++) {
        vf bs[TILE_COLUMNS];
        for (int j = 0; j < cols; j++)
            bs[j] = vf_load(b + k * ldb + j * step);
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

/* One function for each size, so that the sums live in registers. */
typedef void (*tile_fn)(const float *, long, const float *, long, long, int, float *, long, const float *);

#define TILE(rows, cols)                                                                                      \
    static void tile_##rows##_##cols(const float *a, long lda, const float *b, long ldb, long step, int depth, \
                                     float *out, long ldo, const float *scale)                                \
    {                                                                                                         \
        tile(rows, cols, a, lda, b, ldb, step, depth, out, ldo, scale);                                       \
    }
#define TILES(cols) TILE(1, cols) TILE(2, cols) TILE(3, cols) TILE(4, cols) TILE(5, cols) TILE(6, cols)
#define NAMES(cols) {tile_1_##cols, tile_2_##cols, tile_3_##cols, tile_4_##cols, tile_5_##cols, tile_6_##cols}

TILES(1)
TILES(2)
#if TILE_COLUMNS == 4
TILES(3)
TILES(4)
static const tile_fn tiles[TILE_COLUMNS][GOT_QUERY_TILE] = {NAMES(1), NAMES(2), NAMES(3), NAMES(4)};
#else
static const tile_fn tiles[TILE_COLUMNS][GOT_QUERY_TILE] = {NAMES(1), NAMES(2)};
#endif

static inline int at_most(int n, int limit)
{
    return n < limit ? n : limit;
}

/* out (rows, width) = out * scale + a (rows, depth) b (depth, width), rows <= GOT_QUERY_TILE, width in whole vectors. */
static void multiply(int rows, int width, const float *a, long lda, const float *b, long ldb, int depth, float *out,
                     long ldo, const float *scale)
{
    for (int c = 0; c < width; c += TILE_COLUMNS * GOT_LANES) {
        int cols = at_most((width - c) / GOT_LANES, TILE_COLUMNS);
        tiles[cols - 1][rows - 1](a, lda, b + c, ldb, GOT_LANES, depth, out + c, ldo, scale);
    }
}

/* out (rows, keys) += a (rows, depth) times panels of keys; keys in whole panels. */
static void multiply_panels(int rows, int keys, const float *a, long lda, const float *panels, int depth, float *out,
                            long ldo)
{
#if GOT_LANES == GOT_KEY_PANEL /* a vector is as wide as a panel: a tile spans several */
    for (int c = 0; c < keys; c += TILE_COLUMNS * GOT_KEY_PANEL) {
        int cols = at_most((keys - c) / GOT_KEY_PANEL, TILE_COLUMNS);
        tiles[cols - 1][rows - 1](a, lda, panels + (long)c * depth, GOT_KEY_PANEL, (long)depth * GOT_KEY_PANEL, depth, out + c,
                                  ldo, 0);
    }
#else
    for (int c = 0; c < keys; c += GOT_KEY_PANEL)
        multiply(rows, GOT_KEY_PANEL, a, lda, panels + (long)c * depth, GOT_KEY_PANEL, depth, out + c, ldo, 0);
#endif
}

static void project(int rows, int width, const float *a, long lda, const float *b, long ldb, int depth, float *out,
                    long ldo)
{
    for (int i = 0; i < rows; i += GOT_QUERY_TILE) {
        int some = at_most(rows - i, GOT_QUERY_TILE);
        for (int r = 0; r < some; r++)
            memset(out + (i + r) * ldo, 0, sizeof(float) * (size_t)width);
        multiply(some, width, a + i * lda, lda, b, ldb, depth, out + i * ldo, ldo, 0);
    }
}

/* Logits of one query for the keys at .. at + count: the relative terms of their places, or zeros. */
static void start_logits(const got_attention *job, int query, int at, int count, float *logits)
{
    if (!job->rel) {
        memset(logits, 0, sizeof(float) * (size_t)count);
        return;
    }
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

/* Replaces a query's logits, in whole vectors, by exp(logit - maximum) and updates its running maximum and sum.
 * Returns the factor by which what was summed before has shrunk. */
static float soften(float *logits, int count, float *maximum, float *total)
{
    vf top = vf_load(logits);
    for (int k = GOT_LANES; k < count; k += GOT_LANES)
        top = vf_max(top, vf_load(logits + k));
    float before = *maximum, now = fmaxf(before, vf_top(top));
    vf shift = vf_set(now), sum = vf_set(0.0f);
    for (int k = 0; k < count; k += GOT_LANES) {
        vf weight = vf_exp(vf_sub(vf_load(logits + k), shift));
        vf_store(logits + k, weight);
        sum = vf_add(sum, weight);
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

/* Takes the keys begin .. count of the block at `at` into the sums of `rows` queries from `query` on. */
static void attend_tile(const got_attention *job, int query, int rows, int at, int begin, int count, const float *k,
                        const float *v, float *sums, float *maxima, float *totals)
{
    const int d = job->head_dim, wide = got_padded(d);
    float logits[GOT_QUERY_TILE * GOT_KEY_BLOCK], shrunk[GOT_QUERY_TILE];
    /* one past the last key of this block that the tile's first query sees */
    int first_end = job->causal ? job->keys - job->queries + query + 1 - at : count;
    int seen = job->causal ? at_most(first_end + rows - 1, count) : count;
    if (seen <= begin)
        return;
    int width = got_padded(seen);
    for (int r = 0; r < rows; r++)
        start_logits(job, query + r, at, width, logits + r * GOT_KEY_BLOCK);
    multiply_panels(rows, width, job->q + query * job->q_stride, job->q_stride, k, d, logits, GOT_KEY_BLOCK);
    for (int r = 0; r < rows; r++) {
        float *row = logits + r * GOT_KEY_BLOCK;
        int end = job->causal ? at_most(first_end + r, seen) : seen;
        for (int j = 0; j < begin; j++)
            row[j] = MASKED;
        for (int j = end > 0 ? end : 0; j < width; j++)
            row[j] = MASKED;
        shrunk[r] = soften(row, width, &maxima[query + r], &totals[query + r]);
    }
    multiply(rows, wide, logits + begin, GOT_KEY_BLOCK, v + (long)begin * wide, wide, seen - begin,
             sums + (long)query * wide, wide, shrunk);
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
        const float *k = (const float *)job->k + (long)at * d, *v = (const float *)job->v + (long)at * wide;
        if (job->half) {
            widen((const uint16_t *)job->k + (long)at * d, (long)got_padded(count) * d, block_k);
            widen((const uint16_t *)job->v + (long)at * wide, (long)count * wide, block_v);
            k = block_k;
            v = block_v;
        }
        for (int i = 0; i < job->queries; i += GOT_QUERY_TILE)
            attend_tile(job, i, at_most(job->queries - i, GOT_QUERY_TILE), at, begin, count, k, v, sums, maxima, totals);
    }
    for (int i = 0; i < job->queries; i++) {
        const float *sum = sums + (long)i * wide;
        float *out = job->out + i * job->out_stride;
        vf share = vf_set(1.0f / totals[i]);
        for (int e = 0; e < d; e += GOT_LANES)
            vf_store_some(out + e, vf_mul(vf_load(sum + e), share), at_most(d - e, GOT_LANES));
    }
}
