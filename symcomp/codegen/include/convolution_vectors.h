/* The longest vectors of the machine that a library is compiled on, and what is done with them at once. */

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#define VECTOR_BYTES_ARE_64 1
#elif defined(__AVX__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif

/* Whether vectors are added beside those that are multiplied, at the same time: AMD's from Zen 4 on, which
 * older compilers take for a Zen 3 that has the longest vectors. */
#if !defined(SEPARATE_ADDERS) && defined(__AVX512F__) && \
    (defined(__znver3__) || defined(__znver4__) || defined(__znver5__))
#define SEPARATE_ADDERS 1
#endif
