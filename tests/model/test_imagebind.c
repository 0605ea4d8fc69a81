/* ImageBind's names and shape: a tiny model of every name, written here, whole and broken. */
#include "../check.h"

#include "base/random.h"
#include "model/open/bind.h"
#include "model/open/config.h"

enum { D = 8, DT = 6, F = 12, E = 5, G = 2, P = 3, V = 20, T = 7, L = 4, LT = 2, MANY = 160 };

typedef struct maker {
    flaw_tensor item[MANY];
    char name[MANY][96];
    size_t count;
    flaw_random random;
} maker;

static void put(maker *m, const char *name, int rank, const size_t *shape)
{
    size_t count = 1;
    flaw_tensor *t = &m->item[m->count];
    snprintf(m->name[m->count], sizeof m->name[0], "%s", name);
    *t = (flaw_tensor){.name = m->name[m->count++], .dtype = FLAW_DTYPE_F32, .rank = rank};
    for (int i = 0; i < rank; i++) count *= t->shape[i] = shape[i];
    float *data = malloc(count * sizeof *data + 1);
    for (size_t i = 0; i < count; i++) data[i] = (float)flaw_random_normal(&m->random);
    t->data = (const uint8_t *)data;
}

#define PUT(m, name, ...) put(m, name, sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t), (size_t[]){__VA_ARGS__})

static void put_block(maker *m, const char *tower, int index, size_t d)
{
    const struct {
        const char *name;
        size_t rows, columns;
    } parts[] = {{"norm_1.weight", d, 0},         {"norm_1.bias", d, 0},         {"norm_2.weight", d, 0},
                 {"norm_2.bias", d, 0},           {"attn.in_proj_weight", 3 * d, d}, {"attn.in_proj_bias", 3 * d, 0},
                 {"attn.out_proj.weight", d, d},  {"attn.out_proj.bias", d, 0},  {"mlp.fc1.weight", F, d},
                 {"mlp.fc1.bias", F, 0},          {"mlp.fc2.weight", d, F},      {"mlp.fc2.bias", d, 0}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[96];
        snprintf(name, sizeof name, "modality_trunks.%s.blocks.%d.%s", tower, index, parts[i].name);
        if (parts[i].columns) PUT(m, name, parts[i].rows, parts[i].columns);
        else PUT(m, name, parts[i].rows);
    }
}

static void make(maker *m)
{
    memset(m, 0, sizeof *m);
    flaw_random_init(&m->random, 1, 1);
    PUT(m, "modality_preprocessors.vision.cls_token", 1, 1, D);
    PUT(m, "modality_preprocessors.vision.rgbt_stem.proj.1.weight", D, 3, 2, P, P);
    PUT(m, "modality_preprocessors.vision.pos_embedding_helper.pos_embed", 1, G * G + 1, D);
    PUT(m, "modality_preprocessors.text.pos_embed", 1, T, DT);
    PUT(m, "modality_preprocessors.text.mask", T, T);
    PUT(m, "modality_preprocessors.text.token_embedding.weight", V, DT);
    PUT(m, "modality_trunks.vision.pre_transformer_layer.0.weight", D);
    PUT(m, "modality_trunks.vision.pre_transformer_layer.0.bias", D);
    for (int i = 0; i < L; i++) put_block(m, "vision", i, D);
    for (int i = 0; i < LT; i++) put_block(m, "text", i, DT);
    PUT(m, "modality_heads.vision.0.weight", D);
    PUT(m, "modality_heads.vision.0.bias", D);
    PUT(m, "modality_heads.vision.2.weight", E, D);
    PUT(m, "modality_heads.text.proj.0.weight", DT);
    PUT(m, "modality_heads.text.proj.0.bias", DT);
    PUT(m, "modality_heads.text.proj.1.weight", E, DT);
    put(m, "modality_postprocessors.text.1.log_logit_scale", 0, NULL);
    PUT(m, "modality_trunks.audio.blocks.0.attn.bias_k", 1, 1, 4);
    PUT(m, "modality_preprocessors.imu.pos_embed", 1, 2, 3);
    PUT(m, "modality_heads.depth.2.weight", E, 4);
    PUT(m, "modality_postprocessors.thermal.1.log_logit_scale", 1);
}

static void unmake(maker *m)
{
    for (size_t i = 0; i < m->count; i++) free((void *)(uintptr_t)m->item[i].data);
}

static const char heads[] = "{\"vision\": {\"heads\": 2}, \"text\": {\"heads\": 3}, \"stages\": [0, 1, 2, 3]}";

/* Write, open, read the shape, bind; the shape and weights come back when all is well. */
static flaw_status load(const maker *m, const char *folder, const char *json, flaw_clip_shape *shape, float **weights,
                        flaw_parameters *list, flaw_arena *arena, flaw_error *err)
{
    char path[512];
    flaw_tensors t;
    flaw_binding b;
    flaw_error none;
    assert_int_equal(flaw_safetensors_write(in_folder(path, folder, "tiny.safetensors"), m->item, m->count, NULL, 0, &none), 0);
    assert_int_equal(flaw_safetensors_open(&t, path, &none), 0);
    flaw_status s = flaw_config_imagebind(shape, &t, json, json ? strlen(json) : 0, "imagebind_config.json", err);
    if (!s) s = flaw_clip_parameters(list, shape, arena, err);
    if (!s) s = flaw_binding_make(&b, &t, &flaw_names_imagebind, list, arena, err);
    if (!s) s = flaw_binding_verdict(&b, err);
    if (!s && weights) {
        *weights = flaw_arena_alloc(arena, list->total, sizeof **weights);
        s = flaw_binding_read(&b, *weights, err);
    }
    flaw_tensors_close(&t);
    return s;
}

