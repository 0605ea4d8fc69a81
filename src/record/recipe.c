#include "record/recipe.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/sha256.h"

#define MAGIC "flawrcp\n"
#define HEAD 44 /* magic, version, digest */
#define MOST_BYTES ((size_t)4 << 30)
#define MOST_HEADER ((size_t)64 << 20)

static json_t *number_to_json(double v)
{
    if (isnan(v)) return json_null();
    if (isinf(v)) return json_string(v > 0 ? "inf" : "-inf");
    return json_real(v);
}

static bool number_from_json(const json_t *v, double *out)
{
    const char *text = json_string_value(v);
    if (json_is_null(v)) *out = NAN;
    else if (text && !strcmp(text, "inf")) *out = INFINITY;
    else if (text && !strcmp(text, "-inf")) *out = -INFINITY;
    else if (json_is_number(v)) *out = json_number_value(v);
    else return false;
    return true;
}

/* The JSON header, malloc'ed; NULL when memory is refused or a text is not UTF-8. */
static char *make_header(const flaw_record *record)
{
    json_t *numbers = json_object(), *texts = json_object(), *tables = json_array();
    bool ok = numbers && texts && tables;
    for (size_t i = 0; ok && i < record->count; i++) {
        const flaw_record_item *item = &record->item[i];
        if (item->kind == FLAW_RECORD_NUMBER)
            ok = !json_object_set_new(numbers, item->name, number_to_json(item->number));
        else if (item->kind == FLAW_RECORD_TEXT) ok = !json_object_set_new(texts, item->name, json_string(item->text));
        else
            ok =
                !json_array_append_new(tables, json_pack("{s:s, s:I, s:I}", "name", item->name, "rows",
                                                         (json_int_t)item->rows, "columns", (json_int_t)item->columns));
    }
    json_t *root = ok ? json_pack("{s:o, s:o, s:o}", "numbers", numbers, "texts", texts, "tables", tables) : NULL;
    char *header = root ? json_dumps(root, JSON_COMPACT) : NULL;
    if (root) {
        json_decref(root);
    } else {
        json_decref(numbers);
        json_decref(texts);
        json_decref(tables);
    }
    return header;
}

static void append_le(flaw_buffer *b, uint64_t value, int bytes)
{
    uint8_t out[8];
    for (int i = 0; i < bytes; i++) out[i] = (uint8_t)(value >> (8 * i));
    flaw_buffer_append(b, out, (size_t)bytes);
}

/* float32 little endian, which is what the machines this runs on have in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tables are written as they lie in memory");

flaw_status flaw_recipe_write(const flaw_record *record, const char *path, flaw_error *err)
{
    char *header = make_header(record);
    if (!header) return flaw_fail(err, FLAW_INTERNAL, "%s: a recipe cannot be written from these values", path);
    uint8_t digest[32] = {0};
    flaw_buffer file;
    flaw_buffer_init(&file, MOST_BYTES);
    flaw_buffer_append(&file, MAGIC, 8);
    append_le(&file, FLAW_RECIPE_VERSION, 4);
    flaw_buffer_append(&file, digest, sizeof digest);
    append_le(&file, strlen(header), 8);
    flaw_buffer_text(&file, header);
    free(header);
    for (size_t i = 0; i < record->count; i++) {
        const flaw_record_item *item = &record->item[i];
        if (item->kind == FLAW_RECORD_TABLE)
            flaw_buffer_append(&file, item->table, item->rows * item->columns * sizeof(float));
    }
    flaw_status s = FLAW_OK;
    if (file.failed) {
        s = flaw_fail(err, FLAW_NO_MEMORY, "%s: memory for the recipe was refused", path);
    } else {
        flaw_sha256 h;
        flaw_sha256_init(&h);
        flaw_sha256_update(&h, file.data + HEAD, file.size - HEAD);
        flaw_sha256_final(&h, digest);
        memcpy(file.data + HEAD - sizeof digest, digest, sizeof digest);
        s = flaw_file_write(path, file.data, file.size, err);
    }
    flaw_buffer_release(&file);
    return s;
}

static flaw_status read_values(flaw_record *out, const json_t *root, const char *name, flaw_error *err)
{
    const char *key;
    json_t *value;
    flaw_status s = FLAW_OK;
    json_object_foreach(json_object_get(root, "numbers"), key, value)
    {
        double number;
        if (!number_from_json(value, &number))
            return flaw_fail(err, FLAW_BAD_DATA, "%s: \"%s\" of the recipe is not a number", name, key);
        if ((s = flaw_record_put_number(out, key, number, err))) return s;
    }
    json_object_foreach(json_object_get(root, "texts"), key, value)
    {
        if (!json_is_string(value))
            return flaw_fail(err, FLAW_BAD_DATA, "%s: \"%s\" of the recipe is not a text", name, key);
        if ((s = flaw_record_put_text(out, key, json_string_value(value), err))) return s;
    }
    return s;
}

/* Sizes are compared with the bytes left before anything is allocated. */
static flaw_status read_tables(flaw_record *out, const json_t *tables, flaw_cursor *c, const char *name,
                               flaw_error *err)
{
    for (size_t i = 0; i < json_array_size(tables); i++) {
        const json_t *table = json_array_get(tables, i);
        const char *key = json_string_value(json_object_get(table, "name"));
        const json_t *rows = json_object_get(table, "rows"), *columns = json_object_get(table, "columns");
        size_t count = 0, bytes = 0;
        bool ok = key && json_is_integer(rows) && json_is_integer(columns) && json_integer_value(rows) >= 0 &&
                  json_integer_value(columns) >= 1 &&
                  flaw_mul_ok(&count, (size_t)json_integer_value(rows), (size_t)json_integer_value(columns)) &&
                  flaw_mul_ok(&bytes, count, sizeof(float)) && bytes <= flaw_cursor_left(c);
        if (!ok)
            return flaw_fail(err, FLAW_BAD_DATA,
                             "%s: table %zu of the recipe at byte %zu does not fit, %zu bytes are left", name, i,
                             flaw_cursor_offset(c), flaw_cursor_left(c));
        const uint8_t *data = flaw_cursor_bytes(c, bytes);
        float *aligned = flaw_arena_alloc(&out->arena, count, sizeof(float));
        if (!aligned) return flaw_fail(err, FLAW_NO_MEMORY, "%s: memory for table \"%s\" was refused", name, key);
        if (bytes) memcpy(aligned, data, bytes);
        flaw_status s = flaw_record_put_table(out, key, aligned, (size_t)json_integer_value(rows),
                                              (size_t)json_integer_value(columns), err);
        if (s) return s;
    }
    if (flaw_cursor_left(c))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %zu bytes are left over at the end of the recipe", name,
                         flaw_cursor_left(c));
    return FLAW_OK;
}

