/* The linear kernels, in the dialect of simd.h that the including file chose.
 *
 * A tile keeps rows * vectors sums in registers. The functions are written for any number of rows and vectors and
 * compiled for each pair in use: both are constants where they are called, so every inner loop is unrolled.
 */
#include "dot.h"
#include "linear_ops.h"

#define VECTORS (GOT_PANEL / GOT_LANES) /* of a panel */

/* What an int8 weight of value 0 is stored as, once dot() has taken it. */
#if defined(GOT_SIGNED_DOT)
#define INT8_OFFSET 0
#define int8_widen(four_each) dot_widen((four_each) ^ vw_set((int32_t)0x80808080))
#else
#define INT8_OFFSET 128
#define int8_widen(four_each) dot_widen(four_each)
#endif

#if defined(GOT_AVX512) /* 32 registers of 16 lanes */
enum { FLOAT_ROWS = 12, INT8_ROWS = 12, INT4_ROWS = 12, INT16_ROWS = 12 };
#define FLOAT_VECTORS(rows) 2
#define INT8_VECTORS(rows) 2
#define INT4_VECTORS(rows) ((rows) > 6 ? 1 : 2)
#elif defined(GOT_AVX2) /* 16 of 8 */
#if defined(GOT_BYTE_DOT)
enum { FLOAT_ROWS = 6, INT8_ROWS = 6, INT4_ROWS = 4, INT16_ROWS = 6 };
#else
enum { FLOAT_ROWS = 6, INT8_ROWS = 4, INT4_ROWS = 4, INT16_ROWS = 6 };
#endif
#define FLOAT_VECTORS(rows) ((rows) > 3 ? 2 : 4)
#define INT8_VECTORS(rows) 2
#define INT4_VECTORS(rows) 2
#else /* 16 or 32 of 4 */
enum { FLOAT_ROWS = 4, INT8_ROWS = 4, INT4_ROWS = 2, INT16_ROWS = 4 };
#define FLOAT_VECTORS(rows) ((rows) > 2 ? 2 : 4)
#define INT8_VECTORS(rows) 2
#define INT4_VECTORS(rows) 1
#endif

#define INT16_VECTORS(rows) 2

/* A single block of rows waits for memory: it asks for the weights early, beyond the page where the hardware stops. */
GOT_INLINE void fetch(const uint8_t *weights)
{
    __builtin_prefetch(weights);
    __builtin_prefetch(weights + 64);
}

#define UNROLLED _Pragma("GCC unroll 16")

#define FOR_TILE \
    UNROLLED for (int r = 0; r < rows; r++) \
        UNROLLED for (int v = 0; v < vectors; v++)

GOT_INLINE void clear(vf sums[][4], int rows, int vectors)
{
    FOR_TILE sums[r][v] = vf_set(0.0f);
}

/* The sums of a range of steps join those of the ranges before it. */
GOT_INLINE void add_sums(vf sums[][4], const got_tile *t, int rows, int vectors, int column)
{
    FOR_TILE {
        float *to = t->sums + r * GOT_PANEL + column + v * GOT_LANES;
        vf_store(to, t->first ? sums[r][v] : vf_add(vf_load(to), sums[r][v]));
    }
}

/* sums += x[r] * w[v] */
GOT_INLINE void multiply(vf sums[][4], const vf *w, const float *x, int rows, int vectors)
{
    UNROLLED for (int r = 0; r < rows; r++) {
        vf input = vf_set(x[r]);
        UNROLLED for (int v = 0; v < vectors; v++)
            sums[r][v] = vf_fma(input, w[v], sums[r][v]);
    }
}

GOT_INLINE void fp32_tile(const got_tile *t, int rows, int vectors, int column)
{
    const uint8_t *weights = t->weights + column * 4;
    const float *x = t->x;
    vf sums[GOT_MOST_ROWS][4], w[4];
    clear(sums, rows, vectors);
    for (int s = 0; s < t->steps; s++, weights += GOT_STEP_BYTES, x += rows) {
        fetch(weights + t->ahead);
        UNROLLED for (int v = 0; v < vectors; v++)
            w[v] = vf_load((const float *)weights + v * GOT_LANES);
        multiply(sums, w, x, rows, vectors);
    }
    add_sums(sums, t, rows, vectors, column);
}

