/* From the household. */
#include <math.h>

#include "learn/scene/scene.h"

static const float TURN = 6.2831853f;

static flaw_rgb any_colour(flaw_random *d)
{
    flaw_material m;
    flaw_material_choose(&m, FLAW_PAINT, d);
    return m.a;
}

/* A print on the body: ink outline by a shape that the caller set. */
static void ink(flaw_stage *s, flaw_layer *l, flaw_rgb c, float gloss)
{
    flaw_tint_flat(l, c);
    l->gloss = gloss;
    flaw_stage_end(s);
}

static void words(flaw_stage *s, flaw_pose p, const char *text, float v, float height, float reach, flaw_rgb c)
{
    flaw_layer *l = flaw_stage_print(s, p, 0, v, 0, 1, reach, height);
    for (int i = 0; i < l->n; i++) l->d[i] = 1;
    flaw_shape_text(l, FLAW_UNION, text, 0, 0, height, 0.07f * height + 0.008f);
    ink(s, l, c, 0.4f);
}

static void draw_bottle_mouth(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_rgb glass = flaw_rgb_hsv(flaw_pick(d, 0.05, 0.4), flaw_pick(d, 0.2, 0.8), flaw_pick(d, 0.1, 0.5));
    float mouth = flaw_pick(d, 0.4, 0.6), lip = flaw_pick(d, 0.1, 0.16);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 1);
    flaw_relief_bevel(l, 0.8f, 0.6f);
    flaw_tint_flat(l, glass);
    flaw_tint_rim(l, 0.2f, flaw_rgb_scale(glass, 0.25f), 0.9f);
    l->gloss = 1, l->metal = 0.3f, l->thickness = 0.3f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, mouth);
    flaw_tint_flat(l, flaw_rgb_scale(glass, 0.08f));
    for (int i = 0; i < l->n; i++) l->z[i] = 0.3f * l->d[i] * l->d[i];
    l->gloss = 0.6f;
    flaw_stage_end(s);
    for (int k = 0; k < 3; k++) {
        l = flaw_stage_body(s, p, 1.05f, 1.05f);
        float r = k == 0 ? mouth + lip : k == 1 ? mouth + 2.2f * lip : 0.93f, w = k == 0 ? lip : 0.4f * lip;
        flaw_shape_ring(l, FLAW_SET, 0, 0, r, w);
        flaw_relief_bevel(l, w, w);
        flaw_tint_flat(l, flaw_rgb_scale(glass, k == 0 ? 1.8f : 1.2f));
        l->gloss = 1, l->metal = 0.35f, l->thickness = 0.05f;
        flaw_stage_end(s);
    }
    s->material = "glass";
}

static void draw_bottle(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    static const char *const names[] = {"BIO", "OIL", "SOAP", "MILK", "H2O", "ALE"};
    bool glass = flaw_chance(d, 0.5);
    flaw_rgb c = any_colour(d), label = flaw_chance(d, 0.6) ? (flaw_rgb){0.85f, 0.84f, 0.8f} : any_colour(d),
             cap = any_colour(d);
    float r = flaw_pick(d, 0.28, 0.42), neck = flaw_pick(d, 0.1, 0.15), shoulder = flaw_pick(d, -0.55, -0.3);
    const char *name = names[flaw_random_below(d, 6)];
    if (glass) c = flaw_rgb_hsv(flaw_pick(d, 0.05, 0.42), flaw_pick(d, 0.3, 0.8), flaw_pick(d, 0.15, 0.5));
    flaw_layer *l = flaw_stage_body(s, p, r + 0.1f, 1.1f);
    flaw_shape_box(l, FLAW_SET, 0, 0.5f * (shoulder + 1), r, 0.5f * (1 - shoulder), 0.1f);
    flaw_shape_taper(l, FLAW_UNION, 0, shoulder - 0.05f, neck, r, 0.17f, 0.04f);
    flaw_shape_box(l, FLAW_UNION, 0, -0.75f, neck, 0.2f, 0.02f);
    flaw_relief_bevel(l, 0.1f, 0.05f);
    flaw_relief_dome(l, 0, 0, r * 1.02f, 40, r * 0.9f);
    flaw_tint_flat(l, c);
    if (glass) flaw_tint_rim(l, 0.3f * r, flaw_rgb_scale(c, 0.2f), 0.8f);
    l->gloss = glass ? 1 : 0.5f, l->metal = glass ? 0.3f : 0, l->thickness = r;
    flaw_stage_end(s);
    l = flaw_stage_part(s, p, 0, -0.92f, 0, 1, 0.3f, 0.2f);
    flaw_shape_box(l, FLAW_SET, 0, 0, neck * 1.15f, 0.1f, 0.02f);
    flaw_relief_bevel(l, neck, neck);
    for (int i = 0; i < l->n; i++) l->z[i] += 0.01f * flaw_wave(l->u[i] * 30);
    flaw_tint_flat(l, cap);
    l->gloss = 0.4f, l->thickness = 0.05f;
    flaw_stage_end(s);
    l = flaw_stage_part(s, p, 0, 0.35f, 0, 1, r, 0.4f);
    flaw_shape_box(l, FLAW_SET, 0, 0, r * 0.97f, 0.32f, 0.01f);
    l->decal = true;
    ink(s, l, label, 0.3f);
    words(s, p, name, 0.28f, 0.2f, r, any_colour(d));
    s->material = glass ? "glass" : "plastic";
}

