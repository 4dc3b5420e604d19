#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"


#if SC_IN_PART(0)
/* positions within their axis */
template <bool wide>
SC_INLINE void k7_check_rows(const int64_t checkers0, const int64_t n2, const int64_t share1, const int32_t *restrict at, const int64_t n0, int64_t *restrict noted, int64_t *restrict status) {
    typedef sc_share<4, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < checkers0; row1_ += sc_teams()) {
        const bool some2_ = row1_ < checkers0;
        const int64_t team2 = some2_ ? row1_ : checkers0 - 1;
        int32_t at3_[share::count];
        int64_t first4 = n2;
        const int64_t count4_ = some2_ ? share1 + (sc_maximum_i64(0, (share1 + (sc_maximum_i64(0, (n2 + (share1 * team2 * (-1)))) * (-1)))) * (-1)) : 0;
        auto *const start5_ = sc_kept(at + (share1 * team2));
        int64_t part6_ = INT64_C(9223372036854775807);
        for (int64_t from7_ = 0; from7_ < count4_; from7_ += share::span()) {
            const share own8_(count4_ - from7_);
            own8_.load(at3_, start5_ + from7_);
            #pragma unroll
            for (int slot9_ = 0; slot9_ < 4; ++slot9_) {
                #pragma unroll
                for (int lane10_ = 0; lane10_ < 4; ++lane10_) {
                    const int at11_ = slot9_ * 4 + lane10_;
                    const int64_t k3 = from7_ + share::at(slot9_, lane10_);
                    const int64_t t12_ = (int64_t)at3_[at11_];
                    if (own8_.has(slot9_, lane10_)) part6_ = sc_minimum_i64(part6_, (((t12_ < (-n0)) || (n0 <= t12_)) ? ((share1 * team2) + k3) : n2));
                }
            }
        }
        first4 = sc_minimum_i64(first4, (sc_teams_fold<sc_min>(part6_)));
        if (first4 < n2) {
            const int64_t i6 = first4;
            if (some2_ && sc_member() == 0) {
                noted[team2 * 2] = n0;
            }
            if (some2_ && sc_member() == 0) {
                noted[(team2 * 2) + 1] = (int64_t)at[i6];
            }
            if (some2_ && sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k7_check_wide(const int64_t checkers0, const int64_t n2, const int64_t share1, const int32_t *restrict at, const int64_t n0, int64_t *restrict noted, int64_t *restrict status) {
    k7_check_rows<true>(checkers0, n2, share1, at, n0, noted, status);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k7_check(const int64_t checkers0, const int64_t n2, const int64_t share1, const int32_t *restrict at, const int64_t n0, int64_t *restrict noted, int64_t *restrict status) {
    k7_check_rows<false>(checkers0, n2, share1, at, n0, noted, status);
}
#endif

#if SC_IN_PART(1)
/* positions within their axis */
template <bool wide>
SC_INLINE void k15_check_rows(const int64_t checkers8, const int64_t n2, const int64_t share9, const int32_t *restrict at, const int64_t n1, int64_t *restrict noted, int64_t *restrict status) {
    typedef sc_share<4, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < checkers8; row1_ += sc_teams()) {
        const bool some2_ = row1_ < checkers8;
        const int64_t team10 = some2_ ? row1_ : checkers8 - 1;
        int32_t at3_[share::count];
        int64_t first12 = n2;
        const int64_t count4_ = some2_ ? share9 + (sc_maximum_i64(0, (share9 + (sc_maximum_i64(0, (n2 + (share9 * team10 * (-1)))) * (-1)))) * (-1)) : 0;
        auto *const start5_ = sc_kept(at + (share9 * team10));
        int64_t part6_ = INT64_C(9223372036854775807);
        for (int64_t from7_ = 0; from7_ < count4_; from7_ += share::span()) {
            const share own8_(count4_ - from7_);
            own8_.load(at3_, start5_ + from7_);
            #pragma unroll
            for (int slot9_ = 0; slot9_ < 4; ++slot9_) {
                #pragma unroll
                for (int lane10_ = 0; lane10_ < 4; ++lane10_) {
                    const int at11_ = slot9_ * 4 + lane10_;
                    const int64_t k11 = from7_ + share::at(slot9_, lane10_);
                    const int64_t t12_ = (int64_t)at3_[at11_];
                    if (own8_.has(slot9_, lane10_)) part6_ = sc_minimum_i64(part6_, (((t12_ < (-n1)) || (n1 <= t12_)) ? ((share9 * team10) + k11) : n2));
                }
            }
        }
        first12 = sc_minimum_i64(first12, (sc_teams_fold<sc_min>(part6_)));
        if (first12 < n2) {
            const int64_t i14 = first12;
            if (some2_ && sc_member() == 0) {
                noted[(team10 * 2) + 256] = n1;
            }
            if (some2_ && sc_member() == 0) {
                noted[(team10 * 2) + 257] = (int64_t)at[i14];
            }
            if (some2_ && sc_member() == 0) {
                status[0] = 17;
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k15_check_wide(const int64_t checkers8, const int64_t n2, const int64_t share9, const int32_t *restrict at, const int64_t n1, int64_t *restrict noted, int64_t *restrict status) {
    k15_check_rows<true>(checkers8, n2, share9, at, n1, noted, status);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k15_check(const int64_t checkers8, const int64_t n2, const int64_t share9, const int32_t *restrict at, const int64_t n1, int64_t *restrict noted, int64_t *restrict status) {
    k15_check_rows<false>(checkers8, n2, share9, at, n1, noted, status);
}
#endif

#if SC_IN_PART(2)
/* row: x[minimum(maximum(int64(at), -n0), n0 - 1)]; sum(x[minimum(maximum(int64(at), -n0), n0 - 1)], axis=(0, 1)) */
template <bool wide>
SC_INLINE void k27_take_reduce_rows(const int64_t teams16, const int64_t length17, const int64_t n1, const int64_t n2, const double *restrict x, const int32_t *restrict at, const int64_t n0, double *restrict out0, double *restrict partial18) {
    typedef sc_share<2, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < teams16; row1_ += sc_teams()) {
        const bool some2_ = row1_ < teams16;
        const int64_t b19 = some2_ ? row1_ : teams16 - 1;
        const int64_t begin22 = length17 * b19;
        const int64_t length23 = length17 + (sc_maximum_i64(0, (length17 + (sc_maximum_i64(0, ((n1 * n2) + (begin22 * (-1)))) * (-1)))) * (-1));
        double s25 = 0.0;
        const int64_t count3_ = some2_ ? length23 : 0;
        auto *const start4_ = sc_kept(out0 + (begin22));
        double part5_ = 0.0;
        for (int64_t from6_ = 0; from6_ < count3_; from6_ += share::span()) {
            const share own7_(count3_ - from6_);
            #pragma unroll
            for (int slot8_ = 0; slot8_ < 4; ++slot8_) {
                double result11_[2];
                #pragma unroll
                for (int lane9_ = 0; lane9_ < 2; ++lane9_) {
                    const int at10_ = slot8_ * 2 + lane9_;
                    const int64_t k24 = from6_ + share::at(slot8_, lane9_);
                    const int64_t at_12 = begin22 + k24;
                    const int64_t k21_and_more = sc_quotient(at_12, n1);
                    const int64_t k21 = (n1 * k21_and_more * (-1)) + at_12;
                    const int64_t k20 = k21_and_more;
                    const int64_t t13_ = sc_minimum_i64(sc_maximum_i64(((int64_t)((own7_.has(slot8_, lane9_) ? at[k20] : int32_t(0)))), (-n0)), (n0 - 1));
                    const double t14_ = (own7_.has(slot8_, lane9_) ? x[sc_add_i64(sc_multiply_i64(n1, ((t13_ < 0) ? sc_add_i64(t13_, n0) : t13_)), k21)] : double(0));
                    const double v26 = t14_;
                    result11_[lane9_] = v26;
                    if (own7_.has(slot8_, lane9_)) part5_ = part5_ + v26;
                }
                own7_.store(start4_ + from6_, slot8_, result11_);
            }
        }
        s25 = s25 + (sc_teams_fold<sc_sum>(part5_));
        if (some2_ && sc_member() == 0) {
            partial18[b19] = s25;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k27_take_reduce_wide(const int64_t teams16, const int64_t length17, const int64_t n1, const int64_t n2, const double *restrict x, const int32_t *restrict at, const int64_t n0, double *restrict out0, double *restrict partial18) {
    k27_take_reduce_rows<true>(teams16, length17, n1, n2, x, at, n0, out0, partial18);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k27_take_reduce(const int64_t teams16, const int64_t length17, const int64_t n1, const int64_t n2, const double *restrict x, const int32_t *restrict at, const int64_t n0, double *restrict out0, double *restrict partial18) {
    k27_take_reduce_rows<false>(teams16, length17, n1, n2, x, at, n0, out0, partial18);
}
#endif

#if SC_IN_PART(3)
/* row: x[minimum(maximum(int64(at), -n0), n0 - 1)]; sum(x[minimum(maximum(int64(at), -n0), n0 - 1)], axis=(0, 1)) */
template <bool wide>
SC_INLINE void k30_take_reduce_rows(const int64_t teams16, const double *restrict partial18, double *restrict out2) {
    typedef sc_share<2, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v = some2_ ? row1_ : 1 - 1;
        double partial183_[share::count];
        double s28 = 0.0;
        const int64_t count4_ = some2_ ? teams16 : 0;
        auto *const start5_ = sc_kept(partial18);
        double part6_ = 0.0;
        for (int64_t from7_ = 0; from7_ < count4_; from7_ += share::span()) {
            const share own8_(count4_ - from7_);
            own8_.load(partial183_, start5_ + from7_);
            #pragma unroll
            for (int slot9_ = 0; slot9_ < 4; ++slot9_) {
                #pragma unroll
                for (int lane10_ = 0; lane10_ < 2; ++lane10_) {
                    const int at11_ = slot9_ * 2 + lane10_;
                    if (own8_.has(slot9_, lane10_)) part6_ = part6_ + partial183_[at11_];
                }
            }
        }
        s28 = s28 + (sc_teams_fold<sc_sum>(part6_));
        if (some2_ && sc_member() == 0) {
            out2[0] = s28;
        }
    }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k30_take_reduce_wide(const int64_t teams16, const double *restrict partial18, double *restrict out2) {
    k30_take_reduce_rows<true>(teams16, partial18, out2);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k30_take_reduce(const int64_t teams16, const double *restrict partial18, double *restrict out2) {
    k30_take_reduce_rows<false>(teams16, partial18, out2);
}
#endif

#if SC_IN_PART(4)
/* map: 2.0 * x[:, minimum(maximum(int64(at), -n1), n1 - 1)] */
extern "C" __global__ void __launch_bounds__(256)
k41_multiply(const int64_t groups34, const int64_t n2, const double *restrict x, const int64_t n1, const int32_t *restrict at, double *restrict out1, const int64_t n0) {
    for (int64_t i35 = sc_row(); i35 < groups34; i35 += sc_rows()) {
        for (int64_t i32 = sc_thread(); i32 < n2; i32 += sc_threads()) {
            const int64_t t1_ = sc_minimum_i64(sc_maximum_i64(((int64_t)at[i32]), (-n1)), (n1 - 1));
            const double v33_38 = 2.0 * x[sc_add_i64((n1 * i35 * 2), ((t1_ < 0) ? sc_add_i64(t1_, n1) : t1_))];
            const int64_t t2_ = sc_minimum_i64(sc_maximum_i64(((int64_t)at[i32]), (-n1)), (n1 - 1));
            const double v33_39 = 2.0 * x[sc_add_i64((n1 + (n1 * i35 * 2)), ((t2_ < 0) ? sc_add_i64(t2_, n1) : t2_))];
            out1[(n2 * i35 * 2) + i32] = v33_38;
            out1[n2 + (n2 * i35 * 2) + i32] = v33_39;
        }
    }
    for (int64_t i37 = sc_row(); i37 < n0 + (groups34 * (-2)); i37 += sc_rows()) {
        for (int64_t i32 = sc_thread(); i32 < n2; i32 += sc_threads()) {
            const int64_t t3_ = sc_minimum_i64(sc_maximum_i64(((int64_t)at[i32]), (-n1)), (n1 - 1));
            const double v40 = 2.0 * x[sc_add_i64(((n1 * groups34 * 2) + (n1 * i37)), ((t3_ < 0) ? sc_add_i64(t3_, n1) : t3_))];
            out1[(n2 * groups34 * 2) + (n2 * i37) + i32] = v40;
        }
    }
}
#endif
