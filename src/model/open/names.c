#include "model/open/names.h"

#include <stdio.h>
#include <string.h>

bool flaw_names_match(const char *pattern, const char *name, int *block)
{
    *block = -1;
    for (; *pattern; pattern++) {
        if (*pattern == '*') return true;
        if (*pattern != '#') {
            if (*pattern != *name++) return false;
            continue;
        }
        int value = 0, digits = 0;
        for (; *name >= '0' && *name <= '9' && digits < 6; name++, digits++) value = 10 * value + (*name - '0');
        if (!digits) return false;
        *block = value;
    }
    return *name == '\0';
}

const flaw_name_rule *flaw_names_find(const flaw_name_table *table, const flaw_name_rule *after, const char *canonical,
                                      int *block)
{
    for (const flaw_name_rule *r = after ? after + 1 : table->rule; r->canonical; r++)
        if (flaw_names_match(r->canonical, canonical, block)) return r;
    return NULL;
}

bool flaw_names_fill(char *out, size_t size, const char *foreign, int block, int part)
{
    static const char *const words[] = {"query", "key", "value"};
    size_t used = 0;
    for (; *foreign && *foreign != '|' && used < size; foreign++) {
        if (*foreign == '#') used += (size_t)snprintf(out + used, size - used, "%d", block);
        else if (*foreign == '&') used += (size_t)snprintf(out + used, size - used, "%s", words[part]);
        else out[used++] = *foreign == '@' ? "qkv"[part] : *foreign;
    }
    if (used >= size) return false;
    out[used] = '\0';
    return true;
}
