/* Circular functions and their inverses.
 *
 * sin, cos and tan take x = m·π + r, |r| <= π/2 (π/4 for tan), where m is an integer for sin, an
 * integer and a half for cos and a half integer for tan; then sin x = ± sin r, cos x = ± sin r, and
 * one odd polynomial does both.  The argument is reduced on the whole finite range:
 *   float32  in double precision; x/π mod 2 is a product with three words of 1/π, of which the
 *            exponent selects one of five triples (Payne & Hanek 1983, by selection);
 *   float64  |x| <= SC_TRIG_BOUND_F64: π in three words (Cody & Waite, exact by fused products);
 *            beyond: four words of 1/π fetched by the exponent, which costs four gathers.
 * Both are evaluated in every lane.  A loop that knows its arguments to lie within
 * SC_TRIG_BOUND_F32 or SC_TRIG_BOUND_F64 may call sc_sin_bounded_f32, ..., sc_tan_bounded_f64,
 * which leave the second out and are two to five times faster: for example a kernel that runs the
 * bounded loop, ors `!(fabs(x) <= SC_TRIG_BOUND_F64)` over it and repeats it with the full
 * functions where that was true.  Within the bound the two agree to the last bit in float64.
 */
#ifndef SYMCOMP_MATH_TRIG_H
#define SYMCOMP_MATH_TRIG_H

#include "symcomp_math_base.h"

#define SC_TRIG_BOUND_F32 0x1p17f
#define SC_TRIG_BOUND_F64 0x1p33

