/* Where the object is, on a photograph that nobody has cut out: what differs from the colours along the frame. Meant
 * for training pictures, where a wrong guess costs little; textures and crowded scenes are told apart and left whole.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/ground.h"

enum { SIDE = 64, EDGE = 3, CLUSTERS = 3, ROUNDS = 6 };

typedef struct colour {
    float c[3];
} colour;

/* Mean colours of a SIDE x SIDE grid, as luma and two colour differences (weighted up: shadows are no object). */
static void shrink(colour grid[SIDE * SIDE], const flaw_picture *p)
{
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++) {
            int x0 = i * p->width / SIDE, x1 = (i + 1) * p->width / SIDE, y0 = j * p->height / SIDE;
            int y1 = (j + 1) * p->height / SIDE;
            x1 = x1 > x0 ? x1 : x0 + 1, y1 = y1 > y0 ? y1 : y0 + 1;
            float sum[3] = {0}, inv = 1 / (float)((x1 - x0) * (y1 - y0));
            for (int y = y0; y < y1; y++)
                for (int x = x0; x < x1; x++)
                    for (int c = 0; c < 3; c++)
                        sum[c] += (float)p->rgb[3 * ((size_t)y * (size_t)p->width + (size_t)x) + (size_t)c] * inv;
            float luma = 0.3f * sum[0] + 0.6f * sum[1] + 0.1f * sum[2];
            grid[j * SIDE + i] = (colour){{0.7f * luma, 1.5f * (sum[0] - luma), 1.5f * (sum[2] - luma)}};
        }
}

static bool on_edge(int i)
{
    int x = i % SIDE, y = i / SIDE;
    return x < EDGE || y < EDGE || x >= SIDE - EDGE || y >= SIDE - EDGE;
}

static float apart(colour a, colour b)
{
    float s = 0;
    for (int k = 0; k < 3; k++) s += (a.c[k] - b.c[k]) * (a.c[k] - b.c[k]);
    return sqrtf(s);
}

static int nearest(const colour centre[CLUSTERS], colour c, float *distance)
{
    int best = 0;
    for (int k = 1; k < CLUSTERS; k++)
        if (apart(centre[k], c) < apart(centre[best], c)) best = k;
    *distance = apart(centre[best], c);
    return best;
}

/* Means of the frame's colours (Lloyd's rounds from three corners). */
static void frame_colours(colour centre[CLUSTERS], const colour grid[SIDE * SIDE])
{
    centre[0] = grid[0], centre[1] = grid[SIDE - 1], centre[2] = grid[SIDE * SIDE - SIDE / 2];
    for (int round = 0; round < ROUNDS; round++) {
        colour sum[CLUSTERS] = {{{0}}};
        float count[CLUSTERS] = {0}, d;
        for (int i = 0; i < SIDE * SIDE; i++) {
            if (!on_edge(i)) continue;
            int k = nearest(centre, grid[i], &d);
            for (int c = 0; c < 3; c++) sum[k].c[c] += grid[i].c[c];
            count[k]++;
        }
        for (int k = 0; k < CLUSTERS; k++)
            for (int c = 0; c < 3 && count[k] > 0; c++) centre[k].c[c] = sum[k].c[c] / count[k];
    }
}

/* Otsu's threshold (1979) over distances 0 .. 255. */
static float threshold(const float *distance, int n)
{
    float histogram[256] = {0}, total = 0, below = 0, count = 0, best = -1, at = 0;
    for (int i = 0; i < n; i++) {
        int bin = distance[i] > 255 ? 255 : (int)distance[i];
        histogram[bin]++, total += (float)bin;
    }
    for (int t = 0; t < 255; t++) {
        count += histogram[t], below += (float)t * histogram[t];
        if (count <= 0 || count >= (float)n) continue;
        float a = below / count, b = (total - below) / ((float)n - count);
        float between = count * ((float)n - count) * (a - b) * (a - b);
        if (between > best) best = between, at = (float)t + 0.5f;
    }
    return at;
}

/* Majority of the 3 x 3 neighbourhood: no lonely cells. */
static void settle(uint8_t *cell)
{
    uint8_t old[SIDE * SIDE];
    memcpy(old, cell, sizeof old);
    for (int y = 1; y < SIDE - 1; y++)
        for (int x = 1; x < SIDE - 1; x++) {
            int sum = 0;
            for (int b = -1; b <= 1; b++)
                for (int a = -1; a <= 1; a++) sum += old[(y + b) * SIDE + x + a];
            cell[y * SIDE + x] = sum > 4;
        }
}

bool flaw_defect_foreground(const flaw_picture *picture, uint8_t *foreground)
{
    colour grid[SIDE * SIDE], centre[CLUSTERS];
    float distance[SIDE * SIDE], in = 0, out = 0;
    uint8_t cell[SIDE * SIDE];
    shrink(grid, picture);
    frame_colours(centre, grid);
    for (int i = 0; i < SIDE * SIDE; i++) nearest(centre, grid[i], &distance[i]);
    float cut = threshold(distance, SIDE * SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) cell[i] = distance[i] > cut;
    settle(cell);
    settle(cell);
    int inside = 0, touching = 0, edge = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        inside += cell[i], edge += on_edge(i), touching += cell[i] && on_edge(i);
        if (cell[i]) in += distance[i];
        else out += distance[i];
    }
    int n = SIDE * SIDE;
    bool clear = inside > n / 40 && inside < 3 * n / 4 && touching * 4 < edge &&
                 in / (float)inside > 3.5f * out / (float)(n - inside) + 8;
    for (int y = 0; y < picture->height; y++)
        for (int x = 0; x < picture->width; x++) {
            int i = (int)((long)y * SIDE / picture->height) * SIDE + (int)((long)x * SIDE / picture->width);
            foreground[(size_t)y * (size_t)picture->width + (size_t)x] = !clear || cell[i] ? 255 : 0;
        }
    return clear;
}
