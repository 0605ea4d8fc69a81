/* flaw simulate: a data set of simulated anomalies from pictures of good parts. */
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/simulate.h"

typedef struct work {
    cli_progress progress;
    flaw_error first; /* of pictures that could not be read */
    size_t unreadable;
} work;

static int step(void *context, size_t done, size_t total, const char *what)
{
    work *w = context;
    return cli_progress_step(&w->progress, done, total, what);
}

static void unreadable(void *context, const flaw_error *err)
{
    work *w = context;
    cli_progress_clear(&w->progress);
    cli_report(err);
    w->unreadable++;
    if (w->first.status == FLAW_OK) w->first = *err;
}

static void print_summary(const cli_settings *s, const flaw_simulate_summary *m)
{
    cli_print_safe(stdout, s->out);
    printf(": %d simulated from %d good pictures, %d more to compare with\n", m->simulated, m->test, m->train);
    if (m->unplaced) printf("%d left out: no patch of them shows\n", m->unplaced);
}

static int write_set(const cli_settings *s, const cli_pictures *good, const cli_pictures *source)
{
    bool both = s->blend && strcmp(s->blend, "both") == 0, paste = both || (s->blend && strcmp(s->blend, "paste") == 0);
    work w = {.progress = cli_progress_begin(s)};
    const flaw_simulate_set set = {.good = (const char *const *)good->path,
                                   .good_count = good->count,
                                   .source = (const char *const *)source->path,
                                   .source_count = source->count,
                                   .object = s->object,
                                   .count = (int)s->count,
                                   .poisson = both || !paste,
                                   .paste = paste,
                                   .most_patches = (int)s->most,
                                   .seed = (unsigned long long)s->seed,
                                   .progress = step,
                                   .unreadable = unreadable,
                                   .context = &w};
    flaw_error err;
    flaw_simulate_summary summary;
    flaw_status status = flaw_simulate_write(&summary, s->out, &set, &err);
    cli_progress_clear(&w.progress);
    if (status != FLAW_OK && w.unreadable == good->count) return flaw_status_exit(w.first.status); /* all is said */
    if (status != FLAW_OK) return cli_report(&err);
    print_summary(s, &summary);
    return flaw_status_exit(w.first.status);
}

int cmd_simulate(const cli_settings *s)
{
    if (!s->arguments.count)
        return cli_wrong_use("simulate: no pictures of good parts; usage: flaw simulate PICTURE|FOLDER... --out DIR");
    if (!s->out)
        return cli_wrong_use("simulate: no folder to write to; usage: flaw simulate PICTURE|FOLDER... --out DIR");
    cli_pictures good = {0}, source = {0};
    for (size_t i = 0; i < s->arguments.count; i++) cli_pictures_add(&good, s->arguments.value[i]);
    for (size_t i = 0; i < s->source.count; i++) cli_pictures_add(&source, s->source.value[i]);
    flaw_status fault = good.first.status ? good.first.status : source.first.status;
    int exit = flaw_status_exit(fault);
    if (good.count && (source.count || !s->source.count)) {
        int written = write_set(s, &good, &source);
        if (written) exit = written;
    }
    cli_pictures_release(&good);
    cli_pictures_release(&source);
    return exit;
}
