/* The kernel of Winograd's products: c[m, n] (+)= sum over terms y * width + u of a[offset[m] +
 * y * a_pitch + u * a_step] * b[y * b_pitch + u * b_step + n], for some rows m and vectors n. All sums stay
 * in registers. There are kernels of four rows and of six, which make any even number of them.
 */

enum {
    /* As many sums as the registers hold beside what is multiplied. */
    LEAST_HIGH = 4, MOST_WIDE = VECTOR_BYTES == 64 ? 8 : VECTOR_BYTES / 16,
};

/* The weight that the whole vectors of a row were multiplied with: read again, it would take a register, and
 * be spread over its lanes by the units that multiply. */
#if defined(__clang__) || __GNUC__ >= 12
#define LOWER_HALF_f32(x) __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7)
#define LOWER_HALF_f64(x) __builtin_shufflevector(x, x, 0, 1, 2, 3)
#define HALF_WEIGHT(m) PASTE(LOWER_HALF, SUFFIX)(weight)
#else
#define HALF_WEIGHT(m) (from_##m[u] - half_zero)
#endif
#define HALF_SUM(m) NAME(half) half_##m = {0};
#define HALF_TERM(m) half_##m += HALF_WEIGHT(m) * beside;
#define HALF_RESULT(m, N) (*(NAME(half) *)(c + m * c_step + N * LANES))
#define HALF_ADD(m, N) half_##m += HALF_RESULT(m, N);
#define HALF_KEEP(m, N) HALF_RESULT(m, N) = half_##m;

#define SUMS_AND_HALF(m, N) SUMS(m, N) HALF_SUM(m)
#define PRODUCTS_AND_HALF(m, N) ROW_OF_PRODUCTS(m, N) HALF_TERM(m)
#define ADD_AND_HALF(m, N) ADD_ROW(m, N) HALF_ADD(m, N)
#define KEEP_AND_HALF(m, N) KEEP_ROW(m, N) HALF_KEEP(m, N)

#define PRODUCT(NAME_OF, M, N, SUMS_OF, HALF_BESIDE, PRODUCTS_OF, ADD_OF, KEEP_OF)                  \
    static void NAME(NAME_OF)(int64_t terms, int64_t width, const T *a, const int64_t *offset,     \
                              int64_t a_pitch, int64_t a_step, const T *b, int64_t b_pitch,        \
                              int64_t b_step, T *c, int64_t c_step, int add) {                     \
        b_pitch -= width * b_step;                                                                 \
        VECTOR zero = {0}, weight;                                                                 \
        NAME(half) half_zero = {0};                                                                \
        ROWS_##M(SUMS_OF, N)                                                                       \
        ROWS_##M(BEGIN, N)                                                                         \
        for (; terms > 0; terms -= width) {                                                        \
            int64_t end = at_most(terms, width) * a_step;                                          \
            for (int64_t u = 0; u < end; u += a_step, b += b_step) {                               \
                COLUMNS_##N(BESIDE, 0)                                                             \
                HALF_BESIDE                                                                        \
                ROWS_##M(PRODUCTS_OF, N)                                                           \
            }                                                                                      \
            ROWS_##M(NEXT, N)                                                                      \
            b += b_pitch;                                                                          \
        }                                                                                          \
        if (add) {                                                                                 \
            ROWS_##M(ADD_OF, N)                                                                    \
        }                                                                                          \
        ROWS_##M(KEEP_OF, N)                                                                       \
    }
#define WHOLE(M, N)                                                                                \
    PRODUCT(product_##M##_##N, M, N, SUMS, , ROW_OF_PRODUCTS, ADD_ROW, KEEP_ROW)
#define WITH_HALF(M, N)                                                                            \
    PRODUCT(product_##M##_##N##_half, M, N, SUMS_AND_HALF,                                         \
            NAME(half) beside = *(const NAME(half) *)(b + N * LANES);, PRODUCTS_AND_HALF,          \
            ADD_AND_HALF, KEEP_AND_HALF)

typedef void (*NAME(product_kernel))(int64_t, int64_t, const T *, const int64_t *, int64_t, int64_t,
                                     const T *, int64_t, int64_t, T *, int64_t, int);

WHOLE(4, 1) WHOLE(6, 1)
WHOLE(4, 2) WHOLE(6, 2)
#if VECTOR_BYTES_ARE_64
WHOLE(4, 3) WHOLE(6, 3)
WHOLE(4, 4) WHOLE(6, 4)
WITH_HALF(4, 1) WITH_HALF(6, 1)
WITH_HALF(4, 3) WITH_HALF(6, 3)
#endif

/* By units, then by rows. What there is no kernel for is made wider: columns end with a whole vector. */
static const NAME(product_kernel) NAME(products)[MOST_WIDE + 1][2] = {
#if VECTOR_BYTES_ARE_64
    [1] = {NAME(product_4_1), NAME(product_6_1)},
    [2] = {NAME(product_4_1), NAME(product_6_1)},
    [3] = {NAME(product_4_1_half), NAME(product_6_1_half)},
    [4] = {NAME(product_4_2), NAME(product_6_2)},
    [5] = {NAME(product_4_3), NAME(product_6_3)},
    [6] = {NAME(product_4_3), NAME(product_6_3)},
    [7] = {NAME(product_4_3_half), NAME(product_6_3_half)},
    [8] = {NAME(product_4_4), NAME(product_6_4)},
#else
    [VECTOR_BYTES / 32] = {NAME(product_4_1), NAME(product_6_1)},
    [VECTOR_BYTES / 16] = {NAME(product_4_2), NAME(product_6_2)},
#endif
};

/* How many rows are made where so many are wanted: offset and c have room for them. */
static int64_t NAME(rows_made)(int64_t rows) {
    return at_least(LEAST_HIGH, (rows + 1) / 2 * 2);
}

/* c[m, n] (+)= the same for all m < rows and n < columns, at least. */
static void NAME(multiply)(int64_t rows, int64_t columns, int64_t terms, int64_t width, const T *a,
                           const int64_t *offset, int64_t a_pitch, int64_t a_step, const T *b,
                           int64_t b_pitch, int64_t b_step, T *c, int64_t c_step, int add) {
    int64_t wide, high;
    for (int64_t o = 0; o < columns; o += wide * UNIT) {
        wide = at_most(quotient_up(columns - o, UNIT), MOST_WIDE);
        for (int64_t m = 0; m < rows; m += high) {
            int64_t left = NAME(rows_made)(rows - m);
            high = left == 4 || left == 8 ? 4 : 6;
            NAME(products)[wide][high == 6](terms, width, a, offset + m, a_pitch, a_step, b + o,
                                            b_pitch, b_step, c + m * c_step + o, c_step, add);
        }
    }
}
