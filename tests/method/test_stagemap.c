/* Maps by words through a trained decoder: the same numbers as the passes they are made of, as the original modules
 * (../shared/golden/anomalygpt-small, made by the published code), and every broken decoder refused by name. */
#include "../inspect/check.h"

#include <jansson.h>

#include "method/stagemap.h"
#include "model/voice/decoder.h"
#include "model/tower/prepare.h"
#include "model/voice/voice.h"

static flaw_inspector *open_with(const flaw_engine *engine, const char *method, const char *object,
                                 const char *const *good, size_t count)
{
    flaw_inspector *in = NULL;
    flaw_inspect_options o;
    flaw_error err = {0};
    flaw_inspect_defaults(&o);
    o.method = method;
    o.object = object;
    o.fit = "crop";
    o.good = good;
    o.good_count = count;
    assert_ok(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err));
    return in;
}

/* Score and map against the model's own passes on the picture, the tokens never having been brought to unit length. */
static void test_same_as_passes(void **state)
{
    flaw_engine *engine = open_engine("");
    flaw_compute *c = &engine->compute;
    const flaw_clip *towers = engine->model;
    flaw_voice *v = NULL;
    flaw_sight sight;
    flaw_seen seen;
    flaw_picture p = draw(200, 180, 3, 30), square = {0};
    const float *stage[FLAW_STAGES];
    flaw_error err = {0};
    assert_ok(flaw_decoder_open(&v, NULL, &towers->shape, &err));
    assert_ok(flaw_voice_reserve(c, &err));
    assert_ok(flaw_sight_new(&sight, &v->shape, &err));
    size_t side = (size_t)v->shape.side;
    float *pixels = make_floats(3 * side * side), *text = make_floats(2 * (size_t)v->shape.joint);
    float *map = make_floats(side * side), *work = make_floats(flaw_decoder_workspace(c, &v->shape));
    float *see = make_floats(flaw_sight_workspace(towers, &v->shape, 1));
    assert_ok(flaw_prepare_square(&square, &seen, &towers->shape, FLAW_FIT_CROP, &p, &err));
    flaw_prepare_normalise(pixels, &square, &towers->shape.prepare);
    flaw_sight_take(c, towers, &v->shape, 1, pixels, &(flaw_sight *){&sight}, see);
    assert_ok(flaw_anomalygpt_text(towers, c, "metal nut", text, &err));
    flaw_sight_decoder(&sight, &v->shape, stage);
    flaw_decoder_map(c, v, stage, text, NULL, map, work);
    float top = 0;
    for (size_t i = 0; i < side * side; i++) top = fmaxf(top, map[i]);

    flaw_inspector *in = open_with(engine, "anomalygpt", "metal_nut", NULL, 0);
    flaw_score score = measure(in, &p);
    assert_true(fabs(score.image - (double)top) < 1e-5);
    int grid = v->shape.grid, last = (int)side - 1;
    const int node[4] = {0, grid - 1, grid * (grid - 1),
                         grid * grid - 1}; /* corners are aligned: pixels and patches meet */
    const int pixel[4] = {0, last, last * (int)side, (int)(side * side) - 1};
    for (int i = 0; i < 4; i++) assert_true(fabsf(score.map[node[i]] - map[pixel[i]]) < 1e-5f);
    for (int i = 0; i < grid * grid; i++) assert_true((double)score.map[i] <= score.image);
    flaw_inspector_free(in);
    free(pixels);
    free(text);
    free(map);
    free(work);
    free(see);
    flaw_picture_release(&p);
    flaw_picture_release(&square);
    flaw_sight_release(&sight);
    flaw_voice_close(v);
    flaw_engine_close(engine);
}

/* Both scores of the published code's modules, on the whole road from the file to the score. */
static void test_golden(void **state)
{
    char folder[1024], path[1200];
    flaw_error err = {0};
    if (!golden_path(folder, true, "golden/anomalygpt-small")) skip();
    flaw_engine *engine = open_engine(folder);
    snprintf(path, sizeof path, "%s/expected.json", folder);
    json_t *root = json_load_file(path, 0, NULL);
    const json_t *images = json_object_get(root, "images");
    const char *object = json_string_value(json_object_get(root, "object"));
    snprintf(path, sizeof path, "%s/%s", folder, json_string_value(json_object_get(root, "normal")));
    const char *const good[1] = {path};
    flaw_inspector *words = open_with(engine, "anomalygpt", object, NULL, 0);
    flaw_inspector *parts = open_with(engine, "anomalygpt+", object, good, 1);
    assert_string_equal(words->calibration.rule, "text");
    for (size_t i = 0; i < json_array_size(images); i++) {
        const json_t *entry = json_array_get(images, i);
        char file[1200];
        flaw_picture p = {0};
        snprintf(file, sizeof file, "%s/%s", folder, json_string_value(json_object_get(entry, "file")));
        assert_ok(flaw_picture_read(&p, file, &err));
        double by_words = json_number_value(json_object_get(entry, "decoder_score"));
        double by_parts = json_number_value(json_object_get(entry, "few_shot_score"));
        assert_true(fabs(measure(words, &p).image - by_words) < 1e-3 * by_words);
        assert_true(fabs(measure(parts, &p).image - by_parts) < 1e-3 * by_parts);
        flaw_picture_release(&p);
    }
    flaw_inspector_free(words);
    flaw_inspector_free(parts);
    json_decref(root);
    flaw_engine_close(engine);
}

static flaw_clip_shape tiny_towers(void)
{
    return (flaw_clip_shape){.joint = 6, .grid = 4, .side = 32, .image = {.width = 5}};
}

