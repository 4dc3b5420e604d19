/* A libcuda.so.1 without a GPU: as much of CUDA's driver as pycuda and symcomp use, over symcomp's
 * emulated driver, which has the memory, the kernels (those of the target "host") and the graphs.
 *
 * What it adds are the rules that a real driver has and an emulation could forget:
 *
 *   - nothing is done before it must be: streams are queues, worked off when somebody waits, so what
 *     is not waited for is missing; page-locked memory is read late, ordinary memory at once
 *   - the default stream and ordinary streams wait for each other, "non-blocking" ones for nobody; and
 *     nobody may use the default stream while an ordinary stream captures
 *   - nothing works in a thread without a context, or in a child after a fork
 *   - the error of a kernel shows later, and lasts
 *   - more than 48 KB of shared memory must be asked for
 *
 * The environment says what there is: EMULATED_CUDA_DEVICES (1, or 0), EMULATED_CUDA_MEMORY (bytes),
 * EMULATED_CUDA_CAPTURES (1; with 0 none begins, with 2 each is spoilt).
 * Entry points that are not here answer CUDA_ERROR_NOT_SUPPORTED (others.c).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "symcomp.h"
#include "symcomp_gpu.h"

#define API SYMCOMP_EXPORT int

enum {
    INVALID_VALUE = 1,
    NOT_INITIALIZED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    NO_BINARY_FOR_GPU = 209,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_SUPPORTED = 801,
    CAPTURE_UNSUPPORTED = 900,
    CAPTURE_INVALIDATED = 901,
    CAPTURE_IMPLICIT = 906,
};

enum { EM_OF_CUBINS = 190, NON_BLOCKING = 1, STATIC_SHARED = 256, USUAL_SHARED = 48 << 10,
       MOST_SHARED = 227 << 10, MOST_CONTEXTS = 16,
       CAPTURE_PAUSE = 1000 /* microseconds, in which other threads may do something */ };

void symcomp_emulated_driver(symcomp_driver *table);
void symcomp_emulated_limit(size_t bytes);

typedef int (*kernel_function)(const unsigned grid[3], const unsigned block[3], size_t shared,
                               void **arguments);

typedef struct function {
    kernel_function kernel;
    int most_shared;
} function;

typedef struct context {
    int alive;
} context;

typedef struct event event;

typedef struct task {
    enum { UPLOAD, COPY, FILL, LAUNCH, GRAPH, WAIT } what;
    symcomp_address to, from;
    const void *host;
    void *owned; /* staged bytes, or a launch's arguments */
    size_t bytes;
    unsigned char value;
    void *kernel, *executable;
    unsigned size[7];
    event *awaited;
    int64_t until;
    struct task *next;
} task;

typedef struct stream {
    int flags, capturing, spoilt;
    task *first, **last;
    int64_t given, done; /* tasks, in all */
    struct stream *next;
} stream;

struct event {
    stream *on;
    int64_t position;
    double time;
};

/* What somebody has allocated: of the device, or page-locked memory of the host. */
typedef struct range {
    uint64_t place, bytes;
    context *owner;
    int is_host;
    struct range *next;
} range;

static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static symcomp_driver driver;
static stream legacy = {.last = &legacy.first}, *streams = &legacy;
static range *ranges;
static context contexts[MOST_CONTEXTS]; /* the first is the primary one */
static int primary_holders, context_count = 1;
static pid_t process;
static int broken;
static _Thread_local context *stack[64];
static _Thread_local int depth;

/* --- rules --------------------------------------------------------------------------------------*/

static int usable(void) {
    if (!process || process != getpid())
        return NOT_INITIALIZED;
    return broken;
}

static int in_context(void) {
    int error = usable();
    if (!error && (!depth || !stack[depth - 1]->alive))
        error = INVALID_CONTEXT;
    return error;
}

/* Most entry points: with the lock, in a context. */
#define GUARDED(expression)                                                                        \
    do {                                                                                           \
        int error_ = in_context();                                                                 \
        if (error_)                                                                                \
            return error_;                                                                         \
        pthread_mutex_lock(&mutex);                                                                \
        error_ = (expression);                                                                     \
        pthread_mutex_unlock(&mutex);                                                              \
        return error_;                                                                             \
    } while (0)

/* --- queues -------------------------------------------------------------------------------------*/

