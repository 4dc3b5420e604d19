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
        if (held) {
            share(count5_).load(x3_, x + (n1 * i0));
        }
        float part6_ = -INFINITY;
        for (int64_t from7_ = 0; from7_ < (held ? 1 : count5_); from7_ += (held ? 1 : share::span())) {
            const share own8_(count5_ - from7_);
            if (!held) {
                own8_.load(x3_, x + (n1 * i0) + from7_);
            }
            #pragma unroll
            for (int slot9_ = 0; slot9_ < 4; ++slot9_) {
                if (!own8_.has(slot9_)) continue;
                #pragma unroll
                for (int lane10_ = 0; lane10_ < 4; ++lane10_) {
                    const int at11_ = slot9_ * 4 + lane10_;
                    if (own8_.has(slot9_, lane10_)) part6_ = sc_maximum_f32(part6_, x3_[at11_]);
                }
            }
        }
        s3 = sc_maximum_f32(s3, (sc_teams_fold<sc_max>(part6_)));
        float s5 = 0.0f;
        const float h9 = -s3;
        const int64_t count12_ = some2_ ? n1 : 0;
        float part13_ = 0.0f;
        for (int64_t from14_ = 0; from14_ < (held ? 1 : count12_); from14_ += (held ? 1 : share::span())) {
            const share own15_(count12_ - from14_);
            if (!held) {
                own15_.load(x3_, x + (n1 * i0) + from14_);
            }
            #pragma unroll
            for (int slot16_ = 0; slot16_ < 4; ++slot16_) {
                if (!own15_.has(slot16_)) continue;
                #pragma unroll
                for (int lane17_ = 0; lane17_ < 4; ++lane17_) {
                    const int at18_ = slot16_ * 4 + lane17_;
                    const float v6 = sc_exp_f32((x3_[at18_] + h9));
                    if (own15_.has(slot16_, lane17_)) part13_ = part13_ + v6;
                    row14_[at18_] = v6;
                }
                if (!held) own15_.store(row1 + from14_, slot16_, row14_ + slot16_ * 4);
            }
        }
        s5 = s5 + (sc_teams_fold<sc_sum>(part13_));
        const int64_t count19_ = some2_ ? n1 : 0;
        const sc_divisor<float> by20_(s5);
        for (int64_t from21_ = 0; from21_ < (held ? 1 : count19_); from21_ += (held ? 1 : share::span())) {
            const share own22_(count19_ - from21_);
            if (!held) {
                own22_.load(row14_, row1 + from21_);
            }
            #pragma unroll
            for (int slot23_ = 0; slot23_ < 4; ++slot23_) {
                if (!own22_.has(slot23_)) continue;
                float result26_[4];
                #pragma unroll
                for (int lane24_ = 0; lane24_ < 4; ++lane24_) {
                    const int at25_ = slot23_ * 4 + lane24_;
                    const float v8 = by20_.of(row14_[at25_]);
                    result26_[lane24_] = v8;
                }
                own22_.store(out0 + (n1 * i0) + from21_, slot23_, result26_);
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
