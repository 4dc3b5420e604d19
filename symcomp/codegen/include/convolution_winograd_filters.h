/* The gradient with respect to filters by Winograd's algorithm: a tile of the result's gradient meets
 * 6 × 6 places of the image, and the products are the values of both at the same points as forward; see
 * convolution_winograd.h. They are added up over all tiles before what is left to do is done once.
 */

/* What all passes of a task share. */
typedef struct NAME(filters_task) {
    const T *x, *gradient;
    int64_t first, planes; /* of x */
    int single;            /* all in one pass: sums of one chunk are kept at a time */
    T *sums, *partial;
} NAME(filters_task);

/* The sums of a chunk of filters: [factor, plane, filter]. */
static int64_t NAME(sums_factor)(const NAME(filters_task) *task, int64_t width) {
    return (NAME(rows_made)(task->planes) * width / GROUP | 1) * GROUP;
}

/* Adds some rows of tiles of some images to the sums; after the last pass they are finished. */
static int NAME(add_tiles)(const NAME(pass) *p, const NAME(filters_task) *task, int begun,
                           int last) {
    int64_t tiles = p->tiles, planes = task->planes, filters = p->g->filters;
    int64_t groups = quotient_up(planes, GROUP), all = quotient_up(filters, GROUP);
    int64_t factor = (groups * tiles | 1) * GROUP;
    int64_t beside = (at_most(CHUNK, all) * tiles | 1) * GROUP;
    T *transformed = runtime->push((size_t)(FACTORS * factor) * sizeof(T));
    T *turned = runtime->push((size_t)(FACTORS * beside) * sizeof(T));
    int64_t *offset = runtime->push((size_t)(planes + LEAST_HIGH) * sizeof(int64_t));
    if (!transformed || !turned || !offset) {
        runtime->pop(transformed);
        return 1;
    }
    for (int64_t n = 0; n < planes + LEAST_HIGH; ++n) {
        int64_t plane = at_most(n, planes - 1);
        offset[n] = plane / GROUP * tiles * GROUP + plane % GROUP;
    }
    for (int64_t k = 0; k < groups; ++k)
        NAME(transform_group)(p, SYMCOMP_FORWARD, task->x, task->first + k * GROUP,
                              task->first + planes, transformed + k * tiles * GROUP, factor, GROUP);
    T *sums = task->sums;
    for (int64_t start = 0; start < all; start += CHUNK) {
        int64_t some = at_most(CHUNK, all - start), width = some * GROUP;
        int64_t wanted = at_most(width, filters - start * GROUP);
        int64_t step = NAME(sums_factor)(task, width);
        for (int64_t k = 0; k < some; ++k)
            NAME(transform_group)(p, SYMCOMP_FILTERS, task->gradient, (start + k) * GROUP, filters,
                                  turned + k * GROUP, beside, width);
        for (int64_t f = 0; f < FACTORS; ++f)
            NAME(multiply)(planes, wanted, tiles, tiles, transformed + f * factor, offset, 0, GROUP,
                           turned + f * beside, 0, width, sums + f * step, width, begun);
        for (int64_t n = 0; last && n < planes; ++n)
            for (int64_t lane = 0; lane < width; lane += LANES)
                NAME(transform_sums_of_taps)(
                    sums + n * width + lane, step,
                    task->partial + (n * AREA * all + start) * GROUP + lane, all * GROUP);
        if (!task->single)
            sums += FACTORS * step;
    }
    runtime->pop(transformed);
    return 0;
}

static int NAME(filters_winograd)(const symcomp_geometry *g, const T *x, const T *gradient,
                                  T *partial, int64_t first_image, int64_t images, int64_t group,
                                  int64_t first_channel, int64_t channels) {
    const int64_t *d = g->dilation + 1;
    int64_t depth = g->kernel[0], all = quotient_up(g->filters, GROUP);
    NAME(filters_task) task = {
        .x = x, .gradient = gradient, .partial = partial,
        .first = first_channel * depth, .planes = channels * depth,
    };
    if (!images || !channels || !g->out[0]) {
        NAME(zeros)(partial, channels * depth * AREA * all * GROUP);
        return 0;
    }
    NAME(tiling) t = {.low = {g->low[1], g->low[2]}};
    NAME(pass) pass = {.g = g, .side = NAME(side_of)(g, SYMCOMP_FORWARD), .t = &t};
    t.start = runtime->push((size_t)(g->out[2] + d[1]) * sizeof(int64_t));
    if (!t.start)
        return 1;
    NAME(find_columns)(&t, g->out[2], d[1]);
    int64_t highest = quotient_up(quotient_up(g->out[1], d[0]), SIDE);
    task.single = d[0] == 1 && g->out[0] == 1 && images * highest * t.columns <= MOST_TILES;
    int64_t kept = task.single ? at_most(CHUNK, all) : quotient_up(all, CHUNK) * CHUNK;
    kept = quotient_up(kept, CHUNK) * FACTORS * NAME(sums_factor)(&task, CHUNK * GROUP);
    task.sums = runtime->push((size_t)kept * sizeof(T));
    pass.strip = runtime->push((size_t)(POINTS * t.width * GROUP) * sizeof(T));
    int failed = !task.sums || !pass.strip, begun = 0;
    /* Of the last filters' lanes the products may leave half; they are written with the others. */
    if (!failed && quotient_up(g->filters, UNIT) * UNIT < all * GROUP)
        NAME(zeros)(task.sums, kept);
    int64_t fitting = task.single ? MOST_TILES : FILTERS_TILES;
    for (int64_t slice = 0; slice < g->out[0]; ++slice)
        for (int64_t residue = 0; residue < d[0]; ++residue) {
            t.first_row = residue, t.rows = quotient_up(g->out[1] - residue, d[0]);
            int64_t rows = quotient_up(t.rows, SIDE), step, some;
            NAME(cut_passes)(&t, rows, images, fitting, &step, &some);
            for (int64_t image = 0; image < images; image += some)
                for (int64_t row = 0; !failed && row < rows; row += step) {
                    pass.part = (symcomp_part){
                        .first_image = first_image + image, .group = group,
                        .images = at_most(some, images - image), .slice = slice,
                    };
                    pass.row = row, pass.rows = at_most(step, rows - row);
                    pass.tiles = pass.part.images * pass.rows * t.columns;
                    int last = slice == g->out[0] - 1 && residue == d[0] - 1 &&
                               image + some >= images && row + step >= rows;
                    failed = NAME(add_tiles)(&pass, &task, begun, last);
                    begun = 1;
                }
        }
    runtime->pop(t.start);
    return failed;
}
