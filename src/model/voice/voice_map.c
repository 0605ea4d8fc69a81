/* The two maps of anomaly: by words through the decoder, and by comparison with normal pictures. */
#include <math.h>
#include <string.h>

#include "model/voice/voice.h"

static size_t patches_of(const flaw_voice_shape *s)
{
    return (size_t)s->grid * (size_t)s->grid;
}

/* Upsampling. Row or column i of `side` lies between `low` and low + 1 of the grid, `share` of the way. */
static int source_of(int i, int grid, int side, float *share)
{
    float at = side > 1 ? (float)i * ((float)(grid - 1) / (float)(side - 1)) : 0;
    int low = (int)at;
    if (low > grid - 2) low = grid - 2;
    *share = at - (float)low;
    return low;
}

void flaw_upsample_corners(int grid, int side, const float *in, float *out)
{
    for (int y = 0; y < side; y++) {
        float down, right;
        const float *top = in + (ptrdiff_t)source_of(y, grid, side, &down) * grid, *bottom = top + grid;
        for (int x = 0; x < side; x++) {
            int low = source_of(x, grid, side, &right);
            float above = top[low] + right * (top[low + 1] - top[low]);
            float below = bottom[low] + right * (bottom[low + 1] - bottom[low]);
            out[(ptrdiff_t)y * side + x] = above + down * (below - above);
        }
    }
}

void flaw_upsample_corners_backward(int grid, int side, const float *dout, float *din)
{
    for (int y = 0; y < side; y++) {
        float down, right;
        float *top = din + (ptrdiff_t)source_of(y, grid, side, &down) * grid, *bottom = top + grid;
        for (int x = 0; x < side; x++) {
            int low = source_of(x, grid, side, &right);
            float d = dout[(ptrdiff_t)y * side + x], above = (1 - down) * d, below = down * d;
            top[low] += (1 - right) * above;
            top[low + 1] += right * above;
            bottom[low] += (1 - right) * below;
            bottom[low + 1] += right * below;
        }
    }
}

/* What the decoder holds for one picture: see decoder_layout. */
typedef struct decoder_pass {
    const flaw_compute *c;
    const flaw_voice *v;
    const float *const *stage;
    const float *text;        /* [2, E] */
    float *normed;            /* [stages, P, D] when stage_norm */
    float *y[FLAW_STAGES];    /* [E, P] linear's output; later its gradient */
    float *inverse;           /* [stages, P] 1 / |y| */
    float *delta;             /* [stages, P] logit of "abnormal" */
    float *d_delta;           /* [stages, P] */
    float *up;                /* [stages, S, S] the same on the map, then its probability */
    const float *low;         /* [stages, cells, cells] logits that `up` is made of */
    int cells;
    float *product;           /* work of the products */
    const float *d_stage;     /* [stages, S, S] */
} decoder_pass;

static size_t decoder_layout(decoder_pass *p, const flaw_compute *c, const flaw_voice_shape *s, float *work)
{
    size_t used = 0, patches = patches_of(s), area = (size_t)s->side * (size_t)s->side;
    int width = s->fused && s->joint > s->width ? s->joint : s->width;
    size_t forward = flaw_plain_product_work(c, width, (int)patches), back = flaw_plain_product_work(c, (int)patches, width);
    p->normed = s->stage_norm ? flaw_voice_carve(work, &used, FLAW_STAGES * patches * (size_t)s->width) : NULL;
    for (int i = 0; i < FLAW_STAGES; i++) p->y[i] = flaw_voice_carve(work, &used, (size_t)s->joint * patches);
    p->inverse = flaw_voice_carve(work, &used, FLAW_STAGES * patches);
    p->delta = flaw_voice_carve(work, &used, FLAW_STAGES * patches);
    p->d_delta = flaw_voice_carve(work, &used, FLAW_STAGES * patches);
    p->up = flaw_voice_carve(work, &used, FLAW_STAGES * area);
    p->product = flaw_voice_carve(work, &used, forward > back ? forward : back);
    return used;
}

size_t flaw_decoder_workspace(const flaw_compute *c, const flaw_voice_shape *shape)
{
    decoder_pass none;
    return decoder_layout(&none, c, shape, NULL);
}

#define NORM_EPS 1e-6f

/* Rows [count, d] with mean 0 and variance 1. */
static void norm_rows(size_t count, size_t d, const float *x, float *y)
{
    for (size_t i = 0; i < count; i++, x += d, y += d) {
        double sum = 0, square = 0;
        for (size_t k = 0; k < d; k++) sum += (double)x[k];
        double mean = sum / (double)d;
        for (size_t k = 0; k < d; k++) square += ((double)x[k] - mean) * ((double)x[k] - mean);
        double scale = 1 / sqrt(square / (double)d + (double)NORM_EPS);
        for (size_t k = 0; k < d; k++) y[k] = (float)(((double)x[k] - mean) * scale);
    }
}

