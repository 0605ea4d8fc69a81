/* The header of a safetensors file being written, for both writers. */
#ifndef FLAW_FORMAT_SAFETENSORS_HEADER_H
#define FLAW_FORMAT_SAFETENSORS_HEADER_H

#include <jansson.h>

#include "format/tensors.h"

/* Bytes of a tensor's data from its type and shape; SIZE_MAX when that is no size, or a row does not divide into the
 * blocks of its type. */
size_t flaw_safetensors_bytes(const flaw_tensor *x);
/* {"__metadata__": {...}, name: {dtype, shape, data_offsets}, ...}, data in the order of `item`. Types of blocks are
 * written as U8 [rows, bytes of a row], with their names in the metadata "blocks". *total: bytes of all data. NULL when
 * a text is not UTF-8, a name comes twice, a shape is none, or memory runs out. */
json_t *flaw_safetensors_header(const flaw_tensor *const *item, size_t count, const char *const *metadata, size_t pairs,
                                size_t *total);
/* The header as it stands in a file: its length as u64, the text, spaces up to a multiple of 8. malloc'ed, or NULL. */
uint8_t *flaw_safetensors_header_bytes(const json_t *header, size_t *size);

#endif
