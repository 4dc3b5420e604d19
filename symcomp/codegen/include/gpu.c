/* The runtime of the one GPU: what launch plans call (see symcomp_gpu.h), over the driver's table.
 *
 * One call at a time uses the GPU: a mutex is held from `enter` to `leave`. All work goes to one
 * stream, in order, and the host waits only where it needs a result. The first error of a call is kept
 * with what was being done, and everything after it is skipped.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symcomp_gpu.h"

#include "gpu_products.c"

enum {
    BLOCK = 256,           /* threads of a block, unless a team needs more */
    WARP = 32,
    LARGEST_TEAM = 1024,
    BLOCKS_PER_PROCESSOR = 16, /* of a flat kernel: enough to fill the GPU evenly */
    THREADS_PER_PROCESSOR = 2048,
    WAVES = 4,             /* of teams: more only cost launching */
    SHORT_ROW = 2048,      /* elements for which one warp is enough where there are many rows */
    PER_THREAD = 4,        /* elements of a row that a thread should have */
    MOST_BLOCKS_Y = 65535,
    RELAXED = 2,           /* the mode of capturing that allows memory to be allocated */
    OUT_OF_MEMORY = 2,     /* the driver's own number */
    FORKED = 100000,       /* an error of ours: the process has forked since the GPU was started */
};

static const size_t GRANULE = (size_t)2 << 20;

typedef struct {
    symcomp_address place;
    size_t size;
} region;

static struct {
    symcomp_driver driver;
    symcomp_gpu_libraries libraries;
    void *context, *stream;
    int64_t processors, shared_most;
    pthread_mutex_t mutex;
    pid_t process;
    region arena, scratch;
    int error, pending; /* pending: the host has asked for memory of the GPU */
    const char *doing;
    size_t wanted;
    int64_t launches, replays;
} gpu = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* What went wrong in this thread's last call. */
static _Thread_local struct {
    int error;
    const char *doing;
    size_t wanted;
} failure;

static int fine(int error, const char *doing) {
    if (error && !gpu.error) {
        gpu.error = error;
        gpu.doing = doing;
    }
    return !gpu.error;
}

/* ---- memory --------------------------------------------------------------------------------- */

static int allocate(symcomp_address *place, size_t bytes) {
    if (gpu.error)
        return 0;
    gpu.wanted = bytes;
    return fine(gpu.driver.allocate(place, bytes), "allocating memory");
}

/* Room for `bytes` in a region that grows: what was there is lost. */
static symcomp_address grown(region *r, size_t bytes) {
    if (gpu.error)
        return 0;
    if (bytes <= r->size && r->place)
        return r->place;
    if (r->place) {
        fine(gpu.driver.synchronize(gpu.stream), "waiting for the GPU");
        fine(gpu.driver.release(r->place), "giving memory back");
        r->place = r->size = 0;
    }
    size_t room = (bytes + GRANULE) / GRANULE * GRANULE;
    if (!allocate(&r->place, room))
        return r->place = 0;
    r->size = room;
    return r->place;
}

static symcomp_address arena(size_t bytes) { return grown(&gpu.arena, bytes); }

static symcomp_address workspace(void *unused, size_t bytes) {
    (void)unused;
    return grown(&gpu.scratch, bytes);
}

static void upload(symcomp_address to, const void *from, size_t bytes) {
    if (bytes && !gpu.error)
        fine(gpu.driver.upload(to, from, bytes, gpu.stream), "copying to the GPU");
}

static void download(void *to, symcomp_address from, size_t bytes) {
    if (!bytes || gpu.error)
        return;
    gpu.pending = 1;
    fine(gpu.driver.download(to, from, bytes, gpu.stream), "copying from the GPU");
}

static void copy(symcomp_address to, symcomp_address from, size_t bytes) {
    if (bytes && !gpu.error)
        fine(gpu.driver.copy(to, from, bytes, gpu.stream), "copying within the GPU");
}

static void wait_for_all(void) {
    if (!gpu.error)
        fine(gpu.driver.synchronize(gpu.stream), "waiting for the GPU");
    gpu.pending = 0;
}

static int64_t read_number(symcomp_address place) {
    int64_t number = 0;
    download(&number, place, sizeof number);
    wait_for_all();
    return gpu.error ? 0 : number;
}

static symcomp_address cell_on_gpu(symcomp_cell *cell, size_t bytes, int writes) {
    if (gpu.error)
        return 0;
    if (!cell->place || cell->room < bytes) {
        if (cell->place)
            fine(gpu.driver.release(cell->place), "giving memory back");
        cell->place = cell->room = 0;
        if (!allocate(&cell->place, bytes ? bytes : 1))
            return cell->place = 0;
        cell->room = bytes ? bytes : 1;
        cell->newest = SYMCOMP_HOST;
    }
    if (cell->newest == SYMCOMP_HOST) {
        upload(cell->place, cell->data, bytes);
        cell->newest = SYMCOMP_BOTH;
    }
    if (writes)
        cell->newest = SYMCOMP_GPU;
    return cell->place;
}

