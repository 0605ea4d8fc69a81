/* Weights in whatever form they lie: one file told apart by its first bytes, a folder with a file of a usual name, or a
 * model cut into shards with an index of which tensor is in which. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "format/tensors.h"

enum { SHARD_LIMIT = 4096, INDEX_LIMIT = 64 << 20, NAMES_SHOWN = 4 };

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* ---- one file ---- */

static flaw_status parse_any(flaw_tensors *out, const uint8_t *bytes, size_t size, const char *path, flaw_error *err)
{
    /* 0x80: a pickle without its archive, which the torch reader refuses with advice. */
    if ((size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0) || (size >= 2 && bytes[0] == 0x80 && bytes[1] < 6))
        return flaw_torch_parse(out, bytes, size, path, err);
    if (size >= 4 && memcmp(bytes, "GGUF", 4) == 0) return flaw_gguf_parse(out, bytes, size, path, err);
    return flaw_safetensors_parse(out, bytes, size, path, err);
}

flaw_status flaw_tensors_map(flaw_tensors *out, const char *path, flaw_tensors_parser parse, flaw_error *err)
{
    flaw_bytes file;
    flaw_status status = flaw_file_map(&file, path, err);
    if (status) return status;
    status = parse(out, file.data, file.size, path, err);
    if (status) flaw_bytes_release(&file);
    else out->file = file;
    return status;
}

static flaw_status open_file(flaw_tensors *out, const char *path, flaw_error *err)
{
    return flaw_tensors_map(out, path, parse_any, err);
}

/* ---- shards ---- */

typedef struct shards {
    const char *index;             /* path of the index */
    json_t *map;                   /* {tensor: file} */
    const char *name[SHARD_LIMIT]; /* file names, in `map` */
    flaw_tensors shard[SHARD_LIMIT];
    size_t count, tensors; /* tensors: in all shards */
    flaw_error *err;
} shards;

static flaw_status read_index(shards *s, json_t **root)
{
    flaw_bytes text;
    flaw_status status = flaw_file_read(&text, s->index, INDEX_LIMIT, s->err);
    if (status) return status;
    json_error_t why;
    *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &why);
    flaw_bytes_release(&text);
    if (!*root)
        return flaw_fail(s->err, FLAW_BAD_DATA, "%s: index of a sharded model: line %d: %s", s->index, why.line,
                         why.text);
    s->map = json_object_get(*root, "weight_map");
    if (!json_is_object(s->map) || json_object_size(s->map) == 0)
        return flaw_fail(s->err, FLAW_BAD_DATA, "%s: no \"weight_map\" object, expected is {tensor: file, ...}",
                         s->index);
    return FLAW_OK;
}

/* Number of the shard of this file name, opened when it is new. */
static flaw_status open_shard(shards *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->name[i], name) == 0) return FLAW_OK;
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/'))
        return flaw_fail(s->err, FLAW_BAD_DATA,
                         "%s: shard '%.100s': only the name of a file beside the index is allowed", s->index, name);
    if (s->count == SHARD_LIMIT)
        return flaw_fail(s->err, FLAW_BAD_DATA, "%s: more than %d shards", s->index, SHARD_LIMIT);
    const char *slash = strrchr(s->index, '/');
    flaw_buffer path;
    flaw_buffer_init(&path, 1 << 16);
    flaw_buffer_append(&path, s->index, slash ? (size_t)(slash - s->index) + 1 : 0);
    flaw_buffer_text(&path, name);
    flaw_status status = path.failed ? flaw_fail(s->err, FLAW_NO_MEMORY, "%s: no memory", s->index)
                                     : open_file(&s->shard[s->count], path.data, s->err);
    flaw_buffer_release(&path);
    if (status) return status;
    s->tensors += s->shard[s->count].count;
    s->name[s->count++] = name;
    return FLAW_OK;
}

static flaw_status open_shards(shards *s)
{
    const char *tensor;
    json_t *file;
    json_object_foreach(s->map, tensor, file)
    {
        if (!json_is_string(file))
            return flaw_fail(s->err, FLAW_BAD_DATA, "%s: the shard of '%.200s' is not a text", s->index, tensor);
        flaw_status status = open_shard(s, json_string_value(file));
        if (status) return status;
    }
    return FLAW_OK;
}

/* A list in words that knows where to stop: "a, b, c, d, ...". */
static void list_name(char *list, size_t size, size_t *count, const char *name)
{
    const size_t used = strlen(list);
    if (*count < NAMES_SHOWN) snprintf(list + used, size - used, "%s%.120s", *count ? ", " : "", name);
    else if (*count == NAMES_SHOWN) snprintf(list + used, size - used, ", ...");
    ++*count;
}

