/* Kernels for test_emulation: right ones, and wrong ones that the emulation must catch. */
#include "symcomp_grid.cuh"

/* --- barriers ---------------------------------------------------------------------------------*/

/* Each block turns its part of x around, through shared memory. */
extern "C" __global__ void turned(const int *x, int *out, int64_t n) {
    __shared__ int tile[1024];
    const int64_t first = (int64_t)blockIdx.x * blockDim.x, i = first + threadIdx.x;
    if (i < n) tile[threadIdx.x] = x[i];
    __syncthreads();
    const int64_t length = n - first < blockDim.x ? n - first : blockDim.x;
    if (i < n) out[i] = tile[length - 1 - threadIdx.x];
}

/* The same, and somebody forgot the barrier. */
extern "C" __global__ void turned_without_barrier(const int *x, int *out, int64_t n) {
    __shared__ int tile[1024];
    const int64_t first = (int64_t)blockIdx.x * blockDim.x, i = first + threadIdx.x;
    if (i < n) tile[threadIdx.x] = x[i];
    const int64_t length = n - first < blockDim.x ? n - first : blockDim.x;
    if (i < n) out[i] = tile[length - 1 - threadIdx.x];
}

/* A running sum of one block, in rounds; the second barrier of a round may be left out. */
extern "C" __global__ void running(const int *x, int *out, int64_t complete) {
    SC_DYNAMIC_SHARED(int, sums, 0);
    int sum = sums[threadIdx.x] = x[threadIdx.x];
    for (unsigned step = 1; step < blockDim.x; step *= 2) {
        __syncthreads();
        if (threadIdx.x >= step) sum += sums[threadIdx.x - step];
        if (complete) __syncthreads();
        sums[threadIdx.x] = sum;
    }
    out[threadIdx.x] = sum;
}

extern "C" __global__ void voted(const int *x, int *out) {
    const int i = threadIdx.x, n = blockDim.x;
    out[i] = __syncthreads_count(x[i]);
    out[n + i] = __syncthreads_or(x[i]);
    out[2 * n + i] = __syncthreads_and(x[i]);
}

/* What nobody has set. */
extern "C" __global__ void unset(float *fixed, uint32_t *dynamic) {
    __shared__ float tile[64];
    SC_DYNAMIC_SHARED(uint32_t, row, 16);
    fixed[sc_thread()] = tile[threadIdx.x];
    dynamic[sc_thread()] = row[threadIdx.x];
    __syncthreads();
    tile[threadIdx.x] = 1;
    row[threadIdx.x] = 1;
}

/* --- warps ------------------------------------------------------------------------------------*/

extern "C" __global__ void shuffled(const double *x, double *out, int64_t width) {
    const int i = threadIdx.x, n = blockDim.x, w = (int)width;
    out[i] = __shfl_sync(0xffffffffu, x[i], i + 3, w);
    out[n + i] = __shfl_xor_sync(0xffffffffu, x[i], 5, w);
    out[2 * n + i] = __shfl_up_sync(0xffffffffu, x[i], 3, w);
    out[3 * n + i] = __shfl_down_sync(0xffffffffu, x[i], 3, w);
}

/* Two halves of a warp that go their own ways, as often as they like. */
extern "C" __global__ void halves(int *out) {
    const unsigned lane = threadIdx.x & 31, mine = lane < 16 ? 0x0000ffffu : 0xffff0000u;
    int sum = 0;
    for (unsigned k = 0; k < (lane < 16 ? 3u : 5u); ++k)
        sum += __shfl_sync(mine, (int)(threadIdx.x * (k + 1)), (int)(lane & 16));
    out[threadIdx.x] = sum;
}

extern "C" __global__ void ballots(const int *x, unsigned *out) {
    const int i = threadIdx.x, n = blockDim.x;
    out[i] = __ballot_sync(0xffffffffu, x[i]);
    out[n + i] = (unsigned)__any_sync(0xffffffffu, x[i]);
    out[2 * n + i] = (unsigned)__all_sync(0xffffffffu, x[i]);
}

/* Lanes that have ended are not waited for. */
extern "C" __global__ void early(int *out) {
    out[threadIdx.x] = -1;
    if (threadIdx.x & 1) return;
    out[threadIdx.x] = (int)__ballot_sync(0x55555555u, threadIdx.x < 8);
    __syncthreads();
    out[threadIdx.x] += 1;
}

extern "C" __global__ void counted(const uint8_t *x, int *bins, int *largest, int64_t n) {
    for (int64_t i = sc_thread(); i < n; i += sc_threads()) {
        atomicAdd(&bins[x[i]], 1);
        atomicMax(largest, (int)x[i]);
    }
}

/* --- what is wrong ----------------------------------------------------------------------------*/

extern "C" __global__ void two_barriers(int *out) {
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
    out[threadIdx.x] = 1;
}

extern "C" __global__ void half_a_barrier(int *out) {
    if (threadIdx.x < 16) __syncthreads();
    out[threadIdx.x] = __shfl_sync(0xffffffffu, out[threadIdx.x], 0);
}

extern "C" __global__ void two_shuffles(int *out) {
    if (threadIdx.x & 1)
        out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1, 1);
    else
        out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1, 1);
}

extern "C" __global__ void without_itself(int *out) {
    out[threadIdx.x] = __shfl_sync(0x0000ffffu, out[threadIdx.x], 0);
}

extern "C" __global__ void two_folds(int *out) {
    if (threadIdx.x & 1)
        out[threadIdx.x] = sc_team_fold<sc_sum>(out[threadIdx.x]);
    else
        out[threadIdx.x] = sc_team_fold<sc_sum>(out[threadIdx.x]);
}

extern "C" __global__ void trapped(int64_t number) {
    if (sc_thread() == number) __trap();
}

/* Needs so many bytes of stack. */
template <int bytes> SC_INLINE void fill_stack(int *out) {
    volatile char local[bytes];
    for (int k = 0; k < bytes; ++k) local[k] = (char)k;
    __syncthreads();
    out[threadIdx.x] = local[bytes / 2];
}

extern "C" __global__ void deep(int *out) { fill_stack<100000>(out); }
extern "C" __global__ void too_deep(int *out) { fill_stack<131000>(out); }

/* Reads and writes where it is told to. */
extern "C" __global__ void anywhere(float *x, int64_t at) { x[at] = 1; }
extern "C" __global__ void reads(const float *x, float *out, int64_t at) { out[0] = x[at]; }

extern "C" __global__ void anywhere_shared(float *out, int64_t at) {
    __shared__ float before[64];
    __shared__ float tile[64];
    before[threadIdx.x] = tile[threadIdx.x] = (float)threadIdx.x;
    __syncthreads();
    const float *volatile place = tile; /* the compiler does not know where it points */
    out[threadIdx.x] = place[threadIdx.x + at] + before[threadIdx.x];
}

extern "C" __global__ void anywhere_dynamic(float *out, int64_t at) {
    SC_DYNAMIC_SHARED(float, row, 0);
    row[at] = 1;
    out[0] = row[at];
}

extern "C" __global__ void shifted(int *out, int64_t by) { out[0] = 1 << by; }
