/* Ranking: scores sorted from the most anomalous down, each with a 32-bit payload (a label or a region number).
 * One radix sort serves every curve; equal scores stay together so that ties can be merged exactly. */
#ifndef FLAW_MEASURE_RANKING_H
#define FLAW_MEASURE_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

typedef struct flaw_ranking {
    uint64_t *item;  /* [n] key << 32 | payload; owned */
    uint64_t *spare; /* [n] room for the sort; owned */
    size_t n, room;
} flaw_ranking;

/* Room for `room` items (16 bytes each). */
flaw_status flaw_ranking_init(flaw_ranking *r, size_t room, flaw_error *err);
/* False when the score is NaN; infinities rank as what they are; -0 ties with 0. At most `room` times. */
bool flaw_ranking_add(flaw_ranking *r, float score, uint32_t payload);
/* Sort by score, largest first; equal scores keep the order they were added in. */
void flaw_ranking_sort(flaw_ranking *r);
/* First index after the ties of item `i`. */
size_t flaw_ranking_next(const flaw_ranking *r, size_t i);
static inline uint32_t flaw_ranking_payload(const flaw_ranking *r, size_t i)
{
    return (uint32_t)r->item[i];
}
/* The key (measure/metrics/key.h) of item `i`. */
static inline uint32_t flaw_ranking_key(const flaw_ranking *r, size_t i)
{
    return ~(uint32_t)(r->item[i] >> 32);
}
void flaw_ranking_release(flaw_ranking *r);

/* The usual case: scores with labels, sorted; *positives counts the nonzero labels. NaN is FLAW_BAD_DATA. */
flaw_status flaw_ranking_of_labels(flaw_ranking *out, size_t *positives, const float *scores, const uint8_t *labels,
                                   size_t n, flaw_error *err);

#endif
