#include "method/gridmap.h"

#include <math.h>
#include <stdbool.h>

static int clamp(int i, int n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

void flaw_gridmap_smooth(double *out, const double *in, int grid)
{
    for (int y = 0; y < grid; y++)
        for (int x = 0; x < grid; x++) {
            double sum = 0;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    sum += (dx ? 1 : 2) * (dy ? 1 : 2) * in[clamp(y + dy, grid) * grid + clamp(x + dx, grid)];
            out[y * grid + x] = sum / 16;
        }
}

double flaw_gridmap_peak(const double *map, int cells)
{
    double peak = map[0];
    for (int i = 1; i < cells; i++)
        if (map[i] > peak || isnan(map[i])) peak = map[i];
    return peak;
}

double flaw_gridmap_top(const double *map, int cells, int count)
{
    double limit = INFINITY, sum = 0;
    int taken = 0;
    if (count > cells) count = cells;
    while (taken < count) { /* from the largest value downwards, equals together */
        double next = -INFINITY;
        int equal = 0;
        for (int i = 0; i < cells; i++) {
            if (isnan(map[i])) return NAN;
            if (map[i] >= limit || map[i] < next) continue;
            equal = map[i] == next ? equal + 1 : 1;
            next = map[i];
        }
        if (!equal) return NAN;
        if (equal > count - taken) equal = count - taken;
        sum += equal * next;
        taken += equal;
        limit = next;
    }
    return sum / count;
}

void flaw_gridmap_top_cells(int *cell, int *count, const double *map, int cells)
{
    if (*count > cells) *count = cells;
    for (int k = 0; k < *count; k++) {
        int best = -1;
        for (int i = 0; i < cells; i++) {
            bool taken = false;
            for (int j = 0; j < k; j++) taken = taken || cell[j] == i;
            if (!taken && (best < 0 || map[i] > map[best])) best = i;
        }
        cell[k] = best;
    }
}

void flaw_gridmap_mean_row(float *out, const float *rows, size_t width, const int *cell, int count)
{
    for (size_t d = 0; d < width; d++) {
        double sum = 0;
        for (int k = 0; k < count; k++) sum += rows[(size_t)cell[k] * width + d];
        out[d] = (float)(sum / count);
    }
}

void flaw_gridmap_store(float *out, const double *map, int cells)
{
    for (int i = 0; i < cells; i++) out[i] = (float)map[i];
}
