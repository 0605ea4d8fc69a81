#include "detect/conformal.h"

#include <math.h>

#define SLACK 1e-9 /* of shares: 1 / 20 is not a hair more than 0.05 */

double flaw_conformal_p(const float *good, size_t n, double score)
{
    size_t no_smaller = 1;
    if (!n || isnan(score)) return NAN;
    for (size_t i = 0; i < n; i++) no_smaller += (double)good[i] >= score;
    return (double)no_smaller / (double)(n + 1);
}

bool flaw_conformal_limit(double *out, const double *sorted, size_t n, double rate)
{
    double k = ceil((1 - rate) * (double)(n + 1) - SLACK);
    if (!(rate > 0) || k > (double)n || k < 1) return false;
    *out = sorted[(size_t)k - 1];
    return true;
}

double flaw_conformal_parts(double rate)
{
    return ceil(1 / rate - 1 - SLACK);
}
