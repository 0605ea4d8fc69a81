/* Many short sequences through the blocks of a tower, of which only token 0 is read in the end: windows of patches.
 * The bits are those of flaw_block_forward, but
 * - a piece of the pool takes some whole sequences through everything of a block, so that what lies between the products
 *   stays in the second cache, and threads meet once a block;
 * - before the first block all tokens are rows of one small table (a patch lies in several windows): their norm, queries,
 *   keys and values are computed once;
 * - of the last block, token 0 alone has queries, projection and MLP.
 * For towers without rotary positions and without a causal mask. */
#ifndef FLAW_NN_BLOCK_SHORT_H
#define FLAW_NN_BLOCK_SHORT_H

#include "nn/block.h"

#define FLAW_SHORT_KINDS 2

typedef struct flaw_short {
    int kinds;
    struct {
        int n, tokens; /* sequences, and tokens of each */
    } kind[FLAW_SHORT_KINDS];
    int table; /* rows of the table */
    /* Row of the table that is this token of this sequence. */
    int (*row_of)(const void *context, int kind, int sequence, int token);
    const void *context;
} flaw_short;

/* Sequences of all kinds together. */
int flaw_short_sequences(const flaw_short *s);

/* Floats of workspace, for this compute's number of threads. */
size_t flaw_short_workspace(const flaw_compute *c, const flaw_block_shape *shape, const flaw_short *s);

/* table [rows, D]: the residual stream before the first of `layers` blocks. out [sequences, D]: token 0 of every sequence
 * behind the last one, kind after kind. */
void flaw_short_forward(flaw_compute *c, const flaw_block *blocks, int layers, const flaw_short *s, const float *table,
                        float *out, float *work);

#endif
