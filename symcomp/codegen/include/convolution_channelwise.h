/* Convolution of each channel by itself, or of a few: images are read where they lie.
 *
 * A sum has few terms here, and to prepare planes would take as long as to add them up. A vector of
 * neighbouring results runs down the rows. Places beside the image are cleared by masks, which only
 * the first and the last vectors of a row need; rows above and below it are a row of zeros. A row
 * whose vectors would reach beyond the array, as those of its very first and last rows may, is
 * copied to where there is room.
 */

enum {
    ROWS_AT_ONCE = 4,
    /* Places of a plane that a gradient of filters takes at a time: they stay in L1. */
    SWEEP = 4096,
};

/* packed[group, channel of the result, plane, row of taps, tap], in ascending order of places. */
static int NAME(pack_channelwise)(const symcomp_geometry *g, int which, const T *weights,
                                  T *packed, int64_t begin, int64_t end) {
    int64_t taps = g->kernel[1] * g->kernel[2], forward = which == SYMCOMP_FORWARD;
    int64_t channels = forward ? g->filters : g->channels;
    int64_t planes = forward ? g->channels : g->filters;
    for (int64_t group = begin; group < end; ++group)
        for (int64_t m = 0; m < channels; ++m)
            for (int64_t p = 0; p < planes; ++p) {
                int64_t filter = forward ? m : p, channel = forward ? p : m;
                const T *from =
                    weights + ((group * g->filters + filter) * g->channels + channel) * taps;
                T *to = packed + ((group * channels + m) * planes + p) * taps;
                for (int64_t k = 0; k < taps; ++k)
                    to[k] = from[forward ? k : taps - 1 - k];
            }
    return 0;
}

/* How the rows of some planes are read: at steps[1] * u + x[k] for each tap of a row. */
typedef struct NAME(lines) {
    const T *begin, *end; /* of the array */
    int64_t width, before, after; /* of a row; and how far vectors reach before and after it starts */
    T *zero, *spare;
} NAME(lines);

static int NAME(make_lines)(NAME(lines) *lines, int64_t width, int64_t first, int64_t last,
                            int64_t rows) {
    lines->width = width;
    lines->before = at_least(0, -first), lines->after = at_least(width, last);
    int64_t room = lines->before + lines->after;
    lines->zero = runtime->push((size_t)(room * (rows + 1)) * sizeof(T));
    if (!lines->zero)
        return 1;
    NAME(zeros)(lines->zero, room);
    lines->spare = lines->zero + room + lines->before, lines->zero += lines->before;
    return 0;
}

/* line[n]: row first + n of a plane. */
static void NAME(find_lines)(const NAME(lines) *lines, const T *plane, int64_t height,
                             int64_t first, int64_t count, const T **line) {
    T *spare = lines->spare;
    for (int64_t n = 0; n < count; ++n) {
        int64_t y = first + n;
        const T *row = plane + y * lines->width;
        if (y < 0 || y >= height) {
            row = lines->zero;
        } else if (row - lines->begin < lines->before || lines->end - row < lines->after) {
            memcpy(spare, row, (size_t)lines->width * sizeof(T));
            row = spare, spare += lines->before + lines->after;
        }
        line[n] = row;
    }
}

#define NUMBER(first, n) n
static const INTEGER NAME(numbers)[16] __attribute__((aligned(64))) = SIXTEEN(NUMBER, 0);

/* Which lanes of a vector that begins at x, and takes every `step`th element, lie in [0, width) and
 * are among the first `lanes`. */
static inline NAME(mask) NAME(inside)(int64_t x, int64_t step, int64_t width, int64_t lanes) {
    NAME(mask) lane = *(const NAME(mask) *)NAME(numbers), zero = {0};
    int64_t first = x < 0 ? quotient_up(-x, step) : 0;
    int64_t end = at_most(lanes, x < width ? quotient_up(width - x, step) : 0);
    return (lane >= (INTEGER)at_most(first, LANES) - zero) & (lane < (INTEGER)end - zero);
}

