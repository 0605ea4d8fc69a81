/* Rows made of the patch rows of a picture: stages side by side, means over neighbourhoods. All have unit length. */
#ifndef FLAW_METHOD_PATCHROWS_H
#define FLAW_METHOD_PATCHROWS_H

#include "kernel/kernel.h"

/* out [rows, stages * width] = the unit rows of several stages side by side, over sqrt(stages): unit length again, and
 * the cosine of two is the mean of the stages' cosines. */
void flaw_patchrows_join(float *out, const float *const *stage, int stages, int rows, int width);

/* out [G*G, width] = mean of in over the (2 radius + 1)^2 patches around each one, as far as they lie in the picture,
 * at unit length. A row whose neighbours cancel out is 0. radius 0 copies. out is not in. */
void flaw_patchrows_average(float *out, const float *in, int grid, int width, int radius, const flaw_kernels *kernels);

/* Distance of two points of the unit sphere from their cosine: sqrt(2 - 2 cos). */
double flaw_patchrows_distance(double cosine);

/* Largest cosine of patch `i` with a patch of the same picture that lies more than `around` patches away in a row or a
 * column; -1 where there is none. */
double flaw_patchrows_elsewhere(const flaw_kernels *kernels, const float *rows, int grid, int width, int i, int around);
/* How far that is for a grid: a seventh of it, at least one patch. */
int flaw_patchrows_around(int grid);

#endif
