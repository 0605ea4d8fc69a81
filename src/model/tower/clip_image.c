/* Forward pass of the image tower, batch first:
 *   tokens = [class, patches] + position -> (ln_pre) -> blocks -> ln_post -> projection. */
#include <string.h>

#include "model/tower/clip.h"
#include "model/tower/rows.h"
#include "nn/watch.h"

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Two regions: the residual stream [N, T, D], and one that in turn holds the patches as rows [N, P, 3*p*p], the
 * workspace of the blocks, and normed tokens [N, T, D]. */
size_t flaw_clip_image_workspace(const flaw_clip *m, int n)
{
    const flaw_clip_shape *s = &m->shape;
    size_t patches = (size_t)flaw_clip_patches(s), tokens = (size_t)flaw_clip_tokens(s), stream = tokens * (size_t)s->image.width;
    size_t rows = patches * 3 * (size_t)s->patch * (size_t)s->patch;
    size_t block = flaw_block_workspace(&s->image, n, (int)tokens);
    return (size_t)n * stream + larger((size_t)n * larger(rows, stream), block);
}

typedef struct embed_pass {
    const flaw_compute *c;
    const flaw_clip *m;
    const float *pixels; /* [N, 3, S, S] */
    float *rows;         /* [N, P, 3*p*p] */
    float *x;            /* [N, T, D] */
    int band, bands;     /* rows of the grid that a piece takes; pieces of a picture */
} embed_pass;

/* About so many patches are a piece. */
#define BAND_PATCHES 48

/* Row gy of the grid: the pixels of each patch side by side, as the weights of the convolution lie. */
static void gather_patches(const flaw_clip_shape *s, const float *picture, size_t gy, float *out)
{
    size_t side = (size_t)s->side, p = (size_t)s->patch, grid = (size_t)s->grid;
    for (size_t gx = 0; gx < grid; gx++)
        for (size_t channel = 0; channel < 3; channel++)
            for (size_t y = 0; y < p; y++, out += p)
                memcpy(out, picture + (channel * side + gy * p + y) * side + gx * p, p * sizeof *out);
}

/* Class token with its position, registers. */
static void place_others(const flaw_clip *m, float *x)
{
    size_t d = (size_t)m->shape.image.width, registers = (size_t)m->shape.registers * d;
    for (size_t i = 0; i < d; i++) x[i] = m->view.cls[i] + m->view.position[i];
    if (registers) memcpy(x + ((size_t)flaw_clip_patches(&m->shape) + 1) * d, m->view.registers, registers * sizeof *x);
}

/* Some rows of the grid of one picture: patches, their embedding, their positions. */
static void embed_piece(void *context, int piece, int worker)
{
    const embed_pass *e = context;
    const flaw_clip_shape *s = &e->m->shape;
    double start = flaw_watch_start(e->c);
    size_t picture = (size_t)(piece / e->bands), grid = (size_t)s->grid, d = (size_t)s->image.width;
    size_t first = (size_t)(piece % e->bands * e->band), taps = 3 * (size_t)(s->patch * s->patch);
    size_t last = first + (size_t)e->band < grid ? first + (size_t)e->band : grid;
    const float *pixels = e->pixels + picture * 3 * (size_t)s->side * (size_t)s->side;
    float *rows = e->rows + (picture * grid + first) * grid * taps;
    float *x = e->x + picture * (size_t)flaw_clip_tokens(s) * d;
    if (first == 0) place_others(e->m, x);
    for (size_t gy = first; gy < last; gy++) gather_patches(s, pixels, gy, rows + (gy - first) * grid * taps);
    size_t token = 1 + first * grid;
    flaw_linear_rows(e->c, worker, &e->m->patch, (int)((last - first) * grid), rows, (ptrdiff_t)taps, x + token * d,
                     (ptrdiff_t)d, FLAW_ACT_NONE, e->m->view.position + token * d, NULL, false);
    flaw_watch_lap(e->c, worker, FLAW_STATION_PATCH, &start);
}

static void embed(flaw_compute *c, const flaw_clip *m, int n, const float *pixels, float *x, float *rows)
{
    int grid = m->shape.grid, band = grid < BAND_PATCHES ? BAND_PATCHES / grid : 1;
    embed_pass e = {.c = c, .m = m, .pixels = pixels, .rows = rows, .x = x, .band = band, .bands = (grid + band - 1) / band};
    flaw_pool_run(c->pool, embed_piece, &e, n * e.bands);
}