/* 2^(32j)/π mod 2⁵³ in four words, j = 0 ... 31. */
SC_TABLE double sc_inverse_pi[32][4] = {
    {0x0p+0, 0x1.45f306dc9c882p-2, 0x1.4a7f09d5f47d4p-55, 0x1.a6ee06db14acdp-108},
    {0x1.45f306dcp+30, 0x1.391054a7f09d4p-3, 0x1.f47d4d377036cp-55, 0x1.8a5664f10e41p-107},
    {0x1.cc1b727220a94p+52, 0x1.fc2757d1f534dp-1, 0x1.b81b6c52b3278p-54, 0x1.0e4107f9458ebp-107},
    {0x1.054a7f09d5f4p+49, 0x1.f534ddc0db629p-1, 0x1.664f10e4107f8p-55, 0x1.458eaf7aef158p-107},
    {0x1.3abe8fa9a6eep+52, 0x1.b6c52b3278872p-2, 0x1.07f9458eaf7ap-59, 0x1.de2b0db92371dp-108},
    {0x1.a6ee06db14accp+52, 0x1.3c439041fe516p-1, 0x1.d5ef5de2b0db8p-56, 0x1.2371d2126e97p-108},
    {0x1.14acc9e21c82p+52, 0x1.fe5163abdebbcp-1, 0x1.586dc91b8e908p-55, 0x1.374b801924bbbp-107},
    {0x1.c820ff28b1d5p+48, 0x1.debbc561b7246p-1, 0x1.c74849ba5c00cp-54, 0x1.24bba82746487p-107},
    {0x1.163abdebbc56p+51, 0x1.b7246e3a424ddp-1, 0x1.700324977504cp-56, 0x1.464873f877ac7p-107},
    {0x1.de2b0db92371dp+52, 0x1.09374b8019248p-3, 0x1.dd413a32439fcp-54, 0x1.deb1cb129a73fp-109},
    {0x1.2371d2126e97p+52, 0x1.924bba827464p-7, 0x1.0e7f0ef58e588p-56, 0x1.4d39f74411afbp-108},
    {0x1.ba5c00c925dd4p+50, 0x1.3a32439fc3bcp-6, 0x1.63962534e7dd1p-54, 0x1.1afa975da2427p-112},
    {0x1.25dd413a32438p+50, 0x1.fc3bd63962534p-2, 0x1.cfba208d7d4bap-55, 0x1.da24274ce3813p-108},
    {0x1.1921cfe1deb1cp+51, 0x1.62534e7dd1046p-2, 0x1.7d4baed1213a6p-55, 0x1.c7026b45f7e41p-109},
    {0x1.deb1cb129a73ep+51, 0x1.d1046bea5d768p-2, 0x1.213a671c09adp-55, 0x1.7df904e64758ep-107},
    {0x1.4d39f74411afap+52, 0x1.2ebb4484e99c7p-1, 0x1.35a2fbf209ccp-60, 0x1.1d639835339f5p-109},
    {0x1.1afa975da242p+48, 0x1.d338e04d68beep-2, 0x1.c827323ac7306p-54, 0x1.4ce7d272117e3p-107},
    {0x1.da24274ce3813p+52, 0x1.68befc827323ap-2, 0x1.8e60d4ce7d272p-55, 0x1.17e2ef7e4a0ecp-111},
    {0x1.c7026b45f7e4p+51, 0x1.3991d63983533p-1, 0x1.3e93908bf177bp-54, 0x1.e4a0ec7fe26p-107},
    {0x1.f7e413991d638p+51, 0x1.835339f49c845p-1, 0x1.f177bf250763fp-54, 0x1.e25fff7816604p-107},
    {0x1.1d639835339f4p+51, 0x1.3908bf177bf24p-2, 0x1.0763ff12fffbcp-54, 0x1.6603fbcbc462dp-111},
    {0x1.339f49c845f8ap+51, 0x1.bdf9283b1ff89p-1, 0x1.fff7816603fbcp-55, 0x1.788c5ad05369p-108},
    {0x1.17e2ef7e4a0e8p+49, 0x1.1ff897ffde059p-1, 0x1.01fde5e2316b4p-54, 0x1.4da3eda6cfd9ep-110},
    {0x1.c941d8ffc4bffp+52, 0x1.de05980fef2f1p-1, 0x1.8b5a0a6d1f6dp-57, 0x1.b3f6793e584dcp-108},
    {0x1.c4bffef02cc07p+52, 0x1.ef2f118b5a0a6p-1, 0x1.a3eda6cfd9e4fp-54, 0x1.2c26dd3d18fdap-107},
    {0x1.6603fbcbc4628p+49, 0x1.5a0a6d1f6d367p-1, 0x1.d9e4f96136e9ep-54, 0x1.18fd9a797fa8bp-107},
    {0x1.788c5ad05368fp+52, 0x1.6d367ecf27cbp-1, 0x1.36e9e8c7ecd3cp-54, 0x1.7fa8b5d49eeb2p-107},
    {0x1.4da3eda6cfd9cp+50, 0x1.27cb09b74f463p-1, 0x1.ecd3cbfd45aeap-54, 0x1.3dd63f5f2f8bep-108},
    {0x1.b3f6793e584dbp+52, 0x1.4f463f669e5fep-1, 0x1.45aea4f758fd7p-54, 0x1.97c5ecf41ce7ep-107},
    {0x1.6136e9e8c7eccp+50, 0x1.3cbfd45aea4f6p-2, 0x1.58fd7cbe2f67ap-54, 0x1.ce7de294a4baap-111},
    {0x1.8fd9a797fa8bp+49, 0x1.7527bac7ebe5fp-1, 0x1.7b3d0739f78ap-57, 0x1.4a4ba9afed7ecp-107},
    {0x1.fea2d7527bac6p+51, 0x1.ebe5f17b3d073p-1, 0x1.3ef14a525d4d7p-54, 0x1.ed7ec47e35742p-107},
};

/* How the multiple m of π is chosen: m = (rint(v·steps - shift) + shift)/steps. */
#define SC_SIN 1.0, 0.0
#define SC_COS 1.0, 0.5
#define SC_TAN 2.0, 0.0

/* x/π mod 2 as result + *low, x finite and at least 1 in magnitude; nan for inf and nan. */
SC_INLINE double sc_half_turns_f64(double x, double *low) {
    uint64_t bits = sc_bits_f64(x) & 0x7fffffffffffffffu;
    uint64_t j = (((bits >> 52) - 1023u) & 1023u) >> 5;
    double a = sc_from_bits_f64(bits - (j << 57));
    a = sc_abs_f64(x) < SC_INF_F64 ? a : SC_NAN_F64;
    double t0, p0 = sc_product_f64(a, sc_inverse_pi[j][0], &t0);
    double t1, p1 = sc_product_f64(a, sc_inverse_pi[j][1], &t1);
    double t2, p2 = sc_product_f64(a, sc_inverse_pi[j][2], &t2);
    t2 += a * sc_inverse_pi[j][3];
    double whole = (p0 + 0x1p53) - 0x1p53;
    p0 = p0 < 0x1p53 ? p0 - whole : 0.0;
    t0 -= (t0 + 0x1.8p53) - 0x1.8p53;
    p1 -= (p1 + 0x1.8p53) - 0x1.8p53;
    double s = p0 + t0;
    s -= (s + 0x1.8p53) - 0x1.8p53;
    double turns = s + p1;
    double back = turns - s;
    double rest = (s - (turns - back)) + (p1 - back);
    double tail = t1 + p2;
    double tail_back = tail - t1;
    rest += (t1 - (tail - tail_back)) + (p2 - tail_back) + t2;
    /* turns and tail carry nearly all; what cancels between them is caught here */
    double high = turns + tail;
    double high_back = high - turns;
    *low = ((turns - (high - high_back)) + (tail - high_back)) + rest;
    *low = sc_flip_f64(*low, sc_bits_f64(x) >> 63);
    return sc_flip_f64(high, sc_bits_f64(x) >> 63);
}

