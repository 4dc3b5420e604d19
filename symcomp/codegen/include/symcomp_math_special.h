/* Special functions.  erf and erfc are straight lines and vectorise; those after them are not made
 * for vectors: they branch, loop until the terms vanish, and may call the C library.
 */
#ifndef SYMCOMP_MATH_SPECIAL_H
#define SYMCOMP_MATH_SPECIAL_H

#include "symcomp_math_base.h"
#include "symcomp_math_exp.h"
#include "symcomp_math_log.h"
#include "symcomp_math_trig.h"

/* erf a = a + a·P(a²) up to 1, then 1 - e^Q(a) with Q fitted to ln erfc, until erfc is nothing. */
SC_INLINE float sc_erf_poly_f32(float z) {
    float z2 = z * z;
    float p = SC_POLY7(z, z2,
        0x1.06eba8p-3f, -0x1.81273ep-2f, 0x1.ce2d0ep-4f, -0x1.b7fa34p-6f, 0x1.540d24p-8f,
        -0x1.a42512p-11f, 0x1.49d7fap-14f);
    return p;
}

SC_INLINE float sc_erf_f32(float x) {
    float a = sc_abs_f32(x), p = sc_erf_poly_f32(x * x);
    float t = sc_clamp_f32(a, 0.0f, 4.0f);
    float t2 = t * t;
    float q = SC_POLY8(t, t2,
        0x1.8b3e38p-13f, -0x1.212c2cp+0f, -0x1.4434fp-1f, -0x1.bc18ccp-4f, 0x1.9d0bcap-6f,
        -0x1.1398e8p-8f, 0x1.ceeab4p-12f, -0x1.6c064p-16f);
    uint32_t n;
    float e = sc_exp_parts_f32(q, -0.0f, &n), s = sc_exp2i_f32(n);
    float y = a < 1.0f ? a + a * p : 1.0f - (s + s * e);
    return sc_copysign_f32(y, x);
}

SC_INLINE double sc_erf_poly_f64(double z) {
    double z2 = z * z;
    double p = SC_POLY12(z, z2,
        0x1.06eba8214db68p-3, -0x1.812746b03799dp-2, 0x1.ce2f21a03f856p-4, -0x1.b82ce311a70e4p-6,
        0x1.565bccee6b084p-8, -0x1.c02daea167ea0p-11, 0x1.f9a29434475e3p-14,
        -0x1.f4c800fcd15b2p-17, 0x1.b96945113cf1fp-20, -0x1.5b7de5cf03e85p-23,
        0x1.d36c71acabc27p-27, -0x1.a0c646f958221p-31);
    return p;
}

SC_INLINE double sc_erf_f64(double x) {
    double a = sc_abs_f64(x), p = sc_erf_poly_f64(x * x);
    double t = sc_clamp_f64(a, 0.0, 6.0);
    double t2 = t * t;
    double q = SC_POLY19(t, t2,
        -0x1.31f2490c47545p-23, -0x1.20dd5c08e82b3p+0, -0x1.45f3f891e120dp-1,
        -0x1.a4de84d2a85eep-4, 0x1.38b2448844d88p-6, 0x1.1c004666025bep-12,
        -0x1.cd3e1378e5dcap-10, 0x1.4c701b2110131p-11, -0x1.5633f44d5e8aep-15,
        -0x1.2e52ba8623fa8p-14, 0x1.7e2dba3418f54p-15, -0x1.16b85cdbb5759p-16,
        0x1.22a0ace0cd061p-18, -0x1.c642c18078cf2p-21, 0x1.0a809f2699174p-23,
        -0x1.c9dfaf0e7decfp-27, 0x1.108c56acb17f7p-30, -0x1.9236ce158d232p-35,
        0x1.152aaa2f28c2cp-40);
    uint64_t n;
    double e = sc_exp_parts_f64(q, -0.0, &n), s = sc_exp2i_f64(n);
    double y = a < 1.0 ? a + a * p : 1.0 - (s + s * e);
    return sc_copysign_f64(y, x);
}

/* erfc a = e^(-a²)·G(u)/(1 + 2a) with u = (a - K)/(a + K), which maps the whole half line to an
 * interval (Shepherd & Laframboise 1981); a² is taken exactly, in two parts; K = 2 and 4.
 * Below 1/2 it is 1 - erf. */
SC_INLINE float sc_erfc_f32(float x) {
    float a = sc_clamp_f32(sc_abs_f32(x), 0.0f, 10.5f);
    float u = (a - 2.0f) / (a + 2.0f);
    float u2 = u * u;
    float g = SC_POLY10(u, u2,
        0x1.46e80ep+0f, -0x1.7bf61ap-4f, -0x1.54085cp-3f, 0x1.4ffc6ap-3f, -0x1.bc0722p-5f,
        -0x1.08239p-7f, 0x1.1aa2b2p-7f, 0x1.58148ep-10f, -0x1.406d8ap-10f, -0x1.9f5732p-12f);
    float low, square = sc_product_f32(a, a, &low);
    uint32_t n;
    float p = sc_exp_parts_f32(-square, -low, &n);
    g = g / (1.0f + 2.0f * a);
    float y = sc_scale_f32(g + g * p, n);
    float near = 1.0f - (x + x * sc_erf_poly_f32(x * x));
    float far = x < 0.0f ? 2.0f - y : y;
    return a < 0.5f ? near : far;
}

