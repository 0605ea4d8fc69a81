/* Writer of flaw bundles; they are read by source.c (shape, tokenizer) and bind.c (weights). */
#include "model/bundle/bundle.h"

#include "model/open/config.h"

static flaw_status add_config(flaw_part *part, const flaw_clip_shape *shape, flaw_error *err)
{
    flaw_buffer json;
    flaw_buffer_init(&json, 65536);
    flaw_config_bundle_write(&json, shape);
    flaw_status status = json.failed ? flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to write a bundle", part->name)
                                     : flaw_part_tell(part, "flaw", json.data, json.size, err);
    flaw_buffer_release(&json);
    return status;
}

flaw_status flaw_clip_part(flaw_part *out, const char *name, const flaw_clip_shape *shape, const flaw_parameters *list,
                           const float *weights, const char *merges, size_t merges_size, flaw_storage storage,
                           flaw_error *err)
{
    flaw_part part;
    if (shape->text.width && !merges)
        return flaw_fail(err, FLAW_USAGE, "%s: a bundle with a text tower needs the tokenizer's merges", name);
    flaw_status status = flaw_part_init(&part, 2 * list->count, name, err);
    if (status) return status;
    status = flaw_part_floats(&part, list, weights, storage, err);
    if (!status) status = add_config(&part, shape, err);
    if (!status && merges) status = flaw_part_tell(&part, "merges", merges, merges_size, err);
    if (status) flaw_part_release(&part);
    else *out = part;
    return status;
}

flaw_status flaw_bundle_write(const char *path, const flaw_clip_shape *shape, const flaw_parameters *list,
                              const float *weights, const char *merges, size_t merges_size, const char *card_json,
                              flaw_storage storage, flaw_error *err)
{
    flaw_part part;
    flaw_status status = flaw_clip_part(&part, path, shape, list, weights, merges, merges_size, storage, err);
    if (status) return status;
    if (card_json) {
        part.metadata[2 * part.pairs] = "card";
        part.metadata[2 * part.pairs++ + 1] = card_json;
    }
    status = flaw_safetensors_write(path, part.item, part.count, part.metadata, part.pairs, err);
    flaw_part_release(&part);
    return status;
}
