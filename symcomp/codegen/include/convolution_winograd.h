/* Convolution with 3 × 3 or 5 × 5 filters by Winograd's F(4 × 4, 3 × 3) or F(2 × 2, 5 × 5): sixteen
 * results, or four, from 36 products instead of 144, or 100.
 *
 * Polynomials are multiplied by their values at six points, 0, ±a, ±b and infinity. Let A be what turns
 * coefficients, so many as there are, into these values. With w the taps, and x the 6 × 6 places that a
 * tile of results meets, the tile is
 *     A'[(D A w A' D) . (B' x B)]A, D being diagonal
 * (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016). It is linear in w and in
 * x, and with y a tile of the results' gradient the other two directions are
 *     A'D[(B' x B) . (A y A')]D A with respect to the filters, and
 *     B[(D A w A' D) . (A y A')]B' with respect to the images.
 * The last is how it is done for 5 × 5 filters; for 3 × 3 the images' gradient is a correlation with the
 * filters turned, which takes as many tiles. With a = 3/4 and b = 3/2 all factors of A and B are exact,
 * and errors are a third of those at the usual points ±1, ±2, about twice those of a direct sum. Where x
 * is not finite, the whole tile is nan.
 *
 * The lanes of a vector are channels. Rows of planes are turned into strips, channels last, in which
 * a tile may begin at any column: so it costs nothing to pad, or to dilate (each residue of rows and
 * columns is then a dense convolution of its own). A group is as many channels as PADDING has room
 * for.
 *
 * A library is of one size of filters.
 */

#if defined(FIVES)
enum { TAPS = 5 };
#else
enum { TAPS = 3 };
#endif

enum {
    SIDE = POINTS + 1 - TAPS, /* of a tile of results */
    AREA = TAPS * TAPS,
    /* Whether the images' gradient is made of tiles of the results' gradient, each spread over the places
     * that it meets. */
    SPREADS = TAPS > SIDE,
    GROUP = PADDING / (int)sizeof(T),
    /* Groups of filters whose products are made, and transformed back, together. */
    CHUNK = 4,
    /* What the transformed tiles of a pass may take, and how many they are at least and at most. */
    TRANSFORMED_BYTES = 512 << 10, LEAST_TILES = 48, MOST_TILES = 128,
    /* Tiles of a pass of the gradient of filters. */
    FILTERS_TILES = 64,
    /* Planes whose filters are transformed at a time, where they are used. */
    SEGMENT = 4 * GROUP,
};

#define NEAR ((T)0.75)
#define FAR ((T)1.5)
#define NEAR2 (NEAR * NEAR)
#define FAR2 (FAR * FAR)

/* ---- transforms of six numbers, or fewer -------------------------------------------------------- */

/* A x. */
static inline __attribute__((always_inline)) void NAME(a_times)(const int count, const VECTOR *x,
                                                                VECTOR *y) {
    VECTOR near = x[0], far = x[0], near_odd = x[1], far_odd = x[1];
    if (count >= 3)
        near += NEAR2 * x[2], far += FAR2 * x[2];
    if (count >= 4)
        near_odd += NEAR2 * x[3], far_odd += FAR2 * x[3];
    if (count >= 5)
        near += NEAR2 * NEAR2 * x[4], far += FAR2 * FAR2 * x[4];
    y[0] = x[0];
    y[1] = near + NEAR * near_odd, y[2] = near - NEAR * near_odd;
    y[3] = far + FAR * far_odd, y[4] = far - FAR * far_odd;
    y[5] = x[count - 1];
}

/* A' m. */
static inline __attribute__((always_inline)) void NAME(a_turned_times)(const int count,
                                                                       const VECTOR *m, VECTOR *y) {
    VECTOR p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], s = m[3] - m[4];
    y[0] = m[0] + (p + r);
    y[1] = NEAR * q + FAR * s;
    if (count >= 3)
        y[2] = NEAR2 * p + FAR2 * r;
    if (count >= 4)
        y[3] = NEAR2 * NEAR * q + FAR2 * FAR * s;
    if (count >= 5)
        y[4] = NEAR2 * NEAR2 * p + FAR2 * FAR2 * r;
    y[count - 1] += m[5];
}

/* B' x. */
static inline __attribute__((always_inline)) void NAME(b_turned_times)(const VECTOR *x, VECTOR *y) {
    VECTOR p = x[4] - FAR2 * x[2], q = x[3] - FAR2 * x[1];
    VECTOR r = x[4] - NEAR2 * x[2], s = x[3] - NEAR2 * x[1];
    y[0] = (x[4] - (NEAR2 + FAR2) * x[2]) + NEAR2 * FAR2 * x[0];
    y[1] = p + NEAR * q, y[2] = p - NEAR * q;
    y[3] = r + FAR * s, y[4] = r - FAR * s;
    y[5] = (x[5] - (NEAR2 + FAR2) * x[3]) + NEAR2 * FAR2 * x[1];
}

/* B m. */
static inline __attribute__((always_inline)) void NAME(b_times)(const VECTOR *m, VECTOR *y) {
    VECTOR p = m[1] + m[2], q = NEAR * (m[1] - m[2]), r = m[3] + m[4], s = FAR * (m[3] - m[4]);
    y[0] = NEAR2 * FAR2 * m[0];
    y[1] = NEAR2 * FAR2 * m[5] - (FAR2 * q + NEAR2 * s);
    y[2] = -(NEAR2 + FAR2) * m[0] - (FAR2 * p + NEAR2 * r);
    y[3] = (q + s) - (NEAR2 + FAR2) * m[5];
    y[4] = m[0] + (p + r);
    y[5] = m[5];
}

