/* A matrix product of anything: target(m, n) = sum over k of left(m, k) * right(k, n), where the
 * operands and the target are objects that say where their elements lie.
 *
 * The one idea: a block of threads computes a tile of the target. The terms are taken in short
 * runs: while one run is multiplied out of shared memory, the next one is copied there, past the
 * registers. Every thread keeps its sums in registers. An operand is a matrix (matrix.cuh), or an
 * array that is read where two points of lattices lead together (gather.cuh), as a convolution
 * does. The order of additions depends on nothing but the sizes and the device.
 */
#ifndef SYMCOMP_PRODUCT_CUH
#define SYMCOMP_PRODUCT_CUH

#include "product_parameters.h"

/* The threads of a block are `down` × `across`, and have `height` × `width` sums each, in squares
 * of 4 × 4; where there are two such squares, one below or beside the other, they lie half a tile
 * apart. `blocks` share a multiprocessor. */
template <int height, int width, int down, int across, int blocks> struct sc_shape {
    static constexpr int HEIGHT = height, WIDTH = width, DOWN = down, ACROSS = across, DEPTH = 16;
    static constexpr int THREADS = down * across, ROWS = down * height, COLUMNS = across * width;
    static constexpr int BLOCKS = blocks;
    static_assert(height % 4 == 0 && width % 4 == 0, "sums in squares");
    static_assert(down % 4 == 0 && across % 8 == 0, "a warp is 4 × 8 of the threads");
};

/* gpu_ways.h knows these sizes (`shapes`). */
typedef sc_shape<8, 8, 8, 16, 3> sc_middle;  /* tiles of 64 × 128 */
typedef sc_shape<8, 8, 4, 16, 6> sc_flat;    /* 32 × 128 */
typedef sc_shape<4, 4, 8, 8, 8> sc_small;    /* 32 × 32 */
typedef sc_shape<4, 4, 16, 16, 2> sc_double; /* 64 × 64, of float64 */

/* Threads of a block whose shape does not matter. */
#define SC_THREADS 256

/* One operand's run. Its rows are a vector longer than the tile: so threads that turn a matrix meet
 * different banks. */
template <typename T, int EDGE, int DEPTH> struct alignas(16) sc_run {
    T at[DEPTH][EDGE + 4];
};

template <typename N> static __device__ inline N sc_fewer(N a, N b) { return a < b ? a : b; }
template <typename N> static __device__ inline N sc_more(N a, N b) { return a > b ? a : b; }

/* Sixteen bytes, moved at once. */
template <typename T> struct alignas(16) sc_vector {
    static constexpr int LENGTH = 16 / sizeof(T);
    T at[LENGTH];
};

/* Copies four elements between places that are aligned. */
template <typename T> static __device__ inline void sc_copy_four(T *to, const T *from) {
#pragma unroll
    for (int i = 0; i < 4; i += sc_vector<T>::LENGTH)
        *reinterpret_cast<sc_vector<T> *>(to + i) =
            *reinterpret_cast<const sc_vector<T> *>(from + i);
}

/* Starts to copy COUNT elements into shared memory, of which only the first `count` exist: the
 * others become 0, and what is not there is not read. Both places are aligned as these elements
 * together are. */
template <int COUNT, typename T>
static __device__ inline void sc_start_copy(T *to, const T *from, int count) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(
                     (uint32_t)__cvta_generic_to_shared(to)),
                 "l"(from), "n"(COUNT * sizeof(T)), "r"(count * (int)sizeof(T)));
#else
#pragma unroll
    for (int i = 0; i < COUNT; ++i)
        to[i] = i < count ? __ldg(from + i) : T(0);
#endif
}

/* What this thread started to copy is there. */
static __device__ inline void sc_finish_copies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}


static __device__ inline int64_t sc_ceiling(int64_t n, int64_t d) { return (n + d - 1) / d; }

/* n / d for numbers that are not negative: mostly they are short, and then it is much quicker. */
static __device__ inline int64_t sc_quotient(int64_t n, int64_t d) {
    if (((n | d) >> 32) == 0)
        return (uint32_t)n / (uint32_t)d;
    return n / d;
}

/* Divides a number; what is left over is the result. */
static __device__ inline int64_t sc_divide(int64_t *number, int64_t d) {
    const int64_t quotient = sc_quotient(*number, d), rest = *number - quotient * d;
    *number = quotient;
    return rest;
}

#include "lattice.cuh"

/* --- what a block does -------------------------------------------------------------------------*/

/* Element (m, n) of the target lies at m * stride + the point n of a lattice, or + n where there is
 * none. */
struct sc_target {
    uint64_t place;
    int64_t stride;
    const sc_lattice *columns;
    double alpha, beta;

    template <typename T> __device__ T *column(int64_t n) const {
        return reinterpret_cast<T *>(place) + (columns ? sc_offset_of(*columns, sc_digits_of(*columns, n)) : n);
    }

    /* The old value is read only where it counts. */
    template <typename T> __device__ void put(T sum, T *to) const {
        const T kept = beta == 0 ? T(0) : (T)beta * *to;
        *to = (T)alpha * sum + kept;
    }
};

