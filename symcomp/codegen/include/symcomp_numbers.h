/* What generated code needs of numbers beyond symcomp_math.h: the integer forms of functions that
 * floats have too, questions about floats, and the sizes of tiles and matrices.
 *
 * Files are compiled with -fwrapv: integer arithmetic wraps, as NumPy's does.  Compilers of CUDA do
 * not know that: what may wrap is written without signs here.
 */
#ifndef SYMCOMP_NUMBERS_H
#define SYMCOMP_NUMBERS_H

#include "symcomp_math_base.h"

#ifndef NAN
#define NAN __builtin_nanf("")
#endif
#ifndef INFINITY
#define INFINITY __builtin_inff()
#endif

#define SC_ORDERED(name, type)                                                                     \
    SC_FUNCTION type sc_maximum_##name(type x, type y) { return x > y ? x : y; }                   \
    SC_FUNCTION type sc_minimum_##name(type x, type y) { return x < y ? x : y; }                   \
    SC_FUNCTION type sc_fmax_##name(type x, type y) { return x > y ? x : y; }                      \
    SC_FUNCTION type sc_fmin_##name(type x, type y) { return x < y ? x : y; }                      \
    SC_FUNCTION type sc_not_##name(type x) { return (type)~x; }                                    \
    SC_FUNCTION type sc_pow_##name(type x, type y) { return sc_ipow_##name(x, y); }

#define SC_SIGNED(name, type, bits)                                                                \
    SC_ORDERED(name, type)                                                                         \
    SC_FUNCTION type sc_abs_##name(type x) {                                                       \
        return (type)(x < 0 ? (u##type)0 - (u##type)x : (u##type)x);                               \
    }                                                                                              \
    SC_FUNCTION type sc_sign_##name(type x) { return (type)((x > 0) - (x < 0)); }                  \
    SC_FUNCTION type sc_shl_##name(type x, type y) {                                               \
        return (uint64_t)y < bits ? (type)((uint64_t)x << (y & (bits - 1))) : (type)0;             \
    }                                                                                              \
    SC_FUNCTION type sc_shr_##name(type x, type y) {                                               \
        return (type)(x >> ((uint64_t)y < bits ? y : bits - 1));                                   \
    }

#define SC_UNSIGNED(name, type, bits)                                                              \
    SC_ORDERED(name, type)                                                                         \
    SC_FUNCTION type sc_abs_##name(type x) { return x; }                                           \
    SC_FUNCTION type sc_sign_##name(type x) { return (type)(x > 0); }                              \
    SC_FUNCTION type sc_shl_##name(type x, type y) {                                               \
        return y < bits ? (type)((uint64_t)x << (y & (bits - 1))) : (type)0;                       \
    }                                                                                              \
    SC_FUNCTION type sc_shr_##name(type x, type y) {                                               \
        return y < bits ? (type)(x >> (y & (bits - 1))) : (type)0;                                 \
    }

SC_SIGNED(i8, int8_t, 8)
SC_SIGNED(i16, int16_t, 16)
SC_SIGNED(i32, int32_t, 32)
SC_SIGNED(i64, int64_t, 64)
SC_UNSIGNED(u8, uint8_t, 8)
SC_UNSIGNED(u16, uint16_t, 16)
SC_UNSIGNED(u32, uint32_t, 32)
SC_UNSIGNED(u64, uint64_t, 64)

#define SC_QUESTIONS(name, type, infinite, negative)                                               \
    SC_FUNCTION bool sc_isinf_##name(type x) { return x == infinite || x == -infinite; }           \
    SC_FUNCTION bool sc_isfinite_##name(type x) { return x - x == 0; }                             \
    SC_FUNCTION bool sc_signbit_##name(type x) { return negative(x) != 0; }

SC_QUESTIONS(f32, float, __builtin_inff(), __builtin_signbitf)
SC_QUESTIONS(f64, double, __builtin_inf(), __builtin_signbit)

/* The larger of two sizes in bytes. */
SC_FUNCTION size_t sc_larger(size_t x, size_t y) { return x > y ? x : y; }

/* How many of n elements lie before the next cache line begins. */
SC_FUNCTION int64_t sc_head(const void *place, size_t itemsize, int64_t n) {
    int64_t count = (int64_t)((-(uintptr_t)place & 63) / itemsize);
    return count < n ? count : n;
}

/* A leading dimension: BLAS wants at least one, also of matrices without columns. */
SC_FUNCTION int sc_stride(int64_t n) { return n > 1 ? (int)n : 1; }

/* How loops are cut into pieces, the rows of a column sum into blocks, and a product into tiles: see
 * codegen/tiling.py, which says the same in Python. */
#ifndef SYMCOMP_CORES
#define SYMCOMP_CORES 1
#endif

SC_FUNCTION int64_t sc_between(int64_t low, int64_t x, int64_t high) {
    x = x < high ? x : high;
    return x > low ? x : low;
}

SC_FUNCTION int64_t sc_grain(int64_t piece, int64_t work) {
    return sc_between(1, piece / (work > 1 ? work : 1), piece);
}

SC_FUNCTION int64_t sc_row_blocks(int64_t elements, int64_t most) {
    return sc_between(1, elements / (1 << 17), most < 64 ? most : 64);
}

SC_FUNCTION int64_t sc_tiles(int64_t m, int64_t n, int64_t k) {
    return sc_between(1, m * n * k / (1 << 19), 2 * SYMCOMP_CORES);
}

SC_FUNCTION bool sc_cuts_columns(int64_t m, int64_t n) { return m < 192 && n >= 128; }

SC_FUNCTION int64_t sc_tile_length(int64_t extent, int64_t pieces) {
    int64_t length = ((extent + pieces - 1) / pieces + 15) / 16 * 16;
    return length > 16 ? length : 16;
}

SC_FUNCTION int64_t sc_tile_rows(int64_t m, int64_t n, int64_t k) {
    return sc_cuts_columns(m, n) ? (m > 1 ? m : 1) : sc_tile_length(m, sc_tiles(m, n, k));
}

SC_FUNCTION int64_t sc_tile_columns(int64_t m, int64_t n, int64_t k) {
    return sc_cuts_columns(m, n) ? sc_tile_length(n, sc_tiles(m, n, k)) : (n > 1 ? n : 1);
}

SC_FUNCTION int64_t sc_tile_count(int64_t m, int64_t n, int64_t k) {
    int64_t height = sc_tile_rows(m, n, k), width = sc_tile_columns(m, n, k);
    return ((m + height - 1) / height) * ((n + width - 1) / width);
}

#endif
