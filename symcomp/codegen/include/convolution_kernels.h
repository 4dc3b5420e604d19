/* The kernels of convolution.c, for one type, T; see convolution.h.
 *
 * The kernel is `tile`: rows of the result (filters) by vectors of neighbouring positions, with all
 * sums in registers. What it reads are *prepared planes*: copies of the source in which the
 * positions of one tap are contiguous. Either the taps are shifts within one copy of the plane
 * (padded, and split by stride), whose rows are then wider than the result's, so that some sums are
 * wasted; or each tap has a copy of its own, compact over rows and images. `plan` takes what costs
 * less.
 */

typedef T NAME(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef T NAME(unaligned) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef T NAME(half) __attribute__((vector_size(VECTOR_BYTES / 2), aligned(sizeof(T)), may_alias));
#define VECTOR NAME(vector)
#define UNALIGNED NAME(unaligned)
/* The lanes of a vector where a mask is set, else 0. */
typedef INTEGER NAME(mask) __attribute__((vector_size(VECTOR_BYTES), may_alias));
#define KEPT(x, lanes) ((VECTOR)((NAME(mask))(x) & (lanes)))
#define LANES ((int64_t)(VECTOR_BYTES / sizeof(T)))

#include "convolution_sums.h"
#include "convolution_shuffles.h"
#include "convolution_planes.h"
#include "convolution_fits.h"
