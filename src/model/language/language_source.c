#include "model/language/language_source.h"

#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "model/bundle/embedded.h"
#include "model/tower/walk.h"

#define CONFIG_LIMIT ((size_t)4 << 20)
#define TOKENIZER_LIMIT ((size_t)64 << 20)

/* Rows of the token table beyond the tokenizer's pieces: some models fill up to a multiple of 64 or more. */
#define PADDING_ROWS 255

static flaw_status bundle_config(flaw_language_source *s, flaw_error *err)
{
    const char *json = flaw_tensors_metadata(&s->tensors, "language");
    s->form = FLAW_LANGUAGE_BUNDLE;
    return flaw_language_config_bundle(&s->config, json, strlen(json), s->path, err);
}

static flaw_status open_embedded(flaw_language_source *s, flaw_error *err)
{
    size_t size = (size_t)(flaw_embedded_voice_end - flaw_embedded_voice);
    if (!size)
        return flaw_fail(err, FLAW_UNAVAILABLE,
                         "this build has no voice inside (models/voice.safetensors was not there): "
                         "name a language model");
    s->path = "embedded voice";
    snprintf(s->name, sizeof s->name, "default");
    flaw_status status = flaw_safetensors_parse(&s->tensors, flaw_embedded_voice, size, s->path, err);
    return status ? status : bundle_config(s, err);
}

static flaw_status open_file(flaw_language_source *s, const char *path, flaw_error *err)
{
    flaw_status status = flaw_tensors_open(&s->tensors, path, err);
    if (status) return status;
    if (flaw_tensors_metadata(&s->tensors, "language")) return bundle_config(s, err);
    if (flaw_tensors_metadata(&s->tensors, "general.architecture")) {
        s->form = FLAW_LANGUAGE_GGUF;
        return flaw_language_config_gguf(&s->config, &s->tensors, err);
    }
    if (flaw_tensors_find(&s->tensors, "model.embed_tokens.weight"))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: LLaMA weights without configuration: give the folder that holds both",
                         path);
    return flaw_fail(err, FLAW_BAD_DATA, "%s: holds no language model (neither a GGUF file nor a flaw bundle with one)",
                     path);
}

static flaw_status open_folder(flaw_language_source *s, const char *folder, flaw_error *err)
{
    flaw_bytes json;
    const char *config = flaw_path_join(&s->arena, folder, "config.json");
    if (!config) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", folder);
    flaw_status status = flaw_file_read(&json, config, CONFIG_LIMIT, err);
    if (status) return status;
    s->form = FLAW_LANGUAGE_HF;
    status = flaw_language_config_hf(&s->config, (const char *)json.data, json.size, config, err);
    flaw_bytes_release(&json);
    return status ? status : flaw_tensors_open(&s->tensors, folder, err);
}

flaw_status flaw_language_source_open(flaw_language_source *out, const char *path, flaw_error *err)
{
    flaw_language_source s = {0};
    flaw_status status;
    flaw_arena_init(&s.arena, 0);
    if (!path || !*path || strcmp(path, "default") == 0) {
        status = open_embedded(&s, err);
    } else {
        flaw_path_name(s.name, sizeof s.name, path);
        s.path = flaw_arena_copy_string(&s.arena, path, strlen(path));
        if (!s.path) status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", path);
        else status = flaw_file_is_folder(path) ? open_folder(&s, path, err) : open_file(&s, path, err);
    }
    if (status) flaw_language_source_close(&s);
    else *out = s;
    return status;
}

void flaw_language_source_close(flaw_language_source *s)
{
    flaw_tensors_close(&s->tensors);
    flaw_arena_release(&s->arena);
    *s = (flaw_language_source){0};
}

const char *flaw_language_form_name(flaw_language_form form)
{
    static const char *const names[] = {"Hugging Face LLaMA folder", "GGUF LLaMA", "flaw bundle"};
    return names[form];
}

/* The parameters as foreign forms keep them; nobody makes a view of this list. */
static void visit_apart(flaw_walk *w, void *view, const void *shape)
{
    const flaw_language_shape *s = shape;
    const flaw_block_shape *b = &s->block;
    int d = b->width, kv = d / b->heads * b->kv_heads, f = b->hidden;
    const struct {
        const char *name;
        int rows, columns;
    } parts[] = {{"norm1.w", 0, d}, {"q.w", d, d},    {"k.w", kv, d}, {"v.w", kv, d}, {"out.w", d, d},
                 {"norm2.w", 0, d}, {"gate.w", f, d}, {"up.w", f, d}, {"fc2.w", d, f}};
    flaw_walk_visit(w, NULL, s->vocab, d, "language.token");
    for (int i = 0; i < s->layers; i++)
        for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
            char name[64];
            snprintf(name, sizeof name, "language.block.%d.%s", i, parts[p].name);
            flaw_walk_visit(w, NULL, parts[p].rows, parts[p].columns, name);
        }
    flaw_walk_visit(w, NULL, 0, d, "language.norm");
    if (!s->tied) flaw_walk_visit(w, NULL, s->vocab, d, "language.head");
}

