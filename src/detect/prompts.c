/* Sets of sentences: from WinCLIP's templates, and to and from recipes. JSON files: prompts_json.c. */
#include "detect/prompts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* WinCLIP, table of the supplement as public codes agree on it: 22 templates, full stops included. */
static const char *const templates[] = {
    "a cropped photo of the %s.",
    "a cropped photo of a %s.",
    "a close-up photo of a %s.",
    "a close-up photo of the %s.",
    "a bright photo of a %s.",
    "a bright photo of the %s.",
    "a dark photo of the %s.",
    "a dark photo of a %s.",
    "a jpeg corrupted photo of a %s.",
    "a jpeg corrupted photo of the %s.",
    "a blurry photo of the %s.",
    "a blurry photo of a %s.",
    "a photo of a %s.",
    "a photo of the %s.",
    "a photo of a small %s.",
    "a photo of the small %s.",
    "a photo of a large %s.",
    "a photo of the large %s.",
    "a photo of the %s for visual inspection.",
    "a photo of a %s for visual inspection.",
    "a photo of the %s for anomaly detection.",
    "a photo of a %s for anomaly detection.",
};
static const char *const normal_states[] = {
    "%s", "flawless %s", "perfect %s", "unblemished %s", "%s without flaw", "%s without defect", "%s without damage",
};
static const char *const abnormal_states[] = {"damaged %s", "%s with flaw", "%s with defect", "%s with damage"};

enum { TEMPLATES = 22, NORMAL_STATES = 7, ABNORMAL_STATES = 4 };

/* text = `form` with its one "%s" replaced. */
static bool fill(char *text, size_t room, const char *form, const char *word)
{
    const char *hole = strstr(form, "%s");
    int n = snprintf(text, room, "%.*s%s%s", (int)(hole - form), form, word, hole + 2);
    return n >= 0 && (size_t)n < room;
}

static flaw_status fill_class(flaw_prompt_set *set, int c, const char *const *states, int state_count, flaw_error *err)
{
    set->count[c] = TEMPLATES * state_count;
    set->text[c] = flaw_arena_alloc(&set->arena, (size_t)set->count[c], sizeof(char *));
    if (!set->text[c]) return flaw_fail(err, FLAW_NO_MEMORY, "memory for %d sentences was refused", set->count[c]);
    for (int s = 0, at = 0; s < state_count; s++) {
        char state[FLAW_PROMPT_BYTES], text[FLAW_PROMPT_BYTES];
        bool fits = fill(state, sizeof state, states[s], set->object);
        for (int t = 0; t < TEMPLATES; t++, at++) {
            fits = fits && fill(text, sizeof text, templates[t], state);
            set->text[c][at] = fits ? flaw_arena_copy_string(&set->arena, text, strlen(text)) : NULL;
            if (!set->text[c][at]) return flaw_fail(err, FLAW_NO_MEMORY, "memory for a sentence was refused");
        }
    }
    return FLAW_OK;
}

flaw_status flaw_prompts_templates(flaw_prompt_set *out, const char *object, flaw_error *err)
{
    flaw_prompt_set set = {0};
    flaw_arena_init(&set.arena, 0);
    flaw_status s = flaw_object_clean(set.object, object, err);
    snprintf(set.source, sizeof set.source, "WinCLIP's templates");
    if (!s) s = fill_class(&set, 0, normal_states, NORMAL_STATES, err);
    if (!s) s = fill_class(&set, 1, abnormal_states, ABNORMAL_STATES, err);
    if (s) {
        flaw_prompts_release(&set);
        return s;
    }
    *out = set;
    return FLAW_OK;
}

void flaw_prompts_release(flaw_prompt_set *set)
{
    flaw_arena_release(&set->arena);
    memset(set, 0, sizeof *set);
}

flaw_status flaw_prompts_blend(float *out, const flaw_prompt_set *set, int c, const double *weight, flaw_error *err)
{
    return flaw_prompts_blend_rows(out, set, c, weight, set->count[c], err);
}

flaw_status flaw_prompts_blend_rows(float *out, const flaw_prompt_set *set, int c, const double *weight, int n,
                                    flaw_error *err)
{
    size_t width = (size_t)set->width;
    double square = 0;
    for (size_t d = 0; d < width; d++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += weight[i] * set->embedding[c][(size_t)i * width + d];
        out[d] = (float)sum;
        square += sum * sum;
    }
    if (!(square > 1e-24) || !isfinite(square))
        return flaw_fail(err, FLAW_BAD_DATA, "the %s sentences of \"%s\" have no common direction",
                         c ? "abnormal" : "normal", set->object);
    float scale = (float)(1.0 / sqrt(square));
    for (size_t d = 0; d < width; d++) out[d] *= scale;
    return FLAW_OK;
}
