/* Keys and values of a GGUF file. */
#include "format/gguf_values.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"

enum {
    KEY_BYTES = 65535,     /* the format's own limit */
    TEXT_BYTES = 64 << 20, /* of one text outside of arrays */
    ELEMENTS = 1 << 24,    /* of one array that is kept */
    NUMBER_BYTES = 32,
};

static const struct {
    const char *name;
    size_t size; /* bytes; 0: has a length of its own */
} types[GGUF_TYPES] = {
    [GGUF_U8] = {"u8", 1},     [GGUF_I8] = {"i8", 1},       [GGUF_U16] = {"u16", 2}, [GGUF_I16] = {"i16", 2},
    [GGUF_U32] = {"u32", 4},   [GGUF_I32] = {"i32", 4},     [GGUF_F32] = {"f32", 4}, [GGUF_BOOL] = {"bool", 1},
    [GGUF_TEXT] = {"text", 0}, [GGUF_ARRAY] = {"array", 0}, [GGUF_U64] = {"u64", 8}, [GGUF_I64] = {"i64", 8},
    [GGUF_F64] = {"f64", 8},
};

flaw_status flaw_gguf_bad(gguf_reader *r, size_t at, const char *format, ...)
{
    char text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return flaw_fail(r->err, FLAW_BAD_DATA, "%s: GGUF: at byte %zu: %s", r->t->path, at, text);
}

flaw_status flaw_gguf_no_memory(gguf_reader *r)
{
    return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: GGUF: no memory for %zu keys and %zu tensors", r->t->path, r->keys,
                     r->tensors);
}

/* U+FFFD in the header: somebody read the file as text, and bytes that are no UTF-8 were lost. */
static const char *damage(const gguf_reader *r, size_t at)
{
    static const uint8_t replaced[] = {0xef, 0xbf, 0xbd};
    const uint8_t *begin = r->c.begin;
    return memmem(begin, at, replaced, sizeof replaced) ? " (bytes ef bf bd before it: was the file converted as text?)"
                                                        : "";
}

/* A length and that many bytes in place. */
static flaw_status read_bytes(gguf_reader *r, const char *what, size_t most, const char **text, size_t *size)
{
    size_t at = flaw_cursor_offset(&r->c);
    uint64_t length = flaw_cursor_u64le(&r->c);
    if (r->c.failed) return flaw_gguf_bad(r, at, "the file ends before the length of %s%s", what, damage(r, at));
    if (length > flaw_cursor_left(&r->c))
        return flaw_gguf_bad(r, at, "%s of %llu bytes, but only %zu are left%s", what, (unsigned long long)length,
                             flaw_cursor_left(&r->c), damage(r, at));
    if (length > most)
        return flaw_gguf_bad(r, at, "%s of %llu bytes, at most %zu are allowed%s", what, (unsigned long long)length,
                             most, damage(r, at));
    *size = (size_t)length;
    *text = (const char *)flaw_cursor_bytes(&r->c, *size);
    return FLAW_OK;
}

flaw_status flaw_gguf_read_name(gguf_reader *r, const char *what, size_t most, gguf_name *out)
{
    const char *text = NULL;
    size_t size = 0;
    out->at = flaw_cursor_offset(&r->c);
    flaw_status status = read_bytes(r, what, most, &text, &size);
    if (status) return status;
    if (size == 0) return flaw_gguf_bad(r, out->at, "%s without a letter", what);
    if (memchr(text, 0, size)) return flaw_gguf_bad(r, out->at, "%s with a zero byte in it", what);
    out->text = flaw_arena_copy_string(&r->t->arena, text, size);
    return out->text ? FLAW_OK : flaw_gguf_no_memory(r);
}

static int compare(const void *a, const void *b)
{
    const gguf_name *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

flaw_status flaw_gguf_check_twice(gguf_reader *r, const char *what, gguf_name *names, size_t count)
{
    if (count) qsort(names, count, sizeof *names, compare);
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1].text, names[i].text) == 0)
            return flaw_gguf_bad(r, names[i].at, "%s '%.200s' stands there a second time, first at byte %zu", what,
                                 names[i].text, names[i - 1].at);
    return FLAW_OK;
}

