/* What `python -m symcomp doctor` compiles, loads and calls to see that this works. */
#include "symcomp.h"

SYMCOMP_ATTACH
SYMCOMP_EXPORT double probe(const double *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += x[i];
    return sum;
}
