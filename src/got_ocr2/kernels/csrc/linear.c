#include "linear.h"

#include "isa.h"
#include "linear_ops.h"
#include "pool.h"

#include <stdlib.h>
#include <string.h>

/* Rows taken together: every panel is read once for all of them. */
#define MOST_PACKED 192

/* From how many of them on they may go another way than packed, see got_wide. */
#define LEAST_WIDE 24

/* Inputs that are summed up by themselves before their sum joins the others', which keeps rounding small. The ranges
 * are the same however many rows there are. A range's weights (16 to 64 KB) stay in the cache of a core meanwhile. */
#define RANGE_INPUTS GOT_RANGE_INPUTS
#define RANGE_INPUTS_QUANTIZED 2048

/* How far before their use the weights are asked for. */
#define FETCH_AHEAD 8192

/* Pieces of a member's panels that others can take over, and how many lists, its own first, a member looks at. */
#define PIECES 8
#define MOST_LISTS 16

/* A thread that takes rows instead of panels reads all the weights: worth it from this many rows on. */
#define ROWS_FOR_A_THREAD 48

static const got_linear_ops *ops(void)
{
#if GOT_AMX
    if (got_isa_used() == GOT_ISA_AMX)
        return &got_linear_amx;
#endif
#if GOT_MMLA
    if (got_isa_used() == GOT_ISA_MMLA)
        return &got_linear_mmla;
#endif
    switch (got_isa_vectors()) {
#if GOT_X86
    case GOT_ISA_AVX512:
        return &got_linear_avx512;
    case GOT_ISA_AVX2:
#if GOT_X86_VNNI
        if (got_isa_byte_dot())
            return &got_linear_avx2_vnni;
#endif
        return &got_linear_avx2;
#endif
    default:
#if GOT_AARCH64
        if (got_isa_byte_dot())
            return &got_linear_neon_dot;
#endif
        return &got_linear_plain;
    }
}

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

/* Steps of a panel; int4 pads to whole groups. */
static int panel_steps(const got_linear *layer)
{
    int unit = layer->format == GOT_INT4 ? layer->group : got_step_inputs[layer->format];
    return divide_up(layer->k, unit) * (unit / got_step_inputs[layer->format]);
}

static int group_steps(const got_linear *layer)
{
    return layer->format == GOT_INT4 ? layer->group / got_step_inputs[GOT_INT4] : 1;
}

/* int4: scales of one group of a panel, 32 of them. */
static const uint16_t *group_scales(const got_linear *layer, int panel, int group)
{
    size_t groups = (size_t)(panel_steps(layer) / group_steps(layer));
    return (const uint16_t *)layer->scales + ((size_t)panel * groups + (size_t)group) * GOT_PANEL;
}

/* Steps of a range, whole groups of them. */
static int range_steps(const got_linear *layer)
{
    bool floats = got_tile_format(layer) <= GOT_BF16;
    int steps = (floats ? RANGE_INPUTS : RANGE_INPUTS_QUANTIZED) / got_step_inputs[layer->format];
    return steps / group_steps(layer) * group_steps(layer);
}

/* How a thread's scratch is divided, in bytes from its start; each part begins on a 64-byte boundary. */
typedef struct {
    size_t x, start, scales, sums, bytes, weights, panel, end;
} division;

static size_t after(size_t at, size_t bytes)
{
    return (at + bytes + 63) & ~(size_t)63;
}

/* The way that many rows go, NULL where they are packed. */
static const got_wide_way *wide_way(const got_linear *layer, const got_linear_ops *op, int rows)
{
    const got_wide_way *way = &op->wide[got_tile_format(layer)];
    return rows >= LEAST_WIDE && way->product != NULL ? way : NULL;
}

/* Inputs of a prepared row. */
static size_t prepared_inputs(const got_linear *layer)
{
    return after(0, (size_t)panel_steps(layer) * (size_t)got_step_inputs[layer->format]);
}

