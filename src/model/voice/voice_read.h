/* Voices on disk: as released, and in a bundle (docs/decisions/0013). */
#ifndef FLAW_MODEL_VOICE_READ_H
#define FLAW_MODEL_VOICE_READ_H

#include "base/buffer.h"
#include "format/tensors.h"
#include "model/voice/anomalygpt.h"
#include "model/open/bind.h"
#include "model/bundle/part.h"

/* As released: anomalygpt_delta.pt holds decoder and prompt learner, pandagpt_delta.pt the projection (and adapters, which are
 * the language model's business). `grid` and the map's side are the image tower's: they stand in no tensor. Missing,
 * left-over and misshapen names are one error that lists them. */
flaw_status flaw_voice_read_released(flaw_voice **out, const flaw_tensors *delta, const flaw_tensors *projection,
                                     const flaw_clip_shape *towers, flaw_error *err);
/* A bundle with "voice" metadata. */
flaw_status flaw_voice_read_bundle(flaw_voice **out, const flaw_tensors *bundle, flaw_error *err);

/* The same before anything is read: the shape, and what feeds each parameter; all of it has passed the test of fitting. It
 * must not be moved: the binding points into it, and to the tensors. */
typedef struct flaw_voice_source {
    flaw_voice_shape shape;
    flaw_tensors both; /* of the two released files, in one list; nothing of it is owned */
    flaw_parameters list;
    flaw_binding binding;
} flaw_voice_source;
flaw_status flaw_voice_bind_released(flaw_voice_source *out, const flaw_tensors *delta, const flaw_tensors *projection,
                                     const flaw_clip_shape *towers, flaw_arena *arena, flaw_error *err);
flaw_status flaw_voice_bind_bundle(flaw_voice_source *out, const flaw_tensors *bundle, flaw_arena *arena, flaw_error *err);
/* The voice's part of a bundle, and a bundle of language model and voice (card_json may be NULL). */
flaw_status flaw_voice_part(flaw_part *out, const flaw_voice *v, flaw_storage storage, flaw_error *err);
flaw_status flaw_voice_bundle_write(const char *path, const flaw_voice *v, const flaw_language *m, flaw_storage storage,
                                    flaw_keep keep, const char *card_json, flaw_error *err);

/* Metadata "voice", version 1. */
flaw_status flaw_voice_config(flaw_voice_shape *out, const char *json, size_t size, const char *name, flaw_error *err);
void flaw_voice_config_write(flaw_buffer *out, const flaw_voice_shape *shape);

/* FLAW_BAD_DATA unless voice, towers and language model fit each other; `name` is the file in the message. */
flaw_status flaw_voice_check_fit(const flaw_voice_shape *voice, const flaw_clip_shape *towers, int words, const char *name,
                                 flaw_error *err);

#endif
