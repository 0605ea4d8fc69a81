/* A text being read: tokens go in, keys and values stay, logits come out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "model/language/language.h"

#define CHUNK 256     /* tokens that go through the blocks together; bounds the workspace */
#define LINE 64       /* bytes */
#define FIRST_ROOM 64 /* tokens; doubled as needed */

/* Floats that begin on a cache line. */
static float *make_floats(size_t count)
{
    size_t bytes;
    if (!flaw_mul_ok(&bytes, count, sizeof(float)) || !flaw_add_ok(&bytes, bytes, LINE)) return NULL;
    return aligned_alloc(LINE, bytes / LINE * LINE);
}

struct flaw_reading {
    const flaw_language *m;
    flaw_compute *c;
    flaw_block_cache *cache; /* [L] */
    float *x;                /* [chunk, D] */
    float *work;
    float *normed; /* [D] */
    float *logits; /* [V] */
    int chunk;     /* rows that x and work have room for */
    int room, length;
    bool fed; /* logits belong to the last token */
};

/* Scratch that the products need, whether the linears are packed or compact. */
static size_t product_scratch(const flaw_compute *c, const flaw_language *m)
{
    const flaw_block_shape *b = &m->shape.block;
    int widest = b->hidden > b->width ? b->hidden : b->width;
    size_t compact = flaw_matrix_scratch(c, widest), packed = c->kernels->product_scratch(c->precision, widest);
    return compact > packed ? compact : packed;
}

flaw_status flaw_reading_open(flaw_reading **out, const flaw_language *m, flaw_compute *c, flaw_error *err)
{
    flaw_reading *r = calloc(1, sizeof *r);
    if (r) {
        r->m = m;
        r->c = c;
        r->cache = calloc((size_t)m->shape.layers, sizeof *r->cache);
        r->normed = make_floats((size_t)m->shape.block.width);
        r->logits = make_floats((size_t)m->shape.vocab);
    }
    flaw_status status = FLAW_OK;
    if (!r || !r->cache || !r->normed || !r->logits)
        status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to read a text", m->name);
    if (!status) status = flaw_compute_reserve(c, product_scratch(c, m), err);
    if (status) flaw_reading_close(r);
    else *out = r;
    return status;
}

void flaw_reading_close(flaw_reading *r)
{
    if (!r) return;
    for (int l = 0; r->cache && l < r->m->shape.layers; l++) free(r->cache[l].k);
    free(r->cache);
    free(r->x);
    free(r->work);
    free(r->normed);
    free(r->logits);
    free(r);
}

/* Keys and values of a layer are one block: k [room, width], then v. */
static bool grow_cache(flaw_block_cache *cache, size_t width, int room)
{
    float *k = make_floats(2 * (size_t)room * width);
    if (!k) return false;
    size_t used = (size_t)cache->used * width;
    if (used) {
        memcpy(k, cache->k, used * sizeof *k);
        memcpy(k + (size_t)room * width, cache->v, used * sizeof *k);
    }
    free(cache->k);
    cache->k = k;
    cache->v = k + (size_t)room * width;
    cache->room = room;
    return true;
}

/* Room for `length` tokens in every layer. A layer that was refused keeps its old room, so that nothing is lost. */
static flaw_status make_room(flaw_reading *r, int length, flaw_error *err)
{
    const flaw_language_shape *s = &r->m->shape;
    int room = r->room ? r->room : FIRST_ROOM;
    if (length <= r->room) return FLAW_OK;
    while (room < length) room *= 2;
    if (room > s->context) room = s->context;
    for (int l = 0; l < s->layers; l++)
        if (r->cache[l].room < room && !grow_cache(&r->cache[l], (size_t)flaw_block_kv_width(&s->block), room))
            return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to remember %d tokens", r->m->name, room);
    flaw_status status = flaw_compute_reserve(r->c, flaw_block_cached_scratch(room), err);
    if (!status) r->room = room;
    return status;
}

static flaw_status make_chunk(flaw_reading *r, int rows, flaw_error *err)
{
    const flaw_language_shape *s = &r->m->shape;
    if (rows <= r->chunk) return FLAW_OK;
    free(r->x);
    free(r->work);
    r->chunk = 0;
    r->x = make_floats((size_t)rows * (size_t)s->block.width);
    r->work = make_floats(flaw_block_workspace(&s->block, 1, rows));
    if (!r->x || !r->work)
        return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to read %d tokens at once", r->m->name, rows);
    r->chunk = rows;
    return FLAW_OK;
}

/* Logits of the row that came out of the last block. */
static void read_head(flaw_reading *r, const float *row)
{
    const flaw_language *m = r->m;
    int d = m->shape.block.width;
    r->c->kernels->rms_norm(1, d, m->shape.block.eps, row, m->view.norm, r->normed, NULL);
    flaw_linear_forward(r->c, &m->head, 1, r->normed, d, r->logits, FLAW_ACT_NONE, NULL, NULL);
}

/* n tokens by id, or by row where `rows` is given. A failure leaves the reading as it was, without logits. */
static flaw_status feed(flaw_reading *r, const int32_t *ids, const float *rows, int n, flaw_error *err)
{
    const flaw_language *m = r->m;
    int d = m->shape.block.width, before = r->length;
    if (n < 1 || n > m->shape.context - r->length)
        return flaw_fail(err, FLAW_USAGE, "%s: %d tokens after %d, at least one and at most %d in all are allowed",
                         m->name, n, r->length, m->shape.context);
    flaw_status status = make_room(r, r->length + n, err);
    if (!status) status = make_chunk(r, n < CHUNK ? n : CHUNK, err);
    if (status) return status;
    r->fed = false;
    for (int at = 0, count; at < n; at += count) {
        count = n - at < CHUNK ? n - at : CHUNK;
        if (rows) memcpy(r->x, rows + (size_t)at * (size_t)d, (size_t)count * (size_t)d * sizeof *rows);
        for (int t = 0; ids && t < count; t++) flaw_matrix_row(&m->token, ids[at + t], r->x + (size_t)t * (size_t)d);
        for (int l = 0; l < m->shape.layers; l++)
            flaw_block_forward_cached(r->c, &m->block[l], count, r->x, &r->cache[l], r->work);
        if (at + count == n) read_head(r, r->x + (size_t)(count - 1) * (size_t)d);
    }
    r->length += n;
    status = flaw_floats_check(r->logits, (size_t)m->shape.vocab, "logits", m->name, err);
    if (status) flaw_reading_rewind(r, before);
    else r->fed = true;
    return status;
}

flaw_status flaw_reading_ids(flaw_reading *r, const int32_t *ids, int n, flaw_error *err)
{
    for (int i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= r->m->shape.vocab)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: token %d of the text is %d, allowed are 0 to %d", r->m->name, i,
                             (int)ids[i], r->m->shape.vocab - 1);
    return feed(r, ids, NULL, n, err);
}

flaw_status flaw_reading_rows(flaw_reading *r, const float *rows, int n, flaw_error *err)
{
    return feed(r, NULL, rows, n, err);
}

float *flaw_reading_logits(flaw_reading *r)
{
    return r->fed ? r->logits : NULL;
}

int flaw_reading_length(const flaw_reading *r)
{
    return r->length;
}

const flaw_language *flaw_reading_model(const flaw_reading *r)
{
    return r->m;
}

void flaw_reading_rewind(flaw_reading *r, int length)
{
    if (length < 0 || length >= r->length) return;
    for (int l = 0; l < r->m->shape.layers; l++) r->cache[l].used = length;
    r->length = length;
    r->fed = false;
}
