/* Configurations of language models: the published defaults, every key that would change the network, limits. Each row
 * changes one thing; refusals must name the key. */
#include "check.h"

#include <jansson.h>

#include "model/language/language_config.h"

/* What LLaMA 7B's first conversions had in their file; the rest are the library's defaults. */
static const char *const hf = "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"hidden_size\":4096,"
                              "\"vocab_size\":32001,\"rms_norm_eps\":1e-06}";
static const char *const bundle =
    "{\"version\":1,\"width\":64,\"heads\":8,\"kv_heads\":4,\"hidden\":172,\"eps\":1e-05,\"rotary\":\"halves\","
    "\"rotary_base\":10000,\"layers\":5,\"vocab\":512,\"context\":512,\"tied\":true,\"bos\":1,\"eos\":-1}";

typedef flaw_status (*reader)(flaw_language_config *out, const char *json, size_t size, const char *name,
                              flaw_error *err);

#define LLAMA3(high)                                                                                                   \
    "{\"rope_type\":\"llama3\",\"factor\":4.0,\"low_freq_factor\":1.0,\"high_freq_factor\":" high                          \
    ",\"original_max_position_embeddings\":100}"

typedef struct row {
    const char *key, *value; /* value NULL: the key is taken away */
    const char *says;        /* of the refusal; NULL: it is fine */
} row;

static void check_rows(reader read, const char *base, const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        flaw_error err = {0};
        flaw_language_config c = {.bos = -77};
        json_t *root = json_loads(base, 0, NULL);
        assert_non_null(root);
        if (rows[i].value) json_object_set_new(root, rows[i].key, json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
        else json_object_del(root, rows[i].key);
        char *text = json_dumps(root, 0);
        flaw_status status = read(&c, text, strlen(text), "x.json", &err);
        free(text);
        json_decref(root);
        if (!rows[i].says) {
            if (status) fail_msg("%s = %s: %s", rows[i].key, rows[i].value, err.text);
            continue;
        }
        if (status != FLAW_BAD_DATA) fail_msg("%s = %s was taken", rows[i].key, rows[i].value);
        assert_contains(err.text, rows[i].says);
        assert_contains(err.text, "x.json");
        assert_int_equal(c.bos, -77); /* untouched */
    }
}

