#include "symcomp_grid.cuh"


/* positions within their axis */
extern "C" __global__ void __launch_bounds__(1024)
k7_check(const int64_t checkers0, const int64_t n2, const int64_t share1, const int32_t *restrict at, const int64_t n0, int64_t *restrict noted, int64_t *restrict status) {
    for (int64_t team2 = sc_team(); team2 < checkers0; team2 += sc_teams()) {
        int64_t first4 = n2;
        int64_t part1_ = INT64_C(9223372036854775807);
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < share1 + (sc_maximum_i64(0, (share1 + (sc_maximum_i64(0, (n2 + (share1 * team2 * (-1)))) * (-1)))) * (-1)); at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k3 = at2_ + round * sc_members();
                const int64_t i5 = (share1 * team2) + k3;
                const int64_t t3_ = (int64_t)at[i5];
                part1_ = sc_minimum_i64(part1_, (((t3_ < (-n0)) || (n0 <= t3_)) ? ((share1 * team2) + k3) : n2));
            }
        }
        for (int64_t k3 = at2_; k3 < share1 + (sc_maximum_i64(0, (share1 + (sc_maximum_i64(0, (n2 + (share1 * team2 * (-1)))) * (-1)))) * (-1)); k3 += sc_members()) {
            const int64_t i5 = (share1 * team2) + k3;
            const int64_t t4_ = (int64_t)at[i5];
            part1_ = sc_minimum_i64(part1_, (((t4_ < (-n0)) || (n0 <= t4_)) ? ((share1 * team2) + k3) : n2));
        }
        first4 = sc_minimum_i64(first4, (sc_team_fold<sc_min>(part1_)));
        if (first4 < n2) {
            const int64_t i6 = first4;
            if (sc_member() == 0) {
                noted[team2 * 2] = n0;
            }
            if (sc_member() == 0) {
                noted[(team2 * 2) + 1] = (int64_t)at[i6];
            }
            if (sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

/* positions within their axis */
extern "C" __global__ void __launch_bounds__(1024)
k15_check(const int64_t checkers8, const int64_t n2, const int64_t share9, const int32_t *restrict at, const int64_t n1, int64_t *restrict noted, int64_t *restrict status) {
    for (int64_t team10 = sc_team(); team10 < checkers8; team10 += sc_teams()) {
        int64_t first12 = n2;
        int64_t part1_ = INT64_C(9223372036854775807);
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < share9 + (sc_maximum_i64(0, (share9 + (sc_maximum_i64(0, (n2 + (share9 * team10 * (-1)))) * (-1)))) * (-1)); at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k11 = at2_ + round * sc_members();
                const int64_t i13 = (share9 * team10) + k11;
                const int64_t t3_ = (int64_t)at[i13];
                part1_ = sc_minimum_i64(part1_, (((t3_ < (-n1)) || (n1 <= t3_)) ? ((share9 * team10) + k11) : n2));
            }
        }
        for (int64_t k11 = at2_; k11 < share9 + (sc_maximum_i64(0, (share9 + (sc_maximum_i64(0, (n2 + (share9 * team10 * (-1)))) * (-1)))) * (-1)); k11 += sc_members()) {
            const int64_t i13 = (share9 * team10) + k11;
            const int64_t t4_ = (int64_t)at[i13];
            part1_ = sc_minimum_i64(part1_, (((t4_ < (-n1)) || (n1 <= t4_)) ? ((share9 * team10) + k11) : n2));
        }
        first12 = sc_minimum_i64(first12, (sc_team_fold<sc_min>(part1_)));
        if (first12 < n2) {
            const int64_t i14 = first12;
            if (sc_member() == 0) {
                noted[(team10 * 2) + 256] = n1;
            }
            if (sc_member() == 0) {
                noted[(team10 * 2) + 257] = (int64_t)at[i14];
            }
            if (sc_member() == 0) {
                status[0] = 17;
            }
        }
    }
}

