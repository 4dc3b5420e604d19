/* Filters of one tap by Winograd's algorithm for inner products: see convolution_inner_products.h. */

enum {
    /* A block is a vector wide, and errands are looked after with each. */
    BLOCK_WIDTH = VECTOR_BYTES / (int)sizeof(T),
    PRODUCTS = 1,
    AHEAD = 8,
    SPARE = 0,
    /* Columns, of vectors, that stay in L2 while all rows are multiplied with them. */
    ABREAST = 16,
    /* Numbers of eight rows. */
    ROWS_SIZE = BLOCK_ROWS * (HEAD + ROW_STEP),
};

#define BRING_NEARER(m, unused) __builtin_prefetch(next + m * apart, 0, 2);

/* The first errand is lines of the result, one for each row. */
static void NAME(multiply_block)(int64_t terms, const T *rows, const T *columns, T *spare, T *result,
                                 int64_t pitch, int add, NAME(errand) *errands) {
    (void)spare;
    const T *next = errands[0].from;
    int64_t apart = errands[0].pitch;
    if (errands[0].lines) {
        ROWS_8(BRING_NEARER, )
    }
    for (int n = 1; n < ERRANDS; ++n)
        NAME(run_errand)(errands + n);
    NAME(multiply)(terms, rows, (const VECTOR *)columns, result, pitch, add);
}

/* ---- both sides ---------------------------------------------------------------------------------- */

/* Columns of planes [term, position], `vectors` of them: a number that the compiler knows. */
static inline __attribute__((always_inline)) void NAME(prepare_few)(
    const T *from, int64_t pitch, int64_t terms, T *to, int64_t size, const int64_t vectors) {
    int64_t pairs = NAME(pairs_of)(terms);
    NAME(mask) largest[4] = {{0}};
    VECTOR scale[4], less[4] = {{0}};
    const T *line = from;
    for (int64_t k = 0; k < terms; ++k, line += pitch)
#pragma GCC unroll 4
        for (int64_t v = 0; v < vectors; ++v)
            largest[v] = NAME(larger)(largest[v], NAME(magnitude)(*(const UNALIGNED *)(line + v * LANES)));
#pragma GCC unroll 4
    for (int64_t v = 0; v < vectors; ++v)
        NAME(scales)(largest[v], &scale[v], (VECTOR *)(to + v * size) + 1);
    T *column = to + HEAD * LANES;
    for (int64_t k = 0; k < terms; ++k, from += pitch, column += LANES)
#pragma GCC unroll 4
        for (int64_t v = 0; v < vectors; ++v)
            *(VECTOR *)(column + v * size) = *(const UNALIGNED *)(from + v * LANES) * scale[v];
    column = to + HEAD * LANES;
    for (int64_t k = 0; k < pairs; k += 2, column += 2 * LANES)
#pragma GCC unroll 4
        for (int64_t v = 0; v < vectors; ++v) {
            const VECTOR *first = (const VECTOR *)(column + v * size), *second = first + pairs;
            less[v] += first[1] * second[1] - first[0] * second[0];
        }
#pragma GCC unroll 4
    for (int64_t v = 0; v < vectors; ++v)
        *(VECTOR *)(to + v * size) = less[v];
}

/* Columns of planes [term, position], some vectors wide. */
static void NAME(prepare_columns)(const T *from, int64_t pitch, int64_t vectors, int64_t terms, T *to) {
    int64_t size = NAME(columns_size)(terms), v = 0;
    for (; v + 4 <= vectors; v += 4)
        NAME(prepare_few)(from + v * LANES, pitch, terms, to + v * size, size, 4);
    for (; v < vectors; ++v)
        NAME(prepare_few)(from + v * LANES, pitch, terms, to + v * size, size, 1);
}

/* Rows and columns of a square exchanged. */
static void NAME(turn)(VECTOR *square) {
    VECTOR block[LANES], spare[LANES];
    memcpy(block, square, sizeof block);
    memcpy(square, NAME(transpose)(block, spare), sizeof block);
}

/* As many rows as a vector has numbers, each a line of so many terms, a vector at least; eight begin so far
 * after the others. Where there are fewer lines, more rows are made of the last. */
