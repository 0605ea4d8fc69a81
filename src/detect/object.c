/* Names of objects as folders of data sets have them -> words that a text tower knows (spec 4.12). One table, the same
 * for every method. */
#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "detect/prompts.h"

static const char *const spelled[][2] = {
    {"pcb", "printed circuit board"},
    {"chewinggum", "chewing gum"},
    {"metalnut", "metal nut"},
    {"toothbrushes", "toothbrush"},
};

flaw_status flaw_object_tidy(char out[FLAW_OBJECT_ROOM], const char *name, flaw_error *err)
{
    if (!name || !*name) name = "object";
    size_t size = strlen(name), n = 0;
    if (size >= FLAW_OBJECT_ROOM)
        return flaw_fail(err, FLAW_USAGE, "the object's name has %zu bytes, allowed are %d", size,
                         FLAW_OBJECT_ROOM - 1);
    if (!flaw_utf8_valid(name, size)) return flaw_fail(err, FLAW_USAGE, "the object's name is not UTF-8 text");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 32 || c == 127)
            return flaw_fail(err, FLAW_USAGE, "the object's name holds the control character %d", c);
        if (c == '_') c = ' ';
        if (c == ' ' && (n == 0 || out[n - 1] == ' ')) continue;
        out[n++] = (char)c;
    }
    while (n > 0 && out[n - 1] == ' ') n--;
    out[n] = '\0';
    return n ? FLAW_OK : flaw_fail(err, FLAW_USAGE, "the object's name is blank");
}

flaw_status flaw_object_clean(char out[FLAW_OBJECT_ROOM], const char *name, flaw_error *err)
{
    flaw_status status = flaw_object_tidy(out, name, err);
    if (status) return status;
    size_t n = strlen(out), letters = n;
    while (letters > 0 && isdigit((unsigned char)out[letters - 1])) letters--;
    if (letters > 0 && out[letters - 1] != ' ') n = letters; /* "pcb3" and "gear-2", but "part 3" and "42" stay */
    while (n > 0 && letters == n && out[n - 1] == '-') letters = --n;
    if (n == 0) return flaw_fail(err, FLAW_USAGE, "the object's name is blank");
    out[n] = '\0';
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++)
        if (!strcmp(out, spelled[i][0])) memcpy(out, spelled[i][1], strlen(spelled[i][1]) + 1);
    return FLAW_OK;
}
