/* Metal goods. */
#include <math.h>

#include "learn/scene/scene.h"

static const float TURN = 6.2831853f;

static void draw_nut(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_metal(d);
    float hole = flaw_pick(d, 0.42, 0.6), chamfer = flaw_pick(d, 0.05, 0.16);
    int sides = flaw_chance(d, 0.85) ? 6 : 4;
    bool flange = flaw_chance(d, 0.25), nylon = flaw_chance(d, 0.2);
    flaw_rgb ring = flaw_rgb_hsv(flaw_pick(d, 0, 1), 0.5f, flaw_pick(d, 0.4, 0.9));
    if (flange) {
        flaw_layer *l = flaw_stage_body(s, p, 1.3f, 1.3f);
        flaw_shape_circle(l, FLAW_SET, 0, 0, 1.2f);
        flaw_shape_circle(l, FLAW_CUT, 0, 0, hole);
        flaw_relief_bevel(l, 0.2f, 0.1f);
        flaw_stage_fill(s, l, &m);
        l->thickness = 0.15f;
        flaw_stage_end(s);
    }
    /* Thread: rings inside the hole, seen at a slant. */
    flaw_layer *l = flaw_stage_body(s, p, 0.8f, 0.8f);
    flaw_shape_ring(l, FLAW_SET, 0, 0, hole - 0.03f, 0.05f);
    for (int i = 0; i < l->n; i++) l->z[i] = 0.02f * flaw_wave(l->d[i] * 22);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.1f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_polygon(l, FLAW_SET, 0, 0, 1, sides, 0, 0.05f);
    flaw_shape_circle(l, FLAW_CUT, 0, 0, hole);
    flaw_relief_bevel(l, 0.06f + 0.5f * chamfer, chamfer);
    flaw_stage_fill(s, l, &m);
    for (int i = 0; i < l->n; i++) {
        float r = sqrtf(l->u[i] * l->u[i] + l->v[i] * l->v[i]), over = r - 0.86f;
        l->z[i] -= over > 0 ? 0.5f * over : 0;
    }
    l->thickness = 0.45f;
    flaw_stage_end(s);
    if (!nylon) return;
    l = flaw_stage_part(s, p, 0, 0, 0, 1, 0.9f, 0.9f);
    flaw_shape_ring(l, FLAW_SET, 0, 0, hole + 0.08f, 0.07f);
    flaw_relief_bevel(l, 0.06f, 0.05f);
    flaw_tint_flat(l, ring);
    l->gloss = 0.5f, l->thickness = 0.05f;
    flaw_stage_end(s);
}

static void draw_washer(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_metal(d);
    float hole = flaw_pick(d, 0.35, 0.7), bevel = flaw_pick(d, 0.03, 0.12), split = flaw_chance(d, 0.2) ? 0.06f : 0;
    int teeth = flaw_chance(d, 0.2) ? 10 + flaw_random_below(d, 8) : 0;
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    if (teeth) flaw_shape_teeth(l, FLAW_SET, 0.92f, 0.14f, teeth, 3);
    else flaw_shape_circle(l, FLAW_SET, 0, 0, 1);
    flaw_shape_circle(l, FLAW_CUT, 0, 0, hole);
    if (split > 0) flaw_shape_box(l, FLAW_CUT, 0.8f, 0, 0.5f, split, 0);
    flaw_relief_bevel(l, bevel, 0.7f * bevel);
    flaw_stage_fill(s, l, &m);
    l->thickness = flaw_pick(d, 0.08, 0.2);
    flaw_stage_end(s);
}

