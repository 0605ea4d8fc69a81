#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

void flaw_buffer_init(flaw_buffer *b, size_t maximum)
{
    *b = (flaw_buffer){.maximum = maximum};
}

/* Room for `more` bytes and the NUL behind them; false (and failed) when there is none. */
static bool make_room(flaw_buffer *b, size_t more)
{
    size_t size, need;
    if (b->failed) return false;
    if (!flaw_add_ok(&size, b->size, more) || size > b->maximum || !flaw_add_ok(&need, size, 1)) {
        b->failed = true;
        return false;
    }
    if (need <= b->capacity) return true;
    size_t capacity = b->capacity ? b->capacity : 64;
    while (capacity < need && flaw_mul_ok(&capacity, capacity, 2)) continue;
    if (capacity < need) capacity = need;
    char *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void flaw_buffer_append(flaw_buffer *b, const void *bytes, size_t size)
{
    if (!make_room(b, size)) return;
    if (size > 0) memcpy(b->data + b->size, bytes, size);
    b->size += size;
    b->data[b->size] = '\0';
}

void flaw_buffer_text(flaw_buffer *b, const char *text)
{
    flaw_buffer_append(b, text, strlen(text));
}

void flaw_buffer_printf(flaw_buffer *b, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        b->failed = true;
    } else if (make_room(b, (size_t)length)) {
        vsnprintf(b->data + b->size, (size_t)length + 1, format, again);
        b->size += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

void flaw_buffer_release(flaw_buffer *b)
{
    free(b->data);
    flaw_buffer_init(b, b->maximum);
}
