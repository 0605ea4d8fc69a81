/* What a defect does to the pixels of its shape. Values are display values, 0 .. 255. */
#include <math.h>
#include <string.h>

#include "learn/paint/defect_job.h"

static uint8_t *pixel(const flaw_defect_job *j, int x, int y)
{
    return j->picture->rgb + 3 * ((size_t)(j->y0 + y) * (size_t)j->picture->width + (size_t)(j->x0 + x));
}

static uint8_t byte_of(float x)
{
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x + 0.5f);
}

void flaw_defect_blend(flaw_defect_job *j, flaw_tone c, float strength)
{
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            float a = flaw_clamp01(j->shape[y * j->w + x] * strength);
            if (a <= 0) continue;
            uint8_t *p = pixel(j, x, y);
            p[0] = byte_of((float)p[0] + a * (c.r - (float)p[0]));
            p[1] = byte_of((float)p[1] + a * (c.g - (float)p[1]));
            p[2] = byte_of((float)p[2] + a * (c.b - (float)p[2]));
        }
}

void flaw_defect_multiply(flaw_defect_job *j, flaw_tone f)
{
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            float a = j->shape[y * j->w + x];
            if (a <= 0) continue;
            uint8_t *p = pixel(j, x, y);
            p[0] = byte_of((float)p[0] * (1 + a * (f.r - 1)));
            p[1] = byte_of((float)p[1] * (1 + a * (f.g - 1)));
            p[2] = byte_of((float)p[2] * (1 + a * (f.b - 1)));
        }
}

static float at(const flaw_defect_job *j, int x, int y)
{
    x = x < 0 ? 0 : x >= j->w ? j->w - 1 : x;
    y = y < 0 ? 0 : y >= j->h ? j->h - 1 : y;
    return j->shape[y * j->w + x];
}

/* Slope of the shape along the light, smoothed over a pixel: one flank of a groove is bright, the other dark. The
 * flanks lie outside a narrow shape, so it grows by them. */
void flaw_defect_edge_light(flaw_defect_job *j, float strength)
{
    memcpy(j->field, j->shape, (size_t)j->n * sizeof(float));
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            float sx = at(j, x + 1, y) - at(j, x - 1, y), sy = at(j, x, y + 1) - at(j, x, y - 1);
            float lit = sx * j->light_x + sy * j->light_y;
            if (lit > -0.02f && lit < 0.02f) continue;
            uint8_t *p = pixel(j, x, y);
            float k = strength * lit, gain = k > 0 ? 1 + 0.6f * k : 1 / (1 - 0.9f * k), lift = k > 0 ? 45 * k : 0;
            for (int c = 0; c < 3; c++) p[c] = byte_of((float)p[c] * gain + lift);
            float most = fabsf(lit);
            if (most > j->field[y * j->w + x]) j->field[y * j->w + x] = most > 1 ? 1 : most;
        }
    memcpy(j->shape, j->field, (size_t)j->n * sizeof(float));
}

void flaw_defect_grain(flaw_defect_job *j, float cell, float strength)
{
    flaw_defect_noise(j, cell, 3);
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            int i = y * j->w + x;
            if (j->shape[i] <= 0) continue;
            float k = 1 + j->shape[i] * strength * j->field[i];
            uint8_t *p = pixel(j, x, y);
            for (int c = 0; c < 3; c++) p[c] = byte_of((float)p[c] * k);
        }
}

flaw_tone flaw_defect_mean(const flaw_defect_job *j)
{
    float sum[3] = {0}, count = 0;
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            if (j->foreground && !j->foreground[(size_t)(j->y0 + y) * (size_t)j->picture->width + (size_t)(j->x0 + x)])
                continue;
            const uint8_t *p = j->before + 3 * (y * j->w + x);
            for (int c = 0; c < 3; c++) sum[c] += (float)p[c];
            count++;
        }
    float inv = count > 0 ? 1 / count : 0;
    return (flaw_tone){sum[0] * inv, sum[1] * inv, sum[2] * inv};
}

flaw_tone flaw_defect_colour(flaw_random *r)
{
    float hue = (float)flaw_random_range(r, 0, 6), value = (float)flaw_random_range(r, 90, 245);
    float white = (float)flaw_random_range(r, 0, 0.6), c[3];
    for (int k = 0; k < 3; k++) {
        float t = fabsf(fmodf(hue + 2 * (float)k, 6) - 3) - 1;
        c[k] = value * (white + (1 - white) * flaw_clamp01(t));
    }
    return (flaw_tone){c[0], c[1], c[2]};
}

