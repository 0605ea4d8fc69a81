/* flaw_ablation_run with talkers of the test's own, whose answers are known. A picture's largest red is its score, red
 * its map; green of its first pixel is how many anomalies are said, blue which place. Blindfold, everything is
 * anomalous in the center. The model "adapter" sees red the other way round and says no. */
#include "check.h"

#include <math.h>

#include "flaw/ablation.h"

struct flaw_talker {
    bool adapter, voiceless, blind;
    flaw_result facts;
    int count, place;
};

static struct {
    int open, opened, told, looked, asked;
    size_t good_count;
    char object[64], question[512];
    bool voiceless;
} seen;

void flaw_talk_defaults(flaw_talk_options *options)
{
    *options = (flaw_talk_options){.max_tokens = 77};
}

flaw_status flaw_talker_open(flaw_talker **out, const flaw_talk_options *options, flaw_error *err)
{
    assert_int_equal(options->max_tokens, 77);
    if (options->model && !strcmp(options->model, "none")) return flaw_fail(err, FLAW_MISSING, "no model 'none'");
    *out = calloc(1, sizeof **out);
    (*out)->adapter = options->model && !strcmp(options->model, "adapter");
    (*out)->voiceless = seen.voiceless;
    seen.open++;
    seen.opened++;
    seen.good_count = options->good_count;
    snprintf(seen.object, sizeof seen.object, "%s", options->object);
    return FLAW_OK;
}

flaw_status flaw_talker_product(flaw_talker *t, const char *object, const char *const *good, size_t good_count,
                                flaw_error *err)
{
    seen.told++;
    seen.good_count = good_count;
    snprintf(seen.object, sizeof seen.object, "%s", object);
    return FLAW_OK;
}

void flaw_talker_close(flaw_talker *t)
{
    if (!t) return;
    free(t->facts.map);
    free(t);
    seen.open--;
}

const char *flaw_talker_model(const flaw_talker *t)
{
    return "stand-in";
}

flaw_status flaw_talker_look_file(flaw_talker *t, const char *path, flaw_error *err)
{
    flaw_picture p;
    flaw_status status = flaw_picture_read(&p, path, err);
    if (status != FLAW_OK) return status;
    free(t->facts.map);
    t->facts = (flaw_result){.width = p.width, .height = p.height, .threshold = 100};
    t->facts.map = malloc(sizeof(float) * (size_t)p.width * (size_t)p.height);
    for (int i = 0; i < p.width * p.height; i++) {
        t->facts.map[i] = t->adapter ? 255 - p.rgb[3 * i] : p.rgb[3 * i];
        t->facts.score = fmax(t->facts.score, (double)t->facts.map[i]);
    }
    t->count = p.rgb[1];
    t->place = p.rgb[2];
    t->blind = false;
    flaw_picture_release(&p);
    seen.looked++;
    return FLAW_OK;
}

const flaw_result *flaw_talker_facts(const flaw_talker *t)
{
    return &t->facts;
}

flaw_status flaw_talker_blindfold(flaw_talker *t, flaw_error *err)
{
    if (t->voiceless) return flaw_fail(err, FLAW_UNAVAILABLE, "no voice here");
    t->blind = true;
    return FLAW_OK;
}

flaw_status flaw_talker_ask(flaw_talker *t, const char *question, flaw_talk_words words, void *context,
                            flaw_answer *out, flaw_error *err)
{
    static const char *const places[] = {"top left", "center", "bottom right"};
    snprintf(seen.question, sizeof seen.question, "%s", question);
    int count = t->blind ? 1 : t->adapter ? 0 : t->count;
    *out = (flaw_answer){.text = strdup("words"), .verdict = count ? FLAW_ANOMALOUS : FLAW_NORMAL, .count = count};
    if (count) snprintf(out->place[out->places++], sizeof out->place[0], "%s", t->blind ? "center" : places[t->place]);
    if (t->voiceless) snprintf(out->note, sizeof out->note, "facts speak");
    seen.asked++;
    return FLAW_OK;
}

void flaw_answer_release(flaw_answer *answer)
{
    free(answer->text);
    *answer = (flaw_answer){0};
}

static flaw_progress progress;

static flaw_status run(flaw_ablation_result *out, const flaw_ablation_options *options, const char *dataset,
                       flaw_error *err)
{
    flaw_ablation *a = NULL;
    flaw_dataset_list list = {0};
    flaw_status status = flaw_ablation_new(&a, options, err);
    if (status == FLAW_OK) status = flaw_dataset_find(&list, dataset, NULL, err);
    if (status == FLAW_OK) status = flaw_ablation_run(a, out, &list.entry[0], progress, NULL, err);
    flaw_dataset_list_release(&list);
    flaw_ablation_free(a);
    return status;
}

static int set_up(void **state)
{
    memset(&seen, 0, sizeof seen);
    return make_scratch(state);
}

