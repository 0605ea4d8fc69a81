/* Text -> token ids. The words are those of CLIP's regular expression
 *   's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
 * without its two alternatives for control tokens: words never become control (see tokenizer.h). */
#include <stdlib.h>
#include <string.h>

#include "model/text/tokenizer_impl.h"
#include "model/text/unicode.h"

#define TEXT_LIMIT ((size_t)1 << 16)

typedef enum kind { KIND_SPACE, KIND_LETTER, KIND_NUMBER, KIND_OTHER } kind;

static kind kind_of(uint32_t code)
{
    if (flaw_unicode_space(code)) return KIND_SPACE;
    if (flaw_unicode_letter(code)) return KIND_LETTER;
    return flaw_unicode_number(code) ? KIND_NUMBER : KIND_OTHER;
}

/* Length of an English contraction at text[0] == '\''; 0 when there is none. */
static size_t contraction(const uint32_t *text, size_t count)
{
    static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t length = strlen(endings[i]), same = 0;
        while (same < length && 1 + same < count && text[1 + same] == (uint32_t)endings[i][same]) same++;
        if (same == length) return 1 + length;
    }
    return 0;
}

/* Length of the word at text[0], which is not white space. */
static size_t word_length(const uint32_t *text, size_t count)
{
    size_t length = text[0] == '\'' ? contraction(text, count) : 0;
    kind k = kind_of(text[0]);
    if (length) return length;
    if (k == KIND_NUMBER) return 1;
    for (length = 1; length < count && kind_of(text[length]) == k;) length++;
    return length;
}

typedef struct encoder {
    const flaw_tokenizer *t;
    uint32_t *word; /* symbols of the word at hand */
    flaw_bpe_work work;
    int32_t *ids;
    int context, found; /* found: tokens so far, with the start token, kept or not */
} encoder;

static void add_token(encoder *e, int32_t id)
{
    if (e->found < e->context) e->ids[e->found] = id;
    e->found++;
}

static void add_word(encoder *e, const uint32_t *text, size_t count)
{
    size_t bytes = 0;
    uint8_t last = 0;
    for (size_t i = 0; i < count; i++) {
        char utf8[4];
        size_t length = flaw_unicode_encode(utf8, text[i]);
        for (size_t j = 0; j < length; j++) e->word[bytes++] = e->t->byte[last = (uint8_t)utf8[j]];
    }
    e->word[bytes - 1] = e->t->byte_end[last];
    bytes = flaw_bpe_encode(&e->t->bpe, e->word, bytes, &e->work);
    for (size_t i = 0; i < bytes; i++) add_token(e, e->t->bpe.symbol[e->word[i]].id);
}

static void encode(encoder *e, uint32_t *text, size_t count)
{
    count = flaw_text_unescape(text, count);
    count = flaw_text_unescape(text, count);
    count = flaw_text_collapse(text, count);
    count = flaw_text_lower(text, count);
    add_token(e, e->t->start);
    for (size_t at = 0, length; at < count; at += length) {
        length = 1;
        if (flaw_unicode_space(text[at])) continue;
        length = word_length(text + at, count - at);
        add_word(e, text + at, length);
    }
    add_token(e, e->t->end);
}

flaw_status flaw_tokenizer_encode(const flaw_tokenizer *t, const char *text, int32_t *ids, int context, int *length,
                                  int *cut, flaw_error *err)
{
    size_t size = strnlen(text, TEXT_LIMIT + 1);
    if (size > TEXT_LIMIT) return flaw_fail(err, FLAW_USAGE, "text of more than %zu bytes for a tokenizer", TEXT_LIMIT);
    if (context < 3) return flaw_fail(err, FLAW_USAGE, "context of %d tokens, at least 3 are needed", context);
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    /* Invalid bytes grow to U+FFFD, three bytes each; lower case may double a code point. */
    encoder e = {.t = t, .ids = ids, .context = context};
    uint32_t *codes = flaw_arena_alloc(&arena, 2 * size + 1, sizeof *codes);
    e.word = flaw_arena_alloc(&arena, 4 * size + 4, sizeof *e.word);
    if (!codes || !e.word || !flaw_bpe_work_init(&e.work, &arena, 4 * size + 4)) {
        flaw_arena_release(&arena);
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory to encode a text of %zu bytes", size);
    }
    memset(ids, 0, (size_t)context * sizeof *ids);
    encode(&e, codes, flaw_unicode_decode(codes, text, size));
    flaw_arena_release(&arena);
    bool fits = e.found <= context;
    if (!fits) ids[context - 1] = t->end;
    if (length) *length = fits ? e.found : context;
    if (cut) *cut = fits ? 0 : e.found - context;
    return FLAW_OK;
}

int flaw_tokenizer_vocab(const flaw_tokenizer *t)
{
    return t->vocab;
}

int flaw_tokenizer_start(const flaw_tokenizer *t)
{
    return t->start;
}

int flaw_tokenizer_end(const flaw_tokenizer *t)
{
    return t->end;
}

void flaw_tokenizer_free(flaw_tokenizer *t)
{
    if (!t) return;
    flaw_arena_release(&t->arena);
    free(t);
}
