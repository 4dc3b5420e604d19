/* See gpu_products.h. A part of the GPU runtime, which includes this file: what it does follows the
 * decisions of gpu_ways.h.
 */
#include "gpu_ways.h"

#include <stdio.h>

/* Blocks along x that a launch may have. */
#ifndef SYMCOMP_MOST_BLOCKS
#define SYMCOMP_MOST_BLOCKS INT64_C(2147483647)
#endif

static const size_t cublas_workspace = (size_t)32 << 20;

/* --- kernels -----------------------------------------------------------------------------------*/

const char *symcomp_gpu_kernel_name(int number) {
    static const char *const names[] = {
#define SYMCOMP_NAMED(name) "sc_" #name "_f32", "sc_" #name "_f64",
        SYMCOMP_PRODUCT_KERNELS(SYMCOMP_NAMED)
#undef SYMCOMP_NAMED
#define SYMCOMP_NAMED(name) "sc_" #name "_f32",
            SYMCOMP_SINGLE_KERNELS(SYMCOMP_NAMED)
#undef SYMCOMP_NAMED
    };
    return number >= 0 && number < SYMCOMP_KERNEL_COUNT ? names[number] : NULL;
}

static int launch_blocks(const symcomp_gpu_libraries *gpu, int kernel, int64_t blocks, int threads,
                         void *parameters) {
    int64_t across = sc_least(blocks, SYMCOMP_MOST_BLOCKS), down = sc_up(blocks, across);
    void *arguments[] = {parameters};
    return gpu->driver->launch(gpu->kernels[kernel], (unsigned)across, (unsigned)down, 1,
                               (unsigned)threads, 1, 1, 0, gpu->stream, arguments, NULL);
}

/* --- calls -------------------------------------------------------------------------------------*/

/* Finds room for what a way needs. */
static int find_room(const symcomp_gpu_libraries *gpu, const symcomp_gpu_way *way,
                     symcomp_address *place) {
    *place = 0;
    if (!way->workspace)
        return 0;
    if (gpu->workspace)
        *place = gpu->workspace(gpu->owner, way->workspace);
    return *place ? 0 : SYMCOMP_GPU_NO_WORKSPACE;
}

static sc_operand operand_of(const symcomp_matrices *m) {
    return (sc_operand){m->place, m->stride, m->step, m->transposed};
}

static int64_t blocks_that_add(const sc_extents *e) {
    return e->batch * sc_up(e->rows * e->columns, 32);
}

static int add_parts(const symcomp_gpu_libraries *gpu, const symcomp_gpu_way *way,
                     const sc_extents *e, void *parameters) {
    return launch_blocks(gpu, way->add, blocks_that_add(e), PRODUCT_THREADS, parameters);
}

static int multiply_by_tiles(const symcomp_gpu_libraries *gpu, const symcomp_gpu_way *way,
                             const symcomp_product *p) {
    sc_multiplication parameters = {
        .extents = way->extents, .left = operand_of(&p->left), .right = operand_of(&p->right),
        .target = operand_of(&p->target), .alpha = p->alpha, .beta = p->beta,
    };
    sc_extents *e = &parameters.extents;
    int error = find_room(gpu, way, &e->partial);
    if (!error)
        error = launch_blocks(gpu, way->kernel, way->blocks, way->threads, &parameters);
    if (!error && e->parts > 1)
        error = add_parts(gpu, way, e, &parameters);
    return error;
}

/* cuBLAS counts columns first: a row-major matrix is its transpose to it, and the transpose of a
 * product is the product of the transposes in the other order. */
static int multiply_by_cublas(const symcomp_gpu_libraries *gpu, const symcomp_product *p,
                              int bytes) {
    const symcomp_cublas *blas = gpu->cublas;
    int m = (int)p->columns, n = (int)p->rows, k = (int)p->inner, batch = (int)p->batch;
    int lda = (int)leading(&p->right, p->inner, p->columns);
    int ldb = (int)leading(&p->left, p->rows, p->inner);
    int ldc = (int)leading(&p->target, p->rows, p->columns);
    const void *a = (const void *)(uintptr_t)p->right.place;
    const void *b = (const void *)(uintptr_t)p->left.place;
    void *c = (void *)(uintptr_t)p->target.place;
    int status;
    if (bytes == 4) {
        float alpha = (float)p->alpha, beta = (float)p->beta;
        status = blas->sgemm_strided_batched(
            gpu->cublas_handle, p->right.transposed, p->left.transposed, m, n, k, &alpha, a, lda,
            p->right.step, b, ldb, p->left.step, &beta, c, ldc, p->target.step, batch);
    } else
        status = blas->dgemm_strided_batched(
            gpu->cublas_handle, p->right.transposed, p->left.transposed, m, n, k, &p->alpha, a,
            lda, p->right.step, b, ldb, p->left.step, &p->beta, c, ldc, p->target.step, batch);
    return status ? SYMCOMP_CUBLAS_FAILED + status : 0;
}

