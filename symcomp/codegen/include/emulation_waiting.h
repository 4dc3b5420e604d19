/* Barriers, and what the lanes of a warp exchange; a part of emulation.h.
 *
 * Whoever comes last lets all others go, and goes on itself.  All who meet must be at the same line
 * and name the same lanes: on a device anything may happen otherwise.
 */
#ifndef SYMCOMP_EMULATION_WAITING_H
#define SYMCOMP_EMULATION_WAITING_H

namespace emulation {

/* --- the barrier of a block -------------------------------------------------------------------*/

/* __syncthreads_count, _or and _and: what has been brought, and what the last barrier gave. */
static struct votes {
    int count, any, all;
} brought, given;

static void check_sites(const thread *one) {
    for (unsigned k = 0; k < count; ++k)
        if (threads[k].in_barrier && threads[k].site != one->site) {
            fail(error_launch_failed,
                 "block (%u, %u, %u): thread %u waits in a barrier at line %d, thread %u at line %d",
                 blockIdx.x, blockIdx.y, blockIdx.z, one->number, one->site, k, threads[k].site);
            return;
        }
}

/* All that live are in the barrier: they may go. */
static void leave_barrier() {
    const thread *one = current;
    for (unsigned k = 0; k < count; ++k)
        if (threads[k].in_barrier) one = &threads[k];
    check_sites(one);
    given = brought;
    brought = votes{0, 0, 1};
    waiting = 0;
    for (unsigned k = 0; k < count; ++k)
        if (threads[k].in_barrier) {
            threads[k].in_barrier = false;
            if (&threads[k] != current) put_ready(k);
        }
}

static void block_sync(int site) {
    thread *const self = current;
    self->site = site;
    self->in_barrier = true;
    if (++waiting == live)
        leave_barrier();
    else
        wait();
}

static votes block_vote(int yes, int site) {
    brought.count += yes != 0;
    brought.any |= yes != 0;
    brought.all &= yes != 0;
    block_sync(site);
    return given;
}

/* --- the lanes of a warp ----------------------------------------------------------------------*/

/* Lets the members go if all of them have come; whether they have. */
static bool meet(warp &w, unsigned first, unsigned lane) {
    const unsigned members = w.mask[lane] & ~w.ended;
    if ((w.arrived & members) != members) return false;
    uint64_t votes = 0;
    for (unsigned k = 0; k < lanes; ++k)
        if (members >> k & 1) {
            if (w.site[k] != w.site[lane] || w.mask[k] != w.mask[lane])
                fail(error_launch_failed,
                     "block (%u, %u, %u): thread %u meets lanes %08x at line %d, thread %u lanes "
                     "%08x at line %d",
                     blockIdx.x, blockIdx.y, blockIdx.z, first + lane, w.mask[lane], w.site[lane],
                     first + k, w.mask[k], w.site[k]);
            votes |= (w.value[k] & 1) << k;
        }
    w.arrived &= ~members;
    for (unsigned k = 0; k < lanes; ++k)
        if (members >> k & 1) {
            const int from = w.source[k];
            /* what a lane has that does not take part is anything: ones */
            w.result[k] = from == vote ? votes : members >> from & 1 ? w.value[from] : ~0ull;
            if (&threads[first + k] != current) put_ready(first + k);
        }
    return true;
}

/* A lane has ended: those that waited for nobody else may go. */
static void meet_without(unsigned number) {
    const unsigned first = number / lanes * lanes;
    warp &w = warps[number / lanes];
    for (unsigned k = 0; k < lanes; ++k)
        if (w.arrived >> k & 1) meet(w, first, k);
}

/* Brings a value and waits for the lanes of the mask; what lane `source` has brought, or all votes. */
static uint64_t exchange(unsigned mask, uint64_t value, int source, int site) {
    thread *const self = current;
    const unsigned lane = self->number % lanes;
    warp &w = warps[self->number / lanes];
    if (!(mask >> lane & 1))
        fail(error_launch_failed,
             "block (%u, %u, %u): thread %u at line %d names lanes %08x, without itself",
             blockIdx.x, blockIdx.y, blockIdx.z, self->number, site, mask);
    w.value[lane] = value;
    w.source[lane] = source;
    w.mask[lane] = mask;
    w.site[lane] = site;
    w.arrived |= 1u << lane;
    if (!meet(w, self->number - lane, lane)) wait();
    return w.result[lane];
}

template <class T> static T shuffle(unsigned mask, T x, int source, int site) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "the device exchanges 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &x, sizeof x);
    bits = exchange(mask, bits, source, site);
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int lane_number() { return (int)(current->number % lanes); }

/* The lane at `target`, if it lies in this one's part of the warp, else this one. */
static int within(int target, int width) {
    const int self = lane_number(), first = self & ~(width - 1);
    return target >= first && target < first + width ? target : self;
}

/* Nobody can run, and not all have ended: says who waits where. */
static void describe_deadlock() {
    const thread *in_barrier = nullptr;
    int in_warp = -1;
    for (unsigned k = 0; k < count; ++k) {
        if (threads[k].in_barrier) in_barrier = &threads[k];
        if (warps[k / lanes].arrived >> k % lanes & 1) in_warp = (int)k;
    }
    char barrier[64] = "", lane[96] = "";
    if (in_barrier)
        snprintf(barrier, sizeof barrier, "; thread %u waits in a barrier at line %d",
                 in_barrier->number, in_barrier->site);
    if (in_warp >= 0)
        snprintf(lane, sizeof lane, "; thread %d waits for lanes %08x at line %d", in_warp,
                 warps[in_warp / lanes].mask[in_warp % lanes],
                 warps[in_warp / lanes].site[in_warp % lanes]);
    fail(error_launch_failed, "block (%u, %u, %u): %u of %u threads wait for ever%s%s", blockIdx.x,
         blockIdx.y, blockIdx.z, live, count, barrier, lane);
}

}  // namespace emulation

