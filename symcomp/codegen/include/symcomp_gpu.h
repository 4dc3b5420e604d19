/* What a launch plan (the generated host part of a function for a GPU) and the GPU runtime (gpu.c)
 * know of each other.
 *
 * The driver is a table of a dozen functions with the signatures of the CUDA driver's own; they are
 * CUDA's, or those of the emulation on the host (emulated_driver.c), whose device memory is the
 * host's and whose kernels are functions compiled by a C++ compiler. Nothing above this table knows
 * the difference. One stream does everything in order, and one call at a time uses the GPU.
 */
#ifndef SYMCOMP_GPU_H
#define SYMCOMP_GPU_H

#include <stddef.h>
#include <stdint.h>

#include "convolution.h"
#include "symcomp.h"

/* A place in device memory. */
typedef uint64_t symcomp_address;

/* The CUDA driver's functions; each answers 0, or its CUresult. From begin_capture to destroy_graph,
 * and from about to wait_for_event, they may be NULL. */
typedef struct symcomp_driver {
    int (*push_context)(void *context);
    int (*allocate)(symcomp_address *place, size_t bytes);
    int (*release)(symcomp_address place);
    int (*upload)(symcomp_address to, const void *from, size_t bytes, void *stream);
    int (*download)(void *to, symcomp_address from, size_t bytes, void *stream);
    int (*copy)(symcomp_address to, symcomp_address from, size_t bytes, void *stream);
    int (*fill)(symcomp_address place, unsigned char value, size_t bytes, void *stream);
    int (*synchronize)(void *stream);
    int (*launch)(void *kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                  unsigned block_y, unsigned block_z, unsigned shared, void *stream,
                  void **arguments, void **extra);
    int (*error_text)(int error, const char **text);
    int (*begin_capture)(void *stream, int mode);
    int (*end_capture)(void *stream, void **graph);
    int (*instantiate)(void **executable, void *graph, unsigned long long flags);
    int (*launch_graph)(void *executable, void *stream);
    int (*destroy_executable)(void *executable);
    int (*destroy_graph)(void *graph);
    int (*pop_context)(void **context);
    int (*memory)(size_t *free, size_t *all);
    int (*allocate_host)(void **place, size_t bytes, unsigned flags); /* page-locked */
    int (*about)(void *answer, int what, symcomp_address place); /* of the driver: what a place is */
    int (*make_event)(void **event, unsigned flags);
    int (*record_event)(void *event, void *stream);
    int (*wait_for_event)(void *stream, void *event, unsigned flags);
} symcomp_driver;

/* Row-major matrices, `batch` of them: target = alpha * op(left) * op(right) + beta * target, where op
 * transposes or not; where beta is 0 the target is not read. Rows lie `stride` elements apart, and the
 * matrices of a batch `step`. */
typedef struct symcomp_matrices {
    symcomp_address place;
    int64_t stride, step;
    int transposed;
} symcomp_matrices;

typedef struct symcomp_product {
    int64_t batch, rows, columns, inner;
    double alpha, beta;
    symcomp_matrices left, right, target;
} symcomp_product;

/* A kernel of rows (codegen/held_rows.py): how many rows there are of which length, and the scratch
 * bytes of a team that does not hold its row; the elements of a vector and the vectors that a thread
 * has, the most threads of a team, and whether all rows are whole vectors.  Then the functions for rows
 * that are held and for those that are not, each for any rows and for whole vectors; NULL where the
 * case does not come up. */
typedef struct symcomp_rows {
    int64_t number, length, scratch;
    int lanes, slots, most, wide;
    void *held[2], *streamed[2];
} symcomp_rows;

/* What captured sequences of launches were made for, and what replays them. One for each plan: of the
 * last few frames that it was called with, as places often take turns. */
enum { SYMCOMP_REPLAYS = 4 };

typedef struct symcomp_replay {
    void *frames; /* copies, one after another */
    struct {
        void *executable;
        symcomp_address scratch; /* where scratch memory lay when it was captured */
        int64_t calls, last;     /* with this frame; and when the last one was */
    } kept[SYMCOMP_REPLAYS];
    int64_t clock;
    int refused; /* what the plan does cannot be captured */
} symcomp_replay;

/* Where the kernels of a function note positions outside their axis; see gpu_notes.h. */
typedef struct symcomp_record symcomp_record;

