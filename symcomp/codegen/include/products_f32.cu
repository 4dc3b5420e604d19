/* Products and convolutions in float32: see products.cuh. */
#include "products.cuh"

SC_KERNELS(float, f32, sc_middle)
SC_PRODUCT_KERNEL(sc_multiply_large_f32, float, sc_large, sc_matrices, sc_multiplication)
