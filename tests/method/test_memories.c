/* SPADE, PaDiM, PatchCore, AnomalyDINO and MuSc on features from a formula: against numpy, scipy and scikit-learn
 * (tools/make_methods_golden.py), and the properties that hold whatever the features are. */
#include "../formula.h"
#include "../inspect/check.h"

#include <jansson.h>

#include "detect/augment.h"
#include "detect/batch_limit.h"
#include "method/foreground.h"

enum { GRID = 4, CELLS = GRID * GRID, WIDTH = 64, PARTS = 5, QUERIES = 2, ALL = PARTS + QUERIES };

static flaw_engine *engine; /* tiny timm tower: 4 x 4 patches, width 64 */
static flaw_features picture[ALL];

/* A method with options, and what it says. */
typedef struct tried {
    const flaw_method *method;
    flaw_inspect_options options;
    double value[FLAW_SETTINGS_MOST];
    flaw_method_setup setup;
    void *state;
} tried;

typedef struct judged {
    double image;
    float map[CELLS];
} judged;

/* name, options for the comparison with the papers' formulas */
static const struct {
    const char *name, *options;
} methods[] = {
    {"spade", "k=2"},
    {"padim", "channels=2048"},
    {"patchcore", "coreset=1,b=9"},
    {"anomalydino", "rotations=1,mask=off"},
    {"musc", "share=40%,k=3"},
};
enum { METHODS = sizeof methods / sizeof methods[0], MUSC = METHODS - 1 };

static void fill_rows(float *out, const char *name, const char *what, size_t count)
{
    char common[64], own[64], defect[64];
    snprintf(common, sizeof common, "common.%s", what);
    snprintf(own, sizeof own, "%s.%s", name, what);
    snprintf(defect, sizeof defect, "defect.%s", what);
    bool bad = strcmp(name, "query1") == 0 && count == CELLS;
    for (size_t r = 0; r < count; r++) {
        float *row = out + r * WIDTH;
        double square = 0;
        for (size_t i = 0; i < WIDTH; i++) {
            size_t at = r * WIDTH + i;
            row[i] = (float)(bad && r == 6 ? 2 * uniform(defect, i) : uniform(common, at) + 0.5 * uniform(own, at));
            square += (double)row[i] * (double)row[i];
        }
        for (size_t i = 0; i < WIDTH; i++) row[i] = (float)((double)row[i] / sqrt(square));
    }
}

static int open_all(void **state)
{
    const int want = FLAW_WANT_CLS | FLAW_WANT_PATCHES | FLAW_WANT_STAGES | FLAW_WANT_LAST;
    flaw_error err = {0};
    engine = open_tiny_engine("timm");
    assert_true(engine->model->shape.grid == GRID && engine->model->shape.image.width == WIDTH);
    for (int i = 0; i < ALL; i++) {
        char name[32];
        snprintf(name, sizeof name, i < PARTS ? "part%d" : "query%d", i < PARTS ? i : i - PARTS);
        assert_ok(flaw_features_new(&picture[i], engine->model, want, &err));
        fill_rows(picture[i].cls, name, "cls", 1);
        fill_rows(picture[i].patches, name, "patches", CELLS);
        for (int s = 0; s < FLAW_STAGES; s++) {
            char stage[16];
            snprintf(stage, sizeof stage, "stage%d", s);
            fill_rows(picture[i].stage[s], name, stage, CELLS);
        }
    }
    return 0;
}

static int close_all(void **state)
{
    for (int i = 0; i < ALL; i++) flaw_features_release(&picture[i]);
    flaw_engine_close(engine);
    return 0;
}

static void open_method(tried *t, const char *name, const char *options)
{
    flaw_error err = {0};
    *t = (tried){.method = flaw_method_find(name)};
    flaw_inspect_defaults(&t->options);
    assert_ok(flaw_settings_read(t->value, t->method->option, options, name, &err));
    t->setup = (flaw_method_setup){
        .model = engine->model, .compute = &engine->compute, .options = &t->options, .value = t->value};
    assert_ok(t->method->open(&t->state, &t->setup, &err));
}

