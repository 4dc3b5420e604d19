#include "symcomp_grid.cuh"


/* positions within their axis */
extern "C" __global__ void __launch_bounds__(1024)
k2_check(const int64_t n2, const int32_t *restrict at, const int64_t n0, int64_t *restrict status) {
    for (int64_t v = sc_team(); v < 1; v += sc_teams()) {
        bool bad1 = false;
        bool part1_ = false;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < n2; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t i0 = at2_ + round * sc_members();
                const int64_t t3_ = (int64_t)at[i0];
                part1_ = part1_ || ((t3_ < (-n0)) || (n0 <= t3_));
            }
        }
        for (int64_t i0 = at2_; i0 < n2; i0 += sc_members()) {
            const int64_t t4_ = (int64_t)at[i0];
            part1_ = part1_ || ((t4_ < (-n0)) || (n0 <= t4_));
        }
        bad1 = bad1 || (sc_team_fold<sc_any>(part1_));
        if (bad1) {
            if (sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

/* positions within their axis */
extern "C" __global__ void __launch_bounds__(1024)
k5_check(const int64_t n2, const int32_t *restrict at, const int64_t n1, int64_t *restrict status) {
    for (int64_t v = sc_team(); v < 1; v += sc_teams()) {
        bool bad4 = false;
        bool part1_ = false;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < n2; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t i3 = at2_ + round * sc_members();
                const int64_t t3_ = (int64_t)at[i3];
                part1_ = part1_ || ((t3_ < (-n1)) || (n1 <= t3_));
            }
        }
        for (int64_t i3 = at2_; i3 < n2; i3 += sc_members()) {
            const int64_t t4_ = (int64_t)at[i3];
            part1_ = part1_ || ((t4_ < (-n1)) || (n1 <= t4_));
        }
        bad4 = bad4 || (sc_team_fold<sc_any>(part1_));
        if (bad4) {
            if (sc_member() == 0) {
                status[0] = 17;
            }
        }
    }
}

/* row: x[at]; sum(x[at], axis=(0, 1)) */
extern "C" __global__ void __launch_bounds__(1024)
k17_take_reduce(const int64_t teams6, const int64_t length7, const int64_t n1, const int64_t n2, const double *restrict x, const int32_t *restrict at, const int64_t n0, double *restrict out0, double *restrict partial8) {
    for (int64_t b9 = sc_team(); b9 < teams6; b9 += sc_teams()) {
        const int64_t begin12 = length7 * b9;
        const int64_t length13 = length7 + (sc_maximum_i64(0, (length7 + (sc_maximum_i64(0, ((n1 * n2) + (begin12 * (-1)))) * (-1)))) * (-1));
        double s15 = 0.0;
        double part1_ = 0.0;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < length13; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k14 = at2_ + round * sc_members();
                const int64_t at_3 = begin12 + k14;
                const int64_t k11_and_more = sc_quotient(at_3, n1);
                const int64_t k11 = (n1 * k11_and_more * (-1)) + at_3;
                const int64_t k10 = k11_and_more;
                const int64_t t4_ = (int64_t)at[k10];
                const double v16 = x[sc_add_i64(sc_multiply_i64(n1, ((t4_ < 0) ? sc_add_i64(t4_, n0) : t4_)), k11)];
                out0[(n1 * k10) + k11] = v16;
                part1_ = part1_ + v16;
            }
        }
        for (int64_t k14 = at2_; k14 < length13; k14 += sc_members()) {
            const int64_t at_5 = begin12 + k14;
            const int64_t k11_and_more = sc_quotient(at_5, n1);
            const int64_t k11 = (n1 * k11_and_more * (-1)) + at_5;
            const int64_t k10 = k11_and_more;
            const int64_t t6_ = (int64_t)at[k10];
            const double v16 = x[sc_add_i64(sc_multiply_i64(n1, ((t6_ < 0) ? sc_add_i64(t6_, n0) : t6_)), k11)];
            out0[(n1 * k10) + k11] = v16;
            part1_ = part1_ + v16;
        }
        s15 = s15 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            partial8[b9] = s15;
        }
    }
}

/* row: x[at]; sum(x[at], axis=(0, 1)) */
extern "C" __global__ void __launch_bounds__(1024)
k20_take_reduce(const int64_t teams6, const double *restrict partial8, double *restrict out2) {
    for (int64_t v = sc_team(); v < 1; v += sc_teams()) {
        double s18 = 0.0;
        double part1_ = 0.0;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < teams6; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b19 = at2_ + round * sc_members();
                part1_ = part1_ + partial8[b19];
            }
        }
        for (int64_t b19 = at2_; b19 < teams6; b19 += sc_members()) {
            part1_ = part1_ + partial8[b19];
        }
        s18 = s18 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            out2[0] = s18;
        }
    }
}

/* map: 2.0 * x[:, at] */
extern "C" __global__ void __launch_bounds__(256)
k31_multiply(const int64_t groups24, const int64_t n2, const double *restrict x, const int64_t n1, const int32_t *restrict at, double *restrict out1, const int64_t n0) {
    sc_aligned(x, 16);
    sc_aligned(at, 16);
    sc_aligned(out1, 16);
    for (int64_t i25 = sc_row(); i25 < groups24; i25 += sc_rows()) {
        for (int64_t i22 = sc_thread(); i22 < n2; i22 += sc_threads()) {
            const int64_t t1_ = (int64_t)at[i22];
            const double v23_28 = 2.0 * x[sc_add_i64((n1 * i25 * 2), ((t1_ < 0) ? sc_add_i64(t1_, n1) : t1_))];
            const int64_t t2_ = (int64_t)at[i22];
            const double v23_29 = 2.0 * x[sc_add_i64((n1 + (n1 * i25 * 2)), ((t2_ < 0) ? sc_add_i64(t2_, n1) : t2_))];
            out1[(n2 * i25 * 2) + i22] = v23_28;
            out1[n2 + (n2 * i25 * 2) + i22] = v23_29;
        }
    }
    for (int64_t i27 = sc_row(); i27 < n0 + (groups24 * (-2)); i27 += sc_rows()) {
        for (int64_t i22 = sc_thread(); i22 < n2; i22 += sc_threads()) {
            const int64_t t3_ = (int64_t)at[i22];
            const double v30 = 2.0 * x[sc_add_i64(((n1 * groups24 * 2) + (n1 * i27)), ((t3_ < 0) ? sc_add_i64(t3_, n1) : t3_))];
            out1[(n2 * groups24 * 2) + (n2 * i27) + i22] = v30;
        }
    }
}