SC_INLINE double sc_erfc_f64(double x) {
    double a = sc_clamp_f64(sc_abs_f64(x), 0.0, 28.0);
    double u = (a - 4.0) / (a + 4.0);
    double u2 = u * u;
    double g = SC_POLY23(u, u2,
        0x1.3ba5916e9fd7fp+0, -0x1.1df1ad154a29cp-3, 0x1.f7f5df66fd71fp-7, 0x1.16ecefcfa6043p-4,
        -0x1.9ddb23c3e8a50p-4, 0x1.7fee004df6ab4p-4, -0x1.0fb06dfe58c95p-4, 0x1.3079edf9f9c20p-5,
        -0x1.0962388077a41p-6, 0x1.49c67191a4473p-8, -0x1.8d4a9feecd917p-11,
        -0x1.a1de83cd60204p-13, 0x1.3be0d2db77b81p-13, -0x1.9969d63412f10p-16,
        -0x1.78a872542a9f3p-17, 0x1.7fae64693b268p-18, 0x1.44392267ac0fcp-22,
        -0x1.bfe13381f7785p-21, 0x1.0bf57be74cf6dp-24, 0x1.ec09e0d28c61cp-24,
        -0x1.0b46ffced3210p-27, -0x1.cbf3ae9f331d8p-27, -0x1.d826274f7c1b1p-30);
    double low, square = sc_product_f64(a, a, &low);
    uint64_t n;
    double p = sc_exp_parts_f64(-square, -low, &n);
    g = g / (1.0 + 2.0 * a);
    double y = sc_scale_f64(g + g * p, n);
    double near = 1.0 - (x + x * sc_erf_poly_f64(x * x));
    double far = x < 0.0 ? 2.0 - y : y;
    return a < 0.5 ? near : far;
}

/* ln |Γ(x)|: the reentrant form, as lgamma itself writes a global variable. */
#ifndef lgamma_r
extern double lgamma_r(double, int *);
#endif

SC_FUNCTION double sc_gammaln_f64(double x) {
    int sign;
    return x == -SC_INF_F64 ? SC_INF_F64 : lgamma_r(x, &sign);
}

SC_FUNCTION double sc_gamma_f64(double x) { return __builtin_tgamma(x); }

/* ψ and ψ′: upwards by recurrence to 10, then the asymptotic series (Bernoulli numbers); the left
 * half line by reflection about 1/2, with the cotangent of the reduced argument. */
SC_FUNCTION double sc_digamma_f64(double x) {
    double add = 0.0;
    if (x == 0.0) return -sc_copysign_f64(SC_INF_F64, x);
    if (x < 0.0) {
        double f = x - sc_rint_f64(x);
        if (f == 0.0 || f != f) return SC_NAN_F64;
        add = -0x1.921fb54442d18p+1 / sc_tan_f64(0x1.921fb54442d18p+1 * f);
        x = 1.0 - x;
    }
    if (x == SC_INF_F64) return x;
    /* near the positive zero the difference ψ(x) - ψ(zero) is a Taylor series */
    double d = (x - 0x1.762d86356be3fp+0) - 0x1.b86a722197829p-54;
    if (sc_abs_f64(d) < 0.03125) {
        double s = -0x1.d828079282eb8p-8;
        s = s * d + 0x1.5955caaa962f3p-7;
        s = s * d + -0x1.f970508e1b6a2p-7;
        s = s * d + 0x1.723d6807edcc0p-6;
        s = s * d + -0x1.0fa7ec36a7d8fp-5;
        s = s * d + 0x1.8fce02b239ca7p-5;
        s = s * d + -0x1.27baba261cc2cp-4;
        s = s * d + 0x1.b9a5b6370f3abp-4;
        s = s * d + -0x1.4fc1317257da8p-3;
        s = s * d + 0x1.08b4294d50381p-2;
        s = s * d + -0x1.c563b54aa1a35p-2;
        s = s * d + 0x1.ef72bc8ee38acp-1;
        return s * d + add;
    }
    for (; x < 10.0; x += 1.0) add -= 1.0 / x;
    double z = 1.0 / (x * x);
    double s = z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132
               - z * (691.0 / 32760 - z * (1.0 / 12 - z * (3617.0 / 8160))))))));
    return (__builtin_log(x) - 0.5 / x - s) + add;
}

