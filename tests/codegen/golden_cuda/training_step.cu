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
k13_dot_tanh(const int64_t groups7, float *restrict tanh_0, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    for (int64_t i8 = sc_thread(); i8 < groups7; i8 += sc_threads()) {
        #pragma unroll
        for (int64_t j9 = 0; j9 < 4; ++j9) {
            const float v11 = sc_tanh_f32(tanh_0[(i8 * 4) + j9]);
            tanh_0[(i8 * 4) + j9] = v11;
        }
    }
    for (int64_t i10 = sc_thread(); i10 < (n0 * 6) + (groups7 * (-4)); i10 += sc_threads()) {
        const float v12 = sc_tanh_f32(tanh_0[(groups7 * 4) + i10]);
        tanh_0[(groups7 * 4) + i10] = v12;
    }
}

/* row: max(c + tanh(x @ w) @ v, axis=1); exp(c + tanh(x @ w) @ v + (-max(c + …, axis=1))[:, None]); sum(exp(c + tanh(…) @ v + (-max(…, axis=1))[:, None]), axis=1); place(broadcast_to(-(1.0 / float32(n0)), (n0,)), at, axis=1, length=3) + exp(c + … + (…)[:, None]) / sum(exp(…), axis=1)[:, None] / float32(n0) */
extern "C" __global__ void __launch_bounds__(1024)
k30_reduce_exp_add(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    const float h28 = -(1.0f / ((float)n0));
    const float h26 = h28;
    const float h29 = (float)n0;
    const float h27 = h29;
    for (int64_t i15 = sc_team(); i15 < n0; i15 += sc_teams()) {
        float *restrict const row16 = (float *)(tile);
        float s18 = -INFINITY;
        float part1_ = -INFINITY;
        for (int64_t j17 = sc_member(); j17 < 3; j17 += sc_members()) {
            part1_ = sc_maximum_f32(part1_, (c[j17] + dot_1[(i15 * 3) + j17]));
        }
        s18 = sc_maximum_f32(s18, (sc_team_fold<sc_max>(part1_)));
        if (sc_member() == 0) {
            reduce_2[i15] = s18;
        }
        float s20 = 0.0f;
        const float h24 = -s18;
        float part2_ = 0.0f;
        for (int64_t j19 = sc_member(); j19 < 3; j19 += sc_members()) {
            const float v21 = sc_exp_f32(((c[j19] + dot_1[(i15 * 3) + j19]) + h24));
            part2_ = part2_ + v21;
            row16[j19] = v21;
        }
        s20 = s20 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_3[i15] = s20;
        }
        const int64_t t3_ = at[i15];
        const int64_t h25 = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
        sc_team_sync();
        for (int64_t j22 = sc_member(); j22 < 3; j22 += sc_members()) {
            const float v23 = ((j22 == h25) ? h26 : 0.0f) + ((row16[j22] / s20) / h27);
            add_5[(i15 * 3) + j22] = v23;
        }
        sc_team_sync();
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k40_reduce(const int64_t teams31, const int64_t length32, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial33) {
    for (int64_t b34 = sc_team(); b34 < teams31; b34 += sc_teams()) {
        const int64_t begin36 = length32 * b34;
        const int64_t length37 = length32 + (sc_maximum_i64(0, (length32 + (sc_maximum_i64(0, (n0 + (begin36 * (-1)))) * (-1)))) * (-1));
        float s39 = 0.0f;
        float part1_ = 0.0f;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < length37; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k38 = at2_ + round * sc_members();
                const int64_t k35 = begin36 + k38;
                const int64_t t3_ = at[k35];
                const int64_t t4_ = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
                part1_ = part1_ + (((c[t4_] + dot_1[sc_add_i64((k35 * 3), t4_)]) + (-reduce_2[k35])) + (-sc_log_f32(reduce_3[k35])));
            }
        }
        for (int64_t k38 = at2_; k38 < length37; k38 += sc_members()) {
            const int64_t k35 = begin36 + k38;
            const int64_t t5_ = at[k35];
            const int64_t t6_ = (t5_ < 0) ? sc_add_i64(t5_, 3) : t5_;
            part1_ = part1_ + (((c[t6_] + dot_1[sc_add_i64((k35 * 3), t6_)]) + (-reduce_2[k35])) + (-sc_log_f32(reduce_3[k35])));
        }
        s39 = s39 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            partial33[b34] = s39;
        }
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k43_reduce(const int64_t teams31, const float *restrict partial33, float *restrict reduce_4) {
    for (int64_t v_1 = sc_team(); v_1 < 1; v_1 += sc_teams()) {
        double s41 = 0.0;
        double part2_ = 0.0;
        int64_t at3_ = sc_member();
        for (; at3_ + 3 * sc_members() < teams31; at3_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b42 = at3_ + round * sc_members();
                part2_ = part2_ + ((double)partial33[b42]);
            }
        }
        for (int64_t b42 = at3_; b42 < teams31; b42 += sc_members()) {
            part2_ = part2_ + ((double)partial33[b42]);
        }
        s41 = s41 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_4[0] = (float)s41;
        }
    }
}

