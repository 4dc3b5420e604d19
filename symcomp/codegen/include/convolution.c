/* A convolution library of one type: T, an INTEGER of its size, and SUFFIX (float, int32_t and f32;
 * or double, int64_t and f64) come from the command line. Built once per machine, loaded when a function convolves. */
#include "symcomp.h"
#include "convolution.h"

#include <string.h>

SYMCOMP_ATTACH

#include "convolution_vectors.h"

enum {
    /* Terms of a sum between two visits to the result: as many as leave their planes in L1. */
    TERMS = 288,
    /* Widest tile, in vectors, of a kernel with few rows: enough sums to hide the latency. */
    MOST_ROWS = 8,
    MOST_VECTORS = 8,
    /* Positions of a gradient, and bytes of planes, that a kernel of the filters' gradient runs over:
     * they stay in L2. */
    BAND_POSITIONS = 800,
    PLANE_BYTES = 96 << 10,
    /* With so few filters in a group, their gradient is made of plain products of planes. */
    FEW_FILTERS = 4,
    /* Filters of a turned gradient fill whole stretches of so many bytes, on every machine. */
    PADDING = 64,
};

static inline int64_t at_least(int64_t x, int64_t y) { return x > y ? x : y; }
static inline int64_t at_most(int64_t x, int64_t y) { return x < y ? x : y; }
static inline int64_t quotient_up(int64_t x, int64_t y) { return (x + y - 1) / y; }

/* floor(x / y) for y > 0, also below zero. */
static inline int64_t quotient_down(int64_t x, int64_t y) {
    return x >= 0 ? x / y : -((-x + y - 1) / y);
}

/* The same, at once where y is 1, as it mostly is: a division takes as long as a row. */
static inline int64_t whole_steps(int64_t x, int64_t y) {
    return y == 1 ? x : quotient_down(x, y);
}

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define NAME(name) PASTE(name, SUFFIX)

#include "convolution_kernels.h"
#include "convolution_lent.h"

/* Which of the ways this library is comes from the command line too: to read the others' would take the
 * compiler a tenth of its time. */
#if defined(WINOGRAD) || defined(FIVES)
#include "convolution_lanes.h"
#include "convolution_products.h"
#include "convolution_winograd.h"
#include "convolution_winograd_tiles.h"
#include "convolution_winograd_correlate.h"
#include "convolution_winograd_filters.h"
#define ROUTINES NAME(pack_winograd), NAME(correlate_winograd), NAME(filters_winograd)
#elif defined(CHANNELWISE)
#include "convolution_channelwise.h"
#define ROUTINES NAME(pack_channelwise), NAME(correlate_channelwise), NAME(filters_channelwise)
#elif defined(PAIRS)
#include "convolution_tiles.h"
#include "convolution_lanes.h"
#include "convolution_turned.h"
#if SEPARATE_ADDERS
#include "convolution_inner_products.h"
#endif
#include "convolution_pairs_products.h"
#include "convolution_pairs.h"
#include "convolution_pairs_filters.h"
#define ROUTINES NAME(pack_pairs), NAME(correlate_pairs), NAME(filters_pairs)
#elif defined(ONE_TAP)
#include "convolution_lanes.h"
#include "convolution_stacks.h"
#include "convolution_errands.h"
#if SEPARATE_ADDERS
#include "convolution_inner_products.h"
#include "convolution_inner.h"
#define ROUTINES NAME(pack_inner), NAME(correlate_columns), NAME(filters_inner)
#else
#include "convolution_strassen.h"
#define ROUTINES NAME(pack_strassen), NAME(correlate_columns), NAME(filters_strassen)
#endif
#elif defined(POINTWISE)
#include "convolution_lanes.h"
#include "convolution_stacks.h"
#include "convolution_pointwise.h"
#define ROUTINES NULL, NAME(correlate_pointwise), NAME(filters_pointwise)
#elif defined(SCATTER)
#include "convolution_scatter.h"
#define ROUTINES NAME(pack_scatter), NAME(correlate_scatter), NULL
#else
#include "convolution_tiles.h"
#include "convolution_lanes.h"
#include "convolution_turned.h"
#include "convolution_correlate.h"
#include "convolution_filters.h"
#include "convolution_whole.h"
static const NAME(kernels) lent = {NAME(tile), NAME(turn), NAME(gather_planes), NAME(to_lanes)};
#define ROUTINES                                                                                   \
    NAME(pack), NAME(correlate), NAME(filters), NAME(convolve), NAME(sum_filters), NAME(add_up), &lent
#endif

static const NAME(symcomp_convolver) table = {ROUTINES};

SYMCOMP_EXPORT const void *symcomp_convolver(void) { return &table; }
