/* Memory of the GPU that is not given back to the driver, but kept for who asks next.
 *
 * To give memory back costs the driver more than a short kernel, and makes it wait for all others. As
 * one stream does everything in order, what is written to a block by its next owner comes after all
 * that its last owner did. `give` may be called by anybody at any time, also while a thread uses the
 * GPU and Python collects its garbage: it only notes the block down.
 */
#ifndef SYMCOMP_GPU_MEMORY_H
#define SYMCOMP_GPU_MEMORY_H

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "symcomp_gpu.h"

enum {
    SYMCOMP_GRAIN = 512,            /* blocks are multiples of so many bytes, */
    SYMCOMP_LARGE = 16 << 20,       /* and those that are so large */
    SYMCOMP_LARGE_GRAIN = 2 << 20,  /* of so many, as the driver's own are */
    SYMCOMP_SIZES = 64,             /* kept blocks are sorted by the power of two below their size */
    SYMCOMP_SPARE = 8,              /* a block may be larger than need be by an eighth */
};

typedef struct symcomp_block {
    symcomp_address place;
    size_t size;
    struct symcomp_block *next;
} symcomp_block;

typedef struct symcomp_pool {
    const symcomp_driver *driver;
    int keeps; /* whether anything is kept at all: in the emulation every array has its own bounds */
    pthread_mutex_t mutex;
    symcomp_block *kept[SYMCOMP_SIZES];
    size_t kept_bytes;
} symcomp_pool;

/* What is really allocated for so many bytes. */
static size_t symcomp_block_size(const symcomp_pool *pool, size_t bytes) {
    size_t grain = bytes < SYMCOMP_LARGE ? SYMCOMP_GRAIN : SYMCOMP_LARGE_GRAIN;
    if (!bytes)
        bytes = 1;
    return pool->keeps ? (bytes + grain - 1) / grain * grain : bytes;
}

static int symcomp_size_class(size_t size) { return 63 - __builtin_clzll(size); }

/* A kept block for so many bytes, or 0; the one that is the least too large. */
static symcomp_address symcomp_pool_find(symcomp_pool *pool, size_t size, size_t *found) {
    symcomp_address place = 0;
    pthread_mutex_lock(&pool->mutex);
    symcomp_block **best = NULL;
    size_t most = size + size / SYMCOMP_SPARE;
    for (int n = symcomp_size_class(size); n <= symcomp_size_class(most) && !best; ++n)
        for (symcomp_block **b = &pool->kept[n]; *b; b = &(*b)->next)
            if ((*b)->size >= size && (*b)->size <= most && (!best || (*b)->size < (*best)->size))
                best = b;
    if (best) {
        symcomp_block *block = *best;
        *best = block->next;
        place = block->place;
        *found = block->size;
        pool->kept_bytes -= block->size;
        free(block);
    }
    pthread_mutex_unlock(&pool->mutex);
    return place;
}

/* Keeps a block that nobody uses any more. */
static void symcomp_pool_give(symcomp_pool *pool, symcomp_address place, size_t size) {
    if (!place)
        return;
    symcomp_block *block = pool->keeps ? malloc(sizeof *block) : NULL;
    if (!block) {
        pool->driver->release(place);
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    symcomp_block **first = &pool->kept[symcomp_size_class(size)];
    *block = (symcomp_block){place, size, *first};
    *first = block;
    pool->kept_bytes += size;
    pthread_mutex_unlock(&pool->mutex);
}

/* Gives everything that is kept back to the driver; answers how many bytes that were. */
static size_t symcomp_pool_trim(symcomp_pool *pool) {
    pthread_mutex_lock(&pool->mutex);
    size_t bytes = pool->kept_bytes;
    for (int n = 0; n < SYMCOMP_SIZES; ++n)
        while (pool->kept[n]) {
            symcomp_block *block = pool->kept[n];
            pool->kept[n] = block->next;
            pool->driver->release(block->place);
            free(block);
        }
    pool->kept_bytes = 0;
    pthread_mutex_unlock(&pool->mutex);
    return bytes;
}

#endif
