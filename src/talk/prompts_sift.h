/* Strict where the reading of replies is lenient: which sentences may stand in a list, and why the others may not
 * (spec 1.3 A, 5.6, 5.8). */
#ifndef FLAW_TALK_PROMPTS_SIFT_H
#define FLAW_TALK_PROMPTS_SIFT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "talk/sentences.h"

#define FLAW_SIFT_MOST 100 /* sentences of a list */
#define FLAW_SIFT_LEAST 5  /* fewer are no list */

typedef enum flaw_sift_fault {
    FLAW_SIFT_UNNAMED,
    FLAW_SIFT_DEFECT,   /* named in the normal list */
    FLAW_SIFT_NEGATION, /* or a word of praise in the abnormal list */
    FLAW_SIFT_TWICE,    /* in its list */
    FLAW_SIFT_BOTH,     /* in the other list */
    FLAW_SIFT_LONG,     /* over 77 tokens */
    FLAW_SIFT_SHORT,    /* no sentence */
    FLAW_SIFT_BRACE,    /* "{" or "}": they mean a placeholder in prompt files */
    FLAW_SIFT_FAULTS
} flaw_sift_fault;

typedef struct flaw_sift {
    const char *object;              /* cleaned name */
    int most;                        /* wanted in each list, 1 .. FLAW_SIFT_MOST; more are left alone */
    char *text[2][FLAW_SIFT_MOST];   /* what is kept */
    int count[2];
    int fault[2][FLAW_SIFT_FAULTS];  /* how many were left out for this */
    int offered[2];                  /* sentences looked at */
    flaw_buffer report;              /* a line for each: "abnormal: WHY: SENTENCE" */
    flaw_arena arena;
} flaw_sift;

void flaw_sift_init(flaw_sift *s, const char *object, int most);
void flaw_sift_release(flaw_sift *s);
/* Take over what is fit. FLAW_NO_MEMORY only. */
flaw_status flaw_sift_add(flaw_sift *s, const flaw_sentences *from, flaw_error *err);
/* Both lists of one length (spec 5.6): the longer one loses its last sentences. */
void flaw_sift_balance(flaw_sift *s);
/* The fault that cost a list most, in words; "" when none did. */
const char *flaw_sift_worst(const flaw_sift *s, int side);

#endif
