/* Arrays on their way to products: lines that are brought nearer, read in their order, and turned. */

/* Which a block is given; those without lines are none. */
enum { ERRANDS = 3 };

/* Lines of an array to be brought nearer while products are made, some with each: what then reads or
 * writes them all at once, in another order, would wait. */
typedef struct NAME(errand) {
    const T *from;
    int64_t pitch, width, lines, products, due;
} NAME(errand);

static inline void NAME(run_errand)(NAME(errand) *errand) {
    for (errand->due += errand->lines; errand->due > 0; errand->due -= errand->products) {
        for (int64_t u = 0; u < errand->width; u += 64 / (int64_t)sizeof(T))
            __builtin_prefetch(errand->from + u, 0, 2);
        errand->from += errand->pitch;
    }
}

/* Reads some lines in their order, one number of each line of the cache: what then reads them in another
 * order, many at a time, would wait for each. */
static void NAME(touch)(const T *from, int64_t pitch, int64_t lines, int64_t width) {
    for (int64_t n = 0; n < lines; ++n, from += pitch)
        for (int64_t u = 0; u < width; u += 64 / (int64_t)sizeof(T))
            (void)*(const volatile T *)(from + u);
}

/* Lines of an array, an area each: those of an image, and where the array ends. */
typedef struct NAME(lines) {
    const T *data, *end;
    int64_t image, count;
} NAME(lines);

/* to[k, n] = lines[n, k] of some places; lines past the last are zeros. */
static void NAME(turn_lines)(const NAME(lines) *lines, const T *from, int64_t area, int64_t some, T *to,
                             int64_t pitch) {
    for (int64_t n = 0; n < pitch; n += LANES) {
        const T *place[LANES];
        NAME(touch)(from + n * area, area, at_least(0, at_most(LANES, lines->count - n)), some);
        for (int64_t m = 0; m < LANES; ++m)
            place[m] = n + m < lines->count ? from + (n + m) * area : NULL;
        NAME(to_lanes)(place, 0, some, lines->end, to + n, pitch);
    }
}
