/* timm's plain vision transformers (ViT, DeiT without distillation, DINOv2), and DINOv2 as Meta published it, whose
 * names are nearly the same.
 *
 * Positions: timm resamples them with antialiasing (resample_abs_pos_embed); Meta's code without it and by a scale
 * of (grid + 0.1) / grid, but for the models with registers, as timm does. Where the grids are equal nothing is done. */
#include <string.h>

#include "model/open/names.h"

static const flaw_name_rule rules[] = {
    {"image.patch.w", "patch_embed.proj.weight", FLAW_LAYOUT_PICTURE},
    {"image.patch.b", "patch_embed.proj.bias", FLAW_LAYOUT_SAME},
    {"image.cls", "cls_token", FLAW_LAYOUT_SAME},
    {"image.position", "pos_embed|register_tokens", FLAW_LAYOUT_POSITION_SMOOTH},
    {"image.position", "pos_embed|mask_token", FLAW_LAYOUT_POSITION_OFFSET},
    {"image.position", "pos_embed", FLAW_LAYOUT_POSITION_SMOOTH},
    {"image.registers", "register_tokens", FLAW_LAYOUT_SAME},
    {"image.registers", "reg_token", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.w", "blocks.#.norm1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.b", "blocks.#.norm1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.w", "blocks.#.attn.qkv.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.b", "blocks.#.attn.qkv.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.out.w", "blocks.#.attn.proj.weight|blocks.#.ls1.gamma", FLAW_LAYOUT_SCALED},
    {"image.block.#.out.b", "blocks.#.attn.proj.bias|blocks.#.ls1.gamma", FLAW_LAYOUT_SCALED},
    {"image.block.#.out.w", "blocks.#.attn.proj.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.out.b", "blocks.#.attn.proj.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.w", "blocks.#.norm2.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.b", "blocks.#.norm2.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.w", "blocks.#.mlp.w12.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.b", "blocks.#.mlp.w12.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.w", "blocks.#.mlp.w3.weight|blocks.#.ls2.gamma", FLAW_LAYOUT_SCALED},
    {"image.block.#.fc2.b", "blocks.#.mlp.w3.bias|blocks.#.ls2.gamma", FLAW_LAYOUT_SCALED},
    {"image.block.#.fc2.w", "blocks.#.mlp.fc2.weight|blocks.#.ls2.gamma", FLAW_LAYOUT_SCALED},
    {"image.block.#.fc2.b", "blocks.#.mlp.fc2.bias|blocks.#.ls2.gamma", FLAW_LAYOUT_SCALED},
    {"image.block.#.fc1.w", "blocks.#.mlp.fc1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.b", "blocks.#.mlp.fc1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.w", "blocks.#.mlp.fc2.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.b", "blocks.#.mlp.fc2.bias", FLAW_LAYOUT_SAME},
    {"image.post.w", "norm.weight", FLAW_LAYOUT_SAME},
    {"image.post.b", "norm.bias", FLAW_LAYOUT_SAME},
    {"head.w", "head.weight", FLAW_LAYOUT_SAME},
    {"head.b", "head.bias", FLAW_LAYOUT_SAME},
    {NULL, NULL, FLAW_LAYOUT_SAME},
};

/* The token that hides patches in training. */
static const char *const ignored[] = {"mask_token", NULL};

static const char *why_unsupported(const char *foreign)
{
    if (strcmp(foreign, "dist_token") == 0 || strncmp(foreign, "head_dist.", 10) == 0)
        return "a distilled DeiT with two class tokens is not supported";
    if (strncmp(foreign, "norm_pre.", 9) == 0)
        return "a CLIP tower in timm form is not supported, use its OpenCLIP form";
    if (strncmp(foreign, "fc_norm.", 8) == 0) return "average pooling is not supported";
    if (strstr(foreign, "_norm.")) return "norms of queries and keys are not supported";
    return NULL;
}

const flaw_name_table flaw_names_timm = {rules, ignored, why_unsupported};