GOT_INLINE void bf16_tile(const got_tile *t, int rows, int vectors, int column)
{
    const uint8_t *weights = t->weights + column * 4;
    const float *x = t->x;
    vf sums[GOT_MOST_ROWS][4], w[4];
    clear(sums, rows, vectors);
    for (int s = 0; s < t->steps; s++, weights += GOT_STEP_BYTES, x += 2 * rows) {
        fetch(weights + t->ahead);
        UNROLLED for (int v = 0; v < vectors; v++)
            w[v] = vw_even_bf16(vw_load(weights + v * GOT_VECTOR_BYTES));
        multiply(sums, w, x, rows, vectors);
        UNROLLED for (int v = 0; v < vectors; v++)
            w[v] = vw_odd_bf16(vw_load(weights + v * GOT_VECTOR_BYTES));
        multiply(sums, w, x + rows, rows, vectors);
    }
    add_sums(sums, t, rows, vectors, column);
}

/* Steps of a compact panel -> steps of bf16, all 64 weights or 32 of them; escapes become anything. */
GOT_INLINE void inflate_halves(const uint8_t *compact, int steps, const uint8_t *table, uint8_t *out, int first, int end)
{
#if defined(GOT_AVX512) || defined(GOT_AVX2)
    /* A bf16 number is two bytes: the sign and most of the exponent, the rest of it and the mantissa. */
    const __m256i top = _mm256_set1_epi8((char)0x80), four = _mm256_set1_epi8(15);
    const __m256i exponents = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
    const __m256i high = _mm256_andnot_si256(top, _mm256_srli_epi16(exponents, 1));
    const __m256i low = _mm256_and_si256(top, _mm256_slli_epi16(exponents, 7));
    for (int s = 0; s < steps; s++, compact += GOT_COMPACT_STEP, out += GOT_STEP_BYTES) {
        __m256i both = _mm256_loadu_si256((const __m256i *)(compact + GOT_STEP_WEIGHTS));
        UNROLLED for (int i = first; i < end; i++) {
            __m256i place = _mm256_and_si256(i ? _mm256_srli_epi16(both, 4) : both, four);
            __m256i rest = _mm256_loadu_si256((const __m256i *)(compact + 32 * i));
            __m256i h = _mm256_or_si256(_mm256_and_si256(top, rest), _mm256_shuffle_epi8(high, place));
            __m256i l = _mm256_or_si256(_mm256_andnot_si256(top, rest), _mm256_shuffle_epi8(low, place));
            _mm256_store_si256((__m256i *)(out + 64 * i), _mm256_unpacklo_epi8(l, h));
            _mm256_store_si256((__m256i *)(out + 64 * i + 32), _mm256_unpackhi_epi8(l, h));
        }
    }
#else
    for (int s = 0; s < steps; s++, compact += GOT_COMPACT_STEP, out += GOT_STEP_BYTES)
        for (int i = 32 * first; i < 32 * end; i++) {
            int place = compact[GOT_STEP_WEIGHTS + i % 32] >> (i < 32 ? 0 : 4) & 15;
            ((uint16_t *)out)[got_compact_weight(i)] =
                (uint16_t)((compact[i] & 0x80) << 8 | table[place] << 7 | (compact[i] & 0x7f));
        }
#endif
}

static void inflate(const uint8_t *compact, int steps, const uint8_t *table, uint8_t *out)
{
    inflate_halves(compact, steps, table, out, 0, 2);
}

/* Unpacking needs registers too: a tile of several rows is as narrow as the widest can be. */
#define COMPACT_VECTORS(rows) ((rows) > 1 ? FLOAT_VECTORS(FLOAT_ROWS) : FLOAT_VECTORS(1))

/* Some steps at a time: unpacking the next ones goes on while the sums of these wait for one another. */
#define COMPACT_STEPS 8

