#include "symcomp_grid.cuh"


#if SC_IN_PART(0)
/* writes: cumsum(x, axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k8_cumulate(const int64_t chunks0, const int64_t n1, const int64_t length1, const int64_t n0, const double *restrict x, double *restrict partial2) {
    for (int64_t c3 = sc_row(); c3 < chunks0; c3 += sc_rows()) {
        const int64_t length6 = sc_minimum_i64(length1, (n0 + (length1 * c3 * (-1))));
        for (int64_t i4 = sc_thread(); i4 < n1; i4 += sc_threads()) {
            double s5 = 0.0;
            #pragma unroll 4
            for (int64_t k7 = 0; k7 < sc_maximum_i64(0, length6); ++k7) {
                s5 = s5 + x[(n1 * length1 * c3) + (n1 * k7) + i4];
            }
            partial2[(n1 * c3) + i4] = s5;
        }
    }
}
#endif

#if SC_IN_PART(1)
/* writes: cumsum(x, axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k13_cumulate(const int64_t n1, const int64_t chunks0, double *restrict partial2) {
    for (int64_t i9 = sc_thread(); i9 < n1; i9 += sc_threads()) {
        double s11 = 0.0;
        #pragma unroll 4
        for (int64_t c10 = 0; c10 < chunks0; ++c10) {
            const double p12 = partial2[(n1 * c10) + i9];
            partial2[(n1 * c10) + i9] = s11;
            s11 = s11 + p12;
        }
    }
}
#endif

#if SC_IN_PART(2)
/* writes: cumsum(x, axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k19_cumulate(const int64_t chunks0, const int64_t n1, const int64_t length1, const int64_t n0, const double *restrict partial2, const double *restrict x, double *restrict out0) {
    for (int64_t c14 = sc_row(); c14 < chunks0; c14 += sc_rows()) {
        const int64_t length17 = sc_minimum_i64(length1, (n0 + (length1 * c14 * (-1))));
        for (int64_t i15 = sc_thread(); i15 < n1; i15 += sc_threads()) {
            double s16 = partial2[(n1 * c14) + i15];
            #pragma unroll 4
            for (int64_t k18 = 0; k18 < sc_maximum_i64(0, length17); ++k18) {
                s16 = s16 + x[(n1 * length1 * c14) + (n1 * k18) + i15];
                out0[(n1 * length1 * c14) + (n1 * k18) + i15] = s16;
            }
        }
    }
}
#endif

#if SC_IN_PART(3)
/* writes: cumsum(x, axis=1) */
extern "C" __global__ void __launch_bounds__(256)
k28_cumulate(const int64_t chunks20, const int64_t n0, const int64_t length21, const int64_t n1, const double *restrict x, double *restrict partial22) {
    for (int64_t c23 = sc_row(); c23 < chunks20; c23 += sc_rows()) {
        const int64_t length26 = sc_minimum_i64(length21, (n1 + (length21 * c23 * (-1))));
        for (int64_t i24 = sc_thread(); i24 < n0; i24 += sc_threads()) {
            double s25 = 0.0;
            #pragma unroll 4
            for (int64_t k27 = 0; k27 < sc_maximum_i64(0, length26); ++k27) {
                s25 = s25 + x[(n1 * i24) + (length21 * c23) + k27];
            }
            partial22[(n0 * c23) + i24] = s25;
        }
    }
}
#endif

#if SC_IN_PART(4)
/* writes: cumsum(x, axis=1) */
extern "C" __global__ void __launch_bounds__(256)
k33_cumulate(const int64_t n0, const int64_t chunks20, double *restrict partial22) {
    for (int64_t i29 = sc_thread(); i29 < n0; i29 += sc_threads()) {
        double s31 = 0.0;
        #pragma unroll 4
        for (int64_t c30 = 0; c30 < chunks20; ++c30) {
            const double p32 = partial22[(n0 * c30) + i29];
            partial22[(n0 * c30) + i29] = s31;
            s31 = s31 + p32;
        }
    }
}
#endif

#if SC_IN_PART(5)
/* writes: cumsum(x, axis=1) */
extern "C" __global__ void __launch_bounds__(256)
k39_cumulate(const int64_t chunks20, const int64_t n0, const int64_t length21, const int64_t n1, const double *restrict partial22, const double *restrict x, double *restrict out1) {
    for (int64_t c34 = sc_row(); c34 < chunks20; c34 += sc_rows()) {
        const int64_t length37 = sc_minimum_i64(length21, (n1 + (length21 * c34 * (-1))));
        for (int64_t i35 = sc_thread(); i35 < n0; i35 += sc_threads()) {
            double s36 = partial22[(n0 * c34) + i35];
            #pragma unroll 4
            for (int64_t k38 = 0; k38 < sc_maximum_i64(0, length37); ++k38) {
                s36 = s36 + x[(n1 * i35) + (length21 * c34) + k38];
                out1[(n1 * i35) + (length21 * c34) + k38] = s36;
            }
        }
    }
}
#endif

#if SC_IN_PART(6)
/* writes: cumprod(reshape(x, (n0 * n1,)), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k47_cumulate(const int64_t chunks40, const int64_t length41, const int64_t n0, const int64_t n1, const double *restrict x, double *restrict partial42) {
    for (int64_t c43 = sc_thread(); c43 < chunks40; c43 += sc_threads()) {
        double s44 = 1.0;
        const int64_t length45 = sc_minimum_i64(length41, ((n0 * n1) + (length41 * c43 * (-1))));
        #pragma unroll 4
        for (int64_t k46 = 0; k46 < sc_maximum_i64(0, length45); ++k46) {
            s44 = s44 * x[(length41 * c43) + k46];
        }
        partial42[c43] = s44;
    }
}
#endif

#if SC_IN_PART(7)
/* writes: cumprod(reshape(x, (n0 * n1,)), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k51_cumulate(const int64_t chunks40, double *restrict partial42) {
    for (int64_t v = sc_thread(); v < 1; v += sc_threads()) {
        double s49 = 1.0;
        #pragma unroll 4
        for (int64_t c48 = 0; c48 < chunks40; ++c48) {
            const double p50 = partial42[c48];
            partial42[c48] = s49;
            s49 = s49 * p50;
        }
    }
}
#endif

#if SC_IN_PART(8)
/* writes: cumprod(reshape(x, (n0 * n1,)), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k56_cumulate(const int64_t chunks40, const double *restrict partial42, const int64_t length41, const int64_t n0, const int64_t n1, const double *restrict x, double *restrict out2) {
    for (int64_t c52 = sc_thread(); c52 < chunks40; c52 += sc_threads()) {
        double s53 = partial42[c52];
        const int64_t length54 = sc_minimum_i64(length41, ((n0 * n1) + (length41 * c52 * (-1))));
        #pragma unroll 4
        for (int64_t k55 = 0; k55 < sc_maximum_i64(0, length54); ++k55) {
            s53 = s53 * x[(length41 * c52) + k55];
            out2[(length41 * c52) + k55] = s53;
        }
    }
}
#endif
