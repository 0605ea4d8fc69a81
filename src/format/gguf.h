/* What GGUF has beside tensors and plain metadata: arrays (the tokenizer's pieces, scores and kinds). */
#ifndef FLAW_FORMAT_GGUF_H
#define FLAW_FORMAT_GGUF_H

#include "format/tensors.h"

typedef enum flaw_gguf_type { FLAW_GGUF_TEXT, FLAW_GGUF_F32, FLAW_GGUF_I32 } flaw_gguf_type;

typedef struct flaw_gguf_text {
    const char *text; /* in the mapping, not NUL-terminated */
    size_t size;
} flaw_gguf_text;

/* The array under `key`: text [*count], or numbers of that type, in the arena of `t`. Both results NULL (FLAW_OK)
 * when the file has no such key; FLAW_BAD_DATA when it has another element type. */
flaw_status flaw_gguf_texts(const flaw_tensors *t, const char *key, const flaw_gguf_text **out, size_t *count, flaw_error *err);
flaw_status flaw_gguf_floats(const flaw_tensors *t, const char *key, const float **out, size_t *count, flaw_error *err);
flaw_status flaw_gguf_ints(const flaw_tensors *t, const char *key, const int32_t **out, size_t *count, flaw_error *err);

#endif
