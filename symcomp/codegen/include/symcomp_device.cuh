/* The first line of every generated .cu file: symcomp's mathematics as device code, and what a team
 * of threads does together.
 *
 * The one idea: kernels use the same headers as the CPU's C, so a function has the same accuracy and
 * the same random bits on both, and the same method but for what is an instruction of a GPU.  Only
 * the words around them differ, and are given here for three compilers: nvcc, NVRTC (which has no
 * standard headers) and, for tests without a GPU, a C++ compiler of the host (emulation.h).
 *
 * A block is blockDim.y teams of blockDim.x threads, 1024 at most.  Teams up to 32 wide lie within a
 * warp, and their width is a power of two; wider ones are whole warps, and alone in their block.  All
 * threads of a team call the functions of teams the same number of times.
 */
#ifndef SYMCOMP_DEVICE_CUH
#define SYMCOMP_DEVICE_CUH

#if defined(__CUDACC_RTC__)

typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;

#define INT64_C(n) n##L
#define UINT64_C(n) n##UL
#define INT8_MIN (-128)
#define INT16_MIN (-32768)
#define INT32_MIN (-2147483647 - 1)
#define INT64_MIN (-9223372036854775807L - 1)
#define INT8_MAX 127
#define INT16_MAX 32767
#define INT32_MAX 2147483647
#define INT64_MAX 9223372036854775807L
#define UINT8_MAX 255
#define UINT16_MAX 65535
#define UINT32_MAX 4294967295U
#define UINT64_MAX 18446744073709551615UL

#elif defined(__CUDACC__)

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#endif

/* A file of many kernels may be compiled in parts, side by side: each takes every so-many-th kernel. */
#if defined(SYMCOMP_PARTS)
#define SC_IN_PART(number) ((number) % SYMCOMP_PARTS == SYMCOMP_PART)
#else
#define SC_IN_PART(number) 1
#endif

#if defined(__CUDACC__)

/* Unused functions of the headers are no news. */
#pragma nv_diag_suppress 177

#define SC_INLINE static __device__ __forceinline__
#define SC_FUNCTION static __device__ inline
/* Read at addresses that differ between the threads of a warp, which constant memory is slow at. */
#define SC_TABLE static __device__ const

/* The compiler's built-in functions by which the headers name what is one instruction. */
#define __builtin_memcpy memcpy
#define __builtin_inff() __int_as_float(0x7f800000)
#define __builtin_inf() __longlong_as_double(0x7ff0000000000000)
#define __builtin_nanf(text) __int_as_float(0x7fc00000)
#define __builtin_nan(text) __longlong_as_double(0x7ff8000000000000)
#define __builtin_fabsf fabsf
#define __builtin_fabs fabs
#define __builtin_fmaf fmaf
#define __builtin_fma fma
#define __builtin_sqrtf sqrtf
#define __builtin_sqrt sqrt
#define __builtin_rintf rintf
#define __builtin_rint rint
#define __builtin_floorf floorf
#define __builtin_floor floor
#define __builtin_ceilf ceilf
#define __builtin_ceil ceil
#define __builtin_truncf truncf
#define __builtin_trunc trunc
#define __builtin_fmod fmod
#define __builtin_log log
#define __builtin_tgamma tgamma
#define __builtin_signbitf(x) (sc_bits_f32(x) >> 31)
#define __builtin_signbit(x) (sc_bits_f64(x) >> 63)

/* A function of a record. */
#define SC_METHOD __device__ __forceinline__

/* Where a thread waits is told by the emulation alone. */
#define SC_SITE
#define SC_AND_SITE
#define SC_HERE
#define SC_AND_HERE

/* The block's dynamic shared memory, and what lies in it from a byte on: `type *name`. */
extern __shared__ __align__(16) unsigned char sc_dynamic_shared[];
#define SC_DYNAMIC_SHARED(type, name, start) \
    type *const name = reinterpret_cast<type *>(sc_dynamic_shared + (start))

#else

#include "emulation.h"

#define SC_INLINE static inline __attribute__((always_inline))
#define SC_METHOD inline __attribute__((always_inline))
#define SC_FUNCTION static inline
#define SC_TABLE static const

#endif

#undef NAN
#undef INFINITY
#define NAN __builtin_nanf("")
#define INFINITY __builtin_inff()
#define restrict __restrict__
#define lgamma_r(x, sign) lgamma(x)

#include "symcomp_math.h"
#include "symcomp_numbers.h"

#include "symcomp_team.cuh"

#endif
