/* Hugging Face's CLIPModel ("pre_layrnorm" is spelt so there). */
#include "model/open/names.h"

#define IMAGE "vision_model.encoder.layers.#."
#define TEXT "text_model.encoder.layers.#."

static const flaw_name_rule rules[] = {
    {"image.patch.w", "vision_model.embeddings.patch_embedding.weight", FLAW_LAYOUT_PICTURE},
    {"image.cls", "vision_model.embeddings.class_embedding", FLAW_LAYOUT_SAME},
    {"image.position", "vision_model.embeddings.position_embedding.weight", FLAW_LAYOUT_SAME},
    {"image.pre.w", "vision_model.pre_layrnorm.weight", FLAW_LAYOUT_SAME},
    {"image.pre.b", "vision_model.pre_layrnorm.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.w", IMAGE "layer_norm1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.b", IMAGE "layer_norm1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.w", IMAGE "self_attn.@_proj.weight", FLAW_LAYOUT_QKV},
    {"image.block.#.qkv.b", IMAGE "self_attn.@_proj.bias", FLAW_LAYOUT_QKV},
    {"image.block.#.out.w", IMAGE "self_attn.out_proj.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.out.b", IMAGE "self_attn.out_proj.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.w", IMAGE "layer_norm2.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.b", IMAGE "layer_norm2.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.w", IMAGE "mlp.fc1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.b", IMAGE "mlp.fc1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.w", IMAGE "mlp.fc2.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.b", IMAGE "mlp.fc2.bias", FLAW_LAYOUT_SAME},
    {"image.post.w", "vision_model.post_layernorm.weight", FLAW_LAYOUT_SAME},
    {"image.post.b", "vision_model.post_layernorm.bias", FLAW_LAYOUT_SAME},
    {"image.proj", "visual_projection.weight", FLAW_LAYOUT_SAME},
    {"text.token", "text_model.embeddings.token_embedding.weight", FLAW_LAYOUT_SAME},
    {"text.position", "text_model.embeddings.position_embedding.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.norm1.w", TEXT "layer_norm1.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.norm1.b", TEXT "layer_norm1.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.qkv.w", TEXT "self_attn.@_proj.weight", FLAW_LAYOUT_QKV},
    {"text.block.#.qkv.b", TEXT "self_attn.@_proj.bias", FLAW_LAYOUT_QKV},
    {"text.block.#.out.w", TEXT "self_attn.out_proj.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.out.b", TEXT "self_attn.out_proj.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.norm2.w", TEXT "layer_norm2.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.norm2.b", TEXT "layer_norm2.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.fc1.w", TEXT "mlp.fc1.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.fc1.b", TEXT "mlp.fc1.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.fc2.w", TEXT "mlp.fc2.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.fc2.b", TEXT "mlp.fc2.bias", FLAW_LAYOUT_SAME},
    {"text.final.w", "text_model.final_layer_norm.weight", FLAW_LAYOUT_SAME},
    {"text.final.b", "text_model.final_layer_norm.bias", FLAW_LAYOUT_SAME},
    {"text.proj", "text_projection.weight", FLAW_LAYOUT_SAME},
    {"logit_scale", "logit_scale", FLAW_LAYOUT_SAME},
    {NULL, NULL, FLAW_LAYOUT_SAME},
};

/* 0, 1, 2, ...: kept as buffers by older versions of the library. */
static const char *const ignored[] = {"vision_model.embeddings.position_ids", "text_model.embeddings.position_ids",
                                      NULL};

const flaw_name_table flaw_names_hf = {rules, ignored, NULL};
