/* Low-rank adapters (Hu et al. 2021) of the four projections of attention, matched with the layers of a model. */
#ifndef FLAW_MODEL_LANGUAGE_ADAPTERS_H
#define FLAW_MODEL_LANGUAGE_ADAPTERS_H

#include "model/language/language.h"

typedef enum flaw_projection { FLAW_PROJECT_Q, FLAW_PROJECT_K, FLAW_PROJECT_V, FLAW_PROJECT_OUT } flaw_projection;

typedef struct flaw_adapter {
    const flaw_tensor *a; /* [rank, D]; NULL: this matrix has no adapter */
    const flaw_tensor *b; /* [its rows, rank] */
    int rank;
} flaw_adapter;

/* [layers][4] in the arena; NULL for `adapters` NULL. Tensors whose name holds no "lora_" are the caller's business; of
 * the others every one must have its place, its shape and its pair, and there must be some. */
flaw_status flaw_adapters_match(flaw_adapter **out, const flaw_adapters *adapters, const flaw_language_shape *shape,
                                flaw_arena *arena, flaw_error *err);

/* One adapter as floats. */
typedef struct flaw_adapter_floats {
    float *a, *b; /* owned, one block at `a`; NULL: none */
    int rank;
} flaw_adapter_floats;

/* What is added to the rows of one matrix: its adapter, or those of q, k and v where the matrix is all three. */
typedef struct flaw_adapter_stack {
    flaw_adapter_floats part[3];
    int first[4]; /* rows first[i] .. first[i + 1] - 1 are part i's */
    int parts, columns;
    bool any; /* there is something to add */
    float scale;
} flaw_adapter_stack;

/* adapter: [parts] from the table of flaw_adapters_match, beginning with `first`; NULL gives an empty stack. */
flaw_status flaw_adapter_stack_read(flaw_adapter_stack *out, const flaw_adapters *adapters, const flaw_adapter *adapter,
                                    int parts, flaw_projection first, const flaw_block_shape *shape, flaw_error *err);
/* row [columns] += scale * B[index] A, in float32. */
void flaw_adapter_stack_add(const flaw_adapter_stack *s, const flaw_kernels *k, int index, float *row);
void flaw_adapter_stack_release(flaw_adapter_stack *s);

#endif
