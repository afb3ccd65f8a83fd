/* AMX's tile registers in plain C: the names of amx.h, computing as Intel's manual says the processor does. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef union {
    uint8_t bytes[16][64];
    float floats[16][16];
    uint32_t words[16][16];
} emulated_tile;

static _Thread_local emulated_tile emulated[8];
static _Thread_local int emulated_configured; /* the processor faults without, so does this */

static inline emulated_tile *emulated_at(int tile)
{
    if (!emulated_configured)
        __builtin_trap();
    return &emulated[tile];
}

static inline void tile_begin(void)
{
    emulated_configured = 1;
    memset(emulated, 0, sizeof emulated);
}

static inline void tile_end(void)
{
    emulated_configured = 0;
}

static inline void tile_zero(int tile)
{
    memset(emulated_at(tile), 0, sizeof(emulated_tile));
}

static inline void tile_load(int tile, const void *from, ptrdiff_t stride)
{
    for (int row = 0; row < 16; row++)
        memcpy(emulated_at(tile)->bytes[row], (const char *)from + row * stride, 64);
}

static inline void tile_store(int tile, void *to, ptrdiff_t stride)
{
    for (int row = 0; row < 16; row++)
        memcpy((char *)to + row * stride, emulated_at(tile)->bytes[row], 64);
}

/* What is below the normal numbers counts as zero, before and after. */
static inline float emulated_normal(float x)
{
    return fabsf(x) < 0x1p-126f ? copysignf(0.0f, x) : x;
}

/* `odd`: which one of the two bf16 in a word */
static inline float emulated_bf16(uint32_t word, int odd)
{
    uint32_t bits = odd ? word & 0xffff0000 : word << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return emulated_normal(value);
}

/* Even and odd inputs are summed by themselves, over all of the tile, before both join the sums. */
static inline void tile_add_bf16(int sums, int a, int b)
{
    const emulated_tile *x = emulated_at(a), *w = emulated_at(b);
    for (int m = 0; m < 16; m++)
        for (int n = 0; n < 16; n++) {
            float part[2] = {0.0f, 0.0f}, *sum = &emulated_at(sums)->floats[m][n];
            for (int k = 0; k < 16; k++)
                for (int odd = 0; odd < 2; odd++)
                    part[odd] = emulated_normal(
                        fmaf(emulated_bf16(x->words[m][k], odd), emulated_bf16(w->words[k][n], odd), part[odd]));
            *sum = emulated_normal(emulated_normal(*sum) + emulated_normal(part[0] + part[1]));
        }
}

static inline void tile_add_bytes(int sums, int a, int b)
{
    const emulated_tile *x = emulated_at(a), *w = emulated_at(b);
    for (int m = 0; m < 16; m++)
        for (int n = 0; n < 16; n++)
            for (int k = 0; k < 64; k++)
                emulated_at(sums)->words[m][n] +=
                    (uint32_t)((int8_t)x->bytes[m][k] * (int)w->bytes[k / 4][n * 4 + k % 4]);
}
