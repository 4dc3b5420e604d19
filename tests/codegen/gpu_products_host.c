/* Products and convolutions of the GPU runtime alone, for tests: over the emulated driver, with
 * numbers in arrays instead of structures.
 */
#include "gpu_products.c"

#include <stdlib.h>

/* Scratch memory: one place that grows, as the runtime's own, up to a limit. */
static symcomp_driver driver;
static symcomp_address scratch;
static size_t room, limit, asked;

static symcomp_address give(void *owner, size_t bytes) {
    (void)owner;
    asked = bytes;
    if (bytes > limit)
        return 0;
    if (bytes > room) {
        if (scratch)
            driver.release(scratch);
        room = driver.allocate(&scratch, bytes) ? 0 : bytes;
    }
    return scratch;
}

SYMCOMP_EXPORT void *host_new(void *const *functions, int has_workspace) {
    symcomp_gpu_libraries *made = calloc(1, sizeof *made);
    memcpy(&driver, functions, sizeof driver);
    made->driver = &driver;
    made->stream = (void *)1;
    made->workspace = has_workspace ? give : NULL;
    limit = (size_t)1 << 30;
    return made;
}

SYMCOMP_EXPORT void host_limit(size_t bytes) { limit = bytes; }
SYMCOMP_EXPORT int64_t host_asked(void) { return (int64_t)asked; }

SYMCOMP_EXPORT void host_processors(symcomp_gpu_libraries *gpu, int64_t n) { gpu->processors = n; }

SYMCOMP_EXPORT void host_balance(symcomp_gpu_libraries *gpu, int64_t n) { gpu->balance = n; }

SYMCOMP_EXPORT void host_forget(symcomp_gpu_libraries *gpu, const int *kernels, int count) {
    for (int k = 0; k < count; ++k)
        gpu->kernels[kernels[k]] = NULL;
}

/* batch, rows, columns, inner, and (place, stride, step, transposed) of each matrix. */
static symcomp_product product_of(const int64_t *n, double alpha, double beta) {
    symcomp_product p = {n[0], n[1], n[2], n[3], alpha, beta, {0}, {0}, {0}};
    symcomp_matrices *each[] = {&p.left, &p.right, &p.target};
    for (int k = 0; k < 3; ++k)
        *each[k] = (symcomp_matrices){(symcomp_address)n[4 * k + 4], n[4 * k + 5], n[4 * k + 6],
                                      (int)n[4 * k + 7]};
    return p;
}

SYMCOMP_EXPORT int host_product(symcomp_gpu_libraries *gpu, const int64_t *numbers, double alpha,
                                double beta, int bytes) {
    symcomp_product p = product_of(numbers, alpha, beta);
    return symcomp_gpu_product(gpu, &p, bytes);
}

SYMCOMP_EXPORT void host_way_of_product(symcomp_gpu_libraries *gpu, const int64_t *numbers,
                                        int bytes, char *text, size_t size) {
    symcomp_product p = product_of(numbers, 1, 0);
    symcomp_gpu_way way;
    symcomp_gpu_way_of_product(gpu, &p, bytes, &way);
    symcomp_gpu_way_text(&way, text, size);
}

SYMCOMP_EXPORT void host_way_of_convolution(symcomp_gpu_libraries *gpu, int which,
                                            const symcomp_geometry *g, int bytes, char *text,
                                            size_t size) {
    symcomp_gpu_way way;
    symcomp_gpu_way_of_convolution(gpu, which, g, bytes, &way);
    symcomp_gpu_way_text(&way, text, size);
}
