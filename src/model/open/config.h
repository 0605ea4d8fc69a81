/* Configurations of the foreign forms and of the flaw bundle -> flaw_clip_shape. From memory, so that they can be
 * fuzzed; `name` is the file in messages. Every shape returned has passed flaw_clip_shape_check. */
#ifndef FLAW_MODEL_CONFIG_H
#define FLAW_MODEL_CONFIG_H

#include <jansson.h>

#include "base/buffer.h"
#include "format/tensors.h"
#include "model/tower/clip.h"

/* open_clip_config.json */
flaw_status flaw_config_openclip(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err);
/* config.json of a CLIPModel, and preprocessor_config.json (fills shape->prepare, checks the side). */
flaw_status flaw_config_hf(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err);
flaw_status flaw_config_hf_prepare(flaw_clip_shape *shape, const char *json, size_t size, const char *name,
                                   flaw_error *err);
/* config.json of a DINOv2 of Hugging Face, with or without registers, and its preprocessor_config.json. */
flaw_status flaw_config_dino(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err);
flaw_status flaw_config_dino_prepare(flaw_clip_shape *shape, const char *json, size_t size, const char *name,
                                     flaw_error *err);
/* timm has no configuration of the network: everything follows from the tensors; so it does for DINOv2 as
 * Meta published it, whose names are nearly the same. config.json, where there is one,
 * holds the preparation of pictures ("pretrained_cfg"); json NULL takes ImageNet's. */
flaw_status flaw_config_timm(flaw_clip_shape *out, const flaw_tensors *tensors, const char *json, size_t size,
                             const char *name, flaw_error *err);
/* ImageBind likewise; imagebind_config.json, where there is one, holds heads and stages; json NULL takes ImageBind-Huge's. */
flaw_status flaw_config_imagebind(flaw_clip_shape *out, const flaw_tensors *tensors, const char *json, size_t size,
                                  const char *name, flaw_error *err);
/* Metadata "flaw" of a bundle, read and written. */
flaw_status flaw_config_bundle(flaw_clip_shape *out, const char *json, size_t size, const char *name, flaw_error *err);
void flaw_config_bundle_write(flaw_buffer *out, const flaw_clip_shape *shape);

/* What configurations that name their network have in common: `read` fills a zeroed shape from the object, and derives
 * (flaw_clip_shape_derive) what follows from other numbers; then it is checked. */
typedef flaw_status flaw_config_reader(flaw_clip_shape *out, const json_t *root, const char *name, flaw_error *err);
flaw_status flaw_config_read(flaw_clip_shape *out, flaw_config_reader *read, const char *json, size_t size, const char *name,
                             flaw_error *err);

extern const flaw_prepare_shape flaw_prepare_clip;     /* CLIP's mean and deviation; resize_to 0 */
extern const flaw_prepare_shape flaw_prepare_imagenet; /* ImageNet's */

#endif
