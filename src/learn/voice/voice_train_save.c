/* Checkpoints of the training of a voice. Samples follow from the seed and the step, so no random state is kept. */
#include <inttypes.h>
#include <string.h>

#include "learn/voice/voice_train_state.h"
#include "model/language/language_config.h"
#include "model/voice/voice_read.h"

enum { FACTS = 5 };

/* The arrays of a part: weights and moments. A frozen part has none. */
static int list_arrays(const flaw_trained *p, const char *const name[3], flaw_checkpoint_array *out)
{
    if (!p->list) return 0;
    float *const data[] = {p->moments.w, p->moments.m, p->moments.v};
    for (int i = 0; i < 3; i++)
        out[i] = (flaw_checkpoint_array){.name = name[i], .data = data[i], .count = p->list->total};
    return 3;
}

/* The options that decide what is learnt. */
static void write_options(flaw_buffer *out, const flaw_voice_trainer *t)
{
    const flaw_voice_train_options *o = t->options;
    flaw_buffer_printf(out, "seed %" PRIu64 " steps %" PRId64 " warmup %" PRId64 " batch %d x %d window %d fresh %.9g",
                       o->seed, o->steps, o->warmup, o->batch, o->accumulate, o->window, o->fresh);
    flaw_buffer_printf(out, " rates %.9g %.9g %.9g%s decay %.9g clip %.9g focal %.9g dice %.9g", (double)o->rate,
                       (double)o->decoder_rate, (double)o->language_rate, o->linear ? " linear" : "", (double)o->decay,
                       (double)o->clip, (double)o->focal, (double)o->dice);
    flaw_buffer_printf(out, " shares %.9g %.9g %.9g %.9g photographs %zu %s", o->few_shot_share, o->ground_share,
                       o->dialogue_share, o->scene_share, t->photos.count, o->float32 ? "f32" : "bf16");
    if (o->adapter) flaw_buffer_printf(out, " adapters %d", o->adapter);
    if (o->swap_share > 0) flaw_buffer_printf(out, " swapped %.9g", o->swap_share);
    if (o->views != 1) flaw_buffer_printf(out, " views %d%s", o->views, o->even_levels ? " level" : "");
}

/* `text` holds what the facts say; the caller releases it. */
static flaw_status describe(flaw_checkpoint *out, flaw_checkpoint_array array[6], flaw_checkpoint_fact fact[FACTS],
                            flaw_buffer text[3], flaw_voice_trainer *t, flaw_error *err)
{
    static const char *const voice[] = {"voice.weights", "voice.m", "voice.v"};
    static const char *const language[] = {"language.weights", "language.m", "language.v"};
    static const char *const adapters[] = {"adapters.weights", "adapters.m", "adapters.v"};
    flaw_language_config config = {.shape = t->language->shape, .bos = t->language->bos, .eos = t->language->eos};
    for (int i = 0; i < 3; i++) flaw_buffer_init(&text[i], 65536);
    flaw_voice_config_write(&text[0], &t->voice->shape);
    flaw_language_config_write(&text[1], &config);
    write_options(&text[2], t);
    fact[0] = (flaw_checkpoint_fact){.key = "voice", .value = text[0].data, .what = "shape of the voice"};
    fact[1] = (flaw_checkpoint_fact){.key = "language", .value = text[1].data, .what = "shape of the language model"};
    fact[2] = (flaw_checkpoint_fact){.key = "options", .value = text[2].data, .what = "options"};
    fact[3] = (flaw_checkpoint_fact){.key = "dialogue", .value = flaw_dialogues_digest(t->text.dialogues),
                                     .what = "dialogues (--dialogue)"};
    fact[4] = (flaw_checkpoint_fact){.key = "frozen", .value = t->frozen, .what = "frozen language model"};
    *out = (flaw_checkpoint){.array = array, .fact = fact, .facts = t->frozen[0] ? FACTS : FACTS - 1,
                             .step = &t->step, .history = &t->history};
    out->arrays = list_arrays(&t->voice_part, voice, array);
    out->arrays += list_arrays(&t->language_part, t->lora.model ? adapters : language, array + out->arrays);
    bool failed = text[0].failed || text[1].failed || text[2].failed;
    return failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory for a checkpoint") : FLAW_OK;
}

static void release(flaw_buffer text[3])
{
    for (int i = 0; i < 3; i++) flaw_buffer_release(&text[i]);
}

flaw_status flaw_voice_save(flaw_voice_trainer *t, const char *path, flaw_error *err)
{
    flaw_checkpoint c;
    flaw_checkpoint_array array[6];
    flaw_checkpoint_fact fact[FACTS];
    flaw_buffer text[3];
    flaw_status status = describe(&c, array, fact, text, t, err);
    if (!status) status = flaw_checkpoint_save(&c, path, err);
    release(text);
    return status;
}

flaw_status flaw_voice_load(flaw_voice_trainer *t, const char *path, flaw_error *err)
{
    flaw_checkpoint c;
    flaw_checkpoint_array array[6];
    flaw_checkpoint_fact fact[FACTS];
    flaw_buffer text[3];
    flaw_status status = describe(&c, array, fact, text, t, err);
    if (!status) status = flaw_checkpoint_load(&c, path, err);
    release(text);
    if (!status && t->lora.model) flaw_lora_apply(&t->compute, &t->lora);
    return !status && t->language_part.list ? flaw_language_train_pack(&t->pass, &t->compute, err) : status;
}
