#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/red_zone.h"

enum {
    LINE = 64,                  /* alignment of every block, bytes */
    SMALLEST = 64 * 1024,       /* first chunk, bytes */
    LARGEST = 16 * 1024 * 1024, /* chunks stop doubling here */
    ALONE = 1024 * 1024,        /* from this size on a block gets pages of its own, zeroed by the system as they are touched */
};

/* The list runs from the newest chunk to the oldest; only the newest is filled. Blocks that stand alone come behind it. */
struct flaw_arena_chunk {
    flaw_arena_chunk *next;
    size_t capacity, used; /* bytes of `data`, both multiples of LINE */
    size_t mapped;         /* bytes of a mapping; 0: from the heap */
    _Alignas(LINE) unsigned char data[];
};

void flaw_arena_init(flaw_arena *arena, size_t limit)
{
    *arena = (flaw_arena){.limit = limit};
}

static flaw_arena_chunk *chunk_new(flaw_arena *arena, size_t need)
{
    size_t capacity = arena->head ? arena->head->capacity * 2 : SMALLEST;
    if (capacity > LARGEST) capacity = LARGEST;
    if (capacity < need) capacity = need;
    flaw_arena_chunk *chunk = aligned_alloc(LINE, capacity + sizeof(flaw_arena_chunk));
    if (!chunk) return NULL;
    *chunk = (flaw_arena_chunk){.next = arena->head, .capacity = capacity};
    flaw_forbid(chunk->data, capacity);
    arena->head = chunk;
    return chunk;
}

/* A chunk for one large block. Large pages, where the system has them: weights are read in whole on every pass. */
static void *alone(flaw_arena *arena, size_t bytes, size_t need)
{
    size_t total;
    if (!flaw_add_ok(&total, need, sizeof(flaw_arena_chunk))) return NULL;
    flaw_arena_chunk *chunk = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED) return NULL;
    madvise(chunk, total, MADV_HUGEPAGE); /* advice: may fail without harm */
    *chunk = (flaw_arena_chunk){.capacity = need, .used = need, .mapped = total};
    if (arena->head) {
        chunk->next = arena->head->next;
        arena->head->next = chunk;
    } else {
        arena->head = chunk;
    }
    flaw_forbid(chunk->data + bytes, need - bytes);
    return chunk->data;
}

static void chunk_free(flaw_arena_chunk *chunk)
{
    flaw_permit(chunk->data, chunk->capacity);
    if (chunk->mapped) munmap(chunk, chunk->mapped);
    else free(chunk);
}

static void *beside_others(flaw_arena *arena, size_t bytes, size_t need)
{
    flaw_arena_chunk *chunk = arena->head;
    if (!chunk || chunk->capacity - chunk->used < need) chunk = chunk_new(arena, need);
    if (!chunk) return NULL;
    void *at = chunk->data + chunk->used;
    chunk->used += need;
    flaw_permit(at, bytes);
    return memset(at, 0, bytes);
}

void *flaw_arena_alloc(flaw_arena *arena, size_t count, size_t size)
{
    size_t bytes, block, need, used;
    if (!flaw_mul_ok(&bytes, count, size)) return NULL;
    if (bytes == 0) bytes = 1;
    if (!flaw_add_ok(&block, bytes, LINE - 1)) return NULL;
    block -= block % LINE;
    if (!flaw_add_ok(&used, arena->used, block)) return NULL;
    if (arena->limit != 0 && used > arena->limit) return NULL;
    if (!flaw_add_ok(&need, block, FLAW_RED_ZONE)) return NULL;
    void *at = need >= ALONE ? alone(arena, bytes, need) : beside_others(arena, bytes, need);
    if (at) arena->used = used;
    return at;
}

char *flaw_arena_copy_string(flaw_arena *arena, const char *text, size_t length)
{
    size_t size;
    if (!flaw_add_ok(&size, length, 1)) return NULL;
    char *copy = flaw_arena_alloc(arena, size, 1);
    if (copy && length > 0) memcpy(copy, text, length);
    return copy;
}

void flaw_arena_adopt(flaw_arena *to, flaw_arena *from)
{
    flaw_arena_chunk **last = &to->head;
    while (*last) last = &(*last)->next;
    *last = from->head;
    to->used += from->used; /* both are sums of blocks that lie in memory: no overflow */
    flaw_arena_init(from, from->limit);
}

void flaw_arena_release(flaw_arena *arena)
{
    for (flaw_arena_chunk *c = arena->head, *next; c; c = next) {
        next = c->next;
        chunk_free(c);
    }
    flaw_arena_init(arena, arena->limit);
}
