/* Convolution with 3 × 3 filters by Winograd's F(2 × 2, 3 × 3): four results from 16 products
 * instead of 36.
 *
 * A tile of 2 × 2 results is A'[(G w G') . (B' x B)]A, with x the 4 × 4 places that it meets
 * (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016). All factors are 0,
 * 1, 1/2: in float32 it is about as accurate as the direct sum. Where x is not finite, the whole
 * tile is nan. The lanes of a vector are neighbouring tiles: the 4 × 4 places are 16 shifts within
 * planes that are split by two in both directions, just as `prepare` makes them.
 *
 * With dilation d the rows and columns fall into d residues each, and every residue is a dense
 * convolution of its own.
 */

enum { FACTORS = 16, LEAST_CHANNELS = 32, TRANSFORMED_BYTES = 768 << 10 };

/* Whether a geometry is computed so; `pack` and `correlate` ask alike. */
static int NAME(is_winograd)(const symcomp_geometry *g, int which) {
    NAME(side) side = NAME(side_of)(g, which);
    return sizeof(T) == 4 && g->kernel[1] == 3 && g->kernel[2] == 3 && g->stride[1] == 1 &&
           g->stride[2] == 1 && side.channels >= LEAST_CHANNELS && side.planes >= LEAST_CHANNELS &&
           side.result[1] >= 4 * g->dilation[1] && side.result[2] >= 4 * g->dilation[2];
}

/* G w G' of one plane's filters, for `rows` channels: to[factor * step + m]. */
static void NAME(transform_filters)(const T (*w)[MOST_ROWS], T *to, int64_t step, int64_t rows) {
    T half[12][MOST_ROWS];
    for (int j = 0; j < 3; ++j)
        for (int64_t m = 0; m < MOST_ROWS; ++m) {
            T a = w[j][m], b = w[3 + j][m], c = w[6 + j][m];
            half[j][m] = a;
            half[3 + j][m] = (T)0.5 * (a + b + c);
            half[6 + j][m] = (T)0.5 * (a - b + c);
            half[9 + j][m] = c;
        }
    for (int i = 0; i < 4; ++i, to += 4 * step)
        for (int64_t m = 0; m < rows; ++m) {
            T a = half[3 * i][m], b = half[3 * i + 1][m], c = half[3 * i + 2][m];
            to[m] = a;
            to[step + m] = (T)0.5 * (a + b + c);
            to[2 * step + m] = (T)0.5 * (a - b + c);
            to[3 * step + m] = c;
        }
}

/* packed[group, panel, factor, plane, row] */
static void NAME(pack_winograd)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                                int64_t begin, int64_t end) {
    NAME(side) side = NAME(side_of)(g, which);
    int forward = which == SYMCOMP_FORWARD;
    int64_t height = sc_panel(side.channels), panels = quotient_up(side.channels, height);
    int64_t depth = g->kernel[0], size = depth * 9;
    int64_t step = (forward ? g->channels : 1) * size, stride = (forward ? 1 : g->channels) * size;
    for (int64_t number = begin; number < end; ++number) {
        int64_t group = number / panels, first = number % panels * height;
        int64_t rows = at_most(height, side.channels - first);
        const T *from = weights + group * g->filters * g->channels * size + first * step;
        T *to = packed + number * FACTORS * side.planes * height;
        for (int64_t plane = 0; plane < side.planes; ++plane) {
            const T *place = from + plane / depth * stride + plane % depth * 9;
            T w[9][MOST_ROWS] = {{0}};
            for (int64_t m = 0; m < rows; ++m)
                for (int k = 0; k < 9; ++k)
                    w[forward ? k : 8 - k][m] = place[m * step + k];
            NAME(transform_filters)(w, to + plane * height, side.planes * height, rows);
        }
    }
}

/* B' x B for one plane: 16 vectors of neighbouring tiles from 16 shifts. */
static void NAME(transform_plane)(const T *plane, const int64_t *offset, int64_t lanes, T *to,
                                  int64_t step) {
    for (int64_t v = 0; v < lanes; v += LANES) {
        VECTOR half[4][4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
            VECTOR a = *(const UNALIGNED *)(plane + offset[j] + v);
            VECTOR b = *(const UNALIGNED *)(plane + offset[4 + j] + v);
            VECTOR c = *(const UNALIGNED *)(plane + offset[8 + j] + v);
            VECTOR d = *(const UNALIGNED *)(plane + offset[12 + j] + v);
            half[0][j] = a - c, half[1][j] = b + c, half[2][j] = c - b, half[3][j] = b - d;
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            VECTOR *x = half[i];
            T *place = to + 4 * i * step + v;
            *(VECTOR *)place = x[0] - x[2];
            *(VECTOR *)(place + step) = x[1] + x[2];
            *(VECTOR *)(place + 2 * step) = x[2] - x[1];
            *(VECTOR *)(place + 3 * step) = x[1] - x[3];
        }
    }
}