GOT_INLINE void compact_tile(const got_tile *t, int rows, int vectors, int column)
{
    const int first = column / 16, end = (column + vectors * GOT_LANES + 15) / 16;
    uint8_t room[COMPACT_STEPS * GOT_STEP_BYTES] __attribute__((aligned(64)));
    const uint8_t *weights = t->weights;
    const float *x = t->x;
    const got_escape *escape = t->escapes;
    uint32_t place = t->place;
    vf sums[GOT_MOST_ROWS][4], w[4];
    clear(sums, rows, vectors);
    for (int s = 0, some; s < t->steps; s += some, weights += some * GOT_COMPACT_STEP) {
        some = t->steps - s < COMPACT_STEPS ? t->steps - s : COMPACT_STEPS;
        if (some == COMPACT_STEPS)
            inflate_halves(weights, COMPACT_STEPS, t->table, room, first, end);
        else
            inflate_halves(weights, some, t->table, room, first, end);
        for (; escape < t->escapes_end && escape->place < place + (uint32_t)some * GOT_STEP_WEIGHTS; escape++)
            ((uint16_t *)room)[escape->place - place] = (uint16_t)escape->value;
        place += (uint32_t)some * GOT_STEP_WEIGHTS;
        const uint8_t *from = room + column * 4;
        for (int i = 0; i < some; i++, from += GOT_STEP_BYTES, x += 2 * rows) {
            fetch(weights + i * GOT_COMPACT_STEP + t->ahead);
            UNROLLED for (int v = 0; v < vectors; v++)
                w[v] = vw_even_bf16(vw_load(from + v * GOT_VECTOR_BYTES));
            multiply(sums, w, x, rows, vectors);
            UNROLLED for (int v = 0; v < vectors; v++)
                w[v] = vw_odd_bf16(vw_load(from + v * GOT_VECTOR_BYTES));
            multiply(sums, w, x + rows, rows, vectors);
        }
    }
    add_sums(sums, t, rows, vectors, column);
}

/* sums += four products of x[r] and w[v] */
GOT_INLINE void multiply_bytes(vw sums[][4], const dot_weights *w, const int32_t *x, int rows, int vectors)
{
    UNROLLED for (int r = 0; r < rows; r++) {
        dot_input input = dot_spread(x[r]);
        UNROLLED for (int v = 0; v < vectors; v++)
            sums[r][v] = dot(sums[r][v], w[v], input);
    }
}

GOT_INLINE void int8_tile(const got_tile *t, int rows, int vectors, int column)
{
    const uint8_t *weights = t->weights + column * 4;
    const int32_t *x = t->x;
    int32_t *all = (int32_t *)t->sums + column;
    vw sums[GOT_MOST_ROWS][4];
    dot_weights w[4];
    FOR_TILE sums[r][v] = t->first ? vw_set(t->start[r]) : vw_load(all + r * GOT_PANEL + v * GOT_LANES);
    for (int s = 0; s < t->steps; s++, weights += GOT_STEP_BYTES, x += rows) {
        fetch(weights + t->ahead);
        UNROLLED for (int v = 0; v < vectors; v++)
            w[v] = int8_widen(vw_load(weights + v * GOT_VECTOR_BYTES));
        multiply_bytes(sums, w, x, rows, vectors);
    }
    FOR_TILE vw_store(all + r * GOT_PANEL + v * GOT_LANES, sums[r][v]);
}

/* The same for weights of 4 bits. */
GOT_INLINE void multiply_nibbles(vw sums[][4], const nibble_weights *w, const int32_t *x, int rows, int vectors)
{
    UNROLLED for (int r = 0; r < rows; r++) {
        nibble_input input = nibble_spread(x[r]);
        UNROLLED for (int v = 0; v < vectors; v++)
            sums[r][v] = nibble_dot(sums[r][v], w[v], input);
    }
}

GOT_INLINE void int4_tile(const got_tile *t, int rows, int vectors, int column)
{
    const uint8_t *weights = t->weights + column * 4;
    const int32_t *x = t->x, *start = t->start;
    const uint16_t *scales = t->scales + column;
    vf sums[GOT_MOST_ROWS][4];
    vw whole[GOT_MOST_ROWS][4];
    nibble_weights w[4];
    clear(sums, rows, vectors);
    for (int s = 0; s < t->steps; s += t->group_steps, start += rows, scales += GOT_PANEL) {
        FOR_TILE whole[r][v] = vw_set(start[r]);
        for (int i = 0; i < t->group_steps; i++, weights += GOT_STEP_BYTES, x += 2 * rows) {
            fetch(weights + t->ahead);
            UNROLLED for (int v = 0; v < vectors; v++)
                w[v] = nibble_widen(vw_low_nibbles(vw_load(weights + v * GOT_VECTOR_BYTES)));
            multiply_nibbles(whole, w, x, rows, vectors);
            UNROLLED for (int v = 0; v < vectors; v++)
                w[v] = nibble_widen(vw_high_nibbles(vw_load(weights + v * GOT_VECTOR_BYTES)));
            multiply_nibbles(whole, w, x + rows, rows, vectors);
        }
        FOR_TILE sums[r][v] = vf_fma(vw_to_float(whole[r][v]), vf_load_bf16(scales + v * GOT_LANES), sums[r][v]);
    }
    add_sums(sums, t, rows, vectors, column);
}

