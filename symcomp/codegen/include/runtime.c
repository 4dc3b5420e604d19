/* The runtime: threads, scratch memory, and the locks of shared values. Built once per machine,
 * loaded once per process.
 *
 * Threads. One pool, created when first needed. A job is announced in one atomic word, `gate`, that
 * holds the job's number, how many workers may still come in, and how many are in. A worker enters
 * only while the gate is open; the caller does pieces like everybody else, then shuts the gate and
 * waits for those inside. So nobody ever waits for a worker that sleeps, and a late worker finds
 * the gate shut. Each thread begins with a share of its own, the same stretch in every job, so that
 * what one job leaves in a core's cache the next finds there; then it helps with the others'. Workers look at the gate for some microseconds, then sleep. When the pool is busy
 * (another thread's call, or a call from inside a piece), a loop runs where it is.
 *
 * Forks. A child has none of the threads and none of the locks of its parent: it starts with a new
 * pool.
 */
#define _GNU_SOURCE
#include "symcomp.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#if defined(__x86_64__) || defined(__i386__)
#define relax() __builtin_ia32_pause()
#elif defined(__aarch64__) || defined(__arm__)
#define relax() __asm__ __volatile__("yield")
#else
#define relax() ((void)0)
#endif

enum {
    LOOKS_BETWEEN_CLOCKS = 32,
    SPIN_NANOSECONDS = 40000,        /* how long an idle worker looks before it sleeps */
    CROWDED_SPIN_NANOSECONDS = 1000, /* the same where there are more threads than processors */
    LOOKS_BEFORE_YIELD = 4096,
    WORKER_STACK = 8 << 20,
    ALIGNMENT = 64,
    HUGE_PAGE = 2 << 20,
    SMALLEST_CHUNK = 64 << 10,
    MOST_SHARES = 256,
};

static symcomp_runtime table;

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- threads -------------------------------------------------------------------------------- */

/* gate = job number (32 bits) | places left for workers (16) | workers inside (16) */
#define PLACE ((uint64_t)1 << 16)
#define INSIDE ((uint64_t)1)
#define JOB ((uint64_t)1 << 32)
#define ALL_PLACES ((uint64_t)0xffff << 16)
#define PLACES(gate) (((gate) & ALL_PLACES) >> 16)
#define WORKERS_INSIDE(gate) ((gate) & 0xffff)

static struct {
    _Alignas(64) _Atomic uint64_t gate;
    _Alignas(64) symcomp_body body;
    void *context;
    int64_t extent, grain, shares;
    _Alignas(64) atomic_flag busy;
    _Atomic int sleepers;
    _Atomic int64_t spin; /* nanoseconds */
    int workers;          /* only the holder of `busy` reads and writes this */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
} pool = {
    .busy = ATOMIC_FLAG_INIT,
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .wake = PTHREAD_COND_INITIALIZER,
};

/* The pieces of one thread: the first that nobody has taken, and where they end. */
static struct {
    _Alignas(64) _Atomic int64_t next;
    int64_t end;
} share[MOST_SHARES];

static int processors = 1;
static _Thread_local int64_t thread_limit; /* 0: as many as table.threads */

static void do_pieces(int64_t own) {
    for (int64_t tried = 0; tried < pool.shares; ++tried) {
        int64_t piece, from = (own + tried) % pool.shares;
        while ((piece = atomic_fetch_add(&share[from].next, 1)) < share[from].end) {
            int64_t begin = piece * pool.grain, rest = pool.extent - begin;
            pool.body(pool.context, begin, begin + (rest < pool.grain ? rest : pool.grain));
        }
    }
}

/* Takes a place if the gate has one; false when there is none. */
static int enter(void) {
    uint64_t gate = atomic_load_explicit(&pool.gate, memory_order_relaxed);
    while (PLACES(gate)) {
        if (atomic_compare_exchange_weak(&pool.gate, &gate, gate - PLACE + INSIDE))
            return 1;
    }
    return 0;
}

/* Returns when woken, even if the job is over by then: the next one may well follow at once. */
static void sleep_while_shut(void) {
    pthread_mutex_lock(&pool.mutex);
    atomic_fetch_add(&pool.sleepers, 1);
    if (!PLACES(atomic_load(&pool.gate)))
        pthread_cond_wait(&pool.wake, &pool.mutex);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.mutex);
}

static void await_job(void) {
    int64_t deadline = nanoseconds() + atomic_load_explicit(&pool.spin, memory_order_relaxed);
    do {
        for (int look = 0; look < LOOKS_BETWEEN_CLOCKS; ++look) {
            if (PLACES(atomic_load_explicit(&pool.gate, memory_order_relaxed)))
                return;
            relax();
        }
    } while (nanoseconds() < deadline);
    sleep_while_shut();
}

