/* See gpu_products.h. A part of the GPU runtime, which includes this file.
 *
 * The two functions symcomp_gpu_way_of_... decide everything; what follows them obeys.
 */
#include "gpu_products.h"
#include "gpu_cudnn.h"

#include <stdio.h>

/* Blocks along x that a launch may have. */
#ifndef SYMCOMP_MOST_BLOCKS
#define SYMCOMP_MOST_BLOCKS INT64_C(2147483647)
#endif

enum {
    PRODUCT_THREADS = 256,
    /* A part of a sum has so many terms at least: more than it costs to add it up. */
    LEAST_SHARE = 128,
    /* Terms of a part are whole runs of the kernels, whatever the shape. */
    WHOLE_RUNS = 16,
    /* Filters of a group that the kernels for single channels are made for. */
    FEW_FILTERS = 4,
    /* Channels that a low tile of ours has rows for. */
    FEW_CHANNELS = 32,
    /* Taps along all axes that a point of the kernels has bits for. */
    MOST_TAPS = 30,
    WORKSPACE_ALIGNMENT = 256,
};

static const int64_t most_share = INT64_C(1) << 30;
/* Coordinates, and sums of two, stay below. */
static const int64_t most_coordinate = INT64_C(1) << 29;
static const int64_t most_partial_bytes = INT64_C(64) << 20;
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

/* A kernel of the type with so many bytes. */
static int of_type(int kernel, int bytes) { return kernel + (bytes == 8); }

/* The shapes of product.cuh: rows and columns of a tile, threads of a block, and how many blocks
 * share a multiprocessor. `work` is what a sum takes for a hundred multiplications: small tiles
 * read more for each. */
typedef struct shape {
    int64_t rows, columns, threads, blocks, work;
} shape;

/* Of float32, in the order of `kernels`; float64 has one. */
enum { SHAPES = 3 };
static const shape shapes[SHAPES] = {
    {64, 128, 128, 3, 135}, {32, 128, 64, 6, 145}, {32, 32, 64, 8, 220},
};
static const shape shape_of_f64 = {64, 64, 256, 2, 100};

enum { MULTIPLY = 3 }; /* beside the directions of a convolution */
static const int kernels[][SHAPES] = {
    [SYMCOMP_FORWARD] = {symcomp_kernel_forward, symcomp_kernel_forward_flat,
                         symcomp_kernel_forward_small},
    [SYMCOMP_INPUT] = {symcomp_kernel_backward, symcomp_kernel_backward_flat,
                       symcomp_kernel_backward_small},
    [SYMCOMP_FILTERS] = {symcomp_kernel_filters, symcomp_kernel_filters_flat,
                         symcomp_kernel_filters_small},
    [MULTIPLY] = {symcomp_kernel_multiply, symcomp_kernel_multiply_flat,
                  symcomp_kernel_multiply_small},
};
static const int far_kernels[] = {symcomp_kernel_forward_far, symcomp_kernel_backward_far,
                                  symcomp_kernel_filters_far};
static const int adding_kernels[] = {
    [SYMCOMP_FORWARD] = symcomp_kernel_forward_add,
    [SYMCOMP_INPUT] = symcomp_kernel_backward_add,
    [SYMCOMP_FILTERS] = symcomp_kernel_multiply_add,
    [MULTIPLY] = symcomp_kernel_multiply_add,
};

static int64_t tiles_of(const sc_extents *e, const shape *s) {
    return e->batch * sc_up(e->rows, s->rows) * sc_up(e->columns, s->columns);
}

/* What all tiles take, for each term. */
static int64_t work_of(const sc_extents *e, const shape *s) {
    return tiles_of(e, s) * s->rows * s->columns * s->work;
}

static int launch_blocks(const symcomp_gpu_libraries *gpu, int kernel, int64_t blocks, int threads,
                         void *parameters) {
    int64_t across = sc_least(blocks, SYMCOMP_MOST_BLOCKS), down = sc_up(blocks, across);
    void *arguments[] = {parameters};
    return gpu->driver->launch(gpu->kernels[kernel], (unsigned)across, (unsigned)down, 1,
                               (unsigned)threads, 1, 1, 0, gpu->stream, arguments, NULL);
}

/* --- decisions ---------------------------------------------------------------------------------*/

static void refuse(symcomp_gpu_way *way, int error) {
    way->by = SYMCOMP_BY_NOBODY;
    way->error = error;
}

/* Cuts the sums into parts: as many as fill the device, which does `at_once` tiles, with those that
 * there are, but not so many that to add them up is work, nor more than there is room for. */
