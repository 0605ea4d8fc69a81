/* flaw_eval_run with an inspector of the test's own, whose answers are known: its score is the first pixel's red, its
 * map is red per pixel, and it says anomalous over 100. So every figure can be worked out by hand. */
#include "check.h"

#include <math.h>

#include "flaw/measure.h"

/* What the evaluation asked for, noted by the stand-in. */
static struct {
    int made;
    size_t good_count;
    char object[64];
    char good[64][256]; /* paths in the order they came, over all draws */
    int noted, judged;
} seen;

struct flaw_inspector {
    int unused;
};

flaw_status flaw_inspector_new(flaw_inspector **out, const flaw_engine *engine, const flaw_inspect_options *options,
                               flaw_progress progress, void *context, flaw_error *err)
{
    seen.made++;
    seen.good_count = options->good_count;
    snprintf(seen.object, sizeof seen.object, "%s", options->object);
    for (size_t i = 0; i < options->good_count; i++)
        snprintf(seen.good[seen.noted++], sizeof seen.good[0], "%s", options->good[i]);
    *out = calloc(1, sizeof **out);
    return FLAW_OK;
}

void flaw_inspector_free(flaw_inspector *inspector)
{
    free(inspector);
}

void flaw_result_release(flaw_result *result)
{
    free(result->map);
    result->map = NULL;
}

flaw_status flaw_inspector_judge_file(flaw_inspector *inspector, const char *path, flaw_result *out, flaw_error *err)
{
    flaw_picture p;
    const flaw_status status = flaw_picture_read(&p, path, err);
    if (status != FLAW_OK) return status;
    *out = (flaw_result){.score = p.rgb[0],
                         .verdict = p.rgb[0] > 100 ? FLAW_ANOMALOUS : FLAW_NORMAL,
                         .width = p.width,
                         .height = p.height};
    if (p.rgb[0] == 77) out->verdict = FLAW_UNKNOWN;
    if (p.rgb[0] == 66) { /* doubt about the numbers: no map */
        flaw_picture_release(&p);
        snprintf(out->doubt, sizeof out->doubt, "not all finite");
        return FLAW_OK;
    }
    out->map = malloc(sizeof(float) * (size_t)p.width * (size_t)p.height);
    for (int i = 0; i < p.width * p.height; i++) out->map[i] = p.rgb[3 * i];
    flaw_picture_release(&p);
    seen.judged++;
    return FLAW_OK;
}

static int set_up(void **state)
{
    memset(&seen, 0, sizeof seen);
    return make_scratch(state);
}

static void fill(const char *root)
{
    for (int i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "train/good/%d.png", i);
        draw_plain(root, name, 0x808080);
    }
    draw_plain(root, "test/good/0.png", 0x0a0000);                 /* 10: normal */
    draw_plain(root, "test/good/1.png", 0x960000);                 /* 150: a false alarm */
    draw_plain(root, "test/good/2.png", 0x4d0000);                 /* 77: unknown, so no pass */
    draw(root, "test/hole/0.png", 8, 8, 0xc80000, 3, 3, 0xff0000); /* 200, map 255 on the marked pixel */
    draw_plain(root, "test/hole/1.png", 0x320000);                 /* 50: a miss; no mask */
    draw(root, "ground_truth/hole/0.png", 8, 8, 0, 3, 3, 0xffffff);
}

static void test_figures(void **state)
{
    fill(*state);
    flaw_eval_options options = {.dataset = *state, .object = "thing", .shots = 2, .draws = 3, .seed = 5};
    flaw_eval_result r;
    flaw_error err;
    if (flaw_eval_run(&r, NULL, &options, NULL, NULL, &err) != FLAW_OK) fail_msg("%s", err.text);
    assert_int_equal(r.draws, 3);
    assert_int_equal(r.good, 3);
    assert_int_equal(r.bad, 2);
    assert_int_equal(r.masks, 1);
    assert_int_equal(seen.made, 3);
    assert_int_equal(seen.judged, 15);
    assert_string_equal(seen.object, "thing");
    /* good 10 150 77, bad 200 50: of six pairs 200 wins three, 50 wins one. */
    assert_true(fabs(r.mean.image_auroc - 4.0 / 6) < 1e-12);
    assert_true(fabs(r.mean.image_ap - (0.5 + 0.5 * 2 / 4)) < 1e-12);
    assert_true(fabs(r.mean.image_f1 - 2.0 / 3) < 1e-12); /* at 200: 2/(1+2); at 50: 4/(4+2) */
    assert_true(fabs(r.mean.false_alarms - 2.0 / 3) < 1e-12);
    assert_true(fabs(r.mean.misses - 0.5) < 1e-12);
    /* Pixels: the marked block lies around the peak, over everything else. */
    assert_true(r.mean.pixel_auroc > 0.99 && r.mean.pixel_auroc <= 1);
    assert_true(r.mean.pixel_pro > 0.99 && r.mean.pixel_f1 > 0.6);
    assert_true(r.sd.image_auroc == 0); /* the stand-in does not depend on the draw */
}

