#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

json_t *flaw_json_number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

/* File names may hold any bytes; what is not UTF-8 becomes "?", byte by byte. */
json_t *flaw_json_text(const char *s)
{
    if (!s) return json_null();
    json_t *v = json_string(s);
    if (v) return v;
    size_t size = strlen(s);
    char *copy = malloc(size + 1);
    if (!copy) return NULL;
    for (size_t i = 0; i < size;) {
        size_t n = flaw_utf8_length(s + i, size - i);
        if (n) memcpy(copy + i, s + i, n);
        else copy[i] = '?';
        i += n ? n : 1;
    }
    copy[size] = '\0';
    v = json_string(copy);
    free(copy);
    return v;
}

const char *flaw_json_copy(flaw_arena *arena, const json_t *value)
{
    if (!json_is_string(value)) return NULL;
    return flaw_arena_copy_string(arena, json_string_value(value), json_string_length(value));
}

bool flaw_json_whole(const json_t *value, json_int_t low, json_int_t high, json_int_t *out)
{
    *out = json_integer_value(value);
    return json_is_integer(value) && *out >= low && *out <= high;
}
