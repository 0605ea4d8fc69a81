/* Training of APRIL-GAN: a run that was stopped goes on with the same bits in any number of threads, another run is
 * refused, what it writes opens, and the loss falls. That the losses and the gradient are right: check_voice.py, which
 * is the same arithmetic against PyTorch. */
#include "../model/tiny.h"

#include <math.h>

#include "flaw/train_april.h"
#include "model/voice/decoder.h"

typedef struct watch {
    int64_t stop_at;
    double first, last;
    int reports, figures;
} watch;

static void on_report(void *context, const flaw_april_train_report *r)
{
    watch *w = context;
    w->last = r->focal + r->dice;
    if (!w->reports++) w->first = w->last;
    assert_true(isfinite(w->last) && r->samples_per_second > 0);
    if (r->step == w->stop_at) w->stop_at = -1;
}

static void on_figures(void *context, const flaw_april_train_figures *f)
{
    ((watch *)context)->figures++;
    assert_int_equal(f->pictures, 4);
    assert_true(f->image >= 0 && f->image <= 1 && f->pixel > 0 && f->pixel <= 1);
}

static bool on_stop(void *context)
{
    return ((watch *)context)->stop_at == -1;
}

static flaw_april_train_options small_run(const char *folder)
{
    flaw_april_train_options o;
    flaw_april_train_options_init(&o);
    o.folder = folder;
    o.steps = 6;
    o.warmup = 1;
    o.batch = 3;
    o.window = 2;
    o.fresh = 0;
    o.rate = 3e-3f;
    o.threads = 2;
    o.float32 = true;
    o.log_every = 1;
    o.evaluate_every = 3;
    o.evaluate_pairs = 2;
    return o;
}

static void test_resume(void **state)
{
    char whole[512], halves[512], a[600], b[600];
    flaw_error err = {0};
    watch first = {.stop_at = 0}, second = {.stop_at = 2};
    flaw_april_train_callbacks callbacks = {.context = &first, .report = on_report, .figures = on_figures, .stop = on_stop};
    flaw_april_train_options o = small_run(in_folder(whole, *state, "whole"));
    assert_ok(flaw_april_train_run(&o, &callbacks, &err));
    assert_true(first.last < first.first);
    assert_int_equal(first.figures, 2);
    callbacks.context = &second;
    o.folder = in_folder(halves, *state, "halves");
    o.threads = 1;
    assert_ok(flaw_april_train_run(&o, &callbacks, &err));
    assert_true(second.reports < 6);
    second.stop_at = 0;
    assert_ok(flaw_april_train_run(&o, &callbacks, &err));
    assert_int_equal(second.reports, 6);
    snprintf(a, sizeof a, "%s/model.safetensors", whole);
    snprintf(b, sizeof b, "%s/model.safetensors", halves);
    same_file(a, b);
    o.seed = 9;
    assert_int_equal(flaw_april_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "options");
    flaw_clip_shape towers = {.joint = 256, .grid = 14, .side = 224, .image = {.width = 192}};
    flaw_voice *d = NULL;
    assert_ok(flaw_decoder_open(&d, b, &towers, &err));
    assert_true(d->shape.stage_norm && !d->shape.fused && d->shape.scale == 30.0f);
    flaw_voice_close(d);
}

static void test_refused(void **state)
{
    flaw_error err = {0};
    char folder[512];
    in_folder(folder, *state, "none");
    flaw_april_train_options o = small_run(folder);
    o.batch = 0;
    assert_int_equal(flaw_april_train_run(&o, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "batch");
    o = small_run(NULL);
    assert_int_equal(flaw_april_train_run(&o, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "folder");
    o = small_run(folder);
    o.model = "/nowhere/model";
    assert_int_equal(flaw_april_train_run(&o, NULL, &err), FLAW_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_resume, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_refused, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
