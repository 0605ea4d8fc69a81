/* The largest values of a row of C with their columns, kept in order while tiles of C pass by: C itself is never stored.
 *
 * The order is total (the larger value first, of equal ones the lower column), so the list of a set of columns depends on
 * the set alone: lists of parts, made in any order by any number of threads, join to the list of the whole. NaN is never
 * kept. */
#ifndef FLAW_KERNEL_LARGEST_H
#define FLAW_KERNEL_LARGEST_H

#include <limits.h>
#include <math.h>
#include <stdbool.h>

typedef struct flaw_ranked {
    float value;
    int column;
} flaw_ranked;

typedef struct flaw_largest {
    int keep;          /* how many of each row, at least 1 */
    int from;          /* number of the product's first column */
    flaw_ranked *list; /* [M, keep], in order */
} flaw_largest;

/* A place that holds nothing is behind everything. */
static inline void flaw_largest_clear(flaw_ranked *list, int places)
{
    for (int i = 0; i < places; i++) list[i] = (flaw_ranked){-INFINITY, INT_MAX};
}

static inline bool flaw_ranked_before(flaw_ranked a, flaw_ranked b)
{
    return a.value > b.value || (a.value == b.value && a.column < b.column);
}

/* list [keep] in order. */
static inline void flaw_largest_put(flaw_ranked *list, int keep, flaw_ranked x)
{
    int at = keep - 1;
    if (!flaw_ranked_before(x, list[at])) return;
    for (; at > 0 && flaw_ranked_before(x, list[at - 1]); at--) list[at] = list[at - 1];
    list[at] = x;
}

#endif
