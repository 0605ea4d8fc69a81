/* Things to eat. */
#include <math.h>

#include "learn/scene/scene.h"

static const float TURN = 6.2831853f;

/* A rounded lump: ellipse pushed about by noise, dome over it. The layer is left open for colour. */
static flaw_layer *lump(flaw_stage *s, flaw_pose p, float a, float b, float h, float rough)
{
    flaw_layer *l = flaw_stage_body(s, p, 1.2f * a, 1.2f * b);
    flaw_shape_ellipse(l, FLAW_SET, 0, 0, a, b);
    flaw_shape_rough(l, 1.2f / (a < b ? a : b), rough, 3, flaw_pick_seed(&s->shot));
    flaw_relief_dome(l, 0, 0, a * 1.04f, b * 1.04f, h);
    l->thickness = 0.7f * h;
    return l;
}

static void draw_hazelnut(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_SHELL);
    float a = flaw_pick(d, 0.7, 0.9) * flaw_pick(&s->shot, 0.92, 1.08), tip = flaw_pick(d, 0, 0.3),
          scar = flaw_pick(d, 0, 0.5);
    m.angle = 1.5708f;
    m.contrast *= flaw_pick(&s->shot, 0.7, 1.1);
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.4f);
    flaw_shape_ellipse(l, FLAW_SET, 0, 0, a, 0.95f);
    for (int i = 0; i < l->n; i++) {
        float up = l->v[i] < 0 ? -l->v[i] : 0;
        l->d[i] -= tip * up * up * flaw_clamp01(1 - 3 * fabsf(l->u[i]));
    }
    flaw_shape_rough(l, 1.5f, 0.02f, 3, flaw_pick_seed(&s->shot));
    flaw_relief_dome(l, 0, 0, 1.08f * a, 1.1f, 0.75f);
    flaw_stage_fill(s, l, &m);
    if (scar > 0.15f) {
        for (int i = 0; i < l->n; i++)
            l->t[0][i] =
                0.55f * flaw_step(0.75f, 0.6f, l->u[i] * l->u[i] * 1.5f + (l->v[i] - 1) * (l->v[i] - 1) + 0.2f);
        flaw_tint_by(l, l->t[0], flaw_rgb_mix(m.b, (flaw_rgb){0.6f, 0.5f, 0.35f}, 0.7f));
    }
    flaw_tint_noise(l, flaw_noise_even(3, flaw_pick_seed(&s->shot)), 3, (flaw_rgb){0.62f, 0.52f, 0.4f}, 0.2f, 1.2f,
                    flaw_pick(&s->shot, 0, 0.5));
    l->thickness = 0.6f;
    flaw_stage_end(s);
}

static void draw_almond(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_SHELL);
    float b = flaw_pick(d, 0.5, 0.65) * flaw_pick(&s->shot, 0.93, 1.07);
    m.angle = 0, m.scale *= 1.4f;
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 0.8f);
    for (int i = 0; i < l->n; i++) {
        float t = flaw_clamp01(0.5f + 0.5f * l->u[i]),
              half = b * 2.3f * sqrtf(t + 1e-3f) * (1 - t) * 0.8f + 0.04f * (1 - t);
        float e = fabsf(l->v[i]) - half, end = fabsf(l->u[i]) - 1;
        l->d[i] = 0.8f * (e > end ? e : end);
    }
    flaw_shape_rough(l, 2, 0.02f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, 0.4f, 0.35f);
    flaw_stage_fill(s, l, &m);
    flaw_relief_noise(l, flaw_noise_grain(1, 9, 0, flaw_pick_seed(&s->shot)), 2, 0.5f, 0.015f);
    l->thickness = 0.3f;
    flaw_stage_end(s);
}

static void draw_coffee_bean(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_SHELL);
    m.a = flaw_rgb_hex(0x5A3420), m.b = flaw_rgb_hex(0x2C170C), m.gloss = flaw_pick(d, 0.2, 0.6), m.angle = 0;
    float b = flaw_pick(d, 0.62, 0.75), wave = flaw_pick(&s->shot, 0.05, 0.12), phase = flaw_pick(&s->shot, 0, 1);
    flaw_layer *l = lump(s, p, 1, b, 0.6f, 0.015f);
    flaw_stage_fill(s, l, &m);
    for (int i = 0; i < l->n; i++) {
        float g = fabsf(l->v[i] - wave * flaw_wave(0.4f * l->u[i] + phase)), in = flaw_step(0.1f, 0.02f, g);
        l->z[i] -= 0.12f * in;
        l->t[0][i] = 0.85f * in;
    }
    flaw_tint_by(l, l->t[0], flaw_rgb_scale(m.b, 0.3f));
    flaw_stage_end(s);
}

