#include "symcomp_grid.cuh"


/* gemm: x @ w; tanh(b + x @ w) */
extern "C" __global__ void __launch_bounds__(1024)
k30_dot_tanh(const int64_t n0, const int64_t n2, const int64_t n1, const float *restrict x, const float *restrict w, const float *restrict b, float *restrict out0, char *scratch, const int64_t each) {
    char *const tile = sc_tile(scratch, each);
    for (int64_t tile9 = sc_team(); tile9 < sc_quotient(n0 + 15, 16) * sc_quotient(n2 + 15, 16); tile9 += sc_teams()) {
        const int64_t band10 = sc_quotient(tile9, sc_quotient(n2 + 15, 16));
        const int64_t band_rest11 = (sc_quotient(n2 + 15, 16) * band10 * (-1)) + tile9;
        float *restrict const strip12 = (float *)(tile);
        float *restrict const strip13 = (float *)(tile + sc_quotient((n1 * 68) + 15, 16) * 16);
        int64_t at1_ = sc_member();
        for (; at1_ + 3 * sc_members() < n1 * 16; at1_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t e14 = at1_ + round * sc_members();
                const int64_t across15 = sc_quotient(e14, n1);
                const int64_t across_rest16 = (n1 * across15 * (-1)) + e14;
                const int64_t place17 = n0 + (sc_maximum_i64(0, (n0 + (band10 * (-16)) + (across15 * (-1)) + (-1))) * (-1)) + (-1);
                strip12[across15 + (across_rest16 * 17)] = x[(n1 * place17) + across_rest16];
                const int64_t term18 = sc_quotient(e14, 16);
                const int64_t term_rest19 = e14 + (term18 * (-16));
                const int64_t place20 = n2 + (sc_maximum_i64(0, (n2 + (band_rest11 * (-16)) + (term_rest19 * (-1)) + (-1))) * (-1)) + (-1);
                strip13[(term18 * 17) + term_rest19] = w[(n2 * term18) + place20];
            }
        }
        for (int64_t e14 = at1_; e14 < n1 * 16; e14 += sc_members()) {
            const int64_t across15 = sc_quotient(e14, n1);
            const int64_t across_rest16 = (n1 * across15 * (-1)) + e14;
            const int64_t place17 = n0 + (sc_maximum_i64(0, (n0 + (band10 * (-16)) + (across15 * (-1)) + (-1))) * (-1)) + (-1);
            strip12[across15 + (across_rest16 * 17)] = x[(n1 * place17) + across_rest16];
            const int64_t term18 = sc_quotient(e14, 16);
            const int64_t term_rest19 = e14 + (term18 * (-16));
            const int64_t place20 = n2 + (sc_maximum_i64(0, (n2 + (band_rest11 * (-16)) + (term_rest19 * (-1)) + (-1))) * (-1)) + (-1);
            strip13[(term18 * 17) + term_rest19] = w[(n2 * term18) + place20];
        }
        sc_team_sync();
        for (int64_t e21 = sc_member(); e21 < 256; e21 += sc_members()) {
            const int64_t row22 = sc_quotient(e21, 16);
            const int64_t row_rest23 = e21 + (row22 * (-16));
            const int64_t i24 = (band10 * 16) + row22;
            const int64_t j25 = (band_rest11 * 16) + row_rest23;
            if ((i24 < n0) && (j25 < n2)) {
                float s26 = 0.0f;
                #pragma unroll 4
                for (int64_t k27 = 0; k27 < n1; ++k27) {
                    s26 = s26 + (strip12[row22 + (k27 * 17)] * strip13[row_rest23 + (k27 * 17)]);
                }
                const float v28 = sc_tanh_f32((b[j25] + s26));
                out0[(n2 * i24) + j25] = v28;
            }
        }
        sc_team_sync();
    }
}

/* gemm: x @ w; tanh(b + x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k33_dot_tanh(const int64_t groups3, const int64_t n2, const float *restrict b, float *restrict out0, const int64_t n0) {
    sc_aligned(b, 16);
    sc_aligned(out0, 16);
    for (int64_t i4 = sc_row(); i4 < groups3; i4 += sc_rows()) {
        for (int64_t i1 = sc_thread(); i1 < n2; i1 += sc_threads()) {
            const float h32 = b[i1];
            #pragma unroll
            for (int64_t j5 = 0; j5 < 4; ++j5) {
                const float v7 = sc_tanh_f32((h32 + out0[(n2 * i4 * 4) + (n2 * j5) + i1]));
                out0[(n2 * i4 * 4) + (n2 * j5) + i1] = v7;
            }
        }
    }
    for (int64_t i6 = sc_row(); i6 < n0 + (groups3 * (-4)); i6 += sc_rows()) {
        for (int64_t i1 = sc_thread(); i1 < n2; i1 += sc_threads()) {
            const float v8 = sc_tanh_f32((b[i1] + out0[(n2 * groups3 * 4) + (n2 * i6) + i1]));
            out0[(n2 * groups3 * 4) + (n2 * i6) + i1] = v8;
        }
    }
}
