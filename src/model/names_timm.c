/* timm's plain vision transformers (ViT, DeiT without distillation). */
#include <string.h>

#include "model/names.h"

static const flaw_name_rule rules[] = {
    {"image.patch.w", "patch_embed.proj.weight", FLAW_LAYOUT_PICTURE},
    {"image.patch.b", "patch_embed.proj.bias", FLAW_LAYOUT_SAME},
    {"image.cls", "cls_token", FLAW_LAYOUT_SAME},
    {"image.position", "pos_embed", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.w", "blocks.#.norm1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.b", "blocks.#.norm1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.w", "blocks.#.attn.qkv.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.b", "blocks.#.attn.qkv.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.out.w", "blocks.#.attn.proj.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.out.b", "blocks.#.attn.proj.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.w", "blocks.#.norm2.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.b", "blocks.#.norm2.bias", FLAW_LAYOUT_SAME},
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

static const char *const ignored[] = {NULL};

static const char *why_unsupported(const char *foreign)
{
    if (strcmp(foreign, "dist_token") == 0 || strncmp(foreign, "head_dist.", 10) == 0)
        return "a distilled DeiT with two class tokens is not supported";
    if (strcmp(foreign, "reg_token") == 0) return "register tokens are not supported";
    if (strncmp(foreign, "norm_pre.", 9) == 0)
        return "a CLIP tower in timm form is not supported, use its OpenCLIP form";
    if (strncmp(foreign, "fc_norm.", 8) == 0) return "average pooling is not supported";
    if (strstr(foreign, ".ls1.") || strstr(foreign, ".ls2.")) return "layer scale is not supported";
    if (strstr(foreign, "_norm.")) return "norms of queries and keys are not supported";
    return NULL;
}

const flaw_name_table flaw_names_timm = {rules, ignored, why_unsupported};
