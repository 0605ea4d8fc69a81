#include "method/stagemap.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/voice/voice.h"

void flaw_stagemap_close(flaw_stagemap *m)
{
    flaw_voice_close(m->decoder);
    flaw_arena_release(&m->arena);
    *m = (flaw_stagemap){0};
}

static float *floats(flaw_stagemap *m, size_t count, bool *failed)
{
    float *x = flaw_arena_alloc(&m->arena, count, sizeof *x);
    if (!x) *failed = true;
    return x;
}

/* Room that depends on the decoder. */
static flaw_status make_room(flaw_stagemap *m, flaw_error *err)
{
    const flaw_voice_shape *s = &m->decoder->shape;
    size_t patches = (size_t)s->grid * (size_t)s->grid, side = (size_t)s->side;
    bool failed = false;
    m->raw = floats(m, FLAW_STAGES * patches * (size_t)s->width, &failed);
    m->cells = floats(m, patches, &failed);
    m->whole = floats(m, side * side, &failed);
    m->work = floats(m, flaw_decoder_workspace(m->compute, s), &failed);
    if (failed) return flaw_fail(err, FLAW_NO_MEMORY, "memory for a map by words was refused");
    return flaw_voice_reserve(m->compute, err);
}

flaw_status flaw_stagemap_open_with(flaw_stagemap *m, const flaw_method_setup *setup, flaw_voice *decoder,
                                    flaw_error *err)
{
    char object[FLAW_OBJECT_ROOM];
    *m = (flaw_stagemap){.model = setup->model, .compute = setup->compute, .decoder = decoder};
    flaw_arena_init(&m->arena, 0);
    m->text = flaw_arena_alloc(&m->arena, 2 * (size_t)setup->model->shape.joint + 1, sizeof *m->text);
    flaw_status s = m->text ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "memory for a map by words was refused");
    if (!s) s = flaw_object_clean(object, setup->options->object, err);
    if (!s) s = flaw_anomalygpt_text(setup->model, setup->compute, object, m->text, err);
    if (!s && decoder) s = make_room(m, err);
    if (s) flaw_stagemap_close(m);
    return s;
}

flaw_status flaw_stagemap_open(flaw_stagemap *m, const flaw_method_setup *setup, const char *path, flaw_error *err)
{
    flaw_voice *decoder = NULL;
    flaw_status s = setup->recipe ? FLAW_OK : flaw_decoder_open(&decoder, path, &setup->model->shape, err);
    return s ? s : flaw_stagemap_open_with(m, setup, decoder, err);
}

/* Tokens as the tower made them. */
static void lengthen(flaw_stagemap *m, const flaw_features *picture, const float *stage[FLAW_STAGES])
{
    size_t width = (size_t)picture->width, patches = (size_t)picture->grid * (size_t)picture->grid;
    for (size_t s = 0; s < FLAW_STAGES; s++) {
        float *to = m->raw + s * patches * width;
        stage[s] = to;
        for (size_t i = 0; i < patches; i++)
            for (size_t d = 0; d < width; d++)
                to[i * width + d] = picture->length[s][i] * picture->stage[s][i * width + d];
    }
    if (m->decoder->shape.fused) stage[FLAW_STAGES - 1] = picture->patches;
}

flaw_status flaw_stagemap_make(flaw_stagemap *m, const flaw_features *picture, double *map, double *peak,
                               flaw_error *err)
{
    const float *stage[FLAW_STAGES];
    if (!m->decoder) return flaw_fail(err, FLAW_USAGE, "no decoder has been read yet");
    size_t side = (size_t)m->decoder->shape.side, cells = (size_t)picture->grid * (size_t)picture->grid;
    lengthen(m, picture, stage);
    flaw_decoder_map(m->compute, m->decoder, stage, m->text, NULL, m->whole, m->work);
    *peak = (double)m->whole[0];
    for (size_t i = 1; i < side * side; i++) *peak = fmax(*peak, (double)m->whole[i]);
    /* A map of the grid's own side is upsampled to itself. */
    flaw_voice own = *m->decoder;
    own.shape.side = picture->grid;
    flaw_decoder_map(m->compute, &own, stage, m->text, NULL, m->cells, m->work);
    for (size_t i = 0; i < cells; i++) map[i] = (double)m->cells[i];
    return FLAW_OK;
}

/* ---- recipes ---- */