static const float *tokens_of(const decoder_pass *p, int stage)
{
    const flaw_voice_shape *s = &p->v->shape;
    bool fused = s->fused && stage == FLAW_STAGES - 1;
    return s->stage_norm && !fused ? p->normed + (size_t)stage * patches_of(s) * (size_t)s->width : p->stage[stage];
}

static void norm_piece(void *context, int piece, int worker)
{
    const decoder_pass *p = context;
    const flaw_voice_shape *s = &p->v->shape;
    (void)worker;
    norm_rows(patches_of(s), (size_t)s->width, p->stage[piece],
              p->normed + (size_t)piece * patches_of(s) * (size_t)s->width);
}

/* Logit of one stage's patches: scale * (abnormal - normal) . y / |y|. */
static void logit_piece(void *context, int piece, int worker)
{
    const decoder_pass *p = context;
    const flaw_voice_shape *s = &p->v->shape;
    (void)worker;
    size_t patches = patches_of(s), joint = (size_t)s->joint;
    float *inverse = p->inverse + (size_t)piece * patches, *delta = p->delta + (size_t)piece * patches;
    const float *y = p->y[piece];
    memset(inverse, 0, patches * sizeof *inverse);
    memset(delta, 0, patches * sizeof *delta);
    for (size_t e = 0; e < joint; e++, y += patches) {
        float along = s->scale * (p->text[joint + e] - p->text[e]);
        for (size_t i = 0; i < patches; i++) {
            inverse[i] += y[i] * y[i];
            delta[i] += along * y[i];
        }
    }
    for (size_t i = 0; i < patches; i++) {
        inverse[i] = inverse[i] > 0 ? 1 / sqrtf(inverse[i]) : 0;
        delta[i] *= inverse[i];
    }
}

#define SPAN 16 /* rows of the map that a piece of the pool makes */

/* Softmax over two channels after the upsampling is a sigmoid of the upsampled difference. */
static void sigmoid_piece(void *context, int piece, int worker)
{
    const decoder_pass *p = context;
    const flaw_voice_shape *s = &p->v->shape;
    (void)worker;
    size_t side = (size_t)s->side, total = FLAW_STAGES * side * side;
    size_t first = (size_t)piece * SPAN * side, end = first + SPAN * side;
    if (end > total) end = total;
    float *x = p->up + first;
    for (size_t i = 0; i < end - first; i++) x[i] = -(x[i] + s->bias);
    p->c->kernels->exp(end - first, x, x);
    for (size_t i = 0; i < end - first; i++) x[i] = 1 / (1 + x[i]);
}

static void up_piece(void *context, int piece, int worker)
{
    const decoder_pass *p = context;
    const flaw_voice_shape *s = &p->v->shape;
    size_t cells = (size_t)p->cells;
    (void)worker;
    flaw_upsample_corners(p->cells, s->side, p->low + (size_t)piece * cells * cells,
                          p->up + (size_t)piece * (size_t)s->side * (size_t)s->side);
}

/* Tokens -> logits on the patch grid, in p->delta. */
static void decoder_logits(flaw_compute *c, decoder_pass *p)
{
    const flaw_voice_shape *s = &p->v->shape;
    int patches = (int)patches_of(s);
    if (s->stage_norm) flaw_pool_run(c->pool, norm_piece, p, FLAW_STAGES - s->fused);
    for (int i = 0; i < FLAW_STAGES; i++) {
        int width = flaw_voice_width(s, i);
        flaw_plain_product product = {.m = s->joint, .n = patches, .k = width, .a = p->v->view.decoder_w[i], .a_row = width,
                                      .a_col = 1, .b = tokens_of(p, i), .b_row = 1, .b_col = width, .c = p->y[i],
                                      .c_row = patches, .row_bias = p->v->view.decoder_b[i]};
        flaw_plain_product_run(c, &product, p->product);
    }
    flaw_pool_run(c->pool, logit_piece, p, FLAW_STAGES);
}

/* Logits on a grid -> probabilities of every stage on the map, in p->up. */
static void decoder_probabilities(flaw_compute *c, decoder_pass *p, const float *low, int cells)
{
    p->low = low;
    p->cells = cells;
    flaw_pool_run(c->pool, up_piece, p, FLAW_STAGES);
    flaw_pool_run(c->pool, sigmoid_piece, p, (FLAW_STAGES * p->v->shape.side + SPAN - 1) / SPAN);
}

static void decoder_forward(flaw_compute *c, decoder_pass *p)
{
    decoder_logits(c, p);
    decoder_probabilities(c, p, p->delta, p->v->shape.grid);
}

