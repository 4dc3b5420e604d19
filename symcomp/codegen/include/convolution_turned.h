/* The kernels of the gradient with respect to the filters: the gradient of the result is turned, so that
 * filters are lanes, and meets the values of some planes one by one.
 */

/* c[m, n] += sum over rows y and columns u of a[offset[m] + y * a_pitch + u] * b[y, u, n]. */
#define ADD_TO(m, v) ((VECTOR *)(c + m * c_step))[v] += sum_##m##_##v;
#define ADD_ROW_TO(m, N) COLUMNS_##N(ADD_TO, m)

#define GATHER(M, N)                                                                               \
    static void NAME(gather_##M##_##N)(int64_t height, int64_t width, const T *a,                  \
                                       const int64_t *offset, int64_t a_pitch, const T *b,         \
                                       int64_t b_step, T *c, int64_t c_step) {                     \
        VECTOR zero = {0}, weight;                                                                 \
        ROWS_##M(SUMS, N)                                                                          \
        ROWS_##M(BEGIN, N)                                                                         \
        for (int64_t y = 0; y < height; ++y) {                                                     \
            for (int64_t u = 0; u < width; ++u, b += b_step) {                                     \
                COLUMNS_##N(BESIDE, 0)                                                             \
                ROWS_##M(ROW_OF_PRODUCTS, N)                                                       \
            }                                                                                      \
            ROWS_##M(NEXT, N)                                                                      \
        }                                                                                          \
        ROWS_##M(ADD_ROW_TO, N)                                                                    \
    }
GATHER(1, 1) GATHER(4, 1) GATHER(8, 1)
GATHER(1, 2) GATHER(4, 2) GATHER(8, 2)
GATHER(1, 3) GATHER(4, 3) GATHER(8, 3)
GATHER(1, 4) GATHER(4, 4) GATHER(6, 4)

typedef void (*NAME(gather_kernel))(int64_t, int64_t, const T *, const int64_t *, int64_t,
                                    const T *, int64_t, T *, int64_t);

/* By vectors; what follows of rows: most, then four, then one at a time. */
static const NAME(gather_kernel) NAME(gathers)[5][MOST_ROWS + 1] = {
    [1] = {[1] = NAME(gather_1_1), [4] = NAME(gather_4_1), [8] = NAME(gather_8_1)},
    [2] = {[1] = NAME(gather_1_2), [4] = NAME(gather_4_2), [8] = NAME(gather_8_2)},
    [3] = {[1] = NAME(gather_1_3), [4] = NAME(gather_4_3), [8] = NAME(gather_8_3)},
    [4] = {[1] = NAME(gather_1_4), [4] = NAME(gather_4_4), [6] = NAME(gather_6_4)},
};

/* How many vectors of filters the next kernel takes: fours and threes fit best. */
static int64_t NAME(next_vectors)(int64_t left) {
    if (left <= 4)
        return left;
    return left % 4 == 0 || left == 7 ? 4 : 3;
}

/* turned[tile of filters, position, filter]: some positions of an image's gradient, channels last, in
 * tiles as wide as the kernels that read them. Filters past the last one are zero. */
static void NAME(turn)(const T *gradient, const T *end, int64_t filters, int64_t pitch,
                       int64_t count, int64_t width, T *turned) {
    int64_t vectors;
    for (int64_t o = 0; o < width; o += vectors * LANES, turned += count * vectors * LANES) {
        vectors = NAME(next_vectors)((width - o) / LANES);
        for (int64_t v = 0; v < vectors; ++v) {
            const T *from[LANES];
            for (int64_t m = 0; m < LANES; ++m)
                from[m] = o + v * LANES + m < filters ? gradient + (o + v * LANES + m) * pitch : NULL;
            NAME(to_lanes)(from, 0, count, end, turned + v * LANES, vectors * LANES);
        }
    }
}

/* A band of an image's gradient, turned, against some planes of x, whose rows are `pitch` apart. */
static void NAME(gather_planes)(int64_t all, int64_t pitch, const int64_t *offset,
                                const T *prepared, int64_t rows, int64_t columns, const T *turned,
                                int64_t width, T *partial) {
    int64_t vectors;
    for (int64_t o = 0; o < width; o += vectors * LANES) {
        vectors = NAME(next_vectors)((width - o) / LANES);
        int64_t most = vectors == 4 ? 6 : MOST_ROWS, step = vectors * LANES;
        for (int64_t m = 0; m < all;) {
            int64_t left = all - m;
            int64_t count = left >= most ? most : left >= 4 ? 4 : 1;
            NAME(gathers)[vectors][count](rows, columns, prepared, offset + m, pitch,
                                          turned, step, partial + m * width + o, width);
            m += count;
        }
        turned += rows * columns * step;
    }
}
