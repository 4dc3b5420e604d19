/* Convolutions by cuDNN: descriptors and an algorithm for each geometry, kept for its next call. A
 * part of gpu_products.c.
 *
 * It computes results only. Its gradients of images are its results of turned filters (by the same
 * algorithms in the same time); for those of filters our own kernels are as quick as what it has that
 * repeats itself.
 */
#ifndef SYMCOMP_GPU_CUDNN_H
#define SYMCOMP_GPU_CUDNN_H

#include <string.h>

/* Numbers of cuDNN's enumerations. */
enum {
    CUDNN_FLOAT = 0,
    CUDNN_DOUBLE = 1,
    CUDNN_NCHW = 0,
    CUDNN_CROSS_CORRELATION = 1,
    CUDNN_TENSOR_OP = 1,
    CUDNN_TENSOR_OP_CONVERTED = 2,
    CUDNN_FMA = 3,
    CUDNN_DETERMINISTIC = 1,
};

/* cuDNN's numbers of Fourier transforms: of whole images, and of tiles. */
enum { CUDNN_FOURIER = 4, CUDNN_FOURIER_TILES = 5 };

/* Direct sums of products, in one order and in the type of the elements, and where others may be
 * Winograd's on small tiles. On large tiles that loses digits (half of them with 5 × 5 filters);
 * Fourier transforms do not, and are chosen by `symcomp_cudnn_fourier`. */
static const unsigned char symcomp_cudnn_admits[2][8] = {
    {[0] = 1, [1] = 1, [2] = 1, [6] = 1}, /* implicit, precomputed, explicit, Winograd */
    {[0] = 1, [1] = 1, [2] = 1},
};

static const size_t symcomp_cudnn_workspace = (size_t)512 << 20;

/* The axes along which anything happens, at least two. */
static int symcomp_cudnn_axes(const symcomp_geometry *g, int axes[3]) {
    int count = 0;
    for (int axis = 0; axis < 3; ++axis) {
        int idle = g->size[axis] == 1 && g->kernel[axis] == 1 && g->out[axis] == 1 &&
                   g->low[axis] == 0;
        if (!idle)
            axes[count++] = axis;
    }
    /* Depth and height are the idle ones of a signal; any of them will do. */
    for (int axis = 2; axis >= 0 && count < 2; --axis) {
        int taken = count == 1 && axes[0] == axis;
        if (taken)
            continue;
        if (count)
            axes[1] = axes[0];
        axes[0] = axis;
        ++count;
    }
    return count;
}

/* Whether cuDNN's descriptors can say this: as much padding after the end as before the beginning,
 * and arrays that int counts. */
static int symcomp_cudnn_expresses(const symcomp_geometry *g) {
    const int64_t most = INT32_MAX;
    int64_t images = g->batch * g->groups * g->channels;
    int64_t results = g->batch * g->groups * g->filters, filters = g->groups * g->filters;
    filters *= g->channels;
    for (int axis = 0; axis < 3; ++axis) {
        int64_t reach = g->size[axis] + 2 * g->low[axis];
        int64_t span = g->dilation[axis] * (g->kernel[axis] - 1) + 1;
        if (g->low[axis] < 0 || reach < span ||
            (reach - span) / g->stride[axis] + 1 != g->out[axis])
            return 0;
        images *= g->size[axis], results *= g->out[axis], filters *= g->kernel[axis];
    }
    return images <= most && results <= most && filters <= most;
}

static void symcomp_cudnn_forget(const symcomp_cudnn *dnn, symcomp_cudnn_plan *plan) {
    if (plan->images)
        dnn->destroy_tensor(plan->images);
    if (plan->results)
        dnn->destroy_tensor(plan->results);
    if (plan->filters)
        dnn->destroy_filter(plan->filters);
    if (plan->convolution)
        dnn->destroy_convolution(plan->convolution);
    memset(plan, 0, sizeof *plan);
}

