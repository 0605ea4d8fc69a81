/* How fast memory can be read and nothing else: what words made one by one are bound by. */
#ifndef FLAW_BENCH_PLAIN_READ_H
#define FLAW_BENCH_PLAIN_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

#define PLAIN_READ_PIECE ((size_t)1 << 20)

/* Read `size` bytes, whole pieces of a megabyte, with all threads of the pool. */
void plain_read(flaw_pool *pool, const uint8_t *data, size_t size);

#endif
