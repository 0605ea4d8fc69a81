/* A model in whatever form it was published becomes one bundle (docs/decisions/0013): its parts are opened, their
 * matrices left in their files, and streamed into the new one. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "flaw/model.h"
#include "model/voice/anomalygpt_files.h"
#include "model/bundle/binding_part.h"
#include "model/open/config.h"
#include "model/bundle/convert_manifest.h"
#include "model/text/gunzip.h"
#include "model/bundle/language_part.h"
#include "model/open/look.h"
#include "model/open/source.h"
#include "model/voice/voice_read.h"

enum { PARTS = 3, MERGES_LIMIT = 64 << 20 };

typedef struct converter {
    const char *path, *out;
    flaw_keep keep;
    bool needs_language;
    flaw_look look;
    flaw_compute compute;
    flaw_source towers;
    flaw_parameters towers_list;
    flaw_binding towers_binding;
    flaw_language *language;
    flaw_tensors delta, projection, bundle;
    flaw_adapters adapters;
    flaw_voice_source voice;
    const flaw_tensors *files[PARTS]; /* whose pages are given back */
    flaw_part part[PARTS];
    size_t parts;
    flaw_arena arena;
    flaw_progress progress;
    void *context;
    flaw_error *err;
} converter;

static flaw_status no_memory(converter *k)
{
    return flaw_fail(k->err, FLAW_NO_MEMORY, "%s: no memory to convert it", k->path);
}

/* ---- parts ---- */

/* The heading and as many merges as the vocabulary has, all that a tokenizer takes from the list. */
static size_t used_merges(const char *text, size_t size, int vocab)
{
    const char *at = text, *end = text + size;
    for (int line = 0; line < 1 + vocab - 512 - 2 && at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        at = stop ? stop + 1 : end;
    }
    return (size_t)(at - text);
}

static flaw_status merges_of_folder(converter *k, flaw_bytes *out)
{
    static const char *const names[] = {"bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"};
    for (int i = 0; i < 2; i++) {
        const char *path = flaw_path_join(&k->arena, k->towers.folder, names[i]);
        flaw_bytes file;
        if (!path) return no_memory(k);
        if (!flaw_file_exists(path)) continue;
        flaw_status status = flaw_file_read(&file, path, MERGES_LIMIT, k->err);
        if (status) return status;
        if (!flaw_is_gzip(file.data, file.size)) {
            *out = file;
            return FLAW_OK;
        }
        status = flaw_gunzip(out, file.data, file.size, MERGES_LIMIT, path, k->err);
        flaw_bytes_release(&file);
        return status;
    }
    return flaw_fail(k->err, FLAW_UNAVAILABLE, "%s: a bundle keeps the list of merges: put CLIP's %s into the folder",
                     k->towers.folder, names[0]);
}

static flaw_status tell_merges(converter *k, flaw_part *part)
{
    flaw_bytes text = {0};
    flaw_status status = FLAW_OK;
    const char *merges = flaw_tensors_metadata(&k->towers.tensors, "merges");
    if (!k->towers.shape.text.width) return FLAW_OK;
    if (!merges) {
        if (!k->towers.folder) return flaw_fail(k->err, FLAW_MISSING, "%s: no \"merges\" in the metadata", k->path);
        status = merges_of_folder(k, &text);
        if (status) return status;
        merges = (const char *)text.data;
    }
    const size_t size = text.data ? text.size : strlen(merges);
    status = flaw_part_tell(part, "merges", merges, used_merges(merges, size, k->towers.shape.vocab), k->err);
    flaw_bytes_release(&text);
    return status;
}

static bool halves(const converter *k)
{
    return k->keep == FLAW_KEEP_INT8 || k->keep == FLAW_KEEP_INT4;
}

