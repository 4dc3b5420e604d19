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
extern "C" __global__ void __launch_bounds__(1024)
k30_dot_tanh(const int64_t n0, const float *restrict x, const float *restrict w, float *restrict tanh_0, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile12 = sc_team(); tile12 < ((n0 + 15) >> 4); tile12 += sc_teams()) {
        float *restrict const strip13 = (float *)(tile);
        float *restrict const strip14 = (float *)(tile + 17408);
        for (int64_t e15 = sc_member(); e15 < 16; e15 += sc_members()) {
            const int64_t term16 = (e15 >> 2);
            const int64_t term_rest17 = e15 + (term16 * (-4));
            #pragma unroll
            for (int64_t j18 = 0; j18 < 4; ++j18) {
                const int64_t place19 = n0 + (sc_maximum_i64(0, (n0 + (tile12 * (-16)) + (term_rest17 * (-4)) + (j18 * (-1)) + (-1))) * (-1)) + (-1);
                strip13[(term16 * 17) + (term_rest17 * 4) + j18] = x[term16 + (place19 * 4)];
                const int64_t place20 = (term_rest17 * 4) + j18 + (sc_maximum_i64(0, ((term_rest17 * 4) + j18 + (-5))) * (-1));
                strip14[(term16 * 17) + (term_rest17 * 4) + j18] = w[(term16 * 6) + place20];
            }
        }
        sc_team_sync();
        for (int64_t e21 = sc_member(); e21 < 256; e21 += sc_members()) {
            const int64_t row22 = (e21 >> 4);
            const int64_t row_rest23 = e21 + (row22 * (-16));
            const int64_t i24 = (tile12 * 16) + row22;
            const int64_t j25 = row_rest23;
            if ((i24 < n0) && (j25 < 6)) {
                float s26 = 0.0f;
                for (int64_t k27 = 0; k27 < 4; ++k27) {
                    s26 = s26 + (strip13[row22 + (k27 * 17)] * strip14[row_rest23 + (k27 * 17)]);
                }
                const float v28 = sc_tanh_f32(s26);
                tanh_0[(i24 * 6) + j25] = v28;
            }
        }
        sc_team_sync();
    }
}

/* gemm: x @ w; tanh(x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k32_dot_tanh(const int64_t groups6, float *restrict tanh_0, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    for (int64_t i7 = sc_thread(); i7 < groups6; i7 += sc_threads()) {
        #pragma unroll
        for (int64_t j8 = 0; j8 < 4; ++j8) {
            const float v10 = sc_tanh_f32(tanh_0[(i7 * 4) + j8]);
            tanh_0[(i7 * 4) + j8] = v10;
        }
    }
    for (int64_t i9 = sc_thread(); i9 < (n0 * 6) + (groups6 * (-4)); i9 += sc_threads()) {
        const float v11 = sc_tanh_f32(tanh_0[(groups6 * 4) + i9]);
        tanh_0[(groups6 * 4) + i9] = v11;
    }
}

/* gemm: tanh(x @ w) @ v */
extern "C" __global__ void __launch_bounds__(1024)
k50_dot(const int64_t n0, const float *restrict tanh_0, const float *restrict v, float *restrict dot_1, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile33 = sc_team(); tile33 < ((n0 + 15) >> 4); tile33 += sc_teams()) {
        float *restrict const strip34 = (float *)(tile);
        float *restrict const strip35 = (float *)(tile + 17408);
        for (int64_t e36 = sc_member(); e36 < 24; e36 += sc_members()) {
            const int64_t term37 = (e36 >> 2);
            const int64_t term_rest38 = e36 + (term37 * (-4));
            #pragma unroll
            for (int64_t j39 = 0; j39 < 4; ++j39) {
                const int64_t place40 = n0 + (sc_maximum_i64(0, (n0 + (tile33 * (-16)) + (term_rest38 * (-4)) + (j39 * (-1)) + (-1))) * (-1)) + (-1);
                strip34[(term37 * 17) + (term_rest38 * 4) + j39] = tanh_0[term37 + (place40 * 6)];
                const int64_t place41 = (term_rest38 * 4) + j39 + (sc_maximum_i64(0, ((term_rest38 * 4) + j39 + (-2))) * (-1));
                strip35[(term37 * 17) + (term_rest38 * 4) + j39] = v[(term37 * 3) + place41];
            }
        }
        sc_team_sync();
        for (int64_t e42 = sc_member(); e42 < 256; e42 += sc_members()) {
            const int64_t row43 = (e42 >> 4);
            const int64_t row_rest44 = e42 + (row43 * (-16));
            const int64_t i45 = (tile33 * 16) + row43;
            const int64_t j46 = row_rest44;
            if ((i45 < n0) && (j46 < 3)) {
                float s47 = 0.0f;
                for (int64_t k48 = 0; k48 < 6; ++k48) {
                    s47 = s47 + (strip34[row43 + (k48 * 17)] * strip35[row_rest44 + (k48 * 17)]);
                }
                dot_1[(i45 * 3) + j46] = s47;
            }
        }
        sc_team_sync();
    }
}

