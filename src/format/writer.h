/* A safetensors file written tensor by tensor, for models larger than memory: the header first (all names, types and
 * shapes are known), then the data in the header's order, each piece dropped once written. A temporary name until the
 * end. */
#ifndef FLAW_FORMAT_WRITER_H
#define FLAW_FORMAT_WRITER_H

#include "format/tensors.h"

typedef struct flaw_tensor_writer flaw_tensor_writer;
/* items: name, dtype (block types are written as U8 with their true shape in the metadata's "blocks" JSON), rank, shape.
 * Data is then expected item by item in the given order. */
flaw_status flaw_tensor_writer_begin(flaw_tensor_writer **out, const char *path, const flaw_tensor *items, size_t count,
                                     const char **metadata, size_t metadata_pairs, flaw_error *err);
flaw_status flaw_tensor_writer_data(flaw_tensor_writer *w, const void *bytes, size_t size, flaw_error *err);
/* Sync and rename; digests (may be NULL): [count] SHA-256 in hex of each item's data. */
flaw_status flaw_tensor_writer_end(flaw_tensor_writer *w, flaw_error *err);
void flaw_tensor_writer_abandon(flaw_tensor_writer *w);

#endif
