/* Training of APRIL-GAN as the loop (run.c) sees it. Pictures follow from the seed and the step, so a checkpoint holds
 * the weights and moments only. */
#include "learn/voice/april_train.h"

#include <inttypes.h>

#include "base/buffer.h"
#include "model/voice/decoder.h"

static flaw_status step(void *trainer, flaw_error *err)
{
    return flaw_april_step(trainer, err);
}

static flaw_status report(void *trainer, flaw_error *err)
{
    flaw_april_trainer *t = trainer;
    const flaw_april_train_options *o = t->options;
    flaw_april_values v = t->values;
    (void)err;
    if (!v.steps) return FLAW_OK;
    double steps = (double)v.steps;
    flaw_april_train_report r = {.step = t->step,
                                 .steps = o->steps,
                                 .focal = v.focal / steps,
                                 .dice = v.dice / steps,
                                 .norm = v.norm / steps,
                                 .rate = (double)flaw_april_rate(o, t->step),
                                 .samples_per_second = steps * o->batch / v.seconds,
                                 .data_share = v.data_seconds / v.seconds,
                                 .seconds_left = v.all_seconds / (double)v.all_steps * (double)(o->steps - t->step)};
    t->values = (flaw_april_values){.all_seconds = v.all_seconds, .all_steps = v.all_steps};
    if (t->callbacks && t->callbacks->report) t->callbacks->report(t->callbacks->context, &r);
    return FLAW_OK;
}

static flaw_status evaluate(void *trainer, flaw_error *err)
{
    flaw_april_trainer *t = trainer;
    flaw_april_train_figures f;
    flaw_status s = flaw_april_evaluate(t, &f, err);
    if (!s && t->callbacks && t->callbacks->figures) t->callbacks->figures(t->callbacks->context, &f);
    return s;
}

/* The options that decide what is learnt, and the towers it is learnt on. */
static void write_options(flaw_buffer *out, const flaw_april_trainer *t)
{
    const flaw_april_train_options *o = t->options;
    char hash[65];
    flaw_clip_hash(t->towers, &t->compute, hash);
    flaw_buffer_printf(out,
                       "towers %s seed %" PRIu64 " steps %" PRId64 " warmup %" PRId64 " batch %d window %d fresh %.9g",
                       hash, o->seed, o->steps, o->warmup, o->batch, o->window, o->fresh);
    flaw_buffer_printf(out, " rate %.9g decay %.9g clip %.9g focal %.9g dice %.9g scenes %.9g photographs %zu %s",
                       (double)o->rate, (double)o->decay, (double)o->clip, (double)o->focal, (double)o->dice,
                       o->scene_share, t->photos.count, o->float32 ? "f32" : "bf16");
}

static flaw_status keep(flaw_april_trainer *t, const char *path, bool read, flaw_error *err)
{
    flaw_buffer text;
    size_t count = t->decoder->list.total;
    flaw_buffer_init(&text, 65536);
    write_options(&text, t);
    const flaw_checkpoint_array array[] = {{"decoder.weights", t->moments.w, count},
                                           {"decoder.m", t->moments.m, count},
                                           {"decoder.v", t->moments.v, count}};
    const flaw_checkpoint_fact fact[] = {{"options", text.data, "options"}};
    const flaw_checkpoint c = {.array = array, .arrays = 3, .fact = fact, .facts = 1, .step = &t->step};
    flaw_status s = text.failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory for a checkpoint") : FLAW_OK;
    if (!s) s = read ? flaw_checkpoint_load(&c, path, err) : flaw_checkpoint_save(&c, path, err);
    flaw_buffer_release(&text);
    return s;
}

static flaw_status save(void *trainer, const char *path, flaw_error *err)
{
    return keep(trainer, path, false, err);
}

static flaw_status load(void *trainer, const char *path, flaw_error *err)
{
    return keep(trainer, path, true, err);
}

static flaw_status finish(void *trainer, const char *checkpoint, const char *bundle, flaw_error *err)
{
    const flaw_april_trainer *t = trainer;
    (void)checkpoint;
    return flaw_decoder_write(bundle, t->decoder, FLAW_STORE_I8, err);
}

flaw_status flaw_april_train_run(const flaw_april_train_options *options, const flaw_april_train_callbacks *callbacks,
                                 flaw_error *err)
{
    static const flaw_run_steps steps = {step, report, evaluate, save, load, finish};
    flaw_april_trainer t;
    flaw_status s = flaw_april_trainer_open(&t, options, callbacks, err);
    if (s) return s;
    flaw_run run = {.folder = options->folder,
                    .talk = t.talk,
                    .step = &t.step,
                    .steps = options->steps,
                    .log_every = options->log_every,
                    .checkpoint_every = options->checkpoint_every,
                    .evaluate_every = options->evaluate_every};
    s = flaw_run_all(&run, &steps, &t, err);
    flaw_april_trainer_close(&t);
    return s;
}
