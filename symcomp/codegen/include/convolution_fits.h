/* In which way a geometry is computed: `direct` asks, the others are told. */

enum {
    /* Winograd's six points in each direction, and the columns of its products that are counted:
     * halves of the longest vectors, which a kernel may end in. */
    POINTS = 6, FACTORS = POINTS * POINTS, UNIT = 32 / (int)sizeof(T),
    FEW_PRODUCTS = 4, /* of channels and filters of a group */
    PAIR_CHANNELS = 16,
    /* Channels on both sides, positions of an image, and of all images, from which products of filters
     * of one tap gain by an algorithm of their own; the gradient of filters from twice as many channels. */
    ONE_TAP_CHANNELS = 128,
    ONE_TAP_AREA = 192,
    ONE_TAP_POSITIONS = 1024,
};

/* Whether filters of taps × taps are computed by Winograd's algorithm in one of the three directions (see
 * convolution_winograd.h); `pack` and `correlate` ask alike. With 5 × 5 taps a third of the products must be saved, though some are made for places
 * and channels that are not there, and every place of the image must be read. */
static int NAME(is_winograd)(const symcomp_geometry *g, int which, int64_t taps) {
    NAME(side) side = NAME(side_of)(g, which == SYMCOMP_INPUT ? which : SYMCOMP_FORWARD);
    const int64_t *tiled = which == SYMCOMP_INPUT && taps == 3 ? g->size : g->out;
    int64_t least = taps == 3 ? 32 : 16, tile = POINTS + 1 - taps, tiles = 1, places = 1;
    int fits = sizeof(T) == 4 && !g->direct && side.channels >= least && side.planes >= least;
    for (int axis = 1; axis <= 2; ++axis) {
        int64_t d = g->dilation[axis], low = g->low[axis];
        fits = fits && g->kernel[axis] == taps && g->stride[axis] == 1 && tiled[axis] >= tile * d;
        if (taps != 3 && which == SYMCOMP_INPUT)
            fits = fits && low >= 0 && g->size[axis] + low <= g->out[axis] + (taps - 1) * d;
        tiles *= d * quotient_up(quotient_up(tiled[axis], d), tile);
        places *= tiled[axis];
    }
    int64_t made = FACTORS * tiles * quotient_up(side.channels, UNIT) * UNIT;
    return fits && (taps == 3 || 3 * made <= 2 * taps * taps * places * side.channels);
}

/* Whether a geometry is computed channel by channel (see convolution_channelwise.h); for filters
 * `which` does not matter. */
static int NAME(is_channelwise)(const symcomp_geometry *g, int which) {
    int64_t columns = which == SYMCOMP_INPUT ? g->size[2] : g->out[2];
    return g->groups > 1 && g->channels * g->filters <= FEW_PRODUCTS && g->size[0] == 1 &&
           g->kernel[0] == 1 && g->out[0] == 1 && g->kernel[1] > 0 && g->kernel[2] > 0 &&
           2 * columns >= LANES && g->stride[2] <= (which == SYMCOMP_INPUT ? 1 : 2) &&
           (which != SYMCOMP_INPUT || g->stride[1] == 1);
}

static int NAME(is_channelwise_filters)(const symcomp_geometry *g) {
    return NAME(is_channelwise)(g, SYMCOMP_FORWARD) && g->kernel[1] == 3 && g->kernel[2] == 3 &&
           g->stride[1] == 1 && g->stride[2] == 1;
}

/* Whether a geometry is made of 2 × 2 taps (see convolution_pairs.h); `pack` and `correlate` ask alike. */
static int NAME(is_pairs)(const symcomp_geometry *g, int which) {
    NAME(side) side = NAME(side_of)(g, which);
    int fits = sizeof(T) == 4 && !g->direct && side.channels >= PAIR_CHANNELS &&
               side.planes >= PAIR_CHANNELS;
    for (int axis = 1; axis <= 2; ++axis)
        fits = fits && g->kernel[axis] == 2 * g->stride[axis] && g->stride[axis] <= 2 &&
               g->dilation[axis] == 1 && side.result[axis] >= 8 * g->stride[axis];
    return fits;
}

/* Whether filters of one tap are all that there is: a product of matrices. */
static int NAME(is_pointwise)(const symcomp_geometry *g) {
    int fits = g->size[0] == 1 && g->out[0] == 1;
    for (int axis = 0; axis < 3; ++axis)
        fits = fits && g->kernel[axis] == 1 && g->stride[axis] == 1 && g->low[axis] == 0 &&
               g->size[axis] == g->out[axis];
    return fits;
}

/* Whether they are products large enough for an algorithm of their own, Winograd's for inner products or
 * Strassen's (see convolution_inner.h and convolution_strassen.h): the latter is made of blocks of 32
 * channels, and some are needed to pay for what is combined. */
static int NAME(is_one_tap)(const symcomp_geometry *g, int which) {
    int64_t least = which == SYMCOMP_FILTERS ? 2 * ONE_TAP_CHANNELS : ONE_TAP_CHANNELS;
    int64_t area = g->size[1] * g->size[2];
    return sizeof(T) == 4 && !g->direct && NAME(is_pointwise)(g) && g->channels % 32 == 0 &&
           g->filters % 32 == 0 && at_most(g->channels, g->filters) >= least && area >= ONE_TAP_AREA &&
           g->batch * area >= ONE_TAP_POSITIONS;
}

/* Whether each place of a result is sent to those that it came from (see convolution_scatter.h), unless it
 * is computed in one of the ways above; `pack` and `correlate` ask alike. */
static int NAME(is_scatter)(const symcomp_geometry *g, int which) {
    int64_t places = g->size[1] * g->size[2], results = g->out[1] * g->out[2];
    return which != SYMCOMP_FORWARD && g->kernel[0] == 1 && g->size[0] == 1 && g->out[0] == 1 &&
           g->stride[1] == 1 && g->stride[2] == 1 && results > 0 && 2 * places > 3 * results;
}
