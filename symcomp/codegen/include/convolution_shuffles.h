/* Three shuffles of two vectors: their even lanes; their lower halves woven, and their upper halves.
 *
 * gcc takes which lanes as a vector: constants that are read, not loops that it would have to unroll
 * at each use. Clang takes them as numbers, of which there are as many as lanes.
 */

#define SIXTEEN(X, n)                                                                              \
    {X(n, 0), X(n, 1), X(n, 2), X(n, 3), X(n, 4), X(n, 5), X(n, 6), X(n, 7), X(n, 8), X(n, 9),     \
     X(n, 10), X(n, 11), X(n, 12), X(n, 13), X(n, 14), X(n, 15)}

#if !defined(__clang__)

#define EVEN(first, n) 2 * n
#define WOVEN(first, n) first + n / 2 + n % 2 * (VECTOR_BYTES / sizeof(T))
static const INTEGER NAME(lanes)[3][16] __attribute__((aligned(64))) = {
    SIXTEEN(EVEN, 0), SIXTEEN(WOVEN, 0), SIXTEEN(WOVEN, VECTOR_BYTES / sizeof(T) / 2),
};
#define SHUFFLED(a, b, n) __builtin_shuffle(a, b, *(const NAME(mask) *)NAME(lanes)[n])
#define EVEN_LANES(a, b) SHUFFLED(a, b, 0)
#define LOWER_WOVEN(a, b) SHUFFLED(a, b, 1)
#define UPPER_WOVEN(a, b) SHUFFLED(a, b, 2)

#else

#define EVEN_2 0, 2
#define LOWER_2 0, 2
#define UPPER_2 1, 3
#define EVEN_4 0, 2, 4, 6
#define LOWER_4 0, 4, 1, 5
#define UPPER_4 2, 6, 3, 7
#define EVEN_8 0, 2, 4, 6, 8, 10, 12, 14
#define LOWER_8 0, 8, 1, 9, 2, 10, 3, 11
#define UPPER_8 4, 12, 5, 13, 6, 14, 7, 15
#define EVEN_16 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define LOWER_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define UPPER_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#if defined(__AVX512F__)
#define LANES_f32 16
#define LANES_f64 8
#elif defined(__AVX__)
#define LANES_f32 8
#define LANES_f64 4
#else
#define LANES_f32 4
#define LANES_f64 2
#endif
#define NUMBERS_(name, lanes) PASTE_(name, lanes)
#define NUMBERS(name) NUMBERS_(name, LANES_OF(SUFFIX))
#define LANES_OF_(suffix) LANES_##suffix
#define LANES_OF(suffix) LANES_OF_(suffix)
#define EVEN_LANES(a, b) __builtin_shufflevector(a, b, NUMBERS(EVEN))
#define LOWER_WOVEN(a, b) __builtin_shufflevector(a, b, NUMBERS(LOWER))
#define UPPER_WOVEN(a, b) __builtin_shufflevector(a, b, NUMBERS(UPPER))

#endif
