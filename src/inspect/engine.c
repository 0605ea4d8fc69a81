#include "inspect/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "model/bundle/describe.h"

typedef struct named_value {
    const char *name;
    int value;
} named_value;

static const named_value precisions[] = {{"auto", FLAW_F32}, {"f32", FLAW_F32}, {"bf16", FLAW_BF16},
                                         {"int8", FLAW_INT8}, {NULL, 0}};

static flaw_status choose(int *out, const named_value *table, const char *name, const char *what, const char *allowed,
                          flaw_error *err)
{
    for (const named_value *row = table; row->name; row++) {
        if (strcmp(row->name, name && *name ? name : "auto")) continue;
        *out = row->value;
        return FLAW_OK;
    }
    return flaw_fail(err, FLAW_USAGE, "%s \"%s\" is unknown, allowed are %s", what, name, allowed);
}

flaw_status flaw_engine_open(flaw_engine **out, const flaw_engine_options *options, flaw_error *err)
{
    int precision = 0;
    flaw_level level;
    flaw_status s = choose(&precision, precisions, options->precision, "precision", "auto, f32, bf16 and int8", err);
    if (!s) s = flaw_level_parse(&level, options->level, err);
    if (s) return s;
    if (options->threads < 0)
        return flaw_fail(err, FLAW_USAGE, "%d threads were asked for, allowed are 0 (all) and more", options->threads);
    flaw_engine *engine = calloc(1, sizeof *engine);
    if (!engine) return flaw_fail(err, FLAW_NO_MEMORY, "an engine was refused");
    engine->threads = options->threads;
    engine->level = level;
    engine->precision = (flaw_precision)precision;
    pthread_mutex_init(&engine->lock, NULL);
    bool automatic = !options->precision || !*options->precision || !strcmp(options->precision, "auto");
    if (automatic) s = flaw_clip_precision(&engine->precision, options->model, err);
    if (!s) s = flaw_compute_open(&engine->compute, engine->threads, engine->level, engine->precision, err);
    if (!s) s = flaw_clip_open_at(&engine->model, options->model ? options->model : "", options->side,
                                  0, &engine->compute, err);
    if (!s && options->model && *options->model) {
        engine->path = strdup(options->model);
        if (!engine->path) s = flaw_fail(err, FLAW_NO_MEMORY, "an engine was refused");
    }
    if (s) {
        flaw_engine_close(engine);
        return s;
    }
    *out = engine;
    return FLAW_OK;
}

void flaw_engine_close(flaw_engine *engine)
{
    if (!engine) return;
    if (engine->model) flaw_clip_close(engine->model);
    flaw_compute_close(&engine->compute);
    free(engine->path);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

flaw_status flaw_engine_compute(const flaw_engine *engine, flaw_compute *out, flaw_error *err)
{
    flaw_status s = flaw_compute_open(out, engine->threads, engine->level, engine->precision, err);
    if (s) return s;
    s = flaw_compute_reserve(out, engine->compute.scratch_size, err);
    if (!s) s = flaw_compute_reserve_rows(out, engine->compute.rows_size, err);
    if (s) flaw_compute_close(out);
    return s;
}

const char *flaw_engine_model_name(const flaw_engine *engine)
{
    return engine->model->name;
}

const char *flaw_engine_model_hash(const flaw_engine *engine)
{
    flaw_engine *inside = (flaw_engine *)engine; /* const for its users; what changes stands under the lock */
    pthread_mutex_lock(&inside->lock);
    if (!inside->hash[0]) flaw_clip_hash(engine->model, &inside->compute, inside->hash);
    pthread_mutex_unlock(&inside->lock);
    return inside->hash;
}

const char *flaw_engine_level(const flaw_engine *engine)
{
    return engine->compute.kernels->name;
}

int flaw_engine_has_text(const flaw_engine *engine)
{
    return engine->model->tokenizer != NULL && engine->model->shape.text.width > 0;
}

int flaw_engine_width(const flaw_engine *engine)
{
    const flaw_clip_shape *shape = &engine->model->shape;
    return shape->joint ? shape->joint : shape->image.width;
}

int flaw_engine_classes(const flaw_engine *engine)
{
    return engine->model->shape.classes;
}

flaw_status flaw_model_info(char **out, const char *path, int json, flaw_error *err)
{
    flaw_buffer text;
    flaw_buffer_init(&text, (size_t)64 << 20);
    flaw_status s = flaw_model_describe(&text, path, json, err);
    if (text.failed || !text.data) {
        flaw_buffer_release(&text);
        return s ? s : flaw_fail(err, FLAW_NO_MEMORY, "%s: the description was refused", path);
    }
    *out = text.data; /* the caller's now */
    return s;
}
