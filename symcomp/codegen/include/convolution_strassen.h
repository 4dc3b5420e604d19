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

#if VECTOR_BYTES_ARE_64
#define ROWS_OF_A_TILE ROWS_8
#elif defined(__AVX__)
#define ROWS_OF_A_TILE ROWS_4
#else
#define ROWS_OF_A_TILE ROWS_2
#endif

enum {
    HALVES = 7, PRODUCTS = HALVES * HALVES, QUARTERS = 4,
    /* A tile: rows, and vectors at most, whose sums fit the registers. */
    TILE_ROWS = VECTOR_BYTES / 8, TILE_VECTORS = 3,
    TILE_WIDTH = TILE_VECTORS * (int)LANES,
    /* A block: rows, columns of the narrowest and of the widest, terms at most. (With more of them errors
     * grow faster than what is saved.) */
    BLOCK_ROWS = QUARTERS * TILE_ROWS,
    NARROW = QUARTERS * (int)LANES, WIDEST = QUARTERS * TILE_WIDTH,
    BLOCK_TERMS = 256,
    /* What the sums of a block need beside the result: two tiles for each way to halve. */
    SPARE = 2 * TILE_ROWS * TILE_WIDTH * (1 + 4),
    MOST_USES = 112,
};

/* ---- what becomes of sums ------------------------------------------------------------------------ */

/* They grow by what is somewhere, that grows by them, or is replaced by them; or they are a part of the
 * result. */
enum { GROW_BY, ADD_INTO, KEEP_AT, FINISH };

/* A place is in the spare tiles, or for FINISH in the result. */
typedef struct NAME(use) {
    int what;
    int64_t place, pitch;
} NAME(use);

/* What becomes of all products of a block, one after another: `uses` from first[n] to first[n + 1].
 * Some begin with the sums that the one before ended with. */
typedef struct NAME(recipe) {
    int64_t vectors;
    int count, go_on[PRODUCTS], first[PRODUCTS + 1];
    NAME(use) uses[MOST_USES];
} NAME(recipe);

/* The order is p1, p2, p6, p7, p4, p5, p3. In the spare tiles `d` and `f` are p1 + p6 (first p1, at
 * last with p5) and p1 + p6 + p7. FINISH stands for what is done with the half of the block in that row
 * and column. */
static const struct {
    int go_on, count, row, column;
    struct {
        int what, f;
    } uses[3];
} NAME(halves)[HALVES] = {
    {0, 1, 0, 0, {{KEEP_AT, 0}}},
    {1, 1, 0, 0, {{FINISH, 0}}},
    {0, 2, 0, 0, {{GROW_BY, 0}, {KEEP_AT, 0}}},
    {1, 1, 0, 0, {{KEEP_AT, 1}}},
    {1, 1, 1, 0, {{FINISH, 0}}},
    {0, 3, 1, 1, {{ADD_INTO, 0}, {GROW_BY, 1}, {FINISH, 0}}},
    {0, 2, 0, 1, {{GROW_BY, 0}, {FINISH, 0}}},
};

/* One product more. */
static void NAME(add_product)(NAME(recipe) *recipe, int go_on, const NAME(use) *uses, int count) {
    int n = recipe->count++, first = recipe->first[n];
    recipe->go_on[n] = go_on;
    memcpy(recipe->uses + first, uses, (size_t)count * sizeof *uses);
    recipe->first[n + 1] = first + count;
}

/* What is done with the sums of one product of halves, at a corner of it. */
static int NAME(uses_of)(int n, int64_t rows, int64_t width, int64_t spare, const NAME(use) *finish,
                         int finishing, NAME(use) *uses) {
    int count = 0;
    for (int k = 0; k < NAME(halves)[n].count; ++k) {
        int what = NAME(halves)[n].uses[k].what;
        if (what != FINISH) {
            int64_t place = spare + (NAME(halves)[n].uses[k].f ? rows * width : 0);
            uses[count++] = (NAME(use)){what, place, width};
            continue;
        }
        for (int j = 0; j < finishing; ++j) {
            uses[count] = finish[j];
            uses[count++].place += NAME(halves)[n].row * rows * finish[j].pitch +
                                   NAME(halves)[n].column * width;
        }
    }
    return count;
}

