/* Vocabularies -> tokenizer: OpenAI's list of merges, and Hugging Face's vocab.json + merges.txt. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/open/fields.h"
#include "model/text/gunzip.h"
#include "model/text/tokenizer_impl.h"
#include "model/text/unicode.h"

#define VOCAB_LIMIT (1 << 24) /* tokens */
#define FILE_LIMIT ((size_t)256 << 20)
#define CLIP_VOCAB 49408
#define FIXED_TOKENS 514 /* 256 bytes, 256 bytes at the end of a word, start, end */

static const char *const start_text = "<|startoftext|>", *const end_text = "<|endoftext|>";

static flaw_status new_tokenizer(flaw_tokenizer **out, const char *name, uint32_t symbols, uint32_t merges,
                                 flaw_error *err)
{
    flaw_tokenizer *t = calloc(1, sizeof *t);
    if (t) {
        flaw_arena_init(&t->arena, 0);
        if (flaw_bpe_init(&t->bpe, &t->arena, symbols, merges)) {
            *out = t;
            return FLAW_OK;
        }
        flaw_tokenizer_free(t);
    }
    return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for a vocabulary of %u tokens", name, symbols);
}

static bool is_printable(int byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/* CLIP's byte alphabet: printable bytes stand for themselves, the others for U+0100 upwards, so that merges can be a
 * text file. out: UTF-8 of byte's character (and "</w>" when `end`); returns its length. */
static size_t byte_text(char out[8], int byte, bool end)
{
    uint32_t code = (uint32_t)byte, hidden = 256;
    if (!is_printable(byte)) {
        for (int b = 0; b < byte; b++) hidden += !is_printable(b);
        code = hidden;
    }
    size_t length = flaw_unicode_encode(out, code);
    if (end) memcpy(out + length, "</w>", 4);
    return end ? length + 4 : length;
}

/* The 512 byte symbols. In CLIP's vocabulary the printable bytes come first, then the others. */
static void number_bytes(flaw_tokenizer *t)
{
    int id = 0;
    for (int printable = 1; printable >= 0; printable--)
        for (int byte = 0; byte < 256; byte++) {
            char text[8];
            if (is_printable(byte) != (printable == 1)) continue;
            t->byte[byte] = flaw_bpe_intern(&t->bpe, text, byte_text(text, byte, false));
            t->byte_end[byte] = flaw_bpe_intern(&t->bpe, text, byte_text(text, byte, true));
            t->bpe.symbol[t->byte[byte]].id = id;
            t->bpe.symbol[t->byte_end[byte]].id = id + 256;
            id++;
        }
}

/* The lines of a merges file after its first, which is a heading. */
typedef struct lines {
    const char *at, *end, *name;
    int number;
} lines;

static lines lines_over(const uint8_t *text, size_t size, const char *name)
{
    lines l = {(const char *)text, (const char *)text + size, name, 1};
    const char *heading = size ? memchr(text, '\n', size) : NULL;
    l.at = heading ? heading + 1 : l.end;
    return l;
}

typedef struct merge_text {
    const char *left, *right;
    size_t left_length, right_length;
} merge_text;

/* Next "LEFT RIGHT". False at the end of the list; *status is bad for a line that is no merge. */
static bool next_merge(lines *l, merge_text *m, flaw_status *status, flaw_error *err)
{
    if (l->at == l->end) return false;
    const char *stop = memchr(l->at, '\n', (size_t)(l->end - l->at)), *next = stop ? stop + 1 : l->end;
    if (!stop) stop = l->end;
    l->number++;
    const char *line = l->at, *space = memchr(line, ' ', (size_t)(stop - line));
    l->at = next;
    if (stop > line && stop[-1] == '\r') stop--;
    if (stop == line && next == l->end) return false; /* empty line at the end of the file */
    bool ok = space && space > line && space + 1 < stop && !memchr(space + 1, ' ', (size_t)(stop - space - 1));
    if (!ok || (size_t)(stop - line) > 1024) {
        *status =
            flaw_fail(err, FLAW_BAD_DATA, "%s: line %d is not a merge: two parts with one space between are expected",
                      l->name, l->number);
        return false;
    }
    *m = (merge_text){line, space + 1, (size_t)(space - line), (size_t)(stop - space - 1)};
    return true;
}

static uint32_t count_lines(const uint8_t *text, size_t size, uint32_t limit)
{
    uint32_t count = 0;
    for (size_t i = 0; i < size && count < limit; i++) count += text[i] == '\n';
    return count + 1 < limit ? count + 1 : limit;
}

static uint32_t joined(flaw_bpe *b, const merge_text *m, bool make)
{
    char text[2048];
    memcpy(text, m->left, m->left_length);
    memcpy(text + m->left_length, m->right, m->right_length);
    size_t length = m->left_length + m->right_length;
    return make ? flaw_bpe_intern(b, text, length) : flaw_bpe_find(b, text, length);
}

static flaw_status read_merges(flaw_tokenizer *t, lines l, uint32_t limit, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    merge_text m;
    uint32_t rank = 0;
    for (; rank < limit && next_merge(&l, &m, &status, err); rank++) {
        uint32_t left = flaw_bpe_intern(&t->bpe, m.left, m.left_length);
        uint32_t right = flaw_bpe_intern(&t->bpe, m.right, m.right_length);
        uint32_t result = joined(&t->bpe, &m, true);
        if (left == FLAW_NO_SYMBOL || right == FLAW_NO_SYMBOL || result == FLAW_NO_SYMBOL)
            return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the merges", l.name);
        t->bpe.symbol[result].id = (int32_t)(512 + rank);
        flaw_bpe_add_merge(&t->bpe, left, right, result, rank);
    }
    t->vocab = FIXED_TOKENS + (int)rank;
    t->start = t->vocab - 2;
    t->end = t->vocab - 1;
    return status;
}

static flaw_status from_plain_merges(flaw_tokenizer **out, const uint8_t *text, size_t size, const char *name,
                                     int max_vocab, flaw_error *err)
{
    if (max_vocab < FIXED_TOKENS || max_vocab > VOCAB_LIMIT)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: a vocabulary of %d tokens, allowed are %d to %d", name, max_vocab,
                         FIXED_TOKENS, VOCAB_LIMIT);
    flaw_tokenizer *t = NULL;
    uint32_t merges = count_lines(text, size, (uint32_t)(max_vocab - FIXED_TOKENS));
    flaw_status status = new_tokenizer(&t, name, 512 + 3 * merges, merges, err);
    if (status) return status;
    number_bytes(t);
    status = read_merges(t, lines_over(text, size, name), merges, err);
    if (status) flaw_tokenizer_free(t);
    else *out = t;
    return status;
}

