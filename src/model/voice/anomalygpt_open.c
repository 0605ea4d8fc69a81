/* From files to towers, language model and voice that fit each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "model/voice/anomalygpt_files.h"
#include "model/bundle/embedded.h"
#include "model/voice/voice_read.h"

/* Everything read on the way; closed at the end. */
typedef struct opening {
    const char *path;
    flaw_keep keep;
    flaw_compute *c;
    flaw_arena arena;
    flaw_tensors delta, projection; /* as released */
    flaw_error *err;
} opening;

static const char *join(opening *o, const char *file)
{
    return flaw_path_join(&o->arena, o->path, file);
}

static flaw_status open_released(flaw_anomalygpt *m, opening *o)
{
    flaw_status status = flaw_anomalygpt_check_folder(o->path, o->err);
    if (!status) status = flaw_clip_open(&m->towers, o->path, o->c, o->err);
    if (!status) status = flaw_torch_open(&o->delta, join(o, FLAW_FILE_ANOMALYGPT), o->err);
    if (!status) status = flaw_torch_open(&o->projection, join(o, FLAW_FILE_PANDAGPT), o->err);
    if (!status) status = flaw_voice_read_released(&m->voice, &o->delta, &o->projection, &m->towers->shape, o->err);
    if (status) return status;
    flaw_adapters adapters = {.tensors = &o->projection, .scale = 1}; /* alpha is the rank */
    return flaw_language_open(&m->language, join(o, FLAW_FILE_VICUNA), o->keep, &adapters, o->c, o->err);
}

static size_t inside_size(void)
{
    return (size_t)(flaw_embedded_voice_end - flaw_embedded_voice);
}

/* A bundle's tensors; its towers where it has some, else the embedded ones. */
static flaw_status open_bundle(flaw_anomalygpt *m, opening *o, bool inside)
{
    flaw_tensors t;
    const char *path = inside ? NULL : o->path;
    flaw_status status =
        inside ? flaw_safetensors_parse(&t, flaw_embedded_voice, inside_size(), "embedded voice", o->err)
               : flaw_tensors_open(&t, o->path, o->err);
    if (status) return status;
    bool towers = flaw_tensors_metadata(&t, "flaw") != NULL;
    status = flaw_voice_read_bundle(&m->voice, &t, o->err);
    flaw_tensors_close(&t);
    if (!status) status = flaw_clip_open(&m->towers, towers ? path : NULL, o->c, o->err);
    return status ? status : flaw_language_open(&m->language, path, o->keep, NULL, o->c, o->err);
}

static flaw_status open_any(flaw_anomalygpt *m, opening *o)
{
    bool inside = !o->path || !*o->path || strcmp(o->path, "default") == 0;
    if (inside && !inside_size())
        return flaw_fail(o->err, FLAW_UNAVAILABLE,
                         "this build has no voice inside (models/voice.safetensors was not there): name a model that talks");
    if (inside || !flaw_file_is_folder(o->path)) return open_bundle(m, o, inside);
    return open_released(m, o);
}

flaw_status flaw_anomalygpt_open(flaw_anomalygpt *out, const char *path, flaw_keep keep, flaw_compute *c, flaw_error *err)
{
    flaw_anomalygpt m = {0};
    opening o = {.path = path, .keep = keep, .c = c, .err = err};
    flaw_arena_init(&o.arena, 0);
    flaw_status status = open_any(&m, &o);
    const char *name = m.language ? m.language->name : "";
    if (!status) status = flaw_voice_check_fit(&m.voice->shape, &m.towers->shape, m.language->shape.block.width, name, err);
    if (!status) status = flaw_voice_reserve(c, err);
    flaw_tensors_close(&o.delta);
    flaw_tensors_close(&o.projection);
    flaw_arena_release(&o.arena);
    if (status) flaw_anomalygpt_close(&m);
    else *out = m;
    return status;
}

void flaw_anomalygpt_close(flaw_anomalygpt *m)
{
    flaw_clip_close(m->towers);
    flaw_language_close(m->language);
    flaw_voice_close(m->voice);
    *m = (flaw_anomalygpt){0};
}

flaw_status flaw_picture_token(const flaw_voice *v, const float *embedding, float *out, flaw_error *err)
{
    size_t joint = (size_t)v->shape.joint;
    double square = 0;
    for (size_t e = 0; e < joint; e++) square += (double)embedding[e] * (double)embedding[e];
    if (!(square > 0) || !isfinite(square)) return flaw_fail(err, FLAW_BAD_DATA, "the embedding of the picture is not finite");
    double inverse = 1 / sqrt(square);
    for (size_t w = 0; w < (size_t)v->shape.words; w++) {
        double sum = 0;
        for (size_t e = 0; e < joint; e++) sum += (double)v->view.project_w[w * joint + e] * (double)embedding[e];
        out[w] = (float)(sum * inverse + (double)v->view.project_b[w]);
    }
    return FLAW_OK;
}
