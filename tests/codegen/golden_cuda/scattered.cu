#include "symcomp_grid.cuh"


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
k8_scatter(const int64_t n0, const int64_t n2, const double *restrict x, double *restrict out0) {
    sc_aligned(x, 16);
    sc_aligned(out0, 16);
    for (int64_t v_1 = sc_row(); v_1 < n0; v_1 += sc_rows()) {
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            out0[(n2 * v_1) + v_2] = x[(n2 * v_1) + v_2];
        }
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(1024)
k11_scatter(const int64_t owners9, const int64_t n1, const int64_t *restrict at, const int64_t n0, const int64_t n2, const double *restrict v, double *restrict out0) {
    for (int64_t owner10 = sc_team(); owner10 < owners9; owner10 += sc_teams()) {
        for (int64_t v_1 = 0; v_1 < n1; ++v_1) {
            const int64_t t2_ = sc_minimum_i64(sc_maximum_i64(at[v_1], (-n0)), (n0 - 1));
            if (sc_mod_i64(((t2_ < 0) ? sc_add_i64(t2_, n0) : t2_), owners9) == owner10) {
                int64_t at4_ = sc_member();
                for (; at4_ + 3 * sc_members() < n2; at4_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t v_3 = at4_ + round * sc_members();
                        const int64_t t5_ = sc_minimum_i64(sc_maximum_i64(at[v_1], (-n0)), (n0 - 1));
                        out0[sc_add_i64(sc_multiply_i64(n2, ((t5_ < 0) ? sc_add_i64(t5_, n0) : t5_)), v_3)] = out0[sc_add_i64(sc_multiply_i64(n2, ((t5_ < 0) ? sc_add_i64(t5_, n0) : t5_)), v_3)] + v[(n2 * v_1) + v_3];
                    }
                }
                for (int64_t v_3 = at4_; v_3 < n2; v_3 += sc_members()) {
                    const int64_t t6_ = sc_minimum_i64(sc_maximum_i64(at[v_1], (-n0)), (n0 - 1));
                    out0[sc_add_i64(sc_multiply_i64(n2, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), v_3)] = out0[sc_add_i64(sc_multiply_i64(n2, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), v_3)] + v[(n2 * v_1) + v_3];
                }
            }
        }
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k12_scatter(const int64_t n0, const int64_t n2, const double *restrict x, double *restrict out1) {
    sc_aligned(x, 16);
    sc_aligned(out1, 16);
    for (int64_t v_1 = sc_row(); v_1 < n0; v_1 += sc_rows()) {
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            out1[(n2 * v_1) + v_2] = x[(n2 * v_1) + v_2];
        }
    }
}

/* writes: scatter(x, v, minimum(maximum(at, -n0), n0 - 1), axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(1024)
k15_scatter(const int64_t owners13, const int64_t n1, const int64_t *restrict at, const int64_t n0, const int64_t n2, const double *restrict v, double *restrict out1) {
    for (int64_t owner14 = sc_team(); owner14 < owners13; owner14 += sc_teams()) {
        for (int64_t v_1 = 0; v_1 < n1; ++v_1) {
            const int64_t t2_ = sc_minimum_i64(sc_maximum_i64(at[v_1], (-n0)), (n0 - 1));
            if (sc_mod_i64(((t2_ < 0) ? sc_add_i64(t2_, n0) : t2_), owners13) == owner14) {
                int64_t at4_ = sc_member();
                for (; at4_ + 3 * sc_members() < n2; at4_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t v_3 = at4_ + round * sc_members();
                        const int64_t t5_ = sc_minimum_i64(sc_maximum_i64(at[v_1], (-n0)), (n0 - 1));
                        out1[sc_add_i64(sc_multiply_i64(n2, ((t5_ < 0) ? sc_add_i64(t5_, n0) : t5_)), v_3)] = v[(n2 * v_1) + v_3];
                    }
                }
                for (int64_t v_3 = at4_; v_3 < n2; v_3 += sc_members()) {
                    const int64_t t6_ = sc_minimum_i64(sc_maximum_i64(at[v_1], (-n0)), (n0 - 1));
                    out1[sc_add_i64(sc_multiply_i64(n2, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), v_3)] = v[(n2 * v_1) + v_3];
                }
            }
        }
    }
}