/* r and, in *odd, the parity of m·steps; `bounded`: |x| is known to be within the bound. */
SC_INLINE double sc_reduce_f64(double x, double steps, double shift, int bounded, uint64_t *odd) {
    double t = (x * (steps * 0x1.45f306dc9c883p-2) - shift) + 0x1.8p52;
    double m = ((t - 0x1.8p52) + shift) * (1.0 / steps);
    double r = sc_residual_f64(x, m, 0x1.921fb54442d18p+1);
    r = sc_residual_f64(r, m, 0x1.1a62633145c07p-53);
    r = r - m * -0x1.f1976b7ed8fbcp-109;
    *odd = sc_bits_f64(t) & 1u;
    if (bounded) return r;
    double v_low, v = sc_half_turns_f64(x, &v_low);
    double u = ((v * steps - shift) + v_low * steps) + 0x1.8p52;
    double n = ((u - 0x1.8p52) + shift) * (1.0 / steps);
    double w = v - n, g = w + v_low, g_low = (w - g) + v_low;
    double h_low, h = sc_product_f64(g, 0x1.921fb54442d18p+1, &h_low);
    h += h_low + (g * 0x1.1a62633145c07p-53 + g_low * 0x1.921fb54442d18p+1);
    int near = sc_abs_f64(x) <= SC_TRIG_BOUND_F64;
    *odd = near ? *odd : sc_bits_f64(u) & 1u;
    return near ? r : h;
}

SC_INLINE double sc_sine_poly_f64(double r) {
    double z = r * r;
    double z2 = z * z;
    double p = SC_POLY6(z, z2,
        -0x1.a01a01a014835p-13, 0x1.71de3a528408bp-19, -0x1.ae6454c994768p-26,
        0x1.6123cab4dd1f4p-33, -0x1.ae42feab9c87dp-41, 0x1.88264f7b58ab3p-49);
    p = p * z + 0x1.11111111110c0p-7;
    p = p * z + -0x1.5555555555555p-3;
    return r + r * z * p;
}

SC_INLINE double sc_sin_any_f64(double x, int bounded) {
    uint64_t odd;
    double r = sc_reduce_f64(x, SC_SIN, bounded, &odd);
    double y = sc_flip_f64(sc_sine_poly_f64(r), odd);
    return x == 0.0 ? x : y;
}

SC_INLINE double sc_cos_any_f64(double x, int bounded) {
    uint64_t odd;
    double r = sc_reduce_f64(x, SC_COS, bounded, &odd);
    return sc_flip_f64(sc_sine_poly_f64(r), odd ^ 1u);
}

/* tan r = sin r / cos r on |r| <= π/4; -cos r / sin r a quarter turn on. */
SC_INLINE double sc_tan_any_f64(double x, int bounded) {
    uint64_t odd;
    double r = sc_reduce_f64(x, SC_TAN, bounded, &odd), z = r * r;
    double z2 = z * z;
    double p = SC_POLY6(z, z2,
        -0x1.5555555555548p-3, 0x1.111111110f730p-7, -0x1.a01a019be9208p-13,
        0x1.71de355529adbp-19, -0x1.ae5e4b81fcadap-26, 0x1.5d8b54dd23ea5p-33);
    double q = SC_POLY6(z, z2,
        0x1.555555555554cp-5, -0x1.6c16c16c15213p-10, 0x1.a01a019cbd5d2p-16,
        -0x1.27e4f810c5a86p-22, 0x1.1ee9efbc0b2a5p-29, -0x1.8fb040055c6b5p-37);
    double s = r + r * z * p;
    double c = 1.0 - (0.5 * z - z * z * q);
    double y = (odd ? -c : s) / (odd ? s : c);
    return x == 0.0 ? x : y;
}

