/* What every real picture has and no defect is: crumbs on the table, uneven dirt and wear, shadows of things outside
 * the frame, a neighbour that reaches into it. A model that shouts at anything unusual must learn better here. */
#include <math.h>
#include <string.h>

#include "learn/scene/scene.h"

static const float TURN = 6.2831853f;

void flaw_stage_clutter(flaw_stage *s, flaw_random *design)
{
    if (!flaw_chance(design, 0.2)) return;
    flaw_material m = flaw_pick_material(design, FLAW_DOUGH);
    if (flaw_chance(design, 0.4)) m.a = flaw_rgb_hsv(0, 0, flaw_pick(design, 0.2, 0.9));
    int count = 2 + flaw_random_below(design, 9) + flaw_random_below(&s->shot, 4);
    float most = flaw_pick(design, 0.012, 0.035);
    for (int k = 0; k < count; k++) {
        float x = flaw_pick(&s->shot, -1, 1), y = flaw_pick(&s->shot, -1, 1), r = most * flaw_pick(&s->shot, 0.3, 1);
        flaw_pose p = {x, y, r, flaw_pick(&s->shot, 0, TURN)};
        flaw_layer *l = flaw_stage_body(s, p, 1.5f, 1.5f);
        l->backdrop = true;
        flaw_shape_ellipse(l, FLAW_SET, 0, 0, 1, flaw_pick(&s->shot, 0.4, 1));
        flaw_shape_rough(l, 1, 0.2f, 2, flaw_pick_seed(&s->shot));
        flaw_relief_bevel(l, 0.7f, 0.5f);
        flaw_tint_flat(l, flaw_rgb_scale(m.a, flaw_pick(&s->shot, 0.6, 1.1)));
        l->thickness = 0.4f;
        flaw_stage_end(s);
    }
}

/* Uneven tone and fine bumps over the whole picture, amounts from the design. */
void flaw_stage_age(flaw_stage *s, flaw_random *design)
{
    flaw_canvas *c = &s->canvas;
    flaw_layer *l = flaw_layer_frame(c, 1, 0);
    float broad = flaw_pick(design, 0, 0.09), fine = flaw_pick(design, 0, 0.07), bump = flaw_pick(design, 0, 0.035);
    float cells = flaw_pick(design, 1.5, 8);
    flaw_noise_fractal(l->t[0], l->u, l->v, l->n, flaw_noise_even(cells, flaw_pick_seed(&s->shot)), 2, 0.6f, l->px);
    memset(l->t[1], 0, (size_t)l->n * sizeof(float));
    flaw_noise_add(l->t[1], l->u, l->v, l->n, flaw_noise_even(flaw_pick(design, 20, 70), flaw_pick_seed(&s->shot)),
                   1.5f);
    for (int i = 0; i < l->n; i++) {
        float k = 1 + broad * l->t[0][i] + fine * l->t[1][i];
        c->r[i] *= k, c->g[i] *= k, c->b[i] *= k;
        c->sx[i] += bump * l->t[1][i], c->sy[i] += bump * l->t[0][i] * l->t[1][i];
    }
}

/* The edge of a shadow of something outside, straight or wavy, soft. */
void flaw_stage_half_shadow(flaw_stage *s, flaw_random *design)
{
    if (!flaw_chance(design, 0.15)) return;
    flaw_canvas *c = &s->canvas;
    float way = flaw_pick(design, 0, TURN), at = flaw_pick(&s->shot, -0.2, 1.0), soft = flaw_pick(design, 0.08, 0.8);
    float dark = flaw_pick(design, 0.2, 0.6), wave = flaw_pick(design, 0, 0.15), phase = flaw_pick(&s->shot, 0, 1);
    float co = cosf(way), si = sinf(way), step = 2 / (float)c->size;
    for (int y = 0; y < c->size; y++)
        for (int x = 0; x < c->size; x++) {
            float u = step * ((float)x + 0.5f) - 1, v = step * ((float)y + 0.5f) - 1;
            float d = co * u + si * v + wave * flaw_wave(0.5f * (co * v - si * u) + phase) - at;
            c->shade[y * c->size + x] *= 1 - dark * flaw_step(-soft, soft, d);
        }
}
