/* The shape of a flaw bundle: metadata "flaw", version 1. Every key is written and read strictly. */
#include "model/open/config.h"
#include "model/open/fields.h"

static const char *const activation_names[] = {"none", "gelu", "quick_gelu", "silu", NULL};

static void need(flaw_fields *f, const char *const *keys)
{
    for (; *keys && !f->status; keys++)
        if (!flaw_field(f, *keys)) flaw_field_refuse(f, *keys, "but it is needed");
}

static void read_block(flaw_fields *f, flaw_block_shape *b)
{
    int act = 0;
    double eps = 0;
    flaw_field_int(f, "width", &b->width, 1, 16384);
    flaw_field_int(f, "heads", &b->heads, 1, 1024);
    flaw_field_int(f, "hidden", &b->hidden, 1, 131072);
    flaw_field_choice(f, "activation", &act, activation_names);
    flaw_field_double(f, "eps", &eps, 1e-12, 0.1);
    flaw_field_bool(f, "causal", &b->causal);
    b->act = (flaw_activation)act;
    b->eps = (float)eps;
}

static flaw_status read_image(flaw_clip_shape *s, flaw_fields *f)
{
    static const char *const keys[] = {"width",      "heads",   "hidden", "activation", "eps",
                                       "causal",     "layers",  "side",   "patch",      "pre_norm",
                                       "patch_bias", "classes", "stages", "local_head", NULL};
    static const char *const known[] = {"width",      "heads",   "hidden", "activation", "eps",   "causal",
                                        "layers",     "side",    "patch",  "pre_norm",   "gated", "registers",
                                        "patch_bias", "classes", "stages", "local_head", NULL};
    static const flaw_neutral none[] = {{NULL, NULL}};
    flaw_fields_only(f, known, none);
    need(f, keys);
    read_block(f, &s->image);
    flaw_field_int(f, "layers", &s->image_layers, 1, 512);
    flaw_field_int(f, "side", &s->side, 1, 8192);
    flaw_field_int(f, "patch", &s->patch, 1, 8192);
    flaw_field_int(f, "classes", &s->classes, 0, 1000000);
    flaw_field_bool(f, "pre_norm", &s->pre_norm);
    flaw_field_bool(f, "patch_bias", &s->patch_bias);
    flaw_field_bool(f, "gated", &s->image.gated); /* these two stand only where they say something */
    flaw_field_int(f, "registers", &s->registers, 0, 64);
    flaw_field_bool(f, "local_head", &s->local_head);
    flaw_clip_shape_derive(s);
    flaw_field_ints(f, "stages", s->stage, FLAW_STAGES, 0, 511, "expected four block numbers");
    return f->status;
}

static flaw_status read_text(flaw_clip_shape *s, flaw_fields *f)
{
    static const char *const keys[] = {"width",  "heads",   "hidden", "activation", "eps", "causal",
                                       "layers", "context", "vocab",  "end",        NULL};
    static const flaw_neutral none[] = {{NULL, NULL}};
    flaw_fields_only(f, keys, none);
    need(f, keys);
    read_block(f, &s->text);
    flaw_field_int(f, "layers", &s->text_layers, 1, 512);
    flaw_field_int(f, "context", &s->context, 3, 8192);
    flaw_field_int(f, "vocab", &s->vocab, 3, 1 << 24);
    flaw_field_int(f, "end", &s->text_end, 0, (1 << 24) - 1);
    return f->status;
}

static flaw_status read_prepare(flaw_clip_shape *s, flaw_fields *f)
{
    static const char *const keys[] = {"resize_to", "mean", "std", NULL};
    static const flaw_neutral none[] = {{NULL, NULL}};
    flaw_fields_only(f, keys, none);
    need(f, keys);
    flaw_field_int(f, "resize_to", &s->prepare.resize_to, 1, 16384);
    flaw_field_triple(f, "mean", s->prepare.mean);
    flaw_field_triple(f, "std", s->prepare.std);
    return f->status;
}

static flaw_status read_all(flaw_clip_shape *s, const json_t *root, const char *name, flaw_error *err)
{
    static const char *const keys[] = {"version", "joint", "image", "prepare", NULL};
    static const char *const known[] = {"version", "joint", "image", "prepare", "text", NULL};
    static const flaw_neutral none[] = {{NULL, NULL}};
    int version = 0;
    flaw_fields top = {.object = root, .file = name, .where = "", .err = err};
    flaw_fields_only(&top, known, none);
    need(&top, keys);
    flaw_field_int(&top, "version", &version, 1, 1000000);
    if (version != 1) flaw_field_refuse(&top, "version", "this program reads version 1");
    flaw_field_int(&top, "joint", &s->joint, 0, 16384);
    flaw_fields image = flaw_field_object(&top, "image"), prepare = flaw_field_object(&top, "prepare");
    flaw_fields text = flaw_field_object(&top, "text");
    if (top.status) return top.status;
    flaw_status status = read_image(s, &image);
    if (!status) status = read_prepare(s, &prepare);
    if (!status && text.object) status = read_text(s, &text);
    return status;
}

flaw_status flaw_config_bundle(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err)
{
    return flaw_config_read(out, read_all, json, size, name, err);
}

static void write_block(flaw_buffer *out, const flaw_block_shape *b, int layers)
{
    flaw_buffer_printf(out,
                       "\"width\": %d, \"heads\": %d, \"hidden\": %d, \"activation\": \"%s\", \"eps\": %.9g, "
                       "\"causal\": %s, \"layers\": %d",
                       b->width, b->heads, b->hidden, activation_names[b->act], (double)b->eps,
                       b->causal ? "true" : "false", layers);
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

void flaw_config_bundle_write(flaw_buffer *out, const flaw_clip_shape *s)
{
    const flaw_prepare_shape *p = &s->prepare;
    flaw_buffer_printf(out, "{\"version\": 1, \"joint\": %d, \"image\": {", s->joint);
    write_block(out, &s->image, s->image_layers);
    flaw_buffer_printf(out,
                       ", \"side\": %d, \"patch\": %d, \"pre_norm\": %s, \"patch_bias\": %s, \"classes\": %d, "
                       "\"stages\": [%d, %d, %d, %d], \"local_head\": %s",
                       s->side, s->patch, truth(s->pre_norm), truth(s->patch_bias), s->classes, s->stage[0],
                       s->stage[1], s->stage[2], s->stage[3], truth(s->local_head));
    if (s->image.gated) flaw_buffer_text(out, ", \"gated\": true");
    if (s->registers) flaw_buffer_printf(out, ", \"registers\": %d", s->registers);
    flaw_buffer_text(out, "}");
    flaw_buffer_printf(out,
                       ", \"prepare\": {\"resize_to\": %d, \"mean\": [%.9g, %.9g, %.9g], "
                       "\"std\": [%.9g, %.9g, %.9g]}",
                       p->resize_to, (double)p->mean[0], (double)p->mean[1], (double)p->mean[2], (double)p->std[0],
                       (double)p->std[1], (double)p->std[2]);
    if (s->text.width) {
        flaw_buffer_text(out, ", \"text\": {");
        write_block(out, &s->text, s->text_layers);
        flaw_buffer_printf(out, ", \"context\": %d, \"vocab\": %d, \"end\": %d}", s->context, s->vocab, s->text_end);
    }
    flaw_buffer_text(out, "}");
}