static size_t prepared_bytes(const got_linear *layer, const got_wide_way *way)
{
    return way->prepare != NULL ? prepared_inputs(layer) * (size_t)way->input_bytes + GOT_WIDE_EXTRA : 0;
}

static division divide(const got_linear *layer, int rows)
{
    const got_wide_way *wide = wide_way(layer, ops(), rows);
    size_t steps = (size_t)panel_steps(layer);
    size_t count = (size_t)(wide != NULL ? divide_up(rows, GOT_WIDE_UNIT) * GOT_WIDE_UNIT : rows);
    size_t groups = layer->format == GOT_INT4 ? steps / (size_t)group_steps(layer) : 1;
    size_t packed = count * steps * (size_t)got_step_words[layer->format] * 4;
    division d = {0};
    d.start = after(d.x, wide != NULL ? count * prepared_bytes(layer, wide) : packed);
    d.scales = after(d.start, count * groups * 4);
    d.sums = after(d.scales, count * 4);
    d.bytes = after(d.sums, count * GOT_PANEL * 4);
    d.weights = after(d.bytes, prepared_inputs(layer) * (layer->format == GOT_INT16 ? 2 : 1));
    d.panel = after(d.weights, wide != NULL ? GOT_WIDE_BYTES : 0);
    d.end = after(d.panel, layer->format == GOT_COMPACT ? steps * GOT_STEP_BYTES : 0);
    return d;
}

/* Parts 0..parts-1 of `whole` things: where part `i` begins. */
static int cut(int whole, int parts, int i)
{
    return (int)((int64_t)whole * i / parts);
}

/* In how many parts the rows are divided; the panels are divided among n_threads / parts. */
static int row_parts(int m, int n_threads)
{
    int parts = 1;
    for (int p = 2; p <= n_threads; p++)
        if (n_threads % p == 0 && m / p >= ROWS_FOR_A_THREAD)
            parts = p;
    return parts;
}

/* Rows taken together: as equal groups of a member's share as can be. */
static int packed_rows(int m, int n_threads)
{
    int share = divide_up(m, row_parts(m, n_threads));
    return divide_up(share, divide_up(share, MOST_PACKED));
}

size_t got_linear_scratch(const got_linear *layer, int m, int n_threads)
{
    return divide(layer, packed_rows(m, n_threads)).end;
}

/* A panel's first step, as it is stored. */
static const uint8_t *panel_weights(const got_linear *layer, int panel)
{
    size_t step = layer->format == GOT_COMPACT ? GOT_COMPACT_STEP : GOT_STEP_BYTES;
    return (const uint8_t *)layer->weights + (size_t)panel * (size_t)panel_steps(layer) * step;
}

/* Steps `from` .. `from + steps` of a compact panel as bf16 ones. `next` is the panel's first escape that has not been
 * looked at; returns the one after those of these steps. */
static const got_escape *inflate(const got_linear *layer, const got_linear_ops *op, int panel, int from, int steps,
                                 const got_escape *next, uint8_t *out)
{
    const got_escape *end = layer->compact.escapes + layer->compact.starts[panel + 1];
    const uint32_t first = (uint32_t)from * GOT_STEP_WEIGHTS, last = first + (uint32_t)steps * GOT_STEP_WEIGHTS;
    op->inflate(panel_weights(layer, panel) + (size_t)from * GOT_COMPACT_STEP, steps,
                layer->compact.tables + (size_t)panel * GOT_COMPACT_TABLE, out);
    for (; next < end && next->place < last; next++)
        ((uint16_t *)out)[next->place - first] = (uint16_t)next->value;
    return next;
}

static const got_escape *first_escape(const got_linear *layer, int panel)
{
    return layer->format == GOT_COMPACT ? layer->compact.escapes + layer->compact.starts[panel] : NULL;
}

