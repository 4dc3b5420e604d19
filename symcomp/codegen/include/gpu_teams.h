/* How many threads of a GPU share a row: a part of gpu.c.  Teams up to a warp are powers of two wide,
 * larger ones whole warps. */
#ifndef SYMCOMP_GPU_TEAMS_H
#define SYMCOMP_GPU_TEAMS_H

#include <stdint.h>

#include "symcomp_gpu.h"

enum {
    WARP = 32,
    LARGEST_TEAM = 1024,
    NARROWEST = 8,      /* threads of a team, so that neighbours' loads fill a sector */
    STREAMING = 512,    /* threads of a team whose row is too long to be held, */
    FOLDING = 128,      /* and of one that only folds it: many have more loads under way than few */
    FEW_THREADS = 1024, /* of a processor: with fewer, a thread has less of a row */
};

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

/* Teams as wide as they should be: with as many elements for a thread as it holds where there are rows
 * enough, and fewer where there are threads to spare. */
static int64_t symcomp_team_width(const symcomp_rows *r, int64_t processors) {
    int64_t share = (int64_t)r->lanes * r->slots, at_once = r->wide ? r->lanes : 1;
    while (share > r->lanes && r->number * up(r->length, share) < processors * FEW_THREADS)
        share /= 2;
    int64_t width = up(most(r->length, 1), share);
    width = most(width, least(up(most(r->length, 1), at_once), NARROWEST));
    if (width <= WARP)
        return power(width);
    if (!r->held[r->wide] && !r->scratch) {
        int64_t wanted = up(processors * FEW_THREADS, most(r->number, 1));
        return least(up(least(width, most(wanted, FOLDING)), WARP) * WARP, LARGEST_TEAM);
    }
    if (width <= r->most)
        return up(width, WARP) * WARP;
    return r->number < processors * 2 ? LARGEST_TEAM : STREAMING;
}

#endif
