/* Numbers of the command line over the trainers' defaults: negative or NaN means that nothing was said. */
#ifndef FLAW_CLI_TRAIN_NUMBERS_H
#define FLAW_CLI_TRAIN_NUMBERS_H

#include <math.h>
#include <stdint.h>

static inline void cli_take_int(int *to, int64_t from)
{
    if (from >= 0) *to = (int)from;
}

static inline void cli_take_long(int64_t *to, int64_t from)
{
    if (from >= 0) *to = from;
}

static inline void cli_take_float(float *to, double from)
{
    if (!isnan(from)) *to = (float)from;
}

static inline void cli_take_double(double *to, double from)
{
    if (!isnan(from)) *to = from;
}

#endif
