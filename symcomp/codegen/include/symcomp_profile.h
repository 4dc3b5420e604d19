/* Times of kernels, for functions compiled with profile=True; no other file includes this.
 *
 * SYMCOMP_PROFILE(n, m), once in a file, makes room for n kernels and m sizes, and exports what
 * reads it: symcomp_profile(out) fills out[2 * k] with the nanoseconds of kernel k, out[2 * k + 1]
 * with its calls, and then the sizes of the last call. SYMCOMP_TIMED(k, call) does and times a call,
 * SYMCOMP_SIZE(d, n) notes a size. Functions may run in several threads at once.
 */
#ifndef SYMCOMP_PROFILE_H
#define SYMCOMP_PROFILE_H

#include <stdint.h>
#include <time.h>

static inline int64_t sc_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#define SYMCOMP_PROFILE(count, sizes)                                                              \
    static int64_t sc_times[2 * (count) + (sizes) + 1];                                            \
    SYMCOMP_EXPORT void symcomp_profile(int64_t *out) {                                            \
        for (int64_t k = 0; k < 2 * (count) + (sizes); ++k)                                        \
            out[k] = __atomic_load_n(&sc_times[k], __ATOMIC_RELAXED);                              \
    }

#define SYMCOMP_SIZE(place, n) __atomic_store_n(&sc_times[place], n, __ATOMIC_RELAXED)

#define SYMCOMP_TIMED(number, call)                                                                \
    do {                                                                                           \
        const int64_t start_ = sc_nanoseconds();                                                   \
        call;                                                                                      \
        __atomic_fetch_add(&sc_times[2 * (number)], sc_nanoseconds() - start_, __ATOMIC_RELAXED);  \
        __atomic_fetch_add(&sc_times[2 * (number) + 1], 1, __ATOMIC_RELAXED);                      \
    } while (0)

#endif
