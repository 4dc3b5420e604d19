/* What the kernels of a convolution read: the planes of its source, padded, split by stride and laid
 * out so that the positions of one tap are contiguous; see convolution_kernels.h. */

/* ---- prepared planes ------------------------------------------------------------------------ */

/* A plane of the source, NULL for one of zeros, and where the array that holds it ends. */
typedef struct NAME(plane) {
    const T *data, *end;
    int64_t height, width;
} NAME(plane);

static inline void NAME(zeros)(T *to, int64_t n) {
    memset(to, 0, (size_t)n * sizeof(T));
}

/* to[u] = from[step * u] for `first` <= u < `last`, zero before and until `columns`. */
static __attribute__((noinline)) void NAME(fill_slowly)(T *to, int64_t first, int64_t last,
                                                        int64_t columns, const T *from,
                                                        int64_t step) {
    for (int64_t u = 0; u < first; ++u)
        to[u] = 0;
    for (int64_t u = first; u < last; ++u)
        to[u] = from[step * u];
    for (int64_t u = last; u < columns; ++u)
        to[u] = 0;
}

static inline VECTOR NAME(even_lanes)(const T *from) {
    VECTOR a = *(const UNALIGNED *)from, b = *(const UNALIGNED *)(from + LANES);
    return EVEN_LANES(a, b);
}

/* The same in vectors. May write up to a vector too much: what follows is written later, or there
 * is room. `end` is that of the source. */
static inline void NAME(fill_row)(T *to, int64_t first, int64_t last, int64_t columns,
                                  const T *from, const T *end, int64_t step) {
    if (step == 3 || step > 4 || first > LANES || columns - last > LANES ||
        from + step * (last + LANES) > end) {
        NAME(fill_slowly)(to, first, last, columns, from, step);
        return;
    }
    if (first)
        *(UNALIGNED *)to = (VECTOR){0};
    if (step == 1)
        for (int64_t u = first; u < last; u += LANES)
            *(UNALIGNED *)(to + u) = *(const UNALIGNED *)(from + u);
    else if (step == 2)
        for (int64_t u = first; u < last; u += LANES)
            *(UNALIGNED *)(to + u) = NAME(even_lanes)(from + 2 * u);
    else
        for (int64_t u = first; u < last; u += LANES) {
            VECTOR a = NAME(even_lanes)(from + 4 * u);
            VECTOR b = NAME(even_lanes)(from + 4 * u + 2 * LANES);
            *(UNALIGNED *)(to + u) = EVEN_LANES(a, b);
        }
    if (last < columns)
        *(UNALIGNED *)(to + last) = (VECTOR){0};
}

/* Whether rows of whole vectors, `step` apart, lie in a plane, or at least in its array. */
static inline int NAME(is_inside)(const NAME(plane) *plane, int64_t rows, int64_t columns,
                                  int64_t step, int64_t y, int64_t x) {
    int64_t last = y + step * (rows - 1);
    return y >= 0 && last < plane->height && x >= 0 && x + columns <= plane->width &&
           plane->data + last * plane->width + x + columns + LANES <= plane->end;
}

/* to[t, u] = plane[steps[0] * t + y, steps[1] * u + x], zero outside the plane. May write up to a
 * vector too much. */
static void NAME(fill)(T *to, int64_t rows, int64_t columns, const NAME(plane) *plane,
                       const int64_t *steps, int64_t y, int64_t x) {
    if (!plane->data) {
        NAME(zeros)(to, rows * columns);
        return;
    }
    if (plane->width == 1 && columns == 1 && !x && plane->height > 1) { /* a signal */
        NAME(plane) turned = {plane->data, plane->end, 1, plane->height};
        int64_t turned_steps[2] = {1, steps[0]};
        NAME(fill)(to, 1, rows, &turned, turned_steps, 0, y);
        return;
    }
    if (steps[0] == 1 && steps[1] == 1 && !x && columns == plane->width && y >= 0 &&
        y + rows <= plane->height) {
        memcpy(to, plane->data + y * columns, (size_t)(rows * columns) * sizeof(T));
        return;
    }
    if (steps[1] == 1 && NAME(is_inside)(plane, rows, columns, steps[0], y, x)) {
        const T *from = plane->data + y * plane->width + x;
        int64_t step = steps[0] * plane->width, few = columns <= LANES / 2;
        for (int64_t t = 0; few && t < rows; ++t, to += columns, from += step)
            *(NAME(half) *)to = *(const NAME(half) *)from;
        for (int64_t t = 0; !few && t < rows; ++t, to += columns, from += step)
            for (int64_t u = 0; u < columns; u += LANES)
                *(UNALIGNED *)(to + u) = *(const UNALIGNED *)(from + u);
        return;
    }
    int64_t first = x < 0 ? -whole_steps(x, steps[1]) : 0;
    int64_t last = whole_steps(plane->width - 1 - x, steps[1]) + 1;
    first = at_most(first, columns);
    last = at_least(first, at_most(last, columns));
    for (int64_t t = 0; t < rows; ++t, to += columns) {
        int64_t row = steps[0] * t + y;
        if (row < 0 || row >= plane->height)
            NAME(zeros)(to, columns);
        else
            NAME(fill_row)(to, first, last, columns, plane->data + row * plane->width + x,
                           plane->end, steps[1]);
    }
}

