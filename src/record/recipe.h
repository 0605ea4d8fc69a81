/* Recipe file: one record on disk, whole or not at all.
 *
 *   0  8   "flawrcp\n"
 *   8  4   version, little endian
 *  12 32   SHA-256 of everything behind it
 *  44  8   length of the JSON header, little endian
 *  52  n   JSON: {"numbers": {name: number|null|"inf"|"-inf"}, "texts": {name: text},
 *                 "tables": [{"name", "rows", "columns"}, ...]}
 *   .  .   the tables one after the other, float32 little endian
 * NaN is null. A changed bit or a missing byte anywhere is FLAW_BAD_DATA, a newer version FLAW_UNAVAILABLE. */
#ifndef FLAW_RECORD_RECIPE_H
#define FLAW_RECORD_RECIPE_H

#include <stdint.h>

#include "detect/record.h"

#define FLAW_RECIPE_VERSION 1

flaw_status flaw_recipe_write(const flaw_record *record, const char *path, flaw_error *err);
/* `out` becomes a fresh record (flaw_record_release). */
flaw_status flaw_recipe_read(flaw_record *out, const char *path, flaw_error *err);
flaw_status flaw_recipe_parse(flaw_record *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err);

#endif
