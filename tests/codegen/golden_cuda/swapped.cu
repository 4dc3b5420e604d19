#include "symcomp_grid.cuh"


/* row: sum(a, axis=(0, 1)); a.T */
extern "C" __global__ void __launch_bounds__(1024)
k5_reduce_axes(const double *restrict a, double *restrict axes_0, double *restrict out0) {
    for (int64_t v = sc_team(); v < 1; v += sc_teams()) {
        double s3 = 0.0;
        double part1_ = 0.0;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < 9; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k2 = at2_ + round * sc_members();
                const int64_t at = k2;
                const int64_t k1_and_more = sc_quotient(at, 3);
                const int64_t k1 = at + (k1_and_more * (-3));
                const int64_t k0 = k1_and_more;
                part1_ = part1_ + a[(k0 * 3) + k1];
                const double v4 = a[k0 + (k1 * 3)];
                axes_0[(k0 * 3) + k1] = v4;
            }
        }
        for (int64_t k2 = at2_; k2 < 9; k2 += sc_members()) {
            const int64_t at = k2;
            const int64_t k1_and_more = sc_quotient(at, 3);
            const int64_t k1 = at + (k1_and_more * (-3));
            const int64_t k0 = k1_and_more;
            part1_ = part1_ + a[(k0 * 3) + k1];
            const double v4 = a[k0 + (k1 * 3)];
            axes_0[(k0 * 3) + k1] = v4;
        }
        s3 = s3 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            out0[0] = s3;
        }
    }
}

/* map: b */
extern "C" __global__ void __launch_bounds__(256)
k9_copy(const double *restrict b, double *restrict a) {
    for (int64_t i6 = sc_thread(); i6 < 9; i6 += sc_threads()) {
        const double v8 = b[i6];
        a[i6] = v8;
    }
}
