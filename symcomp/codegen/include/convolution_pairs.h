/* Convolution whose filters are twice as long as its stride, as those of most transposed ones are,
 * by Winograd's F(2 × 2, 2 × 2): four results from 9 products instead of 16.
 *
 * With respect to the images each residue of the stride is a correlation with 2 × 2 taps. Forward,
 * the image falls into as many planes as the stride has residues, and the result is the sum of
 * their correlations with 2 × 2 taps each. Of a pair of results in one dimension,
 *     x0 w0 + x1 w1 = (x0 - x1) w0 + x1 (w0 + w1),
 *     x1 w0 + x2 w1 = x1 (w0 + w1) - (x1 - x2) w1,
 * so that three products do. The lanes of a vector are neighbouring tiles, row after row; what a row
 * reads are nine shifts, just as `prepare` makes them. Where x is not finite, the tile of 2 × 2
 * results may be nan.
 */

enum {
    PAIR_FACTORS = 9,
    /* What the transformed planes of a pass may take: those of one factor stay in L2. */
    PAIR_BYTES = 1280 << 10,
    /* Channels whose sums are made and finished together: these stay there, too. */
    PAIR_SUMS = 64,
};

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

/* The nine factors of the tiles of some rows, from nine shifts of a plane whose rows are `pitch` apart:
 * rows of tiles follow one another, and a row may spill into the next, which is written later. */
