#include "symcomp_grid.cuh"


/* convolution: convolution(x, w, low=1×1, size=6×7); maximum(b + convolution(x, w, low=1×1, size=6×7), 0.0); where(b + convolution(x, w, low=1×1, size=6×7) > 0.0, 0.125 * maximum(b + convolution(x, w, low=1×1, size=6×7), 0.0), 0.0) */
extern "C" __global__ void __launch_bounds__(256)
k15_convolution_maximum_where(const int64_t n0, const float *restrict b, float *restrict where_0, float *restrict out0) {
    sc_aligned(b, 16);
    for (int64_t i1 = sc_row(); i1 < n0; i1 += sc_rows()) {
        const int64_t i7 = 0;
        for (int64_t i3 = sc_thread(); i3 < 42; i3 += sc_threads()) {
            #pragma unroll
            for (int64_t j8 = 0; j8 < 4; ++j8) {
                const float t1_ = b[(i7 * 4) + j8] + where_0[(i1 * 252) + i3 + (i7 * 168) + (j8 * 42)];
                const float v10 = (t1_ <= 0.0f) ? 0.0f : t1_;
                const float v11 = ((b[(i7 * 4) + j8] + where_0[(i1 * 252) + i3 + (i7 * 168) + (j8 * 42)]) > 0.0f) ? (0.125f * v10) : 0.0f;
                out0[(i1 * 252) + i3 + (i7 * 168) + (j8 * 42)] = v10;
                where_0[(i1 * 252) + i3 + (i7 * 168) + (j8 * 42)] = v11;
            }
        }
    }
    for (int64_t at = sc_row(); at < n0 * 2; at += sc_rows()) {
        const int64_t i9_and_more = (at >> 1);
        const int64_t i9 = at + (i9_and_more * (-2));
        const int64_t i1_2 = i9_and_more;
        const float h14 = b[i9 + 4];
        for (int64_t i3 = sc_thread(); i3 < 42; i3 += sc_threads()) {
            const float t3_ = h14 + where_0[(i1_2 * 252) + i3 + (i9 * 42) + 168];
            const float v12 = (t3_ <= 0.0f) ? 0.0f : t3_;
            const float v13 = ((h14 + where_0[(i1_2 * 252) + i3 + (i9 * 42) + 168]) > 0.0f) ? (0.125f * v12) : 0.0f;
            out0[(i1_2 * 252) + i3 + (i9 * 42) + 168] = v12;
            where_0[(i1_2 * 252) + i3 + (i9 * 42) + 168] = v13;
        }
    }
}

/* row: sum(where(b + convolution(x, w, low=1×1, size=6×7) > 0.0, 0.125 * maximum(b + convolution(x, w, low=1×1, size=6×7), 0.0), 0.0), axis=(0, 2, 3)); sum(where(b + convolution(x, w, low=1×1, size=6×7) > 0.0, 0.125 * maximum(b + …, 0.0), 0.0), axis=(0, 2, 3))[:, None, None] */
extern "C" __global__ void __launch_bounds__(1024)
k26_reduce_axes(const int64_t n0, const float *restrict where_0, float *restrict out3) {
    const int64_t j23 = 0;
    for (int64_t i18 = sc_team(); i18 < 6; i18 += sc_teams()) {
        float s22 = 0.0f;
        float part1_ = 0.0f;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < n0 * 42; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t at = at2_ + round * sc_members();
                const int64_t j20_and_more = sc_quotient(at, 42);
                const int64_t j20 = at + (j20_and_more * (-42));
                const int64_t j19 = j20_and_more;
                part1_ = part1_ + where_0[(i18 * 42) + (j19 * 252) + j20];
            }
        }
        for (int64_t at = at2_; at < n0 * 42; at += sc_members()) {
            const int64_t j20_and_more = sc_quotient(at, 42);
            const int64_t j20 = at + (j20_and_more * (-42));
            const int64_t j19 = j20_and_more;
            part1_ = part1_ + where_0[(i18 * 42) + (j19 * 252) + j20];
        }
        s22 = s22 + (sc_team_fold<sc_sum>(part1_));
        const float v25 = s22;
        for (int64_t i = sc_member(); i < 1; i += sc_members()) {
            out3[i18] = v25;
        }
    }
}
