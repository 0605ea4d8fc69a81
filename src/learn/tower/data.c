#include "learn/tower/data.h"

#include <stdlib.h>
#include <string.h>

#include "learn/tower/data_vary.h"

#define CAPTION 256
/* Streams of random numbers: one for each use, so that no two uses ever share numbers. */
enum { STREAM_PAIR = 1, STREAM_SCENE = 2, STREAM_PLAN = 3 };
#define LARGER 0.6    /* of the scenes, times the share that is varied: one and a half times or twice the side, for sharp crops */
#define PHOTO_TRIES 4 /* a part of a photograph on which no defect shows is drawn again */

flaw_status flaw_data_open(flaw_data *out, const flaw_data_options *options, const flaw_clip_shape *shape,
                           const flaw_words *words, const flaw_photos *photos, const flaw_tokenizer *tokenizer,
                           flaw_error *err)
{
    if (options->pairs < 1 || options->sentences < 1 || options->window < 0 || !(options->fresh > 0 && options->fresh <= 1))
        return flaw_fail(err, FLAW_USAGE,
                         "%d pairs, %d sentences, window %d, fresh share %g: allowed are at least 1, 1, 0 and (0, 1]",
                         options->pairs, options->sentences, options->window, options->fresh);
    flaw_data d = {.options = *options, .shape = shape, .words = words, .photos = photos, .tokenizer = tokenizer};
    d.window = calloc((size_t)options->window + 1, sizeof *d.window);
    d.held = calloc((size_t)options->window + 1, sizeof *d.held);
    if (!d.window || !d.held) {
        free(d.window);
        free(d.held);
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory to keep %d drawn pairs", options->window);
    }
    *out = d;
    return FLAW_OK;
}

void flaw_data_close(flaw_data *data)
{
    for (int i = 0; data->window && i < data->options.window; i++) flaw_subject_release(&data->window[i]);
    free(data->window);
    free(data->held);
    memset(data, 0, sizeof *data);
}

flaw_status flaw_batch_open(flaw_batch *out, const flaw_data *data, flaw_arena *arena, flaw_error *err)
{
    const flaw_clip_shape *s = data->shape;
    size_t pairs = (size_t)data->options.pairs, n = 2 * pairs, m = n + 2 * pairs * (size_t)data->options.sentences;
    flaw_batch b = {.pairs = (int)pairs, .pictures = (int)n, .sentences = (int)m};
    b.pixels = flaw_arena_alloc(arena, n, 3 * (size_t)s->side * (size_t)s->side * sizeof *b.pixels);
    b.target = flaw_arena_alloc(arena, n, (size_t)flaw_clip_patches(s) * sizeof *b.target);
    b.group = flaw_arena_alloc(arena, n, sizeof *b.group);
    b.ids = flaw_arena_alloc(arena, m, (size_t)s->context * sizeof *b.ids);
    b.end = flaw_arena_alloc(arena, m, sizeof *b.end);
    b.caption = flaw_arena_alloc(arena, n, CAPTION);
    b.status = flaw_arena_alloc(arena, pairs, sizeof *b.status);
    b.error = flaw_arena_alloc(arena, pairs, sizeof *b.error);
    if (!b.pixels || !b.target || !b.group || !b.ids || !b.end || !b.caption || !b.status || !b.error)
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a batch of %zu pictures", n);
    *out = b;
    return FLAW_OK;
}

/* What one pair of a step shows. Decided before drawing, in order, so that no slot of the window is wanted by two. */
typedef struct plan {
    bool scene;
    uint64_t number; /* of the drawn scene */
    int slot;        /* of the window, -1: drawn for this pair alone */
} plan;

typedef struct drawing {
    flaw_data *data;
    flaw_batch *batch;
    int64_t step;
    plan *plans; /* [B] */
} drawing;

static void pair_random(flaw_random *random, const flaw_data *data, int stream, int64_t step, int pair)
{
    flaw_random_init(random, data->options.seed * 8 + (uint64_t)stream,
                     (uint64_t)step * (uint64_t)data->options.pairs + (uint64_t)pair);
}

/* Scene numbers of a step come from a window that moves on by fresh * pairs a step; number i lies in slot i % window. */
static void make_plans(drawing *d)
{
    const flaw_data_options *o = &d->data->options;
    uint64_t newest = (uint64_t)((double)d->step * o->fresh * o->pairs);
    for (int p = 0; p < o->pairs; p++) {
        flaw_random random;
        plan *out = &d->plans[p];
        pair_random(&random, d->data, STREAM_PLAN, d->step, p);
        *out = (plan){.slot = -1};
        out->scene = d->data->photos->count == 0 || flaw_random_uniform(&random) < o->scene_share;
        out->number = (uint64_t)d->step * (uint64_t)o->pairs + (uint64_t)p;
        if (!out->scene || o->window < o->pairs) continue;
        for (bool taken = true; taken;) {
            out->number = newest + (uint64_t)flaw_random_below(&random, o->window);
            taken = false;
            for (int q = 0; q < p; q++) taken |= d->plans[q].scene && d->plans[q].number == out->number;
        }
        out->slot = (int)(out->number % (uint64_t)o->window);
    }
}

