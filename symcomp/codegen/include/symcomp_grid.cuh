/* What generated kernels say of threads: which iterations are theirs (see codegen/grid.py).
 *
 * A flat kernel has a thread for each element: neighbours along x, and for two nested loops the outer
 * one along y. In a kernel of teams a team is the threads of a block with the same threadIdx.y: its
 * members share the loops inside a row. Where the number of its threads is fixed, a team is a block.
 * All stride on until nothing is left, so that a launch may have any number of blocks. */
#ifndef SYMCOMP_GRID_CUH
#define SYMCOMP_GRID_CUH

#include "symcomp_device.cuh"

SC_INLINE int64_t sc_thread(void) { return (int64_t)blockIdx.x * blockDim.x + threadIdx.x; }
SC_INLINE int64_t sc_threads(void) { return (int64_t)gridDim.x * blockDim.x; }
SC_INLINE int64_t sc_row(void) { return (int64_t)blockIdx.y * blockDim.y + threadIdx.y; }
SC_INLINE int64_t sc_rows(void) { return (int64_t)gridDim.y * blockDim.y; }
SC_INLINE int64_t sc_team(void) { return (int64_t)blockIdx.x * blockDim.y + threadIdx.y; }
SC_INLINE int64_t sc_teams(void) { return (int64_t)gridDim.x * blockDim.y; }
SC_INLINE int64_t sc_block(void) { return blockIdx.x; }
SC_INLINE int64_t sc_blocks(void) { return gridDim.x; }
/* The row of the first team of this thread's warp, when this team has the row given. */
SC_INLINE int64_t sc_first_row(int64_t row) {
    return blockDim.x < 32 ? row - (threadIdx.y & (32 / blockDim.x - 1)) : row;
}
SC_INLINE int64_t sc_member(void) { return threadIdx.x; }
SC_INLINE int64_t sc_members(void) { return blockDim.x; }

/* A team's part of the block's shared memory, or of `scratch` where the launch has given that. */
SC_INLINE char *sc_tile(char *scratch, int64_t each) {
    SC_DYNAMIC_SHARED(char, shared, 0);
    return scratch ? scratch + sc_team() * each : shared + threadIdx.y * each;
}

/* The same where it is sure to be shared: the compiler has quicker instructions for that. */
SC_INLINE char *sc_shared_tile(int64_t each) {
    SC_DYNAMIC_SHARED(char, shared, 0);
    return shared + threadIdx.y * each;
}

/* Tells the compiler where an array begins, so that neighbouring loads become one. */
#define sc_aligned(array, bytes) \
    (array = static_cast<decltype(array)>(__builtin_assume_aligned(array, bytes)))

/* x / y for sizes and places, rounded down; nearly always both are small, which is much quicker. */
SC_INLINE int64_t sc_quotient(int64_t x, int64_t y) {
    if ((((uint64_t)x | (uint64_t)y) >> 32) == 0 && y != 0)
        return (int64_t)((uint32_t)x / (uint32_t)y);
    return sc_floordiv_i64(x, y);
}

/* Integers wrap, as NumPy's do; in C++ only those without a sign are sure to. */
#define SC_WRAPPING(name, type, wide) \
    SC_INLINE type sc_add_##name(type x, type y) { return (type)((wide)x + (wide)y); } \
    SC_INLINE type sc_subtract_##name(type x, type y) { return (type)((wide)x - (wide)y); } \
    SC_INLINE type sc_multiply_##name(type x, type y) { return (type)((wide)x * (wide)y); } \
    SC_INLINE type sc_square_##name(type x) { return (type)((wide)x * (wide)x); } \
    SC_INLINE type sc_negative_##name(type x) { return (type)((wide)0 - (wide)x); }

SC_WRAPPING(i32, int32_t, uint32_t)
SC_WRAPPING(i64, int64_t, uint64_t)

#endif
