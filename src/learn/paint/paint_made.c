/* Made materials with a repeat: cloth, knit, felt, carpet, plush, tiles, brick, mesh, perforated and ribbed sheet. */
#include <math.h>
#include <string.h>

#include "learn/paint/paint_material.h"

/* Rotated and slightly wandering pattern coordinates in repeats: x in t[0], y in t[1]. */
static void pattern_coordinates(flaw_layer *l, const flaw_material *m, float wander)
{
    flaw_noise_map map = flaw_noise_grain(m->scale, m->scale, m->angle, 0);
    memset(l->t[4], 0, (size_t)l->n * sizeof(float));
    memset(l->t[3], 0, (size_t)l->n * sizeof(float));
    if (wander > 0) {
        flaw_noise_add(l->t[3], l->u, l->v, l->n, flaw_noise_even(1.7f, m->seed + 11), wander);
        flaw_noise_add(l->t[4], l->u, l->v, l->n, flaw_noise_even(1.7f, m->seed + 12), wander);
    }
    float ox = (float)(m->seed & 1023) / 64, oy = (float)(m->seed >> 10 & 1023) / 64;
    for (int i = 0; i < l->n; i++) {
        l->t[0][i] = map.xu * l->u[i] + map.xv * l->v[i] + l->t[3][i] + ox;
        l->t[1][i] = map.yu * l->u[i] + map.yv * l->v[i] + l->t[4][i] + oy;
    }
}

static inline float fraction(float x)
{
    return x - (float)flaw_floor_int(x);
}

/* Plain weave (period 2, shift 1) or twill (period 3 or 4, shift 1): which thread lies on top is periodic in the
 * thread numbers; a thread is a half round with a twist, and each has its own tone. */
void flaw_fill_cloth(flaw_layer *l, const flaw_material *m)
{
    pattern_coordinates(l, m, 0.25f);
    int period = m->kind == FLAW_CLOTH ? 2 : 3 + (int)(m->contrast * 20) % 2;
    float bump = m->relief / m->scale;
    for (int i = 0; i < l->n; i++) {
        float x = l->t[0][i], y = l->t[1][i];
        int tx = flaw_floor_int(x), ty = flaw_floor_int(y);
        float fx = x - (float)tx - 0.5f, fy = y - (float)ty - 0.5f;
        int phase = (tx - ty) - period * flaw_floor_int((float)(tx - ty) / (float)period);
        bool warp = phase == 0;
        float across = warp ? fx : fy, along = warp ? fy : fx;
        float round = 1 - 4 * across * across, arch = period == 2 ? 1 - 2 * along * along : 1;
        uint32_t h = warp ? flaw_hash((uint32_t)tx, 1, m->seed) : flaw_hash((uint32_t)ty, 2, m->seed);
        float tone = (float)(int)(h & 255u) * (1 / 255.0f);
        float twist = 0.12f * flaw_wave(along * 1.5f + across * 2.0f);
        l->z[i] += bump * 0.5f * round * arch;
        float dark = 1 - 0.75f * flaw_clamp01(round * arch + 0.15f) + twist;
        l->t[2][i] = m->kind == FLAW_TWILL && !warp ? 1 : 0;
        l->t[3][i] = flaw_clamp01(0.65f * m->contrast * dark + 0.2f * tone * m->contrast);
    }
    flaw_tint_flat(l, m->a);
    if (m->kind == FLAW_TWILL) {
        for (int i = 0; i < l->n; i++) l->t[2][i] *= 0.75f;
        flaw_tint_by(l, l->t[2], m->b);
        flaw_tint_by(l, l->t[3], flaw_rgb_scale(m->a, 0.3f));
    } else {
        flaw_tint_by(l, l->t[3], m->b);
    }
}

/* Columns of V-shaped stitches. */
void flaw_fill_knit(flaw_layer *l, const flaw_material *m)
{
    pattern_coordinates(l, m, 0.3f);
    flaw_noise_fractal(l->t[2], l->u, l->v, l->n, flaw_noise_even(m->scale * 5, m->seed), 2, 0.7f, l->px);
    float bump = m->relief / m->scale;
    for (int i = 0; i < l->n; i++) {
        float fx = fraction(l->t[0][i]) - 0.5f, side = fabsf(fx) * 2;
        float fy = fraction(l->t[1][i] * 1.3f + 0.55f * side) - 0.5f;
        float round = flaw_clamp01(1 - 4 * fy * fy) * flaw_clamp01(1.1f - 4 * (side - 0.5f) * (side - 0.5f));
        l->z[i] += bump * (0.6f * round + 0.08f * l->t[2][i]);
        l->t[3][i] = flaw_clamp01(m->contrast * (0.9f - round + 0.25f * l->t[2][i]));
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[3], flaw_rgb_scale(m->a, 0.25f));
}

