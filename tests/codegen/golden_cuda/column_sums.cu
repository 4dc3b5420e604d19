#include "symcomp_grid.cuh"


/* column: sum(x, axis=0); sum(square(x), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k42_reduce(const int64_t tiles4, const int64_t blocks6, const int64_t across2, const int64_t deep3, const int64_t n1, const int64_t length5, const int64_t n0, const double *restrict x, double *restrict out0, double *restrict out1, double *restrict partial9, double *restrict partial10) {
    for (int64_t team11 = sc_block(); team11 < tiles4 * blocks6; team11 += sc_blocks()) {
        const int64_t block12 = sc_quotient(team11, tiles4);
        const int64_t start13 = (across2 * tiles4 * block12 * (-1)) + (across2 * team11);
        __shared__ double parts14[512];
        __shared__ double parts15[512];
         {
            const int64_t e16 = sc_member();
            const int64_t lane17 = sc_quotient(e16, across2);
            double s7 = 0.0;
            double s8 = 0.0;
            if ((lane17 < deep3) && (((across2 * lane17 * (-1)) + start13 + e16) < n1)) {
                const int64_t i0 = (across2 * lane17 * (-1)) + start13 + e16;
                const int64_t begin18 = length5 * block12;
                const int64_t end19 = n0 + (sc_maximum_i64(0, (n0 + (length5 * (-1)) + (begin18 * (-1)))) * (-1));
                const int64_t first20 = lane17 + begin18;
                const int64_t count21 = sc_quotient(deep3 + sc_maximum_i64(0, (end19 + (first20 * (-1)))) + (-1), deep3);
                const int64_t groups23 = ((count21) >> 3);
                #pragma unroll 1
                for (int64_t g24 = 0; g24 < groups23; ++g24) {
                    #pragma unroll
                    for (int64_t k25 = 0; k25 < 8; ++k25) {
                        const int64_t k1 = (deep3 * g24 * 8) + (deep3 * k25) + first20;
                        s7 = s7 + x[(n1 * k1) + i0];
                        const double t1_ = x[(n1 * k1) + i0];
                        s8 = s8 + (t1_ * t1_);
                    }
                }
                if (count21 > (groups23 * 8)) {
                    #pragma unroll
                    for (int64_t k26 = 0; k26 < 8; ++k26) {
                        const int64_t k1 = (deep3 * sc_minimum_i64(((groups23 * 8) + k26), (count21 + (-1)))) + first20;
                        s7 = s7 + ((((groups23 * 8) + k26) < count21) ? x[(n1 * k1) + i0] : 0.0);
                        const double t2_ = x[(n1 * k1) + i0];
                        s8 = s8 + ((((groups23 * 8) + k26) < count21) ? (t2_ * t2_) : 0.0);
                    }
                }
            }
            parts14[e16] = s7;
            parts15[e16] = s8;
        }
        __syncthreads();
         {
            const int64_t e27 = sc_member();
            const int64_t lane28 = sc_quotient(e27, across2);
            if (lane28 < 8) {
                const int64_t count29 = ((sc_maximum_i64(0, (deep3 + (lane28 * (-1)))) + 7) >> 3);
                double s30 = 0.0;
                #pragma unroll 4
                for (int64_t k31 = 0; k31 < count29; ++k31) {
                    s30 = s30 + parts14[(across2 * k31 * 8) + e27];
                }
                parts14[e27] = s30;
                const int64_t count32 = ((sc_maximum_i64(0, (deep3 + (lane28 * (-1)))) + 7) >> 3);
                double s33 = 0.0;
                #pragma unroll 4
                for (int64_t k34 = 0; k34 < count32; ++k34) {
                    s33 = s33 + parts15[(across2 * k34 * 8) + e27];
                }
                parts15[e27] = s33;
            }
        }
        __syncthreads();
         {
            const int64_t e35 = sc_member();
            if ((e35 < across2) && ((start13 + e35) < n1)) {
                const int64_t i0 = start13 + e35;
                double s36 = 0.0;
                #pragma unroll 4
                for (int64_t k37 = 0; k37 < deep3 + (sc_maximum_i64(0, (deep3 + (-8))) * (-1)); ++k37) {
                    s36 = s36 + parts14[(across2 * k37) + e35];
                }
                double s38 = 0.0;
                #pragma unroll 4
                for (int64_t k39 = 0; k39 < deep3 + (sc_maximum_i64(0, (deep3 + (-8))) * (-1)); ++k39) {
                    s38 = s38 + parts15[(across2 * k39) + e35];
                }
                if (blocks6 == 1) {
                    const double v40 = s36;
                    const double v41 = s38;
                    out0[i0] = v40;
                    out1[i0] = v41;
                }
                if (!(blocks6 == 1)) {
                    partial9[(n1 * block12) + i0] = s36;
                    partial10[(n1 * block12) + i0] = s38;
                }
            }
        }
        __syncthreads();
    }
}

/* column: sum(x, axis=0); sum(square(x), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k79_reduce(const int64_t tiles49, const int64_t across46, const int64_t deep47, const int64_t n1, const int64_t blocks6, const double *restrict partial9, const double *restrict partial10, double *restrict out0, double *restrict out1) {
    for (int64_t team50 = sc_block(); team50 < tiles49; team50 += sc_blocks()) {
        const int64_t start51 = across46 * team50;
        __shared__ double parts52[512];
        __shared__ double parts53[512];
         {
            const int64_t e54 = sc_member();
            const int64_t lane55 = sc_quotient(e54, across46);
            double s44 = 0.0;
            double s45 = 0.0;
            if ((lane55 < deep47) && (((across46 * lane55 * (-1)) + start51 + e54) < n1)) {
                const int64_t i43 = (across46 * lane55 * (-1)) + start51 + e54;
                const int64_t end56 = blocks6;
                const int64_t first57 = lane55;
                const int64_t count58 = sc_quotient(deep47 + sc_maximum_i64(0, (end56 + (first57 * (-1)))) + (-1), deep47);
                const int64_t groups60 = ((count58) >> 3);
                #pragma unroll 1
                for (int64_t g61 = 0; g61 < groups60; ++g61) {
                    #pragma unroll
                    for (int64_t k62 = 0; k62 < 8; ++k62) {
                        s44 = s44 + partial9[(n1 * deep47 * g61 * 8) + (n1 * deep47 * k62) + (n1 * first57) + i43];
                        s45 = s45 + partial10[(n1 * deep47 * g61 * 8) + (n1 * deep47 * k62) + (n1 * first57) + i43];
                    }
                }
                if (count58 > (groups60 * 8)) {
                    #pragma unroll
                    for (int64_t k63 = 0; k63 < 8; ++k63) {
                        const double t1_ = (((groups60 * 8) + k63) < count58) ? partial9[(n1 * deep47 * sc_minimum_i64(((groups60 * 8) + k63), (count58 + (-1)))) + (n1 * first57) + i43] : 0.0;
                        s44 = s44 + t1_;
                        const double t2_ = (((groups60 * 8) + k63) < count58) ? partial10[(n1 * deep47 * sc_minimum_i64(((groups60 * 8) + k63), (count58 + (-1)))) + (n1 * first57) + i43] : 0.0;
                        s45 = s45 + t2_;
                    }
                }
            }
            parts52[e54] = s44;
            parts53[e54] = s45;
        }
        __syncthreads();
         {
            const int64_t e64 = sc_member();
            const int64_t lane65 = sc_quotient(e64, across46);
            if (lane65 < 8) {
                const int64_t count66 = ((sc_maximum_i64(0, (deep47 + (lane65 * (-1)))) + 7) >> 3);
                double s67 = 0.0;
                #pragma unroll 4
                for (int64_t k68 = 0; k68 < count66; ++k68) {
                    s67 = s67 + parts52[(across46 * k68 * 8) + e64];
                }
                parts52[e64] = s67;
                const int64_t count69 = ((sc_maximum_i64(0, (deep47 + (lane65 * (-1)))) + 7) >> 3);
                double s70 = 0.0;
                #pragma unroll 4
                for (int64_t k71 = 0; k71 < count69; ++k71) {
                    s70 = s70 + parts53[(across46 * k71 * 8) + e64];
                }
                parts53[e64] = s70;
            }
        }
        __syncthreads();
         {
            const int64_t e72 = sc_member();
            if ((e72 < across46) && ((start51 + e72) < n1)) {
                const int64_t i43 = start51 + e72;
                double s73 = 0.0;
                #pragma unroll 4
                for (int64_t k74 = 0; k74 < deep47 + (sc_maximum_i64(0, (deep47 + (-8))) * (-1)); ++k74) {
                    s73 = s73 + parts52[(across46 * k74) + e72];
                }
                double s75 = 0.0;
                #pragma unroll 4
                for (int64_t k76 = 0; k76 < deep47 + (sc_maximum_i64(0, (deep47 + (-8))) * (-1)); ++k76) {
                    s75 = s75 + parts53[(across46 * k76) + e72];
                }
                const double v77 = s73;
                const double v78 = s75;
                out0[i43] = v77;
                out1[i43] = v78;
            }
        }
        __syncthreads();
    }
}
