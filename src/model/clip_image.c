/* Forward pass of the image tower, batch first:
 *   tokens = [class, patches] + position -> (ln_pre) -> blocks -> ln_post -> projection. */
#include <string.h>

#include "model/clip.h"
#include "model/rows.h"

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
    const flaw_clip *m;
    const float *pixels; /* [N, 3, S, S] */
    float *rows;         /* [N, P, 3*p*p] */
    float *x;            /* [N, T, D] */
} embed_pass;

/* One row of patches: the pixels of each patch side by side, as the weights of the convolution lie. */
static void rows_piece(void *context, int piece, int worker)
{
    const embed_pass *e = context;
    (void)worker;
    const flaw_clip_shape *s = &e->m->shape;
    size_t side = (size_t)s->side, p = (size_t)s->patch, grid = (size_t)s->grid;
    size_t picture = (size_t)piece / grid, gy = (size_t)piece % grid;
    float *out = e->rows + (size_t)piece * grid * 3 * p * p;
    for (size_t gx = 0; gx < grid; gx++)
        for (size_t channel = 0; channel < 3; channel++)
            for (size_t y = 0; y < p; y++, out += p) {
                const float *in = e->pixels + ((picture * 3 + channel) * side + gy * p + y) * side + gx * p;
                memcpy(out, in, p * sizeof *out);
            }
}

/* One picture: class token, positions, registers. */
static void position_piece(void *context, int piece, int worker)
{
    const embed_pass *e = context;
    (void)worker;
    const flaw_clip_shape *s = &e->m->shape;
    size_t d = (size_t)s->image.width, count = ((size_t)flaw_clip_patches(s) + 1) * d, registers = (size_t)s->registers * d;
    float *x = e->x + (size_t)piece * (count + registers);
    memcpy(x, e->m->view.cls, d * sizeof *x);
    for (size_t i = 0; i < count; i++) x[i] += e->m->view.position[i];
    if (registers) memcpy(x + count, e->m->view.registers, registers * sizeof *x);
}

static void embed(flaw_compute *c, const flaw_clip *m, int n, const float *pixels, float *x, float *rows)
{
    const flaw_clip_shape *s = &m->shape;
    size_t patches = (size_t)flaw_clip_patches(s), d = (size_t)s->image.width, taps = 3 * (size_t)(s->patch * s->patch);
    size_t tokens = (size_t)flaw_clip_tokens(s);
    embed_pass e = {.m = m, .pixels = pixels, .rows = rows, .x = x};
    flaw_pool_run(c->pool, rows_piece, &e, n * s->grid);
    for (size_t i = 0; i < (size_t)n; i++)
        flaw_linear_forward(c, &m->patch, (int)patches, rows + i * patches * taps, (ptrdiff_t)taps,
                            x + (i * tokens + 1) * d, FLAW_ACT_NONE, NULL, NULL);
    flaw_pool_run(c->pool, position_piece, &e, n);
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