/* The recipe of a block of so many vectors by four, whose result's rows are `pitch` apart. The sums of
 * half a block do not stay in registers: who goes on with them finds them in `d` or `f`. */
static void NAME(make_recipe)(int64_t vectors, int64_t pitch, NAME(recipe) *recipe) {
    NAME(use) finish = {FINISH, 0, pitch}, outer[4], inner[8];
    int64_t width = vectors * LANES, spare = 2 * TILE_ROWS * width;
    recipe->vectors = vectors, recipe->count = 0, recipe->first[0] = 0;
    for (int n = 0; n < HALVES; ++n) {
        int count = 0;
        if (NAME(halves)[n].go_on) /* p2 and p7 with `d`, p4 with `f` */
            outer[count++] = (NAME(use)){
                GROW_BY, spare + (n == 4 ? 4 * TILE_ROWS * width : 0), 2 * width};
        count += NAME(uses_of)(n, 2 * TILE_ROWS, 2 * width, spare, &finish, 1, outer + count);
        for (int m = 0; m < HALVES; ++m) {
            int all = NAME(uses_of)(m, TILE_ROWS, width, 0, outer, count, inner);
            NAME(add_product)(recipe, NAME(halves)[m].go_on, inner, all);
        }
    }
}

/* ---- the kernel ---------------------------------------------------------------------------------- */

/* All products of a block: of filters a[product, row, k] and planes b[product, k, column], which a line
 * separates from the next product's, lest they compete for the same places in L1. */
#define BEGIN_LINE(m, N) const T *from_##m = a + m * line;
#define THERE(v) ((UNALIGNED *)there)[v]
#define RESET(m, v) sum_##m##_##v = zero;
#define RESET_ROW(m, N) COLUMNS_##N(RESET, m)
#define GROW(m, v) sum_##m##_##v += THERE(v);
#define GROW_ROW(m, N) COLUMNS_##N(GROW, m) there += pitch;
#define ADD_THERE(m, v) THERE(v) += sum_##m##_##v;
#define ADD_ROW_THERE(m, N) COLUMNS_##N(ADD_THERE, m) there += pitch;
#define KEEP_THERE(m, v) THERE(v) = sum_##m##_##v;
#define KEEP_ROW_THERE(m, N) COLUMNS_##N(KEEP_THERE, m) there += pitch;

