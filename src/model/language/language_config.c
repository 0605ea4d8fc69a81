#include "model/language/language_config.h"

#include <string.h>

#include "model/open/fields.h"

/* What every LLaMA has. */
static flaw_language_config llama(flaw_rotary rotary)
{
    return (flaw_language_config){.shape.block = {.act = FLAW_ACT_SILU,
                                                  .eps = 1e-6f,
                                                  .causal = true,
                                                  .rms = true,
                                                  .gated = true,
                                                  .rotary = rotary,
                                                  .rotary_base = 10000},
                                  .bos = 1,
                                  .eos = 2};
}

static flaw_status done(flaw_language_config *out, const flaw_language_config *c, const char *name, flaw_error *err)
{
    flaw_status status = flaw_language_shape_check(&c->shape, name, err);
    if (!status && (c->bos >= c->shape.vocab || c->eos >= c->shape.vocab))
        status = flaw_fail(err, FLAW_BAD_DATA, "%s: beginning token %d and end token %d, but only %d tokens", name,
                           c->bos, c->eos, c->shape.vocab);
    if (!status) *out = *c;
    return status;
}

/* The numbers of a stretch, all needed; linear ones have the factor alone. */
static void read_stretch(flaw_fields *f, flaw_stretch *out, bool linear, const char *const keys[4])
{
    double value[3] = {0};
    int original = 0;
    for (int i = 0; i < (linear ? 1 : 4) && !f->status; i++)
        if (!flaw_field(f, keys[i])) flaw_field_refuse(f, keys[i], "but it is needed");
    flaw_field_double(f, keys[0], &value[0], 1, 1024);
    if (!linear) {
        flaw_field_double(f, keys[1], &value[1], 1e-3, 1e6);
        flaw_field_double(f, keys[2], &value[2], 1e-3, 1e6);
        flaw_field_int(f, keys[3], &original, 1, 1 << 30);
        if (value[2] <= value[1]) flaw_field_refuse(f, keys[2], "expected more than the low one");
    }
    *out = (flaw_stretch){(float)value[0], (float)value[1], (float)value[2], original};
}

/* Positions stretched in a way that is not known would give plausible nonsense. */
static void read_rotary(flaw_fields *f, double *base, flaw_stretch *stretch)
{
    static const char *const types[] = {"default", "linear", "llama3", NULL};
    static const char *const numbers[] = {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"};
    static const char *const keys[] = {"rope_scaling", "rope_parameters"};
    int type = 0;
    flaw_field_double(f, "rope_theta", base, 1, 1e9);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        flaw_fields rope = flaw_field_object(f, keys[i]);
        flaw_field_choice(&rope, "rope_type", &type, types);
        flaw_field_choice(&rope, "type", &type, types);
        flaw_field_double(&rope, "rope_theta", base, 1, 1e9);
        if (rope.object && type && !rope.status) read_stretch(&rope, stretch, type == 1, numbers);
        if (!f->status) f->status = rope.status;
    }
}

static void refuse_unless(flaw_fields *f, const char *key, bool wanted)
{
    bool value = wanted;
    flaw_field_bool(f, key, &value);
    if (value != wanted) flaw_field_refuse(f, key, wanted ? "only true is supported" : "only false is supported");
}

/* Files name one end token, or a list of them; a list of one is the same. */
static void read_token(flaw_fields *f, const char *key, int *id)
{
    const json_t *x = flaw_field(f, key);
    if (!json_is_array(x)) {
        flaw_field_int(f, key, id, -1, (1 << 24) - 1);
        return;
    }
    const json_t *only = json_array_get(x, 0);
    if (json_array_size(x) == 1 && json_is_integer(only) && json_integer_value(only) >= 0 &&
        json_integer_value(only) < 1 << 24)
        *id = (int)json_integer_value(only);
    else flaw_field_refuse(f, key, "supported is one token");
}