static flaw_status add_towers(converter *k)
{
    flaw_tokenizer *tokenizer = NULL;
    flaw_part *part = &k->part[k->parts];
    flaw_status status = flaw_source_open(&k->towers, k->path, k->err);
    const flaw_source *s = &k->towers;
    if (!status) status = flaw_clip_parameters(&k->towers_list, &s->shape, &k->arena, k->err);
    if (!status)
        status = flaw_binding_make(&k->towers_binding, &s->tensors, flaw_source_names(s), &k->towers_list, &k->arena,
                                   k->err);
    if (!status) status = flaw_binding_verdict(&k->towers_binding, k->err);
    if (!status) status = flaw_source_tokenizer(&tokenizer, s, k->err); /* a check: it fits the tower */
    flaw_tokenizer_free(tokenizer);
    if (status) return status;
    k->files[0] = &k->towers.tensors;
    status = flaw_binding_part(part, &k->towers_binding, halves(k), k->files, 1, k->path, k->err);
    if (status) return status;
    k->parts++;
    flaw_buffer json;
    flaw_buffer_init(&json, 65536);
    flaw_config_bundle_write(&json, &s->shape);
    status = json.failed ? no_memory(k) : flaw_part_tell(part, "flaw", json.data, json.size, k->err);
    flaw_buffer_release(&json);
    return status ? status : tell_merges(k, part);
}

/* Opened as the file has it: nothing is converted before it is written. */
static flaw_status add_language(converter *k)
{
    const char *path = k->look.released ? flaw_path_join(&k->arena, k->path, FLAW_FILE_VICUNA) : k->path;
    if (!path) return no_memory(k);
    flaw_status status = flaw_language_open(&k->language, path, FLAW_KEEP_FILE, NULL, &k->compute, k->err);
    k->adapters = (flaw_adapters){.tensors = &k->projection, .scale = 1}; /* alpha is the rank */
    if (!status)
        status = flaw_language_part_adapted(&k->part[k->parts], k->language, k->keep, k->look.released ? &k->adapters : NULL,
                                            &k->compute, k->err);
    if (!status) k->parts++;
    return status;
}

static flaw_status bind_voice(converter *k)
{
    if (!k->look.released) {
        k->files[1] = &k->bundle;
        return flaw_voice_bind_bundle(&k->voice, &k->bundle, &k->arena, k->err);
    }
    k->files[1] = &k->delta;
    k->files[2] = &k->projection;
    return flaw_voice_bind_released(&k->voice, &k->delta, &k->projection, &k->towers.shape, &k->arena, k->err);
}

static flaw_status add_voice(converter *k)
{
    flaw_part *part = &k->part[k->parts];
    flaw_buffer json;
    flaw_status status = bind_voice(k);
    if (!status && k->look.towers && k->look.language)
        status =
            flaw_voice_check_fit(&k->voice.shape, &k->towers.shape, k->language->shape.block.width, k->path, k->err);
    if (!status)
        status = flaw_binding_part(part, &k->voice.binding, false, k->files + 1, k->files[2] ? 2 : 1, k->path, k->err);
    if (status) return status;
    k->parts++;
    flaw_buffer_init(&json, 65536);
    flaw_voice_config_write(&json, &k->voice.shape);
    status = json.failed ? no_memory(k) : flaw_part_tell(part, "voice", json.data, json.size, k->err);
    flaw_buffer_release(&json);
    return status;
}

/* ---- all of it ---- */

static flaw_status open_deltas(converter *k)
{
    const char *delta = flaw_path_join(&k->arena, k->path, FLAW_FILE_ANOMALYGPT);
    const char *projection = flaw_path_join(&k->arena, k->path, FLAW_FILE_PANDAGPT);
    if (!delta || !projection) return no_memory(k);
    flaw_status status = flaw_torch_open(&k->delta, delta, k->err);
    return status ? status : flaw_torch_open(&k->projection, projection, k->err);
}

