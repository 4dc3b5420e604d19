/* Filters of one tap by Strassen's algorithm, in Winograd's form: a product of matrices whose halves in
 * each direction make it seven products of halves, not eight, and each of those seven again: 49 products
 * do what 64 did.
 *
 *     s1 = a21 + a22    t1 = b12 - b11    p1 = a11 b11   p5 = s1 t1    c11 = p1 + p2
 *     s2 = s1 - a11     t2 = b22 - t1     p2 = a12 b21   p6 = s2 t2    c12 = p1 + p6 + p5 + p3
 *     s3 = a11 - a21    t3 = b22 - b12    p3 = s4 b22    p7 = s3 t3    c21 = p1 + p6 + p7 + p4
 *     s4 = a12 - s2     t4 = b21 - t2     p4 = a22 t4                  c22 = p1 + p6 + p7 + p5
 *
 * (Winograd's p4 and t4 with the other sign.) What is halved is a block of the result: four tiles high,
 * four tiles wide, and 256 terms deep. So every product is of one tile, its sums stay in registers, and
 * what they are added to is in L1 (Huang, Smith, Henry, van de Geijn, "Strassen's algorithm reloaded",
 * 2016). The filters are combined where they are packed, and the planes where they are brought together.
 *
 * Errors are four to six times those of a direct sum. Where an image or a filter is not finite, whole
 * blocks may be nan.
 */

enum {
    HALVES = 7, PRODUCTS = HALVES * HALVES, QUARTERS = 4,
    /* Rows of a tile, which is a vector wide: its sums, and twice as many that are kept for later, fit
     * the registers of the longest vectors; with others the latter are in memory. */
    TILE_ROWS = 8,
    BLOCK_ROWS = QUARTERS * TILE_ROWS,
    BLOCK_WIDTH = QUARTERS * (int)LANES,
    /* Blocks side by side whose combined planes stay in L2. */
    ABREAST = 3,
    AHEAD = 1,
    /* Terms of a block at most: with more of them errors grow faster than what is saved. */
    BLOCK_TERMS = 256,
    /* What is kept of the halves of a block for later, twice. */
    KEPT_WIDTH = BLOCK_WIDTH / 2, KEPT = BLOCK_ROWS / 2 * KEPT_WIDTH,
    SPARE = 2 * KEPT + 2 * TILE_ROWS * (int)LANES,
};

/* ---- the kernel ---------------------------------------------------------------------------------- */

/* What becomes of the products of halves, in their order: p1, p2, p6, p7, p4, p5, p3. They grow by what
 * is kept in `d` or `f`, that grows by them or is replaced by them, or they are a half of the block. So
 * `d` is p1, p1 + p6, p1 + p6 + p5, and `f` is p1 + p6 + p7. */
enum { NOTHING, GROW_BY_D, GROW_BY_F, ADD_INTO_D, KEEP_AS_D, KEEP_AS_F, FINISH };

static const struct {
    int uses[4], down, right;
} NAME(halves)[HALVES] = {
    {{KEEP_AS_D}},
    {{GROW_BY_D, FINISH}, 0, 0},
    {{GROW_BY_D, KEEP_AS_D}},
    {{GROW_BY_D, KEEP_AS_F}},
    {{GROW_BY_F, FINISH}, 1, 0},
    {{ADD_INTO_D, GROW_BY_F, FINISH}, 1, 1},
    {{GROW_BY_D, FINISH}, 0, 1},
};

/* Numbers of a filter, whole vectors, and of a product's filters and planes, with a line between, lest
 * those of one product compete with the next one's for the same places in L1. */
static int64_t NAME(line_size)(int64_t terms) { return quotient_up(terms, LANES) * LANES; }

static int64_t NAME(filters_size)(int64_t terms) {
    return TILE_ROWS * NAME(line_size)(terms) + LANES;
}

static int64_t NAME(planes_size)(int64_t terms) { return (terms + 1) * LANES; }

