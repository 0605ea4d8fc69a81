/* Arena: many allocations, one release. Chunks never move, so pointers stay valid until the release.
 * Every block is zeroed and aligned to 64 bytes (one cache line, one AVX-512 vector). Not thread-safe. */
#ifndef FLAW_BASE_ARENA_H
#define FLAW_BASE_ARENA_H

#include <stddef.h>

#include "flaw/status.h"

typedef struct flaw_arena_chunk flaw_arena_chunk;
typedef struct flaw_arena {
    flaw_arena_chunk *head;
    size_t used;  /* bytes handed out */
    size_t limit; /* bytes that may be handed out in all; 0 = no limit */
} flaw_arena;

void flaw_arena_init(flaw_arena *arena, size_t limit);
/* NULL when `count * size` overflows, passes the limit or the system refuses. count or size 0 gives a valid pointer. */
void *flaw_arena_alloc(flaw_arena *arena, size_t count, size_t size);
char *flaw_arena_copy_string(flaw_arena *arena, const char *text, size_t length);
/* What `from` handed out belongs to `to` from now on, where it lies; `from` is as after init. */
void flaw_arena_adopt(flaw_arena *to, flaw_arena *from);
void flaw_arena_release(flaw_arena *arena); /* give all back; the arena is as after init */

#endif
