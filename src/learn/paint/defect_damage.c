/* Damage of the body: scratches, cracks, cuts, holes, dents, missing pieces, breaks, folds, bends, wear. */
#include <math.h>
#include <string.h>

#include "learn/paint/defect_job.h"

static const float TURN = 6.2831853f;

static float width_of(flaw_defect_job *j, double lo, double hi)
{
    float k = fmaxf(j->unit, 60) / 160;
    return k * flaw_defect_pick(j, lo, hi);
}

/* Bright (bare metal, torn surface) or dark line with a lit flank. */
static void line_effect(flaw_defect_job *j)
{
    flaw_tone m = flaw_defect_mean(j);
    float bright = (m.r + m.g + m.b) / 3, k = 0.35f + 0.5f * j->strength;
    bool light = bright < 70 || (bright < 185 && flaw_defect_pick(j, 0, 1) < 0.6f);
    float way = light ? 1 : -1, target = light ? fminf(255, bright * 1.2f + 90) : bright * 0.25f;
    flaw_tone c = {target + 0.4f * (m.r - bright), target + 0.4f * (m.g - bright), target + 0.4f * (m.b - bright)};
    flaw_defect_keep_inside(j);
    flaw_defect_blend(j, c, k);
    flaw_defect_edge_light(j, way * 0.7f * j->strength);
}

void flaw_paint_scratch(flaw_defect_job *j)
{
    float angle = flaw_defect_pick(j, 0, TURN), width = width_of(j, 0.25, 1.3),
          bend = flaw_defect_pick(j, 0, 1) < 0.6f ? 0.1f : 0.9f;
    float x = j->cx - j->size * cosf(angle), y = j->cy - j->size * sinf(angle);
    flaw_defect_walk(j, x, y, angle, 2 * j->size, width, bend, 0.03f, true);
    line_effect(j);
}

void flaw_paint_scratches(flaw_defect_job *j)
{
    float angle = flaw_defect_pick(j, 0, TURN), spread = flaw_defect_pick(j, 0, 1) < 0.6f ? 0.2f : 3;
    int count = 3 + flaw_random_below(j->r, 7);
    for (int k = 0; k < count; k++) {
        float a = angle + flaw_defect_pick(j, -spread, spread), length = j->size * flaw_defect_pick(j, 0.4, 1.3);
        float x = j->cx + j->size * flaw_defect_pick(j, -0.6, 0.6),
              y = j->cy + j->size * flaw_defect_pick(j, -0.6, 0.6);
        flaw_defect_walk(j, x - 0.5f * length * cosf(a), y - 0.5f * length * sinf(a), a, length, width_of(j, 0.15, 0.7),
                         0.1f, 0.02f, true);
    }
    line_effect(j);
}

void flaw_paint_crack(flaw_defect_job *j)
{
    float angle = flaw_defect_pick(j, 0, TURN), width = width_of(j, 0.3, 1.8);
    float x = j->cx - 0.9f * j->size * cosf(angle), y = j->cy - 0.9f * j->size * sinf(angle);
    flaw_defect_crack(j, x, y, angle, 1.9f * j->size, width, flaw_random_below(j->r, 5));
    flaw_defect_keep_inside(j);
    flaw_tone m = flaw_defect_mean(j);
    float dim = flaw_defect_pick(j, 0.08, 0.35);
    bool filled = (m.r + m.g + m.b) / 3 < 55;
    flaw_tone c = filled ? (flaw_tone){m.r + 90, m.g + 88, m.b + 85} : (flaw_tone){m.r * dim, m.g * dim, m.b * dim};
    flaw_defect_blend(j, c, 0.55f + 0.5f * j->strength);
    flaw_defect_edge_light(j, 0.6f);
}

void flaw_paint_cut(flaw_defect_job *j)
{
    float angle = flaw_defect_pick(j, 0, TURN), width = width_of(j, 0.6, 2.6);
    float bend = flaw_defect_pick(j, 0, 0.4);
    flaw_defect_walk(j, j->cx, j->cy, angle, j->size, width, bend, 0.02f, true);
    flaw_defect_walk(j, j->cx, j->cy, angle + 0.5f * TURN, j->size, width, bend, 0.02f, true);
    flaw_defect_keep_inside(j);
    j->light_x = -sinf(angle), j->light_y = cosf(angle);
    flaw_tone m = flaw_defect_mean(j);
    flaw_defect_blend(j, (flaw_tone){m.r * 0.2f, m.g * 0.2f, m.b * 0.2f}, 0.5f + 0.5f * j->strength);
    flaw_defect_edge_light(j, 1.2f);
}

