/* Products and convolutions in float32: see products.cuh. */
#include "products.cuh"

SC_KERNELS(float, f32, sc_middle)
SC_TILE_KERNELS(float, flat_f32, sc_flat)
SC_TILE_KERNELS(float, small_f32, sc_small)
