/* open_clip_config.json. Defaults are OpenCLIP's; every key that would change the network in a way that is not
 * supported is refused by name with its value. */
#include "model/open/config.h"
#include "model/open/fields.h"

const flaw_prepare_shape flaw_prepare_clip = {
    .mean = {0.48145466f, 0.4578275f, 0.40821073f},
    .std = {0.26862954f, 0.26130258f, 0.27577711f},
};

/* Hidden width from mlp_ratio, truncated as Python's int() does. */
static int hidden_width(flaw_fields *f, int width)
{
    double ratio = 4;
    flaw_field_double(f, "mlp_ratio", &ratio, 0.01, 64);
    return (int)(width * ratio);
}

static void read_vision(flaw_clip_shape *s, flaw_fields *f)
{
    static const char *const known[] = {"image_size", "layers", "width", "patch_size", "head_width", "mlp_ratio", NULL};
    static const flaw_neutral neutral[] = {
        {"ls_init_value", "null"},
        {"patch_dropout", "*"},
        {"input_patchnorm", "false"},
        {"no_ln_pre", "false"},
        {"attentional_pool", "false"},
        {"attn_pooler_queries", "*"},
        {"attn_pooler_heads", "*"},
        {"global_average_pool", "false"},
        {"pos_embed_type", "learnable"},
        {"pool_type", "tok"},
        {"final_ln_after_pool", "false"},
        {"output_tokens", "*"},
        {"act_kwargs", "null"},
        {"norm_kwargs", "null"},
        {"timm_model_name", "null"},
        {"timm_pool", "*"},
        {"timm_proj", "*"},
        {"timm_proj_bias", "*"},
        {"timm_drop", "*"},
        {"timm_drop_path", "*"},
        {"timm_model_pretrained", "*"},
        {"block_type", "null"},
        {"qk_norm", "false"},
        {NULL, NULL},
    };
    int head_width = 64;
    s->side = 224;
    s->patch = 16;
    s->image_layers = 12;
    s->image.width = 768;
    flaw_fields_only(f, known, neutral);
    flaw_field_side(f, "image_size", &s->side, 8192);
    flaw_field_side(f, "patch_size", &s->patch, 8192);
    flaw_field_int(f, "layers", &s->image_layers, 1, 512);
    flaw_field_int(f, "width", &s->image.width, 1, 16384);
    flaw_field_int(f, "head_width", &head_width, 1, 16384);
    s->image.hidden = hidden_width(f, s->image.width);
    s->image.heads = s->image.width / head_width;
    if (!f->status && s->image.width % head_width)
        f->status = flaw_fail(f->err, FLAW_BAD_DATA, "%s: vision_cfg: width %d is not a multiple of head_width %d",
                              f->file, s->image.width, head_width);
}

static void read_text(flaw_clip_shape *s, flaw_fields *f)
{
    static const char *const known[] = {"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", NULL};
    static const flaw_neutral neutral[] = {
        {"ls_init_value", "null"},
        {"embed_cls", "false"},
        {"pad_id", "0"},
        {"no_causal_mask", "false"},
        {"final_ln_after_pool", "false"},
        {"pool_type", "argmax"},
        {"proj_bias", "false"},
        {"proj_type", "linear"},
        {"output_tokens", "*"},
        {"act_kwargs", "null"},
        {"norm_kwargs", "null"},
        {"hf_model_name", "null"},
        {"hf_tokenizer_name", "null"},
        {"tokenizer_kwargs", "null"},
        {"hf_model_pretrained", "*"},
        {"hf_proj_type", "*"},
        {"hf_pooler_type", "*"},
        {"bos_id", "*"},
        {"eos_id", "*"},
        {"block_type", "null"},
        {"qk_norm", "false"},
        {NULL, NULL},
    };
    s->context = 77;
    s->vocab = 49408;
    s->text.width = 512;
    s->text.heads = 8;
    s->text_layers = 12;
    flaw_fields_only(f, known, neutral);
    flaw_field_int(f, "context_length", &s->context, 3, 8192);
    flaw_field_int(f, "vocab_size", &s->vocab, 3, 1 << 24);
    flaw_field_int(f, "width", &s->text.width, 1, 16384);
    flaw_field_int(f, "heads", &s->text.heads, 1, 1024);
    flaw_field_int(f, "layers", &s->text_layers, 1, 512);
    s->text.hidden = hidden_width(f, s->text.width);
}

static void read_prepare(flaw_clip_shape *s, flaw_fields *f)
{
    static const char *const known[] = {"mean", "std", "size", NULL};
    static const flaw_neutral neutral[] = {
        {"mode", "RGB"}, {"interpolation", "bicubic"}, {"resize_mode", "shortest"}, {"fill_color", "*"}, {NULL, NULL},
    };
    int side = s->side;
    s->prepare = flaw_prepare_clip;
    s->prepare.resize_to = s->side;
    flaw_fields_only(f, known, neutral);
    flaw_field_triple(f, "mean", s->prepare.mean);
    flaw_field_triple(f, "std", s->prepare.std);
    flaw_field_side(f, "size", &side, 8192);
    if (side != s->side) flaw_field_refuse(f, "size", "but vision_cfg.image_size differs");
}

static flaw_status read_config(flaw_clip_shape *s, const json_t *root, const char *name, flaw_error *err)
{
    static const char *const known_top[] = {"model_cfg", "preprocess_cfg", NULL};
    static const char *const known[] = {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu", NULL};
    static const flaw_neutral none[] = {{NULL, NULL}};
    static const flaw_neutral neutral[] = {
        {"init_logit_scale", "*"}, {"custom_text", "false"},           {"cast_dtype", "*"},
        {"output_dict", "*"},      {"nonscalar_logit_scale", "false"}, {NULL, NULL},
    };
    flaw_fields top = {.object = root, .file = name, .where = "", .err = err};
    flaw_fields_only(&top, known_top, none);
    if (!flaw_field(&top, "model_cfg")) flaw_field_refuse(&top, "model_cfg", "but it must describe the network");
    flaw_fields model = flaw_field_object(&top, "model_cfg");
    model.status = top.status;
    bool quick = false;
    s->joint = 512;
    flaw_fields_only(&model, known, neutral);
    flaw_field_int(&model, "embed_dim", &s->joint, 1, 16384);
    flaw_field_bool(&model, "quick_gelu", &quick);
    if (!flaw_field(&model, "vision_cfg")) flaw_field_refuse(&model, "vision_cfg", "but it is needed");
    if (!flaw_field(&model, "text_cfg")) flaw_field_refuse(&model, "text_cfg", "but it is needed");
    s->image.act = s->text.act = quick ? FLAW_ACT_QUICK_GELU : FLAW_ACT_GELU;
    s->image.eps = s->text.eps = 1e-5f;
    s->text.causal = true;
    s->pre_norm = true;
    flaw_fields vision = flaw_field_object(&model, "vision_cfg");
    if (!vision.status) read_vision(s, &vision);
    flaw_fields text = flaw_field_object(&model, "text_cfg");
    text.status = vision.status ? vision.status : text.status;
    if (!text.status) read_text(s, &text);
    flaw_fields prepare = flaw_field_object(&top, "preprocess_cfg");
    prepare.status = text.status ? text.status : prepare.status;
    if (!prepare.status) read_prepare(s, &prepare);
    flaw_clip_shape_derive(s);
    return prepare.status;
}

flaw_status flaw_config_openclip(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err)
{
    return flaw_config_read(out, read_config, json, size, name, err);
}
