/* A safetensors file written tensor by tensor, for models larger than memory: the header first (all names, types and
 * shapes are known), then the data in the header's order. A temporary name until the end.
 *
 * The metadata "sha256" says the SHA-256 of each tensor's bytes, {"name": "hex", ...}: it is filled in when the data is
 * known. */
#ifndef FLAW_FORMAT_WRITER_H
#define FLAW_FORMAT_WRITER_H

#include "format/tensors.h"

typedef struct flaw_tensor_writer flaw_tensor_writer;
/* items: name, dtype (types of blocks are written as U8, with their names in the metadata "blocks"), rank, shape;
 * copied. Data is then expected item by item in the given order. FLAW_USAGE for names that come twice and rows that do
 * not divide into blocks. Metadata "blocks" and "sha256" of the caller are left out: they are the writer's. */
flaw_status flaw_tensor_writer_begin(flaw_tensor_writer **out, const char *path, const flaw_tensor *items, size_t count,
                                     const char *const *metadata, size_t metadata_pairs, flaw_error *err);
/* The next bytes, in pieces of any size. */
flaw_status flaw_tensor_writer_data(flaw_tensor_writer *w, const void *bytes, size_t size, flaw_error *err);
/* Sync and rename; frees the writer in any case. digest (may be NULL): [count] SHA-256 in hex of each item's data.
 * FLAW_USAGE when not all data has come. */
flaw_status flaw_tensor_writer_end(flaw_tensor_writer *w, char (*digest)[65], flaw_error *err);
void flaw_tensor_writer_abandon(flaw_tensor_writer *w); /* NULL is fine */

#endif