static void draw_bottle_cap(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_rgb c = any_colour(d), print = any_colour(d);
    bool metal = flaw_chance(d, 0.4);
    int teeth = 21;
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.1f);
    flaw_shape_teeth(l, FLAW_SET, 0.95f, 0.08f, teeth, 1);
    flaw_relief_bevel(l, 0.28f, 0.22f);
    for (int i = 0; i < l->n; i++) {
        float a = atan2f(l->v[i], l->u[i]) / TURN;
        l->z[i] += 0.04f * flaw_wave(a * (float)teeth) * flaw_step(-0.3f, -0.1f, l->d[i]);
    }
    flaw_tint_flat(l, metal ? flaw_rgb_hex(0xC0C0C0) : c);
    l->metal = metal ? 0.9f : 0.3f, l->gloss = 0.7f, l->thickness = 0.2f;
    flaw_stage_end(s);
    l = flaw_stage_print(s, p, 0, 0, 0, 1, 0.7f, 0.7f);
    flaw_shape_ring(l, FLAW_SET, 0, 0, 0.55f, 0.03f);
    flaw_shape_polygon(l, FLAW_UNION, 0, 0, 0.3f, 3 + flaw_random_below(d, 4), 0, 0.03f);
    ink(s, l, print, 0.6f);
    s->material = "metal";
}

static void draw_jar_lid(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_rgb c = any_colour(d);
    int grooves = 30 + flaw_random_below(d, 50);
    float rim = flaw_pick(d, 0.08, 0.2);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 0.98f);
    flaw_relief_bevel(l, 0.08f, 0.1f);
    flaw_relief_rim(l, -rim, 0.08f, 0.05f);
    for (int i = 0; i < l->n; i++)
        l->z[i] +=
            0.02f * flaw_wave(atan2f(l->v[i], l->u[i]) / TURN * (float)grooves) * flaw_step(-0.1f, -0.04f, l->d[i]);
    flaw_tint_flat(l, c);
    flaw_relief_noise(l, flaw_noise_even(1.5f, flaw_pick_seed(&s->shot)), 2, 0.5f, 0.01f);
    l->gloss = flaw_pick(d, 0.3, 0.9), l->metal = flaw_chance(d, 0.5) ? 0.4f : 0, l->thickness = 0.25f;
    flaw_stage_end(s);
    if (flaw_chance(d, 0.5)) words(s, p, "JAM", 0, 0.3f, 0.7f, any_colour(d));
    s->material = "metal";
}

