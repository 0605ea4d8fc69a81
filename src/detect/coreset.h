/* Greedy k-centre selection (the coreset of PatchCore, arXiv 2106.08265, section 3.2): when a memory bank grows past a
 * limit, keep the rows that leave no row far from a kept one. Each choice is the row farthest from all kept so far, of
 * equally far ones the first; the first choice is random.
 *
 * Distances are taken in all dimensions, in float32. (The paper projects the rows to fewer at random, to save time, and
 * then chooses by distances that are some per cent off.) What saves time here changes no choice: a distance to the rows
 * kept earlier is an upper bound of the distance to all, so only rows whose bound reaches the top are measured against
 * the rows kept since, many at once as a product (coreset.c). */
#ifndef FLAW_DETECT_CORESET_H
#define FLAW_DETECT_CORESET_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"
#include "nn/compute.h"

/* chosen[keep]: indices of the kept rows in the order of choosing; keep <= count. `tables` hold the same `count` rows
 * in several spaces (the stages), side by side: a row is chosen in all of them. The same seed gives the same choice
 * whatever the number of threads. */
flaw_status flaw_coreset_choose(size_t *chosen, size_t keep, const float *const *tables, int spaces, size_t count,
                                int width, uint64_t seed, flaw_compute *compute, flaw_error *err);

#endif
