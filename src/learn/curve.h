/* A picture of curves over steps: how a training run goes. Axes end on round numbers; a noisy series is drawn as a running
 * mean before its faint values; a few values that stand for themselves are marked one by one. */
#ifndef FLAW_LEARN_CURVE_H
#define FLAW_LEARN_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include "flaw/status.h"

#define FLAW_CURVE_SERIES 6 /* at most: as many colours as can be told apart */

typedef struct flaw_curve_series {
    const char *name;
    const double *x, *y; /* [count], x ascending; what is not finite (or, logarithmic, not over 0) is left out */
    size_t count;
    bool marks;          /* each value marked and joined; otherwise smoothed */
} flaw_curve_series;

typedef struct flaw_curve {
    const char *title, *x_name;
    bool logarithmic; /* the values' axis */
    const flaw_curve_series *series;
    int count;
} flaw_curve;

/* Writes a PNG (temporary name, synced, renamed). Without any value the axes stand alone. */
flaw_status flaw_curve_write(const char *path, const flaw_curve *curve, flaw_error *err);

#endif
