/* ../shared/golden/anomalygpt-small as a whole, in float32: from a folder of released files, a picture and a question
 * to the first logits and the tokens of the answer, for both maps and both pictures; and what is refused. */
#include "anomalygpt.h"

#include <jansson.h>

#include "flaw/model.h"
#include "talk/dialogue_prompt.h"

#define BAR_LOGITS 2e-3
enum { ANSWER = 16 };

typedef struct setting {
    char folder[1024];
    flaw_compute c;
    flaw_anomalygpt m;
    flaw_tensors expected;
    json_t *root;
    float *text; /* [2, E] */
    const char *question;
} setting;

/* model NULL: the folder itself. */
static bool open_setting(setting *s, flaw_level level, const char *model)
{
    char path[1200];
    flaw_error err = {0};
    if (!golden_path(s->folder, true, ANOMALYGPT)) return false;
    s->c = open_compute(level);
    assert_ok(flaw_anomalygpt_open(&s->m, model ? model : s->folder, FLAW_KEEP_FILE, &s->c, &err));
    snprintf(path, sizeof path, "%s/expected.safetensors", s->folder);
    s->expected = open_expected(path);
    snprintf(path, sizeof path, "%s/expected.json", s->folder);
    s->root = json_load_file(path, 0, NULL);
    assert_non_null(s->root);
    s->text = make_floats(2 * (size_t)s->m.towers->shape.joint);
    const char *object = json_string_value(json_object_get(s->root, "object"));
    assert_ok(flaw_anomalygpt_text(s->m.towers, &s->c, object, s->text, &err));
    s->question = json_string_value(json_object_get(s->root, "question"));
    return true;
}

static void close_setting(setting *s)
{
    flaw_anomalygpt_close(&s->m);
    flaw_compute_close(&s->c);
    flaw_tensors_close(&s->expected);
    json_decref(s->root);
    free(s->text);
}

/* Picture token and soft prompts of a map, put before the question. */
static void ask(setting *s, flaw_dialogue_prompt *p, flaw_reading *reading, const float *embedding, const float *map)
{
    const flaw_voice *v = s->m.voice;
    size_t words = (size_t)v->shape.words;
    int rows = flaw_voice_prompts(&v->shape);
    flaw_error err = {0};
    float *token = make_floats(words), *prompts = make_floats((size_t)rows * words);
    float *saved = make_floats(flaw_prompt_saved(&v->shape)),
          *work = make_floats(flaw_prompt_workspace(&s->c, &v->shape));
    assert_ok(flaw_picture_token(v, embedding, token, &err));
    flaw_prompt_forward(&s->c, v, map, prompts, saved, work);
    assert_ok(flaw_dialogue_prompt_begin(p, s->m.language, reading, token, prompts, rows, &err));
    assert_ok(flaw_dialogue_prompt_ask(p, s->question, ANSWER, &err));
    free(token);
    free(prompts);
    free(saved);
    free(work);
}

static void check_answer(setting *s, const char *file, const char *kind, const json_t *ids, const float *embedding,
                         const float *map)
{
    char name[128];
    flaw_error err = {0};
    flaw_reading *reading = NULL;
    flaw_dialogue_prompt p = {0};
    flaw_written written = {0};
    assert_ok(flaw_reading_open(&reading, s->m.language, &s->c, &err));
    ask(s, &p, reading, embedding, map);
    snprintf(name, sizeof name, "%s.%s_first_logits", file, kind);
    check_tensor(&s->expected, name, flaw_reading_logits(reading), (size_t)s->m.language->shape.vocab, false,
                 BAR_LOGITS);
    assert_ok(flaw_language_write(reading, &(flaw_writing){.max_tokens = ANSWER}, &written, &err));
    assert_int_equal(json_array_size(ids), ANSWER);
    assert_int_equal(written.count, ANSWER);
    for (int i = 0; i < ANSWER; i++)
        assert_int_equal(written.ids[i], json_integer_value(json_array_get(ids, (size_t)i)));
    flaw_written_release(&written);
    flaw_dialogue_prompt_release(&p);
    flaw_reading_close(reading);
}