/* The same seed draws the same parts, another one others; no part twice in a draw; draws differ. */
static void test_draws(void **state)
{
    fill(*state);
    flaw_eval_options options = {.dataset = *state, .shots = 3, .draws = 4, .seed = 1};
    flaw_eval_result r;
    flaw_error err;
    char first[12][256];
    assert_int_equal(flaw_eval_run(&r, NULL, &options, NULL, NULL, &err), FLAW_OK);
    assert_int_equal(seen.noted, 12);
    memcpy(first, seen.good, sizeof first);
    for (int i = 0; i < 12; i++)
        for (int j = i + 1; j < 12 && j / 3 == i / 3; j++) assert_string_not_equal(first[i], first[j]);
    seen.noted = 0;
    assert_int_equal(flaw_eval_run(&r, NULL, &options, NULL, NULL, &err), FLAW_OK);
    assert_memory_equal(first, seen.good, sizeof first);
    seen.noted = 0;
    options.seed = 2;
    assert_int_equal(flaw_eval_run(&r, NULL, &options, NULL, NULL, &err), FLAW_OK);
    assert_memory_not_equal(first, seen.good, sizeof first);
}

/* Zero-shot and all parts leave nothing to draw: one draw, no deviation. */
static void test_single_draws(void **state)
{
    fill(*state);
    flaw_eval_options options = {.dataset = *state, .shots = 0, .draws = 5};
    flaw_eval_result r;
    flaw_error err;
    assert_int_equal(flaw_eval_run(&r, NULL, &options, NULL, NULL, &err), FLAW_OK);
    assert_int_equal(r.draws, 1);
    assert_int_equal(seen.good_count, 0);
    assert_true(isnan(r.sd.image_auroc));
    options.shots = -1;
    assert_int_equal(flaw_eval_run(&r, NULL, &options, NULL, NULL, &err), FLAW_OK);
    assert_int_equal(r.draws, 1);
    assert_int_equal(seen.good_count, 6);
    options.shots = 7;
    assert_int_equal(flaw_eval_run(&r, NULL, &options, NULL, NULL, &err), FLAW_USAGE);
    assert_non_null(strstr(err.text, "it has 6"));
}

/* In the cookies layout good pictures that were not drawn are tested. */
static void test_others_are_tested(void **state)
{
    const char *root = *state;
    for (int i = 0; i < 5; i++) {
        char name[64];
        snprintf(name, sizeof name, "training-images/normal-%d.png", i);
        draw_plain(root, name, 0x0a0000);
    }
    draw_plain(root, "training-images/anomaly-0.png", 0xff0000);
    draw(root, "mask-images/anomaly-0.png", 8, 8, 0, 3, 3, 0x23a436);
    draw_plain(root, "test-images/test-normal-0.png", 0x0a0000);
    flaw_eval_options options = {.dataset = root, .shots = 2, .draws = 2};
    flaw_eval_result r;
    flaw_error err;
    assert_int_equal(flaw_eval_run(&r, NULL, &options, NULL, NULL, &err), FLAW_OK);
    assert_int_equal(r.good, 4);
    assert_int_equal(r.bad, 1);
    assert_int_equal(seen.judged, 10);
}

static int stop_at_second(void *context, size_t done, size_t total, const char *what)
{
    assert_int_equal(total, 5);
    return done == 2;
}

static void test_faults(void **state)
{
    fill(*state);
    flaw_eval_options options = {.dataset = *state};
    flaw_eval_result r = {.draws = 42};
    flaw_error err;
    assert_int_equal(flaw_eval_run(&r, NULL, &options, stop_at_second, NULL, &err), FLAW_USAGE);
    assert_non_null(strstr(err.text, "cancelled"));
    assert_int_equal(seen.judged, 2);
    char path[256];
    snprintf(path, sizeof path, "%s/test/hole/2.png", (const char *)*state);
    FILE *broken = fopen(path, "w");
    fputs("no picture", broken);
    fclose(broken);
    assert_int_equal(flaw_eval_run(&r, NULL, &options, NULL, NULL, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "hole/2.png"));
    draw_plain(*state, "test/hole/2.png", 0x420000);
    assert_int_equal(flaw_eval_run(&r, NULL, &options, NULL, NULL, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "hole/2.png"));
    assert_non_null(strstr(err.text, "not all finite"));
    assert_int_equal(r.draws, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_figures, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_draws, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_single_draws, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_others_are_tested, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_faults, set_up, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
