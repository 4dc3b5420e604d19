/* Random numbers for generated C: Philox 4x32-10, a block cipher of a counter, and what makes
 * numbers of its words (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC'11).
 *
 * The one idea: a word is a function of its place alone, (key, call, draw, position), so it is
 * the same in whatever order, by however many threads, and in symcomp/tensor/random.py, which says
 * how a place is laid out in the counter.  All functions are straight lines that vectorise.
 *
 * The four 32-bit words of the state are kept in 64-bit lanes: a product of 32 bits by 32 then
 * needs no shuffling between even and odd lanes, which is most of the work in 32-bit lanes.  The
 * upper halves of lanes hold what is left over, and are dropped where a word is used as a number.
 * On a GPU there are no lanes, and words are words.
 */
#ifndef SYMCOMP_RANDOM_H
#define SYMCOMP_RANDOM_H

#include "symcomp_math_base.h"
#include "symcomp_math_log.h"

#if defined(__CUDACC__)
typedef uint32_t symcomp_word;
#else
typedef uint64_t symcomp_word;
#endif

typedef struct symcomp_block {
    symcomp_word a, b, c, d;
} symcomp_block;

#if defined(__CUDACC__)
/* Each product's halves stand side by side: so the compiler makes one multiplication of both. */
SC_INLINE symcomp_block symcomp_philox_round(symcomp_block x, uint32_t key_a, uint32_t key_b) {
    const uint32_t m = 0xd2511f53u, n = 0xcd9e8d57u;
    symcomp_block y = {__umulhi(x.c, n) ^ x.b ^ key_a, x.c * n,
                       __umulhi(x.a, m) ^ x.d ^ key_b, x.a * m};
    return y;
}
#else
SC_INLINE symcomp_block symcomp_philox_round(symcomp_block x, uint32_t key_a, uint32_t key_b) {
    uint64_t p = (uint64_t)(uint32_t)x.a * 0xd2511f53u;
    uint64_t q = (uint64_t)(uint32_t)x.c * 0xcd9e8d57u;
    symcomp_block y = {(q >> 32) ^ x.b ^ key_a, q, (p >> 32) ^ x.d ^ key_b, p};
    return y;
}
#endif

/* Ten rounds; the key is raised between them by the golden ratio and by √3 − 1. */
SC_INLINE symcomp_block symcomp_philox(symcomp_block x, uint64_t key) {
    const uint32_t a = (uint32_t)key, b = (uint32_t)(key >> 32);
    const uint32_t s = 0x9e3779b9u, t = 0xbb67ae85u;
    x = symcomp_philox_round(x, a, b);
    x = symcomp_philox_round(x, a + s, b + t);
    x = symcomp_philox_round(x, a + 2u * s, b + 2u * t);
    x = symcomp_philox_round(x, a + 3u * s, b + 3u * t);
    x = symcomp_philox_round(x, a + 4u * s, b + 4u * t);
    x = symcomp_philox_round(x, a + 5u * s, b + 5u * t);
    x = symcomp_philox_round(x, a + 6u * s, b + 6u * t);
    x = symcomp_philox_round(x, a + 7u * s, b + 7u * t);
    x = symcomp_philox_round(x, a + 8u * s, b + 8u * t);
    return symcomp_philox_round(x, a + 9u * s, b + 9u * t);
}

/* The counter: 40 bits of the block's number, 56 of the call's, 32 of the draw's. */
SC_INLINE symcomp_block symcomp_random_block(uint64_t key, uint64_t call, uint64_t draw,
                                             uint64_t block) {
    symcomp_block counter = {(symcomp_word)block,
                             (symcomp_word)(((block >> 32) & 0xffu) | (call << 8)),
                             (symcomp_word)draw, (symcomp_word)(call >> 24)};
    return symcomp_philox(counter, key);
}

SC_INLINE uint32_t symcomp_random_bits32(uint64_t key, uint64_t call, uint64_t draw,
                                         uint64_t position) {
    symcomp_block x = symcomp_random_block(key, call, draw, position >> 2);
    symcomp_word low = position & 1u ? x.b : x.a, high = position & 1u ? x.d : x.c;
    return (uint32_t)(position & 2u ? high : low);
}

SC_INLINE uint64_t symcomp_random_pair(uint64_t low, uint64_t high) {
    return (low & 0xffffffffu) | (high << 32);
}

SC_INLINE uint64_t symcomp_random_bits64(uint64_t key, uint64_t call, uint64_t draw,
                                         uint64_t position) {
    symcomp_block x = symcomp_random_block(key, call, draw, position >> 1);
    return symcomp_random_pair(position & 1u ? x.c : x.a, position & 1u ? x.d : x.b);
}

/* Whole numbers below 2⁵³ are converted by halves, each of which fits an int32: few processors
 * convert 64-bit integers in vectors.  Both halves, and their sum, are exact. */
SC_INLINE double symcomp_random_fraction(uint64_t below) {
    return (double)(int32_t)(below >> 27) * 0x1p-26
           + (double)(int32_t)(below & 0x7ffffffu) * 0x1p-53;
}

