/* The kernels of matrix products and convolutions; gpu_products.c launches them, with the
 * parameters of product_parameters.h. They are compiled once per machine, and for one type at a
 * time (products_f32.cu, products_f64.cu): most programs need one.
 *
 * Those that end in _add are the second step of products in parts. All have blocks of 256 threads
 * along x, as many as the tiles, in x and if need be in y.
 */
#include "symcomp_device.cuh"

#include "product.cuh"
#include "correlation.cuh"
#include "channels.cuh"

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
        const sc_matrix<T, Shape::ROWS, Shape::DEPTH> left(
            job.left, p.left.stride, !p.left.transposed, job.rows, job.first_row, job.first_term);
        const sc_matrix<T, Shape::COLUMNS, Shape::DEPTH> right(job.right, p.right.stride,
                                                               p.right.transposed, job.columns,
                                                               job.first_column, job.first_term);
        sc_product_tile<T, Shape>(bench, left, right);
    }
};

/* --- kernels -----------------------------------------------------------------------------------*/

/* Two blocks on a multiprocessor: so nobody waits for a barrier, or for memory, alone. */
#define SC_PRODUCT_KERNEL(name, T, Shape, Problem, Parameters)                                     \
    extern "C" __global__ void __launch_bounds__(SC_THREADS, 2)                                    \
        name(const __grid_constant__ Parameters p) {                                               \
        __shared__ Problem<T>::Bench<Shape> bench;                                                 \
        sc_product<T, Shape>(Problem<T>(p), bench);                                                \
    }

/* The sum of a product's parts. */
#define SC_ADD_KERNEL(name, T, Problem, Parameters)                                                \
    extern "C" __global__ void __launch_bounds__(SC_THREADS)                                       \
        name(const __grid_constant__ Parameters p) {                                               \
        __shared__ sc_job job;                                                                     \
        __shared__ T sums[8][32];                                                                  \
        sc_add_parts(Problem<T>(p), job, sums);                                                    \
    }

#define SC_CHANNELS_KERNEL(name, T, function)                                                      \
    extern "C" __global__ void __launch_bounds__(SC_THREADS, 4)                                    \
        name(const __grid_constant__ sc_correlation p) {                                           \
        function<T>(p);                                                                            \
    }

#define SC_KERNELS(T, suffix, Shape)                                                               \
    SC_PRODUCT_KERNEL(sc_multiply_##suffix, T, Shape, sc_matrices, sc_multiplication)              \
    SC_PRODUCT_KERNEL(sc_forward_##suffix, T, Shape, sc_forward, sc_correlation)                   \
    SC_PRODUCT_KERNEL(sc_backward_##suffix, T, Shape, sc_backward, sc_correlation)                 \
    SC_PRODUCT_KERNEL(sc_filters_##suffix, T, Shape, sc_of_filters, sc_correlation)                \
    SC_ADD_KERNEL(sc_multiply_add_##suffix, T, sc_matrices, sc_multiplication)                     \
    SC_ADD_KERNEL(sc_forward_add_##suffix, T, sc_forward, sc_correlation)                          \
    SC_ADD_KERNEL(sc_backward_add_##suffix, T, sc_backward, sc_correlation)                        \
    SC_CHANNELS_KERNEL(sc_channels_forward_##suffix, T, sc_channels_forward)                       \
    SC_CHANNELS_KERNEL(sc_channels_backward_##suffix, T, sc_channels_backward)                     \
    SC_CHANNELS_KERNEL(sc_channels_filters_##suffix, T, sc_channels_filters)
