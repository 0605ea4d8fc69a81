/* Station beside the road: what the sentences did to the picture judged last. */
#include "flaw/explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/inside.h"

static int total_of(const flaw_prompt_set *set, int c)
{
    return set->count[c] + set->banned[c];
}

int flaw_inspector_sentences(const flaw_inspector *in)
{
    return in->method->explain ? in->prompts.count[0] + in->prompts.count[1] : 0;
}

/* Nearest other sentence of the set to every one, as if both sides were one list. Of texts alone: found once. */
static flaw_status find_twins(flaw_inspector *in, flaw_error *err)
{
    const flaw_prompt_set *set = &in->prompts;
    size_t width = (size_t)set->width;
    int first[2] = {0, total_of(set, 0)}, all = first[1] + total_of(set, 1);
    if (in->twin) return FLAW_OK;
    flaw_twin *twin = flaw_arena_alloc(&in->arena, (size_t)all, sizeof *twin);
    if (!twin) return flaw_fail(err, FLAW_NO_MEMORY, "memory to compare %d sentences was refused", all);
    for (int i = 0; i < all; i++) {
        int c = i >= first[1];
        const float *own = set->embedding[c] + (size_t)(i - first[c]) * width;
        twin[i] = (flaw_twin){-1, -INFINITY};
        for (int d = 0; d < 2; d++)
            for (int j = 0; j < set->count[d]; j++) {
                if (first[d] + j == i) continue;
                double cosine = in->compute.kernels->dot(width, own, set->embedding[d] + (size_t)j * width);
                if (cosine > twin[i].cosine) twin[i] = (flaw_twin){first[d] + j, cosine};
            }
    }
    in->twin = twin;
    return FLAW_OK;
}

/* Longest pulls first; dropped ones by similarity. */
static int in_order(const void *a, const void *b)
{
    const flaw_sentence *x = a, *y = b;
    double p = fabs(x->pull), q = fabs(y->pull);
    if (x->banned != y->banned) return x->banned - y->banned;
    if (x->kept != y->kept) return y->kept - x->kept;
    if (p != q) return p < q ? 1 : -1;
    if (x->similarity != y->similarity) return x->similarity < y->similarity ? 1 : -1;
    if (x->abnormal != y->abnormal) return x->abnormal - y->abnormal;
    return x->number - y->number;
}

/* The sentences and their texts in one block. */
static flaw_status make_room(flaw_explanation *out, const flaw_prompt_set *set, flaw_error *err)
{
    size_t bytes = 0;
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < total_of(set, c); i++) bytes += sizeof *out->sentence + strlen(set->text[c][i]) + 1;
    out->count = total_of(set, 0) + total_of(set, 1);
    out->memory = calloc(bytes, 1);
    if (!out->memory) return flaw_fail(err, FLAW_NO_MEMORY, "memory to explain %d sentences was refused", out->count);
    out->sentence = out->memory;
    char *text = (char *)(out->sentence + out->count);
    for (int c = 0, at = 0; c < 2; c++)
        for (int i = 0; i < total_of(set, c); i++) {
            size_t size = strlen(set->text[c][i]) + 1;
            memcpy(text, set->text[c][i], size);
            out->sentence[at++].text = text;
            text += size;
        }
    return FLAW_OK;
}

static void fill_sentence(flaw_explanation *e, flaw_sentence *out, const flaw_prompt_set *set, const flaw_reason *r,
                          int c, int i)
{
    out->abnormal = c;
    out->number = i + 1;
    out->banned = i >= set->count[c];
    out->pinned = !out->banned && set->pinned[c] && set->pinned[c][i];
    out->similarity = r->similarity[c][i];
    out->weight = r->weight[c][i];
    out->pull = r->pull[c][i];
    out->other = r->other[c][i];
    out->kept = out->weight > 0;
    out->ambiguous = e->overlap[0] <= out->similarity && out->similarity <= e->overlap[1];
    out->tips = isfinite(out->other) && (out->other > e->threshold) != (e->score > e->threshold);
}

/* Sentences in order; their twins, which were places in the lists of the set, move along. */
static flaw_status put_in_order(flaw_explanation *out, const flaw_twin *twin, flaw_error *err)
{
    int *place = calloc((size_t)out->count, sizeof *place);
    if (!place) return flaw_fail(err, FLAW_NO_MEMORY, "memory to explain %d sentences was refused", out->count);
    for (int i = 0; i < out->count; i++) {
        out->sentence[i].twin = twin[i].cosine >= FLAW_TWIN_COSINE ? twin[i].at : -1;
        out->sentence[i].twin_cosine = twin[i].cosine;
    }
    int normal = 0;
    for (int i = 0; i < out->count; i++) normal += !out->sentence[i].abnormal;
    qsort(out->sentence, (size_t)out->count, sizeof *out->sentence, in_order);
    for (int i = 0; i < out->count; i++)
        place[out->sentence[i].number - 1 + (out->sentence[i].abnormal ? normal : 0)] = i;
    for (int i = 0; i < out->count; i++)
        if (out->sentence[i].twin >= 0) out->sentence[i].twin = place[out->sentence[i].twin];
    free(place);
    return FLAW_OK;
}

static flaw_status fill(const flaw_inspector *in, flaw_explanation *out, const flaw_reason *r, flaw_error *err)
{
    const flaw_prompt_set *set = &in->prompts;
    flaw_status s = make_room(out, set, err);
    if (s) return s;
    out->score = in->judged_score;
    out->threshold = in->calibration.threshold;
    out->verdict = out->score > out->threshold ? FLAW_ANOMALOUS : FLAW_NORMAL;
    flaw_context_overlap(out->overlap, (const double *const *)r->similarity, set->count);
    for (int c = 0, at = 0; c < 2; c++) {
        out->total[c] = set->count[c];
        for (int i = 0; i < total_of(set, c); i++, at++) {
            fill_sentence(out, &out->sentence[at], set, r, c, i);
            out->kept[c] += out->sentence[at].kept;
            out->pull[c] += out->sentence[at].pull;
        }
    }
    out->margin = r->margin;
    snprintf(out->rule, sizeof out->rule, "%s", flaw_context_name(r->rule));
    snprintf(out->source, sizeof out->source, "%s", set->source);
    snprintf(out->method, sizeof out->method, "%s", in->method->name);
    snprintf(out->object, sizeof out->object, "%s", in->object);
    return put_in_order(out, in->twin, err);
}

flaw_status flaw_inspector_explain(flaw_inspector *in, flaw_explanation *out, flaw_error *err)
{
    if (!in->method->explain)
        return flaw_fail(err, FLAW_USAGE,
                         "method %s judges by no sentences of prompts: there is nothing to explain; alfa, winclip and "
                         "few-shot+ do",
                         in->method->name);
    if (!in->judged) return flaw_fail(err, FLAW_USAGE, "no picture was judged: there is nothing to explain");
    flaw_explanation made = {0};
    flaw_reason reason = {0};
    flaw_status s = find_twins(in, err);
    if (!s) s = flaw_reason_new(&reason, &in->prompts, FLAW_CONTEXT_NONE, err);
    if (!s) s = in->method->explain(in->state, &in->features, &reason, err);
    if (!s) s = fill(in, &made, &reason, err);
    flaw_reason_release(&reason);
    if (s) flaw_explanation_release(&made);
    else *out = made;
    return s;
}

void flaw_explanation_release(flaw_explanation *explanation)
{
    free(explanation->memory);
    *explanation = (flaw_explanation){0};
}