#define BLOCK_OF(N)                                                                                \
    static void NAME(strassen_##N)(const NAME(recipe) *recipe, int64_t terms, const T *a,          \
                                   const T *b, T *spare, T *result, int add) {                     \
        int64_t line = NAME(line_size)(terms), size = NAME(filters_size)(terms);                   \
        VECTOR zero = {0}, weight;                                                                 \
        ROWS_OF_A_TILE(SUMS, N)                                                                    \
        for (int n = 0; n < PRODUCTS; ++n, a += size, b += LANES) {                                \
            if (!recipe->go_on[n]) {                                                               \
                ROWS_OF_A_TILE(RESET_ROW, N)                                                       \
            }                                                                                      \
            ROWS_OF_A_TILE(BEGIN_LINE, N)                                                          \
            for (int64_t u = 0; u < terms; ++u, b += N * LANES) {                                  \
                COLUMNS_##N(BESIDE, 0)                                                             \
                ROWS_OF_A_TILE(ROW_OF_PRODUCTS, N)                                                 \
            }                                                                                      \
            const NAME(use) *use = recipe->uses + recipe->first[n];                                \
            for (; use < recipe->uses + recipe->first[n + 1]; ++use) {                             \
                int64_t pitch = use->pitch;                                                        \
                T *start = (use->what == FINISH ? result : spare) + use->place, *there = start;    \
                if (use->what == GROW_BY || (use->what == FINISH && add)) {                        \
                    ROWS_OF_A_TILE(GROW_ROW, N)                                                    \
                }                                                                                  \
                there = start;                                                                     \
                if (use->what == ADD_INTO) {                                                       \
                    ROWS_OF_A_TILE(ADD_ROW_THERE, N)                                               \
                } else if (use->what != GROW_BY) {                                                 \
                    ROWS_OF_A_TILE(KEEP_ROW_THERE, N)                                              \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

/* Numbers of a filter, whole vectors, and of a product's filters and planes, with a line between. */
static int64_t NAME(line_size)(int64_t terms) { return quotient_up(terms, LANES) * LANES; }

static int64_t NAME(filters_size)(int64_t terms) {
    return TILE_ROWS * NAME(line_size)(terms) + LANES;
}

static int64_t NAME(planes_size)(int64_t terms, int64_t vectors) {
    return terms * vectors * LANES + LANES;
}

BLOCK_OF(1) BLOCK_OF(2) BLOCK_OF(3)

/* A block of the result (+)= filters times planes, of so many terms by four. */
static void NAME(multiply_block)(const NAME(recipe) *recipe, int64_t terms, const T *a, const T *b,
                                 T *spare, T *result, int add) {
    if (recipe->vectors == 1)
        NAME(strassen_1)(recipe, terms, a, b, spare, result, add);
    else if (recipe->vectors == 2)
        NAME(strassen_2)(recipe, terms, a, b, spare, result, add);
    else
        NAME(strassen_3)(recipe, terms, a, b, spare, result, add);
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
static void NAME(combine_planes)(const T *from, int64_t pitch, int64_t terms, int64_t vectors, T *to) {
    int64_t width = vectors * LANES;
    NAME(combine)(NAME(halve_planes), from, terms * pitch, width, terms, pitch, width, to,
                  NAME(planes_size)(terms, vectors));
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

/* Where the filters of a row of blocks begin, and one of its blocks. */
static int64_t NAME(filters_start)(int64_t planes, int64_t row, int64_t plane) {
    int64_t most = NAME(block_terms)(planes), whole = planes / most, rest = planes % most;
    int64_t size = whole * NAME(block_filters)(most);
    size += rest ? NAME(block_filters)(rest) : 0;
    return row * size + plane / most * NAME(block_filters)(most);
}

static int NAME(pack_strassen)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                               int64_t begin, int64_t end) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t planes = side.planes, most = NAME(block_terms)(planes), height = sc_panel(side.channels);
    int64_t panels = side.channels / height, rows = side.channels / BLOCK_ROWS;
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
            int64_t row = group * rows + channel / BLOCK_ROWS;
            NAME(combine_filters)(lines, pitch, terms / QUARTERS,
                                  packed + NAME(filters_start)(planes, row, plane));
        }
    }
    runtime->pop(lines);
    return 0;
}

/* Reads some lines in their order, one number of each line of the cache: what then reads them in another
 * order, many at a time, would wait for each. */
static void NAME(touch)(const T *from, int64_t pitch, int64_t lines, int64_t width) {
    for (int64_t n = 0; n < lines; ++n, from += pitch)
        for (int64_t u = 0; u < width; u += 64 / (int64_t)sizeof(T))
            (void)*(const volatile T *)(from + u);
}

/* What is the same for all columns of a part of the result. */
typedef struct NAME(columns) {
    int64_t planes, channels;
    const T *packed; /* of the part's first channel */
    T *combined, *spare, *tile;
} NAME(columns);

/* Sums of some terms for a column of the result, block after block. A column lies within an image, where
 * `to` begins, or is some positions of all images, and each block is made beside and brought there. */
static void NAME(multiply_column)(const NAME(columns) *all, const NAME(recipe) *recipe, int64_t plane,
                                  int64_t terms, const T *source, int64_t pitch, NAME(stack) to,
                                  int64_t start, int64_t some) {
    int64_t width = QUARTERS * recipe->vectors * LANES;
    NAME(touch)(source, pitch, terms, width);
    NAME(combine_planes)(source, pitch, terms / QUARTERS, recipe->vectors, all->combined);
    for (int64_t m = 0; m < all->channels; m += BLOCK_ROWS, to.data += BLOCK_ROWS * to.line) {
        const T *a = all->packed + NAME(filters_start)(all->planes, m / BLOCK_ROWS, plane);
        if (some && plane)
            NAME(copy_column)(&to, BLOCK_ROWS, start, some, all->tile, width, 0);
        NAME(multiply_block)(recipe, terms / QUARTERS, a, all->combined, all->spare,
                             some ? all->tile : to.data, plane > 0);
        if (some)
            NAME(copy_column)(&to, BLOCK_ROWS, start, some, all->tile, width, 1);
    }
}

/* The positions of an image are cut into columns as wide as the widest block; what remains of all images
 * is brought together. */
static int NAME(correlate_strassen)(const symcomp_geometry *g, int which, const T *source,
                                    const T *packed, T *target, const symcomp_part *block) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t area = g->size[1] * g->size[2], count = block->rows * g->size[2];
    int64_t planes = side.planes, most = NAME(block_terms)(planes);
    int64_t whole = count / WIDEST * WIDEST, rest = count - whole, left = rest * block->images;
    T *spare = runtime->push((size_t)SPARE * sizeof(T));
    T *combined = runtime->push(
        (size_t)(PRODUCTS * NAME(planes_size)(most / QUARTERS, TILE_VECTORS)) * sizeof(T));
    T *column = runtime->push((size_t)(most * WIDEST) * sizeof(T));
    T *tile = runtime->push((size_t)(BLOCK_ROWS * WIDEST) * sizeof(T));
    if (!spare || !combined || !column || !tile) {
        runtime->pop(spare);
        return 1;
    }
    int64_t row = (block->group * side.channels + block->first_channel) / BLOCK_ROWS;
    NAME(columns) all = {planes, block->channels, packed + NAME(filters_start)(planes, row, 0), combined,
                         spare, tile};
    int64_t first = (block->first_image * g->groups + block->group) * planes * area;
    NAME(stack) from = {(T *)source + first + block->first_row * g->size[2],
                        g->groups * planes * area, area, rest};
    NAME(stack) to = {target, block->image, block->channel, rest};
    NAME(recipe) recipe;
    NAME(make_recipe)(TILE_VECTORS, to.line, &recipe);
    for (int64_t image = 0; image < block->images; ++image)
        for (int64_t start = 0; start < whole; start += WIDEST)
            for (int64_t plane = 0; plane < planes; plane += most) {
                NAME(stack) here = to;
                here.data += image * to.image + start;
                NAME(multiply_column)(&all, &recipe, plane, at_most(most, planes - plane),
                                      from.data + image * from.image + plane * area + start, area,
                                      here, 0, 0);
            }
    from.data += whole, to.data += whole;
    for (int64_t start = 0, width; start < left; start += width) {
        int64_t vectors = at_most(TILE_VECTORS, quotient_up(left - start, NARROW));
        width = vectors * NARROW;
        int64_t some = at_most(width, left - start);
        NAME(make_recipe)(vectors, width, &recipe);
        if (some < width)
            NAME(zeros)(column, most * width);
        for (int64_t plane = 0, terms; plane < planes; plane += terms) {
            terms = at_most(most, planes - plane);
            NAME(stack) here = from;
            here.data += plane * area;
            NAME(copy_column)(&here, terms, start, some, column, width, 0);
            NAME(multiply_column)(&all, &recipe, plane, terms, column, width, to, start, some);
        }
    }
    runtime->pop(spare);
    return 0;
}

/* ---- with respect to the filters ----------------------------------------------------------------- */

/* to[k, lane] = from[m][first + k] of all images, for LANES lines m, of which those past the last are
 * zeros. */
static void NAME(turn_lines)(const NAME(stack) *from, int64_t line, int64_t lines, int64_t first,
                             int64_t some, const T *end, T *to, int64_t pitch) {
    for (int64_t k = 0, count; k < some; k += count) {
        int64_t image = (first + k) / from->count, at = (first + k) % from->count;
        count = at_most(from->count - at, some - k);
        const T *start = from->data + image * from->image + line * from->line + at, *place[LANES];
        NAME(touch)(start, from->line, at_most(LANES, lines - line), count);
        for (int64_t m = 0; m < LANES; ++m)
            place[m] = line + m < lines ? start + m * from->line : NULL;
        NAME(to_lanes)(place, 0, count, end, to + k * pitch, pitch);
    }
}

/* The same of one line, as it is. */
static void NAME(copy_line)(const NAME(stack) *from, int64_t line, int64_t lines, int64_t first,
                            int64_t some, T *to) {
    if (line >= lines)
        NAME(zeros)(to, some);
    for (int64_t k = 0, count; line < lines && k < some; k += count) {
        int64_t image = (first + k) / from->count, at = (first + k) % from->count;
        count = at_most(from->count - at, some - k);
        memcpy(to + k, from->data + image * from->image + line * from->line + at,
               (size_t)count * sizeof(T));
    }
}

/* partial[c, o]: terms are positions; the smaller of both images is the planes', and the other one the
 * filters'. */
static int NAME(filters_strassen)(const symcomp_geometry *g, const T *x, const T *gradient, T *partial,
                                  int64_t first_image, int64_t images, int64_t group,
                                  int64_t first_channel, int64_t channels) {
    int64_t area = g->size[1] * g->size[2], all = images * area, width = NAME(padded_filters)(g);
    int64_t chunks = at_least(1, quotient_up(all, BLOCK_TERMS));
    int64_t terms = QUARTERS * quotient_up(all, QUARTERS * chunks);
    int64_t image = first_image * g->groups + group, step = g->groups * area;
    NAME(stack) of_x = {(T *)x + (image * g->channels + first_channel) * area, step * g->channels, area,
                        area};
    NAME(stack) of_gradient = {(T *)gradient + image * g->filters * area, step * g->filters, area, area};
    int turns_x = channels < g->filters;
    const NAME(stack) *beside = turns_x ? &of_x : &of_gradient;
    const NAME(stack) *down = turns_x ? &of_gradient : &of_x;
    const T *end = turns_x ? x + g->batch * step * g->channels : gradient + g->batch * step * g->filters;
    int64_t lanes = turns_x ? channels : g->filters, rows = turns_x ? g->filters : channels;
    int64_t pitch = quotient_up(lanes, NARROW) * NARROW;
    int64_t high = quotient_up(rows, BLOCK_ROWS) * BLOCK_ROWS, most = terms / QUARTERS;
    int64_t line = NAME(line_size)(terms) + LANES;
    T *spare = runtime->push((size_t)SPARE * sizeof(T));
    T *sums = runtime->push((size_t)(high * pitch) * sizeof(T));
    T *turned = runtime->push((size_t)(terms * pitch) * sizeof(T));
    T *planes = runtime->push(
        (size_t)(pitch / NARROW * PRODUCTS * NAME(planes_size)(most, 1)) * sizeof(T));
    T *lines = runtime->push((size_t)(BLOCK_ROWS * line) * sizeof(T));
    T *filters = runtime->push((size_t)(PRODUCTS * NAME(filters_size)(most)) * sizeof(T));
    if (!spare || !sums || !turned || !planes || !lines || !filters) {
        runtime->pop(spare);
        return 1;
    }
    NAME(recipe) recipes[TILE_VECTORS + 1];
    for (int64_t vectors = 1; vectors <= TILE_VECTORS; ++vectors)
        NAME(make_recipe)(vectors, pitch, recipes + vectors);
    NAME(zeros)(sums, high * pitch);
    for (int64_t first = 0; first < all; first += terms) {
        int64_t some = at_most(terms, all - first), vectors;
        NAME(zeros)(turned + some * pitch, (terms - some) * pitch);
        for (int64_t o = 0; o < pitch; o += LANES)
            NAME(turn_lines)(beside, o, lanes, first, some, end, turned + o, pitch);
        T *b = planes;
        for (int64_t o = 0; o < pitch; o += vectors * NARROW) {
            vectors = at_most(TILE_VECTORS, (pitch - o) / NARROW);
            NAME(combine_planes)(turned + o, pitch, most, vectors, b);
            b += PRODUCTS * NAME(planes_size)(most, vectors);
        }
        for (int64_t m = 0; m < high; m += BLOCK_ROWS) {
            for (int64_t n = 0; n < BLOCK_ROWS; ++n) {
                NAME(copy_line)(down, m + n, rows, first, some, lines + n * line);
                NAME(zeros)(lines + n * line + some, terms - some);
            }
            NAME(combine_filters)(lines, line, most, filters);
            b = planes;
            for (int64_t o = 0; o < pitch; o += vectors * NARROW) {
                vectors = at_most(TILE_VECTORS, (pitch - o) / NARROW);
                NAME(multiply_block)(recipes + vectors, most, filters, b, spare, sums + m * pitch + o,
                                     1);
                b += PRODUCTS * NAME(planes_size)(most, vectors);
            }
        }
    }
    for (int64_t c = 0; !turns_x && c < channels; ++c)
        memcpy(partial + c * width, sums + c * pitch, (size_t)width * sizeof(T));
    if (turns_x)
        NAME(turn_sums)(sums, pitch, g->filters, channels, sums + high * pitch, partial, width);
    runtime->pop(spare);
    return 0;
}
