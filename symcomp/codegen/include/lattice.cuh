/* Lattices number places of an array with three spatial axes: a part of product.cuh. The digits of
 * the number, of which the last is the fastest, are an outer index and three steps along the axes;
 * or the outer index comes before the last axis only, and then it is one of `outers`.
 */
#ifndef SYMCOMP_LATTICE_CUH
#define SYMCOMP_LATTICE_CUH

struct sc_lattice {
    int64_t outers;   /* 0 where the outer index comes first */
    int64_t outer;    /* elements from one outer index to the next */
    int64_t pitch[2]; /* and from one place to the next along the first two axes */
    uint32_t places;   /* all that have the same outer index */
    uint32_t count[3]; /* of the digits */
    int32_t start[3], step[3];
};

struct sc_digits {
    int64_t outer;
    uint32_t along[3];
};

static __device__ inline sc_digits sc_digits_of(const sc_lattice &lattice, int64_t number) {
    sc_digits digits;
    if (lattice.outers) {
        digits.along[2] = (uint32_t)sc_divide(&number, lattice.count[2]);
        digits.outer = sc_divide(&number, lattice.outers);
        digits.along[1] = (uint32_t)sc_divide(&number, lattice.count[1]);
        digits.along[0] = (uint32_t)number;
        return digits;
    }
    uint32_t place = 0;
    if (lattice.places != 1) /* of one channel: fewer than 2³¹ */
        place = (uint32_t)sc_divide(&number, lattice.places);
    digits.outer = number;
#pragma unroll
    for (int axis = 2; axis >= 0; --axis) {
        const uint32_t count = lattice.count[axis], rest = place / count;
        digits.along[axis] = place - rest * count;
        place = rest;
    }
    return digits;
}

static __device__ inline int32_t sc_coordinate(const sc_lattice &lattice, const sc_digits &digits,
                                               int axis) {
    return lattice.start[axis] + (int32_t)digits.along[axis] * lattice.step[axis];
}

/* Of the element at a place. */
static __device__ inline int64_t sc_offset_of(const sc_lattice &lattice, const sc_digits &digits) {
    return digits.outer * lattice.outer + sc_coordinate(lattice, digits, 0) * lattice.pitch[0] +
           sc_coordinate(lattice, digits, 1) * lattice.pitch[1] +
           sc_coordinate(lattice, digits, 2);
}

static __device__ inline int64_t sc_volume(const int32_t size[3]) {
    return (int64_t)size[0] * size[1] * size[2];
}

#endif
