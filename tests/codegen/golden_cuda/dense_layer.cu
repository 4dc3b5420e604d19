#include "symcomp_grid.cuh"


/* gemm: x @ w; tanh(b + x @ w) */
extern "C" __global__ void __launch_bounds__(1024)
k29_dot_tanh(const int64_t n0, const int64_t n2, const int64_t n1, const float *restrict x, const float *restrict w, const float *restrict b, float *restrict out0, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile9 = sc_team(); tile9 < (((n0 + 15) >> 4)) * (((n2 + 15) >> 4)); tile9 += sc_teams()) {
        const int64_t band10 = sc_quotient(tile9, ((n2 + 15) >> 4));
        const int64_t band_rest11 = ((((n2 + 15) >> 4)) * band10 * (-1)) + tile9;
        float *restrict const strip12 = (float *)(tile);
        float *restrict const strip13 = (float *)(tile + 17408);
        for (int64_t e14 = sc_member(); e14 < n1 * 4; e14 += sc_members()) {
            const int64_t term15 = (e14 >> 2);
            const int64_t term_rest16 = e14 + (term15 * (-4));
            #pragma unroll
            for (int64_t j17 = 0; j17 < 4; ++j17) {
                const int64_t place18 = n0 + (sc_maximum_i64(0, (n0 + (band10 * (-16)) + (term_rest16 * (-4)) + (j17 * (-1)) + (-1))) * (-1)) + (-1);
                strip12[(term15 * 17) + (term_rest16 * 4) + j17] = x[(n1 * place18) + term15];
                const int64_t place19 = n2 + (sc_maximum_i64(0, (n2 + (band_rest11 * (-16)) + (term_rest16 * (-4)) + (j17 * (-1)) + (-1))) * (-1)) + (-1);
                strip13[(term15 * 17) + (term_rest16 * 4) + j17] = w[(n2 * term15) + place19];
            }
        }
        sc_team_sync();
        for (int64_t e20 = sc_member(); e20 < 256; e20 += sc_members()) {
            const int64_t row21 = (e20 >> 4);
            const int64_t row_rest22 = e20 + (row21 * (-16));
            const int64_t i23 = (band10 * 16) + row21;
            const int64_t j24 = (band_rest11 * 16) + row_rest22;
            if ((i23 < n0) && (j24 < n2)) {
                float s25 = 0.0f;
                #pragma unroll 4
                for (int64_t k26 = 0; k26 < n1; ++k26) {
                    s25 = s25 + (strip12[row21 + (k26 * 17)] * strip13[row_rest22 + (k26 * 17)]);
                }
                const float v27 = sc_tanh_f32((b[j24] + s25));
                out0[(n2 * i23) + j24] = v27;
            }
        }
        sc_team_sync();
    }
}

/* gemm: x @ w; tanh(b + x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k32_dot_tanh(const int64_t groups3, const int64_t n2, const float *restrict b, float *restrict out0, const int64_t n0) {
    for (int64_t i4 = sc_row(); i4 < groups3; i4 += sc_rows()) {
        for (int64_t i1 = sc_thread(); i1 < n2; i1 += sc_threads()) {
            const float h31 = b[i1];
            #pragma unroll
            for (int64_t j5 = 0; j5 < 4; ++j5) {
                const float v7 = sc_tanh_f32((h31 + out0[(n2 * i4 * 4) + (n2 * j5) + i1]));
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
