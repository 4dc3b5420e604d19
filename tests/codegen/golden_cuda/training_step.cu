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
k31_dot_tanh(const int64_t n0, const float *restrict x, const float *restrict w, float *restrict tanh_0, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    for (int64_t tile12 = sc_team(); tile12 < sc_quotient(n0 + 15, 16); tile12 += sc_teams()) {
        float *restrict const strip13 = (float *)(tile);
        float *restrict const strip14 = (float *)(tile + 272);
        int64_t at1_ = sc_member();
        for (; at1_ + 3 * sc_members() < 64; at1_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t e15 = at1_ + round * sc_members();
                const int64_t across16 = sc_quotient(e15, 4);
                const int64_t across_rest17 = e15 + (across16 * (-4));
                const int64_t place18 = n0 + (sc_maximum_i64(0, (n0 + (tile12 * (-16)) + (across16 * (-1)) + (-1))) * (-1)) + (-1);
                strip13[across16 + (across_rest17 * 17)] = x[across_rest17 + (place18 * 4)];
                const int64_t term19 = sc_quotient(e15, 16);
                const int64_t term_rest20 = e15 + (term19 * (-16));
                const int64_t place21 = term_rest20 + (sc_maximum_i64(0, (term_rest20 + (-5))) * (-1));
                strip14[(term19 * 17) + term_rest20] = w[(term19 * 6) + place21];
            }
        }
        for (int64_t e15 = at1_; e15 < 64; e15 += sc_members()) {
            const int64_t across16 = sc_quotient(e15, 4);
            const int64_t across_rest17 = e15 + (across16 * (-4));
            const int64_t place18 = n0 + (sc_maximum_i64(0, (n0 + (tile12 * (-16)) + (across16 * (-1)) + (-1))) * (-1)) + (-1);
            strip13[across16 + (across_rest17 * 17)] = x[across_rest17 + (place18 * 4)];
            const int64_t term19 = sc_quotient(e15, 16);
            const int64_t term_rest20 = e15 + (term19 * (-16));
            const int64_t place21 = term_rest20 + (sc_maximum_i64(0, (term_rest20 + (-5))) * (-1));
            strip14[(term19 * 17) + term_rest20] = w[(term19 * 6) + place21];
        }
        sc_team_sync();
        for (int64_t e22 = sc_member(); e22 < 256; e22 += sc_members()) {
            const int64_t row23 = sc_quotient(e22, 16);
            const int64_t row_rest24 = e22 + (row23 * (-16));
            const int64_t i25 = (tile12 * 16) + row23;
            const int64_t j26 = row_rest24;
            if ((i25 < n0) && (j26 < 6)) {
                float s27 = 0.0f;
                for (int64_t k28 = 0; k28 < 4; ++k28) {
                    s27 = s27 + (strip13[row23 + (k28 * 17)] * strip14[row_rest24 + (k28 * 17)]);
                }
                const float v29 = sc_tanh_f32(s27);
                tanh_0[(i25 * 6) + j26] = v29;
            }
        }
        sc_team_sync();
    }
}

