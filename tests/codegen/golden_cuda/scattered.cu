#include "symcomp_grid.cuh"
#include "symcomp_sort.cuh"
#include "symcomp_rows.cuh"


#if SC_IN_PART(0)
/* positions within their axis */
template <bool wide>
SC_INLINE void k7_check_rows(const int64_t checkers0, const int64_t n1, const int64_t share1, const int64_t *restrict at, const int64_t n0, int64_t *restrict noted, int64_t *restrict status) {
    typedef sc_share<2, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < checkers0; row1_ += sc_teams()) {
        const bool some2_ = row1_ < checkers0;
        const int64_t team2 = some2_ ? row1_ : checkers0 - 1;
        int64_t at3_[share::count];
        int64_t first4 = n1;
        const int64_t count4_ = some2_ ? share1 + (sc_maximum_i64(0, (share1 + (sc_maximum_i64(0, (n1 + (share1 * team2 * (-1)))) * (-1)))) * (-1)) : 0;
        auto *const start5_ = sc_kept(at + (share1 * team2));
        int64_t part6_ = INT64_C(9223372036854775807);
        for (int64_t from7_ = 0; from7_ < count4_; from7_ += share::span()) {
            const share own8_(count4_ - from7_);
            own8_.load(at3_, start5_ + from7_);
            #pragma unroll
            for (int slot9_ = 0; slot9_ < 4; ++slot9_) {
                #pragma unroll
                for (int lane10_ = 0; lane10_ < 2; ++lane10_) {
                    const int at11_ = slot9_ * 2 + lane10_;
                    const int64_t k3 = from7_ + share::at(slot9_, lane10_);
                    if (own8_.has(slot9_, lane10_)) part6_ = sc_minimum_i64(part6_, (((at3_[at11_] < (-n0)) || (n0 <= at3_[at11_])) ? ((share1 * team2) + k3) : n1));
                }
            }
        }
        first4 = sc_minimum_i64(first4, (sc_teams_fold<sc_min>(part6_)));
        if (first4 < n1) {
            const int64_t i6 = first4;
            if (some2_ && sc_member() == 0) {
                noted[team2 * 2] = n0;
            }
            if (some2_ && sc_member() == 0) {
                noted[(team2 * 2) + 1] = at[i6];
            }
            if (some2_ && sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k7_check_wide(const int64_t checkers0, const int64_t n1, const int64_t share1, const int64_t *restrict at, const int64_t n0, int64_t *restrict noted, int64_t *restrict status) {
    k7_check_rows<true>(checkers0, n1, share1, at, n0, noted, status);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k7_check(const int64_t checkers0, const int64_t n1, const int64_t share1, const int64_t *restrict at, const int64_t n0, int64_t *restrict noted, int64_t *restrict status) {
    k7_check_rows<false>(checkers0, n1, share1, at, n0, noted, status);
}
#endif

#if SC_IN_PART(1)
/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k12_scatter(const int64_t groups8, const double *restrict x, double *restrict out0, const int64_t n0, const int64_t n2) {
    sc_aligned(x, 16);
    sc_aligned(out0, 16);
    for (int64_t i9 = sc_thread(); i9 < groups8; i9 += sc_threads()) {
        out0[i9 * 2] = x[i9 * 2];
        out0[(i9 * 2) + 1] = x[(i9 * 2) + 1];
    }
    for (int64_t i11 = sc_thread(); i11 < (n0 * n2) + (groups8 * (-2)); i11 += sc_threads()) {
        out0[(groups8 * 2) + i11] = x[(groups8 * 2) + i11];
    }
}
#endif

#if SC_IN_PART(2)
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
#endif

#if SC_IN_PART(3)
/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k29_scatter(const int64_t many15, const int64_t *restrict at, const int64_t n0, int64_t *restrict places26) {
    for (int64_t e28 = sc_thread(); e28 < many15; e28 += sc_threads()) {
        const int64_t t1_ = sc_minimum_i64(sc_maximum_i64(at[e28], (-n0)), (n0 - 1));
        places26[e28] = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
    }
}
#endif

#if SC_IN_PART(4)
/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k41_scatter(const int64_t many15, const int64_t *restrict sorted27, const int64_t rounds36, int64_t *restrict counts31) {
    sc_aligned(sorted27, 16);
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
                step37 = sc_minimum_i64(step37, (((step37) >> 1)));
                const int64_t to39 = end35 + step37;
                end35 = sc_add_i64(end35, ((place33 < sorted27[sc_minimum_i64(to39, many15) + (-1)]) ? 0 : ((many15 < to39) ? 0 : step37)));
            }
        }
        counts31[s32] = (s32 * (-1)) + end35;
    }
}
#endif

#if SC_IN_PART(5)
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
            if ((0 < count43) && (!(!(count43 < 256)))) {
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
#endif

#if SC_IN_PART(6)
/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(1024)
k86_scatter(const int64_t chunks64, const int64_t many15, const int64_t *restrict sorted27, const int64_t *restrict counts31, const int64_t width61, const int64_t n2, double *restrict out0, const double *restrict v, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t team65 = sc_team(); team65 < chunks64 * (((many15 + 127) >> 7)); team65 += sc_teams()) {
        double *restrict const tile62 = (double *)(tile);
        double *restrict const totals63 = (double *)(tile + 32768);
        const int64_t number66 = sc_quotient(team65, chunks64);
        const int64_t chunk67 = (chunks64 * number66 * (-1)) + team65;
        const int64_t at68 = number66 * 128;
        const int64_t place69 = sorted27[at68];
        bool follows70 = false;
        if ((at68 + 127) < many15) {
            follows70 = follows70 || (sorted27[at68 + 127] == place69);
        }
        bool before71 = false;
        if (0 < at68) {
            before71 = before71 || (sorted27[at68 + (-128)] == place69);
        }
        if (follows70 && (!before71)) {
            int64_t back72 = 0;
            if (!((at68 + (back72 * (-1)) + (-64)) < 0)) {
                back72 = sc_add_i64(back72, ((sorted27[at68 + (back72 * (-1)) + (-64)] == place69) ? 64 : 0));
            }
            if (!((at68 + (back72 * (-1)) + (-32)) < 0)) {
                back72 = sc_add_i64(back72, ((sorted27[at68 + (back72 * (-1)) + (-32)] == place69) ? 32 : 0));
            }
            if (!((at68 + (back72 * (-1)) + (-16)) < 0)) {
                back72 = sc_add_i64(back72, ((sorted27[at68 + (back72 * (-1)) + (-16)] == place69) ? 16 : 0));
            }
            if (!((at68 + (back72 * (-1)) + (-8)) < 0)) {
                back72 = sc_add_i64(back72, ((sorted27[at68 + (back72 * (-1)) + (-8)] == place69) ? 8 : 0));
            }
            if (!((at68 + (back72 * (-1)) + (-4)) < 0)) {
                back72 = sc_add_i64(back72, ((sorted27[at68 + (back72 * (-1)) + (-4)] == place69) ? 4 : 0));
            }
            if (!((at68 + (back72 * (-1)) + (-2)) < 0)) {
                back72 = sc_add_i64(back72, ((sorted27[at68 + (back72 * (-1)) + (-2)] == place69) ? 2 : 0));
            }
            if (!((at68 + (back72 * (-1)) + (-1)) < 0)) {
                back72 = sc_add_i64(back72, ((sorted27[at68 + (back72 * (-1)) + (-1)] == place69) ? 1 : 0));
            }
            const int64_t start73 = at68 + (back72 * (-1));
            const int64_t count74 = counts31[start73];
            const int64_t left75 = width61 * chunk67;
            const int64_t here76 = n2 + (left75 * (-1)) + (sc_maximum_i64(0, (n2 + (width61 * (-1)) + (left75 * (-1)))) * (-1));
            if (!(count74 < 256)) {
                int64_t at1_ = sc_member();
                for (; at1_ + 3 * sc_members() < here76; at1_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t c77 = at1_ + round * sc_members();
                        const int64_t v_2 = left75 + c77;
                        totals63[c77] = out0[(n2 * place69) + v_2];
                    }
                }
                for (int64_t c77 = at1_; c77 < here76; c77 += sc_members()) {
                    const int64_t v_3 = left75 + c77;
                    totals63[c77] = out0[(n2 * place69) + v_3];
                }
                for (int64_t tiles78 = 0; tiles78 < sc_quotient(count74 + sc_quotient(4096, width61) + (-1), sc_quotient(4096, width61)); ++tiles78) {
                    const int64_t done79 = sc_quotient(4096, width61) * tiles78;
                    const int64_t t4_ = count74 + (done79 * (-1)) + (sc_maximum_i64(0, (count74 + (sc_quotient(4096, width61) * (-1)) + (done79 * (-1)))) * (-1));
                    const int64_t rows80 = t4_;
                    int64_t at5_ = sc_member();
                    for (; at5_ + 3 * sc_members() < here76 * rows80; at5_ += 4 * sc_members()) {
                        #pragma unroll
                        for (int round = 0; round < 4; ++round) {
                            const int64_t e81 = at5_ + round * sc_members();
                            const int64_t row82 = sc_quotient(e81, here76);
                            const int64_t v_6 = left75 + (here76 * row82 * (-1)) + e81;
                            const int64_t position83 = sorted27[many15 + start73 + done79 + row82];
                            tile62[e81] = v[(n2 * position83) + v_6];
                        }
                    }
                    for (int64_t e81 = at5_; e81 < here76 * rows80; e81 += sc_members()) {
                        const int64_t row82 = sc_quotient(e81, here76);
                        const int64_t v_7 = left75 + (here76 * row82 * (-1)) + e81;
                        const int64_t position83 = sorted27[many15 + start73 + done79 + row82];
                        tile62[e81] = v[(n2 * position83) + v_7];
                    }
                    sc_team_sync();
                    for (int64_t c77 = sc_member(); c77 < here76; c77 += sc_members()) {
                        double total84 = totals63[c77];
                        #pragma unroll 4
                        for (int64_t row85 = 0; row85 < rows80; ++row85) {
                            total84 = total84 + tile62[(here76 * row85) + c77];
                        }
                        totals63[c77] = total84;
                    }
                    sc_team_sync();
                }
                int64_t at8_ = sc_member();
                for (; at8_ + 3 * sc_members() < here76; at8_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t c77 = at8_ + round * sc_members();
                        const int64_t v_9 = left75 + c77;
                        out0[(n2 * place69) + v_9] = totals63[c77];
                    }
                }
                for (int64_t c77 = at8_; c77 < here76; c77 += sc_members()) {
                    const int64_t v_10 = left75 + c77;
                    out0[(n2 * place69) + v_10] = totals63[c77];
                }
            }
        }
        sc_team_sync();
    }
}
#endif

