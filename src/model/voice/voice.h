/* Inside of the voice: what its passes (voice_map.c, voice_prompt.c) share. */
#ifndef FLAW_MODEL_VOICE_H
#define FLAW_MODEL_VOICE_H

#include "model/voice/anomalygpt.h"
#include "model/tower/walk.h"
#include "nn/conv.h"

/* The i-th convolution of the prompt learner. */
flaw_conv flaw_voice_conv(const flaw_voice_shape *s, int conv);

/* Columns of a stage that the decoder reads. */
static inline int flaw_voice_width(const flaw_voice_shape *s, int stage)
{
    return s->fused && stage == FLAW_STAGES - 1 ? s->joint : s->width;
}

/* The linears of the decoder on their walk, as "PREFIX.STAGE.w" and ".b". */
void flaw_voice_visit_decoder(flaw_walk *w, flaw_voice_view *v, const flaw_voice_shape *s, const char *prefix);

/* Cut `floats` off a work array, so that the next piece lies on a line of its own. work NULL: only counting. */
static inline float *flaw_voice_carve(float *work, size_t *used, size_t floats)
{
    float *piece = work ? work + *used : NULL;
    *used += (floats + 15) / 16 * 16;
    return piece;
}

#endif
