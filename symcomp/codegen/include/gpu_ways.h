/* How products and convolutions are computed: the two functions symcomp_gpu_way_of_... decide
 * everything. A part of gpu_products.c.
 */
#ifndef SYMCOMP_GPU_WAYS_H
#define SYMCOMP_GPU_WAYS_H

#include "gpu_products.h"
#include "gpu_cudnn.h"

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

static void refuse(symcomp_gpu_way *way, int error) {
    way->by = SYMCOMP_BY_NOBODY;
    way->error = error;
}

/* Refuses what needs a kernel that is not there. */
static void need(symcomp_gpu_libraries *gpu, symcomp_gpu_way *way, int kernel) {
    if (gpu->kernels[kernel])
        return;
    gpu->lacking |= UINT64_C(1) << kernel;
    refuse(way, SYMCOMP_GPU_NO_KERNEL);
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
static void use_tiles(symcomp_gpu_libraries *gpu, symcomp_gpu_way *way, int kernel,
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
    need(gpu, way, way->kernel);
    if (e->parts > 1)
        need(gpu, way, way->add);
}

/* The same with the tiles that have the least to do. */
static void use_best_tiles(symcomp_gpu_libraries *gpu, symcomp_gpu_way *way, int which,
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
static void use_channels(symcomp_gpu_libraries *gpu, symcomp_gpu_way *way,
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
    need(gpu, way, way->kernel);
    if (way->workspace)
        need(gpu, way, way->add);
}

/* Whether the kernels for far points are needed: the others have a bit for each tap. */
static int has_many_taps(const symcomp_geometry *g) {
    return g->kernel[0] + g->kernel[1] + g->kernel[2] > MOST_TAPS;
}

static void use_correlation(symcomp_gpu_libraries *gpu, symcomp_gpu_way *way,
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

static int has_strides(const symcomp_geometry *g) {
    return g->stride[0] != 1 || g->stride[1] != 1 || g->stride[2] != 1;
}

/* Leaves the way as it is where cuDNN has none, or for gradients of images with few channels only
 * direct sums: its tiles are high, and our own kernel is quicker. */
static void use_cudnn(symcomp_gpu_libraries *gpu, symcomp_gpu_way *way, const symcomp_geometry *g,
                      int which, int bytes) {
    if (!gpu->cudnn_handle || which == SYMCOMP_FILTERS ||
        (which == SYMCOMP_INPUT && has_strides(g)))
        return;
    const symcomp_geometry asked = which == SYMCOMP_INPUT ? turned(g) : *g;
    way->plan = symcomp_cudnn_planned(gpu, &asked, bytes);
    int algorithm = way->plan->algorithm;
    int fourier = algorithm == CUDNN_FOURIER || algorithm == CUDNN_FOURIER_TILES;
    if (algorithm < 0 || (which == SYMCOMP_INPUT && g->channels <= FEW_CHANNELS && !fourier))
        return;
    way->by = which == SYMCOMP_INPUT ? SYMCOMP_BY_CUDNN_TURNED : SYMCOMP_BY_CUDNN;
    way->workspace = way->plan->workspace;
    if (which == SYMCOMP_FORWARD)
        return;
    way->kernel = of_type(symcomp_kernel_turn_filters, bytes);
    way->workspace += turned_bytes(g, bytes);
    need(gpu, way, way->kernel);
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

#endif