static void draw_cashew(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_SHELL);
    m.a = flaw_rgb_hex(0xE6D2A8), m.b = flaw_rgb_hex(0xB98F55), m.contrast *= 0.6f;
    float open = flaw_pick(d, 1.1, 1.5) * flaw_pick(&s->shot, 0.92, 1.08), fat = flaw_pick(d, 0.26, 0.34);
    flaw_layer *l = flaw_stage_body(s, p, 1.15f, 1.15f);
    flaw_shape_arc(l, FLAW_SET, 0, 0.25f, 0.62f, fat, -0.25f * TURN, open);
    for (int i = 0; i < l->n; i++) l->d[i] += 0.09f * l->u[i];
    flaw_shape_rough(l, 1.5f, 0.02f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, fat, fat * 0.9f);
    flaw_stage_fill(s, l, &m);
    flaw_tint_rim(l, 0.15f, m.b, 0.5f);
    l->thickness = fat;
    flaw_stage_end(s);
}

/* Docked dough: outline round, square or scalloped, rows of pin holes. */
static flaw_layer *biscuit_body(flaw_stage *s, flaw_random *d, flaw_pose p, float *half)
{
    flaw_material m = flaw_pick_material(d, FLAW_DOUGH);
    int form = flaw_random_below(d, 3);
    float b = form == 1 ? flaw_pick(d, 0.55, 1) : 1;
    m.relief *= 0.4f, m.contrast *= 0.6f;
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.1f);
    if (form == 0) flaw_shape_circle(l, FLAW_SET, 0, 0, 0.97f);
    else if (form == 1) flaw_shape_box(l, FLAW_SET, 0, 0, 0.97f, 0.97f * b, 0.08f);
    else flaw_shape_teeth(l, FLAW_SET, 0.95f, 0.09f, 18 + flaw_random_below(d, 20), 1);
    flaw_shape_rough(l, 3, 0.008f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, 0.12f, 0.09f);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.14f;
    *half = b;
    return l;
}

static void pin_holes(flaw_layer *l, float step, float b, float radius)
{
    for (int i = 0; i < l->n; i++) {
        float u = l->u[i] / step, v = l->v[i] / step;
        float x = u - (float)flaw_floor_int(u) - 0.5f, y = v - (float)flaw_floor_int(v) - 0.5f;
        float in = flaw_step(radius, 0.5f * radius, step * sqrtf(x * x + y * y)) * (l->d[i] < -0.12f ? 1.0f : 0.0f);
        l->z[i] -= 0.06f * in;
        l->t[0][i] = 0.75f * in;
    }
    flaw_tint_by(l, l->t[0], (flaw_rgb){0.1f, 0.05f, 0.02f});
}

static void draw_biscuit(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    float b, step = flaw_pick(d, 0.22, 0.4);
    flaw_layer *l = biscuit_body(s, d, p, &b);
    pin_holes(l, step, b, flaw_pick(d, 0.03, 0.05));
    flaw_stage_end(s);
}

static void draw_printed_biscuit(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    static const char *const words[] = {"MILK", "OAT", "TEA", "BAKE", "CORN", "RYE"};
    float b;
    flaw_layer *l = biscuit_body(s, d, p, &b);
    flaw_relief_rim(l, -0.17f, 0.05f, -0.04f);
    flaw_stage_end(s);
    const char *word = words[flaw_random_below(d, 6)];
    l = flaw_stage_print(s, p, 0, 0, 0, 1, 0.95f, 0.4f);
    for (int i = 0; i < l->n; i++) l->d[i] = 1;
    flaw_shape_text(l, FLAW_UNION, word, 0, 0, 0.42f, 0.035f);
    flaw_relief_bevel(l, 0.05f, -0.06f);
    flaw_tint_flat(l, (flaw_rgb){0.32f, 0.18f, 0.08f});
    l->opacity = 0.75f;
    flaw_stage_end(s);
}

