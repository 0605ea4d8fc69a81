/* Low-rank adapters (Hu et al. 2021) of the four projections of attention, matched with the layers of a model. */
#ifndef FLAW_MODEL_LANGUAGE_ADAPTERS_H
#define FLAW_MODEL_LANGUAGE_ADAPTERS_H

#include "model/language.h"

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

/* One adapter as floats, for adding it to rows. */
typedef struct flaw_adapter_floats {
    float *a, *b; /* owned, one block at `a`; NULL: none */
    int rank, columns;
    float scale;
} flaw_adapter_floats;
flaw_status flaw_adapter_read(flaw_adapter_floats *out, const flaw_adapters *adapters, const flaw_adapter *adapter,
                              int columns, flaw_error *err);
/* row [columns] += scale * B[index] A, in float32. */
void flaw_adapter_add(const flaw_adapter_floats *f, const flaw_kernels *k, int index, float *row);
void flaw_adapter_floats_release(flaw_adapter_floats *f);

#endif
