/* Configurations: defaults of the foreign programs, every key that would change the network, limits. Each row changes
 * one thing; refusals must name the key. */
#include "tiny.h"

#include <jansson.h>

#include "model/open/config.h"

static const char *const open_base =
    "{\"model_cfg\":{\"embed_dim\":640,\"vision_cfg\":{\"image_size\":240,\"layers\":12,\"width\":896,\"patch_size\":"
    "16},"
    "\"text_cfg\":{\"context_length\":77,\"vocab_size\":49408,\"width\":640,\"heads\":10,\"layers\":12}}}";
static const char *const hf_base = "{\"model_type\":\"clip\",\"vision_config\":{},\"text_config\":{}}";
static const char *const prepare_base =
    "{\"crop_size\":{\"height\":224,\"width\":224},\"size\":{\"shortest_edge\":224}}";

/* base with the value of "a.b.c" set (value NULL: removed), as text; free it. */
static char *changed(const char *base, const char *where, const char *value)
{
    json_t *root = json_loads(base, 0, NULL), *at = root;
    char path[128], *key = path, *dot;
    assert_non_null(root);
    snprintf(path, sizeof path, "%s", where);
    for (; (dot = strchr(key, '.')); key = dot + 1) {
        *dot = '\0';
        if (!json_object_get(at, key)) json_object_set_new(at, key, json_object());
        at = json_object_get(at, key);
    }
    if (value) assert_int_equal(json_object_set_new(at, key, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
    else json_object_del(at, key);
    char *text = json_dumps(root, 0);
    json_decref(root);
    return text;
}

typedef flaw_status (*reader)(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err);

static flaw_status read_with(reader read, const char *base, const char *where, const char *value, flaw_clip_shape *s,
                             flaw_error *err)
{
    char *text = changed(base, where, value);
    flaw_status status = read(s, text, strlen(text), "config.json", err);
    free(text);
    return status;
}

static void test_openclip_plus_240(void **state)
{
    flaw_error err = {0};
    flaw_clip_shape s;
    assert_ok(flaw_config_openclip(&s, open_base, strlen(open_base), "config", &err));
    assert_int_equal(s.grid, 15);
    assert_int_equal(s.image.heads, 14);
    assert_int_equal(s.image.hidden, 3584);
    assert_int_equal(s.text.heads, 10);
    assert_int_equal(s.text.act, FLAW_ACT_GELU);
    assert_int_equal(s.joint, 640);
    assert_true(s.text.causal && !s.image.causal && s.pre_norm && !s.patch_bias);
    assert_int_equal(s.stage[0], 2);
    assert_int_equal(s.stage[3], 11);
    assert_int_equal(s.prepare.resize_to, 240);
    assert_true(s.prepare.mean[0] == 0.48145466f && s.image.eps == 1e-5f);
}

static void test_hf_defaults(void **state)
{
    flaw_error err = {0};
    flaw_clip_shape s;
    assert_ok(flaw_config_hf(&s, hf_base, strlen(hf_base), "config", &err));
    assert_int_equal(s.side, 224);
    assert_int_equal(s.patch, 32);
    assert_int_equal(s.image.width, 768);
    assert_int_equal(s.text.width, 512);
    assert_int_equal(s.joint, 512);
    assert_int_equal(s.vocab, 49408);
    assert_int_equal(s.text_end, 49407);
    assert_int_equal(s.image.act, FLAW_ACT_QUICK_GELU);
    assert_ok(read_with(flaw_config_hf, hf_base, "vision_config_dict.num_hidden_layers", "3", &s, &err));
    assert_int_equal(s.image_layers, 3);
    assert_int_equal(s.stage[0], 0);
    assert_int_equal(s.stage[3], 2);
    assert_ok(read_with(flaw_config_hf, hf_base, "text_config.eos_token_id", "2", &s, &err));
    assert_int_equal(s.text_end, 0);
}

typedef struct row {
    const char *where, *value;
    const char *word; /* NULL: fine */
} row;

static void check_rows(reader read, const char *base, const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        flaw_error err = {0};
        flaw_clip_shape s = {.side = -5};
        flaw_status status = read_with(read, base, rows[i].where, rows[i].value, &s, &err);
        print_message("  %s = %s: %s\n", rows[i].where, rows[i].value ? rows[i].value : "-", err.text);
        if (!rows[i].word) {
            assert_int_equal(status, FLAW_OK);
            continue;
        }
        assert_int_equal(status, FLAW_BAD_DATA);
        assert_int_equal(s.side, -5);
        assert_contains(err.text, "config.json: ");
        assert_contains(err.text, rows[i].word);
    }
}

static void test_openclip_rows(void **state)
{
    static const row rows[] = {
        {"model_cfg.vision_cfg.image_size", "[240, 240]", NULL},
        {"model_cfg.vision_cfg.image_size", "[240, 224]", "vision_cfg.image_size is [240,224]"},
        {"model_cfg.vision_cfg.image_size", "241", "multiple"},
        {"model_cfg.vision_cfg.image_size", "1e99", "image_size"},
        {"model_cfg.vision_cfg.layers", "[3, 4, 6, 3]", "vision_cfg.layers is [3,4,6,3]"},
        {"model_cfg.vision_cfg.layers", "0", "vision_cfg.layers is 0, allowed are whole numbers from 1 to 512"},
        {"model_cfg.vision_cfg.width", "900", "width 900 is not a multiple of head_width 64"},
        {"model_cfg.vision_cfg.head_width", "128", NULL},
        {"model_cfg.vision_cfg.head_width", "0", "head_width is 0"},
        {"model_cfg.vision_cfg.mlp_ratio", "4.9231", NULL},
        {"model_cfg.vision_cfg.mlp_ratio", "-1", "mlp_ratio is -1"},
        {"model_cfg.vision_cfg.no_ln_pre", "true", "vision_cfg.no_ln_pre is true"},
        {"model_cfg.vision_cfg.no_ln_pre", "false", NULL},
        {"model_cfg.vision_cfg.pool_type", "\"avg\"", "vision_cfg.pool_type is \"avg\""},
        {"model_cfg.vision_cfg.pool_type", "\"tok\"", NULL},
        {"model_cfg.vision_cfg.attentional_pool", "\"parallel\"", "attentional_pool"},
        {"model_cfg.vision_cfg.ls_init_value", "1e-5", "ls_init_value is 1e-5"},
        {"model_cfg.vision_cfg.ls_init_value", "null", NULL},
        {"model_cfg.vision_cfg.patch_dropout", "0.5", NULL},
        {"model_cfg.vision_cfg.timm_model_name", "\"vit_base\"", "timm_model_name is \"vit_base\""},
        {"model_cfg.vision_cfg.something_new", "1", "vision_cfg.something_new is 1"},
        {"model_cfg.text_cfg.hf_model_name", "\"roberta-base\"", "text_cfg.hf_model_name"},
        {"model_cfg.text_cfg.no_causal_mask", "true", "no_causal_mask"},
        {"model_cfg.text_cfg.pool_type", "\"last\"", "text_cfg.pool_type"},
        {"model_cfg.text_cfg.heads", "7", "width 640 is not a multiple of its 7 heads"},
        {"model_cfg.text_cfg.act_kwargs", "{\"approximate\": \"tanh\"}", "act_kwargs"},
        {"model_cfg.text_cfg.act_kwargs", "{}", NULL},
        {"model_cfg.text_cfg", NULL, "text_cfg"},
        {"model_cfg.text_cfg", "3", "text_cfg is 3"},
        {"model_cfg.vision_cfg", NULL, "vision_cfg"},
        {"model_cfg", NULL, "model_cfg"},
        {"model_cfg.quick_gelu", "1", "quick_gelu"},
        {"model_cfg.custom_text", "true", "custom_text is true"},
        {"model_cfg.multimodal_cfg", "{\"layers\": 12}", "multimodal_cfg"},
        {"model_cfg.init_logit_bias", "-10", "init_logit_bias is -10"},
        {"preprocess_cfg.mean", "[0, 0, 0]", NULL},
        {"preprocess_cfg.std", "[1, 0, 1]", "deviation 0"},
        {"preprocess_cfg.std", "[1, 1]", "std"},
        {"preprocess_cfg.interpolation", "\"bilinear\"", "interpolation is \"bilinear\""},
        {"preprocess_cfg.resize_mode", "\"squash\"", "resize_mode"},
        {"preprocess_cfg.size", "[224, 224]", "preprocess_cfg.size"},
        {"preprocess_cfg.size", "240", NULL},
    };
    check_rows(flaw_config_openclip, open_base, rows, sizeof rows / sizeof rows[0]);
}

static void test_hf_rows(void **state)
{
    static const row rows[] = {
        {"transformers_version", "\"4.40\"", NULL},
        {"model_type", "\"chinese_clip\"", "model_type is \"chinese_clip\", supported are clip"},
        {"projection_dim", "0", "projection_dim is 0"},
        {"vision_config.hidden_act", "\"gelu\"", NULL},
        {"vision_config.hidden_act", "\"gelu_new\"", "vision_config.hidden_act is \"gelu_new\", supported are"},
        {"vision_config.num_channels", "4", "num_channels is 4"},
        {"vision_config.patch_size", "14", NULL},
        {"vision_config.patch_size", "15", "multiple"},
        {"vision_config.layer_norm_eps", "0", "layer_norm_eps is 0"},
        {"vision_config.num_attention_heads", "11", "not a multiple"},
        {"vision_config", "7", "vision_config is 7"},
        {"vision_config", "null", NULL},
        {"text_config.eos_token_id", "49408", "end token is 49408"},
        {"text_config.max_position_embeddings", "2.5", "max_position_embeddings is 2.5"},
        {"text_config.vocab_size", "\"many\"", "vocab_size"},
    };
    check_rows(flaw_config_hf, hf_base, rows, sizeof rows / sizeof rows[0]);
}

static flaw_status read_prepare(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err)
{
    flaw_clip_shape s;
    flaw_status status = flaw_config_hf(&s, hf_base, strlen(hf_base), "base", err);
    if (!status) status = flaw_config_hf_prepare(&s, json, size, name, err);
    if (!status) *out = s;
    return status;
}

static void test_prepare_rows(void **state)
{
    static const row rows[] = {
        {"size", "224", NULL},
        {"size", "{\"shortest_edge\": 256}", NULL},
        {"size", "{\"height\": 224, \"width\": 224}", "size"},
        {"size", "{\"shortest_edge\": 200}", "side to resize to is 200"},
        {"crop_size", "224", NULL},
        {"crop_size", "336", "crop_size is 336"},
        {"resample", "3", NULL},
        {"resample", "2", "resample is 2"},
        {"do_resize", "false", "do_resize is false"},
        {"do_normalize", "false", "do_normalize is false"},
        {"rescale_factor", "0.00392156862745098", NULL},
        {"rescale_factor", "0.5", "rescale_factor is 0.5"},
        {"image_mean", "[0.5, 0.5, 0.5]", NULL},
        {"image_std", "[0.5, \"x\", 0.5]", "image_std"},
    };
    check_rows(read_prepare, prepare_base, rows, sizeof rows / sizeof rows[0]);
}

/* timm's own configuration moves the preparation only. */
static void test_timm(void **state)
{
    static const char json[] =
        "{\"architecture\":\"vit\",\"pretrained_cfg\":{\"mean\":[0.5,0.5,0.5],\"std\":[0.5,0.5,0.5],"
        "\"crop_pct\":0.9,\"interpolation\":\"bicubic\",\"input_size\":[3,32,32]}}";
    static const char other[] = "{\"pretrained_cfg\":{\"interpolation\":\"bilinear\"}}";
    static const char larger[] = "{\"pretrained_cfg\":{\"input_size\":[3,64,64]}}";
    char path[1024];
    flaw_error err = {0};
    flaw_tensors t;
    flaw_clip_shape s;
    assert_ok(flaw_safetensors_open(&t, tiny_path(path, "timm/model.safetensors"), &err));
    assert_ok(flaw_config_timm(&s, &t, NULL, 0, "config.json", &err));
    assert_int_equal(s.prepare.resize_to, 36);
    assert_int_equal(s.side, 32);
    assert_int_equal(s.image.heads, 1);
    assert_int_equal(s.classes, 7);
    assert_true(s.image.eps == 1e-6f && s.prepare.mean[2] == 0.406f && s.joint == 0 && s.text.width == 0);
    assert_ok(flaw_config_timm(&s, &t, json, sizeof json - 1, "config.json", &err));
    assert_int_equal(s.prepare.resize_to, 35);
    assert_true(s.prepare.mean[2] == 0.5f);
    assert_int_equal(flaw_config_timm(&s, &t, other, sizeof other - 1, "config.json", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "pretrained_cfg.interpolation is \"bilinear\"");
    assert_int_equal(flaw_config_timm(&s, &t, larger, sizeof larger - 1, "config.json", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "input_size");
    flaw_tensors_close(&t);
}

/* The list of parameters covers the array without gaps, and a view points to where the list says. */
static void test_parameters(void **state)
{
    flaw_error err = {0};
    flaw_clip *m = NULL;
    flaw_clip_shape s;
    assert_ok(read_with(flaw_config_hf, hf_base, "text_config.num_hidden_layers", "2", &s, &err));
    s.patch_bias = s.local_head = true;
    s.classes = 5;
    s.vocab = 600;
    s.text_end = 0;
    assert_ok(flaw_clip_new(&m, &s, "new", &err));
    size_t at = 0, blocks = 0;
    for (size_t i = 0; i < m->list.count; i++) {
        const flaw_parameter *p = &m->list.item[i];
        assert_int_equal(p->offset, at);
        assert_int_equal(p->count, p->shape[0] * p->shape[1]);
        assert_in_range(p->rank, 1, 2);
        for (size_t j = 0; j < i; j++) assert_string_not_equal(p->name, m->list.item[j].name);
        if (strcmp(p->name, "text.block.1.fc2.w") == 0) assert_ptr_equal(m->view.text_block[1].fc2_w, m->weights + at);
        if (strcmp(p->name, "image.block.7.qkv.b") == 0)
            assert_ptr_equal(m->view.image_block[7].qkv_b, m->weights + at);
        if (strcmp(p->name, "local.2.w") == 0) assert_ptr_equal(m->view.local_w[2], m->weights + at);
        if (strcmp(p->name, "logit_scale") == 0) assert_ptr_equal(m->view.logit_scale, m->weights + at);
        blocks += strstr(p->name, ".block.") != NULL;
        at += p->count;
    }
    assert_int_equal(at, m->list.total);
    assert_int_equal(blocks, 12 * (12 + 2));
    assert_ptr_equal(m->view.patch_b, m->weights + m->list.item[1].offset);
    flaw_clip_close(m);
    s.image.heads = 5;
    assert_int_equal(flaw_clip_new(&m, &s, "new", &err), FLAW_BAD_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openclip_plus_240), cmocka_unit_test(test_hf_defaults),
        cmocka_unit_test(test_openclip_rows),     cmocka_unit_test(test_hf_rows),
        cmocka_unit_test(test_prepare_rows),      cmocka_unit_test(test_timm),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
