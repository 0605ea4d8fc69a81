/* Engine and embeddings: unit length, the golden numbers, dumps that hold what the tower computed. */
#include "check.h"

#include <pthread.h>

static flaw_engine *engine;

static flaw_picture golden_picture(void)
{
    char path[1024];
    flaw_picture p;
    flaw_error err = {0};
    assert_ok(flaw_picture_read(&p, golden_path(path, false, "clip-tiny/picture.png"), &err));
    return p;
}

static void test_options(void **state)
{
    char path[1024];
    flaw_engine *e = NULL;
    flaw_error err = {0};
    const char *model = golden_path(path, false, "clip-tiny/hf");
    const flaw_engine_options wrong[] = {
        {.model = model, .precision = "f16"}, {.model = model, .level = "sse"}, {.model = model, .threads = -1}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(flaw_engine_open(&e, &wrong[i], &err), FLAW_USAGE);
        assert_contains(err.text, "allowed");
    }
    assert_int_equal(flaw_engine_open(&e, &(flaw_engine_options){.model = "not/there"}, &err), FLAW_MISSING);
    assert_null(e);
    flaw_engine_close(NULL);
}

static void test_facts(void **state)
{
    assert_int_equal(flaw_engine_has_text(engine), 1);
    assert_int_equal(flaw_engine_width(engine), 20);
    assert_int_equal(flaw_engine_classes(engine), 0);
    assert_int_equal(strlen(flaw_engine_model_hash(engine)), 64);
    assert_true(strlen(flaw_engine_model_name(engine)) > 0);
    flaw_engine *timm = open_tiny_engine("timm");
    assert_int_equal(flaw_engine_has_text(timm), 0);
    assert_int_equal(flaw_engine_width(timm), 64);
    assert_true(flaw_engine_classes(timm) > 0);
    assert_string_not_equal(flaw_engine_model_hash(timm), flaw_engine_model_hash(engine));
    flaw_engine_close(timm);
}

static double length_of(const float *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)x[i] * x[i];
    return sqrt(sum);
}

static void test_picture(void **state)
{
    char path[1024];
    float got[20];
    flaw_error err = {0};
    flaw_picture p = golden_picture();
    flaw_tensors expected = open_expected(golden_path(path, false, "clip-tiny/expected.safetensors"));
    float *want = expected_floats(&expected, "quick.cls", 20);
    assert_ok(flaw_embed_picture(engine, &p, got, &err));
    assert_true(fabs(length_of(got, 20) - 1) < 1e-5);
    unit_length(want, 20);
    check_floats("embedding", got, want, 20, true, BAR_RELATIVE);
    free(want);
    flaw_tensors_close(&expected);
    flaw_picture_release(&p);
}

static void test_text(void **state)
{
    float a[20], b[20];
    char many[400] = "";
    int cut, ids[64], count;
    flaw_error err = {0};
    assert_ok(flaw_embed_text(engine, "a photo of a bottle", a, &cut, &err));
    assert_int_equal(cut, 0);
    assert_true(fabs(length_of(a, 20) - 1) < 1e-5);
    assert_ok(flaw_embed_text(engine, "  A photo OF a bottle ", b, NULL, &err));
    assert_memory_equal(a, b, sizeof a); /* cleaned */
    for (int i = 0; i < 60; i++) strncat(many, "word ", sizeof many - strlen(many) - 1);
    assert_ok(flaw_embed_text(engine, many, b, &cut, &err));
    assert_true(cut > 0);
    assert_ok(flaw_embed_tokens(engine, "a photo of a bottle", ids, 64, &count, &err));
    assert_true(count > 2 && count <= 20);
    int first = ids[0], last = ids[count - 1];
    ids[1] = -7;
    assert_ok(flaw_embed_tokens(engine, "a photo of a bottle", ids, 1, &count, &err));
    assert_true(ids[0] == first && ids[1] == -7 && last != first); /* no more than there is room for */
}

static void test_image_only(void **state)
{
    char path[1024];
    float out[64];
    int ids[4], count;
    flaw_error err = {0};
    flaw_engine *timm = open_tiny_engine("timm");
    flaw_picture p = golden_picture();
    int classes = flaw_engine_classes(timm);
    assert_true(classes <= 64);
    assert_ok(flaw_embed_logits(timm, &p, out, &err));
    flaw_tensors expected = open_expected(golden_path(path, false, "clip-tiny/expected.safetensors"));
    check_tensor(&expected, "timm.logits", out, (size_t)classes, true, BAR_RELATIVE);
    flaw_tensors_close(&expected);
    assert_int_equal(flaw_embed_text(timm, "a", out, NULL, &err), FLAW_USAGE);
    assert_int_equal(flaw_embed_tokens(timm, "a", ids, 4, &count, &err), FLAW_USAGE);
    assert_int_equal(flaw_embed_logits(engine, &p, out, &err), FLAW_USAGE);
    flaw_picture_release(&p);
    flaw_engine_close(timm);
}

