/* Values for JSON that always are valid JSON. */
#ifndef FLAW_BASE_JSON_H
#define FLAW_BASE_JSON_H

#include <jansson.h>

json_t *flaw_json_number(double value); /* null when not finite */
/* NULL is null. What is not UTF-8 (file names may hold any bytes) becomes "?", byte by byte. NULL without memory. */
json_t *flaw_json_text(const char *text);

#endif
