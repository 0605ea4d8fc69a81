/* Stroked capitals, digits and a few marks on a grid of 3 x 5 points, numbered 0 .. 14 row by row ('a' .. 'o' here).
 * A glyph is a chain of points; a space lifts the pen. */
#include <string.h>

#include "learn/paint/paint.h"

static const char *glyph(char c)
{
    static const char *const digits[] = {"acoma",  "dbn mo", "acigmo", "acom gi",  "agi co",
                                         "cagiom", "camoig", "acn",    "acoma gi", "igacom"};
    static const char *const letters[] = {
        "mdbfo gi", "abfhlnma gh", "camo", "abflnma", "camo gi", "cam gi", "camoih",   "am co gi", "ac bn mo",
        "comj",     "am cgo",      "amo",  "maeco",   "maoc",    "acoma",  "macig",    "acoma ko", "macig ho",
        "cagiom",   "ac bn",       "amoc", "anc",     "amhoc",   "ao cm",  "ah ch hn", "acmo"};
    if (c >= '0' && c <= '9') return digits[c - '0'];
    if (c >= 'A' && c <= 'Z') return letters[c - 'A'];
    return c == '-' ? "gi" : c == '.' ? "nn" : c == '+' ? "gi en" : c == '/' ? "mc" : "";
}

void flaw_shape_text(flaw_layer *l, flaw_join how, const char *text, float x, float y, float height, float radius)
{
    float cell = height / 4, advance = 2.9f * cell, left = x - 0.5f * advance * (float)(strlen(text) - 1) - cell;
    for (const char *c = text; *c; c++, left += advance) {
        int last = -1;
        for (const char *g = glyph(*c); *g; g++) {
            if (*g == ' ') {
                last = -1;
                continue;
            }
            int at = *g - 'a';
            if (last >= 0)
                flaw_shape_line(l, how, left + cell * (float)(last % 3), y + cell * (float)(last / 3 - 2),
                                left + cell * (float)(at % 3), y + cell * (float)(at / 3 - 2), radius);
            last = at;
        }
    }
}
