/* What does not belong: stains, paint, liquid, rust, mould, hair, dust, marks, foreign and misplaced matter. */
#include <math.h>
#include <string.h>

#include "learn/paint/defect_job.h"

static const float TURN = 6.2831853f;

static void soft_area(flaw_defect_job *j, float rough, float soft)
{
    flaw_defect_blob(j, j->cx, j->cy, j->size, j->size * flaw_defect_pick(j, 0.4, 1), flaw_defect_pick(j, 0, TURN),
                     rough, soft);
}

/* Darker, with a darker rim where it dried, and a tint. */
void flaw_paint_stain(flaw_defect_job *j)
{
    soft_area(j, 0.35f, flaw_defect_pick(j, 0.5, 0.25 * j->size + 1));
    flaw_defect_keep_inside(j);
    flaw_tone m = flaw_defect_mean(j);
    if (m.r + m.g + m.b < 170) {
        flaw_defect_blend(j, (flaw_tone){m.r + 80, m.g + 78, m.b + 70}, 0.3f + 0.4f * j->strength);
    } else {
        float k = 1 - (0.25f + 0.4f * j->strength);
        flaw_defect_multiply(j, (flaw_tone){k * flaw_defect_pick(j, 1, 1.3), k, k * flaw_defect_pick(j, 0.6, 1.1)});
    }
    flaw_defect_grain(j, 0.4f * j->size, 0.15f);
    if (flaw_defect_pick(j, 0, 1) < 0.5f) return;
    memcpy(j->u, j->shape, (size_t)j->n * sizeof(float));
    for (int i = 0; i < j->n; i++) j->shape[i] = 4 * j->shape[i] * (1 - j->shape[i]);
    flaw_defect_multiply(j, (flaw_tone){0.75f, 0.72f, 0.7f});
    for (int i = 0; i < j->n; i++) j->shape[i] = fmaxf(j->u[i], j->shape[i]);
}

/* Another tint, same brightness: channels scaled apart. */
void flaw_paint_discolour(flaw_defect_job *j)
{
    soft_area(j, 0.4f, 0.3f * j->size + 1);
    flaw_defect_keep_inside(j);
    float k = 0.3f + 0.35f * j->strength;
    flaw_tone t = {1 + k * flaw_defect_pick(j, -1, 1), 1 + k * flaw_defect_pick(j, -1, 1),
                   1 + k * flaw_defect_pick(j, -1, 1)};
    float most = fmaxf(fabsf(t.r - 1), fmaxf(fabsf(t.g - 1), fabsf(t.b - 1)));
    if (most < 0.25f) t.b = 1 - k;
    flaw_defect_multiply(j, t);
}

/* Brown to black in the middle, brownish seam, uneven. */
void flaw_paint_burn(flaw_defect_job *j)
{
    soft_area(j, 0.4f, 0.4f * j->size + 1);
    flaw_defect_keep_inside(j);
    float k = 0.55f + 0.35f * j->strength;
    flaw_defect_multiply(j, (flaw_tone){1 - 0.75f * k, 1 - 0.88f * k, 1 - 0.95f * k});
    flaw_defect_grain(j, 5, 0.25f);
}