/* row: max(c + tanh(x @ w) @ v, axis=1); exp(c + tanh(x @ w) @ v + (-max(c + …, axis=1))[:, None]); sum(exp(c + tanh(…) @ v + (-max(…, axis=1))[:, None]), axis=1); place(broadcast_to(-(1.0 / float32(n0)), (n0,)), at, axis=1, length=3) + exp(c + … + (…)[:, None]) / sum(exp(…), axis=1)[:, None] / float32(n0) */
extern "C" __global__ void __launch_bounds__(1024)
k67_reduce_exp_add(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    const float h65 = -(1.0f / ((float)n0));
    const float h63 = h65;
    const float h66 = (float)n0;
    const float h64 = h66;
    for (int64_t i52 = sc_team(); i52 < n0; i52 += sc_teams()) {
        float *restrict const row53 = (float *)(tile);
        float s55 = -INFINITY;
        float part1_ = -INFINITY;
        for (int64_t j54 = sc_member(); j54 < 3; j54 += sc_members()) {
            part1_ = sc_maximum_f32(part1_, (c[j54] + dot_1[(i52 * 3) + j54]));
        }
        s55 = sc_maximum_f32(s55, (sc_team_fold<sc_max>(part1_)));
        if (sc_member() == 0) {
            reduce_2[i52] = s55;
        }
        float s57 = 0.0f;
        const float h61 = -s55;
        float part2_ = 0.0f;
        for (int64_t j56 = sc_member(); j56 < 3; j56 += sc_members()) {
            const float v58 = sc_exp_f32(((c[j56] + dot_1[(i52 * 3) + j56]) + h61));
            part2_ = part2_ + v58;
            row53[j56] = v58;
        }
        s57 = s57 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_3[i52] = s57;
        }
        const int64_t t3_ = at[i52];
        const int64_t h62 = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
        sc_team_sync();
        for (int64_t j59 = sc_member(); j59 < 3; j59 += sc_members()) {
            const float v60 = ((j59 == h62) ? h63 : 0.0f) + ((row53[j59] / s57) / h64);
            add_5[(i52 * 3) + j59] = v60;
        }
        sc_team_sync();
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k77_reduce(const int64_t teams68, const int64_t length69, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial70) {
    for (int64_t b71 = sc_team(); b71 < teams68; b71 += sc_teams()) {
        const int64_t begin73 = length69 * b71;
        const int64_t length74 = length69 + (sc_maximum_i64(0, (length69 + (sc_maximum_i64(0, (n0 + (begin73 * (-1)))) * (-1)))) * (-1));
        float s76 = 0.0f;
        float part1_ = 0.0f;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < length74; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k75 = at2_ + round * sc_members();
                const int64_t k72 = begin73 + k75;
                const int64_t t3_ = at[k72];
                const int64_t t4_ = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
                part1_ = part1_ + (((c[t4_] + dot_1[sc_add_i64((k72 * 3), t4_)]) + (-reduce_2[k72])) + (-sc_log_f32(reduce_3[k72])));
            }
        }
        for (int64_t k75 = at2_; k75 < length74; k75 += sc_members()) {
            const int64_t k72 = begin73 + k75;
            const int64_t t5_ = at[k72];
            const int64_t t6_ = (t5_ < 0) ? sc_add_i64(t5_, 3) : t5_;
            part1_ = part1_ + (((c[t6_] + dot_1[sc_add_i64((k72 * 3), t6_)]) + (-reduce_2[k72])) + (-sc_log_f32(reduce_3[k72])));
        }
        s76 = s76 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            partial70[b71] = s76;
        }
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k80_reduce(const int64_t teams68, const float *restrict partial70, float *restrict reduce_4) {
    for (int64_t v_1 = sc_team(); v_1 < 1; v_1 += sc_teams()) {
        double s78 = 0.0;
        double part2_ = 0.0;
        int64_t at3_ = sc_member();
        for (; at3_ + 3 * sc_members() < teams68; at3_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b79 = at3_ + round * sc_members();
                part2_ = part2_ + ((double)partial70[b79]);
            }
        }
        for (int64_t b79 = at3_; b79 < teams68; b79 += sc_members()) {
            part2_ = part2_ + ((double)partial70[b79]);
        }
        s78 = s78 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_4[0] = (float)s78;
        }
    }
}

