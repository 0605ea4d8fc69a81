/* From options to an inspector that can look at pictures but has no memory and no limits yet. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/inside.h"
#include "talk/brief.h"

void flaw_inspect_defaults(flaw_inspect_options *options)
{
    *options = (flaw_inspect_options){.threshold = NAN, .lambda = NAN, .tau = NAN};
}

static const char *own(flaw_arena *arena, const char *text, bool *failed)
{
    if (!text || !*text) return NULL;
    char *copy = flaw_arena_copy_string(arena, text, strlen(text));
    if (!copy) *failed = true;
    return copy;
}

static flaw_status own_options(flaw_inspector *in, const flaw_inspect_options *o, flaw_error *err)
{
    bool failed = false;
    in->options = *o;
    in->options.good = NULL;
    in->options.good_count = 0;
    in->options.pin = in->options.ban = NULL; /* the prompts hold them from here on */
    in->options.pin_count = in->options.ban_count = 0;
    in->options.writer = NULL;
    in->options.method = own(&in->arena, o->method, &failed);
    in->options.object = own(&in->arena, o->object, &failed);
    in->options.prompts = own(&in->arena, o->prompts, &failed);
    in->options.method_options = own(&in->arena, o->method_options, &failed);
    in->options.weights = own(&in->arena, o->weights, &failed);
    in->options.rule = own(&in->arena, o->rule, &failed);
    in->options.windows = own(&in->arena, o->windows, &failed);
    in->options.score = own(&in->arena, o->score, &failed);
    in->options.fit = own(&in->arena, o->fit, &failed);
    if (failed) return flaw_fail(err, FLAW_NO_MEMORY, "an inspector was refused");
    if (!isnan(o->tau) && !(o->tau > 0 && isfinite(o->tau)))
        return flaw_fail(err, FLAW_USAGE, "tau %g is not allowed, allowed are numbers over 0", o->tau);
    if (isinf(o->threshold)) return flaw_fail(err, FLAW_USAGE, "an infinite threshold is not allowed");
    if (o->bank_limit < 0)
        return flaw_fail(err, FLAW_USAGE, "a bank limit of %d is not allowed, allowed are 0 (default) and more",
                         o->bank_limit);
    return FLAW_OK;
}

/* The brief as it may stand in fact sheets and recipes. */
static flaw_status own_brief(flaw_inspector *in, const char *brief, flaw_error *err)
{
    char *clean = NULL;
    in->options.brief = NULL;
    if (!brief || !*brief) return FLAW_OK;
    flaw_status s = flaw_brief_clean(&clean, brief, strlen(brief), "brief", err);
    if (!s && *clean) in->options.brief = flaw_arena_copy_string(&in->arena, clean, strlen(clean));
    if (!s && *clean && !in->options.brief) s = flaw_fail(err, FLAW_NO_MEMORY, "an inspector was refused");
    free(clean);
    return s;
}

/* Sentences of a language model, or of the cache of those. */
static flaw_status written_prompts(flaw_inspector *in, const flaw_prompts_options *writer, flaw_error *err)
{
    flaw_prompts_options o = *writer;
    flaw_prompts made;
    if (in->options.prompts)
        return flaw_fail(err, FLAW_USAGE, "%s: sentences of a file and of a language model at once",
                         in->options.prompts);
    o.object = in->options.object;
    o.brief = in->options.brief;
    flaw_status s = flaw_prompts_make(&made, &o, err);
    if (!s) s = flaw_prompts_parse(&in->prompts, made.json, strlen(made.json), made.about.source, in->object, err);
    if (!s) {
        in->about_prompts = made.about;
        snprintf(in->prompts.source, sizeof in->prompts.source, "%s", made.about.source);
    }
    flaw_prompts_free(&made);
    return s;
}

static void describe_prompts(flaw_inspector *in)
{
    flaw_prompts_about *about = &in->about_prompts;
    const flaw_prompt_set *set = &in->prompts;
    snprintf(about->source, sizeof about->source, "%s", set->source);
    snprintf(about->model, sizeof about->model, "%s", set->model);
    snprintf(about->date, sizeof about->date, "%s", set->date);
    about->count = set->count[0];
    about->cut = set->cut;
}