static void join_stages(const decoder_pass *p, float *map)
{
    const flaw_voice_shape *s = &p->v->shape;
    size_t area = (size_t)s->side * (size_t)s->side;
    for (size_t i = 0; i < area; i++) {
        float sum = s->share[0] * p->up[i];
        for (size_t k = 1; k < FLAW_STAGES; k++) sum += s->share[k] * p->up[k * area + i];
        map[i] = sum;
    }
}

void flaw_decoder_map(flaw_compute *c, const flaw_voice *v, const float *const stage[FLAW_STAGES], const float *text,
                      float *stage_maps, float *map, float *work)
{
    decoder_pass p = {.c = c, .v = v, .stage = stage, .text = text};
    size_t area = (size_t)v->shape.side * (size_t)v->shape.side;
    decoder_layout(&p, c, &v->shape, work);
    decoder_forward(c, &p);
    if (stage_maps) memcpy(stage_maps, p.up, FLAW_STAGES * area * sizeof *stage_maps);
    join_stages(&p, map);
}

void flaw_decoder_logits(flaw_compute *c, const flaw_voice *v, const float *const stage[FLAW_STAGES], const float *text,
                         float *logits, float *work)
{
    decoder_pass p = {.c = c, .v = v, .stage = stage, .text = text};
    decoder_layout(&p, c, &v->shape, work);
    decoder_logits(c, &p);
    memcpy(logits, p.delta, FLAW_STAGES * patches_of(&v->shape) * sizeof *logits);
}

void flaw_decoder_map_of(flaw_compute *c, const flaw_voice *v, const float *logits, int cells, float *map, float *work)
{
    decoder_pass p = {.c = c, .v = v};
    decoder_layout(&p, c, &v->shape, work);
    decoder_probabilities(c, &p, logits, cells);
    join_stages(&p, map);
}

/* From the map of one stage back to the output of its linear layer, which the gradient takes the place of. */
static void decoder_back_piece(void *context, int piece, int worker)
{
    const decoder_pass *p = context;
    const flaw_voice_shape *s = &p->v->shape;
    (void)worker;
    size_t patches = patches_of(s), joint = (size_t)s->joint, area = (size_t)s->side * (size_t)s->side;
    const float *d_map = p->d_stage + (size_t)piece * area, *inverse = p->inverse + (size_t)piece * patches;
    const float *delta = p->delta + (size_t)piece * patches;
    float *up = p->up + (size_t)piece * area, *d_delta = p->d_delta + (size_t)piece * patches, *y = p->y[piece];
    for (size_t i = 0; i < area; i++) up[i] = d_map[i] * up[i] * (1 - up[i]);
    memset(d_delta, 0, patches * sizeof *d_delta);
    flaw_upsample_corners_backward(s->grid, s->side, up, d_delta);
    for (size_t e = 0; e < joint; e++, y += patches) {
        float along = s->scale * (p->text[joint + e] - p->text[e]);
        for (size_t i = 0; i < patches; i++) y[i] = d_delta[i] * inverse[i] * (along - delta[i] * inverse[i] * y[i]);
    }
}

void flaw_decoder_backward(flaw_compute *c, const flaw_voice *v, const float *const stage[FLAW_STAGES],
                           const float *text, const float *d_stage_maps, const flaw_voice_view *grads, float *work)
{
    const flaw_voice_shape *s = &v->shape;
    decoder_pass p = {.c = c, .v = v, .stage = stage, .text = text, .d_stage = d_stage_maps};
    int patches = (int)patches_of(s);
    decoder_layout(&p, c, s, work);
    decoder_forward(c, &p);
    flaw_pool_run(c->pool, decoder_back_piece, &p, FLAW_STAGES);
    for (int i = 0; i < FLAW_STAGES; i++) {
        int width = flaw_voice_width(s, i);
        flaw_plain_product product = {.m = s->joint, .n = width, .k = patches, .a = p.y[i], .a_row = patches, .a_col = 1,
                                      .b = tokens_of(&p, i), .b_row = width, .b_col = 1, .c = grads->decoder_w[i],
                                      .c_row = width, .accumulate = true, .a_sums = grads->decoder_b[i]};
        flaw_plain_product_run(c, &product, p.product);
    }
}

/* Comparison. The bank is walked in spans of so many rows. */
#define BANK_SPAN 1024

typedef struct compare_pass {
    const flaw_compute *c;
    const flaw_voice_shape *s;
    const float *rows; /* [count, D] whose lengths are measured */
    float *inverse;    /* [count] 1 / length */
    int count, span;
    const float *likeness; /* [P, span] products of a span */
    const float *bank_inverse;
    float *best; /* [P] */
} compare_pass;