/* One panel for all packed rows, from weights to y. `room` holds a panel of bf16 if the layer is compact. */
static void run_panel(const got_linear *layer, const got_linear_ops *op, int panel, const got_rows *blocks, int count,
                      uint8_t *room, float *sums, float *y, ptrdiff_t ldy, const float *residual, ptrdiff_t ldr)
{
    /* One block of rows unpacks compact weights as it goes; for several they are unpacked once. */
    const bool compact = layer->format == GOT_COMPACT, alone = compact && count == 1;
    int steps = panel_steps(layer), group = group_steps(layer), words = got_step_words[layer->format];
    int range = range_steps(layer);
    const uint8_t *weights = panel_weights(layer, panel);
    const got_escape *escape = first_escape(layer, panel);
    const int format = alone ? GOT_COMPACT : got_tile_format(layer);
    const size_t step_bytes = compact ? GOT_COMPACT_STEP : GOT_STEP_BYTES;
    for (int s = 0; s < steps; s += range) {
        int row = 0, some = steps - s < range ? steps - s : range;
        const uint8_t *from = weights + (size_t)s * step_bytes;
        ptrdiff_t ahead = FETCH_AHEAD;
        if (compact && !alone) {
            escape = inflate(layer, op, panel, s, some, escape, room);
            ahead = from + (size_t)some * step_bytes - room; /* the next range, while this one is used */
            from = room;
        }
        for (int b = 0; b < count; b++) {
            const got_rows *block = &blocks[b];
            got_tile tile = {
                .weights = from,
                .x = (const int32_t *)block->x + (size_t)s * words * block->rows,
                .start = block->start,
                .sums = sums + row * GOT_PANEL,
                .steps = some,
                .group_steps = group,
                .ahead = b == 0 ? ahead : 0,
                .first = s == 0,
            };
            if (alone) {
                tile.table = layer->compact.tables + (size_t)panel * GOT_COMPACT_TABLE;
                tile.place = (uint32_t)s * GOT_STEP_WEIGHTS;
                tile.escapes_end = layer->compact.escapes + layer->compact.starts[panel + 1];
                while (escape < tile.escapes_end && escape->place < tile.place)
                    escape++;
                tile.escapes = escape;
            }
            if (layer->format == GOT_INT4) {
                tile.start += s / group * block->rows;
                tile.scales = group_scales(layer, panel, s / group);
            }
            op->tile[format](&tile, block->rows);
            row += block->rows;
        }
    }
    for (int b = 0, row = 0; b < count; row += blocks[b++].rows)
        op->finish(layer, panel, blocks[b].rows, sums + row * GOT_PANEL, blocks[b].scales, y + row * ldy, ldy,
                   residual != NULL ? residual + row * ldr : NULL, ldr);
}

/* One call, as every member sees it. */
typedef struct {
    const got_linear *layer;
    const got_linear_ops *op;
    const float *x, *residual;
    float *y;
    ptrdiff_t ldx, ldy, ldr;
    int m, at_once;             /* rows, and rows taken together */
    const got_wide_way *wide;   /* or NULL */
    int row_parts, panel_parts; /* member t owns rows part t / panel_parts and panels part t % panel_parts */
} product;

/* A member's scratch: some packed rows. */
typedef struct {
    char *room;
    division parts;
    got_rows blocks[MOST_PACKED];
    int from, count; /* first row, and number of blocks; nothing is packed while `from` is -1 */
} desk;

static void pack_rows(const product *p, desk *d, int from, int to)
{
    const got_linear *layer = p->layer;
    int rows = to - from, steps = panel_steps(layer);
    int groups = layer->format == GOT_INT4 ? steps / group_steps(layer) : 1;
    if (d->from == from)
        return;
    d->from = from;
    if (p->wide != NULL) {
        float *scales = (float *)(d->room + d->parts.scales);
        for (int r = 0; p->wide->prepare != NULL && r < rows; r++)
            scales[r] = p->wide->prepare(p->x + (from + r) * p->ldx, layer->k, (int)prepared_inputs(layer),
                                         (int8_t *)(d->room + d->parts.bytes),
                                         d->room + d->parts.x + (size_t)r * prepared_bytes(layer, p->wide));
        return;
    }
    d->count = divide_up(rows, p->op->rows[got_tile_format(layer)]);
    for (int b = 0; b < d->count; b++) {
        int row = cut(rows, d->count, b);
        d->blocks[b] = (got_rows){
            .x = d->room + d->parts.x + (size_t)row * steps * got_step_words[layer->format] * 4,
            .start = (int32_t *)(d->room + d->parts.start) + (size_t)row * groups,
            .scales = (float *)(d->room + d->parts.scales) + row,
            .rows = cut(rows, d->count, b + 1) - row,
        };
        p->op->pack(layer, p->x + (from + row) * p->ldx, p->ldx, steps, &d->blocks[b],
                    (int8_t *)(d->room + d->parts.bytes));
    }
}

