/* From the pharmacy and the bathroom. */
#include <math.h>

#include "learn/scene/scene.h"

static const float TURN = 6.2831853f;

static flaw_rgb pill_colour(flaw_random *d)
{
    if (flaw_chance(d, 0.5)) return flaw_rgb_hsv(0.1f, flaw_pick(d, 0, 0.12), flaw_pick(d, 0.85, 0.97));
    return flaw_rgb_hsv(flaw_pick(d, 0, 1), flaw_pick(d, 0.3, 0.8), flaw_pick(d, 0.65, 0.95));
}

static void speckles(flaw_stage *s, flaw_layer *l, float strength)
{
    flaw_rgb dot = flaw_rgb_hex(0x8A3A2A);
    if (strength > 0) flaw_tint_noise(l, flaw_noise_even(16, flaw_pick_seed(&s->shot)), 1, dot, 0.75f, 0.95f, strength);
}

/* Text pressed into the top. */
static void imprint(flaw_stage *s, flaw_pose p, const char *text, float height, flaw_rgb colour, float deep)
{
    flaw_layer *l = flaw_stage_print(s, p, 0, 0, 0, 1, 0.9f, 0.9f * height + 0.1f);
    for (int i = 0; i < l->n; i++) l->d[i] = 1;
    flaw_shape_text(l, FLAW_UNION, text, 0, 0, height, 0.08f * height + 0.012f);
    flaw_relief_bevel(l, 0.05f, -deep);
    flaw_tint_flat(l, colour);
    l->gloss = 0.1f;
    flaw_stage_end(s);
}

static void draw_tablet(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    s->material = "pressed powder";
    static const char *const codes[] = {"A1", "50", "B", "20", "X", "R7", "100", "C5"};
    flaw_rgb c = pill_colour(d);
    bool oval = flaw_chance(d, 0.35), score = flaw_chance(d, 0.5), text = flaw_chance(d, 0.5);
    float b = oval ? flaw_pick(d, 0.4, 0.6) : 0.95f, edge = flaw_pick(d, 0.06, 0.4),
          dots = flaw_chance(d, 0.4) ? flaw_pick(d, 0.2, 0.8) : 0;
    float gloss = flaw_pick(d, 0.05, 0.6);
    const char *code = codes[flaw_random_below(d, 8)];
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, b + 0.1f);
    if (oval) flaw_shape_box(l, FLAW_SET, 0, 0, 0.98f, b, b);
    else flaw_shape_circle(l, FLAW_SET, 0, 0, b);
    flaw_relief_bevel(l, edge, 0.6f * edge);
    flaw_tint_flat(l, c);
    flaw_tint_noise(l, flaw_noise_even(24, flaw_pick_seed(&s->shot)), 2, flaw_rgb_scale(c, 0.85f), -0.2f, 1, 0.4f);
    speckles(s, l, dots);
    if (score)
        for (int i = 0; i < l->n; i++) l->z[i] -= 0.06f * flaw_step(0.06f, 0, fabsf(l->u[i]));
    l->gloss = gloss, l->thickness = 0.35f;
    flaw_stage_end(s);
    if (text) imprint(s, p, score ? "5 5" : code, oval ? 0.35f : 0.5f, flaw_rgb_scale(c, 0.8f), 0.05f);
}

static void draw_capsule(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    s->material = "gelatin";
    flaw_rgb one = pill_colour(d), two = flaw_chance(d, 0.7) ? pill_colour(d) : one;
    float r = flaw_pick(d, 0.28, 0.36), seam = flaw_pick(d, -0.1, 0.3);
    bool text = flaw_chance(d, 0.5);
    for (int k = 0; k < 2; k++) {
        flaw_layer *l = flaw_stage_body(s, p, 1.05f, r + 0.08f);
        float in = k ? 0 : 0.025f;
        flaw_shape_line(l, FLAW_SET, -1 + r, 0, 1 - r, 0, r - in);
        flaw_relief_bevel(l, r - in, r - in);
        if (k) flaw_shape_box(l, FLAW_KEEP, -1 + seam, 0, 1, 1, 0.02f);
        flaw_tint_flat(l, k ? one : two);
        flaw_tint_noise(l, flaw_noise_even(2, flaw_pick_seed(&s->shot)), 2, flaw_rgb_scale(k ? one : two, 0.85f), 0, 1,
                        0.3f);
        l->gloss = 0.75f, l->thickness = k ? 0.03f : r;
        flaw_stage_end(s);
    }
    if (text) imprint(s, flaw_pose_at(p, -0.45f, 0, 0, 1), "500", 0.22f, (flaw_rgb){0.03f, 0.03f, 0.05f}, 0);
}

