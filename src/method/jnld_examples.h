/* What JNLD learns from: good parts, and the same with simulated anomalies from just noticeable to strong. */
#ifndef FLAW_METHOD_JNLD_EXAMPLES_H
#define FLAW_METHOD_JNLD_EXAMPLES_H

#include "method/network.h"

#define FLAW_JNLD_LEVELS 3

/* A pair of equal place and light. Letters as in network.h. */
typedef struct flaw_jnld_pair {
    float *clean;                     /* [P, C] */
    float *changed[FLAW_JNLD_LEVELS]; /* [P, C] */
    float *target[FLAW_JNLD_LEVELS];  /* [P] 0 .. 1: how much of a patch changed so that it can be seen */
} flaw_jnld_pair;

typedef struct flaw_jnld_examples {
    flaw_jnld_pair *pair;
    size_t count, floats, patches;
    float *memory; /* owned */
} flaw_jnld_examples;

/* About `wanted` pairs, of every good part as many, one at least. */
flaw_status flaw_jnld_examples_make(flaw_jnld_examples *out, const flaw_lesson *lesson, size_t wanted, flaw_error *err);
void flaw_jnld_examples_release(flaw_jnld_examples *e);

#endif
