#include "symcomp_grid.cuh"


/* map: x + x.T */
extern "C" __global__ void __launch_bounds__(256, 4)
k97_add(const int64_t tiles4, const int64_t down2, const int64_t along3, const int64_t n0, const double *restrict x, double *restrict out0) {
    const int64_t fewer6 = down2 + (sc_maximum_i64(0, (down2 + (along3 * (-1)))) * (-1));
    const int64_t more7 = along3 + sc_maximum_i64(0, (down2 + (along3 * (-1))));
    const bool h96 = down2 < along3;
    const int64_t step23 = n0 * 4;
    const int64_t step63 = n0 * 4;
    for (int64_t tile5 = sc_block(); tile5 < tiles4; tile5 += sc_blocks()) {
        const int64_t rest8 = sc_quotient(tile5, fewer6);
        const int64_t outer9 = sc_quotient(rest8, more7);
        const int64_t i0_tile10 = h96 ? (tile5 + (fewer6 * rest8 * (-1))) : ((more7 * outer9 * (-1)) + rest8);
        const int64_t i011 = i0_tile10 * 64;
        const int64_t i1_tile12 = h96 ? ((more7 * outer9 * (-1)) + rest8) : (tile5 + (fewer6 * rest8 * (-1)));
        const int64_t i113 = i1_tile12 * 64;
        __shared__ double tile14[4160];
        const int64_t left20 = n0 + (i113 * (-1)) + (sc_maximum_i64(0, (n0 + (i113 * (-1)) + (-64))) * (-1));
        const int32_t h95 = (int32_t)left20;
         {
            const int64_t e15 = sc_member();
            const int64_t row16 = ((e15) >> 6);
            const int64_t column17 = e15 + (row16 * (-64));
            const int64_t i0_18 = i011 + column17;
            const int64_t i1_19 = i113 + row16;
            const bool across21 = i0_18 < n0;
            const int64_t at22 = (n0 * i1_19) + i0_18;
            const double x24 = (across21 && (((int32_t)row16) < h95)) ? x[at22] : 0.0;
            const int64_t at25 = at22 + step23;
            const double x26 = (across21 && (((int32_t)(row16 + 4)) < h95)) ? x[at25] : 0.0;
            const int64_t at27 = step23 + at25;
            const double x28 = (across21 && (((int32_t)(row16 + 8)) < h95)) ? x[at27] : 0.0;
            const int64_t at29 = step23 + at27;
            const double x30 = (across21 && (((int32_t)(row16 + 12)) < h95)) ? x[at29] : 0.0;
            const int64_t at31 = step23 + at29;
            const double x32 = (across21 && (((int32_t)(row16 + 16)) < h95)) ? x[at31] : 0.0;
            const int64_t at33 = step23 + at31;
            const double x34 = (across21 && (((int32_t)(row16 + 20)) < h95)) ? x[at33] : 0.0;
            const int64_t at35 = step23 + at33;
            const double x36 = (across21 && (((int32_t)(row16 + 24)) < h95)) ? x[at35] : 0.0;
            const int64_t at37 = step23 + at35;
            const double x38 = (across21 && (((int32_t)(row16 + 28)) < h95)) ? x[at37] : 0.0;
            const int64_t at39 = step23 + at37;
            const double x40 = (across21 && (((int32_t)(row16 + 32)) < h95)) ? x[at39] : 0.0;
            const int64_t at41 = step23 + at39;
            const double x42 = (across21 && (((int32_t)(row16 + 36)) < h95)) ? x[at41] : 0.0;
            const int64_t at43 = step23 + at41;
            const double x44 = (across21 && (((int32_t)(row16 + 40)) < h95)) ? x[at43] : 0.0;
            const int64_t at45 = step23 + at43;
            const double x46 = (across21 && (((int32_t)(row16 + 44)) < h95)) ? x[at45] : 0.0;
            const int64_t at47 = step23 + at45;
            const double x48 = (across21 && (((int32_t)(row16 + 48)) < h95)) ? x[at47] : 0.0;
            const int64_t at49 = step23 + at47;
            const double x50 = (across21 && (((int32_t)(row16 + 52)) < h95)) ? x[at49] : 0.0;
            const int64_t at51 = step23 + at49;
            const double x52 = (across21 && (((int32_t)(row16 + 56)) < h95)) ? x[at51] : 0.0;
            const int64_t at53 = step23 + at51;
            const double x54 = (across21 && (((int32_t)(row16 + 60)) < h95)) ? x[at53] : 0.0;
            tile14[(row16 * 65) + column17] = x24;
            tile14[(row16 * 65) + column17 + 260] = x26;
            tile14[(row16 * 65) + column17 + 520] = x28;
            tile14[(row16 * 65) + column17 + 780] = x30;
            tile14[(row16 * 65) + column17 + 1040] = x32;
            tile14[(row16 * 65) + column17 + 1300] = x34;
            tile14[(row16 * 65) + column17 + 1560] = x36;
            tile14[(row16 * 65) + column17 + 1820] = x38;
            tile14[(row16 * 65) + column17 + 2080] = x40;
            tile14[(row16 * 65) + column17 + 2340] = x42;
            tile14[(row16 * 65) + column17 + 2600] = x44;
            tile14[(row16 * 65) + column17 + 2860] = x46;
            tile14[(row16 * 65) + column17 + 3120] = x48;
            tile14[(row16 * 65) + column17 + 3380] = x50;
            tile14[(row16 * 65) + column17 + 3640] = x52;
            tile14[(row16 * 65) + column17 + 3900] = x54;
        }
        const int64_t left60 = n0 + (i011 * (-1)) + (sc_maximum_i64(0, (n0 + (i011 * (-1)) + (-64))) * (-1));
        __syncthreads();
         {
            const int64_t e55 = sc_member();
            const int64_t row56 = ((e55) >> 6);
            const int64_t column57 = e55 + (row56 * (-64));
            const int64_t i1_58 = i113 + column57;
            const int64_t i0_59 = i011 + row56;
            const bool across61 = i1_58 < n0;
            const int64_t at62 = (n0 * i0_59) + i1_58;
            if (across61 && (((int32_t)row56) < ((int32_t)left60))) {
                const double v64 = x[(n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65)];
                out0[at62] = v64;
            }
            const int64_t at65 = at62 + step63;
            if (across61 && (((int32_t)(row56 + 4)) < ((int32_t)left60))) {
                const double v66 = x[(n0 * 4) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 4];
                out0[at65] = v66;
            }
            const int64_t at67 = step63 + at65;
            if (across61 && (((int32_t)(row56 + 8)) < ((int32_t)left60))) {
                const double v68 = x[(n0 * 8) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 8];
                out0[at67] = v68;
            }
            const int64_t at69 = step63 + at67;
            if (across61 && (((int32_t)(row56 + 12)) < ((int32_t)left60))) {
                const double v70 = x[(n0 * 12) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 12];
                out0[at69] = v70;
            }
            const int64_t at71 = step63 + at69;
            if (across61 && (((int32_t)(row56 + 16)) < ((int32_t)left60))) {
                const double v72 = x[(n0 * 16) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 16];
                out0[at71] = v72;
            }
            const int64_t at73 = step63 + at71;
            if (across61 && (((int32_t)(row56 + 20)) < ((int32_t)left60))) {
                const double v74 = x[(n0 * 20) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 20];
                out0[at73] = v74;
            }
            const int64_t at75 = step63 + at73;
            if (across61 && (((int32_t)(row56 + 24)) < ((int32_t)left60))) {
                const double v76 = x[(n0 * 24) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 24];
                out0[at75] = v76;
            }
            const int64_t at77 = step63 + at75;
            if (across61 && (((int32_t)(row56 + 28)) < ((int32_t)left60))) {
                const double v78 = x[(n0 * 28) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 28];
                out0[at77] = v78;
            }
            const int64_t at79 = step63 + at77;
            if (across61 && (((int32_t)(row56 + 32)) < ((int32_t)left60))) {
                const double v80 = x[(n0 * 32) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 32];
                out0[at79] = v80;
            }
            const int64_t at81 = step63 + at79;
            if (across61 && (((int32_t)(row56 + 36)) < ((int32_t)left60))) {
                const double v82 = x[(n0 * 36) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 36];
                out0[at81] = v82;
            }
            const int64_t at83 = step63 + at81;
            if (across61 && (((int32_t)(row56 + 40)) < ((int32_t)left60))) {
                const double v84 = x[(n0 * 40) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 40];
                out0[at83] = v84;
            }
            const int64_t at85 = step63 + at83;
            if (across61 && (((int32_t)(row56 + 44)) < ((int32_t)left60))) {
                const double v86 = x[(n0 * 44) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 44];
                out0[at85] = v86;
            }
            const int64_t at87 = step63 + at85;
            if (across61 && (((int32_t)(row56 + 48)) < ((int32_t)left60))) {
                const double v88 = x[(n0 * 48) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 48];
                out0[at87] = v88;
            }
            const int64_t at89 = step63 + at87;
            if (across61 && (((int32_t)(row56 + 52)) < ((int32_t)left60))) {
                const double v90 = x[(n0 * 52) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 52];
                out0[at89] = v90;
            }
            const int64_t at91 = step63 + at89;
            if (across61 && (((int32_t)(row56 + 56)) < ((int32_t)left60))) {
                const double v92 = x[(n0 * 56) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 56];
                out0[at91] = v92;
            }
            const int64_t at93 = step63 + at91;
            if (across61 && (((int32_t)(row56 + 60)) < ((int32_t)left60))) {
                const double v94 = x[(n0 * 60) + (n0 * i0_59) + i1_58] + tile14[row56 + (column57 * 65) + 60];
                out0[at93] = v94;
            }
        }
        __syncthreads();
    }
}
