#include "compact.h"

#include <string.h>

static int exponent(uint16_t weight)
{
    return weight >> 7 & 255;
}

void got_compact_survey(const uint16_t *panels, int count, int steps, uint8_t *tables, int32_t *starts)
{
    const int64_t size = (int64_t)steps * GOT_STEP_WEIGHTS;
    starts[0] = 0;
    for (int p = 0; p < count; p++, panels += size, tables += GOT_COMPACT_TABLE) {
        int32_t uses[256] = {0}, others = (int32_t)size;
        for (int64_t i = 0; i < size; i++)
            uses[exponent(panels[i])]++;
        memset(tables, 0, GOT_COMPACT_TABLE);
        for (int place = 0; place < GOT_COMPACT_TABLE - 1; place++) {
            int most = 0;
            for (int e = 1; e < 256; e++)
                most = uses[e] > uses[most] ? e : most;
            tables[place] = (uint8_t)most;
            others -= uses[most];
            uses[most] = 0;
        }
        starts[p + 1] = starts[p] + others;
    }
}

void got_compact_fill(const uint16_t *panels, int count, int steps, const uint8_t *tables, const int32_t *starts,
                      uint8_t *out, got_escape *escapes)
{
    for (int p = 0; p < count; p++, tables += GOT_COMPACT_TABLE) {
        uint8_t places[256];
        memset(places, GOT_COMPACT_TABLE - 1, sizeof places);
        for (int place = GOT_COMPACT_TABLE - 2; place >= 0; place--)
            places[tables[place]] = (uint8_t)place;
        got_escape *escape = escapes + starts[p];
        for (int s = 0; s < steps; s++, panels += GOT_STEP_WEIGHTS, out += GOT_COMPACT_STEP) {
            uint8_t place[GOT_STEP_WEIGHTS], missing = 0;
            for (int i = 0; i < GOT_STEP_WEIGHTS; i++) {
                uint16_t weight = panels[got_compact_weight(i)];
                out[i] = (uint8_t)((weight >> 8 & 0x80) | (weight & 0x7f));
                place[i] = places[exponent(weight)];
                missing |= place[i] == GOT_COMPACT_TABLE - 1;
            }
            for (int i = 0; i < GOT_STEP_WEIGHTS / 2; i++)
                out[GOT_STEP_WEIGHTS + i] = (uint8_t)(place[i] | place[i + GOT_STEP_WEIGHTS / 2] << 4);
            for (int w = 0; missing && w < GOT_STEP_WEIGHTS; w++)
                if (places[exponent(panels[w])] == GOT_COMPACT_TABLE - 1)
                    *escape++ = (got_escape){(uint32_t)s * GOT_STEP_WEIGHTS + (uint32_t)w, panels[w]};
        }
    }
}
