#include "method/patchrows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void flaw_patchrows_join(float *out, const float *const *stage, int stages, int rows, int width)
{
    float scale = (float)(1.0 / sqrt((double)stages));
    for (int r = 0; r < rows; r++)
        for (int s = 0; s < stages; s++) {
            const float *from = stage[s] + (size_t)r * (size_t)width;
            for (int i = 0; i < width; i++) *out++ = from[i] * scale;
        }
}

static void make_unit(float *row, size_t width, const flaw_kernels *kernels)
{
    double square = kernels->dot(width, row, row);
    kernels->scale(width, square > 1e-24 ? (float)(1.0 / sqrt(square)) : 0, row);
}

void flaw_patchrows_average(float *out, const float *in, int grid, int width, int radius, const flaw_kernels *kernels)
{
    size_t w = (size_t)width;
    if (radius == 0) {
        memcpy(out, in, (size_t)grid * (size_t)grid * w * sizeof *out);
        return;
    }
    for (int y = 0; y < grid; y++)
        for (int x = 0; x < grid; x++) {
            float *to = out + (size_t)(y * grid + x) * w;
            memset(to, 0, w * sizeof *to);
            for (int v = y - radius; v <= y + radius; v++)
                for (int u = x - radius; u <= x + radius; u++)
                    if (v >= 0 && v < grid && u >= 0 && u < grid)
                        kernels->axpy(w, 1, in + (size_t)(v * grid + u) * w, to);
            make_unit(to, w, kernels);
        }
}

double flaw_patchrows_distance(double cosine)
{
    return sqrt(fmax(0, 2 - 2 * cosine));
}

double flaw_patchrows_elsewhere(const flaw_kernels *kernels, const float *rows, int grid, int width, int i, int around)
{
    size_t w = (size_t)width;
    float best = -1;
    for (int j = 0; j < grid * grid; j++) {
        int down = abs(i / grid - j / grid), across = abs(i % grid - j % grid);
        if (down <= around && across <= around) continue;
        best = fmaxf(best, kernels->dot(w, rows + (size_t)i * w, rows + (size_t)j * w));
    }
    return best;
}

int flaw_patchrows_around(int grid)
{
    return grid / 7 > 1 ? grid / 7 : 1;
}
