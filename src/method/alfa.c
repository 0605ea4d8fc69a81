/* ALFA (reconstruction) and ALFA+, after arXiv 2404.09654 (ACM MM 2024). The paper's equations are not public; what is
 * confirmed and what is rebuilt stands in docs/methods.md.
 *
 * Per picture: contextual scoring weighs the sentences of the object, the weighted means are the two prototypes; the
 * picture, its windows and its patches are scored against them, patches through the fine-grained aligner; scales are
 * joined by harmonic means as in WinCLIP.
 *
 * On a model with a local head patches meet the text space by training: there windows are left out, the map is that of
 * the patches, and the image score joins the picture's own score with the top of the map. The options `windows` and
 * `score` choose either way on any model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/align.h"
#include "detect/aligner.h"
#include "method/association.h"
#include "method/gridmap.h"
#include "method/method.h"

#define ALFA_TAU 0.07
#define ALFA_LAMBDA 1.0
#define ALFA_LEAST_LAMBDA 1e-3 /* below it float32 Gram matrices are not surely positive definite */
#define TOP 4                  /* the top of a map: its largest patch scores, as the trainer's `peak` takes them ... */
#define TOP_JOINED 1           /* ... of joined views, which are means already, the largest */

typedef enum score_kind { SCORE_CLS, SCORE_MAP, SCORE_BOTH } score_kind;

typedef struct alfa {
    flaw_association association; /* first (see there); open in ALFA+ only */
    bool windows;
    score_kind score;
    flaw_context_rule rule;
    double lambda, tau;
    double stretch[2]; /* lengths of the prototypes pulled to the patches, before they are made 1 */
    const flaw_prompt_set *prompts;
    flaw_compute *compute;
    int grid, joint, pairs;
    int cells; /* side of the maps of the picture in hand: G, of joined views finer */
    float *text;           /* [4, E]: prototypes, and the same pulled to the patches */
    float *global, *local; /* [pairs, E] */
    void *room;            /* of the aligner */
    double *maps;          /* scores of windows, three windowed scales and the patches, one spare: [cells, cells] each */
} alfa;

static bool windows_of(const flaw_method_setup *setup)
{
    const char *windows = setup->options->windows;
    if (!windows || !*windows || !strcmp(windows, "auto")) return !setup->model->shape.local_head;
    return !strcmp(windows, "on");
}

static int wants(const flaw_method_setup *setup)
{
    bool aligner = isfinite(setup->options->lambda), local = setup->model->shape.local_head;
    bool views = setup->options->views > 1 && local && !aligner;
    int more = windows_of(setup) ? FLAW_WANT_WINDOWS : views ? FLAW_WANT_VIEWS : 0;
    return FLAW_WANT_CLS | FLAW_WANT_PATCHES | more;
}

static int wants_plus(const flaw_method_setup *setup)
{
    return (wants(setup) & ~FLAW_WANT_VIEWS) | flaw_association_wants(windows_of(setup));
}

static flaw_status read_options(alfa *a, const flaw_method_setup *setup, flaw_error *err)
{
    static const char *const kinds[] = {"cls", "map", "both"};
    const flaw_inspect_options *o = setup->options;
    bool local = setup->model->shape.local_head;
    if (o->windows && strcmp(o->windows, "auto") && strcmp(o->windows, "on") && strcmp(o->windows, "off") &&
        *o->windows)
        return flaw_fail(err, FLAW_USAGE, "windows \"%s\" is unknown, allowed are auto, on and off", o->windows);
    a->score = local ? SCORE_BOTH : SCORE_CLS;
    if (o->score && *o->score && strcmp(o->score, "auto")) {
        int kind = 0;
        while (kind < 3 && strcmp(kinds[kind], o->score)) kind++;
        if (kind == 3)
            return flaw_fail(err, FLAW_USAGE, "score \"%s\" is unknown, allowed are auto, cls, map and both", o->score);
        a->score = (score_kind)kind;
    }
    a->lambda = !isnan(o->lambda) ? o->lambda : local ? INFINITY : ALFA_LAMBDA;
    if (!(a->lambda >= ALFA_LEAST_LAMBDA))
        return flaw_fail(err, FLAW_USAGE, "lambda %g is not allowed, allowed are %g to infinity", a->lambda,
                         ALFA_LEAST_LAMBDA);
    /* A model with a local head was trained on plain means of sentences, without an aligner, and knows its own scale:
     * logits are scale * cosine. */
    double own = local && setup->model->view.logit_scale ? exp(-(double)setup->model->view.logit_scale[0]) : ALFA_TAU;
    a->tau = isnan(o->tau) ? own : o->tau;
    flaw_status s = flaw_context_named(&a->rule, o->rule, err);
    if (local && (!o->rule || !*o->rule)) a->rule = FLAW_CONTEXT_NONE;
    return s;
}

