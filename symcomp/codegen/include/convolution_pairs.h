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

/* to[2 u] = even[u], to[2 u + 1] = odd[u], up to `width`. */
static void NAME(interleave)(T *to, const T *even, const T *odd, int64_t width) {
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

/* Where the results of a phase go: row t, column u of channel m of an image to
 * image * i + channel * m + row * t + u. */
typedef struct NAME(place_of_pairs) {
    T *to;
    int64_t image, channel, row, rows, columns;
} NAME(place_of_pairs);

/* Some rows of tiles of a phase, for all images and channels of a block. */
static int NAME(sum_pairs)(const symcomp_geometry *g, int which, const NAME(side) *side,
                           int64_t number, int64_t first_row, int64_t row, int64_t rows,
                           const T *source, const T *packed, const symcomp_part *block,
                           const NAME(place_of_pairs) *place) {
    int64_t forward = which == SYMCOMP_FORWARD, residues = 1, shift[6][PAIR_FACTORS];
    int64_t unit[2] = {1, 1}, height = sc_panel(side->channels);
    if (forward)
        residues = g->stride[1] * g->stride[2], unit[0] = g->stride[1], unit[1] = g->stride[2];
    NAME(phase) phase = {.taps = PAIR_FACTORS, .steps = {2 * unit[0], 2 * unit[1]},
                         .y = shift[0], .x = shift[1]};
    NAME(prepared) made = {.y = shift[2], .x = shift[3], .offset = shift[4]};
    int64_t planes = side->planes * residues, columns = quotient_up(place->columns, 2);
    int64_t lanes = 0, size = 0;
    T *transformed = NULL, *plane = NULL;
    for (int64_t n = 0; n < residues; ++n) {
        NAME(pair) pair = NAME(find_pair)(g, which, forward ? n : number);
        for (int64_t k = 0; k < PAIR_FACTORS; ++k) {
            phase.y[k] = unit[0] * (k / 3 + first_row) + pair.start[0];
            phase.x[k] = unit[1] * (k % 3) + pair.start[1];
        }
        NAME(plan)(&phase, block->channels, block->images, rows, columns, &made);
        if (!n) {
            lanes = quotient_up(made.lanes, LANES) * LANES;
            size = made.copies * block->images * made.rows * made.columns;
            transformed = runtime->push((size_t)(PAIR_FACTORS * planes * lanes) * sizeof(T));
            plane = runtime->push((size_t)size * sizeof(T) + (MOST_VECTORS + 1) * VECTOR_BYTES);
            if (!transformed || !plane) {
                runtime->pop(transformed);
                return 1;
            }
        }
        for (int64_t p = 0; p < side->planes; ++p) {
            NAME(prepare)(g, which, side, &phase, &made, source, block, row, p, 1, plane);
            NAME(transform_pairs)(plane, made.offset, lanes,
                                  transformed + (n * side->planes + p) * lanes, planes * lanes);
        }
    }
    T *sums = runtime->push((size_t)(PAIR_FACTORS * height * lanes) * sizeof(T));
    T *results = runtime->push((size_t)(4 * lanes) * sizeof(T));
    int64_t *offset = runtime->push((size_t)planes * sizeof(int64_t));
    if (!sums || !results || !offset) {
        runtime->pop(transformed);
        return 1;
    }
    for (int64_t p = 0; p < planes; ++p)
        offset[p] = p * lanes;
    int64_t vectors = lanes / LANES, width;
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
                for (int64_t line = 0; line < at_most(2 * rows, place->rows - 2 * row); ++line) {
                    const T *even = results + line % 2 * 2 * lanes +
                                    (image * made.rows + line / 2) * made.columns;
                    T *to = place->to + image * place->image + (m + c) * place->channel;
                    NAME(interleave)(to + (2 * row + line) * place->row, even, even + lanes,
                                     place->columns);
                }
        }
    }
    runtime->pop(transformed);
    return 0;
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
    int64_t down = forward ? 1 : g->stride[1], across = forward ? 1 : g->stride[2];
    int64_t planes = side.planes * (forward ? g->stride[1] * g->stride[2] : 1);
    int64_t height = sc_panel(side.channels), panels = quotient_up(side.channels, height);
    int64_t each = panels * height * planes * PAIR_FACTORS, end = block->first_row + block->rows;
    packed += block->group * down * across * each + block->first_channel * planes * PAIR_FACTORS;
    int64_t room = block->rows * width * block->channels * block->images;
    T *stage = across == 1 ? target : runtime->push((size_t)(2 * room) * sizeof(T));
    int failed = !stage;
    for (int64_t a = 0; !failed && a < down; ++a) {
        int64_t first = quotient_up(at_least(0, block->first_row - a), down);
        int64_t rows = quotient_up(at_least(0, end - a), down) - first;
        if (rows <= 0)
            continue;
        T *here = target + (a + down * first - block->first_row) * width;
        NAME(place_of_pairs) place[2];
        for (int64_t b = 0; b < across; ++b) {
            place[b] = (NAME(place_of_pairs)){
                here, block->image, block->channel, down * width, rows,
                quotient_up(width - b, across),
            };
            if (across > 1) {
                place[b].to = stage + b * room, place[b].row = place[b].columns;
                place[b].channel = rows * place[b].columns;
                place[b].image = block->channels * place[b].channel;
            }
            int64_t number = a * across + b, tiles = quotient_up(rows, 2);
            int64_t line = block->images * (quotient_up(place[b].columns, 2) + 1);
            int64_t step = NAME(rows_of_pairs)(tiles, line, planes);
            for (int64_t row = 0; !failed && row < tiles; row += step)
                failed = NAME(sum_pairs)(g, which, &side, number, first, row,
                                         at_most(step, tiles - row), source, packed + number * each,
                                         block, &place[b]);
        }
        for (int64_t image = 0; across > 1 && !failed && image < block->images; ++image)
            for (int64_t m = 0; m < block->channels; ++m)
                for (int64_t t = 0; t < rows; ++t) {
                    const T *from[2];
                    for (int b = 0; b < 2; ++b)
                        from[b] = place[b].to + image * place[b].image + m * place[b].channel +
                                  t * place[b].row;
                    NAME(interleave)(here + image * block->image + m * block->channel +
                                         down * t * width, from[0], from[1], width);
                }
    }
    if (across > 1)
        runtime->pop(stage);
    return failed;
}
