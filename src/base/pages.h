/* Address space whose memory comes when it is touched and can be given back piece by piece: for arrays of which only parts
 * are needed at a time. */
#ifndef FLAW_BASE_PAGES_H
#define FLAW_BASE_PAGES_H

#include <stddef.h>

#include "flaw/status.h"

typedef struct flaw_pages {
    void *data; /* zeros, aligned to a page; NULL when nothing is held */
    size_t size;
} flaw_pages;

flaw_status flaw_pages_reserve(flaw_pages *out, size_t size, flaw_error *err);
/* Give back the memory of whole pages within [at, at + size), which lies in the reserve. Nobody reads or writes these bytes
 * again: whoever does is stopped by the system, so a mistake shows. */
void flaw_pages_give_back(const flaw_pages *pages, void *at, size_t size);
void flaw_pages_release(flaw_pages *pages);

#endif