/* In [0, 1): multiples of 2⁻²⁴, and of 2⁻⁵³. */
SC_INLINE float symcomp_random_float32(uint32_t bits) {
    return (float)(int32_t)(bits >> 8) * 0x1p-24f;
}

SC_INLINE double symcomp_random_float64(uint64_t bits) {
    return symcomp_random_fraction(bits >> 11);
}

SC_INLINE bool symcomp_random_chance_f32(uint32_t bits, float p) {
    return symcomp_random_float32(bits) < p;
}

SC_INLINE bool symcomp_random_chance_f64(uint64_t bits, double p) {
    return symcomp_random_float64(bits) < p;
}

/* In (0, 1): the odd multiples of the same. */
SC_INLINE float symcomp_random_open32(uint32_t bits) {
    return (float)(int32_t)((bits >> 8) | 1u) * 0x1p-24f;
}

SC_INLINE double symcomp_random_open64(uint64_t bits) {
    return symcomp_random_fraction((bits >> 11) | 1u);
}

/* ⌊bits · range / 2⁶⁴⌋, the upper half of a product of 64 bits by 64; bits where range is 0, which
 * stands for 2⁶⁴. */
SC_INLINE uint64_t symcomp_random_below(uint64_t bits, uint64_t range) {
    uint64_t a = bits & 0xffffffffu, b = bits >> 32, c = range & 0xffffffffu, d = range >> 32;
    uint64_t middle = b * c + (a * c >> 32);
    uint64_t other = a * d + (middle & 0xffffffffu);
    uint64_t product = b * d + (middle >> 32) + (other >> 32);
    return range == 0 ? bits : product;
}

/* r·(big + small), rounded once where the processor can. */
SC_INLINE float symcomp_random_scaled_f32(float r, float big, float small) {
#if SC_HAS_FMA
    return __builtin_fmaf(r, big, r * small);
#else
    return r * big + r * small;
#endif
}

SC_INLINE double symcomp_random_scaled_f64(double r, double big, double small) {
#if SC_HAS_FMA
    return __builtin_fma(r, big, r * small);
#else
    return r * big + r * small;
#endif
}

/* √x for x that is 0 or not below 2⁻⁹⁶, nor large. On a GPU these are the steps of the compiler's
 * own, which branches for other numbers. */
SC_INLINE float symcomp_random_root_f32(float x) {
#if defined(__CUDACC__)
    float inverse;
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(fmaxf(x, 0x1p-96f)));
    float y = x * inverse;
    return fmaf(fmaf(-y, y, x), 0.5f * inverse, y);
#else
    return sc_sqrt_f32(x);
#endif
}

/* √(−2 ln u) for 2⁻³¹ ≤ u ≤ 1: with u = 2ᵏ·(1 + f) the root of −2k·ln 2 + (f²·Q(f) − 2f).  Little
 * cancels there, since f is not positive where k is 0, and ln 2 needs one part only: as a float32
 * it is wrong by a twentieth of its last place. */
SC_INLINE float symcomp_random_radius_f32(float u) {
    float f, k = sc_log_split_normal_f32(u, &f);
    float q = SC_HORNER8(f,
        0x1.ffffc8p-1f, -0x1.55579ap-1f, 0x1.000ef6p-1f, -0x1.98b56ap-2f, 0x1.51fc9ep-2f,
        -0x1.317164p-2f, 0x1.2cae4ap-2f, -0x1.7675a4p-3f);
    return symcomp_random_root_f32(k * -0x1.62e43p+0f + (f * (f * q) - 2.0f * f));
}

/* The standard normal distribution, in pairs: √(−2 ln u) · cos 2πv, and where `odd` is 1 · sin 2πv,
 * which is the cosine a quarter of a turn before (Box and Muller, 1958).  The angle is a quarter of
 * a turn, and x turns from there, |x| ≤ 1/8; both come exactly from the bits, so that the result is
 * accurate to its last places near zero, too.  sin and cos are Taylor's series.  All but the last
 * two lines is the same for both numbers of a pair: who computes both does that once. */
SC_INLINE float symcomp_random_normal_f32(uint32_t low, uint32_t high, uint32_t odd) {
    float u = (float)(int32_t)((low >> 1) | 1u) * 0x1p-31f;
    float radius = symcomp_random_radius_f32(u);
    uint32_t quarter = (high + 0x20000000u) >> 30;
    float x = (float)(int32_t)(high << 2) * 0x1p-34f, z = x * x;
    float sine =
        SC_HORNER4(z, -0x1.4abbcep+5f, 0x1.466bc6p+6f, -0x1.32d2ccp+6f, 0x1.507834p+5f);
    float cosine = SC_HORNER5(z,
        -0x1.3bd3ccp+4f, 0x1.03c1f0p+6f, -0x1.55d3c8p+6f, 0x1.e1f506p+5f, -0x1.a6d1f2p+4f);
    float rest, turn = sc_product_f32(x, 0x1.921fb6p+2f, &rest);
    rest = rest + x * (z * sine - 0x1.777a5cp-23f);
    float along = radius + radius * (z * cosine);
    float across = symcomp_random_scaled_f32(radius, turn, rest);
    quarter -= odd;
    return sc_flip_f32(quarter & 1u ? across : along, (quarter + 1u) >> 1);
}

