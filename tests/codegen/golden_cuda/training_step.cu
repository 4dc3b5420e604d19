#include "symcomp_grid.cuh"


/* positions within their axis */
extern "C" __global__ void __launch_bounds__(1024)
k2_check(const int64_t n0, const int64_t *restrict at, int64_t *restrict status) {
    for (int64_t v_1 = sc_team(); v_1 < 1; v_1 += sc_teams()) {
        bool bad1 = false;
        bool part2_ = false;
        int64_t at3_ = sc_member();
        for (; at3_ + 3 * sc_members() < n0; at3_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t i0 = at3_ + round * sc_members();
                const int64_t t4_ = at[i0];
                part2_ = part2_ || ((t4_ < (-3)) || (3 <= t4_));
            }
        }
        for (int64_t i0 = at3_; i0 < n0; i0 += sc_members()) {
            const int64_t t5_ = at[i0];
            part2_ = part2_ || ((t5_ < (-3)) || (3 <= t5_));
        }
        bad1 = bad1 || (sc_team_fold<sc_any>(part2_));
        if (bad1) {
            if (sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

/* gemm: x @ w; tanh(x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k16_dot_tanh(const int64_t groups7, float *restrict tanh_0, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    for (int64_t i8 = sc_thread(); i8 < groups7; i8 += sc_threads()) {
        const float v6_11 = sc_tanh_f32(tanh_0[i8 * 4]);
        const float v6_12 = sc_tanh_f32(tanh_0[(i8 * 4) + 1]);
        const float v6_13 = sc_tanh_f32(tanh_0[(i8 * 4) + 2]);
        const float v6_14 = sc_tanh_f32(tanh_0[(i8 * 4) + 3]);
        tanh_0[i8 * 4] = v6_11;
        tanh_0[(i8 * 4) + 1] = v6_12;
        tanh_0[(i8 * 4) + 2] = v6_13;
        tanh_0[(i8 * 4) + 3] = v6_14;
    }
    for (int64_t i10 = sc_thread(); i10 < (n0 * 6) + (groups7 * (-4)); i10 += sc_threads()) {
        const float v15 = sc_tanh_f32(tanh_0[(groups7 * 4) + i10]);
        tanh_0[(groups7 * 4) + i10] = v15;
    }
}

/* row: max(c + tanh(x @ w) @ v, axis=1); exp(c + tanh(x @ w) @ v + (-max(c + …, axis=1))[:, None]); sum(exp(c + tanh(…) @ v + (-max(…, axis=1))[:, None]), axis=1); place(broadcast_to(-(1.0 / float32(n0)), (n0,)), at, axis=1, length=3) + exp(c + … + (…)[:, None]) / sum(exp(…), axis=1)[:, None] / float32(n0) */
extern "C" __global__ void __launch_bounds__(1024)
k33_reduce_exp_add(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    const float h31 = -(1.0f / ((float)n0));
    const float h29 = h31;
    const float h32 = (float)n0;
    const float h30 = h32;
    for (int64_t i18 = sc_team(); i18 < n0; i18 += sc_teams()) {
        float *restrict const row19 = (float *)(tile);
        float s21 = -INFINITY;
        float part1_ = -INFINITY;
        for (int64_t j20 = sc_member(); j20 < 3; j20 += sc_members()) {
            part1_ = sc_maximum_f32(part1_, (c[j20] + dot_1[(i18 * 3) + j20]));
        }
        s21 = sc_maximum_f32(s21, (sc_team_fold<sc_max>(part1_)));
        if (sc_member() == 0) {
            reduce_2[i18] = s21;
        }
        float s23 = 0.0f;
        const float h27 = -s21;
        float part2_ = 0.0f;
        for (int64_t j22 = sc_member(); j22 < 3; j22 += sc_members()) {
            const float v24 = sc_exp_f32(((c[j22] + dot_1[(i18 * 3) + j22]) + h27));
            part2_ = part2_ + v24;
            row19[j22] = v24;
        }
        s23 = s23 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_3[i18] = s23;
        }
        const int64_t t3_ = at[i18];
        const int64_t h28 = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
        sc_team_sync();
        for (int64_t j25 = sc_member(); j25 < 3; j25 += sc_members()) {
            const float v26 = ((j25 == h28) ? h29 : 0.0f) + ((row19[j25] / s23) / h30);
            add_5[(i18 * 3) + j25] = v26;
        }
        sc_team_sync();
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k43_reduce(const int64_t teams34, const int64_t length35, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial36) {
    for (int64_t b37 = sc_team(); b37 < teams34; b37 += sc_teams()) {
        const int64_t begin39 = length35 * b37;
        const int64_t length40 = length35 + (sc_maximum_i64(0, (length35 + (sc_maximum_i64(0, (n0 + (begin39 * (-1)))) * (-1)))) * (-1));
        float s42 = 0.0f;
        float part1_ = 0.0f;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < length40; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k41 = at2_ + round * sc_members();
                const int64_t k38 = begin39 + k41;
                const int64_t t3_ = at[k38];
                const int64_t t4_ = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
                part1_ = part1_ + (((c[t4_] + dot_1[sc_add_i64((k38 * 3), t4_)]) + (-reduce_2[k38])) + (-sc_log_f32(reduce_3[k38])));
            }
        }
        for (int64_t k41 = at2_; k41 < length40; k41 += sc_members()) {
            const int64_t k38 = begin39 + k41;
            const int64_t t5_ = at[k38];
            const int64_t t6_ = (t5_ < 0) ? sc_add_i64(t5_, 3) : t5_;
            part1_ = part1_ + (((c[t6_] + dot_1[sc_add_i64((k38 * 3), t6_)]) + (-reduce_2[k38])) + (-sc_log_f32(reduce_3[k38])));
        }
        s42 = s42 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            partial36[b37] = s42;
        }
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k46_reduce(const int64_t teams34, const float *restrict partial36, float *restrict reduce_4) {
    for (int64_t v_1 = sc_team(); v_1 < 1; v_1 += sc_teams()) {
        double s44 = 0.0;
        double part2_ = 0.0;
        int64_t at3_ = sc_member();
        for (; at3_ + 3 * sc_members() < teams34; at3_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b45 = at3_ + round * sc_members();
                part2_ = part2_ + ((double)partial36[b45]);
            }
        }
        for (int64_t b45 = at3_; b45 < teams34; b45 += sc_members()) {
            part2_ = part2_ + ((double)partial36[b45]);
        }
        s44 = s44 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_4[0] = (float)s44;
        }
    }
}

/* map: -(sum(pick(… + … + (…)[:, None], at, axis=1), axis=0) / float32(n0)) */
extern "C" __global__ void __launch_bounds__(256)
k49_negative(const float *restrict reduce_4, const int64_t n0, float *restrict out0) {
    const float h48 = -(reduce_4[0] / ((float)n0));
    const float v47 = h48;
    for (int64_t v_1 = sc_thread(); v_1 < 1; v_1 += sc_threads()) {
        out0[0] = v47;
    }
}

/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(256)
k63_dot_multiply(const int64_t groups54, const float *restrict tanh_0, float *restrict multiply_6, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    sc_aligned(multiply_6, 16);
    for (int64_t i55 = sc_thread(); i55 < groups54; i55 += sc_threads()) {
        const float t1_ = tanh_0[i55 * 4];
        const float v53_58 = (1.0f - (t1_ * t1_)) * multiply_6[i55 * 4];
        const float t2_ = tanh_0[(i55 * 4) + 1];
        const float v53_59 = (1.0f - (t2_ * t2_)) * multiply_6[(i55 * 4) + 1];
        const float t3_ = tanh_0[(i55 * 4) + 2];
        const float v53_60 = (1.0f - (t3_ * t3_)) * multiply_6[(i55 * 4) + 2];
        const float t4_ = tanh_0[(i55 * 4) + 3];
        const float v53_61 = (1.0f - (t4_ * t4_)) * multiply_6[(i55 * 4) + 3];
        multiply_6[i55 * 4] = v53_58;
        multiply_6[(i55 * 4) + 1] = v53_59;
        multiply_6[(i55 * 4) + 2] = v53_60;
        multiply_6[(i55 * 4) + 3] = v53_61;
    }
    for (int64_t i57 = sc_thread(); i57 < (n0 * 6) + (groups54 * (-4)); i57 += sc_threads()) {
        const float t5_ = tanh_0[(groups54 * 4) + i57];
        const float v62 = (1.0f - (t5_ * t5_)) * multiply_6[(groups54 * 4) + i57];
        multiply_6[(groups54 * 4) + i57] = v62;
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k100_reduce_subtract(const int64_t tiles70, const int64_t blocks72, const int64_t across68, const int64_t deep69, const int64_t length71, const int64_t n0, const float *restrict add_5, float *restrict c, float *restrict partial74) {
    for (int64_t team75 = sc_block(); team75 < tiles70 * blocks72; team75 += sc_blocks()) {
        const int64_t block76 = sc_quotient(team75, tiles70);
        const int64_t start77 = (across68 * tiles70 * block76 * (-1)) + (across68 * team75);
        __shared__ double parts78[512];
         {
            const int64_t e79 = sc_member();
            const int64_t lane80 = sc_quotient(e79, across68);
            float s73 = 0.0f;
            if ((lane80 < deep69) && (((across68 * lane80 * (-1)) + start77 + e79) < 3)) {
                const int64_t i66 = (across68 * lane80 * (-1)) + start77 + e79;
                const int64_t begin81 = length71 * block76;
                const int64_t end82 = n0 + (sc_maximum_i64(0, (n0 + (length71 * (-1)) + (begin81 * (-1)))) * (-1));
                const int64_t first83 = lane80 + begin81;
                const int64_t count84 = sc_quotient(deep69 + sc_maximum_i64(0, (end82 + (first83 * (-1)))) + (-1), deep69);
                const int64_t groups86 = ((count84) >> 3);
                #pragma unroll 1
                for (int64_t g87 = 0; g87 < groups86; ++g87) {
                    #pragma unroll
                    for (int64_t k88 = 0; k88 < 8; ++k88) {
                        const int64_t k67 = (deep69 * g87 * 8) + (deep69 * k88) + first83;
                        s73 = s73 + add_5[i66 + (k67 * 3)];
                    }
                }
                if (count84 > (groups86 * 8)) {
                    #pragma unroll
                    for (int64_t k89 = 0; k89 < 8; ++k89) {
                        const int64_t k67 = (deep69 * sc_minimum_i64(((groups86 * 8) + k89), (count84 + (-1)))) + first83;
                        s73 = s73 + ((((groups86 * 8) + k89) < count84) ? add_5[i66 + (k67 * 3)] : 0.0f);
                    }
                }
            }
            parts78[e79] = (double)s73;
        }
        __syncthreads();
         {
            const int64_t e90 = sc_member();
            const int64_t lane91 = sc_quotient(e90, across68);
            if (lane91 < 8) {
                const int64_t count92 = ((sc_maximum_i64(0, (deep69 + (lane91 * (-1)))) + 7) >> 3);
                double s93 = 0.0;
                #pragma unroll 4
                for (int64_t k94 = 0; k94 < count92; ++k94) {
                    s93 = s93 + parts78[(across68 * k94 * 8) + e90];
                }
                parts78[e90] = s93;
            }
        }
        __syncthreads();
         {
            const int64_t e95 = sc_member();
            if ((e95 < across68) && ((start77 + e95) < 3)) {
                const int64_t i66 = start77 + e95;
                double s96 = 0.0;
                #pragma unroll 4
                for (int64_t k97 = 0; k97 < deep69 + (sc_maximum_i64(0, (deep69 + (-8))) * (-1)); ++k97) {
                    s96 = s96 + parts78[(across68 * k97) + e95];
                }
                if (blocks72 == 1) {
                    const float v98 = (float)s96;
                    const float v99 = c[i66] - (0.1f * v98);
                    c[i66] = v99;
                }
                if (!(blocks72 == 1)) {
                    partial74[i66 + (block76 * 3)] = (float)s96;
                }
            }
        }
        __syncthreads();
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k127_reduce_subtract(const int64_t tiles103, const int64_t blocks72, const float *restrict partial74, float *restrict c) {
    for (int64_t team104 = sc_block(); team104 < tiles103; team104 += sc_blocks()) {
        const int64_t start105 = team104 * 3;
        __shared__ double parts106[512];
         {
            const int64_t e107 = sc_member();
            const int64_t lane108 = sc_quotient(e107, 3);
            float s102 = 0.0f;
            if ((lane108 < 170) && ((start105 + e107 + (lane108 * (-3))) < 3)) {
                const int64_t i101 = start105 + e107 + (lane108 * (-3));
                const int64_t end109 = blocks72;
                const int64_t first110 = lane108;
                const int64_t count111 = sc_quotient(sc_maximum_i64(0, (end109 + (first110 * (-1)))) + 169, 170);
                const int64_t groups113 = ((count111) >> 3);
                #pragma unroll 1
                for (int64_t g114 = 0; g114 < groups113; ++g114) {
                    #pragma unroll
                    for (int64_t k115 = 0; k115 < 8; ++k115) {
                        s102 = s102 + partial74[i101 + (first110 * 3) + (g114 * 4080) + (k115 * 510)];
                    }
                }
                if (count111 > (groups113 * 8)) {
                    #pragma unroll
                    for (int64_t k116 = 0; k116 < 8; ++k116) {
                        const float t1_ = (((groups113 * 8) + k116) < count111) ? partial74[i101 + (first110 * 3) + (sc_minimum_i64(((groups113 * 8) + k116), (count111 + (-1))) * 510)] : 0.0f;
                        s102 = s102 + t1_;
                    }
                }
            }
            parts106[e107] = (double)s102;
        }
        __syncthreads();
         {
            const int64_t e117 = sc_member();
            const int64_t lane118 = sc_quotient(e117, 3);
            if (lane118 < 8) {
                const int64_t count119 = (((lane118 * (-1)) + sc_maximum_i64(0, (lane118 + (-170))) + 177) >> 3);
                double s120 = 0.0;
                #pragma unroll 4
                for (int64_t k121 = 0; k121 < count119; ++k121) {
                    s120 = s120 + parts106[e117 + (k121 * 24)];
                }
                parts106[e117] = s120;
            }
        }
        __syncthreads();
         {
            const int64_t e122 = sc_member();
            if ((e122 < 3) && ((start105 + e122) < 3)) {
                const int64_t i101 = start105 + e122;
                double s123 = 0.0;
                for (int64_t k124 = 0; k124 < 8; ++k124) {
                    s123 = s123 + parts106[e122 + (k124 * 3)];
                }
                const float v125 = (float)s123;
                const float v126 = c[i101] - (0.1f * v125);
                c[i101] = v126;
            }
        }
        __syncthreads();
    }
}