static void draw_blister(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = flaw_pick_material(d, flaw_chance(d, 0.6) ? FLAW_POLISHED : FLAW_PLASTIC);
    flaw_rgb pill = pill_colour(d);
    int across = 3 + flaw_random_below(d, 3), down = 2 + flaw_random_below(d, 2);
    float b = (float)down / (float)across, step = 1.8f / (float)across, r = 0.36f * step;
    m.contrast *= 2, m.gloss *= 0.7f;
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, b + 0.1f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 1, b + 0.04f, 0.08f);
    flaw_relief_noise(l, flaw_noise_even(6, flaw_pick_seed(&s->shot)), 2, 0.5f, 0.004f);
    flaw_stage_fill(s, l, &m);
    l->thickness = 0.03f;
    flaw_stage_end(s);
    for (int j = 0; j < down; j++)
        for (int i = 0; i < across; i++) {
            float u = ((float)i - 0.5f * (float)(across - 1)) * step, v = ((float)j - 0.5f * (float)(down - 1)) * step;
            l = flaw_stage_detail(s, p, u, v, 0, r, 1.3f, 1.3f);
            flaw_shape_circle(l, FLAW_SET, 0, 0, 1.15f);
            flaw_relief_bevel(l, 0.3f, 0.3f);
            flaw_tint_flat(l, flaw_rgb_scale(m.a, 0.75f));
            l->gloss = 0.8f, l->metal = m.metal * 0.5f, l->thickness = 0.3f;
            flaw_stage_end(s);
            l = flaw_stage_part(s, p, u, v, 0, r, 1.1f, 1.1f);
            flaw_shape_circle(l, FLAW_SET, 0, 0, 0.92f);
            flaw_relief_bevel(l, 0.4f, 0.3f);
            flaw_tint_flat(l, pill);
            l->gloss = 0.8f, l->thickness = 0.2f;
            flaw_stage_end(s);
        }
}

static void draw_plaster(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    s->material = "fabric";
    flaw_rgb c = flaw_chance(d, 0.7) ? flaw_rgb_hex(0xD8A880) : pill_colour(d);
    float b = flaw_pick(d, 0.28, 0.4);
    flaw_layer *l = flaw_stage_body(s, p, 1.05f, b + 0.1f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 1, b, b);
    flaw_tint_flat(l, c);
    for (int i = 0; i < l->n; i++) {
        float x = l->u[i] * 14, y = l->v[i] * 14, fx = x - (float)flaw_floor_int(x) - 0.5f,
              fy = y - (float)flaw_floor_int(y) - 0.5f;
        float hole = flaw_step(0.2f, 0.12f, sqrtf(fx * fx + fy * fy)) * (l->d[i] < -0.06f ? 0.5f : 0);
        l->t[0][i] = hole, l->z[i] -= 0.01f * hole;
    }
    flaw_tint_by(l, l->t[0], flaw_rgb_scale(c, 0.5f));
    l->thickness = 0.04f;
    flaw_stage_end(s);
    l = flaw_stage_part(s, p, 0, 0, 0, 1, 0.4f, b);
    flaw_shape_box(l, FLAW_SET, 0, 0, 0.3f, b * 0.85f, 0.04f);
    flaw_relief_bevel(l, 0.08f, 0.05f);
    flaw_tint_flat(l, flaw_rgb_mix(c, (flaw_rgb){0.9f, 0.88f, 0.85f}, 0.5f));
    l->thickness = 0.02f;
    flaw_stage_end(s);
}

