/* GGUF's metadata of a LLaMA. Numbers come as text (format/tensors.h); arrays, such as heads counted layer by layer,
 * are not among them and read as absent, which the shapes of the tensors then contradict. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/language/language_config.h"

typedef struct keys {
    const flaw_tensors *t;
    flaw_error *err;
    flaw_status status; /* the first failure is kept */
} keys;

static void read_number(keys *k, const char *key, double *value, double min, double max)
{
    const char *text = flaw_tensors_metadata(k->t, key);
    char *end;
    if (!text || k->status) return;
    double x = strtod(text, &end);
    if (end == text || *end || !(x >= min && x <= max))
        k->status = flaw_fail(k->err, FLAW_BAD_DATA, "%s: %s is %.40s, allowed are numbers from %g to %g", k->t->path,
                              key, text, min, max);
    else *value = x;
}

static void read_int(keys *k, const char *key, int *value, int min, int max)
{
    double x = *value;
    read_number(k, key, &x, min, max);
    if (!k->status && x != (int)x)
        k->status = flaw_fail(k->err, FLAW_BAD_DATA, "%s: %s is %g, expected a whole number", k->t->path, key, x);
    if (!k->status) *value = (int)x;
}

/* Keys under "llama." that do not touch the network, or only with this value ("*": any). */
static const struct {
    const char *key, *value;
} known[] = {
    {"context_length", "*"},
    {"embedding_length", "*"},
    {"block_count", "*"},
    {"feed_forward_length", "*"},
    {"attention.head_count", "*"},
    {"attention.head_count_kv", "*"},
    {"rope.dimension_count", "*"},
    {"attention.layer_norm_rms_epsilon", "*"},
    {"rope.freq_base", "*"},
    {"attention.key_length", "*"},
    {"attention.value_length", "*"},
    {"vocab_size", "*"},
    {"tensor_data_layout", "*"},
    {"expert_count", "0"},
    {"expert_used_count", "0"},
    {"rope.scaling.type", "none"},
    {"rope.scaling.type", "linear"},
    {"rope.scaling.factor", "*"},
    {"rope.scaling.original_context_length", "*"},
    {"rope.scaling.finetuned", "*"},
    {"rope.scale_linear", "*"}, /* the factor's older name */
};

static void refuse_unknown(keys *k)
{
    for (size_t i = 0; i < k->t->metadata_count && !k->status; i++) {
        const char *key = k->t->metadata[2 * i], *value = k->t->metadata[2 * i + 1];
        bool fine = strncmp(key, "llama.", 6) != 0;
        for (size_t j = 0; j < sizeof known / sizeof known[0] && !fine; j++)
            fine =
                strcmp(key + 6, known[j].key) == 0 && (known[j].value[0] == '*' || strcmp(value, known[j].value) == 0);
        if (!fine)
            k->status =
                flaw_fail(k->err, FLAW_BAD_DATA, "%s: %s is %.40s, which is not supported", k->t->path, key, value);
    }
}

/* Sides that say again what follows from others. */
static void must_be(keys *k, const char *key, int expected)
{
    int value = expected;
    read_int(k, key, &value, 0, 1 << 24);
    if (!k->status && value != expected)
        k->status = flaw_fail(k->err, FLAW_BAD_DATA, "%s: %s is %d, supported is %d", k->t->path, key, value, expected);
}

static void need(keys *k, const char *key)
{
    if (!k->status && !flaw_tensors_metadata(k->t, key))
        k->status = flaw_fail(k->err, FLAW_BAD_DATA, "%s: no %s in the metadata", k->t->path, key);
}

