#include "symcomp_grid.cuh"


/* gemm: x @ w; tanh(b + x @ w) */
extern "C" __global__ void __launch_bounds__(1024)
k32_dot_tanh(const int64_t n0, const int64_t n2, const int64_t n1, const float *restrict x, const float *restrict w, const float *restrict b, float *restrict out0, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile12 = sc_team(); tile12 < (((n0 + 15) >> 4)) * (((n2 + 15) >> 4)); tile12 += sc_teams()) {
        const int64_t band13 = sc_quotient(tile12, ((n2 + 15) >> 4));
        const int64_t band_rest14 = ((((n2 + 15) >> 4)) * band13 * (-1)) + tile12;
        float *restrict const strip15 = (float *)(tile);
        float *restrict const strip16 = (float *)(tile + 17408);
        for (int64_t e17 = sc_member(); e17 < n1 * 4; e17 += sc_members()) {
            const int64_t term18 = ((e17) >> 2);
            const int64_t term_rest19 = e17 + (term18 * (-4));
            #pragma unroll
            for (int64_t j20 = 0; j20 < 4; ++j20) {
                const int64_t place21 = n0 + (sc_maximum_i64(0, (n0 + (band13 * (-16)) + (term_rest19 * (-4)) + (j20 * (-1)) + (-1))) * (-1)) + (-1);
                strip15[(term18 * 17) + (term_rest19 * 4) + j20] = x[(n1 * place21) + term18];
                const int64_t place22 = n2 + (sc_maximum_i64(0, (n2 + (band_rest14 * (-16)) + (term_rest19 * (-4)) + (j20 * (-1)) + (-1))) * (-1)) + (-1);
                strip16[(term18 * 17) + (term_rest19 * 4) + j20] = w[(n2 * term18) + place22];
            }
        }
        sc_team_sync();
        for (int64_t e23 = sc_member(); e23 < 256; e23 += sc_members()) {
            const int64_t row24 = ((e23) >> 4);
            const int64_t row_rest25 = e23 + (row24 * (-16));
            const int64_t i26 = (band13 * 16) + row24;
            const int64_t j27 = (band_rest14 * 16) + row_rest25;
            if ((i26 < n0) && (j27 < n2)) {
                float s28 = 0.0f;
                #pragma unroll 4
                for (int64_t k29 = 0; k29 < n1; ++k29) {
                    s28 = s28 + (strip15[row24 + (k29 * 17)] * strip16[row_rest25 + (k29 * 17)]);
                }
                const float v30 = sc_tanh_f32((b[j27] + s28));
                out0[(n2 * i26) + j27] = v30;
            }
        }
        sc_team_sync();
    }
}

/* gemm: x @ w; tanh(b + x @ w) */
extern "C" __global__ void __launch_bounds__(256)
k34_dot_tanh(const int64_t groups3, const int64_t n2, const float *restrict b, float *restrict out0, const int64_t n0) {
    for (int64_t i4 = sc_row(); i4 < groups3; i4 += sc_rows()) {
        for (int64_t i1 = sc_thread(); i1 < n2; i1 += sc_threads()) {
            const float v2_7 = sc_tanh_f32((b[i1] + out0[(n2 * i4 * 4) + i1]));
            const float v2_8 = sc_tanh_f32((b[i1] + out0[n2 + (n2 * i4 * 4) + i1]));
            const float v2_9 = sc_tanh_f32((b[i1] + out0[(n2 * 2) + (n2 * i4 * 4) + i1]));
            const float v2_10 = sc_tanh_f32((b[i1] + out0[(n2 * 3) + (n2 * i4 * 4) + i1]));
            out0[(n2 * i4 * 4) + i1] = v2_7;
            out0[n2 + (n2 * i4 * 4) + i1] = v2_8;
            out0[(n2 * 2) + (n2 * i4 * 4) + i1] = v2_9;
            out0[(n2 * 3) + (n2 * i4 * 4) + i1] = v2_10;
        }
    }
    for (int64_t i6 = sc_row(); i6 < n0 + (groups3 * (-4)); i6 += sc_rows()) {
        for (int64_t i1 = sc_thread(); i1 < n2; i1 += sc_threads()) {
            const float v11 = sc_tanh_f32((b[i1] + out0[(n2 * groups3 * 4) + (n2 * i6) + i1]));
            out0[(n2 * groups3 * 4) + (n2 * i6) + i1] = v11;
        }
    }
}