SC_INLINE double sc_sin_f64(double x) { return sc_sin_any_f64(x, 0); }
SC_INLINE double sc_cos_f64(double x) { return sc_cos_any_f64(x, 0); }
SC_INLINE double sc_tan_f64(double x) { return sc_tan_any_f64(x, 0); }
SC_INLINE double sc_sin_bounded_f64(double x) { return sc_sin_any_f64(x, 1); }
SC_INLINE double sc_cos_bounded_f64(double x) { return sc_cos_any_f64(x, 1); }
SC_INLINE double sc_tan_bounded_f64(double x) { return sc_tan_any_f64(x, 1); }

/* Float32: x/π mod 2 in double precision.  A triple serves exponents from `a` on: bits of 1/π
 * whose product with x is an even integer are left out of it, and the first two words have 29 bits,
 * so that their products are exact. */
SC_INLINE float sc_reduce_f32(float x, double steps, double shift, uint32_t *odd) {
    float a = sc_abs_f32(x);
    int b = a >= 0x1p24f, c = a >= 0x1p50f, d = a >= 0x1p76f, e = a >= 0x1p102f;
    double w0 = b ? 0x1.45f306cp-2 : 0x1.45f306dp-2;
    double w1 = b ? 0x1.c9c882ap-30 : 0x1.9391054p-31;
    double w2 = 0x1.4fe13abe8fa9ap-60;
    w0 = c ? 0x1.b939105p-27 : w0;
    w1 = c ? 0x1.29fc274p-57 : w1;
    w2 = c ? 0x1.7d1f534ddc0dbp-85 : w2;
    w0 = d ? 0x1.529fc27p-53 : w0;
    w1 = d ? 0x1.5f47d4cp-83 : w1;
    w2 = d ? 0x1.377036d8a5665p-111 : w2;
    w0 = e ? 0x1.d5f47d4p-79 : w0;
    w1 = e ? 0x1.a6ee06dp-108 : w1;
    w2 = e ? 0x1.6295993c43904p-137 : w2;
    double v = x;
    double p = v * w0;
    p = p - ((p + 0x1.8p53) - 0x1.8p53);
    double q = v * w1;
    q = q - ((q + 0x1.8p53) - 0x1.8p53);
    double t = ((p + q) * steps - shift) + 0x1.8p52;
    double n = ((t - 0x1.8p52) + shift) * (1.0 / steps);
    double g = ((p - n) + q) + v * w2;
    *odd = (uint32_t)sc_bits_f64(t) & 1u;
    return (float)(g * 0x1.921fb54442d18p+1);
}

/* π in four words in float32, |x| within SC_TRIG_BOUND_F32. */
SC_INLINE float sc_reduce_bounded_f32(float x, float steps, float shift, uint32_t *odd) {
    float t = (x * (steps * 0x1.45f306p-2f) - shift) + 0x1.8p23f;
    float m = ((t - 0x1.8p23f) + shift) * (1.0f / steps);
    float r = sc_residual_f32(x, m, 0x1.921fb6p+1f);
    r = sc_residual_f32(r, m, -0x1.777a5cp-24f);
    r = r - m * -0x1.ee59dap-49f;
    *odd = sc_bits_f32(t) & 1u;
    return r;
}

SC_INLINE float sc_sine_poly_f32(float r) {
    float z = r * r;
    float p = 0x1.5dc84ap-19f;
    p = p * z + -0x1.9f70eap-13f;
    p = p * z + 0x1.110edap-7f;
    p = p * z + -0x1.55554cp-3f;
    return r + r * z * p;
}

SC_INLINE float sc_tan_poly_f32(float x, float r, uint32_t odd) {
    float z = r * r;
    float p = -0x1.9951eap-13f;
    p = p * z + 0x1.110774p-7f;
    p = p * z + -0x1.555546p-3f;
    float q = 0x1.99e0e4p-16f;
    q = q * z + -0x1.6c0c1ap-10f;
    q = q * z + 0x1.55554ap-5f;
    float s = r + r * z * p;
    float c = 1.0f - (0.5f * z - z * z * q);
    float y = (odd ? -c : s) / (odd ? s : c);
    return x == 0.0f ? x : y;
}