static void draw_button(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, flaw_chance(d, 0.4) ? FLAW_WOOD : FLAW_PLASTIC);
    int holes = flaw_chance(d, 0.7) ? 4 : 2;
    float off = flaw_pick(d, 0.16, 0.24), r = flaw_pick(d, 0.07, 0.11), rim = flaw_pick(d, 0.1, 0.25);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 0.98f);
    for (int k = 0; k < holes; k++) {
        float way = TURN * ((float)k + 0.5f) / (float)holes;
        flaw_shape_circle(l, FLAW_CUT, off * 1.4f * cosf(way), off * 1.4f * sinf(way), r);
    }
    flaw_relief_bevel(l, 0.06f, 0.05f);
    for (int i = 0; i < l->n; i++) {
        float q = sqrtf(l->u[i] * l->u[i] + l->v[i] * l->v[i]);
        l->z[i] += 0.1f * flaw_step(0.95f - rim - 0.15f, 0.95f - rim, q);
    }
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.18f;
    flaw_stage_end(s);
}

static void draw_zipper(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material cloth = flaw_pick_material(d, flaw_chance(d, 0.5) ? FLAW_TWILL : FLAW_CLOTH);
    flaw_rgb tooth = flaw_chance(d, 0.5) ? flaw_rgb_hex(0xC8B070) : any_colour(d);
    bool metal = flaw_chance(d, 0.6);
    int teeth = 14 + flaw_random_below(d, 12);
    float step = 2.6f / (float)teeth, wide = flaw_pick(d, 0.1, 0.16);
    cloth.angle = 0, cloth.scale *= 1.4f;
    flaw_layer *l = flaw_stage_body(s, p, 0.8f, 1.5f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 0.62f, 2, 0.02f);
    flaw_stage_fill(s, l, &cloth);
    l->thickness = 0.04f;
    flaw_stage_end(s);
    for (int k = 0; k < 2 * teeth; k++) {
        float side = k & 1 ? 1.0f : -1.0f, v = -1.3f + step * (0.5f * (float)k + 0.25f);
        l = flaw_stage_part(s, p, side * wide * 0.55f, v, 0, 1, wide + 0.05f, 0.5f * step);
        flaw_shape_box(l, FLAW_SET, 0, 0, wide, 0.2f * step, 0.1f * step);
        flaw_relief_bevel(l, 0.15f * step, 0.2f * step);
        flaw_tint_flat(l, tooth);
        l->metal = metal ? 0.9f : 0, l->gloss = 0.7f, l->thickness = 0.05f;
        flaw_stage_end(s);
    }
}

static void draw_candle(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_rgb wax = flaw_chance(d, 0.5) ? flaw_rgb_hex(0xEDE4D0) : any_colour(d);
    bool cup = flaw_chance(d, 0.7);
    flaw_layer *l;
    if (cup) {
        l = flaw_stage_body(s, p, 1.05f, 1.05f);
        flaw_shape_ring(l, FLAW_SET, 0, 0, 0.95f, 0.04f);
        flaw_relief_bevel(l, 0.04f, 0.04f);
        flaw_tint_flat(l, (flaw_rgb){0.7f, 0.7f, 0.7f});
        l->metal = 0.9f, l->gloss = 0.8f, l->thickness = 0.3f;
        flaw_stage_end(s);
    }
    l = flaw_stage_body(s, p, 1, 1);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 0.92f);
    flaw_tint_flat(l, wax);
    for (int i = 0; i < l->n; i++) l->z[i] = 0.25f * (l->u[i] * l->u[i] + l->v[i] * l->v[i]) * (cup ? 1.0f : -0.5f);
    flaw_relief_noise(l, flaw_noise_even(2.5f, flaw_pick_seed(&s->shot)), 3, 0.5f, 0.02f);
    flaw_tint_noise(l, flaw_noise_even(2, flaw_pick_seed(&s->shot)), 3, flaw_rgb_scale(wax, 0.8f), 0, 1, 0.4f);
    l->gloss = 0.4f, l->thickness = cup ? 0 : 0.3f;
    flaw_stage_end(s);
    float turn = flaw_pick(&s->shot, 0, TURN);
    l = flaw_stage_part(s, p, 0, 0, turn, 1, 0.4f, 0.2f);
    flaw_shape_line(l, FLAW_SET, 0, 0, 0.26f, 0.05f, 0.035f);
    flaw_relief_bevel(l, 0.035f, 0.04f);
    flaw_tint_flat(l, flaw_chance(d, 0.5) ? (flaw_rgb){0.7f, 0.68f, 0.6f} : (flaw_rgb){0.03f, 0.025f, 0.02f});
    l->thickness = 0.15f;
    flaw_stage_end(s);
    s->material = "wax";
}

