/* Bits, exact products and the functions that are little more than one instruction. */
#ifndef SYMCOMP_MATH_BASE_H
#define SYMCOMP_MATH_BASE_H

/* In device code symcomp_device.cuh has defined these, and the types of the two headers. */
#ifndef SC_INLINE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SC_INLINE static inline __attribute__((always_inline))
#define SC_FUNCTION static inline
#define SC_TABLE static const
#endif

#define SC_INF_F32 __builtin_inff()
#define SC_NAN_F32 __builtin_nanf("")
#define SC_INF_F64 __builtin_inf()
#define SC_NAN_F64 __builtin_nan("")

/* Where the processor has fused multiply-add the compiler contracts a*b + c by itself; written
 * out, as SC_FMA, it is used only where the exactness of the product matters. */
#if defined(__FMA__) || defined(__FP_FAST_FMA) || defined(__ARM_FEATURE_FMA) || defined(__CUDACC__)
#define SC_HAS_FMA 1
#else
#define SC_HAS_FMA 0
#endif

/* c0 + c1·x + c2·x² + ..., coefficients upwards, z = x²: the even and the odd powers by Horner's
 * rule each, so that two short chains of dependent operations run side by side. */
#define SC_HORNER1(z, c) (c)
#define SC_HORNER2(z, c, ...) ((c) + (z) * SC_HORNER1(z, __VA_ARGS__))
#define SC_HORNER3(z, c, ...) ((c) + (z) * SC_HORNER2(z, __VA_ARGS__))
#define SC_HORNER4(z, c, ...) ((c) + (z) * SC_HORNER3(z, __VA_ARGS__))
#define SC_HORNER5(z, c, ...) ((c) + (z) * SC_HORNER4(z, __VA_ARGS__))
#define SC_HORNER6(z, c, ...) ((c) + (z) * SC_HORNER5(z, __VA_ARGS__))
#define SC_HORNER7(z, c, ...) ((c) + (z) * SC_HORNER6(z, __VA_ARGS__))
#define SC_HORNER8(z, c, ...) ((c) + (z) * SC_HORNER7(z, __VA_ARGS__))
#define SC_HORNER9(z, c, ...) ((c) + (z) * SC_HORNER8(z, __VA_ARGS__))
#define SC_HORNER10(z, c, ...) ((c) + (z) * SC_HORNER9(z, __VA_ARGS__))
#define SC_HORNER11(z, c, ...) ((c) + (z) * SC_HORNER10(z, __VA_ARGS__))
#define SC_HORNER12(z, c, ...) ((c) + (z) * SC_HORNER11(z, __VA_ARGS__))
#define SC_POLY5(x, z, a, b, c, d, e) \
    (SC_HORNER3(z, a, c, e) + (x) * SC_HORNER2(z, b, d))
#define SC_POLY6(x, z, a, b, c, d, e, f) \
    (SC_HORNER3(z, a, c, e) + (x) * SC_HORNER3(z, b, d, f))
#define SC_POLY7(x, z, a, b, c, d, e, f, g) \
    (SC_HORNER4(z, a, c, e, g) + (x) * SC_HORNER3(z, b, d, f))
#define SC_POLY8(x, z, a, b, c, d, e, f, g, h) \
    (SC_HORNER4(z, a, c, e, g) + (x) * SC_HORNER4(z, b, d, f, h))
#define SC_POLY10(x, z, a, b, c, d, e, f, g, h, i, j) \
    (SC_HORNER5(z, a, c, e, g, i) + (x) * SC_HORNER5(z, b, d, f, h, j))
#define SC_POLY11(x, z, a, b, c, d, e, f, g, h, i, j, k) \
    (SC_HORNER6(z, a, c, e, g, i, k) + (x) * SC_HORNER5(z, b, d, f, h, j))
#define SC_POLY12(x, z, a, b, c, d, e, f, g, h, i, j, k, l) \
    (SC_HORNER6(z, a, c, e, g, i, k) + (x) * SC_HORNER6(z, b, d, f, h, j, l))
#define SC_POLY13(x, z, a, b, c, d, e, f, g, h, i, j, k, l, m) \
    (SC_HORNER7(z, a, c, e, g, i, k, m) + (x) * SC_HORNER6(z, b, d, f, h, j, l))
#define SC_POLY19(x, z, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s) \
    (SC_HORNER10(z, a, c, e, g, i, k, m, o, q, s) + (x) * SC_HORNER9(z, b, d, f, h, j, l, n, p, r))
