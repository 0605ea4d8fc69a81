/* Checkpoints: one safetensors file with the flat arrays of the run, written under a temporary name and renamed, and the
 * export of one, or of the mean of several, as a bundle. Data follow from the seed and the step, so no random state is
 * kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/tensors.h"
#include "learn/train_state.h"
#include "model/bundle.h"
#include "model/config.h"

static const char *const array_names[] = {"average", "m", "v", "weights"};
enum { ARRAYS = 4 };

flaw_status flaw_train_save(const flaw_trainer *t, const char *path, flaw_error *err)
{
    const float *array[ARRAYS] = {t->moments.average, t->moments.m, t->moments.v, t->moments.w};
    flaw_tensor items[ARRAYS];
    char step[32], seed[32];
    flaw_buffer shape;
    for (int i = 0; i < ARRAYS; i++)
        items[i] = (flaw_tensor){.name = array_names[i], .dtype = FLAW_DTYPE_F32, .rank = 1, .shape = {t->model.list.total},
                                 .count = t->model.list.total, .bytes = t->model.list.total * sizeof(float),
                                 .data = (const uint8_t *)array[i]};
    snprintf(step, sizeof step, "%" PRId64, t->step);
    snprintf(seed, sizeof seed, "%" PRIu64, t->options->seed);
    flaw_buffer_init(&shape, 1u << 20);
    flaw_config_bundle_write(&shape, &t->shape);
    flaw_status status = shape.failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory for a checkpoint") : FLAW_OK;
    const char *metadata[] = {"shape", shape.data, "merges", t->merges.data, "step", step, "seed", seed};
    if (!status) status = flaw_safetensors_write(path, items, ARRAYS, metadata, 4, err);
    flaw_buffer_release(&shape);
    return status;
}

static flaw_status read_array(float *out, const flaw_tensors *file, const char *name, size_t total, flaw_error *err)
{
    const flaw_tensor *tensor = flaw_tensors_find(file, name);
    if (!tensor) return flaw_fail(err, FLAW_BAD_DATA, "%s: tensor '%s' is missing: not a checkpoint", file->path, name);
    if (tensor->count != total)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: tensor '%s' has %zu values; the model has %zu", file->path, name,
                         tensor->count, total);
    return flaw_tensor_to_f32(file, tensor, out, err);
}

static const char *metadata_of(const flaw_tensors *file, const char *key)
{
    const char *value = flaw_tensors_metadata(file, key);
    return value ? value : "";
}

static flaw_status read_step(int64_t *out, const flaw_tensors *file, flaw_error *err)
{
    const char *text = metadata_of(file, "step");
    char *end;
    long long step = strtoll(text, &end, 10);
    if (end == text || *end || step < 0)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: metadata 'step' is '%s'; expected is a number: not a checkpoint",
                         file->path, text);
    *out = step;
    return FLAW_OK;
}

static flaw_status check_same_run(const flaw_trainer *t, const flaw_tensors *file, flaw_error *err)
{
    char seed[32];
    flaw_buffer shape;
    snprintf(seed, sizeof seed, "%" PRIu64, t->options->seed);
    flaw_buffer_init(&shape, 1u << 20);
    flaw_config_bundle_write(&shape, &t->shape);
    const char *differs = NULL;
    if (shape.failed || strcmp(metadata_of(file, "shape"), shape.data)) differs = "shape of the model";
    else if (strcmp(metadata_of(file, "merges"), t->merges.data)) differs = "vocabulary";
    else if (strcmp(metadata_of(file, "seed"), seed)) differs = "seed";
    flaw_buffer_release(&shape);
    if (!differs) return FLAW_OK;
    return flaw_fail(err, FLAW_USAGE, "%s: its %s is not that of this run; use another folder or the same options",
                     file->path, differs);
}

flaw_status flaw_train_load(flaw_trainer *t, const char *path, flaw_error *err)
{
    flaw_tensors file;
    float *array[ARRAYS] = {t->moments.average, t->moments.m, t->moments.v, t->moments.w};
    flaw_status status = flaw_safetensors_open(&file, path, err);
    if (status) return status;
    status = check_same_run(t, &file, err);
    if (!status) status = read_step(&t->step, &file, err);
    for (int i = 0; i < ARRAYS && !status; i++)
        status = read_array(array[i], &file, array_names[i], t->model.list.total, err);
    flaw_tensors_close(&file);
    return status;
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
    if (!status) status = read_array(room, &file, "average", total, err);
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
    status = read_array(weights, first, "average", list.total, err);
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