/* A dark or see-through opening with a lit rim on the far side. */
static void opening(flaw_defect_job *j)
{
    flaw_defect_keep_inside(j);
    if (j->foreground && flaw_defect_pick(j, 0, 1) < 0.6f) {
        flaw_defect_reveal(j);
    } else {
        float dim = flaw_defect_pick(j, 0.05, 0.3);
        flaw_tone m = flaw_defect_mean(j);
        flaw_defect_blend(j, (flaw_tone){m.r * dim, m.g * dim, m.b * dim}, 0.85f + 0.1f * j->strength);
    }
    flaw_defect_edge_light(j, 0.8f);
}

void flaw_paint_hole(flaw_defect_job *j)
{
    float ratio = flaw_defect_pick(j, 0.6, 1), rough = flaw_defect_pick(j, 0, 1) < 0.4f ? 0.03f : 0.35f;
    flaw_defect_blob(j, j->cx, j->cy, j->size, j->size * ratio, flaw_defect_pick(j, 0, TURN), rough, 0);
    opening(j);
}

void flaw_paint_puncture(flaw_defect_job *j)
{
    int count = 1 + flaw_random_below(j->r, 3);
    float r = fmaxf(1.2f, 0.35f * j->size);
    for (int k = 0; k < count; k++)
        flaw_defect_blob(j, j->cx + (k ? flaw_defect_pick(j, -1, 1) * j->size : 0),
                         j->cy + (k ? flaw_defect_pick(j, -1, 1) * j->size : 0), r, r, 0, 0.15f, 0);
    flaw_defect_keep_inside(j);
    flaw_tone m = flaw_defect_mean(j);
    flaw_defect_blend(j, (flaw_tone){m.r * 0.15f, m.g * 0.15f, m.b * 0.15f}, 0.9f);
    flaw_defect_edge_light(j, 1.4f);
}

/* A shallow bowl: shape is the soft disc, the picture bends a little and the flanks catch or lose light. */
void flaw_paint_dent(flaw_defect_job *j)
{
    float a = j->size, b = a * flaw_defect_pick(j, 0.5, 1);
    flaw_defect_blob(j, j->cx, j->cy, 0.6f * a, 0.6f * b, flaw_defect_pick(j, 0, TURN), 0.12f, 0.45f * b + 1);
    flaw_defect_keep_inside(j);
    flaw_defect_shift(j, 0.12f * a * j->light_x, 0.12f * a * j->light_y);
    float k = (flaw_defect_pick(j, 0, 1) < 0.75f ? 1.0f : -1.0f) * (1.2f + 2.2f * j->strength) * fmaxf(1, 0.14f * b);
    flaw_defect_edge_light(j, k);
    float dark = 1 - 0.22f * j->strength;
    flaw_defect_multiply(j, (flaw_tone){dark, dark, dark});
}

/* The broken face along the bite: a band at the inner side of the shape, rough and of another brightness. */
static void broken_face(flaw_defect_job *j, float width)
{
    memcpy(j->u, j->shape, (size_t)j->n * sizeof(float));
    int shift_x = (int)lrintf(width * j->out_x), shift_y = (int)lrintf(width * j->out_y);
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            int sx = x + shift_x, sy = y + shift_y, i = y * j->w + x;
            float moved = sx < 0 || sy < 0 || sx >= j->w || sy >= j->h ? 1 : j->u[sy * j->w + sx];
            j->shape[i] = j->u[i] * (1 - moved);
        }
    for (int i = 0; i < j->n; i++) j->field[i] = j->u[i];
    flaw_tone m = flaw_defect_mean(j);
    float k = flaw_defect_pick(j, 0.45, 1.25);
    memcpy(j->v, j->u, (size_t)j->n * sizeof(float));
    flaw_defect_blend(j, (flaw_tone){fminf(255, m.r * k), fminf(255, m.g * k), fminf(255, m.b * k)}, 0.9f);
    memcpy(j->shape, j->v, (size_t)j->n * sizeof(float));
}

/* A bite out of the border; inside a surface without border, a hole in its covering. */
void flaw_paint_chip(flaw_defect_job *j)
{
    float ratio = flaw_defect_pick(j, 0.5, 1), angle = flaw_defect_pick(j, 0, TURN);
    flaw_defect_blob(j, j->cx + 0.2f * j->size * j->out_x, j->cy + 0.2f * j->size * j->out_y, j->size, j->size * ratio,
                     angle, 0.3f, 0);
    flaw_defect_keep_inside(j);
    flaw_defect_reveal(j);
    if (j->foreground && flaw_defect_pick(j, 0, 1) < 0.7f)
        broken_face(j, fmaxf(1, flaw_defect_pick(j, 0.04, 0.22) * j->size));
    flaw_defect_edge_light(j, 0.5f);
}

