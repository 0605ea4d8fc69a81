/* safetensors writer. The header is padded with spaces to 8 bytes, so that the data is aligned. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/file.h"
#include "format/tensors.h"

static int compare_for_file(const void *a, const void *b)
{
    const flaw_tensor *x = *(const flaw_tensor *const *)a, *y = *(const flaw_tensor *const *)b;
    size_t p = flaw_dtype_size(x->dtype), q = flaw_dtype_size(y->dtype);
    if (p != q) return p > q ? -1 : 1;
    return strcmp(x->name, y->name);
}

static size_t bytes_of(const flaw_tensor *x)
{
    size_t bytes = flaw_dtype_size(x->dtype);
    for (int i = 0; i < x->rank; i++)
        if (!flaw_mul_ok(&bytes, bytes, x->shape[i])) return SIZE_MAX;
    return bytes;
}

/* NULL when a string is not UTF-8, a name comes twice, or memory runs out. */
static json_t *build_header(const flaw_tensor **item, size_t count, const char **metadata, size_t pairs, size_t *total)
{
    json_t *header = json_object(), *strings = json_object();
    bool ok = header && strings;
    size_t at = 0;
    for (size_t i = 0; ok && i < pairs; i++)
        ok = json_object_set_new(strings, metadata[2 * i], json_string(metadata[2 * i + 1])) == 0;
    if (ok && pairs) ok = json_object_set(header, "__metadata__", strings) == 0;
    for (size_t i = 0; ok && i < count; i++) {
        size_t end;
        json_t *shape = json_array();
        for (int d = 0; d < item[i]->rank; d++)
            ok = ok && json_array_append_new(shape, json_integer((json_int_t)item[i]->shape[d])) == 0;
        ok = ok && flaw_add_ok(&end, at, bytes_of(item[i])) && !json_object_get(header, item[i]->name);
        if (!ok) {
            json_decref(shape);
            break;
        }
        json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", flaw_dtype_name(item[i]->dtype), "shape", shape,
                                  "data_offsets", (json_int_t)at, (json_int_t)end);
        ok = json_object_set_new(header, item[i]->name, entry) == 0;
        at = end;
    }
    json_decref(strings);
    if (!ok) {
        json_decref(header);
        return NULL;
    }
    *total = at;
    return header;
}

flaw_status flaw_safetensors_write(const char *path, const flaw_tensor *items, size_t count, const char **metadata,
                                   size_t metadata_pairs, flaw_error *err)
{
    const flaw_tensor **order = calloc(count ? count : 1, sizeof *order);
    if (!order) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the tensor table", path);
    for (size_t i = 0; i < count; i++) order[i] = &items[i];
    qsort(order, count, sizeof *order, compare_for_file);

    size_t data = 0, size = 0;
    json_t *header = build_header(order, count, metadata, metadata_pairs, &data);
    char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    size_t length = text ? strlen(text) : 0, padded = (length + 7) / 8 * 8;
    uint8_t *file = text && flaw_add_ok(&size, 8 + padded, data) ? malloc(size) : NULL;
    flaw_status status;
    if (!file) {
        status = flaw_fail(err, FLAW_USAGE, "%s: cannot write tensors: a name comes twice, a text is not UTF-8, or %s",
                           path, "there is no memory");
    } else {
        uint8_t *at = file + 8 + padded;
        for (int i = 0; i < 8; i++) file[i] = (uint8_t)((uint64_t)padded >> (8 * i));
        memset(file + 8, ' ', padded);
        memcpy(file + 8, text, length);
        for (size_t i = 0; i < count; i++) {
            size_t bytes = bytes_of(order[i]);
            if (bytes) memcpy(at, order[i]->data, bytes);
            at += bytes;
        }
        status = flaw_file_write(path, file, size, err);
    }
    free(file);
    free(text);
    free(order);
    return status;
}