static void fill(const char *root)
{
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "train/good/%d.png", i);
        draw_plain(root, name, 0x140000 + ((uint32_t)i << 20)); /* 20, 36, 52 */
    }
    draw_plain(root, "test/good/0.png", 0x0a0000);                 /* 10 */
    draw_plain(root, "test/good/1.png", 0x460000);                 /* 70, over the normal ones; no is said */
    draw(root, "test/hole/0.png", 9, 9, 0x140100, 1, 1, 0xff0000); /* 255 top left; once, top left is said */
    draw(root, "test/hole/1.png", 9, 9, 0x140201, 4, 4, 0xc80000); /* 200 in the center; twice, center is said */
    draw(root, "test/hole/2.png", 9, 9, 0x140000, 7, 7, 0x280000); /* 40 at the bottom right, under the limit; no */
    draw_plain(root, "test/hole/3.png", 0x1e0102);                 /* 30, no mask; once, bottom right is said */
    draw(root, "ground_truth/hole/0.png", 9, 9, 0, 1, 1, 0xffffff);
    draw(root, "ground_truth/hole/1.png", 9, 9, 0, 4, 4, 0xffffff);
    draw(root, "ground_truth/hole/2.png", 9, 9, 0, 7, 7, 0xffffff);
}

static bool is(double a, double b)
{
    return isnan(b) ? isnan(a) : fabs(a - b) < 1e-9;
}

static void check_row(const flaw_ablation_figures *f, double auroc, double accuracy, double count, double place)
{
    if (!is(f->image_auroc, auroc) || !is(f->accuracy, accuracy) || !is(f->count, count) || !is(f->place, place))
        fail_msg("image AUROC %g accuracy %g count %g place %g, expected %g %g %g %g", f->image_auroc, f->accuracy,
                 f->count, f->place, auroc, accuracy, count, place);
}

static void rows_by_hand(void **state)
{
    fill(*state);
    flaw_ablation_options options;
    flaw_ablation_result r;
    flaw_error err;
    flaw_ablation_defaults(&options);
    options.object = "thing";
    options.adapter = "adapter";
    assert_ok(run(&r, &options, *state, &err));
    assert_int_equal(r.good, 2);
    assert_int_equal(r.bad, 4);
    assert_int_equal(r.masks, 3);
    assert_int_equal(r.normals, 3);
    assert_true(r.limit == 52);
    assert_string_equal(r.model, "stand-in");
    assert_string_equal(seen.object, "thing");
    assert_string_equal(seen.question, "Is there any anomaly in the image?");
    assert_int_equal(seen.opened, 2);
    assert_int_equal(seen.open, 0);
    assert_int_equal(seen.looked, 3 + 2 * 6);
    for (int i = 0; i < FLAW_ABLATION_ROWS; i++) assert_string_equal(r.left_out[i], "");
    /* Scores 10 70 against 255 200 40 30: 6 of 8 pairs. */
    check_row(&r.row[FLAW_ABLATION_LANGUAGE], NAN, 4. / 6, 3. / 3, 1. / 3);
    check_row(&r.row[FLAW_ABLATION_LIMIT], 6. / 8, 3. / 6, 2. / 3, 2. / 3);
    check_row(&r.row[FLAW_ABLATION_FULL], 6. / 8, 5. / 6, 1. / 3, 2. / 3);
    /* 245 185 against 235 235 235 225, the largest of 255 - red: 4 of 8. */
    check_row(&r.row[FLAW_ABLATION_ADAPTER], 4. / 8, 2. / 6, 0, 0);
    assert_true(is(r.row[FLAW_ABLATION_LIMIT].false_alarms, 0.5) && is(r.row[FLAW_ABLATION_LIMIT].misses, 0.5));
    assert_true(is(r.row[FLAW_ABLATION_FULL].false_alarms, 0) && is(r.row[FLAW_ABLATION_FULL].misses, 0.25));
    assert_true(r.row[FLAW_ABLATION_FULL].pixel_auroc > 0.8 && r.row[FLAW_ABLATION_ADAPTER].pixel_auroc < 0.6);
    assert_true(isnan(r.row[FLAW_ABLATION_LANGUAGE].pixel_auroc));
}

static void rows_left_out(void **state)
{
    fill(*state);
    flaw_ablation_options options;
    flaw_ablation_result r;
    flaw_error err;
    flaw_ablation_defaults(&options);
    options.object = "hazelnut";
    options.described = 1;
    options.question = "Is it good?";
    seen.voiceless = true;
    assert_ok(run(&r, &options, *state, &err));
    assert_string_equal(r.left_out[FLAW_ABLATION_LANGUAGE], "no voice here");
    assert_string_equal(r.note, "facts speak");
    assert_contains(r.left_out[FLAW_ABLATION_ADAPTER], "adapters");
    check_row(&r.row[FLAW_ABLATION_LANGUAGE], NAN, NAN, NAN, NAN);
    check_row(&r.row[FLAW_ABLATION_ADAPTER], NAN, NAN, NAN, NAN);
    check_row(&r.row[FLAW_ABLATION_FULL], 6. / 8, 5. / 6, 1. / 3, 2. / 3);
    assert_contains(seen.question, "This is a photo of a hazelnut for anomaly detection");
    assert_contains(seen.question, "broken part. Is it good?");
    assert_null(strstr(seen.question, "Is there"));
}

