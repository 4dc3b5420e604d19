/* The kernel of Winograd's products: c[m, n] (+)= sum over y and u of a[offset[m] + y * a_pitch +
 * u * a_step] * b[y * b_pitch + u * b_step + n], for some rows m and vectors n. All sums stay in
 * registers.
 */

enum {
    /* As many sums as the registers hold beside what is multiplied. */
    MOST_WIDE = VECTOR_BYTES == 64 ? 4 : 2, LEAST_HIGH = 3, MOST_HIGH = 6,
};

#define PRODUCT(M, N)                                                                              \
    static void NAME(product_##M##_##N)(int64_t height, int64_t width, const T *a,                 \
                                        const int64_t *offset, int64_t a_pitch, int64_t a_step,    \
                                        const T *b, int64_t b_pitch, int64_t b_step, T *c,         \
                                        int64_t c_step, int add) {                                 \
        b_pitch -= width * b_step;                                                                 \
        VECTOR zero = {0}, weight;                                                                 \
        ROWS_##M(SUMS, N)                                                                          \
        ROWS_##M(BEGIN, N)                                                                         \
        for (int64_t y = 0; y < height; ++y) {                                                     \
            for (int64_t u = 0, end = width * a_step; u < end; u += a_step, b += b_step) {         \
                COLUMNS_##N(BESIDE, 0)                                                             \
                ROWS_##M(ROW_OF_PRODUCTS, N)                                                       \
            }                                                                                      \
            ROWS_##M(NEXT, N)                                                                      \
            b += b_pitch;                                                                          \
        }                                                                                          \
        if (add) {                                                                                 \
            ROWS_##M(ADD_ROW, N)                                                                   \
        }                                                                                          \
        ROWS_##M(KEEP_ROW, N)                                                                      \
    }
#define PRODUCTS(N) PRODUCT(3, N) PRODUCT(4, N) PRODUCT(5, N) PRODUCT(6, N)
#define PRODUCT_NAMES(N)                                                                           \
    {                                                                                              \
        NAME(product_3_##N), NAME(product_4_##N), NAME(product_5_##N), NAME(product_6_##N)         \
    }

typedef void (*NAME(product_kernel))(int64_t, int64_t, const T *, const int64_t *, int64_t, int64_t,
                                     const T *, int64_t, int64_t, T *, int64_t, int);

PRODUCTS(1)
PRODUCTS(2)
#if VECTOR_BYTES_ARE_64
PRODUCTS(3)
PRODUCTS(4)
#endif

/* By vectors, then by rows. */
static const NAME(product_kernel) NAME(products)[MOST_WIDE][MOST_HIGH + 1 - LEAST_HIGH] = {
    PRODUCT_NAMES(1),
    PRODUCT_NAMES(2),
#if VECTOR_BYTES_ARE_64
    PRODUCT_NAMES(3),
    PRODUCT_NAMES(4),
#endif
};

/* c[m, n] (+)= the same for all m < rows and n < columns, whole vectors. Where there are less than
 * LEAST_HIGH rows, offset and c have room for as many all the same. */
static void NAME(multiply)(int64_t rows, int64_t columns, int64_t height, int64_t width, const T *a,
                           const int64_t *offset, int64_t a_pitch, int64_t a_step, const T *b,
                           int64_t b_pitch, int64_t b_step, T *c, int64_t c_step, int add) {
    int64_t wide, high;
    for (int64_t o = 0; o < columns; o += wide * LANES) {
        wide = at_most((columns - o) / LANES, MOST_WIDE);
        for (int64_t m = 0; m < rows; m += high) {
            high = at_least(quotient_up(rows - m, quotient_up(rows - m, MOST_HIGH)), LEAST_HIGH);
            NAME(products)[wide - 1][high - LEAST_HIGH](height, width, a, offset + m, a_pitch,
                                                        a_step, b + o, b_pitch, b_step,
                                                        c + m * c_step + o, c_step, add);
        }
    }
}
