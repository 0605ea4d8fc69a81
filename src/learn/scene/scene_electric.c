/* Electric and electronic goods. */
#include <math.h>

#include "learn/scene/scene.h"

static const float TURN = 6.2831853f;

static flaw_rgb gold(void)
{
    return flaw_rgb_hex(0xD8B058);
}

/* A box-shaped component with rounded edges and, if any, a marking. */
static void component(flaw_stage *s, flaw_pose p, float a, float b, flaw_rgb c, float gloss, const char *text)
{
    flaw_layer *l = flaw_stage_part(s, p, 0, 0, 0, 1, a + 0.1f, b + 0.1f);
    flaw_shape_box(l, FLAW_SET, 0, 0, a, b, 0.03f);
    flaw_relief_bevel(l, 0.08f, 0.07f);
    flaw_tint_flat(l, c);
    flaw_relief_noise(l, flaw_noise_even(30, flaw_pick_seed(&s->shot)), 2, 0.6f, 0.001f);
    l->gloss = gloss, l->thickness = 0.2f;
    flaw_stage_end(s);
    if (!text) return;
    l = flaw_stage_print(s, p, 0, 0, 0, 1, a, b);
    for (int i = 0; i < l->n; i++) l->d[i] = 1;
    flaw_shape_text(l, FLAW_UNION, text, 0, 0, b * 0.5f, 0.025f);
    flaw_tint_flat(l, (flaw_rgb){0.5f, 0.5f, 0.5f});
    l->opacity = 0.8f;
    flaw_stage_end(s);
}

static void legs(flaw_stage *s, flaw_pose p, int count, float from, float to, float half, float at, bool both)
{
    for (int k = 0; k < count; k++)
        for (int side = 0; side < (both ? 2 : 1); side++) {
            float u = count > 1 ? from + (to - from) * (float)k / (float)(count - 1) : 0, sign = side ? -1.0f : 1.0f;
            flaw_layer *l = flaw_stage_part(s, p, u, sign * at, 0, 1, half + 0.05f, 0.25f);
            flaw_shape_box(l, FLAW_SET, 0, 0, half, 0.14f, 0.02f);
            flaw_relief_bevel(l, half, half * 0.5f);
            for (int i = 0; i < l->n; i++) l->z[i] += 0.1f * flaw_step(0.05f, -0.05f, sign * l->v[i]);
            flaw_tint_flat(l, (flaw_rgb){0.55f, 0.56f, 0.58f});
            l->metal = 0.8f, l->gloss = 0.6f, l->thickness = 0.05f;
            flaw_stage_end(s);
        }
}

static void draw_chip(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    s->material = "plastic";
    static const char *const codes[] = {"LM358", "74HC04", "NE555", "AT24", "Z80", "TL074"};
    int pins = 4 + flaw_random_below(d, 7);
    float b = flaw_pick(d, 0.35, 0.6), half = 0.5f / (float)pins;
    const char *code = codes[flaw_random_below(d, 6)];
    flaw_rgb c = flaw_rgb_hsv(0.6f, 0.05f, flaw_pick(d, 0.1, 0.25));
    legs(s, p, pins, -0.85f, 0.85f, half, b + 0.1f, true);
    component(s, p, 1, b, c, 0.3f, code);
    flaw_layer *l = flaw_stage_print(s, p, -0.85f, 0, 0, 1, 0.2f, 0.2f);
    flaw_shape_circle(l, FLAW_SET, 0, 0.5f * b, 0.05f);
    flaw_relief_bevel(l, 0.06f, -0.05f);
    flaw_tint_flat(l, flaw_rgb_scale(c, 0.7f));
    flaw_stage_end(s);
}

