#include "symcomp_grid.cuh"


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
k3_scatter(const int64_t n0, const int64_t n2, const double *restrict x, double *restrict out0) {
    sc_aligned(x, 16);
    sc_aligned(out0, 16);
    for (int64_t v_1 = sc_row(); v_1 < n0; v_1 += sc_rows()) {
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            out0[(n2 * v_1) + v_2] = x[(n2 * v_1) + v_2];
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(1024)
k6_scatter(const int64_t owners4, const int64_t n1, const int64_t *restrict at, const int64_t n0, const int64_t n2, const double *restrict v, double *restrict out0) {
    for (int64_t owner5 = sc_team(); owner5 < owners4; owner5 += sc_teams()) {
        for (int64_t v_1 = 0; v_1 < n1; ++v_1) {
            const int64_t t2_ = at[v_1];
            if (sc_mod_i64(((t2_ < 0) ? sc_add_i64(t2_, n0) : t2_), owners4) == owner5) {
                int64_t at4_ = sc_member();
                for (; at4_ + 3 * sc_members() < n2; at4_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t v_3 = at4_ + round * sc_members();
                        const int64_t t5_ = at[v_1];
                        out0[sc_add_i64(sc_multiply_i64(n2, ((t5_ < 0) ? sc_add_i64(t5_, n0) : t5_)), v_3)] = out0[sc_add_i64(sc_multiply_i64(n2, ((t5_ < 0) ? sc_add_i64(t5_, n0) : t5_)), v_3)] + v[(n2 * v_1) + v_3];
                    }
                }
                for (int64_t v_3 = at4_; v_3 < n2; v_3 += sc_members()) {
                    const int64_t t6_ = at[v_1];
                    out0[sc_add_i64(sc_multiply_i64(n2, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), v_3)] = out0[sc_add_i64(sc_multiply_i64(n2, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), v_3)] + v[(n2 * v_1) + v_3];
                }
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k7_scatter(const int64_t n0, const int64_t n2, const double *restrict x, double *restrict out1) {
    sc_aligned(x, 16);
    sc_aligned(out1, 16);
    for (int64_t v_1 = sc_row(); v_1 < n0; v_1 += sc_rows()) {
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            out1[(n2 * v_1) + v_2] = x[(n2 * v_1) + v_2];
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(1024)
k10_scatter(const int64_t owners8, const int64_t n1, const int64_t *restrict at, const int64_t n0, const int64_t n2, const double *restrict v, double *restrict out1) {
    for (int64_t owner9 = sc_team(); owner9 < owners8; owner9 += sc_teams()) {
        for (int64_t v_1 = 0; v_1 < n1; ++v_1) {
            const int64_t t2_ = at[v_1];
            if (sc_mod_i64(((t2_ < 0) ? sc_add_i64(t2_, n0) : t2_), owners8) == owner9) {
                int64_t at4_ = sc_member();
                for (; at4_ + 3 * sc_members() < n2; at4_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t v_3 = at4_ + round * sc_members();
                        const int64_t t5_ = at[v_1];
                        out1[sc_add_i64(sc_multiply_i64(n2, ((t5_ < 0) ? sc_add_i64(t5_, n0) : t5_)), v_3)] = v[(n2 * v_1) + v_3];
                    }
                }
                for (int64_t v_3 = at4_; v_3 < n2; v_3 += sc_members()) {
                    const int64_t t6_ = at[v_1];
                    out1[sc_add_i64(sc_multiply_i64(n2, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), v_3)] = v[(n2 * v_1) + v_3];
                }
            }
        }
    }
}
