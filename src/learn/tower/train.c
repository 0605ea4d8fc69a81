/* Training of the small CLIP as the loop (run.c) sees it. */
#include <math.h>

#include "learn/tower/train_state.h"

/* Sums since the last report. */
typedef struct progress {
    flaw_loss_values loss;
    double norm, data_seconds, seconds, flops;
    int64_t steps, pictures;
    double all_seconds; /* of this run, for the time left */
    int64_t all_steps;
} progress;

typedef struct training {
    flaw_trainer t;
    progress p;
} training;

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

static flaw_status report(void *trainer, flaw_error *err)
{
    training *g = trainer;
    const flaw_trainer *t = &g->t;
    progress *p = &g->p;
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
    (void)err;
    return FLAW_OK;
}

static flaw_status step(void *trainer, flaw_error *err)
{
    training *g = trainer;
    flaw_loss_values loss;
    double norm, seconds[2];
    flaw_status status = flaw_train_step(&g->t, &loss, &norm, seconds, err);
    if (!status) add(&g->p, &g->t, &loss, norm, seconds);
    return status;
}

static flaw_status evaluate(void *trainer, flaw_error *err)
{
    flaw_trainer *t = &((training *)trainer)->t;
    flaw_train_figures figures;
    flaw_status status = flaw_train_evaluate(t, &figures, err);
    if (!status && t->callbacks && t->callbacks->figures) t->callbacks->figures(t->callbacks->context, &figures);
    return status;
}

static flaw_status save(void *trainer, const char *path, flaw_error *err)
{
    return flaw_train_save(&((training *)trainer)->t, path, err);
}

static flaw_status load(void *trainer, const char *path, flaw_error *err)
{
    return flaw_train_load(&((training *)trainer)->t, path, err);
}

static flaw_status finish(void *trainer, const char *checkpoint, const char *bundle, flaw_error *err)
{
    (void)trainer;
    return flaw_train_export(&checkpoint, 1, bundle, err);
}

static const flaw_run_steps steps = {step, report, evaluate, save, load, finish};

flaw_status flaw_train_run(const flaw_train_options *o, const flaw_train_callbacks *callbacks, flaw_error *err)
{
    training g = {.p = {.steps = 0}};
    flaw_status status = flaw_trainer_open(&g.t, o, callbacks, err);
    if (status) return status;
    const flaw_run run = {.folder = o->folder, .talk = g.t.talk, .step = &g.t.step, .steps = o->steps,
                          .log_every = o->log_every, .checkpoint_every = o->checkpoint_every,
                          .evaluate_every = o->evaluate_every};
    status = flaw_run_all(&run, &steps, &g, err);
    flaw_trainer_close(&g.t);
    return status;
}
