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

/* Terms are [residue, plane]; see convolution_pairs_products.h. */
static int NAME(pack_pairs)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                            int64_t begin, int64_t end) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t forward = which == SYMCOMP_FORWARD, pairs = g->stride[1] * g->stride[2];
    int64_t height = sc_panel(side.channels), panels = quotient_up(side.channels, height);
    int64_t depth = g->kernel[0], area = g->kernel[1] * g->kernel[2];
    int64_t step = (forward ? g->channels : 1) * depth * area;
    int64_t stride = (forward ? 1 : g->channels) * depth * area;
    int64_t terms = side.planes * (forward ? pairs : 1), size = NAME(panel_size)(terms);
    for (int64_t number = begin; number < end; ++number)
        for (int64_t n = 0; n < pairs; ++n) {
            int64_t group = number / panels, panel = number % panels, phase = forward ? 0 : n;
            int64_t rows = at_most(height, side.channels - panel * height);
            NAME(pair) pair = NAME(find_pair)(g, which, n);
            T *to = packed + ((group * (forward ? 1 : pairs) + phase) * panels + panel) *
                                 PAIR_FACTORS * size;
            const T *from = weights + group * g->filters * g->channels * depth * area +
                            panel * height * step;
            for (int64_t plane = 0; plane < side.planes; ++plane) {
                T *here = to + NAME(term_start)(terms, (forward ? n : 0) * side.planes + plane);
                for (int64_t f = 0; rows < height && f < PAIR_FACTORS; ++f)
                    NAME(zeros)(here + f * size, height);
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
                        here[f * size + m] = factors[f];
                }
            }
            for (int64_t f = 0; (!forward || n == pairs - 1) && f < PAIR_FACTORS; ++f)
                NAME(finish_panel)(to + f * size, terms);
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
    int64_t base[2], span;   /* the first of these, and rows from there to the last tap's */
    int64_t apart[2];        /* rows and columns between the shifts of a residue or phase */
    int64_t steps[2];        /* and between tiles, */
    int64_t width, line;     /* columns of a residue of them in split rows, and of all */
    int64_t first, lines;    /* those at hand */
    int64_t lanes;           /* their tiles in whole vectors */
    int64_t pitch, factor;   /* from plane to plane, from factor to factor */
    T *strip, *ready, *transformed;
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
    for (int axis = 0; axis < 2; ++axis) {
        p->apart[axis] = forward ? g->stride[1 + axis] : 1, p->steps[axis] = 2 * p->apart[axis];
        for (int64_t n = 0; n < residues; ++n)
            beyond[axis] = at_least(beyond[axis], p->start[n][axis] - p->base[axis]);
        beyond[axis] += 2 * p->apart[axis];
    }
    p->span = beyond[0] + 1;
    p->width = quotient_up(p->columns + beyond[1] / p->steps[1], LANES) * LANES;
    p->line = p->steps[1] * p->width;
}

/* Rows of a plane that so many rows of tiles read. */
static int64_t NAME(rows_read)(const NAME(pairs) *p, int64_t rows) {
    return p->steps[0] * (rows - 1) + p->span;
}

/* What is split for `lines` lines and so many planes. */
static int64_t NAME(room_for_lines)(const NAME(pairs) *p, int64_t lines, int64_t planes) {
    int64_t images = quotient_up(lines, p->rows) + 1;
    return planes * (p->steps[0] * lines + images * p->span) * p->line;
}

/* Room for what `transform_lines` makes on its way, `lines` lines at a time: 1 where there is none. Phases
 * share what is split, residues are transformed together. */