/* One large and some small blots of one strong colour, now and then glossy. */
void flaw_paint_splash(flaw_defect_job *j)
{
    flaw_tone c = flaw_defect_colour(j->r), m = flaw_defect_mean(j);
    float apart = fabsf(c.r - m.r) + fabsf(c.g - m.g) + fabsf(c.b - m.b);
    if (apart < 120) c = (flaw_tone){255 - m.r, 255 - m.g, 60};
    float rough = flaw_defect_pick(j, 0.1, 0.5);
    flaw_defect_blob(j, j->cx, j->cy, 0.8f * j->size, 0.8f * j->size * flaw_defect_pick(j, 0.3, 1),
                     flaw_defect_pick(j, 0, TURN), rough, flaw_defect_pick(j, 0, 2));
    int drops = flaw_random_below(j->r, 8);
    for (int k = 0; k < drops; k++) {
        float a = flaw_defect_pick(j, 0, TURN), far = j->size * flaw_defect_pick(j, 0.7, 1.3),
              r = fmaxf(1, j->size * flaw_defect_pick(j, 0.03, 0.15));
        flaw_defect_blob(j, j->cx + far * cosf(a), j->cy + far * sinf(a), r, r, 0, 0.2f, 0);
    }
    flaw_defect_keep_inside(j);
    flaw_defect_blend(j, c, 0.55f + 0.4f * j->strength);
    flaw_defect_grain(j, 0.5f * j->size, 0.12f);
    if (flaw_defect_pick(j, 0, 1) < 0.4f) flaw_defect_edge_light(j, -0.6f);
}

/* A lens: darker rim, picture pulled inwards, a bright spot towards the light. */
void flaw_paint_drop(flaw_defect_job *j)
{
    float r = j->size, ratio = flaw_defect_pick(j, 0.7, 1);
    flaw_defect_blob(j, j->cx, j->cy, r, r * ratio, flaw_defect_pick(j, 0, TURN), 0.12f, 0.3f * r + 0.5f);
    flaw_defect_keep_inside(j);
    flaw_defect_shift(j, 0.35f * r * j->light_x, 0.35f * r * j->light_y);
    float tint = flaw_defect_pick(j, 0.65, 0.95);
    flaw_defect_multiply(j, (flaw_tone){tint, tint * flaw_defect_pick(j, 0.9, 1), tint * flaw_defect_pick(j, 0.7, 1)});
    flaw_defect_edge_light(j, -(1.0f + j->strength) * fmaxf(1, 0.1f * r));
    memcpy(j->u, j->shape, (size_t)j->n * sizeof(float));
    memset(j->shape, 0, (size_t)j->n * sizeof(float));
    flaw_defect_blob(j, j->cx - 0.4f * r * j->light_x, j->cy - 0.4f * r * j->light_y, 0.18f * r + 0.5f,
                     0.13f * r + 0.5f, 0, 0, 0);
    flaw_defect_blend(j, (flaw_tone){250, 250, 248}, 0.85f);
    for (int i = 0; i < j->n; i++) j->shape[i] = fmaxf(j->u[i], j->shape[i]);
}

/* Noise decides where within an area: blotchy, with speckles. */
static void blotches(flaw_defect_job *j, float cell, float lo, float hi)
{
    soft_area(j, 0.4f, 0.5f * j->size + 1);
    flaw_defect_noise(j, cell, 4);
    for (int i = 0; i < j->n; i++) j->shape[i] *= flaw_step(lo, hi, j->field[i] + 0.8f * (j->shape[i] - 0.5f));
    flaw_defect_keep_inside(j);
}

void flaw_paint_rust(flaw_defect_job *j)
{
    blotches(j, fmaxf(3, 0.3f * j->size), -0.2f, 0.25f);
    flaw_defect_blend(
        j, (flaw_tone){flaw_defect_pick(j, 110, 165), flaw_defect_pick(j, 58, 85), flaw_defect_pick(j, 20, 45)},
        0.6f + 0.35f * j->strength);
    flaw_defect_grain(j, 4, 0.35f);
}

void flaw_paint_mould(flaw_defect_job *j)
{
    blotches(j, fmaxf(2.5f, 0.2f * j->size), 0.0f, 0.4f);
    bool white = flaw_defect_pick(j, 0, 1) < 0.4f;
    flaw_tone c = white ? (flaw_tone){222, 226, 215} : (flaw_tone){80, flaw_defect_pick(j, 95, 125), 85};
    flaw_defect_blend(j, c, 0.6f + 0.35f * j->strength);
    flaw_defect_grain(j, 3, 0.25f);
}