static void NAME(transform_pairs)(const T *plane, const int64_t *offset, int64_t rows,
                                  int64_t columns, int64_t pitch, T *to, int64_t step) {
#define SHIFT(k) (*(const UNALIGNED *)(plane + offset[k] + v))
#define FACTOR(f, x) *(UNALIGNED *)(to + (f) * step + v) = x;
#define FACTORS_OF(f, x, y, z) FACTOR(f, x - y) FACTOR(f + 1, y) FACTOR(f + 2, y - z)
    for (int64_t row = 0; row < rows; ++row, plane += pitch, to += columns)
        for (int64_t v = 0; v < columns; v += LANES) {
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

static inline __attribute__((always_inline)) void NAME(weave)(const T *even, const T *odd,
                                                              VECTOR *to) {
    VECTOR a = *(const UNALIGNED *)even, b = *(const UNALIGNED *)odd;
    to[0] = LOWER_WOVEN(a, b), to[1] = UPPER_WOVEN(a, b);
}

/* A row of the result from the tiles of the phases that it is made of, `across` of them: in each, the
 * even columns and, `step` further, the odd ones. If not `exact`, writes up to a vector too much. */
static void NAME(weave_row)(const T *const *phases, int64_t across, int64_t step, int64_t width,
                            int exact, T *to) {
    for (int64_t u = 0, left = width; left > 0; u += LANES) {
        VECTOR row[4], other[2];
        NAME(weave)(phases[0] + u, phases[0] + step + u, row);
        if (across == 2) {
            NAME(weave)(phases[1] + u, phases[1] + step + u, other);
            VECTOR first = row[0], second = row[1];
            row[0] = LOWER_WOVEN(first, other[0]), row[1] = UPPER_WOVEN(first, other[0]);
            row[2] = LOWER_WOVEN(second, other[1]), row[3] = UPPER_WOVEN(second, other[1]);
        }
        for (int64_t k = 0; k < 2 * across && left > 0; ++k, to += LANES, left -= LANES)
            if (left >= LANES || !exact)
                *(UNALIGNED *)to = row[k];
            else
                memcpy(to, &row[k], (size_t)left * sizeof(T));
    }
}

/* The tiles of a block, line after line: all rows of the first image, then those of the next. Some
 * lines at a time are transformed, the tiles of all of them side by side. */
typedef struct NAME(pairs) {
    const symcomp_geometry *g;
    int which;
    NAME(side) side;
    const T *source;
    const symcomp_part *block;
    int64_t first_plane;     /* of the source */
    int64_t planes;          /* of all residues that are summed together */
    int64_t down, across;    /* phases of the result */
    int64_t rows, columns;   /* tiles of an image */
    int64_t start[4][2];     /* where the first tap of each phase, or residue, reads */
    int64_t base[2], grid;   /* with respect to the images: all that phases read, rows of it */
    int64_t first, lines;    /* those at hand */
    int64_t lanes;           /* their tiles in whole vectors */
    int64_t pitch, factor;   /* from plane to plane, from factor to factor */
    NAME(phase) phase;
    NAME(prepared) made;
    int64_t shift[5][25];
    T *ready, *transformed;
} NAME(pairs);

static void NAME(begin_pairs)(NAME(pairs) *p, const symcomp_geometry *g, int which, const T *source,
                              const symcomp_part *block) {
    int forward = which == SYMCOMP_FORWARD;
    int64_t residues = g->stride[1] * g->stride[2], beyond[2] = {0, 0};
    *p = (NAME(pairs)){.g = g, .which = which, .side = NAME(side_of)(g, which), .source = source,
                       .block = block, .base = {INT64_MAX, INT64_MAX}};
    p->planes = p->side.planes * (forward ? residues : 1);
    p->down = forward ? 1 : g->stride[1], p->across = forward ? 1 : g->stride[2];
    p->rows = quotient_up(quotient_up(block->rows, p->down), 2);
    p->columns = quotient_up(quotient_up(p->side.result[2], p->across), 2);
    for (int64_t n = 0; n < residues; ++n) {
        NAME(pair) pair = NAME(find_pair)(g, which, n);
        int64_t phase = n / p->across;
        int64_t first = forward ? g->stride[1] * block->first_row
                                : quotient_up(at_least(0, block->first_row - phase), p->down);
        p->start[n][0] = first + pair.start[0], p->start[n][1] = pair.start[1];
        for (int axis = 0; axis < 2; ++axis)
            p->base[axis] = at_most(p->base[axis], p->start[n][axis]);
    }
    for (int64_t n = 0; n < residues; ++n)
        for (int axis = 0; axis < 2; ++axis)
            beyond[axis] = at_least(beyond[axis], p->start[n][axis] - p->base[axis]);
    p->grid = forward ? 3 : 3 + beyond[1];
    p->phase = (NAME(phase)){
        .taps = forward ? PAIR_FACTORS : (3 + beyond[0]) * p->grid,
        .steps = {2 * (forward ? g->stride[1] : 1), 2 * (forward ? g->stride[2] : 1)},
        .y = p->shift[0], .x = p->shift[1],
    };
    p->made = (NAME(prepared)){.y = p->shift[2], .x = p->shift[3], .offset = p->shift[4]};
}

/* Says what residue `n` reads, or all phases. */
static void NAME(find_shifts)(NAME(pairs) *p, int64_t n, int64_t rows) {
    int forward = p->which == SYMCOMP_FORWARD;
    const int64_t *from = forward ? p->start[n] : p->base, *stride = p->g->stride + 1;
    for (int64_t k = 0; k < p->phase.taps; ++k) {
        p->phase.y[k] = from[0] + (forward ? stride[0] : 1) * (k / p->grid);
        p->phase.x[k] = from[1] + (forward ? stride[1] : 1) * (k % p->grid);
    }
    NAME(prepare_shifts)(&p->phase, 1, rows, p->columns, &p->made);
}

/* What is prepared for `lines` lines and all planes. */
static int64_t NAME(room_for_lines)(NAME(pairs) *p, int64_t lines) {
    int64_t rows = at_most(lines, p->rows), images = quotient_up(lines, p->rows) + 1;
    NAME(find_shifts)(p, 0, rows);
    int64_t more = images * (p->made.rows - rows);
    return p->side.planes * p->made.copies * (lines + more) * p->made.columns;
}

/* So much, and so that nine that are as far apart do not meet in a cache. */
static int64_t NAME(apart)(int64_t elements) {
    return (quotient_up(elements, LANES) | 1) * LANES;
}

static void NAME(take_lines)(NAME(pairs) *p, int64_t first, int64_t lines) {
    p->first = first, p->lines = lines;
    p->lanes = quotient_up(lines * p->columns, LANES) * LANES;
    int64_t last = quotient_up(p->columns, LANES) * LANES;
    p->pitch = quotient_up((lines - 1) * p->columns + last, LANES) * LANES;
    p->factor = NAME(apart)(p->planes * p->pitch);
}

/* Transforms the lines at hand for residue or phase `n`; phases share what is prepared. */
static void NAME(transform_lines)(NAME(pairs) *p, int64_t n) {
    int forward = p->which == SYMCOMP_FORWARD;
    int64_t shifts[PAIR_FACTORS], end = p->first + p->lines, rows;
    T *ready = p->ready, *to = p->transformed + n * p->side.planes % p->planes * p->pitch;
    for (int64_t line = p->first; line < end; line += rows, to += rows * p->columns) {
        int64_t row = line % p->rows;
        rows = at_most(p->rows - row, end - line);
        NAME(find_shifts)(p, n, rows);
        int64_t size = p->made.copies * p->made.rows * p->made.columns;
        symcomp_part block = *p->block;
        block.first_image += line / p->rows, block.images = 1;
        if (forward || !n)
            NAME(prepare)(p->g, p->which, &p->side, &p->phase, &p->made, p->source, &block, row,
                          p->first_plane, p->side.planes, ready);
        int64_t y = forward ? 0 : p->start[n][0] - p->base[0];
        int64_t x = forward ? 0 : p->start[n][1] - p->base[1];
        for (int64_t k = 0; k < PAIR_FACTORS; ++k)
            shifts[k] = p->made.offset[(k / 3 + y) * p->grid + k % 3 + x];
        for (int64_t plane = 0; plane < p->side.planes; ++plane, ready += size)
            NAME(transform_pairs)(ready, shifts, rows, p->columns, p->made.columns,
                                  to + plane * p->pitch, p->factor);
    }
}

/* sums[factor, channel, lane]: the products of the lines at hand for `count` channels. */
static void NAME(multiply_pairs)(const NAME(pairs) *p, const T *packed, int64_t height,
                                 int64_t count, const int64_t *offset, T *sums) {
    int64_t vectors = p->lanes / LANES, width;
    for (int64_t f = 0; f < PAIR_FACTORS; ++f)
        for (int64_t m = 0; m < count; m += height) {
            int64_t rows = at_most(height, count - m);
            const T *a = packed + (m * PAIR_FACTORS + f * height) * p->planes;
            T *c = sums + f * NAME(apart)(count * p->lanes) + m * p->lanes;
            for (int64_t v = 0; v < vectors; v += width) {
                width = NAME(widest)(rows, vectors - v);
                NAME(tile)(width, rows, p->planes, a, height,
                           p->transformed + f * p->factor + v * LANES, offset, c + v * LANES,
                           p->lanes, 0);
            }
        }
}

/* The lines at hand of all channels, from the sums of all phases: stage[phase, channel, half, column,
 * lane]. Rows come in order: what one writes too much, the next writes again. */
static void NAME(place_pairs)(const NAME(pairs) *p, const T *stage, T *target) {
    const symcomp_part *block = p->block;
    int64_t width = p->side.result[2], step = block->channels * 4 * p->lanes;
    for (int64_t m = 0; m < block->channels; ++m)
        for (int64_t n = 0; n < p->lines; ++n) {
            int64_t image = (p->first + n) / p->rows, row = (p->first + n) % p->rows;
            int64_t first = 2 * p->down * row, rows = at_most(2 * p->down, block->rows - first);
            int ends = n + 1 == p->lines || row + 1 == p->rows;
            T *to = target + image * block->image + m * block->channel + first * width;
            for (int64_t y = 0; y < rows; ++y, to += width) {
                int64_t phase = (block->first_row + y) % p->down * p->across;
                const T *from = stage + phase * step + (4 * m + y / p->down * 2) * p->lanes;
                from += n * p->columns;
                const T *const both[2] = {from, from + step};
                NAME(weave_row)(both, p->across, p->lanes, width, ends && y + 1 == rows, to);
            }
        }
}

/* How many of all lines to take at a time: few enough, and so that the widest kernels do most of the
 * work. */
static int64_t NAME(some_lines)(int64_t all, int64_t columns, int64_t planes) {
    int64_t most = PAIR_BYTES / (int64_t)sizeof(T) / PAIR_FACTORS / planes / columns, best = 1;
    double least = 0;
    for (int64_t step = 1; step <= at_least(1, at_most(most, all)); ++step) {
        int64_t vectors = quotient_up(step * columns, LANES);
        int64_t last = quotient_up(all % step * columns, LANES);
        double price = (double)(all / step) * (1.0 + (double)vectors + 0.4 * (double)(vectors % 3));
        price += last ? 1.0 + (double)last + 0.4 * (double)(last % 3) : 0.0;
        if (step == 1 || price <= least)
            least = price, best = step;
    }
    return best;
}

static int NAME(correlate_pairs)(const symcomp_geometry *g, int which, const T *source,
                                 const T *packed, T *target, const symcomp_part *block) {
    NAME(pairs) p;
    NAME(begin_pairs)(&p, g, which, source, block);
    int64_t residues = g->stride[1] * g->stride[2], phases = p.down * p.across;
    int64_t height = sc_panel(p.side.channels), panels = quotient_up(p.side.channels, height);
    int64_t each = panels * height * p.planes * PAIR_FACTORS, channels = block->channels;
    packed += block->group * phases * each + block->first_channel * p.planes * PAIR_FACTORS;

    int64_t all = block->images * p.rows, step = NAME(some_lines)(all, p.columns, p.planes);
    int64_t most = at_most(channels, quotient_up(PAIR_SUMS, height) * height);
    NAME(take_lines)(&p, 0, step);
    size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
    size_t room = (size_t)NAME(room_for_lines)(&p, step) * sizeof(T);
    p.transformed = runtime->push((size_t)(PAIR_FACTORS * p.factor) * sizeof(T) + slack);
    p.ready = runtime->push(room + slack);
    T *sums = runtime->push((size_t)(PAIR_FACTORS * NAME(apart)(most * p.lanes)) * sizeof(T));
    T *stage = runtime->push((size_t)(phases * channels * 4 * p.lanes) * sizeof(T) + slack);
    int64_t *offset = runtime->push((size_t)p.planes * sizeof(int64_t));
    if (!p.transformed || !p.ready || !sums || !stage || !offset) {
        runtime->pop(p.transformed);
        return 1;
    }
    for (int64_t line = 0; line < all; line += step) {
        NAME(take_lines)(&p, line, at_most(step, all - line));
        for (int64_t k = 0; k < p.planes; ++k)
            offset[k] = k * p.pitch;
        for (int64_t n = 0; n < phases; ++n) {
            for (int64_t r = n; r < (phases == 1 ? residues : n + 1); ++r)
                NAME(transform_lines)(&p, r);
            for (int64_t m = 0, count; m < channels; m += count) {
                count = at_most(most, channels - m);
                const T *a = packed + n * each + m * p.planes * PAIR_FACTORS;
                NAME(multiply_pairs)(&p, a, height, count, offset, sums);
                int64_t apart = NAME(apart)(count * p.lanes);
                for (int64_t c = 0; c < count; ++c)
                    NAME(transform_sums_of_pairs)(sums + c * p.lanes, apart, p.lanes,
                                                  stage + (n * channels + m + c) * 4 * p.lanes);
            }
        }
        NAME(place_pairs)(&p, stage, target);
    }
    runtime->pop(p.transformed);
    return 0;
}
