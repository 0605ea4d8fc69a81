/* Tokenizers in GGUF metadata, in files put together here: LLaMA's own pieces, and what is wrong or left out. */
#include "pieces.h"

enum { BOOL = 7, TEXT = 8, ARRAY = 9, U32 = 4, I32 = 5, F32 = 6 };

/* A version 3 file without tensors; `keys` counts what was put. */
typedef struct gguf {
    flaw_buffer body;
    uint64_t keys;
} gguf;

static void put_number(flaw_buffer *b, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) flaw_buffer_append(b, (char[1]){(char)(value >> 8 * i)}, 1);
}

static void put_text(flaw_buffer *b, const char *text, size_t size)
{
    put_number(b, size, 8);
    flaw_buffer_append(b, text, size);
}

static void put_key(gguf *g, const char *key, int type)
{
    put_text(&g->body, key, strlen(key));
    put_number(&g->body, (uint64_t)type, 4);
    g->keys++;
}

static void put_array(gguf *g, const char *key, int type, size_t count)
{
    put_key(g, key, ARRAY);
    put_number(&g->body, (uint64_t)type, 4);
    put_number(&g->body, count, 8);
}

static gguf begin(const char *model)
{
    gguf g = {.keys = 0};
    flaw_buffer_init(&g.body, 1 << 24);
    if (model) {
        put_key(&g, "tokenizer.ggml.model", TEXT);
        put_text(&g.body, model, strlen(model));
    }
    return g;
}

static void put_texts(gguf *g, const flaw_piece *piece, size_t count)
{
    put_array(g, "tokenizer.ggml.tokens", TEXT, count);
    for (size_t i = 0; i < count; i++) put_text(&g->body, piece[i].text, piece[i].size);
}

static void put_scores(gguf *g, const flaw_piece *piece, size_t count)
{
    put_array(g, "tokenizer.ggml.scores", F32, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &piece[i].score, 4);
        put_number(&g->body, bits, 4);
    }
}

static void put_kinds(gguf *g, const flaw_piece *piece, size_t count)
{
    put_array(g, "tokenizer.ggml.token_type", I32, count);
    for (size_t i = 0; i < count; i++) put_number(&g->body, (uint64_t)piece[i].kind, 4);
}

static void put_id(gguf *g, const char *key, uint32_t id)
{
    put_key(g, key, U32);
    put_number(&g->body, id, 4);
}

/* Reads the file and its tokenizer; the file is closed, so that nothing of it may be needed any more. */
static flaw_status end(gguf *g, flaw_pieces **out, flaw_error *err)
{
    flaw_buffer whole;
    flaw_tensors file;
    flaw_buffer_init(&whole, 1 << 24);
    flaw_buffer_text(&whole, "GGUF");
    put_number(&whole, 3, 4);
    put_number(&whole, 0, 8);
    put_number(&whole, g->keys, 8);
    flaw_buffer_append(&whole, g->body.data, g->body.size);
    while (whole.size % 32) put_number(&whole, 0, 1);
    assert_false(whole.failed);
    if (flaw_gguf_parse(&file, (const uint8_t *)whole.data, whole.size, "a-file", err)) fail_msg("%s", err->text);
    flaw_status status = flaw_pieces_from_gguf(out, &file, err);
    flaw_tensors_close(&file);
    flaw_buffer_release(&whole);
    flaw_buffer_release(&g->body);
    return status;
}

/* Vicuna's vocabulary as a converter writes it: every piece the same again, ids left to their defaults. */
static void test_llama(void **state)
{
    char path[1024];
    flaw_pieces *q = NULL;
    flaw_error err = {0};
    if (!shared_file(path, "vocab/llama/tokenizer.model")) return;
    flaw_pieces *p = open_model(path);
    gguf g = begin("llama");
    put_texts(&g, p->piece, (size_t)p->count);
    put_scores(&g, p->piece, (size_t)p->count);
    put_kinds(&g, p->piece, (size_t)p->count);
    assert_ok(end(&g, &q, &err));
    check_same(p, q);
    flaw_pieces_free(p);
    flaw_pieces_free(q);
}

static const flaw_piece small[] = {{"a", 1, 1, FLAW_PIECE_NORMAL},
                                   {"<b>", 3, 0, FLAW_PIECE_CONTROL},
                                   {"?", 1, 0, FLAW_PIECE_UNKNOWN},
                                   {"<e>", 3, 0, FLAW_PIECE_CONTROL}};