#if VECTOR_BYTES_ARE_64
#define HELD(set, m) set##_##m
#else
#define HELD(set, m) set##_held[m]
#endif
#define DECLARE(m, set) VECTOR set##_##m = {0};
#define RESET(m, set) set##_##m = zero;
#define TERM_OF(m, line) sum_##m += (a[u + m * line] - zero) * x;
#define SUMS_TO(m, set) HELD(set, m) = sum_##m;
#define SUMS_FROM(m, set) sum_##m = HELD(set, m);
#define SUMS_INTO(m, set) HELD(set, m) += sum_##m;
#define GROW_SUMS(m, set) sum_##m += HELD(set, m);
#define PLACE(m) (*(UNALIGNED *)(place + m * pitch))
#define GROW_BY_PLACE(m, set) set##_##m += PLACE(m);
#define ADD_INTO_PLACE(m, set) PLACE(m) += set##_##m;
#define KEEP_IN_PLACE(m, set) PLACE(m) = set##_##m;

/* One more of the inner products. */
#define MULTIPLY                                                                                   \
    NAME(run_errand)(errands);                                                                     \
    NAME(run_errand)(errands + 1);                                                                 \
    NAME(run_errand)(errands + 2);                                                                 \
    for (int64_t u = 0; u < terms; ++u, b += LANES) {                                              \
        VECTOR x = *(const VECTOR *)b;                                                             \
        ROWS_8(TERM_OF, line)                                                                      \
    }                                                                                              \
    a += size, b += LANES;

/* The sums are those of a quarter of a half. */
#define USE(down, right)                                                                           \
    for (const int *use = NAME(halves)[n].uses; *use; ++use) {                                     \
        int64_t pitch = *use == FINISH ? result_pitch : KEPT_WIDTH;                                \
        T *place = *use == FINISH ? half : *use == GROW_BY_F || *use == KEEP_AS_F ? f : d;         \
        place += down * TILE_ROWS * pitch + right * LANES;                                         \
        if (*use == GROW_BY_D || *use == GROW_BY_F || (*use == FINISH && add)) {                   \
            ROWS_8(GROW_BY_PLACE, sum)                                                             \
        }                                                                                          \
        if (*use == ADD_INTO_D) {                                                                  \
            ROWS_8(ADD_INTO_PLACE, sum)                                                            \
        } else if (*use >= KEEP_AS_D) {                                                            \
            ROWS_8(KEEP_IN_PLACE, sum)                                                             \
        }                                                                                          \
    }

/* A block of the result (+)= filters times planes, of so many terms: of filters a[product, row,
 * k] and planes b[product, k, lane]. In each half sums are kept in registers, as they are in `d` and `f`
 * of the block. */
static void NAME(multiply_block)(int64_t terms, const T *a, const T *b, T *kept, T *result,
                                 int64_t result_pitch, int add, NAME(errand) *errands) {
    terms /= QUARTERS;
    int64_t line = NAME(line_size)(terms), size = NAME(filters_size)(terms);
    T *d = kept, *f = kept + KEPT;
    VECTOR zero = {0};
    ROWS_8(DECLARE, sum)
#if VECTOR_BYTES_ARE_64
    ROWS_8(DECLARE, d) ROWS_8(DECLARE, f)
#else
    VECTOR *d_held = (VECTOR *)(kept + 2 * KEPT), *f_held = d_held + TILE_ROWS;
#endif
    for (int n = 0; n < HALVES; ++n) {
        T *half = result + NAME(halves)[n].down * (BLOCK_ROWS / 2) * result_pitch +
                  NAME(halves)[n].right * (BLOCK_WIDTH / 2);
        ROWS_8(RESET, sum)
        MULTIPLY ROWS_8(SUMS_TO, d)
        MULTIPLY USE(0, 0)
        ROWS_8(SUMS_FROM, d)
        MULTIPLY ROWS_8(SUMS_TO, d)
        MULTIPLY ROWS_8(SUMS_TO, f)
        MULTIPLY USE(1, 0)
        ROWS_8(RESET, sum)
        MULTIPLY ROWS_8(SUMS_INTO, d) ROWS_8(GROW_SUMS, f)
        USE(1, 1)
        ROWS_8(SUMS_FROM, d)
        MULTIPLY USE(0, 1)
    }
}

