/* gzip in memory, with a limit on what comes out. */
#ifndef FLAW_MODEL_GUNZIP_H
#define FLAW_MODEL_GUNZIP_H

#include "base/file.h"

bool flaw_is_gzip(const uint8_t *bytes, size_t size);
/* FLAW_BAD_DATA for broken or cut data, and for more than `maximum` bytes of content. */
flaw_status flaw_gunzip(flaw_bytes *out, const uint8_t *bytes, size_t size, size_t maximum, const char *name,
                        flaw_error *err);

#endif