static void strand(flaw_defect_job *j, float width, flaw_tone c, float bend)
{
    float angle = flaw_defect_pick(j, 0, TURN), length = 2.2f * j->size;
    j->outside = flaw_defect_pick(j, 0, 1) < 0.5f;
    flaw_defect_walk(j, j->cx - 0.7f * j->size * cosf(angle), j->cy - 0.7f * j->size * sinf(angle), angle, length,
                     width, bend, 0, false);
    flaw_defect_keep_inside(j);
    flaw_defect_blend(j, c, 0.7f + 0.3f * j->strength);
}

void flaw_paint_hair(flaw_defect_job *j)
{
    flaw_tone m = flaw_defect_mean(j);
    bool dark = m.r + m.g + m.b > 270;
    float v = dark ? flaw_defect_pick(j, 15, 60) : flaw_defect_pick(j, 170, 235);
    float width = fmaxf(0.35f, j->unit / 160 * flaw_defect_pick(j, 0.3, 0.7));
    strand(j, width, (flaw_tone){v * 1.05f, v * 0.95f, v * 0.85f}, 2.2f);
}

void flaw_paint_thread(flaw_defect_job *j)
{
    flaw_tone c = flaw_defect_colour(j->r), m = flaw_defect_mean(j);
    if (fabsf(c.r - m.r) + fabsf(c.g - m.g) + fabsf(c.b - m.b) < 150) c = (flaw_tone){255 - m.r, 255 - m.g, 255 - m.b};
    strand(j, fmaxf(0.8f, j->unit / 160 * flaw_defect_pick(j, 0.8, 1.8)), c, 1.8f);
    flaw_defect_edge_light(j, -0.5f);
}

void flaw_paint_dust(flaw_defect_job *j)
{
    int count = 6 + flaw_random_below(j->r, 24);
    for (int k = 0; k < count; k++) {
        float a = flaw_defect_pick(j, 0, TURN), far = j->size * sqrtf(flaw_defect_pick(j, 0, 1)),
              r = fmaxf(0.7f, j->unit / 160 * flaw_defect_pick(j, 0.5, 2));
        flaw_defect_blob(j, j->cx + far * cosf(a), j->cy + far * sinf(a), r, r * flaw_defect_pick(j, 0.5, 1), a, 0.3f,
                         0);
    }
    flaw_defect_keep_inside(j);
    flaw_tone m = flaw_defect_mean(j);
    float v = m.r + m.g + m.b > 380 ? flaw_defect_pick(j, 20, 90) : flaw_defect_pick(j, 190, 240);
    flaw_defect_blend(j, (flaw_tone){v, v * 0.97f, v * 0.92f}, 0.6f + 0.4f * j->strength);
}

void flaw_paint_mark(flaw_defect_job *j)
{
    static const flaw_tone inks[] = {{25, 30, 90}, {20, 20, 25}, {190, 25, 35}, {20, 110, 50}, {230, 230, 225}};
    flaw_tone m = flaw_defect_mean(j), c = inks[flaw_random_below(j->r, 5)];
    if (fabsf(c.r - m.r) + fabsf(c.g - m.g) + fabsf(c.b - m.b) < 150) c = m.g < 128 ? inks[4] : inks[1];
    float angle = flaw_defect_pick(j, 0, TURN), width = fmaxf(0.7f, j->unit / 160 * flaw_defect_pick(j, 0.7, 2));
    float x = j->cx, y = j->cy;
    int strokes = 1 + flaw_random_below(j->r, 4);
    for (int k = 0; k < strokes; k++) {
        flaw_defect_walk(j, x, y, angle, j->size * flaw_defect_pick(j, 0.6, 1.3), width, 0.8f, 0.05f, false);
        angle += flaw_defect_pick(j, 1.5, 4), x += 0.2f * j->size * cosf(angle), y += 0.2f * j->size * sinf(angle);
    }
    flaw_defect_keep_inside(j);
    flaw_defect_blend(j, c, 0.65f + 0.3f * j->strength);
}