/* gemm: x @ w; tanh(x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k33_dot_tanh(const int64_t groups6, float *restrict tanh_0, const int64_t n0) {
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
k52_dot(const int64_t n0, const float *restrict tanh_0, const float *restrict v, float *restrict dot_1, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    for (int64_t tile34 = sc_team(); tile34 < sc_quotient(n0 + 15, 16); tile34 += sc_teams()) {
        float *restrict const strip35 = (float *)(tile);
        float *restrict const strip36 = (float *)(tile + 416);
        int64_t at1_ = sc_member();
        for (; at1_ + 3 * sc_members() < 96; at1_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t e37 = at1_ + round * sc_members();
                const int64_t across38 = sc_quotient(e37, 6);
                const int64_t across_rest39 = e37 + (across38 * (-6));
                const int64_t place40 = n0 + (sc_maximum_i64(0, (n0 + (tile34 * (-16)) + (across38 * (-1)) + (-1))) * (-1)) + (-1);
                strip35[across38 + (across_rest39 * 17)] = tanh_0[across_rest39 + (place40 * 6)];
                const int64_t term41 = sc_quotient(e37, 16);
                const int64_t term_rest42 = e37 + (term41 * (-16));
                const int64_t place43 = term_rest42 + (sc_maximum_i64(0, (term_rest42 + (-2))) * (-1));
                strip36[(term41 * 17) + term_rest42] = v[(term41 * 3) + place43];
            }
        }
        for (int64_t e37 = at1_; e37 < 96; e37 += sc_members()) {
            const int64_t across38 = sc_quotient(e37, 6);
            const int64_t across_rest39 = e37 + (across38 * (-6));
            const int64_t place40 = n0 + (sc_maximum_i64(0, (n0 + (tile34 * (-16)) + (across38 * (-1)) + (-1))) * (-1)) + (-1);
            strip35[across38 + (across_rest39 * 17)] = tanh_0[across_rest39 + (place40 * 6)];
            const int64_t term41 = sc_quotient(e37, 16);
            const int64_t term_rest42 = e37 + (term41 * (-16));
            const int64_t place43 = term_rest42 + (sc_maximum_i64(0, (term_rest42 + (-2))) * (-1));
            strip36[(term41 * 17) + term_rest42] = v[(term41 * 3) + place43];
        }
        sc_team_sync();
        for (int64_t e44 = sc_member(); e44 < 256; e44 += sc_members()) {
            const int64_t row45 = sc_quotient(e44, 16);
            const int64_t row_rest46 = e44 + (row45 * (-16));
            const int64_t i47 = (tile34 * 16) + row45;
            const int64_t j48 = row_rest46;
            if ((i47 < n0) && (j48 < 3)) {
                float s49 = 0.0f;
                for (int64_t k50 = 0; k50 < 6; ++k50) {
                    s49 = s49 + (strip35[row45 + (k50 * 17)] * strip36[row_rest46 + (k50 * 17)]);
                }
                dot_1[(i47 * 3) + j48] = s49;
            }
        }
        sc_team_sync();
    }
}

/* row: max(c + tanh(x @ w) @ v, axis=1); exp(c + tanh(x @ w) @ v + (-max(c + …, axis=1))[:, None]); sum(exp(c + tanh(…) @ v + (-max(…, axis=1))[:, None]), axis=1); place(broadcast_to(-(1.0 / float32(n0)), (n0,)), at, axis=1, length=3) + exp(c + … + (…)[:, None]) / sum(exp(…), axis=1)[:, None] / float32(n0) */
extern "C" __global__ void __launch_bounds__(1024)
k69_reduce_exp_add(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    const float h67 = -(1.0f / ((float)n0));
    const float h65 = h67;
    const float h68 = (float)n0;
    const float h66 = h68;
    for (int64_t i54 = sc_team(); i54 < n0; i54 += sc_teams()) {
        float *restrict const row55 = (float *)(tile);
        float s57 = -INFINITY;
        float part1_ = -INFINITY;
        for (int64_t j56 = sc_member(); j56 < 3; j56 += sc_members()) {
            part1_ = sc_maximum_f32(part1_, (c[j56] + dot_1[(i54 * 3) + j56]));
        }
        s57 = sc_maximum_f32(s57, (sc_team_fold<sc_max>(part1_)));
        if (sc_member() == 0) {
            reduce_2[i54] = s57;
        }
        float s59 = 0.0f;
        const float h63 = -s57;
        float part2_ = 0.0f;
        for (int64_t j58 = sc_member(); j58 < 3; j58 += sc_members()) {
            const float v60 = sc_exp_f32(((c[j58] + dot_1[(i54 * 3) + j58]) + h63));
            part2_ = part2_ + v60;
            row55[j58] = v60;
        }
        s59 = s59 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_3[i54] = s59;
        }
        const int64_t t3_ = at[i54];
        const int64_t h64 = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
        sc_team_sync();
        for (int64_t j61 = sc_member(); j61 < 3; j61 += sc_members()) {
            const float v62 = ((j61 == h64) ? h65 : 0.0f) + ((row55[j61] / s59) / h66);
            add_5[(i54 * 3) + j61] = v62;
        }
        sc_team_sync();
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k79_reduce(const int64_t teams70, const int64_t length71, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial72) {
    for (int64_t b73 = sc_team(); b73 < teams70; b73 += sc_teams()) {
        const int64_t begin75 = length71 * b73;
        const int64_t length76 = length71 + (sc_maximum_i64(0, (length71 + (sc_maximum_i64(0, (n0 + (begin75 * (-1)))) * (-1)))) * (-1));
        float s78 = 0.0f;
        float part1_ = 0.0f;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < length76; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k77 = at2_ + round * sc_members();
                const int64_t k74 = begin75 + k77;
                const int64_t t3_ = at[k74];
                const int64_t t4_ = (t3_ < 0) ? sc_add_i64(t3_, 3) : t3_;
                part1_ = part1_ + (((c[t4_] + dot_1[sc_add_i64((k74 * 3), t4_)]) + (-reduce_2[k74])) + (-sc_log_f32(reduce_3[k74])));
            }
        }
        for (int64_t k77 = at2_; k77 < length76; k77 += sc_members()) {
            const int64_t k74 = begin75 + k77;
            const int64_t t5_ = at[k74];
            const int64_t t6_ = (t5_ < 0) ? sc_add_i64(t5_, 3) : t5_;
            part1_ = part1_ + (((c[t6_] + dot_1[sc_add_i64((k74 * 3), t6_)]) + (-reduce_2[k74])) + (-sc_log_f32(reduce_3[k74])));
        }
        s78 = s78 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            partial72[b73] = s78;
        }
    }
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
extern "C" __global__ void __launch_bounds__(1024)
k82_reduce(const int64_t teams70, const float *restrict partial72, float *restrict reduce_4) {
    for (int64_t v_1 = sc_team(); v_1 < 1; v_1 += sc_teams()) {
        double s80 = 0.0;
        double part2_ = 0.0;
        int64_t at3_ = sc_member();
        for (; at3_ + 3 * sc_members() < teams70; at3_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b81 = at3_ + round * sc_members();
                part2_ = part2_ + ((double)partial72[b81]);
            }
        }
        for (int64_t b81 = at3_; b81 < teams70; b81 += sc_members()) {
            part2_ = part2_ + ((double)partial72[b81]);
        }
        s80 = s80 + (sc_team_fold<sc_sum>(part2_));
        if (sc_member() == 0) {
            reduce_4[0] = (float)s80;
        }
    }
}