/* The shards hold what the index says, each tensor in its file, and nothing more. */
static flaw_status check_map(shards *s)
{
    char missing[240] = "", left[240] = "";
    size_t missing_count = 0, left_count = 0;
    const char *tensor;
    json_t *file;
    json_object_foreach(s->map, tensor, file)
    {
        size_t i = 0;
        while (strcmp(s->name[i], json_string_value(file)) != 0) i++;
        if (!flaw_tensors_find(&s->shard[i], tensor)) list_name(missing, sizeof missing, &missing_count, tensor);
    }
    for (size_t i = 0; i < s->count; i++)
        for (size_t j = 0; j < s->shard[i].count; j++) {
            const char *said = json_string_value(json_object_get(s->map, s->shard[i].item[j].name));
            if (!said || strcmp(said, s->name[i]) != 0)
                list_name(left, sizeof left, &left_count, s->shard[i].item[j].name);
        }
    if (missing_count == 0 && left_count == 0) return FLAW_OK;
    return flaw_fail(s->err, FLAW_BAD_DATA,
                     "%s: its shards do not hold what it says: %zu missing, %zu left over: %s%s%s%s%s", s->index,
                     missing_count, left_count, missing_count ? "missing " : "", missing,
                     missing_count && left_count ? "; " : "", left_count ? "left over " : "", left);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const flaw_tensor *)a)->name, ((const flaw_tensor *)b)->name);
}

/* One table of all: mappings and arenas change their owner. */
static flaw_status join_shards(shards *s, flaw_tensors *out)
{
    flaw_tensors t = {0};
    flaw_arena_init(&t.arena, 0);
    t.path = flaw_arena_copy_string(&t.arena, s->index, strlen(s->index));
    t.item = flaw_arena_alloc(&t.arena, s->tensors, sizeof *t.item);
    t.more_path = flaw_arena_alloc(&t.arena, s->count, sizeof *t.more_path);
    t.more = calloc(s->count, sizeof *t.more);
    if (!t.path || !t.item || !t.more_path || !t.more) {
        flaw_tensors_close(&t);
        return flaw_fail(s->err, FLAW_NO_MEMORY, "%s: no memory for %zu tensors", s->index, s->tensors);
    }
    for (size_t i = 0; i < s->count; i++) {
        flaw_tensors *shard = &s->shard[i];
        if (shard->count) memcpy(t.item + t.count, shard->item, shard->count * sizeof *t.item);
        t.count += shard->count;
        t.more_path[t.more_count] = shard->path; /* in the arena that is adopted */
        t.more[t.more_count++] = shard->file;
        shard->file = (flaw_bytes){0};
        flaw_arena_adopt(&t.arena, &shard->arena);
    }
    qsort(t.item, t.count, sizeof *t.item, compare_names);
    *out = t;
    return FLAW_OK;
}

static flaw_status open_index(flaw_tensors *out, const char *path, flaw_error *err)
{
    shards *s = calloc(1, sizeof *s);
    if (!s) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", path);
    s->index = path;
    s->err = err;
    json_t *root = NULL;
    flaw_status status = read_index(s, &root);
    if (status == FLAW_OK) status = open_shards(s);
    if (status == FLAW_OK) status = check_map(s);
    if (status == FLAW_OK) status = join_shards(s, out);
    for (size_t i = 0; i < s->count; i++) flaw_tensors_close(&s->shard[i]);
    json_decref(root);
    free(s);
    return status;
}

/* ---- folders ---- */

/* The file of a folder that holds the weights: whole before sharded, safetensors before torch, then the only file of a
 * form. NULL when there is none. */
static const char *choose(const flaw_names *names)
{
    static const char *const usual[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                        "pytorch_model.bin.index.json", "pytorch_model.pt"};
    static const char *const ends[] = {".index.json", ".safetensors", ".gguf"};
    for (size_t u = 0; u < sizeof usual / sizeof usual[0]; u++)
        for (size_t i = 0; i < names->count; i++)
            if (strcmp(names->name[i], usual[u]) == 0) return names->name[i];
    for (size_t e = 0; e < sizeof ends / sizeof ends[0]; e++) {
        const char *found = NULL;
        size_t count = 0;
        for (size_t i = 0; i < names->count; i++)
            if (ends_with(names->name[i], ends[e])) {
                found = names->name[i];
                count++;
            }
        if (count == 1) return found;
    }
    return NULL;
}

static flaw_status open_folder(flaw_tensors *out, const char *path, flaw_error *err)
{
    flaw_names names;
    flaw_status status = flaw_file_list(&names, path, err);
    if (status) return status;
    const char *name = choose(&names);
    flaw_buffer file;
    flaw_buffer_init(&file, 1 << 16);
    flaw_buffer_printf(&file, "%s/%s", path, name ? name : "");
    if (!name)
        status = flaw_fail(
            err, FLAW_MISSING,
            "%s: no weights here: looked for model.safetensors, pytorch_model.bin, their .index.json, and one "
            "file *.safetensors or *.gguf",
            path);
    else if (file.failed) status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", path);
    else if (ends_with(name, ".index.json")) status = open_index(out, file.data, err);
    else status = open_file(out, file.data, err);
    flaw_buffer_release(&file);
    flaw_names_release(&names);
    return status;
}

flaw_status flaw_tensors_open(flaw_tensors *out, const char *path, flaw_error *err)
{
    if (flaw_file_is_folder(path)) return open_folder(out, path, err);
    return ends_with(path, ".index.json") ? open_index(out, path, err) : open_file(out, path, err);
}
