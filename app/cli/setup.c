#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "flaw/method.h"

flaw_status cli_open_engine(flaw_engine **out, const cli_settings *s, flaw_error *err)
{
    flaw_engine_options options = {
        .model = s->model, .side = (int)s->side, .threads = (int)s->threads, .precision = s->precision, .level = s->level};
    return flaw_engine_open(out, &options, err);
}

void cli_inspect_options(flaw_inspect_options *out, const cli_settings *s, const cli_writing *writing)
{
    flaw_inspect_defaults(out);
    if (writing && writing->wanted) out->writer = &writing->options;
    else if (s->prompts) out->prompts = s->prompts;
    if (writing) out->brief = writing->brief;
    if (s->method) out->method = s->method;
    if (s->object) out->object = s->object;
    if (s->method_option) out->method_options = s->method_option;
    if (s->weights) out->weights = s->weights;
    if (s->rule) out->rule = s->rule;
    if (s->fit) out->fit = s->fit;
    if (s->windows) out->windows = s->windows;
    if (s->score) out->score = s->score;
    out->threshold = s->threshold;
    out->false_alarm_rate = s->false_alarm_rate;
    out->lambda = s->lambda;
    out->tau = s->tau;
    out->pin = s->pin.value;
    out->pin_count = s->pin.count;
    out->ban = s->ban.value;
    out->ban_count = s->ban.count;
    out->bank_limit = (int)s->bank_limit;
    out->views = (int)s->views;
    out->seed = (unsigned long long)s->seed;
}

/* A recipe holds all of these; given beside one they would be silently without effect. */
static flaw_status refuse_beside_recipe(const cli_settings *s, flaw_error *err)
{
    const struct {
        bool given;
        const char *flag;
    } other[] = {
        {s->good.count > 0, "--good"},
        {s->object != NULL, "--object"},
        {s->method != NULL, "--method"},
        {s->prompts != NULL, "--prompts"},
        {s->method_option != NULL, "--method-option"},
        {s->weights != NULL, "--weights"},
        {s->pin.count > 0, "--pin"},
        {s->ban.count > 0, "--ban"},
        {s->brief != NULL, "--brief"},
        {s->llm != NULL, "--llm"},
        {s->llm_model != NULL, "--llm-model"},
        {s->rule != NULL, "--rule"},
        {s->fit != NULL, "--fit"},
        {s->windows != NULL, "--windows"},
        {s->score != NULL, "--score"},
        {s->false_alarm_rate > 0, "--alarm-rate"},
        {!isnan(s->lambda), "--lambda"},
        {!isnan(s->tau), "--tau"},
        {s->bank_limit > 0, "--bank-limit"},
        {s->views > 0, "--views"},
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (other[i].given)
            return flaw_fail(err, FLAW_USAGE, "%s cannot be given beside --recipe '%s': the recipe says it already",
                             other[i].flag, s->recipe);
    return FLAW_OK;
}

/* From pictures of good parts, or for methods that need a batch, the pictures to judge. */
static flaw_status from_pictures(flaw_inspector **out, const flaw_engine *engine, const cli_settings *s,
                                 const char *const *path, size_t count, flaw_error *err)
{
    flaw_inspect_options options;
    cli_writing writing;
    cli_progress progress = cli_progress_begin(s);
    flaw_status status = cli_writing_begin(&writing, s, false, err);
    cli_inspect_options(&options, s, &writing);
    options.good = path;
    options.good_count = count;
    if (status == FLAW_OK) status = flaw_inspector_new(out, engine, &options, cli_progress_step, &progress, err);
    cli_progress_clear(&progress);
    if (status == FLAW_OK) cli_tell_prompts(flaw_inspector_prompts(*out), &writing);
    if (status == FLAW_OK && writing.brief && !writing.wanted && !s->output) /* a recipe keeps it */
        fputs("flaw: --brief: nobody reads it; a language model would (--llm, --llm-model)\n", stderr);
    cli_writing_end(&writing);
    return status;
}

static flaw_status from_good_parts(flaw_inspector **out, const flaw_engine *engine, const cli_settings *s,
                                   flaw_error *err)
{
    cli_pictures good = {.quiet = true};
    for (size_t i = 0; i < s->good.count; i++) cli_pictures_add(&good, s->good.value[i]);
    flaw_status status = good.first.status;
    if (status != FLAW_OK) {
        if (err) *err = good.first;
    } else {
        status = from_pictures(out, engine, s, (const char *const *)good.path, good.count, err);
    }
    cli_pictures_release(&good);
    return status;
}

flaw_status cli_open_inspector(flaw_inspector **out, const flaw_engine *engine, const cli_settings *s, flaw_error *err)
{
    if (!s->recipe) return from_good_parts(out, engine, s, err);
    flaw_status status = refuse_beside_recipe(s, err);
    if (status == FLAW_OK) status = flaw_inspector_from_recipe(out, engine, s->recipe, err);
    if (status != FLAW_OK || isnan(s->threshold)) return status;
    return flaw_inspector_set_threshold(*out, s->threshold, err);
}

flaw_status cli_open_inspector_for(flaw_inspector **out, const flaw_engine *engine, const cli_settings *s,
                                   const cli_pictures *judged, flaw_error *err)
{
    if (s->recipe || !(flaw_method_needs(s->method) & FLAW_NEEDS_BATCH)) return cli_open_inspector(out, engine, s, err);
    if (s->good.count)
        return flaw_fail(err, FLAW_USAGE,
                         "--good cannot be given with --method %s: it learns from the pictures that are "
                         "judged", s->method);
    return from_pictures(out, engine, s, (const char *const *)judged->path, judged->count, err);
}

bool cli_read_shots(int *out, const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (strcmp(text, "all") == 0) *out = -1;
    else if (end == text || *end || errno || value < 0 || value > 1000000) return false;
    else *out = (int)value;
    return true;
}
