/* A container of named tensors, whatever file it came from. Data stays where the file was mapped; nothing is copied. */
#ifndef FLAW_FORMAT_TENSORS_H
#define FLAW_FORMAT_TENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/file.h"
#include "flaw/status.h"

typedef enum flaw_dtype {
    FLAW_DTYPE_F32,
    FLAW_DTYPE_F16,
    FLAW_DTYPE_BF16,
    FLAW_DTYPE_F64,
    FLAW_DTYPE_I8,
    FLAW_DTYPE_U8,
    FLAW_DTYPE_I16,
    FLAW_DTYPE_I32,
    FLAW_DTYPE_I64,
    FLAW_DTYPE_BOOL,
    /* Blocks of quantised weights (GGUF): kernel/weights.h reads them. The last side of a tensor is a multiple of the block. */
    FLAW_DTYPE_Q8_0,
    FLAW_DTYPE_Q4_0,
    FLAW_DTYPE_Q4_1,
    FLAW_DTYPE_Q4_K,
    FLAW_DTYPE_Q6_K,
} flaw_dtype;

#define FLAW_TENSOR_MAX_RANK 8

typedef struct flaw_tensor {
    const char *name;
    flaw_dtype dtype;
    int rank;
    size_t shape[FLAW_TENSOR_MAX_RANK];
    size_t count; /* elements */
    size_t bytes;
    const uint8_t *data; /* little endian, not necessarily aligned */
} flaw_tensor;

typedef struct flaw_tensors {
    flaw_tensor *item; /* sorted by name (bytewise) */
    size_t count;
    const char **metadata; /* key, value, key, value ... from "__metadata__" */
    size_t metadata_count; /* pairs */
    char *path;            /* for messages */
    flaw_bytes file;       /* owned unless opened from memory */
    struct flaw_gguf_array *array; /* of a GGUF file's metadata: see gguf.h */
    size_t array_count;
    flaw_bytes *more;      /* [more_count] further files of a sharded model; owned */
    size_t more_count;
    const char **more_path; /* [more_count] */
    flaw_arena arena;
} flaw_tensors;

/* safetensors: 8-byte header length, JSON header, data. Refused by name: header past the end or over 100 MB, unknown
 * dtype, shape/bytes disagreement, overlap, hole, bytes left over, duplicate names. FLAW_MISSING when there is no such
 * file, FLAW_BAD_DATA for all that is wrong inside it. */
flaw_status flaw_safetensors_open(flaw_tensors *out, const char *path, flaw_error *err);
flaw_status flaw_safetensors_parse(flaw_tensors *out, const uint8_t *bytes, size_t size, const char *name,
                                   flaw_error *err); /* bytes stay the caller's and must outlive `out` */
void flaw_tensors_close(flaw_tensors *t);

/* PyTorch's zip files (torch.save since 1.6): stored entries, ZIP64, a pickle of protocol 2 read by allow-list,
 * nothing executed. A flat dictionary of tensors, or one below "state_dict", "model" or "trainable_linearlayer". Views share
 * storages by offset and strides: a contiguous view points into the mapping, another is copied. Refused by name with its offset:
 * every opcode or global outside the list, storages shorter than claimed, views outside their storage, a directory that
 * lies, deflated or encrypted entries. */
flaw_status flaw_torch_open(flaw_tensors *out, const char *path, flaw_error *err);
flaw_status flaw_torch_parse(flaw_tensors *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err);

/* GGUF v2 and v3. Numbers, strings and booleans of the metadata become text in `metadata` (key, value; "true" or
 * "false"); arrays are left out there and found with gguf.h. Sides are in row-major order here (GGUF counts them the
 * other way round). Refused with the byte's offset: counts and lengths beyond the file, unknown types of values and
 * tensors, arrays of arrays, names twice, rows that are no whole blocks, data outside the file, not aligned, or
 * overlapping. */
flaw_status flaw_gguf_open(flaw_tensors *out, const char *path, flaw_error *err);
flaw_status flaw_gguf_parse(flaw_tensors *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err);

/* Any form of a model's weights: a file told apart by its content (safetensors, torch, GGUF), a folder with one such
 * file under its usual name (model.safetensors, pytorch_model.bin), or with the index of a sharded one
 * (*.index.json). */
flaw_status flaw_tensors_open(flaw_tensors *out, const char *path, flaw_error *err);
/* Map a file and parse it; the mapping is the tensors' then, or given up when the parser refuses. */
typedef flaw_status (*flaw_tensors_parser)(flaw_tensors *out, const uint8_t *bytes, size_t size, const char *name,
                                           flaw_error *err);
flaw_status flaw_tensors_map(flaw_tensors *out, const char *path, flaw_tensors_parser parse, flaw_error *err);
/* Give the pages of a tensor in a mapped file back to the system: it will not be read again soon. */
void flaw_tensor_drop(const flaw_tensors *t, const flaw_tensor *tensor);
/* The same for `size` bytes of it from `offset` on. */
void flaw_tensor_drop_part(const flaw_tensors *t, const flaw_tensor *tensor, size_t offset, size_t size);

const flaw_tensor *flaw_tensors_find(const flaw_tensors *t, const char *name); /* NULL when absent */
const char *flaw_tensors_metadata(const flaw_tensors *t, const char *key);     /* NULL when absent */
/* Convert F32/F16/BF16/F64 to float32; FLAW_BAD_DATA names the tensor, file and index of the first NaN or infinity. */
flaw_status flaw_tensor_to_f32(const flaw_tensors *t, const flaw_tensor *tensor, float *out, flaw_error *err);
/* Its elements first .. first + count - 1, which must be there. */
flaw_status flaw_tensor_part_to_f32(const flaw_tensors *t, const flaw_tensor *tensor, size_t first, size_t count,
                                    float *out, flaw_error *err);
/* FLAW_BAD_DATA with the first index whose float is NaN or infinite. */
flaw_status flaw_floats_check(const float *x, size_t count, const char *tensor, const char *path, flaw_error *err);
/* Nearest F16 bits, ties to even; magnitudes from 65520 on become infinity. */
uint16_t flaw_half_of(float x);
const char *flaw_dtype_name(flaw_dtype dtype);
size_t flaw_dtype_size(flaw_dtype dtype);  /* bytes of an element, or of a block of elements */
size_t flaw_dtype_block(flaw_dtype dtype); /* elements of a block; 1 for types without blocks */
bool flaw_dtype_parse(flaw_dtype *out, const char *name); /* "F32", "BF16", ...; false when unknown or a type of blocks */

/* Write a safetensors file from tensors in memory (name, dtype, rank, shape, data filled; count and bytes follow from
 * them). Data lies in order of element size, widest first, then name, so that every tensor is aligned to its type. */
flaw_status flaw_safetensors_write(const char *path, const flaw_tensor *items, size_t count, const char **metadata,
                                   size_t metadata_pairs, flaw_error *err);

#endif
