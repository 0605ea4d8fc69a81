/* Station "compare": a memory bank of unit rows of good parts, and how far rows of a picture are from it.
 *
 * cos(query, bank) is a matrix product, of which only the largest of each row is wanted. So the bank is packed once for
 * the product kernels, in the precision of the compute, and while the tiles of the product pass, each row of the query
 * keeps the FLAW_BANK_KEEP rows of the bank that come out largest (kernel/largest.h); the matrix itself is nowhere. Then
 * the cosines of these few are computed again in float32 from the rows as they are, and the largest wins; of equal ones
 * the lowest row. Rows of unit length have the Euclidean distance sqrt(2 - 2 cos): the same row is nearest by it.
 *
 * bf16 and int8: every row loses the bank's mean before it is packed. The mean adds the same to all cosines of a query,
 * so the order stays, and what is rounded is small: cosines of real patches come out wrong by some 2e-4 (bf16) or 1e-3
 * (int8). The result is that of float32 unless FLAW_BANK_KEEP others pass the nearest row by their rounding; then it is
 * too far by less than such an error (docs/performance.md has it measured). float32: the nearest row is the answer.
 *
 * Resident are the rows in float32 (recipes keep them, the second look reads them) and the packed ones in the
 * precision's own width. */
#ifndef FLAW_DETECT_COMPARE_H
#define FLAW_DETECT_COMPARE_H

#include "base/arena.h"
#include "nn/compute.h"

enum { FLAW_BANK_KEEP = 8 };

typedef struct flaw_bank {
    int rows, width;
    const float *row;         /* [rows, width], unit length, owned */
    flaw_precision precision; /* of `packed` */
    void *packed;             /* the rows as columns of B, without their mean when rounded */
    flaw_arena arena;
} flaw_bank;

/* Copies `rows` and packs them. Reserves scratch in `compute`. A row that is not finite is refused. */
flaw_status flaw_bank_open(flaw_bank *out, flaw_compute *compute, const float *rows, size_t count, int width,
                           flaw_error *err);
void flaw_bank_close(flaw_bank *bank);

/* Bytes of workspace that a query of `count` rows needs, whatever bank of this width is asked. */
size_t flaw_bank_workspace(const flaw_compute *compute, int count, int width);
/* near[i] = largest cosine between query row i [count, width] and any row of the bank, at[i] its row (at may be NULL). A
 * query row that is not finite is near to nothing: NaN, row -1. */
void flaw_bank_nearest(const flaw_bank *bank, flaw_compute *compute, const float *query, int count, float *near, int *at,
                       void *work);

#endif
