#include "format/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "format/safetensors_header.h"

struct flaw_tensor_writer {
    flaw_file_stream *file;
    char *path;
    json_t *header;
    size_t header_size;
    size_t *bytes;      /* [count] of each item */
    char (*digest)[65]; /* [count] */
    const char **name;  /* [count] in `header` */
    size_t count, now;  /* item that comes next */
    size_t done;        /* bytes of it that have come */
    flaw_sha256 hash;   /* over them */
};

void flaw_tensor_writer_abandon(flaw_tensor_writer *w)
{
    if (!w) return;
    flaw_file_stream_abandon(w->file);
    json_decref(w->header);
    free(w->path);
    free(w->bytes);
    free(w->digest);
    free(w->name);
    free(w);
}

/* The metadata "sha256" from the digests, which are zeros at the beginning: the same length at any time. */
static bool set_digests(flaw_tensor_writer *w)
{
    json_t *metadata = json_object_get(w->header, "__metadata__"), *digests = json_object();
    bool ok = digests != NULL;
    for (size_t i = 0; i < w->count && ok; i++)
        ok = json_object_set_new(digests, w->name[i], json_string(w->digest[i])) == 0;
    char *text = ok ? json_dumps(digests, JSON_COMPACT) : NULL;
    ok = text && json_object_set_new(metadata, "sha256", json_string(text)) == 0;
    free(text);
    json_decref(digests);
    return ok;
}

static bool make_header(flaw_tensor_writer *w, const flaw_tensor *items, const char *const *metadata, size_t pairs,
                        size_t *total)
{
    /* "sha256" must be among them for its place; its value comes with set_digests. */
    const char **all = calloc(2 * pairs + 2, sizeof *all);
    const flaw_tensor **item = calloc(w->count + 1, sizeof *item);
    size_t kept = 0;
    for (size_t i = 0; all && i < pairs; i++) {
        if (strcmp(metadata[2 * i], "sha256") == 0) continue;
        all[2 * kept] = metadata[2 * i];
        all[2 * kept++ + 1] = metadata[2 * i + 1];
    }
    for (size_t i = 0; item && i < w->count; i++) item[i] = &items[i];
    if (all && item) {
        all[2 * kept] = "sha256";
        all[2 * kept++ + 1] = "";
        w->header = flaw_safetensors_header(item, w->count, all, kept, total);
    }
    free(all);
    free(item);
    if (!w->header) return false;
    const char *name;
    json_t *entry;
    size_t i = 0;
    json_object_foreach(w->header, name, entry)
    {
        if (strcmp(name, "__metadata__") != 0) w->name[i++] = name;
    }
    return set_digests(w);
}

static flaw_status begin_file(flaw_tensor_writer *w, size_t total, flaw_error *err)
{
    uint8_t *header = flaw_safetensors_header_bytes(w->header, &w->header_size);
    if (!header) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the header", w->path);
    flaw_status status = flaw_file_stream_begin(&w->file, w->path, w->header_size + total, err);
    if (!status) status = flaw_file_stream_write(w->file, header, w->header_size, err);
    free(header);
    return status;
}

flaw_status flaw_tensor_writer_begin(flaw_tensor_writer **out, const char *path, const flaw_tensor *items, size_t count,
                                     const char *const *metadata, size_t metadata_pairs, flaw_error *err)
{
    flaw_tensor_writer *w = calloc(1, sizeof *w);
    size_t total = 0;
    flaw_status status;
    if (!w) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the tensor table", path);
    w->count = count;
    w->path = strdup(path);
    w->bytes = calloc(count + 1, sizeof *w->bytes);
    w->digest = calloc(count + 1, sizeof *w->digest);
    w->name = calloc(count + 1, sizeof *w->name);
    flaw_sha256_init(&w->hash);
    if (!w->path || !w->bytes || !w->digest || !w->name) {
        status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the tensor table", path);
    } else {
        for (size_t i = 0; i < count; i++) {
            w->bytes[i] = flaw_safetensors_bytes(&items[i]);
            memset(w->digest[i], '0', 64);
        }
        if (make_header(w, items, metadata, metadata_pairs, &total)) status = begin_file(w, total, err);
        else
            status = flaw_fail(err, FLAW_USAGE,
                               "%s: cannot write tensors: a name comes twice, a text is not UTF-8, a "
                               "row does not divide into blocks, or there is no memory",
                               path);
    }
    if (status) flaw_tensor_writer_abandon(w);
    else *out = w;
    return status;
}

/* All of an item has come, or nothing of it was to come: its digest, and on to the next. */
static void finish_items(flaw_tensor_writer *w)
{
    while (w->now < w->count && w->done == w->bytes[w->now]) {
        uint8_t digest[32];
        flaw_sha256_final(&w->hash, digest);
        for (int i = 0; i < 32; i++) {
            static const char hex[] = "0123456789abcdef";
            w->digest[w->now][2 * i] = hex[digest[i] >> 4];
            w->digest[w->now][2 * i + 1] = hex[digest[i] & 15];
        }
        flaw_sha256_init(&w->hash);
        w->now++;
        w->done = 0;
    }
}

flaw_status flaw_tensor_writer_data(flaw_tensor_writer *w, const void *bytes, size_t size, flaw_error *err)
{
    const uint8_t *at = bytes;
    finish_items(w);
    for (size_t left = size; left > 0;) {
        if (w->now == w->count)
            return flaw_fail(err, FLAW_USAGE, "%s: %zu bytes more than the tensors have", w->path, left);
        const size_t wanted = w->bytes[w->now] - w->done, piece = left < wanted ? left : wanted;
        flaw_status status = flaw_file_stream_write(w->file, at, piece, err);
        if (status) return status;
        flaw_sha256_update(&w->hash, at, piece);
        at += piece;
        left -= piece;
        w->done += piece;
        finish_items(w);
    }
    return FLAW_OK;
}

static flaw_status write_digests(flaw_tensor_writer *w, flaw_error *err)
{
    size_t size = 0;
    uint8_t *header = set_digests(w) ? flaw_safetensors_header_bytes(w->header, &size) : NULL;
    flaw_status status;
    if (!header) status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the header", w->path);
    else if (size != w->header_size) status = flaw_fail(err, FLAW_INTERNAL, "%s: the header grew", w->path);
    else status = flaw_file_stream_rewrite(w->file, 0, header, size, err);
    free(header);
    return status;
}

flaw_status flaw_tensor_writer_end(flaw_tensor_writer *w, char (*digest)[65], flaw_error *err)
{
    flaw_status status = FLAW_OK;
    finish_items(w);
    if (w->now < w->count)
        status = flaw_fail(err, FLAW_USAGE, "%s: tensor '%s' has %zu of %zu bytes", w->path, w->name[w->now], w->done,
                           w->bytes[w->now]);
    if (!status) status = write_digests(w, err);
    if (!status) {
        status = flaw_file_stream_end(w->file, err);
        w->file = NULL;
    }
    if (!status && digest) memcpy(digest, w->digest, w->count * sizeof *digest);
    flaw_tensor_writer_abandon(w);
    return status;
}
