#include "model/voice/voice_read.h"

#include <string.h>

#include "model/open/bind.h"

/* PandaGPT's and AnomalyGPT's names. */
static const flaw_name_rule rules[] = {
    {"voice.decoder.#.w", "image_decoder.fc.#.weight", FLAW_LAYOUT_SAME},
    {"voice.decoder.#.b", "image_decoder.fc.#.bias", FLAW_LAYOUT_SAME},
    {"voice.base", "prompt_learner.base_prompts", FLAW_LAYOUT_SAME},
    {"voice.conv.0.w", "prompt_learner.meta_net.0.weight", FLAW_LAYOUT_KERNEL_3},
    {"voice.conv.0.b", "prompt_learner.meta_net.0.bias", FLAW_LAYOUT_SAME},
    {"voice.conv.1.w", "prompt_learner.meta_net.3.weight", FLAW_LAYOUT_KERNEL_3},
    {"voice.conv.1.b", "prompt_learner.meta_net.3.bias", FLAW_LAYOUT_SAME},
    {"voice.conv.2.w", "prompt_learner.meta_net.6.weight", FLAW_LAYOUT_KERNEL_3},
    {"voice.conv.2.b", "prompt_learner.meta_net.6.bias", FLAW_LAYOUT_SAME},
    {"voice.conv.3.w", "prompt_learner.meta_net.9.weight", FLAW_LAYOUT_KERNEL_3},
    {"voice.conv.3.b", "prompt_learner.meta_net.9.bias", FLAW_LAYOUT_SAME},
    {"voice.conv.4.w", "prompt_learner.meta_net.12.weight", FLAW_LAYOUT_KERNEL_3},
    {"voice.conv.4.b", "prompt_learner.meta_net.12.bias", FLAW_LAYOUT_SAME},
    {"voice.conv.5.w", "prompt_learner.meta_net.15.weight", FLAW_LAYOUT_KERNEL_5},
    {"voice.conv.5.b", "prompt_learner.meta_net.15.bias", FLAW_LAYOUT_SAME},
    {"voice.project.w", "llama_proj.weight", FLAW_LAYOUT_SAME},
    {"voice.project.b", "llama_proj.bias", FLAW_LAYOUT_SAME},
    {NULL, NULL, FLAW_LAYOUT_SAME},
};
static const char *const ignored[] = {NULL};
static const flaw_name_table names = {rules, ignored, NULL};

static int by_name(const flaw_tensor *a, const flaw_tensor *b)
{
    return strcmp(a->name, b->name);
}

/* Both files as one list, without the adapters. Names that stand in both count for the first; the other is left over. */
static flaw_status gather(flaw_tensors *out, const flaw_tensors *delta, const flaw_tensors *projection, flaw_arena *arena,
                          flaw_error *err)
{
    const flaw_tensors *const files[] = {delta, projection};
    *out = (flaw_tensors){.path = delta->path};
    out->item = flaw_arena_alloc(arena, delta->count + projection->count + 1, sizeof *out->item);
    if (!out->item) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the list of tensors", delta->path);
    for (size_t f = 0; f < 2; f++)
        for (size_t i = 0; i < files[f]->count; i++) {
            const flaw_tensor *t = &files[f]->item[i];
            if (strstr(t->name, "lora_")) continue;
            size_t at = out->count++;
            for (; at > 0 && by_name(&out->item[at - 1], t) > 0; at--) out->item[at] = out->item[at - 1];
            out->item[at] = *t;
        }
    return FLAW_OK;
}

static flaw_status side_of(int *out, const flaw_tensors *t, const char *name, int rank, int side, flaw_error *err)
{
    const flaw_tensor *x = flaw_tensors_find(t, name);
    if (!x) return flaw_fail(err, FLAW_MISSING, "%s: no tensor '%s', so no voice of AnomalyGPT", t->path, name);
    if (x->rank != rank || x->shape[side] < 1 || x->shape[side] > 16384)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: tensor '%s' has %d dimensions or a side out of range, expected %d", t->path,
                         name, x->rank, rank);
    *out = (int)x->shape[side];
    return FLAW_OK;
}

