/* DINOv2 of Hugging Face: config.json (model_type dinov2, dinov2_with_registers) and preprocessor_config.json, which
 * may be absent. Absent keys take the defaults of Dinov2Config. Unknown keys are let be. */
#include <math.h>

#include "model/open/config.h"
#include "model/open/fields.h"

/* Hidden width of the gated MLP: two thirds of the plain one's, rounded up to a multiple of 8 (SwiGLUFFNFused). */
static int gated_hidden(int hidden)
{
    return (hidden * 2 / 3 + 7) / 8 * 8;
}

static flaw_status read_network(flaw_clip_shape *s, const json_t *root, const char *name, flaw_error *err)
{
    static const char *const types[] = {"dinov2", "dinov2_with_registers", NULL};
    static const char *const activations[] = {"gelu", NULL};
    int type = 0, act = 0, channels = 3;
    double ratio = 4, eps = 1e-6;
    flaw_fields f = {.object = root, .file = name, .where = "", .err = err};
    *s = (flaw_clip_shape){.image = {.width = 768, .heads = 12, .act = FLAW_ACT_GELU},
                           .image_layers = 12,
                           .side = 224,
                           .patch = 14,
                           .patch_bias = true,
                           .prepare = flaw_prepare_imagenet};
    flaw_field_choice(&f, "model_type", &type, types);
    flaw_field_int(&f, "hidden_size", &s->image.width, 1, 16384);
    flaw_field_int(&f, "num_hidden_layers", &s->image_layers, 1, 512);
    flaw_field_int(&f, "num_attention_heads", &s->image.heads, 1, 1024);
    flaw_field_double(&f, "mlp_ratio", &ratio, 0.1, 8);
    flaw_field_choice(&f, "hidden_act", &act, activations);
    flaw_field_double(&f, "layer_norm_eps", &eps, 1e-12, 0.1);
    flaw_field_side(&f, "image_size", &s->side, 8192);
    flaw_field_side(&f, "patch_size", &s->patch, 8192);
    flaw_field_int(&f, "num_channels", &channels, 3, 3);
    flaw_field_bool(&f, "use_swiglu_ffn", &s->image.gated);
    s->registers = type == 1 ? 4 : 0;
    if (type == 1) flaw_field_int(&f, "num_register_tokens", &s->registers, 0, 64);
    s->image.eps = (float)eps;
    s->image.hidden = (int)(s->image.width * ratio);
    if (s->image.gated) {
        s->image.hidden = gated_hidden(s->image.hidden);
        s->image.act = FLAW_ACT_SILU;
    }
    s->prepare.resize_to = s->side;
    flaw_clip_shape_derive(s);
    return f.status;
}

flaw_status flaw_config_dino(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err)
{
    return flaw_config_read(out, read_network, json, size, name, err);
}

/* Pictures are prepared for another side (256, crop 224) than the positions were learnt at (518): only the ratio is
 * ours. */
flaw_status flaw_config_dino_prepare(flaw_clip_shape *shape, const char *json, size_t size, const char *name,
                                     flaw_error *err)
{
    json_t *root;
    flaw_clip_shape s = *shape;
    int crop = s.side, edge = 0;
    flaw_status status = flaw_json_parse(&root, json, size, name, err);
    if (status) return status;
    flaw_fields f = {.object = root, .file = name, .where = "", .err = err};
    flaw_field_triple(&f, "image_mean", s.prepare.mean);
    flaw_field_triple(&f, "image_std", s.prepare.std);
    flaw_field_side(&f, "crop_size", &crop, 8192);
    flaw_fields of_size = flaw_field_object(&f, "size");
    edge = crop;
    flaw_field_int(&of_size, "shortest_edge", &edge, 1, 16384);
    status = of_size.status ? of_size.status : f.status;
    if (!status && edge < crop) flaw_field_refuse(&of_size, "shortest_edge", "it is smaller than crop_size");
    if (!status) status = of_size.status;
    json_decref(root);
    if (status) return status;
    s.prepare.resize_to = (int)lround((double)s.side * edge / crop);
    status = flaw_clip_shape_check(&s, name, err);
    if (!status) *shape = s;
    return status;
}
