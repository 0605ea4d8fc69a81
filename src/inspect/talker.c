/* A talker, from options to answers: who looks, who speaks. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/tensors.h"
#include "inspect/talker.h"
#include "talk/brief.h"

#define MAX_TOKENS 128
#define TIMEOUT 60.0

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

void flaw_talk_defaults(flaw_talk_options *options)
{
    *options = (flaw_talk_options){.max_tokens = MAX_TOKENS, .top_p = 1, .llm_timeout = TIMEOUT};
}

char *flaw_talk_trimmed(const char *text, size_t size)
{
    while (size && isspace((unsigned char)*text)) {
        text++;
        size--;
    }
    while (size && isspace((unsigned char)text[size - 1])) size--;
    return strndup(text, size);
}

static flaw_status check_options(flaw_talk_options *o, flaw_error *err)
{
    flaw_fit fit; /* only its name is looked at: a wrong one should not cost the opening of a model */
    if (!o->max_tokens) o->max_tokens = MAX_TOKENS;
    if (!(o->llm_timeout > 0)) o->llm_timeout = TIMEOUT;
    if (o->threads < 0 || o->max_tokens < 1 || !(o->temperature >= 0 && isfinite(o->temperature)) ||
        !(o->top_p > 0 && o->top_p <= 1))
        return flaw_fail(
            err, FLAW_USAGE,
            "%d threads, %d tokens, temperature %g, top-p %g: allowed are at least 0, 1, 0, and values in (0, 1]",
            o->threads, o->max_tokens, o->temperature, o->top_p);
    return flaw_fit_named(&fit, o->fit, err);
}

/* The talker's own copy of a text; NULL and "" are NULL. */
static flaw_status own(flaw_arena *arena, const char **text, flaw_error *err)
{
    const char *from = *text;
    *text = NULL;
    if (!from || !*from) return FLAW_OK;
    *text = flaw_arena_copy_string(arena, from, strlen(from));
    return *text ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "a talker was refused");
}

static flaw_status own_options(flaw_talker *t, const flaw_talk_options *options, flaw_error *err)
{
    t->options = *options;
    flaw_talk_options *o = &t->options;
    const char **texts[] = {&o->model, &o->precision, &o->level,     &o->object,
                            &o->fit,   &o->llm,       &o->llm_model, &o->llm_key,
                            &o->brief, &o->prompts};
    flaw_status s = FLAW_OK;
    for (size_t i = 0; !s && i < sizeof texts / sizeof *texts; i++) s = own(&t->arena, texts[i], err);
    if (!s) s = check_options(o, err);
    if (!s) s = flaw_object_clean(t->object, o->object, err);
    if (s || !o->brief) return s;
    char *clean = NULL;
    s = flaw_brief_clean(&clean, o->brief, strlen(o->brief), "brief", err);
    o->brief = clean;
    if (!s) s = own(&t->arena, &o->brief, err);
    free(clean);
    return s;
}

/* Does this model speak? A folder with any of the released files, or a bundle that says so. */
static bool may_have_voice(const char *model)
{
    static const char *const files[] = {"imagebind_huge.pth", "vicuna", "pandagpt_delta.pt", "anomalygpt_delta.pt"};
    if (!model || !*model || !strcmp(model, "default")) return true;
    bool folder = flaw_file_is_folder(model), found = false;
    for (size_t i = 0; folder && i < sizeof files / sizeof *files; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", model, files[i]) < 0) return true;
        found |= flaw_file_exists(path);
        free(path);
    }
    flaw_tensors t;
    if (!folder && flaw_tensors_open(&t, model, NULL) == FLAW_OK) {
        found = flaw_tensors_metadata(&t, "voice") != NULL;
        flaw_tensors_close(&t);
    }
    return found;
}

static flaw_status new_inspector(flaw_inspector **out, const flaw_engine *engine, const flaw_talk_options *o,
                                 flaw_error *err)
{
    flaw_inspect_options options;
    flaw_inspect_defaults(&options);
    options.object = o->object;
    options.good = o->good;
    options.good_count = o->good_count;
    options.fit = o->fit;
    options.seed = o->seed;
    options.prompts = o->prompts;
    options.writer = o->writer;
    options.brief = o->brief;
    return flaw_inspector_new(out, engine, &options, NULL, NULL, err);
}

/* The road of inspection: its facts are told by an endpoint or the fact sentence. */
static flaw_status open_inspector(flaw_talker *t, flaw_error *err)
{
    const flaw_talk_options *o = &t->options;
    bool exact = o->precision && (!strcmp(o->precision, "f32") || !strcmp(o->precision, "bf16"));
    flaw_engine_options model = {
        .model = o->model, .threads = o->threads, .precision = exact ? o->precision : NULL, .level = o->level};
    if (o->rotations)
        return flaw_fail(err, FLAW_USAGE, "turned normal pictures are for a model with a voice, and there is none: %s",
                         o->llm ? "an endpoint speaks" : t->note);
    flaw_status s = flaw_engine_open(&t->engine, &model, err);
    return s ? s : new_inspector(&t->inspector, t->engine, o, err);
}

