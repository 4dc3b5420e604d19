#include "symcomp_grid.cuh"


/* positions within their axis */
extern "C" __global__ void __launch_bounds__(1024)
k7_check(const int64_t checkers0, const int64_t n0, const int64_t share1, const int64_t *restrict at, int64_t *restrict noted, int64_t *restrict status) {
    for (int64_t team2 = sc_team(); team2 < checkers0; team2 += sc_teams()) {
        int64_t first4 = n0;
        int64_t part1_ = INT64_C(9223372036854775807);
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < share1 + (sc_maximum_i64(0, (share1 + (sc_maximum_i64(0, (n0 + (share1 * team2 * (-1)))) * (-1)))) * (-1)); at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k3 = at2_ + round * sc_members();
                const int64_t i5 = (share1 * team2) + k3;
                const int64_t t3_ = at[i5];
                part1_ = sc_minimum_i64(part1_, (((t3_ < (-3)) || (3 <= t3_)) ? ((share1 * team2) + k3) : n0));
            }
        }
        for (int64_t k3 = at2_; k3 < share1 + (sc_maximum_i64(0, (share1 + (sc_maximum_i64(0, (n0 + (share1 * team2 * (-1)))) * (-1)))) * (-1)); k3 += sc_members()) {
            const int64_t i5 = (share1 * team2) + k3;
            const int64_t t4_ = at[i5];
            part1_ = sc_minimum_i64(part1_, (((t4_ < (-3)) || (3 <= t4_)) ? ((share1 * team2) + k3) : n0));
        }
        first4 = sc_minimum_i64(first4, (sc_team_fold<sc_min>(part1_)));
        if (first4 < n0) {
            const int64_t i6 = first4;
            if (sc_member() == 0) {
                noted[team2 * 2] = 3;
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

/* gemm: x @ w; tanh(x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k18_dot_tanh(const int64_t groups12, float *restrict tanh_0, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    for (int64_t i13 = sc_thread(); i13 < groups12; i13 += sc_threads()) {
        #pragma unroll
        for (int64_t j14 = 0; j14 < 4; ++j14) {
            const float v16 = sc_tanh_f32(tanh_0[(i13 * 4) + j14]);
            tanh_0[(i13 * 4) + j14] = v16;
        }
    }
    for (int64_t i15 = sc_thread(); i15 < (n0 * 6) + (groups12 * (-4)); i15 += sc_threads()) {
        const float v17 = sc_tanh_f32(tanh_0[(groups12 * 4) + i15]);
        tanh_0[(groups12 * 4) + i15] = v17;
    }
}

/* row: max(c + tanh(x @ w) @ v, axis=1); exp(c + tanh(x @ w) @ v + (-max(c + …, axis=1))[:, None]); sum(exp(c + tanh(…) @ v + (-max(…, axis=1))[:, None]), axis=1); place(broadcast_to(-(1.0 / float32(n0)), (n0,)), at, axis=1, length=3) + exp(c + … + (…)[:, None]) / sum(exp(…), axis=1)[:, None] / float32(n0) */
extern "C" __global__ void __launch_bounds__(1024)
k35_reduce_exp_add(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    const float h33 = -(1.0f / ((float)n0));
    const float h31 = h33;
    const float h34 = (float)n0;
    const float h32 = h34;
    for (int64_t i20 = sc_team(); i20 < n0; i20 += sc_teams()) {
        float *restrict const row21 = (float *)(tile);
        float s23 = -INFINITY;
        float part1_ = -INFINITY;
        for (int64_t j22 = sc_member(); j22 < 3; j22 += sc_members()) {
            part1_ = sc_maximum_f32(part1_, (c[j22] + dot_1[(i20 * 3) + j22]));
        }
        s23 = sc_maximum_f32(s23, (sc_team_fold<sc_max>(part1_)));
        if (sc_member() == 0) {
            reduce_2[i20] = s23;
        }
        float s25 = 0.0f;
        const float h29 = -s23;
        float part2_ = 0.0f;
        for (int64_t j24 = sc_member(); j24 < 3; j24 += sc_members()) {
            const float v26 = sc_exp_f32(((c[j24] + dot_1[(i20 * 3) + j24]) + h29));
            part2_ = part2_ + v26;
            row21[j24] = v26;
        }
        s25 = s25 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_3[i20] = s25;
        }
        const int64_t t3_ = at[i20];
        const int64_t h30 = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
        sc_team_sync();
        for (int64_t j27 = sc_member(); j27 < 3; j27 += sc_members()) {
            const float v28 = ((j27 == h30) ? h31 : 0.0f) + ((row21[j27] / s25) / h32);
            add_5[(i20 * 3) + j27] = v28;
        }
        sc_team_sync();
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], minimum(maximum(at, -3), 3 - 1), axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k45_reduce(const int64_t teams36, const int64_t length37, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial38) {
    for (int64_t b39 = sc_team(); b39 < teams36; b39 += sc_teams()) {
        const int64_t begin41 = length37 * b39;
        const int64_t length42 = length37 + (sc_maximum_i64(0, (length37 + (sc_maximum_i64(0, (n0 + (begin41 * (-1)))) * (-1)))) * (-1));
        float s44 = 0.0f;
        float part1_ = 0.0f;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < length42; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k43 = at2_ + round * sc_members();
                const int64_t k40 = begin41 + k43;
                const int64_t t3_ = sc_minimum_i64(sc_maximum_i64(at[k40], (-3)), (3 - 1));
                const int64_t t4_ = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
                part1_ = part1_ + (((c[t4_] + dot_1[sc_add_i64((k40 * 3), t4_)]) + (-reduce_2[k40])) + (-sc_log_f32(reduce_3[k40])));
            }
        }
        for (int64_t k43 = at2_; k43 < length42; k43 += sc_members()) {
            const int64_t k40 = begin41 + k43;
            const int64_t t5_ = sc_minimum_i64(sc_maximum_i64(at[k40], (-3)), (3 - 1));
            const int64_t t6_ = (t5_ < 0) ? sc_add_i64(t5_, 3) : t5_;
            part1_ = part1_ + (((c[t6_] + dot_1[sc_add_i64((k40 * 3), t6_)]) + (-reduce_2[k40])) + (-sc_log_f32(reduce_3[k40])));
        }
        s44 = s44 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            partial38[b39] = s44;
        }
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], minimum(maximum(at, -3), 3 - 1), axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k48_reduce(const int64_t teams36, const float *restrict partial38, float *restrict reduce_4) {
    for (int64_t v_1 = sc_team(); v_1 < 1; v_1 += sc_teams()) {
        double s46 = 0.0;
        double part2_ = 0.0;
        int64_t at3_ = sc_member();
        for (; at3_ + 3 * sc_members() < teams36; at3_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b47 = at3_ + round * sc_members();
                part2_ = part2_ + ((double)partial38[b47]);
            }
        }
        for (int64_t b47 = at3_; b47 < teams36; b47 += sc_members()) {
            part2_ = part2_ + ((double)partial38[b47]);
        }
        s46 = s46 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_4[0] = (float)s46;
        }
    }
}

