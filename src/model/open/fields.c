#include "model/open/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

flaw_status flaw_json_parse(json_t **out, const char *text, size_t size, const char *file, flaw_error *err)
{
    json_error_t why;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: not valid JSON: %s (line %d, column %d)", file, why.text, why.line,
                         why.column);
    if (!json_is_object(root)) {
        json_decref(root);
        return flaw_fail(err, FLAW_BAD_DATA, "%s: not a JSON object", file);
    }
    *out = root;
    return FLAW_OK;
}

const json_t *flaw_field(const flaw_fields *f, const char *key)
{
    const json_t *value = json_object_get(f->object, key);
    return json_is_null(value) ? NULL : value;
}

void flaw_field_refuse(flaw_fields *f, const char *key, const char *allowed)
{
    if (f->status) return;
    char *found = json_dumps(json_object_get(f->object, key), JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    f->status = flaw_fail(f->err, FLAW_BAD_DATA, "%s: %s%s%s is %.60s, %s", f->file, f->where, *f->where ? "." : "",
                          key, found ? found : "absent", allowed);
    free(found);
}

void flaw_field_int(flaw_fields *f, const char *key, int *value, int min, int max)
{
    const json_t *x = flaw_field(f, key);
    if (!x || f->status) return;
    double number = json_number_value(x);
    if (json_is_number(x) && number >= min && number <= max && number == floor(number)) {
        *value = (int)number;
        return;
    }
    char allowed[80];
    snprintf(allowed, sizeof allowed, "allowed are whole numbers from %d to %d", min, max);
    flaw_field_refuse(f, key, allowed);
}

void flaw_field_ints(flaw_fields *f, const char *key, int *value, size_t count, int min, int max, const char *allowed)
{
    const json_t *list = flaw_field(f, key);
    if (!list || f->status) return;
    bool ok = json_array_size(list) == count;
    for (size_t i = 0; ok && i < count; i++) {
        const json_t *x = json_array_get(list, i);
        ok = json_is_integer(x) && json_integer_value(x) >= min && json_integer_value(x) <= max;
        if (ok) value[i] = (int)json_integer_value(x);
    }
    if (!ok) flaw_field_refuse(f, key, allowed);
}

void flaw_field_double(flaw_fields *f, const char *key, double *value, double min, double max)
{
    const json_t *x = flaw_field(f, key);
    if (!x || f->status) return;
    if (json_is_number(x) && json_number_value(x) >= min && json_number_value(x) <= max) {
        *value = json_number_value(x);
        return;
    }
    char allowed[80];
    snprintf(allowed, sizeof allowed, "allowed are numbers from %g to %g", min, max);
    flaw_field_refuse(f, key, allowed);
}

void flaw_field_bool(flaw_fields *f, const char *key, bool *value)
{
    const json_t *x = flaw_field(f, key);
    if (!x || f->status) return;
    if (!json_is_boolean(x)) flaw_field_refuse(f, key, "expected true or false");
    else *value = json_is_true(x);
}

void flaw_field_triple(flaw_fields *f, const char *key, float value[3])
{
    const json_t *x = flaw_field(f, key);
    if (!x || f->status) return;
    bool ok = json_is_array(x) && json_array_size(x) == 3;
    for (size_t i = 0; ok && i < 3; i++) ok = json_is_number(json_array_get(x, i));
    if (!ok) {
        flaw_field_refuse(f, key, "expected three numbers");
        return;
    }
    for (size_t i = 0; i < 3; i++) value[i] = (float)json_number_value(json_array_get(x, i));
}

void flaw_field_side(flaw_fields *f, const char *key, int *value, int max)
{
    const json_t *x = flaw_field(f, key), *other = x;
    if (!x || f->status) return;
    if (json_is_array(x) && json_array_size(x) == 2) {
        other = json_array_get(x, 1);
        x = json_array_get(x, 0);
    } else if (json_is_object(x)) {
        other = json_object_get(x, "width");
        x = json_object_get(x, "height");
    }
    if (!json_is_integer(x) || !json_is_integer(other) || json_integer_value(x) != json_integer_value(other) ||
        json_integer_value(x) < 1 || json_integer_value(x) > max)
        flaw_field_refuse(f, key, "allowed is a whole number (or two that are equal) within the limits");
    else *value = (int)json_integer_value(x);
}

void flaw_field_choice(flaw_fields *f, const char *key, int *index, const char *const *names)
{
    const json_t *x = flaw_field(f, key);
    if (!x || f->status) return;
    for (int i = 0; names[i]; i++)
        if (json_is_string(x) && strcmp(json_string_value(x), names[i]) == 0) {
            *index = i;
            return;
        }
    char allowed[160] = "supported are";
    for (int i = 0; names[i]; i++) {
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, " %s", names[i]);
    }
    flaw_field_refuse(f, key, allowed);
}

flaw_fields flaw_field_object(flaw_fields *f, const char *key)
{
    const json_t *x = flaw_field(f, key);
    if (x && !json_is_object(x)) {
        flaw_field_refuse(f, key, "expected an object");
        x = NULL;
    }
    return (flaw_fields){.object = x, .file = f->file, .where = key, .err = f->err, .status = f->status};
}

static bool is_neutral(const json_t *value, const char *text)
{
    if (strcmp(text, "*") == 0 || json_is_null(value)) return true;
    if (json_is_boolean(value)) return strcmp(text, json_is_true(value) ? "true" : "false") == 0;
    if (json_is_string(value)) return strcmp(text, json_string_value(value)) == 0;
    if (json_is_number(value)) {
        char *end;
        double number = strtod(text, &end);
        return end != text && *end == '\0' && number == json_number_value(value);
    }
    return json_is_object(value) && json_object_size(value) == 0 && strcmp(text, "null") == 0;
}

void flaw_fields_only(flaw_fields *f, const char *const *known, const flaw_neutral *neutral)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)f->object, key, value)
    {
        bool fine = json_is_null(value);
        for (size_t i = 0; known[i] && !fine; i++) fine = strcmp(known[i], key) == 0;
        for (size_t i = 0; neutral[i].key && !fine; i++)
            fine = strcmp(neutral[i].key, key) == 0 && is_neutral(value, neutral[i].value);
        if (!fine) flaw_field_refuse(f, key, "which is not supported");
    }
}
