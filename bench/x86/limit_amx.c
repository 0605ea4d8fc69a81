#include <immintrin.h>
#include <stdint.h>

#include "../limit.h"

enum { ROUNDS = 5000 };

static const struct {
    uint8_t palette, start_row, zero[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} eight_tiles = {.palette = 1, .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

/* Random bf16 values of size 1: on zeros the clock runs faster than on real data. */
static void fill(uint16_t data[16 * 32])
{
    uint32_t x = 1;
    for (int i = 0; i < 16 * 32; i++) {
        x = x * 1664525u + 1013904223u;
        data[i] = (uint16_t)(0x3f00u + (x >> 24) + (x >> 16 & 1u) * 0x8000u);
    }
}

static void load_tiles(const uint16_t *data)
{
    _tile_loadconfig(&eight_tiles);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, data, 64);
    _tile_loadd(5, data, 64);
    _tile_loadd(6, data, 64);
    _tile_loadd(7, data, 64);
}

/* The caller has asked for the tiles (flaw_kernels_select). */
double limit_amx_bf16(void)
{
    uint16_t data[16 * 32];
    fill(data);
    load_tiles(data);
    for (int i = 0; i < ROUNDS; i++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
    return 2.0 * 4 * 16 * 16 * 32 * ROUNDS;
}

double limit_amx_int8(void)
{
    uint16_t data[16 * 32];
    fill(data);
    load_tiles(data);
    for (int i = 0; i < ROUNDS; i++) {
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
    }
    _tile_release();
    return 2.0 * 4 * 16 * 16 * 64 * ROUNDS;
}