static void close_state(void *state)
{
    alfa *a = state;
    if (!a) return;
    flaw_association_close(&a->association);
    free(a->text);
    free(a->global);
    free(a->room);
    free(a->maps);
    free(a);
}

static bool make_room(alfa *a)
{
    size_t joint = (size_t)a->joint, side = (size_t)a->grid * (a->windows ? 1 : FLAW_VIEWS_FINE), cells = side * side;
    int g = a->grid;
    a->pairs = 1 + (a->windows && g >= 2 ? (g - 1) * (g - 1) : 0) + (a->windows && g >= 3 ? (g - 2) * (g - 2) : 0);
    a->text = calloc(4 * joint, sizeof(float));
    a->global = calloc(2 * (size_t)a->pairs * joint, sizeof(float));
    a->maps = calloc(6 * cells, sizeof(double));
    if (!isinf(a->lambda)) a->room = malloc(flaw_aligner_room(a->compute, a->pairs, a->joint));
    if (!a->text || !a->global || !a->maps || (!isinf(a->lambda) && !a->room)) return false;
    a->local = a->global + (size_t)a->pairs * joint;
    return true;
}

static flaw_status open_any(void **state, const flaw_method_setup *setup, bool plus, flaw_error *err)
{
    alfa *a = calloc(1, sizeof *a);
    if (!a) return flaw_fail(err, FLAW_NO_MEMORY, "ALFA: memory was refused");
    a->windows = windows_of(setup);
    a->prompts = setup->prompts;
    a->compute = setup->compute;
    a->grid = setup->model->shape.grid;
    a->joint = setup->model->shape.joint;
    flaw_status s = read_options(a, setup, err);
    if (!s && !make_room(a)) s = flaw_fail(err, FLAW_NO_MEMORY, "ALFA: memory was refused");
    if (!s) s = flaw_compute_reserve(a->compute, a->compute->kernels->product_scratch(FLAW_F32, a->joint), err);
    if (!s && plus)
        s = flaw_association_open(&a->association, &setup->model->shape, setup->compute, setup->options, a->windows,
                                  err);
    if (s) {
        close_state(a);
        return s;
    }
    *state = a;
    return FLAW_OK;
}

static flaw_status open_zero(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    return open_any(state, setup, false, err);
}

static flaw_status open_plus(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    return open_any(state, setup, true, err);
}

/* Steps C to E: similarities of this picture with every sentence, their weights, the two prototypes, and the abnormal
 * sentence of the largest weight x similarity. */
static flaw_status make_prototypes(alfa *a, const float *cls, const char **closest, flaw_error *err)
{
    double similarity[2][FLAW_PROMPTS_MOST], weight[2][FLAW_PROMPTS_MOST];
    const flaw_prompt_set *set = a->prompts;
    size_t joint = (size_t)a->joint;
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < set->count[c]; i++)
            similarity[c][i] = a->compute->kernels->dot(joint, set->embedding[c] + (size_t)i * joint, cls);
    const double *const s[2] = {similarity[0], similarity[1]};
    double *const w[2] = {weight[0], weight[1]};
    const bool *const pinned[2] = {set->pinned[0], set->pinned[1]};
    flaw_context_weigh(a->rule, s, set->count, pinned, w);
    int best = 0;
    for (int i = 1; i < set->count[1]; i++)
        if (weight[1][i] * similarity[1][i] > weight[1][best] * similarity[1][best]) best = i;
    *closest = set->text[1][best];
    flaw_status status = FLAW_OK;
    for (int c = 0; !status && c < 2; c++)
        status = flaw_prompts_blend(a->text + (size_t)c * joint, set, c, weight[c], err);
    return status;
}

