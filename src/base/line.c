#include "base/line.h"

#include <ctype.h>
#include <string.h>

#include "base/utf8.h"

/* C0, C1, soft hyphen, zero widths, marks that turn the direction of writing, byte order mark. */
static bool is_invisible(const char *c, size_t n)
{
    unsigned a = (unsigned char)c[0], b = n > 1 ? (unsigned char)c[1] : 0, d = n > 2 ? (unsigned char)c[2] : 0;
    if (n == 1) return a < 0x20 || a == 0x7f;
    if (n == 2) return a == 0xc2 && (b < 0xa0 || b == 0xad);
    if (n != 3) return false;
    if (a == 0xef) return b == 0xbb && d == 0xbf;
    if (a != 0xe2) return false;
    return (b == 0x80 && ((d >= 0x8b && d <= 0x8f) || (d >= 0xa8 && d <= 0xae))) || (b == 0x81 && d >= 0xa0);
}

bool flaw_line_clean(char *out, size_t room, const char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        size_t n = flaw_utf8_length(text + i, size - i);
        bool blank = n == 1 && isspace((unsigned char)text[i]);
        if (n && (blank || !is_invisible(text + i, n)) && !(blank && (used == 0 || out[used - 1] == ' '))) {
            if (used + n >= room) {
                out[used] = '\0';
                return false;
            }
            memcpy(out + used, blank ? " " : text + i, n);
            used += n;
        }
        i += n ? n : 1;
    }
    while (used && out[used - 1] == ' ') used--;
    out[used] = '\0';
    return true;
}
