/* An explanation as a picture: a tug of war. From the line in the middle the pulls of the normal sentences reach to the
 * left, those of the abnormal ones to the right, all on one scale; above them their sums and the margin between. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flaw/explain.h"
#include "image/font.h"
#include "image/overlay_panel.h"

enum {
    WIDTH = 1320,
    AXIS = WIDTH / 2,
    EDGE = 16,        /* free at the outer sides, and of the verdict's plate */
    GAP = 14,         /* between axis and text */
    SUMS = 156,       /* where the two sums stand, the middle of their bars */
    ROWS = 200,       /* where the first sentence begins */
    LINE = 17,        /* one line of a sentence */
    BAR = 9,          /* height of a bar */
    REST = 22,        /* of a row: its bar and what is free below it */
    DROPPED_REST = 4, /* without a bar */
    REACH = 300,      /* longest bar of a sentence */
    SUM_REACH = 500,  /* longest of the two sums */
    FOOT = 62,        /* the legend */
    LINES = 2,        /* of a sentence; what is longer ends in dots */
    MOST = 40,        /* sentences of one side */
    BYTES = 512,
};

static const flaw_colour PAPER = {255, 255, 255, 255}, INK = {32, 38, 46, 255}, SOFT = {112, 120, 132, 255},
                         FAINT = {150, 157, 167, 255}, RULE = {196, 202, 210, 255};
/* Told apart by eyes of every kind (Okabe and Ito 2008); [1] of sentences that count though they are ambiguous. */
static const flaw_colour COLOUR[2][2] = {{{0, 114, 178, 255}, {153, 199, 224, 255}},
                                         {{213, 94, 0, 255}, {238, 191, 153, 255}}};
static const flaw_font TEXT = {9.5f, FLAW_FONT_REGULAR};
static const char *const SIDE[2] = {"normal", "abnormal"};

typedef struct chart {
    flaw_picture picture;
    const flaw_explanation *e;
    const flaw_sentence *shown[2][MOST];
    int count[2];       /* of them */
    int more[2];        /* sentences without room */
    double more_pull[2];
    double longest;     /* pull */
} chart;

static flaw_font font(float size, bool bold)
{
    return (flaw_font){size, bold ? FLAW_FONT_BOLD : FLAW_FONT_REGULAR};
}

/* A line on side c: from the axis outwards, `away` pixels from it. Returns its width. */
static float put(chart *ch, int c, float away, float baseline, flaw_font f, const char *text, flaw_colour colour)
{
    float width = flaw_text_width(f, text);
    flaw_text_draw(&ch->picture, f, c ? AXIS + away : AXIS - away - width, baseline, text, colour);
    return width;
}

static void bar(chart *ch, int c, int middle, int height, double length, flaw_colour colour)
{
    int reach = (int)lround(length);
    if (reach < 1) return;
    flaw_draw_rect(&ch->picture, (flaw_box){c ? AXIS : AXIS - reach, middle - height / 2, reach, height}, colour);
}

/* "12  a photo of a ..." */
static void sentence_text(char out[BYTES + 16], const flaw_sentence *s)
{
    snprintf(out, BYTES + 16, "%d  %s", s->number, s->text);
}

/* From the axis to the text: a ring stands before one that is dropped. */
static float away_of(const flaw_sentence *s)
{
    return s->kept ? GAP : GAP + 17;
}

static int line_count(const flaw_sentence *s)
{
    char text[BYTES + 16];
    sentence_text(text, s);
    return flaw_text_width(TEXT, text) > AXIS - EDGE - away_of(s) ? LINES : 1;
}

/* The first line of two is cut at a space, the last one anywhere. Returns the width of the last. */
static float draw_sentence(chart *ch, int c, int top, const flaw_sentence *s)
{
    char text[BYTES + 16], line[BYTES + 16];
    const float away = away_of(s), width = AXIS - EDGE - away;
    float wide = 0;
    sentence_text(text, s);
    const char *at = text;
    for (int i = 0, lines = line_count(s); i < lines; i++) {
        size_t length = i + 1 < lines ? flaw_text_wrap(TEXT, at, width) : strlen(at);
        snprintf(line, sizeof line, "%.*s", (int)length, at);
        wide = fminf(flaw_text_width(TEXT, line), width);
        float left = c ? AXIS + away : AXIS - away - wide, baseline = (float)(top + LINE * i) + 12;
        flaw_text_draw_cut(&ch->picture, TEXT, left, baseline, width, line, s->kept ? INK : FAINT);
        if (s->banned) flaw_draw_rect(&ch->picture, (flaw_box){(int)left, (int)baseline - 5, (int)wide, 1}, SOFT);
        at += length;
        at += strspn(at, " ");
    }
    return wide;
}