static const char *part_name(char name[32], int stage, char part)
{
    snprintf(name, 32, "decoder.%d.%c", stage, part);
    return name;
}

flaw_status flaw_stagemap_save(const flaw_stagemap *m, flaw_record *r, flaw_error *err)
{
    char name[32];
    if (!m->decoder) return flaw_fail(err, FLAW_INTERNAL, "no decoder to save");
    const flaw_voice *d = m->decoder;
    size_t joint = (size_t)d->shape.joint;
    flaw_status s = flaw_record_put_number(r, "decoder.side", d->shape.side, err);
    if (!s) s = flaw_record_put_number(r, "decoder.scale", (double)d->shape.scale, err);
    if (!s) s = flaw_record_put_number(r, "decoder.bias", (double)d->shape.bias, err);
    if (!s) s = flaw_record_put_number(r, "decoder.stage_norm", d->shape.stage_norm, err);
    if (!s) s = flaw_record_put_number(r, "decoder.fused", d->shape.fused, err);
    if (!s) s = flaw_record_put_table(r, "decoder.share", d->shape.share, 1, FLAW_STAGES, err);
    for (int i = 0; !s && i < FLAW_STAGES; i++) {
        size_t width = (size_t)flaw_voice_width(&d->shape, i);
        s = flaw_record_put_table(r, part_name(name, i, 'w'), d->view.decoder_w[i], joint, width, err);
        if (!s) s = flaw_record_put_table(r, part_name(name, i, 'b'), d->view.decoder_b[i], 1, joint, err);
    }
    return s;
}

static flaw_status load_shape(flaw_voice_shape *out, const flaw_clip_shape *towers, const flaw_record *r,
                              flaw_error *err)
{
    int norm = 0, fused = 0;
    double scale = 0, bias = 0;
    const float *share;
    size_t rows = 0;
    *out = (flaw_voice_shape){
        .width = towers->image.width, .joint = towers->joint, .grid = towers->grid, .few_shot_gain = 1};
    flaw_status s = flaw_record_integer(r, "decoder.side", 2, 1024, &out->side, err);
    if (!s) s = flaw_record_number(r, "decoder.scale", &scale, err);
    if (!s) s = flaw_record_number(r, "decoder.bias", &bias, err);
    if (!s) s = flaw_record_integer(r, "decoder.stage_norm", 0, 1, &norm, err);
    if (!s) s = flaw_record_integer(r, "decoder.fused", 0, 1, &fused, err);
    if (!s) s = flaw_record_table(r, "decoder.share", FLAW_STAGES, &share, &rows, err);
    if (s) return s;
    if (rows != 1 || !(fabs(bias) <= 1000))
        return flaw_fail(err, FLAW_BAD_DATA, "the decoder of the recipe has %zu rows of shares and a bias of %g", rows,
                         bias);
    memcpy(out->share, share, sizeof out->share);
    out->scale = (float)scale;
    out->bias = (float)bias;
    out->stage_norm = norm;
    out->fused = fused;
    return flaw_decoder_check(out, towers, "recipe", err);
}

static flaw_status load_table(float *to, const flaw_record *r, const char *name, size_t rows, size_t columns,
                              flaw_error *err)
{
    const float *table;
    size_t found;
    flaw_status s = flaw_record_table(r, name, columns, &table, &found, err);
    if (!s && found != rows)
        s = flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe has %zu rows, expected are %zu", name, found, rows);
    if (!s) memcpy(to, table, rows * columns * sizeof *to);
    return s;
}

flaw_status flaw_stagemap_load(flaw_stagemap *m, const flaw_record *r, flaw_error *err)
{
    char name[32];
    flaw_voice_shape shape;
    flaw_voice *d = NULL;
    flaw_status s = load_shape(&shape, &m->model->shape, r, err);
    if (!s) s = flaw_decoder_new(&d, &shape, err);
    for (int i = 0; !s && i < FLAW_STAGES; i++) {
        size_t width = (size_t)flaw_voice_width(&shape, i), joint = (size_t)shape.joint;
        s = load_table(d->view.decoder_w[i], r, part_name(name, i, 'w'), joint, width, err);
        if (!s) s = load_table(d->view.decoder_b[i], r, part_name(name, i, 'b'), 1, joint, err);
    }
    if (s) {
        flaw_voice_close(d);
        return s;
    }
    flaw_voice_close(m->decoder);
    m->decoder = d;
    return make_room(m, err);
}