/* A' m A for one channel: rows 0 and 1 of the tiles, each as its even and its odd columns. */
static void NAME(transform_sums)(const T *sums, int64_t step, int64_t lanes, T *to) {
    for (int64_t v = 0; v < lanes; v += LANES) {
        VECTOR upper[4], lower[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
            const T *place = sums + j * step + v;
            VECTOR a = *(const VECTOR *)place, b = *(const VECTOR *)(place + 4 * step);
            VECTOR c = *(const VECTOR *)(place + 8 * step), d = *(const VECTOR *)(place + 12 * step);
            upper[j] = a + b + c, lower[j] = b - c - d;
        }
        *(VECTOR *)(to + v) = upper[0] + upper[1] + upper[2];
        *(VECTOR *)(to + lanes + v) = upper[1] - upper[2] - upper[3];
        *(VECTOR *)(to + 2 * lanes + v) = lower[0] + lower[1] + lower[2];
        *(VECTOR *)(to + 3 * lanes + v) = lower[1] - lower[2] - lower[3];
    }
}

/* to[2 u] = even[u], to[2 u + 1] = odd[u], up to `width`. */
static void NAME(weave)(T *to, const T *even, const T *odd, int64_t width) {
    int64_t u = 0;
    for (; 2 * (u + LANES) <= width; u += LANES) {
        VECTOR a = *(const UNALIGNED *)(even + u), b = *(const UNALIGNED *)(odd + u);
        *(UNALIGNED *)(to + 2 * u) = __builtin_shuffle(a, b, NAME(woven)(0));
        *(UNALIGNED *)(to + 2 * u + LANES) = __builtin_shuffle(a, b, NAME(woven)(LANES / 2));
    }
    for (; 2 * u + 1 < width; ++u)
        to[2 * u] = even[u], to[2 * u + 1] = odd[u];
    if (2 * u < width)
        to[2 * u] = even[u];
}

/* One residue of rows and columns, and where its tiles lie. */
typedef struct NAME(residue) {
    int64_t first_row, first_column; /* in the result */
    int64_t step[2];                 /* from row to row, from column to column */
    int64_t rows, columns;           /* that the block has of it */
    int64_t tile_rows, tile_columns;
} NAME(residue);

/* Puts a channel's tiles [row, row + rows) of an image where they belong. */
static void NAME(place_tiles)(const NAME(residue) *r, const NAME(prepared) *made, const T *sums,
                              int64_t lanes, int64_t row, int64_t rows, T *to, int64_t width) {
    for (int64_t t = 0; t < rows; ++t)
        for (int64_t half = 0; half < 2; ++half) {
            int64_t line = 2 * (row + t) + half;
            if (line >= r->rows)
                return;
            const T *even = sums + 2 * half * lanes + t * made->columns, *odd = even + lanes;
            T *place = to + line * r->step[0] * width;
            if (r->step[1] == 1) {
                NAME(weave)(place, even, odd, r->columns);
                continue;
            }
            for (int64_t u = 0; u < r->columns; ++u)
                place[u * r->step[1]] = (u & 1 ? odd : even)[u / 2];
        }
}

