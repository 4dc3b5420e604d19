/* The kernels of matrix products; gpu_products.c launches them, with the parameters of
 * product_parameters.h. Each is a file of its own, compiled once per machine when a call needs it
 * (gpu_libraries.py).
 *
 * That which ends in _add is the second step of products in parts. Blocks lie in x and if need be
 * in y: as many as the tiles, with the threads of their shape; or with SC_THREADS.
 */
#ifndef SYMCOMP_PRODUCTS_CUH
#define SYMCOMP_PRODUCTS_CUH

#include "symcomp_device.cuh"

#include "matrix.cuh"

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

    __device__ void narrow(const sc_job &, int, int64_t &, int64_t &) const {}

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
    extern "C" __global__ void __launch_bounds__(Shape::THREADS, Shape::BLOCKS)                    \
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

/* The shape of tiles that there is for every type. */
template <typename T> struct sc_usual_shape {
    typedef sc_middle shape;
};
template <> struct sc_usual_shape<double> {
    typedef sc_double shape;
};
#define SC_USUAL(T) sc_usual_shape<T>::shape

/* SC_KERNEL_name(T, suffix) is the kernel sc_name_suffix. */
#define SC_KERNEL_multiply(T, suffix)                                                              \
    SC_PRODUCT_KERNEL(sc_multiply_##suffix, T, SC_USUAL(T), sc_multiplication, sc_matrices<T>)
#define SC_KERNEL_multiply_flat(T, suffix)                                                         \
    SC_PRODUCT_KERNEL(sc_multiply_flat_##suffix, T, sc_flat, sc_multiplication, sc_matrices<T>)
#define SC_KERNEL_multiply_small(T, suffix)                                                        \
    SC_PRODUCT_KERNEL(sc_multiply_small_##suffix, T, sc_small, sc_multiplication, sc_matrices<T>)
#define SC_KERNEL_multiply_add(T, suffix)                                                          \
    SC_ADD_KERNEL(sc_multiply_add_##suffix, T, sc_multiplication, sc_matrices<T>)

#endif