static void length_piece(void *context, int piece, int worker)
{
    const compare_pass *p = context;
    size_t d = (size_t)p->s->width;
    (void)worker;
    int end = (piece + 1) * FLAW_TILE_ROWS < p->count ? (piece + 1) * FLAW_TILE_ROWS : p->count;
    for (int i = piece * FLAW_TILE_ROWS; i < end; i++) {
        const float *row = p->rows + (size_t)i * d;
        p->inverse[i] = 1 / fmaxf(sqrtf(p->c->kernels->dot(d, row, row)), 1e-8f);
    }
}

static void best_piece(void *context, int piece, int worker)
{
    const compare_pass *p = context;
    (void)worker;
    const float *row = p->likeness + (size_t)piece * (size_t)p->span;
    for (int j = 0; j < p->span; j++) {
        float x = row[j] * p->bank_inverse[j];
        if (x > p->best[piece]) p->best[piece] = x;
    }
}

typedef struct compare_layout {
    float *mean, *best, *inverse, *bank_inverse, *likeness, *product;
} compare_layout;

static size_t lay_out(compare_layout *l, const flaw_compute *c, const flaw_voice_shape *s, int rows, float *work)
{
    size_t used = 0, patches = patches_of(s), span = rows < BANK_SPAN ? (size_t)rows : BANK_SPAN;
    l->mean = flaw_voice_carve(work, &used, patches);
    l->best = flaw_voice_carve(work, &used, patches);
    l->inverse = flaw_voice_carve(work, &used, patches);
    l->bank_inverse = flaw_voice_carve(work, &used, (size_t)rows);
    l->likeness = flaw_voice_carve(work, &used, patches * span);
    l->product = flaw_voice_carve(work, &used, flaw_plain_product_work(c, s->width, (int)span));
    return used;
}

size_t flaw_few_shot_workspace(const flaw_compute *c, const flaw_voice_shape *shape, int rows)
{
    compare_layout none;
    return lay_out(&none, c, shape, rows, NULL);
}

static void lengths(flaw_compute *c, const flaw_voice_shape *s, const float *rows, int count, float *inverse)
{
    compare_pass p = {.c = c, .s = s, .rows = rows, .inverse = inverse, .count = count};
    flaw_pool_run(c->pool, length_piece, &p, (count + FLAW_TILE_ROWS - 1) / FLAW_TILE_ROWS);
}

/* l->best [P] = likeness of each patch to the nearest row of the bank. */
static void compare_stage(flaw_compute *c, const flaw_voice_shape *s, const float *stage, const float *bank, int rows,
                          const compare_layout *l)
{
    int patches = (int)patches_of(s);
    lengths(c, s, stage, patches, l->inverse);
    lengths(c, s, bank, rows, l->bank_inverse);
    for (int i = 0; i < patches; i++) l->best[i] = -INFINITY;
    for (int first = 0; first < rows; first += BANK_SPAN) {
        int span = rows - first < BANK_SPAN ? rows - first : BANK_SPAN;
        flaw_plain_product product = {.m = patches, .n = span, .k = s->width, .a = stage, .a_row = s->width, .a_col = 1,
                                      .b = bank + (size_t)first * (size_t)s->width, .b_row = 1, .b_col = s->width,
                                      .c = l->likeness, .c_row = span};
        flaw_plain_product_run(c, &product, l->product);
        compare_pass p = {.c = c, .s = s, .span = span, .likeness = l->likeness, .bank_inverse = l->bank_inverse + first,
                          .best = l->best};
        flaw_pool_run(c->pool, best_piece, &p, patches);
    }
    for (int i = 0; i < patches; i++) l->best[i] *= l->inverse[i];
}

void flaw_few_shot_map(flaw_compute *c, const flaw_voice_shape *shape, const float *const stage[FLAW_STAGES],
                       const float *const bank[FLAW_STAGES], int rows, float *map, float *work)
{
    compare_layout l;
    size_t patches = patches_of(shape);
    lay_out(&l, c, shape, rows, work);
    memset(l.mean, 0, patches * sizeof *l.mean);
    for (int k = 0; k < FLAW_STAGES; k++) {
        compare_stage(c, shape, stage[k], bank[k], rows, &l);
        for (size_t i = 0; i < patches; i++) l.mean[i] += l.best[i];
    }
    for (size_t i = 0; i < patches; i++) l.mean[i] = 1 - l.mean[i] / FLAW_STAGES;
    for (size_t i = 0; i < patches && shape->few_shot_gain != 1; i++)
        l.mean[i] = fminf(1, shape->few_shot_gain * l.mean[i]);
    flaw_upsample_corners(shape->grid, shape->side, l.mean, map);
}