/* --- the language's names ----------------------------------------------------------------------*/

static inline void __syncthreads(SC_SITE) { emulation::block_sync(site); }
static inline int __syncthreads_count(int yes SC_AND_SITE) {
    return emulation::block_vote(yes, site).count;
}
static inline int __syncthreads_or(int yes SC_AND_SITE) {
    return emulation::block_vote(yes, site).any;
}
static inline int __syncthreads_and(int yes SC_AND_SITE) {
    return emulation::block_vote(yes, site).all;
}

static inline void __syncwarp(unsigned mask = 0xffffffffu SC_AND_SITE) {
    emulation::exchange(mask, 0, emulation::vote, site);
}

template <class T> static T __shfl_sync(unsigned mask, T x, int lane, int width = 32 SC_AND_SITE) {
    const int first = emulation::lane_number() & ~(width - 1);
    return emulation::shuffle(mask, x, first + (lane & (width - 1)), site);
}
template <class T>
static T __shfl_xor_sync(unsigned mask, T x, int bits, int width = 32 SC_AND_SITE) {
    return emulation::shuffle(mask, x, emulation::within(emulation::lane_number() ^ bits, width),
                              site);
}
template <class T>
static T __shfl_up_sync(unsigned mask, T x, unsigned by, int width = 32 SC_AND_SITE) {
    return emulation::shuffle(mask, x,
                              emulation::within(emulation::lane_number() - (int)by, width), site);
}
template <class T>
static T __shfl_down_sync(unsigned mask, T x, unsigned by, int width = 32 SC_AND_SITE) {
    return emulation::shuffle(mask, x,
                              emulation::within(emulation::lane_number() + (int)by, width), site);
}

static inline unsigned __ballot_sync(unsigned mask, int yes SC_AND_SITE) {
    return (unsigned)emulation::exchange(mask, yes != 0, emulation::vote, site);
}
static inline int __any_sync(unsigned mask, int yes SC_AND_SITE) {
    return __ballot_sync(mask, yes, site) != 0;
}
static inline int __all_sync(unsigned mask, int yes SC_AND_SITE) {
    return __ballot_sync(mask, !yes, site) == 0;
}

#endif
