/* Small maps on the patch grid. */
#ifndef FLAW_METHOD_GRIDMAP_H
#define FLAW_METHOD_GRIDMAP_H

#include <stddef.h>

/* out [G, G] = in smoothed by [1 2 1] x [1 2 1] / 16, edges repeated; out is not in. One patch alone counts less than
 * two neighbours: distances of single patches are noisy. */
void flaw_gridmap_smooth(double *out, const double *in, int grid);
double flaw_gridmap_peak(const double *map, int cells);
/* Mean of the `count` largest values. */
double flaw_gridmap_top(const double *map, int cells, int count);
/* Where they stand: *count (at most `cells`) indices, largest first, of equals the first. */
void flaw_gridmap_top_cells(int *cell, int *count, const double *map, int cells);
/* out [width] = mean of the rows [cells, width] that `cell` [count] names. */
void flaw_gridmap_mean_row(float *out, const float *rows, size_t width, const int *cell, int count);
/* out[i] = (float)map[i] */
void flaw_gridmap_store(float *out, const double *map, int cells);

#endif
