/* Convolutions in float32: see convolutions.cuh. */
#include "convolutions.cuh"

SC_CONVOLUTION_KERNELS(float, f32, sc_middle)
SC_CORRELATION_KERNELS(float, flat_f32, sc_flat, sc_near)
SC_CORRELATION_KERNELS(float, small_f32, sc_small, sc_near)
