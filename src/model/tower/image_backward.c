/* Image tower of the trainer: patches -> tokens -> blocks -> class embedding and local head, and back. */
#include <string.h>

#include "model/tower/clip_backward.h"
#include "nn/norm.h"

typedef struct embedding {
    flaw_clip_train *t;
    const float *pixels;
} embedding;

/* Patches of one picture as rows [P, 3*p*p] in the order of the convolution's weights (channel, row, column). */
static void columns_piece(void *context, int picture, int worker)
{
    const embedding *e = context;
    const flaw_clip_shape *s = &e->t->shape;
    (void)worker;
    size_t side = (size_t)s->side, p = (size_t)s->patch, grid = (size_t)s->grid;
    const float *pixels = e->pixels + (size_t)picture * 3 * side * side;
    float *out = e->t->image.columns + (size_t)picture * grid * grid * 3 * p * p;
    for (size_t gy = 0; gy < grid; gy++)
        for (size_t gx = 0; gx < grid; gx++)
            for (size_t row = 0; row < 3 * p; row++, out += p) /* channel, row of the patch */
                memcpy(out, pixels + (row / p * side + gy * p + row % p) * side + gx * p, p * sizeof *out);
}

/* Tokens of one picture: class token and projected patches (in d_a), plus positions. */
static void tokens_piece(void *context, int picture, int worker)
{
    const embedding *e = context;
    const flaw_clip_train *t = e->t;
    (void)worker;
    size_t patches = (size_t)flaw_clip_patches(&t->shape), d = (size_t)t->shape.image.width;
    float *out = t->image.embedded + (size_t)picture * (1 + patches) * d;
    const float *in = t->image.d_a + (size_t)picture * patches * d, *position = t->w.position;
    for (size_t i = 0; i < d; i++) out[i] = t->w.cls[i] + position[i];
    for (size_t i = 0; i < patches * d; i++) out[d + i] = in[i] + position[d + i];
}

static void embed(flaw_compute *c, flaw_clip_train *t, int n, const float *pixels)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_image_train *i = &t->image;
    embedding e = {.t = t, .pixels = pixels};
    int rows = n * (1 + flaw_clip_patches(s));
    flaw_pool_run(c->pool, columns_piece, &e, n);
    flaw_linear_forward(c, &t->patch, n * flaw_clip_patches(s), i->columns, t->patch.in, i->d_a, FLAW_ACT_NONE, NULL, NULL);
    flaw_pool_run(c->pool, tokens_piece, &e, n);
    if (s->pre_norm)
        flaw_norm_forward(c, rows, s->image.width, s->image.eps, i->embedded, s->image.width, t->w.pre_w, t->w.pre_b,
                          i->stream, i->mean, i->rstd);
    else
        memcpy(i->stream, i->embedded, (size_t)rows * (size_t)s->image.width * sizeof *i->stream);
}

static void run_blocks(flaw_compute *c, flaw_clip_train *t, int n)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_image_train *i = &t->image;
    int tokens = 1 + flaw_clip_patches(s);
    size_t floats = (size_t)n * (size_t)tokens * (size_t)s->image.width;
    for (int l = 0; l < s->image_layers; l++) {
        if (l >= t->limits.first_trained) {
            flaw_block_train_forward(c, &t->image_block[l], n, tokens, &i->saved[l]);
            continue;
        }
        flaw_block_forward(c, &t->image_block[l], n, tokens, i->stream, i->work);
        for (int k = 0; k < FLAW_STAGES; k++)
            if (s->stage[k] == l) memcpy(i->stage[k], i->stream, floats * sizeof(float));
    }
}

/* cls = proj(ln_post(class token of the last block)) */
static void class_forward(flaw_compute *c, flaw_clip_train *t, int n)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_image_train *i = &t->image;
    size_t d = (size_t)s->image.width, step = (size_t)(1 + flaw_clip_patches(s)) * d;
    const float *last = s->image_layers > t->limits.first_trained ? i->saved[s->image_layers - 1].y : i->stream;
    for (int r = 0; r < n; r++) memcpy(i->class_rows + (size_t)r * d, last + (size_t)r * step, d * sizeof(float));
    flaw_norm_forward(c, n, s->image.width, s->image.eps, i->class_rows, s->image.width, t->w.post_w, t->w.post_b, i->post,
                      i->post_mean, i->post_rstd);
    flaw_linear_forward(c, &t->image_proj, n, i->post, s->image.width, i->cls, FLAW_ACT_NONE, NULL, NULL);
}

