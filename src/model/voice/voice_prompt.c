/* The prompt learner: from a map of anomaly to rows that stand among the words of the language model. */
#include <string.h>

#include "model/voice/voice.h"

#define LAST (FLAW_PROMPT_CONVS - 1)

/* What the backward pass reads: the pooled output of every stage, and where in its four pixels it came from. */
typedef struct saved_layout {
    float *pooled[LAST];   /* [channels, side/2, side/2] */
    uint8_t *which[LAST];  /* the same, bytes */
} saved_layout;

static size_t pooled_size(const flaw_voice_shape *s, int conv)
{
    size_t side = (size_t)(s->side >> (conv + 1));
    return (size_t)s->channels[conv] * side * side;
}

static size_t lay_out_saved(saved_layout *l, const flaw_voice_shape *s, float *saved)
{
    size_t used = 0;
    for (int i = 0; i < LAST; i++) {
        l->pooled[i] = flaw_voice_carve(saved, &used, pooled_size(s, i));
        l->which[i] =
            (uint8_t *)flaw_voice_carve(saved, &used, (pooled_size(s, i) + sizeof(float) - 1) / sizeof(float));
    }
    return used;
}

size_t flaw_prompt_saved(const flaw_voice_shape *shape)
{
    saved_layout none;
    if (!shape->base) return 0;
    return lay_out_saved(&none, shape, NULL);
}

typedef struct work_layout {
    float *full;   /* output of a convolution before pooling, or its gradient */
    float *pooled; /* gradient of a pooled output */
    float *cells;  /* [W, C] of the last convolution, or its gradient */
    float *conv;   /* work of the convolutions */
} work_layout;

static size_t lay_out_work(work_layout *l, const flaw_compute *c, const flaw_voice_shape *s, float *work)
{
    size_t used = 0, full = 0, pooled = (size_t)s->side * (size_t)s->side, conv = 0;
    for (int i = 0; i < FLAW_PROMPT_CONVS; i++) {
        flaw_conv shape = flaw_voice_conv(s, i);
        size_t out = (size_t)shape.out * (size_t)flaw_conv_height(&shape) * (size_t)flaw_conv_width(&shape);
        if (i < LAST && out > full) full = out;
        if (i < LAST && pooled_size(s, i) > pooled) pooled = pooled_size(s, i);
        if (flaw_conv_work(c, &shape) > conv) conv = flaw_conv_work(c, &shape);
    }
    l->full = flaw_voice_carve(work, &used, full);
    l->pooled = flaw_voice_carve(work, &used, pooled);
    l->cells = flaw_voice_carve(work, &used, (size_t)s->words * (size_t)flaw_voice_cells(s));
    l->conv = flaw_voice_carve(work, &used, conv);
    return used;
}

size_t flaw_prompt_workspace(const flaw_compute *c, const flaw_voice_shape *shape)
{
    work_layout none;
    if (!shape->base) return 0;
    return lay_out_work(&none, c, shape, NULL);
}

void flaw_prompt_forward(flaw_compute *c, const flaw_voice *v, const float *map, float *prompts, float *saved,
                         float *work)
{
    const flaw_voice_shape *s = &v->shape;
    saved_layout kept;
    work_layout l;
    size_t words = (size_t)s->words, base = (size_t)s->base, cells = (size_t)flaw_voice_cells(s);
    if (!s->base) return;
    lay_out_saved(&kept, s, saved);
    lay_out_work(&l, c, s, work);
    for (int i = 0; i < LAST; i++) {
        flaw_conv conv = flaw_voice_conv(s, i);
        flaw_conv_forward(c, &conv, i ? kept.pooled[i - 1] : map, v->view.conv_w[i], v->view.conv_b[i], l.full, l.conv);
        flaw_relu_pool_forward(c, conv.out, conv.height, conv.width, l.full, kept.pooled[i], kept.which[i]);
    }
    flaw_conv conv = flaw_voice_conv(s, LAST);
    flaw_conv_forward(c, &conv, kept.pooled[LAST - 1], v->view.conv_w[LAST], v->view.conv_b[LAST], l.cells, l.conv);
    memcpy(prompts, v->view.base, base * words * sizeof *prompts);
    for (size_t cell = 0; cell < cells; cell++)
        for (size_t k = 0; k < words; k++) prompts[(base + cell) * words + k] = l.cells[k * cells + cell];
}

void flaw_prompt_backward(flaw_compute *c, const flaw_voice *v, const float *map, const float *saved,
                          const float *d_prompts, float *d_map, const flaw_voice_view *grads, float *work)
{
    const flaw_voice_shape *s = &v->shape;
    saved_layout kept;
    work_layout l;
    size_t words = (size_t)s->words, base = (size_t)s->base, cells = (size_t)flaw_voice_cells(s);
    size_t area = (size_t)s->side * (size_t)s->side;
    if (!s->base) return;
    lay_out_saved(&kept, s, (float *)(uintptr_t)saved);
    lay_out_work(&l, c, s, work);
    for (size_t i = 0; i < base * words; i++) grads->base[i] += d_prompts[i];
    for (size_t cell = 0; cell < cells; cell++)
        for (size_t k = 0; k < words; k++) l.cells[k * cells + cell] = d_prompts[(base + cell) * words + k];
    for (int i = LAST; i >= 0; i--) {
        flaw_conv conv = flaw_voice_conv(s, i);
        if (i < LAST) flaw_relu_pool_backward(c, conv.out, conv.height, conv.width, l.pooled, kept.which[i], l.full);
        flaw_conv_backward(c, &conv, i ? kept.pooled[i - 1] : map, v->view.conv_w[i], i < LAST ? l.full : l.cells,
                           i || d_map ? l.pooled : NULL, grads->conv_w[i], grads->conv_b[i], l.conv);
    }
    for (size_t i = 0; i < area && d_map; i++) d_map[i] += l.pooled[i];
}