static void work_off(stream *s, int64_t until);

static int perform(const task *t) {
    switch (t->what) {
    case UPLOAD: return driver.upload(t->to, t->host, t->bytes, &legacy);
    case COPY: return driver.copy(t->to, t->from, t->bytes, &legacy);
    case FILL: return driver.fill(t->to, t->value, t->bytes, &legacy);
    case GRAPH: return driver.launch_graph(t->executable, &legacy);
    case WAIT: work_off(t->awaited->on, t->until); return 0;
    default:
        return driver.launch(t->kernel, t->size[0], t->size[1], t->size[2], t->size[3], t->size[4],
                             t->size[5], t->size[6], &legacy, t->owned, NULL);
    }
}

static void work_off(stream *s, int64_t until) {
    while (s->first && s->done < until) {
        task *t = s->first;
        s->first = t->next;
        if (!s->first)
            s->last = &s->first;
        ++s->done;
        if (!broken)
            broken = perform(t);
        free(t->owned);
        free(t);
    }
}

static void finish(stream *s) { work_off(s, INT64_MAX); }

static void finish_all(void) {
    for (stream *s = streams; s; s = s->next)
        finish(s);
}

static stream *stream_of(void *handle) {
    return handle == NULL || handle == (void *)1 || handle == (void *)2 ? &legacy : handle;
}

/* The default stream waits for ordinary streams, and they for it. */
static int before_use(stream *s) {
    if (s == &legacy) {
        for (stream *o = streams; o; o = o->next)
            if (o->capturing && !(o->flags & NON_BLOCKING)) {
                o->spoilt = 1;
                return CAPTURE_IMPLICIT;
            }
        for (stream *o = streams; o; o = o->next)
            if (!(o->flags & NON_BLOCKING))
                finish(o);
    } else if (!(s->flags & NON_BLOCKING))
        finish(&legacy);
    return 0;
}

static int enqueue(stream *s, task t) {
    int error = before_use(s);
    if (error)
        return error;
    task *kept = malloc(sizeof *kept);
    *kept = t;
    kept->next = NULL;
    *s->last = kept;
    s->last = &kept->next;
    ++s->given;
    return 0;
}

/* --- the device ---------------------------------------------------------------------------------*/

static int64_t told(const char *name, int64_t usual) {
    const char *text = getenv(name);
    return text && *text ? atoll(text) : usual;
}

API cuInit(unsigned flags) {
    (void)flags;
    if (told("EMULATED_CUDA_DEVICES", 1) == 0)
        return NO_DEVICE;
    if (process)
        return usable();
    symcomp_emulated_driver(&driver);
    symcomp_emulated_limit((size_t)told("EMULATED_CUDA_MEMORY", (int64_t)8 << 30));
    process = getpid();
    return 0;
}

API cuDriverGetVersion(int *version) { return *version = 13000, 0; }
API cuDeviceGetCount(int *count) { return *count = 1, usable(); }
API cuDeviceGet(int *device, int n) { return *device = 0, n ? INVALID_DEVICE : usable(); }

API cuDeviceGetName(char *name, int room, int device) {
    (void)device;
    snprintf(name, (size_t)room, "emulated GPU");
    return 0;
}

API cuDeviceComputeCapability(int *major, int *minor, int device) {
    (void)device;
    *major = 9;
    *minor = 0;
    return 0;
}

API cuDeviceTotalMem_v2(size_t *bytes, int device) {
    (void)device;
    *bytes = (size_t)told("EMULATED_CUDA_MEMORY", (int64_t)8 << 30);
    return 0;
}

API cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)device;
    switch (attribute) {
    case 1: *value = 1024; break;         /* threads of a block */
    case 8: *value = USUAL_SHARED; break; /* of a block */
    case 10: *value = 32; break;          /* of a warp */
    case 16: *value = 4; break;           /* processors */
    case 39: *value = 2048; break;        /* threads of a processor */
    case 75: *value = 9; break;           /* compute capability, major */
    case 81: *value = 228 << 10; break;   /* shared memory of a processor */
    case 97: *value = MOST_SHARED; break; /* of a block that asks for it */
    default: *value = 0;
    }
    return 0;
}

/* --- contexts -----------------------------------------------------------------------------------*/

