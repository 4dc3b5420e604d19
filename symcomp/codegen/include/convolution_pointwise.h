/* Filters of one tap: a product of matrices. The positions of all images of a block lie side by side,
 * and are cut into columns as wide as the widest tile. What a column reads of the planes is brought
 * together before, so that it comes from the nearest cache, and a column may run over the end of an
 * image.
 */

enum {
    /* Terms of a sum between two visits to the result. */
    POINTWISE_TERMS = 256,
    /* Positions of a gradient whose turned values stay in L1. */
    POINTWISE_POSITIONS = 104,
};

/* What is packed is what a sum of any taps reads. */
static int NAME(correlate_pointwise)(const symcomp_geometry *g, int which, const T *source,
                                     const T *packed, T *target, const symcomp_part *block) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t area = g->size[1] * g->size[2], count = block->rows * g->size[2];
    int64_t planes = side.planes, channels = block->channels, all = count * block->images;
    int64_t height = sc_panel(side.channels), most = at_most(POINTWISE_TERMS, planes);
    int64_t rows = quotient_up(side.channels, height) * height;
    packed += (block->group * rows + block->first_channel) * planes;
    int64_t widest = NAME(widest)(at_most(height, channels), quotient_up(all, LANES)), width;
    T *column = runtime->push((size_t)((most + channels) * widest * LANES) * sizeof(T));
    int64_t *offset = runtime->push((size_t)most * sizeof(int64_t));
    if (!column || !offset) {
        runtime->pop(column);
        return 1;
    }
    T *sums = column + most * widest * LANES;
    int64_t first = (block->first_image * g->groups + block->group) * planes * area;
    NAME(stack) from = {(T *)source + first + block->first_row * g->size[2],
                        g->groups * planes * area, area, count};
    NAME(stack) to = {target, block->image, block->channel, count};
    for (int64_t start = 0; start < all; start += width) {
        int64_t vectors = NAME(widest)(at_most(height, channels), quotient_up(all - start, LANES));
        width = vectors * LANES;
        int64_t some = at_most(width, all - start);
        int whole = start % count + width <= count;
        T *c = whole ? target + start / count * block->image + start % count : sums;
        int64_t pitch = whole ? block->channel : width;
        for (int64_t k = 0; k < most; ++k)
            offset[k] = k * width;
        for (int64_t plane = 0; plane < planes; plane += most) {
            int64_t terms = at_most(most, planes - plane);
            const T *a = packed + plane * height;
            NAME(stack) here = from;
            here.data += plane * area;
            if (some < width)
                NAME(zeros)(column, terms * width);
            NAME(copy_column)(&here, terms, start, some, column, width, 0);
            for (int64_t m = 0; m < channels; m += height, a += height * planes)
                LENT->tile(vectors, at_most(height, channels - m), terms, a, height, column, offset,
                           c + m * pitch, pitch, plane > 0);
        }
        if (!whole)
            NAME(copy_column)(&to, channels, start, some, sums, width, 1);
    }
    runtime->pop(column);
    return 0;
}

/* partial[c, o]: the smaller of both images is turned. */
static int NAME(filters_pointwise)(const symcomp_geometry *g, const T *x, const T *gradient,
                                   T *partial, int64_t first_image, int64_t images, int64_t group,
                                   int64_t first_channel, int64_t channels) {
    int64_t area = g->size[1] * g->size[2], width = NAME(padded_filters)(g);
    int turns_x = channels < g->filters;
    int64_t lanes = turns_x ? channels : g->filters, rows = turns_x ? g->filters : channels;
    int64_t pitch = turns_x ? quotient_up(lanes, LANES) * LANES : width;
    int64_t band = quotient_up(area, at_least(1, quotient_up(area, POINTWISE_POSITIONS)));
    T *turned = runtime->push((size_t)(band * pitch) * sizeof(T));
    int64_t *offset = runtime->push((size_t)rows * sizeof(int64_t));
    T *sums = turns_x ? runtime->push((size_t)(rows * pitch) * sizeof(T)) : partial;
    if (!turned || !offset || !sums) {
        runtime->pop(turned);
        return 1;
    }
    for (int64_t n = 0; n < rows; ++n)
        offset[n] = n * area;
    NAME(zeros)(sums, rows * pitch);
    for (int64_t image = first_image; image < first_image + images; ++image)
        for (int64_t at = 0, count; at < area; at += count) {
            count = at_most(band, area - at);
            int64_t number = image * g->groups + group;
            const T *planes = x + (number * g->channels + first_channel) * area + at;
            const T *beside = gradient + number * g->filters * area + at;
            const T *other = turns_x ? planes : beside;
            LENT->turn(other, other - at + lanes * area, lanes, area, count, pitch, turned);
            LENT->gather_planes(rows, 0, offset, turns_x ? beside : planes, 1, count, turned, pitch,
                                sums);
        }
    if (turns_x)
        NAME(turn_sums)(sums, pitch, g->filters, channels, sums + rows * pitch, partial, width);
    runtime->pop(turned);
    return 0;
}