GOT_INLINE void int16_tile(const got_tile *t, int rows, int vectors, int column)
{
    const uint8_t *weights = t->weights + column * 4;
    const int32_t *x = t->x;
    int32_t *all = (int32_t *)t->sums + column;
    vw sums[GOT_MOST_ROWS][4];
    FOR_TILE sums[r][v] = t->first ? vw_set(0) : vw_load(all + r * GOT_PANEL + v * GOT_LANES);
    for (int s = 0; s < t->steps; s++, weights += GOT_STEP_BYTES, x += rows) {
        vw w[4];
        fetch(weights + t->ahead);
        UNROLLED for (int v = 0; v < vectors; v++)
            w[v] = vw_load(weights + v * GOT_VECTOR_BYTES);
        UNROLLED for (int r = 0; r < rows; r++) {
            pair_input input = pair_spread(x[r]);
            UNROLLED for (int v = 0; v < vectors; v++)
                sums[r][v] = pair_dot(sums[r][v], w[v], input);
        }
    }
    FOR_TILE vw_store(all + r * GOT_PANEL + v * GOT_LANES, sums[r][v]);
}

/* The functions above for each number of rows that this dialect uses. */
#define ALL_COLUMNS(tile, rows, vectors) \
    for (int v = 0; v < VECTORS; v += (vectors)) \
        tile(t, rows, vectors, v * GOT_LANES)
#define CASE(tile, most, vectors, rows) \
    case rows: \
        if (rows <= (most)) \
            ALL_COLUMNS(tile, rows, vectors(rows)); \
        break;
#define CASES(tile, most, vectors) \
    switch (rows) { \
        CASE(tile, most, vectors, 1) CASE(tile, most, vectors, 2) CASE(tile, most, vectors, 3) \
        CASE(tile, most, vectors, 4) CASE(tile, most, vectors, 5) CASE(tile, most, vectors, 6) \
        CASE(tile, most, vectors, 7) CASE(tile, most, vectors, 8) CASE(tile, most, vectors, 9) \
        CASE(tile, most, vectors, 10) CASE(tile, most, vectors, 11) CASE(tile, most, vectors, 12) \
    }

static void fp32_tiles(const got_tile *t, int rows) { CASES(fp32_tile, FLOAT_ROWS, FLOAT_VECTORS) }
static void bf16_tiles(const got_tile *t, int rows) { CASES(bf16_tile, FLOAT_ROWS, FLOAT_VECTORS) }
static void int8_tiles(const got_tile *t, int rows) { CASES(int8_tile, INT8_ROWS, INT8_VECTORS) }
static void int4_tiles(const got_tile *t, int rows) { CASES(int4_tile, INT4_ROWS, INT4_VECTORS) }
static void int16_tiles(const got_tile *t, int rows) { CASES(int16_tile, INT16_ROWS, INT16_VECTORS) }
static void compact_tiles(const got_tile *t, int rows) { CASES(compact_tile, FLOAT_ROWS, COMPACT_VECTORS) }

/* Largest absolute value of a row; NaN if there is one: by their bits, NaN is above everything. */
static float largest(const float *x, int k)
{
    int32_t most = 0, lane[GOT_LANES];
    vw bits = vw_set(0), clear_sign = vw_set(0x7fffffff);
    int i = 0;
    for (; i + GOT_LANES <= k; i += GOT_LANES)
        bits = vw_max(bits, vw_and(vw_load(x + i), clear_sign));
    vw_store(lane, bits);
    for (int j = 0; j < GOT_LANES; j++)
        most = lane[j] > most ? lane[j] : most;
    for (; i < k; i++) {
        int32_t one;
        memcpy(&one, x + i, sizeof one);
        one &= 0x7fffffff;
        most = one > most ? one : most;
    }
    float value;
    memcpy(&value, &most, sizeof value);
    return value;
}

