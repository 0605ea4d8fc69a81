/* Fields of a JSON object, read with limits. The first failure is kept and later calls do nothing, so that a reader
 * is a list of fields with one check of `status` at its end. A field that is absent or null keeps its default. */
#ifndef FLAW_MODEL_FIELDS_H
#define FLAW_MODEL_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

#include "flaw/status.h"

typedef struct flaw_fields {
    const json_t *object; /* NULL reads as an empty object */
    const char *file;     /* for messages */
    const char *where;    /* "vision_cfg", ... */
    flaw_error *err;
    flaw_status status;
} flaw_fields;

/* Whole JSON text -> object; duplicate keys and anything but an object are FLAW_BAD_DATA. */
flaw_status flaw_json_parse(json_t **out, const char *text, size_t size, const char *file, flaw_error *err);

/* The field, or NULL when absent or null. */
const json_t *flaw_field(const flaw_fields *f, const char *key);
void flaw_field_refuse(flaw_fields *f, const char *key, const char *allowed);
void flaw_field_int(flaw_fields *f, const char *key, int *value, int min, int max);
void flaw_field_double(flaw_fields *f, const char *key, double *value, double min, double max);
void flaw_field_bool(flaw_fields *f, const char *key, bool *value);
/* A list of exactly `count` whole numbers from min to max; `allowed` says so in the refusal. */
void flaw_field_ints(flaw_fields *f, const char *key, int *value, size_t count, int min, int max, const char *allowed);
void flaw_field_triple(flaw_fields *f, const char *key, float value[3]);
/* A side: N, [N, N], or {"height": N, "width": N}. */
void flaw_field_side(flaw_fields *f, const char *key, int *value, int max);
/* One of `names` (ends with NULL); *index is its place. */
void flaw_field_choice(flaw_fields *f, const char *key, int *index, const char *const *names);
/* A nested object (NULL object when absent); anything else is refused here and in the fields returned. */
flaw_fields flaw_field_object(flaw_fields *f, const char *key);

/* A key that changes the network and that is not supported unless it has this value; "*": any value is fine. */
typedef struct flaw_neutral {
    const char *key, *value; /* "false", "0", "learnable", "null" (also {}) ... */
} flaw_neutral;
/* Refuse, by name and value, every key that is neither in `known` (ends with NULL) nor neutral. */
void flaw_fields_only(flaw_fields *f, const char *const *known, const flaw_neutral *neutral);

#endif
