/* Channels as lanes: rows and columns of squares of vectors exchanged, and with it planes turned into
 * vectors of channels, position after position, and back. */

/* Filters of a group, as many as fill whole stretches. */
static int64_t NAME(padded_filters)(const symcomp_geometry *g) {
    return quotient_up(g->filters, PADDING / (int64_t)sizeof(T)) * (PADDING / (int64_t)sizeof(T));
}

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

#ifdef DIRECT
/* to[u * step + m] = from[m][u] for LANES rows m, of which NULL is one of zeros, and u < count. Reads
 * whole vectors where `end` allows it. */
static void NAME(to_lanes)(const T *const *from, int64_t offset, int64_t count, const T *end, T *to,
                           int64_t step) {
    static const VECTOR none;
    const T *last = NULL;
    for (int64_t m = 0; m < LANES; ++m)
        last = from[m] && (!last || from[m] > last) ? from[m] : last;
    for (int64_t first = 0; first < count; first += LANES) {
        if (count - first < LANES && count >= LANES)
            first = count - LANES;
        int64_t some = at_most(LANES, count - first);
        if (some < LANES && last && end - last < offset + LANES) { /* all that there is, then */
            VECTOR copy[LANES];
            const T *beside[LANES];
            for (int64_t m = 0; m < LANES; ++m) {
                beside[m] = from[m] ? (const T *)&copy[m] : NULL;
                if (from[m])
                    memcpy(&copy[m], from[m] + offset, (size_t)some * sizeof(T));
            }
            NAME(to_lanes)(beside, 0, some, (const T *)(copy + LANES), to, step);
            return;
        }
        VECTOR block[LANES], spare[LANES];
#pragma GCC unroll 16
        for (int64_t m = 0; m < LANES; ++m)
            block[m] = *(const UNALIGNED *)(from[m] ? from[m] + offset + first : (const T *)&none);
        const VECTOR *columns = NAME(transpose)(block, spare);
        /* What lies behind the last column is overwritten by it. */
#pragma GCC unroll 16
        for (int64_t u = LANES - 1; u >= 0; --u)
            *(VECTOR *)(to + (first + at_most(u, some - 1)) * step) = columns[u];
    }
}
#else
static inline void NAME(to_lanes)(const T *const *from, int64_t offset, int64_t count, const T *end,
                                  T *to, int64_t step) {
    LENT->to_lanes(from, offset, count, end, to, step);
}
#endif

/* partial[c, o] = sums[o, c], and zero past the last filter. */
static void NAME(turn_sums)(const T *sums, int64_t pitch, int64_t filters, int64_t channels,
                            const T *end, T *partial, int64_t width) {
    for (int64_t o = 0; o < width; o += LANES) {
        const T *from[LANES];
        for (int64_t m = 0; m < LANES; ++m)
            from[m] = o + m < filters ? sums + (o + m) * pitch : NULL;
        NAME(to_lanes)(from, 0, channels, end, partial + o, width);
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
        VECTOR copy[LANES];
        T *place = some == LANES ? to + first : (T *)copy;
        int64_t apart = some == LANES ? pitch : LANES;
        /* What lies behind the last line is overwritten by it. */
#pragma GCC unroll 16
        for (int64_t m = LANES - 1; m >= 0; --m)
            *(UNALIGNED *)(place + at_most(m, rows - 1) * apart) = lines[m];
        for (int64_t m = 0; some < LANES && m < at_most(rows, LANES); ++m)
            memcpy(to + first + m * pitch, &copy[m], (size_t)some * sizeof(T));
    }
}
