/* Atomic operations, and the device's functions that the C library lacks; a part of emulation.h.
 *
 * One thread runs at a time and gives way only where it waits: reading, changing and writing is
 * atomic as it stands.
 */
#ifndef SYMCOMP_EMULATION_FUNCTIONS_H
#define SYMCOMP_EMULATION_FUNCTIONS_H

/* --- memory -----------------------------------------------------------------------------------*/

#define EMULATED_ATOMIC(name, result)                                                              \
    template <class T, class U> static inline T name(T *place, U value) {                          \
        const T old = *place, x = (T)value;                                                        \
        *place = (T)(result);                                                                      \
        return old;                                                                                \
    }

EMULATED_ATOMIC(atomicAdd, old + x)
EMULATED_ATOMIC(atomicSub, old - x)
EMULATED_ATOMIC(atomicMax, old < x ? x : old)
EMULATED_ATOMIC(atomicMin, x < old ? x : old)
EMULATED_ATOMIC(atomicAnd, old & x)
EMULATED_ATOMIC(atomicOr, old | x)
EMULATED_ATOMIC(atomicXor, old ^ x)
EMULATED_ATOMIC(atomicExch, x)

template <class T, class U, class V>
static inline T atomicCAS(T *place, U expected, V wanted) {
    const T old = *place;
    if (old == (T)expected) *place = (T)wanted;
    return old;
}

static inline void __threadfence() {}
static inline void __threadfence_block() {}
static inline void __threadfence_system() {}

template <class T> static inline T __ldg(const T *place) { return *place; }
template <class T> static inline T __ldcs(const T *place) { return *place; }
template <class T> static inline T __ldca(const T *place) { return *place; }
template <class T> static inline T __ldcg(const T *place) { return *place; }
template <class T, class U> static inline void __stcs(T *place, U value) { *place = (T)value; }
template <class T, class U> static inline void __stcg(T *place, U value) { *place = (T)value; }

static inline void __trap() {
    emulation::fail(emulation::error_launch_failed, "block (%u, %u, %u): thread %u trapped",
                    blockIdx.x, blockIdx.y, blockIdx.z, emulation::current->number);
}

/* --- bits -------------------------------------------------------------------------------------*/

template <class To, class From> static inline To emulated_bits(From x) {
    static_assert(sizeof(To) == sizeof(From), "as many bits");
    To y;
    memcpy(&y, &x, sizeof y);
    return y;
}

static inline int __float_as_int(float x) { return emulated_bits<int>(x); }
static inline unsigned __float_as_uint(float x) { return emulated_bits<unsigned>(x); }
static inline float __int_as_float(int x) { return emulated_bits<float>(x); }
static inline float __uint_as_float(unsigned x) { return emulated_bits<float>(x); }
static inline long long __double_as_longlong(double x) { return emulated_bits<long long>(x); }
static inline double __longlong_as_double(long long x) { return emulated_bits<double>(x); }

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
static inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __ffsll(long long x) { return __builtin_ffsll(x); }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
static inline int __mulhi(int a, int b) { return (int)((int64_t)a * b >> 32); }
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}

/* --- numbers ----------------------------------------------------------------------------------*/

#define EMULATED_EXTREMES(type)                                                                    \
    static inline type max(type a, type b) { return a < b ? b : a; }                               \
    static inline type min(type a, type b) { return b < a ? b : a; }

EMULATED_EXTREMES(int)
EMULATED_EXTREMES(unsigned)
EMULATED_EXTREMES(long)
EMULATED_EXTREMES(unsigned long)
EMULATED_EXTREMES(long long)
EMULATED_EXTREMES(unsigned long long)

static inline float max(float a, float b) { return fmaxf(a, b); }
static inline float min(float a, float b) { return fminf(a, b); }
static inline double max(double a, double b) { return fmax(a, b); }
static inline double min(double a, double b) { return fmin(a, b); }

static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }
static inline float __frcp_rn(float x) { return 1.0f / x; }
static inline float __fdiv_rn(float x, float y) { return x / y; }
static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
static inline double __fma_rn(double x, double y, double z) { return fma(x, y, z); }

/* Sums and products that are never contracted: the barrier keeps the compiler from it. */
template <class T> static inline T emulated_rounded(T x) {
    asm("" : "+m"(x));
    return x;
}

static inline float __fadd_rn(float x, float y) { return emulated_rounded(x + y); }
static inline float __fsub_rn(float x, float y) { return emulated_rounded(x - y); }
static inline float __fmul_rn(float x, float y) { return emulated_rounded(x * y); }
static inline double __dadd_rn(double x, double y) { return emulated_rounded(x + y); }
static inline double __dsub_rn(double x, double y) { return emulated_rounded(x - y); }
static inline double __dmul_rn(double x, double y) { return emulated_rounded(x * y); }

#endif