static int symcomp_cudnn_set_tensor(const symcomp_cudnn *dnn, symcomp_descriptor *to, int type,
                                    int64_t batch, int64_t channels, const int64_t *size,
                                    const int *axes, int rank) {
    int sizes[5] = {(int)batch, (int)channels}, strides[5], step = 1;
    for (int axis = 0; axis < rank; ++axis)
        sizes[2 + axis] = (int)size[axes[axis]];
    for (int axis = rank + 1; axis >= 0; --axis) {
        strides[axis] = step;
        step *= sizes[axis];
    }
    int status = dnn->create_tensor(to);
    return status ? status : dnn->set_tensor(*to, type, rank + 2, sizes, strides);
}

static int symcomp_cudnn_describe(const symcomp_cudnn *dnn, symcomp_cudnn_plan *plan) {
    const symcomp_geometry *g = &plan->geometry;
    int axes[3], rank = symcomp_cudnn_axes(g, axes);
    int type = plan->bytes == 4 ? CUDNN_FLOAT : CUDNN_DOUBLE;
    int kernel[5] = {(int)(g->groups * g->filters), (int)g->channels};
    int low[3], stride[3], dilation[3], status;
    for (int axis = 0; axis < rank; ++axis) {
        kernel[2 + axis] = (int)g->kernel[axes[axis]];
        low[axis] = (int)g->low[axes[axis]];
        stride[axis] = (int)g->stride[axes[axis]];
        dilation[axis] = (int)g->dilation[axes[axis]];
    }
    status = symcomp_cudnn_set_tensor(dnn, &plan->images, type, g->batch, g->groups * g->channels,
                                      g->size, axes, rank);
    if (!status)
        status = symcomp_cudnn_set_tensor(dnn, &plan->results, type, g->batch,
                                          g->groups * g->filters, g->out, axes, rank);
    if (!status)
        status = dnn->create_filter(&plan->filters);
    if (!status)
        status = dnn->set_filter(plan->filters, type, CUDNN_NCHW, rank + 2, kernel);
    if (!status)
        status = dnn->create_convolution(&plan->convolution);
    if (!status)
        status = dnn->set_convolution(plan->convolution, rank, low, stride, dilation,
                                      CUDNN_CROSS_CORRELATION, type);
    if (!status)
        status = dnn->set_groups(plan->convolution, (int)g->groups);
    if (!status)
        status = dnn->set_math(plan->convolution, CUDNN_FMA);
    return status;
}

/* Fourier transforms where they should take less than direct sums, by the operations of either and
 * the bytes that transforms write and read again, each of which takes as long as `balance`
 * operations; -1 elsewhere. cuDNN's own order of its algorithms hardly knows when they pay. They are
 * of 16 × 16 or 32 × 32 places: whole images that fit, or tiles, of which as many results are good
 * as the filters leave. */
static int symcomp_cudnn_fourier(const symcomp_geometry *g, int bytes, int64_t balance) {
    if (g->direct || bytes != 4 || g->groups != 1 || g->size[0] != 1 || g->kernel[0] != 1 ||
        g->out[0] != 1)
        return -1;
    int64_t whole = 0, most = 0, tiles = 1, taps = 1, results = 1;
    for (int axis = 1; axis < 3; ++axis) {
        if (g->stride[axis] != 1 || g->dilation[axis] != 1)
            return -1;
        whole = sc_most(whole, g->out[axis] + g->kernel[axis] - 1);
        most = sc_most(most, g->kernel[axis]);
        taps *= g->kernel[axis], results *= g->out[axis];
    }
    int64_t side = whole <= 16 ? 16 : 32;
    if (most > side / 2)
        return -1;
    for (int axis = 1; axis < 3 && whole > side; ++axis)
        tiles *= sc_up(g->out[axis], side - g->kernel[axis] + 1);
    double numbers = (double)(side * (side / 2 + 1)); /* complex ones, of a transform */
    double filters = (double)g->channels * (double)g->filters, batch = (double)g->batch;
    double planes = (double)tiles * batch * (double)(g->channels + g->filters);
    double moved = planes * 4.0 * (double)(side * side) + (planes + filters) * 16 * numbers;
    double direct = 2 * batch * filters * (double)results * (double)taps;
    double fourier = 8 * batch * filters * (double)tiles * numbers + (double)balance * moved;
    if (fourier > 0.8 * direct)
        return -1;
    return whole <= side ? CUDNN_FOURIER : CUDNN_FOURIER_TILES;
}

