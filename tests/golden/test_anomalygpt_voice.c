/* ../shared/golden/anomalygpt-small on every kernel level: text features, both maps, soft prompts; also from their own adjoint
 * and in any number of threads. */
#include "anomalygpt.h"

#include <jansson.h>

#include "base/random.h"

static double largest(const float *x, size_t n)
{
    double top = 0;
    for (size_t i = 0; i < n; i++) top = fmax(top, (double)x[i]);
    return top;
}

/* One map and the soft prompts it becomes. */
static void check_map(flaw_compute *c, const flaw_voice *v, const flaw_tensors *expected, const char *file, const char *kind,
                      const float *map)
{
    char name[128];
    size_t area = (size_t)v->shape.side * (size_t)v->shape.side;
    size_t prompts = (size_t)flaw_voice_prompts(&v->shape) * (size_t)v->shape.words;
    float *out = make_floats(prompts), *saved = make_floats(flaw_prompt_saved(&v->shape));
    float *work = make_floats(flaw_prompt_workspace(c, &v->shape));
    snprintf(name, sizeof name, "%s.%s_map", file, kind);
    check_tensor(expected, name, map, area, true, BAR_ANOMALYGPT);
    flaw_prompt_forward(c, v, map, out, saved, work);
    snprintf(name, sizeof name, "%s.%s_soft_prompts", file, kind);
    check_tensor(expected, name, out, prompts, true, BAR_ANOMALYGPT);
    free(out);
    free(saved);
    free(work);
}

typedef struct setting {
    const char *folder;
    flaw_tensors expected;
    json_t *root;
    float *text; /* [2, E] */
} setting;

static void check_picture(flaw_compute *c, const flaw_clip *m, const flaw_voice *v, const setting *s, const json_t *entry)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    const char *normal = json_string_value(json_object_get(s->root, "normal"));
    tokens query = tokens_of_picture(c, m, s->folder, file), bank = tokens_of_picture(c, m, s->folder, normal);
    size_t area = (size_t)v->shape.side * (size_t)v->shape.side;
    int patches = flaw_clip_patches(&m->shape);
    float *map = make_floats(area), *work = make_floats(flaw_decoder_workspace(c, &v->shape));
    flaw_decoder_map(c, v, query.stage, s->text, NULL, map, work);
    check_map(c, v, &s->expected, file, "decoder", map);
    assert_true(fabs(largest(map, area) - json_number_value(json_object_get(entry, "decoder_score"))) < 1e-4);
    free(work);
    work = make_floats(flaw_few_shot_workspace(c, &v->shape, patches));
    flaw_few_shot_map(c, &v->shape, query.stage, bank.stage, patches, map, work);
    check_map(c, v, &s->expected, file, "few_shot", map);
    assert_true(fabs(largest(map, area) - json_number_value(json_object_get(entry, "few_shot_score"))) < 1e-4);
    free(work);
    free(map);
    free_results(&query.results);
    free_results(&bank.results);
}

static setting open_setting(const char *folder)
{
    char path[1200];
    setting s = {.folder = folder};
    snprintf(path, sizeof path, "%s/expected.safetensors", folder);
    s.expected = open_expected(path);
    snprintf(path, sizeof path, "%s/expected.json", folder);
    s.root = json_load_file(path, 0, NULL);
    assert_non_null(s.root);
    return s;
}

static void close_setting(setting *s)
{
    flaw_tensors_close(&s->expected);
    json_decref(s->root);
}

static void test_maps(void **state)
{
    char folder[1024];
    flaw_error err = {0};
    if (!golden_path(folder, true, ANOMALYGPT)) skip();
    setting s = open_setting(folder);
    const json_t *images = json_object_get(s.root, "images");
    assert_int_equal(json_array_size(images), 2);
    AT_EVERY_KIND_OF_VECTOR(level)
    {
        flaw_compute c = open_compute(level);
        flaw_clip *m = open_clip(folder, &c);
        flaw_voice *v = open_released_voice(folder, &m->shape);
        assert_ok(flaw_voice_reserve(&c, &err));
        print_message("%s\n", c.kernels->name);
        s.text = make_floats(2 * (size_t)m->shape.joint);
        assert_ok(flaw_anomalygpt_text(m, &c, json_string_value(json_object_get(s.root, "object")), s.text, &err));
        check_tensor(&s.expected, "text_features", s.text, 2 * (size_t)m->shape.joint, true, BAR_ANOMALYGPT);
        for (size_t i = 0; i < (level == FLAW_LEVEL_REF ? 1 : 2); i++) check_picture(&c, m, v, &s, json_array_get(images, i));
        free(s.text);
        flaw_voice_close(v);
        flaw_clip_close(m);
        flaw_compute_close(&c);
    }
    close_setting(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_maps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