/* Concentric ware from above: plate, bowl or cup. */
static void draw_plate_ware(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_PORCELAIN);
    float well = flaw_pick(d, 0.5, 0.75), deep = flaw_pick(d, 0.08, 0.3);
    flaw_rgb band = any_colour(d);
    bool ring = flaw_chance(d, 0.6);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 0.98f);
    flaw_relief_bevel(l, 0.05f, 0.04f);
    for (int i = 0; i < l->n; i++) {
        float q = sqrtf(l->u[i] * l->u[i] + l->v[i] * l->v[i]);
        l->z[i] += deep * flaw_step(well - 0.15f, well + 0.1f, q) + 0.1f * q;
    }
    flaw_stage_fill(s, l, &m);
    if (ring) {
        for (int i = 0; i < l->n; i++) l->t[0][i] = flaw_step(0.05f, 0.03f, fabsf(l->d[i] + 0.1f));
        flaw_tint_by(l, l->t[0], band);
    }
    l->thickness = 0.15f;
    flaw_stage_end(s);
}

static void draw_mug(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_PORCELAIN);
    flaw_rgb drink = flaw_chance(d, 0.5) ? flaw_rgb_hex(0x2A1608) : flaw_rgb_scale(m.a, 0.7f);
    flaw_layer *l = flaw_stage_body(s, p, 1.5f, 1.05f);
    flaw_shape_line(l, FLAW_SET, 0.7f, 0, 1.3f, 0, 0.11f);
    flaw_relief_bevel(l, 0.11f, 0.11f);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.4f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 0.88f);
    flaw_relief_bevel(l, 0.07f, 0.07f);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.6f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, 1, 1);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 0.77f);
    flaw_tint_flat(l, drink);
    flaw_tint_rim(l, 0.2f, m.a, 0.4f);
    for (int i = 0; i < l->n; i++) l->z[i] = -0.1f * flaw_step(-0.25f, 0, l->d[i]) * l->d[i];
    l->gloss = 0.8f;
    flaw_stage_end(s);
}

static void draw_pencil(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_rgb c = any_colour(d);
    float r = flaw_pick(d, 0.08, 0.13);
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, r + 0.05f);
    flaw_shape_box(l, FLAW_SET, 0.1f, 0, 0.8f, r, 0.01f);
    for (int i = 0; i < l->n; i++) {
        float t = (l->u[i] + 1) / 0.35f, tip = fabsf(l->v[i]) - r * flaw_clamp01(t);
        if (l->u[i] < -0.65f) l->d[i] = tip;
        l->z[i] = fabsf(l->v[i]) < 0.4f * r ? 0.4f * r : 0.4f * r - 0.6f * (fabsf(l->v[i]) - 0.4f * r);
        l->t[0][i] = l->u[i] < -0.68f + 0.03f * flaw_wave(l->v[i] / r) ? 1 : 0;
        l->t[1][i] = l->u[i] < -0.9f ? 1 : 0;
        l->t[2][i] = l->u[i] > 0.8f ? 1 : 0;
    }
    flaw_tint_flat(l, c);
    flaw_tint_by(l, l->t[0], flaw_rgb_hex(0xD8B284));
    flaw_tint_by(l, l->t[1], flaw_chance(d, 0.6) ? (flaw_rgb){0.03f, 0.03f, 0.03f} : c);
    flaw_tint_by(l, l->t[2], flaw_rgb_hex(0xD88A88));
    l->gloss = 0.5f, l->thickness = r;
    flaw_stage_end(s);
    s->material = "wood";
}

static void draw_razor(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, flaw_chance(d, 0.5) ? FLAW_POLISHED : FLAW_BRUSHED);
    float b = flaw_pick(d, 0.42, 0.55);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, b + 0.05f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 1, b, 0.06f);
    flaw_shape_box(l, FLAW_CUT, 0, 0, 0.65f, 0.06f, 0.05f);
    for (int k = -1; k <= 1; k++) flaw_shape_circle(l, FLAW_CUT, 0.38f * (float)k, 0, 0.13f);
    flaw_stage_fill(s, l, &m);
    for (int i = 0; i < l->n; i++) l->z[i] -= 0.6f * (fabsf(l->v[i]) > b - 0.1f ? fabsf(l->v[i]) - b + 0.1f : 0);
    l->thickness = 0.05f;
    flaw_stage_end(s);
}