static flaw_status open_parts(converter *k)
{
    flaw_status status = flaw_model_look(&k->look, k->path, k->err);
    if (!status && k->needs_language && !k->look.language)
        status =
            flaw_fail(k->err, FLAW_USAGE, "%s: holds no language model, whose matrices could be made smaller", k->path);
    if (!status && k->look.released) status = open_deltas(k);
    if (!status && !flaw_file_is_folder(k->path)) status = flaw_tensors_open(&k->bundle, k->path, k->err);
    if (!status && k->look.towers) status = add_towers(k);
    if (!status && k->look.language) status = add_language(k);
    if (!status && k->look.voice) status = add_voice(k);
    return status;
}

static flaw_status write_bundle(converter *k)
{
    const flaw_part *part[PARTS];
    const char *metadata[4], *card = flaw_tensors_metadata(&k->bundle, "card");
    size_t pairs = 0;
    flaw_buffer manifest;
    flaw_buffer_init(&manifest, (size_t)16 << 20);
    flaw_status status = flaw_manifest_make(&manifest, k->path, flaw_tensors_metadata(&k->bundle, "manifest"),
                                            k->progress, k->context, k->err);
    metadata[2 * pairs] = "manifest";
    metadata[2 * pairs++ + 1] = manifest.data;
    if (card) {
        metadata[2 * pairs] = "card";
        metadata[2 * pairs++ + 1] = card;
    }
    for (size_t i = 0; i < k->parts; i++) part[i] = &k->part[i];
    if (!status)
        status = flaw_parts_write_watched(k->out, part, k->parts, metadata, pairs, k->progress, k->context, k->err);
    flaw_buffer_release(&manifest);
    return status;
}

static flaw_status parse_keep(flaw_keep *out, const char *name, flaw_error *err)
{
    static const struct {
        const char *name;
        flaw_keep keep;
    } all[] = {{"file", FLAW_KEEP_FILE},
               {"f32", FLAW_KEEP_F32},
               {"bf16", FLAW_KEEP_BF16},
               {"int8", FLAW_KEEP_INT8},
               {"int4", FLAW_KEEP_INT4}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(name ? name : "file", all[i].name) == 0) {
            *out = all[i].keep;
            return FLAW_OK;
        }
    return flaw_fail(err, FLAW_USAGE, "weights cannot be kept as '%.40s', known are file, f32, bf16, int8, int4", name);
}

static void release(converter *k)
{
    for (size_t i = 0; i < k->parts; i++) flaw_part_release(&k->part[i]);
    flaw_language_close(k->language);
    flaw_source_close(&k->towers);
    flaw_tensors_close(&k->delta);
    flaw_tensors_close(&k->projection);
    flaw_tensors_close(&k->bundle);
    flaw_compute_close(&k->compute);
    flaw_arena_release(&k->arena);
}

static flaw_status convert(converter *k, const char *keep)
{
    flaw_status status = parse_keep(&k->keep, keep, k->err);
    if (status) return status;
    status = flaw_compute_open(&k->compute, 0, FLAW_LEVEL_AUTO, FLAW_F32, k->err);
    if (status) return status;
    flaw_arena_init(&k->arena, 0);
    status = open_parts(k);
    if (!status) status = write_bundle(k);
    release(k);
    return status;
}

flaw_status flaw_model_convert(const char *path, const char *out, const char *keep, flaw_progress progress,
                               void *context, flaw_error *err)
{
    converter *k = calloc(1, sizeof *k);
    if (!k) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to convert it", path);
    *k = (converter){.path = path, .out = out, .progress = progress, .context = context, .err = err};
    flaw_status status = convert(k, keep);
    free(k);
    return status;
}

flaw_status flaw_model_quantize(const char *path, const char *out, const char *keep, flaw_progress progress,
                                void *context, flaw_error *err)
{
    if (!keep || (strcmp(keep, "int8") != 0 && strcmp(keep, "int4") != 0))
        return flaw_fail(err, FLAW_USAGE, "matrices become int8 or int4, not '%.40s'", keep ? keep : "");
    converter *k = calloc(1, sizeof *k);
    if (!k) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to convert it", path);
    *k = (converter){
        .path = path, .out = out, .needs_language = true, .progress = progress, .context = context, .err = err};
    flaw_status status = convert(k, keep);
    free(k);
    return status;
}