/* Clear or yellowish gloss: brighter, with lit edges. */
void flaw_paint_glue(flaw_defect_job *j)
{
    float width = fmaxf(1.5f, j->size * flaw_defect_pick(j, 0.06, 0.2)), angle = flaw_defect_pick(j, 0, TURN);
    if (flaw_defect_pick(j, 0, 1) < 0.5f)
        flaw_defect_walk(j, j->cx - j->size * cosf(angle), j->cy - j->size * sinf(angle), angle, 2 * j->size, width,
                         1.2f, 0.05f, false);
    else soft_area(j, 0.4f, 1);
    flaw_defect_keep_inside(j);
    flaw_tone m = flaw_defect_mean(j);
    flaw_tone c = m.g > 150 ? (flaw_tone){200, 165, 90} : (flaw_tone){215, 210, 190};
    flaw_defect_blend(j, c, 0.25f + 0.3f * j->strength);
    flaw_defect_edge_light(j, -0.9f);
}

/* What is there, dragged along one direction. */
void flaw_paint_smear(flaw_defect_job *j)
{
    soft_area(j, 0.25f, 0.2f * j->size + 1);
    flaw_defect_keep_inside(j);
    float angle = flaw_defect_pick(j, 0, TURN), reach = j->size * (0.4f + 0.5f * j->strength);
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            float a = j->shape[y * j->w + x], sum[3] = {0};
            if (a <= 0) continue;
            for (int k = 0; k < 12; k++) {
                int sx = x - (int)((float)k / 12 * reach * cosf(angle)),
                    sy = y - (int)((float)k / 12 * reach * sinf(angle));
                sx = sx < 0 ? 0 : sx >= j->w ? j->w - 1 : sx, sy = sy < 0 ? 0 : sy >= j->h ? j->h - 1 : sy;
                for (int c = 0; c < 3; c++) sum[c] += (float)j->before[3 * (sy * j->w + sx) + c] / 12;
            }
            uint8_t *p = j->picture->rgb + 3 * ((size_t)(j->y0 + y) * (size_t)j->picture->width + (size_t)(j->x0 + x));
            for (int c = 0; c < 3; c++) p[c] = (uint8_t)((float)p[c] + a * (sum[c] - (float)p[c]));
        }
    float dim = 1 - 0.25f * j->strength;
    flaw_defect_multiply(j, (flaw_tone){dim, dim, dim});
}

/* A strip overwritten by its neighbourhood: a thread, wire or bar that is not there. */
void flaw_paint_gap(flaw_defect_job *j)
{
    float angle = flaw_defect_pick(j, 0, 1) < 0.6f ? 0.25f * TURN * (float)flaw_random_below(j->r, 4)
                                                   : flaw_defect_pick(j, 0, TURN);
    float width = fmaxf(1.5f, j->size * flaw_defect_pick(j, 0.05, 0.25));
    flaw_defect_walk(j, j->cx - j->size * cosf(angle), j->cy - j->size * sinf(angle), angle, 2 * j->size, width, 0.05f,
                     0, false);
    flaw_defect_keep_inside(j);
    flaw_defect_shift(j, -2.4f * width * sinf(angle), 2.4f * width * cosf(angle));
    flaw_defect_edge_light(j, 0.5f);
    float dim = 1 - 0.35f * j->strength;
    flaw_defect_multiply(j, (flaw_tone){dim, dim, dim});
}