/* map: -(sum(pick(… + … + (…)[:, None], at, axis=1), axis=0) / float32(n0)) */
extern "C" __global__ void __launch_bounds__(256)
k46_negative(const float *restrict reduce_4, const int64_t n0, float *restrict out0) {
    const float h45 = -(reduce_4[0] / ((float)n0));
    const float v44 = h45;
    for (int64_t v_1 = sc_thread(); v_1 < 1; v_1 += sc_threads()) {
        out0[0] = v44;
    }
}

/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(256)
k57_dot_multiply(const int64_t groups51, const float *restrict tanh_0, float *restrict multiply_6, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    sc_aligned(multiply_6, 16);
    for (int64_t i52 = sc_thread(); i52 < groups51; i52 += sc_threads()) {
        #pragma unroll
        for (int64_t j53 = 0; j53 < 4; ++j53) {
            const float t1_ = tanh_0[(i52 * 4) + j53];
            const float v55 = (1.0f - (t1_ * t1_)) * multiply_6[(i52 * 4) + j53];
            multiply_6[(i52 * 4) + j53] = v55;
        }
    }
    for (int64_t i54 = sc_thread(); i54 < (n0 * 6) + (groups51 * (-4)); i54 += sc_threads()) {
        const float t2_ = tanh_0[(groups51 * 4) + i54];
        const float v56 = (1.0f - (t2_ * t2_)) * multiply_6[(groups51 * 4) + i54];
        multiply_6[(groups51 * 4) + i54] = v56;
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k94_reduce_subtract(const int64_t tiles64, const int64_t blocks66, const int64_t across62, const int64_t deep63, const int64_t length65, const int64_t n0, const float *restrict add_5, float *restrict c, float *restrict partial68) {
    for (int64_t team69 = sc_block(); team69 < tiles64 * blocks66; team69 += sc_blocks()) {
        const int64_t block70 = sc_quotient(team69, tiles64);
        const int64_t start71 = (across62 * tiles64 * block70 * (-1)) + (across62 * team69);
        __shared__ double parts72[512];
         {
            const int64_t e73 = sc_member();
            const int64_t lane74 = sc_quotient(e73, across62);
            float s67 = 0.0f;
            if ((lane74 < deep63) && (((across62 * lane74 * (-1)) + start71 + e73) < 3)) {
                const int64_t i60 = (across62 * lane74 * (-1)) + start71 + e73;
                const int64_t begin75 = length65 * block70;
                const int64_t end76 = n0 + (sc_maximum_i64(0, (n0 + (length65 * (-1)) + (begin75 * (-1)))) * (-1));
                const int64_t first77 = lane74 + begin75;
                const int64_t count78 = sc_quotient(deep63 + sc_maximum_i64(0, (end76 + (first77 * (-1)))) + (-1), deep63);
                const int64_t groups80 = sc_quotient(count78, 8);
                #pragma unroll 1
                for (int64_t g81 = 0; g81 < groups80; ++g81) {
                    #pragma unroll
                    for (int64_t k82 = 0; k82 < 8; ++k82) {
                        const int64_t k61 = (deep63 * g81 * 8) + (deep63 * k82) + first77;
                        s67 = s67 + add_5[i60 + (k61 * 3)];
                    }
                }
                if (count78 > (groups80 * 8)) {
                    #pragma unroll
                    for (int64_t k83 = 0; k83 < 8; ++k83) {
                        const int64_t k61 = (deep63 * sc_minimum_i64(((groups80 * 8) + k83), (count78 + (-1)))) + first77;
                        s67 = s67 + ((((groups80 * 8) + k83) < count78) ? add_5[i60 + (k61 * 3)] : 0.0f);
                    }
                }
            }
            parts72[e73] = (double)s67;
        }
        __syncthreads();
         {
            const int64_t e84 = sc_member();
            const int64_t lane85 = sc_quotient(e84, across62);
            if (lane85 < 8) {
                const int64_t count86 = sc_quotient(sc_maximum_i64(0, (deep63 + (lane85 * (-1)))) + 7, 8);
                double s87 = 0.0;
                #pragma unroll 4
                for (int64_t k88 = 0; k88 < count86; ++k88) {
                    s87 = s87 + parts72[(across62 * k88 * 8) + e84];
                }
                parts72[e84] = s87;
            }
        }
        __syncthreads();
         {
            const int64_t e89 = sc_member();
            if ((e89 < across62) && ((start71 + e89) < 3)) {
                const int64_t i60 = start71 + e89;
                double s90 = 0.0;
                #pragma unroll 4
                for (int64_t k91 = 0; k91 < deep63 + (sc_maximum_i64(0, (deep63 + (-8))) * (-1)); ++k91) {
                    s90 = s90 + parts72[(across62 * k91) + e89];
                }
                if (blocks66 == 1) {
                    const float v92 = (float)s90;
                    const float v93 = c[i60] - (0.1f * v92);
                    c[i60] = v93;
                }
                if (!(blocks66 == 1)) {
                    partial68[i60 + (block70 * 3)] = (float)s90;
                }
            }
        }
        __syncthreads();
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k121_reduce_subtract(const int64_t tiles97, const int64_t blocks66, const float *restrict partial68, float *restrict c) {
    for (int64_t team98 = sc_block(); team98 < tiles97; team98 += sc_blocks()) {
        const int64_t start99 = team98 * 3;
        __shared__ double parts100[512];
         {
            const int64_t e101 = sc_member();
            const int64_t lane102 = sc_quotient(e101, 3);
            float s96 = 0.0f;
            if ((lane102 < 170) && ((start99 + e101 + (lane102 * (-3))) < 3)) {
                const int64_t i95 = start99 + e101 + (lane102 * (-3));
                const int64_t end103 = blocks66;
                const int64_t first104 = lane102;
                const int64_t count105 = sc_quotient(sc_maximum_i64(0, (end103 + (first104 * (-1)))) + 169, 170);
                const int64_t groups107 = sc_quotient(count105, 8);
                #pragma unroll 1
                for (int64_t g108 = 0; g108 < groups107; ++g108) {
                    #pragma unroll
                    for (int64_t k109 = 0; k109 < 8; ++k109) {
                        s96 = s96 + partial68[i95 + (first104 * 3) + (g108 * 4080) + (k109 * 510)];
                    }
                }
                if (count105 > (groups107 * 8)) {
                    #pragma unroll
                    for (int64_t k110 = 0; k110 < 8; ++k110) {
                        const float t1_ = (((groups107 * 8) + k110) < count105) ? partial68[i95 + (first104 * 3) + (sc_minimum_i64(((groups107 * 8) + k110), (count105 + (-1))) * 510)] : 0.0f;
                        s96 = s96 + t1_;
                    }
                }
            }
            parts100[e101] = (double)s96;
        }
        __syncthreads();
         {
            const int64_t e111 = sc_member();
            const int64_t lane112 = sc_quotient(e111, 3);
            if (lane112 < 8) {
                const int64_t count113 = sc_quotient((lane112 * (-1)) + sc_maximum_i64(0, (lane112 + (-170))) + 177, 8);
                double s114 = 0.0;
                #pragma unroll 4
                for (int64_t k115 = 0; k115 < count113; ++k115) {
                    s114 = s114 + parts100[e111 + (k115 * 24)];
                }
                parts100[e111] = s114;
            }
        }
        __syncthreads();
         {
            const int64_t e116 = sc_member();
            if ((e116 < 3) && ((start99 + e116) < 3)) {
                const int64_t i95 = start99 + e116;
                double s117 = 0.0;
                for (int64_t k118 = 0; k118 < 8; ++k118) {
                    s117 = s117 + parts100[e116 + (k118 * 3)];
                }
                const float v119 = (float)s117;
                const float v120 = c[i95] - (0.1f * v119);
                c[i95] = v120;
            }
        }
        __syncthreads();
    }
}
