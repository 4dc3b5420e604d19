/* Convolution whose filters are twice as long as its stride, as those of most transposed ones are,
 * by Winograd's F(2 × 2, 2 × 2): four results from 9 products instead of 16.
 *
 * With respect to the images each residue of the stride is a correlation with 2 × 2 taps. Forward,
 * the image falls into as many planes as the stride has residues, and the result is the sum of
 * their correlations with 2 × 2 taps each. Of a pair of results in one dimension,
 *     x0 w0 + x1 w1 = (x0 - x1) w0 + x1 (w0 + w1),
 *     x1 w0 + x2 w1 = x1 (w0 + w1) - (x1 - x2) w1,
 * so that three products do. The lanes of a vector are neighbouring tiles; what they read are nine
 * shifts, just as `prepare` makes them. Where x is not finite, the tile of 2 × 2 results may be nan.
 */

enum {
    PAIR_FACTORS = 9,
    PAIR_CHANNELS = 16,
    /* What the transformed planes of a pass may take: they stay in L2. */
    PAIR_BYTES = 640 << 10,
};

/* Whether a geometry is computed so; `pack` and `correlate` ask alike. */
static int NAME(is_pairs)(const symcomp_geometry *g, int which) {
    NAME(side) side = NAME(side_of)(g, which);
    int fits = sizeof(T) == 4 && side.channels >= PAIR_CHANNELS && side.planes >= PAIR_CHANNELS;
    for (int axis = 1; axis <= 2; ++axis)
        fits = fits && g->kernel[axis] == 2 * g->stride[axis] && g->stride[axis] <= 2 &&
               g->dilation[axis] == 1 && side.result[axis] >= 8 * g->stride[axis];
    return fits;
}

/* One of the correlations with 2 × 2 taps: which taps of the kernel these are, in the order of what
 * they read, and where the first result reads. */
typedef struct NAME(pair) {
    int64_t taps[2][2], start[2]; /* by dimension */
} NAME(pair);

static NAME(pair) NAME(find_pair)(const symcomp_geometry *g, int which, int64_t number) {
    NAME(pair) pair;
    int64_t residue[2] = {number / g->stride[2], number % g->stride[2]};
    for (int axis = 0; axis < 2; ++axis) {
        int64_t s = g->stride[1 + axis], low = g->low[1 + axis];
        if (which == SYMCOMP_FORWARD) {
            pair.start[axis] = residue[axis] - low;
            pair.taps[axis][0] = residue[axis], pair.taps[axis][1] = residue[axis] + s;
        } else {
            int64_t at = residue[axis] + low, steps = quotient_down(at, s);
            pair.start[axis] = steps - 1;
            pair.taps[axis][0] = at - s * steps + s, pair.taps[axis][1] = at - s * steps;
        }
    }
    return pair;
}

/* packed[group, phase, panel, factor, residue, plane, row] */
static int NAME(pack_pairs)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                            int64_t begin, int64_t end) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t forward = which == SYMCOMP_FORWARD, pairs = g->stride[1] * g->stride[2];
    int64_t height = sc_panel(side.channels), panels = quotient_up(side.channels, height);
    int64_t depth = g->kernel[0], area = g->kernel[1] * g->kernel[2];
    int64_t step = (forward ? g->channels : 1) * depth * area;
    int64_t stride = (forward ? 1 : g->channels) * depth * area;
    int64_t planes = side.planes * (forward ? pairs : 1), size = planes * height * PAIR_FACTORS;
    for (int64_t number = begin; number < end; ++number)
        for (int64_t n = 0; n < pairs; ++n) {
            int64_t group = number / panels, panel = number % panels, phase = forward ? 0 : n;
            int64_t rows = at_most(height, side.channels - panel * height);
            NAME(pair) pair = NAME(find_pair)(g, which, n);
            T *to = packed + ((group * (forward ? 1 : pairs) + phase) * panels + panel) * size +
                    (forward ? n : 0) * side.planes * height;
            const T *from = weights + group * g->filters * g->channels * depth * area +
                            panel * height * step;
            for (int64_t plane = 0; plane < side.planes; ++plane, to += height)
                for (int64_t m = 0; m < rows; ++m) {
                    const T *place = from + plane / depth * stride + plane % depth * area;
                    const T *upper = place + m * step + pair.taps[0][0] * g->kernel[2];
                    const T *lower = place + m * step + pair.taps[0][1] * g->kernel[2];
                    T a = upper[pair.taps[1][0]], b = upper[pair.taps[1][1]];
                    T c = lower[pair.taps[1][0]], d = lower[pair.taps[1][1]];
                    T factors[PAIR_FACTORS] = {
                        a, a + b, b, a + c, (a + b) + (c + d), b + d, c, c + d, d,
                    };
                    for (int64_t f = 0; f < PAIR_FACTORS; ++f)
                        to[f * planes * height + m] = factors[f];
                }
        }
    return 0;
}