SC_FUNCTION double sc_trigamma_f64(double x) {
    double add = 0.0, sign = 1.0;
    if (x <= 0.0) {
        double f = x - sc_rint_f64(x);
        if (f == 0.0) return SC_INF_F64;
        if (f != f) return SC_NAN_F64;
        double s = sc_sin_f64(0x1.921fb54442d18p+1 * f);
        add = (0x1.921fb54442d18p+1 / s) * (0x1.921fb54442d18p+1 / s);
        sign = -1.0;
        x = 1.0 - x;
    }
    double sum = 0.0;
    for (; x < 10.0; x += 1.0) sum += 1.0 / (x * x);
    double r = 1.0 / x, z = r * r;
    double s = z * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42 - z * (1.0 / 30 - z * (5.0 / 66
               - z * (691.0 / 2730 - z * (7.0 / 6 - z * (3617.0 / 510))))))));
    return add + sign * (sum + (r + 0.5 * z + r * s));
}

/* erf⁻¹: Winitzki's closed form, then Halley steps on erf, or on erfc where erf is close to 1. */
SC_FUNCTION double sc_erfcinv_start_f64(double one_minus_square) {
    double l = sc_log_f64(one_minus_square), t = 4.3307467508 + 0.5 * l;
    return sc_sqrt_f64(sc_sqrt_f64(t * t - l * 6.8027210884) - t);
}

/* y > 0 with erf y = p and erfc y = q, p + q = 1, both given so that neither is rounded. */
SC_FUNCTION double sc_erfinv_pair_f64(double p, double q) {
    double y = sc_erfcinv_start_f64(q * (1.0 + p));
    for (int step = 0; step < 3; step++) {
        double error = p < 0.5 ? sc_erf_f64(y) - p : q - sc_erfc_f64(y);
        double slope = 0x1.20dd750429b6dp+0 * sc_exp_f64(-y * y);
        double newton = error / slope;
        y -= newton / (1.0 + y * newton);
    }
    return y;
}

SC_FUNCTION double sc_erfinv_f64(double x) {
    double a = sc_abs_f64(x);
    if (!(a < 1.0)) return a == 1.0 ? sc_copysign_f64(SC_INF_F64, x) : SC_NAN_F64;
    if (a < 1e-9) return x * 0x1.c5bf891b4ef6bp-1;
    return sc_copysign_f64(sc_erfinv_pair_f64(a, 1.0 - a), x);
}

/* The quantile of the normal distribution: erfc(-y/√2) = 2p. */
SC_FUNCTION double sc_ndtri_f64(double p) {
    if (!(p > 0.0 && p < 1.0)) return p == 0.0 ? -SC_INF_F64 : (p == 1.0 ? SC_INF_F64 : SC_NAN_F64);
    if (p == 0.5) return 0.0;
    double q = p < 0.5 ? 2.0 * p : 2.0 * (1.0 - p);
    double y = 0x1.6a09e667f3bcdp+0 * sc_erfinv_pair_f64(1.0 - q, q);
    return p < 0.5 ? -y : y;
}

/* I₀ and I₁: the power series (all terms positive) up to 30, Hankel's asymptotic series beyond,
 * whose terms fall below 2⁻⁵³ there; e^x in two halves, so that it does not overflow early. */
SC_FUNCTION double sc_bessel_i_f64(double a, double order) {
    double term = order == 0.0 ? 1.0 : 0.5 * a, sum = term;
    if (a <= 30.0) {
        double z = 0.25 * a * a;
        for (double k = 1.0; term > 0x1p-56 * sum; k += 1.0) {
            term *= z / (k * (k + order));
            sum += term;
        }
        return sum;
    }
    if (a == SC_INF_F64) return a;
    double next = 1.0, series = 1.0;
    for (double k = 1.0; k < 60.0 && sc_abs_f64(next) > 0x1p-56; k += 1.0) {
        double odd = 2.0 * k - 1.0;
        next *= -(4.0 * order * order - odd * odd) / (8.0 * k * a);
        series += next;
    }
    double half = sc_exp_f64(0.5 * a);
    return half / sc_sqrt_f64(0x1.921fb54442d18p+2 * a) * series * half;
}

SC_FUNCTION double sc_i0_f64(double x) {
    return x != x ? x : sc_bessel_i_f64(sc_abs_f64(x), 0.0);
}

SC_FUNCTION double sc_i1_f64(double x) {
    return x != x ? x : sc_copysign_f64(sc_bessel_i_f64(sc_abs_f64(x), 1.0), x);
}

/* In float32 the scalar functions are the float64 ones, rounded. */
SC_FUNCTION float sc_gammaln_f32(float x) { return (float)sc_gammaln_f64(x); }
SC_FUNCTION float sc_gamma_f32(float x) { return (float)sc_gamma_f64(x); }
SC_FUNCTION float sc_digamma_f32(float x) { return (float)sc_digamma_f64(x); }
SC_FUNCTION float sc_trigamma_f32(float x) { return (float)sc_trigamma_f64(x); }
SC_FUNCTION float sc_erfinv_f32(float x) { return (float)sc_erfinv_f64(x); }
SC_FUNCTION float sc_ndtri_f32(float x) { return (float)sc_ndtri_f64(x); }
SC_FUNCTION float sc_i0_f32(float x) { return (float)sc_i0_f64(x); }
SC_FUNCTION float sc_i1_f32(float x) { return (float)sc_i1_f64(x); }

#endif