#define SC_POLY23(x, z, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w) \
    (SC_HORNER12(z, a, c, e, g, i, k, m, o, q, s, u, w) \
     + (x) * SC_HORNER11(z, b, d, f, h, j, l, n, p, r, t, v))

SC_INLINE uint32_t sc_bits_f32(float x) {
    uint32_t u;
    __builtin_memcpy(&u, &x, sizeof u);
    return u;
}

SC_INLINE float sc_from_bits_f32(uint32_t u) {
    float x;
    __builtin_memcpy(&x, &u, sizeof x);
    return x;
}

SC_INLINE uint64_t sc_bits_f64(double x) {
    uint64_t u;
    __builtin_memcpy(&u, &x, sizeof u);
    return u;
}

SC_INLINE double sc_from_bits_f64(uint64_t u) {
    double x;
    __builtin_memcpy(&x, &u, sizeof x);
    return x;
}

SC_INLINE float sc_abs_f32(float x) { return __builtin_fabsf(x); }
SC_INLINE double sc_abs_f64(double x) { return __builtin_fabs(x); }

SC_INLINE float sc_copysign_f32(float x, float y) {
    return sc_from_bits_f32((sc_bits_f32(x) & 0x7fffffffu) | (sc_bits_f32(y) & 0x80000000u));
}

SC_INLINE double sc_copysign_f64(double x, double y) {
    return sc_from_bits_f64((sc_bits_f64(x) & 0x7fffffffffffffffu)
                            | (sc_bits_f64(y) & 0x8000000000000000u));
}

/* x with its sign changed where the lowest bit of `odd` is set. */
SC_INLINE float sc_flip_f32(float x, uint32_t odd) {
    return sc_from_bits_f32(sc_bits_f32(x) ^ (odd << 31));
}

SC_INLINE double sc_flip_f64(double x, uint64_t odd) {
    return sc_from_bits_f64(sc_bits_f64(x) ^ (odd << 63));
}

/* 2ⁿ for n as a two's complement integer within the exponents of normal numbers. */
SC_INLINE float sc_exp2i_f32(uint32_t n) { return sc_from_bits_f32((n + 127u) << 23); }
SC_INLINE double sc_exp2i_f64(uint64_t n) { return sc_from_bits_f64((n + 1023u) << 52); }

/* y·2ⁿ with one rounding, -250 < n < 250 (-2000 < n < 2000): two factors near 2^(n/2), the first
 * exact where the second may round.  The biases of both are added before n is halved. */
SC_INLINE float sc_scale_f32(float y, uint32_t n) {
    uint32_t both = n + 254u, half = both >> 1;
    return y * sc_from_bits_f32(half << 23) * sc_from_bits_f32((both - half) << 23);
}

#if defined(__CUDACC__)
/* A GPU computes with integers of 32 bits. */
SC_INLINE double sc_scale_f64(double y, uint64_t n) {
    int both = (int)n + 2046, half = both >> 1;
    return y * __hiloint2double(half << 20, 0) * __hiloint2double((both - half) << 20, 0);
}
#else
SC_INLINE double sc_scale_f64(double y, uint64_t n) {
    uint64_t both = n + 2046u, half = both >> 1;
    return y * sc_from_bits_f64(half << 52) * sc_from_bits_f64((both - half) << 52);
}
#endif

/* a·b = result + *low exactly (Dekker 1971 where there is no fused multiply-add). */
SC_INLINE double sc_product_f64(double a, double b, double *low) {
    double high = a * b;
#if SC_HAS_FMA
    *low = __builtin_fma(a, b, -high);
#else
    double at = a * 134217729.0, bt = b * 134217729.0;
    double ah = at - (at - a), bh = bt - (bt - b);
    double al = a - ah, bl = b - bh;
    *low = ((ah * bh - high) + ah * bl + al * bh) + al * bl;
#endif
    return high;
}

SC_INLINE float sc_product_f32(float a, float b, float *low) {
    float high = a * b;
#if SC_HAS_FMA
    *low = __builtin_fmaf(a, b, -high);
#else
    float at = a * 4097.0f, bt = b * 4097.0f;
    float ah = at - (at - a), bh = bt - (bt - b);
    float al = a - ah, bl = b - bh;
    *low = ((ah * bh - high) + ah * bl + al * bh) + al * bl;
#endif
    return high;
}