/* ---- kernels -------------------------------------------------------------------------------- */

#define PLAIN(place, k) (*(const UNALIGNED *)(place))
#define MASKED(place, k) KEPT(PLAIN(place, k), mask[k])
#define MASKED_SECOND(place, k) KEPT(NAME(even_lanes)(place), mask[k])

/* 3 × 3 taps, one plane: `rows` vectors of results, whose taps are `step` lines apart, as are they.
 * What lies `ahead` of them comes next, and a processor does not foresee that from steps down the
 * rows. */
#define THREE_BY_THREE(LABEL, READ)                                                                \
    static void NAME(three_##LABEL)(int64_t rows, const T *const *line, int64_t step, int64_t at,  \
                                    const int64_t *x, const NAME(mask) *mask, const T *weights,    \
                                    T *to, int64_t pitch, int64_t ahead) {                         \
        VECTOR zero = {0};                                                                         \
        VECTOR a = weights[0] - zero, b = weights[1] - zero, c = weights[2] - zero;                \
        VECTOR d = weights[3] - zero, e = weights[4] - zero, f = weights[5] - zero;                \
        VECTOR g = weights[6] - zero, h = weights[7] - zero, i = weights[8] - zero;                \
        int64_t left = at + x[0], middle = at + x[1], right = at + x[2];                           \
        VECTOR l_0 = READ(line[0] + left, 0), m_0 = READ(line[0] + middle, 1);                     \
        VECTOR r_0 = READ(line[0] + right, 2);                                                     \
        VECTOR l_1 = READ(line[step] + left, 0), m_1 = READ(line[step] + middle, 1);               \
        VECTOR r_1 = READ(line[step] + right, 2);                                                  \
        for (int64_t t = 0; t < rows; ++t, to += pitch) {                                          \
            const T *last = line[(t + 2) * step];                                                  \
            VECTOR l_2 = READ(last + left, 0), m_2 = READ(last + middle, 1);                       \
            VECTOR r_2 = READ(last + right, 2);                                                    \
            __builtin_prefetch(last + at + ahead, 0, 2);                                           \
            __builtin_prefetch(to + rows * pitch, 1, 2);                                           \
            VECTOR sum = a * l_0;                                                                  \
            sum += b * m_0, sum += c * r_0;                                                        \
            sum += d * l_1, sum += e * m_1, sum += f * r_1;                                        \
            sum += g * l_2, sum += h * m_2, sum += i * r_2;                                        \
            *(UNALIGNED *)to = sum;                                                                \
            l_0 = l_1, m_0 = m_1, r_0 = r_1, l_1 = l_2, m_1 = m_2, r_1 = r_2;                      \
        }                                                                                          \
    }
THREE_BY_THREE(plain, PLAIN)
THREE_BY_THREE(masked, MASKED)

/* Any taps and planes: a vector in each of four rows, `row[m]` being the first line that it reads.
 * The lines of the next plane are `lines` further on. */
#define ROW_OF_TAPS(m, READ) sum_##m##_0 += weight * READ(line[row[m] + down] + at + x[k], k);
#define ANY_TAPS(LABEL, READ)                                                                      \
    static void NAME(any_##LABEL)(const int64_t *row, const T *const *line, int64_t lines,         \
                                  int64_t planes, int64_t height, int64_t width, int64_t dilation, \
                                  int64_t at, const int64_t *x, const NAME(mask) *mask,            \
                                  const T *weights, VECTOR *to) {                                  \
        VECTOR zero = {0};                                                                         \
        ROWS_4(SUMS, 1)                                                                            \
        for (int64_t p = 0; p < planes; ++p, line += lines)                                        \
            for (int64_t y = 0, down = 0; y < height; ++y, down += dilation)                       \
                for (int64_t k = 0; k < width; ++k) {                                              \
                    VECTOR weight = *weights++ - zero;                                             \
                    ROWS_4(ROW_OF_TAPS, READ)                                                      \
                }                                                                                  \
        to[0] = sum_0_0, to[1] = sum_1_0, to[2] = sum_2_0, to[3] = sum_3_0;                        \
    }