/* Local head, one stage: patches[N*P, E] (+)= local_w LN(stage) (+ local_b with the first). */
static void add_local(flaw_compute *c, const flaw_clip *m, int n, int stage, const float *x, float *patches,
                      float *normed)
{
    int count = flaw_clip_patches(&m->shape), d = m->shape.image.width;
    flaw_rows_norm_of(c, n, flaw_clip_tokens(&m->shape), 1, count, d, m->shape.image.eps, x,
                      m->view.local_norm_w[stage], m->view.local_norm_b[stage], normed);
    flaw_linear_forward(c, &m->local[stage], n * count, normed, d, patches, FLAW_ACT_NONE, stage ? patches : NULL,
                        NULL);
}

/* Blocks that the wanted results need: memory banks look at the lower stages only. */
static int blocks_needed(const flaw_clip *m, const flaw_image_output *out)
{
    int needed = 0;
    if (out->cls || out->patches || out->tokens || out->logits || out->block) return m->shape.image_layers;
    for (int s = 0; s < FLAW_STAGES; s++)
        if (out->stage[s] && m->shape.stage[s] + 1 > needed) needed = m->shape.stage[s] + 1;
    return needed;
}

static void run_blocks(flaw_compute *c, const flaw_clip *m, int n, float *x, const flaw_image_output *out, float *work)
{
    int tokens = flaw_clip_tokens(&m->shape);
    size_t count = (size_t)n * (size_t)tokens * (size_t)m->shape.image.width, bytes = count * sizeof *x;
    for (int l = 0; l < blocks_needed(m, out); l++) {
        flaw_block_forward(c, &m->image_block[l], n, tokens, x, work);
        if (out->block) memcpy(out->block + (size_t)l * count, x, bytes);
        for (int s = 0; s < FLAW_STAGES; s++) {
            if (m->shape.stage[s] != l) continue;
            if (out->stage[s]) memcpy(out->stage[s], x, bytes);
            if (m->shape.local_head && out->patches) add_local(c, m, n, s, x, out->patches, work);
        }
    }
}

/* ln_post of rows first .. first+count-1 of every picture, then the projection where there is one. */
static void project(flaw_compute *c, const flaw_clip *m, int n, int first, int count, const float *x, float *out,
                    float *normed)
{
    int d = m->shape.image.width, tokens = flaw_clip_tokens(&m->shape);
    float *to = m->shape.joint ? normed : out;
    flaw_rows_norm_of(c, n, tokens, first, count, d, m->shape.image.eps, x, m->view.post_w, m->view.post_b, to);
    if (m->shape.joint) flaw_linear_forward(c, &m->image_proj, n * count, normed, d, out, FLAW_ACT_NONE, NULL, NULL);
}

void flaw_clip_encode_images(flaw_compute *c, const flaw_clip *m, int n, const float *pixels,
                             const flaw_image_output *out, float *work)
{
    const flaw_clip_shape *s = &m->shape;
    int patches = flaw_clip_patches(s), tokens = flaw_clip_tokens(s), d = s->image.width;
    size_t count = (size_t)n * (size_t)tokens * (size_t)d;
    float *x = work, *second = work + count;
    embed(c, m, n, pixels, x, second);
    if (out->embedded) memcpy(out->embedded, x, count * sizeof *x);
    if (s->pre_norm) flaw_rows_norm(c, n * tokens, d, s->image.eps, x, m->view.pre_w, m->view.pre_b, x);
    run_blocks(c, m, n, x, out, second);
    if (out->tokens) flaw_rows_norm(c, n * tokens, d, s->image.eps, x, m->view.post_w, m->view.post_b, out->tokens);
    if (out->cls) project(c, m, n, 0, 1, x, out->cls, second);
    if (out->logits && s->classes) {
        flaw_rows_norm_of(c, n, tokens, 0, 1, d, s->image.eps, x, m->view.post_w, m->view.post_b, second);
        flaw_linear_forward(c, &m->head, n, second, d, out->logits, FLAW_ACT_NONE, NULL, NULL);
    }
    if (!out->patches) return;
    if (!s->local_head) project(c, m, n, 1, patches, x, out->patches, second);
    flaw_rows_unit(c, n * patches, flaw_clip_width(s), out->patches);
}
