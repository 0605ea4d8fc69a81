#include <stdlib.h>

#include "model/bundle/language_part.h"
#include "model/voice/voice_read.h"

flaw_status flaw_voice_part(flaw_part *out, const flaw_voice *v, flaw_storage storage, flaw_error *err)
{
    flaw_buffer json;
    flaw_part p;
    flaw_buffer_init(&json, 4096);
    flaw_voice_config_write(&json, &v->shape);
    flaw_status status = json.failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory to write a voice")
                                     : flaw_part_init(&p, 2 * v->list.count, "voice", err);
    if (!status) {
        status = flaw_part_tell(&p, "voice", json.data, json.size, err);
        if (!status) status = flaw_part_floats(&p, &v->list, v->weights, storage, err);
        if (status) flaw_part_release(&p);
        else *out = p;
    }
    flaw_buffer_release(&json);
    return status;
}

flaw_status flaw_voice_bundle_write(const char *path, const flaw_voice *v, const flaw_language *m, flaw_storage storage,
                                    flaw_keep keep, const char *card_json, flaw_error *err)
{
    flaw_part voice, language;
    const char *const card[] = {"card", card_json};
    flaw_status status = flaw_voice_part(&voice, v, storage, err);
    if (status) return status;
    status = flaw_language_part(&language, m, keep, err);
    if (!status) {
        const flaw_part *const parts[] = {&language, &voice};
        status = flaw_parts_write(path, parts, 2, card, card_json ? 1 : 0, err);
        flaw_part_release(&language);
    }
    flaw_part_release(&voice);
    return status;
}
