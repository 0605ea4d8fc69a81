/* What the image tower makes of pictures, as the voice reads it. */
#include <stdlib.h>
#include <string.h>

#include "model/voice/voice.h"

static size_t patches_of(const flaw_voice_shape *s)
{
    return (size_t)s->grid * (size_t)s->grid;
}

flaw_status flaw_sight_new(flaw_sight *out, const flaw_voice_shape *s, flaw_error *err)
{
    size_t tokens = patches_of(s) * (size_t)s->width, joint = (size_t)s->joint, fused = s->fused ? patches_of(s) * joint : 0;
    size_t bytes = (FLAW_STAGES * tokens + fused + joint) * sizeof(float);
    float *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for what a tower sees in a picture");
    *out = (flaw_sight){.memory = memory};
    for (size_t i = 0; i < FLAW_STAGES; i++) out->stage[i] = memory + i * tokens;
    out->embedding = memory + FLAW_STAGES * tokens;
    out->fused = s->fused ? out->embedding + joint : NULL;
    return FLAW_OK;
}

void flaw_sight_release(flaw_sight *sight)
{
    free(sight->memory);
    *sight = (flaw_sight){0};
}

/* Tokens of all stages with the class token, patches, embeddings of n pictures, before they are told apart. */
typedef struct sight_layout {
    flaw_image_output out;
    float *work;
} sight_layout;

static size_t lay_out(sight_layout *l, const flaw_clip *towers, const flaw_voice_shape *s, int n, float *memory)
{
    size_t used = 0, many = (size_t)n, tokens = many * (size_t)flaw_clip_tokens(&towers->shape) * (size_t)s->width;
    l->out = (flaw_image_output){0};
    for (int i = 0; i < FLAW_STAGES; i++) l->out.stage[i] = flaw_voice_carve(memory, &used, tokens);
    if (s->fused) l->out.patches = flaw_voice_carve(memory, &used, many * patches_of(s) * (size_t)s->joint);
    l->out.cls = flaw_voice_carve(memory, &used, many * (size_t)s->joint);
    l->work = flaw_voice_carve(memory, &used, flaw_clip_image_workspace(towers, n));
    return used;
}

size_t flaw_sight_workspace(const flaw_clip *towers, const flaw_voice_shape *shape, int n)
{
    sight_layout none;
    return lay_out(&none, towers, shape, n, NULL);
}

void flaw_sight_take(flaw_compute *c, const flaw_clip *towers, const flaw_voice_shape *shape, int n,
                     const float *pixels, flaw_sight *const *out, float *work)
{
    sight_layout l;
    size_t patches = patches_of(shape), d = (size_t)shape->width, joint = (size_t)shape->joint;
    size_t tokens = (size_t)flaw_clip_tokens(&towers->shape);
    lay_out(&l, towers, shape, n, work);
    flaw_clip_encode_images(c, towers, n, pixels, &l.out, l.work);
    for (size_t i = 0; i < (size_t)n; i++) {
        for (int s = 0; s < FLAW_STAGES; s++)
            memcpy(out[i]->stage[s], l.out.stage[s] + (i * tokens + 1) * d, patches * d * sizeof(float));
        if (shape->fused) memcpy(out[i]->fused, l.out.patches + i * patches * joint, patches * joint * sizeof(float));
        memcpy(out[i]->embedding, l.out.cls + i * joint, joint * sizeof(float));
    }
}

void flaw_sight_decoder(const flaw_sight *sight, const flaw_voice_shape *shape, const float *stage[FLAW_STAGES])
{
    for (int i = 0; i < FLAW_STAGES; i++) stage[i] = sight->stage[i];
    if (shape->fused) stage[FLAW_STAGES - 1] = sight->fused;
}
