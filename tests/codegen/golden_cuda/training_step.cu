#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"


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
        int64_t part5_ = INT64_C(9223372036854775807);
        for (int64_t from6_ = 0; from6_ < count4_; from6_ += share::span()) {
            const share own7_(count4_ - from6_);
            own7_.load(at3_, at + (share1 * team2) + from6_);
            #pragma unroll
            for (int slot8_ = 0; slot8_ < 4; ++slot8_) {
                if (!own7_.has(slot8_)) continue;
                #pragma unroll
                for (int lane9_ = 0; lane9_ < 2; ++lane9_) {
                    const int at10_ = slot8_ * 2 + lane9_;
                    const int64_t k3 = from6_ + share::at(slot8_, lane9_);
                    if (own7_.has(slot8_, lane9_)) part5_ = sc_minimum_i64(part5_, (((at3_[at10_] < (-3)) || (3 <= at3_[at10_])) ? ((share1 * team2) + k3) : n0));
                }
            }
        }
        first4 = sc_minimum_i64(first4, (sc_teams_fold<sc_min>(part5_)));
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

/* gemm: x @ w; tanh(x @ w) */
extern "C" __global__ void __launch_bounds__(1024)
k35_dot_tanh(const int64_t n0, const float *restrict x, const float *restrict w, float *restrict tanh_0, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile17 = sc_team(); tile17 < ((n0 + 15) >> 4); tile17 += sc_teams()) {
        float *restrict const strip18 = (float *)(tile);
        float *restrict const strip19 = (float *)(tile + 17408);
        for (int64_t e20 = sc_member(); e20 < 16; e20 += sc_members()) {
            const int64_t term21 = (e20 >> 2);
            const int64_t term_rest22 = e20 + (term21 * (-4));
            #pragma unroll
            for (int64_t j23 = 0; j23 < 4; ++j23) {
                const int64_t place24 = n0 + (sc_maximum_i64(0, (n0 + (tile17 * (-16)) + (term_rest22 * (-4)) + (j23 * (-1)) + (-1))) * (-1)) + (-1);
                strip18[(term21 * 17) + (term_rest22 * 4) + j23] = x[term21 + (place24 * 4)];
                const int64_t place25 = (term_rest22 * 4) + j23 + (sc_maximum_i64(0, ((term_rest22 * 4) + j23 + (-5))) * (-1));
                strip19[(term21 * 17) + (term_rest22 * 4) + j23] = w[(term21 * 6) + place25];
            }
        }
        sc_team_sync();
        for (int64_t e26 = sc_member(); e26 < 256; e26 += sc_members()) {
            const int64_t row27 = (e26 >> 4);
            const int64_t row_rest28 = e26 + (row27 * (-16));
            const int64_t i29 = (tile17 * 16) + row27;
            const int64_t j30 = row_rest28;
            if ((i29 < n0) && (j30 < 6)) {
                float s31 = 0.0f;
                for (int64_t k32 = 0; k32 < 4; ++k32) {
                    s31 = s31 + (strip18[row27 + (k32 * 17)] * strip19[row_rest28 + (k32 * 17)]);
                }
                const float v33 = sc_tanh_f32(s31);
                tanh_0[(i29 * 6) + j30] = v33;
            }
        }
        sc_team_sync();
    }
}

