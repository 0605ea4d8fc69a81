/* Several views of a picture (views.h) as a voice reads them: the decoder's logits of each view, joined before they become
 * probabilities. Inspection and the training of a voice come here both, so that words are learnt from the maps they are used
 * on.
 *
 * Letters: G grid side of the tower. */
#ifndef FLAW_DETECT_VIEWS_VOICE_H
#define FLAW_DETECT_VIEWS_VOICE_H

#include "detect/views.h"
#include "model/voice/anomalygpt.h"

/* Cells along a side of the joined logits. */
int flaw_views_cells(const flaw_voice_shape *shape);

/* Logits of `count` views: out [stages, cells, cells]. Scratch: logits [stages, G, G], work of flaw_decoder_workspace. */
void flaw_views_logits(flaw_compute *c, const flaw_voice *v, const flaw_sight *const *view, int count, const float *text,
                       float *out, float *logits, float *work);

#endif
