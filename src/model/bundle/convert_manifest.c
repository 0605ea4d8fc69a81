#include "model/bundle/convert_manifest.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/sha256.h"
#include "format/tensors.h"
#include "model/voice/anomalygpt_files.h"

enum { PIECE = 1 << 22 /* bytes hashed before their pages are given back */ };
#define MEGABYTE 1000000

typedef struct sources {
    const char *root; /* the path given */
    const char **path;
    size_t count, room;
    size_t done, total; /* bytes */
    flaw_arena arena;
    flaw_progress progress;
    void *context;
    flaw_error *err;
} sources;

static flaw_status add(sources *s, const char *path)
{
    for (size_t i = 0; path && i < s->count; i++)
        if (strcmp(s->path[i], path) == 0) return FLAW_OK;
    if (s->count == s->room) {
        const size_t room = s->room ? 2 * s->room : 64;
        const char **grown = flaw_arena_alloc(&s->arena, room, sizeof *grown);
        if (!grown) return flaw_fail(s->err, FLAW_NO_MEMORY, "%s: no memory for the list of its files", s->root);
        if (s->count) memcpy(grown, s->path, s->count * sizeof *grown);
        s->path = grown;
        s->room = room;
    }
    const char *copy = path ? flaw_arena_copy_string(&s->arena, path, strlen(path)) : NULL;
    if (!copy) return flaw_fail(s->err, FLAW_NO_MEMORY, "%s: no memory for the list of its files", s->root);
    s->path[s->count++] = copy;
    return FLAW_OK;
}

static flaw_status add_weights(sources *s, const char *path)
{
    flaw_tensors t;
    flaw_status status = flaw_tensors_open(&t, path, s->err);
    if (status) return status;
    status = add(s, t.path);
    for (size_t i = 0; i < t.more_count && !status; i++) status = add(s, t.more_path[i]);
    flaw_tensors_close(&t);
    return status;
}

/* What stands beside weights and is read with them. */
static bool is_beside(const char *name)
{
    static const char *const known[] = {
        "config.json",           "open_clip_config.json",        "preprocessor_config.json",
        "imagebind_config.json", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt",
        "tokenizer.model"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i]) == 0) return true;
    return length > 7 && strncmp(name, "tok", 3) == 0 && strcmp(name + length - 4, ".bin") == 0;
}

static flaw_status add_beside(sources *s, const char *folder)
{
    flaw_names names;
    flaw_status status = flaw_file_list(&names, folder, s->err);
    if (status) return status;
    for (size_t i = 0; i < names.count && !status; i++)
        if (is_beside(names.name[i])) status = add(s, flaw_path_join(&s->arena, folder, names.name[i]));
    flaw_names_release(&names);
    return status;
}

static flaw_status gather(sources *s)
{
    const char *vicuna = flaw_path_join(&s->arena, s->root, FLAW_FILE_VICUNA);
    flaw_status status;
    if (!vicuna) return flaw_fail(s->err, FLAW_NO_MEMORY, "%s: no memory for the list of its files", s->root);
    if (!flaw_file_is_folder(s->root)) return add(s, s->root);
    status = add_beside(s, s->root);
    if (status || !flaw_anomalygpt_is_folder(s->root)) return status ? status : add_weights(s, s->root);
    static const char *const files[] = {FLAW_FILE_IMAGEBIND, FLAW_FILE_PANDAGPT, FLAW_FILE_ANOMALYGPT};
    for (size_t i = 0; i < 3 && !status; i++) status = add(s, flaw_path_join(&s->arena, s->root, files[i]));
    if (!status) status = add_beside(s, vicuna);
    return status ? status : add_weights(s, vicuna);
}

static flaw_status hash_file(sources *s, const flaw_bytes *file, char hex[65])
{
    flaw_sha256 h;
    uint8_t digest[32];
    flaw_sha256_init(&h);
    for (size_t at = 0; at < file->size; at += PIECE) {
        const size_t size = file->size - at < PIECE ? file->size - at : PIECE;
        flaw_sha256_update(&h, file->data + at, size);
        flaw_bytes_drop(file, file->data + at, size);
        s->done += size;
        if (s->progress && s->progress(s->context, s->done / MEGABYTE, s->total / MEGABYTE, "MB read"))
            return flaw_fail(s->err, FLAW_USAGE, "cancelled");
    }
    flaw_sha256_final(&h, digest);
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return FLAW_OK;
}

/* Name within the path that was given; the last part of it for a single file. */
static const char *name_of(const sources *s, const char *path)
{
    size_t length = strlen(s->root);
    if (strcmp(path, s->root) == 0) return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    while (path[length] == '/') length++;
    return path + length;
}

static flaw_status add_hash(sources *s, const char *path, json_t *list)
{
    flaw_bytes file;
    char hex[65];
    flaw_status status = flaw_file_map(&file, path, s->err);
    if (status) return status;
    status = hash_file(s, &file, hex);
    const json_int_t bytes = (json_int_t)file.size;
    flaw_bytes_release(&file);
    if (status) return status;
    /* A name that is not UTF-8 cannot stand in JSON; "?" says that there was one. */
    json_t *name = json_string(name_of(s, path));
    json_t *entry = json_pack("{s:o, s:I, s:s}", "file", name ? name : json_string("?"), "bytes", bytes, "sha256", hex);
    return json_array_append_new(list, entry) == 0
               ? FLAW_OK
               : flaw_fail(s->err, FLAW_NO_MEMORY, "%s: no memory for the manifest", s->root);
}

static flaw_status write_manifest(sources *s, json_t *list, const char *before, flaw_buffer *out)
{
    json_t *manifest = json_pack("{s:i, s:s, s:O}", "version", 1, "by", "flaw " FLAW_VERSION, "sources", list);
    json_t *old = before ? json_loads(before, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (manifest && old) json_object_set(manifest, "before", old);
    char *text = manifest ? json_dumps(manifest, JSON_COMPACT) : NULL;
    if (text) flaw_buffer_text(out, text);
    const bool ok = text && !out->failed;
    free(text);
    json_decref(old);
    json_decref(manifest);
    return ok ? FLAW_OK : flaw_fail(s->err, FLAW_NO_MEMORY, "%s: no memory for the manifest", s->root);
}

static flaw_status count_bytes(sources *s)
{
    for (size_t i = 0; i < s->count; i++) {
        flaw_bytes file;
        flaw_status status = flaw_file_map(&file, s->path[i], s->err);
        if (status) return status;
        s->total += file.size;
        flaw_bytes_release(&file);
    }
    return FLAW_OK;
}

flaw_status flaw_manifest_make(flaw_buffer *out, const char *path, const char *before, flaw_progress progress,
                               void *context, flaw_error *err)
{
    sources s = {.root = path, .progress = progress, .context = context, .err = err};
    json_t *list = json_array();
    flaw_arena_init(&s.arena, 0);
    flaw_status status = list ? gather(&s) : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the manifest", path);
    if (!status) status = count_bytes(&s);
    for (size_t i = 0; i < s.count && !status; i++) status = add_hash(&s, s.path[i], list);
    if (!status) status = write_manifest(&s, list, before, out);
    json_decref(list);
    flaw_arena_release(&s.arena);
    return status;
}