ANY_TAPS(masked, MASKED)
ANY_TAPS(second, MASKED_SECOND)

/* sums[k] += products of a gradient's rows and what the 3 × 3 taps meet, each a vector. */
#define THREE_BY_THREE_FILTERS(LABEL, READ)                                                        \
    static void NAME(filters_##LABEL)(int64_t rows, const T *const *line, const T *const *beside,  \
                                      int64_t step, int64_t at, const int64_t *x,                  \
                                      const NAME(mask) *mask,                                      \
                                      VECTOR *sums, const int64_t *ahead) {                        \
        VECTOR a = sums[0], b = sums[1], c = sums[2], d = sums[3], e = sums[4], f = sums[5];       \
        VECTOR g = sums[6], h = sums[7], i = sums[8];                                              \
        int64_t left = at + x[0], middle = at + x[1], right = at + x[2];                           \
        VECTOR l_0 = READ(line[0] + left, 0), m_0 = READ(line[0] + middle, 1);                     \
        VECTOR r_0 = READ(line[0] + right, 2);                                                     \
        VECTOR l_1 = READ(line[step] + left, 0), m_1 = READ(line[step] + middle, 1);               \
        VECTOR r_1 = READ(line[step] + right, 2);                                                  \
        for (int64_t t = 0; t < rows; ++t) {                                                       \
            const T *last = line[(t + 2) * step];                                                  \
            VECTOR l_2 = READ(last + left, 0), m_2 = READ(last + middle, 1);                       \
            VECTOR r_2 = READ(last + right, 2), v = READ(beside[t * step] + at, 3);                \
            __builtin_prefetch(last + at + ahead[0], 0, 2);                                        \
            __builtin_prefetch(beside[t * step] + at + ahead[1], 0, 2);                            \
            a += v * l_0, b += v * m_0, c += v * r_0;                                              \
            d += v * l_1, e += v * m_1, f += v * r_1;                                              \
            g += v * l_2, h += v * m_2, i += v * r_2;                                              \
            l_0 = l_1, m_0 = m_1, r_0 = r_1, l_1 = l_2, m_1 = m_2, r_1 = r_2;                      \
        }                                                                                          \
        sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d, sums[4] = e, sums[5] = f;              \
        sums[6] = g, sums[7] = h, sums[8] = i;                                                     \
    }
THREE_BY_THREE_FILTERS(plain, PLAIN)
THREE_BY_THREE_FILTERS(masked, MASKED)

/* ---- a block of the result ------------------------------------------------------------------ */

/* What does not change from plane to plane. */
typedef struct NAME(taps) {
    int64_t planes, rows, columns; /* of taps */
    int64_t stride[2], dilation, first; /* row of the source that the first tap of row 0 meets */
    int64_t *x; /* of each column of taps */
    int64_t lines; /* of the source, for a block */
    NAME(mask) *mask;
} NAME(taps);