static void draw_transistor(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    bool tab = flaw_chance(d, 0.6);
    flaw_material m = flaw_pick_material(d, FLAW_BRUSHED);
    for (int k = 0; k < 3; k++) {
        flaw_layer *l =
            flaw_stage_part(s, p, 0.27f * (float)(k - 1), 0.6f, flaw_pick(&s->shot, -0.03, 0.03), 1, 0.12f, 0.6f);
        flaw_shape_box(l, FLAW_SET, 0, 0, 0.05f, 0.5f, 0.01f);
        flaw_shape_box(l, FLAW_UNION, 0, -0.35f, 0.09f, 0.16f, 0.02f);
        flaw_relief_bevel(l, 0.05f, 0.03f);
        flaw_tint_flat(l, (flaw_rgb){0.6f, 0.6f, 0.6f});
        l->metal = 0.8f, l->gloss = 0.6f, l->thickness = 0.08f;
        flaw_stage_end(s);
    }
    if (tab) {
        flaw_layer *l = flaw_stage_body(s, p, 0.6f, 1.1f);
        flaw_shape_box(l, FLAW_SET, 0, -0.6f, 0.48f, 0.42f, 0.03f);
        flaw_shape_circle(l, FLAW_CUT, 0, -0.75f, 0.15f);
        flaw_stage_fill(s, l, &m);
        l->thickness = 0.08f;
        flaw_stage_end(s);
    }
    component(s, flaw_pose_at(p, 0, -0.12f, 0, 1), 0.48f, 0.38f, flaw_rgb_hsv(0, 0, flaw_pick(d, 0.12, 0.22)), 0.3f,
              "K30");
    s->material = "plastic";
}

/* Green or other board with tracks, pads, holes and parts; the design decides the layout. */
static void draw_board(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    static const uint32_t masks[] = {0x1E6B3A, 0x17562F, 0x1A3A7A, 0x8A1E22, 0x18181A, 0x2C7A4A};
    flaw_rgb ground = flaw_rgb_hex(masks[flaw_random_below(d, 6)]),
             track = flaw_rgb_mix(ground, (flaw_rgb){0.6f, 0.8f, 0.5f}, 0.18f);
    float b = flaw_pick(d, 0.65, 1);
    int tracks = 10 + flaw_random_below(d, 10), parts = 4 + flaw_random_below(d, 8);
    flaw_layer *l = flaw_stage_body(s, p, 1.02f, b + 0.02f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 1, b, 0.04f);
    for (int k = 0; k < 4; k++)
        flaw_shape_circle(l, FLAW_CUT, k & 1 ? 0.9f : -0.9f, (k & 2 ? 1.0f : -1.0f) * (b - 0.1f), 0.05f);
    for (int i = 0; i < l->n; i++) l->t[1][i] = 9;
    for (int k = 0; k < tracks; k++) {
        float u = flaw_pick(d, -0.9, 0.9), v = flaw_pick(d, -b, b), du = flaw_pick(d, -0.6, 0.6),
              dv = flaw_pick(d, -0.3, 0.3);
        float *keep = l->d;
        l->d = l->t[1];
        flaw_shape_line(l, FLAW_UNION, u, v, u + du, v, 0.014f);
        flaw_shape_line(l, FLAW_UNION, u + du, v, u + du + dv, v + fabsf(dv), 0.014f);
        flaw_shape_circle(l, FLAW_UNION, u, v, 0.03f);
        l->d = keep;
    }
    flaw_tint_flat(l, ground);
    for (int i = 0; i < l->n; i++) {
        l->t[1][i] = flaw_clamp01(0.5f - l->t[1][i] / l->px);
        l->z[i] += 0.004f * l->t[1][i];
    }
    flaw_tint_by(l, l->t[1], track);
    l->gloss = 0.5f, l->thickness = 0.08f;
    flaw_stage_end(s);
    for (int k = 0; k < parts; k++) {
        float u = flaw_pick(d, -0.75, 0.75), v = flaw_pick(d, -b + 0.2, b - 0.2), size = flaw_pick(d, 0.12, 0.3);
        float turn = 0.25f * TURN * (float)flaw_random_below(d, 4);
        int what = flaw_random_below(d, 5);
        flaw_pose q = flaw_pose_at(p, u, v, turn, size);
        if (what == 0) legs(s, q, 5, -0.7f, 0.7f, 0.09f, 0.6f, true);
        if (what == 0) component(s, q, 0.9f, 0.5f, flaw_rgb_hex(0x1C1C1E), 0.3f, "U7");
        if (what == 1) component(s, flaw_pose_at(q, 0, 0, 0, 0.6f), 0.9f, 0.45f, flaw_rgb_hex(0xB8A07A), 0.3f, NULL);
        if (what == 2) component(s, flaw_pose_at(q, 0, 0, 0, 0.6f), 0.8f, 0.4f, flaw_rgb_hex(0x202226), 0.3f, "103");
        if (what < 3) continue;
        l = flaw_stage_part(s, q, 0, 0, 0, 0.8f, 1.1f, 1.1f);
        if (what == 3) flaw_shape_circle(l, FLAW_SET, 0, 0, 0.8f);
        else flaw_shape_ring(l, FLAW_SET, 0, 0, 0.35f, 0.2f);
        flaw_relief_bevel(l, 0.25f, 0.2f);
        flaw_tint_flat(l, what == 3 ? (flaw_rgb){0.6f, 0.6f, 0.62f} : gold());
        l->metal = 0.8f, l->gloss = 0.7f, l->thickness = what == 3 ? 0.6f : 0.02f;
        flaw_stage_end(s);
    }
    s->material = "fibreglass";
}

