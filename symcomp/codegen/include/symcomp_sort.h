/* What the kernels of a sort (symcomp_sort.cuh) and who launches them (gpu_sort.h) know of each
 * other. */
#ifndef SYMCOMP_SORT_H
#define SYMCOMP_SORT_H

enum {
    SC_SORT_THREADS = 256,
    SC_SORT_BITS = 8, /* of a digit */
    SC_SORT_DIGITS = 1 << SC_SORT_BITS,
    SC_SORT_TILE = 2048, /* numbers that a block sorts by a digit at once */
    SC_SORT_FEW = 32,    /* tiles whose counts each block sums up itself */
};

/* The kernels, in the order in which a plan hands them over. */
enum { SC_SORT_ALONE, SC_SORT_COUNT, SC_SORT_SUM, SC_SORT_MOVE };

#endif
