#include "nn/tape.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "nn/block_train.h"
#include "nn/norm.h"

#define EPS 1e-5f
#define SPAN 16384 /* floats that a piece of the pool takes */

/* ---- writing down ---- */

void flaw_tape_begin(flaw_tape *t, int tokens)
{
    memset(t, 0, sizeof *t);
    t->tokens = tokens;
    flaw_arena_init(&t->arena, 0);
}

static int put(flaw_tape *t, flaw_layer_kind kind, int width, int a, int b, int c, size_t weights)
{
    if (t->count == FLAW_TAPE_NODES) {
        t->failed = true;
        return 0;
    }
    t->node[t->count] =
        (flaw_tape_node){.kind = kind, .from = {a, b, c}, .width = width, .first = t->floats, .count = weights};
    t->floats += weights;
    return t->count++;
}

int flaw_tape_input(flaw_tape *t, int width)
{
    return put(t, FLAW_LAYER_INPUT, width, -1, -1, -1, 0);
}

int flaw_tape_table(flaw_tape *t, int width)
{
    return put(t, FLAW_LAYER_TABLE, width, -1, -1, -1, (size_t)t->tokens * (size_t)width);
}

int flaw_tape_linear(flaw_tape *t, int x, int width)
{
    size_t out = (size_t)width;
    return put(t, FLAW_LAYER_LINEAR, width, x, -1, -1, out * (size_t)t->node[x].width + out);
}

int flaw_tape_norm(flaw_tape *t, int x)
{
    return put(t, FLAW_LAYER_NORM, t->node[x].width, x, -1, -1, 2 * (size_t)t->node[x].width);
}

int flaw_tape_gelu(flaw_tape *t, int x)
{
    return put(t, FLAW_LAYER_GELU, t->node[x].width, x, -1, -1, 0);
}

int flaw_tape_add(flaw_tape *t, int a, int b)
{
    return put(t, FLAW_LAYER_ADD, t->node[a].width, a, b, -1, 0);
}

int flaw_tape_attend(flaw_tape *t, int q, int k, int v, int heads, const uint8_t *hidden)
{
    int i = put(t, FLAW_LAYER_ATTEND, t->node[q].width, q, k, v, 0);
    t->node[i].heads = heads;
    t->node[i].hidden = hidden;
    return i;
}

/* ---- building ---- */

static float *floats(flaw_tape *t, size_t count)
{
    float *x = flaw_arena_alloc(&t->arena, count + 1, sizeof *x);
    if (!x) t->failed = true;
    return x;
}

static void uniform(flaw_random *r, float *x, size_t count, double fan)
{
    double bound = sqrt(6 / fan);
    for (size_t i = 0; i < count; i++) x[i] = (float)flaw_random_range(r, -bound, bound);
}

static void add_group(flaw_tape *t, size_t first, size_t count, float decay)
{
    t->group[t->groups++] = (flaw_group){.offset = first, .count = count, .decay = decay, .rate = 1};
}

static void init_node(flaw_tape *t, const flaw_tape_node *n, float decay, flaw_random *r)
{
    float *w = t->moments.w + n->first;
    size_t width = (size_t)n->width;
    if (n->kind == FLAW_LAYER_TABLE) {
        uniform(r, w, n->count, t->tokens + n->width);
        add_group(t, n->first, n->count, decay);
    } else if (n->kind == FLAW_LAYER_LINEAR) {
        uniform(r, w, n->count - width, t->node[n->from[0]].width + n->width);
        memset(w + n->count - width, 0, width * sizeof *w);
        add_group(t, n->first, n->count - width, decay);
        add_group(t, n->first + n->count - width, width, 0);
    } else if (n->kind == FLAW_LAYER_NORM) {
        for (size_t i = 0; i < width; i++) w[i] = 1;
        memset(w + width, 0, width * sizeof *w);
        add_group(t, n->first, n->count, 0);
    }
}

