/* Inside of the tokenizer, shared by its reader and its encoder. */
#ifndef FLAW_MODEL_TOKENIZER_IMPL_H
#define FLAW_MODEL_TOKENIZER_IMPL_H

#include "base/file.h"
#include "model/text/bpe.h"
#include "model/text/tokenizer.h"

struct flaw_tokenizer {
    flaw_arena arena;
    flaw_bpe bpe;
    uint32_t byte[256], byte_end[256]; /* symbol of a byte inside a word, and at its end ("</w>") */
    int vocab, start, end;
};

/* flaw_tokenizer_from_hf on texts in memory. */
flaw_status flaw_tokenizer_from_hf_text(flaw_tokenizer **out, const flaw_bytes *vocab, const char *vocab_name,
                                        const flaw_bytes *merges, const char *merges_name, flaw_error *err);

#endif
