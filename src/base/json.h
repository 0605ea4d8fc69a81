/* Values for JSON that always are valid JSON, and values out of it that are checked. */
#ifndef FLAW_BASE_JSON_H
#define FLAW_BASE_JSON_H

#include <stdbool.h>

#include <jansson.h>

#include "base/arena.h"

json_t *flaw_json_number(double value); /* null when not finite */
/* NULL is null. What is not UTF-8 (file names may hold any bytes) becomes "?", byte by byte. NULL without memory. */
json_t *flaw_json_text(const char *text);

/* The text of a string in the arena; NULL for any other value, and without memory. */
const char *flaw_json_copy(flaw_arena *arena, const json_t *value);
/* Is it a whole number of [low, high]? *out: it, 0 for any other value. */
bool flaw_json_whole(const json_t *value, json_int_t low, json_int_t high, json_int_t *out);

#endif