/* A small solid thing: chip of plastic, crumb, splinter, bead, with shading and shadow. */
void flaw_paint_object(flaw_defect_job *j)
{
    flaw_tone c = flaw_defect_colour(j->r), m = flaw_defect_mean(j);
    if (flaw_defect_pick(j, 0, 1) < 0.4f) {
        float v = m.g > 128 ? flaw_defect_pick(j, 20, 80) : flaw_defect_pick(j, 170, 240);
        c = (flaw_tone){v, v * flaw_defect_pick(j, 0.85, 1), v * flaw_defect_pick(j, 0.7, 1)};
    }
    float ratio = flaw_defect_pick(j, 0.25, 1), angle = flaw_defect_pick(j, 0, TURN),
          rough = flaw_defect_pick(j, 0, 0.35);
    float r = 0.8f * j->size, off = 0.2f * r + 1;
    j->outside = true;
    flaw_defect_blob(j, j->cx - off * j->light_x, j->cy - off * j->light_y, r, r * ratio, angle, rough, 0.3f * r + 1);
    flaw_defect_multiply(j, (flaw_tone){0.55f, 0.55f, 0.57f});
    memcpy(j->field, j->shape, (size_t)j->n * sizeof(float));
    memset(j->shape, 0, (size_t)j->n * sizeof(float));
    flaw_defect_blob(j, j->cx, j->cy, r, r * ratio, angle, rough, 0);
    flaw_defect_blend(j, c, 1);
    flaw_defect_grain(j, 0.5f * r, 0.2f);
    flaw_defect_edge_light(j, -1.2f);
}

/* Patch from elsewhere with a soft border, its brightness moved: the self-supervised anomaly of NSA (Schlueter et al.
 * 2022), blended by its mask instead of by gradients. */
static void paste(flaw_defect_job *j, const flaw_picture *from, float gain, float shift)
{
    float soft = flaw_defect_pick(j, 0.5, 4), a = j->size, b = a * flaw_defect_pick(j, 0.3, 1);
    if (flaw_defect_pick(j, 0, 1) < 0.5f) {
        flaw_defect_blob(j, j->cx, j->cy, a, b, flaw_defect_pick(j, 0, TURN), 0.3f, soft);
    } else {
        for (int i = 0; i < j->n; i++) {
            float dx = fabsf(j->u[i] - j->cx) - a, dy = fabsf(j->v[i] - j->cy) - b, d = dx > dy ? dx : dy;
            j->shape[i] = flaw_step(0.5f * soft, -0.5f * soft, d);
        }
    }
    flaw_defect_keep_inside(j);
    float turn = flaw_defect_pick(j, 0, TURN), zoom = flaw_defect_pick(j, 0.7, 1.5), co = zoom * cosf(turn),
          si = zoom * sinf(turn);
    float fx = flaw_defect_pick(j, 0, from->width), fy = flaw_defect_pick(j, 0, from->height);
    for (int i = 0; i < j->n; i++) {
        if (j->shape[i] <= 0) continue;
        float dx = j->u[i] - j->cx, dy = j->v[i] - j->cy;
        int sx = (int)fabsf(fx + co * dx - si * dy) % (2 * from->width),
            sy = (int)fabsf(fy + si * dx + co * dy) % (2 * from->height);
        sx = sx < from->width ? sx : 2 * from->width - 1 - sx, sy = sy < from->height ? sy : 2 * from->height - 1 - sy;
        const uint8_t *p = from->rgb + 3 * ((size_t)sy * (size_t)from->width + (size_t)sx);
        uint8_t *q = j->picture->rgb + 3 * ((size_t)j->v[i] * (size_t)j->picture->width + (size_t)j->u[i]);
        for (int c = 0; c < 3; c++) {
            float value = (float)p[c] * gain + shift;
            value = value < 0 ? 0 : value > 255 ? 255 : value;
            q[c] = (uint8_t)((float)q[c] + j->shape[i] * (value - (float)q[c]));
        }
    }
}

void flaw_paint_patch(flaw_defect_job *j)
{
    paste(j, j->other ? j->other : j->picture, flaw_defect_pick(j, 0.7, 1.3), flaw_defect_pick(j, -40, 40));
}

void flaw_paint_swap(flaw_defect_job *j)
{
    paste(j, j->picture, flaw_defect_pick(j, 0.9, 1.1), flaw_defect_pick(j, -10, 10));
}
