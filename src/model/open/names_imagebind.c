/* ImageBind: the vision and the text tower. Its towers for sound, depth, heat and motion are left out by name. */
#include "model/open/names.h"

#define IMAGE "modality_trunks.vision.blocks.#."
#define TEXT "modality_trunks.text.blocks.#."

static const flaw_name_rule rules[] = {
    {"image.patch.w", "modality_preprocessors.vision.rgbt_stem.proj.1.weight", FLAW_LAYOUT_FRAMES},
    {"image.cls", "modality_preprocessors.vision.cls_token", FLAW_LAYOUT_SAME},
    {"image.position", "modality_preprocessors.vision.pos_embedding_helper.pos_embed", FLAW_LAYOUT_SAME},
    {"image.pre.w", "modality_trunks.vision.pre_transformer_layer.0.weight", FLAW_LAYOUT_SAME},
    {"image.pre.b", "modality_trunks.vision.pre_transformer_layer.0.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.w", IMAGE "norm_1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.b", IMAGE "norm_1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.w", IMAGE "attn.in_proj_weight", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.b", IMAGE "attn.in_proj_bias", FLAW_LAYOUT_SAME},
    {"image.block.#.out.w", IMAGE "attn.out_proj.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.out.b", IMAGE "attn.out_proj.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.w", IMAGE "norm_2.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.b", IMAGE "norm_2.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.w", IMAGE "mlp.fc1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.b", IMAGE "mlp.fc1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.w", IMAGE "mlp.fc2.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.b", IMAGE "mlp.fc2.bias", FLAW_LAYOUT_SAME},
    {"image.post.w", "modality_heads.vision.0.weight", FLAW_LAYOUT_SAME},
    {"image.post.b", "modality_heads.vision.0.bias", FLAW_LAYOUT_SAME},
    {"image.proj", "modality_heads.vision.2.weight", FLAW_LAYOUT_SAME},
    {"text.token", "modality_preprocessors.text.token_embedding.weight", FLAW_LAYOUT_SAME},
    {"text.position", "modality_preprocessors.text.pos_embed", FLAW_LAYOUT_SAME},
    {"text.block.#.norm1.w", TEXT "norm_1.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.norm1.b", TEXT "norm_1.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.qkv.w", TEXT "attn.in_proj_weight", FLAW_LAYOUT_SAME},
    {"text.block.#.qkv.b", TEXT "attn.in_proj_bias", FLAW_LAYOUT_SAME},
    {"text.block.#.out.w", TEXT "attn.out_proj.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.out.b", TEXT "attn.out_proj.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.norm2.w", TEXT "norm_2.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.norm2.b", TEXT "norm_2.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.fc1.w", TEXT "mlp.fc1.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.fc1.b", TEXT "mlp.fc1.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.fc2.w", TEXT "mlp.fc2.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.fc2.b", TEXT "mlp.fc2.bias", FLAW_LAYOUT_SAME},
    {"text.final.w", "modality_heads.text.proj.0.weight", FLAW_LAYOUT_SAME},
    {"text.final.b", "modality_heads.text.proj.0.bias", FLAW_LAYOUT_SAME},
    {"text.proj", "modality_heads.text.proj.1.weight", FLAW_LAYOUT_SAME},
    {"logit_scale", "modality_postprocessors.text.1.log_logit_scale", FLAW_LAYOUT_SAME},
    {NULL, NULL, FLAW_LAYOUT_SAME},
};

#define MODALITY(name)                                                                                                 \
    "modality_preprocessors." name ".*", "modality_trunks." name ".*", "modality_heads." name ".*",                    \
        "modality_postprocessors." name ".*"

/* The causal mask is a buffer. */
static const char *const ignored[] = {"modality_preprocessors.text.mask", MODALITY("audio"), MODALITY("depth"),
                                      MODALITY("thermal"), MODALITY("imu"), NULL};

const flaw_name_table flaw_names_imagebind = {rules, ignored, NULL};