static flaw_status check_head(flaw_cursor *c, const uint8_t *bytes, size_t size, const char *name, flaw_error *err)
{
    uint8_t digest[32];
    flaw_sha256 h;
    const uint8_t *magic = flaw_cursor_bytes(c, 8);
    if (!magic || memcmp(magic, MAGIC, 8)) return flaw_fail(err, FLAW_BAD_DATA, "%s: not a recipe of flaw", name);
    uint32_t version = flaw_cursor_u32le(c);
    const uint8_t *expected = flaw_cursor_bytes(c, 32);
    if (!expected)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: recipe cut at byte %zu, its head has %d", name, size, HEAD);
    if (version < 1 || version > FLAW_RECIPE_VERSION)
        return flaw_fail(err, FLAW_UNAVAILABLE, "%s: recipe of version %u, this program reads version %d", name,
                         version, FLAW_RECIPE_VERSION);
    flaw_sha256_init(&h);
    flaw_sha256_update(&h, bytes + HEAD, size - HEAD);
    flaw_sha256_final(&h, digest);
    if (memcmp(digest, expected, sizeof digest))
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: the recipe is damaged: the digest in its head and that of its %zu bytes "
                         "differ",
                         name, size);
    return FLAW_OK;
}

flaw_status flaw_recipe_parse(flaw_record *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err)
{
    flaw_cursor c = flaw_cursor_over(bytes, size);
    flaw_status s = check_head(&c, bytes, size, name, err);
    if (s) return s;
    uint64_t length = flaw_cursor_u64le(&c);
    if (c.failed || length > flaw_cursor_left(&c) || length > MOST_HEADER)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: the recipe's header claims %llu bytes, %zu are left", name,
                         (unsigned long long)length, flaw_cursor_left(&c));
    json_error_t where;
    json_t *root =
        json_loadb((const char *)flaw_cursor_bytes(&c, (size_t)length), (size_t)length, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(root)) {
        json_decref(root);
        return flaw_fail(err, FLAW_BAD_DATA, "%s: the recipe's header is not a JSON object", name);
    }
    flaw_record record;
    flaw_record_init(&record);
    s = read_values(&record, root, name, err);
    if (!s) s = read_tables(&record, json_object_get(root, "tables"), &c, name, err);
    json_decref(root);
    if (s) {
        flaw_record_release(&record);
        return s;
    }
    *out = record;
    return FLAW_OK;
}

flaw_status flaw_recipe_read(flaw_record *out, const char *path, flaw_error *err)
{
    flaw_bytes bytes;
    flaw_status s = flaw_file_read(&bytes, path, MOST_BYTES, err);
    if (s) return s;
    s = flaw_recipe_parse(out, bytes.data, bytes.size, path, err);
    flaw_bytes_release(&bytes);
    return s;
}
