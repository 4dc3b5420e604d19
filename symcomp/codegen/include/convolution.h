/* Convolution as generated code calls it: on one core, a block of the result at a time.
 *
 * All of it is one correlation of virtual planes. Forward, the planes are those of x, and
 *     out[o, p] = sum over c, k of w[o, c, k] * x[c, stride * p + dilation * k - low].
 * With respect to x the planes are those of the gradient, and the result falls into `stride`
 * phases, each of which is a correlation of stride 1 with the taps of the kernel that meet it.
 * A third dimension makes more planes: each tap in depth is a plane of its own.
 */
#ifndef SYMCOMP_CONVOLUTION_H
#define SYMCOMP_CONVOLUTION_H

#include <stdint.h>

/* What is wanted: the result, or a gradient. The library does the first two; with respect to the filters
 * it has a routine of its own. */
enum { SYMCOMP_FORWARD, SYMCOMP_INPUT, SYMCOMP_FILTERS };

/* Sizes are those of x, of the kernel, and of the forward result; (depth, height, width). */
typedef struct symcomp_geometry {
    int64_t batch, groups, channels, filters; /* channels and filters of one group */
    int64_t size[3], kernel[3], out[3];
    int64_t stride[3], dilation[3], low[3];
    int64_t direct; /* whether all is to be summed term by term */
} symcomp_geometry;

/* A part of a result: images, a group and some of its channels, a slice in depth, rows; and where its
 * elements go: (image i, channel m, row y, column u) of the part to i * image + m * channel +
 * y * width + u. The first channel is the first one of a panel whose number is a multiple of four. */
typedef struct symcomp_part {
    int64_t first_image, images, group, first_channel, channels, slice, first_row, rows;
    int64_t image, channel;
} symcomp_part;

/* Each routine answers 0, or 1 when there is no memory. */
#define SYMCOMP_CONVOLVER(T)                                                                       \
    /* The weights in the order of the kernels: panels [begin, end). Each group has as many panels  \
     * as its channels of the result need, at most 8 in one. */                                    \
    int (*pack)(const symcomp_geometry *, int which, const T *weights, T *packed, int64_t begin,   \
                int64_t end);                                                                      \
    /* A block of the result. */                                                                   \
    int (*correlate)(const symcomp_geometry *, int which, const T *source, const T *packed,        \
                     T *target, const symcomp_part *);                                            \
    /* partial[c, k, o]: the sum over some images, for some channels of a group; filters are        \
     * padded to a multiple of 64 bytes. */                                                        \
    int (*filters)(const symcomp_geometry *, const T *x, const T *gradient, T *partial,            \
                   int64_t first_image, int64_t images, int64_t group, int64_t first_channel,      \
                   int64_t channels);                                                              \
    /* The first library has these, too: all of a result, and all parts of a sum, on all cores.    \
     * There must be room for the packed weights; `fewest` positions are worth a block. */         \
    int (*convolve)(const symcomp_geometry *, int which, const T *source, const T *weights,        \
                    T *packed, T *target, int64_t fewest);                                         \
    int (*sum_filters)(const symcomp_geometry *, const T *x, const T *gradient, T *partial,        \
                       int64_t chunks, int64_t blocks);                                            \
    /* The parts added up, in their order: tile[o, k] of a stretch of 64 bytes of filters and some  \
     * columns, which are channels and taps; its lines have room for whole stretches. */           \
    int (*add_up)(const symcomp_geometry *, const T *partial, T *tile, int64_t chunks,             \
                  int64_t group, int64_t first_filter, int64_t first_column, int64_t columns,      \
                  int64_t line);                                                                   \
    const void *kernels; /* and what it lends to others: see convolution_lent.h */

typedef struct symcomp_convolver_f32 {
    SYMCOMP_CONVOLVER(float)
} symcomp_convolver_f32;

typedef struct symcomp_convolver_f64 {
    SYMCOMP_CONVOLVER(double)
} symcomp_convolver_f64;

/* How a convolution is cut into blocks: see codegen/tiling.py, which says the same in Python. */
#ifndef SYMCOMP_CORES
#define SYMCOMP_CORES 1
#endif

/* What `sc_fewest_positions` says of filters of one tap, which may have an algorithm of their own. */
enum { SC_ONE_TAP_POSITIONS = 1536 };

