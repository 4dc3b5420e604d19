/* The runtime of the one GPU: what launch plans call (see symcomp_gpu.h), over the driver's table.
 *
 * One call at a time uses the GPU: a mutex is held from `enter` to `leave`, and the context is the
 * thread's for as long. All work goes to one stream, in order, and the host waits only where it needs
 * a result, or where the GPU may still read memory of the caller's. The first error of a call is kept
 * with what was being done, and everything after it is skipped. What kernels find wrong with positions
 * is an error of the call that waits, or of the next (gpu_notes.h).
 *
 * The stream is an ordinary one, not "non-blocking": so what other libraries do on the default stream
 * comes before and after it in the order of the calls. Launches are captured on a stream aside, which
 * is non-blocking, since nobody in the process could use the default stream during a capture else.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "symcomp_gpu.h"

#include "gpu_memory.h"
#include "gpu_notes.h"
#include "gpu_products.h"
#include "gpu_teams.h"

enum {
    BLOCK = 256,           /* threads of a block, unless a team needs more */
    BLOCKS_PER_PROCESSOR = 16, /* of a flat kernel of rows: enough to fill the GPU evenly */
    BLOCKS_OF_A_LINE = 256,    /* of one without rows, where a block has nothing to begin with */
    BLOCKS_OF_TEAMS = 256,     /* of teams that are blocks, whose tiles differ little */
    THREADS_PER_PROCESSOR = 2048,
    WAVES = 4,             /* of teams: more only cost launching */
    SHORT_ROW = 2048,      /* elements for which one warp is enough where there are many rows */
    PER_THREAD = 4,        /* elements of a row that a thread should have */
    MOST_BLOCKS_Y = 65535,
    RELAXED = 2,           /* the mode of capturing that allows memory to be allocated */
    UNTIMED = 2,           /* of events: all that is asked of them is order */
    CONTEXT_OF = 1,        /* what `about` tells: the context of a place, */
    KIND_OF = 2,           /* whether it is the host's (1) or a device's, */
    IS_MANAGED = 8,        /* and whether it is memory that moves between them */
    OUT_OF_MEMORY = 2,     /* the driver's own number */
    CAPTURING = 900,       /* what must not be done while a stream captures */
    FORKED = 100000,       /* errors of ours: the process has forked since the GPU was started; */
    NESTED = 100001,       /* a call within a call, from a function in Python; */
    NOTED = 100002,        /* a position outside its axis; */
    LACKING = 100003,      /* kernels of products and convolutions, before anything was done */
};

/* Errors after which the context is of no use: every later call fails, too. */
static const int lasting[] = {214, 220, 226, 700, 702, 709, 710, 714,
                              715, 716, 717, 718, 719, 721, 810, 911};

static const size_t GRANULE = (size_t)2 << 20;

typedef struct {
    symcomp_address place;
    size_t size;
} region;

static struct {
    symcomp_driver driver;
    symcomp_gpu_libraries libraries;
    void *context, *stream, *aside, *event;
    int64_t processors, shared_most;
    pthread_mutex_t mutex;
    int real;                    /* no emulation, where a failure does not last */
    int forked, entered, nested; /* entered: the context is the thread's */
    symcomp_pool pool;
    symcomp_notes notes;
    region arena, scratch;
    char *staging; /* page-locked: a part for what goes to the GPU, and one for what comes back */
    int error, pending; /* pending: the GPU may still use memory of the host that it was given */
    int capturing;
    const char *doing;
    size_t wanted;
    int broken; /* the lasting error, if there was one, */
    const char *broken_doing; /* and what was being done when it was noticed */
    int64_t launches, replays;
} gpu;

/* What went wrong in this thread's last call. */
static _Thread_local struct {
    int error;
    const char *doing;
    size_t wanted;
    symcomp_found found; /* where the error is NOTED */
} failure;

