#include "model/open/look.h"

#include <jansson.h>
#include <string.h>

#include "base/path.h"
#include "format/tensors.h"
#include "model/voice/anomalygpt_files.h"
#include "model/bundle/embedded.h"

#define CONFIG_LIMIT ((size_t)4 << 20)

static flaw_status look_at_file(flaw_look *out, const char *path, flaw_error *err)
{
    flaw_tensors t;
    flaw_status status = flaw_tensors_open(&t, path, err);
    if (status) return status;
    out->towers = flaw_tensors_metadata(&t, "flaw") != NULL;
    out->voice = flaw_tensors_metadata(&t, "voice") != NULL;
    out->language = flaw_tensors_metadata(&t, "language") || flaw_tensors_metadata(&t, "general.architecture");
    if (!out->towers && !out->language && !out->voice) out->towers = true;
    flaw_tensors_close(&t);
    return FLAW_OK;
}

/* A folder's config.json tells a language model from towers. */
static flaw_status look_at_config(flaw_look *out, const char *config, flaw_error *err)
{
    flaw_bytes json;
    flaw_status status = flaw_file_read(&json, config, CONFIG_LIMIT, err);
    if (status) return status;
    json_t *root = json_loadb((const char *)json.data, json.size, 0, NULL);
    const char *type = json_string_value(json_object_get(root, "model_type"));
    out->language = type && strcmp(type, "llama") == 0;
    out->towers = !out->language;
    json_decref(root);
    flaw_bytes_release(&json);
    return FLAW_OK;
}

static flaw_status look_at_folder(flaw_look *out, const char *path, flaw_error *err)
{
    out->released = flaw_anomalygpt_is_folder(path);
    out->towers = true;
    if (out->released) {
        out->language = out->voice = true;
        return flaw_anomalygpt_check_folder(path, err);
    }
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    const char *config = flaw_path_join(&arena, path, "config.json");
    flaw_status status = config ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", path);
    if (!status && flaw_file_exists(config)) status = look_at_config(out, config, err);
    flaw_arena_release(&arena);
    return status;
}

flaw_status flaw_model_look(flaw_look *out, const char *path, flaw_error *err)
{
    *out = (flaw_look){.released = false};
    if (!path || !*path || strcmp(path, "default") == 0) {
        out->towers = true;
        out->language = out->voice = flaw_embedded_voice_end - flaw_embedded_voice > 0;
        return FLAW_OK;
    }
    return flaw_file_is_folder(path) ? look_at_folder(out, path, err) : look_at_file(out, path, err);
}
