/* Training of a voice as the loop (run.c) sees it: steps, reports, figures, checkpoints, the curve, the bundle. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/curve.h"
#include "learn/voice/voice_train_state.h"
#include "model/voice/voice_read.h"

static flaw_status step(void *trainer, flaw_error *err)
{
    return flaw_voice_step(trainer, err);
}

static flaw_status report(void *trainer, flaw_error *err)
{
    flaw_voice_trainer *t = trainer;
    const flaw_voice_train_options *o = t->options;
    flaw_voice_values v = t->values;
    if (!v.steps) return FLAW_OK;
    double targets = v.targets ? (double)v.targets : 1, pictures = v.pictures ? (double)v.pictures : NAN;
    flaw_voice_train_report r = {.step = t->step, .steps = o->steps, .words = v.words / targets, .right = v.right / targets,
                                 .focal = v.focal / pictures, .dice = v.dice / pictures, .norm = v.norm / (double)v.steps,
                                 .rate = (double)flaw_voice_rate(o, t->step),
                                 .samples_per_second = (double)v.steps * o->batch * o->accumulate / v.seconds,
                                 .data_share = v.data_seconds / v.seconds,
                                 .seconds_left = v.all_seconds / (double)v.all_steps * (double)(o->steps - t->step)};
    t->values = (flaw_voice_values){.all_seconds = v.all_seconds, .all_steps = v.all_steps};
    if (t->callbacks && t->callbacks->report) t->callbacks->report(t->callbacks->context, &r);
    const float row[HISTORY_COLUMNS] = {(float)t->step, (float)r.words, (float)(1 - r.right), (float)r.focal, (float)r.dice, NAN};
    return flaw_history_add(&t->history, row, err);
}

static flaw_status evaluate(void *trainer, flaw_error *err)
{
    flaw_voice_trainer *t = trainer;
    flaw_voice_train_figures f;
    flaw_status status = flaw_voice_evaluate(t, &f, err);
    if (status) return status;
    if (t->callbacks && t->callbacks->figures) t->callbacks->figures(t->callbacks->context, &f);
    const float row[HISTORY_COLUMNS] = {(float)t->step, NAN, NAN, NAN, NAN, (float)(1 - f.yes_no)};
    return flaw_history_add(&t->history, row, err);
}

static flaw_status draw_curve(const flaw_voice_trainer *t, flaw_error *err)
{
    static const char *const name[HISTORY_COLUMNS] = {[HISTORY_WORDS] = "answers: nats a token", [HISTORY_WRONG] = "tokens wrong",
                                                      [HISTORY_FOCAL] = "map: focal", [HISTORY_DICE] = "map: dice",
                                                      [HISTORY_FALSE] = "held out: yes or no wrong"};
    enum { COUNT = HISTORY_COLUMNS - 1 };
    char path[FLAW_RUN_PATH];
    size_t rows = t->history.rows;
    double *room = calloc(rows + 1, 2 * COUNT * sizeof *room);
    if (!room) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a curve of %zu values", rows);
    flaw_curve_series s[COUNT];
    for (int i = 0; i < COUNT; i++) {
        double *x = room + 2 * (size_t)i * rows;
        s[i] = (flaw_curve_series){.name = name[i + 1], .x = x, .y = x + rows, .marks = i + 1 == HISTORY_FALSE};
        s[i].count = flaw_history_column(&t->history, i + 1, x, x + rows);
    }
    flaw_curve curve = {.title = "Training of a voice", .x_name = "steps", .logarithmic = true, .series = s, .count = COUNT};
    flaw_status status = flaw_run_path(path, t->options->folder, "loss.png", err);
    if (!status) status = flaw_curve_write(path, &curve, err);
    free(room);
    return status;
}

static flaw_status save(void *trainer, const char *path, flaw_error *err)
{
    flaw_status status = flaw_voice_save(trainer, path, err);
    return status ? status : draw_curve(trainer, err);
}

static flaw_status load(void *trainer, const char *path, flaw_error *err)
{
    return flaw_voice_load(trainer, path, err);
}

static flaw_status finish(void *trainer, const char *checkpoint, const char *bundle, flaw_error *err)
{
    const flaw_voice_trainer *t = trainer;
    (void)checkpoint;
    return flaw_voice_bundle_write(bundle, t->voice, t->language, FLAW_STORE_F16, FLAW_KEEP_F32, NULL, err);
}

flaw_status flaw_voice_train_run(const flaw_voice_train_options *options, const flaw_voice_train_callbacks *callbacks,
                                 flaw_error *err)
{
    static const flaw_run_steps steps = {step, report, evaluate, save, load, finish};
    flaw_voice_trainer t;
    flaw_status status = flaw_voice_trainer_open(&t, options, callbacks, err);
    if (status) return status;
    flaw_run run = {.folder = options->folder, .talk = t.talk, .step = &t.step, .steps = options->steps,
                    .log_every = options->log_every, .checkpoint_every = options->checkpoint_every,
                    .evaluate_every = options->evaluate_every};
    status = flaw_run_all(&run, &steps, &t, err);
    flaw_voice_trainer_close(&t);
    return status;
}
