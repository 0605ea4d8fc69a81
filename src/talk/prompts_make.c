/* flaw_prompts_make: the cache, else a language model, asked for both states alike until the lists are full; else, when
 * that is wanted, what was there before. */
#include "talk/prompts_make.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/line.h"
#include "base/sha256.h"
#include "talk/brief.h"
#include "talk/prompts_query.h"
#include "talk/prompts_writer.h"

#define TIMEOUT 60.0
#define MOST_FILE ((size_t)4 << 20)

void flaw_prompts_defaults(flaw_prompts_options *options)
{
    *options = (flaw_prompts_options){.top_p = 1, .llm_timeout = TIMEOUT};
}

static bool is_inside(const flaw_prompts_options *o)
{
    return !o->llm && !o->file && (!o->llm_model || !*o->llm_model || !strcmp(o->llm_model, "inside"));
}

static const char *source_of(const flaw_prompts_options *o)
{
    if (o->file) return o->file;
    if (o->llm) return o->llm;
    return is_inside(o) ? "inside" : o->llm_model;
}

static flaw_status check_options(flaw_prompts_options *o, flaw_error *err)
{
    if (!o->count) o->count = o->file ? FLAW_SIFT_MOST : FLAW_PROMPTS_COUNT;
    if (!(o->llm_timeout > 0)) o->llm_timeout = TIMEOUT;
    if (!(o->top_p > 0)) o->top_p = 1;
    if (o->llm_model && !*o->llm_model) o->llm_model = NULL;
    if (o->count < FLAW_SIFT_LEAST || o->count > FLAW_SIFT_MOST)
        return flaw_fail(err, FLAW_USAGE, "%d sentences of each state were asked for, allowed are %d to %d", o->count,
                         FLAW_SIFT_LEAST, FLAW_SIFT_MOST);
    if (o->file && (o->llm || o->llm_model))
        return flaw_fail(err, FLAW_USAGE, "%s: sentences of a file and of a language model at once", o->file);
    if (o->temperature == 0) o->seed = 0; /* nothing is drawn */
    if (o->file || is_inside(o)) o->cache = NULL; /* at hand at any time, and the same each time */
    if (!(o->temperature >= 0 && isfinite(o->temperature)) || o->top_p > 1 || o->threads < 0)
        return flaw_fail(err, FLAW_USAGE,
                         "%d threads, temperature %g, top-p %g: allowed are at least 0, 0, and values in (0, "
                         "1]", o->threads,
                         o->temperature, o->top_p);
    return FLAW_OK;
}

/* Everything that the answer follows from. The date is not part of it: an answer stays good. */
static flaw_status make_key(flaw_making *m, flaw_error *err)
{
    const flaw_prompts_options *o = &m->options;
    flaw_buffer b;
    flaw_buffer_init(&b, 1 << 18);
    flaw_buffer_printf(&b, "flaw-prompts 1\n%s\n%s\n%s\n%d %.9g %.9g %llu\n%s\n%s\n%s", m->object, m->source,
                       o->llm && o->llm_model ? o->llm_model : "", o->count, o->temperature, o->top_p, o->seed,
                       flaw_query_system(), m->question[0].data, m->question[1].data);
    if (!b.failed) flaw_sha256_hex(b.data, b.size, m->key.hex);
    flaw_status s = b.failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for a question was refused") : FLAW_OK;
    flaw_buffer_release(&b);
    flaw_cache_slug(m->key.slug, m->object);
    return s;
}

static flaw_status prepare(flaw_making *m, const flaw_prompts_options *options, flaw_error *err)
{
    *m = (flaw_making){.options = *options};
    for (int c = 0; c < 2; c++) flaw_buffer_init(&m->question[c], 1 << 16);
    flaw_status s = check_options(&m->options, err);
    if (!s && (!options->object || !*options->object))
        s = flaw_fail(err, FLAW_USAGE, "sentences about what? The object has no name");
    if (!s) s = flaw_object_clean(m->object, options->object, err);
    if (!s && options->brief) s = flaw_brief_clean(&m->brief, options->brief, strlen(options->brief), "brief", err);
    if (s) return s;
    flaw_sift_init(&m->sift, m->object, m->options.count);
    const char *source = source_of(options);
    flaw_line_clean(m->source, sizeof m->source, source, strlen(source));
    for (int c = 0; c < 2; c++)
        flaw_query_say(&m->question[c], c, m->object, m->options.count, m->brief, NULL, 0, "");
    if (m->question[0].failed || m->question[1].failed || m->sift.report.failed)
        return flaw_fail(err, FLAW_NO_MEMORY, "memory for a question was refused");
    time_t now = time(NULL);
    struct tm day;
    if (gmtime_r(&now, &day)) strftime(m->date, sizeof m->date, "%Y-%m-%d", &day);
    return make_key(m, err);
}

