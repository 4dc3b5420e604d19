/* The threads of the emulation, and the launch of a grid; a part of emulation.h.
 *
 * A stack runs one thread after the other for as long as none waits: a thread that never waits costs
 * a call.  Where one has to wait its stack stays as it is, and another stack goes on: with a thread
 * that may run again, or with those that have not begun.
 *
 * SYMCOMP_EMULATION_ORDER chooses who comes next: `forward` (the default), `reverse`, or `random`,
 * the same random order in each run; `random:7` is another one.
 */
#ifndef SYMCOMP_EMULATION_THREADS_H
#define SYMCOMP_EMULATION_THREADS_H

#if defined(__SANITIZE_ADDRESS__)
#define EMULATION_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EMULATION_ASAN 1
#endif
#endif

#ifdef EMULATION_ASAN
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__) || defined(EMULATION_PORTABLE)
#include <ucontext.h>
#define EMULATION_UCONTEXT 1
#endif

/* The language's own variables, those of the thread that runs. */
static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;

/* All shared arrays of kernels lie between these; there may be none. */
extern "C" char __attribute__((weak, visibility("hidden"))) __start_emulated_shared[];
extern "C" char __attribute__((weak, visibility("hidden"))) __stop_emulated_shared[];

namespace emulation {

enum { most_threads = 1024, lanes = 32, most_shared = 227 << 10 };
enum { error_invalid_value = 1, error_illegal_address = 700, error_launch_failed = 719 };

#ifdef EMULATION_ASAN
static const size_t stack_bytes = 512 << 10;
#else
static const size_t stack_bytes = 128 << 10;
#endif
/* So many stacks keep their memory between launches. */
static const unsigned kept_stacks = 32;
static const uint64_t stack_end_mark = 0x5afe57ac5afe57acull;

struct stack {
#ifdef EMULATION_UCONTEXT
    ucontext_t context;
#else
    void *pointer; /* where it goes on */
#endif
    char *bottom;
    void *sanitizer;
};

struct thread {
    stack *home; /* the stack on which it waits */
    uint3 place;
    unsigned number;
    int site; /* the line where it waits in a barrier */
    bool in_barrier;
};

/* What the lanes of a warp have brought to where they meet. */
struct warp {
    unsigned arrived, ended;
    unsigned mask[lanes];
    int site[lanes];
    int source[lanes]; /* the lane whose value it wants; or `vote`: a bit of every lane's */
    uint64_t value[lanes], result[lanes];
};

enum { vote = -1 };

static thread threads[most_threads];
static warp warps[most_threads / lanes];
static thread *current;
static unsigned count;   /* of threads in a block */
static unsigned live;    /* that have not ended */
static unsigned begun;   /* order[0 .. begun) have begun */
static unsigned waiting; /* in the barrier of the block */
static uint16_t order[most_threads];

/* Those that may run again, a ring. */
static uint16_t ready[most_threads];
static unsigned ready_first, ready_count;

static stack main_stack, stacks[most_threads];
static stack *running = &main_stack;
static unsigned stacks_made;
static stack *idle[most_threads];
static unsigned idle_count;

static void (*threads_run)(void **arguments);
static void **threads_arguments;

static char *dynamic_shared;
static size_t dynamic_bytes;

static int error;
static char error_text[512];

/* --- order ------------------------------------------------------------------------------------*/

enum { forward, reverse, random_order };
static int how_ordered;
static uint64_t random_state;

/* Marsaglia's xorshift: a number below n. */
static unsigned random_below(unsigned n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 32) * n >> 32);
}

static void read_order() {
    const char *text = getenv("SYMCOMP_EMULATION_ORDER");
    how_ordered = forward;
    if (text == nullptr || *text == 0 || strcmp(text, "forward") == 0) return;
    if (strcmp(text, "reverse") == 0) {
        how_ordered = reverse;
    } else if (strncmp(text, "random", 6) == 0 && (text[6] == 0 || text[6] == ':')) {
        how_ordered = random_order;
        const uint64_t seed = text[6] ? strtoull(text + 7, nullptr, 10) : 0;
        random_state = (seed + 1) * 0x9e3779b97f4a7c15ull;
    } else {
        error = error_invalid_value;
        snprintf(error_text, sizeof error_text,
                 "SYMCOMP_EMULATION_ORDER is '%s', not forward, reverse, random or random:<seed>",
                 text);
    }
}

