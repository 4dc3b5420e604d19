/* A library with cuBLAS's functions that symcomp calls: column-major, as strict with its arguments,
 * and on the host's memory, where the emulation's arrays are.
 */
#include <stddef.h>
#include <stdint.h>

#define API __attribute__((visibility("default")))

enum { NOT_INITIALIZED = 1, INVALID_VALUE = 7 };

static struct handle {
    int alive, fails;
    void *stream, *workspace;
    size_t room;
} the_handle;

API int pretended_calls, pretended_fail_create;

API int cublasCreate_v2(void **handle) {
    if (pretended_fail_create)
        return NOT_INITIALIZED;
    the_handle.alive = 1;
    *handle = &the_handle;
    return 0;
}

API int cublasDestroy_v2(void *handle) {
    ((struct handle *)handle)->alive = 0;
    return 0;
}

/* To set the stream drops the workspace. */
API int cublasSetStream_v2(void *handle, void *stream) {
    struct handle *h = handle;
    h->stream = stream;
    h->workspace = NULL;
    return 0;
}

API int cublasSetWorkspace_v2(void *handle, void *place, size_t bytes) {
    struct handle *h = handle;
    h->workspace = place;
    h->room = bytes;
    return (uintptr_t)place % 256 ? INVALID_VALUE : 0;
}

API int cublasGetProperty(int part, int *value) {
    *value = 13 - part;
    return 0;
}

API int pretended_alive(void) { return the_handle.alive; }

API void *pretended_stream(void) { return the_handle.stream; }

/* C = alpha op(A) op(B) + beta C with op(A) of m × k, all stored by columns. */
#define GEMM(name, T)                                                                              \
    API int name(void *handle, int transpose_a, int transpose_b, int m, int n, int k,              \
                 const T *alpha, const T *a, int lda, long long step_a, const T *b, int ldb,       \
                 long long step_b, const T *beta, T *c, int ldc, long long step_c, int batch) {    \
        const struct handle *h = handle;                                                           \
        if (h != &the_handle || !h->alive || !h->stream || !h->workspace)                          \
            return NOT_INITIALIZED;                                                                \
        int rows_a = transpose_a ? k : m, rows_b = transpose_b ? n : k;                            \
        if (m < 0 || n < 0 || k < 0 || batch < 0 || lda < (rows_a > 1 ? rows_a : 1) ||             \
            ldb < (rows_b > 1 ? rows_b : 1) || ldc < (m > 1 ? m : 1))                              \
            return INVALID_VALUE;                                                                  \
        ++pretended_calls;                                                                         \
        for (long long q = 0; q < batch; ++q)                                                      \
            for (long long j = 0; j < n; ++j)                                                      \
                for (long long i = 0; i < m; ++i) {                                                \
                    T sum = 0, *to = c + q * step_c + j * ldc + i;                                 \
                    for (long long t = 0; t < k; ++t)                                              \
                        sum += a[q * step_a + (transpose_a ? i * lda + t : t * lda + i)] *         \
                               b[q * step_b + (transpose_b ? t * ldb + j : j * ldb + t)];          \
                    *to = *alpha * sum + (*beta == 0 ? 0 : *beta * *to);                           \
                }                                                                                  \
        return 0;                                                                                  \
    }

GEMM(cublasSgemmStridedBatched, float)
GEMM(cublasDgemmStridedBatched, double)
