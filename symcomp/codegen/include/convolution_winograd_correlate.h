/* A block by Winograd's algorithm, forward or with respect to the images: filters at the points, their
 * products with tiles, and what becomes of these; see convolution_winograd.h. */

/* ---- filters ------------------------------------------------------------------------------------ */

/* How filters are packed: in chunks of CHUNK groups; in a chunk, by groups of planes. What belongs to
 * one group of planes is a block: [factor, plane, filter], all factors close together, as they are
 * made. Where there are few tiles to multiply them with, the taps are packed instead, [plane, tap,
 * filter], and transformed in the cache, where they are used: less memory. */
typedef struct NAME(packing) {
    int taps;
    int64_t planes, channels; /* in groups */
} NAME(packing);

/* Sizes of what is cut into tiles, and whether the filters are turned. */
static const int64_t *NAME(tiled)(const symcomp_geometry *g, int which) {
    return which == SYMCOMP_FORWARD || SPREADS ? g->out : g->size;
}

static int NAME(is_turned)(int which) { return which == SYMCOMP_INPUT && !SPREADS; }

static NAME(packing) NAME(packing_of)(const symcomp_geometry *g, int which) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t tiles = g->batch * side.result[0];
    for (int axis = 1; axis < 3; ++axis) {
        int64_t d = g->dilation[axis];
        tiles *= d * quotient_up(quotient_up(NAME(tiled)(g, which)[axis], d), SIDE);
    }
    return (NAME(packing)){tiles <= MOST_TILES, quotient_up(side.planes, GROUP),
                           quotient_up(side.channels, GROUP)};
}

/* Numbers of one factor in a block of so many filters. A line more than need be, lest the factors
 * compete for the same places in L1. */
static int64_t NAME(block_factor)(int64_t width) { return GROUP * width + GROUP; }

static int64_t NAME(block_size)(const NAME(packing) *p, int64_t width) {
    return p->taps ? AREA * GROUP * width : FACTORS * NAME(block_factor)(width);
}

/* Where a chunk begins, which starts at a group of channels. */
static int64_t NAME(chunk_start)(const NAME(packing) *p, int64_t group, int64_t start) {
    int64_t whole = p->planes * NAME(block_size)(p, CHUNK * GROUP);
    int64_t rest = p->channels % CHUNK * GROUP;
    int64_t last = rest ? p->planes * NAME(block_size)(p, rest) : 0;
    return group * (p->channels / CHUNK * whole + last) + start / CHUNK * whole;
}

static int NAME(pack_winograd)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                                int64_t begin, int64_t end) {
    NAME(side) side = NAME(side_of)(g, which);
    NAME(packing) packing = NAME(packing_of)(g, which);
    int forward = which == SYMCOMP_FORWARD, turned = NAME(is_turned)(which);
    int64_t panels = quotient_up(side.channels, sc_panel(side.channels));
    int64_t depth = g->kernel[0], size = depth * AREA;
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
                                 plane / depth * stride + plane % depth * AREA;
                const T *from[LANES];
                for (int64_t m = 0; m < LANES; ++m) {
                    int64_t channel = first * GROUP + lane + m;
                    from[m] = channel < side.channels ? place + channel * step : NULL;
                }
                VECTOR w[AREA], taps[AREA];
                NAME(to_lanes)(from, 0, AREA, last, (T *)w, LANES);
                for (int k = 0; k < AREA; ++k)
                    taps[k] = w[turned ? AREA - 1 - k : k];
                if (!packing.taps)
                    NAME(transform_taps)(taps, to + plane % GROUP * width,
                                         NAME(block_factor)(width));
                for (int k = 0; packing.taps && k < AREA; ++k)
                    *(VECTOR *)(to + (plane % GROUP * AREA + k) * width) = taps[k];
            }
    }
    return 0;
}

