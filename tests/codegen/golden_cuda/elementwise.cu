#include "symcomp_grid.cuh"


/* map: 2.0 * x + y * tanh(x) */
extern "C" __global__ void __launch_bounds__(256)
k9_add(const int64_t groups3, const double *restrict x, const double *restrict y, double *restrict out0, const int64_t n0, const int64_t n1) {
    sc_aligned(x, 16);
    sc_aligned(y, 16);
    sc_aligned(out0, 16);
    for (int64_t i4 = sc_thread(); i4 < groups3; i4 += sc_threads()) {
        #pragma unroll
        for (int64_t j5 = 0; j5 < 2; ++j5) {
            const double t1_ = x[(i4 * 2) + j5];
            const double v7 = (2.0 * t1_) + (y[(i4 * 2) + j5] * sc_tanh_f64(t1_));
            out0[(i4 * 2) + j5] = v7;
        }
    }
    for (int64_t i6 = sc_thread(); i6 < (n0 * n1) + (groups3 * (-2)); i6 += sc_threads()) {
        const double t2_ = x[(groups3 * 2) + i6];
        const double v8 = (2.0 * t2_) + (y[(groups3 * 2) + i6] * sc_tanh_f64(t2_));
        out0[(groups3 * 2) + i6] = v8;
    }
}
