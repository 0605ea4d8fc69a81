/* Input: a tokenizer.model, which is also tried as llama2.c's file (its first byte the number of pieces), and is the
 * text that the vocabulary reads. What is read makes ids of normal, byte and unknown pieces only, the same ids after it
 * was written and read again, and where nothing is lost on the way the text comes back. */
#include <string.h>

#include "fuzz.h"
#include "model/text/pieces_impl.h"

enum { TEXT = 512 };

/* True where encoding loses nothing: bytes for what is in no piece, spaces kept, and marks that mean spaces only. */
static int is_exact(const flaw_pieces *p, const uint8_t *text, size_t size)
{
    int mark = flaw_pieces_find(p, FLAW_SPACE_MARK);
    return p->rules.bytes && !p->rules.collapse && !p->rules.plain_spaces && mark >= 0 &&
           p->piece[mark].kind == FLAW_PIECE_NORMAL && !memmem(text, size, FLAW_SPACE_MARK, FLAW_SPACE_MARK_SIZE);
}

static void check_text(const flaw_pieces *p, const uint8_t *text, size_t size)
{
    int32_t ids[3 * TEXT + 3], few[5] = {-1, -1, -1, -1, -1};
    size_t count = 0, again = 0;
    flaw_error err;
    flaw_buffer b;
    flaw_fuzz_require(flaw_pieces_encode(p, (const char *)text, size, ids, 3 * TEXT + 3, &count, &err) == FLAW_OK);
    flaw_fuzz_require(count <= 3 * size + 3);
    flaw_buffer_init(&b, 1 << 24);
    for (size_t i = 0; i < count; i++) {
        flaw_fuzz_require(ids[i] >= 0 && ids[i] < p->count);
        const flaw_piece_kind kind = p->piece[ids[i]].kind;
        flaw_fuzz_require(kind == FLAW_PIECE_NORMAL || (kind == FLAW_PIECE_BYTE) == p->rules.bytes);
        flaw_fuzz_require(kind != FLAW_PIECE_CONTROL && kind != FLAW_PIECE_USER && kind != FLAW_PIECE_UNUSED);
        flaw_pieces_append(p, ids[i], i == 0, &b);
    }
    flaw_fuzz_require(!b.failed && flaw_pieces_complete(b.data ? b.data : "", b.size) <= b.size);
    if (is_exact(p, text, size)) flaw_fuzz_require(b.size == size && (!size || memcmp(b.data, text, size) == 0));
    flaw_buffer_release(&b);
    flaw_fuzz_require(flaw_pieces_encode(p, (const char *)text, size, few, 4, &again, &err) == FLAW_OK);
    flaw_fuzz_require(again == count && few[4] == -1 && memcmp(few, ids, (count < 4 ? count : 4) * sizeof *ids) == 0);
}

/* Reads the vocabulary's own file back. */
static void check_written(const flaw_pieces *p)
{
    flaw_pieces *again = NULL;
    flaw_buffer b, same;
    flaw_error err;
    flaw_buffer_init(&b, 1 << 24);
    flaw_buffer_init(&same, 1 << 24);
    flaw_pieces_write(p, &b);
    flaw_fuzz_require(!b.failed);
    flaw_fuzz_require(flaw_pieces_from_model(&again, (const uint8_t *)b.data, b.size, "again", &err) == FLAW_OK);
    flaw_pieces_write(again, &same);
    flaw_fuzz_require(same.size == b.size && memcmp(same.data, b.data, b.size) == 0);
    flaw_buffer_release(&b);
    flaw_buffer_release(&same);
    flaw_pieces_free(again);
}

static void check(flaw_status status, flaw_pieces *p, const flaw_error *err, const uint8_t *data, size_t size)
{
    if (status) {
        flaw_fuzz_require(!p && err->status == status && strlen(err->text) > 10);
        return;
    }
    check_text(p, data, size < TEXT ? size : TEXT);
    check_text(p, data + size - (size < TEXT ? size : TEXT), size < TEXT ? size : TEXT);
    check_written(p);
    flaw_pieces_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_pieces *p = NULL;
    flaw_error err = {.status = FLAW_OK};
    flaw_status status = flaw_pieces_from_model(&p, data, size, "input", &err);
    check(status, p, &err, data, size);
    if (size < 1) return 0;
    p = NULL;
    status = flaw_pieces_from_llama2c(&p, data + 1, size - 1, data[0], "input", &err);
    check(status, p, &err, data, size);
    return 0;
}