/* Pictures to compare with do not make the limit; where none is left, the model's own stands in. */
static void shots(void **state)
{
    fill(*state);
    flaw_ablation_options options;
    flaw_ablation_result r;
    flaw_error err;
    flaw_ablation_defaults(&options);
    options.shots = 2;
    assert_ok(run(&r, &options, *state, &err));
    assert_int_equal(seen.good_count, 2);
    assert_int_equal(r.normals, 1);
    options.shots = -1;
    assert_ok(run(&r, &options, *state, &err));
    assert_int_equal(seen.good_count, 3);
    assert_int_equal(r.normals, 0);
    assert_true(isnan(r.limit));
    check_row(&r.row[FLAW_ABLATION_LIMIT], 6. / 8, 4. / 6, 2. / 3, 2. / 3); /* 70 is under 100 */
    options.shots = 4;
    assert_int_equal(run(&r, &options, *state, &err), FLAW_USAGE);
    assert_contains(err.text, "it has 3");
    options.shots = 0;
    options.normals = 2;
    assert_ok(run(&r, &options, *state, &err));
    assert_int_equal(r.normals, 2);
}

/* The models are opened once for all data sets; one that cannot be used does not stop the others. */
static void many_data_sets(void **state)
{
    fill(*state);
    flaw_ablation_options options;
    flaw_ablation_result first, again;
    flaw_ablation *a = NULL;
    flaw_error err;
    flaw_ablation_defaults(&options);
    options.adapter = "adapter";
    options.shots = 1;
    char *name = *state;
    flaw_dataset_entry nowhere = {"nowhere", "nowhere", "mvtec"}, here = {name, name, "mvtec"};
    assert_ok(flaw_ablation_new(&a, &options, &err));
    assert_int_equal(flaw_ablation_run(a, &first, &nowhere, NULL, NULL, &err), FLAW_MISSING);
    assert_int_equal(seen.opened, 0);
    memset(&first, 0, sizeof first);
    memset(&again, 0, sizeof again);
    assert_ok(flaw_ablation_run(a, &first, &here, NULL, NULL, &err));
    assert_int_equal(seen.told, 0);
    options.object = "another thing";
    assert_ok(flaw_ablation_run(a, &again, &here, NULL, NULL, &err));
    assert_int_equal(seen.opened, 2);
    assert_int_equal(seen.told, 2);
    assert_int_equal(seen.good_count, 1);
    assert_string_equal(seen.object, "another thing");
    assert_memory_equal(first.row, again.row, sizeof first.row);
    flaw_ablation_free(a);
    assert_int_equal(seen.open, 0);
}

static int stop_at_fifth(void *context, size_t done, size_t total, const char *what)
{
    assert_int_equal(total, 9);
    return done == 5;
}

static void faults(void **state)
{
    fill(*state);
    flaw_ablation_options options;
    flaw_ablation_result r = {.good = 42};
    flaw_error err;
    flaw_ablation_defaults(&options);
    progress = stop_at_fifth;
    assert_int_equal(run(&r, &options, *state, &err), FLAW_USAGE);
    progress = NULL;
    assert_contains(err.text, "cancelled");
    assert_int_equal(seen.looked, 5);
    options.adapter = "none";
    assert_int_equal(run(&r, &options, *state, &err), FLAW_MISSING);
    assert_int_equal(seen.open, 0);
    options.adapter = NULL;
    draw_plain(*state, "ground_truth/hole/2.png", 0); /* a mask that marks nothing */
    assert_int_equal(run(&r, &options, *state, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "hole/2.png");
    assert_int_equal(run(&r, &options, "nowhere", &err), FLAW_MISSING);
    assert_int_equal(r.good, 42);
}

static void the_papers_figures(void **state)
{
    assert_true(flaw_ablation_paper(FLAW_ABLATION_FULL, 0) == 0.933 &&
                flaw_ablation_paper(FLAW_ABLATION_FULL, 1) == 0.774);
    assert_true(flaw_ablation_paper(FLAW_ABLATION_LANGUAGE, 0) == 0.722);
    assert_true(isnan(flaw_ablation_paper(FLAW_ABLATION_ROWS, 0)));
    for (int i = 0; i < FLAW_ABLATION_ROWS; i++) assert_non_null(flaw_ablation_title(i));
    assert_null(flaw_ablation_title(FLAW_ABLATION_ROWS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_by_hand, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(rows_left_out, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(shots, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(many_data_sets, set_up, remove_scratch),
        cmocka_unit_test_setup_teardown(faults, set_up, remove_scratch),
        cmocka_unit_test(the_papers_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
