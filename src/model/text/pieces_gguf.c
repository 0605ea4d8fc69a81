/* The tokenizer in a GGUF file's metadata: arrays of texts, scores and kinds, and the ids of the special pieces. */
#include <stdlib.h>
#include <string.h>

#include "format/gguf.h"
#include "model/text/pieces_impl.h"

typedef struct arrays {
    const flaw_gguf_text *text;
    const float *score;
    const int32_t *kind;
    size_t texts, scores, kinds;
} arrays;

static flaw_status read_arrays(arrays *a, const flaw_tensors *t, flaw_error *err)
{
    flaw_status status = flaw_gguf_texts(t, "tokenizer.ggml.tokens", &a->text, &a->texts, err);
    if (!status) status = flaw_gguf_floats(t, "tokenizer.ggml.scores", &a->score, &a->scores, err);
    if (!status) status = flaw_gguf_ints(t, "tokenizer.ggml.token_type", &a->kind, &a->kinds, err);
    if (status) return status;
    if (!a->text || !a->score || a->scores != a->texts || (a->kind && a->kinds != a->texts))
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: the tokenizer has %zu pieces, %zu scores and %zu kinds, which do not fit", t->path,
                         a->texts, a->scores, a->kinds);
    return FLAW_OK;
}

/* A file without kinds names its bytes. */
static flaw_piece_kind kind_of(const arrays *a, size_t i)
{
    if (!a->kind) return flaw_piece_byte(a->text[i].text, a->text[i].size) < 0 ? FLAW_PIECE_NORMAL : FLAW_PIECE_BYTE;
    return a->kind[i] < FLAW_PIECE_NORMAL || a->kind[i] > FLAW_PIECE_BYTE ? (flaw_piece_kind)0
                                                                          : (flaw_piece_kind)a->kind[i];
}

/* `otherwise` when the key is absent, as LLaMA has them; -1 when that is no piece. */
static int id_of(const flaw_tensors *t, const char *key, int otherwise, size_t count)
{
    const char *text = flaw_tensors_metadata(t, key);
    const long id = text ? strtol(text, NULL, 10) : otherwise;
    return id >= 0 && (size_t)id < count ? (int)id : -1;
}

static bool is_set(const flaw_tensors *t, const char *key, bool otherwise)
{
    const char *text = flaw_tensors_metadata(t, key);
    return text ? strcmp(text, "false") != 0 : otherwise;
}

flaw_status flaw_pieces_from_gguf(flaw_pieces **out, const flaw_tensors *file, flaw_error *err)
{
    arrays a = {0};
    const char *model = flaw_tensors_metadata(file, "tokenizer.ggml.model");
    if (!model) {
        *out = NULL;
        return FLAW_OK;
    }
    if (strcmp(model, "llama") != 0)
        return flaw_fail(err, FLAW_UNAVAILABLE, "%s: tokenizer.ggml.model is %.40s, this program reads llama",
                         file->path, model);
    flaw_status status = read_arrays(&a, file, err);
    if (status) return status;
    flaw_piece *piece = calloc(a.texts + 1, sizeof *piece);
    if (!piece)
        return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for a tokenizer of %zu pieces", file->path, a.texts);
    for (size_t i = 0; i < a.texts; i++)
        piece[i] = (flaw_piece){a.text[i].text, a.text[i].size, a.score[i], kind_of(&a, i)};
    const bool begins = is_set(file, "tokenizer.ggml.add_bos_token", true);
    const flaw_pieces_rules rules = {
        .bos = begins ? id_of(file, "tokenizer.ggml.bos_token_id", 1, a.texts) : -1,
        .eos = id_of(file, "tokenizer.ggml.eos_token_id", 2, a.texts),
        .unknown = id_of(file, "tokenizer.ggml.unknown_token_id", 0, a.texts),
        .dummy_prefix = is_set(file, "tokenizer.ggml.add_space_prefix", true),
        .collapse = is_set(file, "tokenizer.ggml.remove_extra_whitespaces", false),
    };
    status = flaw_pieces_build(out, piece, a.texts, &rules, file->path, err);
    free(piece);
    return status;
}
