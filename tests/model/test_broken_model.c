/* Models that are not what they claim to be: one line that names the file and what is wrong, with the right status. */
#include "tiny.h"

#include <math.h>

#include "format/tensors.h"

/* The weights of a scratch folder, with room for more tensors; the names and data may be changed before saving. */
typedef struct edit {
    char path[512];
    flaw_tensors from;
    flaw_tensor *item;
    size_t count;
} edit;

static edit edit_weights(const char *folder, const char *file)
{
    edit e;
    flaw_error err = {0};
    in_folder(e.path, folder, file);
    assert_ok(flaw_safetensors_open(&e.from, e.path, &err));
    e.count = e.from.count;
    e.item = calloc(e.count + 4, sizeof *e.item);
    assert_non_null(e.item);
    memcpy(e.item, e.from.item, e.count * sizeof *e.item);
    return e;
}

static void save(edit *e)
{
    flaw_error err = {0};
    assert_ok(flaw_safetensors_write(e->path, e->item, e->count, NULL, 0, &err));
    flaw_tensors_close(&e->from);
    free(e->item);
}

static flaw_tensor *find(edit *e, const char *name)
{
    for (size_t i = 0; i < e->count; i++)
        if (strcmp(e->item[i].name, name) == 0) return &e->item[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

static void drop(edit *e, const char *name)
{
    *find(e, name) = e->item[--e->count];
}

static void refuse(const char *path, flaw_status status, const char *words[4])
{
    flaw_error err = {0};
    flaw_clip *m = NULL;
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_REF);
    flaw_status got = flaw_clip_open(&m, path, &c, &err);
    print_message("  %s\n", err.text);
    assert_int_equal(got, status);
    assert_int_equal(err.status, status);
    assert_null(m);
    assert_null(strchr(err.text, '\n'));
    for (int i = 0; i < 4 && words[i]; i++) assert_contains(err.text, words[i]);
    flaw_compute_close(&c);
}

#define REFUSE(path, status, ...) refuse(path, status, (const char *[4]){__VA_ARGS__})

static const char *const norm = "vision_model.post_layernorm.weight";

static void test_missing_tensor(void **state)
{
    copy_tiny("hf", *state);
    edit e = edit_weights(*state, "model.safetensors");
    drop(&e, norm);
    save(&e);
    REFUSE(*state, FLAW_MISSING, "model.safetensors: tensors do not fit: 1 missing: ", norm);
    e = edit_weights(*state, "model.safetensors");
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "vision_model.encoder.layers.%d.self_attn.k_proj.weight", i);
        drop(&e, name);
    }
    save(&e);
    REFUSE(*state, FLAW_MISSING, ": 4 missing: ", "layers.0.self_attn.k_proj.weight", "...");
}

static void test_left_over_tensor(void **state)
{
    static const float bias = -10;
    copy_tiny("hf", *state);
    edit e = edit_weights(*state, "model.safetensors");
    e.item[e.count++] = (flaw_tensor){.name = "logit_bias", .data = (const uint8_t *)&bias};
    save(&e);
    REFUSE(*state, FLAW_BAD_DATA, "model.safetensors", "1 left over: logit_bias");
}

static void test_wrong_shape(void **state)
{
    copy_tiny("hf", *state);
    edit e = edit_weights(*state, "model.safetensors");
    flaw_tensor *t = find(&e, "vision_model.embeddings.patch_embedding.weight");
    t->shape[1] = 8;
    t->shape[3] = 3; /* as another framework stores it */
    find(&e, "text_projection.weight")->name = "text_projection.wait";
    save(&e);
    REFUSE(*state, FLAW_BAD_DATA, "1 misshapen, 1 missing, 1 left over: misshapen ",
           "patch_embedding.weight is [24, 8, 8, 3], expected [24, 3, 8, 8]", "; missing text_projection.weight",
           "; left over text_projection.wait");
}

