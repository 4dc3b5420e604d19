#include "symcomp_grid.cuh"


/* positions within their axis */
extern "C" __global__ void __launch_bounds__(1024)
k2_check(const int64_t n1, const int64_t *restrict at, const int64_t n0, int64_t *restrict status) {
    for (int64_t v_1 = sc_team(); v_1 < 1; v_1 += sc_teams()) {
        bool bad1 = false;
        bool part2_ = false;
        int64_t at3_ = sc_member();
        for (; at3_ + 3 * sc_members() < n1; at3_ += 4 * sc_members()) {
            #pragma unroll
            for (int round = 0; round < 4; ++round) {
                const int64_t i0 = at3_ + round * sc_members();
                const int64_t t4_ = at[i0];
                part2_ = part2_ || ((t4_ < (-n0)) || (n0 <= t4_));
            }
        }
        for (int64_t i0 = at3_; i0 < n1; i0 += sc_members()) {
            const int64_t t5_ = at[i0];
            part2_ = part2_ || ((t5_ < (-n0)) || (n0 <= t5_));
        }
        bad1 = bad1 || (sc_team_fold<sc_any>(part2_));
        if (bad1) {
            if (sc_member() == 0) {
                status[0] = 16;
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k3_scatter(const int64_t n0, const int64_t n2, const double *restrict x, double *restrict out0) {
    for (int64_t v_1 = sc_row(); v_1 < n0; v_1 += sc_rows()) {
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            out0[(n2 * v_1) + v_2] = x[(n2 * v_1) + v_2];
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k16_scatter(const int64_t few7, const int64_t n2, const int64_t *restrict at, const int64_t n0, double *restrict out0, const double *restrict v) {
    for (int64_t e8 = sc_row(); e8 < few7; e8 += sc_rows()) {
        const int64_t t1_ = at[e8];
        const int64_t h15 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t place9 = h15;
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            bool met10 = false;
            #pragma unroll 4
            for (int64_t j11 = 0; j11 < e8; ++j11) {
                const int64_t t3_ = at[j11];
                met10 = met10 || (((t3_ < 0) ? sc_add_i64(t3_, n0) : t3_) == place9);
            }
            if (!met10) {
                double total12 = out0[(n2 * place9) + v_2];
                for (int64_t j13 = 0; j13 < sc_maximum_i64(0, (few7 + (e8 * (-1)))); ++j13) {
                    const int64_t other14 = e8 + j13;
                    const int64_t t4_ = at[other14];
                    if (((t4_ < 0) ? sc_add_i64(t4_, n0) : t4_) == place9) {
                        total12 = total12 + v[(n2 * other14) + v_2];
                    }
                }
                out0[(n2 * place9) + v_2] = total12;
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k27_scatter(const int64_t many6, const int64_t *restrict at, const int64_t n0, int64_t *restrict places17, int64_t *restrict order18) {
    for (int64_t e19 = sc_thread(); e19 < many6; e19 += sc_threads()) {
        const int64_t t1_ = at[e19];
        const int64_t place20 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t begin21 = sc_quotient(e19, 64) * 64;
        const int64_t length22 = many6 + (begin21 * (-1)) + (sc_maximum_i64(0, (many6 + (begin21 * (-1)) + (-64))) * (-1));
        int64_t rank23 = 0;
        #pragma unroll 4
        for (int64_t j24 = 0; j24 < length22; ++j24) {
            const int64_t other25 = begin21 + j24;
            const int64_t t2_ = at[other25];
            rank23 = sc_add_i64(rank23, ((int64_t)(((t2_ < 0) ? sc_add_i64(t2_, n0) : t2_) < sc_add_i64(place20, ((int64_t)(other25 < e19))))));
        }
        const int64_t to26 = begin21 + rank23;
        places17[to26] = place20;
        order18[to26] = e19;
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k71_scatter(const int64_t many6, const int64_t merge29, int64_t *restrict places17, int64_t *restrict order18) {
    const int64_t source31 = (many6 * merge29) + (many6 * sc_quotient(merge29, 2) * (-2));
    const int64_t end39 = many6 + source31;
    for (int64_t e30 = sc_thread(); e30 < many6; e30 += sc_threads()) {
        int64_t length32 = 64;
        #pragma unroll 4
        for (int64_t k33 = 0; k33 < merge29; ++k33) {
            length32 = sc_multiply_i64(length32, 8);
        }
        const int64_t run34 = sc_quotient(e30, length32);
        const int64_t group35 = sc_quotient(run34, 8);
        const int64_t own36 = run34 + (group35 * (-8));
        const int64_t begin37 = length32 * group35 * 8;
        const int64_t place38 = places17[e30 + source31];
        const int64_t earlier40 = (int64_t)(0 < own36);
        const int64_t start41 = source31 + length32 + (length32 * earlier40 * (-1)) + begin37;
        const int64_t limit42 = sc_minimum_i64((length32 + start41), end39);
        int64_t found43 = start41;
        const int64_t earlier44 = (int64_t)(1 < own36);
        const int64_t start45 = source31 + (length32 * 2) + (length32 * earlier44 * (-1)) + begin37;
        const int64_t limit46 = sc_minimum_i64((length32 + start45), end39);
        int64_t found47 = start45;
        const int64_t earlier48 = (int64_t)(2 < own36);
        const int64_t start49 = source31 + (length32 * 3) + (length32 * earlier48 * (-1)) + begin37;
        const int64_t limit50 = sc_minimum_i64((length32 + start49), end39);
        int64_t found51 = start49;
        const int64_t earlier52 = (int64_t)(3 < own36);
        const int64_t start53 = source31 + (length32 * 4) + (length32 * earlier52 * (-1)) + begin37;
        const int64_t limit54 = sc_minimum_i64((length32 + start53), end39);
        int64_t found55 = start53;
        const int64_t earlier56 = (int64_t)(4 < own36);
        const int64_t start57 = source31 + (length32 * 5) + (length32 * earlier56 * (-1)) + begin37;
        const int64_t limit58 = sc_minimum_i64((length32 + start57), end39);
        int64_t found59 = start57;
        const int64_t earlier60 = (int64_t)(5 < own36);
        const int64_t start61 = source31 + (length32 * 6) + (length32 * earlier60 * (-1)) + begin37;
        const int64_t limit62 = sc_minimum_i64((length32 + start61), end39);
        int64_t found63 = start61;
        const int64_t earlier64 = (int64_t)(6 < own36);
        const int64_t start65 = source31 + (length32 * 7) + (length32 * earlier64 * (-1)) + begin37;
        const int64_t limit66 = sc_minimum_i64((length32 + start65), end39);
        int64_t found67 = start65;
        int64_t step68 = length32;
        for (int64_t k69 = 0; k69 < (merge29 * 3) + 7; ++k69) {
            const int64_t t1_ = (places17[sc_minimum_i64((found43 + step68), limit42) + (-1)] < (place38 + earlier40)) ? ((!(limit42 < (found43 + step68))) ? step68 : 0) : 0;
            found43 = sc_add_i64(found43, t1_);
            const int64_t t2_ = (places17[sc_minimum_i64((found47 + step68), limit46) + (-1)] < (place38 + earlier44)) ? ((!(limit46 < (found47 + step68))) ? step68 : 0) : 0;
            found47 = sc_add_i64(found47, t2_);
            const int64_t t3_ = (places17[sc_minimum_i64((found51 + step68), limit50) + (-1)] < (place38 + earlier48)) ? ((!(limit50 < (found51 + step68))) ? step68 : 0) : 0;
            found51 = sc_add_i64(found51, t3_);
            const int64_t t4_ = (places17[sc_minimum_i64((found55 + step68), limit54) + (-1)] < (place38 + earlier52)) ? ((!(limit54 < (found55 + step68))) ? step68 : 0) : 0;
            found55 = sc_add_i64(found55, t4_);
            const int64_t t5_ = (places17[sc_minimum_i64((found59 + step68), limit58) + (-1)] < (place38 + earlier56)) ? ((!(limit58 < (found59 + step68))) ? step68 : 0) : 0;
            found59 = sc_add_i64(found59, t5_);
            const int64_t t6_ = (places17[sc_minimum_i64((found63 + step68), limit62) + (-1)] < (place38 + earlier60)) ? ((!(limit62 < (found63 + step68))) ? step68 : 0) : 0;
            found63 = sc_add_i64(found63, t6_);
            const int64_t t7_ = (places17[sc_minimum_i64((found67 + step68), limit66) + (-1)] < (place38 + earlier64)) ? ((!(limit66 < (found67 + step68))) ? step68 : 0) : 0;
            found67 = sc_add_i64(found67, t7_);
            step68 = sc_minimum_i64(step68, sc_quotient(step68, 2));
        }
        const int64_t t8_ = many6 + e30 + (source31 * (-1)) + (length32 * run34 * (-1)) + begin37 + (start41 * (-1)) + found43 + (start45 * (-1)) + found47 + (start49 * (-1)) + found51 + (start53 * (-1)) + found55 + (start57 * (-1)) + found59 + (start61 * (-1)) + found63 + (start65 * (-1)) + found67;
        const int64_t to70 = t8_;
        places17[to70] = place38;
        order18[to70] = order18[e30 + source31];
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k82_scatter(const int64_t many6, const int64_t merges28, const int64_t *restrict places17, int64_t *restrict counts72) {
    for (int64_t s73 = sc_thread(); s73 < many6; s73 += sc_threads()) {
        const int64_t at74 = (many6 * merges28) + (many6 * sc_quotient(merges28, 2) * (-2)) + s73;
        const int64_t place75 = places17[at74];
        bool again76 = false;
        if (0 < s73) {
            again76 = again76 || (places17[at74 + (-1)] == place75);
        }
        int64_t found77 = at74;
        if (!again76) {
            int64_t length78 = 64;
            #pragma unroll 4
            for (int64_t k79 = 0; k79 < merges28; ++k79) {
                length78 = sc_multiply_i64(length78, 8);
            }
            int64_t step80 = length78;
            #pragma unroll 4
            for (int64_t k81 = 0; k81 < (merges28 * 3) + 7; ++k81) {
                const int64_t t1_ = places17[sc_minimum_i64((found77 + step80), (many6 + (many6 * merges28) + (many6 * sc_quotient(merges28, 2) * (-2)))) + (-1)];
                const int64_t t2_ = (t1_ < (place75 + 1)) ? ((!((many6 + (many6 * merges28) + (many6 * sc_quotient(merges28, 2) * (-2))) < (found77 + step80))) ? step80 : 0) : 0;
                found77 = sc_add_i64(found77, t2_);
                step80 = sc_minimum_i64(step80, sc_quotient(step80, 2));
            }
        }
        counts72[s73] = (at74 * (-1)) + found77;
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid='sum') */
extern "C" __global__ void __launch_bounds__(256)
k92_scatter(const int64_t many6, const int64_t n2, const int64_t merges28, const int64_t *restrict counts72, const int64_t *restrict places17, double *restrict out0, const int64_t *restrict order18, const double *restrict v) {
    for (int64_t s83 = sc_row(); s83 < many6; s83 += sc_rows()) {
        const int64_t at84 = (many6 * merges28) + (many6 * sc_quotient(merges28, 2) * (-2)) + s83;
        const int64_t h90 = counts72[s83];
        const int64_t count85 = h90;
        const int64_t h91 = places17[at84];
        const int64_t place86 = h91;
        for (int64_t v_1 = sc_thread(); v_1 < n2; v_1 += sc_threads()) {
            if (0 < count85) {
                double total87 = out0[(n2 * place86) + v_1];
                #pragma unroll 4
                for (int64_t k88 = 0; k88 < count85; ++k88) {
                    const int64_t e89 = order18[at84 + k88];
                    total87 = total87 + v[(n2 * e89) + v_1];
                }
                out0[(n2 * place86) + v_1] = total87;
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k93_scatter(const int64_t n0, const int64_t n2, const double *restrict x, double *restrict out1) {
    for (int64_t v_1 = sc_row(); v_1 < n0; v_1 += sc_rows()) {
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            out1[(n2 * v_1) + v_2] = x[(n2 * v_1) + v_2];
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k104_scatter(const int64_t few97, const int64_t n2, const int64_t *restrict at, const int64_t n0, const double *restrict v, double *restrict out1) {
    for (int64_t e98 = sc_row(); e98 < few97; e98 += sc_rows()) {
        const int64_t t1_ = at[e98];
        const int64_t h103 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t place99 = h103;
        for (int64_t v_2 = sc_thread(); v_2 < n2; v_2 += sc_threads()) {
            bool met100 = false;
            #pragma unroll 4
            for (int64_t j101 = 0; j101 < sc_maximum_i64(0, (few97 + (e98 * (-1)) + (-1))); ++j101) {
                const int64_t other102 = e98 + j101 + 1;
                const int64_t t3_ = at[other102];
                met100 = met100 || (((t3_ < 0) ? sc_add_i64(t3_, n0) : t3_) == place99);
            }
            if (!met100) {
                out1[(n2 * place99) + v_2] = v[(n2 * e98) + v_2];
            }
        }
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k115_scatter(const int64_t many96, const int64_t *restrict at, const int64_t n0, int64_t *restrict places105, int64_t *restrict order106) {
    for (int64_t e107 = sc_thread(); e107 < many96; e107 += sc_threads()) {
        const int64_t t1_ = at[e107];
        const int64_t place108 = (t1_ < 0) ? sc_add_i64(t1_, n0) : t1_;
        const int64_t begin109 = sc_quotient(e107, 64) * 64;
        const int64_t length110 = many96 + (begin109 * (-1)) + (sc_maximum_i64(0, (many96 + (begin109 * (-1)) + (-64))) * (-1));
        int64_t rank111 = 0;
        #pragma unroll 4
        for (int64_t j112 = 0; j112 < length110; ++j112) {
            const int64_t other113 = begin109 + j112;
            const int64_t t2_ = at[other113];
            rank111 = sc_add_i64(rank111, ((int64_t)(((t2_ < 0) ? sc_add_i64(t2_, n0) : t2_) < sc_add_i64(place108, ((int64_t)(other113 < e107))))));
        }
        const int64_t to114 = begin109 + rank111;
        places105[to114] = place108;
        order106[to114] = e107;
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k159_scatter(const int64_t many96, const int64_t merge117, int64_t *restrict places105, int64_t *restrict order106) {
    const int64_t source119 = (many96 * merge117) + (many96 * sc_quotient(merge117, 2) * (-2));
    const int64_t end127 = many96 + source119;
    for (int64_t e118 = sc_thread(); e118 < many96; e118 += sc_threads()) {
        int64_t length120 = 64;
        #pragma unroll 4
        for (int64_t k121 = 0; k121 < merge117; ++k121) {
            length120 = sc_multiply_i64(length120, 8);
        }
        const int64_t run122 = sc_quotient(e118, length120);
        const int64_t group123 = sc_quotient(run122, 8);
        const int64_t own124 = run122 + (group123 * (-8));
        const int64_t begin125 = length120 * group123 * 8;
        const int64_t place126 = places105[e118 + source119];
        const int64_t earlier128 = (int64_t)(0 < own124);
        const int64_t start129 = source119 + length120 + (length120 * earlier128 * (-1)) + begin125;
        const int64_t limit130 = sc_minimum_i64((length120 + start129), end127);
        int64_t found131 = start129;
        const int64_t earlier132 = (int64_t)(1 < own124);
        const int64_t start133 = source119 + (length120 * 2) + (length120 * earlier132 * (-1)) + begin125;
        const int64_t limit134 = sc_minimum_i64((length120 + start133), end127);
        int64_t found135 = start133;
        const int64_t earlier136 = (int64_t)(2 < own124);
        const int64_t start137 = source119 + (length120 * 3) + (length120 * earlier136 * (-1)) + begin125;
        const int64_t limit138 = sc_minimum_i64((length120 + start137), end127);
        int64_t found139 = start137;
        const int64_t earlier140 = (int64_t)(3 < own124);
        const int64_t start141 = source119 + (length120 * 4) + (length120 * earlier140 * (-1)) + begin125;
        const int64_t limit142 = sc_minimum_i64((length120 + start141), end127);
        int64_t found143 = start141;
        const int64_t earlier144 = (int64_t)(4 < own124);
        const int64_t start145 = source119 + (length120 * 5) + (length120 * earlier144 * (-1)) + begin125;
        const int64_t limit146 = sc_minimum_i64((length120 + start145), end127);
        int64_t found147 = start145;
        const int64_t earlier148 = (int64_t)(5 < own124);
        const int64_t start149 = source119 + (length120 * 6) + (length120 * earlier148 * (-1)) + begin125;
        const int64_t limit150 = sc_minimum_i64((length120 + start149), end127);
        int64_t found151 = start149;
        const int64_t earlier152 = (int64_t)(6 < own124);
        const int64_t start153 = source119 + (length120 * 7) + (length120 * earlier152 * (-1)) + begin125;
        const int64_t limit154 = sc_minimum_i64((length120 + start153), end127);
        int64_t found155 = start153;
        int64_t step156 = length120;
        for (int64_t k157 = 0; k157 < (merge117 * 3) + 7; ++k157) {
            const int64_t t1_ = (places105[sc_minimum_i64((found131 + step156), limit130) + (-1)] < (place126 + earlier128)) ? ((!(limit130 < (found131 + step156))) ? step156 : 0) : 0;
            found131 = sc_add_i64(found131, t1_);
            const int64_t t2_ = (places105[sc_minimum_i64((found135 + step156), limit134) + (-1)] < (place126 + earlier132)) ? ((!(limit134 < (found135 + step156))) ? step156 : 0) : 0;
            found135 = sc_add_i64(found135, t2_);
            const int64_t t3_ = (places105[sc_minimum_i64((found139 + step156), limit138) + (-1)] < (place126 + earlier136)) ? ((!(limit138 < (found139 + step156))) ? step156 : 0) : 0;
            found139 = sc_add_i64(found139, t3_);
            const int64_t t4_ = (places105[sc_minimum_i64((found143 + step156), limit142) + (-1)] < (place126 + earlier140)) ? ((!(limit142 < (found143 + step156))) ? step156 : 0) : 0;
            found143 = sc_add_i64(found143, t4_);
            const int64_t t5_ = (places105[sc_minimum_i64((found147 + step156), limit146) + (-1)] < (place126 + earlier144)) ? ((!(limit146 < (found147 + step156))) ? step156 : 0) : 0;
            found147 = sc_add_i64(found147, t5_);
            const int64_t t6_ = (places105[sc_minimum_i64((found151 + step156), limit150) + (-1)] < (place126 + earlier148)) ? ((!(limit150 < (found151 + step156))) ? step156 : 0) : 0;
            found151 = sc_add_i64(found151, t6_);
            const int64_t t7_ = (places105[sc_minimum_i64((found155 + step156), limit154) + (-1)] < (place126 + earlier152)) ? ((!(limit154 < (found155 + step156))) ? step156 : 0) : 0;
            found155 = sc_add_i64(found155, t7_);
            step156 = sc_minimum_i64(step156, sc_quotient(step156, 2));
        }
        const int64_t t8_ = many96 + e118 + (source119 * (-1)) + (length120 * run122 * (-1)) + begin125 + (start129 * (-1)) + found131 + (start133 * (-1)) + found135 + (start137 * (-1)) + found139 + (start141 * (-1)) + found143 + (start145 * (-1)) + found147 + (start149 * (-1)) + found151 + (start153 * (-1)) + found155;
        const int64_t to158 = t8_;
        places105[to158] = place126;
        order106[to158] = order106[e118 + source119];
    }
}

/* writes: scatter(x, v, at, axes=(0,), position=0, monoid=None) */
extern "C" __global__ void __launch_bounds__(256)
k167_scatter(const int64_t many96, const int64_t n2, const int64_t merges116, const int64_t *restrict places105, const int64_t *restrict order106, const double *restrict v, double *restrict out1) {
    for (int64_t s160 = sc_row(); s160 < many96; s160 += sc_rows()) {
        const int64_t at161 = (many96 * merges116) + (many96 * sc_quotient(merges116, 2) * (-2)) + s160;
        const int64_t h165 = places105[at161];
        const int64_t place162 = h165;
        const int64_t h166 = order106[at161];
        const int64_t e163 = h166;
        for (int64_t v_1 = sc_thread(); v_1 < n2; v_1 += sc_threads()) {
            bool more164 = false;
            if (s160 < (many96 + (-1))) {
                more164 = more164 || (places105[at161 + 1] == place162);
            }
            if (!more164) {
                out1[(n2 * place162) + v_1] = v[(n2 * e163) + v_1];
            }
        }
    }
}
