/* Quotients by a divisor of a whole row, for test_held_rows. */
#include "symcomp_grid.cuh"
#include "symcomp_rows.cuh"

template <class T> SC_INLINE void divided(const T *x, const T *s, T *out, int64_t columns, int64_t rows) {
    for (int64_t row = sc_team(); row < rows; row += sc_teams()) {
        const sc_divisor<T> by(s[row]);
        for (int64_t k = sc_member(); k < columns; k += sc_members())
            out[row * columns + k] = by.of(x[k]);
    }
}

extern "C" __global__ void divided_f32(const float *x, const float *s, float *out, int64_t columns, int64_t rows) {
    divided(x, s, out, columns, rows);
}

extern "C" __global__ void divided_f64(const double *x, const double *s, double *out, int64_t columns, int64_t rows) {
    divided(x, s, out, columns, rows);
}