static flaw_status teach(tried *t, const int *which, size_t count, flaw_error *err)
{
    const flaw_features *good[ALL + 2];
    for (size_t i = 0; i < count; i++) good[i] = &picture[which[i]];
    flaw_lesson lesson = {.good = good, .count = count};
    return t->method->learn(t->state, &lesson, err);
}

static void open_taught(tried *t, const char *name, const char *options, const int *which, size_t count)
{
    flaw_error err = {0};
    open_method(t, name, options);
    assert_ok(teach(t, which, count, &err));
}

static judged look(tried *t, int which)
{
    judged j;
    flaw_score score = {.map = j.map};
    flaw_error err = {0};
    assert_ok(t->method->score(t->state, &picture[which], &score, &err));
    j.image = score.image;
    return j;
}

static void close_method(tried *t)
{
    t->method->close(t->state);
}

static void assert_near(const judged *a, const judged *b, double within)
{
    assert_true(fabs(a->image - b->image) <= within);
    for (int i = 0; i < CELLS; i++) assert_true(fabs((double)a->map[i] - (double)b->map[i]) <= within);
}

static const int forwards[ALL] = {0, 1, 2, 3, 4, 5, 6}, backwards[ALL] = {6, 5, 4, 3, 2, 1, 0};

static size_t lesson_of(int method)
{
    return method == MUSC ? ALL : PARTS;
}

/* Against numpy, scipy and scikit-learn. */
static void test_papers(void **state)
{
    char path[1024];
    const char *source = getenv("FLAW_SOURCE");
    if (!source) fail_msg("FLAW_SOURCE does not lead to the tests' data");
    snprintf(path, sizeof path, "%s/tests/method/memories.json", source);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    for (int m = 0; m < METHODS; m++) {
        const json_t *list = json_object_get(root, methods[m].name);
        tried t;
        double worst = 0;
        open_taught(&t, methods[m].name, methods[m].options, forwards, lesson_of(m));
        assert_int_equal(json_array_size(list), m == MUSC ? ALL : QUERIES);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *want = json_array_get(list, i), *map = json_object_get(want, "map");
            judged j = look(&t, m == MUSC ? (int)i : PARTS + (int)i);
            worst = fmax(worst, fabs(j.image - json_real_value(json_object_get(want, "image"))));
            for (size_t c = 0; c < CELLS; c++)
                worst = fmax(worst, fabs((double)j.map[c] - json_real_value(json_array_get(map, c))));
        }
        print_message("  %s: %.2g\n", methods[m].name, worst);
        assert_true(worst < 1e-5);
        close_method(&t);
    }
    json_decref(root);
}

/* The order of the parts changes nothing. */
static void test_order(void **state)
{
    for (int m = 0; m < METHODS; m++) {
        size_t count = lesson_of(m);
        tried one, other;
        open_taught(&one, methods[m].name, methods[m].options, forwards, count);
        open_taught(&other, methods[m].name, methods[m].options, backwards + ALL - count, count);
        for (int i = 0; i < ALL; i++) {
            judged a = look(&one, i), b = look(&other, i);
            assert_near(&a, &b, 1e-6);
        }
        close_method(&one);
        close_method(&other);
    }
}

/* A part of the memory is not far from it, a defect is. */
static void test_itself(void **state)
{
    static const char *const options[] = {"k=1", "channels=50", "coreset=1", "rotations=1,mask=off"};
    for (int m = 0; m < MUSC; m++) {
        tried t;
        /* PaDiM's mean of several parts is none of them. */
        open_taught(&t, methods[m].name, options[m], forwards, m == 1 ? 1 : PARTS);
        judged itself = look(&t, 0), bad = look(&t, PARTS + 1);
        assert_true(fabs(itself.image) < 1e-3);
        for (int i = 0; i < CELLS; i++) {
            assert_true(fabs((double)itself.map[i]) < 1e-3);
            bool beside = m == 2 && i / GRID <= 2 && i % GRID >= 1; /* neighbourhoods of the defect at 6 show it, too */
            assert_true(bad.map[i] <= bad.map[6] || beside);
        }
        assert_true(bad.image > 0.1 && bad.map[6] > 0.1f);
        close_method(&t);
    }
}

