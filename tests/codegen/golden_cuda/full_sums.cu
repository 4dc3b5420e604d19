#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"


/* row: sum(x, axis=(0, 1)); sum(square(x), axis=(0, 1)); min(x, axis=(0, 1)) */
template <bool wide>
SC_INLINE void k14_reduce_rows(const int64_t teams0, const int64_t length1, const int64_t n0, const int64_t n1, const float *restrict x, float *restrict partial2, float *restrict partial3, float *restrict partial4) {
    typedef sc_share<4, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < teams0; row1_ += sc_teams()) {
        const bool some2_ = row1_ < teams0;
        const int64_t b5 = some2_ ? row1_ : teams0 - 1;
        float x3_[share::count];
        const int64_t begin8 = length1 * b5;
        const int64_t length9 = length1 + (sc_maximum_i64(0, (length1 + (sc_maximum_i64(0, ((n0 * n1) + (begin8 * (-1)))) * (-1)))) * (-1));
        float s11 = 0.0f;
        float s12 = 0.0f;
        float s13 = INFINITY;
        const int64_t count4_ = some2_ ? length9 : 0;
        float part5_ = 0.0f;
        float part6_ = 0.0f;
        float part7_ = INFINITY;
        for (int64_t from8_ = 0; from8_ < count4_; from8_ += share::span()) {
            const share own9_(count4_ - from8_);
            own9_.load(x3_, x + (begin8) + from8_);
            #pragma unroll
            for (int slot10_ = 0; slot10_ < 4; ++slot10_) {
                if (!own9_.has(slot10_)) continue;
                #pragma unroll
                for (int lane11_ = 0; lane11_ < 4; ++lane11_) {
                    const int at12_ = slot10_ * 4 + lane11_;
                    if (own9_.has(slot10_, lane11_)) part5_ = part5_ + x3_[at12_];
                    const float t13_ = x3_[at12_];
                    if (own9_.has(slot10_, lane11_)) part6_ = part6_ + (t13_ * t13_);
                    if (own9_.has(slot10_, lane11_)) part7_ = sc_minimum_f32(part7_, x3_[at12_]);
                }
            }
        }
        s11 = s11 + (sc_teams_fold<sc_sum>(part5_));
        s12 = s12 + (sc_teams_fold<sc_sum>(part6_));
        s13 = sc_minimum_f32(s13, (sc_teams_fold<sc_min>(part7_)));
        if (some2_ && sc_member() == 0) {
            partial2[b5] = s11;
        }
        if (some2_ && sc_member() == 0) {
            partial3[b5] = s12;
        }
        if (some2_ && sc_member() == 0) {
            partial4[b5] = s13;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k14_reduce_wide(const int64_t teams0, const int64_t length1, const int64_t n0, const int64_t n1, const float *restrict x, float *restrict partial2, float *restrict partial3, float *restrict partial4) {
    k14_reduce_rows<true>(teams0, length1, n0, n1, x, partial2, partial3, partial4);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k14_reduce(const int64_t teams0, const int64_t length1, const int64_t n0, const int64_t n1, const float *restrict x, float *restrict partial2, float *restrict partial3, float *restrict partial4) {
    k14_reduce_rows<false>(teams0, length1, n0, n1, x, partial2, partial3, partial4);
}

/* row: sum(x, axis=(0, 1)); sum(square(x), axis=(0, 1)); min(x, axis=(0, 1)) */
template <bool held, bool wide>
SC_INLINE void k21_reduce_rows(const int64_t teams0, const float *restrict partial2, float *restrict out0, const float *restrict partial3, float *restrict reduce_0, const float *restrict partial4, float *restrict out2) {
    typedef sc_share<4, 2, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v = some2_ ? row1_ : 1 - 1;
        float partial23_[share::count];
        float partial34_[share::count];
        float partial45_[share::count];
        double s15 = 0.0;
        const int64_t count6_ = some2_ ? teams0 : 0;
        if (held) {
            share(count6_).load(partial23_, partial2);
            share(count6_).load(partial34_, partial3);
            share(count6_).load(partial45_, partial4);
        }
        double part7_ = 0.0;
        for (int64_t from8_ = 0; from8_ < (held ? 1 : count6_); from8_ += (held ? 1 : share::span())) {
            const share own9_(count6_ - from8_);
            if (!held) {
                own9_.load(partial23_, partial2 + from8_);
            }
            #pragma unroll
            for (int slot10_ = 0; slot10_ < 2; ++slot10_) {
                if (!own9_.has(slot10_)) continue;
                #pragma unroll
                for (int lane11_ = 0; lane11_ < 4; ++lane11_) {
                    const int at12_ = slot10_ * 4 + lane11_;
                    if (own9_.has(slot10_, lane11_)) part7_ = part7_ + ((double)partial23_[at12_]);
                }
            }
        }
        s15 = s15 + (sc_teams_fold<sc_sum>(part7_));
        if (some2_ && sc_member() == 0) {
            out0[0] = (float)s15;
        }
        double s17 = 0.0;
        const int64_t count13_ = some2_ ? teams0 : 0;
        double part14_ = 0.0;
        for (int64_t from15_ = 0; from15_ < (held ? 1 : count13_); from15_ += (held ? 1 : share::span())) {
            const share own16_(count13_ - from15_);
            if (!held) {
                own16_.load(partial34_, partial3 + from15_);
            }
            #pragma unroll
            for (int slot17_ = 0; slot17_ < 2; ++slot17_) {
                if (!own16_.has(slot17_)) continue;
                #pragma unroll
                for (int lane18_ = 0; lane18_ < 4; ++lane18_) {
                    const int at19_ = slot17_ * 4 + lane18_;
                    if (own16_.has(slot17_, lane18_)) part14_ = part14_ + ((double)partial34_[at19_]);
                }
            }
        }
        s17 = s17 + (sc_teams_fold<sc_sum>(part14_));
        if (some2_ && sc_member() == 0) {
            reduce_0[0] = (float)s17;
        }
        float s19 = INFINITY;
        const int64_t count20_ = some2_ ? teams0 : 0;
        float part21_ = INFINITY;
        for (int64_t from22_ = 0; from22_ < (held ? 1 : count20_); from22_ += (held ? 1 : share::span())) {
            const share own23_(count20_ - from22_);
            if (!held) {
                own23_.load(partial45_, partial4 + from22_);
            }
            #pragma unroll
            for (int slot24_ = 0; slot24_ < 2; ++slot24_) {
                if (!own23_.has(slot24_)) continue;
                #pragma unroll
                for (int lane25_ = 0; lane25_ < 4; ++lane25_) {
                    const int at26_ = slot24_ * 4 + lane25_;
                    if (own23_.has(slot24_, lane25_)) part21_ = sc_minimum_f32(part21_, partial45_[at26_]);
                }
            }
        }
        s19 = sc_minimum_f32(s19, (sc_teams_fold<sc_min>(part21_)));
        if (some2_ && sc_member() == 0) {
            out2[0] = s19;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k21_reduce_held_wide(const int64_t teams0, const float *restrict partial2, float *restrict out0, const float *restrict partial3, float *restrict reduce_0, const float *restrict partial4, float *restrict out2) {
    k21_reduce_rows<true, true>(teams0, partial2, out0, partial3, reduce_0, partial4, out2);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k21_reduce_held(const int64_t teams0, const float *restrict partial2, float *restrict out0, const float *restrict partial3, float *restrict reduce_0, const float *restrict partial4, float *restrict out2) {
    k21_reduce_rows<true, false>(teams0, partial2, out0, partial3, reduce_0, partial4, out2);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k21_reduce_wide(const int64_t teams0, const float *restrict partial2, float *restrict out0, const float *restrict partial3, float *restrict reduce_0, const float *restrict partial4, float *restrict out2) {
    k21_reduce_rows<false, true>(teams0, partial2, out0, partial3, reduce_0, partial4, out2);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k21_reduce(const int64_t teams0, const float *restrict partial2, float *restrict out0, const float *restrict partial3, float *restrict reduce_0, const float *restrict partial4, float *restrict out2) {
    k21_reduce_rows<false, false>(teams0, partial2, out0, partial3, reduce_0, partial4, out2);
}

/* map: sum(square(x), axis=(0, 1)) / float32(n0 * n1) */
extern "C" __global__ void __launch_bounds__(256)
k24_divide(const float *restrict reduce_0, const int64_t n0, const int64_t n1, float *restrict out1) {
    const float h23 = reduce_0[0] / ((float)(n0 * n1));
    const float v22 = h23;
    for (int64_t v = sc_thread(); v < 1; v += sc_threads()) {
        out1[0] = v22;
    }
}
