/* timm's plain vision transformers, DINOv2 among them, also as Meta published it: the shape of the network follows from
 * the tensors; heads are 64 wide in every published ViT, DeiT and DINOv2. How pictures are prepared stands in
 * config.json where timm wrote one. */
#include <math.h>
#include <stdio.h>

#include "model/open/config.h"
#include "model/open/fields.h"
#include "model/tower/positions.h"

const flaw_prepare_shape flaw_prepare_imagenet = {.mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}};

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

/* Hidden width. A gated MLP has twice as many rows before its middle as columns behind. */
static flaw_status read_mlp(flaw_clip_shape *s, const flaw_tensors *t, flaw_error *err)
{
    const flaw_tensor *first, *second;
    bool meta = flaw_tensors_find(t, "blocks.0.mlp.w12.weight") != NULL;
    flaw_status status = need(&first, t, meta ? "blocks.0.mlp.w12.weight" : "blocks.0.mlp.fc1.weight", 2, err);
    if (!status) status = need(&second, t, meta ? "blocks.0.mlp.w3.weight" : "blocks.0.mlp.fc2.weight", 2, err);
    if (status) return status;
    s->image.hidden = (int)second->shape[1];
    s->image.gated = meta || first->shape[0] == 2 * second->shape[1];
    if (s->image.gated) s->image.act = FLAW_ACT_SILU;
    return FLAW_OK;
}

static flaw_status read_registers(flaw_clip_shape *s, const flaw_tensors *t, flaw_error *err)
{
    const char *name = flaw_tensors_find(t, "register_tokens") ? "register_tokens" : "reg_token";
    const flaw_tensor *registers;
    if (!flaw_tensors_find(t, name)) return FLAW_OK;
    flaw_status status = need(&registers, t, name, 3, err);
    if (!status) s->registers = (int)registers->shape[1];
    return status;
}

static flaw_status shape_from_tensors(flaw_clip_shape *s, const flaw_tensors *t, flaw_error *err)
{
    const flaw_tensor *patch, *position, *head;
    flaw_status status = need(&patch, t, "patch_embed.proj.weight", 4, err);
    if (!status) status = need(&position, t, "pos_embed", 3, err);
    if (status) return status;
    char name[64] = "blocks.0.norm1.weight";
    while (s->image_layers < 512 && flaw_tensors_find(t, name))
        snprintf(name, sizeof name, "blocks.%d.norm1.weight", ++s->image_layers);
    s->patch = (int)patch->shape[2];
    s->image = (flaw_block_shape){.width = (int)patch->shape[0],
                                  .heads = (int)(patch->shape[0] / 64),
                                  .act = FLAW_ACT_GELU,
                                  .eps = 1e-6f};
    if (s->image.width % 64)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: width %d is not a multiple of 64, the width of timm's heads", t->path,
                         s->image.width);
    status = read_mlp(s, t, err);
    if (!status) status = read_registers(s, t, err);
    if (status) return status;
    int grid;
    bool whole;
    if (!flaw_positions_grid(&grid, &whole, position->shape[1]) || grid > 256)
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: tensor 'pos_embed' has %zu positions, expected a square or 1 + a square (distilled DeiT "
                         "is not supported)",
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
    const json_t *input = flaw_field(f, "input_size"); /* where it differs, timm resamples; so does --side */
    if (input && (json_array_size(input) != 3 || json_integer_value(json_array_get(input, 1)) != s->side ||
                  json_integer_value(json_array_get(input, 2)) != s->side))
        flaw_field_refuse(f, "input_size", "which does not fit the position embedding");
}

flaw_status flaw_config_timm(flaw_clip_shape *out, const flaw_tensors *tensors, const char *json, size_t size,
                             const char *name, flaw_error *err)
{
    flaw_clip_shape s = {.prepare = flaw_prepare_imagenet};
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
