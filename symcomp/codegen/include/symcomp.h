/* What a generated file and the runtime (runtime.c) know of each other.
 *
 * A generated file is attached once, after loading, to the one table of functions below; it links
 * against nothing. The table serves threads, scratch memory, matrix products, and the locks of
 * shared values.
 */
#ifndef SYMCOMP_H
#define SYMCOMP_H

#include <stddef.h>
#include <stdint.h>

#define SYMCOMP_MAXIMUM_RANK 32
#define SYMCOMP_EXPORT __attribute__((visibility("default")))

/* Does the part [begin, end) of a loop. */
typedef void (*symcomp_body)(void *context, int64_t begin, int64_t end);

/* A shared value: where its elements are, and its shape. Only touched while it is locked. */
typedef struct symcomp_cell {
    void *data;
    int64_t shape[SYMCOMP_MAXIMUM_RANK];
    int32_t holders;         /* number of readers, or -1: one writer */
    int32_t waiting_writers; /* new readers let these go first */
    struct symcomp_cell *previous, *next;
    /* On a GPU that has used it: where, how many bytes, and which place was written last. */
    uint64_t place, room;
    int32_t newest; /* SYMCOMP_BOTH, SYMCOMP_HOST or SYMCOMP_GPU */
} symcomp_cell;

enum { SYMCOMP_BOTH, SYMCOMP_HOST, SYMCOMP_GPU };

/* Row-major BLAS, as in CBLAS: order is 101; a transposition is 111 (no) or 112 (yes). */
typedef void (*symcomp_sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k,
                              float alpha, const float *a, int lda, const float *b, int ldb,
                              float beta, float *c, int ldc);
typedef void (*symcomp_dgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k,
                              double alpha, const double *a, int lda, const double *b, int ldb,
                              double beta, double *c, int ldc);
typedef void (*symcomp_sgemv)(int order, int transpose_a, int m, int n, float alpha, const float *a,
                              int lda, const float *x, int incx, float beta, float *y, int incy);
typedef void (*symcomp_dgemv)(int order, int transpose_a, int m, int n, double alpha,
                              const double *a, int lda, const double *x, int incx, double beta,
                              double *y, int incy);

/* The ways in which convolutions are computed, each a library of its own; the first decides, at the
 * call, which one it is. See codegen/ways.py. */
enum {
    SYMCOMP_DIRECT, SYMCOMP_WINOGRAD, SYMCOMP_CHANNELWISE, SYMCOMP_PAIRS, SYMCOMP_FIVES,
    SYMCOMP_ONE_TAP, SYMCOMP_POINTWISE, SYMCOMP_SCATTER, SYMCOMP_WAYS
};

typedef struct symcomp_runtime {
    /* Calls body over [0, extent) in pieces [q * grain, (q + 1) * grain), the last one cut short.
     * The pieces are the same whatever the number of threads, only who does them differs: so
     * results do not depend on it. */
    void (*parallel)(symcomp_body body, void *context, int64_t extent, int64_t grain);

    /* Scratch memory of the calling thread, as a stack: pop(p) gives back what push returned as p,
     * and everything pushed since. Aligned to 64 bytes; NULL when there is no memory left. */
    void *(*push)(size_t bytes);
    void (*pop)(void *mark);

    /* Locks n different cells, sorted by address so that nobody waits in a circle; exclusive[q]
     * asks for writing. */
    void (*lock)(symcomp_cell *const *cells, const uint8_t *exclusive, int64_t n);
    void (*unlock)(symcomp_cell *const *cells, const uint8_t *exclusive, int64_t n);

    /* NULL until a function that needs them is loaded. */
    symcomp_sgemm sgemm;
    symcomp_dgemm dgemm;
    symcomp_sgemv sgemv;
    symcomp_dgemv dgemv;

    /* See convolution.h; each is NULL until a function that may need it is loaded. */
    const struct symcomp_convolver_f32 *convolution_f32[SYMCOMP_WAYS];
    const struct symcomp_convolver_f64 *convolution_f64[SYMCOMP_WAYS];

    int64_t threads; /* that a call may use, unless its thread has been given another number */
} symcomp_runtime;

/* A NumPy array, and a tuple, as CPython lays them out: so that one call can check and read all its
 * arguments, given only the address of their tuple. Used only where `runtime.reads_arrays()` has
 * found this layout to hold; `dtype` and `type` are compared as addresses, never followed. */
typedef struct symcomp_array {
    intptr_t references;
    const void *type;
    char *data;
    int rank;
    const int64_t *shape;
    const int64_t *strides; /* in bytes */
    const void *base;
    const void *dtype;
    int flags;
} symcomp_array;

typedef struct symcomp_tuple {
    intptr_t references;
    const void *type;
    int64_t length;
    const symcomp_array *items[];
} symcomp_tuple;

enum {
    SYMCOMP_C_CONTIGUOUS = 0x1,
    SYMCOMP_ALIGNED = 0x100,
    SYMCOMP_WRITEABLE = 0x400,
};

/* A loop that memory bounds: unrolled it keeps more reads under way (for every loop this would cost
 * more time in the compiler than it gains). Without contraction an element has the same bits in a
 * vector and alone. */
#if defined(__GNUC__) && !defined(__clang__)
#define SC_STREAM __attribute__((optimize("unroll-loops", "fp-contract=off")))
#else
#define SC_STREAM
#endif

/* Large files are compiled in parts, side by side (see codegen/parts.py): then each function is in
 * the part that it says, and the others see it, but nobody else. */
#ifdef SYMCOMP_PART
#define SC_IN_PART(number) (SYMCOMP_PART == (number))
#define SC_LOCAL __attribute__((visibility("hidden")))
#else
#define SC_IN_PART(number) 1
#define SC_LOCAL static
#endif

/* Once in every generated file. */
#if SC_IN_PART(0)
#define SYMCOMP_ATTACH                                                                             \
    SC_LOCAL const symcomp_runtime *runtime;                                                       \
    SYMCOMP_EXPORT void symcomp_attach(const symcomp_runtime *table) { runtime = table; }
#else
#define SYMCOMP_ATTACH extern SC_LOCAL const symcomp_runtime *runtime;
#endif

#endif
