/* Adapters in place of the prompt learner: what the training of a voice does otherwise for the paper's ablation. */
#include <string.h>

#include "learn/voice/voice_train_state.h"

enum { STREAM_ADAPTER = 4 };

/* Decoder and projection stay as they are. */
flaw_status flaw_voice_drop_prompts(flaw_voice **v, flaw_error *err)
{
    flaw_voice *old = *v, *plain = NULL;
    if (!old->shape.base) return FLAW_OK;
    flaw_voice_shape shape = old->shape;
    shape.base = 0;
    memset(shape.channels, 0, sizeof shape.channels);
    flaw_status status = flaw_voice_new(&plain, &shape, err);
    if (status) return status;
    for (size_t i = 0, k = 0; i < plain->list.count; i++, k++) { /* the same order, some left out */
        const flaw_parameter *p = &plain->list.item[i];
        while (strcmp(old->list.item[k].name, p->name)) k++;
        memcpy(plain->weights + p->offset, old->weights + old->list.item[k].offset, p->count * sizeof(float));
    }
    flaw_voice_close(old);
    *v = plain;
    return FLAW_OK;
}

flaw_status flaw_voice_adapter_open(flaw_voice_trainer *t, flaw_error *err)
{
    flaw_random random;
    flaw_random_init(&random, t->options->seed * 8 + STREAM_ADAPTER, 0);
    return flaw_lora_open(&t->lora, t->language, t->options->adapter, 1, &random, err);
}

void flaw_voice_adapter_backward(flaw_voice_trainer *t)
{
    flaw_lora_backward(&t->compute, &t->lora, &t->pass.g);
    memset(t->pass.grads, 0, t->language->list.total * sizeof(float));
}
