/* The flaw bundle: one safetensors file with canonical names. Metadata "flaw" holds the shape as JSON, "merges" the
 * tokenizer's merges. Matrices are stored as int8 rows with a float32 scale per row ("NAME" I8 + "NAME.scale" F32),
 * everything else as F16 or F32. Metadata "card" is the model card as JSON, where given. */
#ifndef FLAW_MODEL_BUNDLE_H
#define FLAW_MODEL_BUNDLE_H

#include "model/bundle/part.h"

/* storage: see flaw_part_floats. merges (with a heading line) may be NULL for a model without text tower;
 * card_json may be NULL. */
flaw_status flaw_bundle_write(const char *path, const flaw_clip_shape *shape, const flaw_parameters *list,
                              const float *weights, const char *merges, size_t merges_size, const char *card_json,
                              flaw_storage storage, flaw_error *err);
/* The same as the towers' part of a larger bundle, without the card. */
flaw_status flaw_clip_part(flaw_part *out, const char *name, const flaw_clip_shape *shape, const flaw_parameters *list,
                           const float *weights, const char *merges, size_t merges_size, flaw_storage storage,
                           flaw_error *err);

#endif