/* Short fibres in two crossing directions. */
void flaw_fill_felt(flaw_layer *l, const flaw_material *m)
{
    flaw_noise_fractal(l->t[0], l->u, l->v, l->n, flaw_noise_grain(m->scale * 0.2f, m->scale, m->angle, m->seed), 2,
                       0.7f, l->px);
    flaw_noise_fractal(l->t[1], l->u, l->v, l->n,
                       flaw_noise_grain(m->scale * 0.2f, m->scale, m->angle + 1.4f, m->seed + 1), 2, 0.7f, l->px);
    for (int i = 0; i < l->n; i++) {
        float f = l->t[0][i] > l->t[1][i] ? l->t[0][i] : l->t[1][i];
        l->z[i] += m->relief / m->scale * f;
        l->t[2][i] = flaw_clamp01(m->contrast * (0.5f - 0.6f * f));
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[2], m->b);
}

/* Tufts: domes of cells with fibre noise, rows on some products. */
void flaw_fill_carpet(flaw_layer *l, const flaw_material *m)
{
    bool rows = m->contrast > 0.55f;
    flaw_noise_map map = flaw_noise_grain(m->scale, m->scale * (rows ? 0.6f : 1.0f), m->angle, m->seed);
    flaw_noise_cells(l->t[0], 0, l->t[1], l->u, l->v, l->n, map, rows ? 0.35f : 1.0f);
    flaw_noise_fractal(l->t[2], l->u, l->v, l->n, flaw_noise_even(m->scale * 2.5f, m->seed + 1), 2, 0.8f, l->px);
    for (int i = 0; i < l->n; i++) {
        float dome = 1 - l->t[0][i] * l->t[0][i] * 1.6f;
        l->z[i] += m->relief / m->scale * (0.6f * dome + 0.3f * l->t[2][i]);
        l->t[3][i] = flaw_clamp01(m->contrast * (0.9f - 0.9f * dome + 0.4f * l->t[2][i] + 0.3f * l->t[1][i]));
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[3], m->b);
}

/* Hair that lies in directions that drift over the surface. */
void flaw_fill_fur(flaw_layer *l, const flaw_material *m)
{
    flaw_noise_fractal(l->t[0], l->u, l->v, l->n, flaw_noise_even(1.6f, m->seed), 2, 0.5f, l->px);
    flaw_noise_map grain = flaw_noise_grain(m->scale * 0.12f, m->scale, m->angle, 0);
    for (int i = 0; i < l->n; i++) {
        float x = grain.xu * l->u[i] + grain.xv * l->v[i], y = grain.yu * l->u[i] + grain.yv * l->v[i];
        l->t[1][i] = x;
        l->t[2][i] = y + 6 * l->t[0][i];
    }
    memset(l->t[3], 0, (size_t)l->n * sizeof(float));
    flaw_noise_map one = {1, 0, 0, 1, m->seed + 2}, two = {1.9f, 0.3f, 0, 2.1f, m->seed + 3};
    flaw_noise_add(l->t[3], l->t[1], l->t[2], l->n, one, 1.3f);
    flaw_noise_add(l->t[3], l->t[1], l->t[2], l->n, two, 0.7f);
    for (int i = 0; i < l->n; i++) {
        l->z[i] += m->relief / m->scale * l->t[3][i];
        l->t[3][i] = flaw_clamp01(m->contrast * (0.5f - 0.7f * l->t[3][i]));
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[3], m->b);
}

/* Tiles or bricks with joints: own tone per tile, clouds inside, joint lower and of the second colour. */
void flaw_fill_tile(flaw_layer *l, const flaw_material *m)
{
    bool brick = m->kind == FLAW_BRICK;
    pattern_coordinates(l, m, brick ? 0.03f : 0);
    flaw_noise_fractal(l->t[2], l->u, l->v, l->n, flaw_noise_even(m->scale * 3, m->seed + 2), 4, 0.6f, l->px);
    float joint = (brick ? 0.05f : 0.025f) + 0.02f * m->contrast, aspect = brick ? 2.2f : 1;
    flaw_tint_flat(l, m->a);
    for (int i = 0; i < l->n; i++) {
        float y = l->t[1][i], x = l->t[0][i] / aspect;
        int row = flaw_floor_int(y);
        x += brick && (row & 1) ? 0.5f : 0;
        int column = flaw_floor_int(x);
        float fx = (0.5f - fabsf(x - (float)column - 0.5f)) * aspect, fy = 0.5f - fabsf(y - (float)row - 0.5f);
        float edge = (fx < fy ? fx : fy) + (brick ? 0.012f * l->t[2][i] : 0);
        float in = flaw_step(joint, joint + 0.04f, edge);
        float tone = (float)(int)(flaw_hash((uint32_t)column, (uint32_t)row, 77u) & 255u) * (1 / 255.0f);
        l->z[i] += m->relief / m->scale * (0.15f * in + (brick ? 0.05f : 0.01f) * l->t[2][i]);
        l->t[0][i] = 1 - in;
        l->t[1][i] = m->contrast * flaw_clamp01((brick ? 0.5f : 0.25f) * tone + 0.25f * l->t[2][i] + 0.1f);
    }
    flaw_tint_by(l, l->t[1], flaw_rgb_scale(m->a, 0.4f));
    flaw_tint_by(l, l->t[0], m->b);
}

