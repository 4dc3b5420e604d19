/* Logarithms, what is made of them, and powers.
 *
 * x = 2ᵏ·(1 + f) with 1 + f in [√½, √2), so that nothing cancels near x = 1.  In float32
 * ln(1 + f) = f - f²/2 + f³·P(f); in float64, with s = f/(2 + f) and z = s²,
 * ln(1 + f) = f - f²/2 + s·(f²/2 + z·R(z)), which follows from ln((1+s)/(1-s)) (Tang 1990).
 */
#ifndef SYMCOMP_MATH_LOG_H
#define SYMCOMP_MATH_LOG_H

#include "symcomp_math_base.h"
#include "symcomp_math_exp.h"

/* x = 2^(result)·(1 + *f) for positive normal x. */
SC_INLINE float sc_log_split_normal_f32(float x, float *f) {
    uint32_t t = sc_bits_f32(x) + (0x3f800000u - 0x3f3504f3u);
    *f = sc_from_bits_f32((t & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    return (float)((int32_t)(t >> 23) - 127);
}

SC_INLINE double sc_log_split_normal_f64(double x, double *f) {
    uint64_t t = sc_bits_f64(x) + (0x3ff0000000000000u - 0x3fe6a09e00000000u);
    *f = sc_from_bits_f64((t & 0x000fffffffffffffu) + 0x3fe6a09e00000000u) - 1.0;
    return sc_from_bits_f64((t >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
}

/* The same for positive finite x. */
SC_INLINE float sc_log_split_f32(float x, float *f) {
    float lift = x < 0x1p-126f ? 23.0f : 0.0f;
    return sc_log_split_normal_f32(x < 0x1p-126f ? x * 0x1p23f : x, f) - lift;
}

SC_INLINE double sc_log_split_f64(double x, double *f) {
    double lift = x < 0x1p-1022 ? 52.0 : 0.0;
    return sc_log_split_normal_f64(x < 0x1p-1022 ? x * 0x1p52 : x, f) - lift;
}

/* ln(1 + f) = result + *low. */
SC_INLINE float sc_log_parts_f32(float f, float *low) {
    float f2 = f * f;
    float p = SC_POLY8(f, f2,
        0x1.555554p-2f, -0x1.00022p-2f, 0x1.99a024p-3f, -0x1.547474p-3f, 0x1.22d912p-3f,
        -0x1.0d6d4ep-3f, 0x1.05581ap-3f, -0x1.39340ep-4f);
    float half = 0.5f * f * f;
    float high = f - half;
    *low = ((f - high) - half) + f * f * f * p;
    return high;
}

SC_INLINE double sc_log_parts_f64(double f, double *low) {
    double s = f / (2.0 + f), z = s * s;
    double z2 = z * z;
    double r = SC_POLY7(z, z2,
        0x1.5555555555593p-1, 0x1.999999997f9fbp-2, 0x1.249249422a0c8p-2, 0x1.c71c51d80410cp-3,
        0x1.746649a3ddd63p-3, 0x1.39a096c705483p-3, 0x1.2f117292d42f7p-3);
    double half = 0.5 * f * f;
    double high = f - half;
    *low = ((f - high) - half) + s * (half + z * r);
    return high;
}

/* `y` where x is positive and finite; log's limits elsewhere. */
SC_INLINE float sc_log_edges_f32(float x, float y) {
    float edge = x == 0.0f ? -SC_INF_F32 : SC_NAN_F32;
    float high = x < SC_INF_F32 ? y : x;
    return x > 0.0f ? high : edge;
}

SC_INLINE double sc_log_edges_f64(double x, double y) {
    double edge = x == 0.0 ? -SC_INF_F64 : SC_NAN_F64;
    double high = x < SC_INF_F64 ? y : x;
    return x > 0.0 ? high : edge;
}

/* ln(1 + f) + k·ln 2 */
SC_INLINE float sc_log_whole_f32(float f, float k) {
    float low, high = sc_log_parts_f32(f, &low);
    return k * 0x1.62e4p-1f + (high + (low + k * 0x1.7f7d1cp-20f));
}

SC_INLINE double sc_log_whole_f64(double f, double k) {
    double low, high = sc_log_parts_f64(f, &low);
    return k * 0x1.62e42fefp-1 + (high + (low + k * 0x1.473de6af278edp-34));
}

SC_INLINE float sc_log_f32(float x) {
    float f, k = sc_log_split_f32(x, &f);
    return sc_log_edges_f32(x, sc_log_whole_f32(f, k));
}

SC_INLINE double sc_log_f64(double x) {
    double f, k = sc_log_split_f64(x, &f);
    return sc_log_edges_f64(x, sc_log_whole_f64(f, k));
}

/* ln x for positive normal x, without a look at others. */
SC_INLINE double sc_log_normal_f64(double x) {
    double f, k = sc_log_split_normal_f64(x, &f);
    return sc_log_whole_f64(f, k);
}

/* ln(1 + f)·c + k·d to nearly twice the precision, c and d each in two parts, k·d_high exact. */
SC_INLINE float sc_log_base_f32(float x, float c, float c_low, float d, float d_low) {
    float f, low, k = sc_log_split_f32(x, &f);
    float high = sc_log_parts_f32(f, &low);
    float product_low, product = sc_product_f32(high, c, &product_low);
    float whole = k * d;
    float sum = whole + product;
    product_low += (product - (sum - whole)) + low * c + high * c_low + k * d_low;
    return sc_log_edges_f32(x, sum + product_low);
}

SC_INLINE double sc_log_base_f64(double x, double c, double c_low, double d, double d_low) {
    double f, low, k = sc_log_split_f64(x, &f);
    double high = sc_log_parts_f64(f, &low);
    double product_low, product = sc_product_f64(high, c, &product_low);
    double whole = k * d;
    double sum = whole + product;
    product_low += (product - (sum - whole)) + low * c + high * c_low + k * d_low;
    return sc_log_edges_f64(x, sum + product_low);
}

SC_INLINE float sc_log2_f32(float x) {
    return sc_log_base_f32(x, 0x1.715476p+0f, 0x1.4ae0cp-26f, 1.0f, 0.0f);
}

SC_INLINE double sc_log2_f64(double x) {
    return sc_log_base_f64(x, 0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56, 1.0, 0.0);
}

SC_INLINE float sc_log10_f32(float x) {
    return sc_log_base_f32(x, 0x1.bcb7b2p-2f, -0x1.5b235ep-27f, 0x1.344p-2f, 0x1.3509f8p-18f);
}

SC_INLINE double sc_log10_f64(double x) {
    return sc_log_base_f64(x, 0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57, 0x1.34413509f6p-2,
                           0x1.9fef311f12b36p-42);
}

/* ln(1 + x) for x > -1, plus `extra`: k from 1 + x, then f = x·2⁻ᵏ + (2⁻ᵏ - 1) directly from x, so
 * that the rounding of 1 + x does not matter.  Huge x is scaled down, the 1 then being nothing. */
SC_INLINE float sc_log1p_core_f32(float x, float extra) {
    int huge = x > 0x1p60f;
    float v = huge ? x * 0x1p-60f : x, one = huge ? 0.0f : 1.0f;
    uint32_t k = ((sc_bits_f32(one + v) + (0x3f800000u - 0x3f3504f3u)) >> 23) - 127u;
    float s = sc_exp2i_f32(0u - k);
    float f = v * s + (one * s - 1.0f);
    float m = (float)(int32_t)k + (huge ? 60.0f : 0.0f);
    float low, high = sc_log_parts_f32(f, &low);
    return m * 0x1.62e4p-1f + (high + (low + (m * 0x1.7f7d1cp-20f + extra)));
}

SC_INLINE double sc_log1p_core_f64(double x, double extra) {
    int huge = x > 0x1p500;
    double v = huge ? x * 0x1p-500 : x, one = huge ? 0.0 : 1.0;
    uint64_t t = (sc_bits_f64(one + v) + (0x3ff0000000000000u - 0x3fe6a09e00000000u)) >> 52;
    double s = sc_exp2i_f64(1023u - t);
    double f = v * s + (one * s - 1.0);
    double k = sc_from_bits_f64(t | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double m = k + (huge ? 500.0 : 0.0);
    double low, high = sc_log_parts_f64(f, &low);
    return m * 0x1.62e42fefp-1 + (high + (low + (m * 0x1.473de6af278edp-34 + extra)));
}

SC_INLINE float sc_log1p_f32(float x) {
    float y = sc_copysign_f32(sc_log1p_core_f32(x, 0.0f), x);
    float edge = x == -1.0f ? -SC_INF_F32 : SC_NAN_F32;
    float high = x < SC_INF_F32 ? y : x;
    return x > -1.0f ? high : edge;
}

SC_INLINE double sc_log1p_f64(double x) {
    double y = sc_copysign_f64(sc_log1p_core_f64(x, 0.0), x);
    double edge = x == -1.0 ? -SC_INF_F64 : SC_NAN_F64;
    double high = x < SC_INF_F64 ? y : x;
    return x > -1.0 ? high : edge;
}

/* ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|); nan comes through e. */
SC_INLINE float sc_softplus_f32(float x) {
    return (x > 0.0f ? x : 0.0f) + sc_log1p_f32(sc_exp_f32(-sc_abs_f32(x)));
}

SC_INLINE double sc_softplus_f64(double x) {
    return (x > 0.0 ? x : 0.0) + sc_log1p_f64(sc_exp_f64(-sc_abs_f64(x)));
}

/* ln(eˣ + eʸ), to the precision of the larger argument; equal arguments (both may be the same
 * infinity) give x + ln 2. */
SC_INLINE float sc_logaddexp_f32(float x, float y) {
    float top = x > y ? x : y;
    float z = top + sc_log1p_f32(sc_exp_f32(-sc_abs_f32(x - y)));
    return x == y ? x + 0x1.62e43p-1f : z;
}

SC_INLINE double sc_logaddexp_f64(double x, double y) {
    double top = x > y ? x : y;
    double z = top + sc_log1p_f64(sc_exp_f64(-sc_abs_f64(x - y)));
    return x == y ? x + 0x1.62e42fefa39efp-1 : z;
}

/* asinh a = ln(1 + t), t = a + a²/(1 + √(a² + 1)); for huge a it is ln a + ln 2. */
SC_INLINE float sc_asinh_f32(float x) {
    float a = sc_abs_f32(x), b = a < 0x1p30f ? a : 0.0f, w = b * b;
    float t = b + w / (1.0f + sc_sqrt_f32(w + 1.0f));
    int huge = a >= 0x1p30f;
    float y = sc_log1p_core_f32(huge ? a : t, huge ? 0x1.62e43p-1f : 0.0f);
    return sc_copysign_f32(a < SC_INF_F32 ? y : a, x);
}

SC_INLINE double sc_asinh_f64(double x) {
    double a = sc_abs_f64(x), b = a < 0x1p60 ? a : 0.0, w = b * b;
    double t = b + w / (1.0 + sc_sqrt_f64(w + 1.0));
    int huge = a >= 0x1p60;
    double y = sc_log1p_core_f64(huge ? a : t, huge ? 0x1.62e42fefa39efp-1 : 0.0);
    return sc_copysign_f64(a < SC_INF_F64 ? y : a, x);
}

/* acosh x = ln(1 + t), t = u + √(u·(u + 2)), u = x - 1 (exact near 1). */
SC_INLINE float sc_acosh_f32(float x) {
    int huge = x >= 0x1p30f;
    float u = huge ? x : x - 1.0f, v = huge ? 1.0f : u;
    float t = v + sc_sqrt_f32(v * (v + 2.0f));
    float y = sc_log1p_core_f32(huge ? x : t, huge ? 0x1.62e43p-1f : 0.0f);
    float high = x < SC_INF_F32 ? y : x;
    return x >= 1.0f ? high : SC_NAN_F32;
}

SC_INLINE double sc_acosh_f64(double x) {
    int huge = x >= 0x1p60;
    double v = huge ? 1.0 : x - 1.0;
    double t = v + sc_sqrt_f64(v * (v + 2.0));
    double y = sc_log1p_core_f64(huge ? x : t, huge ? 0x1.62e42fefa39efp-1 : 0.0);
    double high = x < SC_INF_F64 ? y : x;
    return x >= 1.0 ? high : SC_NAN_F64;
}

/* atanh a = ln(1 + t)/2, t = 2a/(1 - a), written 2a + 2a²/(1 - a). */
SC_INLINE float sc_atanh_f32(float x) {
    float a = sc_abs_f32(x), d = a + a;
    float t = d + d * a / (1.0f - a);
    float y = 0.5f * sc_log1p_core_f32(t, 0.0f);
    float edge = a == 1.0f ? SC_INF_F32 : SC_NAN_F32;
    return sc_copysign_f32(a < 1.0f ? y : edge, x);
}

SC_INLINE double sc_atanh_f64(double x) {
    double a = sc_abs_f64(x), d = a + a;
    double t = d + d * a / (1.0 - a);
    double y = 0.5 * sc_log1p_core_f64(t, 0.0);
    double edge = a == 1.0 ? SC_INF_F64 : SC_NAN_F64;
    return sc_copysign_f64(a < 1.0 ? y : edge, x);
}

/* ln x = result + *low to about 2⁻⁶⁶ relative, for positive finite x: in double-double
 * s = f/(2 + f), z = s², ln(1 + f) = s·(2 + z·(2/3 + z·R(z))) (after Dekker's arithmetic). */
SC_INLINE double sc_log_double_f64(double x, double *low) {
    double f, k = sc_log_split_f64(x, &f);
    double g = f + 2.0, g_low = f - (g - 2.0), reciprocal = 1.0 / g;
    double s = f * reciprocal;
    double s_low = (sc_residual_f64(f, s, g) - s * g_low) * reciprocal;
    double z_low, z = sc_product_f64(s, s, &z_low);
    z_low += 2.0 * s * s_low;
    double z2 = z * z;
    double r = SC_POLY7(z, z2,
        0x1.9999999999b31p-2, 0x1.2492492457b68p-2, 0x1.c71c722d949a1p-3, 0x1.745ce9d2b8aeep-3,
        0x1.3b1eef2d6c733p-3, 0x1.0f7f9d8b4d3ebp-3, 0x1.0e4588efc6c36p-3);
    double u = z * r, v = 0x1.5555555555555p-1 + u;
    double v_low = (u - (v - 0x1.5555555555555p-1)) + 0x1.5555555555555p-55;
    double t_low, t = sc_product_f64(z, v, &t_low);
    t_low += z * v_low + z_low * v;
    double w = 2.0 + t, w_low = (t - (w - 2.0)) + t_low;
    double l_low, l = sc_product_f64(s, w, &l_low);
    l_low += s * w_low + s_low * w;
    double whole = k * 0x1.62e42fefp-1, high = whole + l;
    *low = (l - (high - whole)) + (l_low + k * 0x1.473de6af278edp-34);
    return high;
}

/* From |x|ʸ to xʸ (C99, NumPy): the sign of odd powers, nan for other powers of negative numbers,
 * x⁰ = 1 even for nan. */
SC_INLINE float sc_pow_edges_f32(float x, float y, float power) {
    float half = 0.5f * y;
    float outside = x > -SC_INF_F32 ? SC_NAN_F32 : power;
    float broken = x < 0.0f ? outside : power;
    uint32_t sign = sc_bits_f32(x) & (uint32_t)1 << 31;
    uint32_t odd = sc_rint_f32(half) != half ? sign : 0u;
    float flipped = sc_from_bits_f32(sc_bits_f32(power) ^ odd);
    float z = sc_rint_f32(y) == y ? flipped : broken;
    z = x != x ? x : z;
    return y == 0.0f ? 1.0f : z;
}

SC_INLINE double sc_pow_edges_f64(double x, double y, double power) {
    double half = 0.5 * y;
    double outside = x > -SC_INF_F64 ? SC_NAN_F64 : power;
    double broken = x < 0.0 ? outside : power;
    uint64_t sign = sc_bits_f64(x) & (uint64_t)1 << 63;
    uint64_t odd = sc_rint_f64(half) != half ? sign : 0u;
    double flipped = sc_from_bits_f64(sc_bits_f64(power) ^ odd);
    double z = sc_rint_f64(y) == y ? flipped : broken;
    z = x != x ? x : z;
    return y == 0.0 ? 1.0 : z;
}

SC_INLINE double sc_pow_f64(double x, double y) {
    double a = sc_abs_f64(x);
    double l_low, l = sc_log_double_f64(a, &l_low);
    l = a == 0.0 ? -SC_INF_F64 : l;
    l = a == SC_INF_F64 ? SC_INF_F64 : l;
    double e_low, e = sc_product_f64(l, y, &e_low);
    e_low += l_low * y;
    e_low = sc_abs_f64(e) < 800.0 ? e_low : 0.0;
    uint64_t n;
    double p = sc_exp_parts_f64(sc_clamp_f64(e, -746.0, 710.0), e_low, &n);
    double power = sc_scale_f64(1.0 + p, n);
    return sc_pow_edges_f64(x, y, a == 1.0 ? 1.0 : power);
}

/* In double precision throughout: two half-length registers cost less than the double-float
 * arithmetic that the logarithm would need, and the result is rounded almost always correctly. */
SC_INLINE float sc_pow_f32(float x, float y) {
    float a = sc_abs_f32(x), narrow, k = sc_log_split_f32(a, &narrow);
    k = a == 0.0f ? -SC_INF_F32 : k;
    k = a == SC_INF_F32 ? SC_INF_F32 : k;
    double f = narrow;
    double f2 = f * f;
    double p = SC_POLY13(f, f2,
        0x1.71547652a1da6p+0, -0x1.715476565f6c1p-1, 0x1.ec709ebc39706p-2, -0x1.7154709537917p-2,
        0x1.277651ba92a40p-2, -0x1.ec72b6142fb95p-3, 0x1.a63f5670d97b8p-3, -0x1.7141777c44589p-3,
        0x1.4528180de52eap-3, -0x1.252dfeb0fd007p-3, 0x1.2876bf0e1b088p-3, -0x1.24921552878cdp-3,
        0x1.3cec165ac3f94p-4);
    double e = sc_clamp_f64((double)y * ((double)k + f * p), -160.0, 140.0);
    double shifted = e + 0x1.8p52;
    double r = e - (shifted - 0x1.8p52);
    double r2 = r * r;
    double q = SC_POLY6(r, r2,
        0x1.62e430af7bd21p-1, 0x1.ebfbce32f22f1p-3, 0x1.c6aed9292e943p-5, 0x1.3b3921a40ba97p-7,
        0x1.5f47be15b8e8fp-10, 0x1.393e43ad24c58p-13);
    double s = sc_exp2i_f64(sc_bits_f64(shifted) - 0x4338000000000000u);
    float power = (float)(s + s * (r * q));
    return sc_pow_edges_f32(x, y, a == 1.0f ? 1.0f : power);
}

#endif
