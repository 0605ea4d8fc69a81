/* What measuring needs: flaw/metrics.h and flaw/dataset.h; whole evaluations: flaw/eval.h. */
#ifndef FLAW_MEASURE_H
#define FLAW_MEASURE_H

#include "flaw/dataset.h"
#include "flaw/metrics.h"

#endif
