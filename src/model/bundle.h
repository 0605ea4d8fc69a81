/* The flaw bundle: one safetensors file with canonical names. Metadata "flaw" holds the shape as JSON, "merges" the
 * tokenizer's merges. Matrices are stored as int8 rows with a float32 scale per row ("NAME" I8 + "NAME.scale" F32),
 * everything else as F16 or F32. */
#ifndef FLAW_MODEL_BUNDLE_H
#define FLAW_MODEL_BUNDLE_H

#include "model/clip.h"

typedef enum flaw_storage { FLAW_STORE_F32, FLAW_STORE_F16, FLAW_STORE_I8 } flaw_storage;

flaw_status flaw_bundle_write(const char *path, const flaw_clip_shape *shape, const flaw_parameters *list,
                              const float *weights, const char *merges, size_t merges_size, const char *card_json,
                              flaw_storage storage, flaw_error *err);

#endif