static void check_picture(setting *s, const json_t *entry)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    const flaw_voice_shape *v = &s->m.voice->shape;
    tokens query = tokens_of_picture(&s->c, s->m.towers, s->folder, file);
    tokens bank =
        tokens_of_picture(&s->c, s->m.towers, s->folder, json_string_value(json_object_get(s->root, "normal")));
    int patches = v->grid * v->grid;
    float *map = make_floats((size_t)v->side * (size_t)v->side), *work = make_floats(flaw_decoder_workspace(&s->c, v));
    flaw_decoder_map(&s->c, s->m.voice, query.stage, s->text, NULL, map, work);
    check_answer(s, file, "decoder", json_object_get(entry, "decoder_greedy_ids"), query.results.out.cls, map);
    free(work);
    work = make_floats(flaw_few_shot_workspace(&s->c, v, patches));
    flaw_few_shot_map(&s->c, v, query.stage, bank.stage, patches, map, work);
    check_answer(s, file, "few_shot", json_object_get(entry, "few_shot_greedy_ids"), query.results.out.cls, map);
    free(work);
    free(map);
    free_results(&query.results);
    free_results(&bank.results);
}

static void test_answers(void **state)
{
    AT_EVERY_KIND_OF_VECTOR(level)
    {
        setting s;
        if (!open_setting(&s, level, NULL)) skip();
        print_message("%s\n", s.c.kernels->name);
        const json_t *images = json_object_get(s.root, "images");
        assert_int_equal(json_array_size(images), 2);
        for (size_t i = 0; i < (level == FLAW_LEVEL_REF ? 1 : 2); i++) check_picture(&s, json_array_get(images, i));
        close_setting(&s);
    }
}

/* The folder as one file, which a flaw_model_convert of that file leaves as it is: the same answers. */
static void test_bundle(void **state)
{
    setting s;
    char folder[1024], bundle[512], again[512];
    flaw_error err = {0};
    if (!golden_path(folder, true, ANOMALYGPT)) skip();
    assert_ok(flaw_model_convert(folder, in_folder(bundle, *state, "m.flaw"), NULL, NULL, NULL, &err));
    assert_ok(flaw_model_convert(bundle, in_folder(again, *state, "again.flaw"), "file", NULL, NULL, &err));
    assert_true(open_setting(&s, FLAW_LEVEL_AUTO, again));
    const json_t *images = json_object_get(s.root, "images");
    for (size_t i = 0; i < json_array_size(images); i++) check_picture(&s, json_array_get(images, i));
    close_setting(&s);
}

/* The ids of the pieces, as upstream's tokenizer gives them. */
static void test_pieces(void **state)
{
    setting s;
    const char *text;
    json_t *want;
    if (!open_setting(&s, FLAW_LEVEL_AUTO, NULL)) skip();
    json_object_foreach(json_object_get(s.root, "tokens"), text, want)
    {
        int32_t ids[256];
        size_t count;
        flaw_error err = {0};
        assert_ok(flaw_pieces_encode(s.m.language->pieces, text, strlen(text), ids, 256, &count, &err));
        assert_int_equal(count, json_array_size(want));
        for (size_t i = 0; i < count; i++) assert_int_equal(ids[i], json_integer_value(json_array_get(want, i)));
    }
    close_setting(&s);
}

static void test_missing(void **state)
{
    flaw_compute c = open_compute(FLAW_LEVEL_REF);
    flaw_anomalygpt m = {0};
    flaw_error err = {0};
    assert_int_equal(flaw_anomalygpt_open(&m, ".", FLAW_KEEP_FILE, &c, &err), FLAW_MISSING);
    assert_contains(err.text, "it lacks imagebind_huge.pth, vicuna, pandagpt_delta.pt, anomalygpt_delta.pt");
    assert_int_equal(flaw_anomalygpt_open(&m, "no such file", FLAW_KEEP_FILE, &c, &err), FLAW_MISSING);
    flaw_compute_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers),
                                       cmocka_unit_test_setup_teardown(test_bundle, make_scratch, remove_scratch),
                                       cmocka_unit_test(test_pieces), cmocka_unit_test(test_missing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