/* map: -(sum(pick(… + … + (…)[:, None], at, axis=1), axis=0) / float32(n0)) */
extern "C" __global__ void __launch_bounds__(256)
k83_negative(const float *restrict reduce_4, const int64_t n0, float *restrict out0) {
    const float h82 = -(reduce_4[0] / ((float)n0));
    const float v81 = h82;
    for (int64_t v_1 = sc_thread(); v_1 < 1; v_1 += sc_threads()) {
        out0[0] = v81;
    }
}

/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(1024)
k111_dot_multiply(const int64_t n0, const float *restrict add_5, const float *restrict v, const float *restrict tanh_0, float *restrict multiply_6, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile93 = sc_team(); tile93 < ((n0 + 15) >> 4); tile93 += sc_teams()) {
        float *restrict const strip94 = (float *)(tile);
        float *restrict const strip95 = (float *)(tile + 17408);
        for (int64_t e96 = sc_member(); e96 < 12; e96 += sc_members()) {
            const int64_t term97 = (e96 >> 2);
            const int64_t term_rest98 = e96 + (term97 * (-4));
            #pragma unroll
            for (int64_t j99 = 0; j99 < 4; ++j99) {
                const int64_t place100 = n0 + (sc_maximum_i64(0, (n0 + (tile93 * (-16)) + (term_rest98 * (-4)) + (j99 * (-1)) + (-1))) * (-1)) + (-1);
                strip94[(term97 * 17) + (term_rest98 * 4) + j99] = add_5[term97 + (place100 * 3)];
                const int64_t place101 = (term_rest98 * 4) + j99 + (sc_maximum_i64(0, ((term_rest98 * 4) + j99 + (-5))) * (-1));
                strip95[(term97 * 17) + (term_rest98 * 4) + j99] = v[term97 + (place101 * 3)];
            }
        }
        sc_team_sync();
        for (int64_t e102 = sc_member(); e102 < 256; e102 += sc_members()) {
            const int64_t row103 = (e102 >> 4);
            const int64_t row_rest104 = e102 + (row103 * (-16));
            const int64_t i105 = (tile93 * 16) + row103;
            const int64_t j106 = row_rest104;
            if ((i105 < n0) && (j106 < 6)) {
                float s107 = 0.0f;
                for (int64_t k108 = 0; k108 < 3; ++k108) {
                    s107 = s107 + (strip94[row103 + (k108 * 17)] * strip95[row_rest104 + (k108 * 17)]);
                }
                const float t1_ = tanh_0[(i105 * 6) + j106];
                const float v109 = (1.0f - (t1_ * t1_)) * s107;
                multiply_6[(i105 * 6) + j106] = v109;
            }
        }
        sc_team_sync();
    }
}

