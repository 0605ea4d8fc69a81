/* DINOv2 towers of all three forms against a plain PyTorch model (tools/make_dino_golden.py): layer scale, registers,
 * gated MLP, positions at other sides, with weights from a formula of name and index that both sides know. */
#include "../formula.h"
#include "golden.h"

#include "base/buffer.h"
#include "base/file.h"
#include "model/bundle/bundle.h"
#include "model/tower/positions.h"

enum { WIDTH = 64, LAYERS = 4, PATCH = 4, NATIVE = 7, HIDDEN = 2 * WIDTH, MOST = 128 };

typedef enum form { FORM_HF, FORM_TIMM, FORM_META } form;

typedef struct dino_case {
    const char *name;
    form form;
    int registers;
    bool gated;
    int grid;
} dino_case;

static const dino_case cases[] = {
    {"hf", FORM_HF, 0, false, 7},
    {"hf-small", FORM_HF, 0, false, 5},
    {"hf-large", FORM_HF, 0, true, 10},
    {"hf-registers", FORM_HF, 4, false, 5},
    {"hf-registers-gated", FORM_HF, 3, true, 10},
    {"timm", FORM_TIMM, 0, false, 5},
    {"timm-registers", FORM_TIMM, 4, true, 10},
    {"meta", FORM_META, 0, false, 5},
    {"meta-large", FORM_META, 0, true, 10},
    {"meta-registers", FORM_META, 4, false, 5},
};

static bool ends(const char *name, const char *end)
{
    size_t n = strlen(name), e = strlen(end);
    return n >= e && strcmp(name + n - e, end) == 0;
}

/* A file of weights on its way. */
typedef struct weights {
    flaw_tensor item[MOST];
    char name[MOST][96];
    float *data[MOST];
    size_t count;
} weights;

/* Rows [first, first + rows) of the tensor that Meta calls `meta`, whose sides behind the first make `columns`. */
static void add(weights *w, const char *foreign, const char *meta, size_t first, size_t rows, size_t columns, int rank,
                const size_t *shape)
{
    flaw_tensor *t = &w->item[w->count];
    size_t count = rows * columns;
    float *x = malloc(count * sizeof *x);
    double fan = (double)columns;
    for (size_t i = 0; i < count; i++) {
        double u = uniform(meta, first * columns + i);
        bool weight = ends(meta, "weight");
        x[i] = (float)(weight && strstr(meta, "norm") ? 1 + 0.5 * u
                       : ends(meta, "gamma")          ? 0.6 + 0.8 * u
                       : ends(meta, "bias")           ? 0.3 * u
                       : weight                       ? 3.5 / sqrt(fan) * u
                                                      : u);
    }
    snprintf(w->name[w->count], sizeof w->name[0], "%s", foreign);
    *t = (flaw_tensor){.name = w->name[w->count],
                       .dtype = FLAW_DTYPE_F32,
                       .rank = rank,
                       .count = count,
                       .bytes = count * sizeof *x,
                       .data = (const uint8_t *)x};
    memcpy(t->shape, shape, (size_t)rank * sizeof *shape);
    w->data[w->count++] = x;
}

static void add_vector(weights *w, const char *foreign, const char *meta, size_t first, size_t count)
{
    add(w, foreign, meta, first, count, 1, 1, (const size_t[]){count});
}

static void add_matrix(weights *w, const char *foreign, const char *meta, size_t first, size_t rows, size_t columns)
{
    add(w, foreign, meta, first, rows, columns, 2, (const size_t[]){rows, columns});
}

/* A linear layer "META.weight" and "META.bias" under another name; rows from `first` on. */
static void add_linear(weights *w, const char *foreign, const char *meta, size_t first, size_t rows, size_t columns)
{
    char f[96], m[96];
    snprintf(f, sizeof f, "%s.weight", foreign);
    snprintf(m, sizeof m, "%s.weight", meta);
    if (columns) add_matrix(w, f, m, first, rows, columns);
    else add_vector(w, f, m, first, rows);
    snprintf(f, sizeof f, "%s.bias", foreign);
    snprintf(m, sizeof m, "%s.bias", meta);
    add_vector(w, f, m, first, rows);
}

