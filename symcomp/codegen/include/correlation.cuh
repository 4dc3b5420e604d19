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

#include "gather.cuh"
#include "matrix.cuh"

/* What gathers need of shared memory beside a bench. */
template <typename T, class Shape, class Point> struct sc_correlation_bench : sc_bench<T, Shape> {
    sc_inner_points<Point> left_points, right_points;
    Point left_edges[Shape::ROWS], right_edges[Shape::COLUMNS];
};

static __device__ inline void sc_set_lattice(sc_lattice &lattice, const int32_t size[3],
                                             int64_t outer) {
    lattice.outers = 0;
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

template <typename T, class Point> struct sc_correlation_problem {
    const sc_correlation &p;
    const sc_extents &extents;

    template <class Shape> using Bench = sc_correlation_bench<T, Shape, Point>;

    __device__ explicit sc_correlation_problem(const sc_correlation &parameters)
        : p(parameters), extents(parameters.extents) {}

    __device__ void narrow(const sc_job &, int, int64_t &, int64_t &) const {}

    /* The inner index of the left operand: an array of this size. */
    template <bool are_positions, class Shape>
    static __device__ sc_announcer<Point, are_positions> left_inner(Bench<Shape> &bench,
                                                                    const int32_t *size) {
        const sc_job &job = bench.job;
        const sc_lattice &edge = job.left_edge, &inner = job.left_inner;
        return {bench.left_points, {are_positions ? inner : edge, are_positions ? edge : inner,
                                    size, sizeof(T)}, job.first_term, job.terms, 0};
    }

    template <bool are_positions, class Shape>
    static __device__ sc_announcer<Point, are_positions> right_inner(Bench<Shape> &bench,
                                                                     const int32_t *size) {
        const sc_job &job = bench.job;
        const sc_lattice &edge = job.right_edge, &inner = job.right_inner;
        return {bench.right_points, {are_positions ? inner : edge, are_positions ? edge : inner,
                                     size, sizeof(T)}, job.first_term, job.terms,
                Shape::THREADS / 2 % sc_inner_points<Point>::BATCH ? 0 : Shape::THREADS / 2};
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

template <typename T, class Point> struct sc_forward : sc_correlation_problem<T, Point> {
    using Base = sc_correlation_problem<T, Point>;
    using Base::Base, Base::p;

    __device__ void prepare(int64_t group, sc_job &job) const {
        sc_prepare_forward(p, group, sizeof(T), job);
    }

    template <class Shape>
    __device__ void tile(sc_correlation_bench<T, Shape, Point> &bench) const {
        const sc_job &job = bench.job;
        const sc_matrix<T, Shape, Shape::ROWS> left(job.left, job.inner, true, job.rows,
                                                    job.first_row, job);
        const sc_gather_positions<T, Shape, Shape::COLUMNS, Point> right(
            job.right, Base::template right_inner<false, Shape>(bench, p.size), job.columns,
            job.first_column);
        sc_product_tile<T, Shape>(bench, left, right);
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

/* Whether to order the places by rows, then by images, and the taps by rows, then by filters: so a
 * tile lies in one row, or slice, of all images, and terms of rows that none of its taps meets are
 * left out. It pays if there are many of them, and if rows of places are long enough to be read. */
static __device__ inline bool sc_narrows(const sc_correlation &p, const sc_job &job) {
    const sc_lattice &edge = job.right_edge;
    const int axis = p.kernel[0] > 1 ? 0 : 1;
    return edge.count[2] >= 8 && p.kernel[axis] > 1 &&
           4 * (int64_t)edge.count[axis] >= 5 * (int64_t)p.out[axis];
}

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
    if (sc_narrows(p, job)) {
        job.right_edge.outers = job.target_columns.outers = p.batch;
        job.left_inner.outers = job.right_inner.outers = p.filter_count;
    }
}

/* The digits of taps along an axis, [begin, end), that lead from coordinates `first` to `last` to a
 * result: the steps go back. */
static __device__ inline void sc_meeting_taps(const sc_lattice &taps, int axis, int32_t results,
                                              int32_t first, int32_t last, int64_t &begin,
                                              int64_t &end) {
    const int32_t step = -taps.step[axis], count = (int32_t)taps.count[axis];
    begin = first < results ? 0 : (first - results) / step + 1;
    end = last < 0 ? 0 : sc_fewer(last / step + 1, count);
}

template <typename T, class Point> struct sc_backward : sc_correlation_problem<T, Point> {
    using Base = sc_correlation_problem<T, Point>;
    using Base::Base, Base::p;

    __device__ void prepare(int64_t group, sc_job &job) const {
        sc_prepare_backward(p, group, sizeof(T), job);
    }

    __device__ void narrow(const sc_job &job, int width, int64_t &begin, int64_t &end) const {
        const sc_lattice &edge = job.right_edge, &taps = job.right_inner;
        if (!edge.outers || job.first_column >= job.columns)
            return;
        const int64_t of_row = edge.outers * edge.count[2];
        int64_t first = job.first_column, last = sc_fewer(first + width, job.columns) - 1;
        first = sc_quotient(first, of_row), last = sc_quotient(last, of_row);
        const int axis = p.kernel[0] > 1 ? 0 : 1;
        if (axis == 0) /* slices */
            first = sc_quotient(first, edge.count[1]), last = sc_quotient(last, edge.count[1]);
        else if (first / edge.count[1] != last / edge.count[1])
            return;
        else
            first %= edge.count[1], last %= edge.count[1];
        sc_meeting_taps(taps, axis, p.out[axis], edge.start[axis] + (int32_t)first,
                        edge.start[axis] + (int32_t)last, begin, end);
        const int64_t each = taps.outers * taps.count[2] * (axis == 0 ? taps.count[1] : 1);
        begin *= each, end *= each;
    }

    template <class Shape>
    __device__ void tile(sc_correlation_bench<T, Shape, Point> &bench) const {
        const sc_job &job = bench.job;
        const sc_gather_positions<T, Shape, Shape::ROWS, Point> left(
            job.left, Base::template left_inner<false, Shape>(bench, p.kernel), job.rows,
            job.first_row);
        const sc_gather_positions<T, Shape, Shape::COLUMNS, Point> right(
            job.right, Base::template right_inner<false, Shape>(bench, p.out), job.columns,
            job.first_column);
        sc_product_tile<T, Shape>(bench, left, right);
    }
};

/* Filters for which images are results: their taps in reverse, channels in the place of filters. The
 * target is in the place of the results. */
template <typename T> static __device__ inline void sc_turn_filters(const sc_correlation &p) {
    const int64_t taps = sc_volume(p.kernel);
    int64_t number = sc_block_number() * SC_THREADS + threadIdx.x, rest = number;
    const int64_t tap = sc_divide(&rest, taps), filter = sc_divide(&rest, p.filter_count);
    const int64_t channel = sc_divide(&rest, p.channels);
    if (rest < p.groups)
        reinterpret_cast<T *>(p.results)[number] =
            __ldg(reinterpret_cast<const T *>(p.filters) +
                  ((rest * p.filter_count + filter) * p.channels + channel + 1) * taps - 1 - tap);
}

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

template <typename T, class Point> struct sc_of_filters : sc_correlation_problem<T, Point> {
    using Base = sc_correlation_problem<T, Point>;
    using Base::Base, Base::p;

    __device__ void prepare(int64_t group, sc_job &job) const {
        sc_prepare_filters(p, group, sizeof(T), job);
    }

    template <class Shape>
    __device__ void tile(sc_correlation_bench<T, Shape, Point> &bench) const {
        const sc_job &job = bench.job;
        const sc_gather_taps<T, Shape, Shape::ROWS, Point> left(
            job.left, Base::template left_inner<true, Shape>(bench, p.out), bench.left_edges,
            job.rows, job.first_row);
        const sc_gather_taps<T, Shape, Shape::COLUMNS, Point> right(
            job.right, Base::template right_inner<true, Shape>(bench, p.size), bench.right_edges,
            job.columns, job.first_column);
        sc_product_tile<T, Shape>(bench, left, right);
    }
};

#endif
