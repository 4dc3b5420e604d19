/* The exponential family.
 *
 * x = n·ln 2 + r with n an integer and |r| <= ln 2 / 2 (Cody & Waite: ln 2 in two parts, n times
 * the first exact), eˣ = 2ⁿ·(1 + p) where p = eʳ - 1 is a minimax polynomial.  n is found by adding
 * 1.5·2²³ (1.5·2⁵²): the sum's low bits are n, with no conversion that could overflow.
 */
#ifndef SYMCOMP_MATH_EXP_H
#define SYMCOMP_MATH_EXP_H

#include "symcomp_math_base.h"

/* eʳ - 1 - r = r²·q(r). */
SC_INLINE float sc_expm1_bend_f32(float r) {
    float r2 = r * r;
    float q = SC_POLY5(r, r2,
        0x1.fffffcp-2f, 0x1.55548ap-3f, 0x1.55584ep-5f, 0x1.123f68p-7f, 0x1.6ad7c6p-10f);
    return (r * r) * q;
}

SC_INLINE double sc_expm1_bend_f64(double r) {
    double r2 = r * r;
    double q = SC_POLY10(r, r2,
        0.5, 0x1.55555555554ffp-3, 0x1.55555555531b3p-5, 0x1.1111111129248p-7,
        0x1.6c16c17ce0d75p-10, 0x1.a01a011887cc8p-13, 0x1.a019aac6f494fp-16,
        0x1.71df5dbb6bb08p-19, 0x1.289ff8fe4c423p-22, 0x1.ad123bab71078p-26);
    return (r * r) * q;
}

/* n as an integer in *n; returns p = e^(x + tail - n·ln 2) - 1.  For finite x of moderate size. */
SC_INLINE float sc_exp_parts_f32(float x, float tail, uint32_t *n) {
    float shifted = x * 0x1.715476p+0f + 0x1.8p23f;
    float m = shifted - 0x1.8p23f;
    *n = sc_bits_f32(shifted) - 0x4b400000u;
    float r = (x - m * 0x1.62e4p-1f) - m * 0x1.7f7d1cp-20f;
    r = r + tail;
    return r + sc_expm1_bend_f32(r);
}

SC_INLINE double sc_exp_parts_f64(double x, double tail, uint64_t *n) {
    double shifted = x * 0x1.71547652b82fep+0 + 0x1.8p52;
    double m = shifted - 0x1.8p52;
    *n = sc_bits_f64(shifted) - 0x4338000000000000u;
    double r = (x - m * 0x1.62e42fefp-1) - m * 0x1.473de6af278edp-34;
    r = r + tail;
    return r + sc_expm1_bend_f64(r);
}

/* Beyond these the result is 0 or inf; nan stays nan, as both comparisons are false. */
SC_INLINE float sc_clamp_f32(float x, float low, float high) {
    float y = x < low ? low : x;
    return y > high ? high : y;
}

SC_INLINE double sc_clamp_f64(double x, double low, double high) {
    double y = x < low ? low : x;
    return y > high ? high : y;
}

/* Sizes beyond a bound, likewise.  A GPU
 * compares doubles at half its speed: once is enough. */
#if defined(__CUDACC__)
SC_INLINE double sc_limit_f64(double x, double bound) {
    return sc_abs_f64(x) > bound ? sc_copysign_f64(bound, x) : x;
}
#else
SC_INLINE double sc_limit_f64(double x, double bound) { return sc_clamp_f64(x, -bound, bound); }
#endif

#if defined(__CUDA_ARCH__)
/* A GPU has 2ʳ as an instruction: CUDA's, within 2 ulp (CUDA C++ Programming Guide, mathematical
 * functions), is a third of the instructions. */
SC_INLINE float sc_exp_f32(float x) { return expf(x); }
#else
SC_INLINE float sc_exp_f32(float x) {
    uint32_t n;
    float p = sc_exp_parts_f32(sc_clamp_f32(x, -104.0f, 89.0f), -0.0f, &n);
    return sc_scale_f32(1.0f + p, n);
}
#endif

