/* Engine: one loaded model, read-only once open, shared by any number of sessions and threads. */
#ifndef FLAW_ENGINE_H
#define FLAW_ENGINE_H

#include <stddef.h>

#include "flaw/picture.h"
#include "flaw/status.h"

typedef struct flaw_engine flaw_engine;

typedef struct flaw_engine_options {
    const char *model;     /* NULL or "default": the embedded model; else a folder or file */
    int side;              /* pictures are read at so many pixels a side; 0: the model's own. Others for timm's models and
                              DINOv2, a multiple of the patch */
    int threads;           /* 0: all processors this process may use */
    const char *precision; /* NULL or "auto" (float32; bf16 for a model of over 512 MB of float32), "f32", "bf16",
                              "int8": products */
    const char *level;     /* the kernels: NULL or "auto" (FLAW_CPU of the environment, else the best of this machine), or
                              one of this machine's: "ref", "neon", "avx2", "avx2-vnni", "avx512", "avx512-vnni",
                              "avx512-bf16", "amx" */
} flaw_engine_options;

flaw_status flaw_engine_open(flaw_engine **out, const flaw_engine_options *options, flaw_error *err);
void flaw_engine_close(flaw_engine *engine);

const char *flaw_engine_model_name(const flaw_engine *engine);
const char *flaw_engine_model_hash(const flaw_engine *engine); /* SHA-256 in hex, of names, shapes and values */
const char *flaw_engine_level(const flaw_engine *engine);      /* the kernels that run: "avx512-bf16" */
int flaw_engine_has_text(const flaw_engine *engine);
int flaw_engine_width(const flaw_engine *engine); /* length of an embedding: E, or D for an image-only model */
int flaw_engine_classes(const flaw_engine *engine); /* timm head, else 0 */

/* Floating-point operations of the matrix products and attention that one flaw_embed_picture takes. */
double flaw_engine_picture_flops(const flaw_engine *engine);

/* Embeddings of unit length, [flaw_engine_width]. The picture is prepared as the model was trained (shorter side, crop). */
flaw_status flaw_embed_picture(const flaw_engine *engine, const flaw_picture *picture, float *out, flaw_error *err);
flaw_status flaw_embed_text(const flaw_engine *engine, const char *text, float *out, int *cut_tokens, flaw_error *err);
/* Token ids of a text: start, words, end. At most `room` are written, *count says how many there are. */
flaw_status flaw_embed_tokens(const flaw_engine *engine, const char *text, int *ids, int room, int *count, flaw_error *err);
/* Class logits of an image-only model with a head (timm), [flaw_engine_classes]. FLAW_USAGE without one. */
flaw_status flaw_embed_logits(const flaw_engine *engine, const flaw_picture *picture, float *out, flaw_error *err);
/* Everything the image tower computed for a picture, as a safetensors file: pixels, block0.., cls, patches, window2, window3. */
flaw_status flaw_embed_dump(const flaw_engine *engine, const flaw_picture *picture, const char *path, flaw_error *err);

/* Text about what a model path holds (see flaw model info); *out is malloc'ed. The status is that of opening it. */
flaw_status flaw_model_info(char **out, const char *path, int json, flaw_error *err);

#endif
