/* Who writes sentences, from the command line. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* XDG base directory specification: a path that is not absolute does not count. NULL: none (*status tells why). */
static char *cache_folder(const cli_settings *s, flaw_status *status, flaw_error *err)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int size = 0;
    if (s->prompt_cache && strcmp(s->prompt_cache, "none") == 0) return NULL;
    if (s->prompt_cache) size = asprintf(&path, "%s", s->prompt_cache);
    else if (xdg && *xdg == '/') size = asprintf(&path, "%s/flaw/prompts", xdg);
    else if (home && *home == '/') size = asprintf(&path, "%s/.cache/flaw/prompts", home);
    if (size >= 0) return path;
    *status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for a path");
    return NULL;
}

/* A line on the terminal that the next one takes the place of. */
static void tell(void *context, const char *what)
{
    const bool terminal = isatty(STDERR_FILENO);
    if (terminal) fputs("\r\033[K", stderr);
    cli_print_safe(stderr, what);
    if (!terminal) fputc('\n', stderr);
    fflush(stderr);
}

void cli_writing_clear(const cli_writing *w)
{
    if (w->options.tell && w->wanted && isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
}

static bool shows_progress(const cli_settings *s)
{
    if (s->progress && strcmp(s->progress, "auto") != 0) return strcmp(s->progress, "always") == 0;
    return isatty(STDERR_FILENO);
}

flaw_status cli_writing_begin(cli_writing *out, const cli_settings *s, bool speaks, flaw_error *err)
{
    const char *key = s->llm_key_env ? s->llm_key_env : "FLAW_LLM_KEY";
    bool asked = s->prompts && strcmp(s->prompts, "llm") == 0;
    flaw_status status = FLAW_OK;
    *out = (cli_writing){.wanted = asked || (!speaks && !s->prompts && (s->llm || s->llm_model))};
    flaw_prompts_defaults(&out->options);
    if (!speaks && s->prompts && !asked && (s->llm || s->llm_model))
        return flaw_fail(err, FLAW_USAGE, "--prompts '%s': sentences of a file and of a language model at once",
                         s->prompts);
    if (s->brief) status = flaw_brief_read(&out->brief, s->brief, err);
    flaw_prompts_options *o = &out->options;
    o->object = s->object;
    if (s->prompt_count) o->count = (int)s->prompt_count;
    o->brief = out->brief;
    o->llm = s->llm;
    o->llm_model = s->llm_model;
    o->llm_key = s->llm ? getenv(key) : NULL;
    o->llm_timeout = s->llm_timeout;
    o->threads = (int)s->threads;
    o->level = s->level;
    o->offline = s->offline;
    o->refresh = s->refresh;
    if (shows_progress(s)) o->tell = tell;
    o->fallback = s->prompts_fallback;
    if (status == FLAW_OK) o->cache = out->cache = cache_folder(s, &status, err);
    return status;
}

void cli_writing_end(cli_writing *w)
{
    cli_writing_clear(w);
    free(w->brief);
    free(w->cache);
    *w = (cli_writing){.wanted = false};
}

void cli_tell_prompts(const flaw_prompts_about *about, const cli_writing *w)
{
    if (!w->wanted || !about || !(about->count || *about->note)) return;
    cli_writing_clear(w);
    if (!about->count) {
        fprintf(stderr, "flaw: prompts: %s\n", about->note);
        return;
    }
    fputs("flaw: prompts: ", stderr);
    fprintf(stderr, "%d + %d sentences by ", about->count, about->count);
    cli_print_safe(stderr, *about->model ? about->model : "somebody unknown");
    fputs(" (", stderr);
    cli_print_safe(stderr, about->source);
    fputs("), written ", stderr);
    cli_print_safe(stderr, *about->date ? about->date : "some time");
    fputs(about->cached ? ", from the cache" : "", stderr);
    if (about->cut) fprintf(stderr, "; %d are longer than the text tower reads and were cut", about->cut);
    if (*about->note) fputs("; ", stderr);
    cli_print_safe(stderr, about->note);
    fputc('\n', stderr);
}