flaw_status flaw_tokenizer_from_merges(flaw_tokenizer **out, const uint8_t *text, size_t size, const char *name,
                                       int max_vocab, flaw_error *err)
{
    if (!flaw_is_gzip(text, size)) return from_plain_merges(out, text, size, name, max_vocab, err);
    flaw_bytes plain;
    flaw_status status = flaw_gunzip(&plain, text, size, FILE_LIMIT, name, err);
    if (status) return status;
    status = from_plain_merges(out, plain.data, plain.size, name, max_vocab, err);
    flaw_bytes_release(&plain);
    return status;
}

static flaw_status intern_vocab(flaw_tokenizer *t, json_t *vocab, const char *name, flaw_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(vocab, key, value)
    {
        json_int_t id = json_integer_value(value);
        if (!json_is_integer(value) || id < 0 || id >= VOCAB_LIMIT)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: token '%.40s': the id is not a whole number below %d", name, key,
                             VOCAB_LIMIT);
        uint32_t symbol = flaw_bpe_intern(&t->bpe, key, strlen(key));
        if (symbol == FLAW_NO_SYMBOL) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", name);
        t->bpe.symbol[symbol].id = (int32_t)id;
        if (id >= t->vocab) t->vocab = (int)id + 1;
    }
    return FLAW_OK;
}

static flaw_status find_token(uint32_t *out, const flaw_tokenizer *t, const char *text, size_t length, const char *name,
                              flaw_error *err)
{
    *out = flaw_bpe_find(&t->bpe, text, length);
    if (*out != FLAW_NO_SYMBOL) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA, "%s: the token '%.*s' is missing", name, (int)(length < 60 ? length : 60),
                     text);
}

