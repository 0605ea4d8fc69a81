/* GGUF reader, versions 2 and 3, little endian: header, keys and values (gguf_values.c), table of tensors, data.
 * Every length is compared with the bytes that are left before anything is allocated for it. */
#include "format/gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "format/gguf_values.h"

enum {
    RANK = 4,               /* the format's own limit */
    NAME_BYTES = 64,        /* likewise */
    DEFAULT_ALIGNMENT = 32, /* without general.alignment */
    ALIGNMENT_LIMIT = 1 << 20,
    ENTRIES = 1000000,         /* keys or tensors */
    KEY_LEAST = 8 + 1 + 4 + 1, /* bytes of the shortest key with its value */
    TENSOR_LEAST = 8 + 1 + 4 + 8 + 4 + 8,
};

/* Types of tensors as the file numbers them; those without a `dtype` are known by name only. */
static const struct {
    const char *name;
    bool read;
    flaw_dtype dtype;
} types[] = {
    [0] = {"F32", true, FLAW_DTYPE_F32},
    [1] = {"F16", true, FLAW_DTYPE_F16},
    [2] = {"Q4_0", true, FLAW_DTYPE_Q4_0},
    [3] = {"Q4_1", true, FLAW_DTYPE_Q4_1},
    [6] = {.name = "Q5_0"},
    [7] = {.name = "Q5_1"},
    [8] = {"Q8_0", true, FLAW_DTYPE_Q8_0},
    [9] = {.name = "Q8_1"},
    [10] = {.name = "Q2_K"},
    [11] = {.name = "Q3_K"},
    [12] = {"Q4_K", true, FLAW_DTYPE_Q4_K},
    [13] = {.name = "Q5_K"},
    [14] = {"Q6_K", true, FLAW_DTYPE_Q6_K},
    [15] = {.name = "Q8_K"},
    [16] = {.name = "IQ2_XXS"},
    [17] = {.name = "IQ2_XS"},
    [18] = {.name = "IQ3_XXS"},
    [19] = {.name = "IQ1_S"},
    [20] = {.name = "IQ4_NL"},
    [21] = {.name = "IQ3_S"},
    [22] = {.name = "IQ2_S"},
    [23] = {.name = "IQ4_XS"},
    [24] = {"I8", true, FLAW_DTYPE_I8},
    [25] = {"I16", true, FLAW_DTYPE_I16},
    [26] = {"I32", true, FLAW_DTYPE_I32},
    [27] = {"I64", true, FLAW_DTYPE_I64},
    [28] = {"F64", true, FLAW_DTYPE_F64},
    [29] = {.name = "IQ1_M"},
    [30] = {"BF16", true, FLAW_DTYPE_BF16},
};

/* One tensor while the file is read. */
typedef struct entry {
    gguf_name name;
    size_t item;   /* in t->item */
    size_t offset; /* of its data, from the start of all data */
} entry;

static flaw_status read_header(gguf_reader *r)
{
    enum { SWAPPED_2 = 2 << 24, SWAPPED_3 = 3 << 24 };
    const uint8_t *magic = flaw_cursor_bytes(&r->c, 4);
    if (!magic || memcmp(magic, "GGUF", 4) != 0) return flaw_gguf_bad(r, 0, "it does not begin with \"GGUF\"");
    uint32_t version = flaw_cursor_u32le(&r->c);
    if (!r->c.failed && (version == SWAPPED_2 || version == SWAPPED_3))
        return flaw_gguf_bad(r, 4, "the file is big-endian, which is not read");
    if (!r->c.failed && version != 2 && version != 3)
        return flaw_gguf_bad(r, 4, "version %u, allowed are 2 and 3", version);
    uint64_t tensors = flaw_cursor_u64le(&r->c), keys = flaw_cursor_u64le(&r->c);
    size_t left = flaw_cursor_left(&r->c);
    if (r->c.failed) return flaw_gguf_bad(r, 0, "%zu bytes, too short for a header", (size_t)(r->c.end - r->c.begin));
    if (tensors > ENTRIES || tensors > left / TENSOR_LEAST)
        return flaw_gguf_bad(r, 8, "%llu tensors in %zu bytes (limit %d)", (unsigned long long)tensors, left, ENTRIES);
    if (keys > ENTRIES || keys > left / KEY_LEAST)
        return flaw_gguf_bad(r, 16, "%llu keys in %zu bytes (limit %d)", (unsigned long long)keys, left, ENTRIES);
    r->tensors = (size_t)tensors;
    r->keys = (size_t)keys;
    return FLAW_OK;
}

