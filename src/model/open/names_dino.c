/* DINOv2 as Hugging Face keeps it (Dinov2Model, Dinov2WithRegistersModel).
 *
 * Positions: resampled to the number of patches, without antialiasing; with it where there are registers. Meta's own
 * code differs by a hair from the former (names_timm.c). */
#include <string.h>

#include "model/open/names.h"

#define LAYER "encoder.layer.#."

static const flaw_name_rule rules[] = {
    {"image.patch.w", "embeddings.patch_embeddings.projection.weight", FLAW_LAYOUT_PICTURE},
    {"image.patch.b", "embeddings.patch_embeddings.projection.bias", FLAW_LAYOUT_SAME},
    {"image.cls", "embeddings.cls_token", FLAW_LAYOUT_SAME},
    {"image.position", "embeddings.position_embeddings|embeddings.register_tokens", FLAW_LAYOUT_POSITION_SMOOTH},
    {"image.position", "embeddings.position_embeddings", FLAW_LAYOUT_POSITION},
    {"image.registers", "embeddings.register_tokens", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.w", LAYER "norm1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.b", LAYER "norm1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.w", LAYER "attention.attention.&.weight", FLAW_LAYOUT_QKV},
    {"image.block.#.qkv.b", LAYER "attention.attention.&.bias", FLAW_LAYOUT_QKV},
    {"image.block.#.out.w", LAYER "attention.output.dense.weight|" LAYER "layer_scale1.lambda1", FLAW_LAYOUT_SCALED},
    {"image.block.#.out.b", LAYER "attention.output.dense.bias|" LAYER "layer_scale1.lambda1", FLAW_LAYOUT_SCALED},
    {"image.block.#.norm2.w", LAYER "norm2.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.b", LAYER "norm2.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.w", LAYER "mlp.weights_in.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.b", LAYER "mlp.weights_in.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.w", LAYER "mlp.weights_out.weight|" LAYER "layer_scale2.lambda1", FLAW_LAYOUT_SCALED},
    {"image.block.#.fc2.b", LAYER "mlp.weights_out.bias|" LAYER "layer_scale2.lambda1", FLAW_LAYOUT_SCALED},
    {"image.block.#.fc1.w", LAYER "mlp.fc1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.b", LAYER "mlp.fc1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.w", LAYER "mlp.fc2.weight|" LAYER "layer_scale2.lambda1", FLAW_LAYOUT_SCALED},
    {"image.block.#.fc2.b", LAYER "mlp.fc2.bias|" LAYER "layer_scale2.lambda1", FLAW_LAYOUT_SCALED},
    {"image.post.w", "layernorm.weight", FLAW_LAYOUT_SAME},
    {"image.post.b", "layernorm.bias", FLAW_LAYOUT_SAME},
    {NULL, NULL, FLAW_LAYOUT_SAME},
};

/* The token that hides patches in training. */
static const char *const ignored[] = {"embeddings.mask_token", NULL};

static const char *why_unsupported(const char *foreign)
{
    return strncmp(foreign, "classifier.", 11) == 0 ? "classifiers over DINOv2 are not supported" : NULL;
}

const flaw_name_table flaw_names_dino = {rules, ignored, why_unsupported};