static const float *parameter(const flaw_parameters *list, const float *weights, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->item[i].name, name)) return weights + list->item[i].offset;
    fail_msg("no parameter %s", name);
    return NULL;
}

static const float *data_of(const maker *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (!strcmp(m->item[i].name, name)) return (const float *)(const void *)m->item[i].data;
    fail_msg("no tensor %s", name);
    return NULL;
}

static void test_whole(void **state)
{
    static maker m;
    flaw_clip_shape s;
    flaw_parameters list;
    flaw_arena arena;
    flaw_error err = {0};
    float *weights;
    flaw_arena_init(&arena, 0);
    make(&m);
    assert_ok(load(&m, *state, heads, &s, &weights, &list, &arena, &err));
    assert_int_equal(s.side, G * P);
    assert_int_equal(s.grid, G);
    assert_int_equal(s.image.width, D);
    assert_int_equal(s.image.heads, 2);
    assert_int_equal(s.text.heads, 3);
    assert_int_equal(s.image_layers, L);
    assert_int_equal(s.text_layers, LT);
    assert_int_equal(s.joint, E);
    assert_int_equal(s.vocab, V);
    assert_int_equal(s.context, T);
    assert_true(s.text.causal && s.pre_norm && !s.image.causal && !s.patch_bias);
    assert_int_equal(s.stage[2], 2);
    const float *patch = parameter(&list, weights, "image.patch.w");
    const float *frames = data_of(&m, "modality_preprocessors.vision.rgbt_stem.proj.1.weight");
    for (size_t plane = 0; plane < D * 3; plane++)
        for (size_t i = 0; i < P * P; i++)
            assert_true(patch[plane * P * P + i] == frames[plane * 2 * P * P + i] + frames[(plane * 2 + 1) * P * P + i]);
    const float *scale = parameter(&list, weights, "logit_scale");
    assert_true(*scale == *data_of(&m, "modality_postprocessors.text.1.log_logit_scale"));
    assert_memory_equal(parameter(&list, weights, "text.block.1.qkv.w"),
                        data_of(&m, "modality_trunks.text.blocks.1.attn.in_proj_weight"), 3 * DT * DT * sizeof(float));
    unmake(&m);
    flaw_arena_release(&arena);
}

/* What is broken, and how: a tensor under another name, or with a side cut off, or a configuration. */
typedef struct breakage {
    const char *tensor, *renamed;
    int cut; /* this side becomes one smaller */
    const char *json;
    flaw_status status;
    const char *says;
} breakage;

static const breakage breakages[] = {
    {"modality_heads.vision.2.weight", "gone", -1, heads, FLAW_MISSING, "no tensor 'modality_heads.vision.2.weight'"},
    {"modality_trunks.vision.blocks.3.norm_2.bias", "modality_trunks.audio.lost", -1, heads, FLAW_MISSING,
     "1 missing: modality_trunks.vision.blocks.3.norm_2.bias"},
    {"modality_trunks.text.blocks.1.mlp.fc1.bias", "modality_trunks.text.blocks.1.mlp.fc9.bias", -1, heads, FLAW_BAD_DATA,
     "left over modality_trunks.text.blocks.1.mlp.fc9.bias"},
    {"modality_trunks.audio.blocks.0.attn.bias_k", "modality_trunks.touch.x", -1, heads, FLAW_BAD_DATA,
     "1 left over: modality_trunks.touch.x"},
    {"modality_preprocessors.vision.rgbt_stem.proj.1.weight", NULL, 2, heads, FLAW_BAD_DATA,
     "is [8, 3, 1, 3, 3], expected [8, 3, 2, 3, 3]"},
    {"modality_preprocessors.vision.pos_embedding_helper.pos_embed", NULL, 1, heads, FLAW_BAD_DATA, "4 positions"},
    {NULL, NULL, -1, NULL, FLAW_BAD_DATA, "width 8 is not a multiple of its 16 heads"},
    {NULL, NULL, -1, "{\"vision\": {\"heads\": 2}, \"text\": {\"heads\": 3}}", FLAW_BAD_DATA, "stage 0 is block 7, there are 4"},
    {NULL, NULL, -1, "{\"vision\": {\"heads\": 0}}", FLAW_BAD_DATA, "vision.heads is 0"},
    {NULL, NULL, -1, "{\"stages\": [0, 1, 2]}", FLAW_BAD_DATA, "stages is [0,1,2], expected four block numbers"},
    {NULL, NULL, -1, "{\"audio\": {}}", FLAW_BAD_DATA, "audio is {}, which is not supported"},
    {NULL, NULL, -1, "[]", FLAW_BAD_DATA, "not a JSON object"},
};

static void test_broken(void **state)
{
    static maker m;
    for (size_t i = 0; i < sizeof breakages / sizeof *breakages; i++) {
        const breakage *b = &breakages[i];
        flaw_clip_shape s;
        flaw_parameters list;
        flaw_arena arena;
        flaw_error err = {0};
        flaw_arena_init(&arena, 0);
        make(&m);
        for (size_t t = 0; b->tensor && t < m.count; t++) {
            if (strcmp(m.item[t].name, b->tensor)) continue;
            if (b->renamed) m.item[t].name = b->renamed;
            if (b->cut >= 0) m.item[t].shape[b->cut]--;
        }
        flaw_status status = load(&m, *state, b->json, &s, NULL, &list, &arena, &err);
        if (status != b->status) fail_msg("%zu: status %d: %s", i, status, err.text);
        assert_contains(err.text, b->says);
        unmake(&m);
        flaw_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_broken, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
