/* Pictures of a batch are counted by several threads, each into counts of its own, which are added to the total at the
 * end; with sketches, after every picture. */
#include "measure/metrics/pixels.h"

#include <stdlib.h>

enum { USUAL_BITS = 24, MOST_THREADS = 1024 };

flaw_status flaw_pixels_open(flaw_pixels **out, const flaw_pixels_options *options, flaw_error *err)
{
    const flaw_pixels_options usual = {0}, *o = options ? options : &usual;
    const int threads = o->threads ? o->threads : 1;
    if (threads < 1 || threads > MOST_THREADS)
        return flaw_fail(err, FLAW_USAGE, "%d threads are not allowed, allowed are 1 .. %d", threads, MOST_THREADS);
    flaw_pixels *p = calloc(1, sizeof *p);
    if (!p) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory");
    p->keeps_sketches = o->sketches != 0;
    pthread_mutex_init(&p->lock, NULL);
    flaw_status status = flaw_counts_init(&p->total, o->bits ? o->bits : USUAL_BITS, err);
    p->part = calloc((size_t)threads, sizeof *p->part);
    if (status == FLAW_OK && !p->part) status = flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory");
    for (; status == FLAW_OK && p->threads < threads; p->threads++)
        status = flaw_counts_init(&p->part[p->threads].counts, p->total.bits, err);
    if (status == FLAW_OK && threads > 1) status = flaw_pool_new(&p->pool, threads, err);
    if (status == FLAW_OK) *out = p;
    else flaw_pixels_close(p);
    return status;
}

void flaw_pixels_close(flaw_pixels *p)
{
    if (!p) return;
    for (int i = 0; i < p->threads; i++) {
        flaw_counts_release(&p->part[i].counts);
        flaw_counting_release(&p->part[i].work);
        flaw_sketches_release(&p->part[i].sketches);
    }
    free(p->part);
    flaw_counts_release(&p->total);
    flaw_sketches_release(&p->sketches);
    pthread_mutex_destroy(&p->lock);
    flaw_pool_free(p->pool);
    free(p);
}

typedef struct batch {
    flaw_pixels *p;
    const flaw_pixels_picture *pictures;
    uint32_t *low, *high; /* [n] ranges of keys */
    flaw_status *status;  /* [n] */
} batch;

static void check_one(void *context, int piece, int worker)
{
    batch *b = context;
    b->status[piece] = flaw_counts_check(&b->low[piece], &b->high[piece], &b->pictures[piece], NULL);
}

/* Sketch of the one picture in part->counts, which then go to the total. */
static flaw_status keep_sketch(flaw_pixels *p, flaw_pixels_part *part, uint64_t id)
{
    flaw_status status = flaw_sketches_add(&part->sketches, &part->counts, id, NULL);
    if (status != FLAW_OK) return status;
    pthread_mutex_lock(&p->lock);
    status = flaw_counts_merge(&p->total, &part->counts, NULL);
    pthread_mutex_unlock(&p->lock);
    flaw_counts_clear(&part->counts);
    return status;
}

static void count_one(void *context, int piece, int worker)
{
    batch *b = context;
    flaw_pixels_part *part = &b->p->part[worker];
    const flaw_pixels_picture *picture = &b->pictures[piece];
    flaw_status status =
        flaw_counts_add(&part->counts, &part->work, picture, b->low[piece], b->high[piece], NULL);
    if (status == FLAW_OK && b->p->keeps_sketches) status = keep_sketch(b->p, part, picture->id);
    b->status[piece] = status;
}

/* The first picture that failed, asked again for its message. */
static flaw_status first_failure(const batch *b, int n, flaw_error *err)
{
    uint32_t low, high;
    for (int i = 0; i < n; i++)
        if (b->status[i] != FLAW_OK) {
            flaw_status again = flaw_counts_check(&low, &high, &b->pictures[i], err);
            return again != FLAW_OK ? again : flaw_fail(err, b->status[i], "pixel figures: no memory for the counts");
        }
    return FLAW_OK;
}