/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(256)
k113_dot_multiply(const int64_t groups87, const float *restrict tanh_0, float *restrict multiply_6, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    sc_aligned(multiply_6, 16);
    for (int64_t i88 = sc_thread(); i88 < groups87; i88 += sc_threads()) {
        #pragma unroll
        for (int64_t j89 = 0; j89 < 4; ++j89) {
            const float t1_ = tanh_0[(i88 * 4) + j89];
            const float v91 = (1.0f - (t1_ * t1_)) * multiply_6[(i88 * 4) + j89];
            multiply_6[(i88 * 4) + j89] = v91;
        }
    }
    for (int64_t i90 = sc_thread(); i90 < (n0 * 6) + (groups87 * (-4)); i90 += sc_threads()) {
        const float t2_ = tanh_0[(groups87 * 4) + i90];
        const float v92 = (1.0f - (t2_ * t2_)) * multiply_6[(groups87 * 4) + i90];
        multiply_6[(groups87 * 4) + i90] = v92;
    }
}

/* gemm: einsum(ki,kj->ij: x, (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), v)); w - 0.1 * einsum(ki,kj->ij: x, (1.0 - square(…)) * einsum(ik,jk->ij: … + …, v)) */
extern "C" __global__ void __launch_bounds__(1024)
k132_dot_subtract(const int64_t n0, const float *restrict x, const float *restrict multiply_6, float *restrict w, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile114 = sc_team(); tile114 < 1; tile114 += sc_teams()) {
        float *restrict const strip115 = (float *)(tile);
        float *restrict const strip116 = (float *)(tile + 17408);
        for (int64_t e117 = sc_member(); e117 < n0 * 4; e117 += sc_members()) {
            const int64_t term118 = (e117 >> 2);
            const int64_t term_rest119 = e117 + (term118 * (-4));
            #pragma unroll
            for (int64_t j120 = 0; j120 < 4; ++j120) {
                const int64_t t1_ = (tile114 * 16) + (term_rest119 * 4) + j120 + (sc_maximum_i64(0, ((tile114 * 16) + (term_rest119 * 4) + j120 + (-3))) * (-1));
                const int64_t place121 = t1_;
                strip115[(term118 * 17) + (term_rest119 * 4) + j120] = x[(term118 * 4) + place121];
                const int64_t place122 = (term_rest119 * 4) + j120 + (sc_maximum_i64(0, ((term_rest119 * 4) + j120 + (-5))) * (-1));
                strip116[(term118 * 17) + (term_rest119 * 4) + j120] = multiply_6[(term118 * 6) + place122];
            }
        }
        sc_team_sync();
        for (int64_t e123 = sc_member(); e123 < 256; e123 += sc_members()) {
            const int64_t row124 = (e123 >> 4);
            const int64_t row_rest125 = e123 + (row124 * (-16));
            const int64_t i126 = (tile114 * 16) + row124;
            const int64_t j127 = row_rest125;
            if ((i126 < 4) && (j127 < 6)) {
                float s128 = 0.0f;
                #pragma unroll 4
                for (int64_t k129 = 0; k129 < n0; ++k129) {
                    s128 = s128 + (strip115[row124 + (k129 * 17)] * strip116[row_rest125 + (k129 * 17)]);
                }
                const float v130 = w[(i126 * 6) + j127] - (0.1f * s128);
                w[(i126 * 6) + j127] = v130;
            }
        }
        sc_team_sync();
    }
}

