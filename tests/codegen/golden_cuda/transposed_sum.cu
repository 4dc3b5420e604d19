#include "symcomp_grid.cuh"


/* map: x + x.T */
extern "C" __global__ void __launch_bounds__(1024)
k18_add(const int64_t tiles4, const int64_t along3, const int64_t down2, const int64_t n0, const double *restrict x, double *restrict out0, char *scratch, const int64_t each) {
    char *const tile = sc_shared_tile(each);
    for (int64_t tile5 = sc_team(); tile5 < tiles4; tile5 += sc_teams()) {
        const int64_t rest6 = sc_quotient(tile5, along3);
        const int64_t j7 = (along3 * rest6 * (-32)) + (tile5 * 32);
        const int64_t outer8 = sc_quotient(rest6, down2);
        const int64_t i9 = (down2 * outer8 * (-32)) + (rest6 * 32);
        double *restrict const tile10 = (double *)(tile);
        for (int64_t e11 = sc_member(); e11 < 1024; e11 += sc_members()) {
            const int64_t row12 = (e11 >> 5);
            const int64_t column13 = e11 + (row12 * (-32));
            const int64_t i1 = j7 + row12;
            const int64_t i0 = i9 + column13;
            if ((i0 < n0) && (i1 < n0)) {
                tile10[(row12 * 33) + column13] = x[(n0 * i1) + i0];
            }
        }
        sc_team_sync();
        for (int64_t e14 = sc_member(); e14 < 1024; e14 += sc_members()) {
            const int64_t row15 = (e14 >> 5);
            const int64_t column16 = e14 + (row15 * (-32));
            const int64_t i0 = i9 + row15;
            const int64_t i1 = j7 + column16;
            if ((i0 < n0) && (i1 < n0)) {
                const double v17 = x[(n0 * i0) + i1] + tile10[row15 + (column16 * 33)];
                out0[(n0 * i0) + i1] = v17;
            }
        }
        sc_team_sync();
    }
}