/* D. */
static const T NAME(diagonal)[POINTS] = {
    1 / (NEAR2 * FAR2),
    (T)0.5 / (NEAR2 * (NEAR2 - FAR2)), (T)0.5 / (NEAR2 * (NEAR2 - FAR2)),
    (T)0.5 / (FAR2 * (FAR2 - NEAR2)), (T)0.5 / (FAR2 * (FAR2 - NEAR2)),
    1,
};

/* ---- transforms of tiles ------------------------------------------------------------------------- */

/* The values of a tile of count × count at the points, for a vector of channels: B' x B of all six, else
 * A x A'. `line` are its rows. */
static inline __attribute__((always_inline)) void NAME(to_points)(const int count, T *const *line,
                                                                  int64_t column, int64_t step,
                                                                  T *to, int64_t factor) {
    VECTOR half[POINTS][POINTS];
#pragma GCC unroll 6
    for (int j = 0; j < count; ++j) {
        VECTOR x[POINTS], y[POINTS];
#pragma GCC unroll 6
        for (int i = 0; i < count; ++i)
            x[i] = *(const VECTOR *)(line[i] + column + j * step);
        if (count == POINTS)
            NAME(b_turned_times)(x, y);
        else
            NAME(a_times)(count, x, y);
#pragma GCC unroll 6
        for (int i = 0; i < POINTS; ++i)
            half[i][j] = y[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < POINTS; ++i) {
        VECTOR y[POINTS];
        if (count == POINTS)
            NAME(b_turned_times)(half[i], y);
        else
            NAME(a_times)(count, half[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < POINTS; ++j, to += factor)
            *(VECTOR *)to = y[j];
    }
}

/* The other way round: sums at the points make a tile of count × count, or what is added to one. */
static inline __attribute__((always_inline)) void
NAME(from_points)(const int count, const int add, const T *sums, int64_t factor, T *const *line,
                  int64_t column, int64_t step) {
    VECTOR half[POINTS][POINTS];
#pragma GCC unroll 6
    for (int j = 0; j < POINTS; ++j) {
        VECTOR m[POINTS], y[POINTS];
#pragma GCC unroll 6
        for (int i = 0; i < POINTS; ++i)
            m[i] = *(const VECTOR *)(sums + (i * POINTS + j) * factor);
        if (count == POINTS)
            NAME(b_times)(m, y);
        else
            NAME(a_turned_times)(count, m, y);
#pragma GCC unroll 6
        for (int i = 0; i < count; ++i)
            half[i][j] = y[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < count; ++i) {
        VECTOR y[POINTS];
        if (count == POINTS)
            NAME(b_times)(half[i], y);
        else
            NAME(a_turned_times)(count, half[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < count; ++j) {
            VECTOR *to = (VECTOR *)(line[i] + column + j * step);
            *to = add ? *to + y[j] : y[j];
        }
    }
}

/* Of an image, and of the results' gradient. */
static void NAME(transform_image)(T *const *line, int64_t column, int64_t step, T *to,
                                  int64_t factor) {
    NAME(to_points)(POINTS, line, column, step, to, factor);
}

static void NAME(transform_gradient)(T *const *line, int64_t column, int64_t step, T *to,
                                     int64_t factor) {
    NAME(to_points)(SIDE, line, column, step, to, factor);
}

/* Of sums, back: into results, and added to an image's gradient. */
static void NAME(transform_sums)(const T *sums, int64_t factor, T *const *line, int64_t column,
                                 int64_t step) {
    NAME(from_points)(SIDE, 0, sums, factor, line, column, step);
}

static void NAME(spread_sums)(const T *sums, int64_t factor, T *const *line, int64_t column,
                              int64_t step) {
    NAME(from_points)(POINTS, 1, sums, factor, line, column, step);
}

/* D A w A' D of the taps, for a vector of filters; and D A' m A D of sums, the gradient of taps. They are
 * few: loops are shorter to compile. */
static void NAME(transform_taps)(const VECTOR *w, T *to, int64_t factor) {
    VECTOR half[TAPS][POINTS];
    for (int j = 0; j < TAPS; ++j) {
        VECTOR x[TAPS];
#pragma GCC unroll 5
        for (int i = 0; i < TAPS; ++i)
            x[i] = w[i * TAPS + j];
        NAME(a_times)(TAPS, x, half[j]);
    }
    for (int i = 0; i < POINTS; ++i) {
        VECTOR x[TAPS], y[POINTS];
#pragma GCC unroll 5
        for (int j = 0; j < TAPS; ++j)
            x[j] = half[j][i];
        NAME(a_times)(TAPS, x, y);
#pragma GCC unroll 6
        for (int j = 0; j < POINTS; ++j, to += factor)
            *(VECTOR *)to = NAME(diagonal)[i] * NAME(diagonal)[j] * y[j];
    }
}

static void NAME(transform_sums_of_taps)(const T *sums, int64_t factor, T *to, int64_t step) {
    VECTOR half[POINTS][TAPS];
    for (int j = 0; j < POINTS; ++j) {
        VECTOR m[POINTS];
#pragma GCC unroll 6
        for (int i = 0; i < POINTS; ++i)
            m[i] = NAME(diagonal)[i] * *(const VECTOR *)(sums + (i * POINTS + j) * factor);
        NAME(a_turned_times)(TAPS, m, half[j]);
    }
    for (int i = 0; i < TAPS; ++i) {
        VECTOR m[POINTS], y[TAPS];
#pragma GCC unroll 6
        for (int j = 0; j < POINTS; ++j)
            m[j] = NAME(diagonal)[j] * half[j][i];
        NAME(a_turned_times)(TAPS, m, y);
#pragma GCC unroll 5
        for (int j = 0; j < TAPS; ++j, to += step)
            *(VECTOR *)to = y[j];
    }
}
