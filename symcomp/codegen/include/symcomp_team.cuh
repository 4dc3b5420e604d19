/* What the threads of a team do together: wait for each other, and fold.  See symcomp_device.cuh,
 * which includes this. */
#ifndef SYMCOMP_TEAM_CUH
#define SYMCOMP_TEAM_CUH

#define SC_ALL_LANES 0xffffffffu

/* The lanes of this thread's warp that belong to its team: teams of a warp go their own ways. */
SC_INLINE unsigned sc_lanes(void) {
    if (blockDim.x >= 32) return SC_ALL_LANES;
    const unsigned lane = (threadIdx.y * blockDim.x + threadIdx.x) & 31;
    return ((1u << blockDim.x) - 1) << (lane & ~(blockDim.x - 1));
}

/* --- folds ------------------------------------------------------------------------------------*/

/* Integers wrap: they are added and multiplied without signs. */
template <class T> struct sc_arithmetic {
    static const bool exact = true;
    typedef uint64_t wide;
};
template <> struct sc_arithmetic<float> {
    static const bool exact = false;
    typedef float wide;
};
template <> struct sc_arithmetic<double> {
    static const bool exact = false;
    typedef double wide;
};

/* Whether there is one nan, and an instruction for the larger of two floats that knows which zero is. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#define SC_ONE_NAN 1
#else
#define SC_ONE_NAN 0
#endif

/* The monoids of folds, by the compiler's names; `commutes` to the last bit, but for nans. */
struct sc_sum {
    static const bool commutes = true;
    template <class T> SC_INLINE T of(T a, T b) {
        typedef typename sc_arithmetic<T>::wide wide;
        return (T)((wide)a + (wide)b);
    }
};

struct sc_prod {
    static const bool commutes = true;
    template <class T> SC_INLINE T of(T a, T b) {
        typedef typename sc_arithmetic<T>::wide wide;
        return (T)((wide)a * (wide)b);
    }
};

struct sc_max {
    static const bool commutes = false;
    template <class T> SC_INLINE T of(T a, T b) { return a > b ? a : b; }
    SC_INLINE float of(float a, float b) { return sc_maximum_f32(a, b); }
    SC_INLINE double of(double a, double b) { return sc_maximum_f64(a, b); }
};

struct sc_min {
    static const bool commutes = false;
    template <class T> SC_INLINE T of(T a, T b) { return a < b ? a : b; }
    SC_INLINE float of(float a, float b) { return sc_minimum_f32(a, b); }
    SC_INLINE double of(double a, double b) { return sc_minimum_f64(a, b); }
};

struct sc_any {
    static const bool commutes = true;
    template <class T> SC_INLINE T of(T a, T b) { return (T)(a || b); }
};

struct sc_all {
    static const bool commutes = true;
    template <class T> SC_INLINE T of(T a, T b) { return (T)(a && b); }
};

/* --- teams ------------------------------------------------------------------------------------*/

/* Waits for the whole team; what its threads wrote before is seen by all of them after. */
SC_INLINE void sc_team_sync(SC_SITE) {
    if (blockDim.x <= 32)
        __syncwarp(sc_lanes() SC_AND_HERE);
    else
        __syncthreads(SC_HERE);
}

/* The value of the lane whose number differs by the bits of `distance`; all of `lanes` ask. */
template <class T> SC_INLINE T sc_exchanged(T x, unsigned distance, unsigned lanes SC_AND_SITE) {
    if constexpr (sizeof(T) < 4)
        return (T)__shfl_xor_sync(lanes, (int)x, distance, 32 SC_AND_HERE);
    else
        return __shfl_xor_sync(lanes, x, distance, 32 SC_AND_HERE);
}

/* The value of the first of each `width` lanes. */
template <class T> SC_INLINE T sc_of_first(T x, unsigned width, unsigned lanes SC_AND_SITE) {
    if constexpr (sizeof(T) < 4)
        return (T)__shfl_sync(lanes, (int)x, 0, width SC_AND_HERE);
    else
        return __shfl_sync(lanes, x, 0, width SC_AND_HERE);
}

/* Folds `width` neighbouring lanes, a power of two, by a butterfly: each step folds pairs.  The first
 * lane has the parts in their order. */
template <class Op, class T>
SC_INLINE T sc_first_lane_fold(T part, unsigned width, unsigned lanes SC_AND_SITE) {
#pragma unroll
    for (unsigned distance = 1; distance < 32; distance *= 2)
        if (distance < width) part = Op::of(part, sc_exchanged(part, distance, lanes SC_AND_HERE));
    return part;
}

/* The same, and the same bits in all lanes: where a fold does not commute to the last bit (zeros of
 * either sign; nans, but on a GPU) the others take those of the first. */
template <class Op, class T>
SC_INLINE T sc_lanes_fold(T part, unsigned width, unsigned lanes SC_AND_SITE) {
    part = sc_first_lane_fold<Op>(part, width, lanes SC_AND_HERE);
    if constexpr (SC_ONE_NAN && (Op::commutes || sizeof(T) <= 4)) return part;
    return sc_of_first(part, width, lanes SC_AND_HERE);
}

/* One part of each warp, of any type: there is one such place in a block. */
SC_INLINE void *sc_warp_parts(void) {
    __shared__ uint64_t parts[32];
    return parts;
}

/* The fold of the parts of all warps of a block, by a butterfly in which only the first lane has
 * folded them all in the end: there may be any number of them. */
template <class Op, class T> SC_INLINE T sc_block_fold(T part SC_AND_SITE) {
    T *const parts = static_cast<T *>(sc_warp_parts());
    const unsigned lane = threadIdx.x & 31, warps = blockDim.x / 32;
    part = sc_first_lane_fold<Op>(part, 32, SC_ALL_LANES SC_AND_HERE);
    if (lane == 0) parts[threadIdx.x / 32] = part;
    __syncthreads(SC_HERE);
    part = parts[lane < warps ? lane : 0];
    __syncthreads(SC_HERE);
    for (unsigned distance = 1; distance < warps; distance *= 2) {
        const T other = sc_exchanged(part, distance, SC_ALL_LANES SC_AND_HERE);
        if ((lane ^ distance) < warps) part = Op::of(part, other);
    }
    return sc_of_first(part, 32, SC_ALL_LANES SC_AND_HERE);
}

/* The fold of all parts of a team, the same bits in all its threads.  May be called again at once. */
template <class Op, class T> SC_INLINE T sc_team_fold(T part SC_AND_SITE) {
    if (blockDim.x > 32) return sc_block_fold<Op>(part SC_AND_HERE);
    return sc_lanes_fold<Op>(part, blockDim.x, sc_lanes() SC_AND_HERE);
}

/* The same where all teams of a warp call it together, which is quicker. */
template <class Op, class T> SC_INLINE T sc_teams_fold(T part SC_AND_SITE) {
    if (blockDim.x > 32) return sc_block_fold<Op>(part SC_AND_HERE);
    return sc_lanes_fold<Op>(part, blockDim.x, SC_ALL_LANES SC_AND_HERE);
}

#endif