/* Cut across: mantle, wires in their colours, strands. */
static void draw_cable(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    static const uint32_t colours[] = {0x6A3A20, 0x2A52A0, 0x6A9A3A, 0x202022, 0x8A8A8C, 0xB03030, 0xD8C030};
    int wires = 2 + flaw_random_below(d, 4), first = flaw_random_below(d, 7);
    flaw_rgb mantle = flaw_rgb_hsv(0, 0, flaw_pick(d, 0.1, 0.9));
    float turn = flaw_pick(&s->shot, 0, TURN), r = wires == 2 ? 0.4f : wires == 3 ? 0.38f : wires == 4 ? 0.33f : 0.28f;
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 1.1f);
    flaw_shape_circle(l, FLAW_SET, 0, 0, 1);
    flaw_shape_rough(l, 1, 0.01f, 2, flaw_pick_seed(&s->shot));
    flaw_relief_bevel(l, 0.08f, 0.08f);
    flaw_tint_flat(l, mantle);
    flaw_tint_noise(l, flaw_noise_even(5, flaw_pick_seed(&s->shot)), 4, flaw_rgb_scale(mantle, 0.6f), -0.2f, 1, 0.5f);
    l->thickness = 0.4f;
    flaw_stage_end(s);
    for (int k = 0; k < wires; k++) {
        float way = turn + TURN * (float)k / (float)wires, far = 0.86f - r;
        flaw_pose q = flaw_pose_at(p, far * cosf(way), far * sinf(way), way, r);
        flaw_rgb c = flaw_rgb_hex(colours[(first + k * 2) % 7]);
        l = flaw_stage_part(s, q, 0, 0, 0, 1, 1.1f, 1.1f);
        flaw_shape_circle(l, FLAW_SET, 0, 0, 0.97f);
        flaw_relief_bevel(l, 0.15f, 0.1f);
        flaw_tint_flat(l, c);
        flaw_tint_rim(l, 0.1f, flaw_rgb_scale(c, 0.3f), 0.8f);
        l->gloss = 0.3f, l->thickness = 0.1f;
        flaw_stage_end(s);
        l = flaw_stage_part(s, q, 0, 0, 0, 1, 0.7f, 0.7f);
        flaw_shape_circle(l, FLAW_SET, 0, 0, 0.62f);
        flaw_noise_cells(l->t[0], NULL, l->t[1], l->u, l->v, l->n, flaw_noise_even(5.5f, flaw_pick_seed(&s->shot)),
                         0.35f);
        for (int i = 0; i < l->n; i++) {
            float x = l->t[0][i];
            l->z[i] += 0.1f * sqrtf(flaw_clamp01(1 - 2.2f * x * x)) + 0.05f * l->t[1][i];
            l->t[2][i] = 0.75f * flaw_step(0.4f, 0.65f, x);
        }
        flaw_tint_flat(l, flaw_rgb_hex(0xD08A58));
        flaw_tint_by(l, l->t[2], (flaw_rgb){0.08f, 0.03f, 0.02f});
        l->metal = 0.7f, l->gloss = 0.6f;
        flaw_stage_end(s);
    }
    s->material = "copper and plastic";
}

