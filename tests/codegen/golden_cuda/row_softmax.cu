#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"


/* row: max(x, axis=1); exp(x + (-max(x, axis=1))[:, None]); sum(exp(x + (-max(x, axis=1))[:, None]), axis=1); exp(x + (-max(x, axis=1))[:, None]) / sum(exp(x + (…)[:, None]), axis=1)[:, None] */
template <bool held, bool wide>
SC_INLINE void k10_reduce_exp_divide_rows(const int64_t n0, const int64_t n1, const float *restrict x, float *restrict out0, char *scratch, const int64_t each) {
    typedef sc_share<4, 4, wide> share;
    char *const tile = sc_tile(scratch, each);
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < n0; row1_ += sc_teams()) {
        const bool some2_ = row1_ < n0;
        const int64_t i0 = some2_ ? row1_ : n0 - 1;
        float x3_[share::count];
        float row14_[share::count];
        float *restrict const row1 = (float *)(tile);
        float s3 = -INFINITY;
        const int64_t count5_ = some2_ ? n1 : 0;
        auto *const start6_ = sc_kept(x + (n1 * i0));
        if (held) {
            share(count5_).load(x3_, start6_);
        }
        float part7_ = -INFINITY;
        for (int64_t from8_ = 0; from8_ < (held ? 1 : count5_); from8_ += (held ? 1 : share::span())) {
            const share own9_(count5_ - from8_);
            if (!held) {
                own9_.load(x3_, start6_ + from8_);
            }
            #pragma unroll
            for (int slot10_ = 0; slot10_ < 4; ++slot10_) {
                #pragma unroll
                for (int lane11_ = 0; lane11_ < 4; ++lane11_) {
                    const int at12_ = slot10_ * 4 + lane11_;
                    if (own9_.has(slot10_, lane11_)) part7_ = sc_maximum_f32(part7_, x3_[at12_]);
                }
            }
        }
        s3 = sc_maximum_f32(s3, (sc_teams_fold<sc_max>(part7_)));
        float s5 = 0.0f;
        const float h9 = -s3;
        const int64_t count13_ = some2_ ? n1 : 0;
        float part14_ = 0.0f;
        for (int64_t from15_ = 0; from15_ < (held ? 1 : count13_); from15_ += (held ? 1 : share::span())) {
            const share own16_(count13_ - from15_);
            if (!held) {
                own16_.load(x3_, start6_ + from15_);
            }
            #pragma unroll
            for (int slot17_ = 0; slot17_ < 4; ++slot17_) {
                #pragma unroll
                for (int lane18_ = 0; lane18_ < 4; ++lane18_) {
                    const int at19_ = slot17_ * 4 + lane18_;
                    const float v6 = sc_exp_f32((x3_[at19_] + h9));
                    if (own16_.has(slot17_, lane18_)) part14_ = part14_ + v6;
                    row14_[at19_] = v6;
                }
                if (!held) own16_.store(row1 + from15_, slot17_, row14_ + slot17_ * 4);
            }
        }
        s5 = s5 + (sc_teams_fold<sc_sum>(part14_));
        const int64_t count20_ = some2_ ? n1 : 0;
        auto *const start21_ = sc_kept(out0 + (n1 * i0));
        const sc_divisor<float> by22_(s5);
        for (int64_t from23_ = 0; from23_ < (held ? 1 : count20_); from23_ += (held ? 1 : share::span())) {
            const share own24_(count20_ - from23_);
            if (!held) {
                own24_.load(row14_, row1 + from23_);
            }
            #pragma unroll
            for (int slot25_ = 0; slot25_ < 4; ++slot25_) {
                float result28_[4];
                #pragma unroll
                for (int lane26_ = 0; lane26_ < 4; ++lane26_) {
                    const int at27_ = slot25_ * 4 + lane26_;
                    const float v8 = by22_.of(row14_[at27_]);
                    result28_[lane26_] = v8;
                }
                own24_.store(start21_ + from23_, slot25_, result28_);
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(640, 2)
k10_reduce_exp_divide_held_wide(const int64_t n0, const int64_t n1, const float *restrict x, float *restrict out0, char *scratch, const int64_t each) {
    k10_reduce_exp_divide_rows<true, true>(n0, n1, x, out0, scratch, each);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k10_reduce_exp_divide_held(const int64_t n0, const int64_t n1, const float *restrict x, float *restrict out0, char *scratch, const int64_t each) {
    k10_reduce_exp_divide_rows<true, false>(n0, n1, x, out0, scratch, each);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k10_reduce_exp_divide_wide(const int64_t n0, const int64_t n1, const float *restrict x, float *restrict out0, char *scratch, const int64_t each) {
    k10_reduce_exp_divide_rows<false, true>(n0, n1, x, out0, scratch, each);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k10_reduce_exp_divide(const int64_t n0, const int64_t n1, const float *restrict x, float *restrict out0, char *scratch, const int64_t each) {
    k10_reduce_exp_divide_rows<false, false>(n0, n1, x, out0, scratch, each);
}