static void add_block(weights *w, const dino_case *c, int i)
{
    static const char *const qkv[] = {"query", "key", "value"};
    char foreign[96], meta[96];
    bool hf = c->form == FORM_HF;
    const char *first = c->gated ? "mlp.w12" : "mlp.fc1", *second = c->gated ? "mlp.w3" : "mlp.fc2";
    const char *first_there = hf && c->gated ? "mlp.weights_in" : c->form == FORM_TIMM ? "mlp.fc1" : first;
    const char *second_there = hf && c->gated ? "mlp.weights_out" : c->form == FORM_TIMM ? "mlp.fc2" : second;
    const struct {
        const char *meta, *there;
        size_t rows, columns;
    } linear[] = {
        {"norm1", "norm1", WIDTH, 0},          {"attn.proj", hf ? "attention.output.dense" : "attn.proj", WIDTH, WIDTH},
        {"norm2", "norm2", WIDTH, 0},          {first, first_there, c->gated ? 2 * HIDDEN : HIDDEN, WIDTH},
        {second, second_there, WIDTH, HIDDEN},
    };
    const char *begin = hf ? "encoder.layer" : "blocks";
    for (size_t k = 0; k < sizeof linear / sizeof linear[0]; k++) {
        snprintf(foreign, sizeof foreign, "%s.%d.%s", begin, i, linear[k].there);
        snprintf(meta, sizeof meta, "blocks.%d.%s", i, linear[k].meta);
        add_linear(w, foreign, meta, 0, linear[k].rows, linear[k].columns);
    }
    snprintf(meta, sizeof meta, "blocks.%d.attn.qkv", i);
    for (size_t k = 0; k < 3 && hf; k++) {
        snprintf(foreign, sizeof foreign, "encoder.layer.%d.attention.attention.%s", i, qkv[k]);
        add_linear(w, foreign, meta, k * WIDTH, WIDTH, WIDTH);
    }
    if (!hf) add_linear(w, meta, meta, 0, 3 * WIDTH, WIDTH);
    for (int k = 1; k <= 2; k++) {
        snprintf(foreign, sizeof foreign, hf ? "encoder.layer.%d.layer_scale%d.lambda1" : "blocks.%d.ls%d.gamma", i, k);
        snprintf(meta, sizeof meta, "blocks.%d.ls%d.gamma", i, k);
        add_vector(w, foreign, meta, 0, WIDTH);
    }
}

static void add_all(weights *w, const dino_case *c)
{
    bool hf = c->form == FORM_HF, timm = c->form == FORM_TIMM;
    size_t patches = NATIVE * NATIVE,
           without = timm && c->registers ? 1 : 0; /* the class token has no position there */
    const size_t kernel[] = {WIDTH, 3, PATCH, PATCH}, one[] = {1, 1, WIDTH};
    const size_t place[] = {1, 1 + patches - without, WIDTH}, registers[] = {1, (size_t)c->registers, WIDTH};
    add(w, hf ? "embeddings.cls_token" : "cls_token", "cls_token", 0, 1, WIDTH, 3, one);
    if (!timm) add_matrix(w, hf ? "embeddings.mask_token" : "mask_token", "mask_token", 0, 1, WIDTH);
    add(w, hf ? "embeddings.position_embeddings" : "pos_embed", "pos_embed", without, place[1], WIDTH, 3, place);
    if (c->registers)
        add(w,
            hf     ? "embeddings.register_tokens"
            : timm ? "reg_token"
                   : "register_tokens",
            "register_tokens", 0, (size_t)c->registers, WIDTH, 3, registers);
    add(w, hf ? "embeddings.patch_embeddings.projection.weight" : "patch_embed.proj.weight", "patch_embed.proj.weight",
        0, WIDTH, 3 * PATCH * PATCH, 4, kernel);
    add_vector(w, hf ? "embeddings.patch_embeddings.projection.bias" : "patch_embed.proj.bias", "patch_embed.proj.bias",
               0, WIDTH);
    add_linear(w, hf ? "layernorm" : "norm", "norm", 0, WIDTH, 0);
    for (int i = 0; i < LAYERS; i++) add_block(w, c, i);
}

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[512];
    flaw_error err = {0};
    assert_ok(flaw_file_write(in_folder(path, folder, name), text, strlen(text), &err));
}