/* A tile of one of the products; one thread writes it down for all, in shared memory. */
struct sc_job {
    uint64_t left, right;
    sc_target target;
    int64_t rows, columns, inner;
    int64_t first_row, first_column, first_term, part;
    int32_t terms;
    sc_lattice left_edge, left_inner, right_edge, right_inner, target_columns; /* of gathers */
};

/* --- a tile ------------------------------------------------------------------------------------
 * An operand has an edge (the rows of the left one, the columns of the right one) and the inner
 * index. All threads call its `begin` once and `read` for each run, in order; after a barrier the
 * elements are in their run. What lies beyond the edge or the terms is 0. */

template <typename T, class Shape> struct sc_bench {
    sc_job job;
    union {
        struct {
            sc_run<T, Shape::ROWS, Shape::DEPTH> left[2];
            sc_run<T, Shape::COLUMNS, Shape::DEPTH> right[2];
        };
        T results[2][Shape::DOWN][Shape::COLUMNS]; /* two rows of each row of threads */
    };
    static_assert(sizeof(results) <= sizeof(left) + sizeof(right), "results take no more room");
};

/* The sums of one run, of a thread whose squares begin at this row and column. */
template <typename T, class Shape>
static __device__ inline void
sc_multiply_run(T sums[Shape::HEIGHT][Shape::WIDTH],
                const sc_run<T, Shape::ROWS, Shape::DEPTH> &left,
                const sc_run<T, Shape::COLUMNS, Shape::DEPTH> &right, int row, int column) {
    constexpr int BELOW = Shape::ROWS / (Shape::HEIGHT / 4);
    constexpr int BESIDE = Shape::COLUMNS / (Shape::WIDTH / 4);
#pragma unroll 8
    for (int k = 0; k < Shape::DEPTH; ++k) {
        alignas(16) T a[Shape::HEIGHT];
        alignas(16) T b[Shape::WIDTH];
#pragma unroll
        for (int i = 0; i < Shape::HEIGHT; i += 4)
            sc_copy_four(a + i, &left.at[k][i / 4 * BELOW + row]);
#pragma unroll
        for (int j = 0; j < Shape::WIDTH; j += 4)
            sc_copy_four(b + j, &right.at[k][j / 4 * BESIDE + column]);
#pragma unroll
        for (int i = 0; i < Shape::HEIGHT; ++i)
#pragma unroll
            for (int j = 0; j < Shape::WIDTH; ++j)
                sums[i][j] += a[i] * b[j];
    }
}

/* Writes the sums down. Neighbouring threads write neighbouring columns: the sums change places in
 * shared memory, two rows of each thread at a time. */
template <typename T, class Shape>
static __device__ inline void sc_keep_tile(sc_bench<T, Shape> &bench,
                                           T sums[Shape::HEIGHT][Shape::WIDTH], int row,
                                           int column) {
    constexpr int COLUMNS = Shape::COLUMNS, THREADS = Shape::THREADS, LINES = 2 * Shape::DOWN;
    constexpr int OWN = COLUMNS > THREADS ? COLUMNS / THREADS : 1;
    constexpr int EVERY = COLUMNS < THREADS ? THREADS / COLUMNS : 1;
    constexpr int BELOW = Shape::ROWS / (Shape::HEIGHT / 4);
    constexpr int BESIDE = COLUMNS / (Shape::WIDTH / 4);
    const sc_job &job = bench.job;
    const int own = threadIdx.x % COLUMNS, first_line = threadIdx.x / COLUMNS;
    T *to[OWN];
#pragma unroll
    for (int o = 0; o < OWN; ++o) {
        const int64_t n = job.first_column + own + o * THREADS;
        to[o] = n < job.columns ? job.target.column<T>(n) : nullptr;
    }
#pragma unroll
    for (int i = 0; i < Shape::HEIGHT; i += 2) {
#pragma unroll
        for (int half = 0; half < 2; ++half)
#pragma unroll
            for (int j = 0; j < Shape::WIDTH; j += 4)
                sc_copy_four(&bench.results[half][row][j / 4 * BESIDE + column * 4],
                             sums[i + half] + j);
        __syncthreads();
#pragma unroll 2
        for (int line = first_line; line < LINES; line += EVERY) {
            const int half = line / Shape::DOWN, of_threads = line % Shape::DOWN;
            const int64_t m = job.first_row + i / 4 * BELOW + of_threads * 4 + i % 4 + half;
#pragma unroll
            for (int o = 0; o < OWN; ++o)
                if (to[o] && m < job.rows)
                    job.target.put(bench.results[half][of_threads][own + o * THREADS],
                                   to[o] + m * job.target.stride);
        }
        __syncthreads();
    }
}

