#ifndef FLAW_MEASURE_PIXELS_EXACT_H
#define FLAW_MEASURE_PIXELS_EXACT_H

#include <stdbool.h>

#include "flaw/metrics.h"

/* flaw_pixels_exact; with only_overlap, faster and only `aupro` and the counts are right. */
flaw_status flaw_pixels_sort(flaw_pixel_figures *out, const flaw_pixels_picture *pictures, size_t n, double limit,
                             bool only_overlap, flaw_error *err);

#endif