SC_INLINE float sc_sin_f32(float x) {
    uint32_t odd;
    float r = sc_reduce_f32(x, SC_SIN, &odd);
    float y = sc_flip_f32(sc_sine_poly_f32(r), odd);
    return x == 0.0f ? x : y;
}

SC_INLINE float sc_cos_f32(float x) {
    uint32_t odd;
    float r = sc_reduce_f32(x, SC_COS, &odd);
    return sc_flip_f32(sc_sine_poly_f32(r), odd ^ 1u);
}

SC_INLINE float sc_tan_f32(float x) {
    uint32_t odd;
    float r = sc_reduce_f32(x, SC_TAN, &odd);
    return sc_tan_poly_f32(x, r, odd);
}

SC_INLINE float sc_sin_bounded_f32(float x) {
    uint32_t odd;
    float r = sc_reduce_bounded_f32(x, SC_SIN, &odd);
    float y = sc_flip_f32(sc_sine_poly_f32(r), odd);
    return x == 0.0f ? x : y;
}

SC_INLINE float sc_cos_bounded_f32(float x) {
    uint32_t odd;
    float r = sc_reduce_bounded_f32(x, SC_COS, &odd);
    return sc_flip_f32(sc_sine_poly_f32(r), odd ^ 1u);
}

SC_INLINE float sc_tan_bounded_f32(float x) {
    uint32_t odd;
    float r = sc_reduce_bounded_f32(x, SC_TAN, &odd);
    return sc_tan_poly_f32(x, r, odd);
}

/* asin s = s + s·z·P(z), z = s² <= 1/4; beyond 1/2 asin a = π/2 - 2·asin √((1 - a)/2). */
SC_INLINE float sc_asin_part_f32(float a, float *s) {
    int far = a > 0.5f;
    float z = far ? 0.5f - 0.5f * a : a * a;
    *s = far ? sc_sqrt_f32(z) : a;
    float z2 = z * z;
    float p = SC_POLY5(z, z2,
        0x1.5555cap-3f, 0x1.330162p-4f, 0x1.748b78p-5f, 0x1.8ba496p-6f, 0x1.59dd6p-5f);
    return *s * z * p;
}

SC_INLINE double sc_asin_part_f64(double a, double *s) {
    int far = a > 0.5;
    double z = far ? 0.5 - 0.5 * a : a * a;
    *s = far ? sc_sqrt_f64(z) : a;
    double z2 = z * z;
    double p = SC_POLY13(z, z2,
        0x1.5555555555578p-3, 0x1.333333332df1ep-4, 0x1.6db6db722a81ap-5, 0x1.f1c71a8c1a9abp-6,
        0x1.6e8bdfd54fdf3p-6, 0x1.1c49df64c5b35p-6, 0x1.ca212019d4cd7p-7, 0x1.7578c4da9a041p-7,
        0x1.6183b55264e94p-7, 0x1.e1c68b761cd14p-9, 0x1.64e16cf2d7a74p-6, -0x1.59c8f19399076p-6,
        0x1.0bd66e67c16eap-5);
    return *s * z * p;
}

SC_INLINE float sc_asin_f32(float x) {
    float a = sc_abs_f32(x), s, p = sc_asin_part_f32(a, &s);
    float y = a > 0.5f ? 0x1.921fb6p+0f - (2.0f * s + (2.0f * p + 0x1.777a5cp-25f)) : s + p;
    return sc_copysign_f32(y, x);
}

SC_INLINE double sc_asin_f64(double x) {
    double a = sc_abs_f64(x), s, p = sc_asin_part_f64(a, &s);
    double far = 0x1.921fb54442d18p+0 - (2.0 * s + (2.0 * p - 0x1.1a62633145c07p-54));
    double y = a > 0.5 ? far : s + p;
    return sc_copysign_f64(y, x);
}

SC_INLINE float sc_acos_f32(float x) {
    float a = sc_abs_f32(x), s, p = sc_asin_part_f32(a, &s);
    float near = 0x1.921fb6p+0f
                 - (sc_copysign_f32(s, x) + (sc_copysign_f32(p, x) + 0x1.777a5cp-25f));
    float far = 2.0f * (s + p);
    float left = 0x1.921fb6p+1f - (2.0f * s + (2.0f * p + 0x1.777a5cp-24f));
    return a > 0.5f ? (x < 0.0f ? left : far) : near;
}

