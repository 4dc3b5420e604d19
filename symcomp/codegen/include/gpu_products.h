/* Matrix products and convolutions of the GPU runtime: which library or kernel computes one, and
 * the call.
 *
 * The libraries are NVIDIA's, as far as they were found (gpu_libraries.py); the kernels are those
 * of products.cuh and convolutions.cuh, which do everything. Results are the same from call to call in any case:
 * algorithms of cuDNN that are not deterministic are not used, nor are float32 products rounded to
 * less (TF32).
 */
#ifndef SYMCOMP_GPU_PRODUCTS_H
#define SYMCOMP_GPU_PRODUCTS_H

#include "symcomp.h"
#include "symcomp_gpu.h"
#include "convolution.h"
#include "product_parameters.h"

/* Kernels, each of f32 and of f64: two numbers, of which the first is even. */
#define SYMCOMP_PRODUCT_KERNELS(X)                                                                 \
    X(multiply)                                                                                    \
    X(multiply_add)                                                                                \
    X(forward)                                                                                     \
    X(forward_far)                                                                                 \
    X(forward_add)                                                                                 \
    X(backward)                                                                                    \
    X(backward_far)                                                                                \
    X(backward_add)                                                                                \
    X(filters)                                                                                     \
    X(filters_far)                                                                                 \
    X(turn_filters)                                                                                \
    X(channels_forward)                                                                            \
    X(channels_backward)                                                                           \
    X(channels_filters)

/* Those that f32 has alone: of other tiles. */
#define SYMCOMP_SINGLE_KERNELS(X)                                                                  \
    X(multiply_flat)                                                                               \
    X(multiply_small)                                                                              \
    X(forward_flat)                                                                                \
    X(forward_small)                                                                               \
    X(backward_flat)                                                                               \
    X(backward_small)                                                                              \
    X(filters_flat)                                                                                \
    X(filters_small)

enum {
#define SYMCOMP_NUMBERED(name) symcomp_kernel_##name, symcomp_kernel_##name##_f64,
    SYMCOMP_PRODUCT_KERNELS(SYMCOMP_NUMBERED)
#undef SYMCOMP_NUMBERED
#define SYMCOMP_NUMBERED(name) symcomp_kernel_##name,
        SYMCOMP_SINGLE_KERNELS(SYMCOMP_NUMBERED)
#undef SYMCOMP_NUMBERED
            SYMCOMP_KERNEL_COUNT
};
_Static_assert(SYMCOMP_KERNEL_COUNT <= 64, "`lacking` has a bit for each");

/* cuBLAS, by the names of its functions: all or none are there. They answer 0, or an error. */
typedef struct symcomp_cublas {
    int (*create)(void **handle);
    int (*destroy)(void *handle);
    int (*set_stream)(void *handle, void *stream);
    int (*set_workspace)(void *handle, void *place, size_t bytes);
    int (*sgemm_strided_batched)(void *handle, int transpose_a, int transpose_b, int m, int n,
                                 int k, const float *alpha, const float *a, int lda,
                                 long long step_a, const float *b, int ldb, long long step_b,
                                 const float *beta, float *c, int ldc, long long step_c, int batch);
    int (*dgemm_strided_batched)(void *handle, int transpose_a, int transpose_b, int m, int n,
                                 int k, const double *alpha, const double *a, int lda,
                                 long long step_a, const double *b, int ldb, long long step_b,
                                 const double *beta, double *c, int ldc, long long step_c,
                                 int batch);
} symcomp_cublas;

/* What cuDNN says of an algorithm, as cuDNN lays it out. */
typedef struct symcomp_cudnn_found {
    int algorithm, status;
    float time;
    size_t memory;
    int determinism, math;
    int reserved[3];
} symcomp_cudnn_found;

typedef void *symcomp_descriptor;

typedef struct symcomp_cudnn {
    int (*create)(void **handle);
    int (*destroy)(void *handle);
    int (*set_stream)(void *handle, void *stream);
    int (*create_tensor)(symcomp_descriptor *);
    int (*set_tensor)(symcomp_descriptor, int type, int rank, const int *sizes,
                      const int *strides);
    int (*destroy_tensor)(symcomp_descriptor);
    int (*create_filter)(symcomp_descriptor *);
    int (*set_filter)(symcomp_descriptor, int type, int format, int rank, const int *sizes);
    int (*destroy_filter)(symcomp_descriptor);
    int (*create_convolution)(symcomp_descriptor *);
    int (*set_convolution)(symcomp_descriptor, int rank, const int *low, const int *stride,
                           const int *dilation, int mode, int type);
    int (*set_groups)(symcomp_descriptor, int groups);
    int (*set_math)(symcomp_descriptor, int math);
    int (*destroy_convolution)(symcomp_descriptor);
    /* The descriptors are of images, filters, the convolution and results. */
    int (*find_forward)(void *handle, symcomp_descriptor x, symcomp_descriptor w,
                        symcomp_descriptor convolution, symcomp_descriptor y, int wanted,
                        int *count, symcomp_cudnn_found *found);
    int (*forward)(void *handle, const void *alpha, symcomp_descriptor, const void *x,
                   symcomp_descriptor, const void *w, symcomp_descriptor convolution,
                   int algorithm, void *workspace, size_t bytes, const void *beta,
                   symcomp_descriptor, void *y);
} symcomp_cudnn;

/* A convolution that cuDNN was asked for before, so that it is described and searched for once. */
typedef struct symcomp_cudnn_plan {
    symcomp_geometry geometry;
    int64_t bytes, used; /* bytes of an element; 0 where there is no plan */
    symcomp_descriptor images, filters, results, convolution;
    int algorithm; /* -1: cuDNN has none that fits */
    size_t workspace;
} symcomp_cudnn_plan;

