/* How many rows of how many bytes each tile register has, as the instruction reads it. */
#ifndef FLAW_KERNEL_X86_TILE_CONFIG_H
#define FLAW_KERNEL_X86_TILE_CONFIG_H

#include <immintrin.h>
#include <stdint.h>

typedef struct flaw_tile_config {
    uint8_t palette, start_row, zero[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} flaw_tile_config;

/* Compilers take the instruction to read 8 bytes only and would drop what is written behind them. */
static inline void flaw_tiles_begin(const flaw_tile_config *c)
{
    __asm__ volatile("" : : "m"(*c));
    _tile_loadconfig(c);
}

#endif