static void release(flaw_making *m)
{
    free(m->brief);
    for (int c = 0; c < 2; c++) flaw_buffer_release(&m->question[c]);
    flaw_sift_release(&m->sift);
}

static void tell(const flaw_making *m, int side)
{
    char what[400];
    if (!m->options.tell) return;
    snprintf(what, sizeof what, "asking %.150s about the %s %.90s (question %d)", m->source, flaw_query_states[side],
             m->object, m->asked + 1);
    m->options.tell(m->options.context, what);
}

/* One question about a side that is not full; what comes back is read and sifted. */
static flaw_status ask(flaw_making *m, flaw_writer *w, int side, flaw_error *err)
{
    int have = m->sift.count[side];
    flaw_buffer user, reply;
    flaw_sentences sentences;
    tell(m, side);
    flaw_buffer_init(&user, 1 << 17);
    flaw_buffer_init(&reply, 1 << 24);
    flaw_buffer_text(&reply, "");
    flaw_query_say(&user, side, m->object, m->options.count - have, m->brief, m->sift.text[side], have,
                   flaw_sift_worst(&m->sift, side));
    const flaw_wanted wanted = {.side = side,
                                .count = m->options.count - have,
                                .object = m->object,
                                .brief = m->brief,
                                .have = m->sift.text[side],
                                .have_count = have,
                                .system = flaw_query_system(),
                                .user = user.data};
    flaw_status s = user.failed || reply.failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for a question was refused")
                                                : w->write(w, &wanted, &reply, err);
    m->asked++;
    if (!s) s = flaw_sentences_read(&sentences, reply.data, reply.size, side, err);
    if (!s) {
        m->sift.offered[side] += (int)sentences.dropped;
        s = flaw_sift_add(&m->sift, &sentences, err);
        flaw_sentences_release(&sentences);
    }
    flaw_buffer_release(&user);
    flaw_buffer_release(&reply);
    return s;
}

/* A side is asked for again while that brings something, but for one time. */
static flaw_status fill(flaw_making *m, flaw_writer *w, flaw_error *err)
{
    int idle[2] = {0, 0};
    flaw_status s = FLAW_OK;
    for (int round = 0; !s && round < FLAW_PROMPTS_ASKS; round++)
        for (int side = 0; !s && side < 2; side++) {
            int before = m->sift.count[side];
            if (before >= m->options.count || idle[side] > 1) continue;
            s = ask(m, w, side, err);
            idle[side] += m->sift.count[side] == before;
        }
    return s;
}

/* Both lists must be worth the name. */
static flaw_status check_lists(const flaw_making *m, flaw_error *err)
{
    for (int side = 0; side < 2; side++) {
        if (m->sift.count[side] >= FLAW_SIFT_LEAST) continue;
        const char *worst = flaw_sift_worst(&m->sift, side);
        return flaw_fail(err, FLAW_BAD_DATA, "%s: of %d sentences for the %s %.60s %d can be used, needed are %d%s%s",
                         m->source, m->sift.offered[side], flaw_query_states[side], m->object, m->sift.count[side],
                         FLAW_SIFT_LEAST, *worst ? "; most often: " : "", worst);
    }
    return FLAW_OK;
}

/* The entry of a prompt file that serves the object, as if it had been answered. */
static flaw_status take_entry(flaw_making *m, const flaw_prompt_set *set, flaw_error *err)
{
    flaw_buffer list;
    flaw_sentences sentences;
    flaw_status s = FLAW_OK;
    snprintf(m->model, sizeof m->model, "%s", set->model);
    if (*set->date) snprintf(m->date, sizeof m->date, "%s", set->date);
    for (int side = 0; !s && side < 2; side++) {
        flaw_buffer_init(&list, 1 << 20);
        for (int i = 0; i < set->count[side]; i++) flaw_buffer_printf(&list, "- %s\n", set->text[side][i]);
        s = list.failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused")
                        : flaw_sentences_read(&sentences, list.data, list.size, side, err);
        if (!s) s = flaw_sift_add(&m->sift, &sentences, err);
        if (!s) flaw_sentences_release(&sentences);
        flaw_buffer_release(&list);
    }
    return s;
}

static flaw_status read_file(flaw_making *m, flaw_error *err)
{
    flaw_bytes bytes;
    flaw_prompt_set set = {.count = {0, 0}};
    flaw_sentences sentences;
    flaw_status s = flaw_file_read(&bytes, m->options.file, MOST_FILE, err);
    if (s) return s;
    const char *text = (const char *)bytes.data;
    if (memmem(text, bytes.size, "\"flaw-prompts\"", 14)) {
        s = flaw_prompts_parse(&set, text, bytes.size, m->options.file, m->object, err);
        if (!s) s = take_entry(m, &set, err);
        if (set.count[0]) flaw_prompts_release(&set);
    } else {
        s = flaw_sentences_read(&sentences, text, bytes.size, 0, err);
        if (!s) s = flaw_sift_add(&m->sift, &sentences, err);
        if (!s) flaw_sentences_release(&sentences);
    }
    flaw_bytes_release(&bytes);
    return s;
}