static flaw_status count_batch(batch *b, int n, flaw_error *err)
{
    flaw_pixels *p = b->p;
    flaw_pool_run(p->pool, check_one, b, n);
    flaw_status status = first_failure(b, n, err);
    if (status != FLAW_OK) return status;
    flaw_pool_run(p->pool, count_one, b, n);
    status = first_failure(b, n, err);
    for (int i = 0; i < p->threads && status == FLAW_OK; i++) {
        status = flaw_sketches_move(&p->sketches, &p->part[i].sketches, err);
        if (status != FLAW_OK || !p->part[i].counts.pictures) continue;
        status = flaw_counts_merge(&p->total, &p->part[i].counts, err);
        flaw_counts_clear(&p->part[i].counts);
    }
    p->broken = status != FLAW_OK;
    return status;
}

flaw_status flaw_pixels_refuse_broken(const flaw_pixels *p, flaw_error *err)
{
    if (!p->broken) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: an earlier call ran out of memory half way; count again");
}

flaw_status flaw_pixels_add_batch(flaw_pixels *p, const flaw_pixels_picture *pictures, size_t n, flaw_error *err)
{
    flaw_status status = flaw_pixels_refuse_broken(p, err);
    if (status != FLAW_OK || !n) return status;
    if (n > 1 << 20) return flaw_fail(err, FLAW_USAGE, "a batch of %zu pictures is too large", n);
    batch b = {.p = p, .pictures = pictures};
    b.low = calloc(n, sizeof *b.low);
    b.high = calloc(n, sizeof *b.high);
    b.status = calloc(n, sizeof *b.status);
    if (b.low && b.high && b.status) status = count_batch(&b, (int)n, err);
    else status = flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory for a batch of %zu pictures", n);
    free(b.low);
    free(b.high);
    free(b.status);
    return status;
}

flaw_status flaw_pixels_add(flaw_pixels *p, const flaw_pixels_picture *picture, flaw_error *err)
{
    flaw_status status = flaw_pixels_refuse_broken(p, err);
    if (status != FLAW_OK) return status;
    if (p->keeps_sketches) return flaw_pixels_add_batch(p, picture, 1, err);
    uint32_t low, high;
    status = flaw_counts_check(&low, &high, picture, err);
    if (status != FLAW_OK) return status;
    status = flaw_counts_add(&p->total, &p->part[0].work, picture, low, high, err);
    p->broken = status != FLAW_OK;
    return status;
}

flaw_status flaw_pixels_merge(flaw_pixels *into, const flaw_pixels *other, flaw_error *err)
{
    flaw_status status = flaw_pixels_refuse_broken(into, err);
    if (status == FLAW_OK) status = flaw_pixels_refuse_broken(other, err);
    if (status != FLAW_OK) return status;
    if (into->total.bits != other->total.bits)
        return flaw_fail(err, FLAW_USAGE, "counts of %d bits cannot be added to counts of %d bits", other->total.bits,
                         into->total.bits);
    if (into == other) return flaw_fail(err, FLAW_USAGE, "counts cannot be added to themselves");
    if (into->keeps_sketches != other->keeps_sketches)
        return flaw_fail(err, FLAW_USAGE, "counts with and without summaries of pictures cannot be added");
    flaw_sketches both = {0};
    status = flaw_sketches_copy(&both, &into->sketches, err);
    if (status == FLAW_OK) status = flaw_sketches_copy(&both, &other->sketches, err);
    if (status == FLAW_OK) status = flaw_sketches_sort(&both, err);
    if (status == FLAW_OK) {
        status = flaw_counts_merge(&into->total, &other->total, err);
        into->broken = status != FLAW_OK;
    }
    if (status == FLAW_OK) {
        flaw_sketches old = into->sketches;
        into->sketches = both;
        both = old;
    }
    flaw_sketches_release(&both);
    return status;
}
