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
        double part5_ = 0.0;
        for (int64_t from6_ = 0; from6_ < count4_; from6_ += share::span()) {
            const share own7_(count4_ - from6_);
            own7_.load(a3_, a + from6_);
            #pragma unroll
            for (int slot8_ = 0; slot8_ < 4; ++slot8_) {
                if (!own7_.has(slot8_)) continue;
                double result11_[2];
                #pragma unroll
                for (int lane9_ = 0; lane9_ < 2; ++lane9_) {
                    const int at10_ = slot8_ * 2 + lane9_;
                    const int64_t k2 = from6_ + share::at(slot8_, lane9_);
                    const int64_t at = k2;
                    const int64_t k1_and_more = sc_quotient(at, 3);
                    const int64_t k1 = at + (k1_and_more * (-3));
                    const int64_t k0 = k1_and_more;
                    if (own7_.has(slot8_, lane9_)) part5_ = part5_ + a3_[at10_];
                    const double v4 = (own7_.has(slot8_, lane9_) ? a[k0 + (k1 * 3)] : double(0));
                    result11_[lane9_] = v4;
                }
                own7_.store(axes_0 + from6_, slot8_, result11_);
            }
        }
        s3 = s3 + (sc_teams_fold<sc_sum>(part5_));
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
