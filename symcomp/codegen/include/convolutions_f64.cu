/* Convolutions in float64: see convolutions.cuh. */
#include "convolutions.cuh"

SC_CONVOLUTION_KERNELS(double, f64, sc_double)