static flaw_status find_fixed(flaw_tokenizer *t, const char *name, flaw_error *err)
{
    uint32_t start, end;
    flaw_status status = find_token(&start, t, start_text, strlen(start_text), name, err);
    if (!status) status = find_token(&end, t, end_text, strlen(end_text), name, err);
    for (int byte = 0; byte < 256 && !status; byte++) {
        char text[8];
        status = find_token(&t->byte[byte], t, text, byte_text(text, byte, false), name, err);
        if (!status) status = find_token(&t->byte_end[byte], t, text, byte_text(text, byte, true), name, err);
    }
    if (status) return status;
    t->start = t->bpe.symbol[start].id;
    t->end = t->bpe.symbol[end].id;
    return FLAW_OK;
}

static flaw_status find_merges(flaw_tokenizer *t, lines l, const char *vocab_name, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    merge_text m;
    for (uint32_t rank = 0; next_merge(&l, &m, &status, err); rank++) {
        uint32_t left, right, result = joined(&t->bpe, &m, false);
        status = find_token(&left, t, m.left, m.left_length, vocab_name, err);
        if (!status) status = find_token(&right, t, m.right, m.right_length, vocab_name, err);
        if (!status && result == FLAW_NO_SYMBOL)
            status = flaw_fail(err, FLAW_BAD_DATA, "%s: line %d: the merge makes a token that %s lacks", l.name,
                               l.number, vocab_name);
        if (status) return status;
        flaw_bpe_add_merge(&t->bpe, left, right, result, rank);
    }
    return status;
}

flaw_status flaw_tokenizer_from_hf_text(flaw_tokenizer **out, const flaw_bytes *vocab, const char *vocab_name,
                                        const flaw_bytes *merges, const char *merges_name, flaw_error *err)
{
    json_t *root;
    flaw_tokenizer *t = NULL;
    flaw_status status = flaw_json_parse(&root, (const char *)vocab->data, vocab->size, vocab_name, err);
    if (status) return status;
    uint32_t lines_left = count_lines(merges->data, merges->size, VOCAB_LIMIT);
    status = new_tokenizer(&t, vocab_name, (uint32_t)json_object_size(root), lines_left, err);
    if (!status) status = intern_vocab(t, root, vocab_name, err);
    if (!status) status = find_fixed(t, vocab_name, err);
    if (!status) status = find_merges(t, lines_over(merges->data, merges->size, merges_name), vocab_name, err);
    json_decref(root);
    if (status) flaw_tokenizer_free(t);
    else *out = t;
    return status;
}

flaw_status flaw_tokenizer_from_hf(flaw_tokenizer **out, const char *vocab_path, const char *merges_path,
                                   flaw_error *err)
{
    flaw_bytes vocab, merges;
    flaw_status status = flaw_file_read(&vocab, vocab_path, FILE_LIMIT, err);
    if (status) return status;
    status = flaw_file_read(&merges, merges_path, FILE_LIMIT, err);
    if (!status) {
        status = flaw_tokenizer_from_hf_text(out, &vocab, vocab_path, &merges, merges_path, err);
        flaw_bytes_release(&merges);
    }
    flaw_bytes_release(&vocab);
    return status;
}

static flaw_status from_merges_file(flaw_tokenizer **out, const char *path, flaw_error *err)
{
    flaw_bytes text;
    flaw_status status = flaw_file_read(&text, path, FILE_LIMIT, err);
    if (status) return status;
    status = flaw_tokenizer_from_merges(out, text.data, text.size, path, CLIP_VOCAB, err);
    flaw_bytes_release(&text);
    return status;
}

flaw_status flaw_tokenizer_open(flaw_tokenizer **out, const char *folder, flaw_error *err)
{
    static const char *const lists[] = {"bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"};
    char path[4096], merges[4096];
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        int length = snprintf(path, sizeof path, "%s/%s", folder, lists[i]);
        if (length >= (int)sizeof path) return flaw_fail(err, FLAW_USAGE, "%.80s...: the path is too long", folder);
        if (flaw_file_exists(path)) return from_merges_file(out, path, err);
    }
    int length = snprintf(path, sizeof path, "%s/vocab.json", folder);
    if (length < (int)sizeof path) length = snprintf(merges, sizeof merges, "%s/merges.txt", folder);
    if (length < (int)sizeof merges && flaw_file_exists(path) && flaw_file_exists(merges))
        return flaw_tokenizer_from_hf(out, path, merges, err);
    return flaw_fail(err, FLAW_MISSING,
                     "%s: no vocabulary in this folder: looked for bpe_simple_vocab_16e6.txt.gz, "
                     "bpe_simple_vocab_16e6.txt, and vocab.json + merges.txt",
                     folder);
}
