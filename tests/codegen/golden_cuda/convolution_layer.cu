#include "symcomp_grid.cuh"


/* convolution: convolution(x, w, low=1×1, size=6×7); maximum(b + convolution(x, w, low=1×1, size=6×7), 0.0); where(b + convolution(x, w, low=1×1, size=6×7) > 0.0, 0.125 * maximum(b + convolution(x, w, low=1×1, size=6×7), 0.0), 0.0) */
extern "C" __global__ void __launch_bounds__(256)
k25_convolution_maximum_where(const int64_t n0, const float *restrict b, float *restrict where_0, float *restrict out0) {
    sc_aligned(b, 16);
    for (int64_t i1 = sc_row(); i1 < n0; i1 += sc_rows()) {
        const int64_t i7 = 0;
        const float h20 = b[i7 * 4];
        const float h21 = b[(i7 * 4) + 1];
        const float h22 = b[(i7 * 4) + 2];
        const float h23 = b[(i7 * 4) + 3];
        for (int64_t i3 = sc_thread(); i3 < 42; i3 += sc_threads()) {
            const float t1_ = h20 + where_0[(i1 * 252) + i3 + (i7 * 168)];
            const float v5_10 = (t1_ <= 0.0f) ? 0.0f : t1_;
            const float v6_11 = ((h20 + where_0[(i1 * 252) + i3 + (i7 * 168)]) > 0.0f) ? (0.125f * v5_10) : 0.0f;
            const float t2_ = h21 + where_0[(i1 * 252) + i3 + (i7 * 168) + 42];
            const float v5_12 = (t2_ <= 0.0f) ? 0.0f : t2_;
            const float v6_13 = ((h21 + where_0[(i1 * 252) + i3 + (i7 * 168) + 42]) > 0.0f) ? (0.125f * v5_12) : 0.0f;
            const float t3_ = h22 + where_0[(i1 * 252) + i3 + (i7 * 168) + 84];
            const float v5_14 = (t3_ <= 0.0f) ? 0.0f : t3_;
            const float v6_15 = ((h22 + where_0[(i1 * 252) + i3 + (i7 * 168) + 84]) > 0.0f) ? (0.125f * v5_14) : 0.0f;
            const float t4_ = h23 + where_0[(i1 * 252) + i3 + (i7 * 168) + 126];
            const float v5_16 = (t4_ <= 0.0f) ? 0.0f : t4_;
            const float v6_17 = ((h23 + where_0[(i1 * 252) + i3 + (i7 * 168) + 126]) > 0.0f) ? (0.125f * v5_16) : 0.0f;
            out0[(i1 * 252) + i3 + (i7 * 168)] = v5_10;
            where_0[(i1 * 252) + i3 + (i7 * 168)] = v6_11;
            out0[(i1 * 252) + i3 + (i7 * 168) + 42] = v5_12;
            where_0[(i1 * 252) + i3 + (i7 * 168) + 42] = v6_13;
            out0[(i1 * 252) + i3 + (i7 * 168) + 84] = v5_14;
            where_0[(i1 * 252) + i3 + (i7 * 168) + 84] = v6_15;
            out0[(i1 * 252) + i3 + (i7 * 168) + 126] = v5_16;
            where_0[(i1 * 252) + i3 + (i7 * 168) + 126] = v6_17;
        }
    }
    for (int64_t at = sc_row(); at < n0 * 2; at += sc_rows()) {
        const int64_t i9_and_more = ((at) >> 1);
        const int64_t i9 = at + (i9_and_more * (-2));
        const int64_t i1 = i9_and_more;
        const float h24 = b[i9 + 4];
        for (int64_t i3 = sc_thread(); i3 < 42; i3 += sc_threads()) {
            const float t5_ = h24 + where_0[(i1 * 252) + i3 + (i9 * 42) + 168];
            const float v18 = (t5_ <= 0.0f) ? 0.0f : t5_;
            const float v19 = ((h24 + where_0[(i1 * 252) + i3 + (i9 * 42) + 168]) > 0.0f) ? (0.125f * v18) : 0.0f;
            out0[(i1 * 252) + i3 + (i9 * 42) + 168] = v18;
            where_0[(i1 * 252) + i3 + (i9 * 42) + 168] = v19;
        }
    }
}

/* row: sum(where(b + convolution(x, w, low=1×1, size=6×7) > 0.0, 0.125 * maximum(b + convolution(x, w, low=1×1, size=6×7), 0.0), 0.0), axis=(0, 2, 3)); sum(where(b + convolution(x, w, low=1×1, size=6×7) > 0.0, 0.125 * maximum(b + …, 0.0), 0.0), axis=(0, 2, 3))[:, None, None] */
extern "C" __global__ void __launch_bounds__(1024)
k36_reduce_axes(const int64_t n0, const float *restrict where_0, float *restrict out3) {
    const int64_t j33 = 0;
    for (int64_t i28 = sc_team(); i28 < 6; i28 += sc_teams()) {
        float s32 = 0.0f;
        float part1_ = 0.0f;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < n0 * 42; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t at = at2_ + round * sc_members();
                const int64_t j30_and_more = sc_quotient(at, 42);
                const int64_t j30 = at + (j30_and_more * (-42));
                const int64_t j29 = j30_and_more;
                part1_ = part1_ + where_0[(i28 * 42) + (j29 * 252) + j30];
            }
        }
        for (int64_t at = at2_; at < n0 * 42; at += sc_members()) {
            const int64_t j30_and_more = sc_quotient(at, 42);
            const int64_t j30 = at + (j30_and_more * (-42));
            const int64_t j29 = j30_and_more;
            part1_ = part1_ + where_0[(i28 * 42) + (j29 * 252) + j30];
        }
        s32 = s32 + (sc_team_fold<sc_sum>(part1_));
        const float v35 = s32;
        for (int64_t i = sc_member(); i < 1; i += sc_members()) {
            out3[i28] = v35;
        }
    }
}
