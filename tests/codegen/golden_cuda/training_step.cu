#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"


/* positions within their axis */
template <bool wide>
SC_INLINE void k2_check_rows(const int64_t n0, const int64_t *restrict at, int64_t *restrict status) {
    typedef sc_share<2, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v_3 = some2_ ? row1_ : 1 - 1;
        int64_t at4_[share::count];
        bool bad1 = false;
        const int64_t count5_ = some2_ ? n0 : 0;
        bool part6_ = false;
        for (int64_t from7_ = 0; from7_ < count5_; from7_ += share::span()) {
            const share own8_(count5_ - from7_);
            own8_.load(at4_, at + from7_);
            #pragma unroll
            for (int slot9_ = 0; slot9_ < 4; ++slot9_) {
                if (!own8_.has(slot9_)) continue;
                #pragma unroll
                for (int lane10_ = 0; lane10_ < 2; ++lane10_) {
                    const int at11_ = slot9_ * 2 + lane10_;
                    if (own8_.has(slot9_, lane10_)) part6_ = part6_ || ((at4_[at11_] < (-3)) || (3 <= at4_[at11_]));
                }
            }
        }
        bad1 = bad1 || (sc_teams_fold<sc_any>(part6_));
        if (bad1) {
            if (some2_ && sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k2_check_wide(const int64_t n0, const int64_t *restrict at, int64_t *restrict status) {
    k2_check_rows<true>(n0, at, status);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k2_check(const int64_t n0, const int64_t *restrict at, int64_t *restrict status) {
    k2_check_rows<false>(n0, at, status);
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
template <bool held, bool wide>
SC_INLINE void k30_reduce_exp_add_rows(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    typedef sc_share<4, 2, wide> share;
    char *const tile = sc_tile(scratch, each);
    const float h28 = -(1.0f / ((float)n0));
    const float h26 = h28;
    const float h29 = (float)n0;
    const float h27 = h29;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < n0; row1_ += sc_teams()) {
        const bool some2_ = row1_ < n0;
        const int64_t i15 = some2_ ? row1_ : n0 - 1;
        float c3_[share::count];
        float dot_14_[share::count];
        float row165_[share::count];
        float *restrict const row16 = (float *)(tile);
        float s18 = -INFINITY;
        const int64_t count6_ = some2_ ? 3 : 0;
        if (held) {
            share(count6_).load(c3_, c);
            share(count6_).load(dot_14_, dot_1 + (i15 * 3));
        }
        float part7_ = -INFINITY;
        for (int64_t from8_ = 0; from8_ < (held ? 1 : count6_); from8_ += (held ? 1 : share::span())) {
            const share own9_(count6_ - from8_);
            if (!held) {
                own9_.load(c3_, c + from8_);
                own9_.load(dot_14_, dot_1 + (i15 * 3) + from8_);
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
        s18 = sc_maximum_f32(s18, (sc_teams_fold<sc_max>(part7_)));
        if (some2_ && sc_member() == 0) {
            reduce_2[i15] = s18;
        }
        float s20 = 0.0f;
        const float h24 = -s18;
        const int64_t count13_ = some2_ ? 3 : 0;
        float part14_ = 0.0f;
        for (int64_t from15_ = 0; from15_ < (held ? 1 : count13_); from15_ += (held ? 1 : share::span())) {
            const share own16_(count13_ - from15_);
            if (!held) {
                own16_.load(c3_, c + from15_);
                own16_.load(dot_14_, dot_1 + (i15 * 3) + from15_);
            }
            #pragma unroll
            for (int slot17_ = 0; slot17_ < 2; ++slot17_) {
                if (!own16_.has(slot17_)) continue;
                #pragma unroll
                for (int lane18_ = 0; lane18_ < 4; ++lane18_) {
                    const int at19_ = slot17_ * 4 + lane18_;
                    const float v21 = sc_exp_f32(((c3_[at19_] + dot_14_[at19_]) + h24));
                    if (own16_.has(slot17_, lane18_)) part14_ = part14_ + v21;
                    row165_[at19_] = v21;
                }
                if (!held) own16_.store(row16 + from15_, slot17_, row165_ + slot17_ * 4);
            }
        }
        s20 = s20 + (sc_teams_fold<sc_sum>(part14_));
        if (some2_ && sc_member() == 0) {
            reduce_3[i15] = s20;
        }
        const int64_t t20_ = at[i15];
        const int64_t h25 = (t20_ < 0) ? sc_add_i64(t20_, 3) : t20_;
        const int64_t count21_ = some2_ ? 3 : 0;
        const sc_divisor<float> by22_(s20);
        const sc_divisor<float> by23_(h27);
        for (int64_t from24_ = 0; from24_ < (held ? 1 : count21_); from24_ += (held ? 1 : share::span())) {
            const share own25_(count21_ - from24_);
            if (!held) {
                own25_.load(row165_, row16 + from24_);
            }
            #pragma unroll
            for (int slot26_ = 0; slot26_ < 2; ++slot26_) {
                if (!own25_.has(slot26_)) continue;
                float result29_[4];
                #pragma unroll
                for (int lane27_ = 0; lane27_ < 4; ++lane27_) {
                    const int at28_ = slot26_ * 4 + lane27_;
                    const int64_t j22 = from24_ + share::at(slot26_, lane27_);
                    const float v23 = ((j22 == h25) ? h26 : 0.0f) + (by23_.of(by22_.of(row165_[at28_])));
                    result29_[lane27_] = v23;
                }
                own25_.store(add_5 + (i15 * 3) + from24_, slot26_, result29_);
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k30_reduce_exp_add_held(const int64_t n0, const float *restrict c, const float *restrict dot_1, float *restrict reduce_2, float *restrict reduce_3, const int64_t *restrict at, float *restrict add_5, char *scratch, const int64_t each) {
    k30_reduce_exp_add_rows<true, false>(n0, c, dot_1, reduce_2, reduce_3, at, add_5, scratch, each);
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
template <bool wide>
SC_INLINE void k40_reduce_rows(const int64_t teams31, const int64_t length32, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial33) {
    typedef sc_share<2, 2, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < teams31; row1_ += sc_teams()) {
        const bool some2_ = row1_ < teams31;
        const int64_t b34 = some2_ ? row1_ : teams31 - 1;
        int64_t at3_[share::count];
        float reduce_24_[share::count];
        float reduce_35_[share::count];
        const int64_t begin36 = length32 * b34;
        const int64_t length37 = length32 + (sc_maximum_i64(0, (length32 + (sc_maximum_i64(0, (n0 + (begin36 * (-1)))) * (-1)))) * (-1));
        float s39 = 0.0f;
        const int64_t count6_ = some2_ ? length37 : 0;
        float part7_ = 0.0f;
        for (int64_t from8_ = 0; from8_ < count6_; from8_ += share::span()) {
            const share own9_(count6_ - from8_);
            own9_.load(at3_, at + (begin36) + from8_);
            own9_.load(reduce_24_, reduce_2 + (begin36) + from8_);
            own9_.load(reduce_35_, reduce_3 + (begin36) + from8_);
            #pragma unroll
            for (int slot10_ = 0; slot10_ < 2; ++slot10_) {
                if (!own9_.has(slot10_)) continue;
                #pragma unroll
                for (int lane11_ = 0; lane11_ < 2; ++lane11_) {
                    const int at12_ = slot10_ * 2 + lane11_;
                    const int64_t k38 = from8_ + share::at(slot10_, lane11_);
                    const int64_t k35 = begin36 + k38;
                    const int64_t t13_ = (at3_[at12_] < 0) ? sc_add_i64(at3_[at12_], 3) : at3_[at12_];
                    const float t14_ = ((own9_.has(slot10_, lane11_) ? c[t13_] : float(0))) + ((own9_.has(slot10_, lane11_) ? dot_1[sc_add_i64((k35 * 3), t13_)] : float(0)));
                    if (own9_.has(slot10_, lane11_)) part7_ = part7_ + ((t14_ + (-reduce_24_[at12_])) + (-sc_log_f32(reduce_35_[at12_])));
                }
            }
        }
        s39 = s39 + (sc_teams_fold<sc_sum>(part7_));
        if (some2_ && sc_member() == 0) {
            partial33[b34] = s39;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k40_reduce_wide(const int64_t teams31, const int64_t length32, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial33) {
    k40_reduce_rows<true>(teams31, length32, n0, c, at, dot_1, reduce_2, reduce_3, partial33);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k40_reduce(const int64_t teams31, const int64_t length32, const int64_t n0, const float *restrict c, const int64_t *restrict at, const float *restrict dot_1, const float *restrict reduce_2, const float *restrict reduce_3, float *restrict partial33) {
    k40_reduce_rows<false>(teams31, length32, n0, c, at, dot_1, reduce_2, reduce_3, partial33);
}

/* row: sum(pick(c + (…) @ v + (-…)[:, None] + (-log(…))[:, None], at, axis=1), axis=0) */
template <bool wide>
SC_INLINE void k43_reduce_rows(const int64_t teams31, const float *restrict partial33, float *restrict reduce_4) {
    typedef sc_share<4, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v_3 = some2_ ? row1_ : 1 - 1;
        float partial334_[share::count];
        double s41 = 0.0;
        const int64_t count5_ = some2_ ? teams31 : 0;
        double part6_ = 0.0;
        for (int64_t from7_ = 0; from7_ < count5_; from7_ += share::span()) {
            const share own8_(count5_ - from7_);
            own8_.load(partial334_, partial33 + from7_);
            #pragma unroll
            for (int slot9_ = 0; slot9_ < 4; ++slot9_) {
                if (!own8_.has(slot9_)) continue;
                #pragma unroll
                for (int lane10_ = 0; lane10_ < 4; ++lane10_) {
                    const int at11_ = slot9_ * 4 + lane10_;
                    if (own8_.has(slot9_, lane10_)) part6_ = part6_ + ((double)partial334_[at11_]);
                }
            }
        }
        s41 = s41 + (sc_teams_fold<sc_sum>(part6_));
        if (some2_ && sc_member() == 0) {
            reduce_4[0] = (float)s41;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k43_reduce_wide(const int64_t teams31, const float *restrict partial33, float *restrict reduce_4) {
    k43_reduce_rows<true>(teams31, partial33, reduce_4);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k43_reduce(const int64_t teams31, const float *restrict partial33, float *restrict reduce_4) {
    k43_reduce_rows<false>(teams31, partial33, reduce_4);
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
extern "C" __global__ void __launch_bounds__(256)
k67_reduce_subtract(const int64_t blocks60, const int64_t n0, const float *restrict add_5, float *restrict partial61) {
    sc_aligned(add_5, 16);
    sc_aligned(partial61, 16);
    for (int64_t b64 = sc_row(); b64 < blocks60; b64 += sc_rows()) {
        for (int64_t i62 = sc_thread(); i62 < 3; i62 += sc_threads()) {
            float s65 = 0.0f;
            #pragma unroll 4
            for (int64_t k66 = 0; k66 < sc_quotient(n0 + blocks60 + (b64 * (-1)) + (-1), blocks60); ++k66) {
                const int64_t k63 = (blocks60 * k66) + b64;
                s65 = s65 + add_5[i62 + (k63 * 3)];
            }
            partial61[i62 + (b64 * 3)] = s65;
        }
    }
}

/* column: sum(place(broadcast_to(-(1.0 / …), (n0,)), at, axis=1, length=3) + exp(… + …) / sum(…, axis=1)[:, None] / float32(n0), axis=0); c - 0.1 * sum(place(broadcast_to(…, (n0,)), at, axis=1, length=3) + … / … / float32(n0), axis=0) */
extern "C" __global__ void __launch_bounds__(256)
k73_reduce_subtract(const int64_t blocks60, const float *restrict partial61, float *restrict c) {
    sc_aligned(partial61, 16);
    sc_aligned(c, 16);
    for (int64_t i68 = sc_thread(); i68 < 3; i68 += sc_threads()) {
        double s69 = 0.0;
        #pragma unroll 4
        for (int64_t b70 = 0; b70 < blocks60; ++b70) {
            s69 = s69 + ((double)partial61[i68 + (b70 * 3)]);
        }
        const float v71 = (float)s69;
        const float v72 = c[i68] - (0.1f * v71);
        c[i68] = v72;
    }
}
