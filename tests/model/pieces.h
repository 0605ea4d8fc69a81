/* What the tests of SentencePiece vocabularies share. */
#ifndef FLAW_TESTS_MODEL_PIECES_H
#define FLAW_TESTS_MODEL_PIECES_H

#include "../check.h"

#include "base/file.h"
#include "model/text/pieces_impl.h"

/* "shared/NAME", or NULL (said so) when it is not here. */
static inline const char *shared_file(char out[1024], const char *name)
{
    const char *root = getenv("FLAW_SHARED");
    if (root) {
        snprintf(out, 1024, "%s/%s", root, name);
        if (access(out, R_OK) == 0) return out;
    }
    print_message("%s is not here (FLAW_SHARED): skipped\n", name);
    return NULL;
}

static inline flaw_pieces *open_model(const char *path)
{
    flaw_pieces *p = NULL;
    flaw_bytes bytes;
    flaw_error err = {0};
    assert_ok(flaw_file_read(&bytes, path, 1 << 24, &err));
    assert_ok(flaw_pieces_from_model(&p, bytes.data, bytes.size, path, &err));
    flaw_bytes_release(&bytes);
    return p;
}

static inline flaw_pieces *write_and_read(const flaw_pieces *p)
{
    flaw_pieces *again = NULL;
    flaw_buffer b;
    flaw_error err = {0};
    flaw_buffer_init(&b, 1 << 24);
    flaw_pieces_write(p, &b);
    assert_false(b.failed);
    assert_ok(flaw_pieces_from_model(&again, (const uint8_t *)b.data, b.size, "written", &err));
    flaw_buffer_release(&b);
    return again;
}

static inline size_t encode(const flaw_pieces *p, const char *text, size_t size, int32_t *ids, size_t room)
{
    size_t count = 0;
    flaw_error err = {0};
    assert_ok(flaw_pieces_encode(p, text, size, ids, room, &count, &err));
    assert_true(count <= room);
    return count;
}

/* The ids read `text` [size]. */
static inline void check_text(const flaw_pieces *p, const int32_t *ids, size_t count, const char *text, size_t size)
{
    flaw_buffer b;
    flaw_buffer_init(&b, 1 << 24);
    for (size_t i = 0; i < count; i++) flaw_pieces_append(p, ids[i], i == 0, &b);
    assert_false(b.failed);
    if (b.size != size || (size > 0 && memcmp(b.data, text, size) != 0))
        fail_msg("reads \"%s\", expected \"%.*s\"", b.data ? b.data : "", (int)size, text);
    flaw_buffer_release(&b);
}

/* Every piece of one is that of the other, the special ones too. */
static inline void check_same(const flaw_pieces *a, const flaw_pieces *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(&a->rules, &b->rules, sizeof a->rules);
    for (int i = 0; i < a->count; i++) {
        assert_int_equal(a->piece[i].kind, b->piece[i].kind);
        assert_int_equal(a->piece[i].size, b->piece[i].size);
        assert_memory_equal(a->piece[i].text, b->piece[i].text, a->piece[i].size);
        assert_true(a->piece[i].score == b->piece[i].score);
    }
}

#endif
