/* Evaluations with an inspector of the test's own, whose answers are known: its score is the first pixel's red, its
 * map is red per pixel, and it says anomalous over 100. So every figure can be worked out by hand. */
#include "check.h"

#include <math.h>
#include <unistd.h>

#include "flaw/eval.h"
#include "measure/eval/journal.h"

/* What the evaluation asked for, noted by the stand-in. */
static struct {
    int made;
    size_t good_count;
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
    for (size_t i = 0; i < options->good_count; i++)
        snprintf(seen.good[seen.noted++], sizeof seen.good[0], "%s", options->good[i]);
    *out = calloc(1, sizeof **out);
    return FLAW_OK;
}

const flaw_prompts_about *flaw_inspector_prompts(const flaw_inspector *inspector)
{
    static const flaw_prompts_about none = {.count = 0};
    return &none;
}

void flaw_inspector_free(flaw_inspector *inspector)
{
    free(inspector);
}

void flaw_result_release(flaw_result *result)
{
    free(result->cells);
    result->cells = NULL;
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
    /* The picture's reds as they are, on a grid of its side. */
    assert_int_equal(p.width, p.height);
    out->grid = p.width;
    out->seen[2] = out->seen[3] = p.width;
    out->cells = malloc(sizeof(float) * (size_t)p.width * (size_t)p.height);
    for (int i = 0; i < p.width * p.height; i++) out->cells[i] = p.rgb[3 * i];
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

/* An evaluation of one data set; the rest of `options` is the test's. */
static flaw_status run(flaw_eval **out, const char *root, flaw_eval_options options, flaw_error *err)
{
    options.dataset = &root;
    options.datasets = 1;
    *out = NULL;
    return flaw_eval_run(out, NULL, &options, NULL, NULL, err);
}

static flaw_eval_row run_one(const char *root, int shots, int seeds, unsigned long long seed)
{
    flaw_eval *eval;
    flaw_error err;
    flaw_eval_options options = {.shots = &shots, .shot_counts = 1, .seeds = seeds, .seed = seed};
    if (run(&eval, root, options, &err) != FLAW_OK) fail_msg("%s", err.text);
    assert_int_equal(flaw_eval_count(eval), 1);
    flaw_eval_row row = *flaw_eval_at(eval, 0);
    flaw_eval_free(eval);
    return row;
}

static void test_figures(void **state)
{
    fill(*state);
    flaw_eval_row r = run_one(*state, 2, 3, 5);
    assert_int_equal(r.draws, 3);
    assert_int_equal(r.good, 3);
    assert_int_equal(r.bad, 2);
    assert_int_equal(r.masks, 1);
    assert_int_equal(r.judged, 15);
    assert_int_equal(seen.made, 3);
    assert_int_equal(seen.judged, 15);
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
    char first[12][256];
    run_one(*state, 3, 4, 1);
    assert_int_equal(seen.noted, 12);
    memcpy(first, seen.good, sizeof first);
    for (int i = 0; i < 12; i++)
        for (int j = i + 1; j < 12 && j / 3 == i / 3; j++) assert_string_not_equal(first[i], first[j]);
    seen.noted = 0;
    run_one(*state, 3, 4, 1);
    assert_memory_equal(first, seen.good, sizeof first);
    seen.noted = 0;
    run_one(*state, 3, 4, 2);
    assert_memory_not_equal(first, seen.good, sizeof first);
}

/* Zero-shot and all parts leave nothing to draw: one draw, no deviation. */
static void test_single_draws(void **state)
{
    fill(*state);
    flaw_eval *eval;
    flaw_error err;
    flaw_eval_row r = run_one(*state, 0, 5, 0);
    assert_int_equal(r.draws, 1);
    assert_int_equal(seen.good_count, 0);
    assert_true(isnan(r.sd.image_auroc));
    r = run_one(*state, -1, 5, 0);
    assert_int_equal(r.draws, 1);
    assert_int_equal(seen.good_count, 6);
    int shots = 7;
    assert_int_equal(run(&eval, *state, (flaw_eval_options){.shots = &shots, .shot_counts = 1}, &err), FLAW_USAGE);
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
    flaw_eval_row r = run_one(root, 2, 2, 0);
    assert_int_equal(r.good, 4);
    assert_int_equal(r.bad, 1);
    assert_int_equal(seen.judged, 10);
}

/* Which methods are measured from which numbers of good parts; a batch is what is judged itself. */
static void test_methods_and_shots(void **state)
{
    fill(*state);
    static const char *const methods[] = {"alfa", "few-shot", "auto"};
    static const int shots[] = {0, 1, 2};
    static const struct {
        const char *method;
        int shots, draws;
    } expected[] = {{"alfa", 0, 1}, {"few-shot", 1, 2}, {"few-shot", 2, 2},
                    {"auto", 0, 1}, {"auto", 1, 2},     {"auto", 2, 2}};
    flaw_eval *eval;
    flaw_error err;
    flaw_eval_options o = {.method = methods, .methods = 3, .shots = shots, .shot_counts = 3, .seeds = 2};
    if (run(&eval, *state, o, &err) != FLAW_OK) fail_msg("%s", err.text);
    assert_int_equal(flaw_eval_count(eval), 6);
    for (size_t i = 0; i < 6; i++) {
        const flaw_eval_row *r = flaw_eval_at(eval, i);
        assert_string_equal(r->method, expected[i].method);
        assert_int_equal(r->shots, expected[i].shots);
        assert_int_equal(r->draws, expected[i].draws);
    }
    flaw_eval_free(eval);
    o.method = methods + 1;
    o.methods = 1;
    o.shot_counts = 1;
    assert_int_equal(run(&eval, *state, o, &err), FLAW_USAGE);
    assert_non_null(strstr(err.text, "few-shot needs"));
    static const char *const unknown[] = {"guess"};
    o.method = unknown;
    assert_int_equal(run(&eval, *state, o, &err), FLAW_USAGE);
    assert_non_null(strstr(err.text, "guess"));
}

static int stop_at_second(void *context, size_t done, size_t total, const char *what)
{
    if (strcmp(what, "figures") != 0) assert_int_equal(total, 5);
    return done == 2;
}

/* A picture without a number takes the figures away, not the others' judgements. */
static void test_faults(void **state)
{
    fill(*state);
    const char *root = *state;
    flaw_eval_options options = {.dataset = &root, .datasets = 1};
    flaw_eval *eval = NULL;
    flaw_error err;
    assert_int_equal(flaw_eval_run(&eval, NULL, &options, stop_at_second, NULL, &err), FLAW_USAGE);
    assert_non_null(strstr(err.text, "cancelled"));
    assert_int_equal(seen.judged, 2);
    char path[256];
    snprintf(path, sizeof path, "%s/test/hole/2.png", root);
    FILE *broken = fopen(path, "w");
    fputs("no picture", broken);
    fclose(broken);
    draw_plain(*state, "test/hole/3.png", 0x420000);
    flaw_eval_row r = run_one(root, 0, 1, 0);
    assert_int_equal(r.judged, 7);
    assert_int_equal(r.failed, 2);
    assert_true(isnan(r.mean.image_auroc) && isnan(r.mean.misses));
}

static bool same_figures(const flaw_eval *a, const flaw_eval *b)
{
    assert_int_equal(flaw_eval_count(a), flaw_eval_count(b));
    for (size_t i = 0; i < flaw_eval_count(a); i++)
        for (int f = 0; f < FLAW_EVAL_FIGURES; f++) {
            double x = flaw_eval_figure(&flaw_eval_at(a, i)->mean, f), y = flaw_eval_figure(&flaw_eval_at(b, i)->mean, f);
            assert_false(isnan(x) && strcmp(flaw_eval_figure_key(f), "ms") != 0);
            if (x != y && !(isnan(x) && isnan(y))) return false;
        }
    return true;
}

static const int some_shots[] = {0, 2};

static flaw_eval_options kept(const char *out, int shard, int shards, bool resume)
{
    return (flaw_eval_options){.shots = some_shots,
                               .shot_counts = 2,
                               .seeds = 3,
                               .seed = 9,
                               .out = out,
                               .shard = shard,
                               .shards = shards,
                               .resume = resume};
}

static void folder(char out[256], const char *root, const char *name)
{
    snprintf(out, 256, "%s/%s", root, name);
}

/* Cut after any byte, a run that goes on comes to the same file and the same figures. */
static void test_resume(void **state)
{
    fill(*state);
    char whole[256], cut[256], from[300], to[300];
    flaw_error err;
    flaw_eval *first, *second;
    flaw_bytes all;
    folder(whole, *state, "whole");
    folder(cut, *state, "cut");
    if (run(&first, *state, kept(whole, 0, 0, false), &err) != FLAW_OK) fail_msg("%s", err.text);
    assert_int_equal(run(&second, *state, kept(whole, 0, 0, false), &err), FLAW_USAGE); /* it is there already */
    snprintf(from, sizeof from, "%s/results.jsonl", whole);
    snprintf(to, sizeof to, "%s/results.jsonl", cut);
    assert_int_equal(flaw_file_read(&all, from, 1 << 24, &err), FLAW_OK);
    assert_int_equal(flaw_file_make_folder(cut, &err), FLAW_OK);
    int before = seen.judged;
    for (size_t at = 0; at <= all.size; at += at < 700 ? 233 : all.size / 5) {
        flaw_bytes again;
        assert_int_equal(flaw_file_write(to, all.data, at, &err), FLAW_OK);
        if (run(&second, *state, kept(cut, 0, 0, true), &err) != FLAW_OK) fail_msg("cut at %zu: %s", at, err.text);
        assert_true(same_figures(first, second));
        flaw_eval_free(second);
        assert_int_equal(flaw_file_read(&again, to, 1 << 24, &err), FLAW_OK);
        assert_int_equal(again.size, all.size);
        assert_memory_equal(again.data, all.data, all.size);
        flaw_bytes_release(&again);
    }
    assert_true(seen.judged > before);
    before = seen.judged;
    if (run(&second, *state, kept(whole, 0, 0, true), &err) != FLAW_OK) fail_msg("%s", err.text);
    assert_int_equal(seen.judged, before); /* all was there */
    flaw_eval_free(second);
    flaw_eval_options other = kept(whole, 0, 0, true);
    other.seed = 10;
    assert_int_equal(run(&second, *state, other, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "another evaluation"));
    assert_int_equal(flaw_eval_read(&second, whole, NULL, NULL, &err), FLAW_OK);
    assert_true(same_figures(first, second));
    flaw_eval_free(second);
    flaw_eval_free(first);
    flaw_bytes_release(&all);
}

/* Three shards put together are the single run; one that is missing, there twice, not finished or a stranger is named. */
static void test_merge(void **state)
{
    fill(*state);
    char whole[256], shard[3][256], stranger[256], merged[256], path[300];
    flaw_error err;
    flaw_eval *single, *e;
    folder(whole, *state, "whole");
    folder(stranger, *state, "stranger");
    folder(merged, *state, "merged");
    if (run(&single, *state, kept(whole, 0, 0, false), &err) != FLAW_OK) fail_msg("%s", err.text);
    for (int i = 0; i < 3; i++) {
        snprintf(shard[i], sizeof shard[i], "%s/shard-%d", (const char *)*state, i);
        if (run(&e, *state, kept(shard[i], i + 1, 3, false), &err) != FLAW_OK) fail_msg("%s", err.text);
        flaw_eval_free(e);
    }
    flaw_eval_options other = kept(stranger, 2, 3, false);
    other.map_side = 128;
    assert_int_equal(run(&e, *state, other, &err), FLAW_OK);
    flaw_eval_free(e);
    const struct {
        const char *shard[3];
        size_t count;
        const char *says;
    } wrong[] = {
        {{shard[0], shard[2]}, 2, "shard 2 of 3 is missing"},
        {{shard[0], shard[1], shard[1]}, 3, "as '"},
        {{shard[0], stranger, shard[2]}, 3, "another evaluation"},
        {{NULL}, 0, "no shard"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_not_equal(flaw_eval_merge(&e, merged, wrong[i].shard, wrong[i].count, NULL, NULL, &err), FLAW_OK);
        if (!strstr(err.text, wrong[i].says)) fail_msg("%s", err.text);
        assert_false(flaw_file_exists(merged)); /* nothing half-written is left */
    }
    const char *all[] = {shard[2], shard[0], shard[1]};
    if (flaw_eval_merge(&e, merged, all, 3, NULL, NULL, &err) != FLAW_OK) fail_msg("%s", err.text);
    assert_true(same_figures(single, e));
    flaw_eval_free(e);
    assert_int_equal(flaw_eval_read(&e, merged, NULL, NULL, &err), FLAW_OK);
    assert_true(same_figures(single, e));
    flaw_eval_free(e);
    assert_int_equal(flaw_eval_merge(&e, merged, all, 3, NULL, NULL, &err), FLAW_USAGE); /* there already */
    flaw_bytes bytes;
    snprintf(path, sizeof path, "%s/results.jsonl", shard[1]);
    assert_int_equal(flaw_file_read(&bytes, path, 1 << 24, &err), FLAW_OK);
    assert_int_equal(flaw_file_write(path, bytes.data, bytes.size - 20, &err), FLAW_OK);
    flaw_bytes_release(&bytes);
    folder(merged, *state, "again");
    assert_int_equal(flaw_eval_merge(&e, merged, all, 3, NULL, NULL, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "not finished"));
    flaw_eval_free(single);
}

/* Lines that are not what they should be: the status is FLAW_BAD_DATA and the line is named. */
static void test_broken_lines(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } broken[] = {
        {"\"flaw_eval\":1", "\"flaw_eval\":2", "line 1"},
        {"\"shots\":[0,2]", "\"shots\":[0,-2]", "line 1"},
        {"\"shard\":[1,1]", "\"shard\":[2,1]", "line 1"},
        {"\"tests\":5", "\"tests\":6", "changed since"},
        {"\"cell\":[0,0,0,0]", "\"cell\":[0,0,7,0]", "line 2"},
        {"\"cell\":[0,0,0,0]", "\"cell\":[0,0,0,-1]", "line 2"},
        {"\"item\":", "\"item\":9", "line 2"},
        {"\"verdict\":\"normal\"", "\"verdict\":\"fine\"", "line 2"},
        {"\"grid\":8", "\"grid\":9", "line 2"},
        {"\"grid\":8", "\"grid\":0", "line 2"},
        {"\"size\":[8,8]", "\"size\":[8,7]", "line 2"},
        {"\"map\":\"", "\"map\":\"!", "line 2"},
        {"\"score\":10.0", "\"score\":\"10\"", "line 2"},
        {"/good/0.png", "/good/9.png", "line 2"},
        {"\"low\":0.0", "\"low\":[]", "line 2"},
    };
    fill(*state);
    char whole[256], path[300];
    flaw_error err;
    flaw_eval *e;
    flaw_bytes all;
    folder(whole, *state, "whole");
    if (run(&e, *state, kept(whole, 0, 0, false), &err) != FLAW_OK) fail_msg("%s", err.text);
    flaw_eval_free(e);
    snprintf(path, sizeof path, "%s/results.jsonl", whole);
    assert_int_equal(flaw_file_read(&all, path, 1 << 24, &err), FLAW_OK);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const char *text = (const char *)all.data, *at = strstr(text, broken[i].from);
        if (!at) fail_msg("no %s in the file", broken[i].from);
        size_t before = (size_t)(at - text), old = strlen(broken[i].from), new = strlen(broken[i].to);
        char *changed = malloc(all.size - old + new);
        memcpy(changed, text, before);
        memcpy(changed + before, broken[i].to, new);
        memcpy(changed + before + new, at + old, all.size - before - old);
        assert_int_equal(flaw_file_write(path, changed, all.size - old + new, &err), FLAW_OK);
        free(changed);
        flaw_status s = flaw_eval_read(&e, whole, NULL, NULL, &err);
        if (s != FLAW_BAD_DATA || !strstr(err.text, broken[i].says)) fail_msg("%s: %d %s", broken[i].to, s, err.text);
    }
    flaw_bytes_release(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_figures, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_draws, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_single_draws, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_others_are_tested, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_methods_and_shots, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_faults, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_resume, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_merge, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(test_broken_lines, set_up, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
