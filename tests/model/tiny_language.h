/* A tiny LLaMA with random weights, written as a Hugging Face folder; what the tests of the language model share. */
#ifndef FLAW_TESTS_MODEL_TINY_LANGUAGE_H
#define FLAW_TESTS_MODEL_TINY_LANGUAGE_H

#include "tiny.h"

#include "kernel/weights.h"
#include "model/language/language.h"

#define TINY_PIECES 300

/* 4 heads of 16 over 2 of keys and values. Every width divides into blocks of 32. */
static const flaw_language_shape tiny_language = {.block = {.width = 64,
                                                            .heads = 4,
                                                            .hidden = 96,
                                                            .act = FLAW_ACT_SILU,
                                                            .eps = 1e-5f,
                                                            .causal = true,
                                                            .kv_heads = 2,
                                                            .rms = true,
                                                            .gated = true,
                                                            .rotary = FLAW_ROTARY_HALVES,
                                                            .rotary_base = 10000},
                                                  .layers = 2,
                                                  .vocab = TINY_PIECES + 1,
                                                  .context = 128};

static const char *const tiny_config =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"hidden_size\":64,\"intermediate_size\":96,"
    "\"num_hidden_layers\":2,\"num_attention_heads\":4,\"num_key_value_heads\":2,\"rms_norm_eps\":1e-5,"
    "\"vocab_size\":301,\"max_position_embeddings\":128}";

/* <unk>, <s>, </s>, the 256 bytes, then words of letters; "##" is one of them. */
static inline flaw_pieces *tiny_pieces(void)
{
    static char text[TINY_PIECES][16];
    flaw_piece piece[TINY_PIECES];
    flaw_pieces *p = NULL;
    flaw_error err = {0};
    static const char *const first[] = {"<unk>", "<s>", "</s>"};
    for (int i = 0; i < TINY_PIECES; i++) {
        flaw_piece_kind kind = i == 0    ? FLAW_PIECE_UNKNOWN
                               : i < 3   ? FLAW_PIECE_CONTROL
                               : i < 259 ? FLAW_PIECE_BYTE
                                         : FLAW_PIECE_NORMAL;
        if (i < 3) snprintf(text[i], sizeof text[i], "%s", first[i]);
        else if (i < 259) snprintf(text[i], sizeof text[i], "<0x%02X>", i - 3);
        else if (i == 259) snprintf(text[i], sizeof text[i], "##");
        else if (i == 260) snprintf(text[i], sizeof text[i], "\xe2\x96\x81");
        else snprintf(text[i], sizeof text[i], i % 2 ? "\xe2\x96\x81w%d" : "w%d", i);
        piece[i] = (flaw_piece){.text = text[i], .size = strlen(text[i]), .score = (float)-i, .kind = kind};
    }
    assert_ok(flaw_pieces_from_list(&p, piece, TINY_PIECES, 1, 2, 0, true, "tiny", &err));
    return p;
}

/* Weights of a parameter list, the norms near 1. */
static inline float *tiny_weights(const flaw_parameters *list, uint64_t seed)
{
    flaw_random random;
    float *x = make_floats(list->total);
    flaw_random_init(&random, seed, 0);
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < list->item[i].count; j++) {
            double z = flaw_random_normal(&random);
            x[list->item[i].offset + j] = (float)(list->item[i].rank == 1 ? 1 + 0.1 * z : 0.1 * z);
        }
    return x;
}

/* A model that could be trained, with those weights, packed. */
static inline flaw_language *tiny_trained(const flaw_language_shape *shape, uint64_t seed, flaw_compute *c)
{
    flaw_language *m = NULL;
    flaw_error err = {0};
    assert_ok(flaw_language_new(&m, shape, "tiny", &err));
    float *weights = tiny_weights(&m->list, seed);
    memcpy(m->weights, weights, m->list.total * sizeof *weights);
    free(weights);
    assert_ok(flaw_language_pack(m, c, &err));
    return m;
}

/* Tensors of a folder under Hugging Face's names, to be changed before they are written. */
typedef struct tiny_tensors {
    flaw_tensor item[64];
    char name[64][96];
    size_t count;
    flaw_arena arena;
} tiny_tensors;