/* ---- combinations -------------------------------------------------------------------------------- */

/* What p1, p2, p6, p7, p4, p5 and p3 multiply: x11, x12, x21, x22 are the halves. */
static inline __attribute__((always_inline)) void NAME(halve_filters)(const VECTOR *x, VECTOR *y) {
    VECTOR s1 = x[2] + x[3], s2 = s1 - x[0];
    y[0] = x[0], y[1] = x[1], y[2] = s2, y[3] = x[0] - x[2], y[4] = x[3], y[5] = s1, y[6] = x[1] - s2;
}

static inline __attribute__((always_inline)) void NAME(halve_planes)(const VECTOR *x, VECTOR *y) {
    VECTOR t1 = x[1] - x[0], t2 = x[3] - t1;
    y[0] = x[0], y[1] = x[2], y[2] = t2, y[3] = x[3] - x[1], y[4] = x[2] - t2, y[5] = t1, y[6] = x[3];
}

/* All combinations of a matrix of 4 × 4 parts, which are `down` and `right` apart; lines of a part are
 * `pitch` apart, those of a combination follow each other. Whole vectors are read and written. */
static inline __attribute__((always_inline)) void
NAME(combine)(void (*halve)(const VECTOR *, VECTOR *), const T *from, int64_t down, int64_t right,
              int64_t lines, int64_t pitch, int64_t width, T *to, int64_t product) {
    for (int64_t line = 0; line < lines; ++line, from += pitch, to += width)
        for (int64_t u = 0; u < width; u += LANES) {
            VECTOR part[HALVES][4];
#pragma GCC unroll 4
            for (int n = 0; n < 4; ++n) {
                const T *place = from + u + (n / 2) * down + (n % 2) * right;
                VECTOR x[4], y[HALVES];
#pragma GCC unroll 4
                for (int k = 0; k < 4; ++k)
                    x[k] = *(const UNALIGNED *)(place + k / 2 * 2 * down + k % 2 * 2 * right);
                halve(x, y);
#pragma GCC unroll 7
                for (int k = 0; k < HALVES; ++k)
                    part[k][n] = y[k];
            }
            T *there = to + u;
#pragma GCC unroll 7
            for (int n = 0; n < HALVES; ++n) {
                VECTOR y[HALVES];
                halve(part[n], y);
#pragma GCC unroll 7
                for (int k = 0; k < HALVES; ++k, there += product)
                    *(VECTOR *)there = y[k];
            }
        }
}

/* Planes [plane, column], and filters [filter, plane], of so many terms by four. Of the latter more than
 * these are read, which nobody reads again. */
static void NAME(combine_planes)(const T *from, int64_t pitch, int64_t terms, T *to) {
    NAME(combine)(NAME(halve_planes), from, terms * pitch, LANES, terms, pitch, LANES, to,
                  NAME(planes_size)(terms));
}

static void NAME(combine_filters)(const T *from, int64_t pitch, int64_t terms, T *to) {
    NAME(combine)(NAME(halve_filters), from, TILE_ROWS * pitch, terms, TILE_ROWS, pitch,
                  NAME(line_size)(terms), to, NAME(filters_size)(terms));
}

/* ---- forward, and with respect to the images ----------------------------------------------------- */

/* Terms of a block, a multiple of four as their number is, and numbers that its filters take. */
static int64_t NAME(block_terms)(int64_t planes) {
    return QUARTERS * quotient_up(planes / QUARTERS, quotient_up(planes, BLOCK_TERMS));
}

static int64_t NAME(block_filters)(int64_t terms) {
    return PRODUCTS * NAME(filters_size)(terms / QUARTERS);
}

/* Where the filters of a row of blocks begin, by its first row, and one of its blocks. */
static int64_t NAME(rows_start)(int64_t planes, int64_t row, int64_t plane) {
    int64_t most = NAME(block_terms)(planes), whole = planes / most, rest = planes % most;
    int64_t size = whole * NAME(block_filters)(most);
    size += rest ? NAME(block_filters)(rest) : 0;
    return row / BLOCK_ROWS * size + plane / most * NAME(block_filters)(most);
}