/* Threaded shaft along v from `from` to `to`: a cylinder with slanted grooves. */
static void draw_shaft(flaw_stage *s, flaw_pose p, const flaw_material *m, float from, float to, float radius,
                       float pitch, float point)
{
    float middle = 0.5f * (from + to), half = 0.5f * (to - from);
    flaw_layer *l = flaw_stage_detail(s, p, 0, middle, 0, 1, radius + 0.1f, half + 0.1f);
    flaw_shape_taper(l, FLAW_SET, 0, 0, radius, radius, half, 0.03f);
    if (point > 0) {
        float start = half - point;
        for (int i = 0; i < l->n; i++) {
            float over = l->v[i] - start, width = radius * (1 - over / point);
            float e = fabsf(l->u[i]) - width;
            if (over > 0 && e > l->d[i]) l->d[i] = e;
        }
    }
    if (pitch > 0)
        for (int i = 0; i < l->n; i++)
            l->d[i] += 0.25f * pitch * (0.5f + 0.5f * flaw_wave((l->v[i] + (l->u[i] > 0 ? 0.5f * pitch : 0)) / pitch));
    flaw_relief_bevel(l, radius, radius);
    flaw_stage_fill(s, l, m);
    if (pitch > 0)
        for (int i = 0; i < l->n; i++) {
            float w = flaw_wave((l->v[i] + 0.25f * pitch / radius * l->u[i]) / pitch);
            l->z[i] += 0.22f * pitch * w;
            float dark = 0.55f + 0.45f * flaw_clamp01(0.6f + w);
            l->r[i] *= dark, l->g[i] *= dark, l->b[i] *= dark;
        }
    l->thickness = radius;
    flaw_stage_end(s);
}

/* A drive recess: slot, cross, hexagon or star. */
static void draw_recess(flaw_stage *s, flaw_pose p, float v, float radius, int kind, float turn)
{
    flaw_layer *l = flaw_stage_print(s, p, 0, v, turn, radius, 1.1f, 1.1f);
    if (kind == 0) flaw_shape_box(l, FLAW_SET, 0, 0, 0.9f, 0.16f, 0.02f);
    if (kind == 1) {
        flaw_shape_box(l, FLAW_SET, 0, 0, 0.62f, 0.15f, 0.05f);
        flaw_shape_box(l, FLAW_UNION, 0, 0, 0.15f, 0.62f, 0.05f);
    }
    if (kind == 2) flaw_shape_polygon(l, FLAW_SET, 0, 0, 0.6f, 6, 0, 0.02f);
    if (kind == 3) flaw_shape_teeth(l, FLAW_SET, 0.5f, 0.22f, 6, 1);
    flaw_tint_flat(l, (flaw_rgb){0.015f, 0.015f, 0.017f});
    flaw_tint_rim(l, 0.12f, (flaw_rgb){0.12f, 0.12f, 0.12f}, 1);
    l->gloss = 0.1f, l->opacity = 0.92f;
    flaw_stage_end(s);
}

static void draw_screw(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_metal(d);
    float radius = flaw_pick(d, 0.1, 0.2), head = radius * flaw_pick(d, 1.7, 2.3), pitch = flaw_pick(d, 0.07, 0.13);
    float plain = flaw_chance(d, 0.4) ? flaw_pick(d, 0.1, 0.5) : 0,
          point = flaw_chance(d, 0.7) ? flaw_pick(d, 0.15, 0.35) : 0;
    bool flat = flaw_chance(d, 0.5);
    draw_shaft(s, p, &m, -0.75f + plain, 1, radius, pitch, point);
    if (plain > 0) draw_shaft(s, p, &m, -0.8f, -0.7f + plain, radius * 0.95f, 0, 0);
    flaw_layer *l = flaw_stage_detail(s, p, 0, -0.87f, 0, 1, head + 0.05f, 0.25f);
    if (flat) flaw_shape_taper(l, FLAW_SET, 0, 0, head, radius, 0.13f, 0.02f);
    else flaw_shape_box(l, FLAW_SET, 0, 0, head, 0.13f, 0.09f);
    flaw_relief_dome(l, 0, 0, head * 1.05f, 3, head * 0.8f);
    flaw_stage_fill(s, l, &m);
    l->thickness = head * 0.8f;
    flaw_stage_end(s);
}

