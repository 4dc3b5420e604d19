/* Folds over teams, for test_teams: each dtype and monoid, twice in a row, and what goes with it. */
#include "symcomp_grid.cuh"

/* Team `t` folds its rows t, t + teams, ...; every thread writes what it got of each. */
template <class Op, class T>
SC_INLINE void folded(const T *x, T *out, int64_t rows) {
    for (int64_t row = sc_team(); row < rows; row += sc_teams()) {
        const int64_t i = row * blockDim.x + threadIdx.x;
        const T once = sc_team_fold<Op>(x[i]);
        const T again = sc_team_fold<Op>(x[rows * blockDim.x + i]);
        out[i] = once;
        out[rows * blockDim.x + i] = again;
    }
}

#define FOLDED(op, name, type)                                                                     \
    extern "C" __global__ void op##_##name(const type *x, type *out, int64_t rows) {               \
        folded<sc_##op>(x, out, rows);                                                             \
    }
#define FOLDED_ALL(name, type)                                                                     \
    FOLDED(sum, name, type)                                                                        \
    FOLDED(prod, name, type)                                                                       \
    FOLDED(max, name, type)                                                                        \
    FOLDED(min, name, type)                                                                        \
    FOLDED(any, name, type)                                                                        \
    FOLDED(all, name, type)

FOLDED_ALL(b, bool)
FOLDED_ALL(i8, int8_t)
FOLDED_ALL(i16, int16_t)
FOLDED_ALL(i32, int32_t)
FOLDED_ALL(i64, int64_t)
FOLDED_ALL(u8, uint8_t)
FOLDED_ALL(u16, uint16_t)
FOLDED_ALL(u32, uint32_t)
FOLDED_ALL(u64, uint64_t)
FOLDED_ALL(f32, float)
FOLDED_ALL(f64, double)

/* Each team turns its row around, through its part of shared memory, as often as it has rows. */
extern "C" __global__ void reversed(const int *x, int *out, int64_t rows) {
    SC_DYNAMIC_SHARED(int, shared, 0);
    int *const tile = shared + threadIdx.y * blockDim.x;
    for (int64_t row = sc_team(); row < rows; row += sc_teams()) {
        const int64_t first = row * blockDim.x;
        tile[threadIdx.x] = x[first + threadIdx.x];
        sc_team_sync();
        out[first + threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
        sc_team_sync();
    }
}
