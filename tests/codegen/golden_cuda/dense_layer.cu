#include "symcomp_grid.cuh"


/* gemm: x @ w; tanh(b + x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k13_dot_tanh(const int64_t groups4, const int64_t n2, const float *restrict b, float *restrict out0, const int64_t n0) {
    sc_aligned(b, 16);
    sc_aligned(out0, 16);
    for (int64_t i5 = sc_row(); i5 < groups4; i5 += sc_rows()) {
        for (int64_t i2 = sc_thread(); i2 < n2; i2 += sc_threads()) {
            const float v3_8 = sc_tanh_f32((b[i2] + out0[(n2 * i5 * 4) + i2]));
            const float v3_9 = sc_tanh_f32((b[i2] + out0[n2 + (n2 * i5 * 4) + i2]));
            const float v3_10 = sc_tanh_f32((b[i2] + out0[(n2 * 2) + (n2 * i5 * 4) + i2]));
            const float v3_11 = sc_tanh_f32((b[i2] + out0[(n2 * 3) + (n2 * i5 * 4) + i2]));
            out0[(n2 * i5 * 4) + i2] = v3_8;
            out0[n2 + (n2 * i5 * 4) + i2] = v3_9;
            out0[(n2 * 2) + (n2 * i5 * 4) + i2] = v3_10;
            out0[(n2 * 3) + (n2 * i5 * 4) + i2] = v3_11;
        }
    }
    for (int64_t i7 = sc_row(); i7 < n0 + (groups4 * (-4)); i7 += sc_rows()) {
        for (int64_t i2 = sc_thread(); i2 < n2; i2 += sc_threads()) {
            const float v12 = sc_tanh_f32((b[i2] + out0[(n2 * groups4 * 4) + (n2 * i7) + i2]));
            out0[(n2 * groups4 * 4) + (n2 * i7) + i2] = v12;
        }
    }
}