/* row: x[minimum(maximum(int64(at), -n0), n0 - 1)]; sum(x[minimum(maximum(int64(at), -n0), n0 - 1)], axis=(0, 1)) */
extern "C" __global__ void __launch_bounds__(1024)
k27_take_reduce(const int64_t teams16, const int64_t length17, const int64_t n1, const int64_t n2, const double *restrict x, const int32_t *restrict at, const int64_t n0, double *restrict out0, double *restrict partial18) {
    for (int64_t b19 = sc_team(); b19 < teams16; b19 += sc_teams()) {
        const int64_t begin22 = length17 * b19;
        const int64_t length23 = length17 + (sc_maximum_i64(0, (length17 + (sc_maximum_i64(0, ((n1 * n2) + (begin22 * (-1)))) * (-1)))) * (-1));
        double s25 = 0.0;
        double part1_ = 0.0;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < length23; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k24 = at2_ + round * sc_members();
                const int64_t at_3 = begin22 + k24;
                const int64_t k21_and_more = sc_quotient(at_3, n1);
                const int64_t k21 = (n1 * k21_and_more * (-1)) + at_3;
                const int64_t k20 = k21_and_more;
                const int64_t t4_ = sc_minimum_i64(sc_maximum_i64(((int64_t)at[k20]), (-n0)), (n0 - 1));
                const double v26 = x[sc_add_i64(sc_multiply_i64(n1, ((t4_ < 0) ? sc_add_i64(t4_, n0) : t4_)), k21)];
                out0[(n1 * k20) + k21] = v26;
                part1_ = part1_ + v26;
            }
        }
        for (int64_t k24 = at2_; k24 < length23; k24 += sc_members()) {
            const int64_t at_5 = begin22 + k24;
            const int64_t k21_and_more = sc_quotient(at_5, n1);
            const int64_t k21 = (n1 * k21_and_more * (-1)) + at_5;
            const int64_t k20 = k21_and_more;
            const int64_t t6_ = sc_minimum_i64(sc_maximum_i64(((int64_t)at[k20]), (-n0)), (n0 - 1));
            const double v26 = x[sc_add_i64(sc_multiply_i64(n1, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), k21)];
            out0[(n1 * k20) + k21] = v26;
            part1_ = part1_ + v26;
        }
        s25 = s25 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            partial18[b19] = s25;
        }
    }
}

/* row: x[minimum(maximum(int64(at), -n0), n0 - 1)]; sum(x[minimum(maximum(int64(at), -n0), n0 - 1)], axis=(0, 1)) */
extern "C" __global__ void __launch_bounds__(1024)
k30_take_reduce(const int64_t teams16, const double *restrict partial18, double *restrict out2) {
    for (int64_t v = sc_team(); v < 1; v += sc_teams()) {
        double s28 = 0.0;
        double part1_ = 0.0;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < teams16; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b29 = at2_ + round * sc_members();
                part1_ = part1_ + partial18[b29];
            }
        }
        for (int64_t b29 = at2_; b29 < teams16; b29 += sc_members()) {
            part1_ = part1_ + partial18[b29];
        }
        s28 = s28 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            out2[0] = s28;
        }
    }
}

/* map: 2.0 * x[:, minimum(maximum(int64(at), -n1), n1 - 1)] */
extern "C" __global__ void __launch_bounds__(256)
k41_multiply(const int64_t groups34, const int64_t n2, const int32_t *restrict at, const int64_t n1, const double *restrict x, double *restrict out1, const int64_t n0) {
    for (int64_t i35 = sc_row(); i35 < groups34; i35 += sc_rows()) {
        for (int64_t i32 = sc_thread(); i32 < n2; i32 += sc_threads()) {
            const int64_t t1_ = sc_minimum_i64(sc_maximum_i64(((int64_t)at[i32]), (-n1)), (n1 - 1));
            const int64_t h40 = (t1_ < 0) ? sc_add_i64(t1_, n1) : t1_;
            #pragma unroll
            for (int64_t j36 = 0; j36 < 2; ++j36) {
                const double v38 = 2.0 * x[sc_add_i64(((n1 * i35 * 2) + (n1 * j36)), h40)];
                out1[(n2 * i35 * 2) + (n2 * j36) + i32] = v38;
            }
        }
    }
    for (int64_t i37 = sc_row(); i37 < n0 + (groups34 * (-2)); i37 += sc_rows()) {
        for (int64_t i32 = sc_thread(); i32 < n2; i32 += sc_threads()) {
            const int64_t t2_ = sc_minimum_i64(sc_maximum_i64(((int64_t)at[i32]), (-n1)), (n1 - 1));
            const double v39 = 2.0 * x[sc_add_i64(((n1 * groups34 * 2) + (n1 * i37)), ((t2_ < 0) ? sc_add_i64(t2_, n1) : t2_))];
            out1[(n2 * groups34 * 2) + (n2 * i37) + i32] = v39;
        }
    }
}
