/* Dialogues as the language model reads them in training: ids, targets, and places for the rows of picture and prompts. */
#ifndef FLAW_LEARN_VOICE_TEXT_H
#define FLAW_LEARN_VOICE_TEXT_H

#include "learn/voice/voice_truth.h"
#include "model/language/language_train.h"

typedef struct flaw_voice_text {
    const flaw_pieces *pieces;
    flaw_dialogues *dialogues;
    int context, bos;
    int samples, prompts;          /* of a batch; rows after "</Img> " */
    int32_t *head, *tail;          /* "### Human: <Img>" and "</Img> " */
    int heads, tails;
    int32_t *line, *line_target;   /* [samples, context] before padding */
    int *length;                   /* [samples] */
    int32_t *ids, *target;         /* [samples, T] of the batch */
    flaw_arena arena;
} flaw_voice_text;

/* dialogue: the lists of questions and answers. */
flaw_status flaw_voice_text_open(flaw_voice_text *out, const flaw_language *m, const char *dialogue, int samples, int prompts,
                                 flaw_error *err);
void flaw_voice_text_close(flaw_voice_text *t);
/* Write sample `index`; its picture is row index * (1 + prompts), its prompts are the rows after it. */
flaw_status flaw_voice_text_write(flaw_voice_text *t, int index, const flaw_dialogue *d, flaw_error *err);
/* All samples as one batch, padded to the longest. */
void flaw_voice_text_batch(flaw_voice_text *t, flaw_language_batch *out);

#endif
