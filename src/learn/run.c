#include "learn/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"

double flaw_run_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void flaw_run_note(const flaw_run_talk *talk, const char *format, ...)
{
    char line[512];
    if (!talk->note) return;
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    talk->note(talk->context, line);
}

flaw_status flaw_run_path(char out[FLAW_RUN_PATH], const char *folder, const char *name, flaw_error *err)
{
    if ((size_t)snprintf(out, FLAW_RUN_PATH, "%s/%s", folder, name) < FLAW_RUN_PATH) return FLAW_OK;
    return flaw_fail(err, FLAW_USAGE, "training: the folder's name is longer than %zu bytes", FLAW_RUN_PATH - strlen(name) - 2);
}

static bool due(int64_t every, int64_t step)
{
    return every > 0 && step % every == 0;
}

static flaw_status loop(const flaw_run *r, const flaw_run_steps *s, void *trainer, const char *checkpoint, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    bool stopped = false;
    while (*r->step < r->steps && !stopped && !status) {
        status = s->step(trainer, err);
        if (status) break;
        stopped = r->talk.stop && r->talk.stop(r->talk.context);
        bool last = stopped || *r->step >= r->steps;
        if (s->report && (due(r->log_every, *r->step) || last)) status = s->report(trainer, err);
        if (!status && s->evaluate && (due(r->evaluate_every, *r->step) || (last && r->evaluate_every > 0)))
            status = s->evaluate(trainer, err);
        if (!status && (due(r->checkpoint_every, *r->step) || last)) status = s->save(trainer, checkpoint, err);
    }
    return status;
}

flaw_status flaw_run_all(const flaw_run *r, const flaw_run_steps *s, void *trainer, flaw_error *err)
{
    char checkpoint[FLAW_RUN_PATH], bundle[FLAW_RUN_PATH];
    flaw_status status = flaw_run_path(checkpoint, r->folder, "checkpoint.safetensors", err);
    if (!status) status = flaw_run_path(bundle, r->folder, "model.safetensors", err);
    if (!status) status = flaw_file_make_folder(r->folder, err);
    if (!status && flaw_file_exists(checkpoint)) {
        status = s->load(trainer, checkpoint, err);
        if (!status) flaw_run_note(&r->talk, "going on from %s, step %lld", checkpoint, (long long)*r->step);
    }
    if (!status) status = loop(r, s, trainer, checkpoint, err);
    if (!status) status = s->finish(trainer, checkpoint, bundle, err);
    if (!status) flaw_run_note(&r->talk, "wrote %s", bundle);
    return status;
}