int symcomp_gpu_product(symcomp_gpu_libraries *gpu, const symcomp_product *p, int bytes) {
    symcomp_gpu_way way;
    symcomp_gpu_way_of_product(gpu, p, bytes, &way);
    if (gpu->asking)
        return 0;
    switch (way.by) {
    case SYMCOMP_BY_NOTHING: return 0;
    case SYMCOMP_BY_CUBLAS: return multiply_by_cublas(gpu, p, bytes);
    case SYMCOMP_BY_TILES: return multiply_by_tiles(gpu, &way, p);
    default: return way.error;
    }
}

static void narrow(int32_t to[3], const int64_t from[3]) {
    for (int axis = 0; axis < 3; ++axis)
        to[axis] = (int32_t)from[axis];
}

static sc_correlation correlation_of(const symcomp_gpu_way *way, int which,
                                     const symcomp_geometry *g, symcomp_address a,
                                     symcomp_address b, symcomp_address target) {
    sc_correlation parameters = {
        .extents = way->extents, .batch = g->batch, .groups = g->groups, .channels = g->channels,
        .filter_count = g->filters,
        .images = which == SYMCOMP_INPUT ? target : a,
        .filters = which == SYMCOMP_FILTERS ? target : b,
        .results = which == SYMCOMP_FORWARD ? target : which == SYMCOMP_INPUT ? a : b,
    };
    narrow(parameters.size, g->size), narrow(parameters.kernel, g->kernel);
    narrow(parameters.out, g->out), narrow(parameters.stride, g->stride);
    narrow(parameters.dilation, g->dilation), narrow(parameters.low, g->low);
    return parameters;
}

static int convolve_by_kernels(const symcomp_gpu_libraries *gpu, const symcomp_gpu_way *way,
                               int which, const symcomp_geometry *g, int bytes, symcomp_address a,
                               symcomp_address b, symcomp_address target) {
    sc_correlation parameters = correlation_of(way, which, g, a, b, target);
    sc_extents *e = &parameters.extents;
    int error = find_room(gpu, way, &e->partial);
    if (!error)
        error = launch_blocks(gpu, way->kernel, way->blocks, way->threads, &parameters);
    if (error || e->parts <= 1)
        return error;
    if (way->add != of_type(symcomp_kernel_multiply_add, bytes))
        return add_parts(gpu, way, e, &parameters);
    /* Filters are plain matrices: the sum of their parts is that of a product's. */
    sc_multiplication sum = {
        .extents = *e, .alpha = 1, .beta = 0,
        .target = {.place = target, .stride = e->columns, .step = e->rows * e->columns},
    };
    return add_parts(gpu, way, e, &sum);
}

static int convolve_by_cudnn(const symcomp_gpu_libraries *gpu, const symcomp_gpu_way *way,
                             const symcomp_geometry *g, int bytes, symcomp_address a,
                             symcomp_address b, symcomp_address target) {
    symcomp_address scratch;
    int error = find_room(gpu, way, &scratch);
    if (!error && way->by == SYMCOMP_BY_CUDNN_TURNED) {
        sc_correlation parameters = correlation_of(way, SYMCOMP_FORWARD, g, a, b, scratch);
        error = launch_blocks(gpu, way->kernel, sc_up(filter_elements(g), PRODUCT_THREADS),
                              PRODUCT_THREADS, &parameters);
        b = scratch, scratch += turned_bytes(g, bytes);
    }
    return error ? error : symcomp_cudnn_call(gpu, way->plan, a, b, target, scratch);
}