/* What the metadata says about the data. */
static flaw_status read_alignment(gguf_reader *r)
{
    size_t at = flaw_cursor_offset(&r->c);
    const char *text = flaw_tensors_metadata(r->t, "general.alignment");
    r->alignment = DEFAULT_ALIGNMENT;
    if (!text) return FLAW_OK;
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value == 0 || value > ALIGNMENT_LIMIT || (value & (value - 1)))
        return flaw_gguf_bad(r, at, "general.alignment is '%.40s', allowed are powers of two up to %d", text,
                             ALIGNMENT_LIMIT);
    r->alignment = (size_t)value;
    return FLAW_OK;
}

static flaw_status read_sides(gguf_reader *r, flaw_tensor *x)
{
    size_t at = flaw_cursor_offset(&r->c);
    uint32_t rank = flaw_cursor_u32le(&r->c);
    if (!r->c.failed && (rank == 0 || rank > RANK))
        return flaw_gguf_bad(r, at, "tensor '%s' has %u sides, allowed are 1 to %d", x->name, rank, RANK);
    x->rank = (int)rank;
    x->count = 1;
    for (uint32_t i = 0; !r->c.failed && i < rank; i++) {
        at = flaw_cursor_offset(&r->c);
        uint64_t side = flaw_cursor_u64le(&r->c);
        if (r->c.failed) break;
        if (side == 0 || side > SIZE_MAX || !flaw_mul_ok(&x->count, x->count, (size_t)side))
            return flaw_gguf_bad(r, at, "tensor '%s': a side of %llu, allowed are 1 to what memory holds", x->name,
                                 (unsigned long long)side);
        x->shape[rank - 1 - i] = (size_t)side;
    }
    return r->c.failed ? flaw_gguf_bad(r, at, "the file ends within the sides of tensor '%s'", x->name) : FLAW_OK;
}

static flaw_status read_dtype(gguf_reader *r, flaw_tensor *x)
{
    size_t at = flaw_cursor_offset(&r->c), row = x->shape[x->rank - 1];
    uint32_t type = flaw_cursor_u32le(&r->c);
    if (r->c.failed) return flaw_gguf_bad(r, at, "the file ends before the type of tensor '%s'", x->name);
    if (type >= sizeof types / sizeof types[0] || !types[type].read) {
        const char *name = type < sizeof types / sizeof types[0] && types[type].name ? types[type].name : "unknown";
        return flaw_gguf_bad(r, at,
                             "tensor '%s' has type %u (%s), allowed are F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q4_K Q6_K "
                             "F64 I8 I16 I32 I64",
                             x->name, type, name);
    }
    x->dtype = types[type].dtype;
    if (row % flaw_dtype_block(x->dtype))
        return flaw_gguf_bad(r, at, "tensor '%s': rows of %zu elements are not whole blocks of %zu (%s)", x->name, row,
                             flaw_dtype_block(x->dtype), types[type].name);
    if (!flaw_mul_ok(&x->bytes, x->count / flaw_dtype_block(x->dtype), flaw_dtype_size(x->dtype)))
        return flaw_gguf_bad(r, at, "tensor '%s' has more bytes than memory", x->name);
    return FLAW_OK;
}

static flaw_status read_entry(gguf_reader *r, flaw_tensor *x, entry *e)
{
    flaw_status status = flaw_gguf_read_name(r, "a tensor's name", NAME_BYTES, &e->name);
    if (status) return status;
    x->name = e->name.text;
    status = read_sides(r, x);
    if (status == FLAW_OK) status = read_dtype(r, x);
    if (status) return status;
    size_t at = flaw_cursor_offset(&r->c);
    uint64_t offset = flaw_cursor_u64le(&r->c);
    if (r->c.failed) return flaw_gguf_bad(r, at, "the file ends before the offset of tensor '%s'", x->name);
    if (offset % r->alignment)
        return flaw_gguf_bad(r, at, "tensor '%s': its data begin at %llu, which is no multiple of %zu", x->name,
                             (unsigned long long)offset, r->alignment);
    if (offset > SIZE_MAX - x->bytes)
        return flaw_gguf_bad(r, at, "tensor '%s': offset %llu is outside the file", x->name,
                             (unsigned long long)offset);
    e->offset = (size_t)offset;
    return FLAW_OK;
}

