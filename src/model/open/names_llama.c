/* LLaMA as Hugging Face's library and as GGUF name it. Both keep q, k, v and the MLP's gate and up apart. */
#include <string.h>

#include "model/open/names.h"

#define HF "model.layers.#."

static const flaw_name_rule hf[] = {
    {"language.token", "model.embed_tokens.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.norm1.w", HF "input_layernorm.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.q.w", HF "self_attn.q_proj.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.k.w", HF "self_attn.k_proj.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.v.w", HF "self_attn.v_proj.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.out.w", HF "self_attn.o_proj.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.norm2.w", HF "post_attention_layernorm.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.gate.w", HF "mlp.gate_proj.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.up.w", HF "mlp.up_proj.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.fc2.w", HF "mlp.down_proj.weight", FLAW_LAYOUT_SAME},
    {"language.norm", "model.norm.weight", FLAW_LAYOUT_SAME},
    {"language.head", "lm_head.weight", FLAW_LAYOUT_SAME},
    {NULL, NULL, FLAW_LAYOUT_SAME},
};

/* The rotation's frequencies, which older versions of the library kept as buffers. */
static const char *const hf_ignored[] = {HF "self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq", NULL};
static const char *const hf_tied_ignored[] = {HF "self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq",
                                              "lm_head.weight", NULL};

const flaw_name_table flaw_names_llama = {hf, hf_ignored, NULL};
const flaw_name_table flaw_names_llama_tied = {hf, hf_tied_ignored, NULL};

#define GGUF "blk.#."

static const flaw_name_rule gguf[] = {
    {"language.token", "token_embd.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.norm1.w", GGUF "attn_norm.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.q.w", GGUF "attn_q.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.k.w", GGUF "attn_k.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.v.w", GGUF "attn_v.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.out.w", GGUF "attn_output.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.norm2.w", GGUF "ffn_norm.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.gate.w", GGUF "ffn_gate.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.up.w", GGUF "ffn_up.weight", FLAW_LAYOUT_SAME},
    {"language.block.#.fc2.w", GGUF "ffn_down.weight", FLAW_LAYOUT_SAME},
    {"language.norm", "output_norm.weight", FLAW_LAYOUT_SAME},
    {"language.head", "output.weight", FLAW_LAYOUT_SAME},
    {NULL, NULL, FLAW_LAYOUT_SAME},
};

static const char *gguf_why(const char *name)
{
    if (strstr(name, "rope_freqs") || strstr(name, "rope_factors"))
        return "stretched rotary positions are not supported";
    if (strstr(name, "_exps.") || strstr(name, "ffn_gate_inp")) return "mixtures of experts are not supported";
    return NULL;
}

static const char *const none[] = {NULL};

const flaw_name_table flaw_names_gguf = {gguf, none, gguf_why};
