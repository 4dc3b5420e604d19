#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"


/* row: sum(a, axis=(0, 1)); a.T */
template <bool wide>
SC_INLINE void k5_reduce_axes_rows(const double *restrict a, double *restrict axes_0, double *restrict out0) {
    typedef sc_share<2, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v = some2_ ? row1_ : 1 - 1;
        double a3_[share::count];
        double s3 = 0.0;
        const int64_t count4_ = some2_ ? 9 : 0;
        auto *const start5_ = sc_kept(a);
        auto *const start6_ = sc_kept(axes_0);
        double part7_ = 0.0;
        for (int64_t from8_ = 0; from8_ < count4_; from8_ += share::span()) {
            const share own9_(count4_ - from8_);
            own9_.load(a3_, start5_ + from8_);
            #pragma unroll
            for (int slot10_ = 0; slot10_ < 4; ++slot10_) {
                double result13_[2];
                #pragma unroll
                for (int lane11_ = 0; lane11_ < 2; ++lane11_) {
                    const int at12_ = slot10_ * 2 + lane11_;
                    const int64_t k2 = from8_ + share::at(slot10_, lane11_);
                    const int64_t at = k2;
                    const int64_t k1_and_more = sc_quotient(at, 3);
                    const int64_t k1 = at + (k1_and_more * (-3));
                    const int64_t k0 = k1_and_more;
                    if (own9_.has(slot10_, lane11_)) part7_ = part7_ + a3_[at12_];
                    const double v4 = (own9_.has(slot10_, lane11_) ? a[k0 + (k1 * 3)] : double(0));
                    result13_[lane11_] = v4;
                }
                own9_.store(start6_ + from8_, slot10_, result13_);
            }
        }
        s3 = s3 + (sc_teams_fold<sc_sum>(part7_));
        if (some2_ && sc_member() == 0) {
            out0[0] = s3;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k5_reduce_axes(const double *restrict a, double *restrict axes_0, double *restrict out0) {
    k5_reduce_axes_rows<false>(a, axes_0, out0);
}

/* map: b */
extern "C" __global__ void __launch_bounds__(256)
k9_copy(const double *restrict b, double *restrict a) {
    for (int64_t i6 = sc_thread(); i6 < 9; i6 += sc_threads()) {
        const double v8 = b[i6];
        a[i6] = v8;
    }
}
