#include "learn/sections.h"

#include <string.h>

flaw_sections flaw_sections_over(const char *text, size_t size, const char *path, const char *const *names, int count)
{
    return (flaw_sections){.at = text, .end = text + size, .path = path, .names = names, .count = count, .section = -1};
}

static int find(const flaw_sections *s, const char *name, size_t length)
{
    for (int i = 0; i < s->count; i++)
        if (strlen(s->names[i]) == length && !memcmp(s->names[i], name, length)) return i;
    return -1;
}

bool flaw_sections_next(flaw_sections *s, flaw_status *status, flaw_error *err)
{
    *status = FLAW_OK;
    while (s->at < s->end) {
        const char *stop = memchr(s->at, '\n', (size_t)(s->end - s->at));
        s->line = s->at;
        s->length = (size_t)((stop ? stop : s->end) - s->at);
        s->at = stop ? stop + 1 : s->end;
        s->number++;
        if (s->length && s->line[0] == '#') continue;
        if (s->length && s->line[0] == '[') {
            const bool closed = s->length > 2 && s->line[s->length - 1] == ']';
            s->section = closed ? find(s, s->line + 1, s->length - 2) : -1;
            if (s->section >= 0) continue;
            *status = flaw_fail(err, FLAW_BAD_DATA, "%s: line %d: unknown section", s->path, s->number);
            return false;
        }
        if (s->section >= 0) return true;
        if (s->length == 0) continue;
        *status = flaw_fail(err, FLAW_BAD_DATA, "%s: line %d: words before any [section]", s->path, s->number);
        return false;
    }
    return false;
}
