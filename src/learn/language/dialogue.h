/* Dialogues that the project writes itself: questions and answers about a picture whose truth is known as plain data,
 * and ordinary talk, from the lists of models/dialogue.txt (its heading tells the form). AnomalyGPT's language model
 * keeps its language by alternating both (PandaGPT's data has that role upstream); ours learns all of its language
 * here.
 *
 * Only an answer to "is there an anomaly" begins with Yes or No, and Yes says that there is one. */
#ifndef FLAW_LEARN_DIALOGUE_H
#define FLAW_LEARN_DIALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/random.h"
#include "flaw/status.h"

#define FLAW_TRUTH_ANOMALIES 4

typedef struct flaw_truth {
    const char *object; /* "metal nut" */
    bool texture;       /* no article: "leather" */
    int count;          /* of anomalies */
    struct {
        const char *place; /* one of the nine words: "top left" ... */
        const char *kind;  /* "scratch", or NULL. Somebody may ask whether it is one; no answer ever names it */
        double area;       /* share of the picture, 0 .. 1; 0: not known */
    } anomaly[FLAW_TRUTH_ANOMALIES];
} flaw_truth;

typedef enum flaw_question_kind {
    FLAW_ASK_ANOMALY, /* answers in AnomalyGPT's words, to the letter */
    FLAW_ASK_WHERE,
    FLAW_ASK_COUNT,
    FLAW_ASK_SIZE,
    FLAW_ASK_KIND,
    FLAW_ASK_GOOD,
    FLAW_ASK_OBJECT,
    FLAW_ASK_DESCRIBE,
    FLAW_ASK_KINDS,
    FLAW_ASK_ASIDE = FLAW_ASK_KINDS, /* thanks, doubts: what stands between questions about a picture */
    FLAW_ASK_TALK,                   /* all else */
    FLAW_ASK_NO_PICTURE,             /* a question about a picture that is not there */
} flaw_question_kind;

#define FLAW_TURN_TEXT 640 /* bytes of a question or an answer, NUL included */
#define FLAW_DIALOGUE_TURNS 3

typedef struct flaw_turn {
    flaw_question_kind kind;
    char question[FLAW_TURN_TEXT], answer[FLAW_TURN_TEXT]; /* one line each, no blanks at the ends */
} flaw_turn;

typedef struct flaw_dialogue {
    int turns; /* 1 to FLAW_DIALOGUE_TURNS */
    flaw_turn turn[FLAW_DIALOGUE_TURNS];
} flaw_dialogue;

/* The lists, read-only once read. */
typedef struct flaw_dialogues flaw_dialogues;
flaw_status flaw_dialogues_read(flaw_dialogues **out, const char *path, flaw_error *err);
flaw_status flaw_dialogues_parse(flaw_dialogues **out, const char *text, size_t size, const char *name,
                                 flaw_error *err);
void flaw_dialogues_free(flaw_dialogues *lists);
const char *flaw_dialogues_digest(const flaw_dialogues *lists); /* SHA-256 of the text they were read from */

/* FLAW_USAGE: no object or one of more than 64 bytes, a count out of range, a place that is none of the nine, an area
 * outside of 0 to 1. */
flaw_status flaw_truth_check(const flaw_truth *truth, flaw_error *err);
/* A truth out of the blue, for texts: any product, normal in four of ten. Its texts are those of `lists` and constants.
 */
void flaw_truth_draw(flaw_truth *out, const flaw_dialogues *lists, flaw_random *r);

/* One turn of a kind. Answers name each place once and in the order of reading, whatever that of the anomalies is:
 * nothing in a picture says which comes first. */
flaw_status flaw_turn_draw(flaw_turn *out, const flaw_dialogues *lists, flaw_question_kind kind,
                           const flaw_truth *truth, flaw_random *r, flaw_error *err);
/* One to three turns about a picture: different questions, most often first whether there is an anomaly; sometimes
 * talk. */
flaw_status flaw_dialogue_draw(flaw_dialogue *out, const flaw_dialogues *lists, const flaw_truth *truth, flaw_random *r,
                               flaw_error *err);
/* One to three turns of talk. */
void flaw_dialogue_talk(flaw_dialogue *out, const flaw_dialogues *lists, flaw_random *r);

/* Append a dialogue in AnomalyGPT's form: "### Human: Q\n### Assistant: A\n### Human: Q\n### Assistant: A\n###". With a
 * picture, words stand where the model later gets rows: the object's name for the picture's embedding, and a note of
 * what the map shows for the soft prompts, "<Img> metal nut </Img>  2 regions: small, top left; large, center. Q". So
 * the language model learns to answer from what stands there. The two blanks make a text read at once the same tokens
 * as its pieces read one by one. */
void flaw_dialogue_write(flaw_buffer *out, const flaw_dialogue *d, const flaw_truth *picture);

/* `count` dialogues, each followed by one empty line: two of three about a picture, the others talk (with a picture
 * before it or without), and questions about a picture that is not there. Dialogue i follows from (seed, i) alone. */
flaw_status flaw_dialogue_corpus(flaw_buffer *out, const flaw_dialogues *lists, uint64_t seed, int count,
                                 flaw_error *err);

#endif
