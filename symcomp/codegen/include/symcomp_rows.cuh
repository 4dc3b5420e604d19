/* A thread's share of a row: SLOTS vectors of LANES neighbouring elements, each loaded and stored as
 * one, where all rows are whole vectors (WIDE); elsewhere SLOTS * LANES elements, neighbours of which
 * are neighbouring threads'.  What a thread has stands in registers: all its loops have constant
 * rounds, and are written out.  See codegen/held_rows.py. */
#ifndef SYMCOMP_ROWS_CUH
#define SYMCOMP_ROWS_CUH

#include "symcomp_device.cuh"

template <class T, int LANES> struct alignas(sizeof(T) * LANES) sc_vector {
    T of[LANES];
};

/* Where a row of an array begins; the compiler does not find it again for each access. */
template <class T> SC_INLINE T *sc_kept(T *row) {
#if defined(__CUDACC__)
    asm("" : "+l"(row));
    __builtin_assume(__isGlobal(row));
#endif
    return row;
}

template <int LANES, int SLOTS, bool WIDE> struct sc_share {
    static const int count = LANES * SLOTS;

    /* Elements that a team has at once, and those before a lane of a slot but for this thread's. */
    SC_INLINE int span(void) { return count * (int)blockDim.x; }
    SC_INLINE int before(int slot, int lane) {
        return WIDE ? slot * LANES * (int)blockDim.x + lane : (slot * LANES + lane) * (int)blockDim.x;
    }
    /* The same as what takes no sign to be brought into an address. */
    SC_INLINE unsigned beyond(int slot, int lane) { return (unsigned)before(slot, lane); }

    /* This thread's first element. */
    SC_INLINE int first(void) { return WIDE ? LANES * (int)threadIdx.x : (int)threadIdx.x; }
    SC_INLINE int at(int slot, int lane) { return first() + before(slot, lane); }

    int left; /* elements of the row from this thread's first on, as far as the team has them */

    SC_METHOD explicit sc_share(int64_t n) : left((n < span() ? (int)n : span()) - first()) {}

    /* Whether this thread has anything in a lane of a slot: of a vector all or nothing. */
    SC_METHOD bool has(int slot, int lane) const { return before(slot, WIDE ? 0 : lane) < left; }

    /* What this thread has of a row; zeros where it has nothing. */
    template <class T> SC_METHOD void load(T (&held)[count], const T *row) const {
        const T *const own = row + (unsigned)first();
#pragma unroll
        for (int slot = 0; slot < SLOTS; ++slot) {
            sc_vector<T, LANES> v = {};
            if (WIDE && has(slot, 0))
                v = *reinterpret_cast<const sc_vector<T, LANES> *>(own + beyond(slot, 0));
#pragma unroll
            for (int lane = 0; lane < LANES; ++lane) {
                if (!WIDE && has(slot, lane)) v.of[lane] = own[beyond(slot, lane)];
                held[slot * LANES + lane] = v.of[lane];
            }
        }
    }

    template <class T> SC_METHOD void store(T *row, int slot, const T *values) const {
        T *const own = row + (unsigned)first();
        sc_vector<T, LANES> v;
#pragma unroll
        for (int lane = 0; lane < LANES; ++lane) {
            if (!WIDE && has(slot, lane)) own[beyond(slot, lane)] = values[lane];
            v.of[lane] = values[lane];
        }
        if (WIDE && has(slot, 0))
            *reinterpret_cast<sc_vector<T, LANES> *>(own + beyond(slot, 0)) = v;
    }
};

/* --- quotients by the same number -------------------------------------------------------------*/

SC_INLINE float sc_fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
SC_INLINE double sc_fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
SC_INLINE float sc_size(float x) { return __builtin_fabsf(x); }
SC_INLINE double sc_size(double x) { return __builtin_fabs(x); }

SC_INLINE float sc_with_sign(float x, float y) { return sc_copysign_f32(x, y); }
SC_INLINE double sc_with_sign(double x, double y) { return sc_copysign_f64(x, y); }

/* A divisor of a whole row: x / s by its reciprocal and one correction by the remainder, all but
 * correctly rounded; where x or the quotient is so small that the remainder is subnormal, it may be the
 * neighbour.  Both are scaled: so that the divisor is positive, and its reciprocal a normal number. */
template <class T> struct sc_divisor {
    T scale, divisor, reciprocal;

    SC_METHOD explicit sc_divisor(T s) {
        const T small = sizeof(T) == 4 ? (T)0x1p-120 : (T)0x1p-1000;
        const T step = sizeof(T) == 4 ? (T)0x1p64 : (T)0x1p512;
        const T size = sc_size(s);
        const T factor = size < small ? step : (size > 1 / small ? 1 / step : 1);
        scale = sc_with_sign(factor, s);
        divisor = size * factor;
        reciprocal = 1 / divisor;
    }

    /* x / s.  Where there is no remainder, since something is not finite, the quotient stands. */
    SC_METHOD T of(T x) const {
        const T dividend = x * scale, quotient = dividend * reciprocal;
        const T over = sc_fma(quotient, divisor, -dividend);
        return sc_size(over) < (T)INFINITY ? sc_fma(-over, reciprocal, quotient) : quotient;
    }
};

#endif
