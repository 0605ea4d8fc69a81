/* Greedy k-centre selection (the coreset of PatchCore, arXiv 2106.08265, section 3.2): when a memory bank grows past a
 * limit, keep the rows that leave no row far from a kept one. Distances are taken after a random projection (Johnson
 * and Lindenstrauss), so a choice costs FLAW_CORESET_WIDTH multiplications a row. */
#ifndef FLAW_DETECT_CORESET_H
#define FLAW_DETECT_CORESET_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"
#include "nn/compute.h"

#define FLAW_CORESET_WIDTH 64

/* chosen[keep]: indices of the kept rows in the order of choosing; keep <= count. `tables` hold the same `count` rows
 * in several spaces (the stages), side by side: a row is chosen in all of them. The same seed gives the same choice
 * whatever the number of threads. */
flaw_status flaw_coreset_choose(size_t *chosen, size_t keep, const float *const *tables, int spaces, size_t count,
                                int width, uint64_t seed, flaw_compute *compute, flaw_error *err);

#endif
