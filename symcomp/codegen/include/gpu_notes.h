/* What kernels have found wrong with positions, and where the host sees it.
 *
 * Nobody waits for a check. Every function that has some owns a record in page-locked memory of the
 * host, which kernels write to only where a position is outside its axis; then they set the verdict,
 * one number for all functions. To look at it costs the host one load. Where it is set, the stream is
 * waited for, and the first note of one record is taken: each record tells once.
 *
 * A note is what codegen/grid_checks.py says: of check k and team t, the length of the axis and the
 * position, at (k * SYMCOMP_NOTING + t) * SYMCOMP_NOTE. Records are never given back, as the code that
 * writes to them is not.
 */
#ifndef SYMCOMP_GPU_NOTES_H
#define SYMCOMP_GPU_NOTES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symcomp_gpu.h"

enum {
    SYMCOMP_NOTING = 128,       /* teams of a check, */
    SYMCOMP_NOTE = 2,           /* and numbers that each may note */
    SYMCOMP_NOTES = 1 << 13,    /* numbers that are asked for at once */
    SYMCOMP_FOR_DEVICE = 1 | 2, /* memory of the host for all contexts, at the same place for kernels */
};

struct symcomp_record {
    int64_t *notes;
    int64_t checks;
    int64_t waits, calls; /* since so many waits there were so many calls */
    struct symcomp_record *next;
};

/* What is told of a note: whose it is, and whether it may be of the call that has just ended. */
enum { SYMCOMP_EARLIER, SYMCOMP_THIS_CALL, SYMCOMP_THIS_OR_EARLIER };

typedef struct symcomp_found {
    const symcomp_record *record;
    int64_t check, length, position, when;
} symcomp_found;

typedef struct symcomp_notes {
    volatile int64_t *verdict;
    int64_t *free, *end; /* of the memory that is left */
    symcomp_record *records;
    symcomp_record *current; /* of the call that is under way */
    int64_t waits;           /* how often everything before was done */
} symcomp_notes;

static int64_t symcomp_notes_count(int64_t checks) {
    return checks * SYMCOMP_NOTING * SYMCOMP_NOTE;
}

/* So many numbers of page-locked memory, all 0. */
static int symcomp_notes_room(symcomp_notes *notes, const symcomp_driver *driver, int64_t count,
                              int64_t **room) {
    if (notes->end - notes->free < count) {
        int64_t whole = count > SYMCOMP_NOTES ? count : SYMCOMP_NOTES;
        void *place = NULL;
        int error = driver->allocate_host(&place, (size_t)whole * sizeof **room, SYMCOMP_FOR_DEVICE);
        if (error)
            return error;
        notes->free = memset(place, 0, (size_t)whole * sizeof **room);
        notes->end = notes->free + whole;
    }
    *room = notes->free;
    notes->free += count;
    return 0;
}

/* A record for so many checks. */
static int symcomp_notes_add(symcomp_notes *notes, const symcomp_driver *driver, int64_t checks,
                             symcomp_record **made) {
    int64_t *place = NULL;
    int error = 0;
    if (!notes->verdict && !(error = symcomp_notes_room(notes, driver, 1, &place)))
        notes->verdict = place;
    if (!error)
        error = symcomp_notes_room(notes, driver, symcomp_notes_count(checks), &place);
    symcomp_record *record = error ? NULL : calloc(1, sizeof *record);
    if (record) {
        *record = (symcomp_record){.notes = place, .checks = checks, .next = notes->records};
        notes->records = record;
    }
    *made = record;
    return error;
}

/* A call begins whose kernels note what is wrong in this record. */
static void symcomp_notes_begin(symcomp_notes *notes, symcomp_record *record) {
    if (record->waits != notes->waits)
        record->calls = 0;
    record->waits = notes->waits;
    ++record->calls;
    notes->current = record;
}

static int symcomp_notes_first(const symcomp_record *record, symcomp_found *found) {
    for (int64_t n = 0; n < record->checks * SYMCOMP_NOTING; ++n) {
        const int64_t *note = record->notes + n * SYMCOMP_NOTE;
        if (note[0]) {
            *found = (symcomp_found){record, n / SYMCOMP_NOTING, note[0], note[1], SYMCOMP_EARLIER};
            return 1;
        }
    }
    return 0;
}

/* Takes the first note there is, and empties its record; the verdict stands while there is another. */
static symcomp_record *symcomp_notes_told(symcomp_notes *notes, symcomp_found *found) {
    symcomp_found other;
    symcomp_record *told = NULL;
    int left = 0;
    for (symcomp_record *r = notes->records; r && !left; r = r->next)
        if (told)
            left = symcomp_notes_first(r, &other);
        else if (symcomp_notes_first(r, found))
            told = r;
    if (told)
        memset(told->notes, 0, (size_t)symcomp_notes_count(told->checks) * sizeof *told->notes);
    *notes->verdict = left;
    return told;
}

/* Everything before is done: whether something was noted, and what. */
static int symcomp_notes_take(symcomp_notes *notes, symcomp_found *found) {
    symcomp_record *told = NULL, *const current = notes->current;
    if (notes->verdict && *notes->verdict)
        told = symcomp_notes_told(notes, found);
    if (told && told == current)
        found->when = current->calls == 1 ? SYMCOMP_THIS_CALL : SYMCOMP_THIS_OR_EARLIER;
    ++notes->waits;
    if (current) { /* the call goes on, and no other of its function is under way */
        current->waits = notes->waits;
        current->calls = 1;
    }
    return told != NULL;
}

#endif
