/* Products in float32: see products.cuh. */
#include "products.cuh"

SC_MULTIPLY_KERNEL(float, f32, sc_middle)
SC_MULTIPLY_KERNEL(float, flat_f32, sc_flat)
SC_MULTIPLY_KERNEL(float, small_f32, sc_small)
SC_MULTIPLY_ADD_KERNEL(float, f32)