/* One part more never takes a patch farther from its nearest neighbour. */
static void test_more_parts(void **state)
{
    static const int with[] = {0, 2, 3};
    static const char *const options[] = {"k=50", NULL, "coreset=1", "rotations=1,mask=off"};
    for (size_t m = 0; m < sizeof with / sizeof with[0]; m++) {
        judged before = {0};
        for (size_t n = 1; n <= PARTS; n++) {
            tried t;
            open_taught(&t, methods[with[m]].name, options[with[m]], forwards, n);
            judged now = look(&t, PARTS);
            for (int i = 0; n > 1 && i < CELLS; i++) assert_true(now.map[i] <= before.map[i] + 1e-6f);
            before = now;
            close_method(&t);
        }
    }
}

/* What a recipe keeps gives the same bits; what is missing or mangled there is refused. */
static void test_recipe(void **state)
{
    for (int m = 0; m < METHODS; m++) {
        flaw_record record, broken;
        flaw_error err = {0};
        tried one, other;
        open_taught(&one, methods[m].name, NULL, forwards, lesson_of(m));
        open_method(&other, methods[m].name, NULL);
        flaw_record_init(&record);
        assert_ok(one.method->save(one.state, &record, &err));
        assert_ok(other.method->load(other.state, &record, &err));
        for (int i = PARTS; i < ALL; i++) {
            judged a = look(&one, i), b = look(&other, i);
            assert_true(a.image == b.image);
            assert_memory_equal(a.map, b.map, sizeof a.map);
        }
        close_method(&other);
        for (size_t left = 0; left < record.count; left++) { /* without one of its items; with one of another shape */
            for (int how = 0; how < 2; how++) {
                const float zeros[3] = {0};
                flaw_record_init(&broken);
                for (size_t i = 0; i < record.count; i++) {
                    const flaw_record_item *item = &record.item[i];
                    if (i == left && how) assert_ok(flaw_record_put_table(&broken, item->name, zeros, 1, 3, &err));
                    else if (i != left && item->kind == FLAW_RECORD_TABLE)
                        assert_ok(
                            flaw_record_put_table(&broken, item->name, item->table, item->rows, item->columns, &err));
                    else if (i != left) assert_ok(flaw_record_put_number(&broken, item->name, item->number, &err));
                }
                open_method(&other, methods[m].name, NULL);
                assert_int_equal(other.method->load(other.state, &broken, &err), FLAW_BAD_DATA);
                close_method(&other);
                flaw_record_release(&broken);
            }
        }
        flaw_record_release(&record);
        close_method(&one);
    }
}

/* Nothing learnt yet; too small a batch; a copy counts once; another picture than the batch's is judged, too. */
static void test_batch(void **state)
{
    static const int twice[] = {0, 1, 2, 3, 4, 5, 6, 0, 3}, same[] = {1, 1, 2, 2};
    flaw_error err = {0};
    flaw_score score = {.map = (float[CELLS]){0}};
    tried once, copies, few;
    for (int m = 0; m < METHODS; m++) {
        open_method(&few, methods[m].name, NULL);
        assert_int_equal(few.method->score(few.state, &picture[0], &score, &err), FLAW_USAGE);
        assert_contains(err.text, "learnt");
        close_method(&few);
    }
    open_method(&few, "musc", NULL);
    assert_int_equal(teach(&few, same, 4, &err), FLAW_USAGE);
    assert_contains(err.text, "at least 3 different ones, given are 2");
    open_taught(&once, "musc", NULL, forwards, ALL);
    open_taught(&copies, "musc", NULL, twice, ALL + 2);
    for (int i = 0; i < ALL; i++) {
        judged a = look(&once, i), b = look(&copies, i);
        assert_near(&a, &b, 0);
    }
    assert_ok(teach(&few, forwards, ALL - 1, &err));
    judged stranger = look(&few, ALL - 1), member = look(&few, 0), known = look(&once, ALL - 1);
    assert_true(stranger.map[6] > 0.5f && stranger.image > member.image);
    for (int i = 0; i < CELLS; i++) assert_true(stranger.map[i] == known.map[i]); /* against the same six others */
    close_method(&once);
    close_method(&copies);
    close_method(&few);
}

