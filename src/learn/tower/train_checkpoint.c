/* Checkpoints of the small CLIP, and the export of one, or of the mean of several, as a bundle. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/checkpoint.h"
#include "learn/tower/train_state.h"
#include "model/bundle/bundle.h"
#include "model/open/config.h"

enum { ARRAYS = 4, FACTS = 3 };

/* The run as a checkpoint, handed to `use`. */
static flaw_status with_checkpoint(const flaw_trainer *t, int64_t *step, const char *path,
                                   flaw_status (*use)(const flaw_checkpoint *, const char *, flaw_error *), flaw_error *err)
{
    size_t total = t->model.list.total;
    const flaw_checkpoint_array array[ARRAYS] = {{"average", t->moments.average, total}, {"m", t->moments.m, total},
                                                 {"v", t->moments.v, total}, {"weights", t->moments.w, total}};
    char seed[32];
    flaw_buffer shape;
    snprintf(seed, sizeof seed, "%" PRIu64, t->options->seed);
    flaw_buffer_init(&shape, 1u << 20);
    flaw_config_bundle_write(&shape, &t->shape);
    const flaw_checkpoint_fact fact[FACTS] = {{"shape", shape.data, "shape of the model"},
                                              {"merges", t->merges.data, "vocabulary"}, {"seed", seed, "seed"}};
    const flaw_checkpoint c = {.array = array, .arrays = ARRAYS, .fact = fact, .facts = FACTS, .step = step};
    flaw_status status = shape.failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory for a checkpoint") : use(&c, path, err);
    flaw_buffer_release(&shape);
    return status;
}

flaw_status flaw_train_save(const flaw_trainer *t, const char *path, flaw_error *err)
{
    int64_t step = t->step;
    return with_checkpoint(t, &step, path, flaw_checkpoint_save, err);
}

flaw_status flaw_train_load(flaw_trainer *t, const char *path, flaw_error *err)
{
    return with_checkpoint(t, &t->step, path, flaw_checkpoint_load, err);
}

static const char *metadata_of(const flaw_tensors *file, const char *key)
{
    const char *value = flaw_tensors_metadata(file, key);
    return value ? value : "";
}

/* weights += average of one more checkpoint, which must be of the same model as the first. */
static flaw_status add_average(float *weights, float *room, size_t total, const flaw_tensors *first, const char *path,
                               flaw_error *err)
{
    flaw_tensors file;
    flaw_status status = flaw_safetensors_open(&file, path, err);
    if (status) return status;
    if (strcmp(metadata_of(&file, "shape"), metadata_of(first, "shape")) ||
        strcmp(metadata_of(&file, "merges"), metadata_of(first, "merges")))
        status = flaw_fail(err, FLAW_USAGE, "%s: its shape or vocabulary is not that of %s; such weights have no mean", path,
                           first->path);
    if (!status) status = flaw_checkpoint_read_array(room, &file, "average", total, err);
    for (size_t i = 0; i < total && !status; i++) weights[i] += room[i];
    flaw_tensors_close(&file);
    return status;
}

static flaw_status export_files(const flaw_tensors *first, const char *const *checkpoints, size_t count, const char *out,
                                flaw_arena *arena, flaw_error *err)
{
    flaw_clip_shape shape;
    flaw_parameters list;
    const char *json = metadata_of(first, "shape"), *merges = metadata_of(first, "merges");
    flaw_status status = flaw_config_bundle(&shape, json, strlen(json), first->path, err);
    if (!status) status = flaw_clip_parameters(&list, &shape, arena, err);
    if (status) return status;
    float *weights = flaw_arena_alloc(arena, list.total, sizeof *weights);
    float *room = flaw_arena_alloc(arena, list.total, sizeof *room);
    if (!weights || !room) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu weights", list.total);
    status = flaw_checkpoint_read_array(weights, first, "average", list.total, err);
    for (size_t i = 1; i < count && !status; i++) status = add_average(weights, room, list.total, first, checkpoints[i], err);
    if (status) return status;
    for (size_t i = 0; i < list.total; i++) weights[i] /= (float)count;
    char card[192];
    snprintf(card, sizeof card, "{\"made by\":\"flaw train\",\"steps\":%.20s,\"seed\":%.24s,\"mean of\":%zu}",
             metadata_of(first, "step"), metadata_of(first, "seed"), count);
    return flaw_bundle_write(out, &shape, &list, weights, merges, strlen(merges), card, FLAW_STORE_I8, err);
}

flaw_status flaw_train_export(const char *const *checkpoints, size_t count, const char *out, flaw_error *err)
{
    flaw_tensors first;
    flaw_arena arena;
    if (!count) return flaw_fail(err, FLAW_USAGE, "export: no checkpoint is given");
    flaw_status status = flaw_safetensors_open(&first, checkpoints[0], err);
    if (status) return status;
    flaw_arena_init(&arena, 0);
    status = export_files(&first, checkpoints, count, out, &arena, err);
    flaw_arena_release(&arena);
    flaw_tensors_close(&first);
    return status;
}
