/* timm's plain vision transformers: the shape of the network follows from the tensors; heads are 64 wide in every
 * published ViT and DeiT. How pictures are prepared stands in config.json where timm wrote one. */
#include <math.h>
#include <stdio.h>

#include "model/config.h"
#include "model/fields.h"

static const flaw_prepare_shape imagenet = {.mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}};

static flaw_status need(const flaw_tensor **out, const flaw_tensors *t, const char *tensor, int rank, flaw_error *err)
{
    const flaw_tensor *x = flaw_tensors_find(t, tensor);
    if (!x)
        return flaw_fail(err, FLAW_MISSING, "%s: no tensor '%s', so not a timm vision transformer", t->path, tensor);
    bool ok = x->rank == rank;
    for (int i = 0; i < x->rank; i++) ok = ok && x->shape[i] >= 1 && x->shape[i] <= 131072;
    if (!ok)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: tensor '%s' has %d dimensions or a side out of range, expected %d",
                         t->path, tensor, x->rank, rank);
    *out = x;
    return FLAW_OK;
}

static flaw_status shape_from_tensors(flaw_clip_shape *s, const flaw_tensors *t, flaw_error *err)
{
    const flaw_tensor *patch, *position, *fc1, *head;
    flaw_status status = need(&patch, t, "patch_embed.proj.weight", 4, err);
    if (!status) status = need(&position, t, "pos_embed", 3, err);
    if (!status) status = need(&fc1, t, "blocks.0.mlp.fc1.weight", 2, err);
    if (status) return status;
    char name[64] = "blocks.0.norm1.weight";
    while (s->image_layers < 512 && flaw_tensors_find(t, name))
        snprintf(name, sizeof name, "blocks.%d.norm1.weight", ++s->image_layers);
    s->patch = (int)patch->shape[2];
    s->image = (flaw_block_shape){.width = (int)patch->shape[0],
                                  .heads = (int)(patch->shape[0] / 64),
                                  .hidden = (int)fc1->shape[0],
                                  .act = FLAW_ACT_GELU,
                                  .eps = 1e-6f};
    if (s->image.width % 64)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: width %d is not a multiple of 64, the width of timm's heads", t->path,
                         s->image.width);
    int grid = (int)lround(sqrt((double)position->shape[1] - 1));
    if (grid < 1 || (size_t)grid * (size_t)grid + 1 != position->shape[1])
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: tensor 'pos_embed' has %zu positions, expected 1 + a square (distilled DeiT and register "
                         "tokens are not supported)",
                         t->path, position->shape[1]);
    s->side = grid * s->patch;
    s->patch_bias = true;
    if (flaw_tensors_find(t, "head.weight")) {
        status = need(&head, t, "head.weight", 2, err);
        if (!status) s->classes = (int)head->shape[0];
    }
    return status;
}

static void read_prepare(flaw_clip_shape *s, flaw_fields *f)
{
    static const char *const bicubic[] = {"bicubic", NULL};
    static const char *const center[] = {"center", NULL};
    int choice = 0;
    double crop = 0.875;
    flaw_field_triple(f, "mean", s->prepare.mean);
    flaw_field_triple(f, "std", s->prepare.std);
    flaw_field_choice(f, "interpolation", &choice, bicubic);
    flaw_field_choice(f, "crop_mode", &choice, center);
    flaw_field_double(f, "crop_pct", &crop, 0.1, 1);
    s->prepare.resize_to = (int)floor(s->side / crop);
    const json_t *input = flaw_field(f, "input_size");
    if (input && (json_array_size(input) != 3 || json_integer_value(json_array_get(input, 1)) != s->side ||
                  json_integer_value(json_array_get(input, 2)) != s->side))
        flaw_field_refuse(f, "input_size", "which does not fit the position embedding");
}

flaw_status flaw_config_timm(flaw_clip_shape *out, const flaw_tensors *tensors, const char *json, size_t size,
                             const char *name, flaw_error *err)
{
    flaw_clip_shape s = {.prepare = imagenet};
    flaw_status status = shape_from_tensors(&s, tensors, err);
    if (status) return status;
    s.prepare.resize_to = (int)floor(s.side / 0.875);
    if (json) {
        json_t *root;
        status = flaw_json_parse(&root, json, size, name, err);
        if (status) return status;
        flaw_fields top = {.object = root, .file = name, .where = "", .err = err};
        flaw_fields prepare = flaw_field_object(&top, "pretrained_cfg");
        read_prepare(&s, &prepare);
        status = prepare.status;
        json_decref(root);
    }
    if (status) return status;
    flaw_clip_shape_derive(&s);
    status = flaw_clip_shape_check(&s, tensors->path, err);
    if (!status) *out = s;
    return status;
}