/* A wedge that opens towards the border and shows what lies behind, as in a broken biscuit; away from any border a
 * tear, widest in the middle. */
void flaw_paint_break(flaw_defect_job *j)
{
    bool inner = j->out_x * j->out_x + j->out_y * j->out_y <= 0;
    float in = inner ? flaw_defect_pick(j, 0, TURN) : atan2f(-j->out_y, -j->out_x) + flaw_defect_pick(j, -0.5, 0.5);
    float x = j->cx - 0.1f * j->size * cosf(in), y = j->cy - 0.1f * j->size * sinf(in);
    float length = 1.2f * j->size, wide = j->size * flaw_defect_pick(j, 0.04, 0.36);
    int steps = 8 + flaw_random_below(j->r, 8);
    for (int k = 0; k < steps; k++) {
        float t0 = (float)k / (float)steps, t1 = (float)(k + 1) / (float)steps, a = in + flaw_defect_pick(j, -0.7, 0.7);
        float nx = x + length / (float)steps * cosf(a), ny = y + length / (float)steps * sinf(a);
        float w0 = inner ? 3 * t0 * (1 - t0) : 1 - t0, w1 = inner ? 3 * t1 * (1 - t1) : 1 - t1;
        flaw_defect_stroke(j, x, y, nx, ny, fmaxf(0.7f, wide * w0), fmaxf(0.7f, wide * w1));
        x = nx, y = ny;
    }
    flaw_defect_keep_inside(j);
    flaw_defect_reveal(j);
    j->out_x = -j->light_x, j->out_y = -j->light_y;
    broken_face(j, fmaxf(1, 0.3f * wide));
    flaw_defect_edge_light(j, 0.8f);
}

/* A soft ridge in a line, lit from the side. */
void flaw_paint_fold(flaw_defect_job *j)
{
    float angle = flaw_defect_pick(j, 0, TURN), width = fmaxf(1.2f, flaw_defect_pick(j, 0.02, 0.07) * j->size);
    int count = 1 + flaw_random_below(j->r, 3);
    for (int k = 0; k < count; k++) {
        float a = angle + flaw_defect_pick(j, -0.3, 0.3), off = (float)k * 0.3f * j->size;
        flaw_defect_walk(j, j->cx - j->size * cosf(a) - off * sinf(a), j->cy - j->size * sinf(a) + off * cosf(a), a,
                         2 * j->size * flaw_defect_pick(j, 0.6, 1), width, 0.25f, 0.01f, true);
    }
    flaw_defect_keep_inside(j);
    j->light_x = -sinf(angle), j->light_y = cosf(angle);
    flaw_defect_edge_light(j, -(0.5f + 1.0f * j->strength));
}

/* Pixels pushed sideways, most in the middle: bent, squeezed, torn out of line. */
void flaw_paint_bend(flaw_defect_job *j)
{
    float way = flaw_defect_pick(j, 0, TURN);
    j->outside = true;
    flaw_defect_blob(j, j->cx, j->cy, 0.5f * j->size, 0.5f * j->size, 0, 0.05f, 0.45f * j->size + 1);
    float far = j->size * (0.2f + 0.3f * j->strength);
    flaw_defect_shift(j, far * cosf(way), far * sinf(way));
}

/* Rubbed: colours fade towards grey and brighter, in streaks. */
void flaw_paint_wear(flaw_defect_job *j)
{
    flaw_defect_blob(j, j->cx, j->cy, j->size, j->size * flaw_defect_pick(j, 0.3, 1), flaw_defect_pick(j, 0, TURN),
                     0.5f, 0.25f * j->size + 1);
    flaw_defect_noise(j, 3, 2);
    for (int i = 0; i < j->n; i++) j->shape[i] *= flaw_clamp01(0.75f + 0.6f * j->field[i]);
    flaw_defect_keep_inside(j);
    flaw_tone m = flaw_defect_mean(j);
    float grey = (m.r + m.g + m.b) / 3, lift = grey > 170 ? -70 : 60;
    float t = grey + lift * (0.6f + 0.6f * j->strength);
    flaw_defect_blend(j, (flaw_tone){t, t, t}, 0.4f + 0.4f * j->strength);
}