/* gemm: x @ w; tanh(x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k37_dot_tanh(const int64_t groups11, float *restrict tanh_0, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    for (int64_t i12 = sc_thread(); i12 < groups11; i12 += sc_threads()) {
        #pragma unroll
        for (int64_t j13 = 0; j13 < 4; ++j13) {
            const float v15 = sc_tanh_f32(tanh_0[(i12 * 4) + j13]);
            tanh_0[(i12 * 4) + j13] = v15;
        }
    }
    for (int64_t i14 = sc_thread(); i14 < (n0 * 6) + (groups11 * (-4)); i14 += sc_threads()) {
        const float v16 = sc_tanh_f32(tanh_0[(groups11 * 4) + i14]);
        tanh_0[(groups11 * 4) + i14] = v16;
    }
}

/* gemm: tanh(x @ w) @ v */
extern "C" __global__ void __launch_bounds__(1024)
k55_dot(const int64_t n0, const float *restrict tanh_0, const float *restrict v, float *restrict dot_1, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile38 = sc_team(); tile38 < ((n0 + 15) >> 4); tile38 += sc_teams()) {
        float *restrict const strip39 = (float *)(tile);
        float *restrict const strip40 = (float *)(tile + 17408);
        for (int64_t e41 = sc_member(); e41 < 24; e41 += sc_members()) {
            const int64_t term42 = (e41 >> 2);
            const int64_t term_rest43 = e41 + (term42 * (-4));
            #pragma unroll
            for (int64_t j44 = 0; j44 < 4; ++j44) {
                const int64_t place45 = n0 + (sc_maximum_i64(0, (n0 + (tile38 * (-16)) + (term_rest43 * (-4)) + (j44 * (-1)) + (-1))) * (-1)) + (-1);
                strip39[(term42 * 17) + (term_rest43 * 4) + j44] = tanh_0[term42 + (place45 * 6)];
                const int64_t place46 = (term_rest43 * 4) + j44 + (sc_maximum_i64(0, ((term_rest43 * 4) + j44 + (-2))) * (-1));
                strip40[(term42 * 17) + (term_rest43 * 4) + j44] = v[(term42 * 3) + place46];
            }
        }
        sc_team_sync();
        for (int64_t e47 = sc_member(); e47 < 256; e47 += sc_members()) {
            const int64_t row48 = (e47 >> 4);
            const int64_t row_rest49 = e47 + (row48 * (-16));
            const int64_t i50 = (tile38 * 16) + row48;
            const int64_t j51 = row_rest49;
            if ((i50 < n0) && (j51 < 3)) {
                float s52 = 0.0f;
                for (int64_t k53 = 0; k53 < 6; ++k53) {
                    s52 = s52 + (strip39[row48 + (k53 * 17)] * strip40[row_rest49 + (k53 * 17)]);
                }
                dot_1[(i50 * 3) + j51] = s52;
            }
        }
        sc_team_sync();
    }
}