static int push(void *given) {
    context *c = given;
    if (c < contexts || c >= contexts + MOST_CONTEXTS || !c->alive)
        return INVALID_CONTEXT;
    stack[depth++] = c;
    return 0;
}

static int pop(void **popped) {
    if (!depth)
        return INVALID_CONTEXT;
    *popped = stack[--depth];
    return 0;
}

API cuDevicePrimaryCtxRetain(void **made, int device) {
    (void)device;
    ++primary_holders;
    contexts[0].alive = 1;
    *made = &contexts[0];
    return usable();
}

API cuDevicePrimaryCtxRelease_v2(int device) {
    (void)device;
    if (usable())
        return usable();
    if (--primary_holders == 0)
        contexts[0].alive = 0;
    return 0;
}

static int make_context(void **made) {
    context *c = &contexts[context_count++];
    c->alive = 1;
    *made = c;
    return push(c);
}

API cuCtxCreate_v2(void **made, unsigned flags, int device) {
    (void)flags, (void)device;
    return make_context(made);
}

API cuCtxCreate_v4(void **made, void *parameters, unsigned flags, int device) {
    (void)parameters, (void)flags, (void)device;
    return make_context(made);
}

/* pycuda calls this for the primary context, too, when an object of its own for that goes away. */
API cuCtxDetach(void *given) {
    context *c = given;
    depth -= depth && stack[depth - 1] == c;
    if (c == contexts)
        return cuDevicePrimaryCtxRelease_v2(0);
    c->alive = 0;
    return 0;
}

API cuCtxDestroy_v2(void *given) { return cuCtxDetach(given); }

API cuCtxPushCurrent_v2(void *given) {
    int error = usable();
    return error == NOT_INITIALIZED ? error : push(given);
}

API cuCtxPopCurrent_v2(void **popped) { return pop(popped); }

API cuCtxGetCurrent(void **current) { return *current = depth ? stack[depth - 1] : NULL, usable(); }

API cuCtxGetDevice(int *device) { return *device = 0, in_context(); }

API cuCtxSynchronize(void) { GUARDED((finish_all(), broken)); }

/* --- memory -------------------------------------------------------------------------------------*/

static void note(uint64_t place, uint64_t bytes, int is_host) {
    range *r = malloc(sizeof *r);
    *r = (range){place, bytes, stack[depth - 1], is_host, ranges};
    ranges = r;
}

static range **range_of(uint64_t place) {
    range **r = &ranges;
    while (*r && !(place >= (*r)->place && place < (*r)->place + (*r)->bytes))
        r = &(*r)->next;
    return r;
}

static void forget(uint64_t place) {
    range **r = range_of(place), *found = *r;
    if (found) {
        *r = found->next;
        free(found);
    }
}

static int allocate(symcomp_address *place, size_t bytes) {
    int error = driver.allocate(place, bytes);
    if (!error)
        note(*place, bytes, 0);
    return error;
}

static int release(symcomp_address place) {
    finish_all();
    forget(place);
    return driver.release(place);
}

API cuMemAlloc_v2(symcomp_address *place, size_t bytes) { GUARDED(allocate(place, bytes)); }
API cuMemFree_v2(symcomp_address place) { GUARDED(release(place)); }
API cuMemGetInfo_v2(size_t *free, size_t *all) { GUARDED(driver.memory(free, all)); }

static int allocate_host(void **place, size_t bytes) {
    if (posix_memalign(place, 4096, bytes))
        return 2;
    note((uint64_t)(uintptr_t)*place, bytes, 1);
    return 0;
}

static int release_host(void *place) {
    finish_all();
    forget((uint64_t)(uintptr_t)place);
    free(place);
    return 0;
}

API cuMemHostAlloc(void **place, size_t bytes, unsigned flags) {
    (void)flags;
    GUARDED(allocate_host(place, bytes));
}

API cuMemAllocHost_v2(void **place, size_t bytes) { GUARDED(allocate_host(place, bytes)); }
API cuMemFreeHost(void *place) { GUARDED(release_host(place)); }

static int about(void *answer, int what, uint64_t place) {
    const range *r = *range_of(place);
    if (!r)
        return INVALID_VALUE;
    switch (what) {
    case 1: *(void **)answer = r->owner; return 0;
    case 2: *(unsigned *)answer = r->is_host ? 1 : 2; return 0;
    case 8: *(unsigned *)answer = 0; return 0;
    default: return INVALID_VALUE;
    }
}

