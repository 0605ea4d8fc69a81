/* Memory for arrays that are walked as a whole again and again: from 2 MB on in large pages, where the system has them. */
#ifndef FLAW_BASE_LARGE_H
#define FLAW_BASE_LARGE_H

#include <stddef.h>

/* At least `size` bytes, not set to anything, on a multiple of 64 at least; free() takes them back. NULL: no memory. */
void *flaw_large_alloc(size_t size);

#endif
