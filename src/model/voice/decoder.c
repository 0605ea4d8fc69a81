#include "model/voice/decoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "model/voice/anomalygpt_files.h"
#include "model/open/bind.h"
#include "model/bundle/embedded.h"
#include "model/open/fields.h"
#include "model/voice/voice.h"
#include "model/voice/voice_read.h"
#include "model/tower/walk.h"

static void visit(flaw_walk *w, void *view, const void *shape)
{
    flaw_voice_visit_decoder(w, view, shape, "decoder");
}

static flaw_status make_list(flaw_parameters *out, const flaw_voice_shape *shape, flaw_arena *arena, flaw_error *err)
{
    flaw_voice_view none = {0};
    return flaw_walk_list(out, visit, &none, shape, arena, err);
}

flaw_status flaw_decoder_new(flaw_voice **out, const flaw_voice_shape *shape, flaw_error *err)
{
    flaw_voice *v = calloc(1, sizeof *v);
    if (!v) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a decoder");
    v->shape = *shape;
    flaw_arena_init(&v->arena, 0);
    flaw_status s = make_list(&v->list, &v->shape, &v->arena, err);
    if (!s) v->weights = flaw_arena_alloc(&v->arena, v->list.total, sizeof *v->weights);
    if (!s && !v->weights) s = flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu weights of a decoder", v->list.total);
    if (s) {
        flaw_voice_close(v);
        return s;
    }
    flaw_walk_view(&v->list, visit, &v->view, &v->shape, v->weights);
    *out = v;
    return FLAW_OK;
}

flaw_status flaw_decoder_check(const flaw_voice_shape *s, const flaw_clip_shape *towers, const char *name,
                               flaw_error *err)
{
    if (s->width != towers->image.width || s->joint != towers->joint || s->grid != towers->grid)
        return flaw_fail(
            err, FLAW_BAD_DATA,
            "%s: the decoder was trained on towers of width %d, joint width %d and a grid of %d, these have %d, "
            "%d and %d",
            name, s->width, s->joint, s->grid, towers->image.width, towers->joint, towers->grid);
    double shares = 0;
    for (int i = 0; i < FLAW_STAGES; i++) shares += s->share[i] >= 0 ? (double)s->share[i] : 1e9;
    if (!(s->scale > 0 && s->scale <= 1e4f) || !(shares > 0.999 && shares < 1.001) || s->side < s->grid ||
        s->side > 1024)
        return flaw_fail(
            err, FLAW_BAD_DATA,
            "%s: decoder: scale %g, shares that sum to %g and side %d, allowed are (0, 10000], 1 and %d to 1024", name,
            (double)s->scale, shares, s->side, s->grid);
    return FLAW_OK;
}

/* ---- reading ---- */

/* Names of others; a voice in a bundle has canonical names of its own. */
static const flaw_name_rule voice_rules[] = {{"decoder.#.w", "voice.decoder.#.w", FLAW_LAYOUT_SAME},
                                             {"decoder.#.b", "voice.decoder.#.b", FLAW_LAYOUT_SAME},
                                             {NULL, NULL, FLAW_LAYOUT_SAME}};
static const flaw_name_rule delta_rules[] = {{"decoder.#.w", "image_decoder.fc.#.weight", FLAW_LAYOUT_SAME},
                                             {"decoder.#.b", "image_decoder.fc.#.bias", FLAW_LAYOUT_SAME},
                                             {NULL, NULL, FLAW_LAYOUT_SAME}};
static const flaw_name_rule april_rules[] = {{"decoder.#.w", "fc.#.weight", FLAW_LAYOUT_SAME},
                                             {"decoder.#.b", "fc.#.bias", FLAW_LAYOUT_SAME},
                                             {NULL, NULL, FLAW_LAYOUT_SAME}};
static const char *const ignored[] = {"*", NULL};
static const flaw_name_table voice_names = {voice_rules, ignored, NULL}, delta_names = {delta_rules, ignored, NULL},
                             april_names = {april_rules, ignored, NULL};

