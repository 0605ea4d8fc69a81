/* The loop of every trainer: steps, reports, figures, checkpoints, and what stands in the folder at the end. */
#ifndef FLAW_LEARN_RUN_H
#define FLAW_LEARN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "flaw/status.h"

/* How a run speaks to whoever started it; both may be NULL. */
typedef struct flaw_run_talk {
    void *context;
    void (*note)(void *context, const char *line); /* a line for people */
    bool (*stop)(void *context);                   /* true: enough */
} flaw_run_talk;

/* What a trainer is to the loop. All but step, save, load and finish may be NULL. */
typedef struct flaw_run_steps {
    flaw_status (*step)(void *trainer, flaw_error *err); /* one more; counts it */
    flaw_status (*report)(void *trainer, flaw_error *err); /* what has happened since the last time */
    flaw_status (*evaluate)(void *trainer, flaw_error *err);
    flaw_status (*save)(void *trainer, const char *path, flaw_error *err);
    flaw_status (*load)(void *trainer, const char *path, flaw_error *err);
    flaw_status (*finish)(void *trainer, const char *checkpoint, const char *bundle, flaw_error *err); /* write the model */
} flaw_run_steps;

typedef struct flaw_run {
    const char *folder; /* checkpoint.safetensors, model.safetensors */
    flaw_run_talk talk;
    int64_t *step;      /* of the trainer */
    int64_t steps, log_every, checkpoint_every, evaluate_every;
} flaw_run;

/* Goes on from the folder's checkpoint when there is one. Asked to stop, it finishes the step, writes the
 * checkpoint and the model, and returns. */
flaw_status flaw_run_all(const flaw_run *run, const flaw_run_steps *steps, void *trainer, flaw_error *err);

/* FOLDER/NAME, FLAW_USAGE when that is longer than 4095 bytes. */
#define FLAW_RUN_PATH 4096
flaw_status flaw_run_path(char out[FLAW_RUN_PATH], const char *folder, const char *name, flaw_error *err);
double flaw_run_seconds(void); /* of a clock that only goes forward */
void flaw_run_note(const flaw_run_talk *talk, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