/* local = sum over stages of W_s LN_s(stage_s), + b */
static void local_forward(flaw_compute *c, flaw_clip_train *t, int n)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_image_train *i = &t->image;
    int rows = n * (1 + flaw_clip_patches(s)), d = s->image.width;
    for (int k = 0; k < FLAW_STAGES; k++) {
        flaw_norm_forward(c, rows, d, s->image.eps, i->stage[k], d, t->w.local_norm_w[k], t->w.local_norm_b[k],
                          i->local_norm[k], i->local_mean[k], i->local_rstd[k]);
        flaw_linear_forward(c, &t->local_linear[k], rows, i->local_norm[k], d, i->local, FLAW_ACT_NONE,
                            k ? i->local : NULL, NULL);
    }
}

static void clear_gradients(flaw_clip_train *t, int n)
{
    const flaw_clip_shape *s = &t->shape;
    size_t rows = (size_t)n * (size_t)(1 + flaw_clip_patches(s)), d = (size_t)s->image.width, e = (size_t)s->joint;
    memset(t->image.d_cls, 0, (size_t)n * e * sizeof(float));
    if (s->local_head) memset(t->image.d_local, 0, rows * e * sizeof(float));
    for (int k = 0; k < FLAW_STAGES; k++)
        if (t->image.d_stage[k]) memset(t->image.d_stage[k], 0, rows * d * sizeof(float));
}

void flaw_clip_train_images(flaw_compute *c, flaw_clip_train *t, int n, const float *pixels)
{
    t->image.n = n;
    embed(c, t, n, pixels);
    run_blocks(c, t, n);
    class_forward(c, t, n);
    if (t->shape.local_head) local_forward(c, t, n);
    clear_gradients(t, n);
}

/* Into the local head's weights and, through its norms, into d_stage of the trained stages. */
static void local_backward(flaw_compute *c, flaw_clip_train *t)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_image_train *i = &t->image;
    int rows = i->n * (1 + flaw_clip_patches(s)), d = s->image.width;
    flaw_gradient_job jobs[FLAW_STAGES];
    for (int k = 0; k < FLAW_STAGES; k++)
        jobs[k] = (flaw_gradient_job){.rows = rows, .in = d, .out = s->joint, .x = i->local_norm[k], .x_row = d,
                                      .dy = i->d_local, .dy_row = s->joint, .dw = t->g.local_w[k],
                                      .db = k ? NULL : t->g.local_b};
    flaw_gradient_run(c, jobs, FLAW_STAGES, t->work);
    for (int k = 0; k < FLAW_STAGES; k++) {
        float *d_stage = i->d_stage[k] ? i->d_stage[k] : i->d_b; /* of a frozen stage only the norm's weights matter */
        flaw_linear_backward(c, &t->local_linear[k], rows, i->d_local, s->joint, i->d_a, false);
        flaw_norm_backward(c, rows, d, i->stage[k], t->w.local_norm_w[k], i->local_mean[k], i->local_rstd[k], i->d_a,
                           d_stage, t->g.local_norm_w[k], t->g.local_norm_b[k], t->work);
    }
}

/* Writes the gradient of the class tokens into rows 0 of `d_last` [N, T, D] (which it adds to). */
static void class_backward(flaw_compute *c, flaw_clip_train *t, float *d_last)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_image_train *i = &t->image;
    int d = s->image.width, n = i->n;
    size_t step = (size_t)(1 + flaw_clip_patches(s)) * (size_t)d;
    flaw_gradient_job job = {.rows = n, .in = d, .out = s->joint, .x = i->post, .x_row = d, .dy = i->d_cls,
                             .dy_row = s->joint, .dw = t->g.image_proj};
    flaw_gradient_run(c, &job, 1, t->work);
    float *d_post = i->d_b, *d_class = i->d_b + (size_t)n * (size_t)d;
    memset(d_class, 0, (size_t)n * (size_t)d * sizeof(float));
    flaw_linear_backward(c, &t->image_proj, n, i->d_cls, s->joint, d_post, false);
    flaw_norm_backward(c, n, d, i->class_rows, t->w.post_w, i->post_mean, i->post_rstd, d_post, d_class, t->g.post_w,
                       t->g.post_b, t->work);
    for (int r = 0; d_last && r < n; r++)
        c->kernels->axpy((size_t)d, 1, d_class + (size_t)r * (size_t)d, d_last + (size_t)r * step);
}