/* map: -(sum(pick(… + … + (…)[:, None], at, axis=1), axis=0) / float32(n0)) */
extern "C" __global__ void __launch_bounds__(256)
k85_negative(const float *restrict reduce_4, const int64_t n0, float *restrict out0) {
    const float h84 = -(reduce_4[0] / ((float)n0));
    const float v83 = h84;
    for (int64_t v_1 = sc_thread(); v_1 < 1; v_1 += sc_threads()) {
        out0[0] = v83;
    }
}

/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(1024)
k114_dot_multiply(const int64_t n0, const float *restrict add_5, const float *restrict v, const float *restrict tanh_0, float *restrict multiply_6, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    for (int64_t tile95 = sc_team(); tile95 < sc_quotient(n0 + 15, 16); tile95 += sc_teams()) {
        float *restrict const strip96 = (float *)(tile);
        float *restrict const strip97 = (float *)(tile + 208);
        int64_t at1_ = sc_member();
        for (; at1_ + 3 * sc_members() < 48; at1_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t e98 = at1_ + round * sc_members();
                const int64_t across99 = sc_quotient(e98, 3);
                const int64_t across_rest100 = e98 + (across99 * (-3));
                const int64_t place101 = n0 + (sc_maximum_i64(0, (n0 + (tile95 * (-16)) + (across99 * (-1)) + (-1))) * (-1)) + (-1);
                strip96[across99 + (across_rest100 * 17)] = add_5[across_rest100 + (place101 * 3)];
                const int64_t across102 = sc_quotient(e98, 3);
                const int64_t across_rest103 = e98 + (across102 * (-3));
                const int64_t place104 = across102 + (sc_maximum_i64(0, (across102 + (-5))) * (-1));
                strip97[across102 + (across_rest103 * 17)] = v[across_rest103 + (place104 * 3)];
            }
        }
        for (int64_t e98 = at1_; e98 < 48; e98 += sc_members()) {
            const int64_t across99 = sc_quotient(e98, 3);
            const int64_t across_rest100 = e98 + (across99 * (-3));
            const int64_t place101 = n0 + (sc_maximum_i64(0, (n0 + (tile95 * (-16)) + (across99 * (-1)) + (-1))) * (-1)) + (-1);
            strip96[across99 + (across_rest100 * 17)] = add_5[across_rest100 + (place101 * 3)];
            const int64_t across102 = sc_quotient(e98, 3);
            const int64_t across_rest103 = e98 + (across102 * (-3));
            const int64_t place104 = across102 + (sc_maximum_i64(0, (across102 + (-5))) * (-1));
            strip97[across102 + (across_rest103 * 17)] = v[across_rest103 + (place104 * 3)];
        }
        sc_team_sync();
        for (int64_t e105 = sc_member(); e105 < 256; e105 += sc_members()) {
            const int64_t row106 = sc_quotient(e105, 16);
            const int64_t row_rest107 = e105 + (row106 * (-16));
            const int64_t i108 = (tile95 * 16) + row106;
            const int64_t j109 = row_rest107;
            if ((i108 < n0) && (j109 < 6)) {
                float s110 = 0.0f;
                for (int64_t k111 = 0; k111 < 3; ++k111) {
                    s110 = s110 + (strip96[row106 + (k111 * 17)] * strip97[row_rest107 + (k111 * 17)]);
                }
                const float t2_ = tanh_0[(i108 * 6) + j109];
                const float v112 = (1.0f - (t2_ * t2_)) * s110;
                multiply_6[(i108 * 6) + j109] = v112;
            }
        }
        sc_team_sync();
    }
}

