/* Thread pool with a fixed partition: `pieces` is chosen by the caller from the problem alone, never from the
 * number of threads, so the same piece always computes the same bits whichever thread runs it. */
#ifndef FLAW_BASE_POOL_H
#define FLAW_BASE_POOL_H

#include "flaw/status.h"

typedef struct flaw_pool flaw_pool;
typedef void (*flaw_pool_task)(void *context, int piece, int worker);

/* threads >= 1, the calling thread included; 0 = one per processor this process may run on. */
flaw_status flaw_pool_new(flaw_pool **out, int threads, flaw_error *err);
int flaw_pool_threads(const flaw_pool *pool);
/* Run task(context, 0 .. pieces-1, worker 0 .. threads-1) and return when all are done. A NULL pool runs them here.
 * Not re-entrant: a task never calls flaw_pool_run on the same pool. */
void flaw_pool_run(flaw_pool *pool, flaw_pool_task task, void *context, int pieces);
void flaw_pool_free(flaw_pool *pool);

#endif
