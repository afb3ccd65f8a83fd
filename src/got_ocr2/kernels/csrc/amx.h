/* The eight tile registers of AMX, each of 16 rows of 64 bytes: numbers of tiles are literals.
 *
 * With GOT_EMULATED_UNITS the same names come from plain C (amx_emulated.h, beside the tests), for processors without.
 */
#ifndef GOT_AMX_H
#define GOT_AMX_H

#define GOT_TILE_ROWS 16
#define GOT_TILE_BYTES 64 /* of a row */

#if defined(GOT_EMULATED_UNITS)
#include "amx_emulated.h"
#else
#include <immintrin.h>
#include <stdint.h>

/* Configures the calling thread's tiles; until tile_end they are part of what the system saves for it. What tiles will
 * load must be in memory by then: the compiler does not know that they read it. */
static inline void tile_begin(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } shapes = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shapes.row_bytes[i] = GOT_TILE_BYTES;
        shapes.rows[i] = GOT_TILE_ROWS;
    }
    __asm__ volatile("" : : "r"(&shapes) : "memory");
    _tile_loadconfig(&shapes);
}

static inline void tile_end(void)
{
    _tile_release();
}

#define tile_zero(tile) _tile_zero(tile)
#define tile_load(tile, from, stride) _tile_loadd(tile, from, stride)
#define tile_store(tile, to, stride) _tile_stored(tile, to, stride)
/* sums (16, 16) fp32 += a (16, 16, 2) b (16, 16, 2), of bf16; b's rows are pairs of inputs */
#define tile_add_bf16(sums, a, b) _tile_dpbf16ps(sums, a, b)
/* sums (16, 16) int32 += a (16, 16, 4) b (16, 16, 4), of signed and unsigned bytes */
#define tile_add_bytes(sums, a, b) _tile_dpbsud(sums, a, b)
#endif

#endif