/* Transforms some planes' taps of a chunk: blocks, as `pack_winograd` makes them. */
static void NAME(transform_chunk)(const T *taps, int64_t planes, int64_t width, T *to) {
    int64_t factor = NAME(block_factor)(width);
    for (int64_t plane = 0; plane < planes; ++plane, taps += AREA * width) {
        T *place = to + plane / GROUP * FACTORS * factor + plane % GROUP * width;
        for (int64_t lane = 0; lane < width; lane += LANES) {
            VECTOR w[AREA];
            for (int k = 0; k < AREA; ++k)
                w[k] = *(const VECTOR *)(taps + k * width + lane);
            NAME(transform_taps)(w, place + lane, factor);
        }
    }
}

/* ---- what becomes of the products ---------------------------------------------------------------- */

/* The sums of a group of channels, transformed back and put where they belong; sums[factor, tile, `width`
 * channels]. */
static void NAME(place_tiles)(const NAME(pass) *p, const T *sums, int64_t factor, int64_t width,
                              T *target, int64_t channels) {
    const NAME(tiling) *t = p->t;
    const int64_t *d = p->g->dilation + 1;
    int64_t line = t->result_width * GROUP, pitch = p->side.result[2], apart = p->part.channel;
    T *lines[SIDE];
    for (int64_t i = 0; i < SIDE; ++i)
        lines[i] = p->strip + i * line;
    for (int64_t image = 0; image < p->part.images; ++image, target += p->part.image)
        for (int64_t r = p->row; r < p->row + p->rows; ++r) {
            for (int64_t u = 0; u < t->columns; ++u, sums += width)
                for (int64_t lane = 0; lane < GROUP; lane += LANES)
                    NAME(transform_sums)(sums + lane, factor, lines, t->start[u] * GROUP + lane,
                                         d[1] * GROUP);
            int64_t count = at_most(SIDE, t->rows - SIDE * r), columns = pitch;
            T *to = target + (t->first_row + d[0] * SIDE * r - p->part.first_row) * pitch;
            if (d[0] == 1 && t->result_width == pitch)
                columns *= count, count = 1;
            for (int64_t i = 0; i < count; ++i, to += d[0] * pitch)
                for (int64_t lane = 0; lane < channels; lane += LANES)
                    NAME(from_lanes)(lines[i] + lane, GROUP, columns, to + lane * apart, apart,
                                     channels - lane);
        }
}

/* Rows n to n + SIDE of what tiles met, into the block if they are there; then they are zero again. */
static void NAME(leave_rows)(const NAME(pass) *p, int64_t n, T *ring, T *target, int64_t channels) {
    const NAME(tiling) *t = p->t;
    int64_t line = t->width * GROUP, pitch = p->side.result[2], apart = p->part.channel;
    int64_t step = p->g->dilation[1], y = t->first_row + step * n - t->low[0] - p->part.first_row;
    int64_t count = SIDE, columns = pitch;
    ring += n % POINTS * line;
    if (step == 1 && t->width == pitch && y >= 0 && y + SIDE <= p->part.rows)
        columns *= SIDE, count = 1;
    for (int64_t i = 0; i < count; ++i, y += step)
        for (int64_t lane = 0; y >= 0 && y < p->part.rows && lane < channels; lane += LANES)
            NAME(from_lanes)(ring + i * line + t->low[1] * GROUP + lane, GROUP, columns,
                             target + y * pitch + lane * apart, apart, channels - lane);
    NAME(zeros)(ring, SIDE * line);
}

/* The sums of a group of channels, transformed back and spread over the places that tiles met. `ring` has
 * POINTS rows of these, zero when an image begins: no tile of another row meets more. */
