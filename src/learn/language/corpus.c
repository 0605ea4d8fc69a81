#include "learn/language/corpus.h"

#include <stdlib.h>

#define TRIES 4 /* texts drawn for what is left of a row, before it is padded */

void flaw_corpus_release(flaw_corpus *c)
{
    free(c->ids);
    free(c->start);
    *c = (flaw_corpus){0};
}

flaw_status flaw_corpus_begin(flaw_corpus *c, flaw_error *err)
{
    if (c->count + 2 > c->room) {
        size_t room = c->room ? 2 * c->room : 256;
        size_t *grown = realloc(c->start, room * sizeof *grown);
        if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu texts", room);
        if (!c->start) grown[0] = 0;
        c->start = grown;
        c->room = room;
    }
    c->count++;
    c->start[c->count] = c->start[c->count - 1];
    return FLAW_OK;
}

static flaw_status reserve(flaw_corpus *c, size_t more, flaw_error *err)
{
    size_t need = (c->start ? c->start[c->count] : 0) + more;
    if (need <= c->id_room) return FLAW_OK;
    size_t room = 2 * need + 1024;
    int32_t *grown = realloc(c->ids, room * sizeof *grown);
    if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu tokens of text", room);
    c->ids = grown;
    c->id_room = room;
    return FLAW_OK;
}

flaw_status flaw_corpus_put(flaw_corpus *c, int32_t id, flaw_error *err)
{
    flaw_status status = reserve(c, 1, err);
    if (!status) c->ids[c->start[c->count]++] = id;
    return status;
}

flaw_status flaw_corpus_text(flaw_corpus *c, const flaw_pieces *pieces, const char *text, size_t size, flaw_error *err)
{
    size_t count;
    flaw_status status = reserve(c, size + 1, err); /* a token for each byte at most, and the leading space */
    if (status) return status;
    size_t at = c->start[c->count];
    status = flaw_pieces_encode(pieces, text, size, c->ids + at, c->id_room - at, &count, err);
    if (!status && count > c->id_room - at)
        status = flaw_fail(err, FLAW_INTERNAL, "a text of %zu bytes became %zu tokens", size, count);
    if (!status) c->start[c->count] += count;
    return status;
}

/* Puts text `i` into a row that is filled up to `at`. Returns where it ends then; `at` when it does not fit. */
static int put_text(const flaw_corpus *c, size_t i, int at, int tokens, int32_t *ids, int32_t *target)
{
    const int32_t *text = c->ids + c->start[i];
    size_t inputs = c->start[i + 1] - c->start[i], left = (size_t)(tokens - at);
    inputs -= inputs > 0; /* the last token is a target only */
    if (inputs > left && at > 0) return at;
    if (inputs > left) inputs = left;
    for (size_t k = 0; k < inputs; k++) {
        ids[at + (int)k] = text[k];
        target[at + (int)k] = text[k + 1];
    }
    return at + (int)inputs;
}

static void pad(int at, int tokens, int32_t *ids, int32_t *target)
{
    for (; at < tokens; at++) {
        ids[at] = 0;
        target[at] = -1;
    }
}

void flaw_corpus_draw_row(const flaw_corpus *c, flaw_random *random, int tokens, int32_t *ids, int32_t *target)
{
    int at = 0;
    for (int tries = 0; tries < TRIES && at < tokens && c->count;) {
        int end = put_text(c, (size_t)flaw_random_below(random, (int)c->count), at, tokens, ids, target);
        tries = end > at ? 0 : tries + 1;
        at = end;
    }
    pad(at, tokens, ids, target);
}

bool flaw_corpus_next_row(const flaw_corpus *c, size_t *next, int tokens, int32_t *ids, int32_t *target)
{
    int at = 0;
    size_t first = *next;
    while (*next < c->count && at < tokens) {
        int end = put_text(c, *next, at, tokens, ids, target);
        if (end == at && c->start[*next + 1] - c->start[*next] > 1) break;
        at = end;
        ++*next;
    }
    pad(at, tokens, ids, target);
    return *next > first;
}