static void *worker(void *number) {
    for (;;) {
        await_job();
        if (enter()) {
            do_pieces((intptr_t)number);
            atomic_fetch_sub_explicit(&pool.gate, INSIDE, memory_order_release);
        }
    }
    return NULL;
}

/* Starts one worker that takes no signals: those belong to the program's own threads. */
static int start_worker(int number) {
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes))
        return 0;
    pthread_attr_setstacksize(&attributes, WORKER_STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attributes, worker, (void *)(intptr_t)number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !failed;
}

/* Has at least `wanted` workers if the system gives them; how many there are, at most `wanted`. */
static int64_t have_workers(int64_t wanted) {
    while (pool.workers < wanted && start_worker(pool.workers + 1)) {
        ++pool.workers;
        int64_t spin = pool.workers < processors ? SPIN_NANOSECONDS : CROWDED_SPIN_NANOSECONDS;
        atomic_store_explicit(&pool.spin, spin, memory_order_relaxed);
    }
    return pool.workers < wanted ? pool.workers : wanted;
}

static void open_gate(int64_t places) {
    uint64_t gate = atomic_load_explicit(&pool.gate, memory_order_relaxed);
    atomic_store(&pool.gate, (gate & ~(JOB - 1)) + JOB + places * PLACE);
    int sleepers = atomic_load(&pool.sleepers);
    if (!sleepers)
        return;
    pthread_mutex_lock(&pool.mutex); /* a worker between its last look and its sleep holds this */
    pthread_mutex_unlock(&pool.mutex);
    for (int64_t woken = 0; woken < places && woken < sleepers; ++woken)
        pthread_cond_signal(&pool.wake);
}

/* Shuts the gate and waits for the workers inside: their last pieces are part of the job. */
static void shut_gate(void) {
    uint64_t gate = atomic_fetch_and(&pool.gate, ~ALL_PLACES);
    for (int64_t look = 1; WORKERS_INSIDE(gate); ++look) {
        if (look % LOOKS_BEFORE_YIELD == 0 || pool.workers >= processors)
            sched_yield();
        else
            relax();
        gate = atomic_load_explicit(&pool.gate, memory_order_acquire);
    }
}

static void run_here(symcomp_body body, void *context, int64_t extent, int64_t grain) {
    for (int64_t begin = 0; begin < extent; begin += grain)
        body(context, begin, extent - begin < grain ? extent : begin + grain);
}

/* Equal shares, the first ones longer by a piece where it does not come out even. */
static void divide(int64_t pieces, int64_t threads) {
    pool.shares = threads < MOST_SHARES ? threads : MOST_SHARES;
    for (int64_t member = 0, begin = 0; member < pool.shares; ++member) {
        atomic_store_explicit(&share[member].next, begin, memory_order_relaxed);
        begin += pieces / pool.shares + (member < pieces % pool.shares);
        share[member].end = begin;
    }
}

static void parallel(symcomp_body body, void *context, int64_t extent, int64_t grain) {
    int64_t threads = thread_limit ? thread_limit : table.threads;
    if (grain < 1)
        grain = 1;
    if (extent <= grain || threads <= 1 || atomic_flag_test_and_set(&pool.busy)) {
        run_here(body, context, extent, grain);
        return;
    }
    int64_t pieces = (extent - 1) / grain + 1;
    int64_t places = have_workers((threads < pieces ? threads : pieces) - 1);
    pool.body = body, pool.context = context;
    pool.extent = extent, pool.grain = grain;
    divide(pieces, places + 1);
    open_gate(places);
    do_pieces(0);
    shut_gate();
    atomic_flag_clear(&pool.busy);
}

/* ---- scratch memory ------------------------------------------------------------------------- */

typedef struct chunk {
    struct chunk *below;
    size_t capacity, used;
    _Alignas(ALIGNMENT) char bytes[];
} chunk;

/* `spare` is the largest chunk that is not in use: a program that repeats itself soon allocates
 * nothing. The key exists only so that the memory goes when its thread does. */
static pthread_key_t arena_key;
static _Thread_local chunk *top, *spare;

static void retire(chunk *empty) {
    chunk *dropped = empty;
    if (!spare || spare->capacity < empty->capacity) {
        dropped = spare;
        spare = empty;
    }
    free(dropped);
}

static void drop_top(void) {
    chunk *dropped = top;
    top = dropped->below;
    retire(dropped);
}

static void release_arena(void *unused) {
    (void)unused;
    while (top)
        drop_top();
    free(spare);
    spare = NULL;
}

/* Under the address sanitizer scratch memory is forbidden ground but for what is pushed, with a gap
 * after each: else it would only see what goes beyond a whole chunk. */
