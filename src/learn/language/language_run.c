/* Training of the language model as the loop (run.c) sees it: steps, reports, held-out figures, checkpoints, the curve. */
#include "learn/language/language_run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/curve.h"
#include "model/language/language_config.h"
#include "model/bundle/language_part.h"

enum { HISTORY_STEP, HISTORY_LOSS, HISTORY_HELD_OUT, HISTORY_COLUMNS };

static flaw_schedule schedule_of(const flaw_language_train_options *o)
{
    return (flaw_schedule){.peak = o->rate, .floor = o->rate * 0.01f, .warmup = o->warmup, .steps = o->steps};
}

/* The batch of the step that comes: it depends on the seed and the step alone. Returns its targets. */
static int draw(flaw_language_trainer *t)
{
    const flaw_language_train_options *o = t->options;
    int targets = 0;
    flaw_random random;
    flaw_random_init(&random, o->seed, 1 + (uint64_t)t->step);
    for (int i = 0; i < o->rows; i++)
        flaw_corpus_draw_row(&t->texts, &random, o->context, t->ids + (ptrdiff_t)i * o->context,
                             t->target + (ptrdiff_t)i * o->context);
    for (int i = 0; i < o->rows * o->context; i++) targets += t->target[i] >= 0;
    return targets;
}

static flaw_language_batch part_of(const flaw_language_trainer *t, int first, int rows)
{
    ptrdiff_t at = (ptrdiff_t)first * t->options->context;
    return (flaw_language_batch){.n = rows, .tokens = t->options->context, .ids = t->ids + at, .target = t->target + at};
}

static flaw_status step(void *trainer, flaw_error *err)
{
    flaw_language_trainer *t = trainer;
    const flaw_language_train_options *o = t->options;
    flaw_schedule schedule = schedule_of(o);
    double start = flaw_run_seconds(), sum = 0;
    int targets = draw(t);
    double drawn = flaw_run_seconds();
    flaw_status status = flaw_language_train_pack(&t->train, &t->compute, err);
    if (status) return status;
    for (int first = 0; first < o->rows; first += o->part) {
        flaw_language_batch batch = part_of(t, first, o->rows - first < o->part ? o->rows - first : o->part);
        sum += flaw_language_train_step(&t->compute, &t->train, &batch, 1.0f / (float)targets).sum;
    }
    double norm = flaw_optimiser_step(&t->compute, &t->optimiser, &t->moments, flaw_schedule_rate(&schedule, t->step),
                                      t->step + 1);
    t->step++;
    if (!isfinite(sum)) return flaw_fail(err, FLAW_INTERNAL, "step %lld: the loss is not finite", (long long)t->step);
    flaw_language_progress *p = &t->progress;
    double seconds = flaw_run_seconds() - start;
    p->loss += sum / targets;
    p->norm += norm;
    p->seconds += seconds;
    p->data_seconds += drawn - start;
    p->all_seconds += seconds;
    p->tokens += targets;
    p->steps++;
    p->all_steps++;
    return FLAW_OK;
}

static flaw_status note_history(flaw_language_trainer *t, int column, double value, flaw_error *err)
{
    float row[HISTORY_COLUMNS] = {(float)t->step, NAN, NAN};
    row[column] = (float)value;
    return flaw_history_add(&t->history, row, err);
}

static flaw_status report(void *trainer, flaw_error *err)
{
    flaw_language_trainer *t = trainer;
    const flaw_language_train_options *o = t->options;
    flaw_language_progress p = t->progress;
    flaw_schedule schedule = schedule_of(o);
    if (!p.steps) return FLAW_OK;
    flaw_language_train_report r = {.step = t->step, .steps = o->steps, .loss = p.loss / (double)p.steps,
                              .norm = p.norm / (double)p.steps, .rate = (double)flaw_schedule_rate(&schedule, t->step),
                              .tokens_per_second = (double)p.tokens / p.seconds, .data_share = p.data_seconds / p.seconds,
                              .seconds_left = p.all_seconds / (double)p.all_steps * (double)(o->steps - t->step)};
    t->progress = (flaw_language_progress){.all_seconds = p.all_seconds, .all_steps = p.all_steps};
    if (t->callbacks && t->callbacks->report) t->callbacks->report(t->callbacks->context, &r);
    return note_history(t, HISTORY_LOSS, r.loss, err);
}

static void held_out(flaw_language_trainer *t, flaw_language_train_figures *f)
{
    const flaw_language_train_options *o = t->options;
    flaw_language_loss sum = {0};
    size_t next = 0;
    for (bool more = true; more;) {
        int rows = 0;
        while (rows < o->part && more) {
            ptrdiff_t at = (ptrdiff_t)rows * o->context;
            more = flaw_corpus_next_row(&t->held_out, &next, o->context, t->ids + at, t->target + at);
            rows += more;
        }
        if (!rows) break;
        flaw_language_batch batch = part_of(t, 0, rows);
        flaw_language_loss loss = flaw_language_train_evaluate(&t->compute, &t->train, &batch);
        sum.sum += loss.sum;
        sum.targets += loss.targets;
        sum.right += loss.right;
    }
    *f = (flaw_language_train_figures){.step = t->step, .loss = sum.sum / sum.targets,
                                 .right = (double)sum.right / sum.targets, .tokens = sum.targets};
}