/* ---- a call --------------------------------------------------------------------------------- */

static void enter(void) {
    pthread_mutex_lock(&gpu.mutex);
    gpu.error = gpu.pending = 0;
    gpu.wanted = 0;
    if (getpid() != gpu.process)
        fine(FORKED, "starting");
    else
        fine(gpu.driver.set_context(gpu.context), "taking the GPU's context");
}

static int64_t leave(void) {
    if (gpu.pending)
        wait_for_all();
    int error = gpu.error;
    failure.error = error;
    failure.doing = gpu.doing;
    failure.wanted = gpu.wanted;
    pthread_mutex_unlock(&gpu.mutex);
    return error ? SYMCOMP_GPU_FAILED : 0;
}

/* ---- launches ------------------------------------------------------------------------------- */

static int64_t up(int64_t n, int64_t d) { return (n + d - 1) / d; }

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* The least power of two that is not below n. */
static int64_t power(int64_t n) {
    int64_t p = 1;
    while (p < n)
        p *= 2;
    return p;
}

static void launch(void *kernel, int64_t grid_x, int64_t grid_y, int64_t block_x, int64_t block_y,
                   int64_t shared, void **arguments) {
    if (gpu.error)
        return;
    gpu.launches++;
    fine(gpu.driver.launch(kernel, (unsigned)grid_x, (unsigned)grid_y, 1, (unsigned)block_x,
                           (unsigned)block_y, 1, (unsigned)shared, gpu.stream, arguments, NULL),
         "launching a kernel");
}

static void flat(void *kernel, int64_t x, int64_t y, void **arguments) {
    if (x <= 0 || y <= 0)
        return;
    int64_t wide = y == 1 ? BLOCK : least(power(x), BLOCK), high = BLOCK / wide;
    int64_t blocks = gpu.processors * BLOCKS_PER_PROCESSOR;
    int64_t across = least(up(x, wide), blocks);
    int64_t down = least(least(up(y, high), most(1, up(blocks, across))), MOST_BLOCKS_Y);
    launch(kernel, across, down, wide, high, 0, arguments);
}

static void teams(void *kernel, int64_t rows, int64_t length, int64_t scratch, void **arguments,
                  int64_t count) {
    if (rows <= 0 || gpu.error)
        return;
    int many = rows >= gpu.processors * (THREADS_PER_PROCESSOR / WARP);
    int64_t width = least(power(most(length, 1)), WARP);
    if (length > (many ? SHORT_ROW : WARP * PER_THREAD))
        width = least(most(power(up(length, PER_THREAD)), WARP), LARGEST_TEAM);
    int64_t together = width <= WARP ? BLOCK / width : 1;
    while (together > 1 && width * together > WARP && scratch * together > gpu.shared_most)
        together /= 2;
    int64_t resident = most(1, THREADS_PER_PROCESSOR / (width * together));
    int64_t blocks = least(up(rows, together), gpu.processors * resident * WAVES);
    int64_t shared = scratch * together;
    symcomp_address place = 0;
    if (shared > gpu.shared_most) {
        blocks = least(blocks, gpu.processors * resident);
        place = workspace(NULL, (size_t)(shared * blocks));
        shared = 0;
    }
    arguments[count] = &place;
    arguments[count + 1] = &scratch;
    launch(kernel, blocks, 1, width, together, shared, arguments);
}

static void product(const symcomp_product *p, int bytes) {
    if (!gpu.error)
        fine(symcomp_gpu_product(&gpu.libraries, p, bytes), "computing a matrix product");
}

static void convolve(int which, const symcomp_geometry *geometry, int bytes, symcomp_address left,
                     symcomp_address right, symcomp_address target) {
    if (!gpu.error)
        fine(symcomp_gpu_convolution(&gpu.libraries, which, geometry, bytes, left, right, target),
             "computing a convolution");
}

/* ---- replaying ------------------------------------------------------------------------------ */

static void forget(symcomp_replay *replay) {
    if (replay->executable)
        fine(gpu.driver.destroy_executable(replay->executable), "destroying a graph");
    replay->executable = NULL;
    replay->calls = 0;
}

static void *captured(void (*launches)(void *), void *frame) {
    void *graph = NULL, *executable = NULL;
    if (!fine(gpu.driver.begin_capture(gpu.stream, RELAXED), "beginning a capture"))
        return NULL;
    launches(frame);
    if (!fine(gpu.driver.end_capture(gpu.stream, &graph), "ending a capture"))
        return NULL;
    fine(gpu.driver.instantiate(&executable, graph, 0), "making a graph of launches");
    gpu.driver.destroy_graph(graph);
    return executable;
}