SC_INLINE double sc_acos_f64(double x) {
    double a = sc_abs_f64(x), s, p = sc_asin_part_f64(a, &s);
    double near = 0x1.921fb54442d18p+0
                  - (sc_copysign_f64(s, x) + (sc_copysign_f64(p, x) - 0x1.1a62633145c07p-54));
    double far = 2.0 * (s + p);
    double left = 0x1.921fb54442d18p+1 - (2.0 * s + (2.0 * p - 0x1.1a62633145c07p-53));
    return a > 0.5 ? (x < 0.0 ? left : far) : near;
}

/* atan t for t >= 0: beyond tan 3π/8 uses -1/t, beyond tan π/8
 * (t - 1)/(t + 1), and π/2 or π/4 is added to atan q = q + q³·P(q²). */
SC_INLINE float sc_atan_positive_f32(float a) {
    float flat = 0x1.a8279ap-2f, steep = 0x1.3504f4p+1f;
    float top = a > flat ? a - 1.0f : a;
    float bottom = a > flat ? a + 1.0f : 1.0f;
    float base = a > flat ? 0x1.921fb6p-1f : 0.0f;
    float low = a > flat ? -0x1.777a5cp-26f : 0.0f;
    top = a > steep ? -1.0f : top;
    bottom = a > steep ? a : bottom;
    base = a > steep ? 0x1.921fb6p+0f : base;
    low = a > steep ? -0x1.777a5cp-25f : low;
    float q = top / bottom, z = q * q;
    float z2 = z * z;
    float p = SC_POLY5(z, z2,
        -0x1.55554ap-2f, 0x1.9991e4p-3f, -0x1.23b9ccp-3f, 0x1.b22666p-4f, -0x1.f2eca4p-5f);
    return base + (q + (q * z * p + low));
}

SC_INLINE double sc_atan_positive_f64(double a) {
    double flat = 0x1.a827999fcef32p-2, steep = 0x1.3504f333f9de6p+1;
    double top = a > flat ? a - 1.0 : a;
    double bottom = a > flat ? a + 1.0 : 1.0;
    double base = a > flat ? 0x1.921fb54442d18p-1 : 0.0;
    double low = a > flat ? 0x1.1a62633145c07p-55 : 0.0;
    top = a > steep ? -1.0 : top;
    bottom = a > steep ? a : bottom;
    base = a > steep ? 0x1.921fb54442d18p+0 : base;
    low = a > steep ? 0x1.1a62633145c07p-54 : low;
    double q = top / bottom, z = q * q;
    double z2 = z * z;
    double p = SC_POLY11(z, z2,
        -0x1.555555555553dp-2, 0x1.9999999995889p-3, -0x1.24924922ae526p-3, 0x1.c71c70e66aa17p-4,
        -0x1.745cf8e5180aap-4, 0x1.3b11199086169p-4, -0x1.10ebbb83be9fap-4, 0x1.df0f5c9cc9c14p-5,
        -0x1.9cd281e7174b9p-5, 0x1.37d3af8220711p-5, -0x1.256314e580fffp-6);
    return base + (q + (q * z * p + low));
}

SC_INLINE float sc_atan_f32(float x) {
    return sc_copysign_f32(sc_atan_positive_f32(sc_abs_f32(x)), x);
}

SC_INLINE double sc_atan_f64(double x) {
    return sc_copysign_f64(sc_atan_positive_f64(sc_abs_f64(x)), x);
}

/* Equal magnitudes (both may be 0 or inf) have the ratio 0 or 1. */
SC_INLINE float sc_atan2_f32(float y, float x) {
    float a = sc_abs_f32(y), b = sc_abs_f32(x);
    float equal = a == 0.0f ? 0.0f : 1.0f;
    float t = sc_atan_positive_f32(a == b ? equal : a / b);
    float left = 0x1.921fb6p+1f - (t + 0x1.777a5cp-24f);
    return sc_copysign_f32(sc_copysign_f32(1.0f, x) < 0.0f ? left : t, y);
}

SC_INLINE double sc_atan2_f64(double y, double x) {
    double a = sc_abs_f64(y), b = sc_abs_f64(x);
    double equal = a == 0.0 ? 0.0 : 1.0;
    double t = sc_atan_positive_f64(a == b ? equal : a / b);
    double left = 0x1.921fb54442d18p+1 - (t - 0x1.1a62633145c07p-53);
    return sc_copysign_f64(sc_copysign_f64(1.0, x) < 0.0 ? left : t, y);
}

#endif
