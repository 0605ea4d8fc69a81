/* safetensors reader: u64 header length, JSON header, data without holes or overlaps.
 * Every length is compared with the bytes that are left before anything is allocated for it. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cursor.h"
#include "base/json.h"
#include "format/tensors.h"

#define HEADER_LIMIT ((size_t)100 * 1000 * 1000) /* the limit of the format's own reader */

/* Data offsets of one tensor, relative to the byte after the header. */
typedef struct span {
    size_t begin, end, item;
} span;

typedef struct reader {
    flaw_tensors *t;
    const uint8_t *data;
    size_t data_size;
    span *span;
    flaw_error *err;
} reader;

static flaw_status read_shape(reader *r, flaw_tensor *x, const json_t *shape)
{
    if (!json_is_array(shape))
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s': no \"shape\" array", r->t->path, x->name);
    size_t rank = json_array_size(shape);
    if (rank > FLAW_TENSOR_MAX_RANK)
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s': %zu dimensions, at most %d are allowed", r->t->path,
                         x->name, rank, FLAW_TENSOR_MAX_RANK);
    x->rank = (int)rank;
    x->count = 1;
    for (size_t i = 0; i < rank; i++) {
        const json_t *side = json_array_get(shape, i);
        if (!json_is_integer(side) || json_integer_value(side) < 0)
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s': dimension %zu is not a whole number >= 0",
                             r->t->path, x->name, i);
        x->shape[i] = (size_t)json_integer_value(side);
        if (!flaw_mul_ok(&x->count, x->count, x->shape[i]))
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s': the shape has more elements than memory",
                             r->t->path, x->name);
    }
    if (!flaw_mul_ok(&x->bytes, x->count, flaw_dtype_size(x->dtype)))
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s': the shape has more bytes than memory", r->t->path,
                         x->name);
    return FLAW_OK;
}

static flaw_status read_offsets(reader *r, flaw_tensor *x, const json_t *offsets, span *s)
{
    const json_t *from = json_array_get(offsets, 0), *to = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(from) || !json_is_integer(to) ||
        json_integer_value(from) < 0 || json_integer_value(to) < json_integer_value(from))
        return flaw_fail(r->err, FLAW_BAD_DATA,
                         "%s: tensor '%s': \"data_offsets\" must be two whole numbers, begin <= end", r->t->path,
                         x->name);
    s->begin = (size_t)json_integer_value(from);
    s->end = (size_t)json_integer_value(to);
    if (s->end > r->data_size)
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s' ends at data byte %zu, but the file has %zu",
                         r->t->path, x->name, s->end, r->data_size);
    if (s->end - s->begin != x->bytes)
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s' has %zu bytes of data, its shape and type %s need %zu",
                         r->t->path, x->name, s->end - s->begin, flaw_dtype_name(x->dtype), x->bytes);
    x->data = r->data + s->begin;
    return FLAW_OK;
}

static flaw_status read_tensor(reader *r, const char *name, const json_t *entry, flaw_tensor *x, span *s)
{
    x->name = flaw_arena_copy_string(&r->t->arena, name, strlen(name));
    if (!x->name) return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory for the tensor table", r->t->path);
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!dtype) return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s': no \"dtype\" string", r->t->path, name);
    if (!flaw_dtype_parse(&x->dtype, dtype))
        return flaw_fail(r->err, FLAW_BAD_DATA,
                         "%s: tensor '%s': unknown dtype '%.32s', known are F32 F16 BF16 F64 I8 U8 I16 I32 I64 BOOL",
                         r->t->path, name, dtype);
    if (json_object_size(entry) != 3)
        return flaw_fail(r->err, FLAW_BAD_DATA,
                         "%s: tensor '%s': keys other than dtype, shape, data_offsets are not allowed", r->t->path,
                         name);
    flaw_status status = read_shape(r, x, json_object_get(entry, "shape"));
    if (status) return status;
    return read_offsets(r, x, json_object_get(entry, "data_offsets"), s);
}

static flaw_status read_metadata(reader *r, json_t *object)
{
    flaw_tensors *t = r->t;
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: \"__metadata__\" is not an object", t->path);
    t->metadata = flaw_arena_alloc(&t->arena, json_object_size(object), 2 * sizeof *t->metadata);
    if (!t->metadata) return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory for the metadata", t->path);
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: metadata '%.64s' is not a string", t->path, key);
        const char **pair = t->metadata + 2 * t->metadata_count;
        pair[0] = flaw_arena_copy_string(&t->arena, key, strlen(key));
        pair[1] = flaw_json_copy(&t->arena, value);
        if (!pair[0] || !pair[1]) return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory for the metadata", t->path);
        t->metadata_count++;
    }
    return FLAW_OK;
}

static int compare_spans(const void *a, const void *b)
{
    const span *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const flaw_tensor *)a)->name, ((const flaw_tensor *)b)->name);
}

/* The tensors must cover the data exactly once. */
static flaw_status check_cover(reader *r)
{
    const flaw_tensors *t = r->t;
    size_t at = 0;
    const char *before = "the start";
    qsort(r->span, t->count, sizeof *r->span, compare_spans);
    for (size_t i = 0; i < t->count; i++) {
        const char *name = t->item[r->span[i].item].name;
        if (r->span[i].begin < at)
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s' at data byte %zu overlaps '%s', which ends at %zu",
                             t->path, name, r->span[i].begin, before, at);
        if (r->span[i].begin > at)
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: hole of %zu bytes between '%s' and tensor '%s'", t->path,
                             r->span[i].begin - at, before, name);
        at = r->span[i].end;
        before = name;
    }
    if (at != r->data_size)
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: %zu bytes left over after the last tensor '%s'", t->path,
                         r->data_size - at, before);
    return FLAW_OK;
}

