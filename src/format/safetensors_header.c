#include "format/safetensors_header.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* Bytes of the last side in one row; 0 when it does not divide into blocks. A tensor without sides is one element. */
static size_t row_bytes(const flaw_tensor *x)
{
    const size_t last = x->rank ? x->shape[x->rank - 1] : 1, block = flaw_dtype_block(x->dtype);
    size_t bytes;
    return last % block == 0 && flaw_mul_ok(&bytes, last / block, flaw_dtype_size(x->dtype)) ? bytes : SIZE_MAX;
}

size_t flaw_safetensors_bytes(const flaw_tensor *x)
{
    size_t bytes = row_bytes(x);
    if (bytes == SIZE_MAX) return SIZE_MAX;
    for (int i = 0; i + 1 < x->rank; i++)
        if (!flaw_mul_ok(&bytes, bytes, x->shape[i])) return SIZE_MAX;
    return bytes;
}

static json_t *entry_of(const flaw_tensor *x, size_t begin, size_t end)
{
    const bool blocks = flaw_dtype_block(x->dtype) > 1;
    json_t *shape = json_array();
    for (int i = 0; i < x->rank; i++) {
        const size_t side = blocks && i + 1 == x->rank ? row_bytes(x) : x->shape[i];
        if (json_array_append_new(shape, json_integer((json_int_t)side)) != 0) {
            json_decref(shape);
            return NULL;
        }
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", blocks ? "U8" : flaw_dtype_name(x->dtype), "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)end);
}

static bool add_entries(json_t *header, json_t *blocks, const flaw_tensor *const *item, size_t count, size_t *total)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t bytes = flaw_safetensors_bytes(item[i]);
        size_t end;
        if (bytes == SIZE_MAX || !flaw_add_ok(&end, at, bytes) || json_object_get(header, item[i]->name)) return false;
        if (flaw_dtype_block(item[i]->dtype) > 1 &&
            (item[i]->rank != 2 ||
             json_object_set_new(blocks, item[i]->name, json_string(flaw_dtype_name(item[i]->dtype))) != 0))
            return false;
        if (json_object_set_new(header, item[i]->name, entry_of(item[i], at, end)) != 0) return false;
        at = end;
    }
    *total = at;
    return true;
}

/* The texts of the metadata; "blocks" is ours. */
static bool add_metadata(json_t *strings, const char *const *metadata, size_t pairs, const json_t *blocks)
{
    for (size_t i = 0; i < pairs; i++)
        if (strcmp(metadata[2 * i], "blocks") != 0 &&
            json_object_set_new(strings, metadata[2 * i], json_string(metadata[2 * i + 1])) != 0)
            return false;
    if (json_object_size(blocks) == 0) return true;
    char *text = json_dumps(blocks, JSON_COMPACT);
    const bool ok = text && json_object_set_new(strings, "blocks", json_string(text)) == 0;
    free(text);
    return ok;
}

json_t *flaw_safetensors_header(const flaw_tensor *const *item, size_t count, const char *const *metadata, size_t pairs,
                                size_t *total)
{
    json_t *header = json_object(), *strings = json_object(), *blocks = json_object();
    /* First of all keys, empty until the types of blocks are known. */
    bool ok = header && strings && blocks && json_object_set(header, "__metadata__", strings) == 0;
    ok = ok && add_entries(header, blocks, item, count, total) && add_metadata(strings, metadata, pairs, blocks);
    if (ok && json_object_size(strings) == 0) ok = json_object_del(header, "__metadata__") == 0;
    json_decref(strings);
    json_decref(blocks);
    if (ok) return header;
    json_decref(header);
    return NULL;
}

uint8_t *flaw_safetensors_header_bytes(const json_t *header, size_t *size)
{
    char *text = json_dumps(header, JSON_COMPACT);
    const size_t length = text ? strlen(text) : 0, padded = (length + 7) / 8 * 8;
    uint8_t *bytes = text ? malloc(8 + padded) : NULL;
    if (bytes) {
        for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)padded >> (8 * i));
        memcpy(bytes + 8, text, length);
        memset(bytes + 8 + length, ' ', padded - length);
        *size = 8 + padded;
    }
    free(text);
    return bytes;
}
