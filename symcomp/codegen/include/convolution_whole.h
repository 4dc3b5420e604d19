/* Whole results on all cores, where nothing else is to be done to a block while it is hot: cut as
 * codegen/convolutions.py cuts those that are finished block by block. Results do not depend on who does
 * which task. */

enum {
    PIECE = 1 << 19, /* work that is worth handing out, in elements of a map */
    PACKING = 16,    /* what it takes to pack an element, in those of a map */
};

typedef struct NAME(job) {
    const symcomp_geometry *geometry;
    int which;
    const T *source, *other; /* the images, say, and the filters or the gradient */
    T *packed, *target;
    int64_t channels, size[3]; /* of the result */
    int64_t images, rows, some; /* of a block */
    int64_t chunks, blocks; /* into which images and channels are cut for a gradient of filters */
    int failed;
} NAME(job);

/* n % count, and n becomes n / count: at once where that is 1, as it mostly is. */
static inline int64_t NAME(split)(int64_t *n, int64_t count) {
    int64_t rest = count == 1 ? 0 : *n % count;
    *n = count == 1 ? *n : *n / count;
    return rest;
}

/* Does tasks that take so much work each. */
static void NAME(share_out)(symcomp_body body, NAME(job) *job, int64_t tasks, int64_t work) {
    runtime->parallel(body, job, tasks, at_least(1, PIECE / at_least(1, work)));
}

static void NAME(pack_panels)(void *context, int64_t begin, int64_t end) {
    NAME(job) *job = context;
    if (NAME(pack)(job->geometry, job->which, job->other, job->packed, begin, end))
        job->failed = 1;
}

/* Tasks are images, groups, slices, parts of the channels and bands of rows, the last ones first. */
static void NAME(correlate_blocks)(void *context, int64_t begin, int64_t end) {
    NAME(job) *job = context;
    const symcomp_geometry *g = job->geometry;
    int64_t bands = quotient_up(job->size[1], job->rows), width = job->size[2];
    int64_t parts = quotient_up(job->channels, job->some), area = job->size[1] * width;
    int64_t each = job->size[0] * area;
    for (int64_t task = begin; task < end; ++task) {
        int64_t rest = task, row = NAME(split)(&rest, bands) * job->rows;
        int64_t channel = NAME(split)(&rest, parts) * job->some;
        int64_t slice = NAME(split)(&rest, job->size[0]), group = NAME(split)(&rest, g->groups);
        int64_t image = rest * job->images;
        symcomp_part block = {
            image, at_most(job->images, g->batch - image), group, channel,
            at_most(job->some, job->channels - channel), slice, row,
            at_most(job->rows, job->size[1] - row), g->groups * job->channels * each, each,
        };
        int64_t plane = (image * g->groups + group) * job->channels + channel;
        if (NAME(correlate)(g, job->which, job->source, job->packed,
                            job->target + plane * each + slice * area + row * width, &block))
            job->failed = 1;
    }
}

static int NAME(convolve)(const symcomp_geometry *g, int which, const T *source, const T *weights,
                          T *packed, T *target, int64_t fewest) {
    NAME(side) side = NAME(side_of)(g, which);
    const int64_t *size = side.result;
    int64_t channels = side.channels, area = size[1] * size[2], others = g->groups * size[0];
    int64_t terms = side.planes * g->kernel[1] * g->kernel[2];
    NAME(job) job = {g, which, source, weights, packed, target, channels, {size[0], size[1], size[2]}};
    NAME(share_out)(NAME(pack_panels), &job, g->groups * quotient_up(channels, SC_PANEL),
                    SC_PANEL * PACKING * terms);
    job.images = sc_block_images(g->batch, others, area, channels, fewest);
    job.rows = sc_block_rows(g->batch * others, size[1], size[2], channels, fewest);
    int64_t places = quotient_up(g->batch, job.images) * others * quotient_up(size[1], job.rows);
    job.some = sc_block_channels(places, channels, fewest);
    NAME(share_out)(NAME(correlate_blocks), &job, places * quotient_up(channels, job.some),
                    job.images * job.rows * size[2] * job.some * terms);
    return job.failed;
}

/* Tasks are chunks of images, groups and blocks of channels. */
static void NAME(sum_parts)(void *context, int64_t begin, int64_t end) {
    NAME(job) *job = context;
    const symcomp_geometry *g = job->geometry;
    int64_t each = quotient_up(g->batch, job->chunks), some = quotient_up(g->channels, job->blocks);
    int64_t taps = g->kernel[0] * g->kernel[1] * g->kernel[2], width = NAME(padded_filters)(g);
    for (int64_t task = begin; task < end; ++task) {
        int64_t number = task, channel = NAME(split)(&number, job->blocks) * some;
        int64_t chunk = number, group = NAME(split)(&chunk, g->groups), image = chunk * each;
        if (NAME(filters)(g, job->source, job->other,
                          job->target + (number * g->channels + channel) * taps * width, image,
                          at_least(0, at_most(each, g->batch - image)), group, channel,
                          at_least(0, at_most(some, g->channels - channel))))
            job->failed = 1;
    }
}

static int NAME(sum_filters)(const symcomp_geometry *g, const T *x, const T *gradient, T *partial,
                             int64_t chunks, int64_t blocks) {
    NAME(job) job = {g, SYMCOMP_FILTERS, x, gradient, .target = partial, .chunks = chunks, .blocks = blocks};
    NAME(share_out)(NAME(sum_parts), &job, chunks * g->groups * blocks, PIECE);
    return job.failed;
}

static int NAME(add_up)(const symcomp_geometry *g, const T *partial, T *tile, int64_t chunks,
                        int64_t group, int64_t first_filter, int64_t first_column, int64_t columns,
                        int64_t line) {
    enum { STRETCH = PADDING / (int)sizeof(T) };
    int64_t all = g->channels * g->kernel[0] * g->kernel[1] * g->kernel[2];
    int64_t width = NAME(padded_filters)(g), chunk = g->groups * all * width;
    VECTOR sums[LANES][STRETCH / LANES];
    partial += (group * all + first_column) * width + first_filter;
    for (int64_t k = 0; k < columns; k += LANES) {
        const T *lines[LANES] = {NULL};
        for (int64_t m = 0; m < at_most(LANES, columns - k); ++m) {
            const T *part = partial + (k + m) * width;
            memcpy(sums[m], part, sizeof sums[m]);
            for (int64_t n = 1; n < chunks; ++n)
                for (int64_t v = 0; v < STRETCH / LANES; ++v)
                    sums[m][v] += ((const VECTOR *)(part + n * chunk))[v];
            lines[m] = (const T *)sums[m];
        }
        NAME(to_lanes)(lines, 0, STRETCH, (const T *)(sums + LANES), tile + k, line);
    }
    return 0;
}
