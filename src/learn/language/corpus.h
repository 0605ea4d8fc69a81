/* Texts as token ids, and batches of them: texts are packed into rows of T tokens, each whole and with its beginning token,
 * as many as fit; a row ends in padding. A text of more than T tokens is cut. */
#ifndef FLAW_LEARN_CORPUS_H
#define FLAW_LEARN_CORPUS_H

#include "base/random.h"
#include "model/language/language_train.h"
#include "model/text/sentencepiece.h"

typedef struct flaw_corpus {
    int32_t *ids; /* all texts, owned */
    size_t *start; /* [count + 1] in ids, owned */
    size_t count, room, id_room;
} flaw_corpus;

void flaw_corpus_release(flaw_corpus *c);
/* Begin a text, put tokens (text is read as one piece: its own leading space), end it. */
flaw_status flaw_corpus_begin(flaw_corpus *c, flaw_error *err);
flaw_status flaw_corpus_put(flaw_corpus *c, int32_t id, flaw_error *err);
flaw_status flaw_corpus_text(flaw_corpus *c, const flaw_pieces *pieces, const char *text, size_t size, flaw_error *err);

/* One row of input and target ids [T] from texts that `random` draws. */
void flaw_corpus_draw_row(const flaw_corpus *c, flaw_random *random, int tokens, int32_t *ids, int32_t *target);
/* The next row in the order of the texts from *next on, which is moved; false when none is left. */
bool flaw_corpus_next_row(const flaw_corpus *c, size_t *next, int tokens, int32_t *ids, int32_t *target);

#endif