/* A model whose head is the table may keep a head beside it, when both are the same. */
static const flaw_name_table *names_of(const flaw_language_source *s)
{
    if (s->form == FLAW_LANGUAGE_BUNDLE) return NULL;
    if (s->form == FLAW_LANGUAGE_GGUF) return &flaw_names_gguf;
    const flaw_tensor *table = flaw_tensors_find(&s->tensors, "model.embed_tokens.weight");
    const flaw_tensor *head = flaw_tensors_find(&s->tensors, "lm_head.weight");
    bool same = s->config.shape.tied && table && head && table->dtype == head->dtype && table->bytes == head->bytes &&
                memcmp(table->data, head->data, table->bytes) == 0;
    return same ? &flaw_names_llama_tied : &flaw_names_llama;
}

flaw_status flaw_language_source_bind(flaw_binding *out, flaw_parameters *list, const flaw_language_source *s,
                                      flaw_arena *arena, flaw_error *err)
{
    const flaw_language_shape *shape = &s->config.shape;
    flaw_status status = s->form == FLAW_LANGUAGE_BUNDLE ? flaw_language_parameters(list, shape, arena, err)
                                                         : flaw_walk_list(list, visit_apart, NULL, shape, arena, err);
    return status ? status : flaw_binding_make(out, &s->tensors, names_of(s), list, arena, err);
}

typedef struct pieces_file {
    const char *path;
    bool llama2c;
} pieces_file;

/* tokenizer.model, else the one tok*.bin; path NULL when there is neither. */
static flaw_status find_pieces(pieces_file *out, const flaw_language_source *s, flaw_arena *arena, flaw_error *err)
{
    flaw_names names;
    const char *bin = NULL, *model = NULL, *second = NULL;
    flaw_status status = flaw_file_list(&names, s->path, err);
    if (status) return status;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.name[i];
        size_t length = strlen(name);
        if (strcmp(name, "tokenizer.model") == 0) model = name;
        if (strncmp(name, "tok", 3) != 0 || length < 7 || strcmp(name + length - 4, ".bin") != 0) continue;
        if (bin) second = name;
        else bin = name;
    }
    if (!model && second)
        status =
            flaw_fail(err, FLAW_BAD_DATA, "%s: two tokenizers, %.60s and %.60s: keep the one that belongs to the model",
                      s->path, bin, second);
    *out = (pieces_file){.llama2c = !model};
    if (!status && (model || bin)) {
        out->path = flaw_path_join(arena, s->path, model ? model : bin);
        if (!out->path) status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", s->path);
    }
    flaw_names_release(&names);
    return status;
}

static flaw_status folder_pieces(flaw_pieces **out, const flaw_language_source *s, flaw_arena *arena, flaw_error *err)
{
    pieces_file file;
    flaw_bytes bytes;
    flaw_status status = find_pieces(&file, s, arena, err);
    if (status || !file.path) return status;
    status = flaw_file_read(&bytes, file.path, TOKENIZER_LIMIT, err);
    if (status) return status;
    status = file.llama2c ? flaw_pieces_from_llama2c(out, bytes.data, bytes.size, s->config.shape.vocab, file.path, err)
                          : flaw_pieces_from_model(out, bytes.data, bytes.size, file.path, err);
    flaw_bytes_release(&bytes);
    return status;
}

static flaw_status bundle_pieces(flaw_pieces **out, const flaw_language_source *s, flaw_error *err)
{
    const flaw_tensor *t = flaw_tensors_find(&s->tensors, "language.tokenizer");
    if (!t) return FLAW_OK;
    if (t->dtype != FLAW_DTYPE_U8 || t->rank != 1)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: language.tokenizer is %s with %d sides, expected U8 with one",
                         s->path, flaw_dtype_name(t->dtype), t->rank);
    return flaw_pieces_from_model(out, t->data, t->bytes, s->path, err);
}

flaw_status flaw_language_source_pieces(flaw_pieces **out, const flaw_language_source *s, flaw_error *err)
{
    flaw_pieces *p = NULL;
    flaw_arena arena;
    flaw_status status;
    flaw_arena_init(&arena, 0);
    switch (s->form) {
    case FLAW_LANGUAGE_HF: status = folder_pieces(&p, s, &arena, err); break;
    case FLAW_LANGUAGE_GGUF: status = flaw_pieces_from_gguf(&p, &s->tensors, err); break;
    default: status = bundle_pieces(&p, s, err);
    }
    flaw_arena_release(&arena);
    if (status) return status;
    int count = p ? flaw_pieces_count(p) : 0, rows = s->config.shape.vocab;
    if (p && (count > rows || rows - count > PADDING_ROWS)) {
        flaw_pieces_free(p);
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: the tokenizer has %d pieces, the token table %d rows: they do not belong together",
                         s->path, count, rows);
    }
    *out = p;
    return FLAW_OK;
}
