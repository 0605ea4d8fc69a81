/* What every layer call needs: the kernels, the threads, the precision of products, and scratch for each worker. */
#ifndef FLAW_NN_COMPUTE_H
#define FLAW_NN_COMPUTE_H

#include "base/pool.h"
#include "flaw/status.h"
#include "kernel/kernel.h"

typedef struct flaw_compute {
    const flaw_kernels *kernels;
    flaw_pool *pool; /* owned */
    flaw_precision precision;
    int workers;
    void **scratch; /* [workers], each scratch_size bytes, grown by flaw_compute_reserve only */
    size_t scratch_size;
    void *rows; /* rows packed by all workers for a product that they share; rows_size bytes */
    size_t rows_size;
    struct flaw_watch *watch; /* [workers] of a measuring program (watch.h), or NULL */
} flaw_compute;

/* A name of flaw_level_name; it must be a level of this machine. NULL, "" or "auto": what the environment's FLAW_CPU names,
 * without it the best of this machine. */
flaw_status flaw_level_parse(flaw_level *out, const char *name, flaw_error *err);
/* threads 0 = all processors allowed. The best kernels not above `max`; FLAW_LEVEL_AUTO: as flaw_level_parse of NULL. */
flaw_status flaw_compute_open(flaw_compute *out, int threads, flaw_level max, flaw_precision precision, flaw_error *err);
/* At least `size` bytes of scratch for every worker; called while building, never inside a layer. */
flaw_status flaw_compute_reserve(flaw_compute *c, size_t size, flaw_error *err);
/* Likewise for `rows`. */
flaw_status flaw_compute_reserve_rows(flaw_compute *c, size_t size, flaw_error *err);
void flaw_compute_close(flaw_compute *c);

#endif
