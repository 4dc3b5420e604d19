/* The kernels of matrix products and convolutions; gpu_products.c launches them, with the
 * parameters of product_parameters.h. They are compiled once per machine, and for one type at a
 * time (products_f32.cu, products_f64.cu): most programs need one.
 *
 * Those that end in _add are the second step of products in parts; those of far points are for
 * filters with very many taps. Blocks lie in x and if need be in y: as many as the tiles, with the
 * threads of their shape; or with SC_THREADS.
 */
#include "symcomp_device.cuh"

#include "correlation.cuh"
#include "channels.cuh"
#include "matrix.cuh"

/* --- matrix products ---------------------------------------------------------------------------*/

template <typename T> struct sc_matrices {
    const sc_multiplication &p;
    const sc_extents &extents;

    template <class Shape> using Bench = sc_bench<T, Shape>;

    __device__ explicit sc_matrices(const sc_multiplication &parameters)
        : p(parameters), extents(parameters.extents) {}

    static __device__ uint64_t place(const sc_operand &operand, int64_t number) {
        return operand.place + number * operand.step * sizeof(T);
    }

    __device__ void prepare(int64_t number, sc_job &job) const {
        job.left = place(p.left, number), job.right = place(p.right, number);
        job.target = sc_target{place(p.target, number), p.target.stride, nullptr, p.alpha,
                               p.beta};
    }

    template <class Shape> __device__ void tile(sc_bench<T, Shape> &bench) const {
        const sc_job &job = bench.job;
        const sc_matrix<T, Shape, Shape::ROWS> left(job.left, p.left.stride, !p.left.transposed,
                                                    job.rows, job.first_row, job);
        const sc_matrix<T, Shape, Shape::COLUMNS> right(job.right, p.right.stride,
                                                        p.right.transposed, job.columns,
                                                        job.first_column, job);
        sc_product_tile<T, Shape>(bench, left, right);
    }
};

/* --- kernels -----------------------------------------------------------------------------------*/

/* A kernel for products of a problem, whose type comes last. Blocks share a multiprocessor: so
 * nobody waits for a barrier, or for memory, alone. */
#define SC_PRODUCT_KERNEL(name, T, Shape, Parameters, ...)                                         \
    extern "C" __global__ void __launch_bounds__(Shape::THREADS, Shape::BLOCKS)                 \
        name(const __grid_constant__ Parameters p) {                                               \
        typedef __VA_ARGS__ Problem;                                                               \
        __shared__ Problem::Bench<Shape> bench;                                                    \
        sc_product<T, Shape>(Problem(p), bench);                                                   \
    }

/* The sum of a product's parts. */
#define SC_ADD_KERNEL(name, T, Parameters, ...)                                                    \
    extern "C" __global__ void __launch_bounds__(SC_THREADS)                                       \
        name(const __grid_constant__ Parameters p) {                                               \
        __shared__ sc_job job;                                                                     \
        __shared__ T sums[8][32];                                                                  \
        sc_add_parts(__VA_ARGS__(p), job, sums);                                                   \
    }

#define SC_ELEMENTS_KERNEL(name, T, function)                                                      \
    extern "C" __global__ void __launch_bounds__(SC_THREADS, 4)                                    \
        name(const __grid_constant__ sc_correlation p) {                                           \
        function<T>(p);                                                                            \
    }

/* The three of a convolution; `kind` stands in their names. */
#define SC_CORRELATION_KERNELS(T, kind, Shape, Point)                                              \
    SC_PRODUCT_KERNEL(sc_forward_##kind, T, Shape, sc_correlation, sc_forward<T, Point>)           \
    SC_PRODUCT_KERNEL(sc_backward_##kind, T, Shape, sc_correlation, sc_backward<T, Point>)         \
    SC_PRODUCT_KERNEL(sc_filters_##kind, T, Shape, sc_correlation, sc_of_filters<T, Point>)

/* All kernels with tiles of a shape. */
#define SC_TILE_KERNELS(T, kind, Shape)                                                            \
    SC_PRODUCT_KERNEL(sc_multiply_##kind, T, Shape, sc_multiplication, sc_matrices<T>)             \
    SC_CORRELATION_KERNELS(T, kind, Shape, sc_near)

#define SC_KERNELS(T, suffix, Shape)                                                               \
    SC_TILE_KERNELS(T, suffix, Shape)                                                              \
    SC_CORRELATION_KERNELS(T, far_##suffix, Shape, sc_far)                                         \
    SC_ADD_KERNEL(sc_multiply_add_##suffix, T, sc_multiplication, sc_matrices<T>)                  \
    SC_ADD_KERNEL(sc_forward_add_##suffix, T, sc_correlation, sc_forward<T, sc_near>)              \
    SC_ADD_KERNEL(sc_backward_add_##suffix, T, sc_correlation, sc_backward<T, sc_near>)            \
    SC_ELEMENTS_KERNEL(sc_turn_filters_##suffix, T, sc_turn_filters)                               \
    SC_ELEMENTS_KERNEL(sc_channels_forward_##suffix, T, sc_channels_forward)                       \
    SC_ELEMENTS_KERNEL(sc_channels_backward_##suffix, T, sc_channels_backward)                     \
    SC_ELEMENTS_KERNEL(sc_channels_filters_##suffix, T, sc_channels_filters)