/* The nine factors of neighbouring tiles, from nine shifts of a plane. */
static void NAME(transform_pairs)(const T *plane, const int64_t *offset, int64_t lanes, T *to,
                                  int64_t step) {
#define SHIFT(k) (*(const UNALIGNED *)(plane + offset[k] + v))
#define FACTOR(f, x) *(VECTOR *)(to + (f) * step + v) = x;
#define FACTORS_OF(f, x, y, z) FACTOR(f, x - y) FACTOR(f + 1, y) FACTOR(f + 2, y - z)
    for (int64_t v = 0; v < lanes; v += LANES) {
        VECTOR a = SHIFT(0), b = SHIFT(1), c = SHIFT(2), d = SHIFT(3), e = SHIFT(4);
        VECTOR f = SHIFT(5), g = SHIFT(6), h = SHIFT(7), i = SHIFT(8);
        a -= d, b -= e, c -= f, g = d - g, h = e - h, i = f - i;
        FACTORS_OF(0, a, b, c)
        FACTORS_OF(3, d, e, f)
        FACTORS_OF(6, g, h, i)
    }
}

/* to[row of the tiles, column of the tiles, lane], of one channel's nine sums. */
static void NAME(transform_sums_of_pairs)(const T *sums, int64_t step, int64_t lanes, T *to) {
#define SUM_OF(f) (*(const VECTOR *)(sums + (f) * step + v))
    for (int64_t v = 0; v < lanes; v += LANES) {
        VECTOR d = SUM_OF(3), e = SUM_OF(4), f = SUM_OF(5);
        VECTOR a = SUM_OF(0) + d, b = SUM_OF(1) + e, c = SUM_OF(2) + f;
        VECTOR g = d - SUM_OF(6), h = e - SUM_OF(7), i = f - SUM_OF(8);
        *(VECTOR *)(to + v) = a + b;
        *(VECTOR *)(to + lanes + v) = b - c;
        *(VECTOR *)(to + 2 * lanes + v) = g + h;
        *(VECTOR *)(to + 3 * lanes + v) = h - i;
    }
}

static inline void NAME(interleave_vectors)(T *to, const T *even, const T *odd) {
    VECTOR a = *(const UNALIGNED *)even, b = *(const UNALIGNED *)odd;
    *(UNALIGNED *)to = LOWER_WOVEN(a, b);
    *(UNALIGNED *)(to + LANES) = UPPER_WOVEN(a, b);
}

/* to[2 u] = even[u], to[2 u + 1] = odd[u], up to `width`; the last vectors overlap others. */
static void NAME(interleave)(T *to, const T *even, const T *odd, int64_t width) {
    int64_t u = 0;
    for (; 2 * (u + LANES) <= width; u += LANES)
        NAME(interleave_vectors)(to + 2 * u, even + u, odd + u);
    if (2 * u + 1 < width && width >= 2 * LANES) {
        u = width / 2 - LANES;
        NAME(interleave_vectors)(to + 2 * u, even + u, odd + u);
        u += LANES;
    }
    for (; 2 * u + 1 < width; ++u)
        to[2 * u] = even[u], to[2 * u + 1] = odd[u];
    if (2 * u < width)
        to[2 * u] = even[u];
}

/* One phase of a block: its rows and columns, from which row of the phase on; and where the first taps
 * of that row, and of the first column, read. */
typedef struct NAME(part_of_pairs) {
    int64_t first, rows, columns, start[2];
} NAME(part_of_pairs);

/* Sums over the transformed planes, for some rows of tiles; `to` has rows of `columns`, `pitch` apart,
 * for each channel and image. */
