#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"


#if SC_IN_PART(0)
/* positions within their axis */
template <bool wide>
SC_INLINE void k7_check_rows(const int64_t checkers0, const int64_t n0, const int64_t share1, const int64_t *restrict at, int64_t *restrict noted, int64_t *restrict status) {
    typedef sc_share<2, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < checkers0; row1_ += sc_teams()) {
        const bool some2_ = row1_ < checkers0;
        const int64_t team2 = some2_ ? row1_ : checkers0 - 1;
        int64_t at3_[share::count];
        int64_t first4 = n0;
        const int64_t count4_ = some2_ ? share1 + (sc_maximum_i64(0, (share1 + (sc_maximum_i64(0, (n0 + (share1 * team2 * (-1)))) * (-1)))) * (-1)) : 0;
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
                    if (own8_.has(slot9_, lane10_)) part6_ = sc_minimum_i64(part6_, (((at3_[at11_] < (-3)) || (3 <= at3_[at11_])) ? ((share1 * team2) + k3) : n0));
                }
            }
        }
        first4 = sc_minimum_i64(first4, (sc_teams_fold<sc_min>(part6_)));
        if (first4 < n0) {
            const int64_t i6 = first4;
            if (some2_ && sc_member() == 0) {
                noted[team2 * 2] = 3;
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
k7_check_wide(const int64_t checkers0, const int64_t n0, const int64_t share1, const int64_t *restrict at, int64_t *restrict noted, int64_t *restrict status) {
    k7_check_rows<true>(checkers0, n0, share1, at, noted, status);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k7_check(const int64_t checkers0, const int64_t n0, const int64_t share1, const int64_t *restrict at, int64_t *restrict noted, int64_t *restrict status) {
    k7_check_rows<false>(checkers0, n0, share1, at, noted, status);
}
#endif

#if SC_IN_PART(1)
/* gemm: x @ w; tanh(x @ w) */
extern "C" __global__ void __launch_bounds__(1024)
k38_dot_tanh(const int64_t n0, const float *restrict x, const float *restrict w, float *restrict tanh_0, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile20 = sc_team(); tile20 < ((n0 + 15) >> 4); tile20 += sc_teams()) {
        float *restrict const strip21 = (float *)(tile);
        float *restrict const strip22 = (float *)(tile + 17408);
        for (int64_t e23 = sc_member(); e23 < 16; e23 += sc_members()) {
            const int64_t term24 = ((e23) >> 2);
            const int64_t term_rest25 = e23 + (term24 * (-4));
            #pragma unroll
            for (int64_t j26 = 0; j26 < 4; ++j26) {
                const int64_t place27 = n0 + (sc_maximum_i64(0, (n0 + (tile20 * (-16)) + (term_rest25 * (-4)) + (j26 * (-1)) + (-1))) * (-1)) + (-1);
                strip21[(term24 * 17) + (term_rest25 * 4) + j26] = x[term24 + (place27 * 4)];
                const int64_t place28 = (term_rest25 * 4) + j26 + (sc_maximum_i64(0, ((term_rest25 * 4) + j26 + (-5))) * (-1));
                strip22[(term24 * 17) + (term_rest25 * 4) + j26] = w[(term24 * 6) + place28];
            }
        }
        sc_team_sync();
        for (int64_t e29 = sc_member(); e29 < 256; e29 += sc_members()) {
            const int64_t row30 = ((e29) >> 4);
            const int64_t row_rest31 = e29 + (row30 * (-16));
            const int64_t i32 = (tile20 * 16) + row30;
            const int64_t j33 = row_rest31;
            if ((i32 < n0) && (j33 < 6)) {
                float s34 = 0.0f;
                for (int64_t k35 = 0; k35 < 4; ++k35) {
                    s34 = s34 + (strip21[row30 + (k35 * 17)] * strip22[row_rest31 + (k35 * 17)]);
                }
                const float v36 = sc_tanh_f32(s34);
                tanh_0[(i32 * 6) + j33] = v36;
            }
        }
        sc_team_sync();
    }
}
#endif

#if SC_IN_PART(2)
/* gemm: x @ w; tanh(x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k40_dot_tanh(const int64_t groups11, float *restrict tanh_0, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    for (int64_t i12 = sc_thread(); i12 < groups11; i12 += sc_threads()) {
        const float v10_15 = sc_tanh_f32(tanh_0[i12 * 4]);
        const float v10_16 = sc_tanh_f32(tanh_0[(i12 * 4) + 1]);
        const float v10_17 = sc_tanh_f32(tanh_0[(i12 * 4) + 2]);
        const float v10_18 = sc_tanh_f32(tanh_0[(i12 * 4) + 3]);
        tanh_0[i12 * 4] = v10_15;
        tanh_0[(i12 * 4) + 1] = v10_16;
        tanh_0[(i12 * 4) + 2] = v10_17;
        tanh_0[(i12 * 4) + 3] = v10_18;
    }
    for (int64_t i14 = sc_thread(); i14 < (n0 * 6) + (groups11 * (-4)); i14 += sc_threads()) {
        const float v19 = sc_tanh_f32(tanh_0[(groups11 * 4) + i14]);
        tanh_0[(groups11 * 4) + i14] = v19;
    }
}
#endif

#if SC_IN_PART(3)
/* gemm: tanh(x @ w) @ v */
extern "C" __global__ void __launch_bounds__(1024)
k58_dot(const int64_t n0, const float *restrict tanh_0, const float *restrict v, float *restrict dot_1, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile41 = sc_team(); tile41 < ((n0 + 15) >> 4); tile41 += sc_teams()) {
        float *restrict const strip42 = (float *)(tile);
        float *restrict const strip43 = (float *)(tile + 17408);
        for (int64_t e44 = sc_member(); e44 < 24; e44 += sc_members()) {
            const int64_t term45 = ((e44) >> 2);
            const int64_t term_rest46 = e44 + (term45 * (-4));
            #pragma unroll
            for (int64_t j47 = 0; j47 < 4; ++j47) {
                const int64_t place48 = n0 + (sc_maximum_i64(0, (n0 + (tile41 * (-16)) + (term_rest46 * (-4)) + (j47 * (-1)) + (-1))) * (-1)) + (-1);
                strip42[(term45 * 17) + (term_rest46 * 4) + j47] = tanh_0[term45 + (place48 * 6)];
                const int64_t place49 = (term_rest46 * 4) + j47 + (sc_maximum_i64(0, ((term_rest46 * 4) + j47 + (-2))) * (-1));
                strip43[(term45 * 17) + (term_rest46 * 4) + j47] = v[(term45 * 3) + place49];
            }
        }
        sc_team_sync();
        for (int64_t e50 = sc_member(); e50 < 256; e50 += sc_members()) {
            const int64_t row51 = ((e50) >> 4);
            const int64_t row_rest52 = e50 + (row51 * (-16));
            const int64_t i53 = (tile41 * 16) + row51;
            const int64_t j54 = row_rest52;
            if ((i53 < n0) && (j54 < 3)) {
                float s55 = 0.0f;
                for (int64_t k56 = 0; k56 < 6; ++k56) {
                    s55 = s55 + (strip42[row51 + (k56 * 17)] * strip43[row_rest52 + (k56 * 17)]);
                }
                dot_1[(i53 * 3) + j54] = s55;
            }
        }
        sc_team_sync();
    }
}
#endif

#if SC_IN_PART(4)
/* row: max(c + tanh(x @ w) @ v, axis=1); exp(c + tanh(x @ w) @ v + (-max(c + …, axis=1))[:, None]); sum(exp(c + tanh(…) @ v + (-max(…, axis=1))[:, None]), axis=1); place(broadcast_to(-(1.0 / float32(n0)), (n0,)), at, axis=1, length=3) + exp(c + … + (…)[:, None]) / sum(exp(…), axis=1)[:, None] / float32(n0) */
template <bool held, bool wide>
SC_INLINE void k75_reduce_exp_add_rows(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    typedef sc_share<4, 2, wide> share;
    char *const tile = sc_tile(scratch, each);
    const float h73 = -(1.0f / ((float)n0));
    const float h71 = h73;
    const float h74 = (float)n0;
    const float h72 = h74;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < n0; row1_ += sc_teams()) {
        const bool some2_ = row1_ < n0;
        const int64_t i60 = some2_ ? row1_ : n0 - 1;
        float c3_[share::count];
        float dot_14_[share::count];
        float row615_[share::count];
        float *restrict const row61 = (float *)(tile);
        float s63 = -INFINITY;
        const int64_t count6_ = some2_ ? 3 : 0;
        auto *const start7_ = sc_kept(c);
        auto *const start8_ = sc_kept(dot_1 + (i60 * 3));
        if (held) {
            share(count6_).load(c3_, start7_);
            share(count6_).load(dot_14_, start8_);
        }
        float part9_ = -INFINITY;
        for (int64_t from10_ = 0; from10_ < (held ? 1 : count6_); from10_ += (held ? 1 : share::span())) {
            const share own11_(count6_ - from10_);
            if (!held) {
                own11_.load(c3_, start7_ + from10_);
                own11_.load(dot_14_, start8_ + from10_);
            }
            #pragma unroll
            for (int slot12_ = 0; slot12_ < 2; ++slot12_) {
                #pragma unroll
                for (int lane13_ = 0; lane13_ < 4; ++lane13_) {
                    const int at14_ = slot12_ * 4 + lane13_;
                    if (own11_.has(slot12_, lane13_)) part9_ = sc_maximum_f32(part9_, (c3_[at14_] + dot_14_[at14_]));
                }
            }
        }
        s63 = sc_maximum_f32(s63, (sc_teams_fold<sc_max>(part9_)));
        if (some2_ && sc_member() == 0) {
            reduce_2[i60] = s63;
        }
        float s65 = 0.0f;
        const float h69 = -s63;
        const int64_t count15_ = some2_ ? 3 : 0;
        float part16_ = 0.0f;
        for (int64_t from17_ = 0; from17_ < (held ? 1 : count15_); from17_ += (held ? 1 : share::span())) {
            const share own18_(count15_ - from17_);
            if (!held) {
                own18_.load(c3_, start7_ + from17_);
                own18_.load(dot_14_, start8_ + from17_);
            }
            #pragma unroll
            for (int slot19_ = 0; slot19_ < 2; ++slot19_) {
                #pragma unroll
                for (int lane20_ = 0; lane20_ < 4; ++lane20_) {
                    const int at21_ = slot19_ * 4 + lane20_;
                    const float v66 = sc_exp_f32(((c3_[at21_] + dot_14_[at21_]) + h69));
                    if (own18_.has(slot19_, lane20_)) part16_ = part16_ + v66;
                    row615_[at21_] = v66;
                }
                if (!held) own18_.store(row61 + from17_, slot19_, row615_ + slot19_ * 4);
            }
        }
        s65 = s65 + (sc_teams_fold<sc_sum>(part16_));
        if (some2_ && sc_member() == 0) {
            reduce_3[i60] = s65;
        }
        const int64_t t22_ = at[i60];
        const int64_t h70 = (t22_ < 0) ? sc_add_i64(t22_, 3) : t22_;
        const int64_t count23_ = some2_ ? 3 : 0;
        auto *const start24_ = sc_kept(add_5 + (i60 * 3));
        const sc_divisor<float> by25_(s65);
        const sc_divisor<float> by26_(h72);
        for (int64_t from27_ = 0; from27_ < (held ? 1 : count23_); from27_ += (held ? 1 : share::span())) {
            const share own28_(count23_ - from27_);
            if (!held) {
                own28_.load(row615_, row61 + from27_);
            }
            #pragma unroll
            for (int slot29_ = 0; slot29_ < 2; ++slot29_) {
                float result32_[4];
                #pragma unroll
                for (int lane30_ = 0; lane30_ < 4; ++lane30_) {
                    const int at31_ = slot29_ * 4 + lane30_;
                    const int64_t j67 = from27_ + share::at(slot29_, lane30_);
                    const float v68 = ((j67 == h70) ? h71 : 0.0f) + (by26_.of(by25_.of(row615_[at31_])));
                    result32_[lane30_] = v68;
                }
                own28_.store(start24_ + from27_, slot29_, result32_);
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k75_reduce_exp_add_held(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    k75_reduce_exp_add_rows<true, false>(n0, c, dot_1, reduce_2, reduce_3, at, add_5, scratch, each);
}
#endif

#if SC_IN_PART(5)
/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], minimum(maximum(at, -3), 3 - 1), axis=1), axis=0) */
template <bool wide>
SC_INLINE void k85_reduce_rows(const int64_t teams76, const int64_t length77, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial78) {
    typedef sc_share<2, 2, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < teams76; row1_ += sc_teams()) {
        const bool some2_ = row1_ < teams76;
        const int64_t b79 = some2_ ? row1_ : teams76 - 1;
        int64_t at3_[share::count];
        float reduce_24_[share::count];
        float reduce_35_[share::count];
        const int64_t begin81 = length77 * b79;
        const int64_t length82 = length77 + (sc_maximum_i64(0, (length77 + (sc_maximum_i64(0, (n0 + (begin81 * (-1)))) * (-1)))) * (-1));
        float s84 = 0.0f;
        const int64_t count6_ = some2_ ? length82 : 0;
        auto *const start7_ = sc_kept(at + (begin81));
        auto *const start8_ = sc_kept(reduce_2 + (begin81));
        auto *const start9_ = sc_kept(reduce_3 + (begin81));
        float part10_ = 0.0f;
        for (int64_t from11_ = 0; from11_ < count6_; from11_ += share::span()) {
            const share own12_(count6_ - from11_);
            own12_.load(at3_, start7_ + from11_);
            own12_.load(reduce_24_, start8_ + from11_);
            own12_.load(reduce_35_, start9_ + from11_);
            #pragma unroll
            for (int slot13_ = 0; slot13_ < 2; ++slot13_) {
                #pragma unroll
                for (int lane14_ = 0; lane14_ < 2; ++lane14_) {
                    const int at15_ = slot13_ * 2 + lane14_;
                    const int64_t k83 = from11_ + share::at(slot13_, lane14_);
                    const int64_t k80 = begin81 + k83;
                    const int64_t t16_ = sc_minimum_i64(sc_maximum_i64(at3_[at15_], (-3)), (3 - 1));
                    const int64_t t17_ = (t16_ < 0) ? sc_add_i64(t16_, 3) : t16_;
                    const float t18_ = ((own12_.has(slot13_, lane14_) ? c[t17_] : float(0))) + ((own12_.has(slot13_, lane14_) ? dot_1[sc_add_i64((k80 * 3), t17_)] : float(0)));
                    if (own12_.has(slot13_, lane14_)) part10_ = part10_ + ((t18_ + (-reduce_24_[at15_])) + (-sc_log_f32(reduce_35_[at15_])));
                }
            }
        }
        s84 = s84 + (sc_teams_fold<sc_sum>(part10_));
        if (some2_ && sc_member() == 0) {
            partial78[b79] = s84;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k85_reduce_wide(const int64_t teams76, const int64_t length77, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial78) {
    k85_reduce_rows<true>(teams76, length77, n0, c, at, dot_1, reduce_2, reduce_3, partial78);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k85_reduce(const int64_t teams76, const int64_t length77, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial78) {
    k85_reduce_rows<false>(teams76, length77, n0, c, at, dot_1, reduce_2, reduce_3, partial78);
}
#endif

#if SC_IN_PART(6)
/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], minimum(maximum(at, -3), 3 - 1), axis=1), axis=0) */
template <bool wide>
SC_INLINE void k88_reduce_rows(const int64_t teams76, const float *restrict partial78, float *restrict reduce_4) {
    typedef sc_share<4, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v_3 = some2_ ? row1_ : 1 - 1;
        float partial784_[share::count];
        double s86 = 0.0;
        const int64_t count5_ = some2_ ? teams76 : 0;
        auto *const start6_ = sc_kept(partial78);
        double part7_ = 0.0;
        for (int64_t from8_ = 0; from8_ < count5_; from8_ += share::span()) {
            const share own9_(count5_ - from8_);
            own9_.load(partial784_, start6_ + from8_);
            #pragma unroll
            for (int slot10_ = 0; slot10_ < 4; ++slot10_) {
                #pragma unroll
                for (int lane11_ = 0; lane11_ < 4; ++lane11_) {
                    const int at12_ = slot10_ * 4 + lane11_;
                    if (own9_.has(slot10_, lane11_)) part7_ = part7_ + ((double)partial784_[at12_]);
                }
            }
        }
        s86 = s86 + (sc_teams_fold<sc_sum>(part7_));
        if (some2_ && sc_member() == 0) {
            reduce_4[0] = (float)s86;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k88_reduce_wide(const int64_t teams76, const float *restrict partial78, float *restrict reduce_4) {
    k88_reduce_rows<true>(teams76, partial78, reduce_4);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k88_reduce(const int64_t teams76, const float *restrict partial78, float *restrict reduce_4) {
    k88_reduce_rows<false>(teams76, partial78, reduce_4);
}
#endif

#if SC_IN_PART(7)
/* map: -(sum(pick(… + … + (…)[:, None], minimum(maximum(at, …), 3 - 1), axis=1), axis=0) / float32(n0)) */
extern "C" __global__ void __launch_bounds__(256)
k91_negative(const float *restrict reduce_4, const int64_t n0, float *restrict out0) {
    const float h90 = -(reduce_4[0] / ((float)n0));
    const float v89 = h90;
    for (int64_t v_1 = sc_thread(); v_1 < 1; v_1 += sc_threads()) {
        out0[0] = v89;
    }
}
#endif

#if SC_IN_PART(8)
/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(1024)
k122_dot_multiply(const int64_t n0, const float *restrict add_5, const float *restrict v, const float *restrict tanh_0, float *restrict multiply_6, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile104 = sc_team(); tile104 < ((n0 + 15) >> 4); tile104 += sc_teams()) {
        float *restrict const strip105 = (float *)(tile);
        float *restrict const strip106 = (float *)(tile + 17408);
        for (int64_t e107 = sc_member(); e107 < 12; e107 += sc_members()) {
            const int64_t term108 = ((e107) >> 2);
            const int64_t term_rest109 = e107 + (term108 * (-4));
            #pragma unroll
            for (int64_t j110 = 0; j110 < 4; ++j110) {
                const int64_t place111 = n0 + (sc_maximum_i64(0, (n0 + (tile104 * (-16)) + (term_rest109 * (-4)) + (j110 * (-1)) + (-1))) * (-1)) + (-1);
                strip105[(term108 * 17) + (term_rest109 * 4) + j110] = add_5[term108 + (place111 * 3)];
                const int64_t place112 = (term_rest109 * 4) + j110 + (sc_maximum_i64(0, ((term_rest109 * 4) + j110 + (-5))) * (-1));
                strip106[(term108 * 17) + (term_rest109 * 4) + j110] = v[term108 + (place112 * 3)];
            }
        }
        sc_team_sync();
        for (int64_t e113 = sc_member(); e113 < 256; e113 += sc_members()) {
            const int64_t row114 = ((e113) >> 4);
            const int64_t row_rest115 = e113 + (row114 * (-16));
            const int64_t i116 = (tile104 * 16) + row114;
            const int64_t j117 = row_rest115;
            if ((i116 < n0) && (j117 < 6)) {
                float s118 = 0.0f;
                for (int64_t k119 = 0; k119 < 3; ++k119) {
                    s118 = s118 + (strip105[row114 + (k119 * 17)] * strip106[row_rest115 + (k119 * 17)]);
                }
                const float t1_ = tanh_0[(i116 * 6) + j117];
                const float v120 = (1.0f - (t1_ * t1_)) * s118;
                multiply_6[(i116 * 6) + j117] = v120;
            }
        }
        sc_team_sync();
    }
}
#endif

#if SC_IN_PART(9)
/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(256)
k124_dot_multiply(const int64_t groups95, const float *restrict tanh_0, float *restrict multiply_6, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    sc_aligned(multiply_6, 16);
    for (int64_t i96 = sc_thread(); i96 < groups95; i96 += sc_threads()) {
        const float t1_ = tanh_0[i96 * 4];
        const float v94_99 = (1.0f - (t1_ * t1_)) * multiply_6[i96 * 4];
        const float t2_ = tanh_0[(i96 * 4) + 1];
        const float v94_100 = (1.0f - (t2_ * t2_)) * multiply_6[(i96 * 4) + 1];
        const float t3_ = tanh_0[(i96 * 4) + 2];
        const float v94_101 = (1.0f - (t3_ * t3_)) * multiply_6[(i96 * 4) + 2];
        const float t4_ = tanh_0[(i96 * 4) + 3];
        const float v94_102 = (1.0f - (t4_ * t4_)) * multiply_6[(i96 * 4) + 3];
        multiply_6[i96 * 4] = v94_99;
        multiply_6[(i96 * 4) + 1] = v94_100;
        multiply_6[(i96 * 4) + 2] = v94_101;
        multiply_6[(i96 * 4) + 3] = v94_102;
    }
    for (int64_t i98 = sc_thread(); i98 < (n0 * 6) + (groups95 * (-4)); i98 += sc_threads()) {
        const float t5_ = tanh_0[(groups95 * 4) + i98];
        const float v103 = (1.0f - (t5_ * t5_)) * multiply_6[(groups95 * 4) + i98];
        multiply_6[(groups95 * 4) + i98] = v103;
    }
}
#endif

#if SC_IN_PART(10)
/* gemm: einsum(ki,kj->ij: x, (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), v)); w - 0.1 * einsum(ki,kj->ij: x, (1.0 - square(…)) * einsum(ik,jk->ij: … + …, v)) */
extern "C" __global__ void __launch_bounds__(1024)
k143_dot_subtract(const int64_t n0, const float *restrict x, const float *restrict multiply_6, float *restrict w, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile125 = sc_team(); tile125 < 1; tile125 += sc_teams()) {
        float *restrict const strip126 = (float *)(tile);
        float *restrict const strip127 = (float *)(tile + 17408);
        for (int64_t e128 = sc_member(); e128 < n0 * 4; e128 += sc_members()) {
            const int64_t term129 = ((e128) >> 2);
            const int64_t term_rest130 = e128 + (term129 * (-4));
            #pragma unroll
            for (int64_t j131 = 0; j131 < 4; ++j131) {
                const int64_t t1_ = (tile125 * 16) + (term_rest130 * 4) + j131 + (sc_maximum_i64(0, ((tile125 * 16) + (term_rest130 * 4) + j131 + (-3))) * (-1));
                const int64_t place132 = t1_;
                strip126[(term129 * 17) + (term_rest130 * 4) + j131] = x[(term129 * 4) + place132];
                const int64_t place133 = (term_rest130 * 4) + j131 + (sc_maximum_i64(0, ((term_rest130 * 4) + j131 + (-5))) * (-1));
                strip127[(term129 * 17) + (term_rest130 * 4) + j131] = multiply_6[(term129 * 6) + place133];
            }
        }
        sc_team_sync();
        for (int64_t e134 = sc_member(); e134 < 256; e134 += sc_members()) {
            const int64_t row135 = ((e134) >> 4);
            const int64_t row_rest136 = e134 + (row135 * (-16));
            const int64_t i137 = (tile125 * 16) + row135;
            const int64_t j138 = row_rest136;
            if ((i137 < 4) && (j138 < 6)) {
                float s139 = 0.0f;
                #pragma unroll 4
                for (int64_t k140 = 0; k140 < n0; ++k140) {
                    s139 = s139 + (strip126[row135 + (k140 * 17)] * strip127[row_rest136 + (k140 * 17)]);
                }
                const float v141 = w[(i137 * 6) + j138] - (0.1f * s139);
                w[(i137 * 6) + j138] = v141;
            }
        }
        sc_team_sync();
    }
}
#endif

#if SC_IN_PART(11)
/* gemm: einsum(ki,kj->ij: tanh(x @ w), place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0)); v - 0.1 * einsum(ki,kj->ij: tanh(x @ w), place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0)) */
extern "C" __global__ void __launch_bounds__(1024)
k163_dot_subtract(const int64_t n0, const float *restrict tanh_0, const float *restrict add_5, float *restrict v, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile145 = sc_team(); tile145 < 1; tile145 += sc_teams()) {
        float *restrict const strip146 = (float *)(tile);
        float *restrict const strip147 = (float *)(tile + 17408);
        for (int64_t e148 = sc_member(); e148 < n0 * 4; e148 += sc_members()) {
            const int64_t term149 = ((e148) >> 2);
            const int64_t term_rest150 = e148 + (term149 * (-4));
            #pragma unroll
            for (int64_t j151 = 0; j151 < 4; ++j151) {
                const int64_t t1_ = (tile145 * 16) + (term_rest150 * 4) + j151 + (sc_maximum_i64(0, ((tile145 * 16) + (term_rest150 * 4) + j151 + (-5))) * (-1));
                const int64_t place152 = t1_;
                strip146[(term149 * 17) + (term_rest150 * 4) + j151] = tanh_0[(term149 * 6) + place152];
                const int64_t place153 = (term_rest150 * 4) + j151 + (sc_maximum_i64(0, ((term_rest150 * 4) + j151 + (-2))) * (-1));
                strip147[(term149 * 17) + (term_rest150 * 4) + j151] = add_5[(term149 * 3) + place153];
            }
        }
        sc_team_sync();
        for (int64_t e154 = sc_member(); e154 < 256; e154 += sc_members()) {
            const int64_t row155 = ((e154) >> 4);
            const int64_t row_rest156 = e154 + (row155 * (-16));
            const int64_t i157 = (tile145 * 16) + row155;
            const int64_t j158 = row_rest156;
            if ((i157 < 6) && (j158 < 3)) {
                float s159 = 0.0f;
                #pragma unroll 4
                for (int64_t k160 = 0; k160 < n0; ++k160) {
                    s159 = s159 + (strip146[row155 + (k160 * 17)] * strip147[row_rest156 + (k160 * 17)]);
                }
                const float v161 = v[(i157 * 3) + j158] - (0.1f * s159);
                v[(i157 * 3) + j158] = v161;
            }
        }
        sc_team_sync();
    }
}
#endif

#if SC_IN_PART(12)
/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k199_reduce_subtract(const int64_t tiles169, const int64_t blocks171, const int64_t across167, const int64_t deep168, const int64_t length170, const int64_t n0, const float *restrict add_5, float *restrict c, float *restrict partial173) {
    for (int64_t team174 = sc_block(); team174 < tiles169 * blocks171; team174 += sc_blocks()) {
        const int64_t block175 = sc_quotient(team174, tiles169);
        const int64_t start176 = (across167 * tiles169 * block175 * (-1)) + (across167 * team174);
        __shared__ double parts177[512];
         {
            const int64_t e178 = sc_member();
            const int64_t lane179 = sc_quotient(e178, across167);
            float s172 = 0.0f;
            if ((lane179 < deep168) && (((across167 * lane179 * (-1)) + start176 + e178) < 3)) {
                const int64_t i165 = (across167 * lane179 * (-1)) + start176 + e178;
                const int64_t begin180 = length170 * block175;
                const int64_t end181 = n0 + (sc_maximum_i64(0, (n0 + (length170 * (-1)) + (begin180 * (-1)))) * (-1));
                const int64_t first182 = lane179 + begin180;
                const int64_t count183 = sc_quotient(deep168 + sc_maximum_i64(0, (end181 + (first182 * (-1)))) + (-1), deep168);
                const int64_t groups185 = ((count183) >> 3);
                #pragma unroll 1
                for (int64_t g186 = 0; g186 < groups185; ++g186) {
                    #pragma unroll
                    for (int64_t k187 = 0; k187 < 8; ++k187) {
                        const int64_t k166 = (deep168 * g186 * 8) + (deep168 * k187) + first182;
                        s172 = s172 + add_5[i165 + (k166 * 3)];
                    }
                }
                if (count183 > (groups185 * 8)) {
                    #pragma unroll
                    for (int64_t k188 = 0; k188 < 8; ++k188) {
                        const int64_t k166 = (deep168 * sc_minimum_i64(((groups185 * 8) + k188), (count183 + (-1)))) + first182;
                        s172 = s172 + ((((groups185 * 8) + k188) < count183) ? add_5[i165 + (k166 * 3)] : 0.0f);
                    }
                }
            }
            parts177[e178] = (double)s172;
        }
        __syncthreads();
         {
            const int64_t e189 = sc_member();
            const int64_t lane190 = sc_quotient(e189, across167);
            if (lane190 < 8) {
                const int64_t count191 = ((sc_maximum_i64(0, (deep168 + (lane190 * (-1)))) + 7) >> 3);
                double s192 = 0.0;
                #pragma unroll 4
                for (int64_t k193 = 0; k193 < count191; ++k193) {
                    s192 = s192 + parts177[(across167 * k193 * 8) + e189];
                }
                parts177[e189] = s192;
            }
        }
        __syncthreads();
         {
            const int64_t e194 = sc_member();
            if ((e194 < across167) && ((start176 + e194) < 3)) {
                const int64_t i165 = start176 + e194;
                double s195 = 0.0;
                #pragma unroll 4
                for (int64_t k196 = 0; k196 < deep168 + (sc_maximum_i64(0, (deep168 + (-8))) * (-1)); ++k196) {
                    s195 = s195 + parts177[(across167 * k196) + e194];
                }
                if (blocks171 == 1) {
                    const float v197 = (float)s195;
                    const float v198 = c[i165] - (0.1f * v197);
                    c[i165] = v198;
                }
                if (!(blocks171 == 1)) {
                    partial173[i165 + (block175 * 3)] = (float)s195;
                }
            }
        }
        __syncthreads();
    }
}
#endif

#if SC_IN_PART(13)
/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k226_reduce_subtract(const int64_t tiles202, const int64_t blocks171, const float *restrict partial173, float *restrict c) {
    for (int64_t team203 = sc_block(); team203 < tiles202; team203 += sc_blocks()) {
        const int64_t start204 = team203 * 3;
        __shared__ double parts205[512];
         {
            const int64_t e206 = sc_member();
            const int64_t lane207 = sc_quotient(e206, 3);
            float s201 = 0.0f;
            if ((lane207 < 170) && ((start204 + e206 + (lane207 * (-3))) < 3)) {
                const int64_t i200 = start204 + e206 + (lane207 * (-3));
                const int64_t end208 = blocks171;
                const int64_t first209 = lane207;
                const int64_t count210 = sc_quotient(sc_maximum_i64(0, (end208 + (first209 * (-1)))) + 169, 170);
                const int64_t groups212 = ((count210) >> 3);
                #pragma unroll 1
                for (int64_t g213 = 0; g213 < groups212; ++g213) {
                    #pragma unroll
                    for (int64_t k214 = 0; k214 < 8; ++k214) {
                        s201 = s201 + partial173[i200 + (first209 * 3) + (g213 * 4080) + (k214 * 510)];
                    }
                }
                if (count210 > (groups212 * 8)) {
                    #pragma unroll
                    for (int64_t k215 = 0; k215 < 8; ++k215) {
                        const float t1_ = (((groups212 * 8) + k215) < count210) ? partial173[i200 + (first209 * 3) + (sc_minimum_i64(((groups212 * 8) + k215), (count210 + (-1))) * 510)] : 0.0f;
                        s201 = s201 + t1_;
                    }
                }
            }
            parts205[e206] = (double)s201;
        }
        __syncthreads();
         {
            const int64_t e216 = sc_member();
            const int64_t lane217 = sc_quotient(e216, 3);
            if (lane217 < 8) {
                const int64_t count218 = (((lane217 * (-1)) + sc_maximum_i64(0, (lane217 + (-170))) + 177) >> 3);
                double s219 = 0.0;
                #pragma unroll 4
                for (int64_t k220 = 0; k220 < count218; ++k220) {
                    s219 = s219 + parts205[e216 + (k220 * 24)];
                }
                parts205[e216] = s219;
            }
        }
        __syncthreads();
         {
            const int64_t e221 = sc_member();
            if ((e221 < 3) && ((start204 + e221) < 3)) {
                const int64_t i200 = start204 + e221;
                double s222 = 0.0;
                for (int64_t k223 = 0; k223 < 8; ++k223) {
                    s222 = s222 + parts205[e221 + (k223 * 3)];
                }
                const float v224 = (float)s222;
                const float v225 = c[i200] - (0.1f * v224);
                c[i200] = v225;
            }
        }
        __syncthreads();
    }
}
#endif