static void cut_sums(const symcomp_gpu_libraries *gpu, sc_extents *e, int64_t tiles,
                     int64_t at_once, int bytes) {
    int64_t elements = e->batch * e->rows * e->columns;
    int64_t wanted = at_once / sc_most(tiles, 1);
    wanted = sc_least(wanted, e->inner / LEAST_SHARE);
    wanted = sc_least(wanted, most_partial_bytes / (elements * bytes));
    if (!gpu->workspace)
        wanted = 1;
    wanted = sc_most(wanted, sc_up(e->inner, most_share));
    e->share = sc_up(sc_up(e->inner, sc_most(wanted, 1)), WHOLE_RUNS) * WHOLE_RUNS;
    e->parts = sc_most(sc_up(e->inner, e->share), 1);
}

/* Takes a kernel with tiles of a shape, and the one that adds parts up, for a product with these
 * extents. */
static void use_tiles(const symcomp_gpu_libraries *gpu, symcomp_gpu_way *way, int kernel,
                      const shape *s, int add, int bytes) {
    sc_extents *e = &way->extents;
    int64_t tiles = tiles_of(e, s);
    cut_sums(gpu, e, tiles, s->blocks * gpu->processors, bytes);
    way->by = SYMCOMP_BY_TILES;
    way->kernel = kernel;
    way->add = of_type(add, bytes);
    way->threads = (int)s->threads;
    way->blocks = tiles * e->parts;
    if (e->parts > 1)
        way->workspace = (size_t)(e->parts * e->batch * e->rows * e->columns * bytes);
    if (!gpu->kernels[way->kernel] || (e->parts > 1 && !gpu->kernels[way->add]))
        refuse(way, SYMCOMP_GPU_NO_KERNEL);
}

/* The same with the tiles that have the least to do. */
static void use_best_tiles(const symcomp_gpu_libraries *gpu, symcomp_gpu_way *way, int which,
                           int bytes) {
    int best = 0;
    for (int k = 1; k < SHAPES; ++k)
        if (work_of(&way->extents, shapes + k) < work_of(&way->extents, shapes + best))
            best = k;
    if (bytes == 4)
        use_tiles(gpu, way, kernels[which][best], shapes + best, adding_kernels[which], bytes);
    else
        use_tiles(gpu, way, of_type(kernels[which][0], bytes), &shape_of_f64,
                  adding_kernels[which], bytes);
}

/* Elements from row to row as cuBLAS wants them: no fewer than a row has. What is stored as one row
 * has no distance. 0 where cuBLAS cannot express it. */
static int64_t leading(const symcomp_matrices *m, int64_t rows, int64_t columns) {
    int64_t stored = m->transposed ? columns : rows, width = m->transposed ? rows : columns;
    if (stored <= 1)
        return sc_most(width, 1);
    return m->stride >= sc_most(width, 1) && m->stride <= INT32_MAX ? m->stride : 0;
}

static int cublas_expresses(const symcomp_product *p) {
    return p->inner > 0 && p->batch <= INT32_MAX && p->rows <= INT32_MAX &&
           p->columns <= INT32_MAX && p->inner <= INT32_MAX &&
           leading(&p->left, p->rows, p->inner) && leading(&p->right, p->inner, p->columns) &&
           !p->target.transposed && leading(&p->target, p->rows, p->columns);
}

void symcomp_gpu_way_of_product(symcomp_gpu_libraries *gpu, const symcomp_product *p, int bytes,
                                symcomp_gpu_way *way) {
    memset(way, 0, sizeof *way);
    sc_extents *e = &way->extents;
    e->batch = p->batch, e->rows = p->rows, e->columns = p->columns, e->inner = p->inner;
    if (p->batch <= 0 || p->rows <= 0 || p->columns <= 0)
        way->by = SYMCOMP_BY_NOTHING;
    else if (gpu->cublas_handle && cublas_expresses(p))
        way->by = SYMCOMP_BY_CUBLAS;
    else
        use_best_tiles(gpu, way, MULTIPLY, bytes);
}

static int64_t places_in(const int64_t size[3]) { return size[0] * size[1] * size[2]; }

/* Whether the kernels' numbers are long enough: coordinates, and places of a channel. */
static int is_countable(const symcomp_geometry *g) {
    for (int axis = 0; axis < 3; ++axis) {
        int64_t low = g->low[axis] < 0 ? -g->low[axis] : g->low[axis];
        int64_t limits[] = {g->size[axis], g->kernel[axis], g->out[axis], g->stride[axis],
                            g->dilation[axis], low};
        for (int k = 0; k < 6; ++k)
            if (limits[k] < 0 || limits[k] > most_coordinate)
                return 0;
        if (g->out[axis] * g->stride[axis] + g->kernel[axis] * g->dilation[axis] + low >
            most_coordinate)
            return 0;
    }
    return places_in(g->size) <= INT32_MAX && places_in(g->kernel) <= INT32_MAX &&
           places_in(g->out) <= INT32_MAX && places_in(g->stride) <= INT32_MAX;
}

