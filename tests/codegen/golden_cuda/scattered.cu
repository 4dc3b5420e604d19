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
            if ((0 < count38) && (!(!(count38 < 256)))) {
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

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(1024)
k81_scatter(const int64_t chunks59, const int64_t many10, const int64_t *restrict sorted22, const int64_t *restrict counts26, const int64_t width56, const int64_t n2, double *restrict out0, const double *restrict v, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    for (int64_t team60 = sc_team(); team60 < chunks59 * sc_quotient(many10 + 127, 128); team60 += sc_teams()) {
        double *restrict const tile57 = (double *)(tile);
        double *restrict const totals58 = (double *)(tile + 32768);
        const int64_t number61 = sc_quotient(team60, chunks59);
        const int64_t chunk62 = (chunks59 * number61 * (-1)) + team60;
        const int64_t at63 = number61 * 128;
        const int64_t place64 = sorted22[at63];
        bool follows65 = false;
        if ((at63 + 127) < many10) {
            follows65 = follows65 || (sorted22[at63 + 127] == place64);
        }
        bool before66 = false;
        if (0 < at63) {
            before66 = before66 || (sorted22[at63 + (-128)] == place64);
        }
        if (follows65 && (!before66)) {
            int64_t back67 = 0;
            if (!((at63 + (back67 * (-1)) + (-64)) < 0)) {
                back67 = sc_add_i64(back67, ((sorted22[at63 + (back67 * (-1)) + (-64)] == place64) ? 64 : 0));
            }
            if (!((at63 + (back67 * (-1)) + (-32)) < 0)) {
                back67 = sc_add_i64(back67, ((sorted22[at63 + (back67 * (-1)) + (-32)] == place64) ? 32 : 0));
            }
            if (!((at63 + (back67 * (-1)) + (-16)) < 0)) {
                back67 = sc_add_i64(back67, ((sorted22[at63 + (back67 * (-1)) + (-16)] == place64) ? 16 : 0));
            }
            if (!((at63 + (back67 * (-1)) + (-8)) < 0)) {
                back67 = sc_add_i64(back67, ((sorted22[at63 + (back67 * (-1)) + (-8)] == place64) ? 8 : 0));
            }
            if (!((at63 + (back67 * (-1)) + (-4)) < 0)) {
                back67 = sc_add_i64(back67, ((sorted22[at63 + (back67 * (-1)) + (-4)] == place64) ? 4 : 0));
            }
            if (!((at63 + (back67 * (-1)) + (-2)) < 0)) {
                back67 = sc_add_i64(back67, ((sorted22[at63 + (back67 * (-1)) + (-2)] == place64) ? 2 : 0));
            }
            if (!((at63 + (back67 * (-1)) + (-1)) < 0)) {
                back67 = sc_add_i64(back67, ((sorted22[at63 + (back67 * (-1)) + (-1)] == place64) ? 1 : 0));
            }
            const int64_t start68 = at63 + (back67 * (-1));
            const int64_t count69 = counts26[start68];
            const int64_t left70 = width56 * chunk62;
            const int64_t here71 = n2 + (left70 * (-1)) + (sc_maximum_i64(0, (n2 + (width56 * (-1)) + (left70 * (-1)))) * (-1));
            if (!(count69 < 256)) {
                int64_t at1_ = sc_member();
                for (; at1_ + 3 * sc_members() < here71; at1_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t c72 = at1_ + round * sc_members();
                        const int64_t v_2 = left70 + c72;
                        totals58[c72] = out0[(n2 * place64) + v_2];
                    }
                }
                for (int64_t c72 = at1_; c72 < here71; c72 += sc_members()) {
                    const int64_t v_3 = left70 + c72;
                    totals58[c72] = out0[(n2 * place64) + v_3];
                }
                for (int64_t tiles73 = 0; tiles73 < sc_quotient(count69 + sc_quotient(4096, width56) + (-1), sc_quotient(4096, width56)); ++tiles73) {
                    const int64_t done74 = sc_quotient(4096, width56) * tiles73;
                    const int64_t t4_ = count69 + (done74 * (-1)) + (sc_maximum_i64(0, (count69 + (sc_quotient(4096, width56) * (-1)) + (done74 * (-1)))) * (-1));
                    const int64_t rows75 = t4_;
                    int64_t at5_ = sc_member();
                    for (; at5_ + 3 * sc_members() < here71 * rows75; at5_ += 4 * sc_members()) {
                        #pragma unroll
                        for (int round = 0; round < 4; ++round) {
                            const int64_t e76 = at5_ + round * sc_members();
                            const int64_t row77 = sc_quotient(e76, here71);
                            const int64_t v_6 = left70 + (here71 * row77 * (-1)) + e76;
                            const int64_t position78 = sorted22[many10 + start68 + done74 + row77];
                            tile57[e76] = v[(n2 * position78) + v_6];
                        }
                    }
                    for (int64_t e76 = at5_; e76 < here71 * rows75; e76 += sc_members()) {
                        const int64_t row77 = sc_quotient(e76, here71);
                        const int64_t v_7 = left70 + (here71 * row77 * (-1)) + e76;
                        const int64_t position78 = sorted22[many10 + start68 + done74 + row77];
                        tile57[e76] = v[(n2 * position78) + v_7];
                    }
                    sc_team_sync();
                    for (int64_t c72 = sc_member(); c72 < here71; c72 += sc_members()) {
                        double total79 = totals58[c72];
                        #pragma unroll 4
                        for (int64_t row80 = 0; row80 < rows75; ++row80) {
                            total79 = total79 + tile57[(here71 * row80) + c72];
                        }
                        totals58[c72] = total79;
                    }
                    sc_team_sync();
                }
                int64_t at8_ = sc_member();
                for (; at8_ + 3 * sc_members() < here71; at8_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t c72 = at8_ + round * sc_members();
                        const int64_t v_9 = left70 + c72;
                        out0[(n2 * place64) + v_9] = totals58[c72];
                    }
                }
                for (int64_t c72 = at8_; c72 < here71; c72 += sc_members()) {
                    const int64_t v_10 = left70 + c72;
                    out0[(n2 * place64) + v_10] = totals58[c72];
                }
            }
        }
        sc_team_sync();
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k86_scatter(const int64_t groups82, const double *restrict x, double *restrict out1, const int64_t n0, const int64_t n2) {
    sc_aligned(x, 16);
    sc_aligned(out1, 16);
    for (int64_t i83 = sc_thread(); i83 < groups82; i83 += sc_threads()) {
        #pragma unroll
        for (int64_t j84 = 0; j84 < 2; ++j84) {
            out1[(i83 * 2) + j84] = x[(i83 * 2) + j84];
        }
    }
    for (int64_t i85 = sc_thread(); i85 < (n0 * n2) + (groups82 * (-2)); i85 += sc_threads()) {
        out1[(groups82 * 2) + i85] = x[(groups82 * 2) + i85];
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k97_scatter(const int64_t few90, const int64_t n2, const int64_t *restrict at, const int64_t n0, const double *restrict v, double *restrict out1) {
    for (int64_t e91 = sc_row(); e91 < few90; e91 += sc_rows()) {
        const int64_t t1_ = at[e91];
        const int64_t h96 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t place92 = h96;
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            bool met93 = false;
            #pragma unroll 4
            for (int64_t j94 = 0; j94 < sc_maximum_i64(0, (few90 + (e91 * (-1)) + (-1))); ++j94) {
                const int64_t other95 = e91 + j94 + 1;
                const int64_t t3_ = at[other95];
                met93 = met93 || (((t3_ < 0) ? sc_add_i64(t3_, n0) : t3_) == place92);
            }
            if (!met93) {
                out1[(n2 * place92) + v_2] = v[(n2 * e91) + v_2];
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k101_scatter(const int64_t many89, const int64_t *restrict at, const int64_t n0, int64_t *restrict places98) {
    for (int64_t e100 = sc_thread(); e100 < many89; e100 += sc_threads()) {
        const int64_t t1_ = at[e100];
        places98[e100] = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k116_scatter(const int64_t many89, const int64_t n2, const int64_t whole107, const int64_t *restrict sorted99, const double *restrict v, double *restrict out1) {
    for (int64_t s103 = sc_row(); s103 < many89; s103 += sc_rows()) {
        const int64_t h114 = sorted99[s103];
        const int64_t place104 = h114;
        const int64_t h115 = sorted99[many89 + s103];
        const int64_t e105 = h115;
        for (int64_t part108 = sc_thread(); part108 < n2 + (whole107 * (-3)); part108 += sc_threads()) {
            bool more106 = false;
            if (s103 < (many89 + (-1))) {
                more106 = more106 || (sorted99[s103 + 1] == place104);
            }
            if (!more106) {
                if (part108 < whole107) {
                    const double value109 = v[(n2 * e105) + part108];
                    const double value110 = v[(n2 * e105) + whole107 + part108];
                    const double value111 = v[(n2 * e105) + (whole107 * 2) + part108];
                    const double value112 = v[(n2 * e105) + (whole107 * 3) + part108];
                    out1[(n2 * place104) + part108] = value109;
                    out1[(n2 * place104) + whole107 + part108] = value110;
                    out1[(n2 * place104) + (whole107 * 2) + part108] = value111;
                    out1[(n2 * place104) + (whole107 * 3) + part108] = value112;
                }
                if (!(part108 < whole107)) {
                    const double value113 = v[(n2 * e105) + (whole107 * 3) + part108];
                    out1[(n2 * place104) + (whole107 * 3) + part108] = value113;
                }
            }
        }
    }
}
