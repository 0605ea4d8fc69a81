/* Noise over arrays of points: the raw stuff of every drawn surface. All functions are pure in (points, map), use
 * only IEEE float additions and products (no FMA, no libm), so every machine gives the same bits. */
#ifndef FLAW_LEARN_PAINT_NOISE_H
#define FLAW_LEARN_PAINT_NOISE_H

#include <stdint.h>

/* GCC makes an AVX2 and a plain copy of a function so marked and pick at load time; same bits in both. */
#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__)
#define FLAW_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define FLAW_WIDE
#endif

/* Where a point (u, v) of the surface lies in noise space: x = xu u + xv v, y = yu u + yv v; one cell is 1 x 1. */
typedef struct flaw_noise_map {
    float xu, xv, yu, yv;
    uint32_t seed;
} flaw_noise_map;

/* `across` cells per unit across the grain and `along` cells per unit along it; the grain runs at `angle` radians. */
flaw_noise_map flaw_noise_grain(float along, float across, float angle, uint32_t seed);
flaw_noise_map flaw_noise_even(float cells, uint32_t seed);

/* out[i] += amplitude * gradient noise (about -0.8 .. 0.8, mean 0); Perlin 2002 fade. */
void flaw_noise_add(float *out, const float *u, const float *v, int n, flaw_noise_map map, float amplitude);

/* out[i] = sum of `octaves` octaves, each twice as fine and `gain` as strong, scaled to about -1 .. 1. Octaves finer
 * than one cell a pixel (`px` = size of a pixel in the units of u, v) are left out. */
void flaw_noise_fractal(float *out, const float *u, const float *v, int n, flaw_noise_map map, int octaves, float gain,
                        float px);

/* Cellular noise (Worley 1996), one point per cell, moved by up to `jitter` (0 .. 1) of the cell. Any output may be
 * NULL: near = distance to the nearest point, edge = second nearest minus nearest, id = uniform 0 .. 1 per point. */
void flaw_noise_cells(float *near, float *edge, float *id, const float *u, const float *v, int n, flaw_noise_map map,
                      float jitter);

static inline uint32_t flaw_hash(uint32_t x, uint32_t y, uint32_t seed)
{
    uint32_t h = x * 0x9E3779B1u + y * 0x85EBCA77u + seed;
    h ^= h >> 15;
    h *= 0x2C1B3C6Du;
    h ^= h >> 13;
    h *= 0x297A2D39u;
    return h ^ (h >> 16);
}

static inline int flaw_floor_int(float x)
{
    int i = (int)x;
    return i - (x < (float)i);
}

/* sin(2 pi x) to about 0.1 %: a parabola and one correction, so that loops over it can use vector units. */
static inline float flaw_wave(float x)
{
    x = x - (float)flaw_floor_int(x + 0.5f);
    float a = x < 0 ? -x : x;
    float y = 8.0f * x - 16.0f * x * a;
    float b = y < 0 ? -y : y;
    return 0.225f * (y * b - y) + y;
}

static inline float flaw_clamp01(float x)
{
    x = x < 0 ? 0 : x;
    return x > 1 ? 1 : x;
}

/* 0 below lo, 1 above hi, smooth between. */
static inline float flaw_step(float lo, float hi, float x)
{
    float t = flaw_clamp01((x - lo) / (hi - lo));
    return t * t * (3.0f - 2.0f * t);
}

#endif