static int NAME(push_lines)(NAME(pairs) *p, int64_t lines) {
    size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
    int64_t rows = NAME(rows_read)(p, at_most(lines, p->rows)), forward = p->which == SYMCOMP_FORWARD;
    int64_t room = NAME(room_for_lines)(p, lines, forward ? 1 : p->side.planes);
    p->transformed = runtime->push((size_t)(PAIR_FACTORS * p->factor) * sizeof(T) + slack);
    p->ready = runtime->push((size_t)room * sizeof(T) + slack);
    p->strip = runtime->push((size_t)(rows * p->line) * sizeof(T) + slack);
    if (!p->transformed || !p->ready || !p->strip)
        return 1;
    NAME(zeros)(p->strip, rows * p->line);
    return 0;
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

/* Rows of a plane from row `y` on, split so that what neighbouring tiles read lies side by side:
 * to[row, column % steps, column / steps]. They come through a strip that is zero left and right of them. */
static void NAME(split_rows)(const NAME(pairs) *p, const NAME(plane) *from, int64_t y, int64_t rows,
                             T *to) {
    int64_t left = at_least(0, -p->base[1]), first = at_least(0, p->base[1]);
    int64_t count = at_least(0, at_most(from->width - first, p->line - left));
    int64_t begin = from->data ? at_most(rows, at_least(0, -y)) : rows;
    int64_t end = at_least(begin, at_most(rows, from->height - y));
    NAME(zeros)(to, begin * p->line);
    NAME(zeros)(to + end * p->line, (rows - end) * p->line);
    for (int64_t r = begin; r < end; ++r) {
        const T *row = from->data + (y + r) * from->width + first, *next = row + from->height * from->width;
        for (int64_t u = 0; u < count; u += 64 / (int64_t)sizeof(T)) /* of the next plane */
            __builtin_prefetch(next + u);
        memcpy(p->strip + r * p->line + left, row, (size_t)count * sizeof(T));
    }
    const T *line = p->strip + begin * p->line;
    to += begin * p->line;
    for (int64_t r = begin; r < end; ++r, line += p->line)
        for (int64_t n = 0; n < p->steps[1]; ++n)
            for (int64_t u = 0; u < p->width; u += LANES, to += LANES) {
                const T *place = line + p->steps[1] * u + n;
                VECTOR a = NAME(even_lanes)(place), b;
                if (p->steps[1] == 4)
                    b = NAME(even_lanes)(place + 2 * LANES), a = EVEN_LANES(a, b);
                *(VECTOR *)to = a;
            }
}

/* Transforms the lines at hand for residues, or phases, [begin, end): plane after plane, so that what is
 * read of it stays in L1. Phases share what is split, the first of them makes it. */
static void NAME(transform_lines)(NAME(pairs) *p, int64_t begin, int64_t end) {
    int forward = p->which == SYMCOMP_FORWARD;
    int64_t last = p->first + p->lines, rows, shifts[4][PAIR_FACTORS];
    for (int64_t n = begin; n < end; ++n)
        for (int64_t k = 0; k < PAIR_FACTORS; ++k) {
            int64_t y = p->start[n][0] - p->base[0] + k / 3 * p->apart[0];
            int64_t x = p->start[n][1] - p->base[1] + k % 3 * p->apart[1];
            shifts[n][k] = y * p->line + x % p->steps[1] * p->width + x / p->steps[1];
        }
    T *ready = p->ready, *to = p->transformed;
    for (int64_t line = p->first; line < last; line += rows, to += rows * p->columns) {
        int64_t row = line % p->rows, image = p->block->first_image + line / p->rows;
        rows = at_most(p->rows - row, last - line);
        int64_t read = NAME(rows_read)(p, rows), y = p->base[0] + p->steps[0] * row;
        for (int64_t k = 0; k < p->side.planes; ++k) {
            if (forward || !begin) {
                NAME(plane) plane = NAME(find_plane)(p->g, p->which, &p->side, p->source, image,
                                                     p->block->group, p->block->slice,
                                                     p->first_plane + k);
                NAME(split_rows)(p, &plane, y, read, ready);
            }
            for (int64_t n = begin; n < end; ++n)
                NAME(transform_pairs)(ready, shifts[n], rows, p->columns, p->steps[0] * p->line,
                                      to + (n * p->side.planes + k) % p->planes * p->pitch, p->factor);
            ready += forward ? 0 : read * p->line;
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
    int64_t factor = NAME(panel_size)(p.planes), panel = PAIR_FACTORS * factor, each = panels * panel;
    int64_t channels = block->channels;
    packed += block->group * phases * each + block->first_channel / height * panel;

    int64_t all = block->images * p.rows, step = NAME(some_lines)(all, p.columns, p.planes);
    int64_t most = at_most(quotient_up(channels, height) * height, PAIR_SUMS);
    NAME(take_lines)(&p, 0, step);
    size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
    int failed = NAME(push_lines)(&p, step);
    T *sums = runtime->push((size_t)(PAIR_FACTORS * NAME(apart)(most * p.lanes)) * sizeof(T));
    T *stage = runtime->push((size_t)(phases * channels * 4 * p.lanes) * sizeof(T) + slack);
    T *beside = runtime->push((size_t)NAME(beside_size)(p.planes) * sizeof(T));
    if (failed || !sums || !stage || !beside) {
        runtime->pop(p.transformed);
        return 1;
    }
    for (int64_t line = 0; line < all; line += step) {
        NAME(take_lines)(&p, line, at_most(step, all - line));
        for (int64_t n = 0; n < phases; ++n) {
            NAME(transform_lines)(&p, n, phases == 1 ? residues : n + 1);
            for (int64_t m = 0, count; m < channels; m += count) {
                count = at_most(most, channels - m);
                const T *a = packed + n * each + m / height * panel;
                int64_t apart = NAME(apart)(quotient_up(count, height) * height * p.lanes);
                for (int64_t f = 0; f < PAIR_FACTORS; ++f)
                    NAME(multiply_factor)(p.planes, count, p.lanes / LANES, a + f * factor, panel,
                                          p.transformed + f * p.factor, p.pitch, beside,
                                          sums + f * apart);
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
