/* An inspector as a recipe and back: the same verdicts, and every kind of wrong recipe refused by name. */
#include "check.h"

#include "record/recipe.h"

static flaw_engine *engine;

static flaw_inspector *learn_on(const flaw_engine *on, const char *method, const good_files *good)
{
    flaw_inspector *in = NULL;
    flaw_inspect_options o;
    flaw_error err = {0};
    flaw_inspect_defaults(&o);
    o.method = method;
    o.method_options = quick_options(flaw_method_find(method));
    o.object = "bottle";
    o.tau = 0.05;
    o.lambda = INFINITY;
    o.rule = "soft";
    o.good = good->path;
    o.good_count = good->count;
    assert_ok(flaw_inspector_new(&in, on, &o, NULL, NULL, &err));
    return in;
}

static flaw_inspector *learn(const char *method, const good_files *good)
{
    return learn_on(engine, method, good);
}

static void test_every_method(void **state)
{
    good_files good;
    char path[512];
    flaw_error err = {0};
    draw_good(&good, *state, 3);
    in_folder(path, *state, "bottle.recipe");
    flaw_picture p = draw(48, 40, 77, 6);
    for (int m = 0; m < flaw_method_count(); m++) {
        flaw_result a, b;
        flaw_engine *own = needs_default(m) ? open_engine("") : NULL, *on = own ? own : engine;
        flaw_inspector *in = learn_on(on, flaw_method_name(m), &good), *back = NULL;
        assert_ok(flaw_inspector_judge(in, &p, &a, &err));
        assert_ok(flaw_inspector_save(in, path, &err));
        assert_ok(flaw_inspector_from_recipe(&back, on, path, &err));
        assert_string_equal(flaw_inspector_about(back), flaw_inspector_about(in));
        assert_ok(flaw_inspector_judge(back, &p, &b, &err));
        assert_true(a.score == b.score && a.threshold == b.threshold && a.map_low == b.map_low);
        assert_string_equal(a.rule, b.rule);
        assert_string_equal(a.closest, b.closest);
        assert_memory_equal(a.map, b.map, 48 * 40 * sizeof(float));
        flaw_result_release(&a);
        flaw_result_release(&b);
        flaw_inspector_free(in);
        flaw_inspector_free(back);
        flaw_engine_close(own);
    }
    flaw_picture_release(&p);
}

/* A recipe remembers how often it looks. */
static void test_views(void **state)
{
    flaw_error err = {0};
    char path[512];
    flaw_engine *own = open_engine("");
    flaw_inspect_options o;
    flaw_picture p = draw(120, 90, 77, 6);
    double score[2];
    in_folder(path, *state, "views.recipe");
    for (int k = 0; k < 2; k++) {
        flaw_inspector *in = NULL, *back = NULL;
        flaw_result a, b;
        flaw_inspect_defaults(&o);
        o.object = "bottle";
        o.views = k ? 6 : 0;
        assert_ok(flaw_inspector_new(&in, own, &o, NULL, NULL, &err));
        assert_ok(flaw_inspector_judge(in, &p, &a, &err));
        assert_ok(flaw_inspector_save(in, path, &err));
        assert_ok(flaw_inspector_from_recipe(&back, own, path, &err));
        assert_ok(flaw_inspector_judge(back, &p, &b, &err));
        assert_int_equal(a.grid, k ? 14 * FLAW_VIEWS_FINE : 14);
        assert_true(a.grid == b.grid && a.score == b.score);
        assert_memory_equal(a.map, b.map, 120 * 90 * sizeof(float));
        score[k] = a.score;
        flaw_result_release(&a);
        flaw_result_release(&b);
        flaw_inspector_free(in);
        flaw_inspector_free(back);
    }
    assert_true(score[0] != score[1]);
    flaw_record r;
    assert_ok(flaw_recipe_read(&r, path, &err));
    double views;
    assert_ok(flaw_record_number(&r, "options.views", &views, &err));
    assert_true(views == 6);
    flaw_record_release(&r);
    flaw_picture_release(&p);
    flaw_engine_close(own);
}

