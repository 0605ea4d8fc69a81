/* Small PyTorch archives built in memory, good ones and lying ones: for the table of hostile files and the fuzz target.
 */
#ifndef FLAW_TESTS_TORCH_BUILD_H
#define FLAW_TESTS_TORCH_BUILD_H

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "base/buffer.h"

typedef struct built_entry {
    const char *name;
    const void *data;
    size_t size;
} built_entry;

enum { BUILT_MOST = 8 };

/* Where things lie, so that a test can change them. */
typedef struct built {
    flaw_buffer file;
    size_t local[BUILT_MOST], data[BUILT_MOST], central[BUILT_MOST], end;
} built;

static inline void built_number(flaw_buffer *b, uint64_t value, int size)
{
    for (int i = 0; i < size; i++) flaw_buffer_append(b, &(char){i < 8 ? (char)(value >> 8 * i) : 0}, 1);
}

/* What local and central headers share, from the flags to the sizes. */
static inline void built_facts(flaw_buffer *b, const built_entry *e)
{
    built_number(b, 0, 2);          /* flags */
    built_number(b, 0, 2);          /* method: stored */
    built_number(b, 0x00210000, 4); /* 1980-01-01 */
    built_number(b, crc32_z(crc32_z(0, NULL, 0), e->data, e->size), 4);
    built_number(b, e->size, 4);
    built_number(b, e->size, 4);
    built_number(b, strlen(e->name), 2);
    built_number(b, 0, 2); /* extra field */
}

static inline built build_zip(const built_entry *entry, size_t count)
{
    built z = {0};
    flaw_buffer *b = &z.file;
    flaw_buffer_init(b, (size_t)1 << 28);
    for (size_t i = 0; i < count; i++) {
        z.local[i] = b->size;
        built_number(b, 0x04034b50, 4);
        built_number(b, 20, 2);
        built_facts(b, &entry[i]);
        flaw_buffer_text(b, entry[i].name);
        z.data[i] = b->size;
        flaw_buffer_append(b, entry[i].data, entry[i].size);
    }
    const size_t directory = b->size;
    for (size_t i = 0; i < count; i++) {
        z.central[i] = b->size;
        built_number(b, 0x02014b50, 4);
        built_number(b, 20 << 16 | 20, 4);
        built_facts(b, &entry[i]);
        built_number(b, 0, 2 + 2 + 2 + 4); /* comment, disk, attributes */
        built_number(b, z.local[i], 4);
        flaw_buffer_text(b, entry[i].name);
    }
    z.end = b->size;
    built_number(b, 0x06054b50, 4);
    built_number(b, 0, 4);
    built_number(b, count, 2);
    built_number(b, count, 2);
    built_number(b, z.end - directory, 4);
    built_number(b, directory, 4);
    built_number(b, 0, 2);
    return z;
}

/* An archive of this pickle, with storage 0 of 4 floats and storage 1 of 6 half floats. */
static inline built build_torch(const void *pickle, size_t size)
{
    static const float wide[4] = {0, 1, 2, 3};
    static const uint16_t half[6] = {0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500};
    const built_entry entry[] = {{"m/data.pkl", pickle, size},
                                 {"m/data/0", wide, sizeof wide},
                                 {"m/data/1", half, sizeof half},
                                 {"m/version", "3\n", 2}};
    return build_zip(entry, sizeof entry / sizeof entry[0]);
}

#endif
