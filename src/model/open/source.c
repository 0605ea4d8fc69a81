#include "model/open/source.h"

#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "model/open/config.h"
#include "model/bundle/embedded.h"
#include "model/open/fields.h"

#define CONFIG_LIMIT ((size_t)4 << 20)

/* Path of the first of `files` (ends with NULL) that is in the folder, or NULL. */
static const char *find_file(flaw_source *s, const char *folder, const char *const *files)
{
    for (; *files; files++) {
        const char *path = flaw_path_join(&s->arena, folder, *files);
        if (path && flaw_file_exists(path)) return path;
    }
    return NULL;
}

static flaw_status bundle_shape(flaw_source *s, flaw_error *err)
{
    const char *shape = flaw_tensors_metadata(&s->tensors, "flaw");
    s->form = FLAW_FORM_BUNDLE;
    return flaw_config_bundle(&s->shape, shape, strlen(shape), s->weights, err);
}

static flaw_status open_embedded(flaw_source *s, flaw_error *err)
{
    s->weights = "embedded";
    snprintf(s->name, sizeof s->name, "default");
    size_t size = (size_t)(flaw_embedded_end - flaw_embedded);
    flaw_status status = flaw_safetensors_parse(&s->tensors, flaw_embedded, size, s->weights, err);
    return status ? status : bundle_shape(s, err);
}

/* One file: a bundle or a timm model. */
static flaw_status open_file(flaw_source *s, const char *path, flaw_error *err)
{
    s->weights = flaw_arena_copy_string(&s->arena, path, strlen(path));
    if (!s->weights) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", path);
    flaw_status status = flaw_tensors_open(&s->tensors, path, err);
    if (status) return status;
    if (flaw_tensors_metadata(&s->tensors, "flaw")) return bundle_shape(s, err);
    if (flaw_tensors_find(&s->tensors, "patch_embed.proj.weight")) {
        s->form = FLAW_FORM_TIMM;
        return flaw_config_timm(&s->shape, &s->tensors, NULL, 0, path, err);
    }
    bool dino = flaw_tensors_find(&s->tensors, "embeddings.patch_embeddings.projection.weight") != NULL;
    if (dino || flaw_tensors_find(&s->tensors, "visual.conv1.weight") ||
        flaw_tensors_find(&s->tensors, "vision_model.embeddings.patch_embedding.weight"))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %s weights without configuration: give the folder that holds both",
                         path, dino ? "DINOv2" : "CLIP");
    return flaw_fail(err, FLAW_BAD_DATA,
                     "%s: neither a flaw bundle (no \"flaw\" metadata) nor a timm vision transformer (no tensor "
                     "'patch_embed.proj.weight')",
                     path);
}

static flaw_status read_prepare(flaw_source *s, flaw_error *err)
{
    const char *path = flaw_path_join(&s->arena, s->folder, "preprocessor_config.json");
    flaw_bytes json;
    bool dino = s->form == FLAW_FORM_DINO;
    if (!path) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", s->folder);
    if (dino && !flaw_file_exists(path)) return FLAW_OK;
    flaw_status status = flaw_file_read(&json, path, CONFIG_LIMIT, err);
    if (status) return status;
    const char *text = (const char *)json.data;
    status = dino ? flaw_config_dino_prepare(&s->shape, text, json.size, path, err)
                  : flaw_config_hf_prepare(&s->shape, text, json.size, path, err);
    flaw_bytes_release(&json);
    return status;
}

