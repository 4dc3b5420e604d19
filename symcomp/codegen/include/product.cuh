/* A matrix product of anything: target(m, n) = sum over k of left(m, k) * right(k, n), where the
 * operands and the target are objects that say where their elements lie.
 *
 * The one idea: a block of threads computes a tile of the target. The terms are taken in short
 * runs: while one run is multiplied out of shared memory, each thread already reads its elements of
 * the next one. Every thread keeps its sums in registers. An operand is a matrix (sc_matrix), or an
 * array that is read where two points of lattices lead together (sc_gather), as a convolution does.
 * The order of additions depends on nothing but the sizes and the device.
 */
#ifndef SYMCOMP_PRODUCT_CUH
#define SYMCOMP_PRODUCT_CUH

#include "product_parameters.h"

/* Threads of a block: 16 × 16 that share a tile. */
#define SC_THREADS 256

/* The threads have `height` × `width` sums each, in squares of 4 × 4; where there are two such
 * squares they lie half a tile apart. A run has `depth` terms. */
template <int height, int width, int depth> struct sc_shape {
    static constexpr int HEIGHT = height, WIDTH = width, DEPTH = depth;
    static constexpr int ROWS = 16 * height, COLUMNS = 16 * width;
    static_assert(height % 4 == 0 && width % 4 == 0, "sums in squares");
    static_assert(SC_THREADS % COLUMNS == 0, "a thread writes to one column");
};

typedef sc_shape<8, 8, 8> sc_large;
typedef sc_shape<4, 8, 16> sc_middle;
typedef sc_shape<4, 4, 16> sc_small;

/* One operand's run. Its rows are a vector longer than the tile: so threads that turn a matrix meet
 * different banks. */
template <typename T, int EDGE, int DEPTH> struct alignas(16) sc_run {
    T at[DEPTH][EDGE + 4];
};

/* Sixteen bytes, moved at once. */
template <typename T> struct alignas(16) sc_vector {
    static constexpr int LENGTH = 16 / sizeof(T);
    T at[LENGTH];
};

template <typename T> static __device__ inline bool sc_is_aligned(const T *place) {
    return (reinterpret_cast<uint64_t>(place) & 15) == 0;
}

/* Copies four elements between places that are aligned. */
template <typename T> static __device__ inline void sc_copy_four(T *to, const T *from) {
#pragma unroll
    for (int i = 0; i < 4; i += sc_vector<T>::LENGTH)
        *reinterpret_cast<sc_vector<T> *>(to + i) =
            *reinterpret_cast<const sc_vector<T> *>(from + i);
}

/* Four elements of an operand, which nothing writes while the kernel runs: as `__ldg` tells, since
 * the compiler cannot see to which memory an address in a structure leads. */
static __device__ inline void sc_read_four(float *to, const float *from) {
    const float4 v = __ldg(reinterpret_cast<const float4 *>(from));
    to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
}

static __device__ inline void sc_read_four(double *to, const double *from) {
    const double2 *const pairs = reinterpret_cast<const double2 *>(from);
    const double2 v = __ldg(pairs), w = __ldg(pairs + 1);
    to[0] = v.x, to[1] = v.y, to[2] = w.x, to[3] = w.y;
}

template <typename N> static __device__ inline N sc_fewer(N a, N b) { return a < b ? a : b; }
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

/* --- lattices -----------------------------------------------------------------------------------
 * A lattice numbers places of an array with three spatial axes: the digits of the number, of which
 * the last is the fastest, are an outer index and three steps along the axes. */

struct sc_lattice {
    int64_t outer;    /* elements from one outer index to the next */
    int64_t pitch[2]; /* and from one place to the next along the first two axes */
    uint32_t places;   /* all that have the same outer index */
    uint32_t count[3]; /* of the digits */
    int32_t start[3], step[3];
};

struct alignas(16) sc_point {
    int64_t offset; /* of the element */
    int32_t at[3];  /* the coordinates, some of which may lie outside the array */
};

/* A coordinate that is outside of everything, also when another one is added to it. */
#define SC_NOWHERE (-(1 << 30))

