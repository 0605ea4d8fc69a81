/* A language model on disk before its weights are read: which form it has, its tensors (mapped), its shape. */
#ifndef FLAW_MODEL_LANGUAGE_SOURCE_H
#define FLAW_MODEL_LANGUAGE_SOURCE_H

#include "model/open/bind.h"
#include "model/language/language_config.h"

typedef enum flaw_language_form { FLAW_LANGUAGE_HF, FLAW_LANGUAGE_GGUF, FLAW_LANGUAGE_BUNDLE } flaw_language_form;

typedef struct flaw_language_source {
    flaw_language_form form;
    const char *path; /* as given; "embedded voice" for the one inside */
    char name[128];   /* last part of the path, "default" for the embedded one */
    flaw_tensors tensors;
    flaw_language_config config;
    flaw_arena arena;
} flaw_language_source;

/* Told apart by content. NULL, "" or "default": the embedded voice; FLAW_UNAVAILABLE when this build has none. */
flaw_status flaw_language_source_open(flaw_language_source *out, const char *path, flaw_error *err);
void flaw_language_source_close(flaw_language_source *s);
const char *flaw_language_form_name(flaw_language_form form); /* "Hugging Face LLaMA folder", ... */

/* The list of parameters as this form keeps them (foreign forms have q, k, v and gate, up apart:
 * "language.block.0.q.w",
 * ..., in this order) and what feeds each. As flaw_binding_make: only flaw_binding_verdict tells whether all fits. */
flaw_status flaw_language_source_bind(flaw_binding *out, flaw_parameters *list, const flaw_language_source *s,
                                      flaw_arena *arena, flaw_error *err);
/* Its tokenizer, which has passed the test of fitting the table; *out NULL (FLAW_OK) when it has none. */
flaw_status flaw_language_source_pieces(flaw_pieces **out, const flaw_language_source *s, flaw_error *err);

#endif
