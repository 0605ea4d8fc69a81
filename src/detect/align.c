#include "detect/align.h"

#include <math.h>

static double clamp(double score)
{
    return fmin(fmax(score, FLAW_SCORE_LOW), 1.0 - FLAW_SCORE_LOW);
}

double flaw_align_logistic(double margin)
{
    if (isnan(margin)) return margin; /* fmin and fmax would hide it */
    return clamp(1.0 / (1.0 + exp(-margin)));
}

void flaw_align_margins(double *margin, const flaw_prototypes *p, const float *rows, int count,
                        const flaw_kernels *kernels)
{
    size_t width = (size_t)p->width;
    for (int i = 0; i < count; i++) {
        const float *row = rows + (size_t)i * width;
        double normal = kernels->dot(width, row, p->text[0]), abnormal = kernels->dot(width, row, p->text[1]);
        margin[i] = (abnormal - normal) / p->tau;
    }
}

void flaw_align_rows(double *score, const flaw_prototypes *p, const float *rows, int count, const flaw_kernels *kernels)
{
    flaw_align_margins(score, p, rows, count, kernels);
    for (int i = 0; i < count; i++) score[i] = flaw_align_logistic(score[i]);
}

void flaw_align_windows(double *map, const double *score, int grid, int k)
{
    int across = grid - k + 1;
    for (int y = 0; y < grid; y++) {
        for (int x = 0; x < grid; x++) {
            double inverse = 0;
            int count = 0;
            for (int wy = y - k + 1; wy <= y; wy++) {
                for (int wx = x - k + 1; wx <= x; wx++) {
                    if (wy < 0 || wx < 0 || wy >= across || wx >= across) continue;
                    inverse += 1.0 / fmax(score[wy * across + wx], FLAW_SCORE_LOW);
                    count++;
                }
            }
            map[y * grid + x] = count / inverse;
        }
    }
}

void flaw_align_scales(double *map, const double *const *scale, int scales, int cells)
{
    for (int i = 0; i < cells; i++) {
        double inverse = 0;
        for (int s = 0; s < scales; s++) inverse += 1.0 / fmax(scale[s][i], FLAW_SCORE_LOW);
        map[i] = scales / inverse;
    }
}