/* A head with tufts of bristles, seen from above. */
static void draw_toothbrush(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    s->material = "plastic";
    flaw_rgb body = flaw_rgb_hsv(flaw_pick(d, 0, 1), flaw_pick(d, 0.1, 0.8), flaw_pick(d, 0.6, 0.95));
    flaw_rgb tuft[2] = {pill_colour(d), flaw_rgb_hsv(flaw_pick(d, 0, 1), flaw_pick(d, 0, 0.7), 0.9f)};
    int rows = 7 + flaw_random_below(d, 4), across = 3 + flaw_random_below(d, 2);
    flaw_layer *l = flaw_stage_body(s, p, 0.5f, 1.5f);
    flaw_shape_box(l, FLAW_SET, 0, -0.15f, 0.4f, 0.85f, 0.35f);
    flaw_shape_box(l, FLAW_UNION, 0, 1, 0.13f, 0.5f, 0.1f);
    flaw_relief_bevel(l, 0.12f, 0.1f);
    flaw_tint_flat(l, body);
    l->gloss = 0.6f, l->thickness = 0.15f;
    flaw_stage_end(s);
    for (int j = 0; j < rows; j++)
        for (int i = 0; i < across; i++) {
            float u = 0.56f * ((float)i + 0.5f) / (float)across - 0.28f,
                  v = 1.4f * ((float)j + 0.5f) / (float)rows - 0.85f;
            float r = 0.36f * 1.4f / (float)rows;
            u += flaw_pick(&s->shot, -0.02, 0.02), v += flaw_pick(&s->shot, -0.02, 0.02);
            l = flaw_stage_part(s, p, u, v, flaw_pick(&s->shot, 0, TURN), r, 1.3f, 1.3f);
            flaw_shape_circle(l, FLAW_SET, 0, 0, 1);
            flaw_shape_rough(l, 3, 0.2f, 2, flaw_pick_seed(&s->shot));
            flaw_relief_noise(l, flaw_noise_even(4, flaw_pick_seed(&s->shot)), 2, 0.8f, 0.25f);
            flaw_tint_flat(l, tuft[(i + j / 2) & 1]);
            flaw_tint_rim(l, 0.4f, flaw_rgb_scale(tuft[(i + j / 2) & 1], 0.4f), 0.8f);
            l->thickness = 0.8f;
            flaw_stage_end(s);
        }
}

static void draw_syringe(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    s->material = "clear plastic";
    float r = flaw_pick(d, 0.13, 0.2), fill = flaw_pick(&s->shot, 0.2, 0.8);
    flaw_rgb liquid = flaw_chance(d, 0.5) ? flaw_rgb_hex(0xD8E4EA) : pill_colour(d);
    flaw_layer *l = flaw_stage_body(s, p, 0.2f, 1.3f);
    flaw_shape_line(l, FLAW_SET, 0, -0.7f, 0, -1.15f, 0.012f);
    flaw_tint_flat(l, (flaw_rgb){0.6f, 0.6f, 0.62f});
    l->metal = 0.9f, l->gloss = 0.8f, l->thickness = 0.08f;
    flaw_stage_end(s);
    l = flaw_stage_body(s, p, r + 0.1f, 1);
    flaw_shape_box(l, FLAW_SET, 0, 0, r, 0.62f, 0.05f);
    flaw_shape_box(l, FLAW_UNION, 0, -0.66f, 0.05f, 0.08f, 0.02f);
    flaw_shape_box(l, FLAW_UNION, 0, 0.62f, r + 0.1f, 0.03f, 0.02f);
    flaw_relief_bevel(l, r, r);
    flaw_tint_flat(l, (flaw_rgb){0.75f, 0.78f, 0.8f});
    for (int i = 0; i < l->n; i++) l->t[0][i] = l->v[i] < 0.55f - fill && fabsf(l->u[i]) < r - 0.02f ? 0.8f : 0;
    flaw_tint_by(l, l->t[0], liquid);
    for (int i = 0; i < l->n; i++) {
        float y = (l->v[i] + 0.6f) * 10, f = fabsf(y - (float)flaw_floor_int(y) - 0.5f);
        l->t[0][i] = f < 0.06f && l->u[i] > 0.2f * r && fabsf(l->v[i]) < 0.55f ? 0.9f : 0;
    }
    flaw_tint_by(l, l->t[0], (flaw_rgb){0.02f, 0.02f, 0.03f});
    l->gloss = 0.9f, l->opacity = 0.85f, l->thickness = r;
    flaw_stage_end(s);
    l = flaw_stage_part(s, p, 0, 0.55f - fill + 0.5f * (0.55f + fill), 0, 1, r + 0.02f, 0.8f);
    flaw_shape_box(l, FLAW_SET, 0, 0, 0.5f * r, 0.25f * (1 + fill), 0.02f);
    flaw_relief_bevel(l, 0.05f, 0.05f);
    flaw_tint_flat(l, (flaw_rgb){0.8f, 0.8f, 0.8f});
    l->thickness = 0.05f;
    flaw_stage_end(s);
}

const flaw_kind flaw_kinds_medical[] = {
    {"tablet", draw_tablet, FLAW_KIND_MANY, 0},
    {"capsule", draw_capsule, FLAW_KIND_MANY | FLAW_KIND_HELD_OUT, 0},
    {"blister pack", draw_blister, 0, 0},
    {"sticking plaster", draw_plaster, 0, 0},
    {"toothbrush", draw_toothbrush, 0, 0},
    {"syringe", draw_syringe, 0, 0},
    {0},
};