/* Views that cannot be: a number that covers nothing evenly, a method that looks once, windows, an aligner. */
static void test_views_refused(void **state)
{
    (void)state;
    flaw_engine *own = open_engine("");
    const struct {
        const char *method, *windows;
        double lambda;
        int views;
        const char *says;
    } wrong[] = {{"alfa", NULL, NAN, 5, "allowed are 1, 2, 6, 7 and 11"},
                 {"alfa", NULL, NAN, -1, "allowed are 1, 2, 6, 7 and 11"},
                 {"winclip", NULL, NAN, 6, "method winclip looks at a picture once"},
                 {"alfa", "on", NAN, 6, "looks at a picture once"},
                 {"alfa", NULL, 1, 6, "looks at a picture once"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        flaw_inspector *in = NULL;
        flaw_inspect_options o;
        flaw_error err = {0};
        flaw_inspect_defaults(&o);
        o.method = wrong[i].method;
        o.windows = wrong[i].windows;
        o.lambda = wrong[i].lambda;
        o.views = wrong[i].views;
        assert_int_equal(flaw_inspector_new(&in, own, &o, NULL, NULL, &err), FLAW_USAGE);
        assert_contains(err.text, wrong[i].says);
    }
    flaw_engine_close(own);
}

/* The user's own limit over that of a recipe: as if it had been given when the good parts were learnt. */
static void test_own_threshold(void **state)
{
    good_files good;
    char path[512];
    flaw_error err = {0};
    draw_good(&good, *state, 3);
    in_folder(path, *state, "a.recipe");
    flaw_picture p = draw(48, 40, 77, 6);
    for (int m = 0; m < flaw_method_count(); m++) {
        flaw_result a, b;
        flaw_inspect_options o;
        flaw_engine *own = needs_default(m) ? open_engine("") : NULL, *on = own ? own : engine;
        flaw_inspector *in = learn_on(on, flaw_method_name(m), &good), *back = NULL, *direct = NULL;
        assert_ok(flaw_inspector_save(in, path, &err));
        assert_ok(flaw_inspector_from_recipe(&back, on, path, &err));
        o = in->options;
        o.threshold = -0.25;
        o.good = good.path;
        o.good_count = good.count;
        assert_ok(flaw_inspector_new(&direct, on, &o, NULL, NULL, &err));
        assert_int_equal(flaw_inspector_set_threshold(back, NAN, &err), FLAW_USAGE);
        assert_int_equal(flaw_inspector_set_threshold(back, -INFINITY, &err), FLAW_USAGE);
        assert_string_equal(flaw_inspector_about(back), flaw_inspector_about(in)); /* refused: as it was */
        assert_ok(flaw_inspector_set_threshold(back, -0.25, &err));
        assert_ok(flaw_inspector_judge(direct, &p, &a, &err));
        assert_ok(flaw_inspector_judge(back, &p, &b, &err));
        assert_int_equal(b.verdict, FLAW_ANOMALOUS);
        assert_string_equal(b.rule, "user");
        assert_true(b.threshold == -0.25 && isnan(b.false_alarm_rate));
        assert_true(a.score == b.score && a.map_threshold == b.map_threshold && a.map_low == b.map_low);
        assert_string_equal(flaw_inspector_about(back), flaw_inspector_about(direct));
        flaw_result_release(&a);
        flaw_result_release(&b);
        flaw_inspector_free(in);
        flaw_inspector_free(back);
        flaw_inspector_free(direct);
        flaw_engine_close(own);
    }
    flaw_picture_release(&p);
}

/* The tiny CLIP of OpenCLIP's form, copied into `folder` with one bit of its last weight turned. */
static flaw_engine *open_other_engine(const char *folder)
{
    static const char *const files[] = {"open_clip_model.safetensors", "open_clip_config.json",
                                        "bpe_simple_vocab_16e6.txt"};
    char from[1024], to[512];
    flaw_error err = {0};
    for (int i = 0; i < 3; i++) {
        flaw_bytes bytes;
        char part[128];
        snprintf(part, sizeof part, "clip-tiny/open_clip/%s", files[i]);
        assert_non_null(golden_path(from, false, part));
        assert_ok(flaw_file_read(&bytes, from, 1 << 24, &err));
        if (i == 0) bytes.data[bytes.size - 4] ^= 1;
        assert_ok(flaw_file_write(in_folder(to, folder, files[i]), bytes.data, bytes.size, &err));
        flaw_bytes_release(&bytes);
    }
    return open_engine(folder);
}

/* Both forms of one model share recipes; a model with one other weight does not, and both are named. */
static void test_other_model(void **state)
{
    good_files good;
    char path[512];
    flaw_error err = {0};
    flaw_inspector *back = NULL;
    draw_good(&good, *state, 2);
    flaw_inspector *in = learn("few-shot", &good);
    assert_ok(flaw_inspector_save(in, in_folder(path, *state, "a.recipe"), &err));
    flaw_inspector_free(in);
    flaw_engine *hf = open_tiny_engine("hf");
    assert_ok(flaw_inspector_from_recipe(&back, hf, path, &err));
    flaw_inspector_free(back);
    back = NULL;
    flaw_engine_close(hf);
    flaw_engine *other = open_other_engine(*state);
    assert_int_equal(flaw_inspector_from_recipe(&back, other, path, &err), FLAW_USAGE);
    assert_contains(err.text, "a.recipe");
    assert_contains(err.text, "made for the model");
    assert_null(back);
    flaw_engine_close(other);
    flaw_engine *timm = open_tiny_engine("timm");
    assert_int_equal(flaw_inspector_from_recipe(&back, timm, path, &err), FLAW_USAGE);
    flaw_engine_close(timm);
}

static void put_again(flaw_record *to, const flaw_record_item *item)
{
    flaw_error err = {0};
    if (item->kind == FLAW_RECORD_NUMBER) assert_ok(flaw_record_put_number(to, item->name, item->number, &err));
    if (item->kind == FLAW_RECORD_TEXT) assert_ok(flaw_record_put_text(to, item->name, item->text, &err));
    if (item->kind == FLAW_RECORD_TABLE)
        assert_ok(flaw_record_put_table(to, item->name, item->table, item->rows, item->columns, &err));
}

/* Rewrites the recipe (with a right digest) without the item `name`, or with it changed by `change`. */
static flaw_status load_changed(const char *path, const char *name,
                                void (*change)(flaw_record *, const flaw_record_item *), flaw_error *out_err)
{
    flaw_error err = {0};
    char other[600];
    flaw_record r, w;
    flaw_inspector *back = NULL;
    snprintf(other, sizeof other, "%s.changed", path);
    assert_ok(flaw_recipe_read(&r, path, &err));
    flaw_record_init(&w);
    assert_non_null(flaw_record_find(&r, name));
    for (size_t i = 0; i < r.count; i++) {
        if (strcmp(r.item[i].name, name)) put_again(&w, &r.item[i]);
        else if (change) change(&w, &r.item[i]);
    }
    assert_ok(flaw_recipe_write(&w, other, &err));
    flaw_record_release(&r);
    flaw_record_release(&w);
    flaw_status s = flaw_inspector_from_recipe(&back, engine, other, out_err);
    if (!s) flaw_inspector_free(back);
    if (s) assert_contains(out_err->text, "a.recipe.changed");
    return s;
}

static void nudge(flaw_record *to, const flaw_record_item *item)
{
    flaw_error err = {0};
    if (item->kind == FLAW_RECORD_NUMBER) {
        assert_ok(flaw_record_put_number(to, item->name, item->number + 3e-4, &err));
        return;
    }
    float *copy = malloc(item->rows * item->columns * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, item->table, item->rows * item->columns * sizeof *copy);
    copy[3] += 3e-4f;
    assert_ok(flaw_record_put_table(to, item->name, copy, item->rows, item->columns, &err));
    free(copy);
}

/* All of the bank turned by a little: other numbers, and the self-check finds it. */
static void bend(flaw_record *to, const flaw_record_item *item)
{
    flaw_error err = {0};
    float *copy = malloc(item->rows * item->columns * sizeof *copy);
    assert_non_null(copy);
    for (size_t i = 0; i < item->rows * item->columns; i++) copy[i] = item->table[i] * (i % 2 ? 0.97f : 1.0f);
    assert_ok(flaw_record_put_table(to, item->name, copy, item->rows, item->columns, &err));
    free(copy);
}

static void shorten(flaw_record *to, const flaw_record_item *item)
{
    flaw_error err = {0};
    assert_ok(flaw_record_put_table(to, item->name, item->table, item->rows, item->columns - 1, &err));
}

static void spoil(flaw_record *to, const flaw_record_item *item)
{
    flaw_error err = {0};
    if (item->kind == FLAW_RECORD_NUMBER) assert_ok(flaw_record_put_number(to, item->name, NAN, &err));
    if (item->kind == FLAW_RECORD_TEXT) assert_ok(flaw_record_put_text(to, item->name, "magic", &err));
    if (item->kind != FLAW_RECORD_TABLE) return;
    float *copy = malloc(item->rows * item->columns * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, item->table, item->rows * item->columns * sizeof *copy);
    copy[1] = INFINITY;
    assert_ok(flaw_record_put_table(to, item->name, copy, item->rows, item->columns, &err));
    free(copy);
}

static void test_self_check(void **state)
{
    good_files good;
    char path[512];
    flaw_error err = {0};
    draw_good(&good, *state, 2);
    flaw_inspector *in = learn("few-shot", &good);
    assert_ok(flaw_inspector_save(in, in_folder(path, *state, "a.recipe"), &err));
    flaw_inspector_free(in);
    static const struct {
        const char *name;
        void (*change)(flaw_record *, const flaw_record_item *);
    } cases[] = {{"check.score", nudge}, {"check.map", nudge}, {"bank.1", bend}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(load_changed(path, cases[i].name, cases[i].change, &err), FLAW_BAD_DATA);
        assert_contains(err.text, "self-check differs");
    }
}

/* Whole by its digest, but something is gone, of another size, not finite or not a name: refused, and the file named.
 */
static void test_wrong_contents(void **state)
{
    good_files good;
    char path[512];
    flaw_error err = {0};
    draw_good(&good, *state, 2);
    flaw_inspector *in = learn("alfa+", &good);
    assert_ok(flaw_inspector_save(in, in_folder(path, *state, "a.recipe"), &err));
    flaw_inspector_free(in);
    static const char *const needed[] = {"model.hash",
                                         "method",
                                         "object",
                                         "options.lambda",
                                         "options.tau",
                                         "options.rule",
                                         "options.windows",
                                         "options.score",
                                         "options.fit",
                                         "calibration.threshold",
                                         "calibration.rule",
                                         "calibration.map_low",
                                         "calibration.map_threshold",
                                         "prompts.object",
                                         "prompts.normal.text",
                                         "prompts.abnormal.embedding",
                                         "bank.0",
                                         "bank.2",
                                         "check.score",
                                         "check.map",
                                         "check.precision"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        flaw_status s = load_changed(path, needed[i], NULL, &err);
        if (s != FLAW_BAD_DATA) fail_msg("without %s: %s", needed[i], flaw_status_name(s));
    }
    static const char *const spoilt[] = {"method",
                                         "options.rule",
                                         "options.windows",
                                         "options.score",
                                         "options.fit",
                                         "calibration.threshold",
                                         "calibration.map_low",
                                         "prompts.normal.text",
                                         "prompts.abnormal.embedding",
                                         "bank.0",
                                         "check.map",
                                         "model.hash"};
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        flaw_status s = load_changed(path, spoilt[i], spoil, &err);
        if (s != FLAW_BAD_DATA && s != FLAW_USAGE) fail_msg("%s spoilt: %s", spoilt[i], flaw_status_name(s));
    }
    static const char *const shorter[] = {"bank.0", "bank.2", "prompts.normal.embedding", "check.map"};
    for (size_t i = 0; i < 4; i++) assert_int_equal(load_changed(path, shorter[i], shorten, &err), FLAW_BAD_DATA);
}