/* `size` bytes as text of a number or boolean. */
static void print_value(gguf_type type, const uint8_t *bytes, char out[NUMBER_BYTES])
{
    flaw_cursor c = flaw_cursor_over(bytes, types[type].size);
    uint64_t bits = 0;
    double wide;
    switch (types[type].size) {
    case 1: bits = flaw_cursor_u8(&c); break;
    case 2: bits = flaw_cursor_u16le(&c); break;
    case 4: bits = flaw_cursor_u32le(&c); break;
    default: bits = flaw_cursor_u64le(&c);
    }
    switch (type) {
    case GGUF_BOOL: snprintf(out, NUMBER_BYTES, "%s", bits ? "true" : "false"); break;
    case GGUF_I8: snprintf(out, NUMBER_BYTES, "%d", (int8_t)bits); break;
    case GGUF_I16: snprintf(out, NUMBER_BYTES, "%d", (int16_t)bits); break;
    case GGUF_I32: snprintf(out, NUMBER_BYTES, "%d", (int32_t)bits); break;
    case GGUF_I64: snprintf(out, NUMBER_BYTES, "%lld", (long long)bits); break;
    case GGUF_F32: snprintf(out, NUMBER_BYTES, "%.9g", (double)flaw_float_of_bits((uint32_t)bits)); break;
    case GGUF_F64:
        memcpy(&wide, &bits, sizeof wide);
        snprintf(out, NUMBER_BYTES, "%.17g", wide);
        break;
    default: snprintf(out, NUMBER_BYTES, "%llu", (unsigned long long)bits);
    }
}

static flaw_status read_type(gguf_reader *r, const char *key, gguf_type *out)
{
    size_t at = flaw_cursor_offset(&r->c);
    uint32_t type = flaw_cursor_u32le(&r->c);
    if (r->c.failed) return flaw_gguf_bad(r, at, "the file ends before the type of '%.200s'", key);
    if (type >= GGUF_TYPES)
        return flaw_gguf_bad(r, at, "'%.200s' has a value of unknown type %u, known are 0 to %d%s", key, type,
                             GGUF_TYPES - 1, damage(r, at));
    *out = (gguf_type)type;
    return FLAW_OK;
}

/* Number, boolean or text, to the metadata. */
static flaw_status read_scalar(gguf_reader *r, const char *key, gguf_type type)
{
    char number[NUMBER_BYTES];
    const char *text = number;
    size_t at = flaw_cursor_offset(&r->c), size = 0;
    if (type == GGUF_TEXT) {
        flaw_status status = read_bytes(r, "a text", TEXT_BYTES, &text, &size);
        if (status) return status;
        if (memchr(text, 0, size)) return flaw_gguf_bad(r, at, "the text of '%.200s' has a zero byte in it", key);
    } else {
        const uint8_t *bytes = flaw_cursor_bytes(&r->c, types[type].size);
        if (!bytes) return flaw_gguf_bad(r, at, "the file ends before the value of '%.200s'", key);
        if (type == GGUF_BOOL && *bytes > 1)
            return flaw_gguf_bad(r, at, "'%.200s' is a boolean of value %d, allowed are 0 and 1", key, *bytes);
        print_value(type, bytes, number);
        size = strlen(number);
    }
    const char **pair = r->t->metadata + 2 * r->t->metadata_count;
    pair[0] = key;
    pair[1] = flaw_arena_copy_string(&r->t->arena, text, size);
    if (!pair[1]) return flaw_gguf_no_memory(r);
    r->t->metadata_count++;
    return FLAW_OK;
}

static flaw_status read_texts(gguf_reader *r, struct flaw_gguf_array *array)
{
    flaw_gguf_text *text = flaw_arena_alloc(&r->t->arena, array->count, sizeof *text);
    if (!text) return flaw_gguf_no_memory(r);
    for (size_t i = 0; i < array->count; i++) {
        flaw_status status = read_bytes(r, "a text of an array", TEXT_BYTES, &text[i].text, &text[i].size);
        if (status) return status;
    }
    array->data = text;
    return FLAW_OK;
}

/* Four bytes each are kept: scores, kinds, ids. */
static flaw_status read_numbers(gguf_reader *r, struct flaw_gguf_array *array)
{
    size_t bytes = array->count * types[array->type].size; /* not more than the file, see read_array */
    const uint8_t *from = flaw_cursor_bytes(&r->c, bytes);
    if (types[array->type].size != 4) return FLAW_OK;
    void *copy = flaw_arena_alloc(&r->t->arena, bytes, 1);
    if (!copy) return flaw_gguf_no_memory(r);
    if (bytes) memcpy(copy, from, bytes);
    array->data = copy;
    return FLAW_OK;
}