/* gemm: einsum(ki,kj->ij: tanh(x @ w), place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0)); v - 0.1 * einsum(ki,kj->ij: tanh(x @ w), place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0)) */
extern "C" __global__ void __launch_bounds__(1024)
k152_dot_subtract(const int64_t n0, const float *restrict tanh_0, const float *restrict add_5, float *restrict v, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile134 = sc_team(); tile134 < 1; tile134 += sc_teams()) {
        float *restrict const strip135 = (float *)(tile);
        float *restrict const strip136 = (float *)(tile + 17408);
        for (int64_t e137 = sc_member(); e137 < n0 * 4; e137 += sc_members()) {
            const int64_t term138 = (e137 >> 2);
            const int64_t term_rest139 = e137 + (term138 * (-4));
            #pragma unroll
            for (int64_t j140 = 0; j140 < 4; ++j140) {
                const int64_t t1_ = (tile134 * 16) + (term_rest139 * 4) + j140 + (sc_maximum_i64(0, ((tile134 * 16) + (term_rest139 * 4) + j140 + (-5))) * (-1));
                const int64_t place141 = t1_;
                strip135[(term138 * 17) + (term_rest139 * 4) + j140] = tanh_0[(term138 * 6) + place141];
                const int64_t place142 = (term_rest139 * 4) + j140 + (sc_maximum_i64(0, ((term_rest139 * 4) + j140 + (-2))) * (-1));
                strip136[(term138 * 17) + (term_rest139 * 4) + j140] = add_5[(term138 * 3) + place142];
            }
        }
        sc_team_sync();
        for (int64_t e143 = sc_member(); e143 < 256; e143 += sc_members()) {
            const int64_t row144 = (e143 >> 4);
            const int64_t row_rest145 = e143 + (row144 * (-16));
            const int64_t i146 = (tile134 * 16) + row144;
            const int64_t j147 = row_rest145;
            if ((i146 < 6) && (j147 < 3)) {
                float s148 = 0.0f;
                #pragma unroll 4
                for (int64_t k149 = 0; k149 < n0; ++k149) {
                    s148 = s148 + (strip135[row144 + (k149 * 17)] * strip136[row_rest145 + (k149 * 17)]);
                }
                const float v150 = v[(i146 * 3) + j147] - (0.1f * s148);
                v[(i146 * 3) + j147] = v150;
            }
        }
        sc_team_sync();
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k161_reduce_subtract(const int64_t blocks154, const int64_t n0, const float *restrict add_5, float *restrict partial155) {
    sc_aligned(add_5, 16);
    sc_aligned(partial155, 16);
    for (int64_t b158 = sc_row(); b158 < blocks154; b158 += sc_rows()) {
        for (int64_t i156 = sc_thread(); i156 < 3; i156 += sc_threads()) {
            float s159 = 0.0f;
            #pragma unroll 4
            for (int64_t k160 = 0; k160 < sc_quotient(n0 + blocks154 + (b158 * (-1)) + (-1), blocks154); ++k160) {
                const int64_t k157 = (blocks154 * k160) + b158;
                s159 = s159 + add_5[i156 + (k157 * 3)];
            }
            partial155[i156 + (b158 * 3)] = s159;
        }
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k167_reduce_subtract(const int64_t blocks154, const float *restrict partial155, float *restrict c) {
    sc_aligned(partial155, 16);
    sc_aligned(c, 16);
    for (int64_t i162 = sc_thread(); i162 < 3; i162 += sc_threads()) {
        double s163 = 0.0;
        #pragma unroll 4
        for (int64_t b164 = 0; b164 < blocks154; ++b164) {
            s163 = s163 + ((double)partial155[i162 + (b164 * 3)]);
        }
        const float v165 = (float)s163;
        const float v166 = c[i162] - (0.1f * v165);
        c[i162] = v166;
    }
}
