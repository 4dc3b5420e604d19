/* The gradient with respect to filters that are twice as long as their stride: a tile of 2 × 2 places of
 * the result's gradient plays the part of the taps, and the taps that of the results (see
 * convolution_pairs.h). The products are added up over all tiles before what is left to do is done
 * once.
 */

enum {
    /* Tiles of a pass: what is turned of a factor for one kernel stays in L1. */
    PAIR_TILES = 104,
};

/* turned[factor, tile of filters, tile, filter]: the lines at hand of a gradient's slice. `strip` has
 * room for two rows of it. */
static void NAME(turn_pairs)(const NAME(pairs) *p, const T *gradient, int64_t width, T *strip,
                             T *turned) {
    const symcomp_geometry *g = p->g;
    int64_t area = g->out[1] * g->out[2], columns = g->out[2], line = 2 * p->columns * LANES;
    int64_t tiles = p->lines * p->columns, factor = NAME(apart)(tiles * width), vectors;
    const T *end = gradient + g->batch * g->groups * g->filters * g->out[0] * area;
    NAME(zeros)(strip, 2 * line);
    for (int64_t o = 0; o < width; o += vectors * LANES) {
        vectors = NAME(next_vectors)((width - o) / LANES);
        for (int64_t v = 0; v < vectors; ++v)
            for (int64_t n = 0; n < p->lines; ++n) {
                int64_t image = p->block->first_image + (p->first + n) / p->rows;
                int64_t row = (p->first + n) % p->rows * 2;
                const T *from[LANES];
                for (int64_t m = 0; m < LANES; ++m) {
                    int64_t filter = o + v * LANES + m;
                    int64_t number = (image * g->groups + p->block->group) * g->filters + filter;
                    from[m] = gradient + (number * g->out[0] + p->block->slice) * area;
                    from[m] = filter < g->filters ? from[m] : NULL;
                }
                NAME(to_lanes)(from, row * columns, columns, end, strip, LANES);
                if (row + 1 < g->out[1])
                    NAME(to_lanes)(from, (row + 1) * columns, columns, end, strip + line, LANES);
                else
                    NAME(zeros)(strip + line, line);
                T *to = turned + o * tiles + (n * p->columns * vectors + v) * LANES;
                for (int64_t u = 0; u < p->columns; ++u, to += vectors * LANES) {
                    const VECTOR *upper = (const VECTOR *)strip + 2 * u;
                    const VECTOR *lower = (const VECTOR *)(strip + line) + 2 * u;
                    VECTOR a = upper[0], b = upper[1], c = lower[0], d = lower[1];
                    VECTOR factors[PAIR_FACTORS] = {
                        a, a + b, b, a + c, (a + b) + (c + d), b + d, c, c + d, d,
                    };
#pragma GCC unroll 9
                    for (int64_t f = 0; f < PAIR_FACTORS; ++f)
                        *(VECTOR *)(to + f * factor) = factors[f];
                }
            }
    }
}

/* Where the result has an odd number of rows or columns, the last tiles have values of the image that no
 * window reads: they would meet zeros only, but need not be finite. */
static void NAME(clear_unread)(const NAME(pairs) *p) {
    const symcomp_geometry *g = p->g;
    for (int64_t plane = 0; plane < p->planes; ++plane) {
        T *to = p->transformed + plane * p->pitch;
        for (int64_t n = 0; n < p->lines; ++n, to += p->columns) {
            for (int64_t f = 2; g->out[2] % 2 && f < PAIR_FACTORS; f += 3)
                to[f * p->factor + p->columns - 1] = 0;
            int last = (p->first + n) % p->rows == p->rows - 1;
            for (int64_t f = 6; g->out[1] % 2 && last && f < PAIR_FACTORS; ++f)
                NAME(zeros)(to + f * p->factor, p->columns);
        }
    }
}

/* partial[plane, tap, filter] from the sums of one residue: [factor, plane, filter]. */
static void NAME(finish_pairs)(const NAME(pairs) *p, int64_t residue, const T *sums, int64_t width,
                               T *partial) {
    const int64_t *kernel = p->g->kernel;
    NAME(pair) pair = NAME(find_pair)(p->g, SYMCOMP_FORWARD, residue);
    T taps[4 * LANES] __attribute__((aligned(64)));
    for (int64_t plane = 0; plane < p->side.planes; ++plane)
        for (int64_t o = 0; o < width; o += LANES) {
            NAME(transform_sums_of_pairs)(sums + plane * width + o, NAME(apart)(p->side.planes * width),
                                          LANES, taps);
            for (int64_t k = 0; k < 4; ++k) {
                int64_t tap = pair.taps[0][k / 2] * kernel[2] + pair.taps[1][k % 2];
                T *to = partial + (plane * kernel[1] * kernel[2] + tap) * width + o;
                *(VECTOR *)to = ((const VECTOR *)taps)[k];
            }
        }
}

static int NAME(filters_pairs)(const symcomp_geometry *g, const T *x, const T *gradient, T *partial,
                               int64_t first_image, int64_t images, int64_t group,
                               int64_t first_channel, int64_t channels) {
    if (!channels)
        return 0;
    symcomp_part block = {.first_image = first_image, .images = images, .group = group,
                          .rows = g->out[1]};
    int64_t width = NAME(padded_filters)(g), residues = g->stride[1] * g->stride[2];
    NAME(pairs) p;
    NAME(begin_pairs)(&p, g, SYMCOMP_FORWARD, x, &block);
    p.first_plane = first_channel * g->kernel[0];
    p.side.planes = channels * g->kernel[0], p.planes = p.side.planes * residues;
    int64_t all = images * p.rows, step = at_least(1, PAIR_TILES / p.columns);
    int64_t planes = p.side.planes, sum = NAME(apart)(planes * width), each = PAIR_FACTORS * sum;
    step = at_least(1, quotient_up(all, at_least(1, quotient_up(all, step))));
    NAME(take_lines)(&p, 0, step);
    int failed = NAME(push_lines)(&p, step);
    int64_t beside = NAME(apart)(step * p.columns * width);
    T *turned = runtime->push((size_t)(PAIR_FACTORS * beside) * sizeof(T));
    T *strip = runtime->push((size_t)(4 * p.columns * LANES) * sizeof(T));
    T *sums = runtime->push((size_t)(residues * each) * sizeof(T));
    int64_t *offset = runtime->push((size_t)planes * sizeof(int64_t));
    if (failed || !turned || !strip || !sums || !offset) {
        runtime->pop(p.transformed);
        return 1;
    }
    NAME(zeros)(sums, residues * each);
    for (; block.slice < g->out[0]; ++block.slice)
        for (int64_t line = 0; line < all; line += step) {
            NAME(take_lines)(&p, line, at_most(step, all - line));
            int64_t tiles = p.lines * p.columns;
            for (int64_t k = 0; k < planes; ++k)
                offset[k] = k * p.pitch;
            NAME(turn_pairs)(&p, gradient, width, strip, turned);
            NAME(transform_lines)(&p, 0, residues);
            NAME(clear_unread)(&p);
            for (int64_t r = 0; r < residues; ++r)
                for (int64_t f = 0; f < PAIR_FACTORS; ++f)
                    NAME(gather_planes)(planes, 0, offset,
                                        p.transformed + f * p.factor + r * planes * p.pitch, 1, tiles,
                                        turned + f * NAME(apart)(tiles * width), width,
                                        sums + r * each + f * sum);
        }
    for (int64_t r = 0; r < residues; ++r)
        NAME(finish_pairs)(&p, r, sums + r * each, width, partial);
    runtime->pop(p.transformed);
    return 0;
}
