/* The gradient with respect to 3 × 3 filters by Winograd's F(3 × 3, 4 × 4): a tile of 4 × 4 places of
 * the result's gradient meets 6 × 6 of the image, and the products are the values of both at the same
 * points as forward; see convolution_winograd.h. They are added up over all tiles before what is
 * left to do, A' m A, is done once.
 */

static int NAME(is_winograd_filters)(const symcomp_geometry *g) {
    return sizeof(T) == 4 && g->kernel[1] == 3 && g->kernel[2] == 3 && g->stride[1] == 1 &&
           g->stride[2] == 1 && g->channels * g->kernel[0] >= LEAST_CHANNELS &&
           g->filters >= LEAST_CHANNELS && g->out[1] >= SIDE * g->dilation[1] &&
           g->out[2] >= SIDE * g->dilation[2];
}

/* G w G' of one tile of a gradient, for a vector of filters. */
static void NAME(transform_gradient)(T *const *line, int64_t column, int64_t step, T *to,
                                     int64_t factor) {
    VECTOR half[POINTS][SIDE];
#pragma GCC unroll 4
    for (int j = 0; j < SIDE; ++j) {
        VECTOR x[SIDE], y[POINTS];
#pragma GCC unroll 4
        for (int i = 0; i < SIDE; ++i)
            x[i] = *(const VECTOR *)(line[i] + column + j * step);
        NAME(spread)(SIDE, x, y);
#pragma GCC unroll 6
        for (int i = 0; i < POINTS; ++i)
            half[i][j] = y[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < POINTS; ++i) {
        VECTOR y[POINTS];
        NAME(spread)(SIDE, half[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < POINTS; ++j, to += factor)
            *(VECTOR *)to = y[j];
    }
}

/* A' m A of one channel: the nine taps, for a vector of filters. */
static void NAME(finish_filters)(const T *sums, int64_t factor, T *to, int64_t step) {
    VECTOR half[3][POINTS];
#pragma GCC unroll 6
    for (int j = 0; j < POINTS; ++j) {
        VECTOR m[POINTS], y[3];
#pragma GCC unroll 6
        for (int i = 0; i < POINTS; ++i)
            m[i] = *(const VECTOR *)(sums + (i * POINTS + j) * factor);
        NAME(interpolate)(3, m, y);
#pragma GCC unroll 3
        for (int i = 0; i < 3; ++i)
            half[i][j] = y[i];
    }
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) {
        VECTOR y[3];
        NAME(interpolate)(3, half[i], y);
#pragma GCC unroll 3
        for (int j = 0; j < 3; ++j, to += step)
            *(VECTOR *)to = y[j];
    }
}

/* Some rows of tiles of some images' gradient, transformed, for a group of filters:
 * to[factor, tile, `width` filters]. */
static void NAME(transform_gradients)(const symcomp_geometry *g, const NAME(tiling) *t,
                                      const T *gradient, const symcomp_part *part, int64_t first,
                                      int64_t row, int64_t rows, T *strip, T *to, int64_t factor,
                                      int64_t width) {
    int64_t line = t->result_width * GROUP, area = g->out[1] * g->out[2];
    const T *end = gradient + g->batch * g->groups * g->filters * g->out[0] * area;
    const int64_t *d = g->dilation + 1;
    NAME(zeros)(strip, SIDE * line);
    for (int64_t image = 0; image < part->images; ++image) {
        NAME(plane) planes[GROUP];
        for (int64_t m = 0; m < GROUP; ++m) {
            int64_t filter = (part->first_image + image) * g->groups + part->group;
            filter = filter * g->filters + first + m;
            planes[m] = (NAME(plane)){NULL, end, g->out[1], g->out[2]};
            if (first + m < g->filters)
                planes[m].data = gradient + (filter * g->out[0] + part->slice) * area;
        }
        for (int64_t r = row; r < row + rows; ++r) {
            T *lines[SIDE];
            for (int64_t i = 0; i < SIDE; ++i) {
                lines[i] = strip + i * line;
                NAME(fill_strip)(planes, t->first_row + d[0] * (SIDE * r + i), 0, lines[i],
                                 t->result_width);
            }
            for (int64_t u = 0; u < t->columns; ++u, to += width)
                for (int64_t lane = 0; lane < GROUP; lane += LANES)
                    NAME(transform_gradient)(lines, t->start[u] * GROUP + lane, d[1] * GROUP,
                                             to + lane, factor);
        }
    }
}

/* What all passes of a task share. */
typedef struct NAME(filters_task) {
    const T *x, *gradient;
    int64_t first, planes; /* of x */
    int64_t most;          /* tiles in a pass */
    int single;            /* all in one pass: sums of one chunk are kept at a time */
    T *sums, *partial;
} NAME(filters_task);

/* The sums of a chunk of filters: [factor, plane, filter]. */
static int64_t NAME(sums_factor)(const NAME(filters_task) *task, int64_t width) {
    return (at_least(task->planes, LEAST_HIGH) * width / GROUP | 1) * GROUP;
}

/* Adds some rows of tiles of some images to the sums; after the last pass they are finished. */
static int NAME(add_tiles)(const symcomp_geometry *g, const NAME(filters_task) *task,
                           const NAME(tiling) *t, const symcomp_part *part, int64_t row,
                           int64_t rows, int begun, int last) {
    NAME(side) side = NAME(side_of)(g, SYMCOMP_FORWARD);
    int64_t tiles = part->images * rows * t->columns, planes = task->planes;
    int64_t all = quotient_up(g->filters, GROUP), most = at_most(CHUNK, all) * GROUP;
    int64_t factor = (quotient_up(planes, GROUP) * tiles | 1) * GROUP;
    int64_t beside = (most / GROUP * tiles | 1) * GROUP;
    T *transformed = runtime->push((size_t)(FACTORS * factor) * sizeof(T));
    T *turned = runtime->push((size_t)(FACTORS * beside) * sizeof(T));
    T *strip = runtime->push((size_t)(POINTS * t->width * GROUP) * sizeof(T));
    int64_t *offset = runtime->push((size_t)(planes + LEAST_HIGH) * sizeof(int64_t));
    if (!transformed || !turned || !strip || !offset) {
        runtime->pop(transformed);
        return 1;
    }
    for (int64_t n = 0; n < planes + LEAST_HIGH; ++n) {
        int64_t plane = at_most(n, planes - 1);
        offset[n] = plane / GROUP * tiles * GROUP + plane % GROUP;
    }
    NAME(transform_images)(g, SYMCOMP_FORWARD, &side, t, task->x, part, task->first, planes, row,
                           rows, strip, transformed, factor);
    T *sums = task->sums;
    for (int64_t start = 0; start < all; start += CHUNK) {
        int64_t some = at_most(CHUNK, all - start), width = some * GROUP;
        int64_t step = NAME(sums_factor)(task, width);
        for (int64_t k = 0; k < some; ++k)
            NAME(transform_gradients)(g, t, task->gradient, part, (start + k) * GROUP, row, rows,
                                      strip, turned + k * GROUP, beside, width);
        for (int64_t f = 0; f < FACTORS; ++f)
            NAME(multiply)(planes, width, 1, tiles, transformed + f * factor, offset, 0, GROUP,
                           turned + f * beside, 0, width, sums + f * step, width, begun);
        if (last)
            for (int64_t p = 0; p < planes; ++p)
                for (int64_t lane = 0; lane < width; lane += LANES)
                    NAME(finish_filters)(sums + p * width + lane, step,
                                         task->partial + p * 9 * all * GROUP + start * GROUP + lane,
                                         all * GROUP);
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
        NAME(zeros)(partial, channels * depth * 9 * all * GROUP);
        return 0;
    }
    NAME(tiling) t = {.low = {g->low[1], g->low[2]}};
    t.start = runtime->push((size_t)(g->out[2] + d[1]) * sizeof(int64_t));
    if (!t.start)
        return 1;
    NAME(find_columns)(&t, g->out[2], d[1]);
    int64_t highest = quotient_up(quotient_up(g->out[1], d[0]), SIDE);
    task.single = d[0] == 1 && g->out[0] == 1 && images * highest * t.columns <= MOST_TILES;
    int64_t kept = task.single ? at_most(CHUNK, all) : quotient_up(all, CHUNK) * CHUNK;
    kept = quotient_up(kept, CHUNK) * FACTORS * NAME(sums_factor)(&task, CHUNK * GROUP);
    task.sums = runtime->push((size_t)kept * sizeof(T));
    int failed = !task.sums, begun = 0;
    int64_t fitting = task.single ? MOST_TILES : FILTERS_TILES;
    for (int64_t slice = 0; slice < g->out[0]; ++slice)
        for (int64_t residue = 0; residue < d[0]; ++residue) {
            t.first_row = residue, t.rows = quotient_up(g->out[1] - residue, d[0]);
            int64_t rows = quotient_up(t.rows, SIDE), step = at_least(1, fitting / t.columns);
            int64_t some = at_least(1, step / rows);
            step = quotient_up(rows, quotient_up(rows, step));
            some = quotient_up(images, quotient_up(images, some));
            for (int64_t image = 0; image < images; image += some)
                for (int64_t row = 0; !failed && row < rows; row += step) {
                    symcomp_part part = {.first_image = first_image + image, .group = group,
                                         .images = at_most(some, images - image), .slice = slice};
                    int last = slice == g->out[0] - 1 && residue == d[0] - 1 &&
                               image + some >= images && row + step >= rows;
                    failed = NAME(add_tiles)(g, &task, &t, &part, row, at_most(step, rows - row),
                                             begun, last);
                    begun = 1;
                }
        }
    runtime->pop(t.start);
    return failed;
}