/* Results at columns [at, at + lanes) of all rows of a block, for one channel. */
static void NAME(sweep)(const NAME(taps) *taps, const T *const *line, const T *weights, int64_t at,
                        int64_t lanes, int64_t width, int64_t rows, T *to, int64_t pitch) {
    int64_t step = taps->stride[1], begin = at * step, masked = step > 1 || lanes < LANES;
    for (int64_t k = 0; k < taps->columns; ++k) {
        int64_t x = begin + taps->x[k];
        masked |= x < 0 || x + LANES > width;
        taps->mask[k] = NAME(inside)(x, step, width, LANES);
    }
    int three = taps->planes == 1 && taps->rows == 3 && taps->columns == 3 && step == 1 &&
                taps->stride[0] == 1 && lanes == LANES;
    for (int64_t r = 0, d = taps->dilation; three && r < at_most(d, rows); ++r)
        (masked ? NAME(three_masked) : NAME(three_plain))(
            quotient_up(rows - r, d), line + r, d, begin, taps->x, taps->mask, weights,
            to + r * pitch, d * pitch, rows * width);
    if (three)
        return;
    for (int64_t t = 0; t < rows; t += ROWS_AT_ONCE) {
        VECTOR sums[ROWS_AT_ONCE];
        int64_t row[ROWS_AT_ONCE];
        for (int64_t m = 0; m < ROWS_AT_ONCE; ++m)
            row[m] = at_most(t + m, rows - 1) * taps->stride[0];
        (step == 1 ? NAME(any_masked) : NAME(any_second))(
            row, line, taps->lines, taps->planes, taps->rows, taps->columns, taps->dilation, begin,
            taps->x, taps->mask, weights, sums);
        for (int64_t m = 0; m < at_most(ROWS_AT_ONCE, rows - t); ++m)
            memcpy(to + (t + m) * pitch, &sums[m], (size_t)lanes * sizeof(T));
    }
}

static int NAME(correlate_channelwise)(const symcomp_geometry *g, int which, const T *source,
                                       const T *packed, T *target, const symcomp_part *block) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t height = side.source[1], width = side.source[2], columns = side.result[2];
    int64_t forward = which == SYMCOMP_FORWARD, area = height * width;
    NAME(taps) taps = {
        .planes = side.planes, .rows = g->kernel[1], .columns = g->kernel[2],
        .stride = {g->stride[1], g->stride[2]}, .dilation = g->dilation[1],
    };
    int64_t low[2];
    for (int axis = 0; axis < 2; ++axis) {
        int64_t reach = g->dilation[1 + axis] * (g->kernel[1 + axis] - 1);
        low[axis] = forward ? g->low[1 + axis] : reach - g->low[1 + axis];
    }
    taps.first = taps.stride[0] * block->first_row - low[0];
    taps.lines = taps.stride[0] * (block->rows - 1) + taps.dilation * (taps.rows - 1) + 1;
    int64_t count = taps.planes * taps.lines;
    size_t masks = (size_t)taps.columns * sizeof(NAME(mask));
    taps.mask = runtime->push(masks + (size_t)taps.columns * sizeof(int64_t));
    const T **line = runtime->push((size_t)count * sizeof(T *));
    if (!taps.mask || !line) {
        runtime->pop(taps.mask);
        return 1;
    }
    taps.x = (int64_t *)((char *)taps.mask + masks);
    for (int64_t k = 0; k < taps.columns; ++k)
        taps.x[k] = g->dilation[2] * k - low[1];
    int64_t last = at_least(0, columns - LANES);
    NAME(lines) lines = {.begin = source};
    lines.end = source + g->batch * g->groups * taps.planes * area;
    int64_t beyond = taps.stride[1] * (last + LANES) + taps.x[taps.columns - 1];
    if (NAME(make_lines)(&lines, width, taps.x[0], beyond, count)) {
        runtime->pop(taps.mask);
        return 1;
    }
    int64_t terms = taps.planes * taps.rows * taps.columns;
    packed += (block->group * side.channels + block->first_channel) * terms;
    for (int64_t image = 0; image < block->images; ++image) {
        int64_t plane = ((block->first_image + image) * g->groups + block->group) * taps.planes;
        for (int64_t p = 0; p < taps.planes; ++p)
            NAME(find_lines)(&lines, source + (plane + p) * area, height, taps.first, taps.lines,
                             line + p * taps.lines);
        for (int64_t m = 0; m < block->channels; ++m) {
            T *to = target + image * block->image + m * block->channel;
            for (int64_t at = 0; at < columns; at += LANES) {
                int64_t here = at_most(at, last); /* some results are computed again */
                NAME(sweep)(&taps, line, packed + m * terms, here, at_most(LANES, columns), width,
                            block->rows, to + here, columns);
            }
        }
    }
    runtime->pop(taps.mask);
    return 0;
}

