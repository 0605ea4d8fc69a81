#include "learn/paint/paint_noise.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

flaw_noise_map flaw_noise_grain(float along, float across, float angle, uint32_t seed)
{
    float c = cosf(angle), s = sinf(angle);
    return (flaw_noise_map){c * along, s * along, -s * across, c * across, seed};
}

flaw_noise_map flaw_noise_even(float cells, uint32_t seed)
{
    /* Turned by an odd angle, so that the lattice never lines up with the pixels. */
    return flaw_noise_grain(cells, cells, 0.6435f, seed);
}

/* Scalar product of a corner's random gradient with the way from the corner. */
static inline float corner(uint32_t ix, uint32_t iy, float fx, float fy, uint32_t seed)
{
    uint32_t h = flaw_hash(ix, iy, seed);
    float gx = (float)(int)(h & 0xFFFFu) * (1.0f / 32768.0f) - 1.0f;
    float gy = (float)(int)(h >> 16) * (1.0f / 32768.0f) - 1.0f;
    return gx * fx + gy * fy;
}

FLAW_WIDE void flaw_noise_add(float *restrict out, const float *restrict u, const float *restrict v, int n,
                              flaw_noise_map map, float amplitude)
{
    for (int i = 0; i < n; i++) {
        float x = map.xu * u[i] + map.xv * v[i], y = map.yu * u[i] + map.yv * v[i];
        int ix = flaw_floor_int(x), iy = flaw_floor_int(y);
        float fx = x - (float)ix, fy = y - (float)iy;
        uint32_t cx = (uint32_t)ix, cy = (uint32_t)iy;
        float wx = fx * fx * fx * (fx * (fx * 6.0f - 15.0f) + 10.0f);
        float wy = fy * fy * fy * (fy * (fy * 6.0f - 15.0f) + 10.0f);
        float a = corner(cx, cy, fx, fy, map.seed), b = corner(cx + 1u, cy, fx - 1.0f, fy, map.seed);
        float c = corner(cx, cy + 1u, fx, fy - 1.0f, map.seed);
        float d = corner(cx + 1u, cy + 1u, fx - 1.0f, fy - 1.0f, map.seed);
        float top = a + wx * (b - a), bottom = c + wx * (d - c);
        out[i] += amplitude * (top + wy * (bottom - top));
    }
}

void flaw_noise_fractal(float *out, const float *u, const float *v, int n, flaw_noise_map map, int octaves, float gain,
                        float px)
{
    memset(out, 0, (size_t)n * sizeof(float));
    float amplitude = 1.6f, sum = 0, part = 1;
    for (int k = 0; k < octaves; k++, part *= gain) sum += part * part;
    amplitude /= sqrtf(sum);
    for (int k = 0; k < octaves; k++) {
        float fine = fabsf(map.xu) + fabsf(map.xv);
        float other = fabsf(map.yu) + fabsf(map.yv);
        if (k > 0 && (fine < other ? fine : other) * px > 1.0f) break;
        flaw_noise_add(out, u, v, n, map, amplitude);
        amplitude *= gain;
        map.xu *= 2.03f, map.xv *= 2.03f, map.yu *= 2.03f, map.yv *= 2.03f;
        map.seed = map.seed * 747796405u + 2891336453u;
    }
}

typedef struct nearest {
    float first, second, id;
} nearest;

static inline nearest visit(nearest best, uint32_t cx, uint32_t cy, float dx, float dy, uint32_t seed, float jitter)
{
    uint32_t h = flaw_hash(cx, cy, seed);
    float px = dx + 0.5f + jitter * ((float)(int)(h & 0xFFFFu) * (1.0f / 65536.0f) - 0.5f);
    float py = dy + 0.5f + jitter * ((float)(int)(h >> 16) * (1.0f / 65536.0f) - 0.5f);
    float d = px * px + py * py;
    float id = (float)(int)((h * 0x9E3779B1u) >> 16) * (1.0f / 65536.0f);
    float second = d < best.second ? d : best.second;
    best.second = d < best.first ? best.first : second;
    best.id = d < best.first ? id : best.id;
    best.first = d < best.first ? d : best.first;
    return best;
}

FLAW_WIDE static void cells(float *restrict near, float *restrict edge, float *restrict id, const float *restrict u,
                            const float *restrict v, int n, flaw_noise_map map, float jitter)
{
    for (int i = 0; i < n; i++) {
        float x = map.xu * u[i] + map.xv * v[i], y = map.yu * u[i] + map.yv * v[i];
        int ix = flaw_floor_int(x), iy = flaw_floor_int(y);
        float fx = (float)ix - x, fy = (float)iy - y;
        uint32_t cx = (uint32_t)ix, cy = (uint32_t)iy;
        nearest b = {9.0f, 9.0f, 0.0f};
        b = visit(b, cx - 1u, cy - 1u, fx - 1.0f, fy - 1.0f, map.seed, jitter);
        b = visit(b, cx, cy - 1u, fx, fy - 1.0f, map.seed, jitter);
        b = visit(b, cx + 1u, cy - 1u, fx + 1.0f, fy - 1.0f, map.seed, jitter);
        b = visit(b, cx - 1u, cy, fx - 1.0f, fy, map.seed, jitter);
        b = visit(b, cx, cy, fx, fy, map.seed, jitter);
        b = visit(b, cx + 1u, cy, fx + 1.0f, fy, map.seed, jitter);
        b = visit(b, cx - 1u, cy + 1u, fx - 1.0f, fy + 1.0f, map.seed, jitter);
        b = visit(b, cx, cy + 1u, fx, fy + 1.0f, map.seed, jitter);
        b = visit(b, cx + 1u, cy + 1u, fx + 1.0f, fy + 1.0f, map.seed, jitter);
        float first = sqrtf(b.first);
        near[i] = first;
        edge[i] = sqrtf(b.second) - first;
        id[i] = b.id;
    }
}

void flaw_noise_cells(float *near, float *edge, float *id, const float *u, const float *v, int n, flaw_noise_map map,
                      float jitter)
{
    /* Blocks that stay in the first cache stand in for outputs nobody wants. */
    float spare[3][512];
    for (int at = 0; at < n; at += 512) {
        int count = n - at < 512 ? n - at : 512;
        cells(near ? near + at : spare[0], edge ? edge + at : spare[1], id ? id + at : spare[2], u + at, v + at, count,
              map, jitter);
    }
}
