#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"


/* positions within their axis */
template <bool wide>
SC_INLINE void k2_check_rows(const int64_t n1, const int64_t *restrict at, const int64_t n0, int64_t *restrict status) {
    typedef sc_share<2, 4, wide> share;
    for (int64_t row1_ = sc_team(); sc_first_row(row1_) < 1; row1_ += sc_teams()) {
        const bool some2_ = row1_ < 1;
        const int64_t v_3 = some2_ ? row1_ : 1 - 1;
        int64_t at4_[share::count];
        bool bad1 = false;
        const int64_t count5_ = some2_ ? n1 : 0;
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
                    if (own8_.has(slot9_, lane10_)) part6_ = part6_ || ((at4_[at11_] < (-n0)) || (n0 <= at4_[at11_]));
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
k2_check_wide(const int64_t n1, const int64_t *restrict at, const int64_t n0, int64_t *restrict status) {
    k2_check_rows<true>(n1, at, n0, status);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
k2_check(const int64_t n1, const int64_t *restrict at, const int64_t n0, int64_t *restrict status) {
    k2_check_rows<false>(n1, at, n0, status);
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k3_scatter(const int64_t n0, const int64_t n2, const double *restrict x, double *restrict out0) {
    sc_aligned(x, 16);
    sc_aligned(out0, 16);
    for (int64_t v_1 = sc_row(); v_1 < n0; v_1 += sc_rows()) {
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            out0[(n2 * v_1) + v_2] = x[(n2 * v_1) + v_2];
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(1024)
k6_scatter(const int64_t owners4, const int64_t n1, const int64_t *restrict at, const int64_t n0, const int64_t n2, const double *restrict v, double *restrict out0) {
    for (int64_t owner5 = sc_team(); owner5 < owners4; owner5 += sc_teams()) {
        for (int64_t v_1 = 0; v_1 < n1; ++v_1) {
            const int64_t t2_ = at[v_1];
            if (sc_mod_i64(((t2_ < 0) ? sc_add_i64(t2_, n0) : t2_), owners4) == owner5) {
                int64_t at4_ = sc_member();
                for (; at4_ + 3 * sc_members() < n2; at4_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t v_3 = at4_ + round * sc_members();
                        const int64_t t5_ = at[v_1];
                        out0[sc_add_i64(sc_multiply_i64(n2, ((t5_ < 0) ? sc_add_i64(t5_, n0) : t5_)), v_3)] = out0[sc_add_i64(sc_multiply_i64(n2, ((t5_ < 0) ? sc_add_i64(t5_, n0) : t5_)), v_3)] + v[(n2 * v_1) + v_3];
                    }
                }
                for (int64_t v_3 = at4_; v_3 < n2; v_3 += sc_members()) {
                    const int64_t t6_ = at[v_1];
                    out0[sc_add_i64(sc_multiply_i64(n2, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), v_3)] = out0[sc_add_i64(sc_multiply_i64(n2, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), v_3)] + v[(n2 * v_1) + v_3];
                }
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k7_scatter(const int64_t n0, const int64_t n2, const double *restrict x, double *restrict out1) {
    sc_aligned(x, 16);
    sc_aligned(out1, 16);
    for (int64_t v_1 = sc_row(); v_1 < n0; v_1 += sc_rows()) {
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            out1[(n2 * v_1) + v_2] = x[(n2 * v_1) + v_2];
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(1024)
k10_scatter(const int64_t owners8, const int64_t n1, const int64_t *restrict at, const int64_t n0, const int64_t n2, const double *restrict v, double *restrict out1) {
    for (int64_t owner9 = sc_team(); owner9 < owners8; owner9 += sc_teams()) {
        for (int64_t v_1 = 0; v_1 < n1; ++v_1) {
            const int64_t t2_ = at[v_1];
            if (sc_mod_i64(((t2_ < 0) ? sc_add_i64(t2_, n0) : t2_), owners8) == owner9) {
                int64_t at4_ = sc_member();
                for (; at4_ + 3 * sc_members() < n2; at4_ += 4 * sc_members()) {
                    #pragma unroll
                    for (int round = 0; round < 4; ++round) {
                        const int64_t v_3 = at4_ + round * sc_members();
                        const int64_t t5_ = at[v_1];
                        out1[sc_add_i64(sc_multiply_i64(n2, ((t5_ < 0) ? sc_add_i64(t5_, n0) : t5_)), v_3)] = v[(n2 * v_1) + v_3];
                    }
                }
                for (int64_t v_3 = at4_; v_3 < n2; v_3 += sc_members()) {
                    const int64_t t6_ = at[v_1];
                    out1[sc_add_i64(sc_multiply_i64(n2, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), v_3)] = v[(n2 * v_1) + v_3];
                }
            }
        }
    }
}