/* Parallel wires side by side. */
static void draw_wires(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    int wires = 3 + flaw_random_below(d, 6);
    float step = 1.8f / (float)wires, r = 0.42f * step, hue = flaw_pick(d, 0, 1);
    bool grey = flaw_chance(d, 0.3);
    for (int k = 0; k < wires; k++) {
        float v = -0.9f + step * ((float)k + 0.5f) + flaw_pick(&s->shot, -0.05, 0.05) * step,
              bow = flaw_pick(&s->shot, -0.06, 0.06);
        flaw_rgb c = grey ? flaw_rgb_hsv(0, 0, k ? 0.55f : 0.3f)
                          : flaw_rgb_hsv(hue + 0.618f * (float)k, k % 4 ? 0.8f : 0.05f, 0.35f + 0.12f * (float)(k % 5));
        flaw_layer *l = flaw_stage_part(s, p, 0, v, bow * 0.3f, 1, 1.6f, r + 0.1f);
        for (int i = 0; i < l->n; i++) l->d[i] = fabsf(l->v[i] - bow * flaw_wave(0.4f * l->u[i])) - r;
        flaw_relief_bevel(l, r, r);
        flaw_tint_flat(l, c);
        l->gloss = 0.4f, l->thickness = r;
        flaw_stage_end(s);
    }
    s->material = "plastic";
}

static void draw_connector(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    int across = 3 + flaw_random_below(d, 6), down = 1 + flaw_random_below(d, 3);
    flaw_rgb c = flaw_chance(d, 0.5) ? flaw_rgb_hsv(0, 0, flaw_pick(d, 0.1, 0.2))
                                     : flaw_rgb_hsv(flaw_pick(d, 0, 1), flaw_pick(d, 0, 0.7), 0.85f);
    bool round = flaw_chance(d, 0.5), pins = flaw_chance(d, 0.6);
    float step = 1.7f / (float)across, b = step * (float)down * 0.5f + 0.12f, half = 0.3f * step;
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, b + 0.3f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 1, b, 0.05f);
    flaw_shape_box(l, FLAW_UNION, 0, b, 0.3f, 0.1f, 0.02f);
    flaw_relief_bevel(l, 0.05f, 0.05f);
    flaw_tint_flat(l, c);
    l->gloss = 0.35f, l->thickness = 0.25f;
    flaw_stage_end(s);
    for (int j = 0; j < down; j++)
        for (int i = 0; i < across; i++) {
            flaw_pose q = flaw_pose_at(p, ((float)i - 0.5f * (float)(across - 1)) * step,
                                       ((float)j - 0.5f * (float)(down - 1)) * step, 0, half);
            l = flaw_stage_print(s, q, 0, 0, 0, 1, 1.2f, 1.2f);
            if (round) flaw_shape_circle(l, FLAW_SET, 0, 0, 1);
            else flaw_shape_box(l, FLAW_SET, 0, 0, 1, 1, 0.15f);
            flaw_relief_bevel(l, 0.2f, -0.2f);
            flaw_tint_flat(l, flaw_rgb_scale(c, 0.15f));
            flaw_stage_end(s);
            if (!pins) continue;
            l = flaw_stage_part(s, q, 0, 0, 0, 1, 0.7f, 0.7f);
            flaw_shape_box(l, FLAW_SET, 0, 0, 0.5f, 0.5f, round ? 0.45f : 0.1f);
            flaw_relief_bevel(l, 0.4f, 0.4f);
            flaw_tint_flat(l, gold());
            l->metal = 0.9f, l->gloss = 0.8f, l->thickness = 0.4f;
            flaw_stage_end(s);
        }
    s->material = "plastic";
}

