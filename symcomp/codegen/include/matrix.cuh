/* An operand that is a matrix: a part of product.cuh. */
#ifndef SYMCOMP_MATRIX_CUH
#define SYMCOMP_MATRIX_CUH

#include "product.cuh"

/* Its rows lie `stride` apart, and are the edge, or the inner index. Where they are the inner index
 * a thread copies four neighbours at once, if they are aligned. */
template <typename T, class Shape, int EDGE> struct sc_matrix {
    static constexpr int DEPTH = Shape::DEPTH, THREADS = Shape::THREADS;
    static constexpr int ACROSS = EDGE / 4; /* vectors of a row */
    const T *from;
    int64_t stride;
    int32_t edge, inner;
    int32_t left_over; /* edges from this thread's first one on */
    int32_t terms;
    bool rows_are_edges, aligned;

    __device__ sc_matrix(uint64_t rows, int64_t apart, bool are_edges, int64_t edges,
                         int64_t first_edge, const sc_job &job)
        : stride(apart), terms(job.terms), rows_are_edges(are_edges) {
        const int32_t thread = threadIdx.x;
        edge = are_edges ? thread / DEPTH : thread % ACROSS * 4;
        inner = are_edges ? thread % DEPTH : thread / ACROSS;
        const int64_t at_edge = first_edge + edge, at_term = job.first_term + inner;
        left_over = (int32_t)sc_fewer<int64_t>(edges - at_edge, EDGE);
        from = reinterpret_cast<const T *>(rows) +
               (are_edges ? at_edge * stride + at_term : at_term * stride + at_edge);
        aligned = (reinterpret_cast<uint64_t>(from) & 15) == 0 &&
                  stride % sc_vector<T>::LENGTH == 0;
    }

    __device__ void begin() {}

    __device__ void read(int32_t k, sc_run<T, EDGE, DEPTH> &run) {
        if (rows_are_edges)
            read_across(terms - k - inner, run);
        else
            read_along(terms - k - inner, run);
        from += rows_are_edges ? DEPTH : DEPTH * stride;
    }

    /* Neighbouring threads read neighbouring terms of a row. */
    __device__ void read_across(int32_t terms_left, sc_run<T, EDGE, DEPTH> &run) const {
        constexpr int EVERY = THREADS / DEPTH;
#pragma unroll
        for (int i = 0; i < EDGE / EVERY; ++i)
            sc_start_copy<1>(&run.at[inner][edge + i * EVERY], from + i * EVERY * stride,
                          i * EVERY < left_over && terms_left > 0);
    }

    /* Neighbouring threads read neighbouring edges. */
    __device__ void read_along(int32_t terms_left, sc_run<T, EDGE, DEPTH> &run) const {
        constexpr int EVERY = THREADS / ACROSS, LENGTH = sc_vector<T>::LENGTH;
#pragma unroll
        for (int v = 0; v < DEPTH; v += EVERY) {
            if (EVERY > DEPTH && inner >= DEPTH)
                break; /* there are more threads than vectors */
            const int32_t few = v < terms_left ? left_over : 0;
            T *const to = &run.at[inner + v][edge];
            const T *const row = from + v * stride;
#pragma unroll
            for (int i = 0; i < 4; i += LENGTH) {
                if (aligned)
                    sc_start_copy<LENGTH>(to + i, row + i,
                                          sc_more(sc_fewer(few - i, LENGTH), 0));
                else
#pragma unroll
                    for (int n = i; n < i + LENGTH; ++n)
                        sc_start_copy<1>(to + n, row + n, n < few);
            }
        }
    }
};

#endif
