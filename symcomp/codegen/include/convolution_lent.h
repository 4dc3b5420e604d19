/* Kernels of the library `direct` that it lends to others: each is compiled once. */

typedef struct NAME(kernels) {
    void (*tile)(int64_t vectors, int64_t rows, int64_t terms, const T *a, int64_t a_step, const T *b,
                 const int64_t *offset, T *c, int64_t c_step, int add);
    void (*turn)(const T *gradient, const T *end, int64_t filters, int64_t pitch, int64_t count,
                 int64_t width, T *turned);
    void (*gather_planes)(int64_t all, int64_t pitch, const int64_t *offset, const T *prepared,
                          int64_t rows, int64_t columns, const T *turned, int64_t width, T *partial);
    void (*turn_sums)(const T *sums, int64_t pitch, int64_t filters, int64_t channels, const T *end,
                      T *partial, int64_t width);
} NAME(kernels);

#define LENT ((const NAME(kernels) *)runtime->NAME(convolution)[SYMCOMP_DIRECT]->kernels)
