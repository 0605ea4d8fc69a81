/* The model that ships inside the library: models/default.safetensors, a flaw bundle, byte for byte. */
#ifndef FLAW_MODEL_EMBEDDED_H
#define FLAW_MODEL_EMBEDDED_H

#include <stdint.h>

extern const uint8_t flaw_embedded[], flaw_embedded_end[];

/* Language model and voice, models/voice.safetensors; empty when the build found no such file. */
extern const uint8_t flaw_embedded_voice[], flaw_embedded_voice_end[];

/* Linear layers of APRIL-GAN for the embedded towers, models/april-gan.safetensors; empty likewise. */
extern const uint8_t flaw_embedded_april[], flaw_embedded_april_end[];

#endif