/* An array of the host, and its place on the GPU. */
typedef struct symcomp_move {
    symcomp_address place;
    void *host;
    size_t bytes;
} symcomp_move;

/* The runtime of the one GPU. All but `enter` is called between `enter` and `leave`; after an error
 * nothing more is done until `leave`, which tells it. */
typedef struct symcomp_gpu {
    /* Waits until nobody else uses the GPU. */
    void (*enter)(void);
    /* Waits for what was asked for of the GPU's memory, and answers 0, SYMCOMP_GPU_FAILED or
     * SYMCOMP_GPU_LACKING. */
    int64_t (*leave)(void);
    /* Scratch memory for one call, until `leave`; always the same place unless it has to grow. */
    symcomp_address (*arena)(size_t bytes);
    void (*upload)(symcomp_address to, const void *from, size_t bytes);
    void (*download)(void *to, symcomp_address from, size_t bytes);
    void (*copy)(symcomp_address to, symcomp_address from, size_t bytes);
    /* Where a shared value lies, uploaded if need be; `writes` says that the call changes it. */
    symcomp_address (*cell)(symcomp_cell *cell, size_t bytes, int writes);
    /* The kernels of the call check positions: where they set the verdict, and where they note what
     * is wrong. */
    void (*checks)(symcomp_record *record, symcomp_address *verdict, symcomp_address *notes);
    /* Everything before is done; answers 0, or the error there was. */
    int (*wait)(void);
    /* x * y threads, neighbours along x. */
    void (*flat)(void *kernel, int64_t x, int64_t y, void **arguments);
    /* A team for each of `rows` rows of about `length` elements, with `scratch` bytes for each team.
     * After its `count` arguments a kernel with scratch has two more, for which there is room: where
     * that lies if it is not in shared memory (else NULL), and the bytes of it that each team has. */
    void (*teams)(void *kernel, int64_t rows, int64_t length, int64_t scratch, void **arguments,
                  int64_t count);
    /* `count` teams of `width` threads, each a block of its own. */
    void (*blocks)(void *kernel, int64_t count, int64_t width, void **arguments);
    /* A team for each row, as `teams`. */
    void (*rows)(const symcomp_rows *rows, void **arguments, int64_t count);
    void (*product)(const symcomp_product *product, int bytes);
    /* which: SYMCOMP_FORWARD, SYMCOMP_INPUT or SYMCOMP_FILTERS; see convolution.h. */
    void (*convolve)(int which, const symcomp_geometry *geometry, int bytes, symcomp_address left,
                     symcomp_address right, symcomp_address target);
    /* Sorts n numbers below a bound, of int64: to `sorted`, and behind them where each came from. Equal
     * ones stay in order. The kernels are those of symcomp_sort.h. */
    void (*sort)(void *const *kernels, int64_t n, int64_t bound, symcomp_address keys,
                 symcomp_address sorted);
    /* Brings the inputs of the host to the GPU, calls launches(frame), or replays what it launched
     * when the frame was the same, and brings results to the host. `moves` are of so many inputs, and
     * then of so many results; the places of each lie one after another in the arena. `products` calls
     * `product` and `convolve` as `launches` will, or is NULL where they are not called: where kernels
     * of theirs are lacking, nothing is done, and `leave` says so. */
    void (*run)(void (*launches)(void *frame), void (*products)(void *frame), void *frame,
                size_t bytes, symcomp_replay *replay, const symcomp_move *moves, int64_t inputs,
                int64_t results);
} symcomp_gpu;

/* What an entry answers where the GPU failed: `symcomp_gpu_failure` of the runtime says how; and where
 * nothing was done, as kernels of products and convolutions are lacking: `symcomp_gpu_lacking` says
 * which, and after that the call can be made again. */
enum { SYMCOMP_GPU_FAILED = 6, SYMCOMP_GPU_LACKING = 7 };

/* Once in every launch plan; `kernels` are in the plan's own order. */
#define SYMCOMP_ATTACH_GPU(count)                                                                  \
    static const symcomp_gpu *gpu;                                                                 \
    static void *kernels[(count) > 0 ? (count) : 1];                                               \
    SYMCOMP_EXPORT void symcomp_attach_gpu(const symcomp_gpu *table, void *const *given) {         \
        gpu = table;                                                                               \
        for (int64_t k = 0; k < (count); ++k) kernels[k] = given[k];                               \
    }

#endif
