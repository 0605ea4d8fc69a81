/* Types of weights as containers name them (format/tensors.h) and as products read them (kernel/weights.h). */
#ifndef FLAW_MODEL_WEIGHT_TYPES_H
#define FLAW_MODEL_WEIGHT_TYPES_H

#include "format/tensors.h"
#include "kernel/weights.h"

static inline flaw_dtype flaw_dtype_of_weight(flaw_weight_type type)
{
    static const flaw_dtype dtypes[] = {[FLAW_WEIGHT_F32] = FLAW_DTYPE_F32,   [FLAW_WEIGHT_F16] = FLAW_DTYPE_F16,
                                        [FLAW_WEIGHT_BF16] = FLAW_DTYPE_BF16, [FLAW_WEIGHT_Q8_0] = FLAW_DTYPE_Q8_0,
                                        [FLAW_WEIGHT_Q4_0] = FLAW_DTYPE_Q4_0, [FLAW_WEIGHT_Q4_1] = FLAW_DTYPE_Q4_1,
                                        [FLAW_WEIGHT_Q4_K] = FLAW_DTYPE_Q4_K, [FLAW_WEIGHT_Q6_K] = FLAW_DTYPE_Q6_K};
    return dtypes[type];
}

/* FLAW_WEIGHT_TYPES: the products do not read it. */
static inline flaw_weight_type flaw_weight_of_dtype(flaw_dtype dtype)
{
    int type = 0;
    while (type < (int)FLAW_WEIGHT_TYPES && flaw_dtype_of_weight((flaw_weight_type)type) != dtype) type++;
    return (flaw_weight_type)type;
}

#endif
