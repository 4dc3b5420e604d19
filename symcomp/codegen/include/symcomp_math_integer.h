/* mod, floor_divide and power as NumPy defines them, and casts, all without undefined behaviour.
 *
 * Integers: division by zero gives 0, the smallest number divided by -1 wraps, as in NumPy.
 * Casts are sc_cast_<to>_<from> with to and from among bool, i8 ... u64, f32, f64 (bool is a
 * uint8_t that is 0 or 1).  A float out of range gives what NumPy's scalar loops give on x86-64:
 * int32 and int64 the smallest number; the narrower ones the low bits of that int32, uint32 those
 * of the int64; uint64 the int64's bits below 2⁶³ and those of x - 2⁶³ with the top one flipped
 * above.
 */
#ifndef SYMCOMP_MATH_INTEGER_H
#define SYMCOMP_MATH_INTEGER_H

#include "symcomp_math_base.h"

#define SC_SIGNED_DIVISION(name, type, wide) \
    SC_INLINE type sc_floordiv_##name(type a, type b) { \
        type d = (b == 0) | (b == -1) ? (type)1 : b; \
        type q = (type)(a / d), r = (type)(a % d); \
        type floored = (type)(q - ((r != 0) & ((r < 0) != (d < 0)))); \
        type negated = (type)((wide)0 - (wide)a); \
        return b == 0 ? (type)0 : (b == -1 ? negated : floored); \
    } \
    SC_INLINE type sc_mod_##name(type a, type b) { \
        type d = (b == 0) | (b == -1) ? (type)1 : b; \
        type r = (type)(a % d); \
        return (r != 0) & ((r < 0) != (d < 0)) ? (type)(r + d) : r; \
    }

#define SC_UNSIGNED_DIVISION(name, type) \
    SC_INLINE type sc_floordiv_##name(type a, type b) { \
        return b == 0 ? (type)0 : (type)(a / (b == 0 ? (type)1 : b)); \
    } \
    SC_INLINE type sc_mod_##name(type a, type b) { \
        return (type)(a % (b == 0 ? (type)1 : b)); \
    }

SC_SIGNED_DIVISION(i8, int8_t, uint32_t)
SC_SIGNED_DIVISION(i16, int16_t, uint32_t)
SC_SIGNED_DIVISION(i32, int32_t, uint32_t)
SC_SIGNED_DIVISION(i64, int64_t, uint64_t)
SC_UNSIGNED_DIVISION(u8, uint8_t)
SC_UNSIGNED_DIVISION(u16, uint16_t)
SC_UNSIGNED_DIVISION(u32, uint32_t)
SC_UNSIGNED_DIVISION(u64, uint64_t)

/* xⁿ modulo 2^bits by squaring.  NumPy refuses negative exponents; here they give the integer part
 * of the reciprocal power: 1 for x = 1, ±1 for x = -1, else 0. */
SC_FUNCTION uint64_t sc_ipow_bits(uint64_t x, uint64_t n) {
    uint64_t power = 1;
    for (; n; n >>= 1, x *= x) power *= n & 1u ? x : 1u;
    return power;
}

#define SC_SIGNED_POWER(name, type) \
    SC_FUNCTION type sc_ipow_##name(type x, type n) { \
        type reciprocal = x == 1 ? 1 : (x == -1 ? (type)(n & 1 ? -1 : 1) : 0); \
        return n < 0 ? reciprocal : (type)sc_ipow_bits((uint64_t)x, (uint64_t)n); \
    }

#define SC_UNSIGNED_POWER(name, type) \
    SC_FUNCTION type sc_ipow_##name(type x, type n) { return (type)sc_ipow_bits(x, n); }

SC_SIGNED_POWER(i8, int8_t)
SC_SIGNED_POWER(i16, int16_t)
SC_SIGNED_POWER(i32, int32_t)
SC_SIGNED_POWER(i64, int64_t)
SC_UNSIGNED_POWER(u8, uint8_t)
SC_UNSIGNED_POWER(u16, uint16_t)
SC_UNSIGNED_POWER(u32, uint32_t)
SC_UNSIGNED_POWER(u64, uint64_t)

/* The remainder of C, sign of the dividend.  While the quotient has fewer than 53 bits one fused
 * product gives it exactly, after a correction where the quotient was rounded up; the library's
 * loop does the rest.  Scalar, like mod and floordiv below. */
SC_FUNCTION double sc_fmod_f64(double a, double b) {
#if SC_HAS_FMA
    double q = a / b;
    if ((sc_abs_f64(q) < 0x1p52) & (sc_abs_f64(b) < SC_INF_F64)) {
        double r = __builtin_fma(-sc_trunc_f64(q), b, a);
        int past = (r != 0.0) & ((r < 0.0) != (a < 0.0));
        return sc_copysign_f64(past ? r + sc_copysign_f64(b, a) : r, a);
    }
#endif
    return __builtin_fmod(a, b);
}