/* The averaged weights take the place of the others, or go back. */
static void exchange(flaw_language_trainer *t)
{
    size_t bytes = t->model->list.total * sizeof(float);
    memcpy(t->kept, t->model->weights, bytes);
    memcpy(t->model->weights, t->moments.average, bytes);
}

static void change_back(flaw_language_trainer *t)
{
    memcpy(t->model->weights, t->kept, t->model->list.total * sizeof(float));
}

static flaw_status write_curve(const flaw_language_trainer *t, flaw_error *err)
{
    char path[FLAW_RUN_PATH];
    size_t rows = t->history.rows;
    double *room = calloc(rows + 1, 4 * sizeof *room);
    if (!room) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a curve of %zu values", rows);
    flaw_curve_series s[] = {{.name = "training", .x = room, .y = room + rows},
                             {.name = "held-out texts", .x = room + 2 * rows, .y = room + 3 * rows, .marks = true}};
    s[0].count = flaw_history_column(&t->history, HISTORY_LOSS, room, room + rows);
    s[1].count = flaw_history_column(&t->history, HISTORY_HELD_OUT, room + 2 * rows, room + 3 * rows);
    flaw_curve curve = {.title = "Language model: loss per token", .x_name = "steps", .logarithmic = true, .series = s, .count = 2};
    flaw_status status = flaw_run_path(path, t->options->folder, "loss.png", err);
    if (!status) status = flaw_curve_write(path, &curve, err);
    free(room);
    return status;
}

static flaw_status evaluate(void *trainer, flaw_error *err)
{
    flaw_language_trainer *t = trainer;
    flaw_language_train_figures figures;
    exchange(t);
    flaw_status status = flaw_language_train_pack(&t->train, &t->compute, err);
    if (!status) held_out(t, &figures);
    change_back(t);
    if (status) return status;
    if (t->callbacks && t->callbacks->figures) t->callbacks->figures(t->callbacks->context, &figures);
    status = note_history(t, HISTORY_HELD_OUT, figures.loss, err);
    return status ? status : write_curve(t, err);
}

static flaw_status with_checkpoint(flaw_language_trainer *t, const char *path,
                                   flaw_status (*use)(const flaw_checkpoint *, const char *, flaw_error *),
                                   flaw_error *err)
{
    size_t total = t->model->list.total;
    const flaw_checkpoint_array array[] = {{"average", t->moments.average, total}, {"m", t->moments.m, total},
                                           {"v", t->moments.v, total}, {"weights", t->moments.w, total}};
    const flaw_language_config config = {.shape = t->model->shape, .bos = t->model->bos, .eos = t->model->eos};
    const flaw_language_train_options *o = t->options;
    char seed[32], batch[80];
    flaw_buffer shape;
    snprintf(seed, sizeof seed, "%" PRIu64, o->seed);
    snprintf(batch, sizeof batch, "%d rows of %d tokens, %d at a time, %s", o->rows, o->context, o->part,
             o->float32 ? "f32" : "bf16");
    flaw_buffer_init(&shape, 1u << 20);
    flaw_language_config_write(&shape, &config);
    const flaw_checkpoint_fact fact[] = {{"language", shape.data, "shape of the model"},
                                         {"vocabulary", t->vocabulary, "vocabulary"}, {"seed", seed, "seed"},
                                         {"texts", t->read, "texts (of --dialogue, --dialogues or --texts)"},
                                         {"batch", batch, "batch"}};
    const flaw_checkpoint c = {.array = array, .arrays = 4, .fact = fact, .facts = 5, .step = &t->step, .history = &t->history};
    flaw_status status = shape.failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory for a checkpoint") : use(&c, path, err);
    flaw_buffer_release(&shape);
    return status;
}

static flaw_status save(void *trainer, const char *path, flaw_error *err)
{
    return with_checkpoint(trainer, path, flaw_checkpoint_save, err);
}

static flaw_status load(void *trainer, const char *path, flaw_error *err)
{
    return with_checkpoint(trainer, path, flaw_checkpoint_load, err);
}

static flaw_status finish(void *trainer, const char *checkpoint, const char *bundle, flaw_error *err)
{
    flaw_language_trainer *t = trainer;
    char card[160];
    (void)checkpoint;
    snprintf(card, sizeof card, "{\"made by\":\"flaw train language\",\"steps\":%" PRId64 ",\"seed\":%" PRIu64 "}",
             t->step, t->options->seed);
    exchange(t);
    flaw_status status = flaw_language_bundle_write(bundle, t->model, FLAW_KEEP_INT8, card, err);
    change_back(t);
    return status ? status : write_curve(t, err);
}

static const flaw_run_steps steps = {step, report, evaluate, save, load, finish};

flaw_status flaw_language_train_run(const flaw_language_train_options *o,
                                    const flaw_language_train_callbacks *callbacks, flaw_error *err)
{
    flaw_language_trainer t;
    flaw_status status = flaw_language_trainer_open(&t, o, callbacks, err);
    if (status) return status;
    t.history.columns = HISTORY_COLUMNS;
    const flaw_run run = {.folder = o->folder, .talk = t.talk, .step = &t.step, .steps = o->steps,
                          .log_every = o->log_every, .checkpoint_every = o->checkpoint_every,
                          .evaluate_every = t.held_out.count ? o->evaluate_every : 0};
    status = flaw_run_all(&run, &steps, &t, err);
    flaw_language_trainer_close(&t);
    return status;
}
