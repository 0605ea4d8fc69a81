#include "base/large.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/checked.h"

enum { LINE = 64, LARGE_PAGE = 2 << 20 };

void *flaw_large_alloc(size_t size)
{
    size_t unit = size < LARGE_PAGE ? LINE : LARGE_PAGE, whole;
    if (!flaw_add_ok(&whole, size ? size : 1, unit - 1)) return NULL;
    whole -= whole % unit;
    void *at = aligned_alloc(unit, whole);
    if (at && unit == LARGE_PAGE) madvise(at, whole, MADV_HUGEPAGE); /* advice: may fail without harm */
    return at;
}