static int fine(int error, const char *doing) {
    if (error && !gpu.error) {
        gpu.error = error;
        gpu.doing = doing;
        for (size_t k = 0; k < sizeof lasting / sizeof *lasting && !gpu.broken; ++k)
            if (error == lasting[k] && gpu.real) {
                gpu.broken = error;
                gpu.broken_doing = doing;
            }
    }
    return !gpu.error;
}

/* ---- memory --------------------------------------------------------------------------------- */

/* A block of at least `bytes`, whose size goes to *size; 0 where there is no memory. */
static symcomp_address take(size_t bytes, size_t *size) {
    symcomp_address place = 0;
    *size = symcomp_block_size(&gpu.pool, bytes);
    if (gpu.error || (place = symcomp_pool_find(&gpu.pool, *size, size)))
        return place;
    int error = gpu.driver.allocate(&place, *size);
    if (error == OUT_OF_MEMORY && symcomp_pool_trim(&gpu.pool))
        error = gpu.driver.allocate(&place, *size);
    gpu.wanted = bytes;
    return fine(error, "allocating memory") ? place : 0;
}

static void give(symcomp_address place, size_t size) { symcomp_pool_give(&gpu.pool, place, size); }

/* Room for `bytes` in a region that grows: what was there is lost. */
static symcomp_address grown(region *r, size_t bytes) {
    if (gpu.error)
        return 0;
    if (bytes <= r->size && r->place)
        return r->place;
    if (gpu.capturing && !fine(CAPTURING, "growing scratch memory"))
        return 0;
    if (r->place) {
        fine(gpu.driver.synchronize(gpu.stream), "waiting for the GPU");
        fine(gpu.driver.release(r->place), "giving memory back");
        r->place = r->size = 0;
    }
    size_t room = (bytes + GRANULE) / GRANULE * GRANULE;
    r->place = take(room, &room);
    r->size = r->place ? room : 0;
    return r->place;
}

static symcomp_address arena(size_t bytes) { return grown(&gpu.arena, bytes); }

static symcomp_address workspace(void *unused, size_t bytes) {
    (void)unused;
    return grown(&gpu.scratch, bytes);
}

/* Ordinary memory of the host has been read when the driver answers. Memory that the driver knows
 * (page-locked, or managed) is read later, straight from where it lies, and the caller may write to it
 * as soon as the call is over: so `leave` waits. */
static int is_read_later(const void *place) {
    unsigned kind = 0;
    return gpu.driver.about
           && gpu.driver.about(&kind, KIND_OF, (symcomp_address)(uintptr_t)place) == 0;
}

