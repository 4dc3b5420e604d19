/* The language of CUDA kernels for a C++ compiler of the host: so that what is generated for a GPU
 * is run and examined without one, as it is.
 *
 * The one idea: the threads of a block are run one at a time, each on a stack of its own from where
 * it first waits, and every place where threads wait or exchange values is checked: all must come
 * to the same one.  In which order threads run is chosen by SYMCOMP_EMULATION_ORDER (see
 * emulation_threads.h): what lacks a barrier gives other results in another order.  Shared memory
 * is filled with ones (nan, -1) before each block.  Sanitizers see kernels as ordinary code.
 *
 *   emulation.h             the words of the language: qualifiers, vectors of numbers
 *   emulation_threads.h     threads, and the launch of a grid
 *   emulation_waiting.h     barriers, and what the lanes of a warp exchange
 *   emulation_functions.h   atomic operations and functions that the device has
 *
 * Not here: what only timing shows (races of streams, weakly ordered memory), tensor cores, PTX,
 * half precision.  SYMCOMP_EMULATED(kernel), once after each kernel's definition, exports
 *
 *     int emulated_<kernel>(const unsigned grid[3], const unsigned block[3], size_t shared,
 *                           void **arguments)
 *
 * which runs it, `arguments` pointing at the value of each; it answers 0, or CUDA's number of an
 * error, whose text emulated_error() then returns.  Without a grid it only lets *arguments point at
 * the sizes of its arguments, a list of size_t that ends in 0.
 */
#ifndef SYMCOMP_EMULATION_H
#define SYMCOMP_EMULATION_H

/* The C library's own <math.h>: the C++ one takes longer to read than all the rest. */
#define _GLIBCXX_INCLUDE_NEXT_C_HEADERS
#include <math.h>
#undef _GLIBCXX_INCLUDE_NEXT_C_HEADERS
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SYMCOMP_EMULATED_EXPORT extern "C" __attribute__((visibility("default")))

/* --- qualifiers -------------------------------------------------------------------------------*/

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __shared__ static __attribute__((section("emulated_shared")))
#define warpSize 32

/* --- vectors of numbers -----------------------------------------------------------------------*/

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

/* Aligned as the device reads them, by 16 bytes at most. */
#define EMULATED_VECTORS(type, name)                                                               \
    struct alignas(2 * sizeof(type)) name##2 {                                                     \
        type x, y;                                                                                 \
    };                                                                                             \
    struct alignas(4 * sizeof(type) < 16 ? 4 * sizeof(type) : 16) name##4 {                        \
        type x, y, z, w;                                                                           \
    };                                                                                             \
    static inline name##2 make_##name##2(type x, type y) { return {x, y}; }                        \
    static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }

EMULATED_VECTORS(signed char, char)
EMULATED_VECTORS(unsigned char, uchar)
EMULATED_VECTORS(short, short)
EMULATED_VECTORS(unsigned short, ushort)
EMULATED_VECTORS(int, int)
EMULATED_VECTORS(unsigned, uint)
EMULATED_VECTORS(long, long)
EMULATED_VECTORS(unsigned long, ulong)
EMULATED_VECTORS(long long, longlong)
EMULATED_VECTORS(unsigned long long, ulonglong)
EMULATED_VECTORS(float, float)
EMULATED_VECTORS(double, double)

/* --- where a thread waits, told to those who wait -----------------------------------------------*/

#define SC_SITE int site = __builtin_LINE()
#define SC_AND_SITE , int site = __builtin_LINE()
#define SC_HERE site
#define SC_AND_HERE , site

#include "emulation_threads.h"
#include "emulation_waiting.h"
#include "emulation_functions.h"

#define SC_DYNAMIC_SHARED(type, name, start)                                                       \
    type *const name = reinterpret_cast<type *>(emulation::dynamic_shared + (start))

#define SYMCOMP_EMULATED(kernel)                                                                   \
    SYMCOMP_EMULATED_EXPORT int emulated_##kernel(const unsigned grid[3], const unsigned block[3], \
                                                  size_t shared, void **arguments) {               \
        typedef emulation::threads_of<kernel> all;                                                 \
        if (grid == nullptr) return all::sizes(arguments);                                         \
        return emulation::launch(all::run, grid, block, shared, arguments);                        \
    }

#endif