/* One row as bytes, q = round(x * 127 / largest), zeros up to `padded`; returns what one unit is worth. */
static float quantize(const float *x, int k, int padded, int8_t *bytes)
{
    float top = largest(x, k);
    vf scale = vf_set(top > 0.0f ? 127.0f / top : 0.0f);
    int i = 0;
    for (; i + GOT_LANES <= k; i += GOT_LANES)
        store_bytes(bytes + i, vf_mul(vf_load(x + i), scale));
    if (i < k) {
        int8_t last[GOT_LANES];
        store_bytes(last, vf_mul(vf_load_some(x + i, k - i), scale));
        memcpy(bytes + i, last, (size_t)(k - i));
    }
    memset(bytes + k, 0, (size_t)(padded - k));
    return top / 127.0f;
}

/* The same in 16 bits, up to GOT_INT16_INPUT. */
static float quantize_words(const float *x, int k, int padded, int16_t *words)
{
    float top = largest(x, k);
    vf scale = vf_set(top > 0.0f ? (float)GOT_INT16_INPUT / top : 0.0f);
    int i = 0;
    for (; i + GOT_LANES <= k; i += GOT_LANES)
        store_words(words + i, vf_mul(vf_load(x + i), scale));
    if (i < k) {
        int16_t last[GOT_LANES];
        store_words(last, vf_mul(vf_load_some(x + i, k - i), scale));
        memcpy(words + i, last, sizeof last[0] * (size_t)(k - i));
    }
    memset(words + k, 0, sizeof words[0] * (size_t)(padded - k));
    return top / (float)GOT_INT16_INPUT;
}

static void pack_floats(const float *x, ptrdiff_t ldx, int k, int padded, const got_rows *block)
{
    int rows = block->rows;
    for (int r = 0; r < rows; r++) {
        float *to = (float *)block->x + r;
        for (int i = 0; i < k; i++)
            to[(ptrdiff_t)i * rows] = x[r * ldx + i];
        for (int i = k; i < padded; i++)
            to[(ptrdiff_t)i * rows] = 0.0f;
    }
}

static void pack_bytes(const got_linear *layer, const float *x, ptrdiff_t ldx, int padded, const got_rows *block,
                       int8_t *bytes)
{
    int rows = block->rows;
    int group = layer->format == GOT_INT4 ? layer->group : padded, offset = layer->format == GOT_INT4 ? 8 : INT8_OFFSET;
    for (int r = 0; r < rows; r++) {
        block->scales[r] = quantize(x + r * ldx, layer->k, padded, bytes);
        int32_t *to = (int32_t *)block->x + r;
        for (int i = 0; i < padded / 4; i++)
            memcpy(to + (ptrdiff_t)i * rows, bytes + 4 * i, 4);
        for (int g = 0; g * group < padded; g++) {
            int32_t sum = 0;
            for (int i = 0; i < group; i++)
                sum += bytes[g * group + i];
            block->start[g * rows + r] = -offset * sum;
        }
    }
}

static void pack_words(const got_linear *layer, const float *x, ptrdiff_t ldx, int padded, const got_rows *block,
                       int16_t *words)
{
    for (int r = 0; r < block->rows; r++) {
        int32_t *to = (int32_t *)block->x + r;
        block->scales[r] = quantize_words(x + r * ldx, layer->k, padded, words);
        for (int i = 0; i < padded / 2; i++)
            memcpy(to + (ptrdiff_t)i * block->rows, words + 2 * i, 4);
    }
}

static void pack(const got_linear *layer, const float *x, ptrdiff_t ldx, int steps, got_rows *block, int8_t *bytes)
{
    int padded = steps * got_step_inputs[layer->format];
    if (got_tile_format(layer) <= GOT_BF16)
        pack_floats(x, ldx, layer->k, padded, block);
    else if (layer->format == GOT_INT16)
        pack_words(layer, x, ldx, padded, block, (int16_t *)bytes);
    else
        pack_bytes(layer, x, ldx, padded, block, bytes);
}

/* Outputs `column`.. of one row: scaled, biased. */
GOT_INLINE vf scaled(const got_linear *layer, int format, int panel, const float *sums, float unit, int column)
{
    int at = panel * GOT_PANEL + column;
    vf value = vf_load(sums + column);
    if (format == GOT_INT8)
        value = vf_mul(vw_to_float(vw_load(sums + column)), vf_mul(vf_load((const float *)layer->scales + at), vf_set(unit)));
    else if (format == GOT_INT4)
        value = vf_mul(value, vf_set(unit));
    return layer->bias != NULL ? vf_add(value, vf_load(layer->bias + at)) : value;
}