static void draw_battery(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    static const char *const words[] = {"AA", "AAA", "1.5V", "MAX", "LR6"};
    flaw_rgb body = flaw_rgb_hsv(flaw_pick(d, 0, 1), flaw_pick(d, 0, 0.8), flaw_pick(d, 0.15, 0.8));
    flaw_rgb band = flaw_chance(d, 0.5) ? flaw_rgb_hex(0xC88A3A) : flaw_rgb_hsv(flaw_pick(d, 0, 1), 0.5f, 0.8f);
    float r = flaw_pick(d, 0.26, 0.36), split = flaw_pick(d, -0.6, 0.6);
    const char *word = words[flaw_random_below(d, 5)];
    flaw_layer *l = flaw_stage_body(s, p, 0.2f, 1.1f);
    flaw_shape_box(l, FLAW_SET, 0, -0.95f, 0.35f * r, 0.08f, 0.02f);
    flaw_relief_bevel(l, 0.3f * r, 0.3f * r);
    flaw_tint_flat(l, (flaw_rgb){0.65f, 0.65f, 0.65f});
    l->metal = 0.9f, l->gloss = 0.7f, l->thickness = 0.1f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, r + 0.1f, 1.1f);
    flaw_shape_box(l, FLAW_SET, 0, 0.03f, r, 0.93f, 0.04f);
    flaw_relief_dome(l, 0, 0, r * 1.02f, 40, r);
    flaw_tint_flat(l, body);
    for (int i = 0; i < l->n; i++) l->t[0][i] = l->v[i] < split - 0.2f ? 1 : 0;
    flaw_tint_by(l, l->t[0], band);
    for (int i = 0; i < l->n; i++) l->t[0][i] = fabsf(l->v[i] - 0.03f) > 0.88f ? 1 : 0;
    flaw_tint_by(l, l->t[0], (flaw_rgb){0.6f, 0.6f, 0.6f});
    l->gloss = 0.7f, l->metal = 0.3f, l->thickness = r;
    flaw_stage_end(s);
    l = flaw_stage_print(s, p, 0, 0.25f, 0.25f * TURN, 1, 0.7f, r);
    for (int i = 0; i < l->n; i++) l->d[i] = 1;
    flaw_shape_text(l, FLAW_UNION, word, 0, 0, 0.8f * r, 0.035f);
    flaw_tint_flat(l, (flaw_rgb){0.85f, 0.85f, 0.82f});
    l->gloss = 0.6f;
    flaw_stage_end(s);
    s->material = "metal";
}

static void draw_resistor(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_rgb body = flaw_chance(d, 0.6) ? flaw_rgb_hex(0xD8BE94) : flaw_rgb_hex(0x7AB0CC);
    static const uint32_t bands[] = {0x6A3A20, 0x1A1A1A, 0xB03028, 0xD87A20, 0xD8C840, 0x3A8A40, 0x2A52A0, 0xB89038};
    flaw_layer *l = flaw_stage_body(s, p, 1.1f, 0.1f);
    flaw_shape_line(l, FLAW_SET, -1.05f, 0, 1.05f, 0, 0.03f);
    flaw_relief_bevel(l, 0.03f, 0.03f);
    flaw_tint_flat(l, (flaw_rgb){0.6f, 0.6f, 0.6f});
    l->metal = 0.8f, l->gloss = 0.6f, l->thickness = 0.06f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, 0.65f, 0.3f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 0.55f, 0.16f, 0.14f);
    flaw_shape_box(l, FLAW_UNION, -0.42f, 0, 0.14f, 0.2f, 0.14f);
    flaw_shape_box(l, FLAW_UNION, 0.42f, 0, 0.14f, 0.2f, 0.14f);
    flaw_relief_bevel(l, 0.18f, 0.18f);
    flaw_tint_flat(l, body);
    for (int k = 0; k < 4; k++) {
        float at = k == 3 ? 0.42f : -0.42f + 0.2f * (float)k;
        for (int i = 0; i < l->n; i++) l->t[0][i] = fabsf(l->u[i] - at) < 0.045f ? 1 : 0;
        flaw_tint_by(l, l->t[0], flaw_rgb_hex(bands[k == 3 ? 7 : flaw_random_below(d, 7)]));
    }
    l->gloss = 0.5f, l->thickness = 0.2f;
    flaw_stage_end(s);
    s->material = "ceramic";
}

