/* The road on the tiny CLIP of the tree: from pictures to verdicts, and never "normal" on doubt. */
#include "check.h"

#include "talk/words.h"

static flaw_engine *engine;

static flaw_inspector *open_few_shot(const good_files *good, double threshold)
{
    flaw_inspector *in = NULL;
    flaw_inspect_options o;
    flaw_error err = {0};
    flaw_inspect_defaults(&o);
    o.object = "printed_cloth";
    o.good = good->path;
    o.good_count = good->count;
    o.threshold = threshold;
    assert_ok(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err));
    return in;
}

/* A good part passes, a part with a green disc at its upper left does not, and the region lies there. */
static void test_good_and_bad(void **state)
{
    good_files good;
    flaw_result r;
    flaw_error err = {0};
    draw_good(&good, *state, 6);
    flaw_inspector *in = open_few_shot(&good, NAN);
    assert_contains(flaw_inspector_about(in), "6 good parts");
    flaw_picture fine = draw(48, 40, 500, 0), bad = draw(48, 40, 501, 9);
    assert_ok(flaw_inspector_judge(in, &fine, &r, &err));
    assert_int_equal(r.verdict, FLAW_NORMAL);
    assert_int_equal(r.regions, 0);
    assert_string_equal(r.rule, "good-parts");
    assert_string_equal(r.method, "few-shot");
    assert_string_equal(r.object, "printed cloth");
    assert_true(r.false_alarm_rate >= 1.0 / 7 - 1e-9 && r.false_alarm_rate < 1);
    for (int i = 0; i < 48 * 40; i++) assert_true(r.map[i] <= r.map_threshold); /* nothing red on a good part */
    flaw_result_release(&r);
    assert_ok(flaw_inspector_judge(in, &bad, &r, &err));
    assert_int_equal(r.verdict, FLAW_ANOMALOUS);
    assert_true(r.score > r.threshold && r.regions >= 1 && r.width == 48 && r.height == 40);
    const flaw_region *g = &r.region[0];
    assert_true(g->x <= 14 && g->y <= 12 && g->x + g->width > 14 && g->y + g->height > 12);
    assert_contains(r.words, "printed cloth looks anomalous");
    assert_contains(r.words, g->place);
    assert_true(r.ms > 0);
    flaw_result_release(&r);
    flaw_picture_release(&fine);
    flaw_picture_release(&bad);
    flaw_inspector_free(in);
}

/* The same picture gives the same bits again, after others, and by another inspector with more threads. */
static void test_repeatable(void **state)
{
    good_files good;
    flaw_result a, b;
    flaw_error err = {0};
    draw_good(&good, *state, 3);
    flaw_picture p = draw(60, 50, 7, 5), between = draw(20, 90, 8, 0);
    flaw_inspector *in = open_few_shot(&good, NAN), *other = open_few_shot(&good, NAN);
    assert_ok(flaw_inspector_judge(in, &p, &a, &err));
    assert_ok(flaw_inspector_judge(in, &between, &b, &err));
    flaw_result_release(&b);
    for (int i = 0; i < 2; i++) {
        assert_ok(flaw_inspector_judge(i ? other : in, &p, &b, &err));
        assert_true(a.score == b.score && a.threshold == b.threshold);
        assert_memory_equal(a.map, b.map, 60 * 50 * sizeof(float));
        flaw_result_release(&b);
    }
    flaw_result_release(&a);
    flaw_picture_release(&p);
    flaw_picture_release(&between);
    flaw_inspector_free(in);
    flaw_inspector_free(other);
}

static void test_user_threshold(void **state)
{
    good_files good;
    flaw_result r;
    flaw_error err = {0};
    draw_good(&good, *state, 2);
    flaw_picture p = draw(48, 40, 9, 0);
    for (int strict = 0; strict < 2; strict++) {
        flaw_inspector *in = open_few_shot(&good, strict ? -1 : 5);
        assert_ok(flaw_inspector_judge(in, &p, &r, &err));
        assert_int_equal(r.verdict, strict ? FLAW_ANOMALOUS : FLAW_NORMAL);
        assert_string_equal(r.rule, "user");
        assert_true(r.threshold == (strict ? -1 : 5) && isnan(r.false_alarm_rate));
        flaw_result_release(&r);
        flaw_inspector_free(in);
    }
    flaw_picture_release(&p);
}

/* Without good parts: the two-sided text decision, with the sentence that fits best. */
static void test_zero_shot(void **state)
{
    flaw_inspector *in = NULL;
    flaw_inspect_options o;
    flaw_result r;
    flaw_error err = {0};
    flaw_inspect_defaults(&o);
    o.object = "pcb2";
    assert_ok(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err));
    assert_contains(flaw_inspector_about(in), "No good parts");
    flaw_picture p = draw(40, 40, 3, 4);
    assert_ok(flaw_inspector_judge(in, &p, &r, &err));
    assert_int_equal(r.verdict, r.score > 0.5 ? FLAW_ANOMALOUS : FLAW_NORMAL);
    assert_true(r.threshold == 0.5 && isnan(r.false_alarm_rate));
    assert_string_equal(r.rule, "text");
    assert_string_equal(r.method, "alfa");
    assert_string_equal(r.object, "printed circuit board");
    assert_contains(r.closest, "printed circuit board");
    flaw_result_release(&r);
    flaw_picture_release(&p);
    flaw_inspector_free(in);
}