static void NAME(spread_tiles)(const NAME(pass) *p, int last, const T *sums, int64_t factor,
                               int64_t width, T *ring, T *target, int64_t channels) {
    const NAME(tiling) *t = p->t;
    int64_t line = t->width * GROUP, step = p->g->dilation[2] * GROUP, end = p->row + p->rows;
    for (int64_t image = 0; image < p->part.images; ++image, target += p->part.image) {
        for (int64_t r = p->row; r < end; ++r) {
            T *lines[POINTS];
            for (int64_t i = 0; i < POINTS; ++i)
                lines[i] = ring + (SIDE * r + i) % POINTS * line;
            for (int64_t u = 0; u < t->columns; ++u, sums += width)
                for (int64_t lane = 0; lane < GROUP; lane += LANES)
                    NAME(spread_sums)(sums + lane, factor, lines, t->start[u] * GROUP + lane, step);
            NAME(leave_rows)(p, SIDE * r, ring, target, channels);
        }
        for (int64_t n = SIDE; last && n < POINTS; n += SIDE)
            NAME(leave_rows)(p, SIDE * (end - 1) + n, ring, target, channels);
    }
}

/* ---- passes -------------------------------------------------------------------------------------- */

/* All channels of a block. `rings` has one for each group of them; `last` is true in the last pass of the
 * images at hand. */
static int NAME(sum_tiles)(const NAME(pass) *p, int which, int last, const T *source,
                           const T *packed, T *rings, T *target) {
    int64_t tiles = p->tiles, planes = p->side.planes, groups = quotient_up(planes, GROUP);
    NAME(packing) packing = NAME(packing_of)(p->g, which);
    int64_t first = p->part.first_channel / GROUP;
    int64_t most = at_most(CHUNK, quotient_up(p->part.channels, GROUP)) * GROUP;
    /* An odd number of lines: factors of one tile would else compete for the same places in L1. */
    int64_t factor = (groups * tiles | 1) * GROUP;
    int64_t step = (most / GROUP * NAME(rows_made)(tiles) | 1) * GROUP;
    T *transformed = runtime->push((size_t)(FACTORS * factor) * sizeof(T));
    T *sums = runtime->push((size_t)(FACTORS * step) * sizeof(T));
    T *made = NULL;
    if (packing.taps)
        made = runtime->push((size_t)(SEGMENT / GROUP * FACTORS *
                                      NAME(block_factor)(CHUNK * GROUP)) * sizeof(T));
    int64_t *offset = runtime->push((size_t)(tiles + LEAST_HIGH) * sizeof(int64_t));
    if (!transformed || !sums || !offset || (packing.taps && !made)) {
        runtime->pop(transformed);
        return 1;
    }
    for (int64_t n = 0; n < tiles + LEAST_HIGH; ++n)
        offset[n] = at_most(n, tiles - 1) * GROUP;
    for (int64_t k = 0; k < groups; ++k)
        NAME(transform_group)(p, which, source, k * GROUP, planes, transformed + k * tiles * GROUP,
                              factor, GROUP);
    int64_t end = first + quotient_up(p->part.channels, GROUP);
    for (int64_t n = first, some; n < end; n += some) {
        int64_t start = n / CHUNK * CHUNK, pitch = at_most(CHUNK, packing.channels - start) * GROUP;
        some = at_most(start + CHUNK, end) - n;
        const T *b = packed + NAME(chunk_start)(&packing, p->part.group, start);
        int64_t width = some * GROUP, next = NAME(block_factor)(pitch);
        int64_t wanted = at_most(width, p->part.channels - (n - first) * GROUP);
        int64_t block_size = NAME(block_size)(&packing, pitch);
        for (int64_t k = 0, count; k < planes; k += count, b += count / GROUP * block_size) {
            count = at_most(planes - k, packing.taps ? SEGMENT : planes);
            if (packing.taps)
                NAME(transform_chunk)(b, count, pitch, made);
            const T *filters = (packing.taps ? made : b) + (n - start) * GROUP;
            const T *a = transformed + k * tiles;
            for (int64_t f = 0; f < FACTORS; ++f, a += factor, filters += next)
                NAME(multiply)(tiles, wanted, count, GROUP, a, offset, tiles * GROUP, 1, filters,
                               FACTORS * next, pitch, sums + f * step, width, k > 0);
        }
        for (int64_t k = 0; k < some; ++k) {
            int64_t group = n - first + k, channels = p->part.channels - group * GROUP;
            T *to = target + group * GROUP * p->part.channel;
            channels = at_most(GROUP, channels);
            if (NAME(reads_gradient)(which))
                NAME(spread_tiles)(p, last, sums + k * GROUP, step, width,
                                   rings + group * POINTS * p->t->width * GROUP, to, channels);
            else
                NAME(place_tiles)(p, sums + k * GROUP, step, width, to, channels);
        }
    }
    runtime->pop(transformed);
    return 0;
}