static flaw_status open_endpoint(flaw_talker *t, flaw_error *err)
{
    const flaw_talk_options *o = &t->options;
    t->remote.endpoint = (flaw_endpoint){.url = o->llm,
                                         .model = o->llm_model,
                                         .key = o->llm_key,
                                         .timeout = o->llm_timeout,
                                         .wait = 0.5,
                                         .max_tokens = o->max_tokens,
                                         .temperature = o->temperature,
                                         .top_p = o->top_p,
                                         .seed = o->seed};
    return flaw_endpoint_check(&t->remote.endpoint, err);
}

/* A model's own voice; where it has none, *err says why and t->has_voice stays false. */
static flaw_status open_voice(flaw_talker *t, flaw_error *err)
{
    const flaw_talk_options *o = &t->options;
    flaw_error why = {0};
    bool inside = !o->model || !strcmp(o->model, "default");
    flaw_status s = flaw_voiced_open(&t->voiced, o, t->object, &why);
    t->has_voice = s == FLAW_OK;
    if (s == FLAW_UNAVAILABLE && inside) s = FLAW_OK; /* built without one */
    if (s && err) *err = why;
    return s;
}

static flaw_status open_parts(flaw_talker *t, flaw_error *err)
{
    const flaw_talk_options *o = &t->options;
    flaw_status s = FLAW_OK;
    if (o->llm) s = open_endpoint(t, err);
    else if (may_have_voice(o->model)) s = open_voice(t, err);
    if (!s && !o->llm && !t->has_voice)
        snprintf(t->note, sizeof t->note, "the model has no voice, the measured facts speak");
    if (!s && t->has_voice && (o->prompts || o->writer))
        s = flaw_fail(err, FLAW_USAGE,
                      "a model with a voice sees through sentences of its own; prompts are for other models and "
                      "for endpoints");
    if (!s && !t->has_voice) s = open_inspector(t, err);
    if (s) return s;
    const char *slash = o->model ? strrchr(o->model, '/') : NULL;
    const char *name = t->has_voice ? (slash && slash[1] ? slash + 1 : o->model) : flaw_engine_model_name(t->engine);
    snprintf(t->model, sizeof t->model, "%s", name ? name : "default");
    return FLAW_OK;
}

flaw_status flaw_talker_open(flaw_talker **out, const flaw_talk_options *options, flaw_error *err)
{
    flaw_talker *t = calloc(1, sizeof *t);
    if (!t) return flaw_fail(err, FLAW_NO_MEMORY, "a talker was refused");
    flaw_arena_init(&t->arena, 0);
    flaw_status s = own_options(t, options, err);
    if (!s) s = open_parts(t, err);
    t->options.good = NULL;
    t->options.good_count = 0;
    t->options.writer = NULL;
    if (s) flaw_talker_close(t);
    else *out = t;
    return s;
}

void flaw_talker_close(flaw_talker *t)
{
    if (!t) return;
    if (t->has_voice) flaw_voiced_close(&t->voiced);
    flaw_remote_restart(&t->remote);
    flaw_inspector_free(t->inspector);
    flaw_engine_close(t->engine);
    flaw_result_release(&t->facts);
    flaw_arena_release(&t->arena);
    free(t);
}

flaw_status flaw_talker_product(flaw_talker *t, const char *object, const char *const *good, size_t good_count,
                                flaw_error *err)
{
    char name[FLAW_OBJECT_ROOM];
    flaw_inspector *inspector = NULL;
    flaw_talk_options o = t->options;
    o.object = object;
    o.good = good;
    o.good_count = good_count;
    flaw_status s = own(&t->arena, &o.object, err);
    if (!s) s = flaw_object_clean(name, o.object, err);
    if (s) return s;
    if (t->has_voice) s = flaw_voiced_product(&t->voiced, &o, name, err);
    else s = new_inspector(&inspector, t->engine, &o, err);
    if (s) return s;
    if (inspector) flaw_inspector_free(t->inspector);
    if (inspector) t->inspector = inspector;
    t->options.object = o.object;
    memcpy(t->object, name, sizeof name);
    t->looking = false;
    flaw_remote_restart(&t->remote);
    return FLAW_OK;
}

const char *flaw_talker_model(const flaw_talker *t)
{
    return t->model;
}

flaw_status flaw_talker_look(flaw_talker *t, const flaw_picture *picture, flaw_error *err)
{
    flaw_result facts = {0};
    flaw_status s = t->has_voice ? flaw_voiced_look(&t->voiced, picture, &facts, err)
                                 : flaw_inspector_judge(t->inspector, picture, &facts, err);
    t->looking = s == FLAW_OK; /* a voice that began to look has lost the picture before */
    flaw_remote_restart(&t->remote);
    if (!s && t->options.brief && !facts.brief && !(facts.brief = strdup(t->options.brief)))
        s = flaw_fail(err, FLAW_NO_MEMORY, "memory for the brief was refused");
    if (s) flaw_result_release(&facts);
    if (s) return s;
    flaw_result_release(&t->facts);
    t->facts = facts;
    return FLAW_OK;
}

