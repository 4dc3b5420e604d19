#include "symcomp_grid.cuh"


/* map: 2.0 * x + y * tanh(x) */
extern "C" __global__ void __launch_bounds__(256)
k10_add(const int64_t groups3, const double *restrict x, const double *restrict y, double *restrict out0, const int64_t n0, const int64_t n1) {
    sc_aligned(x, 16);
    sc_aligned(y, 16);
    sc_aligned(out0, 16);
    for (int64_t i4 = sc_thread(); i4 < groups3; i4 += sc_threads()) {
        const double t1_ = x[i4 * 2];
        const double v2_7 = (2.0 * t1_) + (y[i4 * 2] * sc_tanh_f64(t1_));
        const double t2_ = x[(i4 * 2) + 1];
        const double v2_8 = (2.0 * t2_) + (y[(i4 * 2) + 1] * sc_tanh_f64(t2_));
        out0[i4 * 2] = v2_7;
        out0[(i4 * 2) + 1] = v2_8;
    }
    for (int64_t i6 = sc_thread(); i6 < (n0 * n1) + (groups3 * (-2)); i6 += sc_threads()) {
        const double t3_ = x[(groups3 * 2) + i6];
        const double v9 = (2.0 * t3_) + (y[(groups3 * 2) + i6] * sc_tanh_f64(t3_));
        out0[(groups3 * 2) + i6] = v9;
    }
}