/* Bits of a real recipe file turned here and there, and cuts: refused, and the file is named. */
static void test_damaged(void **state)
{
    good_files good;
    char path[512], other[512];
    flaw_bytes bytes;
    flaw_error err = {0};
    draw_good(&good, *state, 1);
    flaw_inspector *in = learn("few-shot", &good), *back = NULL;
    assert_ok(flaw_inspector_save(in, in_folder(path, *state, "a.recipe"), &err));
    flaw_inspector_free(in);
    assert_ok(flaw_file_read(&bytes, path, 1 << 24, &err));
    in_folder(other, *state, "b.recipe");
    for (int i = 0; i < 60; i++) {
        size_t at = bytes.size * (size_t)i / 60;
        bytes.data[at] ^= (uint8_t)(1 << i % 8);
        assert_ok(flaw_file_write(other, bytes.data, bytes.size, &err));
        flaw_status s = flaw_inspector_from_recipe(&back, engine, other, &err);
        assert_true(s == FLAW_BAD_DATA || s == FLAW_UNAVAILABLE);
        assert_contains(err.text, "b.recipe");
        bytes.data[at] ^= (uint8_t)(1 << i % 8);
        assert_ok(flaw_file_write(other, bytes.data, at, &err));
        assert_int_equal(flaw_inspector_from_recipe(&back, engine, other, &err), FLAW_BAD_DATA);
    }
    flaw_bytes_release(&bytes);
    assert_null(back);
    assert_int_equal(flaw_inspector_from_recipe(&back, engine, "not/there", &err), FLAW_MISSING);
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
        in_scratch(test_every_method), in_scratch(test_own_threshold),  in_scratch(test_other_model),
        in_scratch(test_self_check),   in_scratch(test_wrong_contents), in_scratch(test_damaged),
        in_scratch(test_views),        cmocka_unit_test(test_views_refused),
    };
    return cmocka_run_group_tests(tests, open_it, close_it);
}
