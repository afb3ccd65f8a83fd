/* Linear layers of many rows, in the dialect of simd.h that the including file chose; see got_wide.
 *
 * The unpacked weights of a range and of two vectors of outputs stay in the first-level cache while all rows pass by,
 * up to WIDE_ROWS of them at a time, whose sums are in registers. Inputs need no packing: each is read once for every
 * such column of the matrix, in order.
 *
 * AVX-512 has registers enough for tiles that widen the weights as they go, and goes on with those.
 */
#if defined(GOT_AVX512)
#define GOT_WIDE {{0}}
#else

#define WIDE_COLUMNS (2 * GOT_LANES)
#if defined(GOT_AVX2)
#define WIDE_ROWS 6
#else
#define WIDE_ROWS 4
#endif

/* Calls `tile` with the number of rows as a constant. */
#define WIDE_CASE(tile, count) \
    case count: \
        if (count <= WIDE_ROWS) \
            tile(count); \
        break;
#define WIDE_CASES(tile, rows) \
    switch (rows) { \
        WIDE_CASE(tile, 1) WIDE_CASE(tile, 2) WIDE_CASE(tile, 3) WIDE_CASE(tile, 4) WIDE_CASE(tile, 5) \
        WIDE_CASE(tile, 6) \
    }

#define EACH_SUM(rows) \
    UNROLLED for (int r = 0; r < (rows); r++) \
        UNROLLED for (int v = 0; v < 2; v++)

/* sums (rows, 32) = or += x (rows, depth) w (depth, WIDE_COLUMNS) */
GOT_INLINE void wide_float_tile(int rows, const float *w, const float *x, ptrdiff_t ldx, int depth, bool first, float *out)
{
    vf sums[WIDE_ROWS][2];
    EACH_SUM(rows) sums[r][v] = vf_set(0.0f);
    for (int k = 0; k < depth; k++, w += WIDE_COLUMNS, x++) {
        vf w0 = vf_load(w), w1 = vf_load(w + GOT_LANES);
        UNROLLED for (int r = 0; r < rows; r++) {
            vf input = vf_set(x[r * ldx]);
            sums[r][0] = vf_fma(input, w0, sums[r][0]);
            sums[r][1] = vf_fma(input, w1, sums[r][1]);
        }
    }
    EACH_SUM(rows) {
        float *to = out + r * GOT_PANEL + v * GOT_LANES;
        vf_store(to, first ? sums[r][v] : vf_add(vf_load(to), sums[r][v]));
    }
}

/* Some steps of a panel, columns `column`.. of it -> (inputs, WIDE_COLUMNS) */
GOT_INLINE void unpack_floats(int format, const uint8_t *weights, int steps, int column, float *to)
{
    for (int s = 0; s < steps; s++, weights += GOT_STEP_BYTES) {
        const uint8_t *from = weights + column * 4;
        vw w0 = vw_load(from), w1 = vw_load(from + GOT_VECTOR_BYTES);
        if (format == GOT_BF16) {
            vf_store(to, vw_even_bf16(w0));
            vf_store(to + GOT_LANES, vw_even_bf16(w1));
            vf_store(to + WIDE_COLUMNS, vw_odd_bf16(w0));
            vf_store(to + WIDE_COLUMNS + GOT_LANES, vw_odd_bf16(w1));
            to += 2 * WIDE_COLUMNS;
        } else {
            vw_store(to, w0);
            vw_store(to + GOT_LANES, w1);
            to += WIDE_COLUMNS;
        }
    }
}