static void test_settings(void **state)
{
    static const flaw_method_option list[] = {
        {"k", FLAW_OPTION_WHOLE, 1, 10, 5, NULL, "a count"},
        {"share", FLAW_OPTION_SHARE, 0.01, 1, 0.5, NULL, "a share"},
        {"mask", FLAW_OPTION_CHOICE, 0, 0, 1, "auto|on|off", "a choice"},
        {0},
    };
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"q=1", "has no option \"q\", allowed are k, share, mask"},
        {"k", "has no value"},
        {"k=", "whole numbers from 1 to 10"},
        {"k=2.5", "whole numbers from 1 to 10"},
        {"k=11", "whole numbers from 1 to 10"},
        {"k=nan", "whole numbers"},
        {"k=3x", "whole numbers"},
        {"k=3,k=4", "given twice"},
        {"share=0", "0.01 to 1"},
        {"share=1/0", "0.01 to 1"},
        {"mask=maybe", "allowed are auto|on|off"},
        {"mask=", "allowed are auto|on|off"},
        {"k=3,,share=1", "no option \"\""},
        {"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk=1", "too long"},
    };
    double v[FLAW_SETTINGS_MOST];
    flaw_error err = {0};
    assert_ok(flaw_settings_read(v, list, NULL, "m", &err));
    assert_true(v[0] == 5 && v[1] == 0.5 && v[2] == 1);
    assert_ok(flaw_settings_read(v, list, "mask=off,share=10%", "m", &err));
    assert_true(v[0] == 5 && v[1] == 0.1 && v[2] == 2);
    assert_ok(flaw_settings_read(v, list, "share=1/4,k=10", "m", &err));
    assert_true(v[0] == 10 && v[1] == 0.25);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(flaw_settings_read(v, list, wrong[i].text, "m", &err), FLAW_USAGE);
        assert_contains(err.text, wrong[i].says);
    }
    assert_int_equal(flaw_settings_read(v, NULL, "k=1", "m", &err), FLAW_USAGE);
    assert_contains(err.text, "allowed are none");
}

/* Patches of a part in the middle (`part` = 1) on a background, as unit rows along two axes with some noise. */
static void draw_rows(float *rows, const uint8_t *part, int grid, const char *name)
{
    for (int i = 0; i < grid * grid; i++)
        for (int d = 0; d < 8; d++)
            rows[i * 8 + d] = (float)((d == part[i]) + 0.2 * uniform(name, (size_t)(i * 8 + d)));
}

