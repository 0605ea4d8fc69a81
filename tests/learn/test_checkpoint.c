/* Checkpoint files: all that was put in comes out, and a file that is none of this run's is refused by its reason. */
#include <math.h>

#include "base/file.h"
#include "check.h"
#include "learn/checkpoint.h"

enum { COUNT = 37 };

typedef struct fixture {
    float weights[COUNT], m[COUNT];
    flaw_checkpoint_array array[2];
    flaw_checkpoint_fact fact[2];
    flaw_history history;
    int64_t step;
    flaw_checkpoint c;
} fixture;

static void fill(fixture *f, bool values)
{
    *f = (fixture){.history.columns = 3, .step = values ? 123456789012 : 0};
    for (int i = 0; values && i < COUNT; i++) {
        f->weights[i] = (float)sin(i);
        f->m[i] = (float)i * 1e-30f;
    }
    f->array[0] = (flaw_checkpoint_array){"weights", f->weights, COUNT};
    f->array[1] = (flaw_checkpoint_array){"m", f->m, COUNT};
    f->fact[0] = (flaw_checkpoint_fact){"shape", "{\"width\":5}", "shape of the model"};
    f->fact[1] = (flaw_checkpoint_fact){"seed", "7", "seed"};
    f->c = (flaw_checkpoint){.array = f->array, .arrays = 2, .fact = f->fact, .facts = 2, .step = &f->step,
                             .history = &f->history};
}

static void test_round_trip(void **state)
{
    char path[512];
    flaw_error err;
    fixture a, b;
    double x[400], y[400];
    fill(&a, true);
    fill(&b, false);
    in_folder(path, *state, "c.safetensors");
    assert_ok(flaw_checkpoint_save(&a.c, path, &err)); /* no history yet */
    assert_ok(flaw_checkpoint_load(&b.c, path, &err));
    assert_int_equal(b.history.rows, 0);
    for (int i = 0; i < 300; i++) assert_ok(flaw_history_add(&a.history, (float[3]){(float)i, i % 3 ? NAN : 0.5f, (float)i}, &err));
    assert_ok(flaw_checkpoint_save(&a.c, path, &err));
    assert_ok(flaw_checkpoint_load(&b.c, path, &err));
    assert_ok(flaw_checkpoint_load(&b.c, path, &err)); /* twice: nothing is added up */
    assert_int_equal(b.step, 123456789012);
    assert_memory_equal(b.weights, a.weights, sizeof a.weights);
    assert_memory_equal(b.m, a.m, sizeof a.m);
    assert_int_equal(b.history.rows, 300);
    assert_memory_equal(b.history.value, a.history.value, 900 * sizeof(float));
    assert_int_equal(flaw_history_column(&b.history, 1, x, y), 100);
    assert_true(x[99] == 297 && y[99] == 0.5);
    assert_int_equal(flaw_history_column(&b.history, 2, x, y), 300);
    flaw_history_release(&a.history);
    flaw_history_release(&b.history);
}

/* What is changed in the run before it is loaded, and what is said then. */
static void test_refusals(void **state)
{
    char path[512];
    flaw_error err;
    fixture a, b;
    fill(&a, true);
    assert_ok(flaw_history_add(&a.history, (float[3]){1, 2, 3}, &err));
    assert_ok(flaw_checkpoint_save(&a.c, in_folder(path, *state, "c.safetensors"), &err));
    for (int i = 0; i < 6; i++) {
        static const struct {
            flaw_status status;
            const char *text;
        } want[] = {{FLAW_USAGE, "seed"},      {FLAW_USAGE, "shape of the model"}, {FLAW_BAD_DATA, "'v' is missing"},
                    {FLAW_BAD_DATA, "37 values; the model has 36"}, {FLAW_BAD_DATA, "4 columns"}, {FLAW_USAGE, "vocabulary"}};
        fill(&b, false);
        if (i == 0) b.fact[1].value = "8";
        if (i == 1) b.fact[0].value = "";
        if (i == 2) b.array[1].name = "v";
        if (i == 3) b.array[1].count = 36;
        if (i == 4) b.history.columns = 4;
        if (i == 5) b.fact[1] = (flaw_checkpoint_fact){"merges", "a b", "vocabulary"};
        assert_int_equal(flaw_checkpoint_load(&b.c, path, &err), want[i].status);
        assert_contains(err.text, want[i].text);
        assert_contains(err.text, "c.safetensors");
        flaw_history_release(&b.history);
    }
    fill(&b, false);
    const char *bad_step[] = {"shape", "{\"width\":5}", "seed", "7", "step", "-1"};
    assert_ok(flaw_safetensors_write(path, NULL, 0, bad_step, 3, &err));
    assert_int_equal(flaw_checkpoint_load(&b.c, path, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "'-1'");
    assert_ok(flaw_file_write(path, "no such thing", 13, &err));
    assert_int_equal(flaw_checkpoint_load(&b.c, path, &err), FLAW_BAD_DATA);
    assert_int_equal(flaw_checkpoint_load(&b.c, "nowhere.safetensors", &err), FLAW_MISSING);
    flaw_history_release(&a.history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_refusals, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
