/* What a launch plan (the generated host part of a function for a GPU) and the GPU runtime (gpu.c)
 * know of each other.
 *
 * The driver is a table of a dozen functions with the signatures of the CUDA driver's own; they are
 * CUDA's, or those of the emulation on the host (emulated_driver.c), whose device memory is the
 * host's and whose kernels are functions compiled by a C++ compiler. Nothing above this table knows
 * the difference. One stream does everything in order, and one call at a time uses the GPU.
 */
#ifndef SYMCOMP_GPU_H
#define SYMCOMP_GPU_H

#include <stddef.h>
#include <stdint.h>

/* A place in device memory. */
typedef uint64_t symcomp_address;

/* The CUDA driver's functions; each answers 0, or its CUresult. Those of graphs may be NULL. */
typedef struct symcomp_driver {
    int (*set_context)(void *context);
    int (*allocate)(symcomp_address *place, size_t bytes);
    int (*release)(symcomp_address place);
    int (*upload)(symcomp_address to, const void *from, size_t bytes, void *stream);
    int (*download)(void *to, symcomp_address from, size_t bytes, void *stream);
    int (*copy)(symcomp_address to, symcomp_address from, size_t bytes, void *stream);
    int (*fill)(symcomp_address place, unsigned char value, size_t bytes, void *stream);
    int (*synchronize)(void *stream);
    int (*launch)(void *kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                  unsigned block_y, unsigned block_z, unsigned shared, void *stream,
                  void **arguments, void **extra);
    int (*error_text)(int error, const char **text);
    int (*begin_capture)(void *stream, int mode);
    int (*end_capture)(void *stream, void **graph);
    int (*instantiate)(void **executable, void *graph, unsigned long long flags);
    int (*launch_graph)(void *executable, void *stream);
    int (*destroy_executable)(void *executable);
    int (*destroy_graph)(void *graph);
} symcomp_driver;

/* Row-major matrices, `batch` of them: target = alpha * op(left) * op(right) + beta * target, where op
 * transposes or not; where beta is 0 the target is not read. Rows lie `stride` elements apart, and the
 * matrices of a batch `step`. */
typedef struct symcomp_matrices {
    symcomp_address place;
    int64_t stride, step;
    int transposed;
} symcomp_matrices;

typedef struct symcomp_product {
    int64_t batch, rows, columns, inner;
    double alpha, beta;
    symcomp_matrices left, right, target;
} symcomp_product;

#endif