flaw_status flaw_talker_look_file(flaw_talker *t, const char *path, flaw_error *err)
{
    flaw_picture picture = {0};
    flaw_status s = flaw_picture_read(&picture, path, err);
    if (!s) s = flaw_talker_look(t, &picture, err);
    flaw_picture_release(&picture);
    return s;
}

void flaw_talker_restart(flaw_talker *t)
{
    if (t->has_voice && t->looking) flaw_voiced_restart(&t->voiced);
    flaw_remote_restart(&t->remote);
}

flaw_status flaw_talker_blindfold(flaw_talker *t, flaw_error *err)
{
    if (!t->looking) return flaw_fail(err, FLAW_USAGE, "there is no picture to talk about yet");
    if (!t->has_voice || t->options.llm)
        return flaw_fail(err, FLAW_UNAVAILABLE, "model '%s' has no voice of its own", t->model);
    flaw_status s = flaw_voiced_blindfold(&t->voiced, err);
    t->looking = s == FLAW_OK;
    return s;
}

const flaw_prompts_about *flaw_talker_prompts(const flaw_talker *t)
{
    return t->inspector ? flaw_inspector_prompts(t->inspector) : NULL;
}

const flaw_result *flaw_talker_facts(const flaw_talker *t)
{
    return t->looking ? &t->facts : NULL;
}

/* Quirk: the published scripts look for two words. */
static void verdict_of_upstream(flaw_answer *out)
{
    out->verdict = strstr(out->text, "Yes") ? FLAW_ANOMALOUS : strstr(out->text, "No") ? FLAW_NORMAL : FLAW_UNKNOWN;
}

static void add_map(const flaw_talker *t, flaw_answer *out)
{
    out->score = t->facts.score;
    out->threshold = t->facts.threshold;
    out->map_verdict = t->facts.verdict;
    bool known = out->verdict != FLAW_UNKNOWN && out->map_verdict != FLAW_UNKNOWN;
    out->agree = known ? out->verdict == out->map_verdict : -1;
}

/* The measured facts in one sentence; what it says is not parsed but known. */
static flaw_status speak_facts(const flaw_talker *t, flaw_talk_words words, void *context, flaw_answer *out,
                               flaw_error *err)
{
    const flaw_result *facts = &t->facts;
    out->text = strdup(facts->words);
    if (!out->text) return flaw_fail(err, FLAW_NO_MEMORY, "memory for an answer was refused");
    out->source = FLAW_TALK_FACTS;
    out->verdict = facts->verdict;
    out->count = facts->verdict == FLAW_UNKNOWN ? -1 : facts->regions;
    for (int i = 0; i < facts->regions; i++) {
        int k = 0;
        while (k < out->places && strcmp(out->place[k], facts->region[i].place) != 0) k++;
        if (k < out->places || k == FLAW_MAX_PLACES) continue;
        snprintf(out->place[out->places++], sizeof out->place[0], "%s", facts->region[i].place);
    }
    if (words) words(context, out->text, strlen(out->text));
    return FLAW_OK;
}

static flaw_status speak(flaw_talker *t, const char *question, flaw_talk_words words, void *context, flaw_answer *out,
                         flaw_error *err)
{
    flaw_status s;
    if (t->options.llm) {
        out->source = FLAW_TALK_ENDPOINT;
        s = flaw_remote_ask(&t->remote, &t->facts, question, words, context, out, err);
    } else {
        out->source = FLAW_TALK_LANGUAGE;
        s = flaw_voiced_ask(&t->voiced, &t->options, question, words, context, &t->facts, out, err);
    }
    if (s) return s;
    flaw_answer_parse_about(out, out->text, t->object);
    if (t->options.upstream_quirks) verdict_of_upstream(out);
    return FLAW_OK;
}

flaw_status flaw_talker_ask(flaw_talker *t, const char *question, flaw_talk_words words, void *context,
                            flaw_answer *out, flaw_error *err)
{
    double start = now_ms();
    flaw_answer answer = {.count = -1};
    flaw_error why = {0};
    flaw_status s = FLAW_OK;
    if (!t->looking) return flaw_fail(err, FLAW_USAGE, "there is no picture to talk about yet");
    if (!question || !question[strspn(question, " \t\r\n")]) return flaw_fail(err, FLAW_USAGE, "the question is empty");
    if (t->options.llm || t->has_voice) s = speak(t, question, words, context, &answer, &why);
    if (s && err) *err = why;
    if (s) {
        flaw_answer_release(&answer);
        if (!t->options.llm) return s;
        answer.count = -1;
        snprintf(answer.note, sizeof answer.note, "the endpoint failed, the measured facts speak: %.400s", why.text);
    } else if (!t->options.llm && !t->has_voice) {
        snprintf(answer.note, sizeof answer.note, "%s", t->note);
    }
    if (!answer.text && speak_facts(t, s ? NULL : words, context, &answer, err)) return FLAW_NO_MEMORY;
    add_map(t, &answer);
    answer.ms = now_ms() - start;
    *out = answer;
    return s;
}