#if SC_IN_PART(7)
/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k91_scatter(const int64_t groups87, const double *restrict x, double *restrict out1, const int64_t n0, const int64_t n2) {
    sc_aligned(x, 16);
    sc_aligned(out1, 16);
    for (int64_t i88 = sc_thread(); i88 < groups87; i88 += sc_threads()) {
        out1[i88 * 2] = x[i88 * 2];
        out1[(i88 * 2) + 1] = x[(i88 * 2) + 1];
    }
    for (int64_t i90 = sc_thread(); i90 < (n0 * n2) + (groups87 * (-2)); i90 += sc_threads()) {
        out1[(groups87 * 2) + i90] = x[(groups87 * 2) + i90];
    }
}
#endif

#if SC_IN_PART(8)
/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k102_scatter(const int64_t few95, const int64_t n2, const int64_t *restrict at, const int64_t n0, const double *restrict v, double *restrict out1) {
    for (int64_t e96 = sc_row(); e96 < few95; e96 += sc_rows()) {
        const int64_t t1_ = sc_minimum_i64(sc_maximum_i64(at[e96], (-n0)), (n0 - 1));
        const int64_t h101 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t place97 = h101;
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            bool met98 = false;
            #pragma unroll 4
            for (int64_t j99 = 0; j99 < sc_maximum_i64(0, (few95 + (e96 * (-1)) + (-1))); ++j99) {
                const int64_t other100 = e96 + j99 + 1;
                const int64_t t3_ = sc_minimum_i64(sc_maximum_i64(at[other100], (-n0)), (n0 - 1));
                met98 = met98 || (((t3_ < 0) ? sc_add_i64(t3_, n0) : t3_) == place97);
            }
            if (!met98) {
                out1[(n2 * place97) + v_2] = v[(n2 * e96) + v_2];
            }
        }
    }
}
#endif