/* config.json is written by Hugging Face's transformers and by timm; its keys tell which. */
static flaw_status form_of_config(flaw_source *s, const flaw_bytes *json, flaw_error *err)
{
    json_t *root;
    flaw_status status = flaw_json_parse(&root, (const char *)json->data, json->size, s->config, err);
    if (status) return status;
    const char *type = json_string_value(json_object_get(root, "model_type"));
    bool towers = json_object_get(root, "vision_config") || json_object_get(root, "vision_config_dict");
    if (json_object_get(root, "pretrained_cfg") || json_object_get(root, "architecture")) s->form = FLAW_FORM_TIMM;
    else if (type && strncmp(type, "dinov2", 6) == 0) s->form = FLAW_FORM_DINO;
    else if (towers || (type && strcmp(type, "clip") == 0)) s->form = FLAW_FORM_HF;
    else
        status = flaw_fail(err, FLAW_BAD_DATA, "%s: neither CLIP, DINOv2 nor timm (model_type is %.40s)", s->config,
                           type ? type : "absent");
    json_decref(root);
    return status;
}

static flaw_status read_config(flaw_source *s, flaw_error *err)
{
    flaw_bytes json;
    flaw_status status = flaw_file_read(&json, s->config, CONFIG_LIMIT, err);
    if (status) return status;
    const char *text = (const char *)json.data;
    if (s->form == FLAW_FORM_OPENCLIP) {
        status = flaw_config_openclip(&s->shape, text, json.size, s->config, err);
    } else {
        status = form_of_config(s, &json, err);
        if (!status && s->form == FLAW_FORM_HF) status = flaw_config_hf(&s->shape, text, json.size, s->config, err);
        if (!status && s->form == FLAW_FORM_DINO) status = flaw_config_dino(&s->shape, text, json.size, s->config, err);
    }
    if (!status) status = flaw_tensors_open(&s->tensors, s->weights, err);
    if (!status && s->form == FLAW_FORM_TIMM)
        status = flaw_config_timm(&s->shape, &s->tensors, text, json.size, s->config, err);
    flaw_bytes_release(&json);
    return !status && (s->form == FLAW_FORM_HF || s->form == FLAW_FORM_DINO) ? read_prepare(s, err) : status;
}

static flaw_status open_imagebind(flaw_source *s, flaw_error *err)
{
    static const char *const config[] = {"imagebind_config.json", NULL};
    flaw_bytes json = {0};
    s->form = FLAW_FORM_IMAGEBIND;
    s->config = find_file(s, s->folder, config);
    flaw_status status = flaw_torch_open(&s->tensors, s->weights, err);
    if (!status && s->config) status = flaw_file_read(&json, s->config, CONFIG_LIMIT, err);
    if (!status)
        status = flaw_config_imagebind(&s->shape, &s->tensors, (const char *)json.data, json.size, s->config, err);
    flaw_bytes_release(&json);
    return status;
}

static flaw_status open_folder(flaw_source *s, const char *folder, flaw_error *err)
{
    static const char *const open_config[] = {"open_clip_config.json", NULL}, *const config[] = {"config.json", NULL};
    static const char *const open_weights[] = {"open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
                                               "open_clip_pytorch_model.bin", NULL};
    static const char *const weights[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                          "pytorch_model.bin.index.json", NULL};
    static const char *const bind[] = {"imagebind_huge.pth", NULL};
    s->folder = flaw_arena_copy_string(&s->arena, folder, strlen(folder));
    if (!s->folder) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", folder);
    s->weights = find_file(s, folder, bind);
    if (s->weights) return open_imagebind(s, err);
    s->config = find_file(s, folder, open_config);
    s->weights = find_file(s, folder, open_weights);
    if (s->config && s->weights) return read_config(s, err);
    bool half = s->config || s->weights;
    s->config = find_file(s, folder, config);
    s->weights = find_file(s, folder, weights);
    s->form = FLAW_FORM_HF;
    if (s->config && s->weights) return read_config(s, err);
    if (!s->config && s->weights && !half) return open_file(s, s->weights, err);
    return flaw_fail(err, FLAW_MISSING,
                     "%s: no model in this folder: looked for open_clip_config.json + open_clip_model.safetensors, "
                     "config.json + model.safetensors (or pytorch_model.bin, or the index of shards of either), "
                     "imagebind_huge.pth, or model.safetensors alone%s",
                     folder, half || s->config ? "; only one of a pair is there" : "");
}