/* Some rows of tiles of a residue, for all images and channels of a block. */
static int NAME(sum_tiles)(const symcomp_geometry *g, int which, const NAME(side) *side,
                           const NAME(phase) *phase, const NAME(prepared) *made,
                           const NAME(residue) *r, const T *source, const T *packed, T *target,
                           const symcomp_part *block, int64_t row, int64_t rows) {
    int64_t height = sc_panel(side->channels), planes = side->planes;
    int64_t lanes = quotient_up(made->lanes, LANES) * LANES;
    int64_t size = made->copies * block->images * made->rows * made->columns;
    size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
    T *transformed = runtime->push((size_t)(FACTORS * planes * lanes) * sizeof(T));
    T *plane = runtime->push((size_t)size * sizeof(T) + slack);
    T *sums = runtime->push((size_t)(FACTORS * height * lanes) * sizeof(T));
    T *results = runtime->push((size_t)(4 * lanes) * sizeof(T));
    int64_t *offset = runtime->push((size_t)planes * sizeof(int64_t));
    if (!transformed || !plane || !sums || !results || !offset) {
        runtime->pop(transformed);
        return 1;
    }
    for (int64_t p = 0; p < planes; ++p) {
        offset[p] = p * lanes;
        NAME(prepare)(g, which, side, phase, made, source, block, row, p, 1, plane);
        NAME(transform_plane)(plane, made->offset, lanes, transformed + p * lanes, planes * lanes);
    }
    int64_t vectors = lanes / LANES, width;
    for (int64_t m = 0; m < block->channels; m += height) {
        int64_t count = at_most(height, block->channels - m);
        const T *a = packed + m * FACTORS * planes;
        for (int64_t f = 0; f < FACTORS; ++f, a += planes * height)
            for (int64_t v = 0; v < vectors; v += width) {
                width = NAME(widest)(count, vectors - v);
                NAME(tiles)[width][count](planes, a, height,
                                          transformed + f * planes * lanes + v * LANES, offset,
                                          sums + f * height * lanes + v * LANES, lanes, 0);
            }
        for (int64_t c = 0; c < count; ++c) {
            NAME(transform_sums)(sums + c * lanes, height * lanes, lanes, results);
            for (int64_t image = 0; image < block->images; ++image)
                NAME(place_tiles)(r, made, results + image * made->rows * made->columns, lanes, row,
                                  rows,
                                  target + image * block->image + (m + c) * block->channel +
                                      (r->first_row - block->first_row) * side->result[2] +
                                      r->first_column,
                                  side->result[2]);
        }
    }
    runtime->pop(transformed);
    return 0;
}

static int NAME(correlate_winograd)(const symcomp_geometry *g, int which, const T *source,
                                    const T *packed, T *target, const symcomp_part *block) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t taps[6][FACTORS];
    NAME(phase) phase = {.taps = FACTORS, .y = taps[0], .x = taps[1]};
    NAME(prepared) made = {.y = taps[2], .x = taps[3], .offset = taps[4]};
    int64_t height = sc_panel(side.channels), panels = quotient_up(side.channels, height);
    packed += (block->group * panels + block->first_channel / height) * height * FACTORS *
              side.planes;
    const int64_t *d = g->dilation + 1;
    int64_t low[2];
    for (int axis = 0; axis < 2; ++axis) {
        low[axis] = g->low[1 + axis];
        if (which != SYMCOMP_FORWARD)
            low[axis] = 2 * d[axis] - low[axis];
        phase.steps[axis] = 2 * d[axis];
    }
    int64_t fitting = TRANSFORMED_BYTES / (FACTORS * (int64_t)sizeof(T) * side.planes);
    for (int64_t ry = 0; ry < d[0]; ++ry)
        for (int64_t rx = 0; rx < d[1]; ++rx) {
            int64_t first = quotient_up(at_least(0, block->first_row - ry), d[0]);
            int64_t last = quotient_up(at_least(0, block->first_row + block->rows - ry), d[0]);
            NAME(residue) r = {
                .first_row = ry + d[0] * first, .first_column = rx, .step = {d[0], d[1]},
                .rows = last - first, .columns = quotient_up(side.result[2] - rx, d[1]),
            };
            r.tile_rows = quotient_up(r.rows, 2), r.tile_columns = quotient_up(r.columns, 2);
            for (int k = 0; k < FACTORS; ++k) {
                phase.y[k] = ry + d[0] * (first + k / 4) - low[0];
                phase.x[k] = rx + d[1] * (k % 4) - low[1];
            }
            int64_t line = block->images * (r.tile_columns + 1);
            int64_t step = at_least(1, at_least(3 * LANES, fitting) / line);
            step = quotient_up(r.tile_rows, at_least(1, quotient_up(r.tile_rows, step)));
            for (int64_t row = 0; row < r.tile_rows; row += step) {
                int64_t rows = at_most(step, r.tile_rows - row);
                NAME(plan)(&phase, block->channels, block->images, rows, r.tile_columns, &made);
                if (NAME(sum_tiles)(g, which, &side, &phase, &made, &r, source, packed, target,
                                    block, row, rows))
                    return 1;
            }
        }
    return 0;
}
