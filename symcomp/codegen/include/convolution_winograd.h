/* Convolution with 3 × 3 filters by Winograd's F(4 × 4, 3 × 3): sixteen results from 36 products
 * instead of 144.
 *
 * A tile of 4 × 4 results is A'[(G w G') . (B' x B)]A, with x the 6 × 6 places that it meets
 * (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016): polynomials are
 * multiplied by their values at six points, 0, ±a, ±b and infinity. With a = 3/4 and b = 3/2 all
 * factors of A and B are exact, and errors are a third of those at the usual points ±1, ±2, about
 * twice those of a direct sum. Where x is not finite, the whole tile is nan.
 *
 * The lanes of a vector are channels. Rows of planes are turned into strips, channels last, in which
 * a tile may begin at any column: so it costs nothing to pad, or to dilate (each residue of rows and
 * columns is then a dense convolution of its own). A group is as many channels as PADDING has room
 * for.
 */

#include "convolution_products.h"

enum {
    SIDE = 4, POINTS = 6, FACTORS = POINTS * POINTS,
    GROUP = PADDING / (int)sizeof(T),
    LEAST_CHANNELS = 32,
    /* Groups of filters whose products are made, and transformed back, together. */
    CHUNK = 4,
    /* What the transformed tiles of a pass may take, and how many they are at least and at most. */
    TRANSFORMED_BYTES = 512 << 10, LEAST_TILES = 48, MOST_TILES = 128,
    /* Tiles of a pass of the gradient of filters. */
    FILTERS_TILES = 64,
    /* Planes whose filters are transformed at a time, where they are used. */
    SEGMENT = 4 * GROUP,
};

#define NEAR ((T)0.75)
#define FAR ((T)1.5)
#define NEAR2 (NEAR * NEAR)
#define FAR2 (FAR * FAR)

/* Whether a geometry is computed so; `pack` and `correlate` ask alike. */
static int NAME(is_winograd)(const symcomp_geometry *g, int which) {
    NAME(side) side = NAME(side_of)(g, which);
    return sizeof(T) == 4 && g->kernel[1] == 3 && g->kernel[2] == 3 && g->stride[1] == 1 &&
           g->stride[2] == 1 && side.channels >= LEAST_CHANNELS && side.planes >= LEAST_CHANNELS &&
           side.result[1] >= SIDE * g->dilation[1] && side.result[2] >= SIDE * g->dilation[2];
}

/* ---- transforms of six, four or three numbers --------------------------------------------------- */

/* B' x. */
static inline __attribute__((always_inline)) void NAME(evaluate)(const VECTOR *x, VECTOR *y) {
    VECTOR p = x[4] - FAR2 * x[2], q = x[3] - FAR2 * x[1];
    VECTOR r = x[4] - NEAR2 * x[2], s = x[3] - NEAR2 * x[1];
    y[0] = (x[4] - (NEAR2 + FAR2) * x[2]) + NEAR2 * FAR2 * x[0];
    y[1] = p + NEAR * q, y[2] = p - NEAR * q;
    y[3] = r + FAR * s, y[4] = r - FAR * s;
    y[5] = (x[5] - (NEAR2 + FAR2) * x[3]) + NEAR2 * FAR2 * x[1];
}

/* G w, of three numbers or of four. */
static inline __attribute__((always_inline)) void NAME(spread)(const int count, const VECTOR *w,
                                                               VECTOR *y) {
    const T zero = 1 / (NEAR2 * FAR2), near = (T)0.5 / (NEAR2 * (NEAR2 - FAR2));
    const T far = (T)0.5 / (FAR2 * (FAR2 - NEAR2));
    VECTOR odd = w[1], wide = w[1];
    if (count == 4)
        odd += NEAR2 * w[3], wide += FAR2 * w[3];
    VECTOR p = near * (w[0] + NEAR2 * w[2]), q = near * NEAR * odd;
    VECTOR r = far * (w[0] + FAR2 * w[2]), s = far * FAR * wide;
    y[0] = zero * w[0], y[1] = p + q, y[2] = p - q, y[3] = r + s, y[4] = r - s;
    y[5] = w[count - 1];
}