int symcomp_gpu_convolution(symcomp_gpu_libraries *gpu, int which, const symcomp_geometry *g,
                            int bytes, symcomp_address a, symcomp_address b,
                            symcomp_address target) {
    symcomp_gpu_way way;
    symcomp_gpu_way_of_convolution(gpu, which, g, bytes, &way);
    if (gpu->asking && way.by != SYMCOMP_BY_PRODUCT)
        return 0;
    switch (way.by) {
    case SYMCOMP_BY_NOTHING: return 0;
    case SYMCOMP_BY_ZEROS: {
        int64_t channels = g->groups * (which == SYMCOMP_FORWARD ? g->filters : g->channels);
        int64_t elements = which == SYMCOMP_FILTERS ? channels * g->filters * places_in(g->kernel)
                           : which == SYMCOMP_INPUT ? g->batch * channels * places_in(g->size)
                                                    : g->batch * channels * places_in(g->out);
        return gpu->driver->fill(target, 0, (size_t)(elements * bytes), gpu->stream);
    }
    case SYMCOMP_BY_PRODUCT: {
        symcomp_product p = as_product(g, which);
        p.left.place = b, p.right.place = a, p.target.place = target;
        return symcomp_gpu_product(gpu, &p, bytes);
    }
    case SYMCOMP_BY_CUDNN:
    case SYMCOMP_BY_CUDNN_TURNED: {
        int error = convolve_by_cudnn(gpu, &way, g, bytes, a, b, target);
        if (error < SYMCOMP_CUDNN_FAILED || error >= SYMCOMP_GPU_NO_WORKSPACE)
            return error;
        /* What it thought it could do it cannot: it is not asked again. If the kernel that can is
         * not there yet, that is for the next call. */
        way.plan->algorithm = -1;
        symcomp_gpu_way_of_convolution(gpu, which, g, bytes, &way);
        if (way.error == SYMCOMP_GPU_NO_KERNEL)
            return error;
        return symcomp_gpu_convolution(gpu, which, g, bytes, a, b, target);
    }
    case SYMCOMP_BY_TILES:
    case SYMCOMP_BY_CHANNELS:
        return convolve_by_kernels(gpu, &way, which, g, bytes, a, b, target);
    default: return way.error;
    }
}

/* --- opening and closing -----------------------------------------------------------------------*/

void symcomp_gpu_serve(symcomp_gpu_libraries *gpu, int64_t processors, int64_t balance,
                       void *const *kernels, const void *cublas, const void *cudnn) {
    gpu->processors = processors;
    gpu->balance = balance;
    for (int k = 0; k < SYMCOMP_KERNEL_COUNT; ++k)
        if (kernels[k])
            gpu->kernels[k] = kernels[k];
    gpu->cublas = cublas ? cublas : gpu->cublas;
    gpu->cudnn = cudnn ? cudnn : gpu->cudnn;
}

uint64_t symcomp_gpu_lacking(symcomp_gpu_libraries *gpu) {
    uint64_t lacking = gpu->lacking;
    gpu->lacking = 0;
    return lacking;
}

static void close_cublas(symcomp_gpu_libraries *gpu) {
    if (gpu->cublas_handle)
        gpu->cublas->destroy(gpu->cublas_handle);
    if (gpu->cublas_workspace)
        gpu->driver->release(gpu->cublas_workspace);
    gpu->cublas_handle = NULL;
    gpu->cublas_workspace = 0;
}

static void close_cudnn(symcomp_gpu_libraries *gpu) {
    if (!gpu->cudnn_handle)
        return;
    for (int k = 0; k < SYMCOMP_CUDNN_PLANS; ++k)
        symcomp_cudnn_forget(gpu->cudnn, gpu->plans + k);
    gpu->cudnn->destroy(gpu->cudnn_handle);
    gpu->cudnn_handle = NULL;
}

void symcomp_gpu_close(symcomp_gpu_libraries *gpu) {
    close_cudnn(gpu);
    close_cublas(gpu);
}

/* cuBLAS has the stream, and memory of our own, which to set the stream drops: so what is captured in a
 * graph needs nothing that cuBLAS might move. Where there was none left it has its own. */
static int set_cublas(symcomp_gpu_libraries *gpu) {
    int status = gpu->cublas->set_stream(gpu->cublas_handle, gpu->stream);
    if (!status && gpu->cublas_workspace)
        status = gpu->cublas->set_workspace(
            gpu->cublas_handle, (void *)(uintptr_t)gpu->cublas_workspace, cublas_workspace);
    return status;
}

