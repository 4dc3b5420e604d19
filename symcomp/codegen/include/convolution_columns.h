/* Filters of one tap, forward and with respect to the images: columns of planes are prepared, some blocks
 * wide, and multiplied with all filters. The algorithm that includes this says what a block is:
 *
 *     BLOCK_ROWS, BLOCK_WIDTH, ABREAST    its size, and how many stay in L2 side by side
 *     PRODUCTS                            how often it looks after its errands
 *     AHEAD                               after how many blocks one's place in the result is written, when
 *                                         it is brought nearer
 *     SPARE                               numbers that it needs beside
 *     block_terms(planes)                 terms between two visits to the result
 *     rows_start(planes, row, plane)      where filters begin that are packed
 *     columns_size(terms)                 numbers of the columns of a block
 *     prepare_columns                     them, of some blocks
 *     multiply_block                      a block of the result (+)= filters times columns
 */

/* What is the same for all columns of a part of the result. */
typedef struct NAME(part) {
    int64_t planes, channels;
    const T *packed; /* of the part's first channel */
    T *columns, *spare, *tile;
} NAME(part);

/* Sums of some terms for columns of the result, block after block. They lie within an image, where `to`
 * begins, or are some positions of all images, and blocks are made beside and brought there. The lines of
 * `next` are wanted afterwards. */
static void NAME(multiply_columns)(const NAME(part) *part, int64_t blocks, int64_t plane, int64_t terms,
                                   const T *source, int64_t pitch, NAME(stack) to, int64_t start,
                                   int64_t some, NAME(errand) next) {
    int64_t width = blocks * BLOCK_WIDTH, size = NAME(columns_size)(terms), line = some ? width : to.line;
    NAME(prepare_columns)(source, pitch, blocks, terms, part->columns);
    NAME(errand) errands[ERRANDS] = {{NULL, line, BLOCK_WIDTH, BLOCK_ROWS, PRODUCTS}, next};
    errands[1].products = part->channels / BLOCK_ROWS * blocks * PRODUCTS;
    for (int64_t m = 0; m < part->channels; m += BLOCK_ROWS, to.data += BLOCK_ROWS * to.line) {
        const T *rows = part->packed + NAME(rows_start)(part->planes, m, plane);
        T *result = some ? part->tile : to.data;
        if (some && plane)
            NAME(copy_column)(&to, BLOCK_ROWS, start, some, part->tile, width, 0);
        for (int64_t n = 0; n < blocks; ++n) {
            int64_t down = (n + AHEAD) / blocks * BLOCK_ROWS, right = (n + AHEAD) % blocks * BLOCK_WIDTH;
            errands[0].from = to.data + down * line + right;
            if (some || m + down >= part->channels)
                errands[0].lines = 0;
            NAME(multiply_block)(terms, rows, part->columns + n * size, part->spare,
                                 result + n * BLOCK_WIDTH, line, plane > 0, errands);
        }
        if (some)
            NAME(copy_column)(&to, BLOCK_ROWS, start, some, part->tile, width, 1);
    }
}

/* The positions of an image are cut into columns, some blocks wide; what remains of all images is
 * brought together. */
static int NAME(correlate_columns)(const symcomp_geometry *g, int which, const T *source,
                                   const T *packed, T *target, const symcomp_part *block) {
    NAME(side) side = NAME(side_of)(g, which);
    int64_t area = g->size[1] * g->size[2], count = block->rows * g->size[2];
    int64_t planes = side.planes, most = NAME(block_terms)(planes), widest = ABREAST * BLOCK_WIDTH;
    int64_t whole = count / BLOCK_WIDTH * BLOCK_WIDTH, rest = count - whole, left = rest * block->images;
    T *spare = runtime->push((size_t)SPARE * sizeof(T));
    T *columns = runtime->push((size_t)(ABREAST * NAME(columns_size)(most)) * sizeof(T));
    T *column = runtime->push((size_t)(most * widest) * sizeof(T));
    T *tile = runtime->push((size_t)(BLOCK_ROWS * widest) * sizeof(T));
    if (!spare || !columns || !column || !tile) {
        runtime->pop(spare);
        return 1;
    }
    int64_t row = block->group * side.channels + block->first_channel;
    NAME(part) part = {planes, block->channels, packed + NAME(rows_start)(planes, row, 0),
                       columns, spare, tile};
    int64_t first = (block->first_image * g->groups + block->group) * planes * area;
    NAME(stack) from = {(T *)source + first + block->first_row * g->size[2],
                        g->groups * planes * area, area, rest};
    NAME(stack) to = {target, block->image, block->channel, rest};
    for (int64_t image = 0; image < block->images; ++image)
        for (int64_t start = 0, width; start < whole; start += width) {
            width = at_most(widest, whole - start);
            for (int64_t plane = 0; plane < planes; plane += most) {
                const T *here = from.data + image * from.image + start;
                int64_t end = at_most(planes, plane + most);
                NAME(errand) next = {here + end * area, area, width, at_most(most, planes - end)};
                if (end == planes && start + width < whole)
                    next.from = here + width, next.lines = at_most(most, planes);
                else if (end == planes && image + 1 < block->images)
                    next.from = here - start + from.image, next.lines = at_most(most, planes);
                NAME(stack) there = to;
                there.data += image * to.image + start;
                NAME(multiply_columns)(&part, width / BLOCK_WIDTH, plane, end - plane, here + plane * area,
                                       area, there, 0, 0, next);
            }
        }
    from.data += whole, to.data += whole;
    for (int64_t start = 0, some; start < left; start += some) {
        some = at_most(widest, left - start);
        int64_t width = quotient_up(some, BLOCK_WIDTH) * BLOCK_WIDTH;
        if (some < width)
            NAME(zeros)(column, most * width);
        for (int64_t plane = 0, terms; plane < planes; plane += terms) {
            terms = at_most(most, planes - plane);
            NAME(stack) here = from;
            here.data += plane * area;
            NAME(copy_column)(&here, terms, start, some, column, width, 0);
            NAME(multiply_columns)(&part, width / BLOCK_WIDTH, plane, terms, column, width, to, start, some,
                                   (NAME(errand)){0});
        }
    }
    runtime->pop(spare);
    return 0;
}
