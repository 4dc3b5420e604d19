/* The kernel of a correlation, for every size of its tile:
 *
 *     c[m, n] (+)= sum over k of a[k, m] * b[offset[k] + n], for rows m and whole vectors n.
 *
 * There are no more sizes than pay, since each takes the compiler milliseconds: what remains beside the
 * widest tiles is done a vector at a time, and rows that are no power of two in two parts or three, but for
 * the three rows of colours.
 */

#define READ(m, v) VECTOR x_##v = *(const UNALIGNED *)(place + v * LANES);
#define ROW_OF_TERMS(m, N) weight = a[m] - zero; COLUMNS_##N(TERM, m)

#define TILE(M, N)                                                                                 \
    static void NAME(tile_##M##_##N)(int64_t terms, const T *a, int64_t a_step, const T *b,        \
                                     const int64_t *offset, T *c, int64_t c_step, int add) {       \
        VECTOR zero = {0}, weight;                                                                 \
        ROWS_##M(SUMS, N)                                                                          \
        for (int64_t k = 0; k < terms; ++k, a += a_step) {                                         \
            const T *place = b + offset[k];                                                        \
            COLUMNS_##N(READ, 0)                                                                   \
            ROWS_##M(ROW_OF_TERMS, N)                                                              \
        }                                                                                          \
        if (add) {                                                                                 \
            ROWS_##M(ADD_ROW, N)                                                                   \
        }                                                                                          \
        ROWS_##M(KEEP_ROW, N)                                                                      \
    }
TILE(1, 1) TILE(2, 1) TILE(4, 1) TILE(8, 1)
TILE(1, 3) TILE(2, 3) TILE(4, 3) TILE(8, 3)
TILE(1, 6) TILE(2, 6) TILE(3, 6) TILE(4, 6)

typedef void (*NAME(tile_kernel))(int64_t, const T *, int64_t, const T *, const int64_t *, T *,
                                  int64_t, int);

/* By vectors, then by rows. */
static const NAME(tile_kernel) NAME(tiles)[MOST_VECTORS + 1][MOST_ROWS + 1] = {
    [1] = {[1] = NAME(tile_1_1), [2] = NAME(tile_2_1), [4] = NAME(tile_4_1), [8] = NAME(tile_8_1)},
    [3] = {[1] = NAME(tile_1_3), [2] = NAME(tile_2_3), [4] = NAME(tile_4_3), [8] = NAME(tile_8_3)},
    [6] = {[1] = NAME(tile_1_6), [2] = NAME(tile_2_6), [3] = NAME(tile_3_6), [4] = NAME(tile_4_6)},
};

/* A tile of so many vectors and rows, by the highest kernels that there are. */
static void NAME(tile)(int64_t vectors, int64_t rows, int64_t terms, const T *a, int64_t a_step,
                       const T *b, const int64_t *offset, T *c, int64_t c_step, int add) {
    int64_t high = rows;
    while (rows) {
        high = at_most(high, rows);
        while (!NAME(tiles)[vectors][high])
            --high;
        NAME(tiles)[vectors][high](terms, a, a_step, b, offset, c, c_step, add);
        a += high, c += high * c_step, rows -= high;
    }
}