/* The panel that reaches beyond the outputs. */
static void finish_edge(const got_linear *layer, int format, int epilogue, int panel, int rows, const float *sums,
                        const float *scales, float *y, ptrdiff_t ldy, const float *residual, ptrdiff_t ldr)
{
    const int width = epilogue == GOT_SILU_MUL ? GOT_PANEL / 2 : GOT_PANEL, first = panel * width;
    for (int r = 0; r < rows; r++, sums += GOT_PANEL)
        for (int c = 0; c < width && first + c < layer->n; c += GOT_LANES) {
            float unit = format >= GOT_INT8 ? scales[r] : 1.0f;
            int left = layer->n - first - c < GOT_LANES ? layer->n - first - c : GOT_LANES;
            vf value = scaled(layer, format, panel, sums, unit, c);
            if (epilogue == GOT_GELU)
                vf_gelus(&value, 1);
            else if (epilogue == GOT_SILU_MUL)
                value = vf_mul(vf_silu(value), scaled(layer, format, panel, sums, unit, c + GOT_PANEL / 2));
            if (residual != NULL)
                value = vf_add(value, vf_load_some(residual + r * ldr + first + c, left));
            vf_store_some(y + r * ldy + first + c, value, left);
        }
}

GOT_INLINE void finish_rows(const got_linear *layer, int format, int epilogue, int panel, int rows, const float *sums,
                            const float *scales, float *y, ptrdiff_t ldy, const float *residual, ptrdiff_t ldr)
{
    const bool halves = epilogue == GOT_SILU_MUL;
    const int width = halves ? GOT_PANEL / 2 : GOT_PANEL, first = panel * width;
    /* Vectors side by side: each waits for itself, GELU longest. */
    const int most = epilogue == GOT_GELU ? GOT_GELUS : 2, vectors = width / GOT_LANES, some = vectors < most ? vectors : most;
    if (first + width > layer->n) {
        finish_edge(layer, format, epilogue, panel, rows, sums, scales, y, ldy, residual, ldr);
        return;
    }
    for (int r = 0; r < rows; r++, sums += GOT_PANEL) {
        float unit = format >= GOT_INT8 ? scales[r] : 1.0f, *to = y + r * ldy + first;
        for (int c = 0; c < width; c += some * GOT_LANES) {
            vf value[GOT_GELUS];
            UNROLLED for (int i = 0; i < some; i++) value[i] = scaled(layer, format, panel, sums, unit, c + i * GOT_LANES);
            if (epilogue == GOT_GELU)
                vf_gelus(value, some);
            UNROLLED for (int i = 0; i < some; i++) {
                int at = c + i * GOT_LANES;
                if (halves)
                    value[i] = vf_mul(vf_silu(value[i]), scaled(layer, format, panel, sums, unit, at + GOT_PANEL / 2));
                vf_store(to + at, residual != NULL ? vf_add(value[i], vf_load(residual + r * ldr + first + at)) : value[i]);
            }
        }
    }
}

static void finish(const got_linear *layer, int panel, int rows, const float *sums, const float *scales, float *y,
                   ptrdiff_t ldy, const float *residual, ptrdiff_t ldr)
{
#define FINISH(format, epilogue) \
    finish_rows(layer, format, epilogue, panel, rows, sums, scales, y, ldy, residual, ldr); \
    break
#define FINISH_EACH(format) \
    switch (layer->epilogue) { \
    case GOT_GELU: FINISH(format, GOT_GELU); \
    case GOT_SILU_MUL: FINISH(format, GOT_SILU_MUL); \
    default: FINISH(format, GOT_PLAIN); \
    } \
    break
    switch (layer->format) {
    case GOT_INT8:
    case GOT_INT16: FINISH_EACH(GOT_INT8); /* whole sums and their scales, both */
    case GOT_INT4: FINISH_EACH(GOT_INT4);
    default: FINISH_EACH(GOT_FP32);
    }
}

#include "wide_body.h"

/* What the including file exports. */
#define GOT_LINEAR_TABLE \
    { \
        .rows = {FLOAT_ROWS, FLOAT_ROWS, INT8_ROWS, INT4_ROWS, FLOAT_ROWS, INT16_ROWS}, .pack = pack, \
        .tile = {fp32_tiles, bf16_tiles, int8_tiles, int4_tiles, compact_tiles, int16_tiles}, .finish = finish, \
        .wide = GOT_WIDE, \
        .inflate = inflate, \
    }
