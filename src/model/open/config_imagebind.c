/* ImageBind has no configuration: sizes follow from the tensors. Heads and stages do not; they are ImageBind-Huge's unless
 * imagebind_config.json says otherwise (models of other sizes): {"vision": {"heads"}, "text": {"heads"}, "stages"}. */
#include <math.h>
#include <stdio.h>

#include "model/open/config.h"
#include "model/open/fields.h"

#define VISION "modality_preprocessors.vision."
#define TEXT "modality_preprocessors.text."

static flaw_status need(const flaw_tensor **out, const flaw_tensors *t, const char *tensor, int rank, flaw_error *err)
{
    const flaw_tensor *x = flaw_tensors_find(t, tensor);
    if (!x) return flaw_fail(err, FLAW_MISSING, "%s: no tensor '%s', so not ImageBind", t->path, tensor);
    bool ok = x->rank == rank;
    for (int i = 0; i < x->rank; i++) ok = ok && x->shape[i] >= 1 && x->shape[i] <= 1 << 24;
    if (!ok)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: tensor '%s' has %d dimensions or a side out of range, expected %d", t->path,
                         tensor, x->rank, rank);
    *out = x;
    return FLAW_OK;
}

static int count_blocks(const flaw_tensors *t, const char *tower)
{
    int count = 0;
    for (; count < 512; count++) {
        char name[80];
        snprintf(name, sizeof name, "modality_trunks.%s.blocks.%d.norm_1.weight", tower, count);
        if (!flaw_tensors_find(t, name)) break;
    }
    return count;
}

/* Width, hidden width, layers of a tower; heads are set later. */
static flaw_status read_tower(flaw_block_shape *b, int *layers, const flaw_tensors *t, const char *tower, flaw_error *err)
{
    const flaw_tensor *fc1;
    char name[80];
    snprintf(name, sizeof name, "modality_trunks.%s.blocks.0.mlp.fc1.weight", tower);
    flaw_status status = need(&fc1, t, name, 2, err);
    if (status) return status;
    *layers = count_blocks(t, tower);
    *b = (flaw_block_shape){.width = (int)fc1->shape[1],
                            .hidden = (int)fc1->shape[0],
                            .heads = 16,
                            .act = FLAW_ACT_GELU,
                            .eps = 1e-6f};
    return FLAW_OK;
}

static flaw_status shape_from_tensors(flaw_clip_shape *s, const flaw_tensors *t, flaw_error *err)
{
    const flaw_tensor *patch, *position, *token, *text, *head;
    flaw_status status = need(&patch, t, VISION "rgbt_stem.proj.1.weight", 5, err);
    if (!status) status = need(&position, t, VISION "pos_embedding_helper.pos_embed", 3, err);
    if (!status) status = need(&token, t, TEXT "token_embedding.weight", 2, err);
    if (!status) status = need(&text, t, TEXT "pos_embed", 3, err);
    if (!status) status = need(&head, t, "modality_heads.vision.2.weight", 2, err);
    if (!status) status = read_tower(&s->image, &s->image_layers, t, "vision", err);
    if (!status) status = read_tower(&s->text, &s->text_layers, t, "text", err);
    if (status) return status;
    int grid = (int)lround(sqrt((double)position->shape[1] - 1));
    if (grid < 1 || grid > 256 || patch->shape[3] > 1024 || (size_t)grid * (size_t)grid + 1 != position->shape[1])
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %zu positions and patches of %zu pixels, expected are 1 + a square, and at most "
                         "1024", t->path, position->shape[1], patch->shape[3]);
    s->patch = (int)patch->shape[3];
    s->side = s->prepare.resize_to = grid * s->patch;
    s->joint = (int)head->shape[0];
    s->vocab = (int)token->shape[0];
    s->context = (int)text->shape[1];
    s->text.causal = s->pre_norm = true;
    flaw_clip_shape_derive(s);
    return FLAW_OK;
}

static flaw_status read_json(flaw_clip_shape *s, const char *json, size_t size, const char *name, flaw_error *err)
{
    static const char *const top_keys[] = {"vision", "text", "stages", NULL}, *const keys[] = {"heads", NULL};
    static const flaw_neutral none[] = {{NULL, NULL}};
    json_t *root;
    flaw_status status = flaw_json_parse(&root, json, size, name, err);
    if (status) return status;
    flaw_fields top = {.object = root, .file = name, .where = "", .err = err};
    flaw_fields_only(&top, top_keys, none);
    flaw_field_ints(&top, "stages", s->stage, FLAW_STAGES, 0, 511, "expected four block numbers");
    flaw_fields vision = flaw_field_object(&top, "vision");
    flaw_fields_only(&vision, keys, none);
    flaw_field_int(&vision, "heads", &s->image.heads, 1, 1024);
    flaw_fields text = flaw_field_object(&top, "text");
    text.status = vision.status;
    flaw_fields_only(&text, keys, none);
    flaw_field_int(&text, "heads", &s->text.heads, 1, 1024);
    json_decref(root);
    return text.status;
}

flaw_status flaw_config_imagebind(flaw_clip_shape *out, const flaw_tensors *tensors, const char *json, size_t size,
                                  const char *name, flaw_error *err)
{
    static const int huge[FLAW_STAGES] = {7, 15, 23, 31};
    flaw_clip_shape s = {.prepare = flaw_prepare_clip};
    flaw_status status = shape_from_tensors(&s, tensors, err);
    for (int i = 0; i < FLAW_STAGES; i++) s.stage[i] = huge[i];
    if (!status && json) status = read_json(&s, json, size, name, err);
    if (!status) status = flaw_clip_shape_check(&s, tensors->path, err);
    if (!status) *out = s;
    return status;
}