/* Step G: prototypes of the patch space at unit length, [2, E] behind the others. */
static flaw_status pull_prototypes(alfa *a, const flaw_features *picture, flaw_error *err)
{
    size_t joint = (size_t)a->joint;
    float *const pulled[2] = {a->text + 2 * joint, a->text + 3 * joint};
    const float *const text[2] = {a->text, a->text + joint};
    bool needed = !isinf(a->lambda);
    int n = needed ? flaw_aligner_pairs(a->global, a->local, picture) : 0;
    flaw_status s =
        flaw_aligner_pull(pulled, text, a->global, a->local, n, a->joint, a->lambda, a->compute, a->room, err);
    for (int c = 0; !s && c < 2; c++) {
        double square = 0;
        for (size_t d = 0; d < joint; d++) square += (double)pulled[c][d] * pulled[c][d];
        if (!(square > 0) || !isfinite(square))
            return flaw_fail(err, FLAW_BAD_DATA, "aligner: the text has no direction among the patches");
        a->stretch[c] = sqrt(square);
        float scale = (float)(1.0 / a->stretch[c]);
        for (size_t d = 0; d < joint; d++) pulled[c][d] *= scale;
    }
    return s;
}

/* Step H: the map in maps[0], the margins of the patches behind the scales; returns the margin of the whole picture. */
static double make_map(alfa *a, const flaw_features *picture)
{
    const flaw_kernels *kernels = a->compute->kernels;
    size_t joint = (size_t)a->joint;
    int cells = a->cells * a->cells, scales = 0;
    double *of_windows = a->maps, *margin = a->maps + 5 * cells, *scale[4], whole;
    flaw_prototypes p = {.text = {a->text, a->text + joint}, .width = a->joint, .tau = a->tau};
    flaw_prototypes local = {.text = {a->text + 2 * joint, a->text + 3 * joint}, .width = a->joint, .tau = a->tau};
    for (int i = 0; i < 4; i++) scale[i] = a->maps + (i + 1) * cells;
    flaw_align_margins(&whole, &p, picture->cls, 1, kernels);
    flaw_align_margins(margin, &local, picture->patches, cells, kernels);
    for (int i = 0; i < cells; i++) scale[0][i] = flaw_align_logistic(margin[i]);
    if (!a->windows) {
        flaw_gridmap_smooth(a->maps, scale[0], a->cells);
        return whole;
    }
    scales = 1;
    for (int i = 0; i < 2; i++) {
        int across = a->grid - 1 - i;
        if (!picture->window[i]) continue;
        flaw_align_rows(of_windows, &p, picture->window[i], across * across, kernels);
        flaw_align_windows(scale[scales++], of_windows, a->grid, i + 2);
    }
    for (int i = 0; i < cells; i++) scale[scales][i] = flaw_align_logistic(whole);
    flaw_align_scales(a->maps, (const double *const *)scale, scales + 1, cells);
    return whole;
}

static int top_of(const alfa *a)
{
    return a->cells > a->grid ? TOP_JOINED : TOP;
}

/* Step F: the margin of the picture, of the top of its patches, or the mean of both; find_views says the same. */
static double image_score(const alfa *a, double whole)
{
    int cells = a->cells * a->cells;
    double top = flaw_gridmap_top(a->maps + 5 * cells, cells, top_of(a));
    return flaw_align_logistic(a->score == SCORE_CLS ? whole : a->score == SCORE_MAP ? top : (whole + top) / 2);
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    alfa *a = state;
    int cells = picture->cells * picture->cells;
    a->cells = picture->cells;
    flaw_status s = make_prototypes(a, picture->cls, &out->closest, err);
    if (!s) s = pull_prototypes(a, picture, err);
    if (s) return s;
    out->image = image_score(a, make_map(a, picture));
    s = flaw_association_join(&a->association, picture, a->maps, a->maps + cells, &out->image, err);
    if (s) return s;
    flaw_gridmap_store(out->map, a->maps, cells);
    return FLAW_OK;
}

typedef struct rescoring {
    alfa *a;
    const flaw_features *picture;
    double half; /* of the association's peak */
} rescoring;

