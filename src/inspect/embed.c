/* Embeddings of single pictures and texts, and everything the image tower computed, for people who look inside. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/large.h"
#include "format/tensors.h"
#include "inspect/engine.h"
#include "model/tower/prepare.h"

/* The engine is const for its users; its lock and scratch are what changes inside. */
static flaw_compute *borrow(const flaw_engine *engine)
{
    flaw_engine *inside = (flaw_engine *)engine;
    pthread_mutex_lock(&inside->lock);
    return &inside->compute;
}

static void hand_back(const flaw_engine *engine)
{
    pthread_mutex_unlock(&((flaw_engine *)engine)->lock);
}

static flaw_status normalise(float *x, size_t n, const char *what, flaw_error *err)
{
    double square = 0;
    for (size_t i = 0; i < n; i++) square += (double)x[i] * x[i];
    if (!(square > 0) || !isfinite(square))
        return flaw_fail(err, FLAW_BAD_DATA, "the embedding of %s is not finite", what);
    for (size_t i = 0; i < n; i++) x[i] = (float)(x[i] / sqrt(square));
    return FLAW_OK;
}

/* A picture prepared as the model was trained (shorter side, crop) and through the image tower. */
static flaw_status run_image(const flaw_engine *engine, const flaw_picture *picture, const flaw_image_output *out,
                             float **pixels_out, flaw_error *err)
{
    const flaw_clip *m = engine->model;
    size_t side = (size_t)m->shape.side;
    float *pixels = malloc(3 * side * side * sizeof(float));
    float *work = flaw_large_alloc(flaw_clip_image_workspace(m, 1) * sizeof(float));
    flaw_status s = pixels && work ? flaw_prepare_pixels(pixels, picture, &m->shape, FLAW_RESIZE_SHORTEST, err)
                                   : flaw_fail(err, FLAW_NO_MEMORY, "memory to encode a picture was refused");
    if (!s) {
        flaw_clip_encode_images(borrow(engine), m, 1, pixels, out, work);
        hand_back(engine);
    }
    free(work);
    if (!s && pixels_out) *pixels_out = pixels;
    else free(pixels);
    return s;
}

flaw_status flaw_embed_picture(const flaw_engine *engine, const flaw_picture *picture, float *out, flaw_error *err)
{
    flaw_status s = run_image(engine, picture, &(flaw_image_output){.cls = out}, NULL, err);
    return s ? s : normalise(out, (size_t)flaw_engine_width(engine), "the picture", err);
}

static flaw_status tokens_of(const flaw_engine *engine, const char *text, int32_t *ids, int *length, int *cut,
                             flaw_error *err)
{
    return flaw_tokenizer_encode(engine->model->tokenizer, text, ids, engine->model->shape.context, length, cut, err);
}

static flaw_status need_text(const flaw_engine *engine, flaw_error *err)
{
    if (flaw_engine_has_text(engine)) return FLAW_OK;
    return flaw_fail(err, FLAW_USAGE, "%s has no text tower: it cannot read words", engine->model->name);
}

flaw_status flaw_embed_text(const flaw_engine *engine, const char *text, float *out, int *cut_tokens, flaw_error *err)
{
    flaw_status s = need_text(engine, err);
    if (s) return s;
    const flaw_clip *m = engine->model;
    int length, cut;
    int32_t *ids = malloc((size_t)m->shape.context * sizeof *ids);
    float *work = aligned_alloc(64, (flaw_clip_text_workspace(m, 1) * sizeof(float) + 63) / 64 * 64);
    s = ids && work ? tokens_of(engine, text, ids, &length, &cut, err)
                    : flaw_fail(err, FLAW_NO_MEMORY, "memory to encode a text was refused");
    if (!s) {
        flaw_clip_encode_texts(borrow(engine), m, 1, ids, out, work);
        hand_back(engine);
        if (cut_tokens) *cut_tokens = cut;
        s = normalise(out, (size_t)m->shape.joint, "the text", err);
    }
    free(ids);
    free(work);
    return s;
}

flaw_status flaw_embed_tokens(const flaw_engine *engine, const char *text, int *ids, int room, int *count,
                              flaw_error *err)
{
    flaw_status s = need_text(engine, err);
    if (s) return s;
    int length, cut;
    int32_t *all = malloc((size_t)engine->model->shape.context * sizeof *all);
    s = all ? tokens_of(engine, text, all, &length, &cut, err)
            : flaw_fail(err, FLAW_NO_MEMORY, "memory to encode a text was refused");
    if (!s) {
        for (int i = 0; i < length && i < room; i++) ids[i] = all[i];
        *count = length;
    }
    free(all);
    return s;
}