/* Metadata "decoder": the fields of a voice (voice_config.c) that concern its decoder. */
static flaw_status read_config(flaw_voice_shape *out, const char *json, const char *name, flaw_error *err)
{
    static const char *const keys[] = {"version", "width", "joint", "grid", "side", "scale", "stage_norm", NULL};
    static const flaw_neutral none[] = {{NULL, NULL}};
    json_t *root;
    int version = 0;
    double scale = 0;
    flaw_status status = flaw_json_parse(&root, json, strlen(json), name, err);
    if (status) return status;
    flaw_fields f = {.object = root, .file = name, .where = "decoder", .err = err};
    flaw_fields_only(&f, keys, none);
    for (size_t i = 0; keys[i] && !f.status; i++)
        if (!flaw_field(&f, keys[i])) flaw_field_refuse(&f, keys[i], "but it is needed");
    flaw_field_int(&f, "version", &version, 1, 1000000);
    if (!f.status && version != 1) flaw_field_refuse(&f, "version", "this program reads version 1");
    flaw_field_int(&f, "width", &out->width, 1, 16384);
    flaw_field_int(&f, "joint", &out->joint, 1, 16384);
    flaw_field_int(&f, "grid", &out->grid, 2, 256);
    flaw_field_int(&f, "side", &out->side, 2, 1024);
    flaw_field_double(&f, "scale", &scale, 0, 10000);
    flaw_field_bool(&f, "stage_norm", &out->stage_norm);
    out->scale = (float)scale;
    json_decref(root);
    return f.status;
}

/* Linears of published weights say their sides themselves; grid and side of the map are the tower's. */
static flaw_status shape_of_linears(flaw_voice_shape *out, const flaw_tensors *t, const char *form, flaw_error *err)
{
    char name[64];
    for (int i = 0; i <= FLAW_STAGES; i++) {
        snprintf(name, sizeof name, form, i);
        const flaw_tensor *w = flaw_tensors_find(t, name);
        if (!w != (i == FLAW_STAGES))
            return flaw_fail(err, FLAW_BAD_DATA, "%s: a decoder of %s stages, expected are %d", t->path,
                             w ? "more" : "fewer", FLAW_STAGES);
        if (i) continue;
        if (w->rank != 2 || w->shape[0] > 16384 || w->shape[1] > 16384)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: '%s' is no matrix of at most 16384 x 16384", t->path, name);
        out->joint = (int)w->shape[0];
        out->width = (int)w->shape[1];
    }
    return FLAW_OK;
}

/* Which form it is: the shape, and the table of names (NULL: canonical). */
static flaw_status look(flaw_voice_shape *shape, const flaw_name_table **table, const flaw_tensors *t,
                        const flaw_clip_shape *towers, flaw_error *err)
{
    const char *own = flaw_tensors_metadata(t, "decoder"), *voice = flaw_tensors_metadata(t, "voice");
    *shape = (flaw_voice_shape){.grid = towers->grid,
                                .side = towers->side,
                                .scale = 100,
                                .share = {0.25f, 0.25f, 0.25f, 0.25f},
                                .few_shot_gain = 1};
    *table = NULL;
    if (own) return read_config(shape, own, t->path, err);
    if (voice) {
        *table = &voice_names;
        return flaw_voice_config(shape, voice, strlen(voice), t->path, err);
    }
    bool delta = flaw_tensors_find(t, "image_decoder.fc.0.weight") != NULL;
    if (!delta && !flaw_tensors_find(t, "fc.0.weight"))
        return flaw_fail(err, FLAW_MISSING,
                         "%s: no decoder in it: neither a voice nor linears named image_decoder.fc.N or fc.N", t->path);
    *table = delta ? &delta_names : &april_names;
    return shape_of_linears(shape, t, delta ? "image_decoder.fc.%d.weight" : "fc.%d.weight", err);
}