/* Tensors that are blocks of quantised weights: U8 [rows, bytes of a row] gets its true type and shape. */
static flaw_status read_blocks(reader *r, const json_t *blocks)
{
    flaw_tensors *t = r->t;
    const char *name;
    json_t *value;
    if (!json_is_object(blocks))
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: metadata \"blocks\" is not a JSON object", t->path);
    json_object_foreach((json_t *)blocks, name, value)
    {
        const flaw_tensor *found = flaw_tensors_find(t, name);
        flaw_tensor *x = found ? &t->item[found - t->item] : NULL;
        const char *type = json_string_value(value);
        int d = FLAW_DTYPE_Q8_0;
        while (type && d <= FLAW_DTYPE_Q6_K && strcmp(flaw_dtype_name((flaw_dtype)d), type) != 0) d++;
        if (!type || d > FLAW_DTYPE_Q6_K)
            return flaw_fail(r->err, FLAW_BAD_DATA,
                             "%s: blocks of '%s': type '%.32s', known are Q8_0 Q4_0 Q4_1 Q4_K Q6_K", t->path, name,
                             type ? type : "");
        if (!x || x->dtype != FLAW_DTYPE_U8 || x->rank != 2)
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: blocks of '%s': no such tensor of U8 with two sides", t->path,
                             name);
        const size_t size = flaw_dtype_size((flaw_dtype)d);
        if (x->shape[1] % size != 0)
            return flaw_fail(r->err, FLAW_BAD_DATA,
                             "%s: tensor '%s': rows of %zu bytes are no blocks of %s (%zu bytes)", t->path, name,
                             x->shape[1], type, size);
        x->dtype = (flaw_dtype)d;
        if (!flaw_mul_ok(&x->shape[1], x->shape[1] / size, flaw_dtype_block(x->dtype)) ||
            !flaw_mul_ok(&x->count, x->shape[0], x->shape[1]))
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: tensor '%s' has more elements than memory", t->path, name);
    }
    return FLAW_OK;
}

static flaw_status read_header(reader *r, json_t *header)
{
    flaw_tensors *t = r->t;
    const char *name;
    json_t *entry;
    size_t entries = json_object_size(header);
    t->item = flaw_arena_alloc(&t->arena, entries, sizeof *t->item);
    r->span = flaw_arena_alloc(&t->arena, entries, sizeof *r->span);
    if (!t->item || !r->span) return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory for the tensor table", t->path);
    json_object_foreach(header, name, entry)
    {
        flaw_status status;
        if (strcmp(name, "__metadata__") == 0) {
            status = read_metadata(r, entry);
        } else {
            r->span[t->count].item = t->count;
            status = read_tensor(r, name, entry, &t->item[t->count], &r->span[t->count]);
            t->count++;
        }
        if (status) return status;
    }
    flaw_status status = check_cover(r);
    if (status) return status;
    qsort(t->item, t->count, sizeof *t->item, compare_names);
    const char *text = flaw_tensors_metadata(t, "blocks");
    if (!text) return FLAW_OK;
    json_t *blocks = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    status = read_blocks(r, blocks);
    json_decref(blocks);
    return status;
}

/* What a file that is not safetensors seems to be, for the message. */
static const char *guess(const uint8_t *bytes, size_t size)
{
    if (size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0) return " (a zip archive: a PyTorch checkpoint?)";
    if (size >= 2 && bytes[0] == 0x80 && bytes[1] < 6) return " (a pickle: a PyTorch checkpoint?)";
    if (size >= 4 && memcmp(bytes, "GGUF", 4) == 0) return " (a GGUF file)";
    if (size >= 7 && memcmp(bytes, "version", 7) == 0) return " (a git-lfs pointer: the weights were not downloaded)";
    return "";
}

static flaw_status parse(flaw_tensors *t, const uint8_t *bytes, size_t size, flaw_error *err)
{
    flaw_cursor c = flaw_cursor_over(bytes, size);
    uint64_t length = flaw_cursor_u64le(&c);
    if (c.failed)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %zu bytes, too short for a safetensors file", t->path, size);
    if (length > flaw_cursor_left(&c) || length > HEADER_LIMIT || length < 2)
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: not a safetensors file%s: its header claims %llu bytes, %zu are left (limit %zu)",
                         t->path, guess(bytes, size), (unsigned long long)length, flaw_cursor_left(&c), HEADER_LIMIT);
    const char *text = (const char *)flaw_cursor_bytes(&c, (size_t)length);
    if (!text || text[0] != '{')
        return flaw_fail(err, FLAW_BAD_DATA, "%s: not a safetensors file: its header does not begin with '{'", t->path);
    json_error_t why;
    json_t *header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &why);
    if (!header)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: safetensors header: %s at byte %d", t->path, why.text, why.position);
    reader r = {.t = t, .data = c.at, .data_size = flaw_cursor_left(&c), .err = err};
    flaw_status status = read_header(&r, header);
    json_decref(header);
    return status;
}

flaw_status flaw_safetensors_parse(flaw_tensors *out, const uint8_t *bytes, size_t size, const char *name,
                                   flaw_error *err)
{
    flaw_tensors t = {0};
    flaw_arena_init(&t.arena, 0);
    t.path = flaw_arena_copy_string(&t.arena, name, strlen(name));
    flaw_status status = t.path ? parse(&t, bytes, size, err) : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", name);
    if (status) flaw_tensors_close(&t);
    else *out = t;
    return status;
}

flaw_status flaw_safetensors_open(flaw_tensors *out, const char *path, flaw_error *err)
{
    return flaw_tensors_map(out, path, flaw_safetensors_parse, err);
}
