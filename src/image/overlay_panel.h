/* The written parts of an overlay: verdict above, legend and words below. */
#ifndef FLAW_IMAGE_OVERLAY_PANEL_H
#define FLAW_IMAGE_OVERLAY_PANEL_H

#include "image/overlay.h"

/* `unit` is the cap height of normal text, from which all distances of the panels follow. */
typedef struct flaw_panel {
    int width, unit;
} flaw_panel;

int flaw_panel_header_height(flaw_panel panel);
int flaw_panel_footer_height(flaw_panel panel, const flaw_overlay *in);
/* The verdict on a coloured plate in the upper left corner; returns the plate's right side. */
float flaw_panel_draw_verdict(flaw_picture *p, flaw_panel panel, flaw_verdict verdict);
void flaw_panel_draw_header(flaw_picture *p, flaw_panel panel, const flaw_overlay *in);
/* `top`: first row of the footer. */
void flaw_panel_draw_footer(flaw_picture *p, flaw_panel panel, int top, const flaw_overlay *in);

/* Number and score of a region in a small dark tag on the corner of its shown box, inside `photo`. */
void flaw_panel_draw_tag(flaw_picture *p, flaw_panel panel, flaw_box photo, flaw_box box, int number, double score);

#endif
