#include "detect/views_voice.h"

#include <string.h>

int flaw_views_cells(const flaw_voice_shape *shape)
{
    return FLAW_VIEWS_FINE * shape->grid;
}

void flaw_views_logits(flaw_compute *c, const flaw_voice *v, const flaw_sight *const *view, int count, const float *text,
                       float *out, float *logits, float *work)
{
    size_t side = (size_t)flaw_views_cells(&v->shape), cells = side * side;
    size_t patches = (size_t)v->shape.grid * (size_t)v->shape.grid;
    memset(out, 0, FLAW_STAGES * cells * sizeof *out);
    for (int i = 0; i < count; i++) {
        const float *stage[FLAW_STAGES];
        flaw_sight_decoder(view[i], &v->shape, stage);
        flaw_decoder_logits(c, v, stage, text, logits, work);
        for (size_t k = 0; k < FLAW_STAGES; k++)
            flaw_view_join(out + k * cells, logits + k * patches, v->shape.grid, 1, i, count);
    }
}