/* Sums over the pictures in their order, columns split over the pool. */
typedef struct sum_pass {
    const flaw_clip_train *t;
    const float *d; /* [N, T, D] gradient of the tokens */
} sum_pass;

static void position_piece(void *context, int token, int worker)
{
    const sum_pass *p = context;
    const flaw_clip_train *t = p->t;
    (void)worker;
    size_t d = (size_t)t->shape.image.width, step = (size_t)(1 + flaw_clip_patches(&t->shape)) * d;
    float *out = t->g.position + (size_t)token * d;
    for (int n = 0; n < t->image.n; n++)
        for (size_t i = 0; i < d; i++) {
            float g = p->d[(size_t)n * step + (size_t)token * d + i];
            out[i] += g;
            if (token == 0) t->g.cls[i] += g;
        }
}

/* Gradient of positions, class token and patch projection from d_tokens [N, T, D]; d_b is free. */
static void embedding_backward(flaw_compute *c, flaw_clip_train *t, const float *d_tokens, float *free_rows)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_image_train *i = &t->image;
    int d = s->image.width, patches = flaw_clip_patches(s), rows = i->n * (1 + patches);
    if (s->pre_norm) {
        memset(free_rows, 0, (size_t)rows * (size_t)d * sizeof(float));
        flaw_norm_backward(c, rows, d, i->embedded, t->w.pre_w, i->mean, i->rstd, d_tokens, free_rows, t->g.pre_w,
                           t->g.pre_b, t->work);
        d_tokens = free_rows;
    }
    sum_pass p = {.t = t, .d = d_tokens};
    flaw_pool_run(c->pool, position_piece, &p, 1 + patches);
    /* dW of the projection picture by picture: its rows skip the class token. The last stage's gradient is free by now. */
    size_t step = (size_t)patches * (size_t)d;
    float *dense = i->stream;
    for (int n = 0; n < i->n; n++)
        memcpy(dense + (size_t)n * step, d_tokens + (size_t)n * (step + (size_t)d) + d, step * sizeof(float));
    flaw_gradient_job job = {.rows = i->n * patches, .in = t->patch.in, .out = d, .x = i->columns, .x_row = t->patch.in,
                             .dy = dense, .dy_row = d, .dw = t->g.patch_w, .db = t->g.patch_b};
    flaw_gradient_run(c, &job, 1, t->work);
}

typedef struct add_pass {
    const flaw_compute *c;
    const float *from;
    float *to;
    size_t row; /* floats of a piece */
} add_pass;

static void add_piece(void *context, int piece, int worker)
{
    const add_pass *p = context;
    (void)worker;
    p->c->kernels->axpy(p->row, 1, p->from + (size_t)piece * p->row, p->to + (size_t)piece * p->row);
}

void flaw_clip_train_images_backward(flaw_compute *c, flaw_clip_train *t)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_image_train *i = &t->image;
    int tokens = 1 + flaw_clip_patches(s), first = t->limits.first_trained, last = s->image_layers - 1;
    size_t picture = (size_t)tokens * (size_t)s->image.width, bytes = (size_t)i->n * picture * sizeof(float);
    float *d = i->d_a, *next = i->d_b;
    memset(i->d_b, 0, bytes); /* takes what frozen stages would get */
    if (s->local_head) local_backward(c, t);
    memset(d, 0, bytes);
    class_backward(c, t, d);
    for (int l = last; l >= first; l--) {
        for (int k = 0; k < FLAW_STAGES; k++) {
            add_pass p = {.c = c, .from = i->d_stage[k], .to = d, .row = picture};
            if (s->stage[k] == l) flaw_pool_run(c->pool, add_piece, &p, i->n);
        }
        flaw_block_backward(c, &t->image_block[l], &i->saved[l], i->n, tokens, d, next, &t->g.image_block[l], t->work);
        float *swap = d;
        d = next;
        next = swap;
    }
    if (first == 0) embedding_backward(c, t, d, next);
}
