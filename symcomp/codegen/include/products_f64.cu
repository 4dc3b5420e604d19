/* Products in float64: see products.cuh. */
#include "products.cuh"

SC_MULTIPLY_KERNEL(double, f64, sc_double)
SC_MULTIPLY_ADD_KERNEL(double, f64)
