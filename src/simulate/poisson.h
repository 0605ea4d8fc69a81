/* Poisson editing (Perez, Gangnet, Blake: Poisson Image Editing, 2003): inside a mask the picture takes over the
 * differences between neighbours of another one, and its values from the rim, so that no seam is left. */
#ifndef FLAW_SIMULATE_POISSON_H
#define FLAW_SIMULATE_POISSON_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

/* A result with a larger residual is never returned. */
#define FLAW_POISSON_RESIDUAL 1e-4

typedef struct flaw_poisson_report {
    size_t cells;    /* pixels solved for */
    int rounds;      /* steps of conjugate gradients in all */
    double residual; /* largest |b - A f| over pixels and channels, against the larger of 1 and the largest |b|, where
                        (A f)(p) = 4 f(p) - sum of f over those of the 4 neighbours that are solved for, and
                        b(p) = 4 g(p) - sum of g over the 4 neighbours + sum of the picture over the others of them */
} flaw_poisson_report;

/* picture [height, width, 3], in grey levels 0 .. 255: changed where mask [height, width] is not 0, but never on its
 * outermost rows and columns: those are rim even where they are marked. guide [height, width, 3]: the picture that the
 * differences come from, laid over the same frame; read inside the mask and one pixel around. Results may leave
 * 0 .. 255. report may be NULL. FLAW_USAGE (sizes, values that are not finite or over a million), FLAW_NO_MEMORY. */
flaw_status flaw_poisson_edit(double *picture, const double *guide, const uint8_t *mask, int width, int height,
                              flaw_poisson_report *report, flaw_error *err);

#endif