/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(256)
k116_dot_multiply(const int64_t groups89, const float *restrict tanh_0, float *restrict multiply_6, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    sc_aligned(multiply_6, 16);
    for (int64_t i90 = sc_thread(); i90 < groups89; i90 += sc_threads()) {
        #pragma unroll
        for (int64_t j91 = 0; j91 < 4; ++j91) {
            const float t1_ = tanh_0[(i90 * 4) + j91];
            const float v93 = (1.0f - (t1_ * t1_)) * multiply_6[(i90 * 4) + j91];
            multiply_6[(i90 * 4) + j91] = v93;
        }
    }
    for (int64_t i92 = sc_thread(); i92 < (n0 * 6) + (groups89 * (-4)); i92 += sc_threads()) {
        const float t2_ = tanh_0[(groups89 * 4) + i92];
        const float v94 = (1.0f - (t2_ * t2_)) * multiply_6[(groups89 * 4) + i92];
        multiply_6[(groups89 * 4) + i92] = v94;
    }
}

/* gemm: einsum(ki,kj->ij: x, (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), v)); w - 0.1 * einsum(ki,kj->ij: x, (1.0 - square(…)) * einsum(ik,jk->ij: … + …, v)) */
extern "C" __global__ void __launch_bounds__(1024)
k136_dot_subtract(const int64_t n0, const float *restrict x, const float *restrict multiply_6, float *restrict w, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    for (int64_t tile117 = sc_team(); tile117 < 1; tile117 += sc_teams()) {
        float *restrict const strip118 = (float *)(tile);
        float *restrict const strip119 = (float *)(tile + sc_quotient((n0 * 68) + 15, 16) * 16);
        int64_t at1_ = sc_member();
        for (; at1_ + 3 * sc_members() < n0 * 16; at1_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t e120 = at1_ + round * sc_members();
                const int64_t term121 = sc_quotient(e120, 16);
                const int64_t term_rest122 = e120 + (term121 * (-16));
                const int64_t place123 = (tile117 * 16) + term_rest122 + (sc_maximum_i64(0, ((tile117 * 16) + term_rest122 + (-3))) * (-1));
                strip118[(term121 * 17) + term_rest122] = x[(term121 * 4) + place123];
                const int64_t term124 = sc_quotient(e120, 16);
                const int64_t term_rest125 = e120 + (term124 * (-16));
                const int64_t place126 = term_rest125 + (sc_maximum_i64(0, (term_rest125 + (-5))) * (-1));
                strip119[(term124 * 17) + term_rest125] = multiply_6[(term124 * 6) + place126];
            }
        }
        for (int64_t e120 = at1_; e120 < n0 * 16; e120 += sc_members()) {
            const int64_t term121 = sc_quotient(e120, 16);
            const int64_t term_rest122 = e120 + (term121 * (-16));
            const int64_t place123 = (tile117 * 16) + term_rest122 + (sc_maximum_i64(0, ((tile117 * 16) + term_rest122 + (-3))) * (-1));
            strip118[(term121 * 17) + term_rest122] = x[(term121 * 4) + place123];
            const int64_t term124 = sc_quotient(e120, 16);
            const int64_t term_rest125 = e120 + (term124 * (-16));
            const int64_t place126 = term_rest125 + (sc_maximum_i64(0, (term_rest125 + (-5))) * (-1));
            strip119[(term124 * 17) + term_rest125] = multiply_6[(term124 * 6) + place126];
        }
        sc_team_sync();
        for (int64_t e127 = sc_member(); e127 < 256; e127 += sc_members()) {
            const int64_t row128 = sc_quotient(e127, 16);
            const int64_t row_rest129 = e127 + (row128 * (-16));
            const int64_t i130 = (tile117 * 16) + row128;
            const int64_t j131 = row_rest129;
            if ((i130 < 4) && (j131 < 6)) {
                float s132 = 0.0f;
                #pragma unroll 4
                for (int64_t k133 = 0; k133 < n0; ++k133) {
                    s132 = s132 + (strip118[row128 + (k133 * 17)] * strip119[row_rest129 + (k133 * 17)]);
                }
                const float v134 = w[(i130 * 6) + j131] - (0.1f * s132);
                w[(i130 * 6) + j131] = v134;
            }
        }
        sc_team_sync();
    }
}

