/* The voice as an array of floats with names: shape, list, view. */
#include <stdio.h>
#include <stdlib.h>

#include "model/voice/voice.h"
#include "model/tower/walk.h"

void flaw_voice_visit_decoder(flaw_walk *w, flaw_voice_view *v, const flaw_voice_shape *s, const char *prefix)
{
    char name[64];
    for (int i = 0; i < FLAW_STAGES; i++) {
        snprintf(name, sizeof name, "%s.%d.w", prefix, i);
        flaw_walk_visit(w, &v->decoder_w[i], s->joint, flaw_voice_width(s, i), name);
        snprintf(name, sizeof name, "%s.%d.b", prefix, i);
        flaw_walk_visit(w, &v->decoder_b[i], 0, s->joint, name);
    }
}

static int kernel_of(int conv)
{
    return conv == FLAW_PROMPT_CONVS - 1 ? 5 : 3;
}

static void visit_all(flaw_walk *w, void *view, const void *shape)
{
    flaw_voice_view *v = view;
    const flaw_voice_shape *s = shape;
    char name[64];
    flaw_voice_visit_decoder(w, v, s, "voice.decoder");
    if (s->base) flaw_walk_visit(w, &v->base, s->base, s->words, "voice.base");
    for (int i = 0, in = 1; i < FLAW_PROMPT_CONVS && s->base; in = s->channels[i++]) {
        snprintf(name, sizeof name, "voice.conv.%d.w", i);
        flaw_walk_visit(w, &v->conv_w[i], s->channels[i], in * kernel_of(i) * kernel_of(i), name);
        snprintf(name, sizeof name, "voice.conv.%d.b", i);
        flaw_walk_visit(w, &v->conv_b[i], 0, s->channels[i], name);
    }
    flaw_walk_visit(w, &v->project_w, s->words, s->joint, "voice.project.w");
    flaw_walk_visit(w, &v->project_b, 0, s->words, "voice.project.b");
}

flaw_status flaw_voice_shape_check(const flaw_voice_shape *s, const char *name, flaw_error *err)
{
    const struct {
        const char *what;
        int value, min, max;
    } limits[] = {
        {"width of the image tower", s->width, 1, 16384},
        {"width of the joint space", s->joint, 1, 16384},
        {"side of the patch grid", s->grid, 2, 256},
        {"side of the map", s->side, 160, 1024}, /* five times halved, the last convolution needs 5 */
        {"width of the language model", s->words, 1, 16384},
        {"number of base prompts", s->base, 0, 256},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i].value < limits[i].min || limits[i].value > limits[i].max)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: voice: %s is %d, allowed are %d to %d", name, limits[i].what,
                             limits[i].value, limits[i].min, limits[i].max);
    int least = s->base > 0, most = s->base ? 16384 : 0;
    for (int i = 0; i < FLAW_PROMPT_CONVS; i++)
        if (s->channels[i] < least || s->channels[i] > most)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: voice: convolution %d has %d channels, allowed are %d to %d",
                             name, i, s->channels[i], least, most);
    if (s->base && s->channels[FLAW_PROMPT_CONVS - 1] != s->words)
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: voice: the last convolution makes prompts %d wide, the language model is %d wide", name,
                         s->channels[FLAW_PROMPT_CONVS - 1], s->words);
    if (!(s->scale > 0 && s->scale <= 1e4f))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: voice: scale of the logits is %g, allowed are values in (0, 10000]",
                         name, (double)s->scale);
    double shares = 0;
    for (int i = 0; i < FLAW_STAGES; i++) shares += s->share[i] >= 0 ? (double)s->share[i] : 1e9;
    if (!(shares > 0.999 && shares < 1.001))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: voice: the shares of the stages are no shares: their sum is %g", name,
                         shares);
    if (!(s->few_shot_gain > 0 && s->few_shot_gain <= 1000))
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: voice: gain of the few-shot map is %g, allowed are values in (0, 1000]", name,
                         (double)s->few_shot_gain);
    return FLAW_OK;
}

flaw_status flaw_voice_parameters(flaw_parameters *out, const flaw_voice_shape *shape, flaw_arena *arena,
                                  flaw_error *err)
{
    flaw_voice_view none = {0};
    flaw_status status = flaw_voice_shape_check(shape, "voice", err);
    return status ? status : flaw_walk_list(out, visit_all, &none, shape, arena, err);
}

void flaw_voice_view_over(flaw_voice_view *out, const flaw_voice_shape *shape, const flaw_parameters *list, float *base)
{
    flaw_walk_view(list, visit_all, out, shape, base);
}

static flaw_status fill_new(flaw_voice *v, flaw_error *err)
{
    flaw_status status = flaw_voice_parameters(&v->list, &v->shape, &v->arena, err);
    if (status) return status;
    v->weights = flaw_arena_alloc(&v->arena, v->list.total, sizeof *v->weights);
    if (!v->weights) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu weights of a voice", v->list.total);
    flaw_voice_view_over(&v->view, &v->shape, &v->list, v->weights);
    return FLAW_OK;
}

flaw_status flaw_voice_new(flaw_voice **out, const flaw_voice_shape *shape, flaw_error *err)
{
    flaw_voice *v = calloc(1, sizeof *v);
    if (!v) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a voice");
    v->shape = *shape;
    flaw_arena_init(&v->arena, 0);
    flaw_status status = fill_new(v, err);
    if (status) flaw_voice_close(v);
    else *out = v;
    return status;
}

void flaw_voice_close(flaw_voice *v)
{
    if (!v) return;
    flaw_arena_release(&v->arena);
    free(v);
}

flaw_status flaw_voice_reserve(flaw_compute *c, flaw_error *err)
{
    return flaw_compute_reserve(c, flaw_plain_product_scratch(c), err);
}

flaw_conv flaw_voice_conv(const flaw_voice_shape *s, int conv)
{
    int side = s->side >> conv; /* halved and rounded down each time */
    return (flaw_conv){.in = conv ? s->channels[conv - 1] : 1, .out = s->channels[conv], .height = side, .width = side,
                       .kernel = kernel_of(conv), .pad = conv == FLAW_PROMPT_CONVS - 1 ? 0 : 1};
}

int flaw_voice_cells(const flaw_voice_shape *shape)
{
    if (!shape->base) return 0;
    flaw_conv last = flaw_voice_conv(shape, FLAW_PROMPT_CONVS - 1);
    return flaw_conv_height(&last) * flaw_conv_width(&last);
}

int flaw_voice_prompts(const flaw_voice_shape *shape)
{
    return shape->base + flaw_voice_cells(shape);
}