static void draw_bulb(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    bool clear = flaw_chance(d, 0.4);
    float r = flaw_pick(d, 0.55, 0.68);
    flaw_layer *l = flaw_stage_body(s, p, 0.4f, 1.1f);
    flaw_shape_box(l, FLAW_SET, 0, 0.72f, 0.24f, 0.25f, 0.05f);
    flaw_relief_bevel(l, 0.24f, 0.24f);
    for (int i = 0; i < l->n; i++) l->z[i] += 0.03f * flaw_wave(l->v[i] * 10 + l->u[i]);
    flaw_tint_flat(l, (flaw_rgb){0.6f, 0.58f, 0.5f});
    l->metal = 0.85f, l->gloss = 0.7f, l->thickness = 0.2f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, 0.8f, 1.1f);
    flaw_shape_circle(l, FLAW_SET, 0, -0.3f, r);
    flaw_shape_taper(l, FLAW_UNION, 0, 0.2f, 0.5f, 0.24f, 0.3f, 0.1f);
    flaw_relief_bevel(l, r, r);
    flaw_tint_flat(l, clear ? (flaw_rgb){0.75f, 0.78f, 0.8f} : (flaw_rgb){0.92f, 0.9f, 0.85f});
    l->gloss = 1, l->opacity = clear ? 0.4f : 1, l->thickness = 0.4f;
    flaw_stage_end(s);
    s->material = "glass";
    if (!clear) return;
    l = flaw_stage_part(s, p, 0, -0.15f, 0, 1, 0.4f, 0.5f);
    flaw_shape_line(l, FLAW_SET, -0.05f, 0.4f, -0.25f, -0.15f, 0.012f);
    flaw_shape_line(l, FLAW_UNION, 0.05f, 0.4f, 0.25f, -0.15f, 0.012f);
    flaw_shape_line(l, FLAW_UNION, -0.25f, -0.15f, 0.25f, -0.15f, 0.02f);
    flaw_tint_flat(l, (flaw_rgb){0.12f, 0.1f, 0.1f});
    l->decal = true;
    flaw_stage_end(s);
}

static void draw_solar_cell(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    bool poly = flaw_chance(d, 0.5);
    flaw_rgb blue = flaw_rgb_hsv(flaw_pick(d, 0.58, 0.66), flaw_pick(d, 0.4, 0.75), flaw_pick(d, 0.2, 0.45));
    float lines = flaw_pick(d, 16, 30);
    int bars = 2 + flaw_random_below(d, 3);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, 1.05f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 1, 1, 0.02f);
    if (!poly) flaw_shape_polygon(l, FLAW_KEEP, 0, 0, 1.22f, 8, 0, 0.01f);
    flaw_tint_flat(l, blue);
    flaw_noise_cells(l->t[0], NULL, l->t[1], l->u, l->v, l->n, flaw_noise_even(5, flaw_pick_seed(&s->shot)), 1);
    for (int i = 0; i < l->n; i++) l->t[1][i] *= poly ? 0.4f : 0;
    flaw_tint_by(l, l->t[1], flaw_rgb_scale(blue, 2.2f));
    for (int i = 0; i < l->n; i++) {
        float x = l->u[i] * lines * 0.5f, f = fabsf(x - (float)flaw_floor_int(x) - 0.5f),
              y = (l->v[i] + 1) * 0.5f * (float)bars;
        float bar = fabsf(y - (float)flaw_floor_int(y) - 0.5f);
        l->t[0][i] = bar < 0.02f * (float)bars ? 0.9f : f < 0.09f ? 0.35f : 0;
    }
    flaw_tint_by(l, l->t[0], (flaw_rgb){0.65f, 0.66f, 0.68f});
    l->gloss = 0.6f, l->metal = 0.3f, l->thickness = 0.04f;
    flaw_stage_end(s);
    s->material = "silicon";
}

const flaw_kind flaw_kinds_electric[] = {
    {"chip", draw_chip, FLAW_KIND_MANY, 0},
    {"transistor", draw_transistor, FLAW_KIND_MANY, 0},
    {"circuit board", draw_board, FLAW_KIND_WIDE, 0},
    {"cable", draw_cable, 0, 0},
    {"row of wires", draw_wires, FLAW_KIND_WIDE, 0},
    {"connector", draw_connector, 0, 0},
    {"battery", draw_battery, FLAW_KIND_MANY, 0},
    {"resistor", draw_resistor, FLAW_KIND_MANY, 0},
    {"light bulb", draw_bulb, 0, 0},
    {"solar cell", draw_solar_cell, FLAW_KIND_WIDE, 0},
    {0},
};
