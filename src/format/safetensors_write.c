/* safetensors writer for what is in memory. The header is padded with spaces to 8 bytes, so that the data is aligned.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "format/safetensors_header.h"

static int compare_for_file(const void *a, const void *b)
{
    const flaw_tensor *x = *(const flaw_tensor *const *)a, *y = *(const flaw_tensor *const *)b;
    size_t p = flaw_dtype_size(x->dtype), q = flaw_dtype_size(y->dtype);
    if (p != q) return p > q ? -1 : 1;
    return strcmp(x->name, y->name);
}

static flaw_status write_parts(const char *path, const uint8_t *header, size_t header_size, size_t total,
                               const flaw_tensor *const *item, size_t count, flaw_error *err)
{
    flaw_file_stream *file;
    flaw_status status = flaw_file_stream_begin(&file, path, header_size + total, err);
    if (status) return status;
    status = flaw_file_stream_write(file, header, header_size, err);
    for (size_t i = 0; i < count && !status; i++)
        status = flaw_file_stream_write(file, item[i]->data, flaw_safetensors_bytes(item[i]), err);
    if (!status) return flaw_file_stream_end(file, err);
    flaw_file_stream_abandon(file);
    return status;
}

flaw_status flaw_safetensors_write(const char *path, const flaw_tensor *items, size_t count, const char **metadata,
                                   size_t metadata_pairs, flaw_error *err)
{
    const flaw_tensor **order = calloc(count ? count : 1, sizeof *order);
    if (!order) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the tensor table", path);
    for (size_t i = 0; i < count; i++) order[i] = &items[i];
    qsort(order, count, sizeof *order, compare_for_file);

    size_t total = 0, size = 0;
    json_t *header = flaw_safetensors_header(order, count, metadata, metadata_pairs, &total);
    uint8_t *bytes = header ? flaw_safetensors_header_bytes(header, &size) : NULL;
    json_decref(header);
    flaw_status status;
    if (bytes) status = write_parts(path, bytes, size, total, order, count, err);
    else
        status = flaw_fail(err, FLAW_USAGE, "%s: cannot write tensors: a name comes twice, a text is not UTF-8, or %s",
                           path, "there is no memory");
    free(bytes);
    free(order);
    return status;
}
