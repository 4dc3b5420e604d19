/* The kernels of convolution.c, for one type, T; see convolution.h.
 *
 * The kernel is `tile`: rows of the result (filters) by vectors of neighbouring positions, with all
 * sums in registers. What it reads are *prepared planes*: copies of the source in which the
 * positions of one tap are contiguous. Either the taps are shifts within one copy of the plane
 * (padded, and split by stride), whose rows are then wider than the result's, so that some sums are
 * wasted; or each tap has a copy of its own, compact over rows and images. `plan` takes what costs
 * less.
 */

typedef T NAME(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef T NAME(unaligned) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
#define VECTOR NAME(vector)
#define UNALIGNED NAME(unaligned)
/* The lanes of a vector where a mask is set, else 0. */
#define KEPT(x, lanes) ((VECTOR)((NAME(mask))(x) & (lanes)))
#define LANES ((int64_t)(VECTOR_BYTES / sizeof(T)))

/* Which lanes of two vectors a shuffle takes: the even ones; their lower, or upper, halves woven. */
typedef INTEGER NAME(mask) __attribute__((vector_size(VECTOR_BYTES)));

static inline NAME(mask) NAME(even)(void) {
    NAME(mask) lanes = {0};
#pragma GCC unroll 16
    for (int64_t n = 0; n < LANES; ++n)
        lanes[n] = 2 * n;
    return lanes;
}

static inline NAME(mask) NAME(woven)(int64_t first) {
    NAME(mask) lanes = {0};
#pragma GCC unroll 16
    for (int64_t n = 0; n < LANES; ++n)
        lanes[n] = first + n / 2 + n % 2 * LANES;
    return lanes;
}

/* ---- kernels -------------------------------------------------------------------------------- */

/* c[m, n] (+)= sum over k of a[k, m] * b[offset[k] + n], for rows m and whole vectors n. */
static inline __attribute__((always_inline)) void
NAME(tile)(const int rows, const int vectors, int64_t terms, const T *a, int64_t a_step, const T *b,
           const int64_t *offset, T *c, int64_t c_step, int add) {
    VECTOR sum[MOST_ROWS][MOST_VECTORS];
#pragma GCC unroll 8
    for (int m = 0; m < rows; ++m)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            sum[m][v] = (VECTOR){0};
    for (int64_t k = 0; k < terms; ++k, a += a_step) {
        const T *place = b + offset[k];
        VECTOR x[MOST_VECTORS];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            x[v] = *(const UNALIGNED *)(place + v * LANES);
#pragma GCC unroll 8
        for (int m = 0; m < rows; ++m) {
            VECTOR weight = a[m] - (VECTOR){0};
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v)
                sum[m][v] += weight * x[v];
        }
    }
#pragma GCC unroll 8
    for (int m = 0; m < rows; ++m)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) {
            UNALIGNED *to = (UNALIGNED *)(c + m * c_step + v * LANES);
            if (add)
                sum[m][v] += *to;
            *to = sum[m][v];
        }
}

/* c[m, n] += sum over rows y and columns u of a[offset[m] + y * a_pitch + u] * b[y, u, n]. */
static inline __attribute__((always_inline)) void
NAME(gather)(const int rows, const int vectors, int64_t height, int64_t width, const T *a,
             const int64_t *offset, int64_t a_pitch, const T *b, int64_t b_step, T *c,
             int64_t c_step) {
    VECTOR sum[MOST_ROWS][MOST_VECTORS];
    const T *from[MOST_ROWS];
#pragma GCC unroll 8
    for (int m = 0; m < rows; ++m) {
        from[m] = a + offset[m];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            sum[m][v] = (VECTOR){0};
    }
    for (int64_t y = 0; y < height; ++y) {
        for (int64_t u = 0; u < width; ++u, b += b_step) {
            VECTOR x[MOST_VECTORS];
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v)
                x[v] = *(const VECTOR *)(b + v * LANES);
#pragma GCC unroll 8
            for (int m = 0; m < rows; ++m) {
                VECTOR weight = from[m][u] - (VECTOR){0};
#pragma GCC unroll 8
                for (int v = 0; v < vectors; ++v)
                    sum[m][v] += weight * x[v];
            }
        }
#pragma GCC unroll 8
        for (int m = 0; m < rows; ++m)
            from[m] += a_pitch;
    }
