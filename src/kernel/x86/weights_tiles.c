/* Compact weights with many vectors (a prompt) on AMX tiles.
 *
 * Vectors become two parts in bf16, 16 bits of each number; steps are whole numbers of at most 8 bits, which bf16 holds exactly,
 * and their scales, one for 32 elements of a row, are applied to the sums of 32: these leave their tile and are added up in
 * float32. (Scales applied beforehand would make of each weight two parts as well: three products of tiles and not two, and
 * more unpacking than the tiles could wait for.) A tile has as many vectors as make all tiles of a call equal. */
#include "kernel/x86/levels.h"
#include "kernel/x86/tile_config.h"
#include "kernel/x86/weights_span.h"

enum {
    TILE = 16,
    PARTS = 2,
    BLOCK = 2, /* tiles of vectors that are multiplied together */
    STAY = 2,   /* groups whose sums wait for each other before they are added up */
    CHUNK = 8,  /* spans of all vectors that the second cache holds: they meet all rows of a call, then the next ones */
};

/* A span of 16 vectors: two parts in bf16, the pairs of a group in a row; sums of the parts of each group. */
typedef struct span {
    uint16_t part[GROUPS][PARTS][TILE][GROUP];
    float sum[GROUPS][TILE];
} span;

static int tiles_of(int vectors)
{
    return (vectors + TILE - 1) / TILE;
}

static int vectors_of_tile(int vectors)
{
    return (vectors + tiles_of(vectors) - 1) / tiles_of(vectors);
}

VEC_INLINE vf back(__m256bh x)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)x), 16));
}

static void put_group(const float *x, int v, int g, span *out)
{
    vf half[2] = {vf_load(x), vf_load(x + VEC)}, sum = vf_zero();
    for (int p = 0; p < PARTS; p++) {
        const __m256bh first = _mm512_cvtneps_pbh(half[0]), second = _mm512_cvtneps_pbh(half[1]);
        const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512((__m256i)first), (__m256i)second, 1);
        _mm512_storeu_si512(out->part[g][p][v], in_pairs(both));
        half[0] = vf_sub(half[0], back(first));
        half[1] = vf_sub(half[1], back(second));
        sum = vf_add(sum, vf_add(back(first), back(second)));
    }
    out->sum[g][v] = vf_sum(sum);
}

/* Groups behind the end are zeros. */
static void prepare(int n, int count, const float *x, ptrdiff_t x_row, void *bundle)
{
    span *out = bundle;
    for (int i = 0; i < n; i += GROUP)
        for (int v = 0; v < count; v++) put_group(x + v * x_row + i, v, i % SPAN / GROUP, out + i / SPAN);
    for (int i = n; i % SPAN; i += GROUP) {
        memset(out[i / SPAN].part[i % SPAN / GROUP], 0, sizeof out->part[0]);
        memset(out[i / SPAN].sum[i % SPAN / GROUP], 0, sizeof out->sum[0]);
    }
}

/* ---- products ---- */

/* Sums of tiles that have left their registers: [group][tile of vectors][side][vector][row]. */
typedef float sums_left[STAY][BLOCK][SIDE][TILE][VEC];

typedef struct work {
    panel w;
    sums_left c;
    float sum[][TILE][TILE_ROWS];
} work;