/* As F32, F16 or BF16. */
static inline void tiny_add(tiny_tensors *t, const char *name, const float *x, size_t rows, size_t columns,
                            flaw_weight_type type)
{
    static const flaw_dtype dtypes[] = {FLAW_DTYPE_F32, FLAW_DTYPE_F16, FLAW_DTYPE_BF16};
    flaw_tensor *item = &t->item[t->count];
    snprintf(t->name[t->count], sizeof t->name[0], "%s", name);
    uint8_t *data = flaw_arena_alloc(&t->arena, rows, flaw_weight_row_bytes(type, columns));
    assert_non_null(data);
    for (size_t r = 0; r < rows; r++)
        flaw_weight_pack(type, columns, x + r * columns, data + r * flaw_weight_row_bytes(type, columns));
    *item = (flaw_tensor){.name = t->name[t->count], .dtype = dtypes[type], .rank = rows > 1 ? 2 : 1, .data = data};
    item->shape[0] = rows > 1 ? rows : columns;
    item->shape[1] = rows > 1 ? columns : 1;
    item->count = rows * columns;
    t->count++;
}

static inline void tiny_tensors_of(tiny_tensors *t, const flaw_language *m, flaw_weight_type type)
{
    const flaw_block_shape *b = &m->shape.block;
    size_t d = (size_t)b->width, kv = d / (size_t)b->heads * (size_t)b->kv_heads, f = (size_t)b->hidden;
    const flaw_language_view *v = &m->view;
    t->count = 0;
    flaw_arena_init(&t->arena, 0);
    tiny_add(t, "model.embed_tokens.weight", v->token, (size_t)m->shape.vocab, d, type);
    if (!m->shape.tied) tiny_add(t, "lm_head.weight", v->head, (size_t)m->shape.vocab, d, type);
    tiny_add(t, "model.norm.weight", v->norm, 1, d, type);
    for (int i = 0; i < m->shape.layers; i++) {
        const flaw_block_weights *w = &v->block[i];
        const struct {
            const char *name;
            const float *x;
            size_t rows, columns;
        } parts[] = {{"self_attn.q_proj", w->qkv_w, d, d},
                     {"self_attn.k_proj", w->qkv_w + d * d, kv, d},
                     {"self_attn.v_proj", w->qkv_w + (d + kv) * d, kv, d},
                     {"self_attn.o_proj", w->out_w, d, d},
                     {"mlp.gate_proj", w->fc1_w, f, d},
                     {"mlp.up_proj", w->fc1_w + f * d, f, d},
                     {"mlp.down_proj", w->fc2_w, d, f},
                     {"input_layernorm", w->norm1_w, 1, d},
                     {"post_attention_layernorm", w->norm2_w, 1, d}};
        for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
            char name[96];
            snprintf(name, sizeof name, "model.layers.%d.%s.weight", i, parts[p].name);
            tiny_add(t, name, parts[p].x, parts[p].rows, parts[p].columns, type);
        }
    }
}

static inline void tiny_write(const char *folder, const char *file, const void *data, size_t size)
{
    char path[512];
    flaw_error err = {0};
    assert_ok(flaw_file_write(in_folder(path, folder, file), data, size, &err));
}

/* config.json, model.safetensors and, where there is one, tokenizer.model. */
static inline void tiny_folder(const char *folder, const tiny_tensors *t, const char *config, const flaw_pieces *pieces)
{
    char path[512];
    flaw_error err = {0};
    tiny_write(folder, "config.json", config, strlen(config));
    assert_ok(flaw_safetensors_write(in_folder(path, folder, "model.safetensors"), t->item, t->count, NULL, 0, &err));
    if (!pieces) return;
    flaw_buffer model;
    flaw_buffer_init(&model, 1 << 20);
    flaw_pieces_write(pieces, &model);
    tiny_write(folder, "tokenizer.model", model.data, model.size);
    flaw_buffer_release(&model);
}

/* Logits after some ids; free them. */
static inline float *tiny_logits(const flaw_language *m, flaw_compute *c)
{
    static const int32_t ids[] = {1, 270, 7, 261, 300, 45, 2, 199, 280, 281, 282, 3};
    flaw_reading *r = NULL;
    flaw_error err = {0};
    float *out = make_floats((size_t)m->shape.vocab);
    assert_ok(flaw_reading_open(&r, m, c, &err));
    assert_ok(flaw_reading_ids(r, ids, 9, &err));
    for (int i = 9; i < 12; i++) assert_ok(flaw_reading_ids(r, ids + i, 1, &err));
    memcpy(out, flaw_reading_logits(r), (size_t)m->shape.vocab * sizeof *out);
    flaw_reading_close(r);
    return out;
}

/* Largest difference over the largest value. */
static inline double tiny_distance(const float *got, const float *want, size_t count)
{
    double worst = 0, top = 0;
    for (size_t i = 0; i < count; i++) {
        double away = (double)got[i] - (double)want[i];
        if (!(away - away == 0)) fail_msg("element %zu is not finite", i);
        worst = away > worst ? away : -away > worst ? -away : worst;
        top = want[i] > top ? want[i] : -want[i] > top ? -want[i] : top;
    }
    return worst / top;
}

#endif
