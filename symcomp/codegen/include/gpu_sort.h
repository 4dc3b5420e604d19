/* The sort of a launch plan: which kernels of symcomp_sort.cuh, how often. A part of gpu.c. */
#ifndef SYMCOMP_GPU_SORT_H
#define SYMCOMP_GPU_SORT_H

#include "symcomp_sort.h"

/* Digits of the numbers below a bound. */
static int64_t sort_passes(int64_t bound) {
    int64_t passes = 1;
    while (passes * SC_SORT_BITS < 63 && bound > INT64_C(1) << passes * SC_SORT_BITS)
        ++passes;
    return passes;
}

static void sort_launch(void *kernel, int64_t blocks, void **arguments) {
    launch(kernel, least(blocks, gpu.processors * BLOCKS_PER_PROCESSOR), 1, SC_SORT_THREADS, 1, 0,
           arguments);
}

static void sort(void *const *kernels, int64_t n, int64_t bound, symcomp_address keys,
                 symcomp_address sorted) {
    if (n <= 0 || gpu.error)
        return;
    int64_t tiles = up(n, SC_SORT_TILE), passes = sort_passes(bound), shift = 0;
    size_t pairs = (size_t)(2 * n) * sizeof n, row = (size_t)SC_SORT_DIGITS * sizeof n;
    symcomp_address other = workspace(NULL, pairs + row * (size_t)(tiles + 1));
    symcomp_address counts = other + pairs + row, order = 0, target;
    symcomp_address totals = tiles > SC_SORT_FEW ? other + pairs : 0;
    if (tiles == 1) {
        void *arguments[] = {&keys, &n, &passes, &other, &sorted};
        sort_launch(kernels[SC_SORT_ALONE], 1, arguments);
        return;
    }
    void *counted[] = {&keys, &n, &shift, &tiles, &counts};
    void *summed[] = {&tiles, &counts, &totals};
    void *moved[] = {&keys, &order, &n, &shift, &tiles, &counts, &totals, &target};
    for (int64_t pass = 0; pass < passes; ++pass, shift += SC_SORT_BITS) {
        target = (passes - pass) % 2 ? sorted : other;
        sort_launch(kernels[SC_SORT_COUNT], tiles, counted);
        if (totals)
            sort_launch(kernels[SC_SORT_SUM], SC_SORT_DIGITS, summed);
        sort_launch(kernels[SC_SORT_MOVE], tiles, moved);
        keys = target, order = target + (size_t)n * sizeof n;
    }
}

#endif