SC_INLINE double sc_exp_f64(double x) {
    uint64_t n;
    double p = sc_exp_parts_f64(sc_limit_f64(x, 746.0), -0.0, &n);
    return sc_scale_f64(1.0 + p, n);
}

/* 2ˣ = 2ⁿ·2ʳ, r = x - n exact. */
SC_INLINE float sc_exp2_f32(float x) {
    float c = sc_clamp_f32(x, -151.0f, 129.0f);
    float shifted = c + 0x1.8p23f;
    float r = c - (shifted - 0x1.8p23f);
    float r2 = r * r;
    float q = SC_POLY6(r, r2,
        0x1.62e43p-1f, 0x1.ebfb94p-3f, 0x1.c6af9ep-5f, 0x1.3b6806p-7f, 0x1.5ef50cp-10f,
        0x1.17b108p-13f);
    return sc_scale_f32(1.0f + r * q, sc_bits_f32(shifted) - 0x4b400000u);
}

SC_INLINE double sc_exp2_f64(double x) {
    double c = sc_clamp_f64(x, -1080.0, 1025.0);
    double shifted = c + 0x1.8p52;
    double r = c - (shifted - 0x1.8p52);
    double r2 = r * r;
    double q = SC_POLY11(r, r2,
        0x1.62e42fefa39efp-1, 0x1.ebfbdff82c5b3p-3, 0x1.c6b08d704a26ep-5, 0x1.3b2ab6fb9dae7p-7,
        0x1.5d87fe784604dp-10, 0x1.430913166b24fp-13, 0x1.ffcbfe616013ap-17,
        0x1.62bfb4ead9aa0p-20, 0x1.b52093ca8bec6p-24, 0x1.e63adc2bdcd58p-28,
        0x1.f0c31c52e3f72p-32);
    return sc_scale_f64(1.0 + r * q, sc_bits_f64(shifted) - 0x4338000000000000u);
}

/* 2ⁿ·eʳ - 1 as 2·(h·p + (h - 1/2)), h = 2ⁿ⁻¹, which does not overflow before the result does.  As
 * 2ⁿ and 1 cancel for n = 1, what is rounded off r, off p = eʳ - 1 and off the sum is added
 * again. */
SC_INLINE float sc_expm1_f32(float x) {
    float v = sc_clamp_f32(x, -20.0f, 88.9f);
    float shifted = v * 0x1.715476p+0f + 0x1.8p23f;
    float m = shifted - 0x1.8p23f;
    float h = sc_exp2i_f32(sc_bits_f32(shifted) - 0x4b400000u - 1u);
    float first = v - m * 0x1.62e4p-1f;
    float r = first - m * 0x1.7f7d1cp-20f;
    float r_low = (first - r) - m * 0x1.7f7d1cp-20f;
    float bend = sc_expm1_bend_f32(r);
    float p = r + bend, p_low = (bend - (p - r)) + r_low;
    float whole = h - 0.5f, sum = whole + h * p;
    float low = ((whole - sum) + h * p) + h * p_low;
    return sc_copysign_f32(2.0f * (sum + low), x);
}

SC_INLINE double sc_expm1_f64(double x) {
    double v = sc_clamp_f64(x, -40.0, 709.9);
    double shifted = v * 0x1.71547652b82fep+0 + 0x1.8p52;
    double m = shifted - 0x1.8p52;
    double h = sc_exp2i_f64(sc_bits_f64(shifted) - 0x4338000000000000u - 1u);
    double first = v - m * 0x1.62e42fefp-1;
    double r = first - m * 0x1.473de6af278edp-34;
    double r_low = (first - r) - m * 0x1.473de6af278edp-34;
    double bend = sc_expm1_bend_f64(r);
    double p = r + bend, p_low = (bend - (p - r)) + r_low;
    double whole = h - 0.5, sum = whole + h * p;
    double low = ((whole - sum) + h * p) + h * p_low;
    return sc_copysign_f64(2.0 * (sum + low), x);
}