static void NAME(sum_pairs)(const T *transformed, int64_t planes, int64_t lanes, const T *packed,
                            int64_t height, const NAME(prepared) *made, const symcomp_part *block,
                            const int64_t *offset, T *sums, int64_t lines, int64_t columns, T *to,
                            int64_t image_step, int64_t channel_step, int64_t pitch) {
    int64_t vectors = lanes / LANES, width;
    T *results = sums + PAIR_FACTORS * height * lanes;
    for (int64_t m = 0; m < block->channels; m += height) {
        int64_t count = at_most(height, block->channels - m);
        const T *a = packed + m * PAIR_FACTORS * planes;
        for (int64_t f = 0; f < PAIR_FACTORS; ++f, a += planes * height)
            for (int64_t v = 0; v < vectors; v += width) {
                width = NAME(widest)(count, vectors - v);
                NAME(tiles)[width][count](planes, a, height,
                                          transformed + f * planes * lanes + v * LANES, offset,
                                          sums + f * height * lanes + v * LANES, lanes, 0);
            }
        for (int64_t c = 0; c < count; ++c) {
            NAME(transform_sums_of_pairs)(sums + c * lanes, height * lanes, lanes, results);
            for (int64_t image = 0; image < block->images; ++image)
                for (int64_t line = 0; line < lines; ++line) {
                    const T *even = results + line % 2 * 2 * lanes +
                                    (image * made->rows + line / 2) * made->columns;
                    NAME(interleave)(to + image * image_step + (m + c) * channel_step +
                                         line * pitch, even, even + lanes, columns);
                }
        }
    }
}

/* How many of some rows of tiles to take at a time: few enough for L2, and so that the widest
 * kernels do most of the work. */
static int64_t NAME(rows_of_pairs)(int64_t rows, int64_t line, int64_t planes) {
    int64_t most = PAIR_BYTES / (int64_t)sizeof(T) / PAIR_FACTORS / planes / line, best = 1;
    double least = 0;
    for (int64_t step = 1; step <= at_least(1, at_most(most, rows)); ++step) {
        int64_t vectors = quotient_up(step * line, LANES);
        double price = (double)quotient_up(rows, step) * (1.0 + (double)vectors +
                                                          0.4 * (double)(vectors % 3));
        if (step == 1 || price <= least)
            least = price, best = step;
    }
    return best;
}