static void read_llama(flaw_language_config *c, flaw_fields *f)
{
    static const char *const types[] = {"llama", NULL}, *const acts[] = {"silu", NULL};
    flaw_language_shape *s = &c->shape;
    flaw_block_shape *b = &s->block;
    int choice = 0;
    double eps = 1e-6, base = 10000;
    b->width = 4096;
    b->hidden = 11008;
    b->heads = 32;
    s->layers = 32;
    s->vocab = 32000;
    s->context = 2048;
    flaw_field_choice(f, "model_type", &choice, types);
    flaw_field_int(f, "hidden_size", &b->width, 1, 16384);
    flaw_field_int(f, "intermediate_size", &b->hidden, 1, 131072);
    flaw_field_int(f, "num_hidden_layers", &s->layers, 1, 512);
    flaw_field_int(f, "num_attention_heads", &b->heads, 1, 1024);
    b->kv_heads = b->heads;
    flaw_field_int(f, "num_key_value_heads", &b->kv_heads, 1, b->heads);
    flaw_field_choice(f, "hidden_act", &choice, acts);
    flaw_field_double(f, "rms_norm_eps", &eps, 1e-12, 0.1);
    flaw_field_int(f, "vocab_size", &s->vocab, 3, 1 << 24);
    flaw_field_int(f, "max_position_embeddings", &s->context, 1, 1 << 30);
    if (s->context > FLAW_CONTEXT_LIMIT) s->context = FLAW_CONTEXT_LIMIT;
    flaw_field_bool(f, "tie_word_embeddings", &s->tied);
    read_token(f, "bos_token_id", &c->bos);
    read_token(f, "eos_token_id", &c->eos);
    read_rotary(f, &base, &s->stretch);
    refuse_unless(f, "attention_bias", false);
    refuse_unless(f, "mlp_bias", false);
    if (flaw_field(f, "quantization_config")) flaw_field_refuse(f, "quantization_config", "which is not supported");
    int head = f->status ? 0 : b->width / b->heads;
    flaw_field_int(f, "head_dim", &head, 1, 16384);
    if (!f->status && head != b->width / b->heads)
        flaw_field_refuse(f, "head_dim", "supported is hidden_size / num_attention_heads");
    b->eps = (float)eps;
    b->rotary_base = (float)base;
}

/* Some early conversions spell it LLaMAForCausalLM. */
static void check_architecture(flaw_fields *f)
{
    const json_t *list = flaw_field(f, "architectures");
    if (!list) return;
    const char *only = json_array_size(list) == 1 ? json_string_value(json_array_get(list, 0)) : NULL;
    if (!only || strcasecmp(only, "LlamaForCausalLM") != 0)
        flaw_field_refuse(f, "architectures", "supported is [\"LlamaForCausalLM\"]");
}

flaw_status flaw_language_config_hf(flaw_language_config *out, const char *json, size_t size, const char *name,
                                    flaw_error *err)
{
    json_t *root;
    flaw_language_config c = llama(FLAW_ROTARY_HALVES);
    flaw_status status = flaw_json_parse(&root, json, size, name, err);
    if (status) return status;
    flaw_fields f = {.object = root, .file = name, .where = "", .err = err};
    if (!flaw_field(&f, "model_type") && !flaw_field(&f, "architectures"))
        flaw_field_refuse(&f, "model_type", "supported is llama");
    check_architecture(&f);
    read_llama(&c, &f);
    json_decref(root);
    return f.status ? f.status : done(out, &c, name, err);
}

static const char *const rotary_names[] = {"none", "halves", "pairs", NULL};

