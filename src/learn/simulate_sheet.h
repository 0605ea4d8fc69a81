/* A contact sheet of simulated anomalies: original, mask, cut-paste, Poisson side by side, a sentence below. */
#ifndef FLAW_LEARN_SIMULATE_SHEET_H
#define FLAW_LEARN_SIMULATE_SHEET_H

#include "flaw/simulate.h"

enum { FLAW_SHEET_ROWS = 8, FLAW_SHEET_COLUMNS = 4 };

typedef struct flaw_sheet_row {
    flaw_picture tile[FLAW_SHEET_COLUMNS]; /* owned */
    char words[256];
} flaw_sheet_row;

typedef struct flaw_sheet {
    flaw_sheet_row row[FLAW_SHEET_ROWS];
    int rows;
} flaw_sheet;

bool flaw_sheet_full(const flaw_sheet *sheet);
/* Small copies are kept. The mask is that of `poisson`. Does nothing once the sheet is full. */
flaw_status flaw_sheet_add(flaw_sheet *sheet, const flaw_picture *original, const flaw_simulated *paste,
                           const flaw_simulated *poisson, const char *words, flaw_error *err);
/* title: "hazelnut". */
flaw_status flaw_sheet_write(const flaw_sheet *sheet, const char *title, const char *path, flaw_error *err);
void flaw_sheet_release(flaw_sheet *sheet);

#endif
