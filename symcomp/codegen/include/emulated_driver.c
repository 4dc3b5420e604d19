/* The driver of the emulation: the functions of symcomp_driver (symcomp_gpu.h) on the host.
 *
 * Device memory is the host's.  It is full of ones (nan, -1) when it is allocated and when it is
 * released, and between strips of known bytes: what a kernel writes beside an array is noticed
 * after the launch (the address sanitizer, where it is, notices reads too).  Every copy must lie
 * within one living allocation.  Kernels are functions that a C++ compiler has made of the text for
 * the GPU (emulation.h); they have run when `launch` returns.  While a stream captures, operations
 * on it are written down instead, and `launch_graph` does them, as often as it is called.
 *
 * Errors are CUDA's numbers.  One thread at a time is served.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symcomp.h"
#include "symcomp_gpu.h"

enum {
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    ILLEGAL_ADDRESS = 700,
    LAUNCH_FAILED = 719,
    CAPTURE_UNSUPPORTED = 900,
    CAPTURE_INVALIDATED = 901,
    CAPTURE_NOT_BEGUN = 904,
};

enum { RELAXED_CAPTURE = 2 };

/* An emulated kernel; see emulation.h. */
typedef int (*kernel_function)(const unsigned grid[3], const unsigned block[3], size_t shared,
                               void **arguments);

/* --- what there is ----------------------------------------------------------------------------*/

/* Strips before and after each array; what lies in them. */
enum { STRIP = 256, STRIP_BYTE = 0xa5, UNSET_BYTE = 0xff };

typedef struct allocation {
    symcomp_address place;
    size_t bytes;
} allocation;

typedef struct operation {
    enum { COPY, FILL, LAUNCH } what;
    void *to;
    const void *from;
    size_t bytes; /* or those of shared memory */
    unsigned char value;
    kernel_function kernel;
    unsigned grid[3], block[3];
    void **arguments; /* in one piece with the values */
} operation;

typedef struct graph {
    operation *operations;
    size_t count, capacity;
    void *stream;
    int mode, error;
} graph;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static allocation *allocations; /* sorted by place */
static size_t allocation_count, allocation_capacity;
static size_t used, most_used, limit = (size_t)8 << 30;

static graph *capture; /* of the stream that captures, or NULL */
static char said[640]; /* of the last error, where there is more to say than its number */
static int said_error;

/* In the order of `symcomp_emulated_counts`. */
static struct {
    int64_t launches, uploads, downloads, copies, fills, allocations, releases, synchronizations,
        replays;
} counts;

/* Where the address sanitizer is loaded the strips are out of bounds for all that it checks. */
extern void __asan_poison_memory_region(void const volatile *place, size_t bytes)
    __attribute__((weak));
extern void __asan_unpoison_memory_region(void const volatile *place, size_t bytes)
    __attribute__((weak));

static int say(int error, const char *text) {
    said_error = error;
    snprintf(said, sizeof said, "%s", text);
    return error;
}

/* --- memory -----------------------------------------------------------------------------------*/