static int64_t filter_elements(const symcomp_geometry *g) {
    return g->groups * g->filters * g->channels * places_in(g->kernel);
}

/* Room for turned filters, before what else is in a workspace. */
static size_t turned_bytes(const symcomp_geometry *g, int bytes) {
    return (size_t)sc_up(filter_elements(g) * bytes, WORKSPACE_ALIGNMENT) * WORKSPACE_ALIGNMENT;
}

/* A filter of one place that moves nothing: with one group, or one image, it is a matrix. */
static int is_matrix_product(const symcomp_geometry *g, int which) {
    for (int axis = 0; axis < 3; ++axis)
        if (g->kernel[axis] != 1 || g->stride[axis] != 1 || g->low[axis] != 0 ||
            g->size[axis] != g->out[axis])
            return 0;
    return which != SYMCOMP_FILTERS && (g->groups == 1 || g->batch == 1);
}

/* That product; the places are filled in by who calls it. */
static symcomp_product as_product(const symcomp_geometry *g, int which) {
    int64_t places = places_in(g->size);
    int is_turned = which == SYMCOMP_INPUT;
    int64_t rows = is_turned ? g->channels : g->filters;
    int64_t inner = is_turned ? g->filters : g->channels;
    int64_t each = g->groups == 1 ? 0 : g->filters * g->channels;
    return (symcomp_product){
        .batch = g->batch * g->groups, .rows = rows, .columns = places, .inner = inner,
        .alpha = 1, .beta = 0,
        .left = {.stride = g->channels, .step = each, .transposed = is_turned},
        .right = {.stride = places, .step = inner * places},
        .target = {.stride = places, .step = rows * places},
    };
}

/* The tap numbers that one residue of the stride can meet along an axis, at most. */
static int64_t taps_of_residue(int64_t kernel, int64_t stride, int64_t dilation) {
    int64_t divisor = stride, rest = dilation;
    while (rest) {
        int64_t smaller = divisor % rest;
        divisor = rest, rest = smaller;
    }
    return sc_up(kernel, stride / divisor);
}

static sc_extents extents_of(const symcomp_geometry *g, int which) {
    if (which == SYMCOMP_FORWARD)
        return (sc_extents){g->groups, g->filters, g->batch * places_in(g->out),
                            g->channels * places_in(g->kernel), 1, 0, 0};
    if (which == SYMCOMP_FILTERS)
        return (sc_extents){g->groups, g->filters, g->channels * places_in(g->kernel),
                            g->batch * places_in(g->out), 1, 0, 0};
    sc_extents e = {g->groups * places_in(g->stride), g->channels, g->batch, g->filters, 1, 0, 0};
    for (int axis = 0; axis < 3; ++axis) {
        e.columns *= sc_up(g->size[axis], g->stride[axis]);
        e.inner *= taps_of_residue(g->kernel[axis], g->stride[axis], g->dilation[axis]);
    }
    return e;
}

/* The kernels for single channels. */
static void use_channels(const symcomp_gpu_libraries *gpu, symcomp_gpu_way *way,
                         const symcomp_geometry *g, int which, int bytes) {
    static const int of_channels[] = {symcomp_kernel_channels_forward, symcomp_kernel_channels_backward,
                                  symcomp_kernel_channels_filters};
    int64_t filters = g->groups * g->filters;
    way->by = SYMCOMP_BY_CHANNELS;
    way->kernel = of_type(of_channels[which], bytes);
    way->add = of_type(symcomp_kernel_multiply_add, bytes);
    way->threads = PRODUCT_THREADS;
    if (which == SYMCOMP_FORWARD)
        way->blocks = sc_up(g->batch * filters * places_in(g->out), PRODUCT_THREADS);
    else if (which == SYMCOMP_INPUT)
        way->blocks = sc_up(g->batch * g->groups * places_in(g->size), PRODUCT_THREADS);
    else {
        sc_extents *e = &way->extents;
        *e = (sc_extents){1, 1, filters * places_in(g->kernel), g->batch * places_in(g->out),
                          1, 0, 0};
        /* A block adds up one element, as several of a tile's would. */
        cut_sums(gpu, e, sc_up(e->columns, 4), 2 * gpu->processors, bytes);
        way->blocks = e->columns * e->parts;
        if (e->parts > 1)
            way->workspace = (size_t)(e->parts * e->columns * bytes);
    }
    if (!gpu->kernels[way->kernel] || (way->workspace && !gpu->kernels[way->add]))
        refuse(way, SYMCOMP_GPU_NO_KERNEL);
}

/* Whether the kernels for far points are needed: the others have a bit for each tap. */
static int has_many_taps(const symcomp_geometry *g) {
    return g->kernel[0] + g->kernel[1] + g->kernel[2] > MOST_TAPS;
}

