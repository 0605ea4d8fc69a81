/* Window embeddings of WinCLIP (CVPR 2023, section 4.2): each k x k window of patches, with the class token and the
 * positions the patches have in the whole picture, goes through the tower as a sequence of its own. The other tokens
 * are dropped, not zeroed; registers stay. Attention runs within a window, never across windows: [W, 1 + k*k, D], batch
 * first. */
#include <string.h>

#include "model/clip.h"
#include "model/rows.h"

/* Windows go through in chunks of about so many tokens: enough for the products, small enough for the caches. */
#define CHUNK_TOKENS 2048

static int windows_of(const flaw_clip *m, int k)
{
    return (m->shape.grid - k + 1) * (m->shape.grid - k + 1);
}

static int tokens_of(const flaw_clip *m, int k)
{
    return 1 + k * k + m->shape.registers;
}

static int chunk_of(const flaw_clip *m, int k)
{
    int chunk = CHUNK_TOKENS / tokens_of(m, k), windows = windows_of(m, k);
    if (chunk < 1) chunk = 1;
    return chunk < windows ? chunk : windows;
}

size_t flaw_clip_window_workspace(const flaw_clip *m, int k)
{
    int chunk = chunk_of(m, k), tokens = tokens_of(m, k);
    return (size_t)chunk * (size_t)tokens * (size_t)m->shape.image.width +
           flaw_block_workspace(&m->shape.image, chunk, tokens);
}

/* Tokens of window `index` (row-major) from embedded [T, D] to x [1 + k*k and registers, D]. */
static void gather(const flaw_clip *m, int k, int index, const float *embedded, float *x)
{
    size_t d = (size_t)m->shape.image.width, grid = (size_t)m->shape.grid, across = grid - (size_t)k + 1;
    size_t top = (size_t)index / across, left = (size_t)index % across;
    memcpy(x, embedded, d * sizeof *x);
    for (size_t y = 0; y < (size_t)k; y++)
        memcpy(x + (1 + y * (size_t)k) * d, embedded + (1 + (top + y) * grid + left) * d, (size_t)k * d * sizeof *x);
    memcpy(x + (1 + (size_t)(k * k)) * d, embedded + (1 + grid * grid) * d, (size_t)m->shape.registers * d * sizeof *x);
}

void flaw_clip_encode_windows(flaw_compute *c, const flaw_clip *m, int k, const float *embedded, float *out,
                              float *work)
{
    const flaw_clip_view *v = &m->view;
    int d = m->shape.image.width, tokens = tokens_of(m, k), windows = windows_of(m, k), chunk = chunk_of(m, k);
    size_t width = (size_t)flaw_clip_width(&m->shape), sequence = (size_t)tokens * (size_t)d;
    float *x = work, *second = work + (size_t)chunk * sequence, eps = m->shape.image.eps;
    for (int first = 0; first < windows; first += chunk) {
        int n = windows - first < chunk ? windows - first : chunk;
        float *to = out + (size_t)first * width;
        for (int i = 0; i < n; i++) gather(m, k, first + i, embedded, x + (size_t)i * sequence);
        if (m->shape.pre_norm) flaw_rows_norm(c, n * tokens, d, eps, x, v->pre_w, v->pre_b, x);
        for (int l = 0; l < m->shape.image_layers; l++) flaw_block_forward(c, &m->image_block[l], n, tokens, x, second);
        flaw_rows_norm_of(c, n, tokens, 0, 1, d, eps, x, v->post_w, v->post_b, m->shape.joint ? second : to);
        if (m->shape.joint) flaw_linear_forward(c, &m->image_proj, n, second, d, to, FLAW_ACT_NONE, NULL, NULL);
    }
}
