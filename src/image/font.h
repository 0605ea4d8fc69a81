/* Text in the project's own stroke font: any size, anti-aliased, no font file. Letters of ASCII and, without their
 * marks, of Latin-1; anything else is a small box. Sizes are cap heights in pixels. */
#ifndef FLAW_IMAGE_FONT_H
#define FLAW_IMAGE_FONT_H

#include "image/draw.h"

typedef struct flaw_font {
    float size;   /* height of a capital letter; readable from 7 */
    float weight; /* stroke width as a part of the size: 0.13 is regular, 0.19 bold */
} flaw_font;

#define FLAW_FONT_REGULAR 0.13f
#define FLAW_FONT_BOLD 0.19f

/* Width of a line of UTF-8 text, in pixels. */
float flaw_text_width(flaw_font font, const char *text);

/* Draw one line; `left`, `baseline` is where the first letter's lower left corner stands. Below it letters reach
 * 0.4 * size, above 1.1 * size. Returns where the next letter would stand. */
float flaw_text_draw(flaw_picture *p, flaw_font font, float left, float baseline, const char *text, flaw_colour colour);

/* Longest beginning of `text`, in bytes and cut between letters, that is at most `width` pixels wide. */
size_t flaw_text_fit(flaw_font font, const char *text, float width);

/* The same cut at the last space where there is one: the next line of wrapped text, at least one byte of it. */
size_t flaw_text_wrap(flaw_font font, const char *text, float width);

/* Draw one line at most `width` wide: a longer one ends in dots. */
void flaw_text_draw_cut(flaw_picture *p, flaw_font font, float left, float baseline, float width, const char *text,
                        flaw_colour colour);

#endif