/* A square projection that was not transposed cannot be told apart, one that is not square can. */
static void test_untransposed(void **state)
{
    copy_tiny("open_clip", *state);
    edit e = edit_weights(*state, "open_clip_model.safetensors");
    flaw_tensor *t = find(&e, "visual.proj");
    t->shape[0] = 20;
    t->shape[1] = 24;
    save(&e);
    REFUSE(*state, FLAW_BAD_DATA, "visual.proj is [20, 24], expected [24, 20]");
}

static void test_not_finite(void **state)
{
    copy_tiny("hf", *state);
    edit e = edit_weights(*state, "model.safetensors");
    uint8_t halves[48] = {0};
    halves[2 * 11 + 1] = 0x7e;
    find(&e, norm)->data = halves;
    save(&e);
    REFUSE(*state, FLAW_BAD_DATA, "model.safetensors", norm, "element 11 is not a number");
}

static void test_wrong_type(void **state)
{
    static const uint8_t zeros[24 * 8];
    copy_tiny("hf", *state);
    edit e = edit_weights(*state, "model.safetensors");
    flaw_tensor *t = find(&e, norm);
    t->dtype = FLAW_DTYPE_I64;
    t->data = zeros;
    save(&e);
    REFUSE(*state, FLAW_BAD_DATA, norm, "is I64, expected F32, F16, BF16 or F64");
}

static void test_cut_file(void **state)
{
    char path[512];
    flaw_error err = {0};
    copy_tiny("open_clip", *state);
    flaw_bytes file = read_all(in_folder(path, *state, "open_clip_model.safetensors"));
    assert_ok(flaw_file_write(path, file.data, file.size - 1, &err));
    REFUSE(*state, FLAW_BAD_DATA, "open_clip_model.safetensors", "ends at data byte");
    assert_ok(flaw_file_write(path, file.data, 5, &err));
    REFUSE(*state, FLAW_BAD_DATA, "open_clip_model.safetensors", "too short");
    assert_ok(flaw_file_write(path, file.data, 0, &err));
    REFUSE(*state, FLAW_BAD_DATA, "open_clip_model.safetensors");
    memset(file.data, 0, 8);
    file.data[7] = 0x80;
    assert_ok(flaw_file_write(path, file.data, file.size, &err));
    REFUSE(*state, FLAW_BAD_DATA, "open_clip_model.safetensors", "claims 9223372036854775808 bytes");
    flaw_bytes_release(&file);
}

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[512];
    flaw_error err = {0};
    assert_ok(flaw_file_write(in_folder(path, folder, name), text, strlen(text), &err));
}

/* A configuration that claims a giant costs no memory: tensors are compared before anything is allocated. */
static void test_lying_configuration(void **state)
{
    copy_tiny("hf", *state);
    write_text(*state, "config.json",
               "{\"model_type\":\"clip\",\"projection_dim\":16384,\"vision_config\":{\"hidden_size\":16384,"
               "\"intermediate_size\":131072,\"num_hidden_layers\":512,\"num_attention_heads\":1,\"image_size\":32,"
               "\"patch_size\":8},\"text_config\":{\"vocab_size\":16777216,\"hidden_size\":16384}}");
    REFUSE(*state, FLAW_BAD_DATA, "model.safetensors", "93 misshapen, 8304 missing: ");
}

static void test_files(void **state)
{
    char path[512];
    REFUSE("no/such/model", FLAW_MISSING, "no/such/model");
    REFUSE(*state, FLAW_MISSING, (const char *)*state, "open_clip_config.json", "config.json + model.safetensors");
    write_text(*state, "config.json", "{\"model_type\":\"clip\"}");
    REFUSE(*state, FLAW_MISSING, "only one of a pair");
    copy_tiny("hf", *state);
    unlink(in_folder(path, *state, "preprocessor_config.json"));
    REFUSE(*state, FLAW_MISSING, "preprocessor_config.json");
    copy_tiny("hf", *state);
    unlink(in_folder(path, *state, "merges.txt"));
    REFUSE(*state, FLAW_MISSING, "no vocabulary", "merges.txt");
    copy_tiny("hf", *state);
    write_text(*state, "config.json", "{\"model_type\":\"siglip\",\"vision_config\":{}}");
    REFUSE(*state, FLAW_BAD_DATA, "config.json", "model_type", "siglip", "clip");
    write_text(*state, "config.json", "{\"model_type\":\"llama\"}");
    REFUSE(*state, FLAW_BAD_DATA, "config.json", "llama");
    write_text(*state, "config.json", "{");
    REFUSE(*state, FLAW_BAD_DATA, "config.json", "not valid JSON");
    REFUSE(in_folder(path, *state, "config.json"), FLAW_BAD_DATA, "config.json");
    REFUSE(in_folder(path, *state, "model.safetensors"), FLAW_BAD_DATA, "CLIP weights without configuration");
}

