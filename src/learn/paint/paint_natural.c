/* Grown and stone-like materials: wood, shell, leather, peel, marble, granite, foam, dough. */
#include <math.h>

#include "learn/paint/paint_material.h"

/* Growth rings cut lengthwise (bent far out by slow noise), fibres and short dark pores along the grain; shells are
 * the same with ring lines weaker than streaks. */
void flaw_fill_wood(flaw_layer *l, const flaw_material *m)
{
    bool shell = m->kind == FLAW_SHELL;
    flaw_noise_map slow = flaw_noise_grain(0.35f, 1.1f, m->angle, m->seed);
    flaw_noise_map fibre = flaw_noise_grain(2, m->scale * 12, m->angle, m->seed + 1);
    flaw_noise_map ring = flaw_noise_grain(0, m->scale, m->angle, 0);
    flaw_noise_fractal(l->t[0], l->u, l->v, l->n, slow, 2, 0.5f, l->px);
    flaw_noise_fractal(l->t[1], l->u, l->v, l->n, fibre, 2, 0.6f, l->px);
    float rings = shell ? 0.25f : 0.7f, streak = shell ? 0.45f : 0.25f, swirl = shell ? 0.5f : 2.2f;
    for (int i = 0; i < l->n; i++) {
        float across = ring.yu * l->u[i] + ring.yv * l->v[i];
        float x = across * (shell ? 1.0f : 0.6f) + swirl * l->t[0][i];
        float saw = x - (float)flaw_floor_int(x);
        saw = saw * saw * (1 - flaw_step(0.85f, 1, saw));
        float tone = rings * saw + streak * l->t[1][i] + 0.3f * l->t[0][i] + 0.15f;
        l->t[2][i] = flaw_clamp01(tone) * m->contrast;
        l->z[i] -= m->relief / (m->scale * 8) * (saw + l->t[1][i]);
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[2], m->b);
    if (shell) return;
    flaw_noise_map pore = flaw_noise_grain(m->scale * 0.8f, m->scale * 14, m->angle, m->seed + 2);
    flaw_tint_noise(l, pore, 1, flaw_rgb_scale(m->b, 0.5f), 0.5f, 0.9f, 0.5f * m->contrast);
}

/* Rounded cells of two sizes between creases; for peel, pits instead of cells and a second colour in large patches. */
void flaw_fill_leather(flaw_layer *l, const flaw_material *m)
{
    bool peel = m->kind == FLAW_PEEL;
    flaw_noise_map cells = flaw_noise_grain(m->scale * 0.8f, m->scale * 1.15f, m->angle, m->seed);
    flaw_noise_cells(l->t[0], l->t[1], 0, l->u, l->v, l->n, cells, peel ? 0.8f : 1.0f);
    flaw_noise_fractal(l->t[2], l->u, l->v, l->n, flaw_noise_even(peel ? 1.0f : 2.0f, m->seed + 4), peel ? 2 : 4, 0.6f,
                       l->px);
    float bump = m->relief / m->scale;
    for (int i = 0; i < l->n; i++) {
        float crease = 1 - flaw_step(0, 0.35f, l->t[1][i]);
        float pit = 1 - flaw_step(0.1f, 0.4f, l->t[0][i]);
        l->z[i] -= bump * (peel ? pit : 0.8f * crease + 0.3f * l->t[0][i]);
        float cloud = 0.5f + 0.5f * l->t[2][i];
        l->t[3][i] = flaw_clamp01(m->contrast * (peel ? cloud + 0.15f * pit : 0.7f * crease + 0.6f * cloud));
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[3], m->b);
}

/* Veins are where a slow noise, itself moved by noise, crosses zero; a few strong ones and many faint ones. */
void flaw_fill_marble(flaw_layer *l, const flaw_material *m)
{
    flaw_noise_fractal(l->t[0], l->u, l->v, l->n, flaw_noise_even(m->scale * 1.6f, m->seed), 5, 0.55f, l->px);
    flaw_noise_fractal(l->t[1], l->u, l->v, l->n, flaw_noise_grain(m->scale * 0.4f, m->scale, m->angle, m->seed + 1), 4,
                       0.55f, l->px);
    for (int i = 0; i < l->n; i++) {
        float strong = 1 - flaw_clamp01(fabsf(l->t[1][i] + 0.35f * l->t[0][i]) * 9);
        float faint = 1 - flaw_clamp01(fabsf(l->t[0][i]) * 4);
        float tone = strong * strong * (0.6f + 0.4f * l->t[0][i]) + 0.35f * faint * faint + 0.12f * (l->t[1][i] + 0.5f);
        l->t[2][i] = flaw_clamp01(tone) * m->contrast;
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[2], m->b);
}