static void read_bundle(flaw_language_config *c, flaw_fields *f)
{
    static const char *const numbers[] = {"factor", "low", "high", "original"};
    static const char *const keys[] = {"version", "width",  "heads",       "kv_heads", "hidden",
                                       "eps",     "rotary", "rotary_base", "layers",   "vocab",
                                       "context", "tied",   "bos",         "eos",      NULL};
    static const flaw_neutral may[] = {{"stretch", "*"}, {NULL, NULL}};
    flaw_language_shape *s = &c->shape;
    flaw_block_shape *b = &s->block;
    int version = 0, rotary = 0;
    double eps = 0, base = 0;
    flaw_fields_only(f, keys, may);
    for (const char *const *key = keys; *key && !f->status; key++)
        if (!flaw_field(f, *key)) flaw_field_refuse(f, *key, "but it is needed");
    flaw_field_int(f, "version", &version, 1, 1000000);
    if (version != 1) flaw_field_refuse(f, "version", "this program reads version 1");
    flaw_field_int(f, "width", &b->width, 1, 16384);
    flaw_field_int(f, "heads", &b->heads, 1, 1024);
    flaw_field_int(f, "kv_heads", &b->kv_heads, 1, b->heads);
    flaw_field_int(f, "hidden", &b->hidden, 1, 131072);
    flaw_field_double(f, "eps", &eps, 1e-12, 0.1);
    flaw_field_choice(f, "rotary", &rotary, rotary_names);
    flaw_field_double(f, "rotary_base", &base, 1, 1e9);
    flaw_field_int(f, "layers", &s->layers, 1, 512);
    flaw_field_int(f, "vocab", &s->vocab, 3, 1 << 24);
    flaw_field_int(f, "context", &s->context, 1, FLAW_CONTEXT_LIMIT);
    flaw_field_bool(f, "tied", &s->tied);
    flaw_field_int(f, "bos", &c->bos, -1, (1 << 24) - 1);
    flaw_field_int(f, "eos", &c->eos, -1, (1 << 24) - 1);
    flaw_fields stretch = flaw_field_object(f, "stretch");
    if (stretch.object && !f->status) read_stretch(&stretch, &s->stretch, !flaw_field(&stretch, "high"), numbers);
    if (!f->status) f->status = stretch.status;
    b->eps = (float)eps;
    b->rotary = (flaw_rotary)rotary;
    b->rotary_base = (float)base;
}

flaw_status flaw_language_config_bundle(flaw_language_config *out, const char *json, size_t size, const char *name,
                                        flaw_error *err)
{
    json_t *root;
    flaw_language_config c = llama(FLAW_ROTARY_HALVES);
    flaw_status status = flaw_json_parse(&root, json, size, name, err);
    if (status) return status;
    flaw_fields f = {.object = root, .file = name, .where = "language", .err = err};
    read_bundle(&c, &f);
    json_decref(root);
    return f.status ? f.status : done(out, &c, name, err);
}

void flaw_language_config_write(flaw_buffer *out, const flaw_language_config *c)
{
    const flaw_language_shape *s = &c->shape;
    const flaw_block_shape *b = &s->block;
    flaw_buffer_printf(
        out,
        "{\"version\": 1, \"width\": %d, \"heads\": %d, \"kv_heads\": %d, \"hidden\": %d, \"eps\": %.9g, "
        "\"rotary\": \"%s\", \"rotary_base\": %.9g, \"layers\": %d, \"vocab\": %d, \"context\": %d, "
        "\"tied\": %s, \"bos\": %d, \"eos\": %d",
        b->width, b->heads, b->kv_heads ? b->kv_heads : b->heads, b->hidden, (double)b->eps, rotary_names[b->rotary],
        (double)b->rotary_base, s->layers, s->vocab, s->context, s->tied ? "true" : "false", c->bos, c->eos);
    const flaw_stretch *x = &s->stretch;
    if (x->factor > 0) flaw_buffer_printf(out, ", \"stretch\": {\"factor\": %.9g", (double)x->factor);
    if (x->factor > 0 && x->high > 0)
        flaw_buffer_printf(out, ", \"low\": %.9g, \"high\": %.9g, \"original\": %d", (double)x->low, (double)x->high, x->original);
    flaw_buffer_text(out, x->factor > 0 ? "}}" : "}");
}
