/* Whole runs of the trainer, small: stopped and resumed gives the bits of a run in one go, the loss falls, a checkpoint
 * becomes a model that opens, and wrong options and files are refused by name. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "flaw/train.h"
#include "model/tower/clip.h"

static char folder[] = "/tmp/flaw-train-XXXXXX";
static char words[4096];

typedef struct watcher {
    int64_t stop_at, seen;
    double first, last;
} watcher;

static void on_report(void *context, const flaw_train_report *r)
{
    watcher *w = context;
    if (w->seen == 0) w->first = r->total;
    w->last = r->total;
    w->seen = r->step;
}

static bool on_stop(void *context)
{
    const watcher *w = context;
    return w->stop_at > 0 && w->seen + 1 >= w->stop_at;
}

static void options_small(flaw_train_options *o, const char *name, char path[4096])
{
    flaw_train_options_init(o);
    snprintf(path, 4096, "%s/%s", folder, name);
    o->folder = path;
    o->words = words;
    o->steps = 6;
    o->pairs = 2;
    o->sentences = 1;
    o->warmup = 2;
    o->scene_window = 8;
    o->text_layers = 1;
    o->log_every = 1;
    o->checkpoint_every = o->evaluate_every = 0;
    o->evaluate_pairs = 2;
    o->threads = 2;
}

static flaw_status run(flaw_train_options *o, watcher *w, flaw_error *err)
{
    flaw_train_callbacks callbacks = {.context = w, .report = on_report, .stop = on_stop};
    return flaw_train_run(o, &callbacks, err);
}

static void read_checkpoint(flaw_bytes *out, const char *path)
{
    char file[4200];
    snprintf(file, sizeof file, "%s/checkpoint.safetensors", path);
    assert_int_equal(flaw_file_read(out, file, 1u << 30, NULL), FLAW_OK);
}

static void test_resume_gives_the_same_bits(void **state)
{
    (void)state;
    flaw_train_options o;
    char whole[4096], parts[4096];
    watcher w = {0};
    options_small(&o, "whole", whole);
    assert_int_equal(run(&o, &w, NULL), FLAW_OK);
    options_small(&o, "parts", parts);
    o.threads = 1; /* and the number of threads does not show either */
    w = (watcher){.stop_at = 3};
    assert_int_equal(run(&o, &w, NULL), FLAW_OK);
    assert_int_equal(w.seen, 3);
    w = (watcher){0};
    assert_int_equal(run(&o, &w, NULL), FLAW_OK);
    assert_int_equal(w.seen, 6);
    flaw_bytes a, b;
    read_checkpoint(&a, whole);
    read_checkpoint(&b, parts);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    flaw_bytes_release(&a);
    flaw_bytes_release(&b);
}

/* Runs after the one above: its bundle opens as a model with both towers. */
static void test_bundle_opens(void **state)
{
    (void)state;
    char path[4200];
    flaw_compute c;
    flaw_clip *m;
    snprintf(path, sizeof path, "%s/whole/model.safetensors", folder);
    assert_int_equal(flaw_compute_open(&c, 1, FLAW_LEVEL_REF, FLAW_F32, NULL), FLAW_OK);
    assert_int_equal(flaw_clip_open(&m, path, &c, NULL), FLAW_OK);
    assert_non_null(m->tokenizer);
    assert_true(m->shape.local_head && m->shape.joint == 256 && m->shape.text_layers == 1);
    assert_int_equal(flaw_tokenizer_vocab(m->tokenizer), m->shape.vocab);
    flaw_clip_close(m);
    flaw_compute_close(&c);
}

/* A run from that bundle keeps its shape and vocabulary whatever the options say; at rate 0 its weights stay, too. */
static void test_start_from_a_bundle(void **state)
{
    (void)state;
    flaw_train_options o;
    flaw_compute c;
    flaw_clip *before, *after;
    char path[4096], start[4200], end[4200];
    watcher w = {0};
    options_small(&o, "onwards", path);
    snprintf(start, sizeof start, "%s/whole/model.safetensors", folder);
    snprintf(end, sizeof end, "%s/model.safetensors", path);
    o.init = start;
    o.text_layers = 2;
    o.merges = 100;
    o.steps = 2;
    o.rate = 0;
    o.first_trained = 6;
    o.weight.distil = 1;
    assert_int_equal(run(&o, &w, NULL), FLAW_OK);
    assert_int_equal(flaw_compute_open(&c, 1, FLAW_LEVEL_REF, FLAW_F32, NULL), FLAW_OK);
    assert_int_equal(flaw_clip_open(&before, start, &c, NULL), FLAW_OK);
    assert_int_equal(flaw_clip_open(&after, end, &c, NULL), FLAW_OK);
    assert_int_equal(after->shape.text_layers, 1);
    assert_int_equal(after->shape.vocab, before->shape.vocab);
    assert_true(after->list.total == before->list.total);
    for (size_t i = 0; i < after->list.total; i++)
        assert_float_equal(after->weights[i], before->weights[i], 1e-6 + 1e-5 * fabs((double)before->weights[i]));
    flaw_clip_close(before);
    flaw_clip_close(after);
    flaw_compute_close(&c);
}

