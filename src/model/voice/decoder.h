/* The decoder of an AnomalyGPT or of an APRIL-GAN (arXiv 2305.17382) alone: one linear per stage that brings the
 * tower's patch tokens to the joint space of pictures and words. It is a flaw_voice of which only `shape` and the
 * decoder's part of `view` are there, so that the passes of anomalygpt.h (flaw_decoder_map, flaw_decoder_backward)
 * serve it too; flaw_voice_close closes it. */
#ifndef FLAW_MODEL_DECODER_H
#define FLAW_MODEL_DECODER_H

#include "model/voice/anomalygpt.h"
#include "model/bundle/part.h"

/* Weights 0. The shape's `words`, `base` and `channels` are not looked at; list: "decoder.0.w", "decoder.0.b", ... */
flaw_status flaw_decoder_new(flaw_voice **out, const flaw_voice_shape *shape, flaw_error *err);

/* FLAW_BAD_DATA unless the sides are those of the towers and the numbers within their limits. */
flaw_status flaw_decoder_check(const flaw_voice_shape *shape, const flaw_clip_shape *towers, const char *name,
                               flaw_error *err);

/* The decoder that a file or folder holds, whatever else is in it:
 *   a bundle with a voice; a file of flaw train april-gan (metadata "decoder"); AnomalyGPT's folder or its delta
 *   (image_decoder.fc.N.weight); APRIL-GAN's checkpoint (trainable_linearlayer: fc.N.weight).
 * NULL or "default": the embedded voice's. FLAW_MISSING when there is none. */
flaw_status flaw_decoder_open(flaw_voice **out, const char *path, const flaw_clip_shape *towers, flaw_error *err);
/* The same from bytes of a safetensors file. */
flaw_status flaw_decoder_parse(flaw_voice **out, const uint8_t *bytes, size_t size, const char *name,
                               const flaw_clip_shape *towers, flaw_error *err);

/* Metadata "decoder" and the linears. FLAW_STORE_I8 keeps every row to 1/254 of its largest weight. */
flaw_status flaw_decoder_write(const char *path, const flaw_voice *decoder, flaw_storage storage, flaw_error *err);

#endif
