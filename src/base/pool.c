#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_THREADS = 1024,
    SPINS = 5000, /* pauses before a thread goes to sleep, some 200 us: waking it takes longer than a small layer */
};

typedef struct worker {
    flaw_pool *pool;
    pthread_t thread;
    int index; /* 1 .. threads-1; the caller of flaw_pool_run is 0 */
} worker;

/* How a run is handed over. `ticket` holds the number of the run (high half) and the pieces not yet taken (low half).
 * A thread takes a piece by lowering it with compare-and-swap, so a worker that wakes late, in a later run, can never
 * take a piece under an older number. Holding a piece keeps the run alive (the caller waits for `unfinished` to reach
 * 0), so task, context and pieces are read only then and need no lock. */
struct flaw_pool {
    alignas(64) _Atomic uint64_t ticket;
    alignas(64) atomic_int unfinished; /* pieces of this run not yet done */
    alignas(64) atomic_int sleeping;   /* workers waiting on `start` */
    atomic_bool caller_sleeps, stop;
    flaw_pool_task task;
    void *context;
    int pieces;
    int threads, spins;
    pthread_mutex_t lock; /* guards only going to sleep and waking up */
    pthread_cond_t start, done;
    worker *workers; /* [threads - 1] */
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint32_t run_of(uint64_t ticket)
{
    return (uint32_t)(ticket >> 32);
}

/* Do pieces of the current run until none is left to take. */
static void work(flaw_pool *pool, int index)
{
    uint64_t ticket = atomic_load(&pool->ticket);
    while ((uint32_t)ticket != 0) {
        if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket - 1)) continue;
        pool->task(pool->context, pool->pieces - (int)(uint32_t)ticket, index);
        if (atomic_fetch_sub(&pool->unfinished, 1) == 1 && atomic_load(&pool->caller_sleeps)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->done);
            pthread_mutex_unlock(&pool->lock);
        }
        ticket = atomic_load(&pool->ticket);
    }
}

/* Wait for a run other than `seen`; false when the pool is to stop. */
static bool wait_for_run(flaw_pool *pool, uint32_t seen)
{
    for (int i = 0; i < pool->spins; i++) {
        if (atomic_load(&pool->stop)) return false;
        if (run_of(atomic_load(&pool->ticket)) != seen) return true;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleeping, 1);
    while (run_of(atomic_load(&pool->ticket)) == seen && !atomic_load(&pool->stop)) {
        pthread_cond_wait(&pool->start, &pool->lock);
    }
    atomic_fetch_sub(&pool->sleeping, 1);
    pthread_mutex_unlock(&pool->lock);
    return !atomic_load(&pool->stop);
}

static void *worker_main(void *argument)
{
    worker *self = argument;
    uint32_t seen = 0;
    while (wait_for_run(self->pool, seen)) {
        seen = run_of(atomic_load(&self->pool->ticket));
        work(self->pool, self->index);
    }
    return NULL;
}

static void wake_workers(flaw_pool *pool)
{
    if (atomic_load(&pool->sleeping) == 0) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
}

static void wait_until_done(flaw_pool *pool)
{
    for (int i = 0; i < pool->spins; i++) {
        if (atomic_load(&pool->unfinished) == 0) return;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->caller_sleeps, true);
    while (atomic_load(&pool->unfinished) != 0) pthread_cond_wait(&pool->done, &pool->lock);
    atomic_store(&pool->caller_sleeps, false);
    pthread_mutex_unlock(&pool->lock);
}

void flaw_pool_run(flaw_pool *pool, flaw_pool_task task, void *context, int pieces)
{
    if (!pool || pool->threads == 1 || pieces <= 1) {
        for (int piece = 0; piece < pieces; piece++) task(context, piece, 0);
        return;
    }
    pool->task = task;
    pool->context = context;
    pool->pieces = pieces;
    atomic_store(&pool->unfinished, pieces);
    const uint32_t run = run_of(atomic_load(&pool->ticket)) + 1;
    atomic_store(&pool->ticket, (uint64_t)run << 32 | (uint32_t)pieces);
    wake_workers(pool);
    work(pool, 0);
    wait_until_done(pool);
}

static int processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    const int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

/* Workers take no signals: those belong to the thread that installed the handlers. */
static flaw_status start_workers(flaw_pool *pool, int threads, flaw_error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = 0;
    while (code == 0 && pool->threads < threads) {
        worker *w = &pool->workers[pool->threads - 1];
        *w = (worker){.pool = pool, .index = pool->threads};
        code = pthread_create(&w->thread, NULL, worker_main, w);
        if (code == 0) pool->threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0) return FLAW_OK;
    return flaw_fail(err, FLAW_UNAVAILABLE, "cannot start thread %d of %d: %s", pool->threads + 1, threads,
                     strerrordesc_np(code));
}

flaw_status flaw_pool_new(flaw_pool **out, int threads, flaw_error *err)
{
    if (threads < 0 || threads > MAX_THREADS) {
        return flaw_fail(err, FLAW_USAGE, "%d threads asked for, allowed are 1 to %d (0: one per processor)", threads,
                         MAX_THREADS);
    }
    const int cpus = processors();
    if (threads == 0) threads = cpus;
    flaw_pool *pool = aligned_alloc(alignof(flaw_pool), sizeof *pool);
    worker *workers = calloc((size_t)threads, sizeof *workers);
    if (!pool || !workers) {
        free(pool);
        free(workers);
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a pool of %d threads", threads);
    }
    memset(pool, 0, sizeof *pool);
    pool->threads = 1;
    pool->spins = threads > cpus ? 0 : SPINS; /* spinning would take the processor from a thread with work */
    pool->workers = workers;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    const flaw_status status = start_workers(pool, threads, err);
    if (status != FLAW_OK) {
        flaw_pool_free(pool);
        return status;
    }
    *out = pool;
    return FLAW_OK;
}

int flaw_pool_threads(const flaw_pool *pool)
{
    return pool ? pool->threads : 1;
}

void flaw_pool_free(flaw_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->stop, true);
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i - 1].thread, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->start);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}