#ifdef __SANITIZE_ADDRESS__
enum { GAP = ALIGNMENT };
#define forbid(memory, bytes) ASAN_POISON_MEMORY_REGION(memory, bytes)
#define allow(memory, bytes) ASAN_UNPOISON_MEMORY_REGION(memory, bytes)
#else
enum { GAP = 0 };
#define forbid(memory, bytes) ((void)0)
#define allow(memory, bytes) ((void)0)
#endif

static chunk *allocate_chunk(size_t capacity) {
    size_t bytes = sizeof(chunk) + capacity;
    void *memory;
    if (posix_memalign(&memory, bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT, bytes))
        return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= HUGE_PAGE)
        madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    pthread_setspecific(arena_key, memory);
    chunk *made = memory;
    made->capacity = capacity;
    return made;
}

/* The room for `bytes`, and for all that is in use now: next time one chunk will do. */
static chunk *find_chunk(size_t bytes) {
    chunk *found = spare;
    size_t in_use = SMALLEST_CHUNK;
    if (found && found->capacity >= bytes) {
        spare = NULL;
        return found;
    }
    for (chunk *here = top; here; here = here->below)
        in_use += here->used;
    free(spare);
    spare = NULL;
    found = allocate_chunk(in_use + bytes);
    return found ? found : allocate_chunk(bytes);
}

static void *push_in_new_chunk(size_t bytes) {
    if (top && !top->used)
        drop_top();
    chunk *found = find_chunk(bytes);
    if (!found)
        return NULL;
    found->below = top;
    found->used = bytes;
    forbid(found->bytes, found->capacity);
    top = found;
    return found->bytes;
}

static void *push(size_t bytes) {
    if (bytes > SIZE_MAX / 4)
        return NULL;
    size_t room = bytes ? (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1) : ALIGNMENT;
    room += GAP;
    chunk *here = top;
    void *memory;
    if (!here || here->capacity - here->used < room) {
        memory = push_in_new_chunk(room);
        if (!memory)
            return NULL;
    } else {
        memory = here->bytes + here->used;
        here->used += room;
    }
    allow(memory, bytes);
    return memory;
}

static void pop(void *mark) {
    char *place = mark;
    if (!place)
        return;
    while (place < top->bytes || place >= top->bytes + top->capacity)
        drop_top();
    top->used = (size_t)(place - top->bytes);
    forbid(place, top->capacity - top->used);
}

/* Gives the calling thread's unused scratch memory back to the system. */
SYMCOMP_EXPORT void symcomp_trim(void) {
    while (top && !top->used)
        drop_top();
    free(spare);
    spare = NULL;
}

/* ---- shared values -------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t mutex; /* of the list, and of everybody who waits for a cell */
    pthread_cond_t changed;
    _Atomic int waiting;
    symcomp_cell *first;
} cells = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

#define HOLDERS(cell) ((_Atomic int32_t *)&(cell)->holders)
#define WAITING_WRITERS(cell) ((_Atomic int32_t *)&(cell)->waiting_writers)

static int try_shared(symcomp_cell *cell) {
    int32_t holders = atomic_load(HOLDERS(cell));
    while (holders >= 0 && !atomic_load(WAITING_WRITERS(cell))) {
        if (atomic_compare_exchange_weak(HOLDERS(cell), &holders, holders + 1))
            return 1;
    }
    return 0;
}

static int try_exclusive(symcomp_cell *cell) {
    int32_t nobody = 0;
    return atomic_compare_exchange_strong(HOLDERS(cell), &nobody, -1);
}

static void wait_for(symcomp_cell *cell, int exclusive) {
    pthread_mutex_lock(&cells.mutex);
    atomic_fetch_add(&cells.waiting, 1);
    if (exclusive)
        atomic_fetch_add(WAITING_WRITERS(cell), 1);
    while (!(exclusive ? try_exclusive(cell) : try_shared(cell)))
        pthread_cond_wait(&cells.changed, &cells.mutex);
    if (exclusive)
        atomic_fetch_sub(WAITING_WRITERS(cell), 1);
    atomic_fetch_sub(&cells.waiting, 1);
    pthread_mutex_unlock(&cells.mutex);
}

SYMCOMP_EXPORT void symcomp_cells_lock(symcomp_cell *const *list, const uint8_t *exclusive,
                                       int64_t n) {
    for (int64_t q = 0; q < n; ++q) {
        if (!(exclusive[q] ? try_exclusive(list[q]) : try_shared(list[q])))
            wait_for(list[q], exclusive[q]);
    }
}

/* A forked child starts with its cells free, also those that its one thread held: then there is
 * nothing to count. */
static void leave(symcomp_cell *cell, int exclusive) {
    int32_t holders = atomic_load(HOLDERS(cell));
    if (exclusive)
        atomic_store(HOLDERS(cell), 0);
    else
        while (holders > 0 && !atomic_compare_exchange_weak(HOLDERS(cell), &holders, holders - 1))
            ;
}

