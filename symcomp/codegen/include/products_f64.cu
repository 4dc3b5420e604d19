/* Products and convolutions in float64: see products.cuh. */
#include "products.cuh"

SC_KERNELS(double, f64, sc_double)
