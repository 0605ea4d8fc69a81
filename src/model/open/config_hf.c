/* config.json and preprocessor_config.json of a Hugging Face CLIPModel. Absent keys take the defaults of CLIPConfig.
 * These files carry many keys that do not touch the network (text generation, versions), so unknown keys are let be. */
#include <math.h>
#include <string.h>

#include "model/open/config.h"
#include "model/open/fields.h"

static const char *const activations[] = {"quick_gelu", "gelu", NULL};

/* Older files repeat a tower as "text_config_dict"; the library lets its keys win. */
static json_t *merged(flaw_fields *top, const char *key, const char *older)
{
    const flaw_fields base = flaw_field_object(top, key), over = flaw_field_object(top, older);
    json_t *all = json_object();
    if (all && base.object) json_object_update(all, (json_t *)base.object);
    if (all && over.object) json_object_update(all, (json_t *)over.object);
    return all;
}

static void read_tower(flaw_fields *f, flaw_block_shape *b, int *layers)
{
    int act = 0;
    double eps = 1e-5;
    flaw_field_int(f, "hidden_size", &b->width, 1, 16384);
    flaw_field_int(f, "intermediate_size", &b->hidden, 1, 131072);
    flaw_field_int(f, "num_hidden_layers", layers, 1, 512);
    flaw_field_int(f, "num_attention_heads", &b->heads, 1, 1024);
    flaw_field_choice(f, "hidden_act", &act, activations);
    flaw_field_double(f, "layer_norm_eps", &eps, 1e-12, 0.1);
    b->act = act == 0 ? FLAW_ACT_QUICK_GELU : FLAW_ACT_GELU;
    b->eps = (float)eps;
}

static void read_vision(flaw_clip_shape *s, flaw_fields *f)
{
    int channels = 3;
    s->image.width = 768;
    s->image.hidden = 3072;
    s->image.heads = 12;
    s->image_layers = 12;
    s->side = 224;
    s->patch = 32;
    read_tower(f, &s->image, &s->image_layers);
    flaw_field_side(f, "image_size", &s->side, 8192);
    flaw_field_side(f, "patch_size", &s->patch, 8192);
    flaw_field_int(f, "num_channels", &channels, 3, 3);
}

static void read_text(flaw_clip_shape *s, flaw_fields *f)
{
    int end = 49407;
    s->text.width = 512;
    s->text.hidden = 2048;
    s->text.heads = 8;
    s->text_layers = 12;
    s->context = 77;
    s->vocab = 49408;
    read_tower(f, &s->text, &s->text_layers);
    flaw_field_int(f, "max_position_embeddings", &s->context, 3, 8192);
    flaw_field_int(f, "vocab_size", &s->vocab, 3, 1 << 24);
    flaw_field_int(f, "eos_token_id", &end, 0, (1 << 24) - 1);
    s->text_end = end == 2 ? 0 : end; /* 2 marks files from before the field was honoured: argmax of the ids */
}

static flaw_status read_towers(flaw_clip_shape *s, const json_t *root, const char *name, flaw_error *err)
{
    static const char *const types[] = {"clip", NULL};
    int type = 0;
    flaw_fields top = {.object = root, .file = name, .where = "", .err = err};
    s->joint = 512;
    flaw_field_choice(&top, "model_type", &type, types);
    flaw_field_int(&top, "projection_dim", &s->joint, 1, 16384);
    json_t *vision_all = merged(&top, "vision_config", "vision_config_dict");
    json_t *text_all = merged(&top, "text_config", "text_config_dict");
    flaw_fields vision = {.object = vision_all, .file = name, .where = "vision_config", .err = err};
    vision.status = top.status;
    if (!vision_all || !text_all) vision.status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", name);
    if (!vision.status) read_vision(s, &vision);
    flaw_fields text = {.object = text_all, .file = name, .where = "text_config", .err = err};
    text.status = vision.status;
    if (!text.status) read_text(s, &text);
    json_decref(vision_all);
    json_decref(text_all);
    return text.status;
}

static flaw_status read_model(flaw_clip_shape *s, const json_t *root, const char *name, flaw_error *err)
{
    flaw_status status = read_towers(s, root, name, err);
    if (status) return status;
    s->pre_norm = true;
    s->text.causal = true;
    s->prepare = flaw_prepare_clip;
    s->prepare.resize_to = s->side;
    flaw_clip_shape_derive(s);
    return FLAW_OK;
}

flaw_status flaw_config_hf(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err)
{
    return flaw_config_read(out, read_model, json, size, name, err);
}

static void must_be_true(flaw_fields *f, const char *key)
{
    bool value = true;
    flaw_field_bool(f, key, &value);
    if (!value) flaw_field_refuse(f, key, "only true is supported");
}

static void read_prepare(flaw_prepare_shape *p, int side, flaw_fields *f)
{
    int crop = side, resample = 3;
    double factor = 1 / 255.0;
    must_be_true(f, "do_resize");
    must_be_true(f, "do_center_crop");
    must_be_true(f, "do_rescale");
    must_be_true(f, "do_normalize");
    flaw_field_int(f, "resample", &resample, 0, 5);
    if (resample != 3) flaw_field_refuse(f, "resample", "only 3 (bicubic) is supported");
    flaw_field_double(f, "rescale_factor", &factor, 0, 1);
    if (fabs(factor - 1 / 255.0) > 1e-6) flaw_field_refuse(f, "rescale_factor", "only 1/255 is supported");
    flaw_field_triple(f, "image_mean", p->mean);
    flaw_field_triple(f, "image_std", p->std);
    flaw_field_side(f, "crop_size", &crop, 8192);
    if (crop != side) flaw_field_refuse(f, "crop_size", "but the model's image_size differs");
    p->resize_to = crop;
    const json_t *size = flaw_field(f, "size");
    if (json_is_integer(size)) {
        flaw_field_int(f, "size", &p->resize_to, 1, 16384);
    } else if (size) {
        flaw_fields edge = flaw_field_object(f, "size");
        if (!flaw_field(&edge, "shortest_edge"))
            flaw_field_refuse(f, "size", "supported are a number and {\"shortest_edge\": number}");
        flaw_field_int(&edge, "shortest_edge", &p->resize_to, 1, 16384);
        if (!f->status) f->status = edge.status;
    }
}

flaw_status flaw_config_hf_prepare(flaw_clip_shape *shape, const char *json, size_t size, const char *name,
                                   flaw_error *err)
{
    json_t *root;
    flaw_clip_shape s = *shape;
    flaw_status status = flaw_json_parse(&root, json, size, name, err);
    if (status) return status;
    flaw_fields f = {.object = root, .file = name, .where = "", .err = err};
    read_prepare(&s.prepare, s.side, &f);
    json_decref(root);
    status = f.status ? f.status : flaw_clip_shape_check(&s, name, err);
    if (!status) *shape = s;
    return status;
}
