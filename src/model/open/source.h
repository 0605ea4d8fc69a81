/* A model on disk before its weights are read: which form it has, its tensors (mapped), its shape. */
#ifndef FLAW_MODEL_SOURCE_H
#define FLAW_MODEL_SOURCE_H

#include "format/tensors.h"
#include "model/tower/clip.h"
#include "model/open/names.h"

typedef enum flaw_form {
    FLAW_FORM_OPENCLIP,
    FLAW_FORM_HF,
    FLAW_FORM_TIMM, /* and DINOv2 as Meta published it */
    FLAW_FORM_BUNDLE,
    FLAW_FORM_IMAGEBIND,
    FLAW_FORM_DINO, /* of Hugging Face */
} flaw_form;

typedef struct flaw_source {
    flaw_form form;
    const char *folder;  /* NULL for a single file and for the embedded model */
    const char *weights; /* path of the weights; "embedded" for the embedded model */
    const char *config;  /* path of the configuration or NULL */
    char name[128];      /* last part of the path, "default" for the embedded model */
    flaw_tensors tensors;
    flaw_clip_shape shape;
    flaw_arena arena;
} flaw_source;

/* Told apart by content. FLAW_MISSING names the files that were looked for. `side`: see flaw_clip_open_at. */
flaw_status flaw_source_open_at(flaw_source *out, const char *path, int side, flaw_error *err);
flaw_status flaw_source_open(flaw_source *out, const char *path, flaw_error *err);
void flaw_source_close(flaw_source *s);
/* NULL for a flaw bundle, whose names are canonical. */
const flaw_name_table *flaw_source_names(const flaw_source *s);
const char *flaw_form_name(flaw_form form); /* "OpenCLIP folder", ... */
/* The tokenizer that belongs to it and fits its shape; *out NULL (and FLAW_OK) for a model without a text tower. */
flaw_status flaw_source_tokenizer(flaw_tokenizer **out, const flaw_source *s, flaw_error *err);

#endif
