/* Vectors of whole numbers beside those of simd.h: what quantised and bf16 weights need, in the same dialects.
 *
 * `vw` holds GOT_LANES int32. A `dot_weights` holds four weights 0..255 for each lane, a `dot_input` four inputs
 * -128..127 that all lanes share; dot() adds their four products to each lane, exactly. nibble_dot() is the same for
 * weights 0..15, which may go a shorter way. pair_dot() is the same for two signed weights and inputs of 16 bits. Where dot() takes weights as signed bytes, GOT_SIGNED_DOT says so.
 *
 * GOT_BYTE_DOT in the including file adds the processor's instruction for such products to AVX2 (AVX-VNNI) or to
 * aarch64 (dot product); AVX-512 always has it.
 */
#ifndef GOT_DOT_H
#define GOT_DOT_H

#include "simd.h"

#define GOT_VECTOR_BYTES (GOT_LANES * 4)

#if defined(GOT_AVX512)

typedef __m512i vw, dot_weights, dot_input;
GOT_INLINE vw vw_load(const void *p) { return _mm512_loadu_si512(p); }
GOT_INLINE void vw_store(void *p, vw v) { _mm512_storeu_si512(p, v); }
GOT_INLINE vw vw_set(int32_t x) { return _mm512_set1_epi32(x); }
GOT_INLINE vw vw_and(vw a, vw b) { return _mm512_and_si512(a, b); }
GOT_INLINE vw vw_max(vw a, vw b) { return _mm512_max_epi32(a, b); }
GOT_INLINE vf vw_to_float(vw a) { return _mm512_cvtepi32_ps(a); }
GOT_INLINE vw vw_low_nibbles(vw a) { return _mm512_and_si512(a, _mm512_set1_epi8(15)); }
GOT_INLINE vw vw_high_nibbles(vw a) { return vw_low_nibbles(_mm512_srli_epi16(a, 4)); }
GOT_INLINE vf vw_even_bf16(vw a) { return _mm512_castsi512_ps(_mm512_slli_epi32(a, 16)); }
GOT_INLINE vf vw_odd_bf16(vw a) { return _mm512_castsi512_ps(_mm512_and_si512(a, _mm512_set1_epi32(-65536))); }
GOT_INLINE dot_weights dot_widen(vw four_each) { return four_each; }
GOT_INLINE dot_input dot_spread(int32_t four) { return _mm512_set1_epi32(four); }
GOT_INLINE vw dot(vw sum, dot_weights w, dot_input x) { return _mm512_dpbusd_epi32(sum, w, x); }
typedef __m512i pair_input;
GOT_INLINE pair_input pair_spread(int32_t two) { return _mm512_set1_epi32(two); }
GOT_INLINE vw pair_dot(vw sum, vw w, pair_input x) { return _mm512_dpwssd_epi32(sum, w, x); }
/* nearest whole numbers, ties to even, of values within -128..127 */
GOT_INLINE void store_bytes(int8_t *p, vf v)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(v)));
}
GOT_INLINE void store_words(int16_t *p, vf v)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(v)));
}

#elif defined(GOT_AVX2)