#pragma GCC unroll 8
    for (int m = 0; m < rows; ++m)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            *(VECTOR *)(c + m * c_step + v * LANES) += sum[m][v];
}

#define TILE(M, N)                                                                                 \
    static void NAME(tile_##M##_##N)(int64_t terms, const T *a, int64_t a_step, const T *b,        \
                                     const int64_t *offset, T *c, int64_t c_step, int add) {       \
        NAME(tile)(M, N, terms, a, a_step, b, offset, c, c_step, add);                             \
    }
#define GATHER(M, N)                                                                               \
    static void NAME(gather_##M##_##N)(int64_t height, int64_t width, const T *a,                  \
                                       const int64_t *offset, int64_t a_pitch, const T *b,         \
                                       int64_t b_step, T *c, int64_t c_step) {                     \
        NAME(gather)(M, N, height, width, a, offset, a_pitch, b, b_step, c, c_step);               \
    }
#define ROWS_8(X, N) X(1, N) X(2, N) X(3, N) X(4, N) X(5, N) X(6, N) X(7, N) X(8, N)
ROWS_8(TILE, 1)
ROWS_8(TILE, 2)
ROWS_8(TILE, 3)
TILE(1, 4) TILE(2, 4) TILE(3, 4) TILE(4, 4) TILE(1, 6) TILE(2, 6) TILE(3, 6) TILE(4, 6)
ROWS_8(GATHER, 1)
ROWS_8(GATHER, 2)
ROWS_8(GATHER, 3)
GATHER(1, 4) GATHER(2, 4) GATHER(3, 4) GATHER(4, 4) GATHER(5, 4) GATHER(6, 4)

typedef void (*NAME(tile_kernel))(int64_t, const T *, int64_t, const T *, const int64_t *, T *,
                                  int64_t, int);
typedef void (*NAME(gather_kernel))(int64_t, int64_t, const T *, const int64_t *, int64_t,
                                    const T *, int64_t, T *, int64_t);