/* Computes the tile that the job says; all threads of a block call it together. */
template <typename T, class Shape, class Left, class Right>
static __device__ inline void sc_product_tile(sc_bench<T, Shape> &bench, Left left, Right right) {
    /* A warp covers 4 × 8 of the threads: few different vectors at a time. */
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, WARPS = Shape::ACROSS / 8;
    const int row = warp / WARPS * 4 + lane / 8, column = warp % WARPS * 8 + lane % 8;
    const int32_t terms = bench.job.terms;
    T sums[Shape::HEIGHT][Shape::WIDTH] = {};
    left.begin(), right.begin();
    __syncthreads(); /* the points */
    if (terms > 0)
        left.read(0, bench.left[0]), right.read(0, bench.right[0]);
    int turn = 0;
    for (int32_t k = 0; k < terms; k += Shape::DEPTH, turn ^= 1) {
        const int32_t next = k + Shape::DEPTH;
        sc_finish_copies();
        __syncthreads(); /* this run is there, and nobody reads the one before any more */
        if (next < terms)
            left.read(next, bench.left[turn ^ 1]), right.read(next, bench.right[turn ^ 1]);
        sc_multiply_run<T, Shape>(sums, bench.left[turn], bench.right[turn], row * 4, column * 4);
    }
    __syncthreads();
    sc_keep_tile<T, Shape>(bench, sums, row, column);
}

/* --- all tiles ----------------------------------------------------------------------------------
 * A problem is a class with
 *     extents                 of the parameters
 *     Bench<Shape>            an sc_bench with what the operands add
 *     prepare(number, job)    says where one of the batch lies; one thread calls it
 *     narrow(job, width, begin, end)
 *                             leaves out terms that are 0 in all columns of the tile
 *     tile(bench)
 */

/* Bands of so many tiles, one below the other, are done from left to right: tiles at work at a time
 * read few different rows and columns. */
#define SC_BAND 16

static __device__ inline int64_t sc_block_number() {
    return blockIdx.y * (int64_t)gridDim.x + blockIdx.x;
}

/* Which tile this block computes: all of a job but what `prepare` adds. Answers the number of the
 * product in the batch. */
static __device__ inline int64_t sc_take_tile(const sc_extents &e, int height, int width,
                                              sc_job &job) {
    const int64_t down = sc_ceiling(e.rows, height), across = sc_ceiling(e.columns, width);
    int64_t number = sc_block_number();
    int64_t tile = sc_divide(&number, down * across);
    job.part = sc_divide(&number, e.parts);
    int64_t column = sc_divide(&tile, SC_BAND * across);
    const int64_t row = sc_divide(&column, sc_fewer<int64_t>(SC_BAND, down - tile * SC_BAND));
    job.rows = e.rows, job.columns = e.columns, job.inner = e.inner;
    job.first_row = (tile * SC_BAND + row) * height, job.first_column = column * width;
    job.first_term = job.part * e.share;
    return number;
}

template <typename T, class Shape, class Problem>
static __device__ inline void sc_product(const Problem &problem,
                                         typename Problem::template Bench<Shape> &bench) {
    sc_job &job = bench.job;
    if (threadIdx.x == 0) {
        const sc_extents &e = problem.extents;
        const int64_t number = sc_take_tile(e, Shape::ROWS, Shape::COLUMNS, job);
        if (number < e.batch) {
            problem.prepare(number, job);
            int64_t begin = 0, end = job.inner;
            problem.narrow(job, Shape::COLUMNS, begin, end);
            end = sc_fewer(end, job.first_term + e.share);
            job.first_term = sc_more(begin, job.first_term);
            job.terms = (int32_t)sc_more<int64_t>(end - job.first_term, 0);
            if (e.parts > 1) {
                const int64_t before = (job.part * e.batch + number) * e.rows * e.columns;
                job.target = sc_target{e.partial + before * sizeof(T), e.columns, nullptr, 1, 0};
            }
        } else
            job.columns = 0; /* more blocks than tiles */
    }
    __syncthreads();
    if (job.first_column < job.columns)
        problem.tile(bench);
}

/* The second kernel of a product in parts. A block adds up 32 neighbouring elements: eight rows of
 * threads take every eighth part each, and what they have is added in order. */
template <typename T, class Problem>
static __device__ inline void sc_add_parts(const Problem &problem, sc_job &job, T (&sums)[8][32]) {
    const sc_extents &e = problem.extents;
    const int64_t elements = e.rows * e.columns;
    int64_t number = sc_block_number();
    const int64_t element = sc_divide(&number, sc_ceiling(elements, 32)) * 32 + threadIdx.x % 32;
    if (number >= e.batch)
        return;
    if (threadIdx.x == 0) {
        job.columns = e.columns;
        problem.prepare(number, job);
    }
    __syncthreads();
    const int lane = threadIdx.x % 32, row = threadIdx.x / 32;
    const T *const from = reinterpret_cast<const T *>(e.partial) + number * elements + element;
    const int64_t m = sc_quotient(element, e.columns), n = element - m * e.columns;
    const bool exists = element < elements && n < job.columns;
    T sum = T(0);
    if (exists)
#pragma unroll 8 /* many are read before the first is added */
        for (int64_t part = row; part < e.parts; part += 8)
            sum += __ldg(from + part * e.batch * elements);
    sums[row][lane] = sum;
    __syncthreads();
    if (row == 0 && exists) {
        for (int i = 1; i < 8; ++i)
            sum += sums[i][lane];
        job.target.put(sum, job.target.column<T>(n) + m * job.target.stride);
    }
}

#endif
