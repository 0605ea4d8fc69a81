/* The pictures of a subject in several views, as inspection looks at them (detect/views.h): what the decoder says of all is
 * kept as joined logits, for the sights of all would fill the memory. The decoder cannot be trained then. */
#ifndef FLAW_LEARN_VOICE_LOOKS_H
#define FLAW_LEARN_VOICE_LOOKS_H

#include "detect/views_voice.h"

typedef struct flaw_voice_looks {
    int count; /* views of a picture; 1: none of this is used */
    const flaw_clip *towers;
    const flaw_voice *voice;
    flaw_sight other[FLAW_VIEWS_MOST]; /* of the views behind the first */
    float *logits, *work;
    flaw_arena arena;
} flaw_voice_looks;

/* `voice` may be NULL where count is 1. Nothing is left behind on failure. */
flaw_status flaw_voice_looks_open(flaw_voice_looks *out, const flaw_clip *towers, const flaw_voice *voice, flaw_compute *c,
                                  int count, flaw_error *err);
void flaw_voice_looks_close(flaw_voice_looks *looks);

/* pixels [count, 3, S, S], the first given: it is brought to the values of a picture's bytes, the others are cut from that.
 * Any number of threads at a time. */
flaw_status flaw_voice_looks_cut(float *pixels, const flaw_voice_looks *looks, flaw_error *err);
/* Look at those: the sight of the first, joined logits [stages, cells, cells]. text [2, E]. Returns the highest logit, the
 * stages by their shares. */
float flaw_voice_looks_take(flaw_voice_looks *looks, flaw_compute *c, const float *pixels, const float *text,
                            flaw_sight *first, float *joined);

#endif
