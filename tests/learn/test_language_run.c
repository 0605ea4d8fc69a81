/* A language model's training as a whole: it learns, a run that was killed goes on with the same bits, what it writes
 * opens and speaks, wrong input is told. */
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/file.h"
#include "check.h"
#include "flaw/train_language.h"
#include "learn/language/corpus.h"
#include "model/language/language.h"

typedef struct seen {
    int reports, figures, stop_after;
    double first, last, held_out;
} seen;

static void report(void *context, const flaw_language_train_report *r)
{
    seen *s = context;
    if (!s->reports++) s->first = r->loss;
    s->last = r->loss;
    assert_true(r->tokens_per_second > 0 && r->seconds_left >= 0 && r->data_share < 1);
}

static void figures(void *context, const flaw_language_train_figures *f)
{
    seen *s = context;
    s->figures++;
    s->held_out = f->loss;
    assert_true(f->tokens > 0 && f->right >= 0 && f->right <= 1);
}

static bool stop(void *context)
{
    seen *s = context;
    return s->stop_after && s->reports >= s->stop_after;
}

/* Sentences with a rule, so that there is something to learn. */
static void write_texts(const char *path)
{
    static const char *const thing[] = {"bolt", "cup", "wheel", "leather bag"}, *const place[] = {"left", "right",
                                                                                                  "top"};
    flaw_error err;
    flaw_buffer b;
    flaw_buffer_init(&b, 1u << 20);
    for (int i = 0; i < 400; i++) {
        const char *t = thing[i % 4], *p = place[i / 4 % 3];
        flaw_buffer_printf(&b, "### Human: Is the scratch of the %s on the %s?\n", t, p);
        flaw_buffer_printf(&b, "### Assistant: The %s has it on the %s.\n###\n\n", t, p);
    }
    assert_ok(flaw_file_write(path, b.data, b.size, &err));
    flaw_buffer_release(&b);
}

static flaw_language_train_options tiny(const char *folder, const char *text)
{
    flaw_language_train_options o;
    flaw_language_train_options_init(&o);
    o.folder = folder;
    o.dialogue = "";
    o.text = text;
    o.steps = 30;
    o.rows = 6;
    o.part = 4;
    o.vocab = 420;
    o.width = 32;
    o.layers = 2;
    o.heads = 2;
    o.kv_heads = 1;
    o.hidden = 48;
    o.context = 64;
    o.warmup = 5;
    o.rate = 1e-2f;
    o.threads = 1;
    o.log_every = 5;
    o.checkpoint_every = 10;
    o.evaluate_every = 15;
    return o;
}

static void same_files(const char *a, const char *b)
{
    flaw_bytes x, y;
    flaw_error err;
    assert_ok(flaw_file_read(&x, a, 1u << 26, &err));
    assert_ok(flaw_file_read(&y, b, 1u << 26, &err));
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    flaw_bytes_release(&x);
    flaw_bytes_release(&y);
}

/* In a child that is killed as soon as there is a checkpoint: no chance to tidy up. */
static void run_and_kill(const flaw_language_train_options *o, const char *checkpoint)
{
    int state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        flaw_error err;
        flaw_language_train_run(o, NULL, &err);
        _exit(0);
    }
    while (!flaw_file_exists(checkpoint)) usleep(500);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &state, 0), child);
}