static int NAME(pack_strassen)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                               int64_t begin, int64_t end) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t planes = side.planes, most = NAME(block_terms)(planes), height = sc_panel(side.channels);
    int64_t panels = side.channels / height;
    const T *last = weights + g->groups * g->filters * g->channels;
    int64_t pitch = NAME(line_size)(most) + LANES;
    T *lines = runtime->push((size_t)(BLOCK_ROWS * pitch) * sizeof(T));
    if (!lines)
        return 1;
    for (int64_t number = begin; number < end; ++number) {
        int64_t group = number / panels, channel = number % panels * height;
        if (channel % BLOCK_ROWS) /* some panels make a block */
            continue;
        const T *from = weights + group * g->filters * g->channels;
        for (int64_t plane = 0, terms; plane < planes; plane += terms) {
            terms = at_most(most, planes - plane);
            for (int64_t m = 0; which == SYMCOMP_FORWARD && m < BLOCK_ROWS; ++m)
                memcpy(lines + m * pitch, from + (channel + m) * planes + plane,
                       (size_t)terms * sizeof(T));
            for (int64_t k = 0; which != SYMCOMP_FORWARD && k < terms; k += LANES) {
                const T *line[LANES];
                for (int64_t n = 0; n < LANES; ++n)
                    line[n] = k + n < terms ? from + (plane + k + n) * g->channels : NULL;
                NAME(to_lanes)(line, channel, BLOCK_ROWS, last, lines + k, pitch);
            }
            int64_t row = group * side.channels + channel;
            NAME(combine_filters)(lines, pitch, terms / QUARTERS,
                                  packed + NAME(rows_start)(planes, row, plane));
        }
    }
    runtime->pop(lines);
    return 0;
}

/* Numbers of the planes of a block, combined; and these, of some blocks side by side. */
static int64_t NAME(columns_size)(int64_t terms) {
    return PRODUCTS * NAME(planes_size)(terms / QUARTERS);
}

static void NAME(prepare_columns)(const T *from, int64_t pitch, int64_t blocks, int64_t terms, T *to) {
    NAME(touch)(from, pitch, terms, blocks * BLOCK_WIDTH);
    for (int64_t n = 0; n < blocks; ++n, to += NAME(columns_size)(terms))
        NAME(combine_planes)(from + n * BLOCK_WIDTH, pitch, terms / QUARTERS, to);
}

#include "convolution_columns.h"

/* ---- with respect to the filters ----------------------------------------------------------------- */

/* The filters of a block's rows combined: at once where all that is read is there, else by a copy. */
static void NAME(combine_lines)(const NAME(lines) *lines, int64_t first, const T *from, int64_t area,
                                int64_t some, int64_t terms, T *copy, T *to) {
    int64_t pitch = NAME(line_size)(terms * QUARTERS) + LANES;
    const T *last = from + (BLOCK_ROWS - 1) * area + (QUARTERS - 1) * terms + NAME(line_size)(terms);
    if (some == terms * QUARTERS && first + BLOCK_ROWS <= lines->count && last <= lines->end) {
        NAME(combine_filters)(from, area, terms, to);
        return;
    }
    NAME(zeros)(copy, BLOCK_ROWS * pitch);
    for (int64_t m = 0; m < at_most(BLOCK_ROWS, lines->count - first); ++m)
        memcpy(copy + m * pitch, from + m * area, (size_t)some * sizeof(T));
    NAME(combine_filters)(copy, pitch, terms, to);
}

/* partial[c, o]: terms are places of an image, as many at a time as make equal parts of it. The smaller
 * of both arrays is the planes', and the other one the filters'. */
