/* Which data set folders a path means. The metrics: flaw/metrics.h; evaluations: flaw/eval.h. */
#ifndef FLAW_MEASURE_H
#define FLAW_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/inspect.h"
#include "flaw/metrics.h"
#include "flaw/status.h"

/* Data set folders: the folder itself when it has a known layout, else those of its subfolders that have one. */
typedef struct flaw_eval_paths {
    char **path; /* [count] owned */
    size_t count;
} flaw_eval_paths;

/* Adds to *paths what is found, sorted by name. FLAW_MISSING without such a folder, FLAW_BAD_DATA when none has a known
 * layout. Free with flaw_eval_paths_release, also after a failure. */
flaw_status flaw_eval_find(flaw_eval_paths *paths, const char *folder, flaw_error *err);
void flaw_eval_paths_release(flaw_eval_paths *paths);

#endif
