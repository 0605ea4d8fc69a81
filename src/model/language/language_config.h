/* Configurations of language models. From memory, so that they can be fuzzed; `name` is the file in messages. Every
 * shape returned has passed flaw_language_shape_check. What would change the network and is not supported is refused by
 * name. */
#ifndef FLAW_MODEL_LANGUAGE_CONFIG_H
#define FLAW_MODEL_LANGUAGE_CONFIG_H

#include "base/buffer.h"
#include "format/tensors.h"
#include "model/language/language.h"

typedef struct flaw_language_config {
    flaw_language_shape shape;
    int bos, eos; /* ids of the beginning and end tokens; -1: none */
} flaw_language_config;

/* config.json of a LlamaForCausalLM. */
flaw_status flaw_language_config_hf(flaw_language_config *out, const char *json, size_t size, const char *name,
                                    flaw_error *err);
/* Metadata of a GGUF file of architecture "llama"; vocabulary and tied head follow from the tensors. */
flaw_status flaw_language_config_gguf(flaw_language_config *out, const flaw_tensors *tensors, flaw_error *err);
/* Metadata "language" of a flaw bundle (docs/decisions/0013), read and written. */
flaw_status flaw_language_config_bundle(flaw_language_config *out, const char *json, size_t size, const char *name,
                                        flaw_error *err);
void flaw_language_config_write(flaw_buffer *out, const flaw_language_config *config);

#endif
