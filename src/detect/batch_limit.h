/* A limit from the scores of the judged pictures themselves, where there are no good parts. */
#ifndef FLAW_DETECT_BATCH_LIMIT_H
#define FLAW_DETECT_BATCH_LIMIT_H

#include <stddef.h>

#include "detect/calibrate.h"

/* Limit = median + `deviations` x 1.4826 x median absolute deviation of the scores (1.4826: that is the standard
 * deviation of a normal distribution), rule "batch"; the map's likewise from the peaks. It takes for granted that most
 * pictures are good, and promises no rate. sample[].part and .changed are not read. FLAW_USAGE without samples,
 * FLAW_BAD_DATA when a score is not finite. */
flaw_status flaw_calibrate_batch(flaw_calibration *out, const flaw_sample *sample, size_t count, double deviations,
                                 flaw_error *err);

#endif
