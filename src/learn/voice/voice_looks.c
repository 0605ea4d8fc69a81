#include "learn/voice/voice_looks.h"

#include <math.h>
#include <string.h>

#include "model/tower/prepare.h"

flaw_status flaw_voice_looks_open(flaw_voice_looks *out, const flaw_clip *towers, const flaw_voice *voice, flaw_compute *c,
                                  int count, flaw_error *err)
{
    *out = (flaw_voice_looks){.count = count, .towers = towers, .voice = voice};
    flaw_arena_init(&out->arena, 0);
    flaw_status status = flaw_views_check(count, err);
    if (status || count == 1) return status;
    const flaw_voice_shape *v = &voice->shape;
    if (v->grid < 2) return flaw_fail(err, FLAW_USAGE, "views need at least 2 x 2 patches, this model has one");
    size_t look = flaw_sight_workspace(towers, v, count), decode = flaw_decoder_workspace(c, v);
    out->logits = flaw_arena_alloc(&out->arena, FLAW_STAGES * (size_t)v->grid * (size_t)v->grid, sizeof *out->logits);
    out->work = flaw_arena_alloc(&out->arena, look > decode ? look : decode, sizeof *out->work);
    if (!out->logits || !out->work) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for %d views of a picture", count);
    for (int i = 1; i < count && !status; i++) status = flaw_sight_new(&out->other[i], v, err);
    if (status) flaw_voice_looks_close(out);
    return status;
}

void flaw_voice_looks_close(flaw_voice_looks *looks)
{
    for (int i = 0; i < FLAW_VIEWS_MOST; i++) flaw_sight_release(&looks->other[i]);
    flaw_arena_release(&looks->arena);
    *looks = (flaw_voice_looks){0};
}

/* The picture whose values these are, nearest. */
static flaw_status picture_of(flaw_picture *out, const float *pixels, const flaw_clip_shape *shape, flaw_error *err)
{
    size_t plane = (size_t)shape->side * (size_t)shape->side;
    flaw_status status = flaw_picture_new(out, shape->side, shape->side, err);
    for (size_t i = 0; i < plane && !status; i++)
        for (size_t c = 0; c < 3; c++) {
            float value = 255 * (pixels[c * plane + i] * shape->prepare.std[c] + shape->prepare.mean[c]) + 0.5f;
            out->rgb[3 * i + c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    return status;
}

flaw_status flaw_voice_looks_cut(float *pixels, const flaw_voice_looks *looks, flaw_error *err)
{
    const flaw_clip_shape *shape = &looks->towers->shape;
    size_t one = 3 * (size_t)shape->side * (size_t)shape->side;
    flaw_picture square = {0}, twice = {0};
    flaw_status status = picture_of(&square, pixels, shape, err);
    if (!status) status = flaw_views_prepare(&twice, shape, FLAW_FIT_SQUASH, &square, err);
    for (int i = 0; i < looks->count && !status; i++) {
        flaw_picture cut = {0};
        status = flaw_view_cut(&cut, &square, &twice, i, err);
        if (!status) flaw_prepare_normalise(pixels + (size_t)i * one, &cut, &shape->prepare);
        flaw_picture_release(&cut);
    }
    flaw_picture_release(&square);
    flaw_picture_release(&twice);
    return status;
}

static float top_of(const float *joined, const flaw_voice_shape *v)
{
    size_t side = (size_t)flaw_views_cells(v), cells = side * side;
    float top = -INFINITY;
    for (size_t i = 0; i < cells; i++) {
        float logit = 0;
        for (size_t k = 0; k < FLAW_STAGES; k++) logit += v->share[k] * joined[k * cells + i];
        top = fmaxf(top, logit);
    }
    return top;
}

float flaw_voice_looks_take(flaw_voice_looks *looks, flaw_compute *c, const float *pixels, const float *text,
                            flaw_sight *first, float *joined)
{
    flaw_sight *view[FLAW_VIEWS_MOST] = {first};
    const flaw_sight *seen[FLAW_VIEWS_MOST];
    for (int i = 1; i < looks->count; i++) view[i] = &looks->other[i];
    memcpy(seen, view, sizeof seen);
    flaw_sight_take(c, looks->towers, &looks->voice->shape, looks->count, pixels, view, looks->work);
    flaw_views_logits(c, looks->voice, seen, looks->count, text, joined, looks->logits, looks->work);
    return top_of(joined, &looks->voice->shape);
}