static void build_node(flaw_tape *t, flaw_tape_node *n)
{
    size_t rows = (size_t)t->most * (size_t)t->tokens;
    n->y = floats(t, rows * (size_t)n->width);
    if (t->train) n->dy = floats(t, rows * (size_t)n->width);
    if (n->kind == FLAW_LAYER_NORM) n->kept = floats(t, 2 * rows);
    if (n->kind == FLAW_LAYER_ATTEND) n->kept = floats(t, 2 * rows * (size_t)n->heads);
    if (n->kind != FLAW_LAYER_LINEAR) return;
    const float *w = t->moments.w + n->first;
    int in = t->node[n->from[0]].width;
    n->linear = (flaw_linear){.in = in, .out = n->width, .w = w, .b = w + (size_t)in * (size_t)n->width};
}

static flaw_gradient_job job_of(const flaw_tape *t, const flaw_tape_node *n, int rows)
{
    int in = t->node[n->from[0]].width;
    float *g = t->moments.g ? t->moments.g + n->first : NULL;
    return (flaw_gradient_job){.rows = rows,
                               .in = in,
                               .out = n->width,
                               .x = t->node[n->from[0]].y,
                               .x_row = in,
                               .dy = n->dy,
                               .dy_row = n->width,
                               .dw = g,
                               .db = g ? g + (size_t)in * (size_t)n->width : NULL};
}

/* Workspace of the backward pass, and scratch of the attention. */
static flaw_status make_room(flaw_tape *t, flaw_error *err)
{
    size_t work = 0, scratch = flaw_gradient_scratch(t->c), more;
    int rows = t->most * t->tokens;
    for (int i = 0; i < t->count; i++) {
        const flaw_tape_node *n = &t->node[i];
        if (n->kind == FLAW_LAYER_LINEAR) {
            flaw_gradient_job job = job_of(t, n, rows);
            more = flaw_gradient_workspace(t->c, &job, 1);
            if (more > work) work = more;
        } else if (n->kind == FLAW_LAYER_NORM) {
            more = flaw_norm_workspace(rows, n->width) * sizeof(float);
            if (more > work) work = more;
        } else if (n->kind == FLAW_LAYER_ATTEND) {
            more = t->c->kernels->attention_scratch(t->tokens, n->width / n->heads);
            if (more > scratch) scratch = more;
            more = t->c->kernels->attention_backward_scratch(t->tokens, n->width / n->heads);
            if (more > scratch) scratch = more;
        }
    }
    if (t->train) t->work = flaw_arena_alloc(&t->arena, work + 64, 1);
    if (t->train && !t->work) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to train a network");
    return flaw_compute_reserve(t->c, scratch, err);
}

flaw_status flaw_tape_build(flaw_tape *t, flaw_compute *c, int most, bool train, float decay, uint64_t seed,
                            flaw_error *err)
{
    flaw_random r;
    if (t->failed) return flaw_fail(err, FLAW_INTERNAL, "a network of more than %d layers", FLAW_TAPE_NODES);
    t->c = c;
    t->most = most;
    t->train = train;
    flaw_random_init(&r, seed, 0x74617065);
    t->moments.w = floats(t, t->floats);
    if (train) {
        t->moments.g = floats(t, t->floats);
        t->moments.m = floats(t, t->floats);
        t->moments.v = floats(t, t->floats);
    }
    for (int i = 0; !t->failed && i < t->count; i++) {
        init_node(t, &t->node[i], decay, &r);
        build_node(t, &t->node[i]);
    }
    if (t->failed) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a network of %zu weights", t->floats);
    flaw_status s = make_room(t, err);
    return s ? s : flaw_tape_pack(t, err);
}

void flaw_tape_close(flaw_tape *t)
{
    flaw_arena_release(&t->arena);
    memset(t, 0, sizeof *t);
}