static int NAME(filters_strassen)(const symcomp_geometry *g, const T *x, const T *gradient, T *partial,
                                  int64_t first_image, int64_t images, int64_t group,
                                  int64_t first_channel, int64_t channels) {
    int64_t area = g->size[1] * g->size[2], width = NAME(padded_filters)(g), step = g->groups * area;
    int64_t most = quotient_up(area, QUARTERS * quotient_up(area, BLOCK_TERMS));
    int64_t terms = QUARTERS * most, number = first_image * g->groups + group;
    NAME(lines) of_x = {x + (number * g->channels + first_channel) * area,
                        x + g->batch * step * g->channels, step * g->channels, channels};
    NAME(lines) of_gradient = {gradient + number * g->filters * area,
                               gradient + g->batch * step * g->filters, step * g->filters, g->filters};
    int turns_x = channels < g->filters;
    const NAME(lines) *beside = turns_x ? &of_x : &of_gradient, *down = turns_x ? &of_gradient : &of_x;
    int64_t pitch = quotient_up(beside->count, BLOCK_WIDTH) * BLOCK_WIDTH;
    int64_t high = quotient_up(down->count, BLOCK_ROWS) * BLOCK_ROWS;
    int64_t size = NAME(columns_size)(terms), products = pitch / BLOCK_WIDTH * PRODUCTS;
    T *kept = runtime->push((size_t)SPARE * sizeof(T));
    T *sums = runtime->push((size_t)(high * pitch) * sizeof(T));
    T *turned = runtime->push((size_t)(terms * pitch) * sizeof(T));
    T *planes = runtime->push((size_t)(pitch / BLOCK_WIDTH * size) * sizeof(T));
    T *copy = runtime->push((size_t)(BLOCK_ROWS * (NAME(line_size)(terms) + LANES)) * sizeof(T));
    T *filters = runtime->push((size_t)(PRODUCTS * NAME(filters_size)(most)) * sizeof(T));
    if (!kept || !sums || !turned || !planes || !copy || !filters) {
        runtime->pop(kept);
        return 1;
    }
    NAME(zeros)(sums, high * pitch);
    for (int64_t image = 0; image < images; ++image)
        for (int64_t at = 0; at < area; at += terms) {
            const T *across = beside->data + image * beside->image + at;
            const T *here = down->data + image * down->image + at;
            int64_t some = at_most(terms, area - at), more = at + terms < area;
            NAME(turn_lines)(beside, across, area, some, turned, pitch);
            NAME(zeros)(turned + some * pitch, (terms - some) * pitch);
            for (int64_t n = 0; n < pitch; n += BLOCK_WIDTH)
                NAME(combine_planes)(turned + n, pitch, most, planes + n / BLOCK_WIDTH * size);
            NAME(errand) errands[ERRANDS] = {
                {sums, pitch, BLOCK_WIDTH, BLOCK_ROWS, PRODUCTS},
                {here, area, terms, BLOCK_ROWS, products},
                {across + (more ? terms : beside->image - at), area, terms, beside->count,
                 high / BLOCK_ROWS * products},
            };
            for (int64_t m = 0; m < high; m += BLOCK_ROWS) {
                NAME(combine_lines)(down, m, here + m * area, area, some, most, copy, filters);
                errands[1].from = here + (m + BLOCK_ROWS) * area;
                if (m + BLOCK_ROWS >= high)
                    errands[1].from = here + (more ? terms : down->image - at);
                for (int64_t n = 0; n < pitch; n += BLOCK_WIDTH) {
                    T *result = sums + m * pitch + n;
                    errands[0].from = n + BLOCK_WIDTH < pitch ? result + BLOCK_WIDTH
                                                              : sums + (m + BLOCK_ROWS) * pitch;
                    NAME(multiply_block)(terms, filters, planes + n / BLOCK_WIDTH * size, kept, result,
                                         pitch, 1, errands);
                }
            }
        }
    for (int64_t c = 0; !turns_x && c < channels; ++c)
        memcpy(partial + c * width, sums + c * pitch, (size_t)width * sizeof(T));
    if (turns_x)
        NAME(turn_sums)(sums, pitch, g->filters, channels, sums + high * pitch, partial, width);
    runtime->pop(kept);
    return 0;
}