SC_INLINE double symcomp_random_normal_f64(uint64_t low, uint64_t high, uint64_t odd) {
    double u = symcomp_random_fraction((low >> 11) | 1u);
    double radius = sc_sqrt_f64(-2.0 * sc_log_normal_f64(u));
    uint64_t angle = (high >> 10) + 0x8000000000000u, quarter = angle >> 52;
    int32_t coarse = (int32_t)((angle >> 26) & 0x3ffffffu) - 0x2000000;
    int32_t fine = (int32_t)(angle & 0x3ffffffu);
    double x = (double)coarse * 0x1p-28 + (double)fine * 0x1p-54, z = x * x;
    double sine = SC_HORNER8(z,
        -0x1.4abbce625be53p+5, 0x1.466bc6775aae2p+6, -0x1.32d2cce62bd86p+6,
        0x1.50783487ee782p+5, -0x1.e3074fde8871fp+3, 0x1.e8f434d018d63p+1,
        -0x1.6fadb9f155744p-1, 0x1.aaec32af93359p-4);
    double cosine = SC_HORNER8(z,
        -0x1.3bd3cc9be45dep+4, 0x1.03c1f081b5ac4p+6, -0x1.55d3c7e3cbffap+6,
        0x1.e1f506891babbp+5, -0x1.a6d1f2a204a8cp+4, 0x1.f9d38a3763cc3p+2,
        -0x1.b6e24f44b128fp+0, 0x1.20c62c2f2d7f5p-2);
    double rest, turn = sc_product_f64(x, 0x1.921fb54442d18p+2, &rest);
    rest = rest + x * (z * sine + 0x1.1a62633145c07p-52);
    double along = radius + radius * (z * cosine);
    double across = symcomp_random_scaled_f64(radius, turn, rest);
    quarter -= odd;
    return sc_flip_f64(quarter & 1u ? across : along, (quarter + 1u) >> 1);
}

SC_INLINE float symcomp_random_normal32(uint64_t key, uint64_t call, uint64_t draw,
                                        uint64_t position) {
    uint64_t bits = symcomp_random_bits64(key, call, draw, position >> 1);
    return symcomp_random_normal_f32((uint32_t)bits, (uint32_t)(bits >> 32), position & 1u);
}

SC_INLINE double symcomp_random_normal64(uint64_t key, uint64_t call, uint64_t draw,
                                         uint64_t position) {
    symcomp_block x = symcomp_random_block(key, call, draw, position >> 1);
    return symcomp_random_normal_f64(symcomp_random_pair(x.a, x.b),
                                     symcomp_random_pair(x.c, x.d), position & 1u);
}

/* What each of the elements that share a block x takes of it, as a function of the block's number.
 * Where all are computed side by side, the compiler computes what they have in common once. */
#define SYMCOMP_RANDOM_PART(type, name, value) \
    SC_INLINE type symcomp_random_##name(uint64_t key, uint64_t call, uint64_t draw, \
                                         uint64_t block) { \
        symcomp_block x = symcomp_random_block(key, call, draw, block); \
        return value; \
    }

SYMCOMP_RANDOM_PART(uint32_t, bits32_part0, (uint32_t)x.a)
SYMCOMP_RANDOM_PART(uint32_t, bits32_part1, (uint32_t)x.b)
SYMCOMP_RANDOM_PART(uint32_t, bits32_part2, (uint32_t)x.c)
SYMCOMP_RANDOM_PART(uint32_t, bits32_part3, (uint32_t)x.d)

SYMCOMP_RANDOM_PART(uint64_t, bits64_part0, symcomp_random_pair(x.a, x.b))
SYMCOMP_RANDOM_PART(uint64_t, bits64_part1, symcomp_random_pair(x.c, x.d))

SYMCOMP_RANDOM_PART(float, normal32_part0, symcomp_random_normal_f32(x.a, x.b, 0))
SYMCOMP_RANDOM_PART(float, normal32_part1, symcomp_random_normal_f32(x.a, x.b, 1))
SYMCOMP_RANDOM_PART(float, normal32_part2, symcomp_random_normal_f32(x.c, x.d, 0))
SYMCOMP_RANDOM_PART(float, normal32_part3, symcomp_random_normal_f32(x.c, x.d, 1))

SYMCOMP_RANDOM_PART(double, normal64_part0,
    symcomp_random_normal_f64(symcomp_random_pair(x.a, x.b), symcomp_random_pair(x.c, x.d), 0))
SYMCOMP_RANDOM_PART(double, normal64_part1,
    symcomp_random_normal_f64(symcomp_random_pair(x.a, x.b), symcomp_random_pair(x.c, x.d), 1))

#endif