SYMCOMP_EXPORT void symcomp_cells_unlock(symcomp_cell *const *list, const uint8_t *exclusive,
                                         int64_t n) {
    for (int64_t q = n; q-- > 0;)
        leave(list[q], exclusive[q]);
    if (atomic_load(&cells.waiting)) {
        pthread_mutex_lock(&cells.mutex);
        pthread_cond_broadcast(&cells.changed);
        pthread_mutex_unlock(&cells.mutex);
    }
}

SYMCOMP_EXPORT symcomp_cell *symcomp_cell_new(void) {
    symcomp_cell *cell = calloc(1, sizeof(symcomp_cell));
    if (!cell)
        return NULL;
    pthread_mutex_lock(&cells.mutex);
    cell->next = cells.first;
    if (cells.first)
        cells.first->previous = cell;
    cells.first = cell;
    pthread_mutex_unlock(&cells.mutex);
    return cell;
}

SYMCOMP_EXPORT void symcomp_cell_free(symcomp_cell *cell) {
    pthread_mutex_lock(&cells.mutex);
    if (cell->previous)
        cell->previous->next = cell->next;
    else
        cells.first = cell->next;
    if (cell->next)
        cell->next->previous = cell->previous;
    pthread_mutex_unlock(&cells.mutex);
    free(cell);
}

/* Says where the value is; the caller holds the cell exclusively, or nobody else knows it yet. */
SYMCOMP_EXPORT void symcomp_cell_set(symcomp_cell *cell, void *data, const int64_t *shape,
                                     int64_t rank) {
    cell->data = data;
    cell->newest = SYMCOMP_HOST;
    memcpy(cell->shape, shape, (size_t)rank * sizeof *shape);
}

/* Where what was written last lies. */
SYMCOMP_EXPORT int64_t symcomp_cell_newest(const symcomp_cell *cell) { return cell->newest; }

/* ---- life ----------------------------------------------------------------------------------- */

static void before_fork(void) { pthread_mutex_lock(&cells.mutex); }

static void in_parent(void) { pthread_mutex_unlock(&cells.mutex); }

static void in_child(void) {
    pool.workers = 0;
    atomic_store(&pool.gate, 0);
    atomic_store(&pool.sleepers, 0);
    atomic_flag_clear(&pool.busy);
    pool.mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    pool.wake = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    cells.mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    cells.changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    atomic_store(&cells.waiting, 0);
    for (symcomp_cell *cell = cells.first; cell; cell = cell->next) {
        atomic_store(HOLDERS(cell), 0);
        atomic_store(WAITING_WRITERS(cell), 0);
    }
}

/* The number of threads of every call, but those of threads that have a number of their own. */
SYMCOMP_EXPORT void symcomp_set_threads(int64_t threads) { table.threads = threads; }

/* The number of threads of the calling thread's calls; 0: as all others. */
SYMCOMP_EXPORT void symcomp_limit_threads(int64_t threads) { thread_limit = threads; }

SYMCOMP_EXPORT int64_t symcomp_workers(void) { return pool.workers; }

SYMCOMP_EXPORT void symcomp_set_blas(void *sgemm, void *dgemm, void *sgemv, void *dgemv) {
    table.sgemm = (symcomp_sgemm)sgemm, table.dgemm = (symcomp_dgemm)dgemm;
    table.sgemv = (symcomp_sgemv)sgemv, table.dgemv = (symcomp_dgemv)dgemv;
}

/* The library of one way to convolve; either is NULL where that library is not wanted yet. */
SYMCOMP_EXPORT void symcomp_set_convolution(int64_t way, const void *f32, const void *f64) {
    if (f32)
        table.convolution_f32[way] = f32;
    if (f64)
        table.convolution_f64[way] = f64;
}

/* What C sees of the one array in a tuple, for Python to compare with the truth. */
SYMCOMP_EXPORT void symcomp_describe(const symcomp_tuple *tuple, int64_t *facts) {
    const symcomp_array *array = tuple->items[0];
    int64_t found[] = {
        tuple->length,         (int64_t)array->type, (int64_t)array->data, array->rank,
        array->shape[0],       array->shape[1],      array->strides[0],    array->strides[1],
        (int64_t)array->base,  (int64_t)array->dtype, array->flags,
    };
    memcpy(facts, found, sizeof found);
}

/* The table of this process; called once, by one thread. NULL when the system has no room. */
SYMCOMP_EXPORT const symcomp_runtime *symcomp_start(int64_t threads, int64_t available) {
    if (pthread_key_create(&arena_key, release_arena))
        return NULL;
    if (pthread_atfork(before_fork, in_parent, in_child))
        return NULL;
    processors = (int)available;
    table.threads = threads;
    table.parallel = parallel;
    table.push = push, table.pop = pop;
    table.lock = symcomp_cells_lock, table.unlock = symcomp_cells_unlock;
    return &table;
}