static void draw_cookie(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_DOUGH);
    int chips = flaw_random_below(d, 5) ? 4 + flaw_random_below(d, 14) : 0;
    flaw_rgb chip = flaw_chance(d, 0.75) ? flaw_rgb_hex(0x3A2014) : flaw_rgb_hex(0xB83030);
    m.relief *= 1.3f;
    float a = flaw_pick(&s->shot, 0.85, 1), b = flaw_pick(&s->shot, 0.75, 1);
    flaw_layer *l = flaw_stage_body(s, p, 1.15f, 1.15f);
    if (flaw_chance(d, 0.2)) flaw_shape_box(l, FLAW_SET, 0, 0, a, 0.7f * b, 0.3f);
    else flaw_shape_ellipse(l, FLAW_SET, 0, 0, a, b);
    flaw_shape_rough(l, 1.4f, 0.05f, 4, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, 0.45f, 0.25f);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.25f;
    flaw_stage_end(s);
    int count = chips ? chips + flaw_random_below(&s->shot, 4) : 0;
    for (int k = 0; k < count; k++) {
        float way = flaw_pick(&s->shot, 0, TURN), far = 0.75f * sqrtf(flaw_pick(&s->shot, 0, 1)),
              r = flaw_pick(&s->shot, 0.05, 0.13);
        l = flaw_stage_detail(s, p, far * cosf(way) * a, far * sinf(way) * b, way, r, 1.4f, 1.4f);
        flaw_shape_ellipse(l, FLAW_SET, 0, 0, 1, flaw_pick(&s->shot, 0.6, 1));
        flaw_shape_rough(l, 1, 0.2f, 3, flaw_pick_seed(&s->shot));
        flaw_relief_bevel(l, 0.6f, 0.5f);
        flaw_tint_flat(l, flaw_rgb_scale(chip, flaw_pick(&s->shot, 0.7, 1.4)));
        l->gloss = 0.45f, l->thickness = 0.25f;
        flaw_stage_end(s);
    }
}

static void draw_doughnut(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_DOUGH);
    static const uint32_t icings[] = {0x4A2818, 0xF0E8DC, 0xE88AA8, 0xD89848, 0x8A4A28};
    flaw_rgb icing = flaw_rgb_hex(icings[flaw_random_below(d, 5)]);
    float middle = flaw_pick(d, 0.58, 0.68), half = flaw_pick(d, 0.28, 0.34);
    bool sprinkles = flaw_chance(d, 0.5);
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.1f);
    flaw_shape_ring(l, FLAW_SET, 0, 0, middle, half);
    flaw_shape_rough(l, 1.5f, 0.02f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, half, half);
    flaw_stage_fill(s, l, &m);
    l->thickness = half;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, 1.1f, 1.1f);
    flaw_shape_ring(l, FLAW_SET, 0, 0, middle, half * 0.78f);
    flaw_shape_rough(l, 3, 0.06f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, 0.8f * half, half * 0.8f);
    flaw_tint_flat(l, icing);
    l->gloss = 0.6f, l->thickness = 0.03f;
    flaw_stage_end(s);
    for (int k = 0; sprinkles && k < 24; k++) {
        float way = TURN * (float)k / 24 + flaw_pick(&s->shot, -0.1, 0.1),
              far = middle + half * flaw_pick(&s->shot, -0.55, 0.55);
        l = flaw_stage_detail(s, p, far * cosf(way), far * sinf(way), flaw_pick(&s->shot, 0, TURN), 0.07f, 1.2f, 0.6f);
        flaw_shape_line(l, FLAW_SET, -0.7f, 0, 0.7f, 0, 0.35f);
        flaw_relief_bevel(l, 0.35f, 0.35f);
        flaw_tint_flat(l, flaw_rgb_hsv(flaw_pick(&s->shot, 0, 1), 0.8f, 0.9f));
        l->thickness = 0.3f;
        flaw_stage_end(s);
    }
}