GOT_INLINE void wide_floats(const got_wide *job, int format)
{
    const got_linear *layer = job->layer;
    const int unit = got_step_inputs[format], all = (layer->k + unit - 1) / unit, range = GOT_RANGE_INPUTS / unit;
    const uint8_t *weights = job->weights;
    float *w = job->room;
    for (int s = 0; s < all; s += range)
        for (int column = 0; column < GOT_PANEL; column += WIDE_COLUMNS) {
            const int steps = all - s < range ? all - s : range, from = s * unit;
            const int depth = layer->k - from < steps * unit ? layer->k - from : steps * unit;
            const bool whole = s + range >= all && column + WIDE_COLUMNS == GOT_PANEL;
            unpack_floats(format, weights + (size_t)s * GOT_STEP_BYTES, steps, column, w);
            for (int row = 0, rows; row < job->rows; row += rows) {
                const float *x = (const float *)job->x + row * job->ldx + from;
                float *sums = job->sums + row * GOT_PANEL;
                rows = job->rows - row < WIDE_ROWS ? job->rows - row : WIDE_ROWS;
#define FLOAT_TILE(count) wide_float_tile(count, w, x, job->ldx, depth, s == 0, sums + column)
                WIDE_CASES(FLOAT_TILE, rows)
                if (whole)
                    finish(layer, job->panel, rows, sums, NULL, job->y + row * job->ldy, job->ldy,
                           job->residual != NULL ? job->residual + row * job->ldr : NULL, job->ldr);
            }
        }
}

static void wide_fp32(const got_wide *job) { wide_floats(job, GOT_FP32); }
__attribute__((unused)) /* where a matrix unit does this */
static void wide_bf16(const got_wide *job) { wide_floats(job, GOT_BF16); }

#if defined(GOT_AVX2)

#define WIDE_PAIR_RANGE (2 * GOT_RANGE_INPUTS)

/* sums (rows, 32) = or += x (rows, 2 pairs) w; the vectors of a pair's weights stand `stride` vectors apart. */
GOT_INLINE void wide_pair_tile(int rows, const vw *w, int stride, const int16_t *x, ptrdiff_t ldx, int pairs, bool first,
                               int32_t *out)
{
    vw sums[WIDE_ROWS][2];
    EACH_SUM(rows) sums[r][v] = first ? vw_set(0) : vw_load(out + r * GOT_PANEL + v * GOT_LANES);
    for (int k = 0; k < pairs; k++, w += stride, x += 2) {
        vw w0 = w[0], w1 = w[1];
        UNROLLED for (int r = 0; r < rows; r++) {
            pair_input input = _mm256_castps_si256(_mm256_broadcast_ss((const float *)(x + r * ldx)));
            sums[r][0] = pair_dot(sums[r][0], w0, input);
            sums[r][1] = pair_dot(sums[r][1], w1, input);
        }
    }
    EACH_SUM(rows) vw_store(out + r * GOT_PANEL + v * GOT_LANES, sums[r][v]);
}

static float quantize_row(const float *x, int k, int padded, int8_t *bytes, void *out)
{
    (void)bytes;
    return quantize_words(x, k, padded, out);
}

/* Weights of 16 bits lie as the tile takes them. */
static void wide_int16(const got_wide *job)
{
    const got_linear *layer = job->layer;
    const int all = (layer->k + 1) / 2, range = WIDE_PAIR_RANGE / 2;
    for (int s = 0; s < all; s += range)
        for (int column = 0; column < GOT_PANEL; column += WIDE_COLUMNS) {
            const int steps = all - s < range ? all - s : range;
            const bool whole = s + range >= all && column + WIDE_COLUMNS == GOT_PANEL;
            const vw *w = (const vw *)(job->weights + (size_t)s * GOT_STEP_BYTES + column * 4);
            for (int row = 0, rows; row < job->rows; row += rows) {
                const int16_t *x = (const int16_t *)job->x + row * job->ldx + s * 2;
                float *sums = job->sums + row * GOT_PANEL;
                rows = job->rows - row < WIDE_ROWS ? job->rows - row : WIDE_ROWS;
#define WORD_TILE(count) \
    wide_pair_tile(count, w, GOT_PANEL / GOT_LANES, x, job->ldx, steps, s == 0, (int32_t *)sums + column)
                WIDE_CASES(WORD_TILE, rows)
                if (whole)
                    finish(layer, job->panel, rows, sums, job->scales + row, job->y + row * job->ldy, job->ldy,
                           job->residual != NULL ? job->residual + row * job->ldr : NULL, job->ldr);
            }
        }
}

