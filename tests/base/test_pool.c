#include "../check.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/pool.h"

enum { MOST = 5000, THREADS = 8 };

typedef struct tally {
    atomic_int times[MOST]; /* how often each piece ran */
    atomic_int by_worker[THREADS];
    atomic_int inside[THREADS]; /* is this worker index in use right now */
    int threads;
    atomic_int wrong;
} tally;

static void count_piece(void *context, int piece, int worker)
{
    tally *t = context;
    if (piece < 0 || piece >= MOST || worker < 0 || worker >= t->threads) {
        t->wrong++;
        return;
    }
    if (atomic_fetch_add(&t->inside[worker], 1) != 0) t->wrong++; /* an index serves one thread at a time */
    t->times[piece]++;
    t->by_worker[worker]++;
    t->inside[worker]--;
}

/* 1 to 8 threads, no to 5000 pieces: each piece exactly once, all done on return. */
static void test_every_piece_once(void **state)
{
    static const int pieces[] = {0, 1, 2, 3, 7, 8, 9, 64, 1000, MOST};
    static tally t;
    for (int threads = 1; threads <= THREADS; threads++) {
        flaw_pool *pool;
        assert_int_equal(flaw_pool_new(&pool, threads, NULL), FLAW_OK);
        assert_int_equal(flaw_pool_threads(pool), threads);
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
            memset(&t, 0, sizeof t);
            t.threads = threads;
            flaw_pool_run(pool, count_piece, &t, pieces[k]);
            assert_int_equal(t.wrong, 0);
            for (int i = 0; i < MOST; i++) assert_int_equal(t.times[i], i < pieces[k]);
        }
        flaw_pool_free(pool);
    }
}

static void add_plain(void *context, int piece, int worker)
{
    ((int *)context)[piece] += piece + 1; /* no atomics: the hand-over itself must order the runs */
}

/* Many short runs behind each other, where a worker of the last run may still be waking up: no piece is lost, done
 * twice or done with the task of another run, and what one run wrote the next one sees. */
static void test_many_short_runs(void **state)
{
    enum { RUNS = 20000, PIECES = 5 };
    for (int threads = 2; threads <= THREADS; threads += 3) {
        flaw_pool *pool;
        int sum[2][PIECES] = {{0}};
        assert_int_equal(flaw_pool_new(&pool, threads, NULL), FLAW_OK);
        for (int run = 0; run < RUNS; run++) flaw_pool_run(pool, add_plain, sum[run % 2], 2 + run % (PIECES - 1));
        int expected[2][PIECES] = {{0}};
        for (int run = 0; run < RUNS; run++) {
            for (int i = 0; i < 2 + run % (PIECES - 1); i++) expected[run % 2][i] += i + 1;
        }
        assert_memory_equal(sum, expected, sizeof sum);
        flaw_pool_free(pool);
    }
}

static void mark_late(void *context, int piece, int worker)
{
    usleep(worker == 0 ? 200 : 3000); /* the caller rests too, so that the others wake up and take some */
    ((volatile int *)context)[piece] = 1;
}

/* The caller finds no piece left while the others still work on theirs: it must wait, spinning and asleep. */
static void test_waits_for_slow_pieces(void **state)
{
    flaw_pool *pool;
    assert_int_equal(flaw_pool_new(&pool, 4, NULL), FLAW_OK);
    for (int run = 0; run < 50; run++) {
        volatile int marked[16] = {0};
        flaw_pool_run(pool, mark_late, (void *)marked, 16);
        for (int i = 0; i < 16; i++) assert_int_equal(marked[i], 1);
    }
    flaw_pool_free(pool);
}

static void wait_for_all(void *context, int piece, int worker)
{
    pthread_barrier_wait(context);
}

/* Pieces that wait for each other come through only when every thread takes part, after a rest (asleep) too. */
static void test_all_threads_take_part(void **state)
{
    for (int threads = 2; threads <= THREADS; threads++) {
        flaw_pool *pool;
        pthread_barrier_t barrier;
        assert_int_equal(flaw_pool_new(&pool, threads, NULL), FLAW_OK);
        pthread_barrier_init(&barrier, NULL, (unsigned)threads);
        for (int rest = 0; rest < 3; rest++) {
            flaw_pool_run(pool, wait_for_all, &barrier, threads);
            usleep(5000);
        }
        pthread_barrier_destroy(&barrier);
        flaw_pool_free(pool);
    }
}

static void fill_sum(void *context, int piece, int worker)
{
    float sum = 0;
    for (int i = 0; i < 1000; i++) sum += 1.0f / (float)(1 + piece * 1000 + i);
    ((float *)context)[piece] = sum;
}

static void test_same_bits_for_any_thread_count(void **state)
{
    enum { PIECES = 200 };
    float expected[PIECES], found[PIECES];
    flaw_pool_run(NULL, fill_sum, expected, PIECES); /* no pool: here */
    for (int threads = 1; threads <= THREADS; threads++) {
        flaw_pool *pool;
        assert_int_equal(flaw_pool_new(&pool, threads, NULL), FLAW_OK);
        memset(found, 0, sizeof found);
        flaw_pool_run(pool, fill_sum, found, PIECES);
        assert_memory_equal(found, expected, sizeof found);
        flaw_pool_free(pool);
    }
}

static void test_limits(void **state)
{
    flaw_pool *pool = (flaw_pool *)&pool;
    flaw_error err;
    assert_int_equal(flaw_pool_new(&pool, -1, &err), FLAW_USAGE);
    assert_int_equal(flaw_pool_new(&pool, 100000, &err), FLAW_USAGE);
    assert_contains(err.text, "100000 threads asked for, allowed are 1 to ");
    assert_ptr_equal(pool, &pool); /* an output is not touched on failure */
    flaw_pool_free(NULL);
    assert_int_equal(flaw_pool_threads(NULL), 1);
}

/* 0 threads asks for as many as this process may use, not as many as the machine has. */
static void test_counts_allowed_processors(void **state)
{
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    flaw_pool *pool;
    assert_int_equal(flaw_pool_new(&pool, 0, NULL), FLAW_OK);
    assert_int_equal(flaw_pool_threads(pool), CPU_COUNT(&before));
    flaw_pool_free(pool);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &before)) cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(flaw_pool_new(&pool, 0, NULL), FLAW_OK);
    assert_int_equal(flaw_pool_threads(pool), 1);
    flaw_pool_free(pool);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

static void read_mask(void *context, int piece, int worker)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ((int *)context)[worker] = sigismember(&mask, SIGTERM);
    usleep(2000);
}

/* Ctrl-C must reach the thread that handles it, never a worker in the middle of a matrix. */
static void test_workers_take_no_signals(void **state)
{
    flaw_pool *pool;
    int blocked[2] = {-1, -1};
    assert_int_equal(flaw_pool_new(&pool, 2, NULL), FLAW_OK);
    for (int i = 0; i < 200 && (blocked[0] < 0 || blocked[1] < 0); i++) flaw_pool_run(pool, read_mask, blocked, 4);
    assert_int_equal(blocked[0], 0);
    assert_int_equal(blocked[1], 1);
    flaw_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_piece_once),
        cmocka_unit_test(test_many_short_runs),
        cmocka_unit_test(test_waits_for_slow_pieces),
        cmocka_unit_test(test_all_threads_take_part),
        cmocka_unit_test(test_same_bits_for_any_thread_count),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_counts_allowed_processors),
        cmocka_unit_test(test_workers_take_no_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