static void open_model(flaw_clip **out, flaw_compute *c, const char *name, char path[4200])
{
    snprintf(path, 4200, "%s/%s", folder, name);
    assert_int_equal(flaw_clip_open(out, path, c, NULL), FLAW_OK);
}

/* The mean of two checkpoints lies between them; one of another model has none. */
static void test_export_of_a_mean(void **state)
{
    (void)state;
    char path[3][4200], other[4096];
    flaw_compute c;
    flaw_clip *model[3];
    flaw_error err;
    flaw_train_options o;
    watcher w = {0};
    snprintf(path[0], 4200, "%s/whole/checkpoint.safetensors", folder);
    snprintf(path[1], 4200, "%s/onwards/checkpoint.safetensors", folder);
    snprintf(path[2], 4200, "%s/parts/model.safetensors", folder);
    const char *both[] = {path[0], path[1]};
    assert_int_equal(flaw_train_export(both, 2, path[2], NULL), FLAW_OK);
    assert_int_equal(flaw_compute_open(&c, 1, FLAW_LEVEL_REF, FLAW_F32, NULL), FLAW_OK);
    static const char *const names[] = {"whole/model.safetensors", "onwards/model.safetensors", "parts/model.safetensors"};
    for (int i = 0; i < 3; i++) open_model(&model[i], &c, names[i], path[i]);
    for (size_t i = 0; i < model[0]->list.total; i++) {
        double mean = ((double)model[0]->weights[i] + (double)model[1]->weights[i]) / 2;
        assert_float_equal(model[2]->weights[i], mean, 0.02 * (fabs(mean) + 0.1)); /* int8 rows */
    }
    for (int i = 0; i < 3; i++) flaw_clip_close(model[i]);
    flaw_compute_close(&c);
    options_small(&o, "refused", other);
    o.text_layers = 2;
    o.steps = 1;
    assert_int_equal(run(&o, &w, NULL), FLAW_OK);
    char first[4200], second[4200];
    snprintf(first, sizeof first, "%s/whole/checkpoint.safetensors", folder);
    snprintf(second, sizeof second, "%s/checkpoint.safetensors", other);
    const char *strangers[] = {first, second};
    assert_int_equal(flaw_train_export(strangers, 2, path[2], &err), FLAW_USAGE);
    assert_non_null(strstr(err.text, "vocabulary"));
    unlink(second);
}

static void test_loss_falls(void **state)
{
    (void)state;
    flaw_train_options o;
    char path[4096];
    watcher w = {0};
    options_small(&o, "falls", path);
    o.steps = 16;
    o.scene_fresh = 0.01; /* the same few subjects again and again */
    o.scene_window = 2;
    o.rate = 1e-3f;
    assert_int_equal(run(&o, &w, NULL), FLAW_OK);
    print_message("loss %.3f to %.3f\n", w.first, w.last);
    assert_true(w.last < 0.9 * w.first);
}

static void refused(flaw_train_options *o, flaw_status status, const char *names)
{
    flaw_error err;
    watcher w = {0};
    assert_int_equal(run(o, &w, &err), status);
    if (!strstr(err.text, names)) print_message("message: %s\n", err.text);
    assert_non_null(strstr(err.text, names));
}

static void test_refusals(void **state)
{
    (void)state;
    flaw_train_options o;
    char path[4096];
    options_small(&o, "whole", path); /* holds a finished run */
    o.seed = 99;
    refused(&o, FLAW_USAGE, "seed");
    options_small(&o, "whole", path);
    o.joint = 128;
    refused(&o, FLAW_USAGE, "shape");
    options_small(&o, "refused", path);
    o.pairs = 0;
    refused(&o, FLAW_USAGE, "pairs");
    options_small(&o, "refused", path);
    o.words = "/nowhere/words.txt";
    refused(&o, FLAW_MISSING, "/nowhere/words.txt");
    options_small(&o, "refused", path);
    o.source[0] = (flaw_train_source){.folder = folder, .prefix = "no-such-", .weight = 1};
    o.sources = 1;
    refused(&o, FLAW_MISSING, "no photographs");
    flaw_error err;
    const char *const wrong = words;
    assert_int_equal(flaw_train_export(&wrong, 1, "/nowhere/model", &err), FLAW_BAD_DATA);
    assert_int_equal(flaw_train_export(NULL, 0, "/nowhere/model", &err), FLAW_USAGE);
}

static int set_up(void **state)
{
    (void)state;
    const char *source = getenv("FLAW_SOURCE");
    snprintf(words, sizeof words, "%s/models/words.txt", source ? source : ".");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    const char *const runs[] = {"whole", "parts", "onwards", "falls", "refused"}, *const files[] = {"checkpoint", "model"};
    char path[4200];
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 2; k++) {
            snprintf(path, sizeof path, "%s/%s/%s.safetensors", folder, runs[i], files[k]);
            unlink(path);
        }
        snprintf(path, sizeof path, "%s/%s", folder, runs[i]);
        rmdir(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume_gives_the_same_bits),
        cmocka_unit_test(test_bundle_opens),
        cmocka_unit_test(test_start_from_a_bundle),
        cmocka_unit_test(test_export_of_a_mean),
        cmocka_unit_test(test_loss_falls),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
