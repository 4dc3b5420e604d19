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
        auto *const start5_ = sc_kept(x + (begin8));
        float part6_ = 0.0f;
        float part7_ = 0.0f;
        float part8_ = INFINITY;
        for (int64_t from9_ = 0; from9_ < count4_; from9_ += share::span()) {
            const share own10_(count4_ - from9_);
            own10_.load(x3_, start5_ + from9_);
            #pragma unroll
            for (int slot11_ = 0; slot11_ < 4; ++slot11_) {
                #pragma unroll
                for (int lane12_ = 0; lane12_ < 4; ++lane12_) {
                    const int at13_ = slot11_ * 4 + lane12_;
                    if (own10_.has(slot11_, lane12_)) part6_ = part6_ + x3_[at13_];
                    const float t14_ = x3_[at13_];
                    if (own10_.has(slot11_, lane12_)) part7_ = part7_ + (t14_ * t14_);
                    if (own10_.has(slot11_, lane12_)) part8_ = sc_minimum_f32(part8_, x3_[at13_]);
                }
            }
        }
        s11 = s11 + (sc_teams_fold<sc_sum>(part6_));
        s12 = s12 + (sc_teams_fold<sc_sum>(part7_));
        s13 = sc_minimum_f32(s13, (sc_teams_fold<sc_min>(part8_)));
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
        auto *const start7_ = sc_kept(partial2);
        auto *const start8_ = sc_kept(partial3);
        auto *const start9_ = sc_kept(partial4);
        if (held) {
            share(count6_).load(partial23_, start7_);
            share(count6_).load(partial34_, start8_);
            share(count6_).load(partial45_, start9_);
        }
        double part10_ = 0.0;
        for (int64_t from11_ = 0; from11_ < (held ? 1 : count6_); from11_ += (held ? 1 : share::span())) {
            const share own12_(count6_ - from11_);
            if (!held) {
                own12_.load(partial23_, start7_ + from11_);
            }
            #pragma unroll
            for (int slot13_ = 0; slot13_ < 2; ++slot13_) {
                #pragma unroll
                for (int lane14_ = 0; lane14_ < 4; ++lane14_) {
                    const int at15_ = slot13_ * 4 + lane14_;
                    if (own12_.has(slot13_, lane14_)) part10_ = part10_ + ((double)partial23_[at15_]);
                }
            }
        }
        s15 = s15 + (sc_teams_fold<sc_sum>(part10_));
        if (some2_ && sc_member() == 0) {
            out0[0] = (float)s15;
        }
        double s17 = 0.0;
        const int64_t count16_ = some2_ ? teams0 : 0;
        double part17_ = 0.0;
        for (int64_t from18_ = 0; from18_ < (held ? 1 : count16_); from18_ += (held ? 1 : share::span())) {
            const share own19_(count16_ - from18_);
            if (!held) {
                own19_.load(partial34_, start8_ + from18_);
            }
            #pragma unroll
            for (int slot20_ = 0; slot20_ < 2; ++slot20_) {
                #pragma unroll
                for (int lane21_ = 0; lane21_ < 4; ++lane21_) {
                    const int at22_ = slot20_ * 4 + lane21_;
                    if (own19_.has(slot20_, lane21_)) part17_ = part17_ + ((double)partial34_[at22_]);
                }
            }
        }
        s17 = s17 + (sc_teams_fold<sc_sum>(part17_));
        if (some2_ && sc_member() == 0) {
            reduce_0[0] = (float)s17;
        }
        float s19 = INFINITY;
        const int64_t count23_ = some2_ ? teams0 : 0;
        float part24_ = INFINITY;
        for (int64_t from25_ = 0; from25_ < (held ? 1 : count23_); from25_ += (held ? 1 : share::span())) {
            const share own26_(count23_ - from25_);
            if (!held) {
                own26_.load(partial45_, start9_ + from25_);
            }
            #pragma unroll
            for (int slot27_ = 0; slot27_ < 2; ++slot27_) {
                #pragma unroll
                for (int lane28_ = 0; lane28_ < 4; ++lane28_) {
                    const int at29_ = slot27_ * 4 + lane28_;
                    if (own26_.has(slot27_, lane28_)) part24_ = sc_minimum_f32(part24_, partial45_[at29_]);
                }
            }
        }
        s19 = sc_minimum_f32(s19, (sc_teams_fold<sc_min>(part24_)));
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
