/* An operand that is an array, read where a point of the edge and one of the inner index lead
 * together, as convolutions do: a part of product.cuh. What lies outside the array is 0.
 *
 * One of the two points is a position, and the other a tap: a step from there. Whether they lead
 * into the array is asked for every element, so the answer is prepared: a position knows the taps
 * along each axis that lead out of it (sc_near). Filters with more taps than a word has bits need
 * coordinates (sc_far).
 */
#ifndef SYMCOMP_GATHER_CUH
#define SYMCOMP_GATHER_CUH

#include "product.cuh"

/* Two lattices whose points meet, in an array of this size. */
struct sc_meeting {
    const sc_lattice &positions, &taps;
    const int32_t *size;
    int32_t bytes; /* of an element */
};

template <typename T> static __device__ inline const T *sc_beyond(const T *from, int64_t bytes) {
    return reinterpret_cast<const T *>(reinterpret_cast<const char *>(from) + bytes);
}

/* The bits of two points have none in common if they lead into the array. */
struct alignas(16) sc_near {
    int64_t offset; /* in bytes */
    uint32_t bits;

    /* Every tap has the first bit and every position the second one, and what does not exist has
     * both; there is a bit for each tap along each axis. */
    static constexpr uint32_t TAP = 1u << 30, POSITION = 1u << 31;

    static __device__ sc_near nowhere() { return {0, ~0u}; }

    static __device__ sc_near tap(const sc_meeting &m, const sc_digits &digits) {
        uint32_t bits = TAP, first = 0;
#pragma unroll
        for (int axis = 0; axis < 3; first += m.taps.count[axis++])
            bits |= 1u << (first + digits.along[axis]);
        return {sc_offset_of(m.taps, digits) * m.bytes, bits};
    }

    static __device__ sc_near position(const sc_meeting &m, const sc_digits &digits) {
        uint32_t bits = POSITION, bit = 1;
#pragma unroll
        for (int axis = 0; axis < 3; ++axis) {
            int32_t at = sc_coordinate(m.positions, digits, axis) + m.taps.start[axis];
#pragma unroll 1
            for (uint32_t n = m.taps.count[axis]; n; --n, at += m.taps.step[axis], bit <<= 1)
                bits |= (uint32_t)at < (uint32_t)m.size[axis] ? 0 : bit;
        }
        return {sc_offset_of(m.positions, digits) * m.bytes, bits};
    }

    static __device__ bool meet(const sc_near &a, const sc_near &b, const int32_t *) {
        return (a.bits & b.bits) == 0;
    }
};

struct alignas(16) sc_far {
    int64_t offset;
    int32_t at[3];

    /* A coordinate that is outside of everything, also when another one is added to it. */
    static constexpr int32_t NOWHERE = -(1 << 30);

    static __device__ sc_far nowhere() { return {0, {NOWHERE, NOWHERE, NOWHERE}}; }

    static __device__ sc_far of(const sc_lattice &lattice, const sc_digits &digits, int bytes) {
        return {sc_offset_of(lattice, digits) * bytes,
                {sc_coordinate(lattice, digits, 0), sc_coordinate(lattice, digits, 1),
                 sc_coordinate(lattice, digits, 2)}};
    }

    static __device__ sc_far tap(const sc_meeting &m, const sc_digits &digits) {
        return of(m.taps, digits, m.bytes);
    }

    static __device__ sc_far position(const sc_meeting &m, const sc_digits &digits) {
        return of(m.positions, digits, m.bytes);
    }

    static __device__ bool meet(const sc_far &a, const sc_far &b, const int32_t *size) {
        return (uint32_t)(a.at[0] + b.at[0]) < (uint32_t)size[0] &
               (uint32_t)(a.at[1] + b.at[1]) < (uint32_t)size[1] &
               (uint32_t)(a.at[2] + b.at[2]) < (uint32_t)size[2];
    }
};

/* Points of an inner index in shared memory: so many at a time, beside those that are in use. */
template <class Point> struct sc_inner_points {
    static constexpr int BATCH = 64;
    Point at[2][BATCH];
};

/* A point in shared memory, in as few steps as it has vectors. */
template <class Point> static __device__ inline Point sc_read_point(const Point *from) {
    alignas(16) Point point;
#pragma unroll
    for (unsigned i = 0; i < sizeof(Point) / 16; ++i)
        reinterpret_cast<sc_vector<uint32_t> *>(&point)[i] =
            reinterpret_cast<const sc_vector<uint32_t> *>(from)[i];
    return point;
}

