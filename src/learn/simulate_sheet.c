#include "learn/simulate_sheet.h"

#include <stdio.h>

#include "image/draw.h"
#include "image/font.h"
#include "image/resize.h"
#include "simulate/simulate_inside.h"

/* Pixels. A tile lies in the middle of a square of SIDE, so that pictures of any shape stand in rows and columns. */
enum { SIDE = 208, GAP = 8, MARGIN = 20, TITLE = 58, HEAD = 26, WORDS = 30 };
enum { WIDTH = 2 * MARGIN + FLAW_SHEET_COLUMNS * SIDE + (FLAW_SHEET_COLUMNS - 1) * GAP };

static const flaw_colour GROUND = {24, 28, 36, 255}, EMPTY = {33, 38, 48, 255};
static const flaw_colour BRIGHT = {242, 245, 248, 255}, DIM = {158, 167, 180, 255};
static const uint8_t MARKED[3] = {255, 176, 32};

bool flaw_sheet_full(const flaw_sheet *sheet)
{
    return sheet->rows == FLAW_SHEET_ROWS;
}

static flaw_status shrink(flaw_picture *out, const flaw_picture *in, flaw_error *err)
{
    int width = SIDE, height = SIDE;
    if (in->width >= in->height) height = (int)((int64_t)SIDE * in->height / in->width);
    else width = (int)((int64_t)SIDE * in->width / in->height);
    return flaw_picture_resize(out, in, width > 0 ? width : 1, height > 0 ? height : 1, FLAW_FILTER_BICUBIC, err);
}

/* The mask in one colour on a dim grey copy, so that one sees what it lies on. */
static flaw_status shrink_mask(flaw_picture *out, const flaw_picture *original, const float *label, flaw_error *err)
{
    flaw_picture large;
    flaw_status status = flaw_picture_new(&large, original->width, original->height, err);
    if (status != FLAW_OK) return status;
    size_t pixels = (size_t)original->width * (size_t)original->height;
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *c = original->rgb + 3 * i;
        int dim = (3 * c[0] + 6 * c[1] + c[2]) / 10 * 3 / 10;
        for (size_t k = 0; k < 3; k++) large.rgb[3 * i + k] = label[i] > FLAW_SIMULATE_MASK ? MARKED[k] : (uint8_t)dim;
    }
    status = shrink(out, &large, err);
    flaw_picture_release(&large);
    return status;
}

static void release_row(flaw_sheet_row *row)
{
    for (int i = 0; i < FLAW_SHEET_COLUMNS; i++) flaw_picture_release(&row->tile[i]);
}

flaw_status flaw_sheet_add(flaw_sheet *sheet, const flaw_picture *original, const flaw_simulated *paste,
                           const flaw_simulated *poisson, const char *words, flaw_error *err)
{
    if (flaw_sheet_full(sheet)) return FLAW_OK;
    flaw_sheet_row row = {0};
    flaw_status status = shrink(&row.tile[0], original, err);
    if (status == FLAW_OK) status = shrink_mask(&row.tile[1], original, poisson->label, err);
    if (status == FLAW_OK) status = shrink(&row.tile[2], &paste->picture, err);
    if (status == FLAW_OK) status = shrink(&row.tile[3], &poisson->picture, err);
    snprintf(row.words, sizeof row.words, "%s", words);
    if (status == FLAW_OK) sheet->row[sheet->rows++] = row;
    else release_row(&row);
    return status;
}

/* Longer text is cut at the end. */
static void write_text(flaw_picture *p, flaw_font font, int left, int baseline, const char *text, flaw_colour colour)
{
    char line[320];
    size_t fits = flaw_text_fit(font, text, (float)(WIDTH - MARGIN - left));
    snprintf(line, sizeof line, "%.*s", fits < sizeof line ? (int)fits : (int)sizeof line - 1, text);
    flaw_text_draw(p, font, (float)left, (float)baseline, line, colour);
}

static void draw_head(flaw_picture *p, const char *title)
{
    static const char *const heads[FLAW_SHEET_COLUMNS] = {"original", "mask", "cut-paste", "Poisson editing"};
    char text[200];
    snprintf(text, sizeof text, "Simulated anomalies: %s", title);
    write_text(p, (flaw_font){13, FLAW_FONT_BOLD}, MARGIN, MARGIN + 13, text, BRIGHT);
    write_text(p, (flaw_font){9, FLAW_FONT_REGULAR}, MARGIN, MARGIN + 34,
               "A piece of another good part, resized and put elsewhere; the mask follows what shows.", DIM);
    for (int i = 0; i < FLAW_SHEET_COLUMNS; i++)
        write_text(p, (flaw_font){10, FLAW_FONT_BOLD}, MARGIN + i * (SIDE + GAP), TITLE + MARGIN + 12, heads[i],
                   BRIGHT);
}

/* Height of a row's tiles. */
static int row_height(const flaw_sheet_row *row)
{
    return row->tile[0].height;
}

static void draw_row(flaw_picture *p, const flaw_sheet_row *row, int top)
{
    int height = row_height(row);
    for (int i = 0; i < FLAW_SHEET_COLUMNS; i++) {
        const flaw_picture *tile = &row->tile[i];
        int left = MARGIN + i * (SIDE + GAP);
        flaw_draw_rect(p, (flaw_box){left, top, SIDE, height}, EMPTY);
        flaw_draw_picture(p, left + (SIDE - tile->width) / 2, top, tile);
    }
    write_text(p, (flaw_font){9, FLAW_FONT_REGULAR}, MARGIN, top + height + 18, row->words, DIM);
}

flaw_status flaw_sheet_write(const flaw_sheet *sheet, const char *title, const char *path, flaw_error *err)
{
    int top = MARGIN + TITLE + HEAD, height = top;
    for (int i = 0; i < sheet->rows; i++) height += row_height(&sheet->row[i]) + WORDS;
    flaw_picture page;
    flaw_status status = flaw_picture_new(&page, WIDTH, height + 4, err);
    if (status != FLAW_OK) return status;
    flaw_draw_rect(&page, (flaw_box){0, 0, page.width, page.height}, GROUND);
    draw_head(&page, title);
    for (int i = 0; i < sheet->rows; i++) {
        draw_row(&page, &sheet->row[i], top);
        top += row_height(&sheet->row[i]) + WORDS;
    }
    status = flaw_picture_write_png(&page, path, err);
    flaw_picture_release(&page);
    return status;
}

void flaw_sheet_release(flaw_sheet *sheet)
{
    for (int i = 0; i < sheet->rows; i++) release_row(&sheet->row[i]);
    *sheet = (flaw_sheet){0};
}