/* A' m, four numbers or three. */
static inline __attribute__((always_inline)) void NAME(interpolate)(const int count,
                                                                    const VECTOR *m, VECTOR *y) {
    VECTOR p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], s = m[3] - m[4];
    y[0] = m[0] + (p + r);
    y[1] = NEAR * q + FAR * s;
    y[2] = NEAR2 * p + FAR2 * r;
    if (count == 4)
        y[3] = NEAR2 * NEAR * q + FAR2 * FAR * s + m[5];
    else
        y[2] += m[5];
}

/* ---- filters ------------------------------------------------------------------------------------ */

/* G w G' of nine taps, for a vector of filters. */
static void NAME(transform_taps)(const VECTOR *w, T *to, int64_t factor) {
    VECTOR half[3][POINTS];
#pragma GCC unroll 3
    for (int j = 0; j < 3; ++j) {
        VECTOR column[3] = {w[j], w[3 + j], w[6 + j]};
        NAME(spread)(3, column, half[j]);
    }
#pragma GCC unroll 6
    for (int i = 0; i < POINTS; ++i) {
        VECTOR row[3] = {half[0][i], half[1][i], half[2][i]}, y[POINTS];
        NAME(spread)(3, row, y);
#pragma GCC unroll 6
        for (int j = 0; j < POINTS; ++j, to += factor)
            *(VECTOR *)to = y[j];
    }
}

/* How filters are packed: in chunks of CHUNK groups; in a chunk, by groups of planes. What belongs to
 * one group of planes is a block: [factor, plane, filter], all factors close together, as they are
 * made. Where there are few tiles to multiply them with, the taps are packed instead, [plane, tap,
 * filter], and transformed in the cache, where they are used: a quarter of the memory. */
typedef struct NAME(packing) {
    int taps;
    int64_t planes, channels; /* in groups */
} NAME(packing);

static NAME(packing) NAME(packing_of)(const symcomp_geometry *g, const NAME(side) *side) {
    int64_t tiles = g->batch * side->result[0];
    for (int axis = 1; axis < 3; ++axis) {
        int64_t d = g->dilation[axis];
        tiles *= d * quotient_up(quotient_up(side->result[axis], d), SIDE);
    }
    return (NAME(packing)){tiles <= MOST_TILES, quotient_up(side->planes, GROUP),
                           quotient_up(side->channels, GROUP)};
}

/* Numbers of one factor in a block of so many filters. A line more than need be, lest the factors
 * compete for the same places in L1. */
static int64_t NAME(block_factor)(int64_t width) { return GROUP * width + GROUP; }

static int64_t NAME(block_size)(const NAME(packing) *p, int64_t width) {
    return p->taps ? 9 * GROUP * width : FACTORS * NAME(block_factor)(width);
}

/* Where a chunk begins, which starts at a group of channels. */
static int64_t NAME(chunk_start)(const NAME(packing) *p, int64_t group, int64_t start) {
    int64_t whole = p->planes * NAME(block_size)(p, CHUNK * GROUP);
    int64_t rest = p->channels % CHUNK * GROUP;
    int64_t last = rest ? p->planes * NAME(block_size)(p, rest) : 0;
    return group * (p->channels / CHUNK * whole + last) + start / CHUNK * whole;
}

