#include "flaw/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum {
    RAW = 6000, /* longest message before escaping: two longest paths fit */
    TEXT = sizeof(((flaw_error *)0)->text),
    TAIL = 200, /* of a message too long, this many last bytes stay: they hold what was found and allowed */
};

/* Rewrite `raw` so that it is one line of valid UTF-8 a terminal shows as it is: control characters (C0, DEL, C1)
 * and bytes that are not UTF-8 become \n, \t or \xNN. `out` has room for 4 bytes per byte of `raw` and a NUL. */
static size_t escape(char *out, const char *raw, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        const size_t length = flaw_utf8_length(raw + i, size - i);
        const unsigned char c = (unsigned char)raw[i];
        const int is_c1 = length == 2 && c == 0xc2 && (unsigned char)raw[i + 1] < 0xa0;
        if (length > 0 && c >= 0x20 && c != 0x7f && !is_c1) {
            memcpy(out + used, raw + i, length);
            used += length;
            i += length;
            continue;
        }
        if (c == '\n' || c == '\t') {
            out[used++] = '\\';
            out[used++] = c == '\n' ? 'n' : 't';
        } else {
            used += (size_t)snprintf(out + used, 5, "\\x%02x", c);
        }
        i++;
    }
    out[used] = '\0';
    return used;
}

static int is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Copy `text` into `out[TEXT]`; a longer one loses its middle (a path, mostly), never half a character. */
static void shorten(char *out, const char *text, size_t size)
{
    static const char gap[] = " ... ";
    if (size < TEXT) {
        memcpy(out, text, size + 1);
        return;
    }
    size_t tail = size - TAIL;
    while (tail < size && is_continuation(text[tail])) tail++;
    size_t head = TEXT - 1 - (sizeof gap - 1) - (size - tail);
    while (head > 0 && is_continuation(text[head])) head--;
    memcpy(out, text, head);
    memcpy(out + head, gap, sizeof gap - 1);
    memcpy(out + head + sizeof gap - 1, text + tail, size - tail + 1);
}

/* The message may quote err->text itself: it is built aside and copied at the end. */
static void fill(flaw_error *err, flaw_status status, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
static void fill(flaw_error *err, flaw_status status, const char *format, va_list arguments)
{
    char raw[RAW], escaped[4 * RAW + 1];
    int length = vsnprintf(raw, sizeof raw, format, arguments);
    if (length < 0) length = 0;
    if (length >= RAW) length = RAW - 1;
    shorten(err->text, escaped, escape(escaped, raw, (size_t)length));
    err->status = status;
}

flaw_status flaw_fail(flaw_error *err, flaw_status status, const char *format, ...)
{
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        fill(err, status, format, arguments);
        va_end(arguments);
    }
    return status;
}

static const struct {
    const char *name;
    int exit;
} table[] = {
    [FLAW_OK] = {"ok", 0},
    [FLAW_USAGE] = {"usage", 2},
    [FLAW_BAD_DATA] = {"bad data", 65},
    [FLAW_MISSING] = {"missing", 66},
    [FLAW_UNAVAILABLE] = {"unavailable", 69},
    [FLAW_INTERNAL] = {"internal", 70},
    [FLAW_NO_MEMORY] = {"no memory", 70},
    [FLAW_IO] = {"input/output", 74},
};

const char *flaw_status_name(flaw_status status)
{
    return (size_t)status < sizeof table / sizeof table[0] ? table[status].name : "unknown status";
}

int flaw_status_exit(flaw_status status)
{
    return (size_t)status < sizeof table / sizeof table[0] ? table[status].exit : 70;
}
