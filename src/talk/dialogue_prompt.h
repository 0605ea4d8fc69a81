/* What the language model reads before it answers, in AnomalyGPT's form. The pieces are tokenised separately, each with its
 * own leading space, as the published weights were trained:
 *
 *   BOS | "### Human: <Img>" | the picture as one row | "</Img> " | soft prompts | text of the turns
 *
 * The text is one string, tokenised as a whole: QUESTION "\n### Assistant:", and after an answer
 * " ANSWER\n### Human: QUESTION\n### Assistant:" and so on. A new question reads only what has changed since the last one: the
 * tokens that stand in the reading already are kept. Words never become control: in a question, "##" and the picture's
 * marks are broken up by a space. */
#ifndef FLAW_TALK_DIALOGUE_PROMPT_H
#define FLAW_TALK_DIALOGUE_PROMPT_H

#include "base/buffer.h"
#include "model/language/language.h"

#define FLAW_DIALOGUE_STOP "###" /* what ends an answer */

typedef struct flaw_dialogue_prompt {
    const flaw_pieces *pieces;
    flaw_reading *reading; /* borrowed; nobody else feeds it while the dialogue lasts */
    int context;           /* tokens the language model can read */
    int base;              /* tokens of the reading before the text */
    flaw_buffer text;      /* of the turns */
    size_t first;          /* text before this byte is forgotten: the oldest turns, once the context is full */
    size_t settled;        /* text up to here is questions with their answers */
    int32_t *ids;          /* [count] of the text in the reading, from `base` on; owned */
    size_t count;
} flaw_dialogue_prompt;

/* Start over with a picture (row [D], or NULL: no picture at all, and neither are the marks around it) and soft prompts
 * [prompt_rows, D]. `out` is empty ({0}) or was begun before. The reading is one of `m`. */
flaw_status flaw_dialogue_prompt_begin(flaw_dialogue_prompt *out, const flaw_language *m, flaw_reading *reading,
                                       const float *picture, const float *prompts, int prompt_rows, flaw_error *err);
void flaw_dialogue_prompt_release(flaw_dialogue_prompt *p);
/* Other rows in place of the ones it was begun with; the turns stay and are read again with the next question. */
flaw_status flaw_dialogue_prompt_change(flaw_dialogue_prompt *p, const float *picture, const float *prompts, int prompt_rows,
                                        flaw_error *err);
/* Forget the turns, keep picture and prompts. */
void flaw_dialogue_prompt_restart(flaw_dialogue_prompt *p);

/* Put a question, byte for byte but for what would be a mark; then the reading stands where the answer begins. `room`
 * tokens are kept free for the answer: where they are not, the oldest turns are forgotten, and FLAW_USAGE when the
 * question alone is too long. A question that was put before and never answered is dropped. */
flaw_status flaw_dialogue_prompt_ask(flaw_dialogue_prompt *p, const char *question, int room, flaw_error *err);
/* The tokens that were written after it and stand in the reading now: those that the next turn repeats are not read again. */
void flaw_dialogue_prompt_written(flaw_dialogue_prompt *p, const int32_t *ids, int count);
/* What was answered, without the stop. */
flaw_status flaw_dialogue_prompt_answer(flaw_dialogue_prompt *p, const char *answer, flaw_error *err);

/* Append a question as it may stand in the text (see above), with white space at its ends left out. */
void flaw_dialogue_question(flaw_buffer *out, const char *question);

#endif