static void test_dump(void **state)
{
    static const char *const same[] = {"pixels", "cls", "window2", "window3"};
    char path[512], golden[1024], name[64], other[64];
    flaw_error err = {0};
    flaw_picture p = golden_picture();
    assert_ok(flaw_embed_dump(engine, &p, in_folder(path, *state, "dump.safetensors"), &err));
    flaw_tensors dump = open_expected(path),
                 expected = open_expected(golden_path(golden, false, "clip-tiny/expected.safetensors"));
    for (int i = 0; i < 4 + 3; i++) {
        if (i < 4) snprintf(name, sizeof name, "%s", same[i]);
        else snprintf(name, sizeof name, "block%d", i - 4);
        snprintf(other, sizeof other, i ? "quick.%s" : "%s", name);
        const flaw_tensor *t = flaw_tensors_find(&dump, name);
        assert_non_null(t);
        float *got = expected_floats(&dump, name, t->count);
        check_tensor(&expected, other, got, t->count, true, BAR_RELATIVE);
        free(got);
    }
    assert_non_null(flaw_tensors_find(&dump, "patches"));
    assert_non_null(flaw_tensors_find(&dump, "embedded"));
    flaw_tensors_close(&dump);
    flaw_tensors_close(&expected);
    flaw_picture_release(&p);
}

static void test_info(void **state)
{
    char path[1024], *text = NULL;
    flaw_error err = {0};
    assert_ok(flaw_model_info(&text, golden_path(path, false, "clip-tiny/hf"), 0, &err));
    assert_true(strlen(text) > 50);
    free(text);
    text = NULL;
    assert_int_equal(flaw_model_info(&text, "not/there", 0, &err), FLAW_MISSING);
    free(text);
}

enum { ROUNDS = 20 };

static void *embed_often(void *out)
{
    float *x = out;
    flaw_picture p = golden_picture();
    for (int i = 0; i < ROUNDS; i++)
        if (flaw_embed_picture(engine, &p, x, NULL) || flaw_embed_text(engine, "a bottle", x + 20, NULL, NULL))
            x[0] = NAN;
    flaw_picture_release(&p);
    return NULL;
}

/* One engine, several threads: the same numbers as alone. */
static void test_shared(void **state)
{
    float want[40], got[3][40];
    pthread_t thread[3];
    embed_often(want);
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&thread[i], NULL, embed_often, got[i]), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < 3; i++) assert_memory_equal(got[i], want, sizeof want);
}

/* Inspectors of one engine work side by side. */
typedef struct station {
    flaw_inspector *in;
    flaw_picture picture;
    double score[ROUNDS];
} station;

static void *inspect_often(void *context)
{
    station *s = context;
    for (int i = 0; i < ROUNDS; i++) {
        flaw_result r;
        s->score[i] = flaw_inspector_judge(s->in, &s->picture, &r, NULL) ? NAN : r.score;
        flaw_result_release(&r);
    }
    return NULL;
}

static void test_side_by_side(void **state)
{
    static station s[3];
    pthread_t thread[3];
    flaw_inspect_options o;
    flaw_error err = {0};
    flaw_inspect_defaults(&o);
    for (int i = 0; i < 3; i++) {
        s[i].picture = draw(40, 40, (unsigned)i, 6);
        assert_ok(flaw_inspector_new(&s[i].in, engine, &o, NULL, NULL, &err));
        assert_int_equal(pthread_create(&thread[i], NULL, inspect_often, &s[i]), 0);
    }
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < 3; i++) {
        double alone = s[i].score[0];
        for (int k = 0; k < ROUNDS; k++) assert_true(s[i].score[k] == alone);
        inspect_often(&s[i]);
        assert_true(s[i].score[0] == alone);
        flaw_picture_release(&s[i].picture);
        flaw_inspector_free(s[i].in);
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),      cmocka_unit_test(test_facts),
        cmocka_unit_test(test_picture),      cmocka_unit_test(test_text),
        cmocka_unit_test(test_image_only),   cmocka_unit_test_setup_teardown(test_dump, make_scratch, remove_scratch),
        cmocka_unit_test(test_info),         cmocka_unit_test(test_shared),
        cmocka_unit_test(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, open_it, close_it);
}
