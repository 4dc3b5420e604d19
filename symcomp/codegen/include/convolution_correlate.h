/* A block of a correlation, forward or with respect to the images: filters in the order of the
 * kernels, and the sums phase by phase; see convolution_kernels.h. */

/* The library of another way that a geometry is computed in, or NULL. */
static const NAME(symcomp_convolver) *NAME(other_way)(const symcomp_geometry *g, int which) {
    const NAME(symcomp_convolver) *const *ways = runtime->NAME(convolution);
    if (NAME(is_winograd)(g, which, 3))
        return ways[SYMCOMP_WINOGRAD];
    if (NAME(is_winograd)(g, which, 5))
        return ways[SYMCOMP_FIVES];
    if (NAME(is_channelwise)(g, which))
        return ways[SYMCOMP_CHANNELWISE];
    if (NAME(is_pairs)(g, which))
        return ways[SYMCOMP_PAIRS];
    if (NAME(is_one_tap)(g, which))
        return ways[SYMCOMP_ONE_TAP];
    if (NAME(is_scatter)(g, which))
        return ways[SYMCOMP_SCATTER];
    return NULL;
}

/* packed[group, phase, panel, plane, tap, row]: what `tile` reads, in its order. A panel is a
 * group's `panel_rows` channels of the result; its number goes through all groups. */
static int NAME(pack)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                       int64_t begin, int64_t end) {
    const NAME(symcomp_convolver) *other = NAME(other_way)(g, which);
    if (other)
        return other->pack(g, which, weights, packed, begin, end);
    NAME(side) side = NAME(side_of)(g, which);
    NAME(phase) phase;
    NAME(prepared) made;
    int64_t *mark = NAME(push_phase)(g, &phase, &made);
    if (!mark)
        return 1;
    int64_t height = sc_panel(side.channels), panels = quotient_up(side.channels, height);
    int64_t area = g->kernel[1] * g->kernel[2], depth = g->kernel[0];
    int64_t per_group = panels * height * side.planes * area;
    for (int64_t number = begin; number < end; ++number) {
        int64_t group = number / panels, panel = number % panels;
        T *to = packed + group * per_group;
        for (int64_t n = 0; n < side.phases; ++n) {
            NAME(find_phase)(g, which, n, &phase);
            int64_t terms = side.planes * phase.taps;
            T *here = to + panel * height * terms;
            to += panels * height * terms;
            int64_t rows = at_most(height, side.channels - panel * height);
            int64_t first = panel * height, forward = which == SYMCOMP_FORWARD;
            /* From one row of the panel to the next, from one plane to the next. */
            int64_t step = (forward ? g->channels : 1) * depth * area;
            int64_t stride = (forward ? 1 : g->channels) * depth * area;
            const T *from = weights + group * g->filters * g->channels * depth * area;
            from += first * step;
            for (int64_t plane = 0; plane < side.planes; ++plane) {
                const T *place = from + plane / depth * stride + plane % depth * area;
                for (int64_t k = 0; k < phase.taps; ++k, here += height)
                    for (int64_t m = 0; m < rows; ++m)
                        here[m] = place[m * step + phase.tap[k]];
            }
        }
    }
    runtime->pop(mark);
    return 0;
}

/* All sums of a phase into c[channel, lane]; the source's planes are prepared some at a time. */
static int NAME(sum_phase)(const symcomp_geometry *g, int which, const NAME(side) *side,
                           const NAME(phase) *phase, const NAME(prepared) *made, const T *source,
                           const T *packed, const symcomp_part *block, int64_t row, T *c,
                           int64_t pitch) {
    int64_t height = sc_panel(side->channels);
    int64_t step = at_most(side->planes, at_least(1, TERMS / phase->taps));
    int64_t plane_size = made->copies * block->images * made->rows * made->columns;
    size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
    T *planes = runtime->push((size_t)(step * plane_size) * sizeof(T) + slack);
    int64_t *offset = runtime->push((size_t)(step * phase->taps) * sizeof(int64_t));
    if (!planes || !offset) {
        runtime->pop(planes);
        return 1;
    }
    for (int64_t p = 0; p < step; ++p)
        for (int64_t k = 0; k < phase->taps; ++k)
            offset[p * phase->taps + k] = p * plane_size + made->offset[k];
    for (int64_t first = 0; first < side->planes; first += step) {
        int64_t count = at_most(step, side->planes - first), terms = count * phase->taps;
        NAME(prepare)(g, which, side, phase, made, source, block, row, first, count, planes);
        int64_t vectors = quotient_up(made->lanes, LANES), width;
        for (int64_t v = 0; v < vectors; v += width) {
            width = NAME(widest)(at_most(height, block->channels), vectors - v);
            const T *a = packed + first * phase->taps * height;
            for (int64_t m = 0; m < block->channels; m += height) {
                int64_t rows = at_most(height, block->channels - m);
                NAME(tile)(width, rows, terms, a, height, planes + v * LANES, offset,
                           c + m * pitch + v * LANES, pitch, first > 0);
                a += height * side->planes * phase->taps;
            }
        }
    }
    runtime->pop(planes);
    return 0;
}

