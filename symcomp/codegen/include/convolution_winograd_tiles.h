/* What tiles are read from: strips, which are rows of planes with channels last; see
 * convolution_winograd.h. */

/* The tiles of one residue of rows, in rows of tiles that go through all residues of columns. */
typedef struct NAME(tiling) {
    int64_t first_row, rows;     /* of the residue: the first of those cut into tiles, and how many */
    int64_t columns;             /* tiles in a row of tiles */
    int64_t *start;              /* the column of each of them */
    int64_t width, result_width; /* of strips: of what tiles meet, and of the tiles */
    int64_t low[2];
} NAME(tiling);

/* Some rows of tiles of some images. */
typedef struct NAME(pass) {
    const symcomp_geometry *g;
    NAME(side) side;
    const NAME(tiling) *t;
    symcomp_part part;
    int64_t row, rows, tiles;
    T *strip; /* room for POINTS rows of what tiles meet */
} NAME(pass);

/* Where the tiles of all rows begin: d residues of columns, each in tiles of its own. */
static void NAME(find_columns)(NAME(tiling) *t, int64_t width, int64_t d) {
    t->columns = 0, t->width = t->result_width = width;
    for (int64_t residue = 0; residue < d; ++residue)
        for (int64_t u = residue; u < width; u += SIDE * d) {
            t->start[t->columns++] = u;
            t->width = at_least(t->width, u + (POINTS - 1) * d + 1);
            t->result_width = at_least(t->result_width, u + (SIDE - 1) * d + 1);
        }
}

/* How many rows of tiles, and images, to take in a pass of about so many tiles: several images only where
 * all their rows fit. */
static void NAME(cut_passes)(const NAME(tiling) *t, int64_t rows, int64_t images, int64_t fitting,
                             int64_t *some_rows, int64_t *some_images) {
    int64_t step = at_least(1, fitting / t->columns), some = at_least(1, step / at_least(1, rows));
    *some_rows = quotient_up(rows, at_least(1, quotient_up(rows, step)));
    *some_images = quotient_up(images, quotient_up(images, some));
}

/* Some rows of some planes into strips one after another, whose first column is column `-low` of the
 * planes; what is left and right of them is zero already. Whole rows are turned together: vectors are
 * longer than small images are wide. */
static void NAME(fill_strips)(const NAME(plane) *planes, int64_t y, int64_t rows, int64_t low, T *to,
                              int64_t width) {
    int64_t skipped = at_least(0, -low), before = at_least(0, low);
    int64_t columns = at_most(planes->width - skipped, width - before);
    if (columns <= 0)
        return;
    if (columns == planes->width && columns == width && y >= 0 && y + rows <= planes->height)
        columns *= rows, rows = 1;
    const T *from[GROUP];
    for (int64_t m = 0; m < GROUP; ++m)
        from[m] = planes[m].data;
    to += before * GROUP;
    for (int64_t end = y + rows; y < end; ++y, to += width * GROUP)
        if (y < 0 || y >= planes->height)
            NAME(zeros)(to, columns * GROUP);
        else
            for (int64_t lane = 0; lane < GROUP; lane += LANES)
                NAME(to_lanes)(from + lane, y * planes->width + skipped, columns, planes->end,
                               to + lane, GROUP);
}

/* A group of planes of one image, those from `first` on that are less than `end`: of what is read forward
 * or with respect to the images; or, with respect to the filters, of the results' gradient. */
static void NAME(find_group)(const NAME(pass) *p, int which, const T *source, int64_t image,
                             int64_t first, int64_t end, NAME(plane) *planes) {
    const symcomp_geometry *g = p->g;
    int64_t per_image = g->groups * g->filters, area = g->out[1] * g->out[2];
    for (int64_t m = 0; m < GROUP; ++m) {
        int64_t plane = at_most(first + m, end - 1);
        if (which == SYMCOMP_FILTERS) {
            int64_t number = image * per_image + p->part.group * g->filters + plane;
            planes[m] = (NAME(plane)){
                source + (number * g->out[0] + p->part.slice) * area,
                source + g->batch * per_image * g->out[0] * area, g->out[1], g->out[2],
            };
        } else
            planes[m] = NAME(find_plane)(g, which, &p->side, source, image, p->part.group,
                                         p->part.slice, plane);
        if (first + m >= end)
            planes[m].data = NULL;
    }
}

/* Whether tiles are read from a gradient; else from what such tiles meet. */
static int NAME(reads_gradient)(int which) {
    return which == SYMCOMP_FILTERS || (which == SYMCOMP_INPUT && SPREADS);
}

/* A group of planes at the points of all tiles: to[factor, tile, plane]; tiles are `pitch` apart. */
static void NAME(transform_group)(const NAME(pass) *p, int which, const T *source, int64_t first,
                                  int64_t end, T *to, int64_t factor, int64_t pitch) {
    const NAME(tiling) *t = p->t;
    const int64_t *d = p->g->dilation + 1;
    int gradient = NAME(reads_gradient)(which), height = gradient ? SIDE : POINTS;
    int64_t width = gradient ? t->result_width : t->width, line = width * GROUP;
    int64_t low[2] = {gradient ? 0 : t->low[0], gradient ? 0 : t->low[1]};
    NAME(zeros)(p->strip, height * line);
    for (int64_t image = 0; image < p->part.images; ++image) {
        NAME(plane) planes[GROUP];
        NAME(find_group)(p, which, source, p->part.first_image + image, first, end, planes);
        for (int64_t r = p->row; r < p->row + p->rows; ++r) {
            T *lines[POINTS];
            int64_t y = t->first_row + d[0] * SIDE * r - low[0], together = gradient && d[0] == 1;
            if (together)
                NAME(fill_strips)(planes, y, SIDE, low[1], p->strip, width);
            for (int64_t i = 0; i < height; ++i) {
                lines[i] = p->strip + (gradient ? i : (SIDE * r + i) % POINTS) * line;
                if (!together && (r == p->row || i >= height - SIDE))
                    NAME(fill_strips)(planes, y + d[0] * i, 1, low[1], lines[i], width);
            }
            for (int64_t u = 0; u < t->columns; ++u, to += pitch)
                for (int64_t lane = 0; lane < GROUP; lane += LANES)
                    if (gradient)
                        NAME(transform_gradient)(lines, t->start[u] * GROUP + lane, d[1] * GROUP,
                                                 to + lane, factor);
                    else
                        NAME(transform_image)(lines, t->start[u] * GROUP + lane, d[1] * GROUP,
                                              to + lane, factor);
        }
    }
}