#if SC_IN_PART(9)
/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k106_scatter(const int64_t many94, const int64_t *restrict at, const int64_t n0, int64_t *restrict places103) {
    for (int64_t e105 = sc_thread(); e105 < many94; e105 += sc_threads()) {
        const int64_t t1_ = sc_minimum_i64(sc_maximum_i64(at[e105], (-n0)), (n0 - 1));
        places103[e105] = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
    }
}
#endif

#if SC_IN_PART(10)
/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k121_scatter(const int64_t many94, const int64_t n2, const int64_t whole112, const int64_t *restrict sorted104, const double *restrict v, double *restrict out1) {
    sc_aligned(sorted104, 16);
    for (int64_t s108 = sc_row(); s108 < many94; s108 += sc_rows()) {
        const int64_t h119 = sorted104[s108];
        const int64_t place109 = h119;
        const int64_t h120 = sorted104[many94 + s108];
        const int64_t e110 = h120;
        for (int64_t part113 = sc_thread(); part113 < n2 + (whole112 * (-3)); part113 += sc_threads()) {
            bool more111 = false;
            if (s108 < (many94 + (-1))) {
                more111 = more111 || (sorted104[s108 + 1] == place109);
            }
            if (!more111) {
                if (part113 < whole112) {
                    const double value114 = v[(n2 * e110) + part113];
                    const double value115 = v[(n2 * e110) + whole112 + part113];
                    const double value116 = v[(n2 * e110) + (whole112 * 2) + part113];
                    const double value117 = v[(n2 * e110) + (whole112 * 3) + part113];
                    out1[(n2 * place109) + part113] = value114;
                    out1[(n2 * place109) + whole112 + part113] = value115;
                    out1[(n2 * place109) + (whole112 * 2) + part113] = value116;
                    out1[(n2 * place109) + (whole112 * 3) + part113] = value117;
                }
                if (!(part113 < whole112)) {
                    const double value118 = v[(n2 * e110) + (whole112 * 3) + part113];
                    out1[(n2 * place109) + (whole112 * 3) + part113] = value118;
                }
            }
        }
    }
}
#endif

#if SC_IN_PART(11)
SC_SORT_KERNELS(sort_alone, sort_count, sort_sum, sort_move)
#endif