static int compare_offsets(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Tensors lie within the data, and none in another's place. */
static flaw_status place_data(gguf_reader *r, entry *entries)
{
    flaw_tensors *t = r->t;
    size_t start = (flaw_cursor_offset(&r->c) + r->alignment - 1) / r->alignment * r->alignment, end = 0;
    size_t whole = (size_t)(r->c.end - r->c.begin), size = whole > start ? whole - start : 0;
    qsort(entries, r->tensors, sizeof *entries, compare_offsets);
    for (size_t i = 0; i < r->tensors; i++) {
        entry *e = &entries[i];
        flaw_tensor *x = &t->item[e->item];
        if (e->offset > size || x->bytes > size - e->offset)
            return flaw_gguf_bad(r, e->name.at, "tensor '%s' needs data bytes %zu to %zu, but the file has %zu",
                                 x->name, e->offset, e->offset + x->bytes, size);
        if (e->offset < end)
            return flaw_gguf_bad(r, e->name.at, "tensor '%s' at data byte %zu overlaps '%s', which ends at %zu",
                                 x->name, e->offset, t->item[entries[i - 1].item].name, end);
        end = e->offset + x->bytes;
        x->data = r->c.begin + start + e->offset;
    }
    return FLAW_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const flaw_tensor *)a)->name, ((const flaw_tensor *)b)->name);
}

static flaw_status read_tensors(gguf_reader *r)
{
    flaw_tensors *t = r->t;
    entry *entries = flaw_arena_alloc(&t->arena, r->tensors, sizeof *entries);
    gguf_name *names = flaw_arena_alloc(&t->arena, r->tensors, sizeof *names);
    t->item = flaw_arena_alloc(&t->arena, r->tensors, sizeof *t->item);
    if (!entries || !names || !t->item) return flaw_gguf_no_memory(r);
    for (size_t i = 0; i < r->tensors; i++) {
        flaw_status status = read_entry(r, &t->item[i], &entries[i]);
        if (status) return status;
        entries[i].item = i;
        names[i] = entries[i].name;
    }
    flaw_status status = flaw_gguf_check_twice(r, "tensor", names, r->tensors);
    if (status == FLAW_OK && r->tensors) status = place_data(r, entries);
    if (status) return status;
    t->count = r->tensors;
    if (t->count) qsort(t->item, t->count, sizeof *t->item, compare_names);
    return FLAW_OK;
}

/* Version 2 of the blocks (May 2023) has scales as F16; all that was written as GGUF 2 and 3 has it. */
static flaw_status check_blocks(gguf_reader *r)
{
    const char *version = flaw_tensors_metadata(r->t, "general.quantization_version");
    if (!version || strcmp(version, "2") == 0) return FLAW_OK;
    for (size_t i = 0; i < r->t->count; i++)
        if (flaw_dtype_block(r->t->item[i].dtype) > 1)
            return flaw_fail(
                r->err, FLAW_BAD_DATA,
                "%s: GGUF: tensor '%s' is %s, but general.quantization_version is %.40s, only 2 is allowed", r->t->path,
                r->t->item[i].name, flaw_dtype_name(r->t->item[i].dtype), version);
    return FLAW_OK;
}

static flaw_status parse(gguf_reader *r)
{
    flaw_status status = read_header(r);
    if (status == FLAW_OK) status = flaw_gguf_read_metadata(r);
    if (status == FLAW_OK) status = read_alignment(r);
    if (status == FLAW_OK) status = read_tensors(r);
    if (status == FLAW_OK) status = check_blocks(r);
    return status;
}

flaw_status flaw_gguf_parse(flaw_tensors *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err)
{
    flaw_tensors t = {0};
    flaw_arena_init(&t.arena, 0);
    t.path = flaw_arena_copy_string(&t.arena, name, strlen(name));
    gguf_reader r = {.t = &t, .c = flaw_cursor_over(bytes, size), .err = err};
    flaw_status status = t.path ? parse(&r) : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", name);
    if (status) flaw_tensors_close(&t);
    else *out = t;
    return status;
}

flaw_status flaw_gguf_open(flaw_tensors *out, const char *path, flaw_error *err)
{
    return flaw_tensors_map(out, path, flaw_gguf_parse, err);
}