/* ---- the gradient with respect to the filters ----------------------------------------------- */

static int NAME(filters_channelwise)(const symcomp_geometry *g, const T *x, const T *gradient,
                                     T *partial, int64_t first_image, int64_t images,
                                     int64_t group, int64_t first_channel, int64_t channels) {
    int64_t width = quotient_up(g->filters * (int64_t)sizeof(T), PADDING) * PADDING /
                    (int64_t)sizeof(T);
    int64_t columns = g->out[2], area = g->size[1] * g->size[2], places = g->out[1] * columns;
    int64_t band = at_most(g->out[1], at_least(1, SWEEP / columns));
    int64_t at_x[3];
    for (int64_t k = 0; k < 3; ++k)
        at_x[k] = g->dilation[2] * k - g->low[2];
    NAME(zeros)(partial, channels * 9 * width);
    int64_t step = g->dilation[1], reach = 2 * step;
    const T **line = runtime->push((size_t)(2 * band + reach) * sizeof(T *));
    VECTOR *sums = runtime->push((size_t)(channels * g->filters * 9) * sizeof(VECTOR));
    int64_t planes = g->batch * g->groups, end = quotient_up(columns, LANES) * LANES;
    NAME(lines) of_x = {.begin = x, .end = x + planes * g->channels * area};
    NAME(lines) of_gradient = {.begin = gradient, .end = gradient + planes * g->filters * places};
    if (!line || !sums || NAME(make_lines)(&of_x, g->size[2], at_x[0], end + at_x[2],
                                             band + reach) ||
        NAME(make_lines)(&of_gradient, columns, 0, end, band)) {
        runtime->pop(line);
        return 1;
    }
    const T **beside = line + band + reach;
    /* From a band to the next one, or to the next image. */
    int64_t ahead[2] = {band * g->size[2], band * columns};
    if (band == g->out[1])
        ahead[0] = g->groups * g->channels * area, ahead[1] = g->groups * g->filters * places;
    NAME(zeros)((T *)sums, channels * g->filters * 9 * LANES);
    for (int64_t image = first_image; image < first_image + images; ++image)
        for (int64_t row = 0; row < g->out[1]; row += band)
            for (int64_t p = 0; p < channels * g->filters; ++p) {
                int64_t channel = first_channel + p / g->filters, filter = p % g->filters;
                int64_t rows = at_most(band, g->out[1] - row), number = image * g->groups + group;
                NAME(find_lines)(&of_x, x + (number * g->channels + channel) * area, g->size[1],
                                 row - g->low[1], rows + reach, line);
                NAME(find_lines)(&of_gradient, gradient + (number * g->filters + filter) * places,
                                 g->out[1], row, rows, beside);
                for (int64_t at = 0; at < columns; at += LANES) {
                    NAME(mask) mask[4];
                    int64_t masked = at + LANES > columns;
                    for (int64_t k = 0; k < 3; ++k) {
                        int64_t first = at + at_x[k];
                        masked |= first < 0 || first + LANES > g->size[2];
                        mask[k] = NAME(inside)(first, 1, g->size[2], columns - at);
                    }
                    mask[3] = NAME(inside)(at, 1, columns, LANES);
                    for (int64_t r = 0; r < at_most(step, rows); ++r)
                        (masked ? NAME(filters_masked) : NAME(filters_plain))(
                            quotient_up(rows - r, step), line + r, beside + r, step, at, at_x, mask,
                            sums + 9 * p, ahead);
                }
            }
    for (int64_t p = 0; p < channels * g->filters; ++p)
        for (int64_t k = 0; k < 9; ++k) {
            T total = 0;
            for (int64_t n = 0; n < LANES; ++n)
                total += sums[9 * p + k][n];
            partial[(p / g->filters * 9 + k) * width + p % g->filters] = total;
        }
    runtime->pop(line);
    return 0;
}
