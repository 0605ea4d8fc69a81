/* Forward pass of the text tower: tokens + position -> causal blocks -> ln_final -> row of the end token -> projection.
 */
#include <string.h>

#include "model/tower/clip.h"
#include "model/tower/rows.h"

/* Texts go through in chunks, so that a prompt set of any size needs a bounded workspace. */
#define CHUNK_TEXTS 32

static int chunk_of(int n)
{
    return n < CHUNK_TEXTS ? n : CHUNK_TEXTS;
}

size_t flaw_clip_text_workspace(const flaw_clip *m, int n)
{
    int chunk = chunk_of(n), d = m->shape.text.width;
    return (size_t)chunk * (size_t)m->shape.context * (size_t)d + 2 * (size_t)chunk * (size_t)d +
           flaw_block_workspace(&m->shape.text, chunk, m->shape.context);
}

/* Place of the end token: the first text_end, or the first of the highest id; 0 when there is none. */
static int end_of(const flaw_clip_shape *s, const int32_t *ids)
{
    int end = 0;
    for (int t = 0; t < s->context; t++) {
        if (s->text_end && ids[t] == s->text_end) return t;
        if (!s->text_end && ids[t] > ids[end]) end = t;
    }
    return end;
}

static void embed(const flaw_clip *m, int tokens, const int32_t *ids, float *x)
{
    size_t d = (size_t)m->shape.text.width;
    for (size_t t = 0; t < (size_t)tokens; t++) {
        const float *token = m->view.token + (size_t)ids[t] * d, *position = m->view.text_position + t * d;
        for (size_t i = 0; i < d; i++) x[t * d + i] = token[i] + position[i];
    }
}

static void encode_chunk(flaw_compute *c, const flaw_clip *m, int n, const int32_t *ids, float *out, float *work)
{
    const flaw_clip_shape *s = &m->shape;
    size_t d = (size_t)s->text.width;
    int end[CHUNK_TEXTS], tokens = 1;
    for (int i = 0; i < n; i++) {
        end[i] = end_of(s, ids + (size_t)i * (size_t)s->context);
        if (end[i] + 1 > tokens) tokens = end[i] + 1;
    }
    float *x = work, *last = x + (size_t)n * (size_t)tokens * d, *normed = last + (size_t)n * d;
    for (size_t i = 0; i < (size_t)n; i++) embed(m, tokens, ids + i * (size_t)s->context, x + i * (size_t)tokens * d);
    for (int l = 0; l < s->text_layers; l++)
        flaw_block_forward(c, &m->text_block[l], n, tokens, x, normed + (size_t)n * d);
    for (size_t i = 0; i < (size_t)n; i++)
        memcpy(last + i * d, x + (i * (size_t)tokens + (size_t)end[i]) * d, d * sizeof *x);
    flaw_rows_norm(c, n, (int)d, s->text.eps, last, m->view.final_w, m->view.final_b, normed);
    flaw_linear_forward(c, &m->text_proj, n, normed, (ptrdiff_t)d, out, FLAW_ACT_NONE, NULL, NULL);
}

void flaw_clip_encode_texts(flaw_compute *c, const flaw_clip *m, int n, const int32_t *ids, float *out, float *work)
{
    for (int first = 0; first < n; first += CHUNK_TEXTS)
        encode_chunk(c, m, chunk_of(n - first), ids + (size_t)first * (size_t)m->shape.context,
                     out + (size_t)first * (size_t)m->shape.joint, work);
}