/* A model of the case in *path: a folder for Hugging Face, a file else. `leave` is a tensor to leave out, or NULL. */
static void write_case(char path[512], const char *folder, const dino_case *c, const char *leave)
{
    weights *w = calloc(1, sizeof *w);
    char file[512], config[400];
    flaw_error err = {0};
    add_all(w, c);
    for (size_t i = 0; leave && i < w->count; i++)
        if (strcmp(w->item[i].name, leave) == 0) w->item[i] = w->item[w->count - 1];
    in_folder(file, folder, "model.safetensors");
    assert_ok(flaw_safetensors_write(file, w->item, w->count - (leave != NULL), NULL, 0, &err));
    snprintf(path, 512, "%s", c->form == FORM_HF ? folder : file);
    if (c->form == FORM_HF) {
        /* 192 * 2/3, rounded up to a multiple of 8, is the 128 of the gated MLP. */
        snprintf(
            config, sizeof config,
            "{\"model_type\":\"%s\",\"hidden_size\":%d,\"num_hidden_layers\":%d,\"num_attention_heads\":4,"
            "\"mlp_ratio\":%d,\"image_size\":%d,\"patch_size\":%d,\"use_swiglu_ffn\":%s,\"num_register_tokens\":%d,"
            "\"hidden_act\":\"gelu\",\"layer_norm_eps\":1e-6}",
            c->registers ? "dinov2_with_registers" : "dinov2", WIDTH, LAYERS, c->gated ? 3 : 2, NATIVE * PATCH, PATCH,
            c->gated ? "true" : "false", c->registers);
        write_text(folder, "config.json", config);
    }
    for (size_t i = 0; i < w->count; i++) free(w->data[i]);
    free(w);
}

static void check_named(const flaw_tensors *expected, const char *name, const char *what, const float *got,
                        size_t count)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", name, what);
    check_tensor(expected, full, got, count, true, BAR_RELATIVE);
}

/* The tower of `m` on the formula's pixels against NAME.cls, NAME.patches and NAME.stage. */
static void check_model(flaw_compute *c, const flaw_clip *m, const flaw_tensors *expected, const char *name)
{
    const flaw_clip_shape *s = &m->shape;
    size_t side = (size_t)s->side, tokens = (size_t)flaw_clip_tokens(s), patches = (size_t)flaw_clip_patches(s);
    float *pixels = make_floats(3 * side * side), *work = make_floats(flaw_clip_image_workspace(m, 1));
    float *cls = make_floats(WIDTH), *all = make_floats(tokens * WIDTH), *stage = make_floats(tokens * WIDTH);
    float rows[4][WIDTH] = {0};
    for (size_t i = 0; i < 3 * side * side; i++) pixels[i] = (float)(4 * uniform("pixels", i));
    flaw_image_output out = {.cls = cls, .tokens = all, .stage = {NULL, stage}};
    flaw_clip_encode_images(c, m, 1, pixels, &out, work);
    check_named(expected, name, "cls", cls, WIDTH);
    const size_t at[] = {0, patches / 2, patches - 1};
    for (int i = 0; i < 3; i++) memcpy(rows[i], all + (1 + at[i]) * WIDTH, sizeof rows[i]);
    for (size_t i = 0; i < patches; i++)
        for (int d = 0; d < WIDTH; d++) rows[3][d] += all[(1 + i) * WIDTH + (size_t)d] / (float)patches;
    check_named(expected, name, "patches", rows[0], 4 * WIDTH);
    const size_t places[] = {0, 1, patches - 1};
    for (int i = 0; i < 3; i++) memcpy(rows[i], stage + (1 + places[i]) * WIDTH, sizeof rows[i]);
    check_named(expected, name, "stage", rows[0], 3 * WIDTH);
    free(pixels);
    free(work);
    free(cls);
    free(all);
    free(stage);
}

