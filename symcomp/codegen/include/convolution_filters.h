/* The gradient with respect to the filters, and which way it goes. */

/* partial[plane, tap, filter] += sum of gradient * plane, where a group has few filters. Lanes past
 * the end of a row are cleared: zero times what lies there need not be zero. */
static void NAME(multiply_planes)(int64_t planes, int64_t taps, const NAME(prepared) *made,
                                  const int64_t *offset, const T *prepared, int64_t rows,
                                  int64_t columns, const T *gradient, T *partial, int64_t width) {
    VECTOR zero = {0}, lane;
    for (int64_t n = 0; n < LANES; ++n)
        lane[n] = (T)n;
    NAME(mask) last = lane <= (T)((columns - 1) % LANES) - zero;
    for (int64_t p = 0; p < planes; ++p)
        for (int64_t k = 0; k < taps; k += 4) {
            const T *from[4], *beside = gradient;
            VECTOR sum[4] = {zero, zero, zero, zero};
            for (int j = 0; j < 4; ++j)
                from[j] = prepared + offset[p * taps + at_most(k + j, taps - 1)];
            for (int64_t t = 0; t < rows; ++t, beside += columns) {
                int64_t u = 0;
                for (; u + LANES < columns; u += LANES) {
                    VECTOR g = *(const UNALIGNED *)(beside + u);
#pragma GCC unroll 4
                    for (int j = 0; j < 4; ++j)
                        sum[j] += g * *(const UNALIGNED *)(from[j] + u);
                }
                VECTOR g = *(const UNALIGNED *)(beside + u);
                g = KEPT(g, last);
#pragma GCC unroll 4
                for (int j = 0; j < 4; ++j) {
                    VECTOR x = *(const UNALIGNED *)(from[j] + u);
                    sum[j] += g * KEPT(x, last);
                    from[j] += made->columns;
                }
            }
            for (int j = 0; j < 4 && k + j < taps; ++j) {
                T total = 0;
                for (int64_t n = 0; n < LANES; ++n)
                    total += sum[j][n];
                partial[(p * taps + k + j) * width] += total;
            }
        }
}

/* The library of another way that the gradient is computed in, or NULL. */
static const NAME(symcomp_convolver) *NAME(other_way_of_filters)(const symcomp_geometry *g,
                                                                 int64_t channels) {
    const NAME(symcomp_convolver) *const *ways = runtime->NAME(convolution);
    if (NAME(is_channelwise_filters)(g))
        return ways[SYMCOMP_CHANNELWISE];
    if (NAME(is_winograd)(g, SYMCOMP_FILTERS, 3))
        return ways[SYMCOMP_WINOGRAD];
    if (NAME(is_winograd)(g, SYMCOMP_FILTERS, 5))
        return ways[SYMCOMP_FIVES];
    if (NAME(is_pairs)(g, SYMCOMP_FORWARD))
        return ways[SYMCOMP_PAIRS];
    if (NAME(is_one_tap)(g, SYMCOMP_FILTERS) && channels >= ONE_TAP_CHANNELS)
        return ways[SYMCOMP_ONE_TAP];
    if (NAME(is_pointwise)(g) && g->filters > FEW_FILTERS)
        return ways[SYMCOMP_POINTWISE];
    return NULL;
}

static int NAME(filters)(const symcomp_geometry *g, const T *x, const T *gradient, T *partial,
                         int64_t first_image, int64_t images, int64_t group,
                         int64_t first_channel, int64_t channels) {
    const NAME(symcomp_convolver) *other = NAME(other_way_of_filters)(g, channels);
    if (other)
        return other->filters(g, x, gradient, partial, first_image, images, group, first_channel,
                              channels);
    NAME(side) side = NAME(side_of)(g, SYMCOMP_FORWARD);
    NAME(phase) phase;
    NAME(prepared) made;
    int64_t width = NAME(padded_filters)(g), depth = g->kernel[0];
    int64_t taps = g->kernel[1] * g->kernel[2], columns = g->out[2];
    int64_t positions = g->out[0] * g->out[1] * g->out[2];
    int few = g->filters <= FEW_FILTERS;
    NAME(zeros)(partial, channels * depth * taps * width);
    if (!taps || !positions)
        return 0;
    int64_t *mark = NAME(push_phase)(g, &phase, &made);
    if (!mark)
        return 1;
    NAME(find_phase)(g, SYMCOMP_FORWARD, 0, &phase);
    int64_t band = at_most(g->out[1], at_least(1, BAND_POSITIONS / columns));
    band = quotient_up(g->out[1], quotient_up(g->out[1], band));
    NAME(prepare_shifts)(&phase, 1, band, columns, &made);
    int64_t whole = made.copies * made.rows * made.columns;
    int64_t step = at_least(1, at_most(channels, PLANE_BYTES / (int64_t)sizeof(T) / whole));
    size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
    T *planes = runtime->push((size_t)(step * whole) * sizeof(T) + slack);
    T *turned = runtime->push((size_t)(band * columns * (few ? 1 : width)) * sizeof(T) + slack);
    int64_t *offset = runtime->push((size_t)(step * taps) * sizeof(int64_t));
    symcomp_part block = {.images = 1, .group = group};
    const T *end = gradient + g->batch * g->groups * g->filters * positions;
    int64_t ready = 0; /* rows of the band that `made` and `offset` are for */
    int failed = !planes || !turned || !offset;
    for (int64_t image = first_image; !failed && image < first_image + images; ++image)
        for (int64_t slice = 0; slice < g->out[0]; ++slice)
            for (int64_t row = 0; row < g->out[1]; row += band) {
                int64_t rows = at_most(band, g->out[1] - row), count = rows * columns;
                const T *from = gradient + (image * g->groups + group) * g->filters * positions +
                                (slice * g->out[1] + row) * columns;
                block.first_image = image, block.slice = slice;
                if (rows != ready) {
                    NAME(prepare_shifts)(&phase, 1, rows, columns, &made);
                    int64_t size = made.copies * made.rows * made.columns;
                    for (int64_t p = 0; p < step; ++p)
                        for (int64_t k = 0; k < taps; ++k)
                            offset[p * taps + k] = p * size + made.offset[k];
                    ready = rows;
                }
                if (!few)
                    NAME(turn)(from, end, g->filters, positions, count, width, turned);
                for (int64_t plane = 0; plane < channels * depth; plane += step) {
                    int64_t some = at_most(step, channels * depth - plane);
                    T *to = partial + plane * taps * width;
                    NAME(prepare)(g, SYMCOMP_FORWARD, &side, &phase, &made, x, &block, row,
                                  first_channel * depth + plane, some, planes);
                    if (!few)
                        NAME(gather_planes)(some * taps, made.columns, offset, planes, rows,
                                            columns, turned, width, to);
                    for (int64_t o = 0; few && o < g->filters; ++o) {
                        const T *beside = from + o * positions;
                        if (beside + count + LANES > end) /* whole vectors are read */
                            beside = memcpy(turned, beside, (size_t)count * sizeof(T));
                        NAME(multiply_planes)(some, taps, &made, offset, planes, rows, columns,
                                              beside, to + o, width);
                    }
                }
            }
    runtime->pop(mark);
    return failed;
}