static flaw_status shape_from_tensors(flaw_voice_shape *s, const flaw_tensors *t, flaw_error *err)
{
    flaw_status status = side_of(&s->joint, t, "image_decoder.fc.0.weight", 2, 0, err);
    if (!status) status = side_of(&s->width, t, "image_decoder.fc.0.weight", 2, 1, err);
    if (!status) status = side_of(&s->base, t, "prompt_learner.base_prompts", 2, 0, err);
    if (!status) status = side_of(&s->words, t, "prompt_learner.base_prompts", 2, 1, err);
    for (int i = 0; i < FLAW_PROMPT_CONVS && !status; i++)
        status = side_of(&s->channels[i], t, rules[3 + 2 * i].foreign, 4, 0, err);
    return status;
}

static flaw_status bind(flaw_voice_source *s, const flaw_tensors *t, const flaw_name_table *table, flaw_arena *arena,
                        flaw_error *err)
{
    flaw_status status = flaw_voice_parameters(&s->list, &s->shape, arena, err);
    if (!status) status = flaw_binding_make(&s->binding, t, table, &s->list, arena, err);
    return status ? status : flaw_binding_verdict(&s->binding, err);
}

flaw_status flaw_voice_bind_released(flaw_voice_source *out, const flaw_tensors *delta, const flaw_tensors *projection,
                                     const flaw_clip_shape *towers, flaw_arena *arena, flaw_error *err)
{
    *out = (flaw_voice_source){.shape = {.grid = towers->grid, .side = towers->side, .scale = 100,
                                         .share = {0.25f, 0.25f, 0.25f, 0.25f}, .few_shot_gain = 1}};
    flaw_status status = gather(&out->both, delta, projection, arena, err);
    if (!status) status = shape_from_tensors(&out->shape, &out->both, err);
    if (!status) status = flaw_voice_shape_check(&out->shape, delta->path, err);
    return status ? status : bind(out, &out->both, &names, arena, err);
}

flaw_status flaw_voice_bind_bundle(flaw_voice_source *out, const flaw_tensors *bundle, flaw_arena *arena, flaw_error *err)
{
    const char *json = flaw_tensors_metadata(bundle, "voice");
    *out = (flaw_voice_source){.list = {0}};
    if (!json) return flaw_fail(err, FLAW_MISSING, "%s: no voice in this bundle (no \"voice\" metadata)", bundle->path);
    flaw_status status = flaw_voice_config(&out->shape, json, strlen(json), bundle->path, err);
    return status ? status : bind(out, bundle, NULL, arena, err);
}

static flaw_status read_bound(flaw_voice **out, const flaw_voice_source *s, flaw_error *err)
{
    flaw_voice *v = NULL;
    flaw_status status = flaw_voice_new(&v, &s->shape, err);
    if (!status) status = flaw_binding_read(&s->binding, v->weights, err);
    if (status) flaw_voice_close(v);
    else *out = v;
    return status;
}

flaw_status flaw_voice_read_released(flaw_voice **out, const flaw_tensors *delta, const flaw_tensors *projection,
                                     const flaw_clip_shape *towers, flaw_error *err)
{
    flaw_voice_source s;
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_status status = flaw_voice_bind_released(&s, delta, projection, towers, &arena, err);
    if (!status) status = read_bound(out, &s, err);
    flaw_arena_release(&arena);
    return status;
}

flaw_status flaw_voice_read_bundle(flaw_voice **out, const flaw_tensors *bundle, flaw_error *err)
{
    flaw_voice_source s;
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_status status = flaw_voice_bind_bundle(&s, bundle, &arena, err);
    if (!status) status = read_bound(out, &s, err);
    flaw_arena_release(&arena);
    return status;
}

flaw_status flaw_voice_check_fit(const flaw_voice_shape *v, const flaw_clip_shape *towers, int words, const char *name,
                                 flaw_error *err)
{
    if (v->width != towers->image.width || v->joint != towers->joint || v->grid != towers->grid)
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: the voice was trained on towers of width %d, joint width %d and a grid of %d, these have %d, %d "
                         "and %d",
                         name, v->width, v->joint, v->grid, towers->image.width, towers->joint, towers->grid);
    if (v->words != words)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: the voice was trained on a language model of width %d, this one has %d", name,
                         v->words, words);
    return FLAW_OK;
}
