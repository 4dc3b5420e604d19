/* Channels as lanes: rows and columns of squares of vectors exchanged, and with it planes turned into
 * vectors of channels, position after position, and back. */

/* One round of a transposition: the first half of the rows woven with the second. */
static inline __attribute__((always_inline)) void NAME(weave_rows)(const VECTOR *x, VECTOR *y) {
#pragma GCC unroll 8
    for (int64_t n = 0; n < LANES / 2; ++n) {
        y[2 * n] = LOWER_WOVEN(x[n], x[n + LANES / 2]);
        y[2 * n + 1] = UPPER_WOVEN(x[n], x[n + LANES / 2]);
    }
}

/* Rows and columns of a square of vectors exchanged, in as many rounds as lanes can be halved. */
static inline __attribute__((always_inline)) const VECTOR *NAME(transpose)(VECTOR *x, VECTOR *y) {
    NAME(weave_rows)(x, y);
    if (LANES == 2)
        return y;
    NAME(weave_rows)(y, x);
    if (LANES == 4)
        return x;
    NAME(weave_rows)(x, y);
    if (LANES == 8)
        return y;
    NAME(weave_rows)(y, x);
    return x;
}

/* to[u * step + m] = from[m][u] for LANES rows m, of which NULL is one of zeros, and u < count. Reads
 * whole vectors where `end` allows it. */
static void NAME(to_lanes)(const T *const *from, int64_t offset, int64_t count, const T *end, T *to,
                           int64_t step) {
    for (int64_t first = 0; first < count; first += LANES) {
        if (count - first < LANES && count >= LANES)
            first = count - LANES;
        int64_t some = at_most(LANES, count - first);
        VECTOR block[LANES], spare[LANES];
#pragma GCC unroll 16
        for (int64_t m = 0; m < LANES; ++m) {
            block[m] = (VECTOR){0};
            if (!from[m])
                continue;
            const T *place = from[m] + offset + first;
            if (some == LANES || place + LANES <= end)
                block[m] = *(const UNALIGNED *)place;
            else
                memcpy(&block[m], place, (size_t)some * sizeof(T));
        }
        const VECTOR *columns = NAME(transpose)(block, spare);
        T *place = to + first * step;
#pragma GCC unroll 16
        for (int64_t u = 0; u < LANES; ++u)
            if (u < some)
                *(VECTOR *)(place + u * step) = columns[u];
    }
}

/* to[m * pitch + u] = from[u * step + m] for m < rows, u < count. */
static void NAME(from_lanes)(const T *from, int64_t step, int64_t count, T *to, int64_t pitch,
                             int64_t rows) {
    for (int64_t first = 0; first < count; first += LANES) {
        if (count - first < LANES && count >= LANES)
            first = count - LANES;
        int64_t some = at_most(LANES, count - first);
        VECTOR block[LANES], spare[LANES];
#pragma GCC unroll 16
        for (int64_t u = 0; u < LANES; ++u)
            block[u] = *(const VECTOR *)(from + (first + at_most(u, some - 1)) * step);
        const VECTOR *lines = NAME(transpose)(block, spare);
        T *place = to + first;
#pragma GCC unroll 16
        for (int64_t m = 0; m < LANES; ++m, place += pitch)
            if (m < rows && some == LANES)
                *(UNALIGNED *)place = lines[m];
            else if (m < rows)
                memcpy(place, &lines[m], (size_t)some * sizeof(T));
    }
}
