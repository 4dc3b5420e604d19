#include "symcomp_grid.cuh"


/* column: sum(x, axis=0); sum(square(x), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k9_reduce(const int64_t blocks0, const int64_t n1, const int64_t n0, const double *restrict x, double *restrict partial1, double *restrict partial2) {
    for (int64_t b5 = sc_row(); b5 < blocks0; b5 += sc_rows()) {
        for (int64_t i3 = sc_thread(); i3 < n1; i3 += sc_threads()) {
            double s6 = 0.0;
            double s7 = 0.0;
            #pragma unroll 4
            for (int64_t k8 = 0; k8 < sc_quotient(n0 + blocks0 + (b5 * (-1)) + (-1), blocks0); ++k8) {
                const int64_t k4 = (blocks0 * k8) + b5;
                s6 = s6 + x[(n1 * k4) + i3];
                const double t1_ = x[(n1 * k4) + i3];
                s7 = s7 + (t1_ * t1_);
            }
            partial1[(n1 * b5) + i3] = s6;
            partial2[(n1 * b5) + i3] = s7;
        }
    }
}

/* column: sum(x, axis=0); sum(square(x), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k17_reduce(const int64_t n1, const int64_t blocks0, const double *restrict partial1, const double *restrict partial2, double *restrict out0, double *restrict out1) {
    for (int64_t i10 = sc_thread(); i10 < n1; i10 += sc_threads()) {
        double s11 = 0.0;
        #pragma unroll 4
        for (int64_t b13 = 0; b13 < blocks0; ++b13) {
            s11 = s11 + partial1[(n1 * b13) + i10];
        }
        double s12 = 0.0;
        #pragma unroll 4
        for (int64_t b14 = 0; b14 < blocks0; ++b14) {
            s12 = s12 + partial2[(n1 * b14) + i10];
        }
        const double v15 = s11;
        const double v16 = s12;
        out0[i10] = v15;
        out1[i10] = v16;
    }
}
