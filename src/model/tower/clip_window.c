/* Window embeddings of WinCLIP (CVPR 2023, section 4.2): each k x k window of patches, with the class token and the
 * positions the patches have in the whole picture, goes through the tower as a sequence of its own. The other tokens
 * are dropped, not zeroed; registers stay. Attention runs within a window, never across windows: [W, 1 + k*k, D], batch
 * first. */
#include <string.h>

#include "model/tower/clip.h"
#include "model/tower/rows.h"
#include "nn/block_short.h"

typedef struct window_rows {
    const flaw_clip *m;
    const int *k;
} window_rows;

static int windows_of(const flaw_clip *m, int k)
{
    return (m->shape.grid - k + 1) * (m->shape.grid - k + 1);
}

/* Token of the picture [class, patches, registers] that is this token of a window; windows are counted row-major. */
static int row_of(const void *context, int kind, int window, int token)
{
    const window_rows *w = context;
    int grid = w->m->shape.grid, k = w->k[kind], across = grid - k + 1, patch = token - 1;
    if (token == 0) return 0;
    if (patch >= k * k) return 1 + grid * grid + patch - k * k;
    return 1 + (window / across + patch / k) * grid + window % across + patch % k;
}

/* The windows of all sizes are one batch. */
static flaw_short sequences_of(const window_rows *w, int sizes)
{
    flaw_short s = {.kinds = sizes, .table = flaw_clip_tokens(&w->m->shape), .row_of = row_of, .context = w};
    for (int i = 0; i < sizes; i++) {
        s.kind[i].n = windows_of(w->m, w->k[i]);
        s.kind[i].tokens = 1 + w->k[i] * w->k[i] + w->m->shape.registers;
    }
    return s;
}

/* Floats of the tokens before the first block and of the class tokens behind the last, twice. */
static void rooms(const flaw_clip *m, const flaw_short *s, size_t *table, size_t *tokens)
{
    *table = (size_t)s->table * (size_t)m->shape.image.width;
    *tokens = (size_t)flaw_short_sequences(s) * (size_t)m->shape.image.width;
}

size_t flaw_clip_window_workspace(const flaw_compute *c, const flaw_clip *m, int sizes, const int *k)
{
    window_rows w = {m, k};
    flaw_short s = sequences_of(&w, sizes);
    size_t table, tokens;
    rooms(m, &s, &table, &tokens);
    return table + 2 * tokens + flaw_short_workspace(c, &m->shape.image, &s);
}

void flaw_clip_encode_windows(flaw_compute *c, const flaw_clip *m, int sizes, const int *k, const float *embedded,
                              float *const *out, float *work)
{
    const flaw_clip_view *v = &m->view;
    window_rows w = {m, k};
    flaw_short s = sequences_of(&w, sizes);
    size_t table, tokens, d = (size_t)m->shape.image.width;
    rooms(m, &s, &table, &tokens);
    float *x = work + table, *normed = x + tokens, eps = m->shape.image.eps;
    if (m->shape.pre_norm) flaw_rows_norm(c, s.table, (int)d, eps, embedded, v->pre_w, v->pre_b, work);
    else memcpy(work, embedded, table * sizeof *work);
    flaw_short_forward(c, m->image_block, m->shape.image_layers, &s, work, x, normed + tokens);
    flaw_rows_norm(c, flaw_short_sequences(&s), (int)d, eps, x, v->post_w, v->post_b, normed);
    for (int i = 0; i < sizes; normed += (size_t)s.kind[i++].n * d) {
        if (m->shape.joint)
            flaw_linear_forward(c, &m->image_proj, s.kind[i].n, normed, (ptrdiff_t)d, out[i], FLAW_ACT_NONE, NULL, NULL);
        else
            memcpy(out[i], normed, (size_t)s.kind[i].n * d * sizeof *normed);
    }
}
