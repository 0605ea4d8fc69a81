#include <stdio.h>
#include <string.h>

#include "talk/answer.h"

enum { MIDDLE, LOW, HIGH }; /* top and left are LOW, as rows and columns count */

static const char *const names[3][3] = {
    {"center", "left", "right"}, {"top", "top left", "top right"}, {"bottom", "bottom left", "bottom right"}};

static bool is(const flaw_clause *c, int i, int bit)
{
    return flaw_word_is(c, i, bit);
}

/* Height and side that a word names; false when it names none. */
static bool parts_of(const flaw_clause *c, int i, int *row, int *column)
{
    *row = is(c, i, W_TOP) ? LOW : is(c, i, W_BOTTOM) ? HIGH : MIDDLE;
    *column = is(c, i, W_LEFT) ? LOW : is(c, i, W_RIGHT) ? HIGH : MIDDLE;
    return *row || *column || is(c, i, W_MIDDLE);
}

/* "not at the top": the negation stands at most three words before. */
static bool is_denied(const flaw_clause *c, int i)
{
    int at = i - 1;
    while (at >= 0 && (is(c, at, W_DEFINITE) || is(c, at, W_AT) || is(c, at, W_TO)) && i - at < 3) at--;
    return is(c, at, W_NOT) && c->word[i].gap != FLAW_GAP_COMMA;
}

/* A word of place that stands alone: is a place meant? */
static bool is_place(const flaw_clause *c, int i)
{
    if (is(c, i + 1, W_SIDE)) return true;
    if (is(c, i, W_NEEDS_SIDE)) return false;
    if (is(c, i - 1, W_DEFINITE)) return true;               /* "on the right" */
    if (is(c, i, W_TOP) && is(c, i - 1, W_ON)) return false; /* "on top of" */
    if (is(c, i, W_LEFT) || is(c, i, W_RIGHT)) {
        if (is(c, i + 1, W_OF)) return true; /* "left of the hole" */
        if (is(c, i - 1, W_NO_PLACE_AFTER)) return false;
        if (c->word[i].gap != FLAW_GAP_JOIN && is(c, i + 1, W_NO_PLACE_BEFORE)) return false;
    }
    return true;
}

/* "middle of the left side" is the left side; "left of the center" is left. */
static bool is_relative(const flaw_clause *c, int i)
{
    int row, column, to = i + 2 + is(c, i + 2, W_DEFINITE);
    if (is(c, i, W_MIDDLE) && is(c, i + 1, W_OF) && parts_of(c, to, &row, &column)) return true;
    int from = i - 1 - is(c, i - 1, W_DEFINITE);
    return is(c, i, W_MIDDLE) && is(c, from, W_OF) && (is(c, from - 1, W_LEFT) || is(c, from - 1, W_RIGHT));
}

static void add(flaw_answer *answer, const char *name)
{
    for (int i = 0; i < answer->places; i++)
        if (!strcmp(answer->place[i], name)) return;
    if (answer->places == FLAW_MAX_PLACES) return;
    snprintf(answer->place[answer->places++], sizeof answer->place[0], "%s", name);
}

void flaw_places_add(flaw_answer *answer, const flaw_clause *c)
{
    for (int i = 0; i < c->count; i++) {
        int row, column, row2, column2, first = i;
        if (!parts_of(c, i, &row, &column)) continue;
        bool fused = row && column;
        bool two =
            !fused && i + 1 < c->count && c->word[i + 1].gap != FLAW_GAP_COMMA && parts_of(c, i + 1, &row2, &column2);
        /* Two words are one place when they say different things: "top left", "left middle", not "left right". */
        two = two && !(row && row2) && !(column && column2) && !(row2 && column2);
        if (two) {
            row += row2;
            column += column2;
            i++;
        } else if (!fused && (!is_place(c, i) || is_relative(c, i))) {
            continue;
        }
        if (!is_denied(c, first)) add(answer, names[row][column]);
    }
}
