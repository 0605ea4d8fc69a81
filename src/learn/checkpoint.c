#include "learn/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS ((size_t)1 << 22) /* of a history */

flaw_status flaw_history_add(flaw_history *h, const float *row, flaw_error *err)
{
    size_t columns = (size_t)h->columns;
    if (h->rows == h->room) {
        size_t room = h->room ? 2 * h->room : 256;
        float *grown = room <= MOST_ROWS ? realloc(h->value, room * columns * sizeof *grown) : NULL;
        if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a history of %zu rows", room);
        h->value = grown;
        h->room = room;
    }
    memcpy(h->value + h->rows++ * columns, row, columns * sizeof *row);
    return FLAW_OK;
}

void flaw_history_release(flaw_history *h)
{
    free(h->value);
    h->value = NULL;
    h->rows = h->room = 0;
}

size_t flaw_history_column(const flaw_history *h, int c, double *x, double *y)
{
    size_t count = 0;
    for (size_t i = 0; i < h->rows; i++) {
        const float *row = h->value + i * (size_t)h->columns;
        if (!isfinite(row[c])) continue;
        x[count] = (double)row[0];
        y[count++] = (double)row[c];
    }
    return count;
}

static flaw_tensor array_item(const char *name, const float *data, size_t rows, size_t columns)
{
    flaw_tensor t = {.name = name, .dtype = FLAW_DTYPE_F32, .rank = columns ? 2 : 1, .shape = {rows, columns}};
    t.count = rows * (columns ? columns : 1);
    t.bytes = t.count * sizeof *data;
    t.data = (const uint8_t *)data;
    return t;
}

flaw_status flaw_checkpoint_save(const flaw_checkpoint *c, const char *path, flaw_error *err)
{
    flaw_tensor items[FLAW_CHECKPOINT_ITEMS + 1];
    const char *metadata[2 * FLAW_CHECKPOINT_ITEMS + 2];
    char step[32];
    size_t count = 0, pairs = 0;
    for (int i = 0; i < c->arrays; i++)
        items[count++] = array_item(c->array[i].name, c->array[i].data, c->array[i].count, 0);
    if (c->history && c->history->rows)
        items[count++] = array_item("history", c->history->value, c->history->rows, (size_t)c->history->columns);
    for (int i = 0; i < c->facts; i++, pairs++) {
        metadata[2 * pairs] = c->fact[i].key;
        metadata[2 * pairs + 1] = c->fact[i].value;
    }
    snprintf(step, sizeof step, "%" PRId64, *c->step);
    metadata[2 * pairs] = "step";
    metadata[2 * pairs++ + 1] = step;
    return flaw_safetensors_write(path, items, count, metadata, pairs, err);
}

flaw_status flaw_checkpoint_read_array(float *out, const flaw_tensors *file, const char *name, size_t count,
                                       flaw_error *err)
{
    const flaw_tensor *tensor = flaw_tensors_find(file, name);
    if (!tensor) return flaw_fail(err, FLAW_BAD_DATA, "%s: tensor '%s' is missing: not a checkpoint", file->path, name);
    if (tensor->count != count)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: tensor '%s' has %zu values; the model has %zu", file->path, name,
                         tensor->count, count);
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

static flaw_status read_history(flaw_history *h, const flaw_tensors *file, flaw_error *err)
{
    const flaw_tensor *t = flaw_tensors_find(file, "history");
    flaw_history_release(h);
    if (!t) return FLAW_OK;
    if (t->rank != 2 || t->shape[1] != (size_t)h->columns || t->shape[0] > MOST_ROWS || t->dtype != FLAW_DTYPE_F32)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: 'history' has another form than %d columns of F32", file->path,
                         h->columns);
    h->value = malloc(t->bytes ? t->bytes : 1);
    if (!h->value) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a history of %zu rows", t->shape[0]);
    memcpy(h->value, t->data, t->bytes); /* NaNs belong to it */
    h->rows = h->room = t->shape[0];
    return FLAW_OK;
}

/* Facts for people are short; hashes and whole shapes are not shown. */
static flaw_status check_fact(const flaw_checkpoint_fact *f, const flaw_tensors *file, flaw_error *err)
{
    enum { SHOWN = 48 };
    const char *found = metadata_of(file, f->key);
    if (!strcmp(found, f->value)) return FLAW_OK;
    if (!*found || strlen(found) > SHOWN || strlen(f->value) > SHOWN)
        return flaw_fail(err, FLAW_USAGE, "%s: its %s is not that of this run; use another folder or the same options",
                         file->path, f->what);
    return flaw_fail(err, FLAW_USAGE,
                     "%s: its %s is %s, that of this run is %s; use another folder or the same options", file->path,
                     f->what, found, f->value);
}

flaw_status flaw_checkpoint_load(const flaw_checkpoint *c, const char *path, flaw_error *err)
{
    flaw_tensors file;
    flaw_status status = flaw_safetensors_open(&file, path, err);
    if (status) return status;
    for (int i = 0; i < c->facts && !status; i++) status = check_fact(&c->fact[i], &file, err);
    if (!status) status = read_step(c->step, &file, err);
    if (!status && c->history) status = read_history(c->history, &file, err);
    for (int i = 0; i < c->arrays && !status; i++)
        status = flaw_checkpoint_read_array(c->array[i].data, &file, c->array[i].name, c->array[i].count, err);
    flaw_tensors_close(&file);
    return status;
}
