#include <math.h>

#include "learn/paint/paint_noise.h"
#include "learn/scene/scene_camera.h"

/* Annex K of T.81, luma and colour, in rows of rising vertical frequency. */
static const unsigned char luma_steps[64] = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                                             14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                                             18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                                             49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
static const unsigned char colour_steps[64] = {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
                                               24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
                                               99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                                               99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

/* out = basis * in (columns) with basis[k][i] = c_k cos((2 i + 1) k pi / 16), orthonormal; `back` uses its transpose.
 */
static inline void along_columns(float out[64], const float in[64], const float basis[8][8], int back)
{
    for (int k = 0; k < 8; k++) {
        float sum[8] = {0};
        for (int i = 0; i < 8; i++) {
            float b = back ? basis[i][k] : basis[k][i];
            for (int x = 0; x < 8; x++) sum[x] += b * in[8 * i + x];
        }
        for (int x = 0; x < 8; x++) out[8 * k + x] = sum[x];
    }
}

static inline void turn_over(float out[64], const float in[64])
{
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) out[8 * x + y] = in[8 * y + x];
}

static inline void through_steps(float block[64], const unsigned char steps[64], float coarse)
{
    for (int i = 0; i < 64; i++) {
        float step = (float)steps[i] * coarse, q = block[i] / (step < 1 ? 1 : step) + 0.5f;
        block[i] = (float)flaw_floor_int(q) * (step < 1 ? 1 : step);
    }
}

FLAW_WIDE static void one_block(float block[64], const float basis[8][8], const unsigned char steps[64], float coarse)
{
    float a[64], b[64];
    along_columns(a, block, basis, 0);
    turn_over(b, a);
    along_columns(a, b, basis, 0);
    turn_over(b, a);
    through_steps(b, steps, coarse);
    along_columns(a, b, basis, 1);
    turn_over(b, a);
    along_columns(a, b, basis, 1);
    turn_over(block, a);
}

/* Blocks at the right and lower border that do not fit stay as they are. */
void flaw_camera_blocks(float *x, int width, int height, float coarse)
{
    float basis[8][8], block[3][64];
    for (int k = 0; k < 8; k++)
        for (int i = 0; i < 8; i++)
            basis[k][i] = (k ? 0.5f : 0.35355339f) * cosf((float)((2 * i + 1) * k) * 0.19634954f);
    for (int y = 0; y + 8 <= height; y += 8)
        for (int left = 0; left + 8 <= width; left += 8) {
            for (int i = 0; i < 64; i++) {
                const float *p = x + 3 * ((y + i / 8) * width + left + i % 8);
                block[0][i] = 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2];
                block[1][i] = 0.564f * (p[2] - block[0][i]);
                block[2][i] = 0.713f * (p[0] - block[0][i]);
            }
            for (int c = 0; c < 3; c++)
                one_block(block[c], (const float(*)[8])basis, c ? colour_steps : luma_steps, coarse);
            for (int i = 0; i < 64; i++) {
                float *p = x + 3 * ((y + i / 8) * width + left + i % 8);
                p[0] = block[0][i] + 1.403f * block[2][i];
                p[2] = block[0][i] + 1.773f * block[1][i];
                p[1] = block[0][i] - 0.344f * block[1][i] - 0.714f * block[2][i];
            }
        }
}