#define KERNELS_8(K, N)                                                                            \
    {                                                                                              \
        NULL, NAME(K##_1_##N), NAME(K##_2_##N), NAME(K##_3_##N), NAME(K##_4_##N),                  \
            NAME(K##_5_##N), NAME(K##_6_##N), NAME(K##_7_##N), NAME(K##_8_##N)                     \
    }
#define KERNELS_4(K, N) {NULL, NAME(K##_1_##N), NAME(K##_2_##N), NAME(K##_3_##N), NAME(K##_4_##N)}

/* By vectors, then by rows. */
static const NAME(tile_kernel) NAME(tiles)[MOST_VECTORS + 1][MOST_ROWS + 1] = {
    [1] = KERNELS_8(tile, 1), [2] = KERNELS_8(tile, 2), [3] = KERNELS_8(tile, 3),
    [4] = KERNELS_4(tile, 4), [6] = KERNELS_4(tile, 6),
};
static const NAME(gather_kernel) NAME(gathers)[MOST_VECTORS + 1][MOST_ROWS + 1] = {
    [1] = KERNELS_8(gather, 1),
    [2] = KERNELS_8(gather, 2),
    [3] = KERNELS_8(gather, 3),
    [4] = {NULL, NAME(gather_1_4), NAME(gather_2_4), NAME(gather_3_4), NAME(gather_4_4),
           NAME(gather_5_4), NAME(gather_6_4)},
};

/* The widest tile with so many rows, of at most so many vectors. */
static int64_t NAME(widest)(int64_t rows, int64_t vectors) {
    int64_t most = at_most(vectors, rows > 4 ? 3 : 6);
    return most == 5 ? 4 : most;
}

/* ---- prepared planes ------------------------------------------------------------------------ */

/* A plane of the source, NULL for one of zeros, and where the array that holds it ends. */
typedef struct NAME(plane) {
    const T *data, *end;
    int64_t height, width;
} NAME(plane);

static inline void NAME(zeros)(T *to, int64_t n) {
    for (int64_t u = 0; u < n; ++u)
        to[u] = 0;
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
    return __builtin_shuffle(a, b, NAME(even)());
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
            *(UNALIGNED *)(to + u) = __builtin_shuffle(a, b, NAME(even)());
        }
    if (last < columns)
        *(UNALIGNED *)(to + last) = (VECTOR){0};
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
    int64_t first = x < 0 ? -whole_steps(x, steps[1]) : 0;
    int64_t last = whole_steps(plane->width - 1 - x, steps[1]) + 1;
    first = at_most(first, columns);
    last = at_least(first, at_most(last, columns));
    for (int64_t t = 0; t < rows; ++t, to += columns) {
        int64_t row = steps[0] * t + y;
        if (row < 0 || row >= plane->height)
            for (int64_t u = 0; u < columns; ++u)
                to[u] = 0;
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

#include "convolution_scatter.h"
#include "convolution_winograd.h"

/* packed[group, phase, panel, plane, tap, row]: what `tile` reads, in its order. A panel is a
 * group's `panel_rows` channels of the result; its number goes through all groups. */
static int NAME(pack)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                       int64_t begin, int64_t end) {
    if (NAME(is_winograd)(g, which)) {
        NAME(pack_winograd)(g, which, weights, packed, begin, end);
        return 0;
    }
    if (NAME(is_scatter)(g, which)) {
        NAME(pack_scatter)(g, weights, packed, begin, end);
        return 0;
    }
    NAME(side) side = NAME(side_of)(g, which);
    NAME(phase) phase;
    NAME(prepared) made;
    int64_t *mark = NAME(push_phase)(g, &phase, &made);
    if (!mark)
        return 1;
    int64_t height = sc_panel(side.channels), panels = quotient_up(side.channels, height);
    int64_t area = g->kernel[1] * g->kernel[2], depth = g->kernel[0];
    int64_t per_group = panels * height * side.planes * area;
    for (int64_t number = begin; number < end; ++number) {
        int64_t group = number / panels, panel = number % panels;
        T *to = packed + group * per_group;
        for (int64_t n = 0; n < side.phases; ++n) {
            NAME(find_phase)(g, which, n, &phase);
            int64_t terms = side.planes * phase.taps;
            T *here = to + panel * height * terms;
            to += panels * height * terms;
            int64_t rows = at_most(height, side.channels - panel * height);
            int64_t first = panel * height, forward = which == SYMCOMP_FORWARD;
            /* From one row of the panel to the next, from one plane to the next. */
            int64_t step = (forward ? g->channels : 1) * depth * area;
            int64_t stride = (forward ? 1 : g->channels) * depth * area;
            const T *from = weights + group * g->filters * g->channels * depth * area;
            from += first * step;
            for (int64_t plane = 0; plane < side.planes; ++plane) {
                const T *place = from + plane / depth * stride + plane % depth * area;
                for (int64_t k = 0; k < phase.taps; ++k, here += height)
                    for (int64_t m = 0; m < rows; ++m)
                        here[m] = place[m * step + phase.tap[k]];
            }
        }
    }
    runtime->pop(mark);
    return 0;
}

/* All sums of a phase into c[channel, lane]; the source's planes are prepared some at a time. */
static int NAME(sum_phase)(const symcomp_geometry *g, int which, const NAME(side) *side,
                           const NAME(phase) *phase, const NAME(prepared) *made, const T *source,
                           const T *packed, const symcomp_part *block, int64_t row, T *c,
                           int64_t pitch) {
    int64_t height = sc_panel(side->channels);
    int64_t step = at_most(side->planes, at_least(1, TERMS / phase->taps));
    int64_t plane_size = made->copies * block->images * made->rows * made->columns;
    size_t slack = (MOST_VECTORS + 1) * VECTOR_BYTES;
    T *planes = runtime->push((size_t)(step * plane_size) * sizeof(T) + slack);
    int64_t *offset = runtime->push((size_t)(step * phase->taps) * sizeof(int64_t));
    if (!planes || !offset) {
        runtime->pop(planes);
        return 1;
    }
    for (int64_t p = 0; p < step; ++p)
        for (int64_t k = 0; k < phase->taps; ++k)
            offset[p * phase->taps + k] = p * plane_size + made->offset[k];
    for (int64_t first = 0; first < side->planes; first += step) {
        int64_t count = at_most(step, side->planes - first), terms = count * phase->taps;
        NAME(prepare)(g, which, side, phase, made, source, block, row, first, count, planes);
        int64_t vectors = quotient_up(made->lanes, LANES), width;
        for (int64_t v = 0; v < vectors; v += width) {
            width = NAME(widest)(at_most(height, block->channels), vectors - v);
            const T *a = packed + first * phase->taps * height;
            for (int64_t m = 0; m < block->channels; m += height) {
                int64_t rows = at_most(height, block->channels - m);
                NAME(tiles)[width][rows](terms, a, height, planes + v * LANES, offset,
                                         c + m * pitch + v * LANES, pitch, first > 0);
                a += height * side->planes * phase->taps;
            }
        }
    }
    runtime->pop(planes);
    return 0;
}

/* Puts the sums of a phase where they belong. */
static void NAME(place)(const NAME(side) *side, const NAME(phase) *phase,
                        const NAME(prepared) *made, const T *c, int64_t pitch, T *target,
                        const symcomp_part *block, int64_t row, int64_t rows, int64_t columns) {
    int64_t width = side->result[2], step = phase->step[1];
    int64_t start = (phase->first[0] + phase->step[0] * row - block->first_row) * width;
    for (int64_t image = 0; image < block->images; ++image)
        for (int64_t m = 0; m < block->channels; ++m) {
            T *to = target + image * block->image + m * block->channel + start + phase->first[1];
            const T *from = c + m * pitch + image * made->rows * made->columns;
            if (phase->step[0] == 1 && step == 1 && made->columns == width) {
                memcpy(to, from, (size_t)(rows * columns) * sizeof(T));
                continue;
            }
            for (int64_t t = 0; t < rows; ++t) {
                if (step == 1)
                    for (int64_t u = 0; u < columns; ++u)
                        to[u] = from[u];
                else
                    for (int64_t u = 0; u < columns; ++u)
                        to[u * step] = from[u];
                to += phase->step[0] * width, from += made->columns;
            }
        }
}

static int NAME(correlate)(const symcomp_geometry *g, int which, const T *source, const T *packed,
                            T *target, const symcomp_part *block) {
    if (NAME(is_winograd)(g, which))
        return NAME(correlate_winograd)(g, which, source, packed, target, block);
    if (NAME(is_scatter)(g, which))
        return NAME(correlate_scatter)(g, source, packed, target, block);
    NAME(side) side = NAME(side_of)(g, which);
    NAME(phase) phase;
    NAME(prepared) made;
    int64_t height = sc_panel(side.channels);
    int64_t panels = quotient_up(side.channels, height);
    int64_t area = g->kernel[1] * g->kernel[2];
    packed += block->group * panels * height * side.planes * area;
    int64_t *mark = NAME(push_phase)(g, &phase, &made);
    int failed = !mark;
    for (int64_t n = 0; !failed && n < side.phases; ++n) {
        NAME(find_phase)(g, which, n, &phase);
        int64_t terms = side.planes * phase.taps;
        const T *panel = packed + block->first_channel / height * height * terms;
        packed += panels * height * terms;
        int64_t step = phase.step[0], end = block->first_row + block->rows;
        int64_t row = quotient_up(at_least(0, block->first_row - phase.first[0]), step);
        int64_t rows = quotient_up(at_least(0, end - phase.first[0]), step) - row;
        int64_t columns =
            quotient_up(at_least(0, side.result[2] - phase.first[1]), phase.step[1]);
        if (rows <= 0 || columns <= 0)
            continue;
        if (terms)
            NAME(plan)(&phase, block->channels, block->images, rows, columns, &made);
        else
            made.rows = rows, made.columns = columns, made.lanes = block->images * rows * columns;
        int64_t pitch = quotient_up(made.lanes, LANES) * LANES;
        T *c = runtime->push((size_t)(block->channels * pitch) * sizeof(T));
        if (!c)
            failed = 1;
        else if (terms)
            failed = NAME(sum_phase)(g, which, &side, &phase, &made, source, panel, block, row, c,
                                     pitch);
        else
            NAME(zeros)(c, block->channels * pitch);
        if (!failed)
            NAME(place)(&side, &phase, &made, c, pitch, target, block, row, rows, columns);
        runtime->pop(c);
    }
    runtime->pop(mark);
    return failed;
}

/* ---- the gradient with respect to the filters ------------------------------------------------- */

static int64_t NAME(padded_filters)(const symcomp_geometry *g) {
    return quotient_up(g->filters, PADDING / (int64_t)sizeof(T)) * (PADDING / (int64_t)sizeof(T));
}

/* How many vectors of filters the next kernel takes: fours and threes fit best. */
static int64_t NAME(next_vectors)(int64_t left) {
    if (left <= 4)
        return left;
    return left % 4 == 0 || left == 7 ? 4 : 3;
}

/* One round of a transposition: the first half of the rows woven with the second. */
static inline __attribute__((always_inline)) void NAME(weave_rows)(const VECTOR *x, VECTOR *y) {
#pragma GCC unroll 8
    for (int64_t n = 0; n < LANES / 2; ++n) {
        y[2 * n] = __builtin_shuffle(x[n], x[n + LANES / 2], NAME(woven)(0));
        y[2 * n + 1] = __builtin_shuffle(x[n], x[n + LANES / 2], NAME(woven)(LANES / 2));
    }
}

/* Rows and columns of a square of vectors exchanged, in as many rounds as lanes can be halved. */
static inline __attribute__((always_inline)) const VECTOR *NAME(transpose)(VECTOR *x, VECTOR *y) {
    NAME(weave_rows)(x, y);
    if (LANES == 2)
        return y;
    NAME(weave_rows)(y, x);
    if (LANES == 4)
        return x;
    NAME(weave_rows)(x, y);
    if (LANES == 8)
        return y;
    NAME(weave_rows)(y, x);
    return x;
}

/* turned[tile of filters, position, filter]: some positions of an image's gradient, channels last, in
 * tiles as wide as the kernels that read them. Filters past the last one are zero. */
static void NAME(turn)(const T *gradient, int64_t filters, int64_t pitch, int64_t count,
                       int64_t width, T *turned) {
    int64_t vectors;
    for (int64_t o = 0; o < width; o += vectors * LANES, turned += count * vectors * LANES) {
        vectors = NAME(next_vectors)((width - o) / LANES);
        for (int64_t v = 0; v < vectors; ++v) {
            const T *from = gradient + (o + v * LANES) * pitch;
            int64_t rows = at_least(0, at_most(LANES, filters - o - v * LANES));
            for (int64_t first = 0; first < count; first += LANES) {
                int64_t some = at_most(LANES, count - first);
                VECTOR block[LANES], spare[LANES];
#pragma GCC unroll 16
                for (int64_t m = 0; m < LANES; ++m) {
                    block[m] = (VECTOR){0};
                    if (m < rows && some == LANES)
                        block[m] = *(const UNALIGNED *)(from + m * pitch + first);
                    else if (m < rows)
                        memcpy(&block[m], from + m * pitch + first, (size_t)some * sizeof(T));
                }
                const VECTOR *columns = NAME(transpose)(block, spare);
                T *to = turned + (first * vectors + v) * LANES;
                if (some == LANES) {
#pragma GCC unroll 16
                    for (int64_t u = 0; u < LANES; ++u)
                        *(VECTOR *)(to + u * vectors * LANES) = columns[u];
                } else {
                    for (int64_t u = 0; u < some; ++u)
                        *(VECTOR *)(to + u * vectors * LANES) = columns[u];
                }
            }
        }
    }
}

/* A band of an image's gradient, turned, against some planes of x. */
static void NAME(gather_planes)(int64_t all, const NAME(prepared) *made, const int64_t *offset,
                                const T *prepared, int64_t rows, int64_t columns, const T *turned,
                                int64_t width, T *partial) {
    int64_t vectors;
    for (int64_t o = 0; o < width; o += vectors * LANES) {
        vectors = NAME(next_vectors)((width - o) / LANES);
        int64_t most = vectors == 4 ? 6 : MOST_ROWS, step = vectors * LANES;
        for (int64_t m = 0; m < all;) {
            int64_t count = quotient_up(all - m, quotient_up(all - m, most));
            NAME(gathers)[vectors][count](rows, columns, prepared, offset + m, made->columns,
                                          turned, step, partial + m * width + o, width);
            m += count;
        }
        turned += rows * columns * step;
    }
}

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

static int NAME(filters)(const symcomp_geometry *g, const T *x, const T *gradient, T *partial,
                         int64_t first_image, int64_t images, int64_t group,
                         int64_t first_channel, int64_t channels) {
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
                    NAME(turn)(from, g->filters, positions, count, width, turned);
                for (int64_t plane = 0; plane < channels * depth; plane += step) {
                    int64_t some = at_most(step, channels * depth - plane);
                    T *to = partial + plane * taps * width;
                    NAME(prepare)(g, SYMCOMP_FORWARD, &side, &phase, &made, x, &block, row,
                                  first_channel * depth + plane, some, planes);
                    if (!few)
                        NAME(gather_planes)(some * taps, &made, offset, planes, rows, columns,
                                            turned, width, to);
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
