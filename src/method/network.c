#include "method/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "detect/augment.h"
#include "method/gridmap.h"

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

/* ---- the network of a method ---- */

enum { WARMUP = 20, TELL = 10 };
#define RATE 1e-3f
#define CLIP 1.0f

flaw_status flaw_network_open(flaw_network *n, const char *name, const flaw_method_setup *setup, int steps, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    size_t cells = (size_t)flaw_clip_patches(shape);
    *n = (flaw_network){.name = name,
                        .compute = setup->compute,
                        .grid = shape->grid,
                        .joined = flaw_joined_width(shape),
                        .steps = steps,
                        .map = calloc(2 * cells, sizeof *n->map)};
    if (!n->map) return flaw_fail(err, FLAW_NO_MEMORY, "%s: memory was refused", name);
    n->room = n->map + cells;
    return FLAW_OK;
}

void flaw_network_close(flaw_network *n)
{
    flaw_tape_close(&n->tape);
    free(n->map);
}

/* Every TELL steps. */
static flaw_status tell(const flaw_lesson *l, int done, int total, const char *what, flaw_error *err)
{
    if (done % TELL || !l->progress || !l->progress(l->context, (size_t)done, (size_t)total, what)) return FLAW_OK;
    return flaw_fail(err, FLAW_USAGE, "cancelled after %d of %d steps of training", done, total);
}

flaw_status flaw_network_train(flaw_network *n, flaw_tape *t, const flaw_training *plan, const flaw_lesson *lesson,
                               flaw_error *err)
{
    const flaw_schedule schedule = {
        .peak = RATE, .floor = RATE / 100, .warmup = n->steps > WARMUP ? WARMUP : 1, .steps = n->steps};
    flaw_random random;
    flaw_status s = FLAW_OK;
    flaw_random_init(&random, lesson->seed, plan->stream);
    for (int step = 0; !s && step < n->steps; step++) {
        double loss = plan->look(plan->context, t, &random);
        flaw_tape_backward(t, plan->batch);
        if (!isfinite(loss)) return flaw_fail(err, FLAW_BAD_DATA, "%s: the loss of step %d is not finite", n->name, step);
        s = flaw_tape_step(t, flaw_schedule_rate(&schedule, step), CLIP, NULL, err);
        if (!s) s = tell(lesson, step + 1, n->steps, plan->what, err);
    }
    if (s) return s;
    memcpy(n->tape.moments.w, t->moments.w, t->floats * sizeof *t->moments.w);
    s = flaw_tape_pack(&n->tape, err);
    n->learnt = !s;
    return s;
}

void flaw_network_score(flaw_network *n, flaw_score *out)
{
    int cells = n->grid * n->grid;
    flaw_patch_average(n->map, n->room, n->grid);
    out->image = flaw_gridmap_peak(n->map, cells);
    flaw_gridmap_store(out->map, n->map, cells);
    out->closest = NULL;
}

static void name_of(char name[32], const flaw_network *n)
{
    snprintf(name, 32, "%s.weights", n->name);
}

flaw_status flaw_network_save(const void *state, flaw_record *record, flaw_error *err)
{
    const flaw_network *n = state;
    char name[32];
    name_of(name, n);
    return flaw_record_put_table(record, name, n->tape.moments.w, 1, n->tape.floats, err);
}

flaw_status flaw_network_load(void *state, const flaw_record *record, flaw_error *err)
{
    flaw_network *n = state;
    flaw_tape *t = &n->tape;
    const float *table;
    size_t rows;
    char name[32];
    name_of(name, n);
    flaw_status s = flaw_record_table(record, name, t->floats, &table, &rows, err);
    if (!s && rows != 1)
        s = flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe has %zu rows, expected is 1", name, rows);
    if (!s) {
        memcpy(t->moments.w, table, t->floats * sizeof *table);
        s = flaw_tape_pack(t, err);
    }
    n->learnt = !s;
    return s;
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
