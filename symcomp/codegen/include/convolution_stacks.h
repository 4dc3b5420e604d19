/* What filters of one tap read: positions of all images, side by side. */

/* Lines of an array, such as planes or channels: of each image `count` positions from `data` on;
 * how far images are apart, and lines. */
typedef struct NAME(stack) {
    T *data;
    int64_t image, line, count;
} NAME(stack);

/* Fewer than LANES numbers. */
static inline void NAME(copy_few)(const T *from, int64_t count, T *to) {
#pragma GCC unroll 8
    for (int64_t some = LANES / 2; some; some /= 2)
        if (count & some) {
            memcpy(to, from, (size_t)some * sizeof(T));
            from += some, to += some;
        }
}

/* column[n, u] = line n at position first + u of all images, for u < `some` <= width; or the other
 * way round. Of whole vectors the last may overlap the one before. */
static void NAME(copy_column)(const NAME(stack) *from, int64_t lines, int64_t first, int64_t some,
                              T *column, int64_t width, int back) {
    for (int64_t u = 0, count; u < some; u += count) {
        int64_t image = (first + u) / from->count, at = (first + u) % from->count;
        count = at_most(from->count - at, some - u);
        T *place = from->data + image * from->image + at, *beside = column + u;
        for (int64_t n = 0; n < lines; ++n, place += from->line, beside += width) {
            const T *source = back ? beside : place;
            T *target = back ? place : beside;
            if (count < LANES)
                NAME(copy_few)(source, count, target);
            else
                for (int64_t v = 0; v < count; v += LANES) {
                    int64_t start = at_most(v, count - LANES);
                    *(UNALIGNED *)(target + start) = *(const UNALIGNED *)(source + start);
                }
        }
    }
}