/* ---- one phase of a correlation -------------------------------------------------------------- */

/* The positions first + step * t of a result (rows, columns), the taps that meet them, and how
 * those read the source: at steps * t + (y, x). */
typedef struct NAME(phase) {
    int64_t first[2], step[2], steps[2];
    int64_t taps;
    int64_t *tap, *y, *x; /* position in the kernel, and offset in the source */
} NAME(phase);

static void NAME(find_phase)(const symcomp_geometry *g, int which, int64_t number,
                             NAME(phase) *phase) {
    const int64_t *stride = g->stride + 1, *dilation = g->dilation + 1, *low = g->low + 1;
    int forward = which == SYMCOMP_FORWARD;
    phase->first[0] = forward ? 0 : number / stride[1];
    phase->first[1] = forward ? 0 : number % stride[1];
    phase->taps = 0;
    for (int axis = 0; axis < 2; ++axis) {
        phase->step[axis] = forward ? 1 : stride[axis];
        phase->steps[axis] = forward ? stride[axis] : 1;
    }
    for (int64_t ky = 0; ky < g->kernel[1]; ++ky)
        for (int64_t kx = 0; kx < g->kernel[2]; ++kx) {
            int64_t y = dilation[0] * ky - low[0], x = dilation[1] * kx - low[1];
            if (!forward) {
                y = phase->first[0] - y, x = phase->first[1] - x;
                int64_t down = whole_steps(y, stride[0]), right = whole_steps(x, stride[1]);
                if (y != down * stride[0] || x != right * stride[1])
                    continue;
                y = down, x = right;
            }
            phase->tap[phase->taps] = ky * g->kernel[2] + kx;
            phase->y[phase->taps] = y, phase->x[phase->taps++] = x;
        }
}

/* How the planes of a phase are prepared: `copies` of rows × columns for each image, and for each
 * tap the offset of its first position in them. */
typedef struct NAME(prepared) {
    int64_t copies, rows, columns, lanes;
    int64_t *y, *x; /* of each copy */
    int64_t *offset;
} NAME(prepared);

/* Each tap a copy of its own. */
static void NAME(prepare_patches)(const NAME(phase) *p, int64_t images, int64_t rows,
                                  int64_t columns, NAME(prepared) *made) {
    made->copies = p->taps, made->rows = rows, made->columns = columns;
    made->lanes = images * rows * columns;
    for (int64_t k = 0; k < p->taps; ++k) {
        made->y[k] = p->y[k], made->x[k] = p->x[k];
        made->offset[k] = k * made->lanes;
    }
}

/* Taps that differ by whole steps share a copy. */
static void NAME(prepare_shifts)(const NAME(phase) *p, int64_t images, int64_t rows,
                                 int64_t columns, NAME(prepared) *made) {
    int64_t least[2] = {p->y[0], p->x[0]}, longest[2] = {0, 0};
    for (int64_t k = 0; k < p->taps; ++k) {
        least[0] = at_most(least[0], p->y[k]);
        least[1] = at_most(least[1], p->x[k]);
    }
    for (int64_t k = 0; k < p->taps; ++k) {
        longest[0] = at_least(longest[0], whole_steps(p->y[k] - least[0], p->steps[0]));
        longest[1] = at_least(longest[1], whole_steps(p->x[k] - least[1], p->steps[1]));
    }
    made->copies = 0, made->rows = rows + longest[0], made->columns = columns + longest[1];
    int64_t size = images * made->rows * made->columns;
    made->lanes = size - (made->rows - rows) * made->columns - (made->columns - columns);
    for (int64_t k = 0; k < p->taps; ++k) {
        int64_t dy = p->y[k] - least[0], dx = p->x[k] - least[1], copy;
        int64_t down = whole_steps(dy, p->steps[0]), right = whole_steps(dx, p->steps[1]);
        int64_t y = p->y[k] - down * p->steps[0], x = p->x[k] - right * p->steps[1];
        for (copy = 0; copy < made->copies; ++copy)
            if (made->y[copy] == y && made->x[copy] == x)
                break;
        if (copy == made->copies)
            made->y[copy] = y, made->x[copy] = x, ++made->copies;
        made->offset[k] = copy * size + down * made->columns + right;
    }
}