/* map: -(sum(pick(… + … + (…)[:, None], minimum(maximum(at, …), 3 - 1), axis=1), axis=0) / float32(n0)) */
extern "C" __global__ void __launch_bounds__(256)
k51_negative(const float *restrict reduce_4, const int64_t n0, float *restrict out0) {
    const float h50 = -(reduce_4[0] / ((float)n0));
    const float v49 = h50;
    for (int64_t v_1 = sc_thread(); v_1 < 1; v_1 += sc_threads()) {
        out0[0] = v49;
    }
}

/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(256)
k62_dot_multiply(const int64_t groups56, const float *restrict tanh_0, float *restrict multiply_6, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    sc_aligned(multiply_6, 16);
    for (int64_t i57 = sc_thread(); i57 < groups56; i57 += sc_threads()) {
        #pragma unroll
        for (int64_t j58 = 0; j58 < 4; ++j58) {
            const float t1_ = tanh_0[(i57 * 4) + j58];
            const float v60 = (1.0f - (t1_ * t1_)) * multiply_6[(i57 * 4) + j58];
            multiply_6[(i57 * 4) + j58] = v60;
        }
    }
    for (int64_t i59 = sc_thread(); i59 < (n0 * 6) + (groups56 * (-4)); i59 += sc_threads()) {
        const float t2_ = tanh_0[(groups56 * 4) + i59];
        const float v61 = (1.0f - (t2_ * t2_)) * multiply_6[(groups56 * 4) + i59];
        multiply_6[(groups56 * 4) + i59] = v61;
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k72_reduce_subtract(const int64_t blocks65, const int64_t n0, const float *restrict add_5, float *restrict partial66) {
    sc_aligned(add_5, 16);
    sc_aligned(partial66, 16);
    for (int64_t b69 = sc_row(); b69 < blocks65; b69 += sc_rows()) {
        for (int64_t i67 = sc_thread(); i67 < 3; i67 += sc_threads()) {
            float s70 = 0.0f;
            #pragma unroll 4
            for (int64_t k71 = 0; k71 < sc_quotient(n0 + blocks65 + (b69 * (-1)) + (-1), blocks65); ++k71) {
                const int64_t k68 = (blocks65 * k71) + b69;
                s70 = s70 + add_5[i67 + (k68 * 3)];
            }
            partial66[i67 + (b69 * 3)] = s70;
        }
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k78_reduce_subtract(const int64_t blocks65, const float *restrict partial66, float *restrict c) {
    sc_aligned(partial66, 16);
    sc_aligned(c, 16);
    for (int64_t i73 = sc_thread(); i73 < 3; i73 += sc_threads()) {
        double s74 = 0.0;
        #pragma unroll 4
        for (int64_t b75 = 0; b75 < blocks65; ++b75) {
            s74 = s74 + ((double)partial66[i73 + (b75 * 3)]);
        }
        const float v76 = (float)s74;
        const float v77 = c[i73] - (0.1f * v76);
        c[i73] = v77;
    }
}