/* Is the pixel background, as far as the foreground mask and the frame tell? */
static bool behind(const flaw_defect_job *j, int x, int y)
{
    const flaw_picture *p = j->picture;
    if (x < 0 || y < 0 || x >= p->width || y >= p->height) return false;
    return !j->foreground[(size_t)y * (size_t)p->width + (size_t)x];
}

/* The shift that brings most of the shape on background. */
static int find_background(flaw_defect_job *j, int *best_x, int *best_y)
{
    int best = 0;
    for (int t = 0; t < 48; t++) {
        float far = j->size * flaw_defect_pick(j, 0.6, 5), way = flaw_defect_pick(j, 0, 6.2831853);
        if (t < 16 && j->out_x * j->out_x + j->out_y * j->out_y > 0)
            way = atan2f(j->out_y, j->out_x) + flaw_defect_pick(j, -0.5, 0.5);
        int dx = (int)(far * cosf(way)), dy = (int)(far * sinf(way)), hit = 0;
        for (int y = 0; y < j->h; y += 3)
            for (int x = 0; x < j->w; x += 3)
                if (j->shape[y * j->w + x] > 0.3f) hit += behind(j, j->x0 + x + dx, j->y0 + y + dy);
        if (hit > best) best = hit, *best_x = dx, *best_y = dy;
    }
    return best;
}

void flaw_defect_reveal(flaw_defect_job *j)
{
    int dx = 0, dy = 0;
    bool ground = j->foreground && find_background(j, &dx, &dy) > 0;
    flaw_tone dark = flaw_defect_mean(j);
    float sum[3] = {0}, count = 0, dim = flaw_defect_pick(j, 0.12, 0.4);
    for (int y = 0; ground && y < j->h; y++)
        for (int x = 0; x < j->w; x++)
            if (behind(j, j->x0 + x, j->y0 + y)) {
                const uint8_t *p = pixel(j, x, y);
                for (int c = 0; c < 3; c++) sum[c] += (float)p[c];
                count++;
            }
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            float a = j->shape[y * j->w + x], from[3] = {dark.r * dim, dark.g * dim, dark.b * dim};
            if (a <= 0) continue;
            int sx = j->x0 + x + dx, sy = j->y0 + y + dy;
            if (ground && behind(j, sx, sy)) {
                const uint8_t *p = j->picture->rgb + 3 * ((size_t)sy * (size_t)j->picture->width + (size_t)sx);
                for (int c = 0; c < 3; c++) from[c] = (float)p[c];
            } else if (count > 0) {
                for (int c = 0; c < 3; c++) from[c] = sum[c] / count;
            }
            uint8_t *p = pixel(j, x, y);
            for (int c = 0; c < 3; c++) p[c] = byte_of((float)p[c] + a * (from[c] - (float)p[c]));
        }
}

/* Value of the untouched box at a real position, bilinear, borders repeated. */
static void sample(const flaw_defect_job *j, float x, float y, float out[3])
{
    x = x < 0 ? 0 : x > (float)(j->w - 1) ? (float)(j->w - 1) : x;
    y = y < 0 ? 0 : y > (float)(j->h - 1) ? (float)(j->h - 1) : y;
    int ix = (int)x, iy = (int)y, nx = ix + 1 < j->w ? ix + 1 : ix, ny = iy + 1 < j->h ? iy + 1 : iy;
    float fx = x - (float)ix, fy = y - (float)iy;
    for (int c = 0; c < 3; c++) {
        const uint8_t *b = j->before + c;
        float top = (float)b[3 * (iy * j->w + ix)] * (1 - fx) + (float)b[3 * (iy * j->w + nx)] * fx;
        float low = (float)b[3 * (ny * j->w + ix)] * (1 - fx) + (float)b[3 * (ny * j->w + nx)] * fx;
        out[c] = top + fy * (low - top);
    }
}

void flaw_defect_shift(flaw_defect_job *j, float dx, float dy)
{
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            float a = j->shape[y * j->w + x], v[3];
            if (a <= 0) continue;
            sample(j, (float)x - a * dx, (float)y - a * dy, v);
            uint8_t *p = pixel(j, x, y);
            for (int c = 0; c < 3; c++) p[c] = byte_of(v[c]);
        }
}