/* row: max(c + tanh(x @ w) @ v, axis=1); exp(c + tanh(x @ w) @ v + (-max(c + …, axis=1))[:, None]); sum(exp(c + tanh(…) @ v + (-max(…, axis=1))[:, None]), axis=1); place(broadcast_to(-(1.0 / float32(n0)), (n0,)), at, axis=1, length=3) + exp(c + … + (…)[:, None]) / sum(exp(…), axis=1)[:, None] / float32(n0) */
template <bool held, bool wide>
SC_INLINE void k72_reduce_exp_add_rows(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    typedef sc_share<4, 2, wide> share;
    char *const tile = sc_tile(scratch, each);
    const float h70 = -(1.0f / ((float)n0));
    const float h68 = h70;
    const float h71 = (float)n0;
    const float h69 = h71;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < n0; row1_ += sc_teams()) {
        const bool some2_ = row1_ < n0;
        const int64_t i57 = some2_ ? row1_ : n0 - 1;
        float c3_[share::count];
        float dot_14_[share::count];
        float row585_[share::count];
        float *restrict const row58 = (float *)(tile);
        float s60 = -INFINITY;
        const int64_t count6_ = some2_ ? 3 : 0;
        if (held) {
            share(count6_).load(c3_, c);
            share(count6_).load(dot_14_, dot_1 + (i57 * 3));
        }
        float part7_ = -INFINITY;
        for (int64_t from8_ = 0; from8_ < (held ? 1 : count6_); from8_ += (held ? 1 : share::span())) {
            const share own9_(count6_ - from8_);
            if (!held) {
                own9_.load(c3_, c + from8_);
                own9_.load(dot_14_, dot_1 + (i57 * 3) + from8_);
            }
            #pragma unroll
            for (int slot10_ = 0; slot10_ < 2; ++slot10_) {
                if (!own9_.has(slot10_)) continue;
                #pragma unroll
                for (int lane11_ = 0; lane11_ < 4; ++lane11_) {
                    const int at12_ = slot10_ * 4 + lane11_;
                    if (own9_.has(slot10_, lane11_)) part7_ = sc_maximum_f32(part7_, (c3_[at12_] + dot_14_[at12_]));
                }
            }
        }
        s60 = sc_maximum_f32(s60, (sc_teams_fold<sc_max>(part7_)));
        if (some2_ && sc_member() == 0) {
            reduce_2[i57] = s60;
        }
        float s62 = 0.0f;
        const float h66 = -s60;
        const int64_t count13_ = some2_ ? 3 : 0;
        float part14_ = 0.0f;
        for (int64_t from15_ = 0; from15_ < (held ? 1 : count13_); from15_ += (held ? 1 : share::span())) {
            const share own16_(count13_ - from15_);
            if (!held) {
                own16_.load(c3_, c + from15_);
                own16_.load(dot_14_, dot_1 + (i57 * 3) + from15_);
            }
            #pragma unroll
            for (int slot17_ = 0; slot17_ < 2; ++slot17_) {
                if (!own16_.has(slot17_)) continue;
                #pragma unroll
                for (int lane18_ = 0; lane18_ < 4; ++lane18_) {
                    const int at19_ = slot17_ * 4 + lane18_;
                    const float v63 = sc_exp_f32(((c3_[at19_] + dot_14_[at19_]) + h66));
                    if (own16_.has(slot17_, lane18_)) part14_ = part14_ + v63;
                    row585_[at19_] = v63;
                }
                if (!held) own16_.store(row58 + from15_, slot17_, row585_ + slot17_ * 4);
            }
        }
        s62 = s62 + (sc_teams_fold<sc_sum>(part14_));
        if (some2_ && sc_member() == 0) {
            reduce_3[i57] = s62;
        }
        const int64_t t20_ = at[i57];
        const int64_t h67 = (t20_ < 0) ? sc_add_i64(t20_, 3) : t20_;
        const int64_t count21_ = some2_ ? 3 : 0;
        const sc_divisor<float> by22_(s62);
        const sc_divisor<float> by23_(h69);
        for (int64_t from24_ = 0; from24_ < (held ? 1 : count21_); from24_ += (held ? 1 : share::span())) {
            const share own25_(count21_ - from24_);
            if (!held) {
                own25_.load(row585_, row58 + from24_);
            }
            #pragma unroll
            for (int slot26_ = 0; slot26_ < 2; ++slot26_) {
                if (!own25_.has(slot26_)) continue;
                float result29_[4];
                #pragma unroll
                for (int lane27_ = 0; lane27_ < 4; ++lane27_) {
                    const int at28_ = slot26_ * 4 + lane27_;
                    const int64_t j64 = from24_ + share::at(slot26_, lane27_);
                    const float v65 = ((j64 == h67) ? h68 : 0.0f) + (by23_.of(by22_.of(row585_[at28_])));
                    result29_[lane27_] = v65;
                }
                own25_.store(add_5 + (i57 * 3) + from24_, slot26_, result29_);
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k72_reduce_exp_add_held(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    k72_reduce_exp_add_rows<true, false>(n0, c, dot_1, reduce_2, reduce_3, at, add_5, scratch, each);
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], minimum(maximum(at, -3), 3 - 1), axis=1), axis=0) */
template <bool wide>
SC_INLINE void k82_reduce_rows(const int64_t teams73, const int64_t length74, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial75) {
    typedef sc_share<2, 2, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < teams73; row1_ += sc_teams()) {
        const bool some2_ = row1_ < teams73;
        const int64_t b76 = some2_ ? row1_ : teams73 - 1;
        int64_t at3_[share::count];
        float reduce_24_[share::count];
        float reduce_35_[share::count];
        const int64_t begin78 = length74 * b76;
        const int64_t length79 = length74 + (sc_maximum_i64(0, (length74 + (sc_maximum_i64(0, (n0 + (begin78 * (-1)))) * (-1)))) * (-1));
        float s81 = 0.0f;
        const int64_t count6_ = some2_ ? length79 : 0;
        float part7_ = 0.0f;
        for (int64_t from8_ = 0; from8_ < count6_; from8_ += share::span()) {
            const share own9_(count6_ - from8_);
            own9_.load(at3_, at + (begin78) + from8_);
            own9_.load(reduce_24_, reduce_2 + (begin78) + from8_);
            own9_.load(reduce_35_, reduce_3 + (begin78) + from8_);
            #pragma unroll
            for (int slot10_ = 0; slot10_ < 2; ++slot10_) {
                if (!own9_.has(slot10_)) continue;
                #pragma unroll
                for (int lane11_ = 0; lane11_ < 2; ++lane11_) {
                    const int at12_ = slot10_ * 2 + lane11_;
                    const int64_t k80 = from8_ + share::at(slot10_, lane11_);
                    const int64_t k77 = begin78 + k80;
                    const int64_t t13_ = sc_minimum_i64(sc_maximum_i64(at3_[at12_], (-3)), (3 - 1));
                    const int64_t t14_ = (t13_ < 0) ? sc_add_i64(t13_, 3) : t13_;
                    const float t15_ = ((own9_.has(slot10_, lane11_) ? c[t14_] : float(0))) + ((own9_.has(slot10_, lane11_) ? dot_1[sc_add_i64((k77 * 3), t14_)] : float(0)));
                    if (own9_.has(slot10_, lane11_)) part7_ = part7_ + ((t15_ + (-reduce_24_[at12_])) + (-sc_log_f32(reduce_35_[at12_])));
                }
            }
        }
        s81 = s81 + (sc_teams_fold<sc_sum>(part7_));
        if (some2_ && sc_member() == 0) {
            partial75[b76] = s81;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k82_reduce_wide(const int64_t teams73, const int64_t length74, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial75) {
    k82_reduce_rows<true>(teams73, length74, n0, c, at, dot_1, reduce_2, reduce_3, partial75);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k82_reduce(const int64_t teams73, const int64_t length74, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial75) {
    k82_reduce_rows<false>(teams73, length74, n0, c, at, dot_1, reduce_2, reduce_3, partial75);
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], minimum(maximum(at, -3), 3 - 1), axis=1), axis=0) */
template <bool wide>
SC_INLINE void k85_reduce_rows(const int64_t teams73, const float *restrict partial75, float *restrict reduce_4) {
    typedef sc_share<4, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v_3 = some2_ ? row1_ : 1 - 1;
        float partial754_[share::count];
        double s83 = 0.0;
        const int64_t count5_ = some2_ ? teams73 : 0;
        double part6_ = 0.0;
        for (int64_t from7_ = 0; from7_ < count5_; from7_ += share::span()) {
            const share own8_(count5_ - from7_);
            own8_.load(partial754_, partial75 + from7_);
            #pragma unroll
            for (int slot9_ = 0; slot9_ < 4; ++slot9_) {
                if (!own8_.has(slot9_)) continue;
                #pragma unroll
                for (int lane10_ = 0; lane10_ < 4; ++lane10_) {
                    const int at11_ = slot9_ * 4 + lane10_;
                    if (own8_.has(slot9_, lane10_)) part6_ = part6_ + ((double)partial754_[at11_]);
                }
            }
        }
        s83 = s83 + (sc_teams_fold<sc_sum>(part6_));
        if (some2_ && sc_member() == 0) {
            reduce_4[0] = (float)s83;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k85_reduce_wide(const int64_t teams73, const float *restrict partial75, float *restrict reduce_4) {
    k85_reduce_rows<true>(teams73, partial75, reduce_4);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k85_reduce(const int64_t teams73, const float *restrict partial75, float *restrict reduce_4) {
    k85_reduce_rows<false>(teams73, partial75, reduce_4);
}

/* map: -(sum(pick(… + … + (…)[:, None], minimum(maximum(at, …), 3 - 1), axis=1), axis=0) / float32(n0)) */
extern "C" __global__ void __launch_bounds__(256)
k88_negative(const float *restrict reduce_4, const int64_t n0, float *restrict out0) {
    const float h87 = -(reduce_4[0] / ((float)n0));
    const float v86 = h87;
    for (int64_t v_1 = sc_thread(); v_1 < 1; v_1 += sc_threads()) {
        out0[0] = v86;
    }
}

/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(1024)
k116_dot_multiply(const int64_t n0, const float *restrict add_5, const float *restrict v, const float *restrict tanh_0, float *restrict multiply_6, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile98 = sc_team(); tile98 < ((n0 + 15) >> 4); tile98 += sc_teams()) {
        float *restrict const strip99 = (float *)(tile);
        float *restrict const strip100 = (float *)(tile + 17408);
        for (int64_t e101 = sc_member(); e101 < 12; e101 += sc_members()) {
            const int64_t term102 = (e101 >> 2);
            const int64_t term_rest103 = e101 + (term102 * (-4));
            #pragma unroll
            for (int64_t j104 = 0; j104 < 4; ++j104) {
                const int64_t place105 = n0 + (sc_maximum_i64(0, (n0 + (tile98 * (-16)) + (term_rest103 * (-4)) + (j104 * (-1)) + (-1))) * (-1)) + (-1);
                strip99[(term102 * 17) + (term_rest103 * 4) + j104] = add_5[term102 + (place105 * 3)];
                const int64_t place106 = (term_rest103 * 4) + j104 + (sc_maximum_i64(0, ((term_rest103 * 4) + j104 + (-5))) * (-1));
                strip100[(term102 * 17) + (term_rest103 * 4) + j104] = v[term102 + (place106 * 3)];
            }
        }
        sc_team_sync();
        for (int64_t e107 = sc_member(); e107 < 256; e107 += sc_members()) {
            const int64_t row108 = (e107 >> 4);
            const int64_t row_rest109 = e107 + (row108 * (-16));
            const int64_t i110 = (tile98 * 16) + row108;
            const int64_t j111 = row_rest109;
            if ((i110 < n0) && (j111 < 6)) {
                float s112 = 0.0f;
                for (int64_t k113 = 0; k113 < 3; ++k113) {
                    s112 = s112 + (strip99[row108 + (k113 * 17)] * strip100[row_rest109 + (k113 * 17)]);
                }
                const float t1_ = tanh_0[(i110 * 6) + j111];
                const float v114 = (1.0f - (t1_ * t1_)) * s112;
                multiply_6[(i110 * 6) + j111] = v114;
            }
        }
        sc_team_sync();
    }
}

/* gemm: einsum(ik,jk->ij: place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), v); (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(-…, (n0,)), at, axis=1, length=3) + exp(…) / (…)[:, None] / float32(n0), v) */
extern "C" __global__ void __launch_bounds__(256)
k118_dot_multiply(const int64_t groups92, const float *restrict tanh_0, float *restrict multiply_6, const int64_t n0) {
    sc_aligned(tanh_0, 16);
    sc_aligned(multiply_6, 16);
    for (int64_t i93 = sc_thread(); i93 < groups92; i93 += sc_threads()) {
        #pragma unroll
        for (int64_t j94 = 0; j94 < 4; ++j94) {
            const float t1_ = tanh_0[(i93 * 4) + j94];
            const float v96 = (1.0f - (t1_ * t1_)) * multiply_6[(i93 * 4) + j94];
            multiply_6[(i93 * 4) + j94] = v96;
        }
    }
    for (int64_t i95 = sc_thread(); i95 < (n0 * 6) + (groups92 * (-4)); i95 += sc_threads()) {
        const float t2_ = tanh_0[(groups92 * 4) + i95];
        const float v97 = (1.0f - (t2_ * t2_)) * multiply_6[(groups92 * 4) + i95];
        multiply_6[(groups92 * 4) + i95] = v97;
    }
}

/* gemm: einsum(ki,kj->ij: x, (1.0 - square(tanh(x @ w))) * einsum(ik,jk->ij: place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), v)); w - 0.1 * einsum(ki,kj->ij: x, (1.0 - square(…)) * einsum(ik,jk->ij: … + …, v)) */
extern "C" __global__ void __launch_bounds__(1024)
k137_dot_subtract(const int64_t n0, const float *restrict x, const float *restrict multiply_6, float *restrict w, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile119 = sc_team(); tile119 < 1; tile119 += sc_teams()) {
        float *restrict const strip120 = (float *)(tile);
        float *restrict const strip121 = (float *)(tile + 17408);
        for (int64_t e122 = sc_member(); e122 < n0 * 4; e122 += sc_members()) {
            const int64_t term123 = (e122 >> 2);
            const int64_t term_rest124 = e122 + (term123 * (-4));
            #pragma unroll
            for (int64_t j125 = 0; j125 < 4; ++j125) {
                const int64_t t1_ = (tile119 * 16) + (term_rest124 * 4) + j125 + (sc_maximum_i64(0, ((tile119 * 16) + (term_rest124 * 4) + j125 + (-3))) * (-1));
                const int64_t place126 = t1_;
                strip120[(term123 * 17) + (term_rest124 * 4) + j125] = x[(term123 * 4) + place126];
                const int64_t place127 = (term_rest124 * 4) + j125 + (sc_maximum_i64(0, ((term_rest124 * 4) + j125 + (-5))) * (-1));
                strip121[(term123 * 17) + (term_rest124 * 4) + j125] = multiply_6[(term123 * 6) + place127];
            }
        }
        sc_team_sync();
        for (int64_t e128 = sc_member(); e128 < 256; e128 += sc_members()) {
            const int64_t row129 = (e128 >> 4);
            const int64_t row_rest130 = e128 + (row129 * (-16));
            const int64_t i131 = (tile119 * 16) + row129;
            const int64_t j132 = row_rest130;
            if ((i131 < 4) && (j132 < 6)) {
                float s133 = 0.0f;
                #pragma unroll 4
                for (int64_t k134 = 0; k134 < n0; ++k134) {
                    s133 = s133 + (strip120[row129 + (k134 * 17)] * strip121[row_rest130 + (k134 * 17)]);
                }
                const float v135 = w[(i131 * 6) + j132] - (0.1f * s133);
                w[(i131 * 6) + j132] = v135;
            }
        }
        sc_team_sync();
    }
}

/* gemm: einsum(ki,kj->ij: tanh(x @ w), place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0)); v - 0.1 * einsum(ki,kj->ij: tanh(x @ w), place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0)) */
extern "C" __global__ void __launch_bounds__(1024)
k157_dot_subtract(const int64_t n0, const float *restrict tanh_0, const float *restrict add_5, float *restrict v, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile139 = sc_team(); tile139 < 1; tile139 += sc_teams()) {
        float *restrict const strip140 = (float *)(tile);
        float *restrict const strip141 = (float *)(tile + 17408);
        for (int64_t e142 = sc_member(); e142 < n0 * 4; e142 += sc_members()) {
            const int64_t term143 = (e142 >> 2);
            const int64_t term_rest144 = e142 + (term143 * (-4));
            #pragma unroll
            for (int64_t j145 = 0; j145 < 4; ++j145) {
                const int64_t t1_ = (tile139 * 16) + (term_rest144 * 4) + j145 + (sc_maximum_i64(0, ((tile139 * 16) + (term_rest144 * 4) + j145 + (-5))) * (-1));
                const int64_t place146 = t1_;
                strip140[(term143 * 17) + (term_rest144 * 4) + j145] = tanh_0[(term143 * 6) + place146];
                const int64_t place147 = (term_rest144 * 4) + j145 + (sc_maximum_i64(0, ((term_rest144 * 4) + j145 + (-2))) * (-1));
                strip141[(term143 * 17) + (term_rest144 * 4) + j145] = add_5[(term143 * 3) + place147];
            }
        }
        sc_team_sync();
        for (int64_t e148 = sc_member(); e148 < 256; e148 += sc_members()) {
            const int64_t row149 = (e148 >> 4);
            const int64_t row_rest150 = e148 + (row149 * (-16));
            const int64_t i151 = (tile139 * 16) + row149;
            const int64_t j152 = row_rest150;
            if ((i151 < 6) && (j152 < 3)) {
                float s153 = 0.0f;
                #pragma unroll 4
                for (int64_t k154 = 0; k154 < n0; ++k154) {
                    s153 = s153 + (strip140[row149 + (k154 * 17)] * strip141[row_rest150 + (k154 * 17)]);
                }
                const float v155 = v[(i151 * 3) + j152] - (0.1f * s153);
                v[(i151 * 3) + j152] = v155;
            }
        }
        sc_team_sync();
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k193_reduce_subtract(const int64_t tiles163, const int64_t blocks165, const int64_t across161, const int64_t deep162, const int64_t length164, const int64_t n0, const float *restrict add_5, float *restrict c, float *restrict partial167) {
    for (int64_t team168 = sc_block(); team168 < tiles163 * blocks165; team168 += sc_blocks()) {
        const int64_t block169 = sc_quotient(team168, tiles163);
        const int64_t start170 = (across161 * tiles163 * block169 * (-1)) + (across161 * team168);
        __shared__ double parts171[512];
         {
            const int64_t e172 = sc_member();
            const int64_t lane173 = sc_quotient(e172, across161);
            float s166 = 0.0f;
            if ((lane173 < deep162) && (((across161 * lane173 * (-1)) + start170 + e172) < 3)) {
                const int64_t i159 = (across161 * lane173 * (-1)) + start170 + e172;
                const int64_t begin174 = length164 * block169;
                const int64_t end175 = n0 + (sc_maximum_i64(0, (n0 + (length164 * (-1)) + (begin174 * (-1)))) * (-1));
                const int64_t first176 = lane173 + begin174;
                const int64_t count177 = sc_quotient(deep162 + sc_maximum_i64(0, (end175 + (first176 * (-1)))) + (-1), deep162);
                const int64_t groups179 = (count177 >> 3);
                #pragma unroll 1
                for (int64_t g180 = 0; g180 < groups179; ++g180) {
                    #pragma unroll
                    for (int64_t k181 = 0; k181 < 8; ++k181) {
                        const int64_t k160 = (deep162 * g180 * 8) + (deep162 * k181) + first176;
                        s166 = s166 + add_5[i159 + (k160 * 3)];
                    }
                }
                if (count177 > (groups179 * 8)) {
                    #pragma unroll
                    for (int64_t k182 = 0; k182 < 8; ++k182) {
                        const int64_t k160 = (deep162 * sc_minimum_i64(((groups179 * 8) + k182), (count177 + (-1)))) + first176;
                        s166 = s166 + ((((groups179 * 8) + k182) < count177) ? add_5[i159 + (k160 * 3)] : 0.0f);
                    }
                }
            }
            parts171[e172] = (double)s166;
        }
        __syncthreads();
         {
            const int64_t e183 = sc_member();
            const int64_t lane184 = sc_quotient(e183, across161);
            if (lane184 < 8) {
                const int64_t count185 = ((sc_maximum_i64(0, (deep162 + (lane184 * (-1)))) + 7) >> 3);
                double s186 = 0.0;
                #pragma unroll 4
                for (int64_t k187 = 0; k187 < count185; ++k187) {
                    s186 = s186 + parts171[(across161 * k187 * 8) + e183];
                }
                parts171[e183] = s186;
            }
        }
        __syncthreads();
         {
            const int64_t e188 = sc_member();
            if ((e188 < across161) && ((start170 + e188) < 3)) {
                const int64_t i159 = start170 + e188;
                double s189 = 0.0;
                #pragma unroll 4
                for (int64_t k190 = 0; k190 < deep162 + (sc_maximum_i64(0, (deep162 + (-8))) * (-1)); ++k190) {
                    s189 = s189 + parts171[(across161 * k190) + e188];
                }
                if (blocks165 == 1) {
                    const float v191 = (float)s189;
                    const float v192 = c[i159] - (0.1f * v191);
                    c[i159] = v192;
                }
                if (!(blocks165 == 1)) {
                    partial167[i159 + (block169 * 3)] = (float)s189;
                }
            }
        }
        __syncthreads();
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(512, 2)
k220_reduce_subtract(const int64_t tiles196, const int64_t blocks165, const float *restrict partial167, float *restrict c) {
    for (int64_t team197 = sc_block(); team197 < tiles196; team197 += sc_blocks()) {
        const int64_t start198 = team197 * 3;
        __shared__ double parts199[512];
         {
            const int64_t e200 = sc_member();
            const int64_t lane201 = sc_quotient(e200, 3);
            float s195 = 0.0f;
            if ((lane201 < 170) && ((start198 + e200 + (lane201 * (-3))) < 3)) {
                const int64_t i194 = start198 + e200 + (lane201 * (-3));
                const int64_t end202 = blocks165;
                const int64_t first203 = lane201;
                const int64_t count204 = sc_quotient(sc_maximum_i64(0, (end202 + (first203 * (-1)))) + 169, 170);
                const int64_t groups206 = (count204 >> 3);
                #pragma unroll 1
                for (int64_t g207 = 0; g207 < groups206; ++g207) {
                    #pragma unroll
                    for (int64_t k208 = 0; k208 < 8; ++k208) {
                        s195 = s195 + partial167[i194 + (first203 * 3) + (g207 * 4080) + (k208 * 510)];
                    }
                }
                if (count204 > (groups206 * 8)) {
                    #pragma unroll
                    for (int64_t k209 = 0; k209 < 8; ++k209) {
                        const float t1_ = (((groups206 * 8) + k209) < count204) ? partial167[i194 + (first203 * 3) + (sc_minimum_i64(((groups206 * 8) + k209), (count204 + (-1))) * 510)] : 0.0f;
                        s195 = s195 + t1_;
                    }
                }
            }
            parts199[e200] = (double)s195;
        }
        __syncthreads();
         {
            const int64_t e210 = sc_member();
            const int64_t lane211 = sc_quotient(e210, 3);
            if (lane211 < 8) {
                const int64_t count212 = (((lane211 * (-1)) + sc_maximum_i64(0, (lane211 + (-170))) + 177) >> 3);
                double s213 = 0.0;
                #pragma unroll 4
                for (int64_t k214 = 0; k214 < count212; ++k214) {
                    s213 = s213 + parts199[e210 + (k214 * 24)];
                }
                parts199[e210] = s213;
            }
        }
        __syncthreads();
         {
            const int64_t e215 = sc_member();
            if ((e215 < 3) && ((start198 + e215) < 3)) {
                const int64_t i194 = start198 + e215;
                double s216 = 0.0;
                for (int64_t k217 = 0; k217 < 8; ++k217) {
                    s216 = s216 + parts199[e215 + (k217 * 3)];
                }
                const float v218 = (float)s216;
                const float v219 = c[i194] - (0.1f * v218);
                c[i194] = v219;
            }
        }
        __syncthreads();
    }
}