/* Which rows of a residue are cut into tiles for a block: those that it has, or meets. */
static void NAME(find_rows)(NAME(tiling) *t, const symcomp_geometry *g, int which,
                            const symcomp_part *block, int64_t residue) {
    int64_t d = g->dilation[1], spreads = NAME(reads_gradient)(which);
    int64_t begin = block->first_row + (spreads ? t->low[0] : 0);
    int64_t first = quotient_up(at_least(0, begin - residue), d);
    int64_t last = quotient_up(at_least(0, begin + block->rows - residue), d);
    if (spreads && first < last) {
        first = at_least(0, first - (TAPS - 1));
        last = at_most(last, quotient_up(g->out[1] - residue, d));
    }
    t->first_row = residue + d * first, t->rows = last - first;
}

static int NAME(correlate_winograd)(const symcomp_geometry *g, int which, const T *source,
                                    const T *packed, T *target, const symcomp_part *block) {
    NAME(tiling) t;
    NAME(pass) pass = {.g = g, .side = NAME(side_of)(g, which), .t = &t};
    const int64_t *d = g->dilation + 1;
    int64_t width = NAME(tiled)(g, which)[2], ring = 0;
    t.start = runtime->push((size_t)(width + d[1]) * sizeof(int64_t));
    if (!t.start)
        return 1;
    for (int axis = 0; axis < 2; ++axis) {
        t.low[axis] = g->low[1 + axis];
        if (NAME(is_turned)(which))
            t.low[axis] = (TAPS - 1) * d[axis] - t.low[axis];
    }
    NAME(find_columns)(&t, width, d[1]);
    if (NAME(reads_gradient)(which))
        ring = quotient_up(block->channels, GROUP) * POINTS * t.width * GROUP;
    pass.strip = runtime->push((size_t)(POINTS * t.width * GROUP) * sizeof(T));
    T *rings = runtime->push((size_t)ring * sizeof(T));
    int failed = !pass.strip || !rings;
    if (!failed)
        NAME(zeros)(rings, ring);
    int64_t fitting = TRANSFORMED_BYTES / (FACTORS * (int64_t)sizeof(T) * pass.side.planes);
    fitting = at_most(at_least(fitting, LEAST_TILES), MOST_TILES);
    for (int64_t residue = 0; residue < d[0]; ++residue) {
        NAME(find_rows)(&t, g, which, block, residue);
        int64_t rows = quotient_up(t.rows, SIDE), images = block->images, some, step;
        NAME(cut_passes)(&t, rows, images, fitting, &step, &some);
        for (int64_t image = 0; image < images; image += some)
            for (int64_t row = 0; !failed && row < rows; row += step) {
                pass.part = *block;
                pass.part.first_image += image, pass.part.images = at_most(some, images - image);
                pass.row = row, pass.rows = at_most(step, rows - row);
                pass.tiles = pass.part.images * pass.rows * t.columns;
                failed = NAME(sum_tiles)(&pass, which, row + step >= rows, source, packed, rings,
                                         target + image * block->image);
            }
    }
    runtime->pop(t.start);
    return failed;
}