API cuPointerGetAttribute(void *answer, int what, uint64_t place) {
    GUARDED(about(answer, what, place));
}

static int upload(symcomp_address to, const void *from, size_t bytes, void *handle) {
    stream *s = stream_of(handle);
    if (s->capturing)
        return driver.upload(to, from, bytes, s);
    range *r = *range_of((uint64_t)(uintptr_t)from);
    task t = {.what = UPLOAD, .to = to, .host = from, .bytes = bytes};
    if (!r) {
        t.owned = malloc(bytes + 1);
        t.host = memcpy(t.owned, from, bytes);
    }
    return enqueue(s, t);
}

static int download(void *to, symcomp_address from, size_t bytes, void *handle) {
    stream *s = stream_of(handle);
    if (s->capturing)
        return driver.download(to, from, bytes, s);
    int error = before_use(s);
    finish(s);
    return error ? error : broken ? broken : driver.download(to, from, bytes, &legacy);
}

static int copy(symcomp_address to, symcomp_address from, size_t bytes, void *handle) {
    stream *s = stream_of(handle);
    task t = {.what = COPY, .to = to, .from = from, .bytes = bytes};
    return s->capturing ? driver.copy(to, from, bytes, s) : enqueue(s, t);
}

static int fill(symcomp_address place, unsigned char value, size_t bytes, void *handle) {
    stream *s = stream_of(handle);
    task t = {.what = FILL, .to = place, .value = value, .bytes = bytes};
    return s->capturing ? driver.fill(place, value, bytes, s) : enqueue(s, t);
}

/* What does not say "Async" has been done when it answers. */
static int done(int error) {
    finish(&legacy);
    return error ? error : broken;
}

API cuMemcpyHtoDAsync_v2(symcomp_address to, const void *from, size_t bytes, void *s) {
    GUARDED(upload(to, from, bytes, s));
}

API cuMemcpyDtoHAsync_v2(void *to, symcomp_address from, size_t bytes, void *s) {
    GUARDED(download(to, from, bytes, s));
}

API cuMemcpyDtoDAsync_v2(symcomp_address to, symcomp_address from, size_t bytes, void *s) {
    GUARDED(copy(to, from, bytes, s));
}

API cuMemcpyHtoD_v2(symcomp_address to, const void *from, size_t bytes) {
    GUARDED(done(upload(to, from, bytes, NULL)));
}

API cuMemcpyDtoH_v2(void *to, symcomp_address from, size_t bytes) {
    GUARDED(done(download(to, from, bytes, NULL)));
}

API cuMemcpyDtoD_v2(symcomp_address to, symcomp_address from, size_t bytes) {
    GUARDED(done(copy(to, from, bytes, NULL)));
}

API cuMemsetD8_v2(symcomp_address place, unsigned char value, size_t count) {
    GUARDED(done(fill(place, value, count, NULL)));
}

API cuMemsetD8Async(symcomp_address place, unsigned char value, size_t count, void *s) {
    GUARDED(fill(place, value, count, s));
}

/* --- modules and kernels ------------------------------------------------------------------------*/

static int load(void **module, const void *image) {
    const Elf64_Ehdr *head = image;
    if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0)
        return INVALID_IMAGE;
    if (head->e_machine == EM_OF_CUBINS)
        return NO_BINARY_FOR_GPU;
    size_t bytes = head->e_shoff + (size_t)head->e_shentsize * head->e_shnum;
    char path[] = "/tmp/emulated-module-XXXXXX"; /* never used twice: the loader goes by names */
    int file = mkstemp(path);
    int written = file >= 0 && write(file, image, bytes) == (ssize_t)bytes;
    if (file >= 0)
        close(file);
    *module = written ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    unlink(path);
    return *module ? 0 : INVALID_IMAGE;
}

static int find(void **found, void *module, const char *name) {
    char full[512];
    snprintf(full, sizeof full, "emulated_%s", name);
    void *symbol = dlsym(module, full);
    function *f = symbol ? calloc(1, sizeof *f) : NULL;
    *found = f;
    if (!f)
        return NOT_FOUND;
    memcpy(&f->kernel, &symbol, sizeof symbol);
    f->most_shared = USUAL_SHARED;
    return 0;
}