/* The other score where it is one, and what sets the sentence apart. */
static void draw_facts(chart *ch, int c, float away, float baseline, const flaw_sentence *s)
{
    char text[160];
    int n = snprintf(text, sizeof text, "%s", s->banned ? ", banned" : "");
    if (isfinite(s->other) && (s->kept || s->banned || fabs(s->other - ch->e->score) > 5e-5))
        n += snprintf(text + n, sizeof text - (size_t)n, ", %s it %.4f", s->banned ? "with" : "without", s->other);
    if (s->tips)
        n += snprintf(text + n, sizeof text - (size_t)n, ": %s", s->other > ch->e->threshold ? "anomalous" : "normal");
    if (s->twin >= 0) {
        const flaw_sentence *twin = &ch->e->sentence[s->twin];
        n += snprintf(text + n, sizeof text - (size_t)n, ", like %s %d",
                      twin->abnormal == s->abnormal ? "no." : SIDE[twin->abnormal], twin->number);
    }
    if (n) put(ch, c, away, baseline, font(8, false), text + 2, SOFT);
}

/* A sentence, and where it counts its bar below it. */
static void draw_row(chart *ch, int c, int top, const flaw_sentence *s)
{
    char text[32];
    int middle = top + LINE * line_count(s) + 6;
    float wide = draw_sentence(ch, c, top, s);
    if (!s->kept) {
        flaw_draw_ring(&ch->picture, (flaw_point){AXIS + (c ? 1 : -1) * (GAP + 4.0f), (float)middle - 15.5f}, 3.5f,
                       1.5f, FAINT);
        draw_facts(ch, c, away_of(s) + wide + 14, (float)middle - 11, s);
        return;
    }
    double length = ch->longest > 0 ? fabs(s->pull) / ch->longest * REACH : 0;
    float away = fmaxf((float)length + 8, s->pinned ? GAP + 8 : GAP);
    bar(ch, c, middle, BAR, length, COLOUR[c][s->ambiguous]);
    snprintf(text, sizeof text, fabs(s->pull) < 5e-4 ? "%.3f" : "%+.3f", fabs(s->pull) < 5e-4 ? 0 : s->pull);
    away += put(ch, c, away, (float)middle + 4, font(8.5f, true), text, COLOUR[c][0]) + 10;
    draw_facts(ch, c, away, (float)middle + 4, s);
    if (!s->pinned) return;
    flaw_point pin = {AXIS + (c ? 10.0f : -10.0f), (float)middle};
    flaw_draw_disc(&ch->picture, pin, 6, PAPER);
    flaw_draw_disc(&ch->picture, pin, 4.5f, INK);
}

static int row_height(const chart *ch, int row)
{
    int most = 0;
    for (int c = 0; c < 2; c++) {
        if (row >= ch->count[c]) continue;
        const flaw_sentence *s = ch->shown[c][row];
        int height = LINE * line_count(s) + (s->kept ? REST : DROPPED_REST);
        most = height > most ? height : most;
    }
    return most;
}

static int rows_of(const chart *ch)
{
    return ch->count[0] > ch->count[1] ? ch->count[0] : ch->count[1];
}

static int height_of(const chart *ch)
{
    int height = ROWS + FOOT + (ch->more[0] || ch->more[1] ? LINE + 8 : 0);
    for (int i = 0; i < rows_of(ch); i++) height += row_height(ch, i);
    return height;
}

static void draw_head(chart *ch)
{
    const flaw_explanation *e = ch->e;
    char line[400];
    float left = flaw_panel_draw_verdict(&ch->picture, (flaw_panel){WIDTH, EDGE}, e->verdict) + EDGE;
    float width = WIDTH - EDGE - left;
    flaw_text_draw_cut(&ch->picture, font(15, true), left, 36, width, e->object, INK);
    snprintf(line, sizeof line, "score %.4f   limit %.4f   %s, rule %s   sentences: %s", e->score, e->threshold,
             e->method, e->rule, e->source);
    flaw_text_draw_cut(&ch->picture, font(10, false), left, 58, width, line, SOFT);
}

