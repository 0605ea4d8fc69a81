/* NumPy's .npy, version 1.0: magic, u16 header length, a Python dictionary as text padded to 64 bytes, data. */
#include "format/npy.h"

#include "base/buffer.h"
#include "base/checked.h"
#include "base/file.h"

flaw_status flaw_npy_write(const char *path, const float *data, const size_t *shape, int rank, flaw_error *err)
{
    size_t bytes = sizeof *data;
    flaw_buffer header, file;
    for (int i = 0; i < rank; i++)
        if (!flaw_mul_ok(&bytes, bytes, shape[i]))
            return flaw_fail(err, FLAW_USAGE, "%s: the array's shape has more bytes than memory", path);
    flaw_buffer_init(&header, 65535);
    flaw_buffer_text(&header, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < rank; i++) flaw_buffer_printf(&header, i ? " %zu," : "%zu,", shape[i]);
    flaw_buffer_text(&header, "), }");
    while (!header.failed && (10 + header.size + 1) % 64) flaw_buffer_text(&header, " ");
    flaw_buffer_text(&header, "\n");

    const unsigned char start[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(header.size & 255), (unsigned char)(header.size >> 8)};
    flaw_buffer_init(&file, SIZE_MAX);
    flaw_buffer_append(&file, start, sizeof start);
    flaw_buffer_append(&file, header.data, header.size);
    flaw_buffer_append(&file, data, bytes);
    flaw_status status = header.failed || file.failed ? flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to write", path)
                                                      : flaw_file_write(path, file.data, file.size, err);
    flaw_buffer_release(&header);
    flaw_buffer_release(&file);
    return status;
}