static flaw_status draw_scene(flaw_subject *out, const flaw_data *data, uint64_t number, flaw_error *err)
{
    flaw_random random;
    flaw_random_init(&random, data->options.seed * 8 + STREAM_SCENE, number);
    uint64_t seed = flaw_random_u64(&random);
    int side = data->shape->side;
    if (flaw_random_uniform(&random) < LARGER * data->options.vary) side += side * (1 + flaw_random_below(&random, 2)) / 2;
    return flaw_subject_scene(out, FLAW_SPLIT_TRAIN, side, seed, err);
}

/* The subject of a pair; *own tells whether the caller releases it. */
static flaw_status draw_subject(flaw_subject *out, bool *own, drawing *d, int pair, flaw_random *random, flaw_error *err)
{
    const plan *p = &d->plans[pair];
    *own = true;
    if (!p->scene) {
        flaw_status status = FLAW_UNAVAILABLE;
        for (int i = 0; i < PHOTO_TRIES && status == FLAW_UNAVAILABLE; i++)
            status = flaw_subject_photo(out, d->data->photos, d->data->shape->side, random, err);
        return status == FLAW_UNAVAILABLE ? draw_scene(out, d->data, p->number, err) : status;
    }
    if (p->slot < 0) return draw_scene(out, d->data, p->number, err);
    *own = false;
    flaw_subject *slot = &d->data->window[p->slot];
    if (d->data->held[p->slot] != p->number + 1) {
        flaw_subject_release(slot);
        d->data->held[p->slot] = 0;
        flaw_status status = draw_scene(slot, d->data, p->number, err);
        if (status) return status;
        d->data->held[p->slot] = p->number + 1;
    }
    *out = *slot;
    return FLAW_OK;
}

/* The subject as another product, in its place. */
static flaw_status vary(flaw_subject *subject, bool *own, flaw_random *random, flaw_error *err)
{
    flaw_subject varied;
    flaw_status status = flaw_subject_vary(&varied, subject, random, err);
    if (*own) flaw_subject_release(subject);
    if (status) return status;
    *subject = varied;
    *own = true;
    return FLAW_OK;
}

static flaw_status write_sentence(flaw_batch *b, const flaw_data *data, int row, const char *text, flaw_error *err)
{
    int length, cut, context = data->shape->context;
    flaw_status status = flaw_tokenizer_encode(data->tokenizer, text, b->ids + (ptrdiff_t)row * context, context, &length,
                                               &cut, err);
    if (!status) b->end[row] = length - 1;
    return status;
}

static flaw_status draw_pair(drawing *d, int pair, flaw_error *err)
{
    const flaw_data *data = d->data;
    flaw_batch *b = d->batch;
    size_t side = (size_t)data->shape->side, patches = (size_t)flaw_clip_patches(data->shape);
    flaw_random random;
    flaw_subject subject;
    bool own;
    pair_random(&random, data, STREAM_PAIR, d->step, pair);
    flaw_status status = draw_subject(&subject, &own, d, pair, &random, err);
    if (!status && data->options.vary > 0 && flaw_random_uniform(&random) < data->options.vary)
        status = vary(&subject, &own, &random, err);
    if (status) return status;
    status = flaw_subject_view(b->pixels + (size_t)pair * 6 * side * side, b->target + (size_t)pair * 2 * patches, NULL,
                               &subject, data->shape, false, &random, err);
    for (int i = 0; i < 2 && !status; i++) {
        memcpy(b->caption + (ptrdiff_t)(2 * pair + i) * CAPTION, subject.caption[i], CAPTION);
        status = write_sentence(b, data, 2 * pair + i, subject.caption[i], err);
    }
    char name[FLAW_NAME], text[FLAW_SENTENCE];
    flaw_words_name(name, data->words, subject.name, subject.material, subject.texture, &random);
    int k = data->options.sentences, row = b->pictures + pair * 2 * k;
    for (int i = 0; i < 2 * k && !status; i++) {
        flaw_words_state(text, data->words, name, i >= k, &random);
        status = write_sentence(b, data, row + i, text, err);
    }
    if (own) flaw_subject_release(&subject);
    return status;
}

static void draw_piece(void *context, int piece, int worker)
{
    drawing *d = context;
    (void)worker;
    d->batch->status[piece] = draw_pair(d, piece, &d->batch->error[piece]);
}

flaw_status flaw_data_draw(flaw_batch *out, flaw_data *data, int64_t step, flaw_pool *pool, flaw_error *err)
{
    drawing d = {.data = data, .batch = out, .step = step, .plans = calloc((size_t)out->pairs, sizeof *d.plans)};
    if (!d.plans) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the plan of a batch");
    make_plans(&d);
    flaw_pool_run(pool, draw_piece, &d, out->pairs);
    free(d.plans);
    for (int i = 0; i < out->pairs; i++)
        if (out->status[i]) {
            if (err) *err = out->error[i];
            return out->status[i];
        }
    out->tokens = 0;
    for (int i = 0; i < out->sentences; i++)
        if (out->end[i] + 1 > out->tokens) out->tokens = out->end[i] + 1;
    for (int i = 0; i < out->pictures; i++) {
        out->group[i] = i;
        for (int j = i - 1; j >= 0; j--)
            if (!strcmp(out->caption + (ptrdiff_t)i * CAPTION, out->caption + (ptrdiff_t)j * CAPTION))
                out->group[i] = out->group[j];
    }
    return FLAW_OK;
}
