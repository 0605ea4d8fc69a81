#include "measure/metrics/ranking.h"

#include <math.h>
#include <stdlib.h>

#include "base/checked.h"
#include "measure/metrics/key.h"

flaw_status flaw_ranking_init(flaw_ranking *r, size_t room, flaw_error *err)
{
    size_t bytes;
    if (!flaw_mul_ok(&bytes, room ? room : 1, sizeof(uint64_t)))
        return flaw_fail(err, FLAW_NO_MEMORY, "ranking of %zu scores: too many", room);
    flaw_ranking made = {.item = malloc(bytes), .spare = malloc(bytes), .room = room};
    if (!made.item || !made.spare) {
        flaw_ranking_release(&made);
        return flaw_fail(err, FLAW_NO_MEMORY, "ranking of %zu scores: no memory for %zu bytes", room, 2 * bytes);
    }
    *r = made;
    return FLAW_OK;
}

bool flaw_ranking_add(flaw_ranking *r, float score, uint32_t payload)
{
    if (isnan(score) || r->n >= r->room) return false;
    r->item[r->n++] = (uint64_t)~flaw_key_of(score) << 32 | payload;
    return true;
}

/* Least significant digit first, 11 bits a pass over the upper 32 bits: stable and linear. */
void flaw_ranking_sort(flaw_ranking *r)
{
    enum { BITS = 11, DIGITS = 1 << BITS };
    for (int shift = 32; shift < 64; shift += BITS) {
        size_t start[DIGITS + 1] = {0};
        for (size_t i = 0; i < r->n; i++) start[(r->item[i] >> shift & (DIGITS - 1)) + 1]++;
        for (int d = 0; d < DIGITS; d++) start[d + 1] += start[d];
        for (size_t i = 0; i < r->n; i++) r->spare[start[r->item[i] >> shift & (DIGITS - 1)]++] = r->item[i];
        uint64_t *sorted = r->spare;
        r->spare = r->item;
        r->item = sorted;
    }
}

size_t flaw_ranking_next(const flaw_ranking *r, size_t i)
{
    uint64_t key = r->item[i] >> 32;
    while (i < r->n && r->item[i] >> 32 == key) i++;
    return i;
}

void flaw_ranking_release(flaw_ranking *r)
{
    free(r->item);
    free(r->spare);
    *r = (flaw_ranking){0};
}

flaw_status flaw_ranking_of_labels(flaw_ranking *out, size_t *positives, const float *scores, const uint8_t *labels,
                                   size_t n, flaw_error *err)
{
    flaw_ranking made;
    flaw_status status = flaw_ranking_init(&made, n, err);
    if (status != FLAW_OK) return status;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!flaw_ranking_add(&made, scores[i], labels[i] != 0)) {
            flaw_ranking_release(&made);
            return flaw_fail(err, FLAW_BAD_DATA, "score %zu of %zu is not a number; a metric needs ordered scores", i,
                             n);
        }
        count += labels[i] != 0;
    }
    flaw_ranking_sort(&made);
    *out = made;
    *positives = count;
    return FLAW_OK;
}
