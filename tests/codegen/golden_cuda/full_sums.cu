#include "symcomp_grid.cuh"


/* row: sum(x, axis=(0, 1)); sum(square(x), axis=(0, 1)); min(x, axis=(0, 1)) */
extern "C" __global__ void __launch_bounds__(1024)
k14_reduce(const int64_t teams0, const int64_t length1, const int64_t n0, const int64_t n1, const float *restrict x, float *restrict partial2, float *restrict partial3, float *restrict partial4) {
    for (int64_t b5 = sc_team(); b5 < teams0; b5 += sc_teams()) {
        const int64_t begin8 = length1 * b5;
        const int64_t length9 = length1 + (sc_maximum_i64(0, (length1 + (sc_maximum_i64(0, ((n0 * n1) + (begin8 * (-1)))) * (-1)))) * (-1));
        float s11 = 0.0f;
        float s12 = 0.0f;
        float s13 = INFINITY;
        float part1_ = 0.0f;
        float part2_ = 0.0f;
        float part3_ = INFINITY;
        int64_t at4_ = sc_member();
        for (; at4_ + 3 * sc_members() < length9; at4_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t k10 = at4_ + round * sc_members();
                const int64_t k6 = begin8 + k10;
                part1_ = part1_ + x[k6];
                const float t5_ = x[k6];
                part2_ = part2_ + (t5_ * t5_);
                part3_ = sc_minimum_f32(part3_, x[k6]);
            }
        }
        for (int64_t k10 = at4_; k10 < length9; k10 += sc_members()) {
            const int64_t k6 = begin8 + k10;
            part1_ = part1_ + x[k6];
            const float t6_ = x[k6];
            part2_ = part2_ + (t6_ * t6_);
            part3_ = sc_minimum_f32(part3_, x[k6]);
        }
        s11 = s11 + (sc_team_fold<sc_sum>(part1_));
        s12 = s12 + (sc_team_fold<sc_sum>(part2_));
        s13 = sc_minimum_f32(s13, (sc_team_fold<sc_min>(part3_)));
        if (sc_member() == 0) {
            partial2[b5] = s11;
        }
        if (sc_member() == 0) {
            partial3[b5] = s12;
        }
        if (sc_member() == 0) {
            partial4[b5] = s13;
        }
    }
}

/* row: sum(x, axis=(0, 1)); sum(square(x), axis=(0, 1)); min(x, axis=(0, 1)) */
extern "C" __global__ void __launch_bounds__(1024)
k21_reduce(const int64_t teams0, const float *restrict partial2, float *restrict out0, const float *restrict partial3, float *restrict reduce_0, const float *restrict partial4, float *restrict out2) {
    for (int64_t v = sc_team(); v < 1; v += sc_teams()) {
        double s15 = 0.0;
        double part1_ = 0.0;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < teams0; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b16 = at2_ + round * sc_members();
                part1_ = part1_ + ((double)partial2[b16]);
            }
        }
        for (int64_t b16 = at2_; b16 < teams0; b16 += sc_members()) {
            part1_ = part1_ + ((double)partial2[b16]);
        }
        s15 = s15 + (sc_team_fold<sc_sum>(part1_));
        if (sc_member() == 0) {
            out0[0] = (float)s15;
        }
        double s17 = 0.0;
        double part3_ = 0.0;
        int64_t at4_ = sc_member();
        for (; at4_ + 3 * sc_members() < teams0; at4_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b18 = at4_ + round * sc_members();
                part3_ = part3_ + ((double)partial3[b18]);
            }
        }
        for (int64_t b18 = at4_; b18 < teams0; b18 += sc_members()) {
            part3_ = part3_ + ((double)partial3[b18]);
        }
        s17 = s17 + (sc_team_fold<sc_sum>(part3_));
        if (sc_member() == 0) {
            reduce_0[0] = (float)s17;
        }
        float s19 = INFINITY;
        float part5_ = INFINITY;
        int64_t at6_ = sc_member();
        for (; at6_ + 3 * sc_members() < teams0; at6_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t b20 = at6_ + round * sc_members();
                part5_ = sc_minimum_f32(part5_, partial4[b20]);
            }
        }
        for (int64_t b20 = at6_; b20 < teams0; b20 += sc_members()) {
            part5_ = sc_minimum_f32(part5_, partial4[b20]);
        }
        s19 = sc_minimum_f32(s19, (sc_team_fold<sc_min>(part5_)));
        if (sc_member() == 0) {
            out2[0] = s19;
        }
    }
}

/* map: sum(square(x), axis=(0, 1)) / float32(n0 * n1) */
extern "C" __global__ void __launch_bounds__(256)
k24_divide(const float *restrict reduce_0, const int64_t n0, const int64_t n1, float *restrict out1) {
    const float h23 = reduce_0[0] / ((float)(n0 * n1));
    const float v22 = h23;
    for (int64_t v = sc_thread(); v < 1; v += sc_threads()) {
        out1[0] = v22;
    }
}
