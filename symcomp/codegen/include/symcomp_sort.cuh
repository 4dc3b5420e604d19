/* A stable sort of whole numbers, which also tells where each came from: by digits of eight bits, the
 * least significant first. gpu_sort.h launches the kernels, in blocks of SC_SORT_THREADS.
 *
 * For each digit the numbers of each tile are counted, the counts of a digit are summed up over the
 * tiles, and then each number is put where its digit begins, after those that have the same digit and
 * came before. Nothing depends on which thread is first: places are counted, never taken. What fits
 * into one tile is sorted by one block.
 */
#ifndef SYMCOMP_SORT_CUH
#define SYMCOMP_SORT_CUH

#include "symcomp_device.cuh"
#include "symcomp_sort.h"

enum { SC_SORT_WARPS = SC_SORT_THREADS / 32, SC_SORT_EACH = SC_SORT_TILE / SC_SORT_THREADS };

/* What the threads of a block share: for each warp how many of its numbers have a digit, later how
 * many there are in the warps before; and where each digit begins. */
struct sc_sort_shared {
    unsigned counts[SC_SORT_WARPS][SC_SORT_DIGITS];
    int64_t begins[SC_SORT_DIGITS];
};

/* A thread's numbers of a tile: a warp has neighbours, 32 of them a round. */
struct sc_sort_own {
    int64_t key[SC_SORT_EACH];
    int64_t from[SC_SORT_EACH];  /* where it came from */
    unsigned rank[SC_SORT_EACH]; /* among those of its warp with the same digit */
};

SC_INLINE unsigned sc_sort_digit(int64_t key, int64_t shift) {
    return (unsigned)((uint64_t)key >> shift) & (SC_SORT_DIGITS - 1);
}

SC_INLINE int64_t sc_sort_place(int64_t tile, int round) {
    const unsigned lane = threadIdx.x & 31, warp = threadIdx.x / 32;
    return tile * SC_SORT_TILE + warp * (SC_SORT_EACH * 32) + round * 32 + lane;
}

/* The sum of x over the block's threads before this one; *all is that over all of them. */
SC_FUNCTION int64_t sc_sort_before(int64_t x, int64_t *all) {
    __shared__ int64_t parts[SC_SORT_WARPS];
    const unsigned lane = threadIdx.x & 31, warp = threadIdx.x / 32;
    int64_t sum = x;
    for (unsigned by = 1; by < 32; by *= 2) {
        const int64_t other = __shfl_up_sync(0xffffffffu, sum, by);
        sum += lane >= by ? other : 0;
    }
    if (lane == 31) parts[warp] = sum;
    __syncthreads();
    int64_t before = sum - x;
    *all = 0;
    for (unsigned w = 0; w < SC_SORT_WARPS; ++w) {
        before += w < warp ? parts[w] : 0;
        *all += parts[w];
    }
    __syncthreads();
    return before;
}

/* The lanes whose numbers are there and have the same digit. */
SC_FUNCTION unsigned sc_sort_peers(unsigned digit, bool there) {
    unsigned peers = __ballot_sync(0xffffffffu, there);
    for (unsigned bit = 1; bit < SC_SORT_DIGITS; bit *= 2) {
        const unsigned with = __ballot_sync(0xffffffffu, (digit & bit) != 0);
        peers &= digit & bit ? with : ~with;
    }
    return peers;
}

/* Reads a tile, whose numbers came from where `order` says, or else from where they lie; and ranks
 * each among those of its warp. */
SC_FUNCTION void sc_sort_read(const int64_t *keys, const int64_t *order, int64_t n, int64_t tile,
                              int64_t shift, sc_sort_shared &shared, sc_sort_own &own) {
    const unsigned lane = threadIdx.x & 31, warp = threadIdx.x / 32;
    for (unsigned w = 0; w < SC_SORT_WARPS; ++w) shared.counts[w][threadIdx.x] = 0;
    __syncthreads();
#pragma unroll
    for (int e = 0; e < SC_SORT_EACH; ++e) {
        const int64_t place = sc_sort_place(tile, e);
        own.key[e] = place < n ? keys[place] : 0;
        own.from[e] = order && place < n ? order[place] : place;
    }
#pragma unroll
    for (int e = 0; e < SC_SORT_EACH; ++e) {
        const bool there = sc_sort_place(tile, e) < n;
        const unsigned digit = sc_sort_digit(own.key[e], shift);
        const unsigned peers = sc_sort_peers(digit, there);
        const unsigned before = __popc(peers & ((1u << lane) - 1));
        const unsigned old = shared.counts[warp][digit];
        __syncwarp();
        if (there && before == 0) shared.counts[warp][digit] = old + __popc(peers);
        __syncwarp();
        own.rank[e] = old + before;
    }
    __syncthreads();
}

/* How many numbers of the tile have the digit of this thread; the warps' counts become what there is
 * in the warps before. */
SC_FUNCTION unsigned sc_sort_over_warps(sc_sort_shared &shared) {
    unsigned sum = 0;
    for (unsigned w = 0; w < SC_SORT_WARPS; ++w) {
        const unsigned count = shared.counts[w][threadIdx.x];
        shared.counts[w][threadIdx.x] = sum;
        sum += count;
    }
    return sum;
}

/* Writes a tile's numbers to `target`, and after its n where each came from. */
SC_FUNCTION void sc_sort_write(const sc_sort_own &own, int64_t n, int64_t tile, int64_t shift,
                               const sc_sort_shared &shared, int64_t *target) {
#pragma unroll
    for (int e = 0; e < SC_SORT_EACH; ++e) {
        if (sc_sort_place(tile, e) >= n) continue;
        const unsigned digit = sc_sort_digit(own.key[e], shift);
        const int64_t to =
            shared.begins[digit] + shared.counts[threadIdx.x / 32][digit] + own.rank[e];
        target[to] = own.key[e];
        target[n + to] = own.from[e];
    }
}

