/* Kernels of the library `direct`, which all functions that convolve have loaded: what others need of them
 * is lent to them, and compiled once. */

typedef struct NAME(kernels) {
    void (*tile)(int64_t vectors, int64_t rows, int64_t terms, const T *a, int64_t a_step, const T *b,
                 const int64_t *offset, T *c, int64_t c_step, int add);
    void (*turn)(const T *gradient, const T *end, int64_t filters, int64_t pitch, int64_t count,
                 int64_t width, T *turned);
    void (*gather_planes)(int64_t all, int64_t pitch, const int64_t *offset, const T *prepared,
                          int64_t rows, int64_t columns, const T *turned, int64_t width, T *partial);
    void (*to_lanes)(const T *const *from, int64_t offset, int64_t count, const T *end, T *to,
                     int64_t step);
} NAME(kernels);

#define LENT ((const NAME(kernels) *)runtime->NAME(convolution)[SYMCOMP_DIRECT]->kernels)