static void NAME(pack_winograd)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                                int64_t begin, int64_t end) {
    NAME(side) side = NAME(side_of)(g, which);
    NAME(packing) packing = NAME(packing_of)(g, &side);
    int forward = which == SYMCOMP_FORWARD;
    int64_t panels = quotient_up(side.channels, sc_panel(side.channels));
    int64_t depth = g->kernel[0], size = depth * 9;
    int64_t step = (forward ? g->channels : 1) * size, stride = (forward ? 1 : g->channels) * size;
    const T *last = weights + g->groups * g->filters * g->channels * size;
    for (int64_t number = begin; number < end; ++number) {
        int64_t group = number / panels, first = number % panels / 2;
        if (number % panels % 2) /* two panels make a group */
            continue;
        int64_t start = first / CHUNK * CHUNK;
        int64_t width = at_most(CHUNK, packing.channels - start) * GROUP;
        T *chunk = packed + NAME(chunk_start)(&packing, group, start) + first % CHUNK * GROUP;
        for (int64_t plane = 0; plane < side.planes; ++plane)
            for (int64_t lane = 0; lane < GROUP; lane += LANES) {
                T *to = chunk + plane / GROUP * NAME(block_size)(&packing, width) + lane;
                const T *place = weights + group * g->filters * g->channels * size +
                                 plane / depth * stride + plane % depth * 9;
                const T *from[LANES];
                for (int64_t m = 0; m < LANES; ++m) {
                    int64_t channel = first * GROUP + lane + m;
                    from[m] = channel < side.channels ? place + channel * step : NULL;
                }
                VECTOR w[9], turned[9];
                NAME(to_lanes)(from, 0, 9, last, (T *)w, LANES);
                for (int k = 0; k < 9; ++k)
                    turned[k] = w[forward ? k : 8 - k];
                if (!packing.taps)
                    NAME(transform_taps)(turned, to + plane % GROUP * width,
                                         NAME(block_factor)(width));
                for (int k = 0; packing.taps && k < 9; ++k)
                    *(VECTOR *)(to + (plane % GROUP * 9 + k) * width) = turned[k];
            }
    }
}

/* Transforms some planes' taps of a chunk: blocks, as `pack_winograd` makes them. */
static void NAME(transform_chunk)(const T *taps, int64_t planes, int64_t width, T *to) {
    int64_t factor = NAME(block_factor)(width);
    for (int64_t plane = 0; plane < planes; ++plane, taps += 9 * width) {
        T *place = to + plane / GROUP * FACTORS * factor + plane % GROUP * width;
        for (int64_t lane = 0; lane < width; lane += LANES) {
            VECTOR w[9];
            for (int k = 0; k < 9; ++k)
                w[k] = *(const VECTOR *)(taps + k * width + lane);
            NAME(transform_taps)(w, place + lane, factor);
        }
    }
}

/* ---- tiles --------------------------------------------------------------------------------------- */