static flaw_status read_tensors(flaw_voice **out, const flaw_tensors *t, const flaw_clip_shape *towers, flaw_error *err)
{
    const flaw_name_table *table;
    flaw_voice_shape shape;
    flaw_voice *v = NULL;
    flaw_binding binding;
    flaw_arena arena;
    flaw_parameters list;
    flaw_arena_init(&arena, 0);
    flaw_status s = look(&shape, &table, t, towers, err);
    if (!s) s = flaw_decoder_check(&shape, towers, t->path, err);
    if (!s) s = make_list(&list, &shape, &arena, err);
    if (!s) s = flaw_binding_make(&binding, t, table, &list, &arena, err);
    if (!s) s = flaw_binding_verdict(&binding, err);
    if (!s) s = flaw_decoder_new(&v, &shape, err);
    if (!s) s = flaw_binding_read(&binding, v->weights, err);
    flaw_arena_release(&arena);
    if (s) flaw_voice_close(v);
    else *out = v;
    return s;
}

flaw_status flaw_decoder_parse(flaw_voice **out, const uint8_t *bytes, size_t size, const char *name,
                               const flaw_clip_shape *towers, flaw_error *err)
{
    flaw_tensors t;
    flaw_status s = flaw_safetensors_parse(&t, bytes, size, name, err);
    if (s) return s;
    s = read_tensors(out, &t, towers, err);
    flaw_tensors_close(&t);
    return s;
}

static flaw_status open_file(flaw_voice **out, const char *path, const flaw_clip_shape *towers, flaw_error *err)
{
    flaw_tensors t;
    flaw_status s = flaw_tensors_open(&t, path, err);
    if (s) return s;
    s = read_tensors(out, &t, towers, err);
    flaw_tensors_close(&t);
    return s;
}

flaw_status flaw_decoder_open(flaw_voice **out, const char *path, const flaw_clip_shape *towers, flaw_error *err)
{
    if (!path || !*path || !strcmp(path, "default")) {
        size_t size = (size_t)(flaw_embedded_voice_end - flaw_embedded_voice);
        if (!size)
            return flaw_fail(err, FLAW_UNAVAILABLE, "this build has no voice inside, so no decoder of AnomalyGPT");
        return flaw_decoder_parse(out, flaw_embedded_voice, size, "embedded voice", towers, err);
    }
    if (!flaw_anomalygpt_is_folder(path)) return open_file(out, path, towers, err);
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    const char *delta = flaw_path_join(&arena, path, FLAW_FILE_ANOMALYGPT);
    flaw_status s = delta ? open_file(out, delta, towers, err) : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", path);
    flaw_arena_release(&arena);
    return s;
}

/* ---- writing ---- */

flaw_status flaw_decoder_write(const char *path, const flaw_voice *d, flaw_storage storage, flaw_error *err)
{
    flaw_part part;
    flaw_buffer json;
    const flaw_voice_shape *s = &d->shape;
    flaw_status status = flaw_part_init(&part, 2 * d->list.count, path, err);
    if (status) return status;
    flaw_buffer_init(&json, 4096);
    flaw_buffer_printf(&json,
                       "{\"version\": 1, \"width\": %d, \"joint\": %d, \"grid\": %d, \"side\": %d, \"scale\": %.9g, "
                       "\"stage_norm\": %s}",
                       s->width, s->joint, s->grid, s->side, (double)s->scale, s->stage_norm ? "true" : "false");
    if (json.failed) status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to write a decoder", path);
    if (!status) status = flaw_part_tell(&part, "decoder", json.data, json.size, err);
    if (!status) status = flaw_part_floats(&part, &d->list, d->weights, storage, err);
    if (!status) status = flaw_parts_write(path, (const flaw_part *const[]){&part}, 1, NULL, 0, err);
    flaw_buffer_release(&json);
    flaw_part_release(&part);
    return status;
}
