/* Text tower of the trainer: token and position rows -> causal blocks -> end token -> projection, and back. */
#include <string.h>

#include "model/tower/clip_backward.h"
#include "nn/norm.h"

static void embed_piece(void *context, int sentence, int worker)
{
    const flaw_clip_train *t = context;
    const flaw_text_train *x = &t->text;
    (void)worker;
    size_t d = (size_t)t->shape.text.width;
    for (size_t k = 0; k < (size_t)x->tokens; k++) {
        const float *token = t->w.token + (size_t)x->ids[sentence * x->id_row + (ptrdiff_t)k] * d;
        const float *position = t->w.text_position + k * d;
        float *out = x->stream + ((size_t)sentence * (size_t)x->tokens + k) * d;
        for (size_t i = 0; i < d; i++) out[i] = token[i] + position[i];
    }
}

/* Row of the end token of sentence m in an array [M, tokens, Dt]. */
static size_t end_row(const flaw_clip_train *t, int m)
{
    return ((size_t)m * (size_t)t->text.tokens + (size_t)t->text.end[m]) * (size_t)t->shape.text.width;
}

void flaw_clip_train_texts(flaw_compute *c, flaw_clip_train *t, int m, int tokens, const int32_t *ids, ptrdiff_t id_row,
                           const int *end)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_text_train *x = &t->text;
    int d = s->text.width;
    x->m = m;
    x->tokens = tokens;
    x->ids = ids;
    x->id_row = id_row;
    x->end = end;
    flaw_pool_run(c->pool, embed_piece, t, m);
    for (int l = 0; l < s->text_layers; l++) flaw_block_train_forward(c, &t->text_block[l], m, tokens, &x->saved[l]);
    const float *last = s->text_layers ? x->saved[s->text_layers - 1].y : x->stream;
    for (int i = 0; i < m; i++) memcpy(x->end_rows + (size_t)i * (size_t)d, last + end_row(t, i), (size_t)d * sizeof(float));
    flaw_norm_forward(c, m, d, s->text.eps, x->end_rows, d, t->w.final_w, t->w.final_b, x->final, x->mean, x->rstd);
    flaw_linear_forward(c, &t->text_proj, m, x->final, d, x->out, FLAW_ACT_NONE, NULL, NULL);
    memset(x->d_out, 0, (size_t)m * (size_t)s->joint * sizeof(float));
}

/* d of the end rows, spread into d [M, tokens, Dt]; all other rows are zero. */
static void end_backward(flaw_compute *c, flaw_clip_train *t, float *d, float *free_rows)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_text_train *x = &t->text;
    int width = s->text.width;
    size_t floats = (size_t)x->m * (size_t)width;
    flaw_gradient_job job = {.rows = x->m, .in = width, .out = s->joint, .x = x->final, .x_row = width, .dy = x->d_out,
                             .dy_row = s->joint, .dw = t->g.text_proj};
    flaw_gradient_run(c, &job, 1, t->work);
    flaw_linear_backward(c, &t->text_proj, x->m, x->d_out, s->joint, free_rows, false);
    float *d_end = free_rows + floats; /* rows are at least 2 tokens a sentence: start and end */
    memset(d_end, 0, floats * sizeof(float));
    flaw_norm_backward(c, x->m, width, x->end_rows, t->w.final_w, x->mean, x->rstd, free_rows, d_end, t->g.final_w,
                       t->g.final_b, t->work);
    memset(d, 0, floats * (size_t)x->tokens * sizeof(float));
    for (int i = 0; i < x->m; i++)
        memcpy(d + end_row(t, i), d_end + (size_t)i * (size_t)width, (size_t)width * sizeof(float));
}

/* Token and position gradients in the order of the sentences; each piece owns a stretch of columns. */
typedef struct scatter {
    const flaw_clip_train *t;
    const float *d;
} scatter;

#define SCATTER_COLUMNS 32

static void scatter_piece(void *context, int piece, int worker)
{
    const scatter *p = context;
    const flaw_text_train *x = &p->t->text;
    (void)worker;
    size_t d = (size_t)p->t->shape.text.width, from = (size_t)piece * SCATTER_COLUMNS;
    size_t to = from + SCATTER_COLUMNS < d ? from + SCATTER_COLUMNS : d;
    for (int m = 0; m < x->m; m++)
        for (int k = 0; k <= x->end[m]; k++) { /* what follows the end has no gradient */
            const float *row = p->d + ((size_t)m * (size_t)x->tokens + (size_t)k) * d;
            float *token = p->t->g.token + (size_t)x->ids[m * x->id_row + k] * d;
            float *position = p->t->g.text_position + (size_t)k * d;
            for (size_t i = from; i < to; i++) {
                token[i] += row[i];
                position[i] += row[i];
            }
        }
}

void flaw_clip_train_texts_backward(flaw_compute *c, flaw_clip_train *t)
{
    flaw_text_train *x = &t->text;
    float *d = x->d_a, *next = x->d_b;
    end_backward(c, t, d, next);
    for (int l = t->shape.text_layers - 1; l >= 0; l--) {
        flaw_block_backward(c, &t->text_block[l], &x->saved[l], x->m, x->tokens, d, next, &t->g.text_block[l], t->work);
        float *swap = d;
        d = next;
        next = swap;
    }
    scatter p = {.t = t, .d = d};
    flaw_pool_run(c->pool, scatter_piece, &p, (t->shape.text.width + SCATTER_COLUMNS - 1) / SCATTER_COLUMNS);
}