static void draw_bolt_head(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_metal(d);
    bool hexagon = flaw_chance(d, 0.5), washer = flaw_chance(d, 0.4);
    int recess = flaw_random_below(d, 4);
    float turn = flaw_pick(d, 0, TURN), dome = flaw_pick(d, 0.05, 0.5);
    if (washer) {
        flaw_layer *l = flaw_stage_body(s, p, 1.4f, 1.4f);
        flaw_shape_circle(l, FLAW_SET, 0, 0, 1.3f);
        flaw_relief_bevel(l, 0.06f, 0.05f);
        flaw_stage_fill(s, l, &m);
        l->thickness = 0.1f;
        flaw_stage_end(s);
    }
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    if (hexagon) flaw_shape_polygon(l, FLAW_SET, 0, 0, 1, 6, 0, 0.04f);
    else flaw_shape_circle(l, FLAW_SET, 0, 0, 0.95f);
    flaw_relief_bevel(l, 0.12f, 0.1f);
    flaw_relief_dome(l, 0, 0, 1.1f, 1.1f, dome);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.4f;
    flaw_stage_end(s);
    if (!hexagon || recess > 1) draw_recess(s, p, 0, 0.75f, recess, turn);
    if (!hexagon || recess > 1) return;
    l = flaw_stage_print(s, p, 0, 0, 0, 1, 0.8f, 0.5f);
    for (int i = 0; i < l->n; i++) l->d[i] = 1;
    flaw_shape_text(l, FLAW_UNION, recess ? "8.8" : "A2", 0, 0, 0.4f, 0.035f);
    flaw_relief_bevel(l, 0.04f, 0.05f);
    flaw_tint_flat(l, flaw_rgb_scale(m.a, 0.75f));
    l->gloss = m.gloss, l->metal = m.metal;
    flaw_stage_end(s);
}

static void draw_gear(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    bool plastic = flaw_chance(d, 0.35);
    flaw_material m = plastic ? flaw_pick_material(d, FLAW_PLASTIC) : flaw_pick_metal(d);
    int teeth = 8 + flaw_random_below(d, 28), spokes = flaw_random_below(d, 3) ? 3 + flaw_random_below(d, 4) : 0;
    float bore = flaw_pick(d, 0.12, 0.3), depth = flaw_pick(d, 0.1, 0.2), rim = flaw_pick(d, 0.15, 0.25);
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.1f);
    flaw_shape_teeth(l, FLAW_SET, 0.9f, depth, teeth, flaw_pick(d, 1.4, 3));
    for (int k = 0; k < spokes; k++) {
        float a = TURN * (float)k / (float)spokes, r = 0.5f * (bore + 0.12f + 0.9f - rim);
        flaw_shape_circle(l, FLAW_CUT, r * cosf(a), r * sinf(a), 0.36f * (0.78f - rim - bore));
    }
    flaw_shape_circle(l, FLAW_CUT, 0, 0, bore);
    flaw_shape_box(l, FLAW_CUT, 0, -bore, 0.06f, 0.06f, 0);
    flaw_relief_bevel(l, 0.05f, 0.04f);
    for (int i = 0; i < l->n; i++) {
        float r = sqrtf(l->u[i] * l->u[i] + l->v[i] * l->v[i]);
        l->z[i] -=
            0.1f * flaw_step(bore + 0.12f, bore + 0.17f, r) * flaw_step(0.9f - rim * 0.5f, 0.84f - rim * 0.5f, r);
    }
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.25f;
    flaw_stage_end(s);
}

static void draw_bearing(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, flaw_chance(d, 0.5) ? FLAW_POLISHED : FLAW_BRUSHED);
    float bore = flaw_pick(d, 0.3, 0.45), race = flaw_pick(d, 0.13, 0.18);
    bool shield = flaw_chance(d, 0.4);
    int balls = 7 + flaw_random_below(d, 5);
    float middle = 0.5f * (1 + bore), phase = flaw_pick(&s->shot, 0, TURN);
    flaw_rgb dark = flaw_chance(d, 0.5) ? flaw_rgb_hex(0x1A1A1C) : flaw_rgb_hex(0x7A6A48);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 1);
    flaw_shape_circle(l, FLAW_CUT, 0, 0, bore);
    flaw_tint_flat(l, dark);
    l->gloss = 0.3f, l->thickness = 0.3f;
    flaw_stage_end(s);
    for (int k = 0; k < balls && !shield; k++) {
        float a = phase + TURN * (float)k / (float)balls, r = 0.85f * (middle - bore - race);
        l = flaw_stage_part(s, p, middle * cosf(a), middle * sinf(a), 0, r, 1.1f, 1.1f);
        flaw_shape_circle(l, FLAW_SET, 0, 0, 1);
        flaw_relief_dome(l, 0, 0, 1, 1, 1);
        flaw_tint_flat(l, m.a);
        l->gloss = 0.9f, l->metal = 0.9f, l->thickness = 0.4f;
        flaw_stage_end(s);
    }
    for (int k = 0; k < 2; k++) {
        l = flaw_stage_body(s, p, 1.05f, 1.05f);
        flaw_shape_ring(l, FLAW_SET, 0, 0, k ? 1 - 0.5f * race : bore + 0.5f * race, 0.5f * race);
        flaw_relief_bevel(l, 0.06f, 0.05f);
        flaw_stage_fill(s, l, &m);
        l->thickness = 0.1f;
        flaw_stage_end(s);
    }
}