static flaw_clip *open_at(const char *path, int side, flaw_compute *c)
{
    flaw_clip *m = NULL;
    flaw_error err = {0};
    assert_ok(flaw_clip_open_at(&m, path, side, FLAW_CLIP_FLOATS_LIMIT, c, &err));
    return m;
}

static flaw_tensors open_golden(void)
{
    char folder[1024], path[1100];
    if (!golden_path(folder, false, "dino")) fail_msg("FLAW_SOURCE does not lead to the tests' data");
    snprintf(path, sizeof path, "%s/expected.safetensors", folder);
    return open_expected(path);
}

/* Every form, at its own side and others, on every kernel level; kept packed only; and again from a bundle. */
static void test_forms(void **state)
{
    char path[512], bundle[512];
    flaw_tensors expected = open_golden();
    flaw_error err = {0};
    AT_EVERY_KIND_OF_VECTOR(level)
    {
        flaw_compute c = open_compute(level);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            write_case(path, *state, &cases[i], NULL);
            flaw_clip *m = open_at(path, cases[i].grid * PATCH, &c);
            assert_int_equal(m->shape.registers, cases[i].registers);
            assert_int_equal(m->shape.image.gated, cases[i].gated);
            check_model(&c, m, &expected, cases[i].name);
            if (level == FLAW_LEVEL_REF) {
                flaw_clip *packed = NULL;
                assert_ok(flaw_clip_open_at(&packed, path, cases[i].grid * PATCH, 1000, &c, &err));
                assert_non_null(packed->origin);
                check_model(&c, packed, &expected, cases[i].name);
                flaw_clip_close(packed);
                in_folder(bundle, *state, "bundle.safetensors");
                assert_ok(
                    flaw_bundle_write(bundle, &m->shape, &m->list, m->weights, NULL, 0, NULL, FLAW_STORE_F32, &err));
                flaw_clip *back = open_at(bundle, 0, &c);
                assert_memory_equal(back->weights, m->weights, m->list.total * sizeof(float));
                check_model(&c, back, &expected, cases[i].name);
                flaw_clip_close(back);
            }
            flaw_clip_close(m);
            remove(in_folder(bundle, *state, "config.json"));
        }
        flaw_compute_close(&c);
    }
    flaw_tensors_close(&expected);
}

/* Meta's own file format, in half precision. */
static void test_torch_file(void **state)
{
    char folder[1024], path[1100];
    flaw_tensors expected = open_golden();
    flaw_compute c = open_compute(FLAW_LEVEL_AUTO);
    if (!golden_path(folder, false, "dino")) fail_msg("FLAW_SOURCE does not lead to the tests' data");
    snprintf(path, sizeof path, "%s/meta.pth", folder);
    flaw_clip *m = open_at(path, 5 * PATCH, &c);
    /* With one block all stages are that block. */
    assert_int_equal(m->shape.image_layers, 1);
    check_model(&c, m, &expected, "pth");
    flaw_clip_close(m);
    flaw_compute_close(&c);
    flaw_tensors_close(&expected);
}