/* a/(b + b_low) rounded almost correctly: a quotient and one residual step. */
SC_INLINE float sc_ratio_f32(float a, float b, float b_low) {
    float t = 1.0f / b, y = a * t;
    return y + t * (sc_residual_f32(a, y, b) - y * b_low);
}

SC_INLINE double sc_ratio_f64(double a, double b, double b_low) {
    double t = 1.0 / b, y = a * t;
    return y + t * (sc_residual_f64(a, y, b) - y * b_low);
}

/* 1/(1 + e⁻ˣ) as 1/(1 + e) or e/(1 + e), e = e^-|x|: no overflow, and subnormal results. */
SC_INLINE float sc_sigmoid_f32(float x) {
    float e = sc_exp_f32(-sc_abs_f32(x)), d = 1.0f + e;
    return sc_ratio_f32(x < 0.0f ? e : 1.0f, d, e - (d - 1.0f));
}

SC_INLINE double sc_sigmoid_f64(double x) {
    double e = sc_exp_f64(-sc_abs_f64(x)), d = 1.0 + e;
    return sc_ratio_f64(x < 0.0 ? e : 1.0, d, e - (d - 1.0));
}

/* tanh x = E/(E + 2), E = e²ˣ - 1. */
SC_INLINE float sc_tanh_f32(float x) {
    uint32_t n;
    float p = sc_exp_parts_f32(sc_clamp_f32(2.0f * sc_abs_f32(x), 0.0f, 40.0f), -0.0f, &n);
    float s = sc_exp2i_f32(n), e = s * p + (s - 1.0f), d = e + 2.0f;
    return sc_copysign_f32(sc_ratio_f32(e, d, e - (d - 2.0f)), x);
}

SC_INLINE double sc_tanh_f64(double x) {
    uint64_t n;
    double p = sc_exp_parts_f64(sc_clamp_f64(2.0 * sc_abs_f64(x), 0.0, 80.0), -0.0, &n);
    double s = sc_exp2i_f64(n), e = s * p + (s - 1.0), d = e + 2.0;
    return sc_copysign_f64(sc_ratio_f64(e, d, e - (d - 2.0)), x);
}

/* sinh |x| = 2·(E + E / (4E + 1)) with E = (e^|x| - 1) / 4. */
SC_INLINE float sc_sinh_f32(float x) {
    uint32_t n;
    float p = sc_exp_parts_f32(sc_clamp_f32(sc_abs_f32(x), 0.0f, 89.5f), -0.0f, &n);
    float h = sc_exp2i_f32(n - 2u);
    float e = h * p + (h - 0.25f);
    return sc_copysign_f32(2.0f * (e + e / (4.0f * e + 1.0f)), x);
}

SC_INLINE double sc_sinh_f64(double x) {
    uint64_t n;
    double p = sc_exp_parts_f64(sc_clamp_f64(sc_abs_f64(x), 0.0, 710.6), -0.0, &n);
    double h = sc_exp2i_f64(n - 2u);
    double e = h * p + (h - 0.25);
    return sc_copysign_f64(2.0 * (e + e / (4.0 * e + 1.0)), x);
}

/* cosh x = 2·(e + 1 / (16e)) with e = e^|x| / 4. */
SC_INLINE float sc_cosh_f32(float x) {
    uint32_t n;
    float p = sc_exp_parts_f32(sc_clamp_f32(sc_abs_f32(x), 0.0f, 89.5f), -0.0f, &n);
    float h = sc_exp2i_f32(n - 2u);
    float e = h * p + h;
    return 2.0f * (e + 0.0625f / e);
}

SC_INLINE double sc_cosh_f64(double x) {
    uint64_t n;
    double p = sc_exp_parts_f64(sc_clamp_f64(sc_abs_f64(x), 0.0, 710.6), -0.0, &n);
    double h = sc_exp2i_f64(n - 2u);
    double e = h * p + h;
    return 2.0 * (e + 0.0625 / e);
}

#endif