int symcomp_gpu_open_cublas(symcomp_gpu_libraries *gpu) {
    if (!gpu->cublas || gpu->cublas_handle)
        return 0;
    int status = gpu->cublas->create(&gpu->cublas_handle);
    if (!status && gpu->driver->allocate(&gpu->cublas_workspace, cublas_workspace) != 0)
        gpu->cublas_workspace = 0;
    if (!status)
        status = set_cublas(gpu);
    if (status)
        close_cublas(gpu);
    return status ? SYMCOMP_CUBLAS_FAILED + status : 0;
}

int symcomp_gpu_use_stream(symcomp_gpu_libraries *gpu, void *stream) {
    gpu->stream = stream;
    int status = gpu->cublas_handle ? set_cublas(gpu) : 0;
    if (status)
        return SYMCOMP_CUBLAS_FAILED + status;
    status = gpu->cudnn_handle ? gpu->cudnn->set_stream(gpu->cudnn_handle, stream) : 0;
    return status ? SYMCOMP_CUDNN_FAILED + status : 0;
}

int symcomp_gpu_open_cudnn(symcomp_gpu_libraries *gpu) {
    if (!gpu->cudnn || gpu->cudnn_handle)
        return 0;
    int status = gpu->cudnn->create(&gpu->cudnn_handle);
    if (!status)
        status = gpu->cudnn->set_stream(gpu->cudnn_handle, gpu->stream);
    if (status)
        close_cudnn(gpu);
    return status ? SYMCOMP_CUDNN_FAILED + status : 0;
}

/* --- in words ----------------------------------------------------------------------------------*/

void symcomp_gpu_way_text(const symcomp_gpu_way *way, char *text, size_t room) {
    static const char *const words[] = {
        [SYMCOMP_BY_NOTHING] = "nothing to compute",
        [SYMCOMP_BY_ZEROS] = "empty sums: zeros",
        [SYMCOMP_BY_CUBLAS] = "cuBLAS",
        [SYMCOMP_BY_PRODUCT] = "a matrix product",
    };
    switch (way->by) {
    case SYMCOMP_BY_CUDNN:
    case SYMCOMP_BY_CUDNN_TURNED:
        snprintf(text, room, "cuDNN, algorithm %d, %zu bytes of workspace%s", way->plan->algorithm,
                 way->workspace, way->by == SYMCOMP_BY_CUDNN ? "" : ", on turned filters");
        break;
    case SYMCOMP_BY_TILES:
    case SYMCOMP_BY_CHANNELS:
        snprintf(text, room, "kernel %s, %lld blocks", symcomp_gpu_kernel_name(way->kernel),
                 (long long)way->blocks);
        if (way->workspace) {
            size_t used = strlen(text);
            snprintf(text + used, room - used, ", the sums in %lld parts",
                     (long long)way->extents.parts);
        }
        break;
    case SYMCOMP_BY_NOBODY: symcomp_gpu_products_error(way->error, text, room); break;
    default: snprintf(text, room, "%s", words[way->by]);
    }
}

void symcomp_gpu_products_error(int error, char *text, size_t room) {
    if (error == SYMCOMP_GPU_NO_WORKSPACE)
        snprintf(text, room, "there is no device memory left for the parts of a sum");
    else if (error == SYMCOMP_GPU_NO_KERNEL)
        snprintf(text, room, "the kernels of products and convolutions are not loaded");
    else if (error == SYMCOMP_GPU_TOO_LARGE)
        snprintf(text, room, "a convolution of more than 2^31 places in a channel, or more than "
                             "2^29 along an axis");
    else if (error > SYMCOMP_CUDNN_FAILED && error < SYMCOMP_GPU_NO_WORKSPACE)
        snprintf(text, room, "cuDNN answered %d", error - SYMCOMP_CUDNN_FAILED);
    else if (error > SYMCOMP_CUBLAS_FAILED && error < SYMCOMP_CUDNN_FAILED)
        snprintf(text, room, "cuBLAS answered %d", error - SYMCOMP_CUBLAS_FAILED);
    else
        snprintf(text, room, "%s", "");
}