/* A frame holds every place and size that the launches of a plan depend on: where it is the same as
 * in the last call, so are the launches. They are captured when that happens for the second time. */
static void run(void (*launches)(void *), void *frame, size_t bytes, symcomp_replay *replay) {
    if (gpu.error)
        return;
    if (!replay || !gpu.driver.begin_capture) {
        launches(frame);
        return;
    }
    if (!replay->frame)
        replay->frame = calloc(1, bytes);
    if (!replay->frame || memcmp(replay->frame, frame, bytes) != 0) {
        forget(replay);
        if (replay->frame)
            memcpy(replay->frame, frame, bytes);
        launches(frame);
        return;
    }
    replay->calls++;
    if (replay->calls == 1) {
        launches(frame);
        return;
    }
    if (!replay->executable)
        replay->executable = captured(launches, frame);
    if (replay->executable) {
        gpu.replays++;
        fine(gpu.driver.launch_graph(replay->executable, gpu.stream), "replaying launches");
    }
}

/* ---- what Python calls ---------------------------------------------------------------------- */

static const symcomp_gpu table = {
    .enter = enter,
    .leave = leave,
    .arena = arena,
    .upload = upload,
    .download = download,
    .copy = copy,
    .cell = cell_on_gpu,
    .read = read_number,
    .wait = wait_for_all,
    .flat = flat,
    .teams = teams,
    .product = product,
    .convolve = convolve,
    .run = run,
};

/* `functions` are those of `symcomp_driver`, in order. */
SYMCOMP_EXPORT const symcomp_gpu *symcomp_gpu_start(void *const *functions, void *context,
                                                    void *stream, int64_t processors,
                                                    int64_t shared_most) {
    memcpy(&gpu.driver, functions, sizeof gpu.driver);
    gpu.context = context;
    gpu.stream = stream;
    gpu.processors = processors;
    gpu.shared_most = shared_most;
    gpu.process = getpid();
    gpu.libraries.driver = &gpu.driver;
    gpu.libraries.stream = stream;
    gpu.libraries.workspace = workspace;
    return &table;
}

SYMCOMP_EXPORT symcomp_gpu_libraries *symcomp_gpu_libraries_of(void) { return &gpu.libraries; }

/* The newest value of a cell to the host; the caller holds the cell exclusively. */
SYMCOMP_EXPORT int64_t symcomp_gpu_fetch(symcomp_cell *cell, int64_t bytes) {
    enter();
    if (cell->newest == SYMCOMP_GPU) {
        download(cell->data, cell->place, (size_t)bytes);
        wait_for_all();
        if (!gpu.error)
            cell->newest = SYMCOMP_BOTH;
    }
    return leave();
}

/* A cell's value to the GPU; the caller holds the cell exclusively. Answers where it lies, or 0. */
SYMCOMP_EXPORT symcomp_address symcomp_gpu_bring(symcomp_cell *cell, int64_t bytes) {
    enter();
    symcomp_address place = cell_on_gpu(cell, (size_t)bytes, 0);
    return leave() ? 0 : place;
}

/* What a cell has on the GPU is given back; nobody uses the cell any more. */
SYMCOMP_EXPORT void symcomp_gpu_release(symcomp_cell *cell) {
    if (!cell->place || getpid() != gpu.process)
        return;
    enter();
    if (!gpu.error)
        gpu.driver.release(cell->place);
    cell->place = cell->room = 0;
    leave();
}

/* Between memory of the GPU and of the host (which is null where both are the GPU's). */
SYMCOMP_EXPORT int64_t symcomp_gpu_transfer(void *host, uint64_t to, uint64_t from, int64_t bytes) {
    enter();
    if (!host)
        copy(to, from, (size_t)bytes);
    else if (to)
        upload(to, host, (size_t)bytes);
    else
        download(host, from, (size_t)bytes);
    return leave();
}

SYMCOMP_EXPORT int64_t symcomp_gpu_wait(void) {
    enter();
    wait_for_all();
    return leave();
}

/* What went wrong in this thread's last call: the driver's number, the bytes that were wanted, and two
 * texts. */
SYMCOMP_EXPORT int64_t symcomp_gpu_failure(int64_t *wanted, const char **doing, const char **text) {
    *wanted = (int64_t)failure.wanted;
    *doing = failure.doing ? failure.doing : "";
    *text = "";
    if (failure.error && failure.error != FORKED && gpu.driver.error_text)
        gpu.driver.error_text(failure.error, text);
    return failure.error;
}

/* Bytes that the runtime holds for all functions, launches made, and graphs replayed, until now. */
SYMCOMP_EXPORT void symcomp_gpu_statistics(int64_t *three) {
    pthread_mutex_lock(&gpu.mutex);
    three[0] = (int64_t)(gpu.arena.size + gpu.scratch.size);
    three[1] = gpu.launches;
    three[2] = gpu.replays;
    pthread_mutex_unlock(&gpu.mutex);
}