#define WIDE_WORDS [GOT_INT16] = {wide_int16, quantize_row, 2}
#endif

/* AVX2 multiplies pairs of 16 bits exactly in one instruction: bytes widened beforehand are twice as fast as floats,
 * where widening them in the tile is no faster. AVX-VNNI and others multiply the bytes themselves. */
#if defined(GOT_AVX2) && !defined(GOT_BYTE_DOT)

static float widen_row(const float *x, int k, int padded, int8_t *bytes, void *out)
{
    int16_t *wide = out;
    float unit = quantize(x, k, padded, bytes);
    for (int i = 0; i < padded; i++)
        wide[i] = bytes[i];
    return unit;
}

/* Some steps of four inputs -> (pairs of inputs, WIDE_COLUMNS, 2) of 16 bits, without the offset of 128 */
static void unpack_bytes(const uint8_t *weights, int steps, int column, vw *to)
{
    const vw offset = _mm256_set1_epi16(128);
    for (int s = 0; s < steps; s++, weights += GOT_STEP_BYTES, to += 4)
        for (int v = 0; v < 2; v++) {
            /* inputs 0 1 2 3 of eight outputs -> 0 1, and 2 3 */
            vw four = vw_load(weights + column * 4 + v * GOT_VECTOR_BYTES);
            vw low = _mm256_and_si256(four, _mm256_set1_epi32(0xffff)), high = _mm256_srli_epi32(four, 16);
            low = _mm256_and_si256(_mm256_or_si256(low, _mm256_slli_epi32(low, 8)), _mm256_set1_epi32(0x00ff00ff));
            high = _mm256_and_si256(_mm256_or_si256(high, _mm256_slli_epi32(high, 8)), _mm256_set1_epi32(0x00ff00ff));
            vw_store(to + v, _mm256_sub_epi16(low, offset));
            vw_store(to + 2 + v, _mm256_sub_epi16(high, offset));
        }
}

static void wide_int8(const got_wide *job)
{
    const got_linear *layer = job->layer;
    const int all = (layer->k + 3) / 4, range = WIDE_PAIR_RANGE / 4;
    const uint8_t *weights = job->weights;
    vw *w = job->room;
    for (int s = 0; s < all; s += range)
        for (int column = 0; column < GOT_PANEL; column += WIDE_COLUMNS) {
            const int steps = all - s < range ? all - s : range;
            const bool whole = s + range >= all && column + WIDE_COLUMNS == GOT_PANEL;
            unpack_bytes(weights + (size_t)s * GOT_STEP_BYTES, steps, column, w);
            for (int row = 0, rows; row < job->rows; row += rows) {
                const int16_t *x = (const int16_t *)job->x + row * job->ldx + s * 4;
                float *sums = job->sums + row * GOT_PANEL;
                rows = job->rows - row < WIDE_ROWS ? job->rows - row : WIDE_ROWS;
#define BYTE_TILE(count) wide_pair_tile(count, w, 2, x, job->ldx, 2 * steps, s == 0, (int32_t *)sums + column)
                WIDE_CASES(BYTE_TILE, rows)
                if (whole)
                    finish(layer, job->panel, rows, sums, job->scales + row, job->y + row * job->ldy, job->ldy,
                           job->residual != NULL ? job->residual + row * job->ldr : NULL, job->ldr);
            }
        }
}

#define GOT_WIDE {{.product = wide_fp32}, {.product = wide_bf16}, {wide_int8, widen_row, 2}, WIDE_WORDS}
#elif defined(GOT_AVX2)
#define GOT_WIDE {{.product = wide_fp32}, {.product = wide_bf16}, WIDE_WORDS}
#else
#define GOT_WIDE {{.product = wide_fp32}, {.product = wide_bf16}}
#endif

#endif