/* One panel for the rows from .. to. */
static void run_rows(const product *p, desk *d, int panel, int from, int to)
{
    float *sums = (float *)(d->room + d->parts.sums), *y = p->y + from * p->ldy;
    const float *residual = p->residual != NULL ? p->residual + from * p->ldr : NULL;
    uint8_t *room = (uint8_t *)d->room + d->parts.panel;
    if (p->wide == NULL) {
        run_panel(p->layer, p->op, panel, d->blocks, d->count, room, sums, y, p->ldy, residual, p->ldr);
        return;
    }
    const bool as_it_came = p->wide->prepare == NULL;
    const uint8_t *weights = panel_weights(p->layer, panel);
    if (p->layer->format == GOT_COMPACT) {
        inflate(p->layer, p->op, panel, 0, panel_steps(p->layer), first_escape(p->layer, panel), room);
        weights = room;
    }
    got_wide job = {
        .layer = p->layer, .panel = panel, .rows = to - from, .weights = weights,
        .x = as_it_came ? (const void *)(p->x + from * p->ldx) : d->room + d->parts.x,
        .ldx = as_it_came ? p->ldx : (ptrdiff_t)prepared_bytes(p->layer, p->wide) / 2,
        .scales = (const float *)(d->room + d->parts.scales), .room = d->room + d->parts.weights, .sums = sums,
        .y = y, .ldy = p->ldy, .residual = residual, .ldr = p->ldr,
    };
    p->wide->product(&job);
}

/* Works off the list of member `owner`: its rows in groups, for each group its panels in pieces. */
static void run_list(const product *p, desk *d, int owner, bool alone)
{
    int part = owner / p->panel_parts, begin = cut(p->m, p->row_parts, part), end = cut(p->m, p->row_parts, part + 1);
    int first = cut(p->layer->panels, p->panel_parts, owner % p->panel_parts);
    int panels = cut(p->layer->panels, p->panel_parts, owner % p->panel_parts + 1) - first;
    int pieces = panels < PIECES ? panels : PIECES, groups = divide_up(end - begin, p->at_once);
    if (!alone && got_claimed(owner) >= groups * pieces)
        return;
    for (int own = 0, n; (n = alone ? own++ : got_claim(owner)) < groups * pieces;) {
        int from = begin + n / pieces * p->at_once, to = from + p->at_once < end ? from + p->at_once : end;
        pack_rows(p, d, from, to);
        for (int i = cut(panels, pieces, n % pieces); i < cut(panels, pieces, n % pieces + 1); i++)
            run_rows(p, d, first + i, from, to);
    }
}

void got_linear_run_part(const got_linear *layer, const float *x, ptrdiff_t ldx, int m, float *y, ptrdiff_t ldy,
                         const float *residual, ptrdiff_t ldr, int thread, int n_threads, void *scratch)
{
    int parts = row_parts(m, n_threads), at_once = packed_rows(m, n_threads);
    product p = {
        .layer = layer, .op = ops(), .x = x, .residual = residual, .y = y, .ldx = ldx, .ldy = ldy, .ldr = ldr,
        .m = m, .at_once = at_once, .wide = wide_way(layer, ops(), at_once), .row_parts = parts,
        .panel_parts = n_threads / parts,
    };
    desk d;
    d.room = scratch;
    d.parts = divide(layer, at_once);
    d.count = 0;
    d.from = -1;
    for (int i = 0; i < n_threads && i < MOST_LISTS; i++)
        run_list(&p, &d, (thread + i) % n_threads, n_threads == 1);
}

