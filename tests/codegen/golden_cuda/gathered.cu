#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"


/* positions within their axis */
template <bool wide>
SC_INLINE void k2_check_rows(const int64_t n2, const int32_t *restrict at, const int64_t n0, int64_t *restrict status) {
    typedef sc_share<4, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v = some2_ ? row1_ : 1 - 1;
        int32_t at3_[share::count];
        bool bad1 = false;
        const int64_t count4_ = some2_ ? n2 : 0;
        bool part5_ = false;
        for (int64_t from6_ = 0; from6_ < count4_; from6_ += share::span()) {
            const share own7_(count4_ - from6_);
            own7_.load(at3_, at + from6_);
            #pragma unroll
            for (int slot8_ = 0; slot8_ < 4; ++slot8_) {
                if (!own7_.has(slot8_)) continue;
                #pragma unroll
                for (int lane9_ = 0; lane9_ < 4; ++lane9_) {
                    const int at10_ = slot8_ * 4 + lane9_;
                    const int64_t t11_ = (int64_t)at3_[at10_];
                    if (own7_.has(slot8_, lane9_)) part5_ = part5_ || ((t11_ < (-n0)) || (n0 <= t11_));
                }
            }
        }
        bad1 = bad1 || (sc_teams_fold<sc_any>(part5_));
        if (bad1) {
            if (some2_ && sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k2_check_wide(const int64_t n2, const int32_t *restrict at, const int64_t n0, int64_t *restrict status) {
    k2_check_rows<true>(n2, at, n0, status);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k2_check(const int64_t n2, const int32_t *restrict at, const int64_t n0, int64_t *restrict status) {
    k2_check_rows<false>(n2, at, n0, status);
}

/* positions within their axis */
template <bool wide>
SC_INLINE void k5_check_rows(const int64_t n2, const int32_t *restrict at, const int64_t n1, int64_t *restrict status) {
    typedef sc_share<4, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v = some2_ ? row1_ : 1 - 1;
        int32_t at3_[share::count];
        bool bad4 = false;
        const int64_t count4_ = some2_ ? n2 : 0;
        bool part5_ = false;
        for (int64_t from6_ = 0; from6_ < count4_; from6_ += share::span()) {
            const share own7_(count4_ - from6_);
            own7_.load(at3_, at + from6_);
            #pragma unroll
            for (int slot8_ = 0; slot8_ < 4; ++slot8_) {
                if (!own7_.has(slot8_)) continue;
                #pragma unroll
                for (int lane9_ = 0; lane9_ < 4; ++lane9_) {
                    const int at10_ = slot8_ * 4 + lane9_;
                    const int64_t t11_ = (int64_t)at3_[at10_];
                    if (own7_.has(slot8_, lane9_)) part5_ = part5_ || ((t11_ < (-n1)) || (n1 <= t11_));
                }
            }
        }
        bad4 = bad4 || (sc_teams_fold<sc_any>(part5_));
        if (bad4) {
            if (some2_ && sc_member() == 0) {
                status[0] = 17;
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k5_check_wide(const int64_t n2, const int32_t *restrict at, const int64_t n1, int64_t *restrict status) {
    k5_check_rows<true>(n2, at, n1, status);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k5_check(const int64_t n2, const int32_t *restrict at, const int64_t n1, int64_t *restrict status) {
    k5_check_rows<false>(n2, at, n1, status);
}

/* row: x[at]; sum(x[at], axis=(0, 1)) */
template <bool wide>
SC_INLINE void k17_take_reduce_rows(const int64_t teams6, const int64_t length7, const int64_t n1, const int64_t n2, const double *restrict x, const int32_t *restrict at, const int64_t n0, double *restrict out0, double *restrict partial8) {
    typedef sc_share<2, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < teams6; row1_ += sc_teams()) {
        const bool some2_ = row1_ < teams6;
        const int64_t b9 = some2_ ? row1_ : teams6 - 1;
        const int64_t begin12 = length7 * b9;
        const int64_t length13 = length7 + (sc_maximum_i64(0, (length7 + (sc_maximum_i64(0, ((n1 * n2) + (begin12 * (-1)))) * (-1)))) * (-1));
        double s15 = 0.0;
        const int64_t count3_ = some2_ ? length13 : 0;
        double part4_ = 0.0;
        for (int64_t from5_ = 0; from5_ < count3_; from5_ += share::span()) {
            const share own6_(count3_ - from5_);
            #pragma unroll
            for (int slot7_ = 0; slot7_ < 4; ++slot7_) {
                if (!own6_.has(slot7_)) continue;
                double result10_[2];
                #pragma unroll
                for (int lane8_ = 0; lane8_ < 2; ++lane8_) {
                    const int at9_ = slot7_ * 2 + lane8_;
                    const int64_t k14 = from5_ + share::at(slot7_, lane8_);
                    const int64_t at_11 = begin12 + k14;
                    const int64_t k11_and_more = sc_quotient(at_11, n1);
                    const int64_t k11 = (n1 * k11_and_more * (-1)) + at_11;
                    const int64_t k10 = k11_and_more;
                    const int64_t t12_ = (int64_t)((own6_.has(slot7_, lane8_) ? at[k10] : int32_t(0)));
                    const double t13_ = (own6_.has(slot7_, lane8_) ? x[sc_add_i64(sc_multiply_i64(n1, ((t12_ < 0) ? sc_add_i64(t12_, n0) : t12_)), k11)] : double(0));
                    const double v16 = t13_;
                    result10_[lane8_] = v16;
                    if (own6_.has(slot7_, lane8_)) part4_ = part4_ + v16;
                }
                own6_.store(out0 + (begin12) + from5_, slot7_, result10_);
            }
        }
        s15 = s15 + (sc_teams_fold<sc_sum>(part4_));
        if (some2_ && sc_member() == 0) {
            partial8[b9] = s15;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k17_take_reduce_wide(const int64_t teams6, const int64_t length7, const int64_t n1, const int64_t n2, const double *restrict x, const int32_t *restrict at, const int64_t n0, double *restrict out0, double *restrict partial8) {
    k17_take_reduce_rows<true>(teams6, length7, n1, n2, x, at, n0, out0, partial8);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k17_take_reduce(const int64_t teams6, const int64_t length7, const int64_t n1, const int64_t n2, const double *restrict x, const int32_t *restrict at, const int64_t n0, double *restrict out0, double *restrict partial8) {
    k17_take_reduce_rows<false>(teams6, length7, n1, n2, x, at, n0, out0, partial8);
}

/* row: x[at]; sum(x[at], axis=(0, 1)) */
template <bool wide>
SC_INLINE void k20_take_reduce_rows(const int64_t teams6, const double *restrict partial8, double *restrict out2) {
    typedef sc_share<2, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v = some2_ ? row1_ : 1 - 1;
        double partial83_[share::count];
        double s18 = 0.0;
        const int64_t count4_ = some2_ ? teams6 : 0;
        double part5_ = 0.0;
        for (int64_t from6_ = 0; from6_ < count4_; from6_ += share::span()) {
            const share own7_(count4_ - from6_);
            own7_.load(partial83_, partial8 + from6_);
            #pragma unroll
            for (int slot8_ = 0; slot8_ < 4; ++slot8_) {
                if (!own7_.has(slot8_)) continue;
                #pragma unroll
                for (int lane9_ = 0; lane9_ < 2; ++lane9_) {
                    const int at10_ = slot8_ * 2 + lane9_;
                    if (own7_.has(slot8_, lane9_)) part5_ = part5_ + partial83_[at10_];
                }
            }
        }
        s18 = s18 + (sc_teams_fold<sc_sum>(part5_));
        if (some2_ && sc_member() == 0) {
            out2[0] = s18;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k20_take_reduce_wide(const int64_t teams6, const double *restrict partial8, double *restrict out2) {
    k20_take_reduce_rows<true>(teams6, partial8, out2);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k20_take_reduce(const int64_t teams6, const double *restrict partial8, double *restrict out2) {
    k20_take_reduce_rows<false>(teams6, partial8, out2);
}

/* map: 2.0 * x[:, at] */
extern "C" __global__ void __launch_bounds__(256)
k31_multiply(const int64_t groups24, const int64_t n2, const int32_t *restrict at, const int64_t n1, const double *restrict x, double *restrict out1, const int64_t n0) {
    sc_aligned(at, 16);
    sc_aligned(x, 16);
    sc_aligned(out1, 16);
    for (int64_t i25 = sc_row(); i25 < groups24; i25 += sc_rows()) {
        for (int64_t i22 = sc_thread(); i22 < n2; i22 += sc_threads()) {
            const int64_t t1_ = (int64_t)at[i22];
            const int64_t h30 = (t1_ < 0) ? sc_add_i64(t1_, n1) : t1_;
            #pragma unroll
            for (int64_t j26 = 0; j26 < 2; ++j26) {
                const double v28 = 2.0 * x[sc_add_i64(((n1 * i25 * 2) + (n1 * j26)), h30)];
                out1[(n2 * i25 * 2) + (n2 * j26) + i22] = v28;
            }
        }
    }
    for (int64_t i27 = sc_row(); i27 < n0 + (groups24 * (-2)); i27 += sc_rows()) {
        for (int64_t i22 = sc_thread(); i22 < n2; i22 += sc_threads()) {
            const int64_t t2_ = (int64_t)at[i22];
            const double v29 = 2.0 * x[sc_add_i64(((n1 * groups24 * 2) + (n1 * i27)), ((t2_ < 0) ? sc_add_i64(t2_, n1) : t2_))];
            out1[(n2 * groups24 * 2) + (n2 * i27) + i22] = v29;
        }
    }
}
