/* A vector of floats in three dialects, so that a kernel is written once and compiled for each.
 *
 * A source file defines GOT_AVX512 or GOT_AVX2 (or neither) and includes this header; afterwards `vf` holds
 * GOT_LANES floats. Loads and stores need no alignment.
 */
#ifndef GOT_SIMD_H
#define GOT_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(GOT_AVX512) || defined(GOT_AVX2)
#include <immintrin.h>
#endif

#define GOT_INLINE static inline __attribute__((always_inline))

#if defined(GOT_AVX512)

#define GOT_LANES 16
typedef __m512 vf;
GOT_INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
GOT_INLINE void vf_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
GOT_INLINE vf vf_set(float x) { return _mm512_set1_ps(x); }
GOT_INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
GOT_INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
GOT_INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
GOT_INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
GOT_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
GOT_INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
GOT_INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
GOT_INLINE vf vf_abs(vf a) { return _mm512_abs_ps(a); }
GOT_INLINE float vf_sum(vf a) { return _mm512_reduce_add_ps(a); }
GOT_INLINE float vf_top(vf a) { return _mm512_reduce_max_ps(a); }
GOT_INLINE vf vf_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/* x * 2^n for whole n */
GOT_INLINE vf vf_scale2(vf x, vf n) { return _mm512_scalef_ps(x, n); }
GOT_INLINE vf vf_load_int8(const int8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
GOT_INLINE vf vf_load_bf16(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
}

#elif defined(GOT_AVX2)

#define GOT_LANES 8
typedef __m256 vf;
GOT_INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
GOT_INLINE void vf_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
GOT_INLINE vf vf_set(float x) { return _mm256_set1_ps(x); }
GOT_INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
GOT_INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
GOT_INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
GOT_INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
GOT_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
GOT_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
GOT_INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
GOT_INLINE vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
GOT_INLINE float vf_sum(vf a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
GOT_INLINE float vf_top(vf a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
GOT_INLINE vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
GOT_INLINE vf vf_scale2(vf x, vf n) {
    __m256i e = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(x, _mm256_castsi256_ps(e));
}
GOT_INLINE vf vf_load_int8(const int8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
GOT_INLINE vf vf_load_bf16(const uint16_t *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16));
}

#else /* vectors of the compiler's own: SSE, NEON or whatever there is */

#define GOT_LANES 4
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
GOT_INLINE vf vf_load(const float *p) { vf v; memcpy(&v, p, sizeof v); return v; }
GOT_INLINE void vf_store(float *p, vf v) { memcpy(p, &v, sizeof v); }
GOT_INLINE vf vf_set(float x) { return (vf){x, x, x, x}; }
GOT_INLINE vf vf_add(vf a, vf b) { return a + b; }
GOT_INLINE vf vf_sub(vf a, vf b) { return a - b; }
GOT_INLINE vf vf_mul(vf a, vf b) { return a * b; }
GOT_INLINE vf vf_div(vf a, vf b) { return a / b; }
GOT_INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
GOT_INLINE vf vf_pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
GOT_INLINE vf vf_max(vf a, vf b) { return vf_pick((vi)(a > b), a, b); }
GOT_INLINE vf vf_min(vf a, vf b) { return vf_pick((vi)(a < b), a, b); }
GOT_INLINE vf vf_abs(vf a) { return (vf)((vi)a & 0x7fffffff); }
GOT_INLINE float vf_sum(vf a) { return (a[0] + a[1]) + (a[2] + a[3]); }
GOT_INLINE float vf_top(vf a) { return fmaxf(fmaxf(a[0], a[1]), fmaxf(a[2], a[3])); }
/* adding and taking away 1.5 * 2^23 leaves a whole number; good for |a| < 2^22 */
GOT_INLINE vf vf_round(vf a) { vf big = vf_set(12582912.0f); return (a + big) - big; }
GOT_INLINE vf vf_scale2(vf x, vf n) {
    return x * (vf)((__builtin_convertvector(n, vi) + 127) << 23);
}
GOT_INLINE vf vf_load_int8(const int8_t *p) { return (vf){p[0], p[1], p[2], p[3]}; }
GOT_INLINE vf vf_load_bf16(const uint16_t *p) {
    return (vf)(vi){(int32_t)((uint32_t)p[0] << 16), (int32_t)((uint32_t)p[1] << 16),
                    (int32_t)((uint32_t)p[2] << 16), (int32_t)((uint32_t)p[3] << 16)};
}

#endif

/* First n <= GOT_LANES floats, zeros after them; and back. */
GOT_INLINE vf vf_load_some(const float *p, int n) {
#if defined(GOT_AVX512)
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1u), p);
#else
    float some[GOT_LANES] = {0};
    for (int i = 0; i < n; i++) some[i] = p[i];
    return vf_load(some);
#endif
}
GOT_INLINE void vf_store_some(float *p, vf v, int n) {
#if defined(GOT_AVX512)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1u), v);
#else
    float all[GOT_LANES];
    vf_store(all, v);
    for (int i = 0; i < n; i++) p[i] = all[i];
#endif
}