static void upload(symcomp_address to, const void *from, size_t bytes) {
    if (!bytes || gpu.error)
        return;
    if (!gpu.pending && is_read_later(from))
        gpu.pending = 1;
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

/* Waits, whatever else has failed; then it is known whether positions were wrong. */
static void wait_for_all(void) {
    if (!gpu.entered)
        return;
    int error = gpu.driver.synchronize(gpu.stream);
    gpu.pending = 0;
    if (fine(error, "waiting for the GPU") && symcomp_notes_take(&gpu.notes, &failure.found))
        fine(NOTED, "checking positions");
}

/* Whether kernels that nobody has waited for have found something: then what comes next is not done. */
static void look(void) {
    if (!gpu.error && gpu.notes.verdict && *gpu.notes.verdict)
        wait_for_all();
}

static void checks(symcomp_record *record, symcomp_address *verdict, symcomp_address *notes) {
    *verdict = (symcomp_address)(uintptr_t)gpu.notes.verdict;
    *notes = (symcomp_address)(uintptr_t)record->notes;
    if (!gpu.error)
        symcomp_notes_begin(&gpu.notes, record);
}

static int wait_and_tell(void) {
    wait_for_all();
    return gpu.error;
}

static symcomp_address cell_on_gpu(symcomp_cell *cell, size_t bytes, int writes) {
    if (gpu.error)
        return 0;
    if (!cell->place || cell->room < bytes) {
        size_t room = 0;
        give(cell->place, cell->room);
        cell->place = take(bytes, &room);
        cell->room = cell->place ? room : 0;
        if (!cell->place)
            return 0;
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

static void begin(void) {
    if (pthread_mutex_lock(&gpu.mutex) == EDEADLK) {
        ++gpu.nested;
        fine(NESTED, "starting");
        return;
    }
    gpu.error = gpu.pending = 0;
    gpu.wanted = 0;
    gpu.notes.current = NULL;
    if (gpu.forked)
        fine(FORKED, "starting");
    else if (gpu.broken)
        fine(gpu.broken, gpu.broken_doing);
    else if (fine(gpu.driver.push_context(gpu.context), "taking the GPU's context"))
        gpu.entered = 1;
}

static void enter(void) {
    begin();
    look();
}

static int64_t leave(void) {
    if (!gpu.nested && gpu.pending)
        wait_for_all();
    int error = gpu.error;
    failure.error = error;
    failure.doing = gpu.doing;
    failure.wanted = gpu.wanted;
    if (gpu.nested) {
        --gpu.nested;
        return SYMCOMP_GPU_FAILED;
    }
    void *context;
    if (gpu.entered)
        gpu.driver.pop_context(&context);
    gpu.entered = 0;
    if (error == LACKING && gpu.notes.current)
        --gpu.notes.current->calls; /* it was none */
    pthread_mutex_unlock(&gpu.mutex);
    return error == LACKING ? SYMCOMP_GPU_LACKING : error ? SYMCOMP_GPU_FAILED : 0;
}

static void make_mutex(void) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&gpu.mutex, &kind);
    pthread_mutexattr_destroy(&kind);
    pthread_mutex_init(&gpu.pool.mutex, NULL);
}

/* In the child after a fork, where whoever held the mutexes is not. */
static void child(void) {
    gpu.forked = 1;
    gpu.entered = gpu.nested = 0;
    make_mutex();
}

/* ---- launches ------------------------------------------------------------------------------- */

static void launch(void *kernel, int64_t grid_x, int64_t grid_y, int64_t block_x, int64_t block_y,
                   int64_t shared, void **arguments) {
    if (gpu.error)
        return;
    gpu.launches += !gpu.capturing;
    fine(gpu.driver.launch(kernel, (unsigned)grid_x, (unsigned)grid_y, 1, (unsigned)block_x,
                           (unsigned)block_y, 1, (unsigned)shared, gpu.stream, arguments, NULL),
         "launching a kernel");
}

static void flat(void *kernel, int64_t x, int64_t y, void **arguments) {
    if (x <= 0 || y <= 0)
        return;
    int64_t wide = y == 1 ? BLOCK : least(x, BLOCK), high = BLOCK / wide;
    int64_t blocks = gpu.processors * (y == 1 ? BLOCKS_OF_A_LINE : BLOCKS_PER_PROCESSOR);
    int64_t across = least(up(x, wide), blocks);
    int64_t down = least(least(up(y, high), most(1, up(blocks, across))), MOST_BLOCKS_Y);
    launch(kernel, across, down, wide, high, 0, arguments);
}

static void blocks(void *kernel, int64_t count, int64_t width, void **arguments) {
    int64_t most = gpu.processors * BLOCKS_OF_TEAMS;
    if (count > 0)
        launch(kernel, least(count, most), 1, width, 1, 0, arguments);
}

/* A team of `width` threads for each row, several of small ones in a block. */
static void launch_teams(void *kernel, int64_t rows, int64_t width, int64_t scratch,
                         void **arguments, int64_t count) {
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

static void teams(void *kernel, int64_t rows, int64_t length, int64_t scratch, void **arguments,
                  int64_t count) {
    if (rows <= 0 || gpu.error)
        return;
    int many = rows >= gpu.processors * (THREADS_PER_PROCESSOR / WARP);
    int64_t width = least(power(most(length, 1)), WARP);
    if (length > (many ? SHORT_ROW : WARP * PER_THREAD))
        width = least(most(power(up(length, PER_THREAD)), WARP), LARGEST_TEAM);
    launch_teams(kernel, rows, width, scratch, arguments, count);
}

static void rows(const symcomp_rows *r, void **arguments, int64_t count) {
    if (r->number <= 0 || gpu.error)
        return;
    int64_t width = symcomp_team_width(r, gpu.processors);
    int held = r->held[r->wide] && r->length <= width * r->lanes * r->slots;
    void *kernel = held ? r->held[r->wide] : r->streamed[r->wide];
    launch_teams(kernel, r->number, width, held ? 0 : r->scratch, arguments, count);
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

#include "gpu_sort.h"
#include "gpu_replay.h"

/* ---- what Python calls ---------------------------------------------------------------------- */

static const symcomp_gpu table = {
    .enter = enter,
    .leave = leave,
    .arena = arena,
    .upload = upload,
    .download = download,
    .copy = copy,
    .cell = cell_on_gpu,
    .checks = checks,
    .wait = wait_and_tell,
    .flat = flat,
    .teams = teams,
    .blocks = blocks,
    .rows = rows,
    .product = product,
    .convolve = convolve,
    .sort = sort,
    .run = run,
};

/* `functions` are those of `symcomp_driver`, in order; `real` says that they drive a GPU, and are no
 * emulation: memory that is given back is kept then, and failures last. */
SYMCOMP_EXPORT const symcomp_gpu *symcomp_gpu_start(void *const *functions, void *context,
                                                    void *stream, void *aside, int64_t processors,
                                                    int64_t shared_most, int64_t real) {
    memcpy(&gpu.driver, functions, sizeof gpu.driver);
    gpu.context = context;
    gpu.stream = stream;
    gpu.aside = aside;
    gpu.processors = processors;
    gpu.shared_most = shared_most;
    gpu.pool.driver = &gpu.driver;
    gpu.real = gpu.pool.keeps = (int)real;
    gpu.libraries.driver = &gpu.driver;
    gpu.libraries.stream = stream;
    gpu.libraries.workspace = workspace;
    make_mutex();
    pthread_atfork(NULL, NULL, child);
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
    begin();
    symcomp_address place = cell_on_gpu(cell, (size_t)bytes, 0);
    return leave() ? 0 : place;
}

/* What a cell has on the GPU is given back; nobody uses the cell any more. */
SYMCOMP_EXPORT void symcomp_gpu_release(symcomp_cell *cell) {
    if (!gpu.forked)
        give(cell->place, cell->room);
    cell->place = cell->room = 0;
}

/* Memory for an array: where it lies, or 0, and how much it is. */
SYMCOMP_EXPORT symcomp_address symcomp_gpu_allocate(int64_t bytes, size_t *size) {
    if (!gpu.forked) {
        *size = symcomp_block_size(&gpu.pool, (size_t)bytes);
        symcomp_address found = symcomp_pool_find(&gpu.pool, *size, size);
        if (found)
            return found;
    }
    begin();
    symcomp_address place = take((size_t)bytes, size);
    return leave() ? 0 : place;
}

SYMCOMP_EXPORT void symcomp_gpu_give(symcomp_address place, int64_t size) {
    if (!gpu.forked)
        give(place, (size_t)size);
}

/* The bytes that are free: of the driver's, and of those that are kept. */
SYMCOMP_EXPORT int64_t symcomp_gpu_free(void) {
    size_t free = 0, all = 0;
    begin();
    if (!gpu.error)
        fine(gpu.driver.memory(&free, &all), "asking for the free memory");
    return leave() ? -1 : (int64_t)(free + gpu.pool.kept_bytes);
}

/* Whether an array of another library is one that this context can use: its memory is not of another
 * context of this GPU, nor of another GPU. (Memory that moves is everybody's; what the driver says
 * nothing of may be.) */
SYMCOMP_EXPORT int64_t symcomp_gpu_is_foreign(symcomp_address place) {
    void *context = NULL;
    unsigned kind = 0, managed = 0;
    if (!gpu.driver.about)
        return 0;
    begin();
    int foreign = !gpu.error && gpu.driver.about(&context, CONTEXT_OF, place) == 0 && context
                  && context != gpu.context && gpu.driver.about(&kind, KIND_OF, place) == 0
                  && kind != 1 && gpu.driver.about(&managed, IS_MANAGED, place) == 0 && !managed;
    leave();
    return foreign;
}

/* Everything that is asked for from now on comes after what is on another stream by now. */
SYMCOMP_EXPORT int64_t symcomp_gpu_follow(void *stream) {
    static const char *const doing = "waiting for another library's stream";
    begin();
    if (!gpu.error && !gpu.driver.make_event)
        fine(gpu.driver.synchronize(stream), doing);
    else if (!gpu.error && (gpu.event || fine(gpu.driver.make_event(&gpu.event, UNTIMED), doing))
             && fine(gpu.driver.record_event(gpu.event, stream), doing))
        fine(gpu.driver.wait_for_event(gpu.stream, gpu.event, 0), doing);
    return leave();
}

/* Between memory of the GPU and of the host (which is null where both are the GPU's). */
SYMCOMP_EXPORT int64_t symcomp_gpu_transfer(void *host, uint64_t to, uint64_t from, int64_t bytes) {
    begin();
    if (!host)
        copy(to, from, (size_t)bytes);
    else if (to)
        upload(to, host, (size_t)bytes);
    else
        download(host, from, (size_t)bytes);
    return leave();
}

SYMCOMP_EXPORT int64_t symcomp_gpu_wait(void) {
    begin();
    wait_for_all();
    return leave();
}

/* What went wrong in this thread's last call: the driver's number, the bytes that were wanted, and two
 * texts. */
SYMCOMP_EXPORT int64_t symcomp_gpu_failure(int64_t *wanted, const char **doing, const char **text) {
    *wanted = (int64_t)failure.wanted;
    *doing = failure.doing ? failure.doing : "";
    *text = "";
    if (failure.error && failure.error < FORKED && gpu.driver.error_text)
        gpu.driver.error_text(failure.error, text);
    return failure.error;
}

/* The note that went wrong then: of which record, of which check, the length of the axis, the
 * position, and when (see gpu_notes.h). */
SYMCOMP_EXPORT void symcomp_gpu_found(int64_t *five) {
    const symcomp_found *found = &failure.found;
    const int64_t all[] = {(int64_t)(intptr_t)found->record, found->check, found->length,
                           found->position, found->when};
    memcpy(five, all, sizeof all);
}

/* Where the kernels of a function with so many checks note what is wrong, or 0. */
SYMCOMP_EXPORT symcomp_record *symcomp_gpu_record(int64_t checks) {
    symcomp_record *record = NULL;
    begin();
    if (!gpu.error)
        fine(symcomp_notes_add(&gpu.notes, &gpu.driver, checks, &record),
             "allocating memory of the host");
    return leave() ? NULL : record;
}

/* Bytes that the runtime holds for all functions, launches made, and graphs replayed, until now; and
 * bytes that are kept for who asks next. */
SYMCOMP_EXPORT void symcomp_gpu_statistics(int64_t *four) {
    int held = pthread_mutex_lock(&gpu.mutex) == 0;
    four[0] = (int64_t)(gpu.arena.size + gpu.scratch.size);
    four[1] = gpu.launches;
    four[2] = gpu.replays;
    four[3] = (int64_t)gpu.pool.kept_bytes;
    if (held)
        pthread_mutex_unlock(&gpu.mutex);
}

#include "gpu_products.c"
