#include "model/tower/positions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET 0.1

static bool root_of(int *root, size_t square)
{
    size_t r = (size_t)llround(sqrt((double)square));
    *root = (int)r;
    return r >= 1 && r <= 4096 && r * r == square;
}

bool flaw_positions_grid(int *grid, bool *whole, size_t count)
{
    *whole = count > 1 && root_of(grid, count - 1);
    return *whole || root_of(grid, count);
}

/* Keys' cubic. */
static double cubic(double x, double a)
{
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

/* weight [G] of each place given for place i of ours. */
static void weigh(double *weight, int given, int ours, int i, flaw_positions_way way)
{
    bool smooth = way == FLAW_POSITIONS_SMOOTH;
    double scale = way == FLAW_POSITIONS_OFFSET ? given / (ours + OFFSET) : (double)given / ours;
    double stretch = smooth && scale > 1 ? scale : 1, center = scale * (i + 0.5) - 0.5, sum = 0;
    int first = (int)floor(center - 2 * stretch), last = (int)ceil(center + 2 * stretch);
    for (int k = 0; k < given; k++) weight[k] = 0;
    for (int k = first; k <= last; k++) {
        double w = cubic((k - center) / stretch, smooth ? -0.5 : -0.75);
        if (smooth && (k < 0 || k >= given)) continue; /* what is outside does not count; edges are repeated else */
        weight[k < 0 ? 0 : k >= given ? given - 1 : k] += w;
        sum += w;
    }
    for (int k = 0; smooth && k < given; k++) weight[k] /= sum;
}

/* out [ours^2, width] from in [given^2, width], rows then columns. */
static void resample(float *out, int ours, const float *in, int given, size_t width, const double *weight, double *line)
{
    for (int y = 0; y < ours; y++) {
        memset(line, 0, (size_t)given * width * sizeof *line);
        for (int v = 0; v < given; v++) {
            double w = weight[y * given + v];
            for (size_t i = 0; w != 0 && i < (size_t)given * width; i++)
                line[i] += w * (double)in[(size_t)v * (size_t)given * width + i];
        }
        for (int x = 0; x < ours; x++)
            for (size_t d = 0; d < width; d++) {
                double sum = 0;
                for (int u = 0; u < given; u++) sum += weight[x * given + u] * line[(size_t)u * width + d];
                *out++ = (float)sum;
            }
    }
}

flaw_status flaw_positions_bring(float *out, size_t to, const float *in, size_t from, size_t width,
                                 flaw_positions_way way, flaw_error *err)
{
    int given, ours;
    bool whole, class_too;
    if (!flaw_positions_grid(&given, &whole, from) || !flaw_positions_grid(&ours, &class_too, to) || !class_too)
        return flaw_fail(err, FLAW_INTERNAL, "%zu positions cannot be brought to %zu", from, to);
    if (whole) memcpy(out, in, width * sizeof *out);
    else memset(out, 0, width * sizeof *out);
    out += width;
    in += whole ? width : 0;
    if (given == ours) {
        memcpy(out, in, (size_t)given * (size_t)given * width * sizeof *out);
        return FLAW_OK;
    }
    double *weight = malloc((size_t)ours * (size_t)given * sizeof *weight);
    double *line = malloc((size_t)given * width * sizeof *line);
    flaw_status s = weight && line ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory to resample positions");
    for (int i = 0; !s && i < ours; i++) weigh(weight + i * given, given, ours, i, way);
    if (!s) resample(out, ours, in, given, width, weight, line);
    free(weight);
    free(line);
    return s;
}
