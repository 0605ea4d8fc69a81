/* Inside of learn/language/dialogue.h: the lists of models/dialogue.txt. */
#ifndef FLAW_LEARN_DIALOGUE_LISTS_H
#define FLAW_LEARN_DIALOGUE_LISTS_H

#include "base/arena.h"
#include "learn/language/dialogue.h"

typedef struct flaw_lines {
    const char **line;
    size_t count, room;
} flaw_lines;

/* What somebody says, each line a way to say it, and what may be answered. */
typedef struct flaw_talk_block {
    flaw_lines say, answer;
} flaw_talk_block;

typedef struct flaw_talks {
    flaw_talk_block *block;
    size_t count, room;
} flaw_talks;

enum { FLAW_ANSWER_NONE, FLAW_ANSWER_ONE, FLAW_ANSWER_SEVERAL, FLAW_ANSWER_CASES }; /* by the number of anomalies */

struct flaw_dialogues {
    flaw_lines object, surface, no_picture;
    flaw_lines ask[FLAW_ASK_KINDS], answer[FLAW_ASK_KINDS][FLAW_ANSWER_CASES];
    flaw_talks talk, aside;
    char digest[65]; /* SHA-256 of the text */
    flaw_arena arena;
};

/* What a line has places for. */
typedef enum flaw_blank {
    FLAW_BLANK_OBJECT,
    FLAW_BLANK_A_OBJECT,
    FLAW_BLANK_N,
    FLAW_BLANK_PLACES,
    FLAW_BLANK_SIZE,
    FLAW_BLANK_KIND,
    FLAW_BLANKS
} flaw_blank;
/* The blank that begins at `text`, of *size bytes; FLAW_BLANKS when none does. */
flaw_blank flaw_blank_at(const char *text, size_t *size);

/* The nine places, row by row from the top left. */
const char *flaw_place_word(int field);
/* Words for the share of the picture that an anomaly takes; NULL when it is not known. */
const char *flaw_size_word(double area);

#endif
