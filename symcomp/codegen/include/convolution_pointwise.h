/* Filters of one tap: a product of matrices for each image, whose planes are read and written where
 * they lie. Only what remains of each plane beside whole vectors is copied, side by side for all
 * images of a block.
 */

enum {
    /* Terms of a sum between two visits to the result. */
    POINTWISE_TERMS = 256,
};

static int NAME(is_pointwise)(const symcomp_geometry *g) {
    int fits = g->size[0] == 1 && g->out[0] == 1;
    for (int axis = 0; axis < 3; ++axis)
        fits = fits && g->kernel[axis] == 1 && g->stride[axis] == 1 && g->low[axis] == 0 &&
               g->size[axis] == g->out[axis];
    return fits;
}

/* target[m * pitch + n] (+)= sum over planes p of packed[m, p] * source[offset[p] + n], for whole
 * vectors n: a column of tiles at a time, whose planes stay in the nearest caches. */
static void NAME(multiply_panels)(int64_t channels, int64_t planes, int64_t terms, const T *packed,
                                  const T *source, const int64_t *offset, int64_t vectors,
                                  T *target, int64_t pitch, int64_t height, int add) {
    for (int64_t v = 0, width; v < vectors; v += width) {
        const T *a = packed;
        width = NAME(widest)(at_most(height, channels), vectors - v);
        for (int64_t m = 0; m < channels; m += height, a += height * planes)
            NAME(tiles)[width][at_most(height, channels - m)](
                terms, a, height, source + v * LANES, offset, target + m * pitch + v * LANES, pitch,
                add);
    }
}

/* `packed` is that of the block's group and first channel. */
static int NAME(correlate_pointwise)(const symcomp_geometry *g, const NAME(side) *side,
                                     const T *source, const T *packed, T *target,
                                     const symcomp_part *block) {
    int64_t area = g->size[1] * g->size[2], start = block->first_row * g->size[2];
    int64_t count = block->rows * g->size[2], whole = count / LANES * LANES, rest = count - whole;
    int64_t planes = side->planes, lanes = quotient_up(rest * block->images, LANES) * LANES;
    int64_t height = sc_panel(side->channels), channels = block->channels;
    T *beside = runtime->push((size_t)((planes + channels) * lanes) * sizeof(T));
    int64_t *offset = runtime->push((size_t)(2 * planes) * sizeof(int64_t));
    if (!beside || !offset) {
        runtime->pop(beside);
        return 1;
    }
    T *sums = beside + planes * lanes;
    for (int64_t p = 0; p < planes; ++p)
        offset[p] = p * area, offset[planes + p] = p * lanes;
    source += (block->first_image * g->groups + block->group) * planes * area + start;
    int64_t from_image = g->groups * planes * area;
    for (int64_t p = 0; rest && p < planes; ++p) {
        T *to = beside + p * lanes;
        for (int64_t image = 0; image < block->images; ++image, to += rest)
            memcpy(to, source + image * from_image + p * area + whole, (size_t)rest * sizeof(T));
        NAME(zeros)(to, lanes - rest * block->images);
    }
    for (int64_t first = 0; first < planes; first += POINTWISE_TERMS) {
        int64_t terms = at_most(POINTWISE_TERMS, planes - first);
        const T *a = packed + first * height;
        for (int64_t image = 0; image < block->images; ++image)
            NAME(multiply_panels)(channels, planes, terms, a, source + image * from_image,
                                  offset + first, whole / LANES, target + image * block->image,
                                  block->channel, height, first > 0);
        NAME(multiply_panels)(channels, planes, terms, a, beside, offset + planes + first,
                              lanes / LANES, sums, lanes, height, first > 0);
    }
    for (int64_t image = 0; rest && image < block->images; ++image)
        for (int64_t m = 0; m < channels; ++m)
            memcpy(target + image * block->image + m * block->channel + whole,
                   sums + m * lanes + image * rest, (size_t)rest * sizeof(T));
    runtime->pop(beside);
    return 0;
}