static int NAME(correlate_pairs)(const symcomp_geometry *g, int which, const T *source,
                                 const T *packed, T *target, const symcomp_part *block) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t forward = which == SYMCOMP_FORWARD, width = side.result[2];
    int64_t residues = g->stride[1] * g->stride[2], shift[5][25];
    int64_t unit[2] = {forward ? g->stride[1] : 1, forward ? g->stride[2] : 1};
    int64_t down = forward ? 1 : g->stride[1], across = forward ? 1 : g->stride[2];
    int64_t planes = side.planes * (forward ? residues : 1), phases = down * across;
    int64_t height = sc_panel(side.channels), panels = quotient_up(side.channels, height);
    int64_t each = panels * height * planes * PAIR_FACTORS, end = block->first_row + block->rows;
    packed += block->group * phases * each + block->first_channel * planes * PAIR_FACTORS;

    NAME(part_of_pairs) parts[4];
    int64_t tiles[2] = {0, 0}, base[2] = {INT64_MAX, INT64_MAX}, beyond[2] = {0, 0};
    for (int64_t n = 0; n < phases; ++n) {
        NAME(pair) pair = NAME(find_pair)(g, which, n);
        int64_t a = n / across, first = quotient_up(at_least(0, block->first_row - a), down);
        parts[n] = (NAME(part_of_pairs)){
            first, at_least(0, quotient_up(at_least(0, end - a), down) - first),
            quotient_up(width - n % across, across), {first + pair.start[0], pair.start[1]},
        };
        tiles[0] = at_least(tiles[0], quotient_up(parts[n].rows, 2));
        tiles[1] = at_least(tiles[1], quotient_up(parts[n].columns, 2));
        for (int axis = 0; axis < 2; ++axis)
            base[axis] = at_most(base[axis], parts[n].start[axis]);
    }
    for (int64_t n = 0; n < phases; ++n)
        for (int axis = 0; axis < 2; ++axis)
            beyond[axis] = at_least(beyond[axis], parts[n].start[axis] - base[axis]);
    int64_t grid = 3 + beyond[1], taps = forward ? PAIR_FACTORS : (3 + beyond[0]) * grid;
    NAME(phase) phase = {.taps = taps, .steps = {2 * unit[0], 2 * unit[1]},
                         .y = shift[0], .x = shift[1]};
    NAME(prepared) made = {.y = shift[2], .x = shift[3], .offset = shift[4]};
    int64_t step = NAME(rows_of_pairs)(tiles[0], block->images * (tiles[1] + 1), planes);

    int failed = 0;
    for (int64_t row = 0; !failed && row < tiles[0]; row += step) {
        int64_t rows = at_most(step, tiles[0] - row);
        for (int64_t k = 0; k < taps; ++k)
            phase.y[k] = base[0] + k / grid, phase.x[k] = base[1] + k % grid;
        if (forward) /* of residue 0; the others are shifted */
            for (int64_t k = 0; k < PAIR_FACTORS; ++k) {
                phase.y[k] = unit[0] * (k / 3 + block->first_row) - g->low[1];
                phase.x[k] = unit[1] * (k % 3) - g->low[2];
            }
        NAME(prepare_shifts)(&phase, block->images, rows, tiles[1], &made);
        int64_t lanes = quotient_up(made.lanes, LANES) * LANES;
        int64_t size = made.copies * block->images * made.rows * made.columns;
        /* Rows that are put together from two phases are whole vectors. */
        int64_t stage_row = quotient_up(tiles[1], LANES) * 2 * LANES;
        int64_t stage_rows = 2 * rows * stage_row, staged = block->images * block->channels;
        size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
        T *transformed = runtime->push((size_t)(PAIR_FACTORS * planes * lanes) * sizeof(T));
        T *ready = runtime->push((size_t)(size * side.planes) * sizeof(T) + slack);
        T *sums = runtime->push((size_t)((PAIR_FACTORS * height + 4) * lanes) * sizeof(T) + slack);
        T *stage = runtime->push((size_t)(across * staged * stage_rows) * sizeof(T));
        int64_t *offset = runtime->push((size_t)planes * sizeof(int64_t));
        if (!transformed || !ready || !sums || !stage || !offset) {
            runtime->pop(transformed);
            return 1;
        }
        for (int64_t p = 0; p < planes; ++p)
            offset[p] = p * lanes;
        for (int64_t n = 0; n < (forward ? residues : 1); ++n) {
            for (int64_t k = 0; forward && n && k < taps; ++k) {
                int64_t b = n % g->stride[2];
                phase.y[k] += b ? 0 : 1, phase.x[k] += b ? 1 : 1 - g->stride[2];
            }
            if (n)
                NAME(prepare_shifts)(&phase, block->images, rows, tiles[1], &made);
            NAME(prepare)(g, which, &side, &phase, &made, source, block, row, 0, side.planes, ready);
            for (int64_t p = 0; forward && p < side.planes; ++p)
                NAME(transform_pairs)(ready + p * size, made.offset, lanes,
                                      transformed + (n * side.planes + p) * lanes, planes * lanes);
        }
        for (int64_t n = 0; n < phases; ++n) {
            const NAME(part_of_pairs) *part = &parts[n];
            int64_t lines = at_most(2 * rows, part->rows - 2 * row), shifts[PAIR_FACTORS];
            if (lines <= 0)
                continue;
            for (int64_t k = 0; k < PAIR_FACTORS; ++k)
                shifts[k] = made.offset[(k / 3 + part->start[0] - base[0]) * grid + k % 3 +
                                        part->start[1] - base[1]];
            for (int64_t p = 0; !forward && p < side.planes; ++p)
                NAME(transform_pairs)(ready + p * size, shifts, lanes, transformed + p * lanes,
                                      planes * lanes);
            int64_t line = part->first + 2 * row, pitch = down * width;
            T *here = target + (n / across + down * line - block->first_row) * width;
            if (across == 1) {
                NAME(sum_pairs)(transformed, planes, lanes, packed + n * each, height, &made, block,
                                offset, sums, lines, part->columns, here, block->image,
                                block->channel, pitch);
                continue;
            }
            T *mine = stage + n % across * staged * stage_rows;
            NAME(sum_pairs)(transformed, planes, lanes, packed + n * each, height, &made, block,
                            offset, sums, lines, stage_row, mine, block->channels * stage_rows,
                            stage_rows, stage_row);
            for (int64_t q = 0; n % across && q < staged; ++q) {
                T *to = here + q / block->channels * block->image +
                        q % block->channels * block->channel;
                const T *even = stage + q * stage_rows, *odd = even + staged * stage_rows;
                for (int64_t t = 0; t < lines; ++t, even += stage_row, odd += stage_row)
                    NAME(interleave)(to + t * pitch, even, odd, width);
            }
        }
        runtime->pop(transformed);
    }
    return failed;
}