/* Extremes of size: 1 x 1, a line, crop and squash; maps have the picture's size and finite values. */
static void test_sizes(void **state)
{
    static const int sizes[][2] = {{1, 1}, {3, 1}, {1, 700}, {2000, 2}, {33, 31}};
    good_files good;
    flaw_error err = {0};
    draw_good(&good, *state, 2);
    for (int crop = 0; crop < 2; crop++) {
        flaw_inspector *in = NULL;
        flaw_inspect_options o;
        flaw_inspect_defaults(&o);
        o.good = good.path;
        o.good_count = 2;
        o.fit = crop ? "crop" : "squash";
        assert_ok(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err));
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            flaw_result r;
            int w = sizes[i][0], h = sizes[i][1], shorter = w < h ? w : h;
            flaw_picture p = draw(w, h, 4, 0);
            assert_ok(flaw_inspector_judge(in, &p, &r, &err));
            assert_int_not_equal(r.verdict, FLAW_UNKNOWN);
            assert_true(r.width == w && r.height == h);
            for (int k = 0; k < w * h; k++) assert_true(isfinite(r.map[k]));
            if (!crop) assert_true(r.unseen == 0);
            else assert_true(fabs(r.unseen - (1 - (double)shorter * shorter / ((double)w * h))) < 0.15);
            flaw_result_release(&r);
            flaw_picture_release(&p);
        }
        flaw_inspector_free(in);
    }
}

/* Any number that is not finite on the way: unknown, with the reason, and nothing of a verdict. */
static void check_unknown(flaw_engine *broken, const flaw_inspect_options *o, float *weight)
{
    flaw_inspector *in = NULL;
    flaw_result r;
    flaw_error err = {0};
    assert_ok(flaw_inspector_new(&in, broken, o, NULL, NULL, &err));
    flaw_picture p = draw(40, 40, 3, 0);
    const float kept = *weight, values[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        *weight = values[i];
        assert_ok(flaw_inspector_judge(in, &p, &r, &err));
        assert_int_equal(r.verdict, FLAW_UNKNOWN);
        assert_string_equal(r.rule, "doubt");
        assert_contains(r.doubt, "finite");
        assert_contains(r.words, "No verdict");
        assert_true(isnan(r.score) && r.regions == 0);
        flaw_result_release(&r);
    }
    *weight = kept;
    assert_ok(flaw_inspector_judge(in, &p, &r, &err));
    assert_int_not_equal(r.verdict, FLAW_UNKNOWN);
    flaw_result_release(&r);
    flaw_picture_release(&p);
    flaw_inspector_free(in);
}

static void test_not_finite(void **state)
{
    good_files good;
    draw_good(&good, *state, 3);
    flaw_inspect_options o;
    flaw_inspect_defaults(&o);
    for (int m = 0; m < flaw_method_count(); m++) {
        flaw_engine *broken = needs_default(m) ? open_engine("") : open_tiny_engine("open_clip");
        o.method = flaw_method_name(m);
        o.method_options = quick_options(flaw_method_at(m));
        o.good = good.path;
        o.good_count = 3; /* MuSc compares three pictures at least */
        check_unknown(broken, &o, &broken->model->view.position[100]);
        check_unknown(broken, &o, &broken->model->view.cls[3]);
        flaw_engine_close(broken);
    }
}

/* A memory that is not finite is found when it is learnt, and the file is named. */
static void test_broken_good_part(void **state)
{
    good_files good;
    draw_good(&good, *state, 2);
    flaw_engine *broken = open_tiny_engine("open_clip");
    flaw_inspector *in = NULL;
    flaw_inspect_options o;
    flaw_error err = {0};
    flaw_inspect_defaults(&o);
    o.good = good.path;
    o.good_count = 2;
    broken->model->view.position[5] = NAN;
    assert_int_equal(flaw_inspector_new(&in, broken, &o, NULL, NULL, &err), FLAW_BAD_DATA);
    assert_contains(err.text, good.path[0]);
    assert_null(in);
    flaw_engine_close(broken);
}

/* Files that cannot be read: the status of reading, and a result that says unknown and why. */
static void test_bad_files(void **state)
{
    good_files good;
    char path[512];
    flaw_result r;
    flaw_error err = {0};
    draw_good(&good, *state, 2);
    flaw_inspector *in = open_few_shot(&good, NAN);
    assert_ok(flaw_file_write(in_folder(path, *state, "cut.png"), "\x89PNG\r\n\x1a\n", 8, &err));
    const struct {
        const char *path;
        flaw_status status;
    } cases[] = {{path, FLAW_BAD_DATA}, {"not/there.jpg", FLAW_MISSING}};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(flaw_inspector_judge_file(in, cases[i].path, &r, &err), cases[i].status);
        assert_int_equal(r.verdict, FLAW_UNKNOWN);
        assert_contains(r.doubt, cases[i].path);
        assert_contains(r.words, "No verdict");
        assert_null(r.map);
        flaw_result_release(&r);
    }
    assert_int_equal(flaw_inspector_judge_file(in, good.path[0], &r, NULL), FLAW_OK);
    assert_int_equal(r.verdict, FLAW_NORMAL);
    flaw_result_release(&r);
    flaw_inspector_free(in);
}

