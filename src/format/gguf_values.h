/* Inside the GGUF reader: its state, and the metadata that gguf_values.c reads. */
#ifndef FLAW_FORMAT_GGUF_VALUES_H
#define FLAW_FORMAT_GGUF_VALUES_H

#include "base/cursor.h"
#include "format/gguf.h"

/* Types of values, as the file numbers them. */
typedef enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_TEXT,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPES
} gguf_type;

struct flaw_gguf_array {
    const char *key;
    gguf_type type;
    size_t count;
    const void *data; /* flaw_gguf_text, float, int32_t or uint32_t; NULL for types nobody asks for */
};

/* A key or a tensor's name, and where it stands. */
typedef struct gguf_name {
    const char *text;
    size_t at;
} gguf_name;

typedef struct gguf_reader {
    flaw_tensors *t;
    flaw_cursor c;
    flaw_error *err;
    size_t tensors, keys; /* as the header says */
    size_t alignment;     /* of the tensors' data */
} gguf_reader;

/* FLAW_BAD_DATA: "FILE: GGUF: at byte N: ...". */
flaw_status flaw_gguf_bad(gguf_reader *r, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
flaw_status flaw_gguf_no_memory(gguf_reader *r);
/* A length and so many bytes, 1 to `most`, copied with a NUL behind; refused when there is a NUL inside. */
flaw_status flaw_gguf_read_name(gguf_reader *r, const char *what, size_t most, gguf_name *out);
/* No two of the same text; `names` is sorted. */
flaw_status flaw_gguf_check_twice(gguf_reader *r, const char *what, gguf_name *names, size_t count);
/* All keys and values of the header. */
flaw_status flaw_gguf_read_metadata(gguf_reader *r);

#endif
