/* OpenCLIP (and OpenAI's CLIP): the projections are applied from the right, so they are stored transposed. */
#include "model/open/names.h"

#define IMAGE "visual.transformer.resblocks.#."
#define TEXT "transformer.resblocks.#."

static const flaw_name_rule rules[] = {
    {"image.patch.w", "visual.conv1.weight", FLAW_LAYOUT_PICTURE},
    {"image.cls", "visual.class_embedding", FLAW_LAYOUT_SAME},
    {"image.position", "visual.positional_embedding", FLAW_LAYOUT_SAME},
    {"image.pre.w", "visual.ln_pre.weight", FLAW_LAYOUT_SAME},
    {"image.pre.b", "visual.ln_pre.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.w", IMAGE "ln_1.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm1.b", IMAGE "ln_1.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.w", IMAGE "attn.in_proj_weight", FLAW_LAYOUT_SAME},
    {"image.block.#.qkv.b", IMAGE "attn.in_proj_bias", FLAW_LAYOUT_SAME},
    {"image.block.#.out.w", IMAGE "attn.out_proj.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.out.b", IMAGE "attn.out_proj.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.w", IMAGE "ln_2.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.norm2.b", IMAGE "ln_2.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.w", IMAGE "mlp.c_fc.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc1.b", IMAGE "mlp.c_fc.bias", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.w", IMAGE "mlp.c_proj.weight", FLAW_LAYOUT_SAME},
    {"image.block.#.fc2.b", IMAGE "mlp.c_proj.bias", FLAW_LAYOUT_SAME},
    {"image.post.w", "visual.ln_post.weight", FLAW_LAYOUT_SAME},
    {"image.post.b", "visual.ln_post.bias", FLAW_LAYOUT_SAME},
    {"image.proj", "visual.proj", FLAW_LAYOUT_TRANSPOSE},
    {"text.token", "token_embedding.weight", FLAW_LAYOUT_SAME},
    {"text.position", "positional_embedding", FLAW_LAYOUT_SAME},
    {"text.block.#.norm1.w", TEXT "ln_1.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.norm1.b", TEXT "ln_1.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.qkv.w", TEXT "attn.in_proj_weight", FLAW_LAYOUT_SAME},
    {"text.block.#.qkv.b", TEXT "attn.in_proj_bias", FLAW_LAYOUT_SAME},
    {"text.block.#.out.w", TEXT "attn.out_proj.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.out.b", TEXT "attn.out_proj.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.norm2.w", TEXT "ln_2.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.norm2.b", TEXT "ln_2.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.fc1.w", TEXT "mlp.c_fc.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.fc1.b", TEXT "mlp.c_fc.bias", FLAW_LAYOUT_SAME},
    {"text.block.#.fc2.w", TEXT "mlp.c_proj.weight", FLAW_LAYOUT_SAME},
    {"text.block.#.fc2.b", TEXT "mlp.c_proj.bias", FLAW_LAYOUT_SAME},
    {"text.final.w", "ln_final.weight", FLAW_LAYOUT_SAME},
    {"text.final.b", "ln_final.bias", FLAW_LAYOUT_SAME},
    {"text.proj", "text_projection", FLAW_LAYOUT_TRANSPOSE},
    {"logit_scale", "logit_scale", FLAW_LAYOUT_SAME},
    {NULL, NULL, FLAW_LAYOUT_SAME},
};

/* The causal mask and the scalars of OpenAI's traced models. */
static const char *const ignored[] = {"attn_mask", "input_resolution", "context_length", "vocab_size", NULL};

const flaw_name_table flaw_names_openclip = {rules, ignored, NULL};
