/* The kernels of convolution.c, for one type, T; see convolution.h.
 *
 * The kernel is `tile`: rows of the result (filters) by vectors of neighbouring positions, with all
 * sums in registers. What it reads are *prepared planes*: copies of the source in which the
 * positions of one tap are contiguous. Either the taps are shifts within one copy of the plane
 * (padded, and split by stride), whose rows are then wider than the result's, so that some sums are
 * wasted; or each tap has a copy of its own, compact over rows and images. `plan` takes what costs
 * less.
 */

typedef T NAME(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef T NAME(unaligned) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
#define VECTOR NAME(vector)
#define UNALIGNED NAME(unaligned)
/* The lanes of a vector where a mask is set, else 0. */
typedef INTEGER NAME(mask) __attribute__((vector_size(VECTOR_BYTES), may_alias));
#define KEPT(x, lanes) ((VECTOR)((NAME(mask))(x) & (lanes)))
#define LANES ((int64_t)(VECTOR_BYTES / sizeof(T)))

#include "convolution_shuffles.h"
#include "convolution_tiles.h"

/* ---- kernels of the filters' gradient ---------------------------------------------------------- */

/* c[m, n] += sum over rows y and columns u of a[offset[m] + y * a_pitch + u] * b[y, u, n]. */
#define BESIDE(m, v) VECTOR x_##v = ((const VECTOR *)b)[v];
#define BEGIN(m, N) const T *from_##m = a + offset[m];
#define ROW_OF_PRODUCTS(m, N) weight = from_##m[u] - zero; COLUMNS_##N(TERM, m)
#define NEXT(m, N) from_##m += a_pitch;
#define ADD_TO(m, v) ((VECTOR *)(c + m * c_step))[v] += sum_##m##_##v;
#define ADD_ROW_TO(m, N) COLUMNS_##N(ADD_TO, m)

#define GATHER(M, N)                                                                               \
    static void NAME(gather_##M##_##N)(int64_t height, int64_t width, const T *a,                  \
                                       const int64_t *offset, int64_t a_pitch, const T *b,         \
                                       int64_t b_step, T *c, int64_t c_step) {                     \
        VECTOR zero = {0}, weight;                                                                 \
        ROWS_##M(SUMS, N)                                                                          \
        ROWS_##M(BEGIN, N)                                                                         \
        for (int64_t y = 0; y < height; ++y) {                                                     \
            for (int64_t u = 0; u < width; ++u, b += b_step) {                                     \
                COLUMNS_##N(BESIDE, 0)                                                             \
                ROWS_##M(ROW_OF_PRODUCTS, N)                                                       \
            }                                                                                      \
            ROWS_##M(NEXT, N)                                                                      \
        }                                                                                          \
        ROWS_##M(ADD_ROW_TO, N)                                                                    \
    }
GATHER(1, 1) GATHER(2, 1) GATHER(4, 1) GATHER(8, 1)
GATHER(1, 2) GATHER(2, 2) GATHER(4, 2) GATHER(8, 2)
GATHER(1, 3) GATHER(2, 3) GATHER(4, 3) GATHER(8, 3)
GATHER(1, 4) GATHER(2, 4) GATHER(4, 4) GATHER(6, 4)

typedef void (*NAME(gather_kernel))(int64_t, int64_t, const T *, const int64_t *, int64_t,
                                    const T *, int64_t, T *, int64_t);

/* By vectors; what follows of rows: most, then half of what is left at a time. */
static const NAME(gather_kernel) NAME(gathers)[5][MOST_ROWS + 1] = {
    [1] = {[1] = NAME(gather_1_1), [2] = NAME(gather_2_1), [4] = NAME(gather_4_1),
           [8] = NAME(gather_8_1)},
    [2] = {[1] = NAME(gather_1_2), [2] = NAME(gather_2_2), [4] = NAME(gather_4_2),
           [8] = NAME(gather_8_2)},
    [3] = {[1] = NAME(gather_1_3), [2] = NAME(gather_2_3), [4] = NAME(gather_4_3),
           [8] = NAME(gather_8_3)},
    [4] = {[1] = NAME(gather_1_4), [2] = NAME(gather_2_4), [4] = NAME(gather_4_4),
           [6] = NAME(gather_6_4)},
};

#include "convolution_lanes.h"
#include "convolution_planes.h"
#include "convolution_scatter.h"
#include "convolution_winograd.h"
#include "convolution_winograd_filters.h"
#include "convolution_channelwise.h"
#include "convolution_pairs.h"
#include "convolution_pointwise.h"
#include "convolution_correlate.h"

/* ---- the gradient with respect to the filters ------------------------------------------------- */

static int64_t NAME(padded_filters)(const symcomp_geometry *g) {
    return quotient_up(g->filters, PADDING / (int64_t)sizeof(T)) * (PADDING / (int64_t)sizeof(T));
}

/* How many vectors of filters the next kernel takes: fours and threes fit best. */
static int64_t NAME(next_vectors)(int64_t left) {
    if (left <= 4)
        return left;
    return left % 4 == 0 || left == 7 ? 4 : 3;
}

/* turned[tile of filters, position, filter]: some positions of an image's gradient, channels last, in
 * tiles as wide as the kernels that read them. Filters past the last one are zero. */
static void NAME(turn)(const T *gradient, const T *end, int64_t filters, int64_t pitch,
                       int64_t count, int64_t width, T *turned) {
    int64_t vectors;
    for (int64_t o = 0; o < width; o += vectors * LANES, turned += count * vectors * LANES) {
        vectors = NAME(next_vectors)((width - o) / LANES);
        for (int64_t v = 0; v < vectors; ++v) {
            const T *from[LANES];
            for (int64_t m = 0; m < LANES; ++m)
                from[m] = o + v * LANES + m < filters ? gradient + (o + v * LANES + m) * pitch : NULL;
            NAME(to_lanes)(from, 0, count, end, turned + v * LANES, vectors * LANES);
        }
    }
}

/* A band of an image's gradient, turned, against some planes of x. */
static void NAME(gather_planes)(int64_t all, const NAME(prepared) *made, const int64_t *offset,
                                const T *prepared, int64_t rows, int64_t columns, const T *turned,
                                int64_t width, T *partial) {
    int64_t vectors;
    for (int64_t o = 0; o < width; o += vectors * LANES) {
        vectors = NAME(next_vectors)((width - o) / LANES);
        int64_t most = vectors == 4 ? 6 : MOST_ROWS, step = vectors * LANES;
        for (int64_t m = 0; m < all;) {
            int64_t left = all - m;
            int64_t count = left >= most ? most : left >= 4 ? 4 : left >= 2 ? 2 : 1;
            NAME(gathers)[vectors][count](rows, columns, prepared, offset + m, made->columns,
                                          turned, step, partial + m * width + o, width);
            m += count;
        }
        turned += rows * columns * step;
    }
}

/* partial[plane, tap, filter] += sum of gradient * plane, where a group has few filters. Lanes past
 * the end of a row are cleared: zero times what lies there need not be zero. */
static void NAME(multiply_planes)(int64_t planes, int64_t taps, const NAME(prepared) *made,
                                  const int64_t *offset, const T *prepared, int64_t rows,
                                  int64_t columns, const T *gradient, T *partial, int64_t width) {
    VECTOR zero = {0}, lane;
    for (int64_t n = 0; n < LANES; ++n)
        lane[n] = (T)n;
    NAME(mask) last = lane <= (T)((columns - 1) % LANES) - zero;
    for (int64_t p = 0; p < planes; ++p)
        for (int64_t k = 0; k < taps; k += 4) {
            const T *from[4], *beside = gradient;
            VECTOR sum[4] = {zero, zero, zero, zero};
            for (int j = 0; j < 4; ++j)
                from[j] = prepared + offset[p * taps + at_most(k + j, taps - 1)];
            for (int64_t t = 0; t < rows; ++t, beside += columns) {
                int64_t u = 0;
                for (; u + LANES < columns; u += LANES) {
                    VECTOR g = *(const UNALIGNED *)(beside + u);
#pragma GCC unroll 4
                    for (int j = 0; j < 4; ++j)
                        sum[j] += g * *(const UNALIGNED *)(from[j] + u);
                }
                VECTOR g = *(const UNALIGNED *)(beside + u);
                g = KEPT(g, last);
#pragma GCC unroll 4
                for (int j = 0; j < 4; ++j) {
                    VECTOR x = *(const UNALIGNED *)(from[j] + u);
                    sum[j] += g * KEPT(x, last);
                    from[j] += made->columns;
                }
            }
            for (int j = 0; j < 4 && k + j < taps; ++j) {
                T total = 0;
                for (int64_t n = 0; n < LANES; ++n)
                    total += sum[j][n];
                partial[(p * taps + k + j) * width] += total;
            }
        }
}

static int NAME(filters)(const symcomp_geometry *g, const T *x, const T *gradient, T *partial,
                         int64_t first_image, int64_t images, int64_t group,
                         int64_t first_channel, int64_t channels) {
    if (NAME(is_channelwise_filters)(g))
        return runtime->NAME(convolution)[SYMCOMP_CHANNELWISE]->filters(
            g, x, gradient, partial, first_image, images, group, first_channel, channels);
    if (NAME(is_winograd_filters)(g))
        return runtime->NAME(convolution)[SYMCOMP_WINOGRAD]->filters(
            g, x, gradient, partial, first_image, images, group, first_channel, channels);
    NAME(side) side = NAME(side_of)(g, SYMCOMP_FORWARD);
    NAME(phase) phase;
    NAME(prepared) made;
    int64_t width = NAME(padded_filters)(g), depth = g->kernel[0];
    int64_t taps = g->kernel[1] * g->kernel[2], columns = g->out[2];
    int64_t positions = g->out[0] * g->out[1] * g->out[2];
    int few = g->filters <= FEW_FILTERS;
    int lie = NAME(is_pointwise)(g) && !few; /* planes are read where they lie */
    NAME(zeros)(partial, channels * depth * taps * width);
    if (!taps || !positions)
        return 0;
    int64_t *mark = NAME(push_phase)(g, &phase, &made);
    if (!mark)
        return 1;
    NAME(find_phase)(g, SYMCOMP_FORWARD, 0, &phase);
    int64_t band = at_most(g->out[1], at_least(1, BAND_POSITIONS / columns));
    band = quotient_up(g->out[1], quotient_up(g->out[1], band));
    NAME(prepare_shifts)(&phase, 1, band, columns, &made);
    int64_t whole = made.copies * made.rows * made.columns;
    int64_t step = at_least(1, at_most(channels, PLANE_BYTES / (int64_t)sizeof(T) / whole));
    size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
    T *planes = runtime->push((size_t)(step * whole) * sizeof(T) + slack);
    T *turned = runtime->push((size_t)(band * columns * (few ? 1 : width)) * sizeof(T) + slack);
    int64_t *offset = runtime->push((size_t)(step * taps) * sizeof(int64_t));
    symcomp_part block = {.images = 1, .group = group};
    const T *end = gradient + g->batch * g->groups * g->filters * positions;
    int64_t ready = 0; /* rows of the band that `made` and `offset` are for */
    int failed = !planes || !turned || !offset;
    for (int64_t image = first_image; !failed && image < first_image + images; ++image)
        for (int64_t slice = 0; slice < g->out[0]; ++slice)
            for (int64_t row = 0; row < g->out[1]; row += band) {
                int64_t rows = at_most(band, g->out[1] - row), count = rows * columns;
                const T *from = gradient + (image * g->groups + group) * g->filters * positions +
                                (slice * g->out[1] + row) * columns;
                block.first_image = image, block.slice = slice;
                if (rows != ready) {
                    NAME(prepare_shifts)(&phase, 1, rows, columns, &made);
                    int64_t size = lie ? positions : made.copies * made.rows * made.columns;
                    for (int64_t p = 0; p < step; ++p)
                        for (int64_t k = 0; k < taps; ++k)
                            offset[p * taps + k] = p * size + made.offset[k];
                    ready = rows;
                }
                if (!few)
                    NAME(turn)(from, end, g->filters, positions, count, width, turned);
                for (int64_t plane = 0; plane < channels * depth; plane += step) {
                    int64_t some = at_most(step, channels * depth - plane);
                    T *to = partial + plane * taps * width;
                    int64_t number = image * g->groups + group;
                    const T *ready_planes = planes;
                    if (lie)
                        ready_planes = x + row * columns + (number * g->channels + first_channel +
                                                            plane) * positions;
                    else
                        NAME(prepare)(g, SYMCOMP_FORWARD, &side, &phase, &made, x, &block, row,
                                      first_channel * depth + plane, some, planes);
                    if (!few)
                        NAME(gather_planes)(some * taps, &made, offset, ready_planes, rows, columns,
                                            turned, width, to);
                    for (int64_t o = 0; few && o < g->filters; ++o) {
                        const T *beside = from + o * positions;
                        if (beside + count + LANES > end) /* whole vectors are read */
                            beside = memcpy(turned, beside, (size_t)count * sizeof(T));
                        NAME(multiply_planes)(some, taps, &made, offset, planes, rows, columns,
                                              beside, to + o, width);
                    }
                }
            }
    runtime->pop(mark);
    return failed;
}
