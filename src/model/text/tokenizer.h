/* CLIP's byte-pair tokenizer: cleaning (HTML unescape twice, whitespace, lower case), byte alphabet, merges.
 *
 * Two differences from the reference, both on purpose (docs/decisions):
 * - Words never become control: "<|endoftext|>" in a text is read as punctuation and letters, not as the end token.
 * - No ftfy: broken encodings and curly quotes stay as they are (as the reference does where ftfy is not installed). */
#ifndef FLAW_MODEL_TOKENIZER_H
#define FLAW_MODEL_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

typedef struct flaw_tokenizer flaw_tokenizer;

/* From OpenAI's bpe_simple_vocab_16e6.txt[.gz]: a heading line, then merges. Ids are built as CLIP builds them: 256 bytes,
 * 256 bytes</w>, merges, start, end; merges that do not fit into max_vocab are left out. */
flaw_status flaw_tokenizer_from_merges(flaw_tokenizer **out, const uint8_t *text, size_t size, const char *name,
                                       int max_vocab, flaw_error *err);
/* From vocab.json + merges.txt of a Hugging Face folder. */
flaw_status flaw_tokenizer_from_hf(flaw_tokenizer **out, const char *vocab_path, const char *merges_path, flaw_error *err);
/* Finds bpe_simple_vocab_16e6.txt.gz / .txt / vocab.json + merges.txt in a model folder. */
flaw_status flaw_tokenizer_open(flaw_tokenizer **out, const char *folder, flaw_error *err);
void flaw_tokenizer_free(flaw_tokenizer *t);

int flaw_tokenizer_vocab(const flaw_tokenizer *t);
int flaw_tokenizer_start(const flaw_tokenizer *t);
int flaw_tokenizer_end(const flaw_tokenizer *t);
/* ids[context]: start, tokens, end, zeros (as CLIP pads). *length = tokens with start and end. A text that does not fit
 * is cut to context with the end token last (as CLIP does) and *cut is set to the number of tokens lost. Invalid UTF-8 is
 * read as U+FFFD. length and cut may be NULL. FLAW_USAGE for more than 64 KiB of text or context below 3. */
flaw_status flaw_tokenizer_encode(const flaw_tokenizer *t, const char *text, int32_t *ids, int context, int *length,
                                  int *cut, flaw_error *err);

#endif