flaw_status flaw_tape_pack(flaw_tape *t, flaw_error *err)
{
    flaw_status s = FLAW_OK;
    for (int i = 0; !s && i < t->count; i++) {
        flaw_tape_node *n = &t->node[i];
        if (n->kind != FLAW_LAYER_LINEAR) continue;
        s = flaw_linear_pack(&n->linear, t->c, &t->arena, err);
        if (!s && t->train) s = flaw_linear_pack_backward(&n->linear, t->c, &t->arena, err);
    }
    return s;
}

/* ---- passes ---- */

typedef struct pass {
    flaw_tape *t;
    flaw_tape_node *n;
    int pictures;
    size_t total; /* floats of the node */
} pass;

static const float *y_of(const pass *p, int i)
{
    return p->t->node[p->n->from[i]].y;
}

static float *dy_of(const pass *p, int i)
{
    return p->t->node[p->n->from[i]].dy;
}

static size_t span(const pass *p, int piece, size_t *first)
{
    *first = (size_t)piece * SPAN;
    size_t left = p->total - *first;
    return left < SPAN ? left : SPAN;
}

static int spans(const pass *p)
{
    return (int)((p->total + SPAN - 1) / SPAN);
}

static void gelu_piece(void *context, int piece, int worker)
{
    const pass *p = context;
    size_t first, count = span(p, piece, &first);
    (void)worker;
    p->t->c->kernels->activate(FLAW_ACT_GELU, count, y_of(p, 0) + first, p->n->y + first);
}

static void gelu_back_piece(void *context, int piece, int worker)
{
    const pass *p = context;
    size_t first, count = span(p, piece, &first);
    (void)worker;
    p->t->c->kernels->activate_backward(FLAW_ACT_GELU, count, y_of(p, 0) + first, p->n->dy + first,
                                        dy_of(p, 0) + first);
}