API cuModuleLoadData(void **module, const void *image) { GUARDED(load(module, image)); }

API cuModuleGetFunction(void **found, void *module, const char *name) {
    GUARDED(find(found, module, name));
}

API cuFuncGetAttribute(int *value, int what, void *kernel) {
    *value = what == 0 ? 1024 : what == 1 ? STATIC_SHARED : 0;
    return kernel ? 0 : INVALID_HANDLE;
}

API cuFuncSetAttribute(void *kernel, int what, int value) {
    if (what != 8 || value + STATIC_SHARED > MOST_SHARED)
        return INVALID_VALUE;
    ((function *)kernel)->most_shared = value + STATIC_SHARED;
    return 0;
}

static void *kept_arguments(kernel_function kernel, void **arguments) {
    const void *answer = NULL;
    kernel(NULL, NULL, 0, (void **)&answer);
    const size_t *const sizes = answer;
    size_t n = 0, bytes = 0;
    for (; sizes[n]; ++n)
        bytes += (sizes[n] + 15) / 16 * 16;
    void **const kept = malloc((n + 2) * sizeof(void *) + bytes + 16);
    char *next = (char *)(((uintptr_t)(kept + n) + 15) / 16 * 16);
    for (size_t k = 0; k < n; ++k) {
        memcpy(next, arguments[k], sizes[k]);
        kept[k] = next;
        next += (sizes[k] + 15) / 16 * 16;
    }
    return kept;
}

static int launch(function *f, const unsigned size[7], stream *s, void **arguments) {
    void *kernel;
    memcpy(&kernel, &f->kernel, sizeof kernel);
    const uint64_t threads = (uint64_t)size[3] * size[4] * size[5];
    if (!size[0] || !size[1] || !size[2] || size[1] > 65535 || size[2] > 65535 || !threads
        || threads > 1024 || size[5] > 64 || (int)size[6] + STATIC_SHARED > f->most_shared)
        return INVALID_VALUE;
    if (s->capturing)
        return driver.launch(kernel, size[0], size[1], size[2], size[3], size[4], size[5], size[6],
                             s, arguments, NULL);
    task t = {.what = LAUNCH, .kernel = kernel, .owned = kept_arguments(f->kernel, arguments)};
    memcpy(t.size, size, sizeof t.size);
    return enqueue(s, t);
}

API cuLaunchKernel(void *kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                   unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared, void *s,
                   void **arguments, void **extra) {
    const unsigned size[] = {grid_x, grid_y, grid_z, block_x, block_y, block_z, shared};
    if (!kernel)
        return INVALID_HANDLE;
    if (stream_of(s)->capturing)
        usleep(CAPTURE_PAUSE);
    GUARDED(extra ? INVALID_VALUE : launch(kernel, size, stream_of(s), arguments));
}

/* --- streams and events -------------------------------------------------------------------------*/

static int make_stream(void **made, unsigned flags) {
    stream *s = calloc(1, sizeof *s);
    s->flags = (int)flags;
    s->last = &s->first;
    s->next = streams->next;
    streams->next = s;
    *made = s;
    return 0;
}

static int synchronize(stream *s) {
    if (s->capturing) {
        s->spoilt = 1;
        return CAPTURE_UNSUPPORTED;
    }
    int error = before_use(s);
    finish(s);
    return error ? error : broken;
}

API cuStreamCreate(void **made, unsigned flags) { GUARDED(make_stream(made, flags)); }
API cuStreamSynchronize(void *s) { GUARDED(synchronize(stream_of(s))); }
API cuStreamQuery(void *s) { GUARDED(synchronize(stream_of(s))); }

API cuStreamDestroy_v2(void *s) { /* it stays in the list, empty */
    GUARDED((finish(stream_of(s)), 0));
}