/* Crystals: every cell takes one of several tones; terrazzo has fewer, larger, sharper chips in a plain ground. */
void flaw_fill_granite(flaw_layer *l, const flaw_material *m)
{
    bool chips = m->kind == FLAW_TERRAZZO;
    flaw_noise_cells(l->t[0], l->t[1], l->t[2], l->u, l->v, l->n, flaw_noise_even(m->scale, m->seed), 1);
    flaw_tint_flat(l, m->a);
    for (int i = 0; i < l->n; i++) {
        float id = l->t[2][i], inside = flaw_step(0.05f, 0.14f, l->t[1][i]);
        float edge = chips ? inside * (l->t[0][i] < 0.45f ? 1.0f : 0.0f) : 1.0f;
        l->t[3][i] = m->contrast * edge * (id < 0.45f ? 0.0f : id < 0.7f ? 0.45f : 1.0f);
        l->t[0][i] = edge * (id > 0.4f && id < 0.52f ? 0.8f : 0.0f);
    }
    flaw_tint_by(l, l->t[3], m->b);
    flaw_tint_by(l, l->t[0], (flaw_rgb){0.75f, 0.72f, 0.68f});
    flaw_tint_noise(l, flaw_noise_even(m->scale * 3, m->seed + 2), 2, flaw_rgb_scale(m->b, 0.4f), 0.5f, 1.4f,
                    chips ? 0.1f : 0.5f * m->contrast);
}

/* Bubbles of two sizes, dark and deep in the middle. */
void flaw_fill_foam(flaw_layer *l, const flaw_material *m)
{
    flaw_noise_cells(l->t[0], 0, l->t[2], l->u, l->v, l->n, flaw_noise_even(m->scale, m->seed), 1);
    flaw_noise_cells(l->t[1], 0, l->t[3], l->u, l->v, l->n, flaw_noise_even(m->scale * 2.7f, m->seed + 1), 1);
    float bump = m->relief / m->scale;
    for (int i = 0; i < l->n; i++) {
        float large = (1 - flaw_step(0.15f, 0.42f, l->t[0][i])) * (l->t[2][i] > 0.4f ? 1.0f : 0.0f);
        float small = 1 - flaw_step(0.15f, 0.45f, l->t[1][i]);
        l->z[i] -= bump * (large + 0.3f * small);
        l->t[0][i] = flaw_clamp01(m->contrast * (0.8f * large + 0.35f * small * l->t[3][i]));
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[0], m->b);
}

/* Baked dough: browned patches, fine crumb, and shallow natural fissures that are no defects. */
void flaw_fill_dough(flaw_layer *l, const flaw_material *m)
{
    flaw_noise_fractal(l->t[0], l->u, l->v, l->n, flaw_noise_even(m->scale, m->seed), 5, 0.6f, l->px);
    flaw_noise_fractal(l->t[1], l->u, l->v, l->n, flaw_noise_even(m->scale * 0.8f, m->seed + 1), 3, 0.5f, l->px);
    flaw_noise_fractal(l->t[2], l->u, l->v, l->n, flaw_noise_even(m->scale * 9, m->seed + 2), 2, 0.7f, l->px);
    float bump = m->relief / m->scale;
    for (int i = 0; i < l->n; i++) {
        float fissure = 1 - flaw_clamp01(fabsf(l->t[1][i] + 0.15f * l->t[0][i]) * 14);
        fissure *= flaw_step(0.0f, 0.5f, l->t[0][i]);
        l->z[i] += bump * (0.5f * l->t[0][i] + 0.1f * l->t[2][i] - 0.35f * fissure);
        l->t[3][i] = flaw_clamp01(m->contrast * (0.35f + 0.4f * l->t[0][i] + 0.2f * l->t[2][i] + 0.5f * fissure));
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[3], m->b);
    flaw_tint_rim(l, 0.4f, flaw_rgb_scale(m->b, 0.9f), 0.5f * m->contrast);
}
