#include "model/text/gunzip.h"

#include <stdlib.h>
#include <zlib.h>

#define PIECE ((size_t)1 << 20)

bool flaw_is_gzip(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* Inflate to the end of the stream, growing the output by pieces; Z_STREAM_END when all is well. */
static int inflate_all(z_stream *z, flaw_bytes *out, size_t maximum)
{
    size_t capacity = 0;
    int code = Z_OK;
    while (code == Z_OK) {
        if (out->size == capacity) {
            if (capacity > maximum) return Z_BUF_ERROR;
            uint8_t *grown = realloc(out->data, capacity + PIECE + 1);
            if (!grown) return Z_MEM_ERROR;
            out->data = grown;
            capacity += PIECE;
        }
        z->next_out = out->data + out->size;
        z->avail_out = (uInt)(capacity - out->size);
        code = inflate(z, Z_NO_FLUSH);
        out->size = capacity - z->avail_out;
    }
    return code;
}

flaw_status flaw_gunzip(flaw_bytes *out, const uint8_t *bytes, size_t size, size_t maximum, const char *name,
                        flaw_error *err)
{
    z_stream z = {0};
    flaw_bytes plain = {0};
    if (size > UINT32_MAX) return flaw_fail(err, FLAW_BAD_DATA, "%s: %zu bytes of gzip are too many", name, size);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)size;
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for zlib", name);
    int code = inflate_all(&z, &plain, maximum);
    inflateEnd(&z);
    if (code == Z_STREAM_END && plain.size <= maximum) {
        plain.data[plain.size] = '\0';
        *out = plain;
        return FLAW_OK;
    }
    free(plain.data);
    if (code == Z_MEM_ERROR) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to inflate", name);
    if (plain.size > maximum)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: inflates to more than %zu bytes", name, maximum);
    return flaw_fail(err, FLAW_BAD_DATA, "%s: broken or cut gzip data", name);
}
