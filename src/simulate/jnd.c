#include "simulate/jnd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXTURE 0.117f
#define SHARED 0.3f

typedef struct grey {
    float *value; /* [height, width] */
    int width, height;
} grey;

/* The edge goes on outside. */
static float at(const grey *g, int x, int y)
{
    x = x < 0 ? 0 : x >= g->width ? g->width - 1 : x;
    y = y < 0 ? 0 : y >= g->height ? g->height - 1 : y;
    return g->value[(size_t)y * (size_t)g->width + (size_t)x];
}

/* Weighted mean of 5 x 5, heavier near the middle, which itself is left out: Chou and Li's. */
static float around(const grey *g, int x, int y)
{
    static const float weight[5][5] = {
        {1, 1, 1, 1, 1}, {1, 2, 2, 2, 1}, {1, 2, 0, 2, 1}, {1, 2, 2, 2, 1}, {1, 1, 1, 1, 1}};
    float sum = 0;
    for (int v = -2; v <= 2; v++)
        for (int u = -2; u <= 2; u++) sum += weight[v + 2][u + 2] * at(g, x + u, y + v);
    return sum / 32;
}

static float adaptation(float level)
{
    return level <= 127 ? 17 * (1 - sqrtf(level / 127)) + 3 : 3.0f / 128 * (level - 127) + 3;
}

/* The largest of the gradients along four directions, each the difference of two weighted triples two pixels apart. */
static float gradient(const grey *g, int x, int y)
{
    static const int step[4][2] = {{1, 0}, {0, 1}, {1, 1}, {1, -1}}; /* along the direction */
    float largest = 0;
    for (int i = 0; i < 4; i++) {
        int dx = step[i][0], dy = step[i][1];
        float ahead = 2 * at(g, x + dx, y + dy) + at(g, x + dx - dy, y + dy + dx) + at(g, x + dx + dy, y + dy - dx);
        float back = 2 * at(g, x - dx, y - dy) + at(g, x - dx - dy, y - dy + dx) + at(g, x - dx + dy, y - dy - dx);
        largest = fmaxf(largest, fabsf(ahead - back) / 4);
    }
    return largest;
}

flaw_status flaw_jnd_map(float *jnd, const flaw_picture *p, flaw_error *err)
{
    size_t pixels = (size_t)p->width * (size_t)p->height;
    grey g = {.value = malloc(pixels * sizeof *g.value), .width = p->width, .height = p->height};
    if (!g.value)
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the grey of %d x %d pixels", p->width, p->height);
    for (size_t i = 0; i < pixels; i++)
        g.value[i] = 0.299f * p->rgb[3 * i] + 0.587f * p->rgb[3 * i + 1] + 0.114f * p->rgb[3 * i + 2];
    for (int y = 0; y < g.height; y++)
        for (int x = 0; x < g.width; x++) {
            float light = adaptation(around(&g, x, y)), texture = TEXTURE * gradient(&g, x, y);
            *jnd++ = light + texture - SHARED * fminf(light, texture);
        }
    free(g.value);
    return FLAW_OK;
}

flaw_status flaw_jnd_limit(flaw_picture *out, uint8_t *noticed, const flaw_picture *normal, const flaw_picture *strong,
                           const float *jnd, float level, flaw_error *err)
{
    size_t pixels = (size_t)normal->width * (size_t)normal->height;
    flaw_status s = flaw_picture_new(out, normal->width, normal->height, err);
    for (size_t i = 0; !s && i < pixels; i++) {
        float most = level * jnd[i];
        noticed[i] = 0;
        for (size_t c = 3 * i; c < 3 * i + 3; c++) {
            float change = (float)strong->rgb[c] - (float)normal->rgb[c];
            change = fminf(fmaxf(change, -most), most);
            out->rgb[c] = (uint8_t)fminf(fmaxf((float)normal->rgb[c] + change + 0.5f, 0), 255);
            noticed[i] |= fabsf(change) > jnd[i];
        }
    }
    return s;
}
