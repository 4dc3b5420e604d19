/* Convolutions and their transposes as products of matrices that are nowhere stored: each is a
 * problem for sc_product, with one product for each group.
 *
 * All three come from one sum over places with q = stride * p + dilation * k - low, where q is in
 * an image, p in a result and k in a filter. Each of their edges and inner indices is a lattice,
 * and what is read lies where two of them lead together. With respect to the images, the places q
 * fall into residues modulo the stride: within one, only one tap in so many meets results, and
 * neighbouring places meet neighbouring results. So each residue is a product of its own, which
 * gathers: nothing is scattered.
 */
#ifndef SYMCOMP_CORRELATION_CUH
#define SYMCOMP_CORRELATION_CUH

#include "product.cuh"

/* What gathers need of shared memory beside a bench. */
template <typename T, class Shape> struct sc_correlation_bench : sc_bench<T, Shape> {
    sc_points<Shape::ROWS, Shape::DEPTH> left_points;
    sc_points<Shape::COLUMNS, Shape::DEPTH> right_points;
};

static __device__ inline void sc_set_lattice(sc_lattice &lattice, const int32_t size[3],
                                             int64_t outer) {
    lattice.outer = outer;
    lattice.places = 1;
    lattice.pitch[0] = (int64_t)size[1] * size[2];
    lattice.pitch[1] = size[2];
}

/* The coordinates along an axis are start + digit * step. */
static __device__ inline void sc_set_axis(sc_lattice &lattice, int axis, int32_t count,
                                          int32_t start, int32_t step) {
    lattice.places *= count;
    lattice.count[axis] = count;
    lattice.start[axis] = start;
    lattice.step[axis] = step;
}

/* Where an array of so many bytes an element lies, from a group on. */
static __device__ inline uint64_t sc_from_group(uint64_t array, int64_t group, int64_t channels,
                                                const int32_t size[3], int64_t bytes) {
    return array + group * channels * sc_volume(size) * bytes;
}

static __device__ inline uint64_t sc_images(const sc_correlation &p, int64_t group, int bytes) {
    return sc_from_group(p.images, group, p.channels, p.size, bytes);
}

static __device__ inline uint64_t sc_filters(const sc_correlation &p, int64_t group, int bytes) {
    return sc_from_group(p.filters, group, p.filter_count * p.channels, p.kernel, bytes);
}

static __device__ inline uint64_t sc_results(const sc_correlation &p, int64_t group, int bytes) {
    return sc_from_group(p.results, group, p.filter_count, p.out, bytes);
}

/* Elements from one image, or result, to the next. */
static __device__ inline int64_t sc_image_step(const sc_correlation &p) {
    return p.groups * p.channels * sc_volume(p.size);
}

static __device__ inline int64_t sc_result_step(const sc_correlation &p) {
    return p.groups * p.filter_count * sc_volume(p.out);
}

template <typename T> struct sc_correlation_problem {
    const sc_correlation &p;
    const sc_extents &extents;

    template <class Shape> using Bench = sc_correlation_bench<T, Shape>;

    __device__ explicit sc_correlation_problem(const sc_correlation &parameters)
        : p(parameters), extents(parameters.extents) {}

    template <bool along_edge, class Shape>
    static __device__ sc_gather<T, Shape::ROWS, Shape::DEPTH, along_edge>
    left(Bench<Shape> &bench, const int32_t *size) {
        const sc_job &job = bench.job;
        return {job.left,      size,          bench.left_points, job.left_edge, job.rows,
                job.first_row, job.left_inner, job,              0};
    }

    template <bool along_edge, class Shape>
    static __device__ sc_gather<T, Shape::COLUMNS, Shape::DEPTH, along_edge>
    right(Bench<Shape> &bench, const int32_t *size) {
        const sc_job &job = bench.job;
        return {job.right,        size,            bench.right_points, job.right_edge, job.columns,
                job.first_column, job.right_inner, job,                32};
    }
};

/* --- forward: filters times patches ------------------------------------------------------------*/

static __device__ inline void sc_prepare_forward(const sc_correlation &p, int64_t group, int bytes,
                                                 sc_job &job) {
    job.left = sc_filters(p, group, bytes), job.right = sc_images(p, group, bytes);
    job.target =
        sc_target{sc_results(p, group, bytes), sc_volume(p.out), &job.target_columns, 1, 0};
    sc_set_lattice(job.right_edge, p.size, sc_image_step(p));
    sc_set_lattice(job.right_inner, p.size, sc_volume(p.size));
    sc_set_lattice(job.target_columns, p.out, sc_result_step(p));
    for (int axis = 0; axis < 3; ++axis) {
        sc_set_axis(job.right_edge, axis, p.out[axis], -p.low[axis], p.stride[axis]);
        sc_set_axis(job.right_inner, axis, p.kernel[axis], 0, p.dilation[axis]);
        sc_set_axis(job.target_columns, axis, p.out[axis], 0, 1);
    }
}

template <typename T> struct sc_forward : sc_correlation_problem<T> {
    using sc_correlation_problem<T>::sc_correlation_problem;
    using sc_correlation_problem<T>::p;

    __device__ void prepare(int64_t group, sc_job &job) const {
        sc_prepare_forward(p, group, sizeof(T), job);
    }

    template <class Shape> __device__ void tile(sc_correlation_bench<T, Shape> &bench) const {
        const sc_job &job = bench.job;
        const sc_matrix<T, Shape::ROWS, Shape::DEPTH> left(job.left, job.inner, true, job.rows,
                                                           job.first_row, job.first_term);
        sc_product_tile<T, Shape>(bench, left, this->template right<true>(bench, p.size));
    }
};