static void use_correlation(const symcomp_gpu_libraries *gpu, symcomp_gpu_way *way,
                            const symcomp_geometry *g, int which, int bytes) {
    way->extents = extents_of(g, which);
    if (has_many_taps(g))
        use_tiles(gpu, way, of_type(far_kernels[which], bytes),
                  bytes == 4 ? shapes : &shape_of_f64, adding_kernels[which], bytes);
    else
        use_best_tiles(gpu, way, which, bytes);
}

/* The images that belong to results are the results of turned filters, and of as much padding as
 * lets every tap meet every place. */
static symcomp_geometry turned(const symcomp_geometry *g) {
    symcomp_geometry t = *g;
    t.channels = g->filters, t.filters = g->channels;
    for (int axis = 0; axis < 3; ++axis) {
        t.size[axis] = g->out[axis], t.out[axis] = g->size[axis];
        t.low[axis] = g->dilation[axis] * (g->kernel[axis] - 1) - g->low[axis];
    }
    return t;
}

/* cuDNN's tiles are high: for few channels our own kernel is quicker. */
static int is_turned_for_cudnn(const symcomp_geometry *g) {
    return g->channels > FEW_CHANNELS && g->stride[0] == 1 && g->stride[1] == 1 && g->stride[2] == 1;
}

/* Leaves the way as it is where cuDNN has none. */
static void use_cudnn(symcomp_gpu_libraries *gpu, symcomp_gpu_way *way, const symcomp_geometry *g,
                      int which, int bytes) {
    if (!gpu->cudnn_handle || which == SYMCOMP_FILTERS ||
        (which == SYMCOMP_INPUT && !is_turned_for_cudnn(g)))
        return;
    const symcomp_geometry asked = which == SYMCOMP_INPUT ? turned(g) : *g;
    way->plan = symcomp_cudnn_planned(gpu, &asked, bytes);
    if (way->plan->algorithm < 0)
        return;
    way->by = which == SYMCOMP_INPUT ? SYMCOMP_BY_CUDNN_TURNED : SYMCOMP_BY_CUDNN;
    way->workspace = way->plan->workspace;
    if (which == SYMCOMP_FORWARD)
        return;
    way->kernel = of_type(symcomp_kernel_turn_filters, bytes);
    way->workspace += turned_bytes(g, bytes);
    if (!gpu->kernels[way->kernel])
        refuse(way, SYMCOMP_GPU_NO_KERNEL);
}

void symcomp_gpu_way_of_convolution(symcomp_gpu_libraries *gpu, int which,
                                    const symcomp_geometry *g, int bytes, symcomp_gpu_way *way) {
    int64_t images = g->batch * g->groups * g->channels * places_in(g->size);
    int64_t filters = filter_elements(g);
    int64_t results = g->batch * g->groups * g->filters * places_in(g->out);
    int64_t of_target = which == SYMCOMP_FORWARD ? results
                        : which == SYMCOMP_INPUT ? images
                                                 : filters;
    memset(way, 0, sizeof *way);
    if (of_target == 0)
        way->by = SYMCOMP_BY_NOTHING;
    else if (!images || !filters || !results)
        way->by = SYMCOMP_BY_ZEROS;
    else if (!is_countable(g))
        refuse(way, SYMCOMP_GPU_TOO_LARGE);
    else if (is_matrix_product(g, which))
        way->by = SYMCOMP_BY_PRODUCT;
    else if (g->channels == 1 && g->filters <= FEW_FILTERS && g->groups > 1)
        use_channels(gpu, way, g, which, bytes);
    else {
        use_cudnn(gpu, way, g, which, bytes);
        if (way->by == SYMCOMP_BY_NOTHING)
            use_correlation(gpu, way, g, which, bytes);
    }
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
        /* What it thought it could do it cannot: it is not asked again. */
        way.plan->algorithm = -1;
        return symcomp_gpu_convolution(gpu, which, g, bytes, a, b, target);
    }
    case SYMCOMP_BY_TILES:
    case SYMCOMP_BY_CHANNELS:
        return convolve_by_kernels(gpu, &way, which, g, bytes, a, b, target);
    default: return way.error;
    }
}

/* --- opening and closing -----------------------------------------------------------------------*/

void symcomp_gpu_serve(symcomp_gpu_libraries *gpu, int64_t processors, void *const *kernels,
                       const void *cublas, const void *cudnn) {
    gpu->processors = processors;
    for (int k = 0; k < SYMCOMP_KERNEL_COUNT; ++k)
        if (kernels[k])
            gpu->kernels[k] = kernels[k];
    gpu->cublas = cublas ? cublas : gpu->cublas;
    gpu->cudnn = cudnn ? cudnn : gpu->cudnn;
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