static void put_ready(unsigned number) {
    ready[(ready_first + ready_count++) % most_threads] = (uint16_t)number;
}

static unsigned take_ready() {
    unsigned chosen = ready_first;
    if (how_ordered == reverse) chosen = (ready_first + ready_count - 1) % most_threads;
    if (how_ordered == random_order)
        chosen = (ready_first + random_below(ready_count)) % most_threads;
    const unsigned number = ready[chosen];
    if (how_ordered == reverse) {
        --ready_count;
        return number;
    }
    ready[chosen] = ready[ready_first];
    ready_first = (ready_first + 1) % most_threads;
    --ready_count;
    return number;
}

/* --- stacks -----------------------------------------------------------------------------------*/

static void run_stack();

#ifdef EMULATION_UCONTEXT

static void swap_stacks(stack *from, stack *to) { swapcontext(&from->context, &to->context); }

static void prepare(stack *s) {
    getcontext(&s->context);
    s->context.uc_stack.ss_sp = s->bottom;
    s->context.uc_stack.ss_size = stack_bytes;
    s->context.uc_link = nullptr;
    makecontext(&s->context, run_stack, 0);
}

#else

/* Keeps what a called function must not change, and the place, in *from; goes on at `to`. */
extern "C" void emulation_swap(void **from, void *to) __attribute__((visibility("hidden")));
asm(".text\n"
    ".p2align 4\n"
    ".globl emulation_swap\n"
    ".hidden emulation_swap\n"
    ".type emulation_swap,@function\n"
    "emulation_swap:\n"
    "    pushq %rbp\n"
    "    pushq %rbx\n"
    "    pushq %r12\n"
    "    pushq %r13\n"
    "    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n"
    "    popq %r14\n"
    "    popq %r13\n"
    "    popq %r12\n"
    "    popq %rbx\n"
    "    popq %rbp\n"
    "    ret\n"
    ".size emulation_swap, .-emulation_swap\n");

static void swap_stacks(stack *from, stack *to) { emulation_swap(&from->pointer, to->pointer); }

/* As if run_stack had been called there by nobody: six registers below its address. */
static void prepare(stack *s) {
    void **top = reinterpret_cast<void **>(s->bottom + stack_bytes);
    *--top = nullptr;
    *--top = reinterpret_cast<void *>(run_stack);
    for (int k = 0; k < 6; ++k) *--top = nullptr;
    s->pointer = top;
}

#endif

#ifdef EMULATION_ASAN
/* The sanitizer wants to know on which stack it is; the caller's may be any thread's. */
static size_t main_stack_bytes;
static void find_main_stack() {
    pthread_attr_t attributes;
    void *bottom;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &bottom, &main_stack_bytes);
    pthread_attr_destroy(&attributes);
    main_stack.bottom = static_cast<char *>(bottom);
}
#endif

/* Goes on on another stack; returns when that one, or a third, comes back to this. */
static void go_on(stack *to) {
    stack *const from = running;
    if (from == to) return;
    running = to;
#ifdef EMULATION_ASAN
    const size_t size = to == &main_stack ? main_stack_bytes : stack_bytes;
    __sanitizer_start_switch_fiber(&from->sanitizer, to->bottom, size);
    swap_stacks(from, to);
    __sanitizer_finish_switch_fiber(from->sanitizer, nullptr, nullptr);
#else
    swap_stacks(from, to);
#endif
}

