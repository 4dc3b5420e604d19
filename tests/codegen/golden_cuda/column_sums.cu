#include "symcomp_grid.cuh"


/* column: sum(x, axis=0); sum(square(x), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k38_reduce(const int64_t tiles4, const int64_t blocks6, const int64_t across2, const int64_t deep3, const int64_t n1, const int64_t length5, const int64_t n0, const double *restrict x, double *restrict out0, double *restrict out1, double *restrict partial9, double *restrict partial10) {
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
                #pragma unroll 4
                for (int64_t k22 = 0; k22 < count21; ++k22) {
                    const int64_t k1 = (deep3 * k22) + first20;
                    s7 = s7 + x[(n1 * k1) + i0];
                    const int64_t k1_1 = (deep3 * k22) + first20;
                    const double t2_ = x[(n1 * k1_1) + i0];
                    s8 = s8 + (t2_ * t2_);
                }
            }
            parts14[e16] = s7;
            parts15[e16] = s8;
        }
        __syncthreads();
         {
            const int64_t e23 = sc_member();
            const int64_t lane24 = sc_quotient(e23, across2);
            if (lane24 < 8) {
                const int64_t count25 = ((sc_maximum_i64(0, (deep3 + (lane24 * (-1)))) + 7) >> 3);
                double s26 = 0.0;
                #pragma unroll 4
                for (int64_t k27 = 0; k27 < count25; ++k27) {
                    s26 = s26 + parts14[(across2 * k27 * 8) + e23];
                }
                parts14[e23] = s26;
                const int64_t count28 = ((sc_maximum_i64(0, (deep3 + (lane24 * (-1)))) + 7) >> 3);
                double s29 = 0.0;
                #pragma unroll 4
                for (int64_t k30 = 0; k30 < count28; ++k30) {
                    s29 = s29 + parts15[(across2 * k30 * 8) + e23];
                }
                parts15[e23] = s29;
            }
        }
        __syncthreads();
         {
            const int64_t e31 = sc_member();
            if ((e31 < across2) && ((start13 + e31) < n1)) {
                const int64_t i0 = start13 + e31;
                double s32 = 0.0;
                #pragma unroll 4
                for (int64_t k33 = 0; k33 < deep3 + (sc_maximum_i64(0, (deep3 + (-8))) * (-1)); ++k33) {
                    s32 = s32 + parts14[(across2 * k33) + e31];
                }
                double s34 = 0.0;
                #pragma unroll 4
                for (int64_t k35 = 0; k35 < deep3 + (sc_maximum_i64(0, (deep3 + (-8))) * (-1)); ++k35) {
                    s34 = s34 + parts15[(across2 * k35) + e31];
                }
                if (blocks6 == 1) {
                    const double v36 = s32;
                    const double v37 = s34;
                    out0[i0] = v36;
                    out1[i0] = v37;
                }
                if (!(blocks6 == 1)) {
                    partial9[(n1 * block12) + i0] = s32;
                    partial10[(n1 * block12) + i0] = s34;
                }
            }
        }
        __syncthreads();
    }
}

/* column: sum(x, axis=0); sum(square(x), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k75_reduce(const int64_t tiles45, const int64_t across42, const int64_t deep43, const int64_t n1, const int64_t blocks6, const double *restrict partial9, const double *restrict partial10, double *restrict out0, double *restrict out1) {
    for (int64_t team46 = sc_block(); team46 < tiles45; team46 += sc_blocks()) {
        const int64_t start47 = across42 * team46;
        __shared__ double parts48[512];
        __shared__ double parts49[512];
         {
            const int64_t e50 = sc_member();
            const int64_t lane51 = sc_quotient(e50, across42);
            double s40 = 0.0;
            double s41 = 0.0;
            if ((lane51 < deep43) && (((across42 * lane51 * (-1)) + start47 + e50) < n1)) {
                const int64_t i39 = (across42 * lane51 * (-1)) + start47 + e50;
                const int64_t end52 = blocks6;
                const int64_t first53 = lane51;
                const int64_t count54 = sc_quotient(deep43 + sc_maximum_i64(0, (end52 + (first53 * (-1)))) + (-1), deep43);
                const int64_t groups56 = ((count54) >> 3);
                #pragma unroll 1
                for (int64_t g57 = 0; g57 < groups56; ++g57) {
                    #pragma unroll
                    for (int64_t k58 = 0; k58 < 8; ++k58) {
                        s40 = s40 + partial9[(n1 * deep43 * g57 * 8) + (n1 * deep43 * k58) + (n1 * first53) + i39];
                        s41 = s41 + partial10[(n1 * deep43 * g57 * 8) + (n1 * deep43 * k58) + (n1 * first53) + i39];
                    }
                }
                if (count54 > (groups56 * 8)) {
                    #pragma unroll
                    for (int64_t k59 = 0; k59 < 8; ++k59) {
                        const double t1_ = (((groups56 * 8) + k59) < count54) ? partial9[(n1 * deep43 * sc_minimum_i64(((groups56 * 8) + k59), (count54 + (-1)))) + (n1 * first53) + i39] : 0.0;
                        s40 = s40 + t1_;
                        const double t2_ = (((groups56 * 8) + k59) < count54) ? partial10[(n1 * deep43 * sc_minimum_i64(((groups56 * 8) + k59), (count54 + (-1)))) + (n1 * first53) + i39] : 0.0;
                        s41 = s41 + t2_;
                    }
                }
            }
            parts48[e50] = s40;
            parts49[e50] = s41;
        }
        __syncthreads();
         {
            const int64_t e60 = sc_member();
            const int64_t lane61 = sc_quotient(e60, across42);
            if (lane61 < 8) {
                const int64_t count62 = ((sc_maximum_i64(0, (deep43 + (lane61 * (-1)))) + 7) >> 3);
                double s63 = 0.0;
                #pragma unroll 4
                for (int64_t k64 = 0; k64 < count62; ++k64) {
                    s63 = s63 + parts48[(across42 * k64 * 8) + e60];
                }
                parts48[e60] = s63;
                const int64_t count65 = ((sc_maximum_i64(0, (deep43 + (lane61 * (-1)))) + 7) >> 3);
                double s66 = 0.0;
                #pragma unroll 4
                for (int64_t k67 = 0; k67 < count65; ++k67) {
                    s66 = s66 + parts49[(across42 * k67 * 8) + e60];
                }
                parts49[e60] = s66;
            }
        }
        __syncthreads();
         {
            const int64_t e68 = sc_member();
            if ((e68 < across42) && ((start47 + e68) < n1)) {
                const int64_t i39 = start47 + e68;
                double s69 = 0.0;
                #pragma unroll 4
                for (int64_t k70 = 0; k70 < deep43 + (sc_maximum_i64(0, (deep43 + (-8))) * (-1)); ++k70) {
                    s69 = s69 + parts48[(across42 * k70) + e68];
                }
                double s71 = 0.0;
                #pragma unroll 4
                for (int64_t k72 = 0; k72 < deep43 + (sc_maximum_i64(0, (deep43 + (-8))) * (-1)); ++k72) {
                    s71 = s71 + parts49[(across42 * k72) + e68];
                }
                const double v73 = s69;
                const double v74 = s71;
                out0[i39] = v73;
                out1[i39] = v74;
            }
        }
        __syncthreads();
    }
}
