/* Methods that train a network while they learn, on the tiny CLIP of the tree: the same seed gives the same bits, in
 * any number of threads; another seed another network; training tells apart what was seen from what was not; progress
 * is told and can stop it; what a recipe keeps is checked. (That it comes back the same: test_keep.c, as for every
 * method.) */
#include "../inspect/check.h"

#include "method/network.h"

enum { CELLS = 16 };
static const char *const methods[] = {"uniad", "jnld"};
enum { METHODS = sizeof methods / sizeof *methods };

typedef struct watch {
    size_t steps, stop_at;
} watch;

static int on_progress(void *context, size_t done, size_t total, const char *what)
{
    watch *w = context;
    if (!strstr(what, "training")) return 0;
    assert_true(done <= total);
    return ++w->steps == w->stop_at;
}

static flaw_inspector *learn_in(flaw_engine *engine, const good_files *good, const char *method, const char *options,
                                unsigned long long seed)
{
    flaw_inspector *in = NULL;
    flaw_inspect_options o;
    flaw_error err = {0};
    flaw_inspect_defaults(&o);
    o.method = method;
    o.method_options = options;
    o.good = good->path;
    o.good_count = good->count;
    o.seed = seed;
    assert_ok(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err));
    return in;
}

static flaw_score look(flaw_inspector *in, const flaw_picture *p)
{
    flaw_score score = measure(in, p);
    for (int i = 0; i < CELLS; i++) assert_true((double)score.map[i] <= score.image + 1e-6);
    return score;
}

static flaw_engine *engine_of(int threads)
{
    char path[1024];
    flaw_engine *engine = NULL;
    const char *model = golden_path(path, false, "clip-tiny/open_clip");
    flaw_engine_options o = {.model = model, .threads = threads};
    flaw_error err = {0};
    assert_non_null(model);
    assert_ok(flaw_engine_open(&engine, &o, &err));
    return engine;
}

static void test_same_bits(void **state)
{
    good_files good;
    draw_good(&good, *state, 3);
    flaw_engine *one = engine_of(1), *three = engine_of(3);
    flaw_picture p = draw(48, 40, 9, 8);
    for (int m = 0; m < METHODS; m++) {
        float map[CELLS];
        flaw_inspector *a = learn_in(one, &good, methods[m], "steps=6", 5);
        flaw_inspector *b = learn_in(three, &good, methods[m], "steps=6", 5);
        flaw_inspector *c = learn_in(one, &good, methods[m], "steps=6", 6);
        flaw_score first = look(a, &p);
        memcpy(map, first.map, sizeof map);
        flaw_score same = look(b, &p), other = look(c, &p);
        assert_true(first.image == same.image && a->calibration.threshold == b->calibration.threshold);
        assert_memory_equal(map, same.map, sizeof map);
        assert_true(other.image != first.image);
        flaw_inspector_free(a);
        flaw_inspector_free(b);
        flaw_inspector_free(c);
    }
    flaw_picture_release(&p);
    flaw_engine_close(one);
    flaw_engine_close(three);
}

/* Training tells what it saw from what it did not: a good part's score falls beside that of a blot. */
static void test_learns(void **state)
{
    good_files good;
    draw_good(&good, *state, 1);
    flaw_engine *engine = engine_of(1);
    flaw_picture normal, blot = draw(48, 40, 100, 10);
    flaw_error err = {0};
    assert_ok(flaw_picture_read(&normal, good.path[0], &err));
    for (int m = 0; m < METHODS; m++) {
        flaw_inspector *raw = learn_in(engine, &good, methods[m], "steps=1", 0);
        flaw_inspector *taught = learn_in(engine, &good, methods[m], "steps=120", 0);
        double before = look(raw, &blot).image / look(raw, &normal).image;
        double after = look(taught, &blot).image / look(taught, &normal).image;
        print_message("%s: blot over normal %.3f untrained, %.3f trained\n", methods[m], before, after);
        assert_true(after > 1.05 * before);
        flaw_inspector_free(raw);
        flaw_inspector_free(taught);
    }
    flaw_picture_release(&normal);
    flaw_picture_release(&blot);
    flaw_engine_close(engine);
}

static void test_progress(void **state)
{
    good_files good;
    draw_good(&good, *state, 2);
    flaw_engine *engine = engine_of(1);
    for (int m = 0; m < METHODS; m++) {
        flaw_inspector *in = NULL;
        flaw_inspect_options o;
        flaw_error err = {0};
        watch w = {.stop_at = 0};
        flaw_inspect_defaults(&o);
        o.method = methods[m];
        o.method_options = "steps=20";
        o.good = good.path;
        o.good_count = good.count;
        assert_ok(flaw_inspector_new(&in, engine, &o, on_progress, &w, &err));
        assert_int_equal(w.steps, 6); /* two folds and the last, told twice each */
        flaw_inspector_free(in);
        w = (watch){.stop_at = 3};
        assert_int_equal(flaw_inspector_new(&in, engine, &o, on_progress, &w, &err), FLAW_USAGE);
        assert_contains(err.text, "cancelled");
        o.method_options = "steps=0";
        assert_int_equal(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err), FLAW_USAGE);
        assert_contains(err.text, "steps");
    }
    flaw_engine_close(engine);
}

/* A recipe's weights: too few, none, not one row. */
static void test_broken_weights(void **state)
{
    flaw_engine *engine = engine_of(1);
    flaw_network n = {.name = "a"};
    flaw_error err = {0};
    flaw_tape_begin(&n.tape, 4);
    flaw_tape_linear(&n.tape, flaw_tape_input(&n.tape, 3), 2);
    assert_ok(flaw_tape_build(&n.tape, &engine->compute, 1, false, 0, 1, &err));
    const float weights[16] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    const size_t sizes[][2] = {{1, 7}, {2, 8}, {1, 9}, {1, 8}};
    for (size_t i = 0; i < 4; i++) {
        flaw_record r;
        flaw_record_init(&r);
        assert_int_equal(flaw_network_load(&n, &r, &err), FLAW_BAD_DATA);
        assert_ok(flaw_record_put_table(&r, "a.weights", weights, sizes[i][0], sizes[i][1], &err));
        assert_int_equal(flaw_network_load(&n, &r, &err), i == 3 ? FLAW_OK : FLAW_BAD_DATA);
        flaw_record_release(&r);
    }
    assert_memory_equal(n.tape.moments.w, weights, 8 * sizeof(float));
    flaw_tape_close(&n.tape);
    flaw_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_bits, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_learns, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_progress, make_scratch, remove_scratch),
        cmocka_unit_test(test_broken_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