SC_FUNCTION float sc_fmod_f32(float a, float b) { return (float)sc_fmod_f64(a, b); }

#define SC_FLOAT_DIVISION(name, type, fmod, copysign, floor) \
    SC_FUNCTION type sc_mod_##name(type a, type b) { \
        type r = fmod(a, b); \
        type moved = (b < 0) != (r < 0) ? r + b : r; \
        return r == 0 ? copysign(0, b) : moved; \
    } \
    SC_FUNCTION type sc_floordiv_##name(type a, type b) { \
        type r = fmod(a, b), ratio = a / b; \
        if (b == 0) return ratio; \
        type q = (a - r) / b - ((r != 0) & ((b < 0) != (r < 0))); \
        type whole = floor(q); \
        return q == 0 ? copysign(0, ratio) : (q - whole > (type)0.5 ? whole + 1 : whole); \
    }

SC_FLOAT_DIVISION(f32, float, sc_fmod_f32, sc_copysign_f32, sc_floor_f32)
SC_FLOAT_DIVISION(f64, double, sc_fmod_f64, sc_copysign_f64, sc_floor_f64)

/* Casts to integers go through the register-wide conversions below; all others are C's own. */
#define SC_FLOAT_TO_INTEGER(name, type) \
    SC_INLINE int32_t sc_cast_i32_##name(type x) { \
        return (x > (type)-2147483649.0) & (x < (type)2147483648.0) ? (int32_t)x : INT32_MIN; \
    } \
    SC_INLINE int64_t sc_cast_i64_##name(type x) { \
        return (x >= (type)-0x1p63) & (x < (type)0x1p63) ? (int64_t)x : INT64_MIN; \
    } \
    SC_INLINE uint64_t sc_cast_u64_##name(type x) { \
        uint64_t high = (uint64_t)sc_cast_i64_##name(x - (type)0x1p63) ^ 0x8000000000000000u; \
        return x >= (type)0x1p63 ? high : (uint64_t)sc_cast_i64_##name(x); \
    } \
    SC_INLINE uint32_t sc_cast_u32_##name(type x) { return (uint32_t)sc_cast_i64_##name(x); } \
    SC_INLINE int8_t sc_cast_i8_##name(type x) { return (int8_t)sc_cast_i32_##name(x); } \
    SC_INLINE int16_t sc_cast_i16_##name(type x) { return (int16_t)sc_cast_i32_##name(x); } \
    SC_INLINE uint8_t sc_cast_u8_##name(type x) { return (uint8_t)sc_cast_i32_##name(x); } \
    SC_INLINE uint16_t sc_cast_u16_##name(type x) { return (uint16_t)sc_cast_i32_##name(x); } \
    SC_INLINE uint8_t sc_cast_bool_##name(type x) { return x != 0; } \
    SC_INLINE float sc_cast_f32_##name(type x) { return (float)x; } \
    SC_INLINE double sc_cast_f64_##name(type x) { return (double)x; }

#define SC_INTEGER_CASTS(name, type) \
    SC_INLINE int8_t sc_cast_i8_##name(type x) { return (int8_t)x; } \
    SC_INLINE int16_t sc_cast_i16_##name(type x) { return (int16_t)x; } \
    SC_INLINE int32_t sc_cast_i32_##name(type x) { return (int32_t)x; } \
    SC_INLINE int64_t sc_cast_i64_##name(type x) { return (int64_t)x; } \
    SC_INLINE uint8_t sc_cast_u8_##name(type x) { return (uint8_t)x; } \
    SC_INLINE uint16_t sc_cast_u16_##name(type x) { return (uint16_t)x; } \
    SC_INLINE uint32_t sc_cast_u32_##name(type x) { return (uint32_t)x; } \
    SC_INLINE uint64_t sc_cast_u64_##name(type x) { return (uint64_t)x; } \
    SC_INLINE uint8_t sc_cast_bool_##name(type x) { return x != 0; } \
    SC_INLINE float sc_cast_f32_##name(type x) { return (float)x; } \
    SC_INLINE double sc_cast_f64_##name(type x) { return (double)x; }

SC_FLOAT_TO_INTEGER(f32, float)
SC_FLOAT_TO_INTEGER(f64, double)
SC_INTEGER_CASTS(bool, uint8_t)
SC_INTEGER_CASTS(i8, int8_t)
SC_INTEGER_CASTS(i16, int16_t)
SC_INTEGER_CASTS(i32, int32_t)
SC_INTEGER_CASTS(i64, int64_t)
SC_INTEGER_CASTS(u8, uint8_t)
SC_INTEGER_CASTS(u16, uint16_t)
SC_INTEGER_CASTS(u32, uint32_t)
SC_INTEGER_CASTS(u64, uint64_t)

#endif
