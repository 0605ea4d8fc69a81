/* WinCLIP and WinCLIP+ (CVPR 2023).
 *
 * Prototypes: mean of the unit text embeddings of a class, normalised (public codes differ: some take raw ones).
 * Image score: softmax of the picture's class embedding alone. Map: harmonic mean over the scales {2 x 2 windows,
 * 3 x 3 windows, whole picture}. WinCLIP+ adds the association map to the map, and half of its peak to half of the
 * image score. Always windows, whatever the model: that is what the name says. */
#include <math.h>
#include <stdlib.h>

#include "detect/align.h"
#include "method/association.h"
#include "method/gridmap.h"
#include "method/method.h"

#define WINCLIP_TAU 0.07

typedef struct winclip {
    flaw_association association; /* first (see there); open in WinCLIP+ only */
    flaw_compute *compute;
    const flaw_prompt_set *prompts;
    flaw_prototypes prototypes;
    float *text;  /* [2, E] */
    double *maps; /* scores of windows, and maps of three scales, [G, G] each */
    int grid;
} winclip;

static int wants(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_WANT_CLS | FLAW_WANT_WINDOWS;
}

static int wants_plus(const flaw_method_setup *setup)
{
    return wants(setup) | flaw_association_wants(true);
}

static void close_state(void *state)
{
    winclip *w = state;
    if (!w) return;
    flaw_association_close(&w->association);
    free(w->text);
    free(w->maps);
    free(w);
}

static flaw_status make_prototypes(winclip *w, const flaw_prompt_set *set, flaw_error *err)
{
    flaw_status s = FLAW_OK;
    double weight[FLAW_PROMPTS_MOST];
    for (int c = 0; !s && c < 2; c++) {
        for (int i = 0; i < set->count[c]; i++) weight[i] = 1.0 / set->count[c];
        w->prototypes.text[c] = w->text + (size_t)c * (size_t)set->width;
        s = flaw_prompts_blend(w->text + (size_t)c * (size_t)set->width, set, c, weight, err);
    }
    return s;
}

static flaw_status open_any(void **state, const flaw_method_setup *setup, bool plus, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    size_t cells = (size_t)shape->grid * (size_t)shape->grid;
    if (shape->grid < 3)
        return flaw_fail(err, FLAW_USAGE, "WinCLIP needs at least 3 x 3 patches, this model has %d x %d", shape->grid,
                         shape->grid);
    winclip *w = calloc(1, sizeof *w);
    if (w) {
        w->text = calloc(2 * (size_t)shape->joint, sizeof(float));
        w->maps = calloc(4 * cells, sizeof(double));
    }
    flaw_status s = w && w->text && w->maps ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "WinCLIP: memory was refused");
    if (!s) {
        w->compute = setup->compute;
        w->prompts = setup->prompts;
        w->grid = shape->grid;
        w->prototypes.width = shape->joint;
        w->prototypes.tau = isnan(setup->options->tau) ? WINCLIP_TAU : setup->options->tau;
        s = make_prototypes(w, setup->prompts, err);
    }
    if (!s && plus) s = flaw_association_open(&w->association, shape, setup->compute, setup->options, true, err);
    if (s) {
        close_state(w);
        return s;
    }
    *state = w;
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

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    winclip *w = state;
    int cells = w->grid * w->grid;
    double *of_windows = w->maps, whole;
    double *scale[3] = {w->maps + cells, w->maps + 2 * cells, w->maps + 3 * cells};
    flaw_align_rows(&whole, &w->prototypes, picture->cls, 1, w->compute->kernels);
    for (int i = 0; i < 2; i++) {
        int across = w->grid - 1 - i;
        flaw_align_rows(of_windows, &w->prototypes, picture->window[i], across * across, w->compute->kernels);
        flaw_align_windows(scale[i], of_windows, w->grid, i + 2);
    }
    for (int i = 0; i < cells; i++) scale[2][i] = whole;
    double *map = of_windows;
    flaw_align_scales(map, (const double *const *)scale, 3, cells);
    out->image = whole;
    out->closest = NULL;
    flaw_status s = flaw_association_join(&w->association, picture, map, scale[0], &out->image, err);
    if (s) return s;
    flaw_gridmap_store(out->map, map, cells);
    return FLAW_OK;
}

typedef struct rescoring {
    const winclip *w;
    const flaw_features *picture;
    double half; /* of the association's peak */
} rescoring;

static flaw_status rescore(void *context, const float *const text[2], int side, int index, double *image,
                           flaw_error *err)
{
    const rescoring *r = context;
    flaw_prototypes p = {.text = {text[0], text[1]}, .width = r->w->prototypes.width, .tau = r->w->prototypes.tau};
    (void)side, (void)index, (void)err;
    flaw_align_rows(image, &p, r->picture->cls, 1, r->w->compute->kernels);
    if (r->w->association.compute) *image = *image / 2 + r->half;
    return FLAW_OK;
}

static flaw_status explain(void *state, const flaw_features *picture, flaw_reason *out, flaw_error *err)
{
    winclip *w = state;
    int cells = w->grid * w->grid;
    double share = 1.0 / w->prototypes.tau;
    rescoring r = {.w = w, .picture = picture};
    out->rule = FLAW_CONTEXT_NONE;
    flaw_reason_weigh(out, w->prompts, picture->cls, w->compute->kernels);
    flaw_reason_pull(out, w->prompts, &(flaw_view){picture->cls, {share, share}}, 1, w->compute->kernels);
    flaw_status s = flaw_association_join(&w->association, picture, w->maps, w->maps + cells, &r.half, err);
    return s ? s : flaw_reason_rescore(out, w->prompts, rescore, &r, err);
}

const flaw_method flaw_method_winclip = {
    .name = "winclip",
    .about = "WinCLIP zero-shot (CVPR 2023): templates, windows, harmonic maps; needs a text tower, no good parts",
    .paper = "Jeong et al. 2023, CVPR",
    .prompts = FLAW_PROMPTS_TEMPLATES,
    .wants = wants,
    .open = open_zero,
    .learn = flaw_association_learn,
    .score = score,
    .explain = explain,
    .save = flaw_association_save,
    .load = flaw_association_load,
    .close = close_state,
};

const flaw_method flaw_method_winclip_plus = {
    .name = "winclip+",
    .about = "WinCLIP+ (CVPR 2023): WinCLIP and the association with good parts; needs a text tower and good parts",
    .paper = "Jeong et al. 2023, CVPR",
    .prompts = FLAW_PROMPTS_TEMPLATES,
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