static void test_learns_and_goes_on(void **state)
{
    char text[512], whole[512], cut[512], path[512];
    flaw_error err;
    write_texts(in_folder(text, *state, "texts.txt"));
    flaw_language_train_options o = tiny(in_folder(whole, *state, "whole"), text);
    seen s = {0};
    const flaw_language_train_callbacks c = {&s, NULL, report, figures, stop};
    assert_ok(flaw_language_train_run(&o, &c, &err));
    assert_int_equal(s.reports, 6);
    assert_int_equal(s.figures, 2);
    assert_true(s.first > 4 && s.last < 0.6 * s.first && s.held_out < s.first);

    o.folder = in_folder(cut, *state, "cut");
    run_and_kill(&o, in_folder(path, *state, "cut/checkpoint.safetensors"));
    s = (seen){.stop_after = 1};
    o.threads = 2; /* threads show in no bit */
    assert_ok(flaw_language_train_run(&o, &c, &err)); /* stops after its next report */
    s = (seen){0};
    assert_ok(flaw_language_train_run(&o, &c, &err));
    in_folder(whole, *state, "whole/model.safetensors");
    same_files(whole, in_folder(path, *state, "cut/model.safetensors"));

    flaw_compute compute;
    flaw_language *m;
    assert_ok(flaw_compute_open(&compute, 1, FLAW_LEVEL_AUTO, FLAW_F32, &err));
    assert_ok(flaw_language_open(&m, path, FLAW_KEEP_FILE, NULL, &compute, &err));
    assert_int_equal(m->shape.context, 64);
    assert_non_null(m->pieces);
    flaw_language_close(m);
    flaw_compute_close(&compute);
    assert_true(flaw_file_exists(in_folder(path, *state, "cut/loss.png")));

    o.rows = 5;
    assert_int_equal(flaw_language_train_run(&o, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "its batch is 6 rows of 64 tokens, 4 at a time, bf16, that of this run is 5 rows");
    o.rows = 6;
    o.context = 48;
    assert_int_equal(flaw_language_train_run(&o, NULL, &err), FLAW_USAGE);
    o.context = 64;
    flaw_bytes once;
    assert_ok(flaw_file_read(&once, text, 1u << 20, &err));
    FILE *twice = fopen(text, "a"); /* every word twice as often: the same vocabulary */
    assert_non_null(twice);
    assert_int_equal(fwrite(once.data, 1, once.size, twice), once.size);
    fclose(twice);
    flaw_bytes_release(&once);
    assert_int_equal(flaw_language_train_run(&o, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "its texts (of --dialogue");
    write_texts(text);
    o.steps++;
    assert_ok(flaw_language_train_run(&o, NULL, &err)); /* longer is allowed */

    o.width = 64; /* another model: the checkpoint is not for it */
    assert_int_equal(flaw_language_train_run(&o, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "shape of the model");
}

static void test_refusals(void **state)
{
    char text[512], folder[512];
    flaw_error err;
    write_texts(in_folder(text, *state, "texts.txt"));
    flaw_language_train_options o = tiny(NULL, text);
    assert_int_equal(flaw_language_train_run(&o, NULL, &err), FLAW_USAGE);
    o.folder = in_folder(folder, *state, "run");
    o.text = NULL;
    assert_int_equal(flaw_language_train_run(&o, NULL, &err), FLAW_USAGE);
    o.text = "no/such/file";
    assert_int_equal(flaw_language_train_run(&o, NULL, &err), FLAW_MISSING);
    o.text = text;
    o.heads = 3;
    assert_int_equal(flaw_language_train_run(&o, NULL, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "heads");
}

/* Rows hold whole texts, each with all its targets but the first token, in any order of drawing. */
static void test_corpus_rows(void **state)
{
    enum { T = 12 };
    flaw_error err;
    flaw_corpus c = {0};
    flaw_random r;
    int32_t ids[T], target[T];
    static const int length[] = {5, 1, 13, 20, 3, 4, 7};
    flaw_random_init(&r, 1, 0);
    for (int i = 0; i < 7; i++) {
        assert_ok(flaw_corpus_begin(&c, &err));
        for (int k = 0; k < length[i]; k++) assert_ok(flaw_corpus_put(&c, 100 * i + k, &err));
    }
    assert_int_equal(c.count, 7);
    size_t next = 0;
    int rows = 0, targets = 0;
    while (flaw_corpus_next_row(&c, &next, T, ids, target)) {
        rows++;
        for (int t = 0; t < T; t++) {
            targets += target[t] >= 0;
            if (target[t] >= 0) assert_int_equal(target[t], ids[t] + 1);
        }
    }
    assert_int_equal(next, 7);
    assert_int_equal(rows, 4);                 /* 4; 12; 12 of 19; 2 + 3 + 6 */
    assert_int_equal(targets, 4 + 12 + 12 + 11);
    for (int i = 0; i < 200; i++) {
        flaw_corpus_draw_row(&c, &r, T, ids, target);
        assert_true(ids[0] % 100 == 0 && target[0] == ids[0] + 1);
        for (int t = 1; t < T && target[t] >= 0; t++)
            assert_true(target[t] == ids[t] + 1 && (ids[t] % 100 == 0 || ids[t] == ids[t - 1] + 1));
    }
    flaw_corpus_release(&c);
    flaw_corpus_draw_row(&c, &r, T, ids, target); /* nothing to draw from: padding */
    assert_true(target[0] == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus_rows),
        cmocka_unit_test_setup_teardown(test_learns_and_goes_on, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_refusals, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