/* Fourier transforms where they pay, else the first algorithm, of those that cuDNN thinks the
 * quickest, that fits. */
static int symcomp_cudnn_choose(const symcomp_gpu_libraries *gpu, symcomp_cudnn_plan *plan) {
    symcomp_cudnn_found found[8];
    int count = 0, wanted = symcomp_cudnn_fourier(&plan->geometry, plan->bytes, gpu->balance);
    int status = gpu->cudnn->find_forward(gpu->cudnn_handle, plan->images, plan->filters,
                                          plan->convolution, plan->results, 8, &count, found);
    for (int k = 0; !status && k < count; ++k) {
        const symcomp_cudnn_found *one = found + k;
        int known = one->algorithm >= 0 && one->algorithm < 8;
        int fits = known && one->status == 0 && one->determinism == CUDNN_DETERMINISTIC &&
                   one->math != CUDNN_TENSOR_OP && one->math != CUDNN_TENSOR_OP_CONVERTED &&
                   one->memory <= symcomp_cudnn_workspace;
        int first = plan->algorithm < 0 && known &&
                    symcomp_cudnn_admits[plan->geometry.direct != 0][one->algorithm];
        if (fits && (first || one->algorithm == wanted)) {
            plan->algorithm = one->algorithm;
            plan->workspace = one->memory;
        }
        if (plan->algorithm >= 0 && plan->algorithm == wanted)
            break;
    }
    return status;
}

/* The plan for a convolution, kept or made; its algorithm is -1 if cuDNN does not do it. */
static symcomp_cudnn_plan *symcomp_cudnn_planned(symcomp_gpu_libraries *gpu,
                                                 const symcomp_geometry *g, int bytes) {
    symcomp_cudnn_plan *oldest = gpu->plans;
    ++gpu->cudnn_calls;
    for (symcomp_cudnn_plan *plan = gpu->plans; plan < gpu->plans + SYMCOMP_CUDNN_PLANS; ++plan) {
        if (plan->bytes == bytes && memcmp(&plan->geometry, g, sizeof *g) == 0) {
            plan->used = gpu->cudnn_calls;
            return plan;
        }
        if (plan->used < oldest->used)
            oldest = plan;
    }
    symcomp_cudnn_forget(gpu->cudnn, oldest);
    oldest->geometry = *g, oldest->bytes = bytes;
    oldest->used = gpu->cudnn_calls;
    oldest->algorithm = -1;
    if (symcomp_cudnn_expresses(g) && symcomp_cudnn_describe(gpu->cudnn, oldest) == 0)
        symcomp_cudnn_choose(gpu, oldest);
    return oldest;
}

static int symcomp_cudnn_call(const symcomp_gpu_libraries *gpu, const symcomp_cudnn_plan *plan,
                              symcomp_address images, symcomp_address filters,
                              symcomp_address results, symcomp_address workspace) {
    static const double one_f64 = 1, zero_f64 = 0;
    static const float one_f32 = 1, zero_f32 = 0;
    const void *one = plan->bytes == 4 ? (const void *)&one_f32 : &one_f64;
    const void *zero = plan->bytes == 4 ? (const void *)&zero_f32 : &zero_f64;
    int status = gpu->cudnn->forward(
        gpu->cudnn_handle, one, plan->images, (const void *)(uintptr_t)images, plan->filters,
        (const void *)(uintptr_t)filters, plan->convolution, plan->algorithm,
        (void *)(uintptr_t)workspace, plan->workspace, zero, plan->results,
        (void *)(uintptr_t)results);
    return status ? SYMCOMP_CUDNN_FAILED + status : 0;
}

#endif
