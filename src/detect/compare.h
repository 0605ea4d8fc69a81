/* Station "compare": a memory bank of unit rows of good parts, and how far rows of a picture are from it.
 *
 * cos(query, bank) is a matrix product, so the bank is packed once for the product kernels in blocks of
 * FLAW_TILE_COLS rows; a piece of work is (rows of the query) x (one block), reduced to the largest cosine at once. */
#ifndef FLAW_DETECT_COMPARE_H
#define FLAW_DETECT_COMPARE_H

#include "base/arena.h"
#include "nn/compute.h"

typedef struct flaw_bank {
    int rows, width;
    const float *row; /* [rows, width], unit length, owned */
    void **block;     /* [blocks] packed rows, FLAW_TILE_COLS each and the rest */
    int blocks;
    flaw_arena arena;
} flaw_bank;

/* Copies `rows` and packs them. Reserves scratch in `compute`. */
flaw_status flaw_bank_open(flaw_bank *out, flaw_compute *compute, const float *rows, size_t count, int width,
                           flaw_error *err);
void flaw_bank_close(flaw_bank *bank);

/* Floats of workspace that a query of `count` rows needs. */
size_t flaw_bank_workspace(const flaw_bank *bank, int count);
/* near[i] = largest cosine between query row i [count, width] and any row of the bank. Products are always float32:
 * the distances are small differences from 1. */
void flaw_bank_nearest(const flaw_bank *bank, flaw_compute *compute, const float *query, int count, float *near,
                       float *work);

#endif