static flaw_status rescore(void *context, const float *const text[2], int side, int index, double *image,
                           flaw_error *err)
{
    const rescoring *r = context;
    alfa *a = r->a;
    size_t joint = (size_t)a->joint;
    double whole;
    flaw_status s = FLAW_OK;
    (void)side, (void)index;
    for (size_t c = 0; c < 2; c++) memcpy(a->text + c * joint, text[c], joint * sizeof(float));
    if (a->score == SCORE_CLS) {
        flaw_prototypes p = {.text = {text[0], text[1]}, .width = a->joint, .tau = a->tau};
        flaw_align_margins(&whole, &p, r->picture->cls, 1, a->compute->kernels);
    } else {
        s = pull_prototypes(a, r->picture, err);
        if (!s) whole = make_map(a, r->picture);
    }
    if (!s) *image = image_score(a, whole);
    if (!s && a->association.compute) *image = *image / 2 + r->half;
    return s;
}

/* What the sentences met: the picture, and the mean of the patches at the top of the map, brought to the words' side of
 * the aligner; after make_map. The views, *count of them, point into `rows` [2, E]. */
static flaw_status find_views(alfa *a, const flaw_features *picture, flaw_view views[2], int *count, float *rows,
                              flaw_error *err)
{
    size_t joint = (size_t)a->joint;
    int cell[TOP], cells = a->cells * a->cells, top = top_of(a);
    double share = (a->score == SCORE_BOTH ? 0.5 : 1.0) / a->tau;
    *count = 0;
    if (a->score != SCORE_MAP) views[(*count)++] = (flaw_view){picture->cls, {share, share}};
    if (a->score == SCORE_CLS) return FLAW_OK;
    flaw_gridmap_top_cells(cell, &top, a->maps + 5 * cells, cells);
    flaw_gridmap_mean_row(rows, picture->patches, joint, cell, top);
    views[(*count)++] = (flaw_view){rows + joint, {share / a->stretch[0], share / a->stretch[1]}};
    int n = isinf(a->lambda) ? 0 : flaw_aligner_pairs(a->global, a->local, picture);
    return flaw_aligner_push(rows + joint, rows, a->global, a->local, n, a->joint, a->lambda, a->compute, a->room, err);
}

static flaw_status explain(void *state, const flaw_features *picture, flaw_reason *out, flaw_error *err)
{
    alfa *a = state;
    const char *closest;
    flaw_view views[2];
    int count = 0, cells = picture->cells * picture->cells;
    rescoring r = {.a = a, .picture = picture};
    float *rows = calloc(2 * (size_t)a->joint, sizeof *rows);
    flaw_status s = rows ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "ALFA: memory was refused");
    a->cells = picture->cells;
    out->rule = a->rule;
    flaw_reason_weigh(out, a->prompts, picture->cls, a->compute->kernels);
    if (!s) s = flaw_association_join(&a->association, picture, a->maps, a->maps + cells, &r.half, err);
    if (!s) s = make_prototypes(a, picture->cls, &closest, err);
    if (!s) s = pull_prototypes(a, picture, err);
    if (!s) make_map(a, picture);
    if (!s) s = find_views(a, picture, views, &count, rows, err);
    if (!s) flaw_reason_pull(out, a->prompts, views, count, a->compute->kernels);
    if (!s) s = flaw_reason_rescore(out, a->prompts, rescore, &r, err);
    free(rows);
    return s;
}

const flaw_method flaw_method_alfa = {
    .name = "alfa",
    .about = "ALFA (reconstruction; arXiv 2404.09654): sentences chosen per picture; needs a text tower, no good parts",
    .paper = "Zhu et al. 2024, arXiv 2404.09654 (reconstruction)",
    .prompts = FLAW_PROMPTS_SENTENCES,
    .wants = wants,
    .open = open_zero,
    .learn = flaw_association_learn,
    .score = score,
    .explain = explain,
    .save = flaw_association_save,
    .load = flaw_association_load,
    .close = close_state,
};

const flaw_method flaw_method_alfa_plus = {
    .name = "alfa+",
    .about = "ALFA+ (reconstruction; arXiv 2404.09654): ALFA and the association with good parts; needs both",
    .paper = "Zhu et al. 2024, arXiv 2404.09654 (reconstruction); Jeong et al. 2023, CVPR",
    .prompts = FLAW_PROMPTS_SENTENCES,
    .needs_good = true,
    .scores = {.spread = 0.02},
    .wants = wants_plus,
    .open = open_plus,
    .learn = flaw_association_learn,
    .score = score,
    .explain = explain,
    .save = flaw_association_save,
    .load = flaw_association_load,
    .close = close_state,
};
