/* Which parts of a model a path holds, before any of them is opened. */
#ifndef FLAW_MODEL_LOOK_H
#define FLAW_MODEL_LOOK_H

#include <stdbool.h>

#include "flaw/status.h"

typedef struct flaw_look {
    bool released; /* AnomalyGPT as published, a folder of files */
    bool towers, language, voice;
} flaw_look;

/* NULL, "" or "default": what this build carries. A file that is nothing known counts as towers, whose reader says why it is
 * none. FLAW_MISSING names what a released folder lacks; *out is filled all the same. */
flaw_status flaw_model_look(flaw_look *out, const char *path, flaw_error *err);

#endif
