#include "symcomp_grid.cuh"
#include "symcomp_sort.cuh"

SC_SORT_KERNELS(sort_alone, sort_count, sort_sum, sort_move)

/* positions within their axis */
extern "C" __global__ void __launch_bounds__(1024)
k2_check(const int64_t n1, const int64_t *restrict at, const int64_t n0, int64_t *restrict status) {
    for (int64_t v_1 = sc_team(); v_1 < 1; v_1 += sc_teams()) {
        bool bad1 = false;
        bool part2_ = false;
        int64_t at3_ = sc_member();
        for (; at3_ + 3 * sc_members() < n1; at3_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t i0 = at3_ + round * sc_members();
                const int64_t t4_ = at[i0];
                part2_ = part2_ || ((t4_ < (-n0)) || (n0 <= t4_));
            }
        }
        for (int64_t i0 = at3_; i0 < n1; i0 += sc_members()) {
            const int64_t t5_ = at[i0];
            part2_ = part2_ || ((t5_ < (-n0)) || (n0 <= t5_));
        }
        bad1 = bad1 || (sc_team_fold<sc_any>(part2_));
        if (bad1) {
            if (sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k7_scatter(const int64_t groups3, const double *restrict x, double *restrict out0, const int64_t n0, const int64_t n2) {
    sc_aligned(x, 16);
    sc_aligned(out0, 16);
    for (int64_t i4 = sc_thread(); i4 < groups3; i4 += sc_threads()) {
        #pragma unroll
        for (int64_t j5 = 0; j5 < 2; ++j5) {
            out0[(i4 * 2) + j5] = x[(i4 * 2) + j5];
        }
    }
    for (int64_t i6 = sc_thread(); i6 < (n0 * n2) + (groups3 * (-2)); i6 += sc_threads()) {
        out0[(groups3 * 2) + i6] = x[(groups3 * 2) + i6];
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k20_scatter(const int64_t few11, const int64_t n2, const int64_t *restrict at, const int64_t n0, double *restrict out0, const double *restrict v) {
    for (int64_t e12 = sc_row(); e12 < few11; e12 += sc_rows()) {
        const int64_t t1_ = at[e12];
        const int64_t h19 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t place13 = h19;
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            bool met14 = false;
            #pragma unroll 4
            for (int64_t j15 = 0; j15 < e12; ++j15) {
                const int64_t t3_ = at[j15];
                met14 = met14 || (((t3_ < 0) ? sc_add_i64(t3_, n0) : t3_) == place13);
            }
            if (!met14) {
                double total16 = out0[(n2 * place13) + v_2];
                for (int64_t j17 = 0; j17 < sc_maximum_i64(0, (few11 + (e12 * (-1)))); ++j17) {
                    const int64_t other18 = e12 + j17;
                    const int64_t t4_ = at[other18];
                    if (((t4_ < 0) ? sc_add_i64(t4_, n0) : t4_) == place13) {
                        total16 = total16 + v[(n2 * other18) + v_2];
                    }
                }
                out0[(n2 * place13) + v_2] = total16;
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k24_scatter(const int64_t many10, const int64_t *restrict at, const int64_t n0, int64_t *restrict places21) {
    for (int64_t e23 = sc_thread(); e23 < many10; e23 += sc_threads()) {
        const int64_t t1_ = at[e23];
        places21[e23] = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k36_scatter(const int64_t many10, const int64_t *restrict sorted22, const int64_t rounds31, int64_t *restrict counts26) {
    for (int64_t s27 = sc_thread(); s27 < many10; s27 += sc_threads()) {
        const int64_t place28 = sorted22[s27];
        bool again29 = false;
        if (0 < s27) {
            again29 = again29 || (sorted22[s27 + (-1)] == place28);
        }
        int64_t end30 = s27;
        if (!again29) {
            int64_t step32 = 1;
            #pragma unroll 4
            for (int64_t k33 = 0; k33 < rounds31; ++k33) {
                step32 = sc_multiply_i64(step32, 16);
            }
            #pragma unroll 4
            for (int64_t k35 = 0; k35 < rounds31 * 4; ++k35) {
                step32 = sc_minimum_i64(step32, sc_quotient(step32, 2));
                const int64_t to34 = end30 + step32;
                end30 = sc_add_i64(end30, ((place28 < sorted22[sc_minimum_i64(to34, many10) + (-1)]) ? 0 : ((many10 < to34) ? 0 : step32)));
            }
        }
        counts26[s27] = (s27 * (-1)) + end30;
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k55_scatter(const int64_t many10, const int64_t n2, const int64_t whole41, const int64_t *restrict counts26, const int64_t *restrict sorted22, double *restrict out0, const double *restrict v) {
    for (int64_t s37 = sc_row(); s37 < many10; s37 += sc_rows()) {
        const int64_t h52 = counts26[s37];
        const int64_t count38 = h52;
        const int64_t h53 = sorted22[s37];
        const int64_t place39 = h53;
        const int64_t h54 = sorted22[many10 + s37];
        const int64_t first40 = h54;
        for (int64_t part42 = sc_thread(); part42 < n2 + (whole41 * (-3)); part42 += sc_threads()) {
            if (0 < count38) {
                if (part42 < whole41) {
                    double total43 = out0[(n2 * place39) + part42];
                    double total44 = out0[(n2 * place39) + whole41 + part42];
                    double total45 = out0[(n2 * place39) + (whole41 * 2) + part42];
                    double total46 = out0[(n2 * place39) + (whole41 * 3) + part42];
                    total43 = total43 + v[(n2 * first40) + part42];
                    total44 = total44 + v[(n2 * first40) + whole41 + part42];
                    total45 = total45 + v[(n2 * first40) + (whole41 * 2) + part42];
                    total46 = total46 + v[(n2 * first40) + (whole41 * 3) + part42];
                    #pragma unroll 4
                    for (int64_t k47 = 0; k47 < sc_maximum_i64(0, (count38 + (-1))); ++k47) {
                        const int64_t e48 = sorted22[many10 + s37 + k47 + 1];
                        total43 = total43 + v[(n2 * e48) + part42];
                        total44 = total44 + v[(n2 * e48) + whole41 + part42];
                        total45 = total45 + v[(n2 * e48) + (whole41 * 2) + part42];
                        total46 = total46 + v[(n2 * e48) + (whole41 * 3) + part42];
                    }
                    out0[(n2 * place39) + part42] = total43;
                    out0[(n2 * place39) + whole41 + part42] = total44;
                    out0[(n2 * place39) + (whole41 * 2) + part42] = total45;
                    out0[(n2 * place39) + (whole41 * 3) + part42] = total46;
                }
                if (!(part42 < whole41)) {
                    double total49 = out0[(n2 * place39) + (whole41 * 3) + part42];
                    total49 = total49 + v[(n2 * first40) + (whole41 * 3) + part42];
                    #pragma unroll 4
                    for (int64_t k50 = 0; k50 < sc_maximum_i64(0, (count38 + (-1))); ++k50) {
                        const int64_t e51 = sorted22[many10 + s37 + k50 + 1];
                        total49 = total49 + v[(n2 * e51) + (whole41 * 3) + part42];
                    }
                    out0[(n2 * place39) + (whole41 * 3) + part42] = total49;
                }
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k60_scatter(const int64_t groups56, const double *restrict x, double *restrict out1, const int64_t n0, const int64_t n2) {
    sc_aligned(x, 16);
    sc_aligned(out1, 16);
    for (int64_t i57 = sc_thread(); i57 < groups56; i57 += sc_threads()) {
        #pragma unroll
        for (int64_t j58 = 0; j58 < 2; ++j58) {
            out1[(i57 * 2) + j58] = x[(i57 * 2) + j58];
        }
    }
    for (int64_t i59 = sc_thread(); i59 < (n0 * n2) + (groups56 * (-2)); i59 += sc_threads()) {
        out1[(groups56 * 2) + i59] = x[(groups56 * 2) + i59];
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k71_scatter(const int64_t few64, const int64_t n2, const int64_t *restrict at, const int64_t n0, const double *restrict v, double *restrict out1) {
    for (int64_t e65 = sc_row(); e65 < few64; e65 += sc_rows()) {
        const int64_t t1_ = at[e65];
        const int64_t h70 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t place66 = h70;
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            bool met67 = false;
            #pragma unroll 4
            for (int64_t j68 = 0; j68 < sc_maximum_i64(0, (few64 + (e65 * (-1)) + (-1))); ++j68) {
                const int64_t other69 = e65 + j68 + 1;
                const int64_t t3_ = at[other69];
                met67 = met67 || (((t3_ < 0) ? sc_add_i64(t3_, n0) : t3_) == place66);
            }
            if (!met67) {
                out1[(n2 * place66) + v_2] = v[(n2 * e65) + v_2];
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k75_scatter(const int64_t many63, const int64_t *restrict at, const int64_t n0, int64_t *restrict places72) {
    for (int64_t e74 = sc_thread(); e74 < many63; e74 += sc_threads()) {
        const int64_t t1_ = at[e74];
        places72[e74] = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k90_scatter(const int64_t many63, const int64_t n2, const int64_t whole81, const int64_t *restrict sorted73, const double *restrict v, double *restrict out1) {
    for (int64_t s77 = sc_row(); s77 < many63; s77 += sc_rows()) {
        const int64_t h88 = sorted73[s77];
        const int64_t place78 = h88;
        const int64_t h89 = sorted73[many63 + s77];
        const int64_t e79 = h89;
        for (int64_t part82 = sc_thread(); part82 < n2 + (whole81 * (-3)); part82 += sc_threads()) {
            bool more80 = false;
            if (s77 < (many63 + (-1))) {
                more80 = more80 || (sorted73[s77 + 1] == place78);
            }
            if (!more80) {
                if (part82 < whole81) {
                    const double value83 = v[(n2 * e79) + part82];
                    const double value84 = v[(n2 * e79) + whole81 + part82];
                    const double value85 = v[(n2 * e79) + (whole81 * 2) + part82];
                    const double value86 = v[(n2 * e79) + (whole81 * 3) + part82];
                    out1[(n2 * place78) + part82] = value83;
                    out1[(n2 * place78) + whole81 + part82] = value84;
                    out1[(n2 * place78) + (whole81 * 2) + part82] = value85;
                    out1[(n2 * place78) + (whole81 * 3) + part82] = value86;
                }
                if (!(part82 < whole81)) {
                    const double value87 = v[(n2 * e79) + (whole81 * 3) + part82];
                    out1[(n2 * place78) + (whole81 * 3) + part82] = value87;
                }
            }
        }
    }
}