/* --- kernels -----------------------------------------------------------------------------------*/

/* All digits of a single tile; the last pass writes to `sorted`, the others by turns. */
SC_FUNCTION void sc_sort_alone(const int64_t *keys, int64_t n, int64_t passes, int64_t *other,
                               int64_t *sorted) {
    __shared__ sc_sort_shared shared;
    sc_sort_own own;
    int64_t all;
    const int64_t *order = nullptr;
    for (int64_t pass = 0; pass < passes; ++pass) {
        const int64_t shift = pass * SC_SORT_BITS;
        int64_t *const target = (passes - pass) % 2 ? sorted : other;
        sc_sort_read(keys, order, n, 0, shift, shared, own);
        shared.begins[threadIdx.x] = sc_sort_before(sc_sort_over_warps(shared), &all);
        __syncthreads();
        sc_sort_write(own, n, 0, shift, shared, target);
        __syncthreads();
        keys = target, order = target + n;
    }
}

/* How often each digit occurs in each tile, at counts[digit, tile]. */
SC_FUNCTION void sc_sort_count(const int64_t *keys, int64_t n, int64_t shift, int64_t tiles,
                               int64_t *counts) {
    __shared__ unsigned found[SC_SORT_DIGITS];
    for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        int64_t key[SC_SORT_EACH];
#pragma unroll
        for (int e = 0; e < SC_SORT_EACH; ++e)
            key[e] = sc_sort_place(tile, e) < n ? keys[sc_sort_place(tile, e)] : 0;
        found[threadIdx.x] = 0;
        __syncthreads();
#pragma unroll
        for (int e = 0; e < SC_SORT_EACH; ++e)
            if (sc_sort_place(tile, e) < n) atomicAdd(&found[sc_sort_digit(key[e], shift)], 1u);
        __syncthreads();
        counts[threadIdx.x * tiles + tile] = found[threadIdx.x];
        __syncthreads();
    }
}

/* Each digit's counts to what there is in the tiles before, and what there is in all. */
SC_FUNCTION void sc_sort_sum(int64_t tiles, int64_t *counts, int64_t *totals) {
    for (int64_t digit = blockIdx.x; digit < SC_SORT_DIGITS; digit += gridDim.x) {
        int64_t sum = 0, all;
        for (int64_t first = 0; first < tiles; first += SC_SORT_THREADS) {
            const int64_t tile = first + threadIdx.x;
            int64_t *const count = &counts[digit * tiles + tile];
            const int64_t before = sc_sort_before(tile < tiles ? *count : 0, &all);
            if (tile < tiles) *count = sum + before;
            sum += all;
        }
        if (threadIdx.x == 0) totals[digit] = sum;
    }
}

/* How many numbers of the tiles from `first` on, before `end`, have the digit of this thread. */
SC_FUNCTION int64_t sc_sort_over_tiles(const int64_t *counts, int64_t tiles, int64_t first,
                                       int64_t end) {
    int64_t sum = 0;
    for (int64_t tile = first; tile < end; ++tile) sum += counts[threadIdx.x * tiles + tile];
    return sum;
}

/* Every number to where the counts say that it belongs. Where there are no totals the counts are not
 * summed up yet, and few. */
SC_FUNCTION void sc_sort_move(const int64_t *keys, const int64_t *order, int64_t n, int64_t shift,
                              int64_t tiles, const int64_t *counts, const int64_t *totals,
                              int64_t *target) {
    __shared__ sc_sort_shared shared;
    sc_sort_own own;
    int64_t all;
    const int64_t total =
        totals ? totals[threadIdx.x] : sc_sort_over_tiles(counts, tiles, 0, tiles);
    const int64_t begin = sc_sort_before(total, &all);
    for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        sc_sort_read(keys, order, n, tile, shift, shared, own);
        sc_sort_over_warps(shared);
        const int64_t first = totals ? tile : 0;
        shared.begins[threadIdx.x] =
            begin + sc_sort_over_tiles(counts, tiles, first, totals ? tile + 1 : tile);
        __syncthreads();
        sc_sort_write(own, n, tile, shift, shared, target);
        __syncthreads();
    }
}

/* The kernels, under these names. */
#define SC_SORT_KERNELS(alone, count, sum, move)                                                   \
    extern "C" __global__ void __launch_bounds__(SC_SORT_THREADS)                                  \
        alone(const int64_t *keys, int64_t n, int64_t passes, int64_t *other, int64_t *sorted) {   \
        sc_sort_alone(keys, n, passes, other, sorted);                                             \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(SC_SORT_THREADS)                                  \
        count(const int64_t *keys, int64_t n, int64_t shift, int64_t tiles, int64_t *counts) {     \
        sc_sort_count(keys, n, shift, tiles, counts);                                              \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(SC_SORT_THREADS)                                  \
        sum(int64_t tiles, int64_t *counts, int64_t *totals) {                                     \
        sc_sort_sum(tiles, counts, totals);                                                        \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(SC_SORT_THREADS)                                  \
        move(const int64_t *keys, const int64_t *order, int64_t n, int64_t shift, int64_t tiles,   \
             const int64_t *counts, const int64_t *totals, int64_t *target) {                      \
        sc_sort_move(keys, order, n, shift, tiles, counts, totals, target);                        \
    }

#endif
