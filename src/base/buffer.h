/* Growing byte buffer that knows its maximum. Appends after a failure do nothing; check `failed` at the end. */
#ifndef FLAW_BASE_BUFFER_H
#define FLAW_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct flaw_buffer {
    char *data; /* NUL-terminated whenever not NULL; owned (malloc) */
    size_t size, capacity, maximum;
    bool failed;
} flaw_buffer;

void flaw_buffer_init(flaw_buffer *b, size_t maximum);
void flaw_buffer_append(flaw_buffer *b, const void *bytes, size_t size);
void flaw_buffer_text(flaw_buffer *b, const char *text);
void flaw_buffer_printf(flaw_buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void flaw_buffer_release(flaw_buffer *b);

#endif