static void test_hf(void **state)
{
    flaw_language_config c;
    flaw_error err;
    assert_ok(flaw_language_config_hf(&c, hf, strlen(hf), "x", &err));
    const flaw_block_shape *b = &c.shape.block;
    assert_int_equal(b->width, 4096);
    assert_int_equal(b->hidden, 11008);
    assert_int_equal(b->heads, 32);
    assert_int_equal(b->kv_heads, 32);
    assert_int_equal(b->act, FLAW_ACT_SILU);
    assert_int_equal(b->rotary, FLAW_ROTARY_HALVES);
    assert_true(b->causal && b->rms && b->gated && !c.shape.tied);
    assert_true(b->eps == 1e-6f && b->rotary_base == 10000);
    assert_int_equal(c.shape.layers, 32);
    assert_int_equal(c.shape.vocab, 32001);
    assert_int_equal(c.shape.context, 2048);
    assert_int_equal(c.bos, 1);
    assert_int_equal(c.eos, 2);
    static const row rows[] = {
        {"hidden_act", "\"silu\"", NULL},
        {"hidden_act", "\"gelu\"", "hidden_act is \"gelu\", supported are silu"},
        {"model_type", "\"mistral\"", "model_type is \"mistral\", supported are llama"},
        {"model_type", NULL, NULL},
        {"architectures", "[\"LLaMAForCausalLM\"]", NULL},
        {"architectures", "[\"MixtralForCausalLM\"]", "architectures is [\"MixtralForCausalLM\"]"},
        {"architectures", "[]", "architectures is []"},
        {"architectures", "7", "architectures is 7"},
        {"rope_scaling", "null", NULL},
        {"rope_scaling", "{\"rope_type\":\"default\"}", NULL},
        {"rope_scaling", "{\"type\":\"linear\",\"factor\":2.0}", NULL},
        {"rope_scaling", "{\"type\":\"linear\"}", "rope_scaling.factor is absent, but it is needed"},
        {"rope_scaling", "{\"type\":\"linear\",\"factor\":0.5}", "rope_scaling.factor is 0.5"},
        {"rope_scaling", "{\"type\":\"dynamic\",\"factor\":2.0}", "rope_scaling.type is \"dynamic\""},
        {"rope_scaling", "{\"rope_type\":\"llama3\"}", "rope_scaling.factor is absent"},
        {"rope_scaling", LLAMA3("4.0"), NULL},
        {"rope_scaling", LLAMA3("0.5"), "high_freq_factor is 0.5, expected more than the low one"},
        {"rope_scaling", "2", "rope_scaling is 2, expected an object"},
        {"rope_parameters", "{\"rope_type\":\"yarn\"}", "rope_parameters.rope_type is \"yarn\""},
        {"rope_theta", "0", "rope_theta is 0"},
        {"attention_bias", "false", NULL},
        {"attention_bias", "true", "attention_bias is true, only false"},
        {"mlp_bias", "true", "mlp_bias is true, only false"},
        {"quantization_config", "{\"bits\":4}", "quantization_config is {\"bits\":4}, which is not supported"},
        {"head_dim", "128", NULL},
        {"head_dim", "64", "head_dim is 64"},
        {"hidden_size", "0", "hidden_size is 0"},
        {"hidden_size", "4097", "width 4097 is not an even multiple"},
        {"hidden_size", "\"4096\"", "hidden_size is \"4096\""},
        {"num_attention_heads", "1e9", "num_attention_heads"},
        {"num_key_value_heads", "8", NULL},
        {"num_key_value_heads", "5", "32 heads are not a multiple of 5"},
        {"num_key_value_heads", "64", "num_key_value_heads is 64"},
        {"num_hidden_layers", "1000000", "num_hidden_layers is 1000000"},
        {"intermediate_size", "-1", "intermediate_size is -1"},
        {"vocab_size", "99999999999", "vocab_size is 99999999999"},
        {"max_position_embeddings", "0", "max_position_embeddings is 0"},
        {"max_position_embeddings", "1048576", NULL}, /* read up to FLAW_CONTEXT_LIMIT */
        {"rms_norm_eps", "0", "rms_norm_eps is 0"},
        {"tie_word_embeddings", "\"yes\"", "tie_word_embeddings is \"yes\""},
        {"bos_token_id", "32001", "beginning token 32001"},
        {"eos_token_id", "[2]", NULL},
        {"eos_token_id", "[2, 3]", "eos_token_id is [2,3], supported is one token"},
        {"eos_token_id", "-2", "eos_token_id is -2"},
        {"transformers_version", "\"4.28\"", NULL},
    };
    check_rows(flaw_language_config_hf, hf, rows, sizeof rows / sizeof rows[0]);
}

/* Angles of stretched positions against their definition, from both kinds of files and through a bundle. */
static void check_angles(const flaw_language_config *c, const double frequency[4])
{
    float table[3 * 8];
    flaw_language_shape s = c->shape;
    s.block.width = 8;
    s.block.heads = 1;
    s.context = 3;
    flaw_language_angles(&s, table);
    for (int t = 0; t < 3; t++)
        for (int j = 0; j < 4; j++) {
            assert_true(fabs((double)table[8 * t + j] - cos(t * frequency[j])) < 1e-6);
            assert_true(fabs((double)table[8 * t + 4 + j] - sin(t * frequency[j])) < 1e-6);
        }
}

static void test_stretched(void **state)
{
    /* 1e4^(-j/4): waves of 6.28, 62.8, 628 and 6283 tokens; of 100 trained on these are 15.9, 1.59, .159 and .0159 */
    static const double linear[] = {0.25, 0.025, 0.0025, 0.00025};
    const double kept = (100 * 0.1 / (2 * M_PI) - 1) / 3, blend[] = {1, kept * 0.1 + (1 - kept) * 0.025, 0.0025, 0.00025};
    static const char form[] = "{\"model_type\":\"llama\",\"rope_scaling\":%s}";
    static const char *const scaling[] = {"{\"type\":\"linear\",\"factor\":4}", LLAMA3("4.0"), "null"};
    flaw_language_config c;
    flaw_error err = {0};
    for (int i = 0; i < 3; i++) {
        char text[400];
        flaw_buffer written;
        flaw_buffer_init(&written, 4096);
        snprintf(text, sizeof text, form, scaling[i]);
        assert_ok(flaw_language_config_hf(&c, text, strlen(text), "x", &err));
        flaw_language_config_write(&written, &c);
        assert_int_equal(i == 2, !strstr(written.data, "stretch"));
        assert_ok(flaw_language_config_bundle(&c, written.data, written.size, "x", &err));
        flaw_buffer_release(&written);
        check_angles(&c, i == 0 ? linear : i == 1 ? blend : (const double[]){1, 0.1, 0.01, 0.001});
    }
}

