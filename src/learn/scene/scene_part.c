/* Parts without a name: random outlines of a few primitives with symmetry, raised and sunk details, holes, marks. They
 * stand for the endless variety of moulded, stamped and turned goods. */
#include <math.h>

#include "learn/scene/scene.h"

static const float TURN = 6.2831853f;

static void add_primitive(flaw_layer *l, flaw_join how, flaw_random *d, float u, float v, float size, float turn)
{
    float c = cosf(turn), s = sinf(turn);
    switch (flaw_random_below(d, 5)) {
    case 0: flaw_shape_circle(l, how, u, v, size); break;
    case 1: flaw_shape_box(l, how, u, v, size, size * flaw_pick(d, 0.3, 1), size * flaw_pick(d, 0, 0.3)); break;
    case 2: flaw_shape_polygon(l, how, u, v, size, 3 + flaw_random_below(d, 6), turn, 0.1f * size); break;
    case 3:
        flaw_shape_line(l, how, u, v, u + 1.6f * size * c, v + 1.6f * size * s, size * flaw_pick(d, 0.2, 0.5));
        break;
    default: flaw_shape_ellipse(l, how, u, v, size, size * flaw_pick(d, 0.4, 1)); break;
    }
}

/* The same primitive `copies` times round the middle, or mirrored. */
static void add_symmetric(flaw_layer *l, flaw_join how, flaw_random *d, float far, float size)
{
    int copies = 1 + flaw_random_below(d, 6);
    float first = flaw_pick(d, 0, TURN);
    flaw_random same = *d;
    for (int k = 0; k < copies; k++) {
        float way = first + TURN * (float)k / (float)copies;
        *d = same;
        add_primitive(l, how, d, far * cosf(way), far * sinf(way), size, way);
    }
}

static void draw_outline(flaw_layer *l, flaw_random *d)
{
    float b = flaw_pick(d, 0.45, 0.9);
    if (flaw_chance(d, 0.4)) flaw_shape_circle(l, FLAW_SET, 0, 0, 0.8f);
    else flaw_shape_box(l, FLAW_SET, 0, 0, 0.9f, b, flaw_pick(d, 0, 0.4) * b);
    int steps = flaw_random_below(d, 4);
    for (int k = 0; k < steps; k++) {
        flaw_join how = flaw_chance(d, 0.55) ? FLAW_CUT : FLAW_UNION;
        add_symmetric(l, how, d, flaw_pick(d, 0.3, 0.85), flaw_pick(d, 0.07, how == FLAW_CUT ? 0.22 : 0.3));
    }
    if (flaw_chance(d, 0.4)) flaw_shape_circle(l, FLAW_CUT, 0, 0, flaw_pick(d, 0.1, 0.35));
}

static void draw_details(flaw_stage *s, flaw_random *d, flaw_pose p, const flaw_material *m)
{
    int details = flaw_random_below(d, 5);
    flaw_material other = flaw_pick_material(d, flaw_chance(d, 0.5) ? FLAW_POLISHED : FLAW_PLASTIC);
    for (int k = 0; k < details; k++) {
        float u = flaw_pick(d, -0.55, 0.55), v = flaw_pick(d, -0.35, 0.35), size = flaw_pick(d, 0.07, 0.22);
        bool sunk = flaw_chance(d, 0.4), mine = flaw_chance(d, 0.5);
        flaw_layer *l =
            sunk ? flaw_stage_print(s, p, u, v, 0, size, 2.8f, 2.8f) : flaw_stage_part(s, p, u, v, 0, size, 2.8f, 2.8f);
        for (int i = 0; i < l->n; i++) l->d[i] = 9;
        add_primitive(l, FLAW_UNION, d, 0, 0, 0.9f, flaw_pick(d, 0, TURN));
        flaw_relief_bevel(l, 0.25f, sunk ? -0.25f : 0.25f);
        flaw_stage_fill(s, l, mine || sunk ? m : &other);
        l->thickness = 0.3f;
        flaw_stage_end(s);
    }
    if (!flaw_chance(d, 0.35)) return;
    static const char *const marks[] = {"7", "A3", "PP", "XL", "42", "K9", "T-1", "0.5", "LH", "RH"};
    flaw_layer *l = flaw_stage_print(s, p, flaw_pick(d, -0.4, 0.4), flaw_pick(d, -0.3, 0.3), 0, 0.35f, 1.2f, 0.8f);
    for (int i = 0; i < l->n; i++) l->d[i] = 9;
    flaw_shape_text(l, FLAW_UNION, marks[flaw_random_below(d, 10)], 0, 0, 0.7f, 0.07f);
    flaw_relief_bevel(l, 0.1f, 0.08f);
    flaw_tint_flat(l, flaw_rgb_scale(m->a, flaw_chance(d, 0.5) ? 0.3f : 0.9f));
    l->gloss = m->gloss, l->metal = m->metal;
    flaw_stage_end(s);
}

static void draw_part(flaw_stage *s, flaw_random *d, flaw_pose p)
{
    flaw_material m = s->kind->material == FLAW_BRUSHED ? flaw_pick_metal(d) : flaw_pick_material(d, s->kind->material);
    flaw_layer *l = flaw_stage_body(s, p, 1.25f, 1.25f);
    float edge = flaw_pick(d, 0.02, 0.15);
    draw_outline(l, d);
    flaw_relief_bevel(l, edge, edge * flaw_pick(d, 0.4, 1));
    if (flaw_chance(d, 0.3)) flaw_relief_dome(l, 0, 0, 1.3f, 1.3f, flaw_pick(d, 0.1, 0.6));
    if (flaw_chance(d, 0.3)) flaw_relief_rim(l, -flaw_pick(d, 0.08, 0.2), 0.05f, flaw_pick(d, -0.05, 0.05));
    flaw_stage_fill(s, l, &m);
    l->thickness = flaw_pick(d, 0.06, 0.4);
    flaw_stage_end(s);
    draw_details(s, d, p, &m);
}

const flaw_kind flaw_kinds_part[] = {
    {"metal part", draw_part, FLAW_KIND_MANY, FLAW_BRUSHED},
    {"plastic part", draw_part, FLAW_KIND_MANY, FLAW_PLASTIC},
    {"rubber part", draw_part, FLAW_KIND_MANY, FLAW_RUBBER},
    {"wooden part", draw_part, FLAW_KIND_MANY, FLAW_WOOD},
    {"ceramic part", draw_part, FLAW_KIND_MANY, FLAW_PORCELAIN},
    {"painted part", draw_part, FLAW_KIND_MANY, FLAW_PAINT},
    {0},
};