static flaw_status ask_model(flaw_making *m, flaw_error *err)
{
    flaw_writer w = {0};
    flaw_status s = m->options.llm           ? flaw_writer_endpoint(&w, &m->options, err)
                    : is_inside(&m->options) ? flaw_writer_inside(&w, &m->options, err)
                                             : flaw_writer_local(&w, &m->options, err);
    if (!s) s = fill(m, &w, err);
    flaw_line_clean(m->model, sizeof m->model, w.model, strlen(w.model));
    flaw_writer_close(&w);
    return s;
}

static flaw_status write_lists(flaw_making *m, flaw_prompts *out, flaw_error *err)
{
    flaw_status s = m->options.file ? read_file(m, err) : ask_model(m, err);
    if (!s) s = check_lists(m, err);
    if (s) return s;
    const int *have = m->sift.count, wanted = m->options.file ? 0 : m->options.count;
    if (have[0] != have[1])
        snprintf(out->about.note, sizeof out->about.note, "%d normal and %d abnormal sentences, cut to equal numbers",
                 have[0], have[1]);
    else if (have[0] < wanted)
        snprintf(out->about.note, sizeof out->about.note, "%d sentences of each state instead of %d", have[0], wanted);
    flaw_sift_balance(&m->sift);
    out->json = flaw_making_file(m);
    if (!out->json) return flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused");
    flaw_error why;
    if (m->options.cache && flaw_cache_keep(m->options.cache, &m->key, m->date, out->json, &why))
        snprintf(out->about.note, sizeof out->about.note, "not kept in the cache: %.400s", why.text);
    return FLAW_OK;
}

/* From the cache, and why when not. */
static flaw_status from_cache(const flaw_making *m, flaw_prompts *out, flaw_error *err)
{
    if (!m->options.cache) return flaw_fail(err, FLAW_MISSING, "there is no cache");
    flaw_status s = flaw_cache_find(&out->json, m->options.cache, &m->key, m->object, err);
    out->about.cached = s == FLAW_OK;
    return s;
}

/* In this order: cache, model, cache after all, built-in sentences. */
static flaw_status make(flaw_making *m, flaw_prompts *out, flaw_error *err)
{
    flaw_error cache = {0}, why = {0};
    const flaw_prompts_options *o = &m->options;
    bool offline = o->offline && o->llm;
    if ((!o->refresh || offline) && from_cache(m, out, &cache) == FLAW_OK) return FLAW_OK;
    flaw_status s =
        offline ? flaw_fail(&why, FLAW_UNAVAILABLE, "%.100s is not asked (offline), and %.300s", o->llm, cache.text)
                : write_lists(m, out, &why);
    if (!s) {
        if (cache.status == FLAW_BAD_DATA && !*out->about.note)
            snprintf(out->about.note, sizeof out->about.note, "asked anew, for the cache is broken: %.400s",
                     cache.text);
        return FLAW_OK;
    }
    if (s == FLAW_USAGE || s == FLAW_NO_MEMORY) return flaw_fail(err, s, "%s", why.text);
    if (o->refresh && !offline && from_cache(m, out, NULL) == FLAW_OK) {
        snprintf(out->about.note, sizeof out->about.note, "the cache stands in: %.440s", why.text);
        return FLAW_OK;
    }
    if (!o->fallback || flaw_making_builtin(&out->json, m, &cache)) return flaw_fail(err, s, "%s", why.text);
    snprintf(out->about.note, sizeof out->about.note, "the built-in sentences stand in: %.440s", why.text);
    return FLAW_OK;
}

flaw_status flaw_prompts_make(flaw_prompts *out, const flaw_prompts_options *options, flaw_error *err)
{
    flaw_making m;
    flaw_prompts made = {0};
    flaw_status s = prepare(&m, options, err);
    if (!s) s = make(&m, &made, err);
    if (m.sift.report.data) {
        made.report = m.sift.report.data; /* the caller's now */
        m.sift.report = (flaw_buffer){0};
    }
    if (!s) flaw_about_read(&made.about, made.json);
    release(&m);
    *out = made;
    return s;
}

flaw_status flaw_prompts_write(const char *path, const flaw_prompts *prompts, flaw_error *err)
{
    return flaw_file_write(path, prompts->json, strlen(prompts->json), err);
}

void flaw_prompts_free(flaw_prompts *prompts)
{
    free(prompts->json);
    free(prompts->report);
    *prompts = (flaw_prompts){0};
}