static flaw_status read_array(gguf_reader *r, const char *key)
{
    struct flaw_gguf_array *array = &r->t->array[r->t->array_count];
    size_t at = flaw_cursor_offset(&r->c);
    flaw_status status = read_type(r, key, &array->type);
    if (status) return status;
    if (array->type == GGUF_ARRAY)
        return flaw_gguf_bad(r, at, "'%.200s' is an array of arrays, which is not read", key);
    at = flaw_cursor_offset(&r->c);
    uint64_t count = flaw_cursor_u64le(&r->c);
    size_t each = types[array->type].size ? types[array->type].size : 8; /* of a text at least its length */
    if (r->c.failed) return flaw_gguf_bad(r, at, "the file ends before the length of '%.200s'", key);
    if (count > flaw_cursor_left(&r->c) / each)
        return flaw_gguf_bad(r, at, "'%.200s' has %llu elements of type %s, but only %zu bytes are left%s", key,
                             (unsigned long long)count, types[array->type].name, flaw_cursor_left(&r->c),
                             damage(r, at));
    if (count > ELEMENTS)
        return flaw_gguf_bad(r, at, "'%.200s' has %llu elements, at most %d are allowed", key,
                             (unsigned long long)count, ELEMENTS);
    array->key = key;
    array->count = (size_t)count;
    r->t->array_count++;
    return array->type == GGUF_TEXT ? read_texts(r, array) : read_numbers(r, array);
}

flaw_status flaw_gguf_read_metadata(gguf_reader *r)
{
    flaw_tensors *t = r->t;
    gguf_name *name = flaw_arena_alloc(&t->arena, r->keys, sizeof *name);
    t->metadata = flaw_arena_alloc(&t->arena, r->keys, 2 * sizeof *t->metadata);
    t->array = flaw_arena_alloc(&t->arena, r->keys, sizeof *t->array);
    if (!name || !t->metadata || !t->array) return flaw_gguf_no_memory(r);
    for (size_t i = 0; i < r->keys; i++) {
        gguf_type type;
        flaw_status status = flaw_gguf_read_name(r, "a key", KEY_BYTES, &name[i]);
        if (status == FLAW_OK) status = read_type(r, name[i].text, &type);
        if (status == FLAW_OK)
            status = type == GGUF_ARRAY ? read_array(r, name[i].text) : read_scalar(r, name[i].text, type);
        if (status) return status;
    }
    return flaw_gguf_check_twice(r, "key", name, r->keys);
}

/* The array of this key, or NULL. */
static const struct flaw_gguf_array *find(const flaw_tensors *t, const char *key)
{
    for (size_t i = 0; i < t->array_count; i++)
        if (strcmp(t->array[i].key, key) == 0) return &t->array[i];
    return NULL;
}

static flaw_status get(const flaw_tensors *t, const char *key, gguf_type type, gguf_type also, const void **out,
                       size_t *count, flaw_error *err)
{
    const struct flaw_gguf_array *array = find(t, key);
    if (array && array->type != type && array->type != also)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: GGUF: '%.200s' is an array of %s, expected %s", t->path, key,
                         types[array->type].name, types[type].name);
    *out = array ? array->data : NULL;
    *count = array ? array->count : 0;
    return FLAW_OK;
}

flaw_status flaw_gguf_texts(const flaw_tensors *t, const char *key, const flaw_gguf_text **out, size_t *count,
                            flaw_error *err)
{
    const void *data = NULL;
    flaw_status status = get(t, key, GGUF_TEXT, GGUF_TEXT, &data, count, err);
    if (status == FLAW_OK) *out = data;
    return status;
}

flaw_status flaw_gguf_floats(const flaw_tensors *t, const char *key, const float **out, size_t *count, flaw_error *err)
{
    const void *data = NULL;
    flaw_status status = get(t, key, GGUF_F32, GGUF_F32, &data, count, err);
    if (status == FLAW_OK) *out = data;
    return status;
}

flaw_status flaw_gguf_ints(const flaw_tensors *t, const char *key, const int32_t **out, size_t *count, flaw_error *err)
{
    const void *data = NULL;
    size_t n = 0;
    flaw_status status = get(t, key, GGUF_I32, GGUF_U32, &data, &n, err);
    if (status) return status;
    const int32_t *x = data;
    bool is_unsigned = x && find(t, key)->type == GGUF_U32;
    for (size_t i = 0; is_unsigned && i < n; i++)
        if (x[i] < 0)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: GGUF: '%.200s': element %zu is %u, at most %d is allowed",
                             t->path, key, i, (uint32_t)x[i], INT32_MAX);
    *out = x;
    *count = n;
    return FLAW_OK;
}
