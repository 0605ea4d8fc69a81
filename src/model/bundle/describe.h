/* What a model path holds, in words: for `flaw model info`. Never loads half a model silently. */
#ifndef FLAW_MODEL_DESCRIBE_H
#define FLAW_MODEL_DESCRIBE_H

#include "base/buffer.h"
#include "flaw/status.h"

/* Appends lines "key: value" (form, files, towers, parameters, dtype, tokenizer, hash, missing..., left over...; language
 * model and voice below their names; sources and hashes of a bundle) to `out`;
 * `json` gives one JSON object instead. Returns FLAW_OK when the model is whole, else the status opening it would give
 * (and the description still lists what is there and what is missing). */
flaw_status flaw_model_describe(flaw_buffer *out, const char *path, int json, flaw_error *err);

#endif