static void draw_bead(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, flaw_chance(d, 0.5) ? FLAW_MARBLE : FLAW_PLASTIC);
    float hole = flaw_chance(d, 0.6) ? flaw_pick(d, 0.12, 0.25) : 0;
    m.gloss = flaw_pick(d, 0.5, 1);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 0.97f);
    if (hole > 0) flaw_shape_circle(l, FLAW_CUT, 0, 0, hole);
    flaw_relief_dome(l, 0, 0, 1, 1, 0.95f);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.8f;
    flaw_stage_end(s);
}

static void draw_box(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    static const char *const names[] = {"TEA", "NEW", "ECO", "SALT", "RICE", "FLAW", "PLUS", "FIX"};
    flaw_material m = flaw_pick_material(d, flaw_chance(d, 0.4) ? FLAW_CARDBOARD : FLAW_PAPER);
    flaw_rgb c = any_colour(d), e = any_colour(d);
    bool printed = m.kind == FLAW_PAPER, bar = flaw_chance(d, 0.6);
    float b = flaw_pick(d, 0.6, 1);
    const char *name = names[flaw_random_below(d, 8)];
    if (printed) m.a = c, m.b = flaw_rgb_scale(c, 0.9f);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, b + 0.05f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 1, b, 0.02f);
    flaw_relief_bevel(l, 0.03f, 0.03f);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.25f;
    flaw_stage_end(s);
    l = flaw_stage_part(s, p, 0, -0.5f * b, 0, 1, 1, 0.4f * b);
    flaw_shape_box(l, FLAW_SET, 0, 0, 0.98f, 0.3f * b, 0);
    l->decal = true;
    ink(s, l, e, m.gloss);
    words(s, p, name, -0.5f * b, 0.34f * b, 0.95f, (flaw_rgb){0.9f, 0.9f, 0.88f});
    if (!bar) return;
    l = flaw_stage_part(s, p, 0.45f, 0.5f * b, 0, 1, 0.45f, 0.25f * b);
    flaw_shape_box(l, FLAW_SET, 0, 0, 0.4f, 0.2f * b, 0);
    flaw_tint_flat(l, (flaw_rgb){0.9f, 0.9f, 0.9f});
    for (int i = 0; i < l->n; i++) {
        uint32_t h = flaw_hash((uint32_t)flaw_floor_int(l->u[i] * 60), 5, 9u);
        l->t[0][i] = (h & 1) && fabsf(l->u[i]) < 0.36f && l->v[i] < 0.12f * b ? 1 : 0;
    }
    flaw_tint_by(l, l->t[0], (flaw_rgb){0.02f, 0.02f, 0.02f});
    l->decal = true;
    flaw_stage_end(s);
}

static void draw_gasket(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, FLAW_RUBBER);
    bool flat = flaw_chance(d, 0.4);
    float w = flaw_pick(d, 0.08, 0.22);
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.1f);
    if (flat) {
        flaw_shape_box(l, FLAW_SET, 0, 0, 0.98f, flaw_pick(d, 0.6, 0.98), 0.3f);
        for (int i = 0; i < l->n; i++) l->d[i] = fabsf(l->d[i] + w) - w;
    } else {
        flaw_shape_ring(l, FLAW_SET, 0, 0, 0.98f - w, w);
    }
    flaw_relief_bevel(l, flat ? 0.04f : w, flat ? 0.03f : w);
    flaw_stage_fill(s, l, &m);
    l->thickness = flat ? 0.08f : w;
    flaw_stage_end(s);
}