static void draw_toast(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_FOAM);
    m.a = flaw_rgb_hex(0xEAD3A2), m.b = flaw_rgb_hex(0xB88848), m.gloss = 0;
    flaw_rgb crust = flaw_rgb_hex(0x8A5424);
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.1f);
    flaw_shape_box(l, FLAW_SET, 0, 0.08f, 0.85f, 0.88f, 0.12f);
    flaw_shape_circle(l, FLAW_UNION, -0.5f, -0.55f, 0.42f);
    flaw_shape_circle(l, FLAW_UNION, 0.5f, -0.55f, 0.42f);
    flaw_shape_rough(l, 2, 0.02f, 3, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, 0.06f, 0.06f);
    flaw_stage_fill(s, l, &m);
    flaw_tint_noise(l, flaw_noise_even(1.2f, flaw_pick_seed(&s->shot)), 3, flaw_rgb_hex(0xB07830), -0.4f, 1.0f,
                    flaw_pick(d, 0.2, 0.8));
    flaw_tint_rim(l, 0.12f, crust, 1);
    l->thickness = 0.15f;
    flaw_stage_end(s);
}

static void draw_penne(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_PLASTIC);
    m.a = flaw_rgb_hsv(flaw_pick(d, 0.1, 0.14), flaw_pick(d, 0.35, 0.6), 0.92f), m.b = flaw_rgb_scale(m.a, 0.8f);
    m.gloss = 0.25f;
    float r = flaw_pick(d, 0.2, 0.3), slant = flaw_pick(d, 0.1, 0.4),
          ribs = flaw_chance(d, 0.6) ? flaw_pick(d, 14, 24) : 0;
    flaw_layer *l = flaw_stage_body(s, p, 1.3f, 0.4f);
    for (int i = 0; i < l->n; i++) {
        float u = l->u[i] - slant * l->v[i] / r * 0.5f, e = fabsf(u) - 0.95f, f = fabsf(l->v[i]) - r;
        l->d[i] = e > f ? e : f;
    }
    flaw_relief_bevel(l, r, r);
    flaw_stage_fill(s, l, &m);
    for (int i = 0; ribs > 0 && i < l->n; i++) l->z[i] += 0.012f * flaw_wave(l->v[i] * ribs);
    l->thickness = r;
    flaw_stage_end(s);
    l = flaw_stage_detail(s, p, 0.92f, 0, 0, 1, 0.3f, 0.35f);
    flaw_shape_ellipse(l, FLAW_SET, 0, 0, 0.5f * slant + 0.05f, r * 0.95f);
    flaw_tint_flat(l, flaw_rgb_scale(m.a, 0.18f));
    flaw_tint_rim(l, 0.06f, m.a, 1);
    flaw_stage_end(s);
}

static void draw_candy(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    s->material = "sugar";
    flaw_rgb colour = flaw_rgb_hsv(flaw_pick(d, 0, 1), flaw_pick(d, 0.6, 0.95), flaw_pick(d, 0.6, 0.95));
    bool mixed = flaw_chance(d, 0.4), letter = flaw_chance(d, 0.4);
    if (mixed) colour = flaw_rgb_hsv(0.166f * (float)flaw_random_below(&s->shot, 6), 0.85f, 0.85f);
    flaw_layer *l = lump(s, p, 0.95f, flaw_pick(d, 0.7, 1), 0.5f, 0.008f);
    flaw_tint_flat(l, colour);
    flaw_tint_noise(l, flaw_noise_even(2, flaw_pick_seed(&s->shot)), 3, flaw_rgb_scale(colour, 0.75f), 0.1f, 1, 0.5f);
    l->gloss = flaw_pick(d, 0.3, 0.9);
    flaw_stage_end(s);
    if (!letter) return;
    l = flaw_stage_print(s, p, 0, 0, flaw_pick(&s->shot, -1, 1), 1, 0.4f, 0.4f);
    for (int i = 0; i < l->n; i++) l->d[i] = 1;
    flaw_shape_text(l, FLAW_UNION, "M", 0, 0, 0.5f, 0.06f);
    flaw_tint_flat(l, (flaw_rgb){0.9f, 0.9f, 0.9f});
    l->gloss = 0.5f;
    flaw_stage_end(s);
}