static int record(event *e, stream *s) {
    struct timespec now;
    if (s->capturing)
        return CAPTURE_UNSUPPORTED;
    clock_gettime(CLOCK_MONOTONIC, &now);
    *e = (event){s, s->given, (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6};
    return 0;
}

static int wait_for_event(stream *s, event *e) {
    task t = {.what = WAIT, .awaited = e, .until = e->position};
    return s->capturing ? CAPTURE_UNSUPPORTED : e->on ? enqueue(s, t) : 0;
}

API cuEventCreate(void **made, unsigned flags) {
    (void)flags;
    GUARDED((*made = calloc(1, sizeof(event)), 0));
}

API cuEventDestroy_v2(void *e) { /* a stream may still wait for it */
    (void)e;
    return 0;
}

API cuEventRecord(void *e, void *s) { GUARDED(record(e, stream_of(s))); }

API cuStreamWaitEvent(void *s, void *e, unsigned flags) {
    (void)flags;
    GUARDED(wait_for_event(stream_of(s), e));
}

static int reach(const event *e) {
    if (e->on)
        work_off(e->on, e->position);
    return broken;
}

API cuEventSynchronize(void *e) { GUARDED(reach(e)); }
API cuEventQuery(void *e) { GUARDED(reach(e)); }

static int elapsed(float *time, const event *first, const event *second) {
    *time = (float)(second->time - first->time);
    return 0;
}

API cuEventElapsedTime(float *time, void *a, void *b) { return elapsed(time, a, b); }
API cuEventElapsedTime_v2(float *time, void *a, void *b) { return elapsed(time, a, b); }

/* --- graphs -------------------------------------------------------------------------------------*/

static int64_t captures;

/* For tests: how many captures there were. */
SYMCOMP_EXPORT int64_t emulated_captures(void) { return captures; }

static int begin_capture(stream *s, int mode) {
    int error = s == &legacy ? CAPTURE_UNSUPPORTED : driver.begin_capture(s, mode);
    if (!error && told("EMULATED_CUDA_CAPTURES", 1) == 0) {
        void *graph;
        driver.end_capture(s, &graph);
        return driver.destroy_graph(graph), NOT_SUPPORTED;
    }
    if (!error) {
        ++captures;
        s->capturing = 1;
        s->spoilt = told("EMULATED_CUDA_CAPTURES", 1) == 2;
    }
    return error;
}

static int end_capture(stream *s, void **graph) {
    s->capturing = 0;
    int error = driver.end_capture(s, graph);
    if (!error && s->spoilt) {
        driver.destroy_graph(*graph);
        *graph = NULL;
        error = CAPTURE_INVALIDATED;
    }
    return error;
}

static int launch_graph(void *executable, stream *s) {
    task t = {.what = GRAPH, .executable = executable};
    return s->capturing ? CAPTURE_UNSUPPORTED : enqueue(s, t);
}

API cuStreamBeginCapture_v2(void *s, int mode) { GUARDED(begin_capture(stream_of(s), mode)); }
API cuStreamEndCapture(void *s, void **graph) { GUARDED(end_capture(stream_of(s), graph)); }

API cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags) {
    GUARDED(driver.instantiate(executable, graph, flags));
}

API cuGraphLaunch(void *executable, void *s) { GUARDED(launch_graph(executable, stream_of(s))); }

API cuGraphExecDestroy(void *executable) {
    GUARDED((finish_all(), driver.destroy_executable(executable)));
}

API cuGraphDestroy(void *graph) { GUARDED(driver.destroy_graph(graph)); }

/* --- errors -------------------------------------------------------------------------------------*/

static const struct {
    int error;
    const char *text;
} texts[] = {
    {0, "no error"},
    {1, "invalid argument"},
    {2, "out of memory"},
    {NOT_INITIALIZED, "initialization error"},
    {NO_DEVICE, "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "invalid device ordinal"},
    {INVALID_IMAGE, "device kernel image is invalid"},
    {INVALID_CONTEXT, "invalid device context"},
    {NO_BINARY_FOR_GPU, "no kernel image is available for execution on the device"},
    {INVALID_HANDLE, "invalid resource handle"},
    {NOT_FOUND, "named symbol not found"},
    {700, "an illegal memory access was encountered"},
    {719, "unspecified launch failure"},
    {NOT_SUPPORTED, "operation not supported"},
    {CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"},
    {CAPTURE_INVALIDATED, "operation failed due to a previous error during capture"},
    {CAPTURE_IMPLICIT, "operation would make the legacy stream depend on a capturing blocking stream"},
};

API cuGetErrorString(int error, const char **text) {
    *text = "unrecognized error code";
    for (size_t k = 0; k < sizeof texts / sizeof *texts; ++k)
        if (texts[k].error == error) {
            *text = texts[k].text;
            return 0;
        }
    return INVALID_VALUE;
}