static void draw_sums(chart *ch)
{
    const flaw_explanation *e = ch->e;
    char text[64];
    double longer = fmax(fabs(e->pull[0]), fabs(e->pull[1]));
    for (int c = 0; c < 2; c++) {
        double length = longer > 0 ? fabs(e->pull[c]) / longer * SUM_REACH : 0;
        bar(ch, c, SUMS, 20, length, COLOUR[c][0]);
        snprintf(text, sizeof text, "%+.3f", e->pull[c]);
        put(ch, c, (float)length + 10, SUMS + 6, font(12, true), text, COLOUR[c][0]);
        snprintf(text, sizeof text, "%s: %d of %d sentences count", SIDE[c], e->kept[c], e->total[c]);
        put(ch, c, GAP, SUMS - 22, font(10, true), text, COLOUR[c][0]);
    }
    snprintf(text, sizeof text, "margin %+.3f", e->margin);
    float width = flaw_text_width(font(12, true), text);
    flaw_text_draw(&ch->picture, font(12, true), AXIS - width / 2, SUMS - 46, text, INK);
}

/* A sample and its name; returns where the next one may stand. */
static float legend(chart *ch, float left, int middle, int kind, const char *name)
{
    flaw_picture *p = &ch->picture;
    flaw_point at = {left + 14, (float)middle};
    if (kind < 2)
        for (int c = 0; c < 2; c++)
            flaw_draw_rect(p, (flaw_box){(int)left + 14 * c, middle - BAR / 2, 14, BAR}, COLOUR[c][kind]);
    else if (kind == 2) flaw_draw_ring(p, at, 3.5f, 1.5f, FAINT);
    else flaw_draw_disc(p, at, 4.5f, INK);
    return flaw_text_draw(p, font(8.5f, false), left + 36, (float)middle + 4, name, SOFT) + 26;
}

static void draw_legend(chart *ch, int middle)
{
    float x = EDGE;
    x = legend(ch, x, middle, 0, "counts");
    x = legend(ch, x, middle, 1, "counts though ambiguous");
    x = legend(ch, x, middle, 2, "dropped or banned");
    x = legend(ch, x, middle, 3, "pinned");
    flaw_text_draw_cut(&ch->picture, font(8.5f, false), x, (float)middle + 4, WIDTH - EDGE - x,
                       "without it: the score had there been no such sentence     like: says the same to the "
                       "model", SOFT);
}

static void draw_rows(chart *ch)
{
    char text[96];
    int top = ROWS;
    for (int row = 0; row < rows_of(ch); row++) {
        for (int c = 0; c < 2; c++)
            if (row < ch->count[c]) draw_row(ch, c, top, ch->shown[c][row]);
        top += row_height(ch, row);
    }
    for (int c = 0; c < 2; c++) {
        if (!ch->more[c]) continue;
        snprintf(text, sizeof text, "and %d more, together %+.3f", ch->more[c], ch->more_pull[c]);
        put(ch, c, GAP, (float)top + 12, font(9.5f, false), text, SOFT);
    }
}

static void gather(chart *ch)
{
    for (int i = 0; i < ch->e->count; i++) {
        const flaw_sentence *s = &ch->e->sentence[i];
        int c = s->abnormal;
        ch->longest = fmax(ch->longest, fabs(s->pull));
        if (ch->count[c] < MOST) {
            ch->shown[c][ch->count[c]++] = s;
        } else {
            ch->more[c]++;
            ch->more_pull[c] += s->pull;
        }
    }
}

flaw_status flaw_explanation_write_chart(const flaw_explanation *e, const char *path, flaw_error *err)
{
    chart ch = {.e = e};
    gather(&ch);
    int height = height_of(&ch);
    flaw_status s = flaw_picture_new(&ch.picture, WIDTH, height, err);
    if (s) return s;
    flaw_draw_rect(&ch.picture, (flaw_box){0, 0, WIDTH, height}, PAPER);
    draw_head(&ch);
    flaw_draw_rect(&ch.picture, (flaw_box){AXIS - 1, SUMS - 34, 2, height - FOOT - SUMS + 34}, RULE);
    draw_sums(&ch);
    draw_rows(&ch);
    flaw_draw_rect(&ch.picture, (flaw_box){EDGE, height - FOOT + 8, WIDTH - 2 * EDGE, 1}, RULE);
    draw_legend(&ch, height - 26);
    s = flaw_picture_write_png(&ch.picture, path, err);
    flaw_picture_release(&ch.picture);
    return s;
}