static flaw_status get_prompts(flaw_inspector *in, const flaw_inspect_options *o, const flaw_record *record,
                               flaw_error *err)
{
    const flaw_clip *model = in->engine->model;
    if (in->method->prompts == FLAW_PROMPTS_NONE && o->writer)
        snprintf(in->about_prompts.note, sizeof in->about_prompts.note,
                 "method %s reads no sentences, so no language model was asked", in->method->name);
    if (in->method->prompts == FLAW_PROMPTS_NONE && (o->pin_count || o->ban_count))
        return flaw_fail(err, FLAW_USAGE, "method %s uses no sentences: there is nothing to pin or ban",
                         in->method->name);
    if (in->method->prompts == FLAW_PROMPTS_NONE) return FLAW_OK;
    if (record) return flaw_prompts_load(&in->prompts, record, model->shape.joint, err);
    flaw_status s;
    if (o->writer) s = written_prompts(in, o->writer, err);
    else if (in->options.prompts) s = flaw_prompts_file(&in->prompts, in->options.prompts, in->options.object, err);
    else if (in->method->prompts == FLAW_PROMPTS_TEMPLATES) s = flaw_prompts_templates(&in->prompts, in->object, err);
    else s = flaw_prompts_builtin(&in->prompts, in->object, err);
    if (!s) s = flaw_prompts_choose(&in->prompts, o->pin, o->pin_count, o->ban, o->ban_count, err);
    return s ? s : flaw_prompts_embed(&in->prompts, model, &in->compute, err);
}

flaw_method_setup flaw_inspector_setup(flaw_inspector *in)
{
    return (flaw_method_setup){.model = in->engine->model,
                               .compute = &in->compute,
                               .prompts = &in->prompts,
                               .options = &in->options,
                               .value = in->value,
                               .path = in->engine->path};
}

/* What is looked at, and how often. */
static flaw_status open_features(flaw_inspector *in, int want, flaw_error *err)
{
    const flaw_clip *model = in->engine->model;
    int asked = in->options.views ? in->options.views : 1, one = want & ~FLAW_WANT_VIEWS;
    flaw_status s = flaw_views_check(asked, err);
    if (!s && asked > 1 && !(want & FLAW_WANT_VIEWS))
        s = flaw_fail(err, FLAW_USAGE,
                      "method %s looks at a picture once here, %d views are not allowed: they are for ALFA on a model "
                      "with a local head, without windows, aligner and good parts",
                      in->method->name, asked);
    if (!s) s = flaw_features_new(&in->features, model, want, err);
    if (!s && want != one) s = flaw_views_open(&in->views, model, &in->compute, one, asked, err);
    return s ? s : flaw_encoder_open(&in->encoder, model, &in->compute, one, 1, err);
}

static flaw_status build(flaw_inspector *in, const flaw_inspect_options *options, const flaw_record *record,
                         size_t good, flaw_error *err)
{
    const flaw_clip *model = in->engine->model;
    flaw_status s = own_options(in, options, err);
    if (!s) s = flaw_object_clean(in->object, in->options.object, err);
    if (!s) s = flaw_fit_named(&in->fit, in->options.fit, err);
    if (!s) s = flaw_method_choose(&in->method, in->options.method, model, good, err);
    if (!s) s = flaw_settings_read(in->value, in->method->option, in->options.method_options, in->method->name, err);
    if (!s) s = flaw_engine_compute(in->engine, &in->compute, err);
    if (!s) s = own_brief(in, options->brief, err);
    if (!s) s = get_prompts(in, options, record, err);
    if (!s) describe_prompts(in);
    flaw_method_setup setup = flaw_inspector_setup(in);
    setup.recipe = record != NULL;
    if (!s) s = in->method->open(&in->state, &setup, err);
    if (s) return s;
    s = open_features(in, in->method->wants(&setup), err);
    if (s) return s;
    in->map = calloc((size_t)in->features.cells * (size_t)in->features.cells, sizeof(float));
    return in->map ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "an inspector was refused");
}

flaw_status flaw_inspector_begin(flaw_inspector **out, const flaw_engine *engine, const flaw_inspect_options *options,
                                 const flaw_record *record, flaw_error *err)
{
    flaw_inspector *in = calloc(1, sizeof *in);
    if (!in) return flaw_fail(err, FLAW_NO_MEMORY, "an inspector was refused");
    in->engine = engine;
    flaw_arena_init(&in->arena, 0);
    /* A recipe holds what its good parts taught, not the parts. */
    flaw_status s = build(in, options, record, record ? 1 : options->good_count, err);
    if (s) {
        flaw_inspector_free(in);
        return s;
    }
    *out = in;
    return FLAW_OK;
}

flaw_status flaw_inspector_new(flaw_inspector **out, const flaw_engine *engine, const flaw_inspect_options *options,
                               flaw_progress progress, void *context, flaw_error *err)
{
    flaw_inspector *in;
    flaw_status s = flaw_inspector_begin(&in, engine, options, NULL, err);
    if (s) return s;
    s = flaw_inspector_teach(in, options, progress, context, err);
    if (s) {
        flaw_inspector_free(in);
        return s;
    }
    *out = in;
    return FLAW_OK;
}

void flaw_inspector_free(flaw_inspector *in)
{
    if (!in) return;
    if (in->state) in->method->close(in->state);
    flaw_calibration_release(&in->calibration);
    flaw_encoder_close(&in->encoder);
    flaw_views_close(&in->views);
    flaw_features_release(&in->features);
    flaw_prompts_release(&in->prompts);
    if (in->compute.pool) flaw_compute_close(&in->compute);
    free(in->map);
    flaw_arena_release(&in->arena);
    free(in);
}
