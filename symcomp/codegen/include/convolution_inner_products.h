/* Products of matrices by Winograd's algorithm for inner products:
 *
 *     a1 b1 + a2 b2 = (a1 + b2) (a2 + b1) - a1 a2 - b1 b2
 *                   = a1 a2 + b1 b2 - (a1 - b2) (a2 - b1)
 *
 * What depends on one side only is subtracted once for a row, and for a column. So there is one product
 * for two, and two sums (Winograd, "A new algorithm for inner products", 1968). That gains where adders
 * stand beside the multipliers: of six terms four are made so, by two products and four sums, and two as
 * they are, by two products. All six take as long as four.
 *
 * Sums of both sides lose no digits if these are about as large. So rows and columns are scaled by powers
 * of two that make the largest number of each between 1 and 2; results are scaled back. And sums of what
 * is subtracted would grow where all numbers have one sign: so the two forms take turns. Then errors are
 * about those of a direct sum, and what is not finite stays in its row or column.
 */

enum {
    /* Rows of a block of the result, a vector wide, in registers. */
    BLOCK_ROWS = 8,
    /* Terms of a sum between two visits to the result: as many as leave both sides in L1. */
    BLOCK_TERMS = 256,
    /* What lies before the numbers of rows, or of a column: what is subtracted, and the scale. */
    HEAD = 2,
    /* Of floating-point numbers: bits before the exponent, and twice its bias. */
    MANTISSA = sizeof(T) == 4 ? 23 : 52,
    TWICE_BIAS = sizeof(T) == 4 ? 254 : 2046,
};

/* How far terms and rows are apart: rows are lines, or, where there may be few terms, a term's eight rows
 * lie together. */
#if defined(ONE_TAP)
enum { TERM_STEP = 1, ROW_STEP = BLOCK_TERMS + 64 / (int)sizeof(T) };
#else
enum { TERM_STEP = BLOCK_ROWS, ROW_STEP = 1 };
#endif

/* ---- the kernel ---------------------------------------------------------------------------------- */

/* Numbers of a column of vectors; with a line between, lest one competes with the next one for the same
 * places in L1. */
static int64_t NAME(columns_size)(int64_t terms) { return (HEAD + terms + 1) * LANES; }

/* How many pairs there are of so many terms, an even number: term k < pairs and term pairs + k make one. */
static int64_t NAME(pairs_of)(int64_t terms) { return terms / 6 * 2; }

#define FIRST(k, m) first[k * TERM_STEP + m * ROW_STEP]
#define SECOND(k, m) second[k * TERM_STEP + m * ROW_STEP]
#define THIRD(k, m) third[k * TERM_STEP + m * ROW_STEP]
#define BEGIN_ROW(m, set) VECTOR set##_##m = b[0] + a[m];
#define PAIR(m, set) sum_##m += (second_0 + FIRST(0, m)) * (first_0 + SECOND(0, m));
#define OTHER_PAIR(m, set) sum_##m -= (second_1 - FIRST(1, m)) * (first_1 - SECOND(1, m));
#define TERM_OF(m, k) sum_##m += (THIRD(k, m) - zero) * third_##k;
#define SCALE_ROW(m, set) set##_##m = set##_##m * a[BLOCK_ROWS + m] * b[1];
#define PLACE(m) (*(UNALIGNED *)(result + m * pitch))
#define ADD_PLACE(m, set) set##_##m += PLACE(m);
#define KEEP_ROW_OF(m, set) PLACE(m) = set##_##m;

/* Eight rows of a column of the result (+)= rows times column, of so many terms. */
static void NAME(multiply)(int64_t terms, const T *a, const VECTOR *b, T *result, int64_t pitch,
                           int add) {
    int64_t pairs = NAME(pairs_of)(terms);
    const T *first = a + HEAD * BLOCK_ROWS, *second = first + pairs * TERM_STEP;
    const T *third = second + pairs * TERM_STEP, *middle = second;
    const T *end = first + terms * TERM_STEP;
    const VECTOR *x = b + HEAD, *y = x + pairs, *z = y + pairs;
    VECTOR zero = {0};
    ROWS_8(BEGIN_ROW, sum)
    int64_t two = 2 * TERM_STEP;
    for (; first != middle; first += two, second += two, third += two, x += 2, y += 2, z += 2) {
        VECTOR first_0 = x[0], first_1 = x[1], second_0 = y[0], second_1 = y[1];
        VECTOR third_0 = z[0], third_1 = z[1];
        ROWS_8(PAIR, sum) ROWS_8(TERM_OF, 0) ROWS_8(OTHER_PAIR, sum) ROWS_8(TERM_OF, 1)
    }
    for (; third != end; third += TERM_STEP, ++z) {
        VECTOR third_0 = z[0];
        ROWS_8(TERM_OF, 0)
    }
    ROWS_8(SCALE_ROW, sum)
    if (add) {
        ROWS_8(ADD_PLACE, sum)
    }
    ROWS_8(KEEP_ROW_OF, sum)
}

/* Terms between two visits to the result. */
static int64_t NAME(block_terms)(int64_t planes) {
    return quotient_up(planes, quotient_up(planes, BLOCK_TERMS));
}

/* ---- both sides ---------------------------------------------------------------------------------- */

static inline NAME(mask) NAME(larger)(NAME(mask) x, NAME(mask) y) {
    NAME(mask) chosen = x > y;
    return (x & chosen) | (y & ~chosen);
}

static inline NAME(mask) NAME(magnitude)(VECTOR x) {
    NAME(mask) none = {0}, all_but_sign = none + (INTEGER)(UINT64_MAX >> (65 - 8 * sizeof(T)));
    return (NAME(mask))x & all_but_sign;
}

/* By what numbers of that magnitude, at most, are multiplied, and what makes up for it: zero where all
 * are, lest their sums be anything else. */
static inline void NAME(scales)(NAME(mask) largest, VECTOR *scale, VECTOR *back) {
    NAME(mask) none = {0}, least = none + ((INTEGER)1 << MANTISSA);
    NAME(mask) exponent = NAME(larger)(largest & -least, least), most = least * (TWICE_BIAS - 1);
    exponent = most - NAME(larger)(most - exponent, none);
    *back = (VECTOR)(exponent & (largest > none));
    *scale = (VECTOR)(least * TWICE_BIAS - exponent);
}