/* gemm: einsum(ki,kj->ij: tanh(x @ w), place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0)); v - 0.1 * einsum(ki,kj->ij: tanh(x @ w), place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0)) */
extern "C" __global__ void __launch_bounds__(1024)
k157_dot_subtract(const int64_t n0, const float *restrict tanh_0, const float *restrict add_5, float *restrict v, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    for (int64_t tile138 = sc_team(); tile138 < 1; tile138 += sc_teams()) {
        float *restrict const strip139 = (float *)(tile);
        float *restrict const strip140 = (float *)(tile + sc_quotient((n0 * 68) + 15, 16) * 16);
        int64_t at1_ = sc_member();
        for (; at1_ + 3 * sc_members() < n0 * 16; at1_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t e141 = at1_ + round * sc_members();
                const int64_t term142 = sc_quotient(e141, 16);
                const int64_t term_rest143 = e141 + (term142 * (-16));
                const int64_t place144 = (tile138 * 16) + term_rest143 + (sc_maximum_i64(0, ((tile138 * 16) + term_rest143 + (-5))) * (-1));
                strip139[(term142 * 17) + term_rest143] = tanh_0[(term142 * 6) + place144];
                const int64_t term145 = sc_quotient(e141, 16);
                const int64_t term_rest146 = e141 + (term145 * (-16));
                const int64_t place147 = term_rest146 + (sc_maximum_i64(0, (term_rest146 + (-2))) * (-1));
                strip140[(term145 * 17) + term_rest146] = add_5[(term145 * 3) + place147];
            }
        }
        for (int64_t e141 = at1_; e141 < n0 * 16; e141 += sc_members()) {
            const int64_t term142 = sc_quotient(e141, 16);
            const int64_t term_rest143 = e141 + (term142 * (-16));
            const int64_t place144 = (tile138 * 16) + term_rest143 + (sc_maximum_i64(0, ((tile138 * 16) + term_rest143 + (-5))) * (-1));
            strip139[(term142 * 17) + term_rest143] = tanh_0[(term142 * 6) + place144];
            const int64_t term145 = sc_quotient(e141, 16);
            const int64_t term_rest146 = e141 + (term145 * (-16));
            const int64_t place147 = term_rest146 + (sc_maximum_i64(0, (term_rest146 + (-2))) * (-1));
            strip140[(term145 * 17) + term_rest146] = add_5[(term145 * 3) + place147];
        }
        sc_team_sync();
        for (int64_t e148 = sc_member(); e148 < 256; e148 += sc_members()) {
            const int64_t row149 = sc_quotient(e148, 16);
            const int64_t row_rest150 = e148 + (row149 * (-16));
            const int64_t i151 = (tile138 * 16) + row149;
            const int64_t j152 = row_rest150;
            if ((i151 < 6) && (j152 < 3)) {
                float s153 = 0.0f;
                #pragma unroll 4
                for (int64_t k154 = 0; k154 < n0; ++k154) {
                    s153 = s153 + (strip139[row149 + (k154 * 17)] * strip140[row_rest150 + (k154 * 17)]);
                }
                const float v155 = v[(i151 * 3) + j152] - (0.1f * s153);
                v[(i151 * 3) + j152] = v155;
            }
        }
        sc_team_sync();
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k166_reduce_subtract(const int64_t blocks159, const int64_t n0, const float *restrict add_5, float *restrict partial160) {
    sc_aligned(add_5, 16);
    sc_aligned(partial160, 16);
    for (int64_t b163 = sc_row(); b163 < blocks159; b163 += sc_rows()) {
        for (int64_t i161 = sc_thread(); i161 < 3; i161 += sc_threads()) {
            float s164 = 0.0f;
            #pragma unroll 4
            for (int64_t k165 = 0; k165 < sc_quotient(n0 + blocks159 + (b163 * (-1)) + (-1), blocks159); ++k165) {
                const int64_t k162 = (blocks159 * k165) + b163;
                s164 = s164 + add_5[i161 + (k162 * 3)];
            }
            partial160[i161 + (b163 * 3)] = s164;
        }
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k172_reduce_subtract(const int64_t blocks159, const float *restrict partial160, float *restrict c) {
    sc_aligned(partial160, 16);
    sc_aligned(c, 16);
    for (int64_t i167 = sc_thread(); i167 < 3; i167 += sc_threads()) {
        double s168 = 0.0;
        #pragma unroll 4
        for (int64_t b169 = 0; b169 < blocks159; ++b169) {
            s168 = s168 + ((double)partial160[i167 + (b169 * 3)]);
        }
        const float v170 = (float)s168;
        const float v171 = c[i167] - (0.1f * v170);
        c[i167] = v171;
    }
}