/* Whether the sums of a phase are the block's results, each image whole vectors: then images are done one
 * by one, and need not be put where they belong. */
static int NAME(is_result)(const NAME(side) *side, const NAME(phase) *phase,
                           const NAME(prepared) *made, const symcomp_part *block, int64_t rows,
                           int64_t columns) {
    return phase->step[0] == 1 && phase->step[1] == 1 && columns == side->result[2] &&
           rows == block->rows && rows * columns % LANES == 0 &&
           made->lanes == block->images * rows * columns;
}

/* Puts the sums of a phase where they belong. */
static void NAME(place)(const NAME(side) *side, const NAME(phase) *phase,
                        const NAME(prepared) *made, const T *c, int64_t pitch, T *target,
                        const symcomp_part *block, int64_t row, int64_t rows, int64_t columns) {
    int64_t width = side->result[2], step = phase->step[1];
    int64_t start = (phase->first[0] + phase->step[0] * row - block->first_row) * width;
    for (int64_t image = 0; image < block->images; ++image)
        for (int64_t m = 0; m < block->channels; ++m) {
            T *to = target + image * block->image + m * block->channel + start + phase->first[1];
            const T *from = c + m * pitch + image * made->rows * made->columns;
            if (phase->step[0] == 1 && step == 1 && made->columns == width) {
                memcpy(to, from, (size_t)(rows * columns) * sizeof(T));
                continue;
            }
            for (int64_t t = 0; t < rows; ++t) {
                if (step == 1)
                    for (int64_t u = 0; u < columns; ++u)
                        to[u] = from[u];
                else
                    for (int64_t u = 0; u < columns; ++u)
                        to[u * step] = from[u];
                to += phase->step[0] * width, from += made->columns;
            }
        }
}

static int NAME(correlate)(const symcomp_geometry *g, int which, const T *source, const T *packed,
                            T *target, const symcomp_part *block) {
    const NAME(symcomp_convolver) *other = NAME(other_way)(g, which);
    if (other)
        return other->correlate(g, which, source, packed, target, block);
    NAME(side) side = NAME(side_of)(g, which);
    if (NAME(is_pointwise)(g) && side.planes)
        return runtime->NAME(convolution)[SYMCOMP_POINTWISE]->correlate(g, which, source, packed,
                                                                        target, block);
    NAME(phase) phase;
    NAME(prepared) made;
    int64_t height = sc_panel(side.channels);
    int64_t panels = quotient_up(side.channels, height);
    int64_t area = g->kernel[1] * g->kernel[2];
    packed += block->group * panels * height * side.planes * area;
    int64_t *mark = NAME(push_phase)(g, &phase, &made);
    int failed = !mark;
    for (int64_t n = 0; !failed && n < side.phases; ++n) {
        NAME(find_phase)(g, which, n, &phase);
        int64_t terms = side.planes * phase.taps;
        const T *panel = packed + block->first_channel / height * height * terms;
        packed += panels * height * terms;
        int64_t step = phase.step[0], end = block->first_row + block->rows;
        int64_t row = quotient_up(at_least(0, block->first_row - phase.first[0]), step);
        int64_t rows = quotient_up(at_least(0, end - phase.first[0]), step) - row;
        int64_t columns =
            quotient_up(at_least(0, side.result[2] - phase.first[1]), phase.step[1]);
        if (rows <= 0 || columns <= 0)
            continue;
        if (terms)
            NAME(plan)(&phase, block->channels, block->images, rows, columns, &made);
        else
            made.rows = rows, made.columns = columns, made.lanes = block->images * rows * columns;
        if (terms && NAME(is_result)(&side, &phase, &made, block, rows, columns)) {
            symcomp_part image = *block;
            image.images = 1;
            NAME(prepare_patches)(&phase, 1, rows, columns, &made);
            for (; !failed && image.first_image < block->first_image + block->images;
                 ++image.first_image)
                failed = NAME(sum_phase)(
                    g, which, &side, &phase, &made, source, panel, &image, row,
                    target + (image.first_image - block->first_image) * block->image,
                    block->channel);
            continue;
        }
        int64_t pitch = quotient_up(made.lanes, LANES) * LANES;
        T *c = runtime->push((size_t)(block->channels * pitch) * sizeof(T));
        if (!c)
            failed = 1;
        else if (terms)
            failed = NAME(sum_phase)(g, which, &side, &phase, &made, source, panel, block, row, c,
                                     pitch);
        else
            NAME(zeros)(c, block->channels * pitch);
        if (!failed)
            NAME(place)(&side, &phase, &made, c, pitch, target, block, row, rows, columns);
        runtime->pop(c);
    }
    runtime->pop(mark);
    return failed;
}