static void NAME(make_rows)(const T *from, int64_t pitch, int64_t lines, int64_t terms, T *to,
                            int64_t apart) {
    int64_t pairs = NAME(pairs_of)(terms), last = terms - LANES;
    VECTOR square[LANES], scale, back, less = {0};
    for (int64_t m = 0; m < LANES; ++m) {
        NAME(mask) largest = {0};
        for (int64_t k = 0; k < terms; k += LANES) {
            const T *place = from + at_most(m, lines - 1) * pitch + at_most(k, last);
            largest = NAME(larger)(largest, NAME(magnitude)(*(const UNALIGNED *)place));
        }
        square[m] = (VECTOR)largest;
    }
    NAME(turn)(square);
    for (int64_t n = 1; n < LANES; ++n)
        square[0] = (VECTOR)NAME(larger)((NAME(mask))square[0], (NAME(mask))square[n]);
    NAME(scales)((NAME(mask))square[0], &scale, &back);
    for (int64_t m = 0; m < LANES; from += ++m < lines ? pitch : 0) {
        T *row = to + m / BLOCK_ROWS * apart + HEAD * BLOCK_ROWS + m % BLOCK_ROWS * ROW_STEP;
        for (int64_t k = 0; k < terms; k += LANES) {
            int64_t at = at_most(k, last);
            *(UNALIGNED *)(row + at) = *(const UNALIGNED *)(from + at) * scale[m];
        }
        const T *second = row + pairs;
        VECTOR sum = {0};
        int64_t k = 0;
        for (; k + LANES <= pairs; k += LANES)
            sum += *(const UNALIGNED *)(row + k) * *(const UNALIGNED *)(second + k);
        square[m] = sum;
        for (T *sums = (T *)&square[m]; k < pairs; ++k)
            sums[k % LANES] += row[k] * second[k];
    }
    NAME(turn)(square);
    for (int64_t n = 0; n < LANES; n += 2)
        less += square[n + 1] - square[n];
    for (int64_t m = 0; m < LANES; m += BLOCK_ROWS, to += apart) {
        memcpy(to, (T *)&less + m, BLOCK_ROWS * sizeof(T));
        memcpy(to + BLOCK_ROWS, (T *)&back + m, BLOCK_ROWS * sizeof(T));
    }
}

/* ---- forward, and with respect to the images ----------------------------------------------------- */

/* Where eight rows of filters begin, and some of their planes. */
static int64_t NAME(rows_start)(int64_t planes, int64_t row, int64_t plane) {
    int64_t most = NAME(block_terms)(planes);
    return (row / BLOCK_ROWS * quotient_up(planes, most) + plane / most) * ROWS_SIZE;
}

static int NAME(pack_inner)(const symcomp_geometry *g, int which, const T *weights, T *packed,
                            int64_t begin, int64_t end) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t planes = side.planes, most = NAME(block_terms)(planes), height = sc_panel(side.channels);
    int64_t panels = side.channels / height, forward = which == SYMCOMP_FORWARD;
    const T *last = weights + g->groups * g->filters * g->channels;
    T *turned = runtime->push((size_t)(LANES * ROW_STEP) * sizeof(T));
    if (!turned)
        return 1;
    for (int64_t number = begin; number < end; ++number) {
        int64_t group = number / panels, channel = number % panels * height;
        if (channel % LANES) /* some panels are packed together */
            continue;
        const T *from = weights + group * g->filters * g->channels;
        for (int64_t plane = 0, terms; plane < planes; plane += terms) {
            terms = at_most(most, planes - plane);
            const T *rows = from + channel * planes + plane;
            for (int64_t k = 0; !forward && k < terms; k += LANES) {
                const T *line[LANES];
                for (int64_t n = 0; n < LANES; ++n)
                    line[n] = k + n < terms ? from + (plane + k + n) * g->channels + channel : NULL;
                NAME(to_lanes)(line, 0, LANES, last, turned + k, ROW_STEP);
            }
            int64_t row = group * side.channels + channel;
            NAME(make_rows)(forward ? rows : turned, forward ? planes : ROW_STEP, LANES, terms,
                            packed + NAME(rows_start)(planes, row, plane),
                            NAME(rows_start)(planes, BLOCK_ROWS, 0));
        }
    }
    runtime->pop(turned);
    return 0;
}