static __device__ inline sc_point sc_point_of(const sc_lattice &lattice, int64_t number) {
    sc_point point;
    int64_t outer = number;
    uint32_t place = 0;
    if (lattice.places != 1) /* of one channel: fewer than 2³¹ */
        place = (uint32_t)sc_divide(&outer, lattice.places);
    point.offset = outer * lattice.outer;
#pragma unroll
    for (int axis = 2; axis >= 0; --axis) {
        const uint32_t count = lattice.count[axis], rest = place / count;
        point.at[axis] = lattice.start[axis] + (int32_t)(place - rest * count) * lattice.step[axis];
        point.offset += axis < 2 ? point.at[axis] * lattice.pitch[axis] : point.at[axis];
        place = rest;
    }
    return point;
}

static __device__ inline sc_point sc_point_within(const sc_lattice &lattice, int64_t number,
                                                  int64_t end) {
    if (number < end)
        return sc_point_of(lattice, number);
    return sc_point{0, {SC_NOWHERE, SC_NOWHERE, SC_NOWHERE}};
}

static __device__ inline int64_t sc_volume(const int32_t size[3]) {
    return (int64_t)size[0] * size[1] * size[2];
}

/* --- what a block does -------------------------------------------------------------------------*/

/* Element (m, n) of the target lies at m * stride + the point n of a lattice, or + n where there is
 * none. */
struct sc_target {
    uint64_t place;
    int64_t stride;
    const sc_lattice *columns;
    double alpha, beta;