static void test_foreground(void **state)
{
    enum { SIDE = 8, ROWS = SIDE * SIDE };
    static float rows[3][ROWS * 8];
    const float *list[2] = {rows[0], rows[1]};
    uint8_t shape[ROWS], mask[ROWS], none[ROWS] = {0};
    const flaw_kernels *k = engine->compute.kernels;
    flaw_foreground f;
    flaw_error err = {0};
    assert_ok(flaw_foreground_open(&f, SIDE, 8, &err));
    for (int i = 0; i < ROWS; i++) shape[i] = i / SIDE >= 2 && i / SIDE < 6 && i % SIDE >= 2 && i % SIDE < 6;
    draw_rows(rows[0], shape, SIDE, "a");
    draw_rows(rows[1], shape, SIDE, "b");
    assert_ok(flaw_foreground_learn(&f, list, 2, FLAW_FOREGROUND_AUTO, k, &err));
    assert_true(f.used && fabs(f.least - 0.25) < 1e-9);
    shape[3 * SIDE + 3] = 0; /* a hole that looks like background is looked at */
    draw_rows(rows[2], shape, SIDE, "c");
    flaw_foreground_mark(&f, rows[2], mask, k);
    for (int i = 0; i < ROWS; i++) { /* the part and one patch around it */
        int y = i / SIDE, x = i % SIDE;
        assert_int_equal(mask[i], y >= 1 && y < 7 && x >= 1 && x < 7);
    }
    draw_rows(rows[2], none, SIDE, "d"); /* the part is not there: everything is looked at */
    flaw_foreground_mark(&f, rows[2], mask, k);
    for (int i = 0; i < ROWS; i++) assert_int_equal(mask[i], 1);
    for (int i = 0; i < ROWS * 8; i++) rows[0][i] = (float)uniform("texture", (size_t)i); /* no two sides */
    assert_ok(flaw_foreground_learn(&f, list, 1, FLAW_FOREGROUND_AUTO, k, &err));
    assert_false(f.used);
    assert_ok(flaw_foreground_learn(&f, list, 1, FLAW_FOREGROUND_ON, k, &err));
    assert_true(f.used);
    memset(rows[0], 0, sizeof rows[0]); /* all alike: there is no component */
    assert_ok(flaw_foreground_learn(&f, list, 1, FLAW_FOREGROUND_ON, k, &err));
    assert_false(f.used);
    flaw_foreground_close(&f);
}

static void test_turned(void **state)
{
    flaw_picture p = draw(21, 21, 3, 6), turned[4];
    flaw_error err = {0};
    for (int i = 0; i < 4; i++) assert_ok(flaw_augment_turn(&turned[i], i ? &turned[i - 1] : &p, 90, &err));
    assert_memory_equal(turned[3].rgb, p.rgb, 3 * 21 * 21);
    for (int y = 0; y < 21; y++) /* against the clock: the right side becomes the top */
        for (int x = 0; x < 21; x++)
            assert_memory_equal(turned[0].rgb + 3 * (y * 21 + x), p.rgb + 3 * (x * 21 + 20 - y), 3);
    for (int i = 0; i < 4; i++) flaw_picture_release(&turned[i]);
    flaw_picture_release(&p);
}

static void test_batch_limit(void **state)
{
    const flaw_sample sample[] = {{.score = 3, .peak = 30, .middle = 1},
                                  {.score = 1, .peak = 10, .middle = 3},
                                  {.score = 2, .peak = 20, .middle = 2},
                                  {.score = 5, .peak = 50, .middle = 9},
                                  {.score = 100, .peak = 900, .middle = 4}};
    flaw_sample broken = {.score = NAN};
    flaw_calibration c;
    flaw_error err = {0};
    assert_ok(flaw_calibrate_batch(&c, sample, 5, 2, &err));
    assert_true(fabs(c.threshold - (3 + 2 * 1.4826 * 2)) < 1e-12); /* deviations 0 1 2 2 97 */
    assert_true(fabs(c.map_threshold - (30 + 2 * 1.4826 * 20)) < 1e-12 && c.map_low == 3);
    assert_true(isnan(c.false_alarm_rate) && c.good == 0);
    assert_string_equal(c.rule, "batch");
    assert_contains(c.about, "not known");
    assert_int_equal(flaw_calibrate_batch(&c, sample, 0, 2, &err), FLAW_USAGE);
    assert_int_equal(flaw_calibrate_batch(&c, &broken, 1, 2, &err), FLAW_BAD_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_papers),      cmocka_unit_test(test_order),      cmocka_unit_test(test_itself),
        cmocka_unit_test(test_more_parts),  cmocka_unit_test(test_recipe),     cmocka_unit_test(test_batch),
        cmocka_unit_test(test_settings),    cmocka_unit_test(test_foreground), cmocka_unit_test(test_turned),
        cmocka_unit_test(test_batch_limit),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