static void add_piece(void *context, int piece, int worker)
{
    const pass *p = context;
    size_t first, count = span(p, piece, &first);
    const float *a = y_of(p, 0) + first, *b = y_of(p, 1) + first;
    float *y = p->n->y + first;
    (void)worker;
    for (size_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

static void add_back_piece(void *context, int piece, int worker)
{
    const pass *p = context;
    size_t first, count = span(p, piece, &first);
    (void)worker;
    for (int k = 0; k < 2; k++) {
        float *to = dy_of(p, k) + first;
        for (size_t i = 0; i < count; i++) to[i] += p->n->dy[first + i];
    }
}

/* One head of one picture. */
static flaw_attention head_of(const pass *p, int piece)
{
    const flaw_tape_node *n = p->n;
    int width = n->width / n->heads;
    size_t tokens = (size_t)p->t->tokens, at = (size_t)(piece / n->heads) * tokens * (size_t)n->width;
    at += (size_t)(piece % n->heads) * (size_t)width;
    return (flaw_attention){.tokens = p->t->tokens,
                            .width = width,
                            .scale = 1 / sqrtf((float)width),
                            .hidden = n->hidden,
                            .q = y_of(p, 0) + at,
                            .k = y_of(p, 1) + at,
                            .v = y_of(p, 2) + at,
                            .row = n->width,
                            .out = n->y + at,
                            .out_row = n->width,
                            .stats = n->kept + 2 * (size_t)piece * tokens,
                            .precision = p->t->c->precision};
}

static void attend_piece(void *context, int piece, int worker)
{
    const pass *p = context;
    flaw_attention a = head_of(p, piece);
    p->t->c->kernels->attention(&a, p->t->c->scratch[worker]);
}

static void attend_back_piece(void *context, int piece, int worker)
{
    const pass *p = context;
    flaw_attention_grad g = {.forward = head_of(p, piece), .d_row = p->n->width};
    ptrdiff_t at = g.forward.out - p->n->y;
    g.d_out = p->n->dy + at;
    g.d_q = dy_of(p, 0) + at;
    g.d_k = dy_of(p, 1) + at;
    g.d_v = dy_of(p, 2) + at;
    p->t->c->kernels->attention_backward(&g, p->t->c->scratch[worker]);
}

static void forward_node(const pass *p)
{
    flaw_tape *t = p->t;
    flaw_tape_node *n = p->n;
    const float *w = t->moments.w + n->first;
    int rows = p->pictures * t->tokens;
    switch (n->kind) {
    case FLAW_LAYER_INPUT: break;
    case FLAW_LAYER_TABLE:
        for (size_t i = 0; i < (size_t)p->pictures; i++) memcpy(n->y + i * n->count, w, n->count * sizeof *w);
        break;
    case FLAW_LAYER_LINEAR:
        flaw_linear_forward(t->c, &n->linear, rows, y_of(p, 0), n->linear.in, n->y, FLAW_ACT_NONE, NULL, NULL);
        break;
    case FLAW_LAYER_NORM:
        flaw_norm_forward(t->c, rows, n->width, EPS, y_of(p, 0), n->width, w, w + n->width, n->y, n->kept,
                          n->kept + rows);
        break;
    case FLAW_LAYER_GELU: flaw_pool_run(t->c->pool, gelu_piece, (void *)p, spans(p)); break;
    case FLAW_LAYER_ADD: flaw_pool_run(t->c->pool, add_piece, (void *)p, spans(p)); break;
    case FLAW_LAYER_ATTEND: flaw_pool_run(t->c->pool, attend_piece, (void *)p, p->pictures * n->heads); break;
    }
}

static pass pass_of(flaw_tape *t, int node, int pictures)
{
    flaw_tape_node *n = &t->node[node];
    return (pass){
        .t = t, .n = n, .pictures = pictures, .total = (size_t)pictures * (size_t)t->tokens * (size_t)n->width};
}

void flaw_tape_forward(flaw_tape *t, int n)
{
    for (int i = 0; i < t->count; i++) {
        pass p = pass_of(t, i, n);
        forward_node(&p);
        if (t->train) memset(p.n->dy, 0, p.total * sizeof(float));
    }
}

static void backward_node(const pass *p)
{
    flaw_tape *t = p->t;
    flaw_tape_node *n = p->n;
    const float *w = t->moments.w + n->first;
    float *g = t->moments.g + n->first;
    int rows = p->pictures * t->tokens;
    switch (n->kind) {
    case FLAW_LAYER_INPUT: break;
    case FLAW_LAYER_TABLE:
        for (size_t i = 0; i < (size_t)p->pictures; i++)
            for (size_t k = 0; k < n->count; k++) g[k] += n->dy[i * n->count + k];
        break;
    case FLAW_LAYER_LINEAR: {
        flaw_gradient_job job = job_of(t, n, rows);
        flaw_linear_backward(t->c, &n->linear, rows, n->dy, n->width, dy_of(p, 0), true);
        flaw_gradient_run(t->c, &job, 1, t->work);
        break;
    }
    case FLAW_LAYER_NORM:
        flaw_norm_backward(t->c, rows, n->width, y_of(p, 0), w, n->kept, n->kept + rows, n->dy, dy_of(p, 0), g,
                           g + n->width, t->work);
        break;
    case FLAW_LAYER_GELU: flaw_pool_run(t->c->pool, gelu_back_piece, (void *)p, spans(p)); break;
    case FLAW_LAYER_ADD: flaw_pool_run(t->c->pool, add_back_piece, (void *)p, spans(p)); break;
    case FLAW_LAYER_ATTEND: flaw_pool_run(t->c->pool, attend_back_piece, (void *)p, p->pictures * n->heads); break;
    }
}

void flaw_tape_backward(flaw_tape *t, int n)
{
    for (int i = t->count - 1; i >= 0; i--) {
        pass p = pass_of(t, i, n);
        backward_node(&p);
    }
}

flaw_status flaw_tape_step(flaw_tape *t, float rate, float clip, double *norm, flaw_error *err)
{
    const flaw_optimiser o = {
        .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .clip = clip, .groups = t->group, .group_count = t->groups};
    double found = flaw_optimiser_step(t->c, &o, &t->moments, rate, ++t->steps);
    if (norm) *norm = found;
    return flaw_tape_pack(t, err);
}