/* Cycles, roughly: half a cycle for a vector of sums, four for one of a copy. */
static double NAME(price)(const NAME(prepared) *made, int64_t taps, int64_t channels,
                          int64_t images) {
    double vectors = (double)(images * made->rows * quotient_up(made->columns, LANES));
    return 0.5 * (double)(channels * taps * quotient_up(made->lanes, LANES)) +
           4.0 * (double)made->copies * vectors;
}

static void NAME(plan)(const NAME(phase) *p, int64_t channels, int64_t images, int64_t rows,
                       int64_t columns, NAME(prepared) *made) {
    NAME(prepare_shifts)(p, images, rows, columns, made);
    double price = NAME(price)(made, p->taps, channels, images);
    NAME(prepare_patches)(p, images, rows, columns, made);
    if (NAME(price)(made, p->taps, channels, images) >= price)
        NAME(prepare_shifts)(p, images, rows, columns, made);
}

/* ---- correlation ----------------------------------------------------------------------------- */

/* What a geometry is from one side: planes in, channels out. */
typedef struct NAME(side) {
    int64_t planes, channels, phases;
    const int64_t *source, *result; /* sizes */
} NAME(side);

static NAME(side) NAME(side_of)(const symcomp_geometry *g, int which) {
    if (which == SYMCOMP_FORWARD)
        return (NAME(side)){g->channels * g->kernel[0], g->filters, 1, g->size, g->out};
    return (NAME(side)){g->filters * g->kernel[0], g->channels, g->stride[1] * g->stride[2],
                        g->out, g->size};
}

static int64_t *NAME(push_phase)(const symcomp_geometry *g, NAME(phase) *phase,
                                 NAME(prepared) *made) {
    int64_t taps = g->kernel[1] * g->kernel[2];
    int64_t *memory = runtime->push((size_t)(6 * taps) * sizeof(int64_t));
    if (!memory)
        return NULL;
    phase->tap = memory, phase->y = memory + taps, phase->x = memory + 2 * taps;
    made->y = memory + 3 * taps, made->x = memory + 4 * taps, made->offset = memory + 5 * taps;
    return memory;
}

/* The plane of the source that a virtual plane is at a slice of the result. */
static inline NAME(plane)
NAME(find_plane)(const symcomp_geometry *g, int which, const NAME(side) *side, const T *source,
                 int64_t image, int64_t group, int64_t slice, int64_t plane) {
    int64_t depth = g->kernel[0], tap = depth == 1 ? 0 : plane % depth;
    int64_t number = depth == 1 ? plane : plane / depth;
    int64_t per_group = which == SYMCOMP_FORWARD ? g->channels : g->filters;
    int64_t area = side->source[1] * side->source[2], at;
    int64_t count = g->batch * g->groups * per_group * side->source[0];
    NAME(plane) found = {NULL, source + count * area, side->source[1], side->source[2]};
    if (which == SYMCOMP_FORWARD) {
        at = slice * g->stride[0] + tap * g->dilation[0] - g->low[0];
    } else {
        at = slice + g->low[0] - tap * g->dilation[0];
        if (g->stride[0] != 1) {
            if (at % g->stride[0])
                return found;
            at /= g->stride[0];
        }
    }
    if (at >= 0 && at < side->source[0]) {
        int64_t channel = (image * g->groups + group) * per_group + number;
        found.data = source + (channel * side->source[0] + at) * area;
    }
    return found;
}

/* Prepares planes [first, first + count) for all images of a block, in ascending order: a row may
 * spill into the next. There must be room for a vector after the last one. */
static void NAME(prepare)(const symcomp_geometry *g, int which, const NAME(side) *side,
                          const NAME(phase) *phase, const NAME(prepared) *made, const T *source,
                          const symcomp_part *block, int64_t row, int64_t first, int64_t count,
                          T *to) {
    int64_t size = made->rows * made->columns;
    for (int64_t plane = first; plane < first + count; ++plane)
        for (int64_t copy = 0; copy < made->copies; ++copy)
            for (int64_t image = 0; image < block->images; ++image, to += size) {
                NAME(plane) from = NAME(find_plane)(g, which, side, source,
                                                    block->first_image + image, block->group,
                                                    block->slice, plane);
                NAME(fill)(to, made->rows, made->columns, &from, phase->steps,
                           made->y[copy] + phase->steps[0] * row, made->x[copy]);
            }
}
