/* The shape of a voice in a bundle's metadata. Every key is written and read strictly; "limit" and "bias" may be
 * absent. */
#include <string.h>

#include "model/open/fields.h"
#include "model/voice/voice_read.h"

static const char *const keys[] = {"version", "width", "joint",    "grid",       "side",  "words",
                                   "base",    "scale", "channels", "stage_norm", "fused", "shares", "few_shot_gain",
                                   "limit",   "bias",  NULL};

static void read_shares(flaw_fields *f, float share[FLAW_STAGES])
{
    const json_t *list = flaw_field(f, "shares");
    if (f->status) return;
    bool ok = json_array_size(list) == FLAW_STAGES;
    for (size_t i = 0; ok && i < FLAW_STAGES; i++) {
        ok = json_is_number(json_array_get(list, i));
        share[i] = (float)json_number_value(json_array_get(list, i));
    }
    if (!ok) flaw_field_refuse(f, "shares", "expected four numbers");
}

static flaw_status read_all(flaw_voice_shape *s, flaw_fields *f)
{
    static const flaw_neutral none[] = {{NULL, NULL}};
    int version = 0;
    double scale = 0, gain = 1, limit = 0, bias = 0;
    flaw_fields_only(f, keys, none);
    for (size_t i = 0; keys[i] && !f->status; i++)
        if (!flaw_field(f, keys[i]) && strcmp(keys[i], "limit") != 0 && strcmp(keys[i], "bias") != 0)
            flaw_field_refuse(f, keys[i], "but it is needed");
    flaw_field_int(f, "version", &version, 1, 1000000);
    if (!f->status && version != 1) flaw_field_refuse(f, "version", "this program reads version 1");
    flaw_field_int(f, "width", &s->width, 1, 16384);
    flaw_field_int(f, "joint", &s->joint, 1, 16384);
    flaw_field_int(f, "grid", &s->grid, 1, 256);
    flaw_field_int(f, "side", &s->side, 1, 1024);
    flaw_field_int(f, "words", &s->words, 1, 16384);
    flaw_field_int(f, "base", &s->base, 0, 256);
    flaw_field_double(f, "scale", &scale, 0, 10000);
    flaw_field_ints(f, "channels", s->channels, FLAW_PROMPT_CONVS, 0, 16384, "expected six numbers from 0 to 16384");
    flaw_field_bool(f, "stage_norm", &s->stage_norm);
    flaw_field_bool(f, "fused", &s->fused);
    read_shares(f, s->share);
    flaw_field_double(f, "few_shot_gain", &gain, 0, 1000);
    flaw_field_double(f, "limit", &limit, 0, 1);
    flaw_field_double(f, "bias", &bias, -100, 100);
    s->bias = (float)bias;
    s->few_shot_gain = (float)gain;
    s->limit = (float)limit;
    s->scale = (float)scale;
    return f->status;
}

flaw_status flaw_voice_config(flaw_voice_shape *out, const char *json, size_t size, const char *name, flaw_error *err)
{
    json_t *root;
    flaw_voice_shape s = {0};
    flaw_status status = flaw_json_parse(&root, json, size, name, err);
    if (status) return status;
    flaw_fields f = {.object = root, .file = name, .where = "voice", .err = err};
    status = read_all(&s, &f);
    json_decref(root);
    if (!status) status = flaw_voice_shape_check(&s, name, err);
    if (!status) *out = s;
    return status;
}

void flaw_voice_config_write(flaw_buffer *out, const flaw_voice_shape *s)
{
    flaw_buffer_printf(out,
                       "{\"version\": 1, \"width\": %d, \"joint\": %d, \"grid\": %d, \"side\": %d, \"words\": %d, "
                       "\"base\": %d, \"scale\": %.9g, \"channels\": [",
                       s->width, s->joint, s->grid, s->side, s->words, s->base, (double)s->scale);
    for (int i = 0; i < FLAW_PROMPT_CONVS; i++) flaw_buffer_printf(out, "%s%d", i ? ", " : "", s->channels[i]);
    flaw_buffer_printf(out,
                       "], \"stage_norm\": %s, \"fused\": %s, \"shares\": [%.9g, %.9g, %.9g, %.9g], \"few_shot_gain\": "
                       "%.9g",
                       s->stage_norm ? "true" : "false", s->fused ? "true" : "false", (double)s->share[0],
                       (double)s->share[1], (double)s->share[2], (double)s->share[3], (double)s->few_shot_gain);
    if (s->limit > 0) flaw_buffer_printf(out, ", \"limit\": %.9g", (double)s->limit);
    if (s->bias < 0 || s->bias > 0) flaw_buffer_printf(out, ", \"bias\": %.9g", (double)s->bias);
    flaw_buffer_text(out, "}");
}