/* B' x B of one tile, for a vector of channels; `line` are its rows. */
static void NAME(transform_tile)(T *const *line, int64_t column, int64_t step, T *to,
                                 int64_t factor) {
    VECTOR half[POINTS][POINTS];
#pragma GCC unroll 6
    for (int j = 0; j < POINTS; ++j) {
        VECTOR x[POINTS], y[POINTS];
#pragma GCC unroll 6
        for (int i = 0; i < POINTS; ++i)
            x[i] = *(const VECTOR *)(line[i] + column + j * step);
        NAME(evaluate)(x, y);
#pragma GCC unroll 6
        for (int i = 0; i < POINTS; ++i)
            half[i][j] = y[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < POINTS; ++i) {
        VECTOR y[POINTS];
        NAME(evaluate)(half[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < POINTS; ++j, to += factor)
            *(VECTOR *)to = y[j];
    }
}

/* A' m A of one tile, for a vector of channels. */
static void NAME(transform_sums)(const T *sums, int64_t factor, T *to, int64_t row, int64_t step) {
    VECTOR half[SIDE][POINTS];
#pragma GCC unroll 6
    for (int j = 0; j < POINTS; ++j) {
        VECTOR m[POINTS], y[SIDE];
#pragma GCC unroll 6
        for (int i = 0; i < POINTS; ++i)
            m[i] = *(const VECTOR *)(sums + (i * POINTS + j) * factor);
        NAME(interpolate)(SIDE, m, y);
#pragma GCC unroll 4
        for (int i = 0; i < SIDE; ++i)
            half[i][j] = y[i];
    }
#pragma GCC unroll 4
    for (int i = 0; i < SIDE; ++i) {
        VECTOR y[SIDE];
        NAME(interpolate)(SIDE, half[i], y);
#pragma GCC unroll 4
        for (int j = 0; j < SIDE; ++j)
            *(VECTOR *)(to + i * row + j * step) = y[j];
    }
}

/* ---- strips -------------------------------------------------------------------------------------- */

/* The tiles of one residue of rows, in rows of tiles that go through all residues of columns. */
typedef struct NAME(tiling) {
    int64_t first_row, rows;     /* of the residue: the first in the result, and how many */
    int64_t columns;             /* tiles in a row of tiles */
    int64_t *start;              /* the column of each of them */
    int64_t width, result_width; /* of strips: of the source, and of the result */
    int64_t low[2];
} NAME(tiling);

/* Where the tiles of all rows begin: d residues of columns, each in tiles of its own. */
static void NAME(find_columns)(NAME(tiling) *t, int64_t width, int64_t d) {
    t->columns = 0, t->width = t->result_width = width;
    for (int64_t residue = 0; residue < d; ++residue)
        for (int64_t u = residue; u < width; u += SIDE * d) {
            t->start[t->columns++] = u;
            t->width = at_least(t->width, u + (POINTS - 1) * d + 1);
            t->result_width = at_least(t->result_width, u + (SIDE - 1) * d + 1);
        }
}

/* A row of some planes into a strip, whose first column is column `-low` of the planes; what is left
 * and right of them is zero already. */
static void NAME(fill_strip)(const NAME(plane) *planes, int64_t y, int64_t low, T *to,
                             int64_t width) {
    int64_t skipped = at_least(0, -low), before = at_least(0, low);
    int64_t columns = at_most(planes->width - skipped, width - before);
    if (columns <= 0)
        return;
    to += before * GROUP;
    if (y < 0 || y >= planes->height) {
        NAME(zeros)(to, columns * GROUP);
        return;
    }
    const T *from[GROUP];
    for (int64_t m = 0; m < GROUP; ++m)
        from[m] = planes[m].data;
    for (int64_t lane = 0; lane < GROUP; lane += LANES)
        NAME(to_lanes)(from + lane, y * planes->width + skipped, columns, planes->end, to + lane,
                       GROUP);
}

/* Some planes of some rows of tiles of some images, transformed: to[factor, group of planes, tile,
 * plane]. */
static void NAME(transform_images)(const symcomp_geometry *g, int which, const NAME(side) *side,
                                   const NAME(tiling) *t, const T *source,
                                   const symcomp_part *block, int64_t first, int64_t count,
                                   int64_t row, int64_t rows, T *strip, T *to, int64_t factor) {
    int64_t line = t->width * GROUP;
    const int64_t *d = g->dilation + 1;
    NAME(zeros)(strip, POINTS * line);
    for (int64_t p = 0; p < count; p += GROUP)
        for (int64_t image = 0; image < block->images; ++image) {
            NAME(plane) planes[GROUP];
            for (int64_t m = 0; m < GROUP; ++m) {
                planes[m] = NAME(find_plane)(g, which, side, source, block->first_image + image,
                                             block->group, block->slice,
                                             first + at_most(p + m, count - 1));
                if (p + m >= count)
                    planes[m].data = NULL;
            }
            for (int64_t r = row; r < row + rows; ++r) {
                T *lines[POINTS];
                for (int64_t i = 0; i < POINTS; ++i) {
                    lines[i] = strip + (SIDE * r + i) % POINTS * line;
                    if (r == row || i >= POINTS - SIDE)
                        NAME(fill_strip)(planes, t->first_row + d[0] * (SIDE * r + i) - t->low[0],
                                         t->low[1], lines[i], t->width);
                }
                for (int64_t u = 0; u < t->columns; ++u, to += GROUP)
                    for (int64_t lane = 0; lane < GROUP; lane += LANES)
                        NAME(transform_tile)(lines, t->start[u] * GROUP + lane, d[1] * GROUP,
                                             to + lane, factor);
            }
        }
}

/* The sums of some rows of tiles of some images, for a group of channels, transformed back and put
 * where they belong; sums[factor, tile, `width` channels]. */
static void NAME(place_images)(const symcomp_geometry *g, const NAME(side) *side,
                               const NAME(tiling) *t, const T *sums, int64_t factor, int64_t width,
                               const symcomp_part *block, int64_t row, int64_t rows, T *strip,
                               T *target, int64_t channels) {
    const int64_t *d = g->dilation + 1;
    int64_t line = t->result_width * GROUP, pitch = side->result[2];
    for (int64_t image = 0; image < block->images; ++image, target += block->image)
        for (int64_t r = row; r < row + rows; ++r) {
            for (int64_t u = 0; u < t->columns; ++u, sums += width)
                for (int64_t lane = 0; lane < GROUP; lane += LANES)
                    NAME(transform_sums)(sums + lane, factor, strip + t->start[u] * GROUP + lane,
                                         line, d[1] * GROUP);
            int64_t count = at_most(SIDE, t->rows - SIDE * r), columns = pitch;
            T *to = target + (t->first_row + d[0] * SIDE * r - block->first_row) * pitch;
            if (d[0] == 1 && t->result_width == pitch)
                columns *= count, count = 1;
            for (int64_t i = 0; i < count; ++i, to += d[0] * pitch)
                for (int64_t lane = 0; lane < channels; lane += LANES)
                    NAME(from_lanes)(strip + i * line + lane, GROUP, columns,
                                     to + lane * block->channel, block->channel, channels - lane);
        }
}

/* Some rows of tiles of a residue, for some images and all channels of a block. */
static int NAME(sum_tiles)(const symcomp_geometry *g, int which, const NAME(side) *side,
                           const NAME(tiling) *t, const T *source, const T *packed, T *target,
                           const symcomp_part *block, int64_t row, int64_t rows) {
    int64_t tiles = block->images * rows * t->columns, planes = side->planes;
    int64_t groups = quotient_up(planes, GROUP);
    NAME(packing) packing = NAME(packing_of)(g, side);
    int64_t first = block->first_channel / GROUP;
    int64_t most = at_most(CHUNK, quotient_up(block->channels, GROUP)) * GROUP;
    /* An odd number of lines: factors of one tile would else compete for the same places in L1. */
    int64_t factor = (groups * tiles | 1) * GROUP;
    int64_t step = (most / GROUP * at_least(tiles, LEAST_HIGH) | 1) * GROUP;
    T *transformed = runtime->push((size_t)(FACTORS * factor) * sizeof(T));
    T *sums = runtime->push((size_t)(FACTORS * step) * sizeof(T));
    T *strip = runtime->push((size_t)(POINTS * t->width * GROUP) * sizeof(T));
    T *made = NULL;
    if (packing.taps)
        made = runtime->push((size_t)(SEGMENT / GROUP * FACTORS *
                                      NAME(block_factor)(CHUNK * GROUP)) * sizeof(T));
    int64_t *offset = runtime->push((size_t)(tiles + LEAST_HIGH) * sizeof(int64_t));
    if (!transformed || !sums || !strip || !offset || (packing.taps && !made)) {
        runtime->pop(transformed);
        return 1;
    }
    for (int64_t n = 0; n < tiles + LEAST_HIGH; ++n)
        offset[n] = at_most(n, tiles - 1) * GROUP;
    NAME(transform_images)(g, which, side, t, source, block, 0, planes, row, rows, strip, transformed,
                           factor);
    int64_t end = first + quotient_up(block->channels, GROUP);
    for (int64_t n = first, some; n < end; n += some) {
        int64_t start = n / CHUNK * CHUNK, pitch = at_most(CHUNK, packing.channels - start) * GROUP;
        some = at_most(start + CHUNK, end) - n;
        const T *b = packed + NAME(chunk_start)(&packing, block->group, start);
        int64_t width = some * GROUP, next = NAME(block_factor)(pitch);
        int64_t block_size = NAME(block_size)(&packing, pitch);
        for (int64_t p = 0, count; p < planes; p += count, b += count / GROUP * block_size) {
            count = at_most(planes - p, packing.taps ? SEGMENT : planes);
            if (packing.taps)
                NAME(transform_chunk)(b, count, pitch, made);
            const T *filters = (packing.taps ? made : b) + (n - start) * GROUP;
            const T *a = transformed + p * tiles;
            int64_t whole = count / GROUP, rest = count % GROUP;
            for (int64_t f = 0; f < FACTORS; ++f, a += factor, filters += next) {
                T *c = sums + f * step;
                if (whole)
                    NAME(multiply)(tiles, width, whole, GROUP, a, offset, tiles * GROUP, 1,
                                   filters, FACTORS * next, pitch, c, width, p > 0);
                if (rest)
                    NAME(multiply)(tiles, width, 1, rest, a + whole * tiles * GROUP, offset, 0, 1,
                                   filters + whole * FACTORS * next, 0, pitch, c, width,
                                   p > 0 || whole);
            }
        }
        for (int64_t k = 0; k < some; ++k) {
            int64_t channel = (n - first + k) * GROUP;
            NAME(place_images)(g, side, t, sums + k * GROUP, step, width, block, row, rows, strip,
                               target + channel * block->channel,
                               at_most(GROUP, block->channels - channel));
        }
    }
    runtime->pop(transformed);
    return 0;
}

static int NAME(correlate_winograd)(const symcomp_geometry *g, int which, const T *source,
                                    const T *packed, T *target, const symcomp_part *block) {
    NAME(side) side = NAME(side_of)(g, which);
    const int64_t *d = g->dilation + 1;
    NAME(tiling) t;
    t.start = runtime->push((size_t)(side.result[2] + d[1]) * sizeof(int64_t));
    if (!t.start)
        return 1;
    for (int axis = 0; axis < 2; ++axis) {
        t.low[axis] = g->low[1 + axis];
        if (which != SYMCOMP_FORWARD)
            t.low[axis] = 2 * d[axis] - t.low[axis];
    }
    NAME(find_columns)(&t, side.result[2], d[1]);
    int64_t fitting = TRANSFORMED_BYTES / (FACTORS * (int64_t)sizeof(T) * side.planes);
    fitting = at_most(at_least(fitting, LEAST_TILES), MOST_TILES);
    int failed = 0;
    for (int64_t residue = 0; residue < d[0]; ++residue) {
        int64_t first = quotient_up(at_least(0, block->first_row - residue), d[0]);
        int64_t last = quotient_up(at_least(0, block->first_row + block->rows - residue), d[0]);
        t.first_row = residue + d[0] * first, t.rows = last - first;
        int64_t rows = quotient_up(t.rows, SIDE), images = block->images;
        int64_t step = at_least(1, fitting / t.columns), some = at_least(1, step / at_least(1, rows));
        step = quotient_up(rows, at_least(1, quotient_up(rows, step)));
        some = quotient_up(images, quotient_up(images, some));
        for (int64_t image = 0; image < images; image += some)
            for (int64_t row = 0; !failed && row < rows; row += step) {
                symcomp_part part = *block;
                part.first_image += image, part.images = at_most(some, images - image);
                failed = NAME(sum_tiles)(g, which, &side, &t, source, packed,
                                         target + image * block->image, &part, row,
                                         at_most(step, rows - row));
            }
    }
    runtime->pop(t.start);
    return failed;
}
