/* Which patches of a picture show the part and which its background, by the first principal component of the good
 * parts' patches (as AnomalyDINO does, arXiv 2405.14529, section 3.2).
 *
 * Unlike there, the component and the limit between the two sides (Otsu's) are learnt once from the good parts
 * together, and only what hangs together with the border of the picture can be background: a defect that looks like
 * background but lies on the part is looked at. */
#ifndef FLAW_METHOD_FOREGROUND_H
#define FLAW_METHOD_FOREGROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/record.h"
#include "kernel/kernel.h"

typedef enum flaw_foreground_use { FLAW_FOREGROUND_AUTO, FLAW_FOREGROUND_ON, FLAW_FOREGROUND_OFF } flaw_foreground_use;

typedef struct flaw_foreground {
    int grid, width;
    bool used;        /* the good parts passed the test, or the user wants it */
    float *component; /* [width] unit length, towards the foreground; owned */
    double limit;     /* along it */
    double least;     /* smallest share of foreground among the good parts */
    double *along;    /* [P] workspace */
    int *queue;       /* [P] workspace */
} flaw_foreground;

flaw_status flaw_foreground_open(flaw_foreground *f, int grid, int width, flaw_error *err);
void flaw_foreground_close(flaw_foreground *f);

/* rows[i] [P, width]: patches of good part i. AUTO uses it when every part passes the test: the two sides lie clearly
 * apart, the border is background for the most part, and the part fills neither nothing nor everything. */
flaw_status flaw_foreground_learn(flaw_foreground *f, const float *const *rows, size_t count, flaw_foreground_use use,
                                  const flaw_kernels *kernels, flaw_error *err);

/* part[P] = 1 for patches to look at. All of them where it is not used, and where the picture shows less than half of
 * what the good parts show at least: then something is wrong that a mask must not hide. */
void flaw_foreground_mark(flaw_foreground *f, const float *rows, uint8_t *part, const flaw_kernels *kernels);

flaw_status flaw_foreground_save(const flaw_foreground *f, flaw_record *record, flaw_error *err);
flaw_status flaw_foreground_load(flaw_foreground *f, const flaw_record *record, flaw_error *err);

#endif