typedef struct {
    const got_linear *layer;
    const float *x, *residual;
    float *y;
    ptrdiff_t ldx, ldy, ldr;
    int m;
    char *scratch;
    size_t scratch_each;
} call;

static void run_member(void *ctx, int thread, int n_threads)
{
    const call *c = ctx;
    got_linear_run_part(c->layer, c->x, c->ldx, c->m, c->y, c->ldy, c->residual, c->ldr, thread, n_threads,
                        c->scratch + (size_t)thread * c->scratch_each);
}

int got_linear_run(const got_linear *layer, const float *x, ptrdiff_t ldx, int m, float *y, ptrdiff_t ldy,
                   const float *residual, ptrdiff_t ldr)
{
    if (m < 1)
        return 0;
    /* A team may turn out smaller than asked for, and then needs more for each member. */
    int threads = got_threads();
    size_t each = 0;
    for (int n = 1; n <= threads; n++) {
        size_t need = got_linear_scratch(layer, m, n);
        each = need > each ? need : each;
    }
    void *scratch;
    if (posix_memalign(&scratch, 64, each * (size_t)threads) != 0)
        return -1;
    call c = {layer, x, residual, y, ldx, ldy, ldr, m, scratch, each};
    got_team(run_member, &c);
    free(scratch);
    return 0;
}

static float bf16_value(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float compact_weight(const got_linear *layer, int panel, int at, int place)
{
    const uint8_t *step = panel_weights(layer, panel) + (size_t)at * GOT_COMPACT_STEP;
    const int byte = got_compact_weight(place);
    int entry = step[GOT_STEP_WEIGHTS + byte % 32] >> (byte < 32 ? 0 : 4) & 15;
    uint32_t value = (uint32_t)layer->compact.tables[panel * GOT_COMPACT_TABLE + entry] << 7;
    const got_escape *escape = first_escape(layer, panel);
    if (entry == GOT_COMPACT_TABLE - 1) {
        while (escape->place != (uint32_t)at * GOT_STEP_WEIGHTS + (uint32_t)place)
            escape++;
        return bf16_value((uint16_t)escape->value);
    }
    return bf16_value((uint16_t)((uint32_t)(step[byte] & 0x80) << 8 | value | (step[byte] & 0x7f)));
}

/* One weight; `step` is the 128 bytes of its panel that hold it. */
static float weight(const got_linear *layer, int panel, int column, int k)
{
    const int at = k / got_step_inputs[layer->format];
    const uint8_t *step = panel_weights(layer, panel) + (size_t)at * GOT_STEP_BYTES;
    switch (layer->format) {
    case GOT_COMPACT:
        return compact_weight(layer, panel, at, column * 2 + k % 2);
    case GOT_FP32:
        return ((const float *)step)[column];
    case GOT_BF16:
        return bf16_value(((const uint16_t *)step)[column * 2 + k % 2]);
    case GOT_INT16:
        return (float)((const int16_t *)step)[column * 2 + k % 2] * ((const float *)layer->scales)[panel * GOT_PANEL + column];
    case GOT_INT8:
        return (float)(step[column * 4 + k % 4] - 128) * ((const float *)layer->scales)[panel * GOT_PANEL + column];
    default: {
        int nibble = step[column * 4 + k % 4] >> (k % 8 < 4 ? 0 : 4) & 15;
        return (float)(nibble - 8) * bf16_value(group_scales(layer, panel, k / layer->group)[column]);
    }
    }
}

void got_linear_rows(const got_linear *layer, const int64_t *ids, int count, float *out, ptrdiff_t ldo)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < layer->k; k++)
            out[i * ldo + k] = weight(layer, (int)(ids[i] / GOT_PANEL), (int)(ids[i] % GOT_PANEL), k);
}
