#include "method/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/random.h"
#include "detect/augment.h"

int flaw_joined_width(const flaw_clip_shape *shape)
{
    return FLAW_BANK_STAGES * shape->image.width;
}

void flaw_joined_rows(float *out, const flaw_features *f)
{
    size_t width = (size_t)f->width, patches = (size_t)f->grid * (size_t)f->grid, joined = FLAW_BANK_STAGES * width;
    float scale = sqrtf((float)width);
    for (size_t s = 0; s < FLAW_BANK_STAGES; s++)
        for (size_t i = 0; i < patches; i++)
            for (size_t d = 0; d < width; d++) out[i * joined + s * width + d] = scale * f->stage[s][i * width + d];
}

void flaw_neighbours_hide(uint8_t *hidden, int grid, int radius)
{
    int patches = grid * grid;
    for (int i = 0; i < patches; i++)
        for (int j = 0; j < patches; j++) {
            int down = abs(i / grid - j / grid), across = abs(i % grid - j % grid);
            hidden[i * patches + j] = down <= radius && across <= radius;
        }
}

/* ---- layers ---- */

/* x + output of the heads, normed. Queries and keys carry the position, values do not. */
static int attend(flaw_tape *t, const flaw_layer_plan *p, int x, int seen, int position)
{
    int width = t->node[x].width, keys = flaw_tape_add(t, seen, position);
    int q = flaw_tape_linear(t, flaw_tape_add(t, x, position), width);
    int k = flaw_tape_linear(t, keys, width), v = flaw_tape_linear(t, seen, width);
    int heads = flaw_tape_attend(t, q, k, v, p->heads, p->hidden);
    return flaw_tape_norm(t, flaw_tape_add(t, x, flaw_tape_linear(t, heads, width)));
}

static int two_layers(flaw_tape *t, const flaw_layer_plan *p, int x)
{
    int inner = flaw_tape_gelu(t, flaw_tape_linear(t, x, p->inner));
    return flaw_tape_norm(t, flaw_tape_add(t, x, flaw_tape_linear(t, inner, t->node[x].width)));
}

int flaw_layer_encode(flaw_tape *t, const flaw_layer_plan *p, int x, int position)
{
    return two_layers(t, p, attend(t, p, x, x, position));
}

int flaw_layer_query(flaw_tape *t, const flaw_layer_plan *p, int memory, int before, int position)
{
    int query = flaw_tape_table(t, t->node[memory].width);
    return two_layers(t, p, attend(t, p, attend(t, p, query, memory, position), before, position));
}

/* ---- examples ---- */

enum { CHANGES_MOST = 16 };

void flaw_examples_release(flaw_examples *e)
{
    free(e->rows);
    *e = (flaw_examples){0};
}

static flaw_status add_changes(flaw_examples *e, const flaw_lesson *l, size_t changes, flaw_features *room,
                               flaw_error *err)
{
    flaw_random random;
    flaw_status s = FLAW_OK;
    flaw_random_init(&random, l->seed, 0x6578616d);
    for (size_t i = 0; !s && i < l->count * changes; i++) {
        flaw_picture changed = {0};
        s = flaw_augment_mildly(&changed, l->square[i / changes], &random, err);
        if (!s) s = flaw_encoder_run(l->encoder, &changed, 1, room, err);
        flaw_picture_release(&changed);
        if (!s && !room->sound)
            s = flaw_fail(err, FLAW_BAD_DATA, "the numbers computed for a change are not all finite");
        if (!s) flaw_joined_rows(e->rows + e->count++ * e->floats, room);
    }
    return s;
}

flaw_status flaw_examples_make(flaw_examples *out, const flaw_lesson *l, size_t wanted, flaw_error *err)
{
    const flaw_clip *model = l->encoder->model;
    size_t changes = l->count ? wanted / l->count : 0, bytes;
    if (changes > CHANGES_MOST) changes = CHANGES_MOST;
    *out =
        (flaw_examples){.floats = (size_t)flaw_clip_patches(&model->shape) * (size_t)flaw_joined_width(&model->shape)};
    if (!flaw_mul_ok(&bytes, l->count * (1 + changes), out->floats * sizeof(float)) || !(out->rows = malloc(bytes + 1)))
        return flaw_fail(err, FLAW_NO_MEMORY, "memory for changes of %zu good parts was refused", l->count);
    for (size_t i = 0; i < l->count; i++) flaw_joined_rows(out->rows + out->count++ * out->floats, l->good[i]);
    flaw_features room = {0};
    flaw_status s = changes ? flaw_features_new(&room, model, l->encoder->want, err) : FLAW_OK;
    if (!s && changes) s = add_changes(out, l, changes, &room, err);
    flaw_features_release(&room);
    if (s) flaw_examples_release(out);
    return s;
}

flaw_status flaw_lesson_step(const flaw_lesson *l, int done, int total, const char *what, flaw_error *err)
{
    if (l->progress && l->progress(l->context, (size_t)done, (size_t)total, what))
        return flaw_fail(err, FLAW_USAGE, "cancelled after %d of %d steps of training", done, total);
    return FLAW_OK;
}

/* ---- recipes ---- */

flaw_status flaw_network_save(const flaw_tape *t, const char *name, flaw_record *record, flaw_error *err)
{
    return flaw_record_put_table(record, name, t->moments.w, 1, t->floats, err);
}

flaw_status flaw_network_load(flaw_tape *t, const char *name, const flaw_record *record, flaw_error *err)
{
    const float *table;
    size_t rows;
    flaw_status s = flaw_record_table(record, name, t->floats, &table, &rows, err);
    if (!s && rows != 1)
        s = flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe has %zu rows, expected is 1", name, rows);
    if (s) return s;
    memcpy(t->moments.w, table, t->floats * sizeof *table);
    return flaw_tape_pack(t, err);
}

/* ---- maps ---- */

static double at(const double *x, int i, int n, int step)
{
    return x[(i < 0 ? 0 : i >= n ? n - 1 : i) * step];
}

void flaw_patch_average(double *map, double *room, int grid)
{
    for (int y = 0; y < grid; y++)
        for (int x = 0; x < grid; x++) {
            const double *row = map + y * grid;
            room[y * grid + x] = (at(row, x - 1, grid, 1) + 6 * row[x] + at(row, x + 1, grid, 1)) / 8;
        }
    for (int y = 0; y < grid; y++)
        for (int x = 0; x < grid; x++) {
            const double *column = room + x;
            map[y * grid + x] =
                (at(column, y - 1, grid, grid) + 6 * at(column, y, grid, grid) + at(column, y + 1, grid, grid)) / 8;
        }
}
