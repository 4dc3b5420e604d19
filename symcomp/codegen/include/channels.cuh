/* Convolutions with one channel in each group: every filter sees a single channel, so there is no
 * product of matrices to be made. Each thread, or block, adds up one element of the target.
 */
#ifndef SYMCOMP_CHANNELS_CUH
#define SYMCOMP_CHANNELS_CUH

#include "product.cuh"

/* The number of this thread's element. */
static __device__ inline int64_t sc_element_number() {
    return sc_block_number() * SC_THREADS + threadIdx.x;
}

/* The place, of those of one channel, by its coordinates. */
static __device__ inline void sc_coordinates(uint32_t place, const int32_t size[3],
                                             int32_t at[3]) {
#pragma unroll
    for (int axis = 2; axis >= 0; --axis) {
        const uint32_t count = size[axis], rest = place / count;
        at[axis] = (int32_t)(place - rest * count);
        place = rest;
    }
}

/* results[b, g * O + o, p] */
template <typename T> static __device__ inline void sc_channels_forward(const sc_correlation &p) {
    const int64_t area = sc_volume(p.size), all_filters = p.groups * p.filter_count;
    int64_t image = sc_element_number();
    const int64_t place = sc_divide(&image, sc_volume(p.out));
    const int64_t filter = sc_divide(&image, all_filters);
    if (image >= p.batch)
        return;
    int32_t at[3];
    sc_coordinates((uint32_t)place, p.out, at);
#pragma unroll
    for (int axis = 0; axis < 3; ++axis)
        at[axis] = at[axis] * p.stride[axis] - p.low[axis];
    const T *const x = reinterpret_cast<const T *>(p.images) +
                       (image * p.groups + sc_quotient(filter, p.filter_count)) * area;
    const T *w = reinterpret_cast<const T *>(p.filters) + filter * sc_volume(p.kernel);
    T sum = T(0);
    for (int32_t i = 0, z = at[0]; i < p.kernel[0]; ++i, z += p.dilation[0])
        for (int32_t j = 0, y = at[1]; j < p.kernel[1]; ++j, y += p.dilation[1]) {
            const bool inside = (uint32_t)z < (uint32_t)p.size[0] &
                                (uint32_t)y < (uint32_t)p.size[1];
            const T *const row = x + ((int64_t)z * p.size[1] + y) * p.size[2];
            for (int32_t k = 0, u = at[2]; k < p.kernel[2]; ++k, u += p.dilation[2])
                sum += (inside && (uint32_t)u < (uint32_t)p.size[2] ? __ldg(row + u) : T(0)) *
                       __ldg(w++);
        }
    reinterpret_cast<T *>(p.results)[(image * all_filters + filter) * sc_volume(p.out) + place] =
        sum;
}

/* The result whose tap meets a place, where the two lie `reach` apart; -1 if there is none. */
static __device__ inline int32_t sc_met(int32_t reach, int32_t stride, int32_t results) {
    const int32_t at = stride == 1 ? reach : reach / stride;
    return reach >= 0 && at * stride == reach && at < results ? at : -1;
}

/* images[b, g, q] */
template <typename T> static __device__ inline void sc_channels_backward(const sc_correlation &p) {
    const int64_t area = sc_volume(p.size), places = sc_volume(p.out);
    int64_t image = sc_element_number();
    const int64_t place = sc_divide(&image, area), group = sc_divide(&image, p.groups);
    if (image >= p.batch)
        return;
    int32_t at[3];
    sc_coordinates((uint32_t)place, p.size, at);
    const T *w = reinterpret_cast<const T *>(p.filters) +
                 group * p.filter_count * sc_volume(p.kernel);
    const T *y = reinterpret_cast<const T *>(p.results) +
                 (image * p.groups + group) * p.filter_count * places;
    T sum = T(0);
    for (int64_t filter = 0; filter < p.filter_count; ++filter, y += places)
        for (int32_t i = 0; i < p.kernel[0]; ++i) {
            const int32_t slice =
                sc_met(at[0] + p.low[0] - i * p.dilation[0], p.stride[0], p.out[0]);
            for (int32_t j = 0; j < p.kernel[1]; ++j, w += p.kernel[2]) {
                const int32_t line =
                    sc_met(at[1] + p.low[1] - j * p.dilation[1], p.stride[1], p.out[1]);
                if (slice < 0 || line < 0)
                    continue;
                const T *const row = y + ((int64_t)slice * p.out[1] + line) * p.out[2];
                for (int32_t k = 0; k < p.kernel[2]; ++k) {
                    const int32_t u =
                        sc_met(at[2] + p.low[2] - k * p.dilation[2], p.stride[2], p.out[2]);
                    if (u >= 0)
                        sum += __ldg(row + u) * __ldg(w + k);
                }
            }
        }
    reinterpret_cast<T *>(p.images)[(image * p.groups + group) * area + place] = sum;
}

/* filters[g * O + o, 0, k]: a block adds up one element, or a part of its terms, which are the
 * places of all images. */
template <typename T> static __device__ inline void sc_channels_filters(const sc_correlation &p) {
    const sc_extents &e = p.extents;
    const int64_t area = sc_volume(p.size), all_filters = p.groups * p.filter_count;
    const uint32_t places = (uint32_t)sc_volume(p.out);
    int64_t part = sc_block_number();
    const int64_t element = sc_divide(&part, e.columns);
    if (part >= e.parts)
        return;
    int64_t filter = element;
    const int32_t tap = (int32_t)sc_divide(&filter, sc_volume(p.kernel));
    int32_t from[3];
    sc_coordinates((uint32_t)tap, p.kernel, from);
#pragma unroll
    for (int axis = 0; axis < 3; ++axis)
        from[axis] = from[axis] * p.dilation[axis] - p.low[axis];
    const T *const x = reinterpret_cast<const T *>(p.images) +
                       sc_quotient(filter, p.filter_count) * area;
    const T *const y = reinterpret_cast<const T *>(p.results) + filter * places;
    const int64_t end = sc_fewer(e.inner, (part + 1) * e.share);
    T sum = T(0);
    for (int64_t term = part * e.share + threadIdx.x; term < end; term += SC_THREADS) {
        int64_t image = term;
        const uint32_t place = (uint32_t)sc_divide(&image, places);
        int32_t at[3];
        sc_coordinates(place, p.out, at);
        bool inside = true;
#pragma unroll
        for (int axis = 0; axis < 3; ++axis) {
            at[axis] = at[axis] * p.stride[axis] + from[axis];
            inside &= (uint32_t)at[axis] < (uint32_t)p.size[axis];
        }
        const int64_t there = ((int64_t)at[0] * p.size[1] + at[1]) * p.size[2] + at[2];
        const T met = inside ? __ldg(x + image * p.groups * area + there) : T(0);
        sum += met * __ldg(y + image * all_filters * places + place);
    }
    sum = sc_team_fold<sc_sum>(sum);
    if (threadIdx.x == 0) {
        const uint64_t to = e.parts > 1 ? e.partial : p.filters;
        reinterpret_cast<T *>(to)[part * e.columns + element] = sum;
    }
}

#endif
