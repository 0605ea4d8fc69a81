#include "method/reason.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int total_of(const flaw_prompt_set *set, int c)
{
    return set->count[c] + set->banned[c];
}

flaw_status flaw_reason_new(flaw_reason *out, const flaw_prompt_set *set, flaw_context_rule rule, flaw_error *err)
{
    size_t all = (size_t)total_of(set, 0) + (size_t)total_of(set, 1);
    double *memory = calloc(all, 4 * sizeof *memory);
    if (!memory) return flaw_fail(err, FLAW_NO_MEMORY, "memory to explain %zu sentences was refused", all);
    *out = (flaw_reason){.rule = rule, .memory = memory};
    for (int c = 0; c < 2; c++) {
        double **const part[4] = {&out->similarity[c], &out->weight[c], &out->pull[c], &out->other[c]};
        for (int k = 0; k < 4; k++) {
            *part[k] = memory;
            memory += total_of(set, c);
        }
    }
    return FLAW_OK;
}

void flaw_reason_release(flaw_reason *reason)
{
    free(reason->memory);
    *reason = (flaw_reason){0};
}

void flaw_reason_weigh(flaw_reason *r, const flaw_prompt_set *set, const float *row, const flaw_kernels *kernels)
{
    size_t width = (size_t)set->width;
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < total_of(set, c); i++)
            r->similarity[c][i] = kernels->dot(width, set->embedding[c] + (size_t)i * width, row);
    flaw_context_weigh(r->rule, (const double *const *)r->similarity, set->count, (const bool *const *)set->pinned,
                       r->weight);
}

/* |sum w e| of a side. */
static double length_of(const flaw_prompt_set *set, int c, const double *weight)
{
    size_t width = (size_t)set->width;
    double square = 0;
    for (size_t d = 0; d < width; d++) {
        double sum = 0;
        for (int i = 0; i < set->count[c]; i++) sum += weight[i] * set->embedding[c][(size_t)i * width + d];
        square += sum * sum;
    }
    return sqrt(square);
}

void flaw_reason_pull(flaw_reason *r, const flaw_prompt_set *set, const flaw_view *views, int count,
                      const flaw_kernels *kernels)
{
    size_t width = (size_t)set->width;
    double least = INFINITY;
    for (int c = 0; c < 2; c++) {
        double length = length_of(set, c, r->weight[c]);
        for (int i = 0; i < set->count[c]; i++) {
            double fit = 0;
            for (int v = 0; v < count; v++)
                fit += views[v].scale[c] * kernels->dot(width, set->embedding[c] + (size_t)i * width, views[v].row);
            r->pull[c][i] = fit / length;
            if (r->weight[c][i] > 0) least = fmin(least, r->pull[c][i]);
        }
    }
    r->margin = 0;
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < total_of(set, c); i++) {
            double pull = r->weight[c][i] > 0 ? r->weight[c][i] * (r->pull[c][i] - least) : 0;
            r->pull[c][i] = c ? pull : 0 - pull;
            r->margin += r->pull[c][i];
        }
}

/* One change of a set: its sentences but one, or one more. */
typedef struct change {
    double similarity[2][FLAW_PROMPTS_MOST], weight[2][FLAW_PROMPTS_MOST];
    bool pinned[2][FLAW_PROMPTS_MOST];
    int count[2];
    double *spread; /* weights of one side in the order of the set, [count + banned] */
    float *text;    /* [2, E] */
} change;

static void add(change *x, const flaw_reason *r, const flaw_prompt_set *set, int c, int i)
{
    int at = x->count[c]++;
    x->similarity[c][at] = r->similarity[c][i];
    x->pinned[c][at] = i < set->count[c] && set->pinned[c] && set->pinned[c][i];
}

static bool is_in(const flaw_prompt_set *set, int c, int i, int side, int index)
{
    return c == side && i == index ? i >= set->count[c] : i < set->count[c];
}

/* The prototypes of the changed set. */
static flaw_status change_set(change *x, const flaw_reason *r, const flaw_prompt_set *set, int side, int index,
                              flaw_error *err)
{
    flaw_status s = FLAW_OK;
    x->count[0] = x->count[1] = 0;
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < total_of(set, c); i++)
            if (is_in(set, c, i, side, index)) add(x, r, set, c, i);
    const double *const similarity[2] = {x->similarity[0], x->similarity[1]};
    const bool *const pinned[2] = {x->pinned[0], x->pinned[1]};
    double *const weight[2] = {x->weight[0], x->weight[1]};
    flaw_context_weigh(r->rule, similarity, x->count, pinned, weight);
    for (int c = 0; !s && c < 2; c++) {
        for (int i = 0, at = 0; i < total_of(set, c); i++)
            x->spread[i] = is_in(set, c, i, side, index) ? weight[c][at++] : 0;
        s = flaw_prompts_blend_rows(x->text + (size_t)c * (size_t)set->width, set, c, x->spread, total_of(set, c), err);
    }
    return s;
}

static flaw_status rescore_all(change *x, flaw_reason *r, const flaw_prompt_set *set, flaw_rescore rescore,
                               void *context, flaw_error *err)
{
    const float *const text[2] = {x->text, x->text + set->width};
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < total_of(set, c); i++) {
            bool leaves = i < set->count[c];
            r->other[c][i] = NAN;
            if (set->count[c] == (leaves ? 1 : FLAW_PROMPTS_MOST)) continue; /* no such set */
            flaw_status s = change_set(x, r, set, c, i, err);
            if (!s) s = rescore(context, text, c, i, &r->other[c][i], err);
            if (s && s != FLAW_BAD_DATA) return s; /* bad data: the other sentences have no direction */
        }
    return FLAW_OK;
}

flaw_status flaw_reason_rescore(flaw_reason *r, const flaw_prompt_set *set, flaw_rescore rescore, void *context,
                                flaw_error *err)
{
    int longer = total_of(set, 0) > total_of(set, 1) ? total_of(set, 0) : total_of(set, 1);
    change *x = malloc(sizeof *x);
    double *spread = calloc((size_t)longer, sizeof *spread);
    float *text = calloc(2 * (size_t)set->width, sizeof *text);
    flaw_status s = FLAW_OK;
    if (x && spread && text) {
        x->spread = spread;
        x->text = text;
        s = rescore_all(x, r, set, rescore, context, err);
    } else {
        s = flaw_fail(err, FLAW_NO_MEMORY, "memory to explain %d sentences was refused", longer);
    }
    free(text);
    free(spread);
    free(x);
    return s;
}