/* Ids that the token table does not hold would be read from outside of it. */
static void test_vocabulary_too_large(void **state)
{
    char path[512];
    flaw_error err = {0};
    copy_tiny("open_clip", *state);
    flaw_bytes list = read_all(in_folder(path, *state, "bpe_simple_vocab_16e6.txt"));
    char *longer = malloc(list.size + 16);
    memcpy(longer, list.data, list.size);
    memcpy(longer + list.size, "q q\n", 4);
    assert_ok(flaw_file_write(path, longer, list.size + 4, &err));
    REFUSE(*state, FLAW_BAD_DATA, "ids up to 634", "634 tokens");
    free(longer);
    flaw_bytes_release(&list);
}

static void test_wrong_end_token(void **state)
{
    char path[512], text[1024];
    copy_tiny("hf", *state);
    flaw_bytes config = read_all(in_folder(path, *state, "config.json"));
    char *at = strstr((char *)config.data, "\"eos_token_id\": 633");
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s\"eos_token_id\": 632%s", (int)(at - (char *)config.data), (char *)config.data,
             at + 19);
    write_text(*state, "config.json", text);
    REFUSE(*state, FLAW_BAD_DATA, "end token is 633", "expects 632");
    flaw_bytes_release(&config);
}

static void test_distilled(void **state)
{
    static const float zeros[2 * 64];
    copy_tiny("timm", *state);
    edit e = edit_weights(*state, "model.safetensors");
    flaw_tensor *t = &e.item[e.count++];
    *t = (flaw_tensor){.name = "dist_token", .rank = 3, .shape = {1, 1, 64}, .data = (const uint8_t *)zeros};
    save(&e);
    REFUSE(*state, FLAW_BAD_DATA, "dist_token", "distilled");
    e = edit_weights(*state, "model.safetensors");
    find(&e, "dist_token")->name = "blocks.0.ls1.gamma";
    save(&e);
    REFUSE(*state, FLAW_MISSING, "blocks.1.ls1.gamma", "missing"); /* layer scale in one block only */
    e = edit_weights(*state, "model.safetensors");
    t = find(&e, "pos_embed");
    t->shape[1] = 15;
    save(&e);
    REFUSE(*state, FLAW_BAD_DATA, "15 positions", "1 + a square");
}

static void test_timm_without_head(void **state)
{
    flaw_error err = {0};
    flaw_clip *m = NULL;
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_REF);
    copy_tiny("timm", *state);
    edit e = edit_weights(*state, "model.safetensors");
    drop(&e, "head.weight");
    save(&e);
    REFUSE(*state, FLAW_BAD_DATA, "left over: head.bias");
    e = edit_weights(*state, "model.safetensors");
    drop(&e, "head.bias");
    save(&e);
    assert_ok(flaw_clip_open(&m, *state, &c, &err));
    assert_int_equal(m->shape.classes, 0);
    flaw_clip_close(m);
    flaw_compute_close(&c);
}

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_missing_tensor),
        SCRATCH_TEST(test_left_over_tensor),
        SCRATCH_TEST(test_wrong_shape),
        SCRATCH_TEST(test_untransposed),
        SCRATCH_TEST(test_not_finite),
        SCRATCH_TEST(test_wrong_type),
        SCRATCH_TEST(test_cut_file),
        SCRATCH_TEST(test_lying_configuration),
        SCRATCH_TEST(test_files),
        SCRATCH_TEST(test_vocabulary_too_large),
        SCRATCH_TEST(test_wrong_end_token),
        SCRATCH_TEST(test_distilled),
        SCRATCH_TEST(test_timm_without_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