/* c - a·b with the product exact (and, where cancellation is the point, one rounding). */
SC_INLINE double sc_residual_f64(double c, double a, double b) {
#if SC_HAS_FMA
    return __builtin_fma(-a, b, c);
#else
    double low, high = sc_product_f64(a, b, &low);
    return (c - high) - low;
#endif
}

SC_INLINE float sc_residual_f32(float c, float a, float b) {
#if SC_HAS_FMA
    return __builtin_fmaf(-a, b, c);
#else
    float low, high = sc_product_f32(a, b, &low);
    return (c - high) - low;
#endif
}

SC_INLINE float sc_sqrt_f32(float x) { return __builtin_sqrtf(x); }
SC_INLINE double sc_sqrt_f64(double x) { return __builtin_sqrt(x); }

/* Before SSE4.1 x86 cannot round, so the builtins would become calls: adding and subtracting
 * 2²³ (2⁵²) rounds half to even there, and floor, ceil and trunc correct that by one. */
#if defined(__SSE4_1__) || defined(__CUDACC__) || !(defined(__x86_64__) || defined(__i386__))
SC_INLINE float sc_rint_f32(float x) { return __builtin_rintf(x); }
SC_INLINE double sc_rint_f64(double x) { return __builtin_rint(x); }
SC_INLINE float sc_floor_f32(float x) { return __builtin_floorf(x); }
SC_INLINE double sc_floor_f64(double x) { return __builtin_floor(x); }
SC_INLINE float sc_ceil_f32(float x) { return __builtin_ceilf(x); }
SC_INLINE double sc_ceil_f64(double x) { return __builtin_ceil(x); }
SC_INLINE float sc_trunc_f32(float x) { return __builtin_truncf(x); }
SC_INLINE double sc_trunc_f64(double x) { return __builtin_trunc(x); }
#else
SC_INLINE float sc_rint_f32(float x) {
    float a = sc_abs_f32(x), n = (a + 0x1p23f) - 0x1p23f;
    return sc_copysign_f32(a < 0x1p23f ? n : x, x);
}

SC_INLINE double sc_rint_f64(double x) {
    double a = sc_abs_f64(x), n = (a + 0x1p52) - 0x1p52;
    return sc_copysign_f64(a < 0x1p52 ? n : x, x);
}

SC_INLINE float sc_floor_f32(float x) {
    float n = sc_rint_f32(x);
    return sc_copysign_f32(n > x ? n - 1.0f : n, x);
}

SC_INLINE double sc_floor_f64(double x) {
    double n = sc_rint_f64(x);
    return sc_copysign_f64(n > x ? n - 1.0 : n, x);
}

SC_INLINE float sc_ceil_f32(float x) { return -sc_floor_f32(-x); }
SC_INLINE double sc_ceil_f64(double x) { return -sc_floor_f64(-x); }
SC_INLINE float sc_trunc_f32(float x) { return sc_copysign_f32(sc_floor_f32(sc_abs_f32(x)), x); }
SC_INLINE double sc_trunc_f64(double x) { return sc_copysign_f64(sc_floor_f64(sc_abs_f64(x)), x); }
#endif

/* maximum and minimum give nan if either is nan (np.maximum); fmax and fmin the other one. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
/* One instruction, of which compilers do not know. */
SC_INLINE float sc_maximum_f32(float x, float y) {
    float larger;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(larger) : "f"(x), "f"(y));
    return larger;
}
SC_INLINE float sc_minimum_f32(float x, float y) {
    float smaller;
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(smaller) : "f"(x), "f"(y));
    return smaller;
}
#else
SC_INLINE float sc_maximum_f32(float x, float y) { return x >= y ? x : (x != x ? x : y); }
SC_INLINE float sc_minimum_f32(float x, float y) { return x <= y ? x : (x != x ? x : y); }
#endif
SC_INLINE double sc_maximum_f64(double x, double y) { return x >= y ? x : (x != x ? x : y); }
SC_INLINE double sc_minimum_f64(double x, double y) { return x <= y ? x : (x != x ? x : y); }
SC_INLINE float sc_fmax_f32(float x, float y) { return x >= y ? x : (y != y ? x : y); }
SC_INLINE double sc_fmax_f64(double x, double y) { return x >= y ? x : (y != y ? x : y); }
SC_INLINE float sc_fmin_f32(float x, float y) { return x <= y ? x : (y != y ? x : y); }
SC_INLINE double sc_fmin_f64(double x, double y) { return x <= y ? x : (y != y ? x : y); }