/* How many allocations begin at the place or before it. */
static size_t allocations_until(symcomp_address place) {
    size_t low = 0, high = allocation_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (allocations[middle].place <= place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int is_within(symcomp_address place, size_t bytes) {
    const size_t n = allocations_until(place);
    if (bytes == 0) return 1;
    if (n == 0) return 0;
    const allocation *a = &allocations[n - 1];
    return place - a->place <= a->bytes && bytes <= a->bytes - (place - a->place);
}

static int outside(const char *what, symcomp_address place, size_t bytes) {
    char text[200];
    snprintf(text, sizeof text, "%s of %zu bytes at 0x%llx is not within an allocation", what, bytes,
             (unsigned long long)place);
    return say(INVALID_VALUE, text);
}

static unsigned char *bytes_at(symcomp_address place) { return (unsigned char *)(uintptr_t)place; }

static size_t strip_fault(const unsigned char *strip) {
    size_t k = 0;
    while (k < STRIP && strip[k] == STRIP_BYTE) ++k;
    return k;
}

/* Whether something was written beside an array. */
static int check_strips(const allocation *a) {
    if (__asan_poison_memory_region) return 0;
    const size_t before = strip_fault(bytes_at(a->place) - STRIP);
    const size_t after = strip_fault(bytes_at(a->place) + a->bytes);
    if (before == STRIP && after == STRIP) return 0;
    char text[200];
    if (after < STRIP)
        snprintf(text, sizeof text,
                 "something was written %zu bytes after the end of an array of %zu bytes", after,
                 a->bytes);
    else
        snprintf(text, sizeof text,
                 "something was written %zu bytes before the beginning of an array of %zu bytes",
                 STRIP - before, a->bytes);
    memset(bytes_at(a->place) - STRIP, STRIP_BYTE, STRIP);
    memset(bytes_at(a->place) + a->bytes, STRIP_BYTE, STRIP);
    return say(ILLEGAL_ADDRESS, text);
}

static int check_all_strips(void) {
    int error = 0;
    for (size_t k = 0; k < allocation_count && !error; ++k) error = check_strips(&allocations[k]);
    return error;
}

/* What CUDA forbids while a stream captures in one of the strict modes; the capture is spoilt. */
static int forbidden_in_capture(void) {
    if (capture == NULL || capture->mode == RELAXED_CAPTURE) return 0;
    capture->error = CAPTURE_INVALIDATED;
    return say(CAPTURE_UNSUPPORTED, "memory is not given or taken while a stream captures");
}

static int allocate_now(symcomp_address *place, size_t bytes) {
    *place = 0;
    const int error = forbidden_in_capture();
    if (error) return error;
    if (bytes == 0) return say(INVALID_VALUE, "an allocation of 0 bytes");
    if (bytes > limit || used > limit - bytes) return OUT_OF_MEMORY;
    if (allocation_count == allocation_capacity) {
        const size_t more = allocation_capacity ? 2 * allocation_capacity : 64;
        void *moved = realloc(allocations, more * sizeof *allocations);
        if (moved == NULL) return OUT_OF_MEMORY;
        allocations = moved;
        allocation_capacity = more;
    }
    void *memory;
    if (posix_memalign(&memory, 256, bytes + 2 * STRIP) != 0) return OUT_OF_MEMORY;
    unsigned char *const data = (unsigned char *)memory + STRIP;
    memset(memory, STRIP_BYTE, STRIP);
    memset(data, UNSET_BYTE, bytes);
    memset(data + bytes, STRIP_BYTE, STRIP);
    if (__asan_poison_memory_region) {
        __asan_poison_memory_region(memory, STRIP);
        __asan_poison_memory_region(data + bytes, STRIP);
    }
    const allocation made = {(symcomp_address)(uintptr_t)data, bytes};
    const size_t n = allocations_until(made.place);
    memmove(allocations + n + 1, allocations + n, (allocation_count - n) * sizeof *allocations);
    allocations[n] = made;
    ++allocation_count;
    used += bytes;
    most_used = used > most_used ? used : most_used;
    ++counts.allocations;
    *place = made.place;
    return 0;
}

static int release_now(symcomp_address place) {
    int error = forbidden_in_capture();
    if (error) return error;
    const size_t n = allocations_until(place);
    if (place == 0 || n == 0 || allocations[n - 1].place != place)
        return say(INVALID_VALUE, "what is released is not allocated");
    error = check_strips(&allocations[n - 1]);
    unsigned char *const data = bytes_at(place);
    const size_t bytes = allocations[n - 1].bytes;
    if (__asan_unpoison_memory_region)
        __asan_unpoison_memory_region(data - STRIP, bytes + 2 * STRIP);
    memset(data, UNSET_BYTE, bytes);
    free(data - STRIP);
    used -= bytes;
    --allocation_count;
    memmove(allocations + n - 1, allocations + n, (allocation_count - n + 1) * sizeof *allocations);
    ++counts.releases;
    return error;
}

/* --- operations, now or later -----------------------------------------------------------------*/

static int run_kernel(const operation *o) {
    const int error = o->kernel(o->grid, o->block, o->bytes, o->arguments);
    if (!error) return check_all_strips();
    Dl_info info;
    const char *(*text)(void) = NULL;
    void *kernel;
    memcpy(&kernel, &o->kernel, sizeof kernel);
    void *library = dladdr(kernel, &info) ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD) : NULL;
    if (library != NULL) {
        void *found = dlsym(library, "emulated_error");
        memcpy(&text, &found, sizeof text);
    }
    const char *name = library && info.dli_sname ? info.dli_sname : "a kernel";
    name += strncmp(name, "emulated_", 9) == 0 ? 9 : 0;
    char all[600];
    snprintf(all, sizeof all, "%s: %s", name, text ? text() : "it failed");
    if (library != NULL) dlclose(library);
    return say(error, all);
}

static int perform(const operation *o) {
    switch (o->what) {
        case COPY: memcpy(o->to, o->from, o->bytes); return 0;
        case FILL: memset(o->to, o->value, o->bytes); return 0;
        default: ++counts.launches; return run_kernel(o);
    }
}

static int is_captured(void *stream) { return capture != NULL && capture->stream == stream; }

/* Copies the values of a launch, so that the caller's may change: CUDA does, too. */
static void **kept_arguments(kernel_function kernel, void **arguments) {
    const void *answer = NULL;
    kernel(NULL, NULL, 0, (void **)&answer);
    const size_t *const sizes = answer;
    size_t n = 0, bytes = 0;
    for (; sizes[n]; ++n) bytes += (sizes[n] + 15) / 16 * 16;
    const size_t head = (n * sizeof(void *) + 15) / 16 * 16;
    void **const kept = malloc(head + bytes + 1);
    char *next = (char *)kept + head;
    for (size_t k = 0; kept && k < n; ++k) {
        memcpy(next, arguments[k], sizes[k]);
        kept[k] = next;
        next += (sizes[k] + 15) / 16 * 16;
    }
    return kept;
}

static int perform_or_capture(operation o, void *stream) {
    if (!is_captured(stream)) return perform(&o);
    if (capture->count == capture->capacity) {
        const size_t more = capture->capacity ? 2 * capture->capacity : 16;
        void *moved = realloc(capture->operations, more * sizeof o);
        if (moved == NULL) return OUT_OF_MEMORY;
        capture->operations = moved;
        capture->capacity = more;
    }
    if (o.what == LAUNCH && (o.arguments = kept_arguments(o.kernel, o.arguments)) == NULL)
        return OUT_OF_MEMORY;
    capture->operations[capture->count++] = o;
    return 0;
}

static int copy_now(const char *what, symcomp_address to, symcomp_address from, size_t bytes,
                    int to_device, int from_device, void *stream) {
    if (to_device && !is_within(to, bytes)) return outside(what, to, bytes);
    if (from_device && !is_within(from, bytes)) return outside(what, from, bytes);
    if (to_device && from_device && bytes && to < from + bytes && from < to + bytes)
        return say(INVALID_VALUE, "a copy between places that overlap");
    const operation o = {.what = COPY, .to = bytes_at(to), .from = bytes_at(from), .bytes = bytes};
    return bytes ? perform_or_capture(o, stream) : 0;
}

static int launch_now(operation o, void *stream) {
    const uint64_t threads = (uint64_t)o.block[0] * o.block[1] * o.block[2];
    if (o.kernel == NULL) return say(INVALID_VALUE, "no kernel");
    if (threads == 0 || threads > 1024 || !o.grid[0] || !o.grid[1] || !o.grid[2]
        || o.grid[0] > 2147483647u || o.grid[1] > 65535 || o.grid[2] > 65535)
        return say(INVALID_VALUE, "a launch with more blocks or threads than a device can, or none");
    return perform_or_capture(o, stream);
}

static int launch_graph_now(const graph *g) {
    ++counts.replays;
    int error = 0;
    for (size_t k = 0; k < g->count && !error; ++k) error = perform(&g->operations[k]);
    return error;
}

static void free_graph(graph *g) {
    for (size_t k = 0; k < g->count; ++k) free(g->operations[k].arguments);
    free(g->operations);
    free(g);
}

/* The operations of a graph, for as long as the executable lives. */
static int instantiate_now(void **executable, const graph *g) {
    graph *made = calloc(1, sizeof *made);
    *executable = NULL;
    if (made == NULL) return OUT_OF_MEMORY;
    made->operations = malloc((g->count + 1) * sizeof *made->operations);
    for (size_t k = 0; made->operations && k < g->count; ++k) {
        operation o = g->operations[k];
        if (o.what == LAUNCH && (o.arguments = kept_arguments(o.kernel, o.arguments)) == NULL) break;
        made->operations[made->count++] = o;
    }
    if (made->operations == NULL || made->count < g->count) {
        free_graph(made);
        return OUT_OF_MEMORY;
    }
    *executable = made;
    return 0;
}

static int begin_capture_now(void *stream, int mode) {
    if (stream == NULL) return say(CAPTURE_UNSUPPORTED, "the default stream does not capture");
    if (capture != NULL) return say(INVALID_VALUE, "a stream captures already");
    capture = calloc(1, sizeof *capture);
    if (capture == NULL) return OUT_OF_MEMORY;
    capture->stream = stream;
    capture->mode = mode;
    return 0;
}

static int end_capture_now(void *stream, void **made) {
    *made = NULL;
    if (!is_captured(stream)) return say(CAPTURE_NOT_BEGUN, "the stream does not capture");
    graph *const done = capture;
    capture = NULL;
    const int error = done->error;
    if (error)
        free_graph(done);
    else
        *made = done;
    return error;
}

static int synchronize_now(void *stream) {
    if (is_captured(stream)) {
        capture->error = CAPTURE_INVALIDATED;
        return say(CAPTURE_UNSUPPORTED, "nobody can wait for a stream that captures");
    }
    return check_all_strips();
}

/* --- the table --------------------------------------------------------------------------------*/

/* The functions of the table hold the lock. */
#define LOCKED(expression)                                                                         \
    do {                                                                                           \
        pthread_mutex_lock(&mutex);                                                                \
        const int answer_ = (expression);                                                          \
        pthread_mutex_unlock(&mutex);                                                              \
        return answer_;                                                                            \
    } while (0)

static int push_context(void *context) {
    (void)context;
    return 0;
}

static int pop_context(void **context) {
    *context = NULL;
    return 0;
}

static int memory(size_t *free, size_t *all) {
    *free = used < limit ? limit - used : 0;
    *all = limit;
    return 0;
}

static int allocate(symcomp_address *place, size_t bytes) { LOCKED(allocate_now(place, bytes)); }
static int release(symcomp_address place) { LOCKED(release_now(place)); }

static int upload(symcomp_address to, const void *from, size_t bytes, void *stream) {
    LOCKED((++counts.uploads,
            copy_now("an upload", to, (symcomp_address)(uintptr_t)from, bytes, 1, 0, stream)));
}

static int download(void *to, symcomp_address from, size_t bytes, void *stream) {
    LOCKED((++counts.downloads,
            copy_now("a download", (symcomp_address)(uintptr_t)to, from, bytes, 0, 1, stream)));
}

static int copy(symcomp_address to, symcomp_address from, size_t bytes, void *stream) {
    LOCKED((++counts.copies, copy_now("a copy", to, from, bytes, 1, 1, stream)));
}

static int fill_now(symcomp_address place, unsigned char value, size_t bytes, void *stream) {
    if (!is_within(place, bytes)) return outside("filling", place, bytes);
    const operation o = {.what = FILL, .to = bytes_at(place), .value = value, .bytes = bytes};
    return bytes ? perform_or_capture(o, stream) : 0;
}

static int fill(symcomp_address place, unsigned char value, size_t bytes, void *stream) {
    LOCKED((++counts.fills, fill_now(place, value, bytes, stream)));
}

static int synchronize(void *stream) {
    LOCKED((++counts.synchronizations, synchronize_now(stream)));
}

static int launch(void *kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                  unsigned block_y, unsigned block_z, unsigned shared, void *stream,
                  void **arguments, void **extra) {
    operation o = {.what = LAUNCH,
                   .bytes = shared,
                   .grid = {grid_x, grid_y, grid_z},
                   .block = {block_x, block_y, block_z},
                   .arguments = arguments};
    memcpy(&o.kernel, &kernel, sizeof kernel);
    if (extra != NULL) LOCKED(say(INVALID_VALUE, "arguments are given one by one here"));
    LOCKED(launch_now(o, stream));
}

static int error_text(int error, const char **text) {
    static const struct {
        int error;
        const char *text;
    } known[] = {
        {0, "no error"},
        {INVALID_VALUE, "invalid argument"},
        {OUT_OF_MEMORY, "out of memory"},
        {ILLEGAL_ADDRESS, "an illegal memory access"},
        {LAUNCH_FAILED, "unspecified launch failure"},
        {CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"},
        {CAPTURE_INVALIDATED, "operation failed due to a previous error during capture"},
        {CAPTURE_NOT_BEGUN, "the stream does not capture"},
    };
    if (error && error == said_error) {
        *text = said;
        return 0;
    }
    for (size_t k = 0; k < sizeof known / sizeof *known; ++k)
        if (known[k].error == error) {
            *text = known[k].text;
            return 0;
        }
    *text = NULL;
    return INVALID_VALUE;
}

static int begin_capture(void *stream, int mode) { LOCKED(begin_capture_now(stream, mode)); }
static int end_capture(void *stream, void **made) { LOCKED(end_capture_now(stream, made)); }

static int instantiate(void **executable, void *made, unsigned long long flags) {
    (void)flags;
    LOCKED(instantiate_now(executable, made));
}

static int launch_graph(void *executable, void *stream) {
    (void)stream;
    LOCKED(launch_graph_now(executable));
}

static int allocate_host(void **place, size_t bytes, unsigned flags) {
    (void)flags;
    *place = malloc(bytes);
    return *place ? 0 : OUT_OF_MEMORY;
}

static int destroy_graph(void *made) {
    free_graph(made);
    return 0;
}

SYMCOMP_EXPORT void symcomp_emulated_driver(symcomp_driver *table) {
    const symcomp_driver all = {
        .push_context = push_context,
        .allocate = allocate,
        .release = release,
        .upload = upload,
        .download = download,
        .copy = copy,
        .fill = fill,
        .synchronize = synchronize,
        .launch = launch,
        .error_text = error_text,
        .begin_capture = begin_capture,
        .end_capture = end_capture,
        .instantiate = instantiate,
        .launch_graph = launch_graph,
        .destroy_executable = destroy_graph,
        .destroy_graph = destroy_graph,
        .pop_context = pop_context,
        .memory = memory,
        .allocate_host = allocate_host,
    };
    *table = all;
}

/* --- for tests --------------------------------------------------------------------------------*/

/* The device's memory in bytes; what is allocated stays so. */
SYMCOMP_EXPORT void symcomp_emulated_limit(size_t bytes) { limit = bytes; }

/* Bytes that are allocated. */
SYMCOMP_EXPORT int64_t symcomp_emulated_used(void) { return (int64_t)used; }

/* What has been done: launches, uploads, downloads, copies, fills, allocations, releases,
 * synchronizations, launches of graphs; then the bytes in use, the most that ever were, and the
 * living allocations. */
SYMCOMP_EXPORT void symcomp_emulated_counts(int64_t out[12]) {
    memcpy(out, &counts, sizeof counts);
    out[9] = (int64_t)used;
    out[10] = (int64_t)most_used;
    out[11] = (int64_t)allocation_count;
}
