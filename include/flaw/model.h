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

/* Any model that flaw reads as ONE file: a released AnomalyGPT's folder, a language model (Hugging Face LLaMA folder,
 * GGUF), towers, or another such bundle. keep: how the language model's matrices are kept: NULL or "file" (as they are, which
 * gives the same answers; those with PandaGPT's adapters as F32, for these are added), "f32", "bf16", "int8" or "int4"
 * (blocks of 32; towers' matrices of F32 then become F16). The metadata "manifest" names every file that was read with its
 * SHA-256, "sha256" has that of every tensor. progress counts megabytes, first read, then written. */
flaw_status flaw_model_convert(const char *path, const char *out, const char *keep, flaw_progress progress, void *context,
                               flaw_error *err);
/* The same for what holds a language model, as "int8" or "int4". */
flaw_status flaw_model_quantize(const char *path, const char *out, const char *keep, flaw_progress progress, void *context,
                                flaw_error *err);

#endif