static void test_ids(void **state)
{
    flaw_pieces *p = NULL;
    flaw_error err = {0};
    gguf g = begin("llama");
    put_texts(&g, small, 4);
    put_scores(&g, small, 4);
    put_kinds(&g, small, 4);
    put_id(&g, "tokenizer.ggml.bos_token_id", 1);
    put_id(&g, "tokenizer.ggml.eos_token_id", 3);
    put_id(&g, "tokenizer.ggml.unknown_token_id", 2);
    put_key(&g, "tokenizer.ggml.add_space_prefix", BOOL);
    put_number(&g.body, 0, 1);
    assert_ok(end(&g, &p, &err));
    assert_int_equal(flaw_pieces_bos(p), 1);
    assert_int_equal(flaw_pieces_eos(p), 3);
    assert_int_equal(p->rules.unknown, 2);
    assert_false(p->rules.dummy_prefix);
    assert_false(p->rules.collapse);
    flaw_pieces_free(p);
}

/* A file without kinds: bytes by their names; an id that is no piece is none. */
static void test_no_kinds(void **state)
{
    flaw_pieces *p = NULL;
    flaw_error err = {0};
    flaw_piece piece[257] = {{"a", 1, 0, FLAW_PIECE_NORMAL}};
    char byte[256][8];
    for (int b = 0; b < 256; b++) {
        snprintf(byte[b], sizeof byte[b], "<0x%02X>", (unsigned)b);
        piece[1 + b] = (flaw_piece){byte[b], 6, 0, FLAW_PIECE_NORMAL};
    }
    gguf g = begin("llama");
    put_texts(&g, piece, 257);
    put_scores(&g, piece, 257);
    put_id(&g, "tokenizer.ggml.bos_token_id", 257);
    put_id(&g, "tokenizer.ggml.eos_token_id", UINT32_MAX);
    put_id(&g, "tokenizer.ggml.unknown_token_id", 4000);
    put_key(&g, "tokenizer.ggml.add_bos_token", BOOL);
    put_number(&g.body, 1, 1);
    assert_ok(end(&g, &p, &err));
    assert_int_equal(flaw_pieces_bos(p), -1);
    assert_int_equal(flaw_pieces_eos(p), -1);
    assert_int_equal(p->rules.unknown, -1);
    assert_true(p->rules.bytes);
    assert_int_equal(p->piece[1].kind, FLAW_PIECE_BYTE);
    flaw_pieces_free(p);
}

static void check_refused(gguf *g, flaw_status status, const char *words)
{
    flaw_pieces *p = NULL;
    flaw_error err = {0};
    assert_int_equal(end(g, &p, &err), status);
    assert_int_equal(err.status, status);
    assert_contains(err.text, "a-file");
    assert_contains(err.text, words);
    assert_null(p);
}

static void test_refused(void **state)
{
    flaw_pieces *p = (flaw_pieces *)(uintptr_t)1;
    flaw_error err = {0};
    gguf g = begin(NULL);
    assert_ok(end(&g, &p, &err)); /* no tokenizer is no fault */
    assert_null(p);
    g = begin("gpt2");
    check_refused(&g, FLAW_UNAVAILABLE, "tokenizer.ggml.model is gpt2");
    g = begin("llama");
    check_refused(&g, FLAW_BAD_DATA, "0 pieces, 0 scores and 0 kinds");
    g = begin("llama");
    put_texts(&g, small, 4);
    put_scores(&g, small, 3);
    check_refused(&g, FLAW_BAD_DATA, "4 pieces, 3 scores and 0 kinds");
    g = begin("llama");
    put_texts(&g, small, 4);
    put_scores(&g, small, 4);
    put_kinds(&g, small, 2);
    check_refused(&g, FLAW_BAD_DATA, "4 pieces, 4 scores and 2 kinds");
    flaw_piece odd[4];
    memcpy(odd, small, sizeof odd);
    odd[0].kind = (flaw_piece_kind)-1;
    g = begin("llama");
    put_texts(&g, odd, 4);
    put_scores(&g, odd, 4);
    put_kinds(&g, odd, 4);
    put_id(&g, "tokenizer.ggml.unknown_token_id", 2);
    put_id(&g, "tokenizer.ggml.eos_token_id", 3);
    check_refused(&g, FLAW_BAD_DATA, "piece 0 \"a\" is of kind 0");
    g = begin("llama");
    put_scores(&g, small, 4);
    put_kinds(&g, small, 4);
    put_array(&g, "tokenizer.ggml.tokens", U32, 0);
    check_refused(&g, FLAW_BAD_DATA, "tokenizer.ggml.tokens");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_llama),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_no_kinds),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