static void draw_chocolate(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    static const uint32_t browns[] = {0x4A2A1A, 0x6E4228, 0x2E1A12, 0xE6D6B8};
    flaw_material m = flaw_pick_material(d, FLAW_PLASTIC);
    m.a = flaw_rgb_hex(browns[flaw_random_below(d, 4)]), m.b = flaw_rgb_scale(m.a, 0.7f),
    m.gloss = flaw_pick(d, 0.25, 0.5);
    int across = 2 + flaw_random_below(d, 3), down = 2 + flaw_random_below(d, 4);
    float b = (float)down / (float)across, k = b > 1 ? 1 / b : 1, cell = k / (float)across;
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_box(l, FLAW_SET, 0, 0, k, k * b, 0.03f);
    flaw_stage_fill(s, l, &m);
    for (int i = 0; i < l->n; i++) {
        float x = (l->u[i] + k) / (2 * cell), y = (l->v[i] + k * b) / (2 * cell);
        float fx = fabsf(x - (float)flaw_floor_int(x) - 0.5f), fy = fabsf(y - (float)flaw_floor_int(y) - 0.5f);
        float edge = fx > fy ? fx : fy;
        l->z[i] += 0.5f * cell * flaw_step(0.47f, 0.33f, edge);
    }
    l->thickness = 0.12f;
    flaw_stage_end(s);
}

static void draw_fruit(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_PEEL);
    bool stem = flaw_chance(d, 0.7);
    float b = flaw_pick(d, 0.85, 1);
    flaw_layer *l = lump(s, p, 0.97f, 0.97f * b, 0.9f, 0.012f);
    flaw_stage_fill(s, l, &m);
    flaw_tint_noise(l, flaw_noise_grain(0.8f, 6, 1.57f, flaw_pick_seed(&s->shot)), 3, m.b, 0, 1.2f, 0.6f);
    if (stem)
        for (int i = 0; i < l->n; i++) {
            float v = l->v[i] + 0.45f, r = sqrtf(l->u[i] * l->u[i] + v * v);
            l->z[i] -= 0.25f * flaw_step(0.35f, 0, r);
        }
    l->gloss = flaw_pick(d, 0.25, 0.55);
    flaw_stage_end(s);
    if (!stem) return;
    l = flaw_stage_part(s, p, 0, -0.5f, flaw_pick(&s->shot, -0.4, 0.4), 1, 0.1f, 0.3f);
    flaw_shape_line(l, FLAW_SET, 0, 0.08f, 0, -0.22f, 0.035f);
    flaw_relief_bevel(l, 0.035f, 0.035f);
    flaw_tint_flat(l, flaw_rgb_hex(0x5A4020));
    l->thickness = 0.1f;
    flaw_stage_end(s);
}

static void draw_egg(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    s->material = "eggshell";
    static const uint32_t shells[] = {0xF2EDE4, 0xD8A880, 0xC08A60, 0xE8D4BC};
    flaw_rgb c = flaw_rgb_hex(shells[flaw_random_below(d, 4)]);
    bool spots = flaw_chance(d, 0.3);
    flaw_layer *l = flaw_stage_body(s, p, 0.9f, 1.1f);
    for (int i = 0; i < l->n; i++) {
        float k = 0.74f * (1 + 0.13f * l->v[i]), u = l->u[i] / k;
        l->d[i] = 0.8f * (sqrtf(u * u + l->v[i] * l->v[i]) - 1);
    }
    flaw_relief_dome(l, 0, 0.03f, 0.86f, 1.05f, 0.75f);
    flaw_tint_flat(l, c);
    flaw_tint_noise(l, flaw_noise_even(12, flaw_pick_seed(&s->shot)), 2, flaw_rgb_scale(c, 0.8f), 0, 1.2f, 0.4f);
    if (spots)
        flaw_tint_noise(l, flaw_noise_even(6, flaw_pick_seed(&s->shot)), 3, flaw_rgb_scale(c, 0.4f), 0.7f, 0.9f, 0.8f);
    l->gloss = 0.15f, l->thickness = 0.5f;
    flaw_stage_end(s);
}

static void draw_peanut(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_SHELL);
    m.a = flaw_rgb_hex(0xD8B47C), m.b = flaw_rgb_hex(0x9A7440), m.angle = 0;
    float waist = flaw_pick(d, 0.2, 0.32), a = flaw_pick(&s->shot, 0.36, 0.44), b = flaw_pick(&s->shot, 0.36, 0.46);
    flaw_layer *l = flaw_stage_body(s, p, 1.15f, 0.6f);
    flaw_shape_circle(l, FLAW_SET, -0.52f, 0, a);
    flaw_shape_circle(l, FLAW_UNION, 0.5f, 0, b);
    flaw_shape_box(l, FLAW_UNION, 0, 0, 0.4f, waist, 0.1f);
    flaw_shape_rough(l, 1.5f, 0.03f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, 0.4f, 0.36f);
    flaw_stage_fill(s, l, &m);
    for (int i = 0; i < l->n; i++) {
        float net = flaw_wave(l->u[i] * 4.2f) * flaw_wave(l->v[i] * 5.5f + 0.3f * l->u[i]);
        l->z[i] += 0.025f * net;
        l->t[0][i] = 0.25f * flaw_clamp01(-net);
    }
    flaw_tint_by(l, l->t[0], m.b);
    l->thickness = 0.35f;
    flaw_stage_end(s);
}