static void test_bad_options(void **state)
{
    good_files good;
    draw_good(&good, *state, 2);
    flaw_inspect_options base;
    flaw_inspect_defaults(&base);
    base.method = "alfa";
    for (int i = 0; i < 11; i++) {
        flaw_inspect_options o = base;
        flaw_inspector *in = NULL;
        flaw_error err = {0};
        const char *missing[1] = {"not/there.png"};
        if (i == 0) o.method = "magic";
        if (i == 1) o.rule = "magic";
        if (i == 2) o.lambda = -1;
        if (i == 3) o.tau = 0;
        if (i == 4) o.fit = "magic";
        if (i == 5) o.windows = "magic";
        if (i == 6) o.score = "magic";
        if (i == 7) o.object = "a\nb";
        if (i == 8) o.prompts = "not/there.json";
        if (i == 9) o.bank_limit = -1;
        if (i == 10) o.method = "few-shot", o.good = missing, o.good_count = 1;
        flaw_status s = flaw_inspector_new(&in, engine, &o, NULL, NULL, &err);
        if (s != (i == 8 || i == 10 ? FLAW_MISSING : FLAW_USAGE))
            fail_msg("case %d: %s (%s)", i, flaw_status_name(s), err.text);
        assert_null(in);
        assert_true(strlen(err.text) > 10);
    }
    flaw_inspect_options o = base;
    flaw_inspector *in = NULL;
    flaw_error err = {0};
    o.method = "few-shot";
    o.good = good.path;
    o.good_count = 2;
    o.false_alarm_rate = 2;
    assert_int_equal(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err), FLAW_USAGE);
}

typedef struct watch {
    size_t calls, stop_at, total, last;
} watch;

static int count_steps(void *context, size_t done, size_t total, const char *what)
{
    watch *w = context;
    assert_non_null(what);
    assert_true(done == w->last + 1 && done <= total);
    assert_true(w->calls == 0 || total == w->total);
    w->last = done;
    w->total = total;
    return ++w->calls == w->stop_at;
}

/* Progress counts every step to the end, and can stop the work. */
static void test_progress(void **state)
{
    good_files good;
    draw_good(&good, *state, 3);
    flaw_inspect_options o;
    flaw_inspect_defaults(&o);
    o.good = good.path;
    o.good_count = 3;
    watch w = {0};
    flaw_inspector *in = NULL;
    flaw_error err = {0};
    assert_ok(flaw_inspector_new(&in, engine, &o, count_steps, &w, &err));
    assert_true(w.calls == w.total && w.total == 3 * (1 + 1 + 3)); /* read, itself, three changes */
    flaw_inspector_free(in);
    in = NULL;
    w = (watch){.stop_at = 4};
    assert_int_equal(flaw_inspector_new(&in, engine, &o, count_steps, &w, &err), FLAW_USAGE);
    assert_contains(err.text, "cancelled");
    assert_null(in);
    assert_int_equal(w.calls, 4);
}

/* An image-only model judges by good parts, and says clearly that it cannot without. */
static void test_image_only(void **state)
{
    good_files good;
    flaw_error err = {0};
    flaw_result r;
    flaw_inspector *in = NULL;
    draw_good(&good, *state, 2);
    flaw_engine *timm = open_tiny_engine("timm");
    flaw_inspect_options o;
    flaw_inspect_defaults(&o);
    assert_int_equal(flaw_engine_has_text(timm), 0);
    assert_int_equal(flaw_inspector_new(&in, timm, &o, NULL, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "text tower");
    o.good = good.path;
    o.good_count = 2;
    assert_ok(flaw_inspector_new(&in, timm, &o, NULL, NULL, &err));
    assert_ok(flaw_inspector_judge_file(in, good.path[0], &r, &err));
    assert_int_equal(r.verdict, FLAW_NORMAL);
    flaw_result_release(&r);
    flaw_inspector_free(in);
    flaw_engine_close(timm);
}

static int open_it(void **state)
{
    engine = open_tiny_engine("open_clip");
    return engine ? 0 : -1;
}

static int close_it(void **state)
{
    flaw_engine_close(engine);
    return 0;
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_scratch(test_good_and_bad),     in_scratch(test_repeatable), in_scratch(test_user_threshold),
        cmocka_unit_test(test_zero_shot),  in_scratch(test_sizes),      in_scratch(test_not_finite),
        in_scratch(test_broken_good_part), in_scratch(test_bad_files),  in_scratch(test_bad_options),
        in_scratch(test_progress),         in_scratch(test_image_only),
    };
    return cmocka_run_group_tests(tests, open_it, close_it);
}