/* exp(x) within 1.5e-7 of its value for -87 <= x <= 88; below -87 it stays at exp(-87) = 1.6e-38.
 * x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two pieces; exp(r) = 1 + r + r^2 p(r), p a minimax fit of ours. */
GOT_INLINE void vf_exps(vf *x, int count) {
    static const float terms[] = {1.38145662e-3f, 8.36871101e-3f, 4.16683881e-2f, 1.66665207e-1f, 4.99999934e-1f};
    vf n[4], p[4];
#define EACH _Pragma("GCC unroll 4") for (int i = 0; i < count; i++)
    EACH x[i] = vf_min(vf_max(x[i], vf_set(-87.0f)), vf_set(88.0f));
    EACH n[i] = vf_round(vf_mul(x[i], vf_set(1.44269504f)));
    EACH x[i] = vf_fma(n[i], vf_set(-0.693145752f), x[i]);
    EACH x[i] = vf_fma(n[i], vf_set(-1.42860677e-6f), x[i]);
    EACH p[i] = vf_set(terms[0]);
    _Pragma("GCC unroll 4") for (int k = 1; k < 5; k++)
        EACH p[i] = vf_fma(p[i], x[i], vf_set(terms[k]));
    EACH p[i] = vf_fma(vf_mul(x[i], x[i]), p[i], x[i]);
    EACH x[i] = vf_scale2(vf_add(p[i], vf_set(1.0f)), n[i]);
}

GOT_INLINE vf vf_exp(vf x) {
    vf_exps(&x, 1);
    return x;
}

/* x / (1 + exp(-x)) */
GOT_INLINE vf vf_silu(vf x) {
    return vf_div(x, vf_add(vf_set(1.0f), vf_exp(vf_sub(vf_set(0.0f), x))));
}

/* x (1 + erf(x / sqrt 2)) / 2, within about 2e-7 of |x|; of a few vectors side by side, for each alone would wait for itself.
 * erf(z / sqrt 2) / 2 = z P(z^2) / Q(z^2) to z = 5.4, a minimax fit of ours, raised by 1e-7 so that what lies beyond is
 * exactly 1/2: gelu(x) is then x or 0. */
#define GOT_GELUS 4
GOT_INLINE void vf_gelus(vf *x, int count) {
    static const float above[] = {2.338668743e-8f, 6.360028955e-6f, 1.643226202e-4f, 4.650857335e-3f, 3.337231786e-2f, 3.989422853e-1f};
    static const float below[] = {1.216590149e-6f, 7.240048513e-5f, 1.858986714e-3f, 2.837873762e-2f, 2.503180761e-1f, 1.0f};
    vf z[GOT_GELUS], s[GOT_GELUS], p[GOT_GELUS], q[GOT_GELUS];
    EACH {
        z[i] = vf_min(vf_abs(x[i]), vf_set(5.4f));
        s[i] = vf_mul(z[i], z[i]);
        p[i] = vf_set(above[0]);
        q[i] = vf_set(below[0]);
    }
    _Pragma("GCC unroll 8") for (int k = 1; k < 6; k++)
        EACH {
            p[i] = vf_fma(p[i], s[i], vf_set(above[k]));
            q[i] = vf_fma(q[i], s[i], vf_set(below[k]));
        }
    EACH {
        p[i] = vf_min(vf_div(vf_mul(z[i], p[i]), q[i]), vf_set(0.5f));
        x[i] = vf_fma(vf_abs(x[i]), p[i], vf_mul(x[i], vf_set(0.5f)));
    }
}

#undef EACH
#endif