flaw_status flaw_embed_logits(const flaw_engine *engine, const flaw_picture *picture, float *out, flaw_error *err)
{
    const flaw_clip *m = engine->model;
    if (!m->shape.classes) return flaw_fail(err, FLAW_USAGE, "%s has no class head", m->name);
    return run_image(engine, picture, &(flaw_image_output){.logits = out}, NULL, err);
}

/* What a dump holds, all from one allocation. */
typedef struct dump {
    flaw_image_output out;
    float *window[2];
    flaw_arena arena;
    flaw_tensor item[256 + 16];
    char name[256 + 16][24];
    size_t count;
} dump;

static float *room_for(dump *d, size_t floats)
{
    return flaw_arena_alloc(&d->arena, floats, sizeof(float));
}

static void list(dump *d, const char *name, const float *data, size_t a, size_t b, size_t c)
{
    if (!data) return;
    flaw_tensor *t = &d->item[d->count];
    snprintf(d->name[d->count], sizeof d->name[0], "%s", name);
    *t = (flaw_tensor){.name = d->name[d->count++],
                       .dtype = FLAW_DTYPE_F32,
                       .rank = c   ? 3
                               : b ? 2
                                   : 1,
                       .shape = {a, b, c}};
    t->count = a * (b ? b : 1) * (c ? c : 1);
    t->bytes = t->count * sizeof(float);
    t->data = (const uint8_t *)data;
}

static flaw_status open_dump(dump *d, const flaw_clip_shape *shape, size_t joint, flaw_error *err)
{
    size_t patches = (size_t)shape->grid * (size_t)shape->grid, width = (size_t)shape->image.width;
    size_t tokens = (size_t)flaw_clip_tokens(shape);
    if (shape->image_layers > 256) return flaw_fail(err, FLAW_USAGE, "%d blocks, allowed are 256", shape->image_layers);
    d->out.cls = room_for(d, joint);
    d->out.patches = shape->joint ? room_for(d, patches * joint) : NULL;
    d->out.block = room_for(d, (size_t)shape->image_layers * tokens * width);
    d->out.embedded = room_for(d, tokens * width);
    bool ok = d->out.cls && d->out.block && d->out.embedded && (d->out.patches || !shape->joint);
    for (int i = 0; i < 2; i++) {
        int across = shape->grid - 1 - i;
        if (!shape->joint || across < 1) continue;
        d->window[i] = room_for(d, (size_t)(across * across) * joint);
        ok = ok && d->window[i];
    }
    return ok ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "memory for a dump was refused");
}

static flaw_status dump_windows(dump *d, const flaw_engine *engine, flaw_error *err)
{
    static const int k[2] = {2, 3};
    int sizes = d->window[1] ? 2 : d->window[0] ? 1 : 0;
    if (!sizes) return FLAW_OK;
    flaw_compute *c = borrow(engine);
    float *work = room_for(d, flaw_clip_window_workspace(c, engine->model, sizes, k));
    if (work) flaw_clip_encode_windows(c, engine->model, sizes, k, d->out.embedded, d->window, work);
    hand_back(engine);
    return work ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "memory for windows was refused");
}

flaw_status flaw_embed_dump(const flaw_engine *engine, const flaw_picture *picture, const char *path, flaw_error *err)
{
    const flaw_clip_shape *shape = &engine->model->shape;
    size_t joint = (size_t)flaw_engine_width(engine), patches = (size_t)shape->grid * (size_t)shape->grid;
    size_t tokens = (size_t)flaw_clip_tokens(shape), width = (size_t)shape->image.width, side = (size_t)shape->side;
    float *pixels = NULL;
    dump *d = calloc(1, sizeof *d);
    if (!d) return flaw_fail(err, FLAW_NO_MEMORY, "memory for a dump was refused");
    flaw_arena_init(&d->arena, 0);
    flaw_status s = open_dump(d, shape, joint, err);
    if (!s) s = run_image(engine, picture, &d->out, &pixels, err);
    if (!s) s = dump_windows(d, engine, err);
    if (!s) {
        list(d, "pixels", pixels, 3, side, side);
        list(d, "embedded", d->out.embedded, tokens, width, 0);
        for (int i = 0; i < shape->image_layers; i++) {
            char name[24];
            snprintf(name, sizeof name, "block%d", i);
            list(d, name, d->out.block + (size_t)i * tokens * width, tokens, width, 0);
        }
        list(d, "cls", d->out.cls, joint, 0, 0);
        list(d, "patches", d->out.patches, patches, joint, 0);
        list(d, "window2", d->window[0], (size_t)((shape->grid - 1) * (shape->grid - 1)), joint, 0);
        list(d, "window3", d->window[1], (size_t)((shape->grid - 2) * (shape->grid - 2)), joint, 0);
        s = flaw_safetensors_write(path, d->item, d->count, NULL, 0, err);
    }
    free(pixels);
    flaw_arena_release(&d->arena);
    free(d);
    return s;
}
