/* The gradient with respect to images that are much larger than the result, as small images without
 * padding are: each place of the result sends its products to the places that it came from.
 *
 * To gather at every place of the image would multiply many zeros. Here the sums over the filters
 * are made for all taps, at the places of the result only, and each tap's are added to a few
 * channels of the image, shifted. A channel is always the work of one task, tap after tap: the
 * order of additions is fixed.
 */

/* packed[group, panel, tap, filter, row] */
static int NAME(pack_scatter)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                              int64_t begin, int64_t end) {
    int64_t height = sc_panel(g->channels), panels = quotient_up(g->channels, height);
    int64_t taps = g->kernel[1] * g->kernel[2];
    for (int64_t number = begin; number < end; ++number) {
        int64_t group = number / panels, first = number % panels * height;
        int64_t rows = at_most(height, g->channels - first);
        T *to = packed + number * taps * g->filters * height;
        for (int64_t filter = 0; filter < g->filters; ++filter) {
            const T *from = weights + ((group * g->filters + filter) * g->channels + first) * taps;
            for (int64_t m = 0; m < rows; ++m)
                for (int64_t k = 0; k < taps; ++k)
                    to[(k * g->filters + filter) * height + m] = from[m * taps + k];
        }
    }
    return 0;
}

/* Rows of n added to others, of both of which it is said how far they are apart. */
static void NAME(add_rows)(T *to, int64_t to_pitch, const T *from, int64_t pitch, int64_t rows,
                           int64_t n) {
    int64_t u = 0;
    for (; u + LANES <= n; u += LANES)
        for (int64_t t = 0; t < rows; ++t)
            *(UNALIGNED *)(to + t * to_pitch + u) += *(const UNALIGNED *)(from + t * pitch + u);
    for (; u + LANES / 2 <= n; u += LANES / 2)
        for (int64_t t = 0; t < rows; ++t)
            *(NAME(half) *)(to + t * to_pitch + u) += *(const NAME(half) *)(from + t * pitch + u);
    for (int64_t t = 0; u < n && t < rows; ++t)
        for (int64_t v = u; v < n; ++v)
            to[t * to_pitch + v] += from[t * pitch + v];
}

static int NAME(correlate_scatter)(const symcomp_geometry *g, int which, const T *gradient,
                                   const T *packed, T *target, const symcomp_part *block) {
    const int64_t *d = g->dilation + 1, *low = g->low + 1, *kernel = g->kernel + 1;
    int64_t height = sc_panel(g->channels), panels = quotient_up(g->channels, height);
    int64_t taps = kernel[0] * kernel[1], width = g->size[2], columns = g->out[2];
    /* The rows of the result that meet the block's. */
    int64_t first = at_least(0, block->first_row + low[0] - d[0] * (kernel[0] - 1));
    int64_t rows = at_most(g->out[1], block->first_row + block->rows + low[0]) - first;
    int64_t size = at_least(0, rows) * columns, lanes = block->images * size;
    int64_t pitch = quotient_up(lanes, LANES) * LANES, area = block->rows * width;
    size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
    T *source = runtime->push((size_t)(g->filters * lanes) * sizeof(T) + slack);
    T *sums = runtime->push((size_t)(height * pitch) * sizeof(T));
    int64_t *offset = runtime->push((size_t)g->filters * sizeof(int64_t));
    if (!source || !sums || !offset) {
        runtime->pop(source);
        return 1;
    }
    for (int64_t filter = 0; filter < g->filters; ++filter) {
        offset[filter] = filter * lanes;
        for (int64_t image = 0; size > 0 && image < block->images; ++image) {
            int64_t number = (block->first_image + image) * g->groups + block->group;
            memcpy(source + filter * lanes + image * size,
                   gradient + ((number * g->filters + filter) * g->out[1] + first) * columns,
                   (size_t)size * sizeof(T));
        }
    }
    packed += (block->group * panels * height + block->first_channel) * taps * g->filters;
    for (int64_t m = 0; m < block->channels; m += height) {
        int64_t count = at_most(height, block->channels - m), vectors = pitch / LANES, wide;
        T *to = target + m * block->channel;
        for (int64_t image = 0; image < block->images; ++image)
            for (int64_t c = 0; c < count; ++c)
                NAME(zeros)(to + image * block->image + c * block->channel, area);
        for (int64_t k = 0; size > 0 && k < taps; ++k) {
            const T *a = packed + (m * taps + k * height) * g->filters;
            int64_t down = d[0] * (k / kernel[1]) - low[0] + first - block->first_row;
            int64_t right = d[1] * (k % kernel[1]) - low[1];
            int64_t begin = at_least(0, -down), end = at_most(rows, block->rows - down);
            int64_t left = at_least(0, -right), length = at_most(columns, width - right) - left;
            if (begin >= end || length <= 0)
                continue;
            for (int64_t v = 0; v < vectors; v += wide) {
                wide = NAME(widest)(count, vectors - v);
                LENT->tile(wide, count, g->filters, a, height, source + v * LANES, offset,
                           sums + v * LANES, pitch, 0);
            }
            for (int64_t c = 0; c < count; ++c)
                for (int64_t image = 0; image < block->images; ++image) {
                    T *place = to + image * block->image + c * block->channel + right + left;
                    const T *from = sums + c * pitch + image * size + left;
                    NAME(add_rows)(place + (begin + down) * width, width, from + begin * columns,
                                   columns, end - begin, length);
                }
        }
    }
    runtime->pop(source);
    return 0;
}
