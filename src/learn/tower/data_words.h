/* The word lists of models/words.txt and the sentences that training draws from them. */
#ifndef FLAW_LEARN_DATA_WORDS_H
#define FLAW_LEARN_DATA_WORDS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/random.h"

typedef enum flaw_word_section {
    FLAW_WORDS_OBJECTS,
    FLAW_WORDS_MATERIALS,
    FLAW_WORDS_SURFACES,
    FLAW_WORDS_GENERIC,
    FLAW_WORDS_ADJECTIVES,
    FLAW_WORDS_DEFECTS,
    FLAW_WORDS_OTHER,
    FLAW_WORD_SECTIONS,
} flaw_word_section;

typedef struct flaw_words {
    char **entry[FLAW_WORD_SECTIONS];
    size_t count[FLAW_WORD_SECTIONS];
    flaw_arena arena;
} flaw_words;

/* "[section]" lines and comma-separated entries; '#' starts a comment line. */
flaw_status flaw_words_read(flaw_words *out, const char *path, flaw_error *err);
void flaw_words_release(flaw_words *words);

#define FLAW_SENTENCE 192 /* bytes of the longest sentence, NUL included */
#define FLAW_NAME 64

/* A name for the object that a picture shows: mostly `name`, sometimes a generic word, its material, the name of
 * something else, or an invented word: the state must decide, not the object. */
void flaw_words_name(char out[FLAW_NAME], const flaw_words *words, const char *name, const char *material, bool texture,
                     flaw_random *random);
/* A sentence about `name` in a normal or an abnormal state; about a third of the abnormal ones name a defect. */
void flaw_words_state(char out[FLAW_SENTENCE], const flaw_words *words, const char *name, bool abnormal,
                      flaw_random *random);
/* The fixed sentences that evaluation uses; false past the last one. */
bool flaw_words_fixed(char out[FLAW_SENTENCE], const char *name, bool abnormal, int index);
/* A caption of a photograph; defect NULL or "" when normal. */
void flaw_words_caption(char out[FLAW_SENTENCE], const char *name, const char *defect, flaw_random *random);
/* All fixed text of this file, one piece per index, for counting words; NULL past the end. */
const char *flaw_words_template(int index);

#endif
