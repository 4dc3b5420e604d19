#include "symcomp_grid.cuh"
#include "symcomp_sort.cuh"

SC_SORT_KERNELS(sort_alone, sort_count, sort_sum, sort_move)

/* positions within their axis */
extern "C" __global__ void __launch_bounds__(1024)
k7_check(const int64_t checkers0, const int64_t n1, const int64_t share1, const int64_t *restrict at, const int64_t n0, int64_t *restrict noted, int64_t *restrict status) {
    for (int64_t team2 = sc_team(); team2 < checkers0; team2 += sc_teams()) {
        int64_t first4 = n1;
        int64_t part1_ = INT64_C(9223372036854775807);
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < share1 + (sc_maximum_i64(0, (share1 + (sc_maximum_i64(0, (n1 + (share1 * team2 * (-1)))) * (-1)))) * (-1)); at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k3 = at2_ + round * sc_members();
                const int64_t i5 = (share1 * team2) + k3;
                const int64_t t3_ = at[i5];
                part1_ = sc_minimum_i64(part1_, (((t3_ < (-n0)) || (n0 <= t3_)) ? ((share1 * team2) + k3) : n1));
            }
        }
        for (int64_t k3 = at2_; k3 < share1 + (sc_maximum_i64(0, (share1 + (sc_maximum_i64(0, (n1 + (share1 * team2 * (-1)))) * (-1)))) * (-1)); k3 += sc_members()) {
            const int64_t i5 = (share1 * team2) + k3;
            const int64_t t4_ = at[i5];
            part1_ = sc_minimum_i64(part1_, (((t4_ < (-n0)) || (n0 <= t4_)) ? ((share1 * team2) + k3) : n1));
        }
        first4 = sc_minimum_i64(first4, (sc_team_fold<sc_min>(part1_)));
        if (first4 < n1) {
            const int64_t i6 = first4;
            if (sc_member() == 0) {
                noted[team2 * 2] = n0;
            }
            if (sc_member() == 0) {
                noted[(team2 * 2) + 1] = at[i6];
            }
            if (sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k12_scatter(const int64_t groups8, const double *restrict x, double *restrict out0, const int64_t n0, const int64_t n2) {
    sc_aligned(x, 16);
    sc_aligned(out0, 16);
    for (int64_t i9 = sc_thread(); i9 < groups8; i9 += sc_threads()) {
        #pragma unroll
        for (int64_t j10 = 0; j10 < 2; ++j10) {
            out0[(i9 * 2) + j10] = x[(i9 * 2) + j10];
        }
    }
    for (int64_t i11 = sc_thread(); i11 < (n0 * n2) + (groups8 * (-2)); i11 += sc_threads()) {
        out0[(groups8 * 2) + i11] = x[(groups8 * 2) + i11];
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k25_scatter(const int64_t few16, const int64_t n2, const int64_t *restrict at, const int64_t n0, double *restrict out0, const double *restrict v) {
    for (int64_t e17 = sc_row(); e17 < few16; e17 += sc_rows()) {
        const int64_t t1_ = sc_minimum_i64(sc_maximum_i64(at[e17], (-n0)), (n0 - 1));
        const int64_t h24 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t place18 = h24;
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            bool met19 = false;
            #pragma unroll 4
            for (int64_t j20 = 0; j20 < e17; ++j20) {
                const int64_t t3_ = sc_minimum_i64(sc_maximum_i64(at[j20], (-n0)), (n0 - 1));
                met19 = met19 || (((t3_ < 0) ? sc_add_i64(t3_, n0) : t3_) == place18);
            }
            if (!met19) {
                double total21 = out0[(n2 * place18) + v_2];
                for (int64_t j22 = 0; j22 < sc_maximum_i64(0, (few16 + (e17 * (-1)))); ++j22) {
                    const int64_t other23 = e17 + j22;
                    const int64_t t4_ = sc_minimum_i64(sc_maximum_i64(at[other23], (-n0)), (n0 - 1));
                    if (((t4_ < 0) ? sc_add_i64(t4_, n0) : t4_) == place18) {
                        total21 = total21 + v[(n2 * other23) + v_2];
                    }
                }
                out0[(n2 * place18) + v_2] = total21;
            }
        }
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k29_scatter(const int64_t many15, const int64_t *restrict at, const int64_t n0, int64_t *restrict places26) {
    for (int64_t e28 = sc_thread(); e28 < many15; e28 += sc_threads()) {
        const int64_t t1_ = sc_minimum_i64(sc_maximum_i64(at[e28], (-n0)), (n0 - 1));
        places26[e28] = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k41_scatter(const int64_t many15, const int64_t *restrict sorted27, const int64_t rounds36, int64_t *restrict counts31) {
    for (int64_t s32 = sc_thread(); s32 < many15; s32 += sc_threads()) {
        const int64_t place33 = sorted27[s32];
        bool again34 = false;
        if (0 < s32) {
            again34 = again34 || (sorted27[s32 + (-1)] == place33);
        }
        int64_t end35 = s32;
        if (!again34) {
            int64_t step37 = 1;
            #pragma unroll 4
            for (int64_t k38 = 0; k38 < rounds36; ++k38) {
                step37 = sc_multiply_i64(step37, 16);
            }
            #pragma unroll 4
            for (int64_t k40 = 0; k40 < rounds36 * 4; ++k40) {
                step37 = sc_minimum_i64(step37, ((step37 >> 1)));
                const int64_t to39 = end35 + step37;
                end35 = sc_add_i64(end35, ((place33 < sorted27[sc_minimum_i64(to39, many15) + (-1)]) ? 0 : ((many15 < to39) ? 0 : step37)));
            }
        }
        counts31[s32] = (s32 * (-1)) + end35;
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k60_scatter(const int64_t many15, const int64_t n2, const int64_t whole46, const int64_t *restrict counts31, const int64_t *restrict sorted27, double *restrict out0, const double *restrict v) {
    for (int64_t s42 = sc_row(); s42 < many15; s42 += sc_rows()) {
        const int64_t h57 = counts31[s42];
        const int64_t count43 = h57;
        const int64_t h58 = sorted27[s42];
        const int64_t place44 = h58;
        const int64_t h59 = sorted27[many15 + s42];
        const int64_t first45 = h59;
        for (int64_t part47 = sc_thread(); part47 < n2 + (whole46 * (-3)); part47 += sc_threads()) {
            if (0 < count43) {
                if (part47 < whole46) {
                    double total48 = out0[(n2 * place44) + part47];
                    double total49 = out0[(n2 * place44) + whole46 + part47];
                    double total50 = out0[(n2 * place44) + (whole46 * 2) + part47];
                    double total51 = out0[(n2 * place44) + (whole46 * 3) + part47];
                    total48 = total48 + v[(n2 * first45) + part47];
                    total49 = total49 + v[(n2 * first45) + whole46 + part47];
                    total50 = total50 + v[(n2 * first45) + (whole46 * 2) + part47];
                    total51 = total51 + v[(n2 * first45) + (whole46 * 3) + part47];
                    #pragma unroll 4
                    for (int64_t k52 = 0; k52 < sc_maximum_i64(0, (count43 + (-1))); ++k52) {
                        const int64_t e53 = sorted27[many15 + s42 + k52 + 1];
                        total48 = total48 + v[(n2 * e53) + part47];
                        total49 = total49 + v[(n2 * e53) + whole46 + part47];
                        total50 = total50 + v[(n2 * e53) + (whole46 * 2) + part47];
                        total51 = total51 + v[(n2 * e53) + (whole46 * 3) + part47];
                    }
                    out0[(n2 * place44) + part47] = total48;
                    out0[(n2 * place44) + whole46 + part47] = total49;
                    out0[(n2 * place44) + (whole46 * 2) + part47] = total50;
                    out0[(n2 * place44) + (whole46 * 3) + part47] = total51;
                }
                if (!(part47 < whole46)) {
                    double total54 = out0[(n2 * place44) + (whole46 * 3) + part47];
                    total54 = total54 + v[(n2 * first45) + (whole46 * 3) + part47];
                    #pragma unroll 4
                    for (int64_t k55 = 0; k55 < sc_maximum_i64(0, (count43 + (-1))); ++k55) {
                        const int64_t e56 = sorted27[many15 + s42 + k55 + 1];
                        total54 = total54 + v[(n2 * e56) + (whole46 * 3) + part47];
                    }
                    out0[(n2 * place44) + (whole46 * 3) + part47] = total54;
                }
            }
        }
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k65_scatter(const int64_t groups61, const double *restrict x, double *restrict out1, const int64_t n0, const int64_t n2) {
    sc_aligned(x, 16);
    sc_aligned(out1, 16);
    for (int64_t i62 = sc_thread(); i62 < groups61; i62 += sc_threads()) {
        #pragma unroll
        for (int64_t j63 = 0; j63 < 2; ++j63) {
            out1[(i62 * 2) + j63] = x[(i62 * 2) + j63];
        }
    }
    for (int64_t i64 = sc_thread(); i64 < (n0 * n2) + (groups61 * (-2)); i64 += sc_threads()) {
        out1[(groups61 * 2) + i64] = x[(groups61 * 2) + i64];
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k76_scatter(const int64_t few69, const int64_t n2, const int64_t *restrict at, const int64_t n0, const double *restrict v, double *restrict out1) {
    for (int64_t e70 = sc_row(); e70 < few69; e70 += sc_rows()) {
        const int64_t t1_ = sc_minimum_i64(sc_maximum_i64(at[e70], (-n0)), (n0 - 1));
        const int64_t h75 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t place71 = h75;
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            bool met72 = false;
            #pragma unroll 4
            for (int64_t j73 = 0; j73 < sc_maximum_i64(0, (few69 + (e70 * (-1)) + (-1))); ++j73) {
                const int64_t other74 = e70 + j73 + 1;
                const int64_t t3_ = sc_minimum_i64(sc_maximum_i64(at[other74], (-n0)), (n0 - 1));
                met72 = met72 || (((t3_ < 0) ? sc_add_i64(t3_, n0) : t3_) == place71);
            }
            if (!met72) {
                out1[(n2 * place71) + v_2] = v[(n2 * e70) + v_2];
            }
        }
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k80_scatter(const int64_t many68, const int64_t *restrict at, const int64_t n0, int64_t *restrict places77) {
    for (int64_t e79 = sc_thread(); e79 < many68; e79 += sc_threads()) {
        const int64_t t1_ = sc_minimum_i64(sc_maximum_i64(at[e79], (-n0)), (n0 - 1));
        places77[e79] = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k95_scatter(const int64_t many68, const int64_t n2, const int64_t whole86, const int64_t *restrict sorted78, const double *restrict v, double *restrict out1) {
    for (int64_t s82 = sc_row(); s82 < many68; s82 += sc_rows()) {
        const int64_t h93 = sorted78[s82];
        const int64_t place83 = h93;
        const int64_t h94 = sorted78[many68 + s82];
        const int64_t e84 = h94;
        for (int64_t part87 = sc_thread(); part87 < n2 + (whole86 * (-3)); part87 += sc_threads()) {
            bool more85 = false;
            if (s82 < (many68 + (-1))) {
                more85 = more85 || (sorted78[s82 + 1] == place83);
            }
            if (!more85) {
                if (part87 < whole86) {
                    const double value88 = v[(n2 * e84) + part87];
                    const double value89 = v[(n2 * e84) + whole86 + part87];
                    const double value90 = v[(n2 * e84) + (whole86 * 2) + part87];
                    const double value91 = v[(n2 * e84) + (whole86 * 3) + part87];
                    out1[(n2 * place83) + part87] = value88;
                    out1[(n2 * place83) + whole86 + part87] = value89;
                    out1[(n2 * place83) + (whole86 * 2) + part87] = value90;
                    out1[(n2 * place83) + (whole86 * 3) + part87] = value91;
                }
                if (!(part87 < whole86)) {
                    const double value92 = v[(n2 * e84) + (whole86 * 3) + part87];
                    out1[(n2 * place83) + (whole86 * 3) + part87] = value92;
                }
            }
        }
    }
}