static void draw_gum(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_PLASTIC);
    m.a = flaw_chance(d, 0.6) ? flaw_rgb_hex(0xF0F0EC) : flaw_rgb_hsv(flaw_pick(d, 0, 1), 0.3f, 0.9f),
    m.b = flaw_rgb_scale(m.a, 0.85f);
    m.gloss = 0.35f;
    float b = flaw_pick(d, 0.45, 0.7);
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, b + 0.1f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 1, b, 0.28f);
    flaw_shape_rough(l, 1, 0.012f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_pillow(l, 0, 0, 1.05f, 1.05f * b, 0.4f);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.35f;
    flaw_stage_end(s);
}

static void draw_pretzel(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_DOUGH);
    m.a = flaw_rgb_hex(0xA8642C), m.b = flaw_rgb_hex(0x5A2C10), m.gloss = 0.4f, m.relief *= 0.4f;
    float fat = flaw_pick(d, 0.11, 0.16);
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.1f);
    flaw_shape_arc(l, FLAW_SET, 0, -0.05f, 0.78f, fat, -0.25f * TURN, 2.5f);
    flaw_shape_line(l, FLAW_UNION, -0.45f, 0.6f, 0.35f, -0.25f, fat);
    flaw_shape_line(l, FLAW_UNION, 0.45f, 0.6f, -0.35f, -0.25f, fat);
    flaw_shape_rough(l, 2, 0.015f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, fat, fat);
    flaw_stage_fill(s, l, &m);
    l->thickness = fat * 1.2f;
    flaw_stage_end(s);
    for (int k = 0; k < 18; k++) {
        float way = -0.25f * TURN + flaw_pick(&s->shot, -2.4, 2.4), far = 0.78f + flaw_pick(&s->shot, -0.06, 0.06);
        l = flaw_stage_detail(s, p, far * cosf(way), far * sinf(way) - 0.05f, flaw_pick(&s->shot, 0, TURN), 0.035f,
                              1.3f, 1.3f);
        flaw_shape_box(l, FLAW_SET, 0, 0, 0.9f, 0.7f, 0.2f);
        flaw_tint_flat(l, (flaw_rgb){0.9f, 0.88f, 0.84f});
        l->gloss = 0.6f, l->thickness = 0.5f;
        flaw_stage_end(s);
    }
}

const flaw_kind flaw_kinds_food[] = {
    {"hazelnut", draw_hazelnut, FLAW_KIND_MANY, 0},
    {"almond", draw_almond, FLAW_KIND_MANY, 0},
    {"coffee bean", draw_coffee_bean, FLAW_KIND_MANY, 0},
    {"cashew", draw_cashew, FLAW_KIND_MANY, 0},
    {"biscuit", draw_biscuit, FLAW_KIND_MANY, 0},
    {"printed biscuit", draw_printed_biscuit, FLAW_KIND_MANY | FLAW_KIND_HELD_OUT, 0},
    {"cookie", draw_cookie, FLAW_KIND_MANY, 0},
    {"doughnut", draw_doughnut, FLAW_KIND_MANY, 0},
    {"slice of toast", draw_toast, 0, 0},
    {"penne noodle", draw_penne, FLAW_KIND_MANY, 0},
    {"candy", draw_candy, FLAW_KIND_MANY, 0},
    {"chocolate bar", draw_chocolate, 0, 0},
    {"fruit", draw_fruit, FLAW_KIND_MANY, 0},
    {"egg", draw_egg, FLAW_KIND_MANY, 0},
    {"peanut", draw_peanut, FLAW_KIND_MANY, 0},
    {"chewing gum", draw_gum, FLAW_KIND_MANY, 0},
    {"pretzel", draw_pretzel, FLAW_KIND_MANY, 0},
    {0},
};
