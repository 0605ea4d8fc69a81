/* Inside of an engine. The model is read-only once open; the compute and the lock serve the embedding calls alone, one
 * at a time. An inspector opens a compute of its own with the same settings, so inspectors run side by side. */
#ifndef FLAW_INSPECT_ENGINE_H
#define FLAW_INSPECT_ENGINE_H

#include <pthread.h>

#include "flaw/engine.h"
#include "model/tower/clip.h"

struct flaw_engine {
    flaw_clip *model;
    char *path; /* the model as it was named; NULL: the embedded one */
    flaw_compute compute;
    pthread_mutex_t lock; /* over compute and hash */
    char hash[65];        /* computed when first asked for: it costs as long as opening */
    int threads;
    flaw_level level;
    flaw_precision precision;
};

/* A compute like the engine's, with scratch for every layer of the model. */
flaw_status flaw_engine_compute(const flaw_engine *engine, flaw_compute *out, flaw_error *err);

#endif
