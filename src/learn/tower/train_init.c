/* Weights of a new run and the groups of the optimiser. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/tower/train_state.h"

static bool starts(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n >= s && !strcmp(name + n - s, suffix);
}

/* Standard deviation of a random start, as CLIP starts (Radford et al. 2021, public code): projections into the residual
 * stream are smaller the deeper the tower; norms start at one, biases at zero. Negative: a constant of that size. */
static double spread(const flaw_clip_shape *s, const flaw_parameter *p)
{
    bool text = starts(p->name, "text.");
    double width = text ? s->text.width : s->image.width, layers = text ? s->text_layers : s->image_layers;
    if (!strcmp(p->name, "logit_scale")) return -log(1 / 0.07);
    if (ends(p->name, "norm.w") || ends(p->name, "norm1.w") || ends(p->name, "norm2.w") || ends(p->name, "post.w") ||
        ends(p->name, "pre.w") || ends(p->name, "final.w"))
        return -1;
    if (ends(p->name, "token")) return 0.02;
    if (ends(p->name, "position")) return 0.01;
    if (p->rank < 2 && !ends(p->name, "cls")) return 0;
    if (ends(p->name, "out.w") || ends(p->name, "fc2.w")) return pow(width, -0.5) * pow(2 * layers, -0.5);
    if (ends(p->name, "fc1.w")) return pow(2 * width, -0.5);
    return pow(width, -0.5);
}

static const flaw_parameter *find(const flaw_parameters *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->item[i].name, name)) return &list->item[i];
    return NULL;
}

void flaw_train_init_weights(flaw_clip_train *model, const flaw_clip *tower, uint64_t seed)
{
    for (size_t i = 0; i < model->list.count; i++) {
        const flaw_parameter *p = &model->list.item[i];
        const flaw_parameter *given = tower ? find(&tower->list, p->name) : NULL;
        float *w = model->weights + p->offset;
        if (given && given->count == p->count) {
            memcpy(w, tower->weights + given->offset, p->count * sizeof *w);
            continue;
        }
        flaw_random random;
        double size = spread(&model->shape, p);
        flaw_random_init(&random, seed, i);
        for (size_t k = 0; k < p->count; k++) w[k] = (float)(size < 0 ? -size : size > 0 ? size * flaw_random_normal(&random) : 0);
    }
}

/* Rate of a parameter against the schedule's: 0 below the first trained block. */
static float rate_of(const flaw_train_options *o, const char *name)
{
    if (!starts(name, "image.")) return 1;
    if (!strcmp(name, "image.proj") || starts(name, "image.post")) return 1;
    int block = starts(name, "image.block.") ? (int)strtol(name + strlen("image.block."), NULL, 10) : -1;
    return block < o->first_trained && (block >= 0 || o->first_trained > 0) ? 0 : o->tower_rate;
}

flaw_status flaw_train_make_groups(flaw_trainer *t, flaw_error *err)
{
    const flaw_parameters *list = &t->model.list;
    t->groups = flaw_arena_alloc(&t->arena, list->count, sizeof *t->groups);
    if (!t->groups) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the groups of %zu parameters", list->count);
    for (size_t i = 0; i < list->count; i++)
        t->groups[i] = (flaw_group){.offset = list->item[i].offset, .count = list->item[i].count,
                                    .decay = list->item[i].rank == 2 ? t->options->decay : 0,
                                    .rate = rate_of(t->options, list->item[i].name)};
    t->optimiser = (flaw_optimiser){.beta1 = 0.9f, .beta2 = 0.98f, .eps = 1e-8f, .clip = t->options->clip,
                                    .ema = t->options->ema, .groups = t->groups, .group_count = list->count};
    return FLAW_OK;
}