static flaw_voice *tiny_decoder(void)
{
    flaw_voice *d = NULL;
    flaw_error err = {0};
    flaw_random r;
    flaw_voice_shape s = {.width = 5,
                          .joint = 6,
                          .grid = 4,
                          .side = 32,
                          .scale = 40,
                          .stage_norm = true,
                          .share = {0.25f, 0.25f, 0.25f, 0.25f},
                          .few_shot_gain = 1};
    assert_ok(flaw_decoder_new(&d, &s, &err));
    flaw_random_init(&r, 5, 1);
    for (size_t i = 0; i < d->list.total; i++) d->weights[i] = (float)flaw_random_normal(&r);
    return d;
}

static void test_written(void **state)
{
    char path[512];
    flaw_error err = {0};
    flaw_voice *d = tiny_decoder(), *back = NULL;
    flaw_clip_shape towers = tiny_towers();
    in_folder(path, *state, "decoder.safetensors");
    const flaw_storage storage[] = {FLAW_STORE_F32, FLAW_STORE_I8};
    for (int k = 0; k < 2; k++) {
        assert_ok(flaw_decoder_write(path, d, storage[k], &err));
        assert_ok(flaw_decoder_open(&back, path, &towers, &err));
        assert_true(back->shape.stage_norm && back->shape.scale == 40.0f && back->list.total == d->list.total);
        for (size_t i = 0; i < d->list.total; i++)
            assert_true(fabsf(back->weights[i] - d->weights[i]) <= (k ? 4.0f / 254 : 0));
        flaw_voice_close(back);
    }
    towers.joint = 7;
    assert_int_equal(flaw_decoder_open(&back, path, &towers, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "joint width 6");
    flaw_voice_close(d);
}

/* What is wrong with a decoder's file, one thing at a time: status and a word of the message. */
static void test_broken(void **state)
{
    float w[40] = {0}, nan[40] = {0}, b[8] = {0};
    char path[512];
    nan[7] = NAN;
    flaw_error err = {0};
    flaw_clip_shape towers = tiny_towers();
    static const char *const config =
        "{\"version\": 1, \"width\": 5, \"joint\": 6, \"grid\": 4, \"side\": 32, \"scale\": 40, \"stage_norm\": true}";
    const struct {
        const char *first, *metadata; /* NULL: as it should be */
        int stages, rows;
        const float *w;
        flaw_status status;
        const char *says;
    } broken[] = {
        {"fc.%d.weight", NULL, 3, 6, w, FLAW_BAD_DATA, "fewer stages"},
        {"fc.%d.weight", NULL, 5, 6, w, FLAW_BAD_DATA, "more stages"},
        {"fc.%d.weight", NULL, 4, 7, w, FLAW_BAD_DATA, "joint width 7"},
        {"fc.%d.weight", NULL, 4, 6, nan, FLAW_BAD_DATA, "fc.0.weight"},
        {"image_decoder.fc.%d.weight", NULL, 2, 6, w, FLAW_BAD_DATA, "fewer stages"},
        {"linear.%d.weight", NULL, 4, 6, w, FLAW_MISSING, "no decoder in it"},
        {"decoder.%d.w", config, 3, 6, w, FLAW_MISSING, "decoder.3.w"},
        {"decoder.%d.w", "{\"version\": 2}", 4, 6, w, FLAW_BAD_DATA, "decoder"},
        {"decoder.%d.w", "[]", 4, 6, w, FLAW_BAD_DATA, "object"},
        {"fc.%d.weight", NULL, 4, 6, w, FLAW_OK, ""},
        {"decoder.%d.w", config, 4, 6, w, FLAW_OK, ""},
    };
    in_folder(path, *state, "broken.safetensors");
    for (size_t k = 0; k < sizeof broken / sizeof *broken; k++) {
        flaw_tensor item[10];
        char name[10][64];
        size_t count = 0;
        for (int i = 0; i < broken[k].stages; i++) {
            for (int part = 0; part < 2; part++) {
                snprintf(name[count], sizeof name[count], broken[k].first, i);
                if (part && strstr(name[count], "weight")) memcpy(strstr(name[count], "weight"), "bias", 5);
                else if (part) name[count][strlen(name[count]) - 1] = 'b';
                item[count] = (flaw_tensor){.name = name[count],
                                            .dtype = FLAW_DTYPE_F32,
                                            .rank = 2 - part,
                                            .shape = {(size_t)broken[k].rows, 5},
                                            .data = (const uint8_t *)(part ? b
                                                                      : i  ? w
                                                                           : broken[k].w)};
                count++;
            }
        }
        const char *metadata[2] = {"decoder", broken[k].metadata};
        assert_ok(flaw_safetensors_write(path, item, count, metadata, broken[k].metadata != NULL, &err));
        flaw_voice *d = NULL;
        flaw_status s = flaw_decoder_open(&d, path, &towers, &err);
        if (s != broken[k].status) print_message("case %zu: %s\n", k, err.text);
        assert_int_equal(s, broken[k].status);
        if (s) assert_contains(err.text, broken[k].says);
        if (s) assert_contains(err.text, "broken.safetensors");
        flaw_voice_close(d);
    }
    flaw_voice *none = NULL;
    assert_int_equal(flaw_decoder_open(&none, "/nowhere/decoder.pt", &towers, &err), FLAW_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_passes),
        cmocka_unit_test(test_golden),
        cmocka_unit_test_setup_teardown(test_written, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_broken, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