static flaw_status set_side(flaw_source *s, int side, flaw_error *err)
{
    if (side == 0 || side == s->shape.side) return FLAW_OK;
    if (s->form == FLAW_FORM_TIMM || s->form == FLAW_FORM_DINO) return flaw_clip_shape_resize(&s->shape, side, s->name, err);
    return flaw_fail(err, FLAW_USAGE, "%s: this model reads pictures of %d x %d only; the side can be chosen for timm's models "
                     "and DINOv2", s->name, s->shape.side, s->shape.side);
}

flaw_status flaw_source_open(flaw_source *out, const char *path, flaw_error *err)
{
    return flaw_source_open_at(out, path, 0, err);
}

flaw_status flaw_source_open_at(flaw_source *out, const char *path, int side, flaw_error *err)
{
    flaw_source s = {0};
    flaw_status status;
    flaw_arena_init(&s.arena, 0);
    if (!path || !*path || strcmp(path, "default") == 0) {
        status = open_embedded(&s, err);
    } else {
        flaw_path_name(s.name, sizeof s.name, path);
        status = flaw_file_is_folder(path) ? open_folder(&s, path, err) : open_file(&s, path, err);
    }
    if (!status) status = set_side(&s, side, err);
    if (status) flaw_source_close(&s);
    else *out = s;
    return status;
}

void flaw_source_close(flaw_source *s)
{
    flaw_tensors_close(&s->tensors);
    flaw_arena_release(&s->arena);
    *s = (flaw_source){0};
}

const flaw_name_table *flaw_source_names(const flaw_source *s)
{
    switch (s->form) {
    case FLAW_FORM_OPENCLIP: return &flaw_names_openclip;
    case FLAW_FORM_HF: return &flaw_names_hf;
    case FLAW_FORM_TIMM: return &flaw_names_timm;
    case FLAW_FORM_IMAGEBIND: return &flaw_names_imagebind;
    case FLAW_FORM_DINO: return &flaw_names_dino;
    default: return NULL;
    }
}

const char *flaw_form_name(flaw_form form)
{
    static const char *const names[] = {"OpenCLIP folder", "Hugging Face CLIPModel folder", "timm vision transformer",
                                        "flaw bundle", "ImageBind folder", "Hugging Face DINOv2 folder"};
    return names[form];
}

/* The text tower looks up ids without checking them, so they must all lie in its table; and the end token must be found
 * where the model was trained to look for it. */
static flaw_status check_tokenizer(const flaw_tokenizer *t, const flaw_source *s, flaw_error *err)
{
    int vocab = flaw_tokenizer_vocab(t), end = flaw_tokenizer_end(t);
    const char *where = s->folder ? s->folder : s->weights;
    if (vocab > s->shape.vocab)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: the tokenizer has ids up to %d, but the model only %d tokens", where,
                         vocab - 1, s->shape.vocab);
    int wanted = s->shape.text_end ? s->shape.text_end : vocab - 1;
    if (end != wanted)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: the tokenizer's end token is %d, the model expects %d", where, end,
                         wanted);
    return FLAW_OK;
}

flaw_status flaw_source_tokenizer(flaw_tokenizer **out, const flaw_source *s, flaw_error *err)
{
    flaw_tokenizer *t = NULL;
    flaw_status status;
    if (!s->shape.text.width) {
        *out = NULL;
        return FLAW_OK;
    }
    if (s->folder) {
        status = flaw_tokenizer_open(&t, s->folder, err);
    } else {
        const char *merges = flaw_tensors_metadata(&s->tensors, "merges");
        if (!merges)
            return flaw_fail(err, FLAW_MISSING, "%s: a text tower, but no \"merges\" in the metadata", s->weights);
        status =
            flaw_tokenizer_from_merges(&t, (const uint8_t *)merges, strlen(merges), s->weights, s->shape.vocab, err);
    }
    if (status) return status;
    status = check_tokenizer(t, s, err);
    if (status) flaw_tokenizer_free(t);
    else *out = t;
    return status;
}