static void draw_brush(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material wood = flaw_pick_material(d, FLAW_WOOD), hair = flaw_pick_material(d, FLAW_FUR);
    float wide = flaw_pick(d, 0.3, 0.5);
    wood.angle = 1.57f, hair.angle = 1.57f, hair.scale *= 1.3f;
    flaw_layer *l = flaw_stage_body(s, p, 0.2f, 1.2f);
    flaw_shape_taper(l, FLAW_SET, 0, 0.6f, 0.12f, 0.08f, 0.5f, 0.07f);
    flaw_relief_bevel(l, 0.1f, 0.08f);
    flaw_stage_fill(s, l, &wood);
    l->thickness = 0.1f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, wide + 0.1f, 1.1f);
    flaw_shape_taper(l, FLAW_SET, 0, -0.55f, wide * 1.08f, wide * 0.9f, 0.42f, 0.03f);
    flaw_shape_rough(l, 6, 0.02f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, 0.15f, 0.1f);
    flaw_stage_fill(s, l, &hair);
    l->thickness = 0.12f;
    flaw_stage_end(s);
    l = flaw_stage_part(s, p, 0, -0.05f, 0, 1, wide + 0.05f, 0.25f);
    flaw_shape_box(l, FLAW_SET, 0, 0, wide * 0.92f, 0.17f, 0.02f);
    flaw_relief_bevel(l, 0.05f, 0.05f);
    flaw_relief_rim(l, -0.06f, 0.03f, -0.03f);
    flaw_tint_flat(l, (flaw_rgb){0.6f, 0.6f, 0.6f});
    l->metal = 0.85f, l->gloss = 0.6f, l->thickness = 0.1f;
    flaw_stage_end(s);
    s->material = "wood";
}

static void draw_wheel(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material tyre = flaw_pick_material(d, FLAW_RUBBER);
    flaw_rgb hub = any_colour(d);
    int spokes = 4 + flaw_random_below(d, 5), lugs = flaw_chance(d, 0.6) ? 24 + flaw_random_below(d, 24) : 0;
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.1f);
    if (lugs) flaw_shape_teeth(l, FLAW_SET, 0.96f, 0.06f, lugs, 2);
    else flaw_shape_circle(l, FLAW_SET, 0, 0, 0.98f);
    flaw_relief_bevel(l, 0.2f, 0.18f);
    flaw_stage_fill(s, l, &tyre);
    l->thickness = 0.3f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, 0.75f, 0.75f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 0.66f);
    for (int k = 0; k < spokes; k++) {
        float way = TURN * (float)k / (float)spokes;
        flaw_shape_circle(l, FLAW_CUT, 0.42f * cosf(way), 0.42f * sinf(way), 0.9f / (float)(spokes + 3));
    }
    flaw_relief_bevel(l, 0.06f, 0.06f);
    flaw_tint_flat(l, hub);
    l->gloss = 0.5f, l->thickness = 0.1f;
    flaw_stage_end(s);
    l = flaw_stage_part(s, p, 0, 0, 0, 1, 0.2f, 0.2f);
    flaw_shape_polygon(l, FLAW_SET, 0, 0, 0.15f, 6, 0, 0.01f);
    flaw_relief_bevel(l, 0.05f, 0.05f);
    flaw_tint_flat(l, (flaw_rgb){0.6f, 0.6f, 0.6f});
    l->metal = 0.9f, l->gloss = 0.8f, l->thickness = 0.1f;
    flaw_stage_end(s);
}

const flaw_kind flaw_kinds_house[] = {
    {"bottle from above", draw_bottle_mouth, 0, 0},
    {"bottle", draw_bottle, FLAW_KIND_UPRIGHT, 0},
    {"bottle cap", draw_bottle_cap, FLAW_KIND_MANY | FLAW_KIND_HELD_OUT, 0},
    {"jar lid", draw_jar_lid, FLAW_KIND_MANY, 0},
    {"button", draw_button, FLAW_KIND_MANY, 0},
    {"zipper", draw_zipper, FLAW_KIND_WIDE | FLAW_KIND_HELD_OUT, 0},
    {"candle", draw_candle, FLAW_KIND_MANY, 0},
    {"plate", draw_plate_ware, 0, 0},
    {"mug", draw_mug, 0, 0},
    {"pencil", draw_pencil, FLAW_KIND_MANY, 0},
    {"razor blade", draw_razor, 0, 0},
    {"bead", draw_bead, FLAW_KIND_MANY, 0},
    {"box", draw_box, 0, 0},
    {"rubber gasket", draw_gasket, FLAW_KIND_MANY, 0},
    {"paint brush", draw_brush, 0, 0},
    {"wheel", draw_wheel, 0, 0},
    {0},
};
