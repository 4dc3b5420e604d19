#include "symcomp_grid.cuh"


/* row: max(x, axis=1); exp(x + (-max(x, axis=1))[:, None]); sum(exp(x + (-max(x, axis=1))[:, None]), axis=1); exp(x + (-max(x, axis=1))[:, None]) / sum(exp(x + (…)[:, None]), axis=1)[:, None] */
extern "C" __global__ void __launch_bounds__(1024)
k10_reduce_exp_divide(const int64_t n0, const int64_t n1, const float *restrict x, float *restrict out0, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    for (int64_t i0 = sc_team(); i0 < n0; i0 += sc_teams()) {
        float *restrict const row1 = (float *)(tile);
        float s3 = -INFINITY;
        float part1_ = -INFINITY;
        int64_t at2_ = sc_member();
        for (; at2_ + 3 * sc_members() < n1; at2_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t j2 = at2_ + round * sc_members();
                part1_ = sc_maximum_f32(part1_, x[(n1 * i0) + j2]);
            }
        }
        for (int64_t j2 = at2_; j2 < n1; j2 += sc_members()) {
            part1_ = sc_maximum_f32(part1_, x[(n1 * i0) + j2]);
        }
        s3 = sc_maximum_f32(s3, (sc_team_fold<sc_max>(part1_)));
        float s5 = 0.0f;
        const float h9 = -s3;
        float part3_ = 0.0f;
        int64_t at4_ = sc_member();
        for (; at4_ + 3 * sc_members() < n1; at4_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t j4 = at4_ + round * sc_members();
                const float v6 = sc_exp_f32((x[(n1 * i0) + j4] + h9));
                part3_ = part3_ + v6;
                row1[j4] = v6;
            }
        }
        for (int64_t j4 = at4_; j4 < n1; j4 += sc_members()) {
            const float v6 = sc_exp_f32((x[(n1 * i0) + j4] + h9));
            part3_ = part3_ + v6;
            row1[j4] = v6;
        }
        s5 = s5 + (sc_team_fold<sc_sum>(part3_));
        sc_team_sync();
        int64_t at5_ = sc_member();
        for (; at5_ + 3 * sc_members() < n1; at5_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t j7 = at5_ + round * sc_members();
                const float v8 = row1[j7] / s5;
                out0[(n1 * i0) + j7] = v8;
            }
        }
        for (int64_t j7 = at5_; j7 < n1; j7 += sc_members()) {
            const float v8 = row1[j7] / s5;
            out0[(n1 * i0) + j7] = v8;
        }
        sc_team_sync();
    }
}