typedef __m256i vw;
GOT_INLINE vw vw_load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
GOT_INLINE void vw_store(void *p, vw v) { _mm256_storeu_si256((__m256i *)p, v); }
GOT_INLINE vw vw_set(int32_t x) { return _mm256_set1_epi32(x); }
GOT_INLINE vw vw_and(vw a, vw b) { return _mm256_and_si256(a, b); }
GOT_INLINE vw vw_max(vw a, vw b) { return _mm256_max_epi32(a, b); }
GOT_INLINE vf vw_to_float(vw a) { return _mm256_cvtepi32_ps(a); }
GOT_INLINE vw vw_low_nibbles(vw a) { return _mm256_and_si256(a, _mm256_set1_epi8(15)); }
GOT_INLINE vw vw_high_nibbles(vw a) { return vw_low_nibbles(_mm256_srli_epi16(a, 4)); }
GOT_INLINE vf vw_even_bf16(vw a) { return _mm256_castsi256_ps(_mm256_slli_epi32(a, 16)); }
GOT_INLINE vf vw_odd_bf16(vw a) { return _mm256_castsi256_ps(_mm256_and_si256(a, _mm256_set1_epi32(-65536))); }
#if defined(GOT_BYTE_DOT)
typedef __m256i dot_weights, dot_input;
GOT_INLINE dot_weights dot_widen(vw four_each) { return four_each; }
GOT_INLINE dot_input dot_spread(int32_t four) { return _mm256_set1_epi32(four); }
GOT_INLINE vw dot(vw sum, dot_weights w, dot_input x) { return _mm256_dpbusd_avx_epi32(sum, w, x); }
typedef __m256i pair_input;
GOT_INLINE pair_input pair_spread(int32_t two) { return _mm256_set1_epi32(two); }
GOT_INLINE vw pair_dot(vw sum, vw w, pair_input x) { return _mm256_dpwssd_avx_epi32(sum, w, x); }
#else
typedef __m256i pair_input;
GOT_INLINE pair_input pair_spread(int32_t two) { return _mm256_set1_epi32(two); }
/* In assembly: the compiler would hold many products before it adds them, and the sums in memory. */
GOT_INLINE vw pair_dot(vw sum, vw w, pair_input x)
{
    vw products;
    __asm__("vpmaddwd %2, %3, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(products) : "x"(w), "x"(x));
    return sum;
}
/* Bytes widened to 16 bits: those of even and of odd place. A product of two such pairs cannot overflow its 32 bits,
 * where the one-step byte product of AVX2 would saturate. */
typedef struct {
    __m256i even, odd;
} dot_weights, dot_input;
GOT_INLINE dot_weights dot_widen(vw four_each)
{
    return (dot_weights){_mm256_and_si256(four_each, _mm256_set1_epi16(255)), _mm256_srli_epi16(four_each, 8)};
}
GOT_INLINE dot_input dot_spread(int32_t four)
{
    __m256i all = _mm256_set1_epi32(four);
    return (dot_input){_mm256_srai_epi16(_mm256_slli_epi16(all, 8), 8), _mm256_srai_epi16(all, 8)};
}
GOT_INLINE vw dot(vw sum, dot_weights w, dot_input x)
{
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(w.even, x.even));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(w.odd, x.odd));
}
/* With weights up to 15 the one-step product stays below 2 * 15 * 128: it is exact. */
#define GOT_NIBBLE_DOT
typedef __m256i nibble_weights, nibble_input;
GOT_INLINE nibble_weights nibble_widen(vw four_each) { return four_each; }
GOT_INLINE nibble_input nibble_spread(int32_t four) { return _mm256_set1_epi32(four); }
GOT_INLINE vw nibble_dot(vw sum, nibble_weights w, nibble_input x)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1)));
}
#endif
GOT_INLINE void store_bytes(int8_t *p, vf v)
{
    __m256i words = _mm256_cvtps_epi32(v);
    __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(halves, halves));
}
GOT_INLINE void store_words(int16_t *p, vf v)
{
    __m256i words = _mm256_cvtps_epi32(v);
    _mm_storeu_si128((__m128i *)p, _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}

#else

typedef vi vw;
GOT_INLINE vw vw_load(const void *p) { vw v; memcpy(&v, p, sizeof v); return v; }
GOT_INLINE void vw_store(void *p, vw v) { memcpy(p, &v, sizeof v); }
GOT_INLINE vw vw_set(int32_t x) { return (vw){x, x, x, x}; }
GOT_INLINE vw vw_and(vw a, vw b) { return a & b; }
GOT_INLINE vw vw_max(vw a, vw b) { vw more = (vw)(a > b); return (a & more) | (b & ~more); }
GOT_INLINE vf vw_to_float(vw a) { return __builtin_convertvector(a, vf); }
GOT_INLINE vw vw_low_nibbles(vw a) { return a & 0x0f0f0f0f; }
GOT_INLINE vw vw_high_nibbles(vw a) { return (a >> 4) & 0x0f0f0f0f; }
GOT_INLINE vf vw_even_bf16(vw a) { return (vf)(a << 16); }
GOT_INLINE vf vw_odd_bf16(vw a) { return (vf)(a & -65536); }
#if defined(GOT_BYTE_DOT)
#define GOT_SIGNED_DOT
typedef vw dot_weights, dot_input;
GOT_INLINE dot_weights dot_widen(vw four_each) { return four_each; }
GOT_INLINE dot_input dot_spread(int32_t four) { return vw_set(four); }
GOT_INLINE vw dot(vw sum, dot_weights w, dot_input x)
{
    /* In assembly: not every clang offers the intrinsic in a function that asks for it by attribute. */
    __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(w), "w"(x));
    return sum;
}
#else
typedef struct {
    vw at[4];
} dot_weights;
typedef struct {
    int32_t at[4];
} dot_input;
GOT_INLINE dot_weights dot_widen(vw a)
{
    return (dot_weights){{a & 255, (a >> 8) & 255, (a >> 16) & 255, (a >> 24) & 255}};
}
GOT_INLINE dot_input dot_spread(int32_t four)
{
    return (dot_input){{(int8_t)four, (int8_t)(four >> 8), (int8_t)(four >> 16), (int8_t)(four >> 24)}};
}
GOT_INLINE vw dot(vw sum, dot_weights w, dot_input x)
{
    sum += w.at[0] * x.at[0];
    sum += w.at[1] * x.at[1];
    sum += w.at[2] * x.at[2];
    return sum + w.at[3] * x.at[3];
}
#endif
GOT_INLINE void store_bytes(int8_t *p, vf v)
{
    for (int i = 0; i < GOT_LANES; i++)
        p[i] = (int8_t)lrintf(v[i]);
}
typedef struct {
    int32_t at[2];
} pair_input;
GOT_INLINE pair_input pair_spread(int32_t two) { return (pair_input){{(int16_t)two, two >> 16}}; }
GOT_INLINE vw pair_dot(vw sum, vw w, pair_input x)
{
    sum += ((w << 16) >> 16) * x.at[0];
    return sum + (w >> 16) * x.at[1];
}
GOT_INLINE void store_words(int16_t *p, vf v)
{
    for (int i = 0; i < GOT_LANES; i++)
        p[i] = (int16_t)lrintf(v[i]);
}

#endif

#if !defined(GOT_NIBBLE_DOT)
typedef dot_weights nibble_weights;
typedef dot_input nibble_input;
GOT_INLINE nibble_weights nibble_widen(vw four_each) { return dot_widen(four_each); }
GOT_INLINE nibble_input nibble_spread(int32_t four) { return dot_spread(four); }
GOT_INLINE vw nibble_dot(vw sum, nibble_weights w, nibble_input x) { return dot(sum, w, x); }
#endif

#endif
