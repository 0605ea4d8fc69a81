/* Pixels counted by score: bins are the upper bits of a score's key, kept in pages that exist once touched. Everything
 * is a whole number, so that counting commutes. */
#ifndef FLAW_MEASURE_PIXELS_COUNT_H
#define FLAW_MEASURE_PIXELS_COUNT_H

#include <stdbool.h>

#include "flaw/metrics.h"
#include "measure/metrics/components.h"
#include "measure/metrics/key.h"
#include "measure/metrics/sweep.h"

enum {
    FLAW_PAGE_BITS = 10,
    FLAW_PAGE = 1 << FLAW_PAGE_BITS, /* bins */
    FLAW_SEEN_BITS = 16, /* lower part of a count: which of the lower key bits were seen as 0 (8 bits) and as 1 (8) */
};

typedef struct flaw_marks {
    uint64_t seen;   /* count << FLAW_SEEN_BITS | seen bits */
    flaw_wide share; /* of regions, in FLAW_SHARE_ONE */
} flaw_marks;

typedef struct flaw_counts {
    int bits;
    uint64_t **background; /* [pages][FLAW_PAGE] as flaw_marks.seen; NULL pages were never touched; owned */
    flaw_marks **marked;   /* the same */
    uint64_t pictures;
    flaw_totals totals; /* low_key > high_key while there are no pixels */
} flaw_counts;

/* Work of one thread; begins as {0}. */
typedef struct flaw_counting {
    flaw_runs runs;
    uint8_t *any; /* [any_room] whether a pixel is in some region; owned */
    size_t any_room;
} flaw_counting;

flaw_status flaw_counts_init(flaw_counts *c, int bits, flaw_error *err);
void flaw_counts_release(flaw_counts *c);
static inline uint32_t flaw_counts_pages(const flaw_counts *c)
{
    return (uint32_t)1 << (c->bits - FLAW_PAGE_BITS);
}

/* Size, NaN and arguments of a picture, before anything of it is counted. Fills the range of its keys. */
flaw_status flaw_counts_check(uint32_t *low_key, uint32_t *high_key, const flaw_pixels_picture *picture,
                              flaw_error *err);
/* A picture that was checked. After FLAW_NO_MEMORY the counts are half done. */
flaw_status flaw_counts_add(flaw_counts *c, flaw_counting *work, const flaw_pixels_picture *picture, uint32_t low_key,
                            uint32_t high_key, flaw_error *err);
/* into += from. */
flaw_status flaw_counts_merge(flaw_counts *into, const flaw_counts *from, flaw_error *err);
/* One empty bin set as given. */
flaw_status flaw_counts_put(flaw_counts *c, uint32_t bin, uint64_t background, flaw_marks marked, flaw_error *err);
/* Zero, pages kept. */
void flaw_counts_clear(flaw_counts *c);
/* The next occupied bin from *bin (begins as the highest one) down as a step; false when there is none. Pages that were
 * never touched are passed over. */
bool flaw_counts_next(flaw_step *step, const flaw_counts *c, int64_t *bin);
void flaw_counting_release(flaw_counting *work);

/* The regions of a picture with a list of them: marks their pixels in work->any, and calls `add` with every share of a
 * region that a pixel holds (several times for a pixel of several regions). *regions counts those with pixels. */
typedef bool (*flaw_share_function)(void *context, uint32_t pixel, uint64_t share);
flaw_status flaw_regions_share(uint64_t *regions, flaw_counting *work, const flaw_pixels_picture *picture,
                               flaw_share_function add, void *context, flaw_error *err);

#endif