/* A group of two tiles of vectors, or of one (`second` NULL), and 32 rows. */
VEC_INLINE void multiply(const panel *w, const span *x, const span *second, int g, float c[BLOCK][SIDE][TILE][VEC])
{
    enum { ROW = SIDE * 64 };
    _tile_loadd(4, x->part[g][0], 64);
    _tile_loadd(6, &w->step[g][0][0], ROW);
    _tile_zero(0);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, &w->step[g][0][1], ROW);
    _tile_zero(1);
    _tile_dpbf16ps(1, 4, 7);
    if (second) {
        _tile_loadd(5, second->part[g][0], 64);
        _tile_zero(2);
        _tile_dpbf16ps(2, 5, 6);
        _tile_zero(3);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_loadd(4, x->part[g][1], 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if (second) {
        _tile_loadd(5, second->part[g][1], 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c[0][0], 64);
    _tile_stored(1, c[0][1], 64);
    if (!second) return;
    _tile_stored(2, c[1][0], 64);
    _tile_stored(3, c[1][1], 64);
}

/* Scales what has been left of groups g .. g + STAY for tile v of the vectors and 16 rows. */
VEC_INLINE void collect(bool offsets, const panel *w, const span *x, int g, int v, int r, sums_left c, float to[TILE][TILE_ROWS])
{
    vf sum[TILE];
#pragma GCC unroll 16
    for (int t = 0; t < TILE; t++) sum[t] = vf_load(to[t] + r * VEC);
#pragma GCC unroll 4
    for (int i = 0; i < STAY; i++) {
        const vf scale = w->scale[g + i][r];
#pragma GCC unroll 16
        for (int t = 0; t < TILE; t++) {
            if (offsets) sum[t] = vf_fma(w->offset[g + i][r], vf_set(x->sum[g + i][t]), sum[t]);
            sum[t] = vf_fma(vf_load(c[i][v][r][t]), scale, sum[t]);
        }
    }
#pragma GCC unroll 16
    for (int t = 0; t < TILE; t++) vf_store(to[t] + r * VEC, sum[t]);
}

/* What the spans of a call have in common: its vectors, `tiles` of them. */
typedef struct bundles {
    const char *first;
    size_t size;
    int tiles;
} bundles;

/* Adds span s of all vectors to the sums of 32 rows. */
VEC_INLINE void add_span(bool offsets, work *at, const bundles *all, int s, float sum[][TILE][TILE_ROWS])
{
    __asm__ volatile("" ::: "memory"); /* loads of tiles do not say what they read */
    for (int b = 0; b < all->tiles; b += BLOCK) {
        const span *x = (const span *)(const void *)(all->first + (size_t)b * all->size) + s;
        const span *second = b + 1 < all->tiles ? (const span *)(const void *)((const char *)x + all->size) : NULL;
        for (int g = 0; g < GROUPS; g += STAY) {
            for (int i = 0; i < STAY; i++) multiply(&at->w, x, second, g + i, at->c[i]);
            for (int r = 0; r < SIDE; r++) collect(offsets, &at->w, x, g, 0, r, at->c, sum[b]);
            for (int r = 0; r < SIDE && second; r++) collect(offsets, &at->w, second, g, 1, r, at->c, sum[b + 1]);
        }
    }
}

typedef void add_span_of(work *at, const bundles *all, int s, float sum[][TILE][TILE_ROWS]);

static __attribute__((noinline)) void add_with_offsets(work *at, const bundles *all, int s, float sum[][TILE][TILE_ROWS])
{
    add_span(true, at, all, s, sum);
}

static __attribute__((noinline)) void add_without(work *at, const bundles *all, int s, float sum[][TILE][TILE_ROWS])
{
    add_span(false, at, all, s, sum);
}

static int panels_of(int rows)
{
    return (rows + TILE_ROWS - 1) / TILE_ROWS;
}

static size_t scratch_size(int rows, int vectors)
{
    return sizeof(work) + (size_t)panels_of(rows) * (size_t)tiles_of(vectors) * sizeof(float[TILE][TILE_ROWS]);
}

static void copy_sums(const flaw_weight_product *p, int row, float (*sum)[TILE][TILE_ROWS])
{
    const int count = p->rows - row < TILE_ROWS ? p->rows - row : TILE_ROWS, each = vectors_of_tile(p->vectors);
    for (int t = 0; t < p->vectors; t++)
        memcpy(p->y + t * p->y_row + row, sum[t / each][t % each], (size_t)count * sizeof *p->y);
}

VEC_INLINE void product_of(flaw_weight_type type, const flaw_weight_product *p, void *scratch)
{
    add_span_of *const add = has_offsets(type) ? add_with_offsets : add_without;
    work *at = scratch;
    const bundles all = {.first = p->digits, .size = p->digits_size, .tiles = tiles_of(p->vectors)};
    const int panels = panels_of(p->rows), spans = spans_of(p->n);
    memset(at->sum, 0, (size_t)panels * (size_t)all.tiles * sizeof at->sum[0]);
    for (int first = 0; first < spans; first += CHUNK) {
        for (int i = 0; i < panels; i++) {
            const int row = i * TILE_ROWS, left = p->rows - row;
            const uint8_t *w = (const uint8_t *)p->w + (size_t)row * bytes_of(type, p->n);
            for (int s = first; s < first + CHUNK && s < spans; s++) {
                unpack_of(true, type, w, p->n, s, left < TILE_ROWS ? left : TILE_ROWS, &at->w);
                ask_ahead(type, w, p->n, s, 0, TILE_ROWS);
                add(at, &all, s, at->sum + i * all.tiles);
            }
        }
    }
    for (int i = 0; i < panels; i++) copy_sums(p, i * TILE_ROWS, at->sum + i * all.tiles);
}

#include "kernel/x86/weights_each.inc.c"

/* Tiles of sums and of vectors have a row for each vector, those of weights a row for each pair of elements. */
static void begin(int vectors)
{
    const uint8_t v = (uint8_t)vectors;
    const flaw_tile_config c = {.palette = 1,
                                .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                                .rows = {v, v, v, v, v, v, PAIRS, PAIRS}};
    flaw_tiles_begin(&c);
}

static void product(const flaw_weight_product *p, void *scratch)
{
    begin(vectors_of_tile(p->vectors));
    product_any(p, scratch);
    _tile_release();
}

const flaw_weight_many flaw_amx_many = {
    .reads = READS_EACH,
    .bundle = vectors_of_tile,
    .size = bundle_size,
    .prepare = prepare,
    .scratch = scratch_size,
    .product = product};