static void test_positions(void **state)
{
    static const int sides[][2] = {{37, 16}, {13, 11}, {6, 14}, {7, 10}, {5, 1}};
    static const char *const ways[] = {"plain", "smooth", "offset"};
    flaw_tensors expected = open_golden();
    flaw_error err = {0};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
        for (int way = 0; way < 3; way++) {
            char name[64];
            size_t given = (size_t)(sides[i][0] * sides[i][0]), ours = (size_t)(sides[i][1] * sides[i][1]);
            float *in = make_floats(2 * given), *out = make_floats(2 * (1 + ours));
            for (size_t k = 0; k < 2 * given; k++) in[k] = (float)uniform("field", k);
            assert_ok(flaw_positions_bring(out, 1 + ours, in, given, 2, (flaw_positions_way)way, &err));
            assert_true(out[0] == 0 && out[1] == 0); /* the class token had none */
            snprintf(name, sizeof name, "field.%d.%d.%s", sides[i][0], sides[i][1], ways[way]);
            check_tensor(&expected, name, out + 2, 2 * ours, true, 1e-5);
            free(in);
            free(out);
        }
    float in[12] = {1, 2, 3}, out[12];
    assert_int_equal(flaw_positions_bring(out, 5, in, 6, 2, FLAW_POSITIONS_PLAIN, &err), FLAW_INTERNAL);
    assert_ok(flaw_positions_bring(out, 5, in, 5, 2, FLAW_POSITIONS_PLAIN, &err));
    assert_memory_equal(out, in, 10 * sizeof(float));
    flaw_tensors_close(&expected);
}

/* What cannot be is refused by name. */
static void test_refusals(void **state)
{
    char path[512], file[512];
    flaw_clip *m = NULL;
    flaw_error err = {0};
    flaw_compute c = open_compute(FLAW_LEVEL_REF);
    write_case(path, *state, &cases[0], NULL);
    assert_int_equal(flaw_clip_open_at(&m, path, 30, FLAW_CLIP_FLOATS_LIMIT, &c, &err), FLAW_USAGE);
    assert_contains(err.text, "28 is");
    write_text(
        *state, "preprocessor_config.json",
        "{\"size\":{\"shortest_edge\":256},\"crop_size\":{\"height\":224,\"width\":224},\"image_mean\":[0.5,0.5,0.5]}");
    flaw_clip *prepared = open_at(path, 0, &c);
    assert_int_equal(prepared->shape.side, 28);
    assert_int_equal(prepared->shape.prepare.resize_to, 32);
    assert_true(prepared->shape.prepare.mean[1] == 0.5f && prepared->shape.prepare.std[0] == 0.229f);
    flaw_clip_close(prepared);
    remove(in_folder(file, *state, "preprocessor_config.json"));
    write_case(path, *state, &cases[0], "encoder.layer.2.layer_scale1.lambda1");
    assert_int_equal(flaw_clip_open(&m, path, &c, &err), FLAW_MISSING);
    assert_contains(err.text, "layer_scale1");
    write_case(path, *state, &cases[3], "embeddings.register_tokens");
    assert_int_equal(flaw_clip_open(&m, path, &c, &err), FLAW_MISSING);
    assert_contains(err.text, "register_tokens");
    write_text(*state, "config.json", "{\"model_type\":\"dinov2\",\"hidden_size\":64,\"num_attention_heads\":7}");
    assert_int_equal(flaw_clip_open(&m, path, &c, &err), FLAW_BAD_DATA);
    write_text(*state, "config.json", "{\"model_type\":\"dinov2\",\"hidden_act\":\"relu\"}");
    assert_int_equal(flaw_clip_open(&m, path, &c, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "relu");
    assert_int_equal(flaw_clip_open_at(&m, "default", 448, FLAW_CLIP_FLOATS_LIMIT, &c, &err), FLAW_USAGE);
    assert_contains(err.text, "224 x 224 only");
    remove(in_folder(file, *state, "config.json"));
    flaw_compute_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_forms, make_scratch, remove_scratch),
        cmocka_unit_test(test_torch_file),
        cmocka_unit_test(test_positions),
        cmocka_unit_test_setup_teardown(test_refusals, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