/* The points of the inner index, which are positions or taps. */
template <class Point, bool are_positions> struct sc_announcer {
    static constexpr int BATCH = sc_inner_points<Point>::BATCH;
    sc_inner_points<Point> &points;
    sc_meeting meeting;
    int64_t first_term;
    int32_t terms;
    int32_t first_thread; /* of those that make points: two operands take different warps */

    static __device__ Point point(const sc_meeting &m, int64_t number) {
        if (are_positions)
            return Point::position(m, sc_digits_of(m.positions, number));
        return Point::tap(m, sc_digits_of(m.taps, number));
    }

    /* Makes the batch that begins at k. */
    __device__ void announce(int32_t k) const {
        const int32_t number = (int32_t)threadIdx.x - first_thread;
        if (number >= 0 && number < BATCH)
            points.at[k / BATCH % 2][number] =
                k + number < terms ? point(meeting, first_term + k + number) : Point::nowhere();
    }

    __device__ void begin() const { announce(0), announce(BATCH); }

    /* Those of the run at k. With the first run of a batch nobody reads the one before. */
    __device__ const Point *run(int32_t k) const {
        if (k && k % BATCH == 0)
            announce(k + BATCH);
        return points.at[k / BATCH % 2] + k % BATCH;
    }
};

/* Neighbouring threads read along the edge, which is of positions; each keeps its own ones. */
template <typename T, class Shape, int EDGE, class Point> struct sc_gather_positions {
    static constexpr int THREADS = Shape::THREADS, DEPTH = Shape::DEPTH;
    static constexpr int OWN = EDGE > THREADS ? EDGE / THREADS : 1;
    static constexpr int EVERY = EDGE < THREADS ? THREADS / EDGE : 1;
    sc_announcer<Point, false> inner;
    const T *from[OWN];
    Point own[OWN];

    __device__ sc_gather_positions(uint64_t array, const sc_announcer<Point, false> &taps,
                                   int64_t edges, int64_t first_edge)
        : inner(taps) {
#pragma unroll
        for (int o = 0; o < OWN; ++o) {
            const int64_t number = first_edge + threadIdx.x % EDGE + o * THREADS;
            const sc_meeting &m = inner.meeting;
            own[o] = number < edges ? Point::position(m, sc_digits_of(m.positions, number))
                                    : Point::nowhere();
            from[o] = sc_beyond(reinterpret_cast<const T *>(array), own[o].offset);
        }
    }

    __device__ void begin() const { inner.begin(); }

    __device__ void read(int32_t k, sc_run<T, EDGE, DEPTH> &run) const {
        const Point *const taps = inner.run(k);
        const int edge = threadIdx.x % EDGE, first = threadIdx.x / EDGE;
#pragma unroll
        for (int i = 0; i < DEPTH; i += EVERY) {
            const Point tap = sc_read_point(taps + first + i);
#pragma unroll
            for (int o = 0; o < OWN; ++o)
                sc_start_copy<1>(&run.at[first + i][edge + o * THREADS],
                              sc_beyond(from[o], tap.offset),
                              Point::meet(own[o], tap, inner.meeting.size));
        }
    }
};

/* Neighbouring threads read along the inner index, which is of positions; the taps of the edge are
 * in shared memory. */
template <typename T, class Shape, int EDGE, class Point> struct sc_gather_taps {
    static constexpr int THREADS = Shape::THREADS, DEPTH = Shape::DEPTH;
    static constexpr int EVERY = THREADS / DEPTH;
    sc_announcer<Point, true> inner;
    const T *array;
    Point *edges;

    __device__ sc_gather_taps(uint64_t elements, const sc_announcer<Point, true> &positions,
                              Point (&shared)[EDGE], int64_t count, int64_t first_edge)
        : inner(positions), array(reinterpret_cast<const T *>(elements)), edges(shared) {
        for (int edge = threadIdx.x; edge < EDGE; edge += THREADS) {
            const int64_t number = first_edge + edge;
            const sc_meeting &m = inner.meeting;
            edges[edge] = number < count ? Point::tap(m, sc_digits_of(m.taps, number))
                                         : Point::nowhere();
        }
    }

    __device__ void begin() const { inner.begin(); }

    __device__ void read(int32_t k, sc_run<T, EDGE, DEPTH> &run) const {
        const int term = threadIdx.x % DEPTH, first = threadIdx.x / DEPTH;
        const Point own = sc_read_point(inner.run(k) + term);
        const T *const from = sc_beyond(array, own.offset);
#pragma unroll
        for (int i = 0; i < EDGE; i += EVERY) {
            const Point edge = sc_read_point(edges + first + i);
            sc_start_copy<1>(&run.at[term][first + i], sc_beyond(from, edge.offset),
                          Point::meet(own, edge, inner.meeting.size));
        }
    }
};

#endif
