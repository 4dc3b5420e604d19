/* What the host (gpu_products.c) tells the kernels of products.cuh: one structure for each call,
 * which the kernel gets by value.
 *
 * Nothing but numbers of fixed sizes, in an order that needs no padding: compilers of the host and
 * of the device lay them out alike. Whoever includes this has defined the integer types.
 */
#ifndef SYMCOMP_PRODUCT_PARAMETERS_H
#define SYMCOMP_PRODUCT_PARAMETERS_H

/* `batch` products of rows × inner by inner × columns. Where there are too few tiles for the device
 * the sums are cut into `parts` of `share` terms each; the parts go to `partial`, as matrices of
 * rows × columns by part and product, and a second kernel adds them up in their order. */
typedef struct sc_extents {
    int64_t batch, rows, columns, inner, parts, share;
    uint64_t partial;
} sc_extents;

/* Matrices as in symcomp_matrices. */
typedef struct sc_operand {
    uint64_t place;
    int64_t stride, step, transposed;
} sc_operand;

typedef struct sc_multiplication {
    sc_extents extents;
    sc_operand left, right, target;
    double alpha, beta;
} sc_multiplication;

/* A convolution, in the terms of symcomp_geometry: `images`, `filters` and `results` are arrays
 * [batch, groups × channels, size], [groups × filters, channels, kernel] and [batch, groups ×
 * filters, out]; one of them is the target. */
typedef struct sc_correlation {
    sc_extents extents;
    uint64_t images, filters, results;
    int64_t batch, groups, channels, filter_count;
    int32_t size[3], kernel[3], out[3], stride[3], dilation[3], low[3];
} sc_correlation;

#endif
