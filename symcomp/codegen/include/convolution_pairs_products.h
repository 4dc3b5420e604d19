/* The products of convolution_pairs.h: filters times tiles, a factor at a time. How filters are packed
 * depends on the kernels: those for inner products where adders stand beside the multipliers, else
 * sums in registers of rows by some vectors. `packed` is [group, phase, panel, factor, term, row].
 */

#if SEPARATE_ADDERS

enum {
    /* Channels whose sums are made and finished together. Tiles are prepared anew for each. */
    PAIR_SUMS = 256,
    /* Columns, of vectors, that stay in L2 while all rows are multiplied with them. */
    ABREAST = 16,
};

/* Numbers of eight rows. */
static int64_t NAME(rows_size)(int64_t terms) { return (HEAD + terms) * BLOCK_ROWS; }

/* Where a term of a factor begins, of so many: blocks of them, whose rows are scaled and have what is
 * subtracted before them. All are an even number, so that a vector holds those of two terms. */
static int64_t NAME(term_start)(int64_t terms, int64_t term) {
    int64_t most = quotient_up(NAME(block_terms)(terms), 2) * 2;
    return term / most * NAME(rows_size)(most) + (HEAD + term % most) * BLOCK_ROWS;
}

/* Numbers of a factor of a panel. */
static int64_t NAME(panel_size)(int64_t terms) {
    return NAME(term_start)(terms, quotient_up(terms, 2) * 2 - 1) + BLOCK_ROWS;
}

/* Scales a panel's rows of one factor, which are there now, and says what is subtracted. */
static void NAME(finish_panel)(T *packed, int64_t terms) {
    int64_t most = quotient_up(NAME(block_terms)(terms), 2) * 2;
    if (terms % 2)
        NAME(zeros)(packed + NAME(term_start)(terms, terms), BLOCK_ROWS);
    for (int64_t first = 0, some; first < terms; first += some) {
        some = at_most(most, terms - first);
        T *head = packed + NAME(term_start)(terms, first) - HEAD * BLOCK_ROWS;
        int64_t pairs = NAME(pairs_of)(some) / 2, count = quotient_up(some, 2);
        NAME(mask) largest = {0}, other;
        VECTOR scale, less = {0}, *x = (VECTOR *)head + HEAD / 2;
        for (int64_t k = 0; k < count; ++k)
            largest = NAME(larger)(largest, NAME(magnitude)(x[k]));
        memcpy(&other, (const T *)&largest + BLOCK_ROWS, BLOCK_ROWS * sizeof(T));
        memcpy((T *)&other + BLOCK_ROWS, &largest, BLOCK_ROWS * sizeof(T));
        VECTOR back;
        NAME(scales)(NAME(larger)(largest, other), &scale, &back);
        for (int64_t k = 0; k < count; ++k) {
            x[k] *= scale;
            if (k >= pairs && k < 2 * pairs)
                less += x[k] * x[k - pairs];
        }
        for (int64_t m = 0; m < BLOCK_ROWS; ++m)
            head[m] = less[BLOCK_ROWS + m] - less[m], head[BLOCK_ROWS + m] = back[m];
    }
}