static void read_shape(keys *k, flaw_language_config *c)
{
    flaw_language_shape *s = &c->shape;
    flaw_block_shape *b = &s->block;
    double eps = 1e-6, base = 10000;
    static const char *const needed[] = {"llama.embedding_length",    "llama.block_count",
                                         "llama.feed_forward_length", "llama.attention.head_count",
                                         "llama.context_length",      "llama.attention.layer_norm_rms_epsilon"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) need(k, needed[i]);
    read_int(k, "llama.embedding_length", &b->width, 1, 16384);
    read_int(k, "llama.block_count", &s->layers, 1, 512);
    read_int(k, "llama.feed_forward_length", &b->hidden, 1, 131072);
    read_int(k, "llama.attention.head_count", &b->heads, 1, 1024);
    b->kv_heads = b->heads;
    read_int(k, "llama.attention.head_count_kv", &b->kv_heads, 1, b->heads);
    read_int(k, "llama.context_length", &s->context, 1, 1 << 30);
    if (s->context > FLAW_CONTEXT_LIMIT) s->context = FLAW_CONTEXT_LIMIT;
    read_number(k, "llama.attention.layer_norm_rms_epsilon", &eps, 1e-12, 0.1);
    read_number(k, "llama.rope.freq_base", &base, 1, 1e9);
    b->eps = (float)eps;
    b->rotary_base = (float)base;
    if (k->status) return;
    must_be(k, "llama.rope.dimension_count", b->width / b->heads);
    must_be(k, "llama.attention.key_length", b->width / b->heads);
    must_be(k, "llama.attention.value_length", b->width / b->heads);
}

/* Without a type a factor is a linear one, as llama.cpp reads it. */
static void read_stretch(keys *k, flaw_language_config *c)
{
    const char *type = flaw_tensors_metadata(k->t, "llama.rope.scaling.type");
    double factor = 1;
    read_number(k, "llama.rope.scale_linear", &factor, 1, 1024);
    read_number(k, "llama.rope.scaling.factor", &factor, 1, 1024);
    if (type && strcmp(type, "none") == 0) factor = 1;
    if (factor > 1) c->shape.stretch.factor = (float)factor;
}

/* The table's rows are the vocabulary: few files say its size elsewhere. */
static void read_table(keys *k, flaw_language_config *c)
{
    const flaw_tensor *table = flaw_tensors_find(k->t, "token_embd.weight");
    if (k->status) return;
    if (!table || table->rank != 2 || table->shape[0] < 3 || table->shape[0] > 1 << 24) {
        k->status =
            flaw_fail(k->err, table ? FLAW_BAD_DATA : FLAW_MISSING, "%s: %s", k->t->path,
                      table ? "token_embd.weight is no table of 3 to 16777216 rows" : "no tensor token_embd.weight");
        return;
    }
    c->shape.vocab = (int)table->shape[0];
    c->shape.tied = !flaw_tensors_find(k->t, "output.weight");
    must_be(k, "llama.vocab_size", c->shape.vocab);
    read_int(k, "tokenizer.ggml.bos_token_id", &c->bos, 0, c->shape.vocab - 1);
    read_int(k, "tokenizer.ggml.eos_token_id", &c->eos, 0, c->shape.vocab - 1);
    const char *begin = flaw_tensors_metadata(k->t, "tokenizer.ggml.add_bos_token");
    if (begin && strcmp(begin, "false") == 0) c->bos = -1;
}

flaw_status flaw_language_config_gguf(flaw_language_config *out, const flaw_tensors *tensors, flaw_error *err)
{
    keys k = {.t = tensors, .err = err};
    const char *architecture = flaw_tensors_metadata(tensors, "general.architecture");
    if (!architecture || strcmp(architecture, "llama") != 0)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: general.architecture is %.40s, supported is llama", tensors->path,
                         architecture ? architecture : "absent");
    flaw_language_config c = {
        .shape.block = {.act = FLAW_ACT_SILU, .causal = true, .rms = true, .gated = true, .rotary = FLAW_ROTARY_PAIRS},
        .bos = 1,
        .eos = 2};
    refuse_unknown(&k);
    read_shape(&k, &c);
    read_stretch(&k, &c);
    read_table(&k, &c);
    if (!k.status) k.status = flaw_language_shape_check(&c.shape, tensors->path, err);
    if (!k.status) *out = c;
    return k.status;
}
