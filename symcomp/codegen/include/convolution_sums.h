/* Sums of products in registers, rows by vectors: what the kernels of all ways are made of.
 *
 * Each sum is a variable of its own, named by macros: loops over an array of them cost the compiler
 * twice the time, and it is most of what it does for these libraries.
 */

#define COLUMNS_1(X, m) X(m, 0)
#define COLUMNS_2(X, m) COLUMNS_1(X, m) X(m, 1)
#define COLUMNS_3(X, m) COLUMNS_2(X, m) X(m, 2)
#define COLUMNS_4(X, m) COLUMNS_3(X, m) X(m, 3)
#define COLUMNS_6(X, m) COLUMNS_4(X, m) X(m, 4) X(m, 5)
#define ROWS_1(X, N) X(0, N)
#define ROWS_2(X, N) ROWS_1(X, N) X(1, N)
#define ROWS_3(X, N) ROWS_2(X, N) X(2, N)
#define ROWS_4(X, N) ROWS_3(X, N) X(3, N)
#define ROWS_5(X, N) ROWS_4(X, N) X(4, N)
#define ROWS_6(X, N) ROWS_5(X, N) X(5, N)
#define ROWS_7(X, N) ROWS_6(X, N) X(6, N)
#define ROWS_8(X, N) ROWS_7(X, N) X(7, N)

#define SUM(m, v) VECTOR sum_##m##_##v = {0};
#define SUMS(m, N) COLUMNS_##N(SUM, m)

/* Of whole vectors: c[m, n] += weight * x[n]. */
#define TERM(m, v) sum_##m##_##v += weight * x_##v;
#define RESULT(m, v) ((UNALIGNED *)(c + m * c_step))[v]
#define ADD(m, v) sum_##m##_##v += RESULT(m, v);
#define ADD_ROW(m, N) COLUMNS_##N(ADD, m)
#define KEEP(m, v) RESULT(m, v) = sum_##m##_##v;
#define KEEP_ROW(m, N) COLUMNS_##N(KEEP, m)

/* Both sides read from memory: weights from rows that are found by their offsets, vectors side by side. */
#define BESIDE(m, v) VECTOR x_##v = ((const VECTOR *)b)[v];
#define BEGIN(m, N) const T *from_##m = a + offset[m];
#define ROW_OF_PRODUCTS(m, N) weight = from_##m[u] - zero; COLUMNS_##N(TERM, m)
#define NEXT(m, N) from_##m += a_pitch;

/* The widest tile with so many rows, of at most so many vectors, whose sums fit the registers: there
 * are 32 of the longest vectors, and 16 of others. */
static int64_t NAME(widest)(int64_t rows, int64_t vectors) {
    if (VECTOR_BYTES < 64)
        return vectors >= 3 && rows <= 4 ? 3 : 1;
    return vectors >= 6 && rows <= 4 ? 6 : vectors >= 3 ? 3 : 1;
}
