/* Loading of a model that is kept packed only: its matrices are read one by one from the file, which stays mapped. */
#ifndef FLAW_MODEL_CLIP_LOAD_H
#define FLAW_MODEL_CLIP_LOAD_H

#include "model/open/bind.h"
#include "model/open/source.h"

struct flaw_clip_origin {
    flaw_source source;
    flaw_parameters list;
    flaw_binding binding;
    flaw_arena arena; /* of list and binding */
};

/* Read, pack and forget each matrix; read all else. m->origin is set. */
flaw_status flaw_clip_load_packed(flaw_clip *m, flaw_compute *c, flaw_error *err);

#endif
