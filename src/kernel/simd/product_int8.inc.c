/* int8 products of a level of vectors. The includer defines LEVEL_ENGINE (the engine's name), its FINISH, what tile.h
 * (or TILE_HEADER) and int8.inc.c ask for; TILE_DEPTH is steps of TILE_GROUP values of k. */

enum { TILE_UNIT = TILE_GROUP };

#ifndef TILE_HEADER
#define TILE_HEADER "kernel/simd/tile.h"
#endif
#include TILE_HEADER

#include "kernel/simd/int8.inc.c"

static void pack_a(const flaw_product *p, int i0, int live, int p0, int k, void *head, void *panel)
{
    flaw_int8_row *s = head;
    tile_value *out = panel;
    for (int i = 0; i < live; i++, out += TILE_STRIDE * TILE_GROUP) {
        if (p0 == 0) s[i] = scale_of_row(p, i0 + i);
        pack_row(p, i0 + i, p0, k, s[i], out);
    }
    for (int i = live; i < TILE_ROWS; i++, out += TILE_STRIDE * TILE_GROUP) {
        s[i] = (flaw_int8_row){0.0f, 0.0f, 0};
        memset(out, 0, (size_t)((k + TILE_GROUP - 1) / TILE_GROUP * TILE_GROUP) * sizeof *out);
    }
}

static void sum(const flaw_tile *t)
{
    tile_sum_live(t, (t->k + TILE_GROUP - 1) / TILE_GROUP);
}

const flaw_engine LEVEL_ENGINE = {.rows = TILE_ROWS,
                                  .cols = TILE_COLS,
                                  .block_rows = FLAW_TILE_ROWS,
                                  .k_unit = TILE_GROUP,
                                  .k_block = TILE_DEPTH * TILE_GROUP,
                                  .element = sizeof(tile_value),
                                  .a_panel = TILE_PANEL,
                                  .a_head = A_HEAD,
                                  .b_head = B_HEAD,
                                  .pack_cols = pack_cols,
                                  .pack_a = pack_a,
                                  .sum = sum,
                                  .finish = FINISH};
