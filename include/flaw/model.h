/* Weights on disk: put together as their makers describe it, brought into one file, made smaller. Nothing here needs more
 * memory than a few megabytes and the largest tensor, however large the model is. */
#ifndef FLAW_MODEL_H
#define FLAW_MODEL_H

#include "flaw/inspect.h" /* flaw_progress */
#include "flaw/status.h"

/* Add a Vicuna delta (v0) to a LLaMA base. base, delta: Hugging Face folders (safetensors or torch files, whole or in
 * shards). out: folder, made when it is not there; it gets model.safetensors (F16) and the delta's configuration and
 * tokenizer. The token table and the head of the delta may have rows more than the base's (the [PAD] token): the base has
 * zeros there. Sums are taken in float32. Names that one of both lacks are an error that lists them; rotary_emb.inv_freq
 * buffers are left out, they are computed. progress counts megabytes. */
flaw_status flaw_model_merge_delta(const char *base, const char *delta, const char *out, flaw_progress progress,
                                   void *context, flaw_error *err);

#endif
