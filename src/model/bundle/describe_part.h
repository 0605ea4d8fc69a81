/* Parts of a description (describe.c): JSON objects that say what is there. Each returns the status that opening it would
 * give, and fills the object as far as it could be read. */
#ifndef FLAW_MODEL_DESCRIBE_PART_H
#define FLAW_MODEL_DESCRIBE_PART_H

#include <jansson.h>

#include "base/buffer.h"
#include "model/open/bind.h"

/* ---- describe.c ---- */
/* The text becomes a string; the buffer is released. */
void flaw_describe_text(json_t *o, const char *key, flaw_buffer *text);
/* "tensors" and "dtype" of those whose name begins with `begin`; NULL: of all that belong to no other part. */
void flaw_describe_types(json_t *o, const flaw_tensors *t, const char *begin);
/* "parameters", "missing", "left_over", "misshapen". */
void flaw_describe_binding(json_t *o, const flaw_binding *b);

/* ---- describe_voice.c ---- */
/* path: as flaw_language_source_open takes it. projection: released adapters, or NULL. */
flaw_status flaw_describe_language(json_t *o, const char *path, const flaw_tensors *projection, flaw_error *err);
/* Released: both tensor files and the towers they belong to. */
flaw_status flaw_describe_voice_released(json_t *o, const flaw_tensors *delta, const flaw_tensors *projection,
                                         const flaw_clip_shape *towers, flaw_error *err);
flaw_status flaw_describe_voice(json_t *o, const flaw_tensors *bundle, flaw_error *err);
/* Metadata "manifest" and "sha256" of a bundle, where it has them: "sources", and "hashes", which are taken again. */
flaw_status flaw_describe_origin(json_t *o, const flaw_tensors *bundle, flaw_error *err);

#endif
