/* Vector mathematics for generated C: functions of one number that a loop may call and still be
 * vectorised.
 *
 * The one idea: every function is a straight line of additions, multiplications, integer
 * operations and selections, without branches, calls or errno, so that `#pragma omp simd` over a
 * loop turns it into whole-register code for whatever the compiler's -m flags offer (SSE2 upwards).
 *
 * Flags expected (gcc and clang): -O3 -march=native -fopenmp-simd -ffp-contract=fast
 * -fno-math-errno -fno-trapping-math.  Never -ffast-math: nan, inf, -0.0 and subnormal numbers
 * give what NumPy gives.  Where the name does not say otherwise the functions come in pairs,
 * sc_<name>_f32(float) and sc_<name>_f64(double).
 *
 *   symcomp_math_base.h      bits, rounding, maximum, minimum, sign, sqrt, hypot, cbrt
 *   symcomp_math_exp.h       exp, exp2, expm1, sigmoid, tanh, sinh, cosh
 *   symcomp_math_log.h       log, log2, log10, log1p, softplus, logaddexp, asinh, acosh, atanh, pow
 *   symcomp_math_trig.h      sin, cos, tan, asin, acos, atan, atan2
 *   symcomp_math_special.h   erf, erfc vectorise; gamma, psi, erfinv, ndtri, Bessel i0, i1 do not
 *   symcomp_math_integer.h   mod and floor_divide as NumPy defines them, integer power, casts
 *   symcomp_random.h         random bits by their place, and the numbers that are made of them
 *
 * Coefficients are minimax polynomials computed for this file (Remez exchange in 50 digits, the
 * leading coefficients rounded first and the others fitted again); the methods named in the
 * comments are in Muller, "Elementary Functions", 3rd edition, and in the papers cited there.
 */
#ifndef SYMCOMP_MATH_H
#define SYMCOMP_MATH_H

#include "symcomp_math_base.h"
#include "symcomp_math_exp.h"
#include "symcomp_math_integer.h"
#include "symcomp_math_log.h"
#include "symcomp_math_special.h"
#include "symcomp_math_trig.h"
#include "symcomp_random.h"

#endif
