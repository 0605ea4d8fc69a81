/* The language part of a bundle (docs/decisions/0013). */
#ifndef FLAW_MODEL_LANGUAGE_PART_H
#define FLAW_MODEL_LANGUAGE_PART_H

#include "model/language/language.h"
#include "model/bundle/part.h"

/* A model that was opened or trained, its matrices in the types that `keep` asks for (FLAW_KEEP_AUTO and
 * FLAW_KEEP_FILE: as they are; q, k, v or gate, up of several types become Q8_0 where all are blocks, else F32), with
 * its tokenizer where it has one. Nothing is converted before it is written; the pages of a mapped matrix are given
 * back behind it, slab by slab. */
flaw_status flaw_language_part(flaw_part *out, const flaw_language *m, flaw_keep keep, flaw_error *err);
/* The same of a model opened without adapters, with these added while it is written: a matrix that has one and is kept as
 * it is becomes F32, as in flaw_language_open. Nothing is held in memory but the adapter of one matrix. `adapters` and
 * `c` (its kernels and its threads) must stay until the part is written. */
flaw_status flaw_language_part_adapted(flaw_part *out, const flaw_language *m, flaw_keep keep,
                                       const flaw_adapters *adapters, const flaw_compute *c, flaw_error *err);

/* A bundle of this part alone. */
flaw_status flaw_language_bundle_write(const char *path, const flaw_language *m, flaw_keep keep, const char *card_json,
                                       flaw_error *err);

#endif