static void draw_spring(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_POLISHED);
    int coils = 5 + flaw_random_below(d, 8);
    float width = flaw_pick(d, 0.28, 0.5), wire = flaw_pick(d, 0.35, 0.7) / (float)coils;
    for (int front = 0; front < 2; front++)
        for (int k = 0; k < coils; k++) {
            float step = 2.0f / (float)coils, v = -1 + step * ((float)k + 0.5f),
                  lean = front ? 0.5f * step : -0.5f * step;
            flaw_layer *l = flaw_stage_detail(s, p, 0, v, 0, 1, width + 0.15f, wire + fabsf(lean) + 0.1f);
            flaw_shape_line(l, FLAW_SET, -width, -0.5f * lean, width, 0.5f * lean, wire);
            flaw_relief_bevel(l, wire, wire);
            flaw_stage_fill(s, l, &m);
            if (!front) flaw_tint_flat(l, flaw_rgb_scale(m.a, 0.35f));
            l->thickness = front ? 0.5f * width : 0.1f;
            flaw_stage_end(s);
        }
}

static void draw_key(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_metal(d);
    float bow = flaw_pick(d, 0.3, 0.42), blade = flaw_pick(d, 0.09, 0.14);
    bool round = flaw_chance(d, 0.5);
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 0.6f);
    flaw_shape_box(l, FLAW_SET, 0.2f, 0, 0.8f, blade, 0.03f);
    if (round) flaw_shape_circle(l, FLAW_UNION, -0.6f, 0, bow);
    else flaw_shape_box(l, FLAW_UNION, -0.6f, 0, 0.9f * bow, bow, 0.12f);
    for (int k = 0; k < 6; k++)
        flaw_shape_polygon(l, FLAW_CUT, 0.15f + 0.13f * (float)k, blade, flaw_pick(d, 0.04, 0.11), 4, 0, 0);
    flaw_shape_circle(l, FLAW_CUT, -0.6f - 0.45f * bow, 0, flaw_pick(d, 0.07, 0.13));
    flaw_relief_bevel(l, 0.03f, 0.02f);
    flaw_stage_fill(s, l, &m);
    for (int i = 0; i < l->n; i++) {
        float groove = l->u[i] > -0.25f ? flaw_step(0.035f, 0.02f, fabsf(l->v[i] + 0.03f)) : 0;
        l->z[i] -= 0.03f * groove;
    }
    l->thickness = 0.06f;
    flaw_stage_end(s);
}

static void draw_coin(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_POLISHED);
    m.gloss *= 0.6f;
    static const char *faces[] = {"1", "2", "5", "10", "20", "50", "M", "A"};
    const char *face = faces[flaw_random_below(d, 8)];
    uint32_t wear = flaw_pick_seed(&s->shot);
    int beads = 20 + flaw_random_below(d, 50);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 1);
    flaw_stage_fill(s, l, &m);
    flaw_relief_rim(l, -0.06f, 0.07f, 0.06f);
    for (int i = 0; i < l->n; i++) {
        float a = atan2f(l->v[i], l->u[i]) / TURN, ring = flaw_step(0.06f, 0.03f, fabsf(l->d[i] + 0.2f));
        l->z[i] += 0.015f * ring * flaw_wave(a * (float)beads);
    }
    flaw_tint_noise(l, flaw_noise_even(5, wear), 4, flaw_rgb_scale(m.b, 0.5f), 0.1f, 1.2f, 0.5f);
    l->thickness = 0.1f;
    flaw_stage_end(s);
    l = flaw_stage_print(s, p, 0, 0, 0, 1, 0.7f, 0.7f);
    for (int i = 0; i < l->n; i++) l->d[i] = 1;
    flaw_shape_text(l, FLAW_UNION, face, 0, 0, 0.85f, 0.07f);
    flaw_relief_bevel(l, 0.07f, 0.06f);
    flaw_tint_flat(l, flaw_rgb_mix(m.a, m.b, 0.2f));
    l->gloss = m.gloss, l->metal = m.metal;
    flaw_stage_end(s);
}

