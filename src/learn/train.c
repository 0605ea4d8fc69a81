/* The loop of training: steps, reports, evaluations, checkpoints. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "learn/train_state.h"

/* Sums since the last report. */
typedef struct progress {
    flaw_loss_values loss;
    double norm, data_seconds, seconds, flops;
    int64_t steps, pictures;
    double all_seconds; /* of this run, for the time left */
    int64_t all_steps;
} progress;

static void add(progress *p, const flaw_trainer *t, const flaw_loss_values *loss, double norm, const double seconds[2])
{
    p->loss.contrast += loss->contrast;
    p->loss.state += loss->state;
    p->loss.peak += loss->peak;
    p->loss.local += loss->local;
    p->loss.dice += loss->dice;
    p->loss.distil += loss->distil;
    p->loss.total += loss->total;
    p->norm += norm;
    p->data_seconds += seconds[0];
    p->seconds += seconds[1];
    p->all_seconds += seconds[1];
    p->flops += flaw_train_step_flops(t);
    p->steps++;
    p->all_steps++;
    p->pictures += t->batch.pictures;
}

static void report(const flaw_trainer *t, progress *p)
{
    const flaw_train_options *o = t->options;
    double n = (double)p->steps;
    flaw_schedule schedule = {.peak = o->rate, .floor = o->rate * 0.01f, .warmup = o->warmup, .steps = o->steps};
    flaw_train_report r = {.step = t->step, .steps = o->steps, .contrast = p->loss.contrast / n, .state = p->loss.state / n,
                           .peak = p->loss.peak / n, .local = p->loss.local / n, .dice = p->loss.dice / n,
                           .distil = p->loss.distil / n, .total = p->loss.total / n, .norm = p->norm / n,
                           .scale = exp((double)t->model.w.logit_scale[0]), .rate = (double)flaw_schedule_rate(&schedule, t->step),
                           .pictures_per_second = (double)p->pictures / p->seconds, .gflops = p->flops / p->seconds * 1e-9,
                           .data_share = p->data_seconds / p->seconds,
                           .seconds_left = p->all_seconds / (double)p->all_steps * (double)(o->steps - t->step)};
    progress kept = {.all_seconds = p->all_seconds, .all_steps = p->all_steps};
    *p = kept;
    if (t->callbacks && t->callbacks->report) t->callbacks->report(t->callbacks->context, &r);
}

static flaw_status evaluate(flaw_trainer *t, flaw_error *err)
{
    flaw_train_figures figures;
    flaw_status status = flaw_train_evaluate(t, &figures, err);
    if (!status && t->callbacks && t->callbacks->figures) t->callbacks->figures(t->callbacks->context, &figures);
    return status;
}

static bool due(int64_t every, int64_t step)
{
    return every > 0 && step % every == 0;
}

static flaw_status loop(flaw_trainer *t, const char *checkpoint, flaw_error *err)
{
    const flaw_train_options *o = t->options;
    progress p = {0};
    flaw_status status = FLAW_OK;
    bool stopped = false;
    while (t->step < o->steps && !stopped && !status) {
        flaw_loss_values loss;
        double norm, seconds[2];
        status = flaw_train_step(t, &loss, &norm, seconds, err);
        if (status) break;
        add(&p, t, &loss, norm, seconds);
        stopped = t->callbacks && t->callbacks->stop && t->callbacks->stop(t->callbacks->context);
        bool last = stopped || t->step == o->steps;
        if (due(o->log_every, t->step) || last) report(t, &p);
        if (due(o->checkpoint_every, t->step) || last) status = flaw_train_save(t, checkpoint, err);
        if (!status && (due(o->evaluate_every, t->step) || (last && o->evaluate_every > 0))) status = evaluate(t, err);
    }
    return status;
}

flaw_status flaw_train_run(const flaw_train_options *options, const flaw_train_callbacks *callbacks, flaw_error *err)
{
    flaw_trainer t;
    char checkpoint[4096], bundle[4096];
    flaw_status status = flaw_trainer_open(&t, options, callbacks, err);
    if (status) return status;
    size_t room = sizeof checkpoint;
    if ((size_t)snprintf(checkpoint, room, "%s/checkpoint.safetensors", options->folder) >= room ||
        (size_t)snprintf(bundle, room, "%s/model.safetensors", options->folder) >= room)
        status = flaw_fail(err, FLAW_USAGE, "training: the folder's name is longer than %zu bytes", room - 32);
    if (!status) status = flaw_file_make_folder(options->folder, err);
    if (!status && flaw_file_exists(checkpoint)) {
        status = flaw_train_load(&t, checkpoint, err);
        if (!status) flaw_train_note(callbacks, "going on from %s, step %lld", checkpoint, (long long)t.step);
    }
    if (!status) status = loop(&t, checkpoint, err);
    flaw_trainer_close(&t);
    const char *const last = checkpoint;
    if (!status) status = flaw_train_export(&last, 1, bundle, err);
    if (!status) flaw_train_note(callbacks, "wrote %s", bundle);
    return status;
}
