/* What GGUF has beside tensors and plain metadata: arrays (the tokenizer's pieces, scores and kinds). */
#ifndef FLAW_FORMAT_GGUF_H
#define FLAW_FORMAT_GGUF_H

#include "format/tensors.h"

typedef struct flaw_gguf_text {
    const char *text; /* in the mapping, not NUL-terminated */
    size_t size;
} flaw_gguf_text;

/* The array under `key`: text [*count], or numbers of that type, in the arena of `t`. *out NULL and *count 0 (FLAW_OK)
 * when the file has no such key; FLAW_BAD_DATA when it has another element type. Integers are i32, or u32 below 2^31.
 */
flaw_status flaw_gguf_texts(const flaw_tensors *t, const char *key, const flaw_gguf_text **out, size_t *count,
                            flaw_error *err);
flaw_status flaw_gguf_floats(const flaw_tensors *t, const char *key, const float **out, size_t *count, flaw_error *err);
flaw_status flaw_gguf_ints(const flaw_tensors *t, const char *key, const int32_t **out, size_t *count, flaw_error *err);

#endif
