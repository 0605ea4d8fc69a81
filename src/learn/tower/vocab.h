/* Learn a byte-pair vocabulary in the form of CLIP's merges file (Sennrich et al. 2016), for the default model's text
 * tower: words -> counts -> merges. The reader is model/text/tokenizer.h. */
#ifndef FLAW_LEARN_VOCAB_H
#define FLAW_LEARN_VOCAB_H

#include "base/buffer.h"
#include "learn/tower/word_counts.h"

/* Count every run of ASCII letters in `text` (lower-cased), `weight` times each. */
flaw_status flaw_word_counts_add(flaw_word_counts *counts, const char *text, int weight, flaw_error *err);

/* Append a header line and up to `merges` merges, most frequent pair first, ties in byte order; it stops early when no
 * pair is left. */
flaw_status flaw_vocab_learn(flaw_buffer *out, const flaw_word_counts *counts, int merges, flaw_error *err);

#endif