/* --- with respect to the images: turned filters times results, for one residue -----------------*/

/* Along one axis: the places q with q + low = r modulo the stride, and the taps that meet results
 * there. */
struct sc_residue {
    int32_t places, first_place; /* first_place, first_place + stride, ... */
    int32_t taps, first_tap, tap_step;
    int32_t first_result; /* under the first tap at the first place */
    int32_t result_step;  /* back, from one tap to the next */

    __device__ sc_residue(int32_t r, int32_t size, int32_t kernel, int32_t stride,
                          int32_t dilation, int32_t low)
        : taps(0), first_tap(0) {
        int32_t divisor = stride; /* the greatest common one of stride and dilation */
        for (int32_t rest = dilation; rest;) {
            const int32_t smaller = divisor % rest;
            divisor = rest, rest = smaller;
        }
        first_place = (r - low) % stride;
        if (first_place < 0)
            first_place += stride;
        places = first_place < size ? (size - 1 - first_place) / stride + 1 : 0;
        tap_step = stride / divisor, result_step = dilation / divisor;
        const int32_t last = sc_fewer(kernel, tap_step);
        while (first_tap < last && (int64_t)dilation * first_tap % stride != r)
            ++first_tap;
        if (first_tap < last)
            taps = (kernel - 1 - first_tap) / tap_step + 1;
        /* The difference is a multiple of the stride. */
        first_result = (int32_t)((first_place + low - (int64_t)dilation * first_tap) / stride);
    }
};

/* Of the groups times the residues. */
static __device__ inline void sc_prepare_backward(const sc_correlation &p, int64_t group, int bytes,
                                                  sc_job &job) {
    const int32_t one[3] = {1, 1, 1};
    int64_t residue = sc_divide(&group, sc_volume(p.stride));
    job.left = sc_filters(p, group, bytes), job.right = sc_results(p, group, bytes);
    job.target =
        sc_target{sc_images(p, group, bytes), sc_volume(p.size), &job.target_columns, 1, 0};
    sc_set_lattice(job.left_edge, one, sc_volume(p.kernel));
    sc_set_lattice(job.left_inner, p.kernel, p.channels * sc_volume(p.kernel));
    sc_set_lattice(job.right_edge, p.out, sc_result_step(p));
    sc_set_lattice(job.right_inner, p.out, sc_volume(p.out));
    sc_set_lattice(job.target_columns, p.size, sc_image_step(p));
    job.columns = p.batch, job.inner = p.filter_count;
#pragma unroll 1
    for (int axis = 2; axis >= 0; --axis) {
        const int32_t of_axis = (int32_t)sc_divide(&residue, p.stride[axis]);
        const sc_residue r(of_axis, p.size[axis], p.kernel[axis], p.stride[axis],
                           p.dilation[axis], p.low[axis]);
        job.columns *= r.places, job.inner *= r.taps;
        sc_set_axis(job.left_edge, axis, 1, 0, 0);
        sc_set_axis(job.left_inner, axis, r.taps, r.first_tap, r.tap_step);
        sc_set_axis(job.right_edge, axis, r.places, r.first_result, 1);
        sc_set_axis(job.right_inner, axis, r.taps, 0, -r.result_step);
        sc_set_axis(job.target_columns, axis, r.places, r.first_place, p.stride[axis]);
    }
}

template <typename T> struct sc_backward : sc_correlation_problem<T> {
    using sc_correlation_problem<T>::sc_correlation_problem;
    using sc_correlation_problem<T>::p;

    __device__ void prepare(int64_t group, sc_job &job) const {
        sc_prepare_backward(p, group, sizeof(T), job);
    }

    template <class Shape> __device__ void tile(sc_correlation_bench<T, Shape> &bench) const {
        sc_product_tile<T, Shape>(bench, this->template left<true>(bench, p.kernel),
                                  this->template right<true>(bench, p.out));
    }
};

/* --- with respect to the filters: results times patches, over all places of all images ---------*/

static __device__ inline void sc_prepare_filters(const sc_correlation &p, int64_t group, int bytes,
                                                 sc_job &job) {
    const int32_t one[3] = {1, 1, 1};
    job.left = sc_results(p, group, bytes), job.right = sc_images(p, group, bytes);
    job.target = sc_target{sc_filters(p, group, bytes), job.columns, nullptr, 1, 0};
    sc_set_lattice(job.left_edge, one, sc_volume(p.out));
    sc_set_lattice(job.left_inner, p.out, sc_result_step(p));
    sc_set_lattice(job.right_edge, p.size, sc_volume(p.size));
    sc_set_lattice(job.right_inner, p.size, sc_image_step(p));
    for (int axis = 0; axis < 3; ++axis) {
        sc_set_axis(job.left_edge, axis, 1, 0, 0);
        sc_set_axis(job.left_inner, axis, p.out[axis], 0, 1);
        sc_set_axis(job.right_edge, axis, p.kernel[axis], -p.low[axis], p.dilation[axis]);
        sc_set_axis(job.right_inner, axis, p.out[axis], 0, p.stride[axis]);
    }
}

template <typename T> struct sc_of_filters : sc_correlation_problem<T> {
    using sc_correlation_problem<T>::sc_correlation_problem;
    using sc_correlation_problem<T>::p;

    __device__ void prepare(int64_t group, sc_job &job) const {
        sc_prepare_filters(p, group, sizeof(T), job);
    }

    template <class Shape> __device__ void tile(sc_correlation_bench<T, Shape> &bench) const {
        sc_product_tile<T, Shape>(bench, this->template left<false>(bench, p.out),
                                  this->template right<false>(bench, p.size));
    }
};

#endif