    template <typename T> __device__ T *column(int64_t n) const {
        return reinterpret_cast<T *>(place) + (columns ? sc_point_of(*columns, n).offset : n);
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

/* --- operands -----------------------------------------------------------------------------------
 * An operand has an edge (the rows of the left one, the columns of the right one) and the inner
 * index. A thread calls `announce` for a run, `fetch` in the next turn, and then `put`; barriers of
 * the block stand between the turns. What lies beyond the edge or the terms is 0. */

/* A matrix whose rows lie `stride` apart: the rows are the edge, or the inner index. A thread reads
 * vectors of four neighbours of a row. */
template <typename T, int EDGE, int DEPTH> struct sc_matrix {
    static constexpr int EACH = EDGE * DEPTH / SC_THREADS, VECTORS = EACH / 4;
    static_assert(EACH % 4 == 0, "threads read whole vectors");
    const T *from;
    int64_t stride;
    int32_t edge, inner;
    int32_t left_over; /* edges from this thread's first one on */
    bool rows_are_edges, aligned;

    __device__ sc_matrix(uint64_t rows, int64_t apart, bool are_edges, int64_t edges,
                         int64_t first_edge, int64_t first_term)
        : stride(apart), rows_are_edges(are_edges) {
        const int32_t thread = threadIdx.x;
        edge = are_edges ? thread / (DEPTH / 4) : thread % (EDGE / 4) * 4;
        inner = are_edges ? thread % (DEPTH / 4) * 4 : thread / (EDGE / 4);
        first_edge += edge, first_term += inner;
        left_over = (int32_t)sc_fewer<int64_t>(edges - first_edge, EDGE);
        from = reinterpret_cast<const T *>(rows) + (are_edges ? first_edge * stride + first_term
                                                              : first_term * stride + first_edge);
        aligned = sc_is_aligned(from) && stride % sc_vector<T>::LENGTH == 0;
    }

    /* How many rows a thread's next vector is further on. */
    __device__ int32_t every() const {
        return SC_THREADS / (rows_are_edges ? DEPTH / 4 : EDGE / 4);
    }

    __device__ void announce(int32_t, int) {}

    __device__ void fetch(T held[EACH], int32_t k, int32_t terms, int) {
        const int32_t along = rows_are_edges ? terms - k - inner : left_over;
        const int32_t down = rows_are_edges ? left_over : terms - k - inner;
#pragma unroll
        for (int v = 0; v < VECTORS; ++v) {
            const int32_t row = v * every(), few = row < down ? along : 0;
            if (aligned && few >= 4)
                sc_read_four(held + v * 4, from + row * stride);
            else {
#pragma unroll
                for (int i = 0; i < 4; ++i)
                    held[v * 4 + i] = i < few ? __ldg(from + row * stride + i) : T(0);
            }
        }
        from += rows_are_edges ? DEPTH : DEPTH * stride;
    }

    __device__ void put(sc_run<T, EDGE, DEPTH> &run, const T held[EACH]) const {
#pragma unroll
        for (int v = 0; v < VECTORS; ++v) {
            if (rows_are_edges) {
#pragma unroll
                for (int i = 0; i < 4; ++i)
                    run.at[inner + i][edge + v * every()] = held[v * 4 + i];
            } else
                sc_copy_four(&run.at[inner + v * every()][edge], held + v * 4);
        }
    }
};

/* The points that a gather adds, in shared memory: those of the tile's edge, and of two runs. */
template <int EDGE, int DEPTH> struct sc_points {
    sc_point edge[EDGE], inner[2][DEPTH];
};

/* An array of `size`, read where a point of the edge and one of the inner index lead together; what
 * lies outside is 0. Neighbouring threads read along the edge, or along the inner index.
 * `first_thread` is the first of those that prepare the points of runs: those of two operands
 * belong to different warps. */
template <typename T, int EDGE, int DEPTH, bool along_edge> struct sc_gather {
    static constexpr int EACH = EDGE * DEPTH / SC_THREADS;
    static constexpr int ROW = along_edge ? EDGE : DEPTH, EVERY = SC_THREADS / ROW;
    const T *array;
    const int32_t *size;
    sc_points<EDGE, DEPTH> &points;
    const sc_lattice &inner_lattice;
    int64_t first_term, inner;
    int32_t first_thread;

    __device__ sc_gather(uint64_t elements, const int32_t *sizes, sc_points<EDGE, DEPTH> &shared,
                         const sc_lattice &along_edges, int64_t edges, int64_t first_edge,
                         const sc_lattice &along_inner, const sc_job &job, int32_t thread)
        : array(reinterpret_cast<const T *>(elements)), size(sizes), points(shared),
          inner_lattice(along_inner), first_term(job.first_term), inner(job.inner),
          first_thread(thread) {
        if (threadIdx.x < EDGE)
            points.edge[threadIdx.x] =
                sc_point_within(along_edges, first_edge + threadIdx.x, edges);
    }

    __device__ void announce(int32_t k, int turn) {
        const int32_t number = (int32_t)threadIdx.x - first_thread;
        if (number >= 0 && number < DEPTH)
            points.inner[turn][number] =
                sc_point_within(inner_lattice, first_term + k + number, inner);
    }

    __device__ T element(const sc_point &edge, const sc_point &inner) const {
        const bool inside = (uint32_t)(edge.at[0] + inner.at[0]) < (uint32_t)size[0] &
                            (uint32_t)(edge.at[1] + inner.at[1]) < (uint32_t)size[1] &
                            (uint32_t)(edge.at[2] + inner.at[2]) < (uint32_t)size[2];
        return inside ? __ldg(array + edge.offset + inner.offset) : T(0);
    }

    __device__ void fetch(T held[EACH], int32_t, int32_t, int turn) const {
        const int32_t fast = threadIdx.x % ROW, slow = threadIdx.x / ROW;
        const sc_point own = along_edge ? points.edge[fast] : points.inner[turn][fast];
#pragma unroll
        for (int i = 0; i < EACH; ++i) {
            const int32_t other = slow + i * EVERY;
            held[i] = along_edge ? element(own, points.inner[turn][other])
                                 : element(points.edge[other], own);
        }
    }

    __device__ void put(sc_run<T, EDGE, DEPTH> &run, const T held[EACH]) const {
        const int32_t fast = threadIdx.x % ROW, slow = threadIdx.x / ROW;
#pragma unroll
        for (int i = 0; i < EACH; ++i) {
            const int32_t other = slow + i * EVERY;
            run.at[along_edge ? other : fast][along_edge ? fast : other] = held[i];
        }
    }
};

/* --- a tile ------------------------------------------------------------------------------------*/

template <typename T, class Shape> struct sc_bench {
    sc_job job;
    union {
        struct {
            sc_run<T, Shape::ROWS, Shape::DEPTH> left[2];
            sc_run<T, Shape::COLUMNS, Shape::DEPTH> right[2];
        };
        T results[2][16][Shape::COLUMNS]; /* two rows of each row of threads */
    };
    static_assert(sizeof(results) <= sizeof(left) + sizeof(right), "results take no more room");
};

/* The sums of one run, of a thread whose squares begin at this row and column. */
template <typename T, class Shape>
static __device__ inline void
sc_multiply_run(T sums[Shape::HEIGHT][Shape::WIDTH],
                const sc_run<T, Shape::ROWS, Shape::DEPTH> &left,
                const sc_run<T, Shape::COLUMNS, Shape::DEPTH> &right, int row, int column) {
#pragma unroll
    for (int k = 0; k < Shape::DEPTH; ++k) {
        alignas(16) T a[Shape::HEIGHT];
        alignas(16) T b[Shape::WIDTH];
#pragma unroll
        for (int i = 0; i < Shape::HEIGHT; i += 4)
            sc_copy_four(a + i, &left.at[k][i / 4 * (Shape::ROWS / 2) + row]);
#pragma unroll
        for (int j = 0; j < Shape::WIDTH; j += 4)
            sc_copy_four(b + j, &right.at[k][j / 4 * (Shape::COLUMNS / 2) + column]);
#pragma unroll
        for (int i = 0; i < Shape::HEIGHT; ++i)
#pragma unroll
            for (int j = 0; j < Shape::WIDTH; ++j)
                sums[i][j] += a[i] * b[j];
    }
}

/* Computes the tile that the job says; all threads of a block call it together. */
template <typename T, class Shape, class Left, class Right>
static __device__ inline void sc_product_tile(sc_bench<T, Shape> &bench, Left left, Right right) {
    constexpr int DEPTH = Shape::DEPTH, COLUMNS = Shape::COLUMNS;
    /* A warp covers 4 × 8 of the 16 × 16 threads: few different vectors at a time. */
    const int thread = threadIdx.x, warp = thread / 32, lane = thread % 32;
    const int row = warp / 2 * 4 + lane / 8, column = (warp % 2 * 8 + lane % 8) * 4;
    const int32_t terms = bench.job.terms;
    T sums[Shape::HEIGHT][Shape::WIDTH] = {};
    __syncthreads(); /* the points of the edges */

    /* In each turn one run is multiplied, the next is read, and the one after that announced. */
    int turn = 0;
    for (int32_t k = -2 * DEPTH; k < terms; k += DEPTH, turn ^= 1) {
        const int32_t next = k + DEPTH;
        const bool reads = next >= 0 && next < terms;
        alignas(16) T of_left[Left::EACH];
        alignas(16) T of_right[Right::EACH];
        if (reads) {
            left.fetch(of_left, next, terms, turn ^ 1);
            right.fetch(of_right, next, terms, turn ^ 1);
        }
        left.announce(next + DEPTH, turn);
        right.announce(next + DEPTH, turn);
        if (k >= 0)
            sc_multiply_run<T, Shape>(sums, bench.left[turn], bench.right[turn], row * 4, column);
        if (reads) {
            left.put(bench.left[turn ^ 1], of_left);
            right.put(bench.right[turn ^ 1], of_right);
        }
        __syncthreads();
    }

    /* Neighbouring threads write neighbouring columns: the sums change places in shared memory, two
     * rows of each thread at a time. */
    const sc_job &job = bench.job;
    const int own = thread % COLUMNS;
    const int64_t n = job.first_column + own;
    const bool exists = n < job.columns;
    T *const to = exists ? job.target.column<T>(n) : nullptr;
#pragma unroll
    for (int i = 0; i < Shape::HEIGHT; i += 2) {
#pragma unroll
        for (int half = 0; half < 2; ++half)
#pragma unroll
            for (int j = 0; j < Shape::WIDTH; j += 4)
                sc_copy_four(&bench.results[half][row][j / 4 * (COLUMNS / 2) + column],
                             sums[i + half] + j);
        __syncthreads();
#pragma unroll 2
        for (int line = thread / COLUMNS; line < 32; line += SC_THREADS / COLUMNS) {
            const int within = i / 4 * (Shape::ROWS / 2) + line % 16 * 4 + i % 4 + line / 16;
            const int64_t m = job.first_row + within;
            if (exists && m < job.rows)
                job.target.put(bench.results[line / 16][line % 16][own],
                               to + m * job.target.stride);
        }
        __syncthreads();
    }
}

/* --- all tiles ----------------------------------------------------------------------------------
 * A problem is a class with
 *     extents                 of the parameters
 *     Bench<Shape>            an sc_bench with what the operands add
 *     prepare(number, job)    says where one of the batch lies; one thread calls it
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
            const int64_t rest = job.inner - job.first_term;
            job.terms = rest > 0 ? (int32_t)sc_fewer(e.share, rest) : 0;
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
