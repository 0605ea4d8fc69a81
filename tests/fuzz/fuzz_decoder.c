/* Decoders of AnomalyGPT and APRIL-GAN in a safetensors file: read whole and finite, or refused. */
#include <math.h>
#include <string.h>

#include "fuzz.h"
#include "model/voice/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const flaw_clip_shape towers = {.joint = 2, .grid = 2, .side = 16, .image = {.width = 2}};
    flaw_voice *d = NULL;
    flaw_error err = {0};
    if (flaw_decoder_parse(&d, data, size, "fuzz", &towers, &err)) return 0;
    flaw_fuzz_require(d->shape.joint == 2 && d->shape.width == 2 && d->list.total == 24);
    for (size_t i = 0; i < d->list.total; i++) flaw_fuzz_require(isfinite(d->weights[i]));
    flaw_voice_close(d);
    return 0;
}
