/* The flaw bundle: one safetensors file with canonical names. Metadata "flaw" holds the shape as JSON, "merges" the
 * tokenizer's merges. Matrices are stored as int8 rows with a float32 scale per row ("NAME" I8 + "NAME.scale" F32),
 * everything else as F16 or F32. Metadata "card" is the model card as JSON, where given. */
#ifndef FLAW_MODEL_BUNDLE_H
#define FLAW_MODEL_BUNDLE_H

#include "model/clip.h"

typedef enum flaw_storage { FLAW_STORE_F32, FLAW_STORE_F16, FLAW_STORE_I8 } flaw_storage;

/* FLAW_STORE_I8: products' matrices and the token table as int8 rows, positions as F16, vectors as F32; the others store
 * everything in one type. merges (with a heading line) may be NULL for a model without text tower; card_json may be NULL.
 * FLAW_BAD_DATA, by name, for weights that are not finite or too large for F16. */
flaw_status flaw_bundle_write(const char *path, const flaw_clip_shape *shape, const flaw_parameters *list,
                              const float *weights, const char *merges, size_t merges_size, const char *card_json,
                              flaw_storage storage, flaw_error *err);

#endif
