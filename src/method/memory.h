/* Memory of good parts in several spaces at once (stages, windows): a bank each, the same rows in each. */
#ifndef FLAW_METHOD_MEMORY_H
#define FLAW_METHOD_MEMORY_H

#include "detect/compare.h"
#include "detect/features.h"
#include "detect/record.h"

#define FLAW_MEMORY_SPACES 4
#define FLAW_MEMORY_LIMIT 10000 /* rows of a bank before the coreset, unless the options say otherwise */

typedef struct flaw_memory {
    flaw_compute *compute;
    flaw_bank bank[FLAW_MEMORY_SPACES];
    int spaces;
    float *near; /* [rows of a query], owned */
    int *at;     /* rows of the bank that were nearest in the last query, of which there are as many; owned */
    void *work;  /* of a search, owned */
    int query;   /* rows they are made for */
} flaw_memory;

/* Space s gets the rows table(good[i], s) of every part, `rows[s]` a part, `width[s]` long. When a space would pass
 * `limit` rows, a greedy coreset over spaces [0, joined) (equal rows and width) picks the ones to keep; other spaces
 * are cut by a coreset of their own. */
typedef struct flaw_memory_plan {
    int spaces, joined;
    int rows[FLAW_MEMORY_SPACES], width[FLAW_MEMORY_SPACES];
    const float *(*table)(const flaw_features *features, int space);
    size_t limit;
    uint64_t seed;
} flaw_memory_plan;

flaw_status flaw_memory_learn(flaw_memory *m, flaw_compute *compute, const flaw_memory_plan *plan,
                              const flaw_features *const *good, size_t count, flaw_error *err);
/* distance[rows] = 1 - largest cosine of each row of a picture with the bank of a space. */
flaw_status flaw_memory_distance(flaw_memory *m, int space, const float *rows, int count, double *distance,
                                 flaw_error *err);
/* "bank.0", "bank.1", ... */
flaw_status flaw_memory_save(const flaw_memory *m, flaw_record *record, flaw_error *err);
flaw_status flaw_memory_load(flaw_memory *m, flaw_compute *compute, const flaw_memory_plan *plan,
                             const flaw_record *record, flaw_error *err);
void flaw_memory_close(flaw_memory *m);

#endif