/* A column of tiles [term, position]: their lines are whole, and still in L1 when they are read again. */
static void NAME(prepare_column)(const T *from, int64_t pitch, int64_t terms, VECTOR *to) {
    int64_t pairs = NAME(pairs_of)(terms);
    NAME(mask) largest[4] = {{0}}; /* of every fourth, so that none waits for the one before */
    VECTOR scale, less = {0}, *column = to + HEAD, *other = column - pairs;
    for (int64_t k = 0; k < terms; k += 4)
#pragma GCC unroll 4
        for (int64_t n = 0; n < 4; ++n) {
            const VECTOR *x = (const VECTOR *)(from + at_most(k + n, terms - 1) * pitch);
            largest[n] = NAME(larger)(largest[n], NAME(magnitude)(*x));
        }
    largest[0] = NAME(larger)(largest[0], largest[1]);
    largest[2] = NAME(larger)(largest[2], largest[3]);
    NAME(scales)(NAME(larger)(largest[0], largest[2]), &scale, to + 1);
    int64_t k = 0;
    for (; k < pairs; ++k, from += pitch)
        column[k] = *(const VECTOR *)from * scale;
    for (; k < 2 * pairs; k += 2, from += 2 * pitch) {
        column[k] = *(const VECTOR *)from * scale;
        column[k + 1] = *(const VECTOR *)(from + pitch) * scale;
        less += column[k + 1] * other[k + 1] - column[k] * other[k];
    }
    for (; k < terms; ++k, from += pitch)
        column[k] = *(const VECTOR *)from * scale;
    to[0] = less;
}

/* Numbers that `multiply_factor` needs beside. */
static int64_t NAME(beside_size)(int64_t terms) {
    return ABREAST * NAME(columns_size)(quotient_up(NAME(block_terms)(terms), 2) * 2);
}

/* sums[channel, lane] of `count` channels, a multiple of a panel's; from panel to panel, and from term to
 * term of the tiles, it is so far. */
static void NAME(multiply_factor)(int64_t terms, int64_t count, int64_t vectors, const T *packed,
                                  int64_t panel, const T *tiles, int64_t pitch, T *beside, T *sums) {
    int64_t most = quotient_up(NAME(block_terms)(terms), 2) * 2, lanes = vectors * LANES;
    for (int64_t v = 0, wide; v < vectors; v += wide) {
        wide = at_most(ABREAST, vectors - v);
        for (int64_t first = 0, some; first < terms; first += some) {
            some = at_most(most, terms - first);
            int64_t size = NAME(columns_size)(some);
            for (int64_t n = 0; n < wide; ++n)
                NAME(prepare_column)(tiles + first * pitch + (v + n) * LANES, pitch, some,
                                     (VECTOR *)(beside + n * size));
            const T *rows = packed + NAME(term_start)(terms, first) - HEAD * BLOCK_ROWS;
            for (int64_t m = 0; m < count; m += BLOCK_ROWS, rows += panel)
                for (int64_t n = 0; n < wide; ++n)
                    NAME(multiply)(some, rows, (const VECTOR *)(beside + n * size),
                                   sums + m * lanes + (v + n) * LANES, lanes, first > 0);
        }
    }
}

#else

enum {
    /* Channels whose sums are made and finished together: they stay in L2, too. */
    PAIR_SUMS = 64,
};

static int64_t NAME(term_start)(int64_t terms, int64_t term) {
    (void)terms;
    return term * MOST_ROWS;
}

static int64_t NAME(panel_size)(int64_t terms) { return terms * MOST_ROWS; }

static void NAME(finish_panel)(T *packed, int64_t terms) { (void)packed, (void)terms; }

static int64_t NAME(beside_size)(int64_t terms) {
    return quotient_up(terms * (int64_t)sizeof(int64_t), (int64_t)sizeof(T));
}

static void NAME(multiply_factor)(int64_t terms, int64_t count, int64_t vectors, const T *packed,
                                  int64_t panel, const T *tiles, int64_t pitch, T *beside, T *sums) {
    int64_t lanes = vectors * LANES, *offset = (int64_t *)beside, width;
    for (int64_t k = 0; k < terms; ++k)
        offset[k] = k * pitch;
    for (int64_t m = 0; m < count; m += MOST_ROWS, packed += panel, sums += MOST_ROWS * lanes)
        for (int64_t v = 0; v < vectors; v += width) {
            width = NAME(widest)(MOST_ROWS, vectors - v);
            NAME(tile)(width, MOST_ROWS, terms, packed, MOST_ROWS, tiles + v * LANES, offset,
                       sums + v * LANES, lanes, 0);
        }
}

#endif