static inline int64_t sc_most(int64_t x, int64_t y) { return x > y ? x : y; }
static inline int64_t sc_least(int64_t x, int64_t y) { return x < y ? x : y; }
static inline int64_t sc_up(int64_t n, int64_t d) { return (n + sc_most(d, 1) - 1) / sc_most(d, 1); }

/* Rows of a panel of filters: as many as the highest kernels have, if there are so many. */
enum { SC_PANEL = 8 };
static inline int64_t sc_panel(int64_t channels) {
    return sc_least(sc_most(channels, 1), SC_PANEL);
}

static inline int64_t sc_fewest_positions(int64_t height, int64_t width, int64_t down,
                                          int64_t across, int64_t phases) {
    if (height == 3 && width == 3 && down == 1 && across == 1)
        return 1024;
    if (height == 2 * down && width == 2 * across && sc_most(down, across) <= 2)
        return 2048 * phases;
    if (height == 1 && width == 1 && down == 1 && across == 1)
        return SC_ONE_TAP_POSITIONS;
    return 256;
}

static inline int64_t sc_parts(int64_t fewest) {
    return fewest == SC_ONE_TAP_POSITIONS ? SYMCOMP_CORES : 2 * SYMCOMP_CORES;
}

static inline int64_t sc_positions(int64_t channels, int64_t fewest) {
    int64_t least = sc_most(512, fewest);
    return sc_least(sc_most((1 << 17) / sc_most(channels, 1), least), 4096);
}

static inline int64_t sc_block_images(int64_t batch, int64_t others, int64_t area,
                                      int64_t channels, int64_t fewest) {
    int64_t parts = fewest == SC_ONE_TAP_POSITIONS ? sc_least(SYMCOMP_CORES, channels / 512) : 1;
    if (parts > 1 && area <= fewest)
        return sc_most(sc_most(1, sc_up(batch, sc_up(SYMCOMP_CORES, parts * others))),
                       sc_least(sc_up(fewest, area), batch));
    int64_t fitting = sc_least(sc_positions(channels, fewest) / sc_most(area, 1),
                               batch * others / (8 * SYMCOMP_CORES));
    int64_t least = sc_up(fewest, area);
    int64_t images = sc_most(1, sc_least(sc_most(fitting, least), batch));
    int64_t rounds = sc_up(sc_up(batch, images) * others, SYMCOMP_CORES), each = sc_most(others, 1);
    images = sc_up(batch, sc_most(1, rounds * SYMCOMP_CORES / each));
    int64_t fewer = sc_up(batch, sc_most(1, (rounds + 1) * SYMCOMP_CORES / each));
    return sc_most(1, (rounds + 1) * fewer < rounds * images ? fewer : images);
}

static inline int64_t sc_block_rows(int64_t tasks, int64_t height, int64_t width,
                                    int64_t channels, int64_t fewest) {
    int64_t area = height * width, bands = sc_up(area, sc_positions(channels, fewest));
    if (area > fewest)
        bands = sc_most(bands, sc_least(sc_up(8 * SYMCOMP_CORES, tasks), sc_up(area, fewest)));
    int64_t rows = sc_up(height, sc_least(bands, sc_most(height, 1)));
    return sc_most(1, sc_least((rows + 3) / 4 * 4, height));
}

static inline int64_t sc_block_channels(int64_t tasks, int64_t channels, int64_t fewest) {
    int64_t least = fewest == SC_ONE_TAP_POSITIONS ? 128 : 32;
    int64_t blocks = sc_most(1, sc_least(sc_up(sc_parts(fewest), tasks), channels / least));
    int64_t four = 4 * sc_panel(channels);
    return sc_most(1, sc_up(sc_up(channels, four), blocks) * four);
}

static inline int64_t sc_filter_chunks(int64_t batch, int64_t planes, int64_t elements,
                                       int64_t fewest) {
    int64_t parts = sc_parts(fewest);
    int64_t wanted = sc_most((1 << 20) / sc_most(elements, 1), sc_up(parts, planes));
    return sc_most(1, sc_least(wanted, sc_least(batch, parts)));
}

static inline int64_t sc_filter_blocks(int64_t chunks, int64_t groups, int64_t channels,
                                       int64_t fewest) {
    return sc_most(1, sc_least(sc_parts(fewest) / sc_most(chunks * groups, 1), channels));
}

#endif