enum { SYMCOMP_CUDNN_PLANS = 64 };

/* Everything that may be missing may be NULL or 0. */
typedef struct symcomp_gpu_libraries {
    const symcomp_driver *driver;
    void *stream;
    int64_t processors; /* multiprocessors of the device */
    int64_t balance;    /* float32 operations that it does while it reads or writes a byte */
    /* Scratch memory in the order of the stream: what it gave before may be given again. 0 when
     * there is none left. */
    symcomp_address (*workspace)(void *owner, size_t bytes);
    void *owner;
    void *kernels[SYMCOMP_KERNEL_COUNT];
    uint64_t lacking; /* those that were wanted and were not there, by number */
    int asking;       /* nothing is computed: what would be lacking is noted */
    const symcomp_cublas *cublas;
    const symcomp_cudnn *cudnn;
    /* Of symcomp_gpu_open_...; NULL where a library is not used. */
    void *cublas_handle, *cudnn_handle;
    symcomp_address cublas_workspace;
    int64_t cudnn_calls;
    symcomp_cudnn_plan plans[SYMCOMP_CUDNN_PLANS];
} symcomp_gpu_libraries;

/* Answers that are not the driver's: the status of a library is added to its number. */
enum {
    SYMCOMP_CUBLAS_FAILED = 200000,
    SYMCOMP_CUDNN_FAILED = 300000,
    SYMCOMP_GPU_NO_WORKSPACE = 400001,
    SYMCOMP_GPU_NO_KERNEL,
    SYMCOMP_GPU_TOO_LARGE,
};

/* How a product or a convolution is computed. */
enum {
    SYMCOMP_BY_NOTHING, /* the target is empty */
    SYMCOMP_BY_ZEROS,   /* the sums are empty */
    SYMCOMP_BY_CUBLAS,
    SYMCOMP_BY_CUDNN,
    SYMCOMP_BY_CUDNN_TURNED, /* images as the results of turned filters */
    SYMCOMP_BY_TILES,
    SYMCOMP_BY_CHANNELS,
    SYMCOMP_BY_PRODUCT, /* a convolution that is a matrix product as it stands */
    SYMCOMP_BY_NOBODY,  /* `error` says why */
};

typedef struct symcomp_gpu_way {
    int by, error;
    int kernel, add;     /* of tiles and channels: the second one of a product in parts */
    int threads;         /* of a block of the first kernel */
    int64_t blocks;
    sc_extents extents;  /* without `partial` */
    size_t workspace;    /* bytes */
    symcomp_cudnn_plan *plan;
} symcomp_gpu_way;

#ifndef SYMCOMP_GPU_LINKAGE
#define SYMCOMP_GPU_LINKAGE SYMCOMP_EXPORT
#endif

/* Gives what there is: the kernels by number, and tables (symcomp_cublas, symcomp_cudnn) that must
 * stay; what is NULL here leaves things as they are. */
SYMCOMP_GPU_LINKAGE void symcomp_gpu_serve(symcomp_gpu_libraries *, int64_t processors,
                                           int64_t balance, void *const *kernels, const void *cublas,
                                           const void *cudnn);

/* Make a library ready, in the present context; 0, or an error, after which it is not used. */
SYMCOMP_GPU_LINKAGE int symcomp_gpu_open_cublas(symcomp_gpu_libraries *);
SYMCOMP_GPU_LINKAGE int symcomp_gpu_open_cudnn(symcomp_gpu_libraries *);
SYMCOMP_GPU_LINKAGE void symcomp_gpu_close(symcomp_gpu_libraries *);

/* Everything from now on is for another stream; 0, or an error. */
SYMCOMP_GPU_LINKAGE int symcomp_gpu_use_stream(symcomp_gpu_libraries *, void *stream);

/* The kernels that were lacking until now, by the bits of their numbers, which are taken. */
SYMCOMP_GPU_LINKAGE uint64_t symcomp_gpu_lacking(symcomp_gpu_libraries *);

/* The name of a kernel, by its number; NULL beyond the last one. */
SYMCOMP_GPU_LINKAGE const char *symcomp_gpu_kernel_name(int number);

SYMCOMP_GPU_LINKAGE int symcomp_gpu_product(symcomp_gpu_libraries *, const symcomp_product *,
                                            int bytes);

/* `which` is SYMCOMP_FORWARD, and a and b are images and filters; or SYMCOMP_INPUT: results and
 * filters; or SYMCOMP_FILTERS: images and results. */
SYMCOMP_GPU_LINKAGE int symcomp_gpu_convolution(symcomp_gpu_libraries *, int which,
                                                const symcomp_geometry *, int bytes,
                                                symcomp_address a, symcomp_address b,
                                                symcomp_address target);

/* What the two above would do. */
SYMCOMP_GPU_LINKAGE void symcomp_gpu_way_of_product(symcomp_gpu_libraries *,
                                                    const symcomp_product *, int bytes,
                                                    symcomp_gpu_way *);
SYMCOMP_GPU_LINKAGE void symcomp_gpu_way_of_convolution(symcomp_gpu_libraries *, int which,
                                                        const symcomp_geometry *, int bytes,
                                                        symcomp_gpu_way *);

/* A way, or an error of those above, in words; what the driver answered is the driver's to say
 * (""). */
SYMCOMP_GPU_LINKAGE void symcomp_gpu_way_text(const symcomp_gpu_way *, char *text, size_t room);
SYMCOMP_GPU_LINKAGE void symcomp_gpu_products_error(int error, char *text, size_t room);

#endif