#include "convolution_columns.h"

/* ---- with respect to the filters ----------------------------------------------------------------- */

/* partial[c, o]: terms are places of an image, as many at a time as make equal parts of it. The smaller
 * of both arrays makes the columns, and the other one the rows. */
static int NAME(filters_inner)(const symcomp_geometry *g, const T *x, const T *gradient, T *partial,
                               int64_t first_image, int64_t images, int64_t group,
                               int64_t first_channel, int64_t channels) {
    int64_t area = g->size[1] * g->size[2], width = NAME(padded_filters)(g), step = g->groups * area;
    int64_t most = quotient_up(area, quotient_up(area, BLOCK_TERMS)), size = NAME(columns_size)(most);
    int64_t number = first_image * g->groups + group;
    NAME(lines) of_x = {x + (number * g->channels + first_channel) * area,
                        x + g->batch * step * g->channels, step * g->channels, channels};
    NAME(lines) of_gradient = {gradient + number * g->filters * area,
                               gradient + g->batch * step * g->filters, step * g->filters, g->filters};
    int turns_x = channels < g->filters;
    const NAME(lines) *beside = turns_x ? &of_x : &of_gradient, *down = turns_x ? &of_gradient : &of_x;
    int64_t vectors = quotient_up(beside->count, LANES), pitch = vectors * LANES;
    int64_t high = quotient_up(down->count, LANES) * LANES;
    T *sums = runtime->push((size_t)(high * pitch) * sizeof(T));
    T *turned = runtime->push((size_t)(most * pitch) * sizeof(T));
    T *columns = runtime->push((size_t)(vectors * size) * sizeof(T));
    T *rows = runtime->push((size_t)(LANES / BLOCK_ROWS * ROWS_SIZE) * sizeof(T));
    if (!sums || !turned || !columns || !rows) {
        runtime->pop(sums);
        return 1;
    }
    NAME(zeros)(sums, high * pitch);
    for (int64_t image = 0; image < images; ++image)
        for (int64_t at = 0, terms; at < area; at += terms) {
            const T *across = beside->data + image * beside->image + at;
            const T *here = down->data + image * down->image + at;
            terms = at_most(most, area - at);
            size = NAME(columns_size)(terms);
            int more = at + terms < area;
            NAME(turn_lines)(beside, across, area, terms, turned, pitch);
            NAME(prepare_columns)(turned, pitch, vectors, terms, columns);
            int64_t blocks = LANES / BLOCK_ROWS * vectors;
            NAME(errand) errands[ERRANDS] = {
                {NULL, pitch, LANES, BLOCK_ROWS, 1}, /* sums of the next eight rows, */
                {NULL, area, terms, LANES, blocks},  /* what the next rows are made of, */
                {across + (more ? terms : beside->image - at), area, terms, beside->count,
                 high / LANES * blocks},             /* and the next columns */
            };
            if (!more && image + 1 == images)
                errands[2].lines = 0;
            for (int64_t m = 0; m < high; m += LANES) {
                NAME(make_rows)(here + m * area, area, at_most(LANES, down->count - m), terms, rows,
                                ROWS_SIZE);
                errands[1].from = here + (m + LANES) * area;
                if (m + LANES >= high)
                    errands[1].from = here + (more ? terms : down->image - at);
                for (int64_t n = 0; n < blocks; ++n) {
                    int64_t eight = n / vectors, column = n % vectors;
                    T *place = sums + (m + eight * BLOCK_ROWS) * pitch + column * LANES;
                    errands[0].from = place + BLOCK_ROWS * pitch;
                    NAME(multiply_block)(terms, rows + eight * ROWS_SIZE, columns + column * size, NULL, place,
                                         pitch, 1, errands);
                }
            }
        }
    for (int64_t c = 0; !turns_x && c < channels; ++c)
        memcpy(partial + c * width, sums + c * pitch, (size_t)width * sizeof(T));
    if (turns_x)
        NAME(turn_sums)(sums, pitch, g->filters, channels, sums + high * pitch, partial, width);
    runtime->pop(sums);
    return 0;
}
