/* Surfaces that fill the frame: one material each, turned and moved from shot to shot. */
#include <math.h>

#include "learn/scene/scene.h"

/* Stripes or checks in another colour, as woven, printed or painted goods have them. */
static void add_stripes(flaw_stage *s, flaw_random *d, flaw_layer *l, const flaw_material *m)
{
    flaw_material other = *m;
    flaw_material_choose(&other, FLAW_PAINT, d);
    float step = flaw_pick(d, 0.15, 0.7), wide = flaw_pick(d, 0.05, 0.3), strength = flaw_pick(d, 0.15, 0.7);
    float u0 = flaw_pick(&s->shot, 0, 1), v0 = flaw_pick(&s->shot, 0, 1);
    bool checks = flaw_chance(d, 0.5);
    for (int i = 0; i < l->n; i++) {
        float u = l->u[i] / step + u0, v = l->v[i] / step + v0;
        float a = fabsf(u - (float)flaw_floor_int(u) - 0.5f), b = fabsf(v - (float)flaw_floor_int(v) - 0.5f);
        float one = flaw_step(wide + 0.03f, wide, a), two = checks ? flaw_step(wide + 0.03f, wide, b) : 0;
        l->t[0][i] = strength * 0.5f * (one + two);
    }
    flaw_tint_by(l, l->t[0], other.a);
}

/* Knots: the grain runs round a dark middle. Drawn as prints on the finished board. */
static void add_knots(flaw_stage *s, flaw_random *d, const flaw_material *m)
{
    int count = flaw_random_below(&s->shot, 3);
    float size = flaw_pick(d, 0.04, 0.12);
    for (int k = 0; k < count; k++) {
        flaw_pose p = {flaw_pick(&s->shot, -0.9, 0.9), flaw_pick(&s->shot, -0.9, 0.9),
                       size * flaw_pick(&s->shot, 0.6, 1.3), m->angle};
        flaw_layer *l = flaw_stage_print(s, p, 0, 0, 0, 1, 1.6f, 1.2f);
        flaw_shape_ellipse(l, FLAW_SET, 0, 0, 1.3f, flaw_pick(&s->shot, 0.6, 0.9));
        flaw_shape_rough(l, 1.2f, 0.12f, 3, flaw_pick_seed(&s->shot));
        for (int i = 0; i < l->n; i++) l->t[0][i] = flaw_clamp01(0.5f + 0.5f * flaw_wave(l->d[i] * 5));
        flaw_tint_flat(l, flaw_rgb_scale(m->b, 0.7f));
        flaw_tint_by(l, l->t[0], flaw_rgb_scale(m->b, 0.35f));
        l->opacity = 0.75f, l->gloss = m->gloss;
        flaw_stage_end(s);
    }
}

/* A seam: a groove with stitches beside it. Hard goods get none: a lone groove there would be a cut. */
static void add_seam(flaw_stage *s, flaw_random *d, flaw_pose p, const flaw_material *m)
{
    float at = flaw_pick(&s->shot, -0.6, 0.6), wide = flaw_pick(d, 0.008, 0.02);
    flaw_rgb thread = flaw_chance(d, 0.5) ? flaw_rgb_scale(m->a, 0.5f) : (flaw_rgb){0.7f, 0.66f, 0.58f};
    p.x = p.y = 0, p.scale = 1;
    flaw_layer *l = flaw_stage_print(s, p, at, 0, 0, 1, 0.08f, 1.6f);
    for (int i = 0; i < l->n; i++) l->d[i] = fabsf(l->u[i]) - wide;
    flaw_relief_bevel(l, wide, -1.2f * wide);
    flaw_tint_flat(l, flaw_rgb_scale(m->b, 0.6f));
    l->opacity = 0.8f;
    flaw_stage_end(s);
    for (int k = 0; k < 20; k++) {
        l = flaw_stage_print(s, p, at + 3.5f * wide, -1.5f + 0.15f * (float)k, 0, 1, 0.04f, 0.08f);
        flaw_shape_line(l, FLAW_SET, 0, -0.04f, 0, 0.04f, 0.011f);
        flaw_relief_bevel(l, 0.011f, 0.011f);
        flaw_tint_flat(l, thread);
        flaw_stage_end(s);
    }
}

static void draw_surface(flaw_stage *s, flaw_random *design, flaw_pose p)
{
    flaw_material m = flaw_pick_material(design, s->kind->material);
    bool soft = m.kind == FLAW_CLOTH || m.kind == FLAW_TWILL || m.kind == FLAW_LEATHER || m.kind == FLAW_FELT;
    bool printable = (soft && m.kind != FLAW_LEATHER) || m.kind == FLAW_PAPER || m.kind == FLAW_CARPET ||
                     m.kind == FLAW_PLASTIC || m.kind == FLAW_KNIT;
    float zoom = flaw_pick(design, 0.7, 1.6), stripes = flaw_pick(design, 0, 1), seam = flaw_pick(design, 0, 1);
    flaw_layer *l = flaw_layer_frame(&s->canvas, zoom, p.angle);
    flaw_stage_fill(s, l, &m);
    if (printable && stripes < 0.3f) add_stripes(s, design, l, &m);
    flaw_stage_end(s);
    if (m.kind == FLAW_WOOD && stripes < 0.4f) add_knots(s, design, &m);
    if (soft && seam < 0.15f) add_seam(s, design, p, &m);
}

#define SURFACE(name, material)                                                                                        \
    {                                                                                                                  \
        name, draw_surface, FLAW_KIND_TEXTURE, material                                                                \
    }
#define KEPT(name, material)                                                                                           \
    {                                                                                                                  \
        name, draw_surface, FLAW_KIND_TEXTURE | FLAW_KIND_HELD_OUT, material                                           \
    }

const flaw_kind flaw_kinds_surface[] = {
    SURFACE("wood", FLAW_WOOD),
    KEPT("leather", FLAW_LEATHER),
    SURFACE("fabric", FLAW_CLOTH),
    SURFACE("twill fabric", FLAW_TWILL),
    SURFACE("knitted fabric", FLAW_KNIT),
    SURFACE("felt", FLAW_FELT),
    KEPT("carpet", FLAW_CARPET),
    SURFACE("marble", FLAW_MARBLE),
    SURFACE("granite", FLAW_GRANITE),
    SURFACE("concrete", FLAW_CONCRETE),
    SURFACE("paper", FLAW_PAPER),
    SURFACE("cardboard", FLAW_CARDBOARD),
    SURFACE("foam", FLAW_FOAM),
    SURFACE("tile", FLAW_TILE),
    SURFACE("brick wall", FLAW_BRICK),
    SURFACE("cork", FLAW_CORK),
    SURFACE("wire mesh", FLAW_MESH),
    SURFACE("perforated sheet", FLAW_PERFORATED),
    SURFACE("ribbed panel", FLAW_RIBBED),
    SURFACE("asphalt", FLAW_ASPHALT),
    SURFACE("plush", FLAW_FUR),
    SURFACE("terrazzo", FLAW_TERRAZZO),
    SURFACE("brushed metal", FLAW_BRUSHED),
    SURFACE("cast metal surface", FLAW_CAST),
    SURFACE("galvanized sheet", FLAW_ZINC),
    SURFACE("painted surface", FLAW_PAINT),
    SURFACE("rubber mat", FLAW_RUBBER),
    SURFACE("plastic sheet", FLAW_PLASTIC),
    SURFACE("hammered metal", FLAW_HAMMERED),
    {0},
};