/* Neither of the two keys that tell what it is. */
static void test_nameless(void **state)
{
    flaw_language_config c;
    flaw_error err;
    assert_int_equal(flaw_language_config_hf(&c, "{\"hidden_size\":64}", 18, "x", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "model_type is absent");
    assert_int_equal(flaw_language_config_hf(&c, "{\"hidden_size\":", 15, "x", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "not valid JSON");
}

static void test_bundle(void **state)
{
    flaw_language_config c, back;
    flaw_error err;
    flaw_buffer text, again;
    assert_ok(flaw_language_config_bundle(&c, bundle, strlen(bundle), "x", &err));
    assert_int_equal(c.shape.block.kv_heads, 4);
    assert_int_equal(c.eos, -1);
    flaw_buffer_init(&text, 4096);
    flaw_language_config_write(&text, &c);
    assert_ok(flaw_language_config_bundle(&back, text.data, text.size, "x", &err));
    flaw_buffer_init(&again, 4096);
    flaw_language_config_write(&again, &back);
    assert_string_equal(text.data, again.data);
    assert_int_equal(back.shape.block.hidden, 172);
    flaw_buffer_release(&again);
    flaw_buffer_release(&text);
    static const row rows[] = {
        {"version", "2", "version is 2, this program reads version 1"},
        {"width", NULL, "width is absent, but it is needed"},
        {"eos", NULL, "eos is absent, but it is needed"},
        {"bias", "false", "bias is false, which is not supported"},
        {"rotary", "\"pairs\"", NULL},
        {"rotary", "\"none\"", "rotary positions"},
        {"rotary", "\"xpos\"", "rotary is \"xpos\""},
        {"kv_heads", "0", "kv_heads is 0"},
        {"eos", "512", "end token 512, but only 512 tokens"},
        {"tied", "1", "tied is 1"},
        {"eps", "2", "eps is 2"},
        {"stretch", "{\"factor\":2}", NULL},
        {"stretch", "{\"low\":2}", "stretch.factor is absent"},
        {"stretch", "{\"factor\":2,\"high\":2}", "stretch.low is absent"},
        {"stretch", "2", "stretch is 2, expected an object"},
    };
    check_rows(flaw_language_config_bundle, bundle, rows, sizeof rows / sizeof rows[0]);
}

/* A GGUF file's metadata and its table, without the file. */
typedef struct gguf {
    const char *metadata[64];
    flaw_tensor table[2];
    flaw_tensors t;
} gguf;

static void gguf_make(gguf *g, const row *change)
{
    static const char *const base[][2] = {{"general.architecture", "llama"},
                                          {"general.name", "x"},
                                          {"llama.embedding_length", "64"},
                                          {"llama.block_count", "5"},
                                          {"llama.feed_forward_length", "172"},
                                          {"llama.attention.head_count", "8"},
                                          {"llama.attention.head_count_kv", "4"},
                                          {"llama.context_length", "512"},
                                          {"llama.attention.layer_norm_rms_epsilon", "1e-05"},
                                          {"llama.rope.dimension_count", "8"},
                                          {"tokenizer.ggml.bos_token_id", "1"},
                                          {"tokenizer.ggml.eos_token_id", "2"}};
    bool found = false;
    *g = (gguf){.table = {{.name = "output.weight", .rank = 2, .shape = {512, 64}},
                          {.name = "token_embd.weight", .rank = 2, .shape = {512, 64}}}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof base / sizeof base[0]; i++) {
        bool same = change && strcmp(base[i][0], change->key) == 0;
        found = found || same;
        if (same && !change->value) continue;
        g->metadata[2 * n] = base[i][0];
        g->metadata[2 * n++ + 1] = same ? change->value : base[i][1];
    }
    if (change && !found && change->value) {
        g->metadata[2 * n] = change->key;
        g->metadata[2 * n++ + 1] = change->value;
    }
    g->t = (flaw_tensors){
        .item = g->table, .count = 2, .metadata = g->metadata, .metadata_count = n, .path = (char *)"x.gguf"};
}

static void test_gguf(void **state)
{
    static const row rows[] = {
        {"general.architecture", "mamba", "general.architecture is mamba, supported is llama"},
        {"general.architecture", NULL, "general.architecture is absent"},
        {"llama.embedding_length", "0", "llama.embedding_length is 0"},
        {"llama.embedding_length", "64.5", "llama.embedding_length is 64.5, expected a whole number"},
        {"llama.embedding_length", "wide", "llama.embedding_length is wide"},
        {"llama.embedding_length", "nan", "llama.embedding_length is nan"},
        {"llama.embedding_length", NULL, "no llama.embedding_length in the metadata"},
        {"llama.attention.layer_norm_rms_epsilon", NULL, "no llama.attention.layer_norm_rms_epsilon"},
        {"llama.attention.head_count_kv", NULL, NULL},
        {"llama.attention.head_count_kv", "16", "llama.attention.head_count_kv is 16"},
        {"llama.attention.head_count_kv", "3", "8 heads are not a multiple of 3"},
        {"llama.rope.dimension_count", "4", "llama.rope.dimension_count is 4, supported is 8"},
        {"llama.attention.key_length", "8", NULL},
        {"llama.attention.key_length", "16", "llama.attention.key_length is 16, supported is 8"},
        {"llama.rope.freq_base", "500000", NULL},
        {"llama.rope.scaling.type", "none", NULL},
        {"llama.rope.scaling.type", "linear", NULL},
        {"llama.rope.scaling.type", "yarn", "llama.rope.scaling.type is yarn, which is not supported"},
        {"llama.rope.scaling.factor", "0", "llama.rope.scaling.factor is 0"},
        {"llama.rope.scale_linear", "1", NULL},
        {"llama.rope.scale_linear", "4", NULL},
        {"llama.expert_count", "0", NULL},
        {"llama.expert_count", "8", "llama.expert_count is 8, which is not supported"},
        {"llama.attention.sliding_window", "4096", "llama.attention.sliding_window is 4096, which is not supported"},
        {"llama.vocab_size", "512", NULL},
        {"llama.vocab_size", "500", "llama.vocab_size is 500, supported is 512"},
        {"tokenizer.ggml.eos_token_id", "512", "tokenizer.ggml.eos_token_id is 512"},
        {"llama.context_length", "1048576", NULL},
        {"quantize.imatrix.file", "x", NULL},
    };
    gguf g;
    flaw_language_config c;
    flaw_error err = {0};
    gguf_make(&g, &(row){"llama.context_length", "1048576", NULL});
    assert_ok(flaw_language_config_gguf(&c, &g.t, &err));
    assert_int_equal(c.shape.context, FLAW_CONTEXT_LIMIT);
    gguf_make(&g, &(row){"tokenizer.ggml.add_bos_token", "false", NULL});
    assert_ok(flaw_language_config_gguf(&c, &g.t, &err));
    assert_int_equal(c.bos, -1);
    gguf_make(&g, NULL);
    assert_ok(flaw_language_config_gguf(&c, &g.t, &err));
    assert_int_equal(c.bos, 1);
    assert_int_equal(c.shape.block.rotary, FLAW_ROTARY_PAIRS);
    assert_int_equal(c.shape.block.kv_heads, 4);
    assert_int_equal(c.shape.vocab, 512);
    assert_false(c.shape.tied);
    g.table[0].name = "a"; /* no head */
    assert_ok(flaw_language_config_gguf(&c, &g.t, &err));
    assert_true(c.shape.tied);
    g.table[1].name = "b"; /* and no table */
    assert_int_equal(flaw_language_config_gguf(&c, &g.t, &err), FLAW_MISSING);
    assert_contains(err.text, "no tensor token_embd.weight");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gguf_make(&g, &rows[i]);
        flaw_status status = flaw_language_config_gguf(&c, &g.t, &err);
        if (status != (rows[i].says ? FLAW_BAD_DATA : FLAW_OK)) fail_msg("row %zu: status %d: %s", i, status, err.text);
        if (rows[i].says) assert_contains(err.text, rows[i].says);
        if (rows[i].says) assert_contains(err.text, "x.gguf");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hf),
        cmocka_unit_test(test_stretched),
        cmocka_unit_test(test_nameless),
        cmocka_unit_test(test_bundle),
        cmocka_unit_test(test_gguf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