/* A stack that runs the threads that have not begun. */
static stack *fresh_stack() {
    if (idle_count) return idle[--idle_count];
    static char *memory;
    if (memory == nullptr) {
        /* one more, in front: what goes beyond the first stack meets no strangers */
        void *got = mmap(nullptr, (most_threads + 1) * stack_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (got == MAP_FAILED) {
            fprintf(stderr, "symcomp: no memory for the stacks of emulated threads\n");
            abort();
        }
        memory = static_cast<char *>(got) + stack_bytes;
    }
    stack *s = &stacks[stacks_made];
    s->bottom = memory + stacks_made++ * stack_bytes;
#ifdef EMULATION_ASAN
    __asan_unpoison_memory_region(s->bottom, stack_bytes); /* it may have been trimmed */
#endif
    *reinterpret_cast<uint64_t *>(s->bottom) = stack_end_mark;
    prepare(s);
    return s;
}

/* After an error the stacks of threads that wait for ever are made new. */
static void renew_stacks() {
    idle_count = 0;
    for (unsigned k = stacks_made; k-- > 0;) {
#ifdef EMULATION_ASAN
        __asan_unpoison_memory_region(stacks[k].bottom, stack_bytes);
#endif
        *reinterpret_cast<uint64_t *>(stacks[k].bottom) = stack_end_mark;
        prepare(&stacks[k]);
        idle[idle_count++] = &stacks[k];
    }
}

/* Gives the memory of all stacks but a few back to the system: a process may hold many kernels. */
static void trim_stacks() {
    if (stacks_made <= kept_stacks) return;
    stacks_made = kept_stacks;
    char *const from = stacks[kept_stacks].bottom;
    renew_stacks();
    madvise(from, (most_threads - kept_stacks) * stack_bytes, MADV_DONTNEED);
}

/* --- threads ----------------------------------------------------------------------------------*/

/* Tells the error, if it is the first, and leaves the launch; does not return from a thread. */
template <class... A> static void fail(int number, const char *text, A... a) {
    if (!error) {
        error = number;
        snprintf(error_text, sizeof error_text, text, a...);
    }
    if (running != &main_stack) go_on(&main_stack);
}

/* Where a stack goes on that has nothing to do. */
static stack *next_stack() {
    const unsigned fresh = count - begun;
    if (ready_count && (how_ordered != random_order || random_below(ready_count + fresh) >= fresh))
        return threads[take_ready()].home;
    if (fresh) return fresh_stack();
    return &main_stack;
}

static void check_stack() {
    if (*reinterpret_cast<const uint64_t *>(running->bottom) != stack_end_mark)
        fail(error_launch_failed, "a thread of block (%u, %u, %u) needs more than %zu bytes of stack",
             blockIdx.x, blockIdx.y, blockIdx.z, stack_bytes);
}

/* The current thread waits until somebody makes it ready. */
static void wait() {
    thread *const self = current;
    check_stack();
    self->home = running;
    go_on(next_stack());
    current = self;
    threadIdx = self->place;
}

static void meet_without(unsigned number);
static void leave_barrier();

static inline void begin_thread() {
    current = &threads[order[begun++]];
    threadIdx = current->place;
}

static inline void end_thread() {
    thread *const self = current;
    --live;
    warp &w = warps[self->number / lanes];
    w.ended |= 1u << (self->number % lanes);
    if (w.arrived) meet_without(self->number);
    if (waiting && waiting == live) leave_barrier();
}

/* What a stack does, for ever. */
static void run_stack() {
#ifdef EMULATION_ASAN
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
    for (;;) {
        threads_run(threads_arguments);
        check_stack();
        stack *const next = next_stack();
        idle[idle_count++] = running;
        go_on(next);
    }
}

template <size_t... I> struct numbers {};
template <size_t n, size_t... I> struct up_to : up_to<n - 1, n - 1, I...> {};
template <size_t... I> struct up_to<0, I...> {
    typedef numbers<I...> all;
};

/* run(arguments) runs the threads that have not begun. */
template <auto kernel> struct threads_of;
template <class... A, void (*kernel)(A...)> struct threads_of<kernel> {
    template <size_t... I> static void each(void **arguments, numbers<I...>) {
        while (begun < count) {
            begin_thread();
            kernel(*static_cast<A *>(arguments[I])...);
            end_thread();
        }
    }
    static void run(void **arguments) { each(arguments, typename up_to<sizeof...(A)>::all()); }
    static int sizes(void **answer) {
        static const size_t all[] = {sizeof(A)..., 0};
        *answer = const_cast<size_t *>(all);
        return 0;
    }
};

/* --- launches ---------------------------------------------------------------------------------*/

/* All bits 1, but what the sanitizer keeps between arrays. */
#ifdef EMULATION_ASAN
__attribute__((no_sanitize_address))
#endif
static void poison(char *from, size_t bytes) {
#ifdef EMULATION_ASAN
    for (size_t k = 0; k < bytes; ++k)
        if (!__asan_address_is_poisoned(from + k)) from[k] = (char)0xff;
#else
    memset(from, 0xff, bytes);
#endif
}

static void describe_deadlock();

static void run_block() {
    if (__start_emulated_shared)
        poison(__start_emulated_shared, (size_t)(__stop_emulated_shared - __start_emulated_shared));
    if (dynamic_bytes) poison(dynamic_shared, dynamic_bytes);
    for (unsigned k = 0; k < (count + lanes - 1) / lanes; ++k) warps[k].arrived = warps[k].ended = 0;
    if (count % lanes) warps[count / lanes].ended = ~0u << count % lanes;
    live = count;
    begun = waiting = ready_first = ready_count = 0;
    go_on(next_stack());
    if (!error && live) describe_deadlock();
}

static void set_threads() {
    unsigned k = 0;
    for (unsigned z = 0; z < blockDim.z; ++z)
        for (unsigned y = 0; y < blockDim.y; ++y)
            for (unsigned x = 0; x < blockDim.x; ++x, ++k) {
                threads[k] = thread{nullptr, {x, y, z}, k, 0, false};
                order[k] = (uint16_t)(how_ordered == reverse ? count - 1 - k : k);
            }
}

static void run_grid() {
    const uint64_t blocks = (uint64_t)gridDim.x * gridDim.y * gridDim.z;
    for (uint64_t q = 0; q < blocks && !error; ++q) {
        const uint64_t b = how_ordered == forward ? q : blocks - 1 - q;
        blockIdx.x = (unsigned)(b % gridDim.x);
        blockIdx.y = (unsigned)(b / gridDim.x % gridDim.y);
        blockIdx.z = (unsigned)(b / gridDim.x / gridDim.y);
        if (how_ordered == random_order)
            for (unsigned k = count; k > 1; --k) {
                const unsigned other = random_below(k);
                const uint16_t swapped = order[k - 1];
                order[k - 1] = order[other];
                order[other] = swapped;
            }
        run_block();
    }
}

static int launch(void (*run)(void **), const unsigned *grid, const unsigned *block, size_t shared,
                  void **arguments) {
    error = 0;
    read_order();
#ifdef EMULATION_ASAN
    find_main_stack();
#endif
    const uint64_t size = (uint64_t)block[0] * block[1] * block[2];
    if (!error && (!size || size > most_threads || block[2] > 64 || !grid[0] || !grid[1] || !grid[2]
        || grid[0] > 2147483647u || grid[1] > 65535 || grid[2] > 65535 || shared > most_shared))
        fail(error_invalid_value,
             "a launch of (%u, %u, %u) blocks of (%u, %u, %u) threads with %zu bytes of shared "
             "memory is beyond what devices can do",
             grid[0], grid[1], grid[2], block[0], block[1], block[2], shared);
    if (error) return error;
    gridDim = dim3(grid[0], grid[1], grid[2]);
    blockDim = dim3(block[0], block[1], block[2]);
    count = (unsigned)size;
    threads_run = run;
    threads_arguments = arguments;
    set_threads();
    void *memory = nullptr;
    if (shared && posix_memalign(&memory, 256, shared) != 0) {
        fail(error_invalid_value, "no memory");
        return error;
    }
    dynamic_shared = static_cast<char *>(memory);
    dynamic_bytes = shared;
    run_grid();
    free(memory);
    if (error) renew_stacks();
    trim_stacks();
    return error;
}

}  // namespace emulation

/* What went wrong in the last launch of this library that answered an error. */
SYMCOMP_EMULATED_EXPORT const char *emulated_error() { return emulation::error_text; }

#endif