/* Woven wires over a ground of the second colour. */
void flaw_fill_mesh(flaw_layer *l, const flaw_material *m)
{
    pattern_coordinates(l, m, 0.06f);
    float wire = 0.1f + 0.25f * m->contrast, bump = m->relief / m->scale;
    flaw_noise_fractal(l->t[2], l->u, l->v, l->n, flaw_noise_even(5, m->seed), 3, 0.6f, l->px);
    flaw_tint_flat(l, m->b);
    for (int i = 0; i < l->n; i++) {
        float x = l->t[0][i], y = l->t[1][i];
        int tx = flaw_floor_int(x), ty = flaw_floor_int(y);
        float fx = fabsf(x - (float)tx - 0.5f), fy = fabsf(y - (float)ty - 0.5f);
        bool flip = ((tx + ty) & 1) != 0;
        float over = flaw_wave(0.25f + 0.5f * (flip ? x - (float)tx - 0.5f : y - (float)ty - 0.5f));
        float a = fx / wire, b = fy / wire;
        float ha = a < 1 ? sqrtf(1 - a * a) : 0, hb = b < 1 ? sqrtf(1 - b * b) : 0;
        float first = ha > 0 ? ha + (flip ? -0.3f : 0.5f) * over : 0,
              second = hb > 0 ? hb + (flip ? 0.5f : -0.3f) * over : 0;
        float h = first > second ? first : second;
        l->z[i] += bump * wire * (h > 0 ? h : -0.4f);
        l->t[3][i] = ha > 0 || hb > 0 ? flaw_clamp01(0.75f + 0.25f * h + 0.1f * l->t[2][i]) : 0;
    }
    flaw_tint_by(l, l->t[3], m->a);
}

/* Round holes in straight or shifted rows. */
void flaw_fill_perforated(flaw_layer *l, const flaw_material *m)
{
    pattern_coordinates(l, m, 0);
    bool shifted = (m->contrast > 0.2f);
    float radius = 0.2f + 0.6f * m->contrast;
    radius = radius > 0.36f ? 0.36f : radius;
    flaw_noise_fractal(l->t[2], l->u, l->v, l->n, flaw_noise_even(6, m->seed), 4, 0.6f, l->px);
    float px = l->px * m->scale;
    for (int i = 0; i < l->n; i++) {
        float y = l->t[1][i], x = l->t[0][i];
        int row = flaw_floor_int(y);
        x += shifted && (row & 1) ? 0.5f : 0;
        float fx = fraction(x) - 0.5f, fy = y - (float)row - 0.5f, d = sqrtf(fx * fx + fy * fy) - radius;
        float hole = flaw_clamp01(0.5f - d / px), lip = flaw_step(0.08f, 0, d);
        l->z[i] -= m->relief / m->scale * 0.08f * lip;
        l->t[0][i] = hole * 0.97f;
        l->t[1][i] = m->contrast * flaw_clamp01(0.4f + 0.5f * l->t[2][i]);
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[1], flaw_rgb_scale(m->a, 0.6f));
    flaw_tint_by(l, l->t[0], m->b);
}

/* Parallel ribs, round or with flat tops. */
void flaw_fill_ribbed(flaw_layer *l, const flaw_material *m)
{
    pattern_coordinates(l, m, 0);
    float flat = 1 + 2 * m->contrast * 3;
    for (int i = 0; i < l->n; i++) {
        float w = flaw_wave(l->t[0][i]) * flat;
        w = w > 1 ? 1 : w < -1 ? -1 : w;
        l->z[i] += m->relief / m->scale * 0.16f * w;
        l->t[1][i] = 0.25f * (1 - w);
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[1], flaw_rgb_scale(m->a, 0.5f));
}
