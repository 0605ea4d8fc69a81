#include "image/overlay_panel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "image/colour_map.h"
#include "image/font.h"

static const flaw_colour BRIGHT = {242, 245, 248, 255}, DIM = {158, 167, 180, 255}, TAG = {15, 17, 22, 225};
static const flaw_colour GREEN = {22, 150, 84, 255}, RED = {208, 38, 46, 255}, GREY = {104, 112, 124, 255};
static const flaw_colour SCALE_GROUND = {62, 68, 78, 255};

enum { WORD_LINES = 2, TEXT_MAX = 600 };

static flaw_font regular(float size)
{
    return (flaw_font){size, FLAW_FONT_REGULAR};
}

static flaw_font bold(float size)
{
    return (flaw_font){size, FLAW_FONT_BOLD};
}

static bool given(const char *text)
{
    return text && text[0];
}

/* Draws (when `p` is not NULL) at most WORD_LINES lines; returns how many there are. */
static int draw_words(flaw_picture *p, flaw_panel panel, float baseline, const char *text)
{
    flaw_font font = regular((float)panel.unit * 0.9f);
    float margin = (float)panel.unit, width = (float)panel.width - 2 * margin;
    int lines = 0;
    while (given(text) && lines < WORD_LINES) {
        char line[TEXT_MAX];
        size_t length = flaw_text_wrap(font, text, width);
        bool last = lines == WORD_LINES - 1;
        /* The last line gets all that is left and is cut. */
        if (last) length = strlen(text);
        snprintf(line, sizeof line, "%.*s", (int)(length < TEXT_MAX ? length : TEXT_MAX - 1), text);
        if (p)
            flaw_text_draw_cut(p, font, margin, baseline + (float)lines * (float)panel.unit * 1.8f, width, line,
                               BRIGHT);
        text += length;
        while (*text == ' ') text++;
        lines++;
    }
    return lines;
}

static void number_text(char out[32], double value)
{
    if (isfinite(value)) snprintf(out, 32, "%.3f", value);
    else snprintf(out, 32, "?");
}

int flaw_panel_header_height(flaw_panel panel)
{
    return panel.unit * 5;
}

int flaw_panel_footer_height(flaw_panel panel, const flaw_overlay *in)
{
    int legend = in->map ? panel.unit * 4 : 0;
    int words = draw_words(NULL, panel, 0, in->words) * panel.unit * 9 / 5;
    return legend + words + (legend || words ? panel.unit : 0);
}

float flaw_panel_draw_verdict(flaw_picture *p, flaw_panel panel, flaw_verdict verdict)
{
    const char *text = verdict == FLAW_NORMAL ? "NORMAL" : verdict == FLAW_ANOMALOUS ? "ANOMALOUS" : "UNKNOWN";
    flaw_colour colour = verdict == FLAW_NORMAL ? GREEN : verdict == FLAW_ANOMALOUS ? RED : GREY;
    flaw_font font = bold((float)panel.unit * 1.35f);
    float inside = flaw_text_width(font, text) - font.size * 0.2f, space = (float)panel.unit * 1.1f;
    flaw_box plate = {panel.unit, panel.unit, (int)(inside + 2 * space), panel.unit * 3};
    flaw_draw_round_rect(p, plate, (float)panel.unit * 0.5f, colour);
    float baseline = (float)plate.y + (float)plate.height / 2 + font.size / 2;
    flaw_text_draw(p, font, (float)plate.x + space, baseline, text, BRIGHT);
    return (float)(plate.x + plate.width);
}

void flaw_panel_draw_header(flaw_picture *p, flaw_panel panel, const flaw_overlay *in)
{
    float unit = (float)panel.unit, left = flaw_panel_draw_verdict(p, panel, in->verdict) + unit;
    float width = (float)panel.width - left - unit;
    char score[32], threshold[32], line[TEXT_MAX];
    number_text(score, in->score);
    number_text(threshold, in->threshold);
    snprintf(line, sizeof line, "score %s  threshold %s%s%s", score, threshold, given(in->method) ? "  " : "",
             given(in->method) ? in->method : "");
    bool titled = given(in->object);
    if (titled) flaw_text_draw_cut(p, bold(unit * 1.1f), left, unit * 2.25f, width, in->object, BRIGHT);
    flaw_text_draw_cut(p, regular(unit * 0.9f), left, unit * (titled ? 3.9f : 2.95f), width, line,
                       titled ? DIM : BRIGHT);
}

/* Colours as they lie on the photograph, but stronger: a bar has no picture to let through. */
static void draw_scale(flaw_picture *p, flaw_box bar)
{
    flaw_draw_rect(p, bar, SCALE_GROUND);
    for (int x = 0; x < bar.width; x++) {
        flaw_colour colour = flaw_heat_colour(((float)x + 0.5f) / (float)bar.width);
        int strong = colour.a * 2;
        colour.a = (uint8_t)(strong < 255 ? strong : 255);
        flaw_draw_rect(p, (flaw_box){bar.x + x, bar.y, 1, bar.height}, colour);
    }
}

static void draw_legend(flaw_picture *p, flaw_panel panel, int top)
{
    float unit = (float)panel.unit, baseline = (float)top + unit * 3.5f;
    flaw_font font = regular(unit * 0.8f);
    flaw_box bar = {panel.unit, top + panel.unit, panel.width - 2 * panel.unit, panel.unit};
    if (bar.width > panel.unit * 40) bar.width = panel.unit * 40;
    draw_scale(p, bar);
    static const char *const LABEL[3] = {"normal", "threshold", "anomalous"};
    for (int i = 0; i < 3; i++) {
        float x = (float)bar.x + (float)bar.width * 0.5f * (float)i;
        float width = flaw_text_width(font, LABEL[i]);
        flaw_box tick = {(int)x - (i == 2), bar.y - panel.unit / 4, panel.unit >= 18 ? 2 : 1,
                         bar.height + panel.unit / 2};
        flaw_draw_rect(p, tick, BRIGHT);
        flaw_text_draw(p, font, x - width * 0.5f * (float)i, baseline, LABEL[i], DIM);
    }
}

void flaw_panel_draw_footer(flaw_picture *p, flaw_panel panel, int top, const flaw_overlay *in)
{
    if (in->map) {
        draw_legend(p, panel, top);
        top += panel.unit * 4;
    }
    draw_words(p, panel, (float)top + (float)panel.unit * 1.6f, in->words);
}

void flaw_panel_draw_tag(flaw_picture *p, flaw_panel panel, flaw_box photo, flaw_box box, int number, double score)
{
    char text[64], value[32];
    flaw_font font = bold((float)panel.unit * 0.75f);
    number_text(value, score);
    snprintf(text, sizeof text, "%d  %s", number, value);
    int space = panel.unit / 2, height = panel.unit * 3 / 2;
    flaw_box tag = {box.x, box.y - height, (int)flaw_text_width(font, text) + 2 * space, height};
    if (tag.y < photo.y) tag.y = box.y + box.height + height <= photo.y + photo.height ? box.y + box.height : box.y;
    if (tag.x + tag.width > photo.x + photo.width) tag.x = photo.x + photo.width - tag.width;
    if (tag.x < photo.x) tag.x = photo.x;
    flaw_draw_rect(p, tag, TAG);
    flaw_text_draw(p, font, (float)(tag.x + space), (float)tag.y + ((float)height + font.size) / 2, text, BRIGHT);
}