static void draw_plate(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_metal(d);
    float b = flaw_pick(d, 0.35, 0.9), corner = flaw_pick(d, 0.02, 0.3), hole = flaw_pick(d, 0.06, 0.14);
    bool bend = flaw_chance(d, 0.4), slot = flaw_chance(d, 0.5);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, b + 0.05f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 1, b, corner < b ? corner : b);
    for (int k = 0; k < 4; k++)
        flaw_shape_circle(l, FLAW_CUT, k & 1 ? 0.78f : -0.78f, (k & 2 ? 1.0f : -1.0f) * (b - 0.22f), hole);
    if (slot) flaw_shape_box(l, FLAW_CUT, 0, 0, flaw_pick(d, 0.15, 0.4), hole, hole);
    flaw_relief_bevel(l, 0.03f, 0.03f);
    flaw_stage_fill(s, l, &m);
    if (bend)
        for (int i = 0; i < l->n; i++) l->z[i] += 0.3f * flaw_step(0.42f, 0.58f, l->u[i]);
    l->thickness = 0.08f;
    flaw_stage_end(s);
}

static void draw_chain(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_POLISHED);
    int links = 3 + flaw_random_below(d, 4);
    float wire = flaw_pick(d, 0.05, 0.09), step = 2.4f / (float)links, half = 0.62f * step;
    for (int k = 0; k < links; k++) {
        float u = -1.2f + step * ((float)k + 0.5f), wide = k & 1 ? 0.4f * half : 0.7f * half;
        flaw_layer *l = flaw_stage_part(s, p, u, 0, flaw_pick(&s->shot, -0.08, 0.08), 1, half + 0.1f, wide + 0.15f);
        flaw_shape_box(l, FLAW_SET, 0, 0, half, wide, wide);
        for (int i = 0; i < l->n; i++) l->d[i] = fabsf(l->d[i] + wire) - wire;
        flaw_relief_bevel(l, wire, wire);
        flaw_stage_fill(s, l, &m);
        l->thickness = wire * 2;
        flaw_stage_end(s);
    }
}

static void draw_tube(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    bool metal = flaw_chance(d, 0.7);
    flaw_material m = metal ? flaw_pick_metal(d) : flaw_pick_material(d, FLAW_PLASTIC);
    float bore = flaw_pick(d, 0.55, 0.85);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 0.99f);
    flaw_tint_flat(l, flaw_rgb_scale(m.a, 0.12f));
    for (int i = 0; i < l->n; i++) l->z[i] = -0.5f * sqrtf(flaw_clamp01(1 - l->d[i] * l->d[i]));
    l->gloss = 0.4f, l->metal = m.metal, l->thickness = 0.3f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_ring(l, FLAW_SET, 0, 0, 0.5f * (1 + bore), 0.5f * (1 - bore));
    flaw_relief_bevel(l, 0.05f, 0.04f);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.3f;
    flaw_stage_end(s);
}

const flaw_kind flaw_kinds_metal[] = {
    {"metal nut", draw_nut, FLAW_KIND_MANY, 0},
    {"washer", draw_washer, FLAW_KIND_MANY, 0},
    {"screw", draw_screw, FLAW_KIND_MANY | FLAW_KIND_HELD_OUT, 0},
    {"bolt head", draw_bolt_head, FLAW_KIND_MANY, 0},
    {"gear", draw_gear, FLAW_KIND_MANY | FLAW_KIND_HELD_OUT, 0},
    {"ball bearing", draw_bearing, FLAW_KIND_MANY, 0},
    {"spring", draw_spring, 0, 0},
    {"key", draw_key, FLAW_KIND_MANY, 0},
    {"coin", draw_coin, FLAW_KIND_MANY, 0},
    {"metal plate", draw_plate, 0, 0},
    {"chain", draw_chain, FLAW_KIND_WIDE, 0},
    {"pipe", draw_tube, FLAW_KIND_MANY, 0},
    {0},
};