SC_INLINE float sc_sign_f32(float x) {
    float s = x > 0.0f ? 1.0f : (x < 0.0f ? -1.0f : 0.0f);
    return x != x ? x : s;
}

SC_INLINE double sc_sign_f64(double x) {
    double s = x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : 0.0);
    return x != x ? x : s;
}

SC_INLINE float sc_heaviside_f32(float x, float h) {
    float s = x > 0.0f ? 1.0f : (x < 0.0f ? 0.0f : h);
    return x != x ? x : s;
}

SC_INLINE double sc_heaviside_f64(double x, double h) {
    double s = x > 0.0 ? 1.0 : (x < 0.0 ? 0.0 : h);
    return x != x ? x : s;
}

/* √(x² + y²) with both scaled by a power of two, so that no square overflows or vanishes. */
SC_INLINE float sc_hypot_f32(float x, float y) {
    float a = sc_abs_f32(x), b = sc_abs_f32(y);
    float top = a > b ? a : b;
    float down = top > 0x1p60f ? 0x1p-70f : (top < 0x1p-40f ? 0x1p80f : 1.0f);
    float up = top > 0x1p60f ? 0x1p70f : (top < 0x1p-40f ? 0x1p-80f : 1.0f);
    float p = a * down, q = b * down;
    float h = sc_sqrt_f32(p * p + q * q) * up;
    return (a == SC_INF_F32) | (b == SC_INF_F32) ? SC_INF_F32 : h;
}

SC_INLINE double sc_hypot_f64(double x, double y) {
    double a = sc_abs_f64(x), b = sc_abs_f64(y);
    double top = a > b ? a : b;
    double down = top > 0x1p500 ? 0x1p-600 : (top < 0x1p-400 ? 0x1p640 : 1.0);
    double up = top > 0x1p500 ? 0x1p600 : (top < 0x1p-400 ? 0x1p-640 : 1.0);
    double p = a * down, q = b * down;
    double h = sc_sqrt_f64(p * p + q * q) * up;
    return (a == SC_INF_F64) | (b == SC_INF_F64) ? SC_INF_F64 : h;
}

/* Cube root: a third of the bits starts x^(-1/3) within 6 %, two series steps in
 * h = 1 - x·r³ refine it, and one Newton step on x·r² rounds it.  No division. */
SC_INLINE float sc_cbrt_f32(float x) {
    float a = sc_abs_f32(x);
    float there = a < 0x1p-126f ? 0x1p24f : (a > 0x1p100f ? 0x1p-24f : 1.0f);
    float back = a < 0x1p-126f ? 0x1p-8f : (a > 0x1p100f ? 0x1p8f : 1.0f);
    float v = a * there;
    float r = sc_from_bits_f32(0x54a1f000u - sc_bits_f32(v) / 3u);
    for (int step = 0; step < 2; step++) {
        float h = 1.0f - v * r * (r * r);
        r += r * h * (0x1.555556p-2f + h * (0x1.c71c72p-3f + h * 0x1.61f9aep-3f));
    }
    float y = v * r * r;
    float low, w = sc_product_f32(y, y, &low);
    y = y - ((w * y - v) + low * y) * (r * r) * 0x1.555556p-2f;
    y = sc_copysign_f32(y * back, x);
    return (a > 0.0f) & (a < SC_INF_F32) ? y : x;
}

SC_INLINE double sc_cbrt_f64(double x) {
    double a = sc_abs_f64(x);
    double there = a < 0x1p-1022 ? 0x1p54 : (a > 0x1p1000 ? 0x1p-54 : 1.0);
    double back = a < 0x1p-1022 ? 0x1p-18 : (a > 0x1p1000 ? 0x1p18 : 1.0);
    double v = a * there;
    uint64_t third = ((sc_bits_f64(v) >> 32) * 0x55555556u) >> 32;
    double r = sc_from_bits_f64((0x553ee800u - third) << 32);
    for (int step = 0; step < 2; step++) {
        double h = 1.0 - v * r * (r * r);
        r += r * h
             * (0x1.5555555555555p-2
                + h * (0x1.c71c71c71c71cp-3
                       + h * (0x1.61f9add3c0ca4p-3 + h * 0x1.26fabb85cb534p-3)));
    }
    double y = v * r * r;
    double low, w = sc_product_f64(y, y, &low);
    y = y - ((w * y - v) + low * y) * (r * r) * 0x1.5555555555555p-2;
    y = sc_copysign_f64(y * back, x);
    return (a > 0.0) & (a < SC_INF_F64) ? y : x;
}

#endif
