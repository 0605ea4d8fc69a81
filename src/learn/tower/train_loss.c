#include "learn/tower/train_loss.h"

#include <math.h>
#include <string.h>

#include "nn/loss.h"

/* Arrays of one pair on the way: K rows a state, prototypes before and after normalising. */
typedef struct pair_space {
    float *unit, *unit_inverse;  /* [2K, E], [2K] sentences */
    float *mean, *mean_inverse;  /* [2, E], [2] unit prototypes: normal, abnormal */
    float *sum;                  /* [2, E] means before normalising */
    float *d, *dd;               /* [E] direction and its gradient */
    float *z, *z_inverse, *dz;   /* [2P + 2]: patches of both pictures, then the two class tokens */
    double d_log_scale;
    flaw_loss_values loss;
} pair_space;

typedef struct loss_pass {
    flaw_compute *c;
    flaw_clip_train *t;
    const flaw_loss_batch *batch;
    const flaw_train_weights *weight;
    float *work;
    float scale;
} loss_pass;

static size_t pair_floats(const flaw_clip_shape *s, int k)
{
    size_t e = (size_t)s->joint, rows = 2 * (size_t)k, logits = 2 * (size_t)flaw_clip_patches(s) + 2;
    return rows * e + rows + 2 * e + 2 + 2 * e + 2 * e + 3 * logits + (sizeof(double) + sizeof(flaw_loss_values)) / 4 + 16;
}

size_t flaw_train_loss_floats(const flaw_clip_shape *shape, int pairs, int sentences)
{
    size_t n = 2 * (size_t)pairs, e = (size_t)shape->joint;
    return (size_t)pairs * pair_floats(shape, sentences) + 4 * n * e + 2 * n + 2 * n * n;
}

static pair_space space_of(const loss_pass *p, int pair)
{
    const flaw_clip_shape *s = &p->t->shape;
    size_t k2 = 2 * (size_t)p->batch->sentences, e = (size_t)s->joint, logits = 2 * (size_t)flaw_clip_patches(s) + 2;
    float *at = p->work + (size_t)pair * pair_floats(s, p->batch->sentences);
    pair_space space = {.unit = at};
    space.unit_inverse = space.unit + k2 * e;
    space.sum = space.unit_inverse + k2;
    space.mean = space.sum + 2 * e;
    space.mean_inverse = space.mean + 2 * e;
    space.d = space.mean_inverse + 2;
    space.dd = space.d + e;
    space.z = space.dd + e;
    space.z_inverse = space.z + logits;
    space.dz = space.z_inverse + logits;
    return space;
}

static void direction(pair_space *x, const float *rows, int e, int k)
{
    flaw_unit_forward(2 * k, e, rows, x->unit, x->unit_inverse);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < e; i++) {
            float sum = 0;
            for (int r = 0; r < k; r++) sum += x->unit[(side * k + r) * e + i];
            x->sum[side * e + i] = sum / (float)k;
        }
    flaw_unit_forward(2, e, x->sum, x->mean, x->mean_inverse);
    for (int i = 0; i < e; i++) x->d[i] = x->mean[e + i] - x->mean[i];
}

/* From dd to the gradient of the sentences' embeddings d_rows [2K, E]. `sum` is reused for gradients. */
static void direction_backward(pair_space *x, float *d_rows, int e, int k)
{
    float *d_mean = x->sum; /* the means themselves are not needed any more */
    for (int side = 0; side < 2; side++) {
        float along = 0, sign = side ? 1.0f : -1.0f;
        for (int i = 0; i < e; i++) along += sign * x->dd[i] * x->mean[side * e + i];
        for (int i = 0; i < e; i++)
            d_mean[side * e + i] = (sign * x->dd[i] - x->mean[side * e + i] * along) * x->mean_inverse[side] / (float)k;
        for (int r = 0; r < k; r++)
            flaw_unit_backward(1, e, x->unit + (side * k + r) * e, x->unit_inverse + side * k + r, d_mean + side * e,
                               d_rows + (side * k + r) * e);
    }
}

void flaw_text_direction(float *d, const float *rows, int e, int k)
{
    float mean[2][4096], y[4096], inverse;
    memset(mean, 0, sizeof mean);
    for (int r = 0; r < 2 * k; r++) {
        flaw_unit_forward(1, e, rows + (ptrdiff_t)r * e, y, &inverse);
        for (int i = 0; i < e; i++) mean[r >= k][i] += y[i] / (float)k;
    }
    for (int side = 0; side < 2; side++) {
        flaw_unit_forward(1, e, mean[side], y, &inverse);
        for (int i = 0; i < e; i++) d[i] = side ? y[i] + d[i] : -y[i];
    }
}

float flaw_peak(const float *z, int n, int places[FLAW_PEAK])
{
    int found = 0;
    float sum = 0;
    for (int i = 0; i < n; i++) {
        int at = found < FLAW_PEAK ? found++ : FLAW_PEAK - 1;
        if (at == FLAW_PEAK - 1 && found == FLAW_PEAK && i >= FLAW_PEAK && z[i] <= z[places[at]]) continue;
        for (; at > 0 && z[places[at - 1]] < z[i]; at--) places[at] = places[at - 1];
        places[at] = i;
    }
    for (int i = 0; i < found; i++) sum += z[places[i]];
    return sum / (float)found;
}

/* Patches of one picture: focal, dice and peak; dz gets their gradients. */
static void patch_losses(const loss_pass *p, pair_space *x, int pair, int which)
{
    int patches = flaw_clip_patches(&p->t->shape), pictures = 2 * p->batch->pairs, places[FLAW_PEAK];
    const float *z = x->z + (ptrdiff_t)which * patches, *t = p->batch->target + (ptrdiff_t)(2 * pair + which) * patches;
    float *dz = x->dz + (ptrdiff_t)which * patches, state = (float)which, d_peak = 0;
    x->loss.local += flaw_focal_loss(patches, z, t, 2, p->weight->local / (float)pictures, dz);
    if (which) x->loss.dice += flaw_dice_loss(patches, z, t, p->weight->dice / (float)p->batch->pairs, dz);
    float peak = flaw_peak(z, patches, places);
    x->loss.peak += flaw_focal_loss(1, &peak, &state, 0, p->weight->peak / (float)pictures, &d_peak);
    for (int i = 0; i < FLAW_PEAK; i++) dz[places[i]] += d_peak / FLAW_PEAK;
}

static void pair_piece(void *context, int pair, int worker)
{
    const loss_pass *p = context;
    flaw_clip_train *t = p->t;
    (void)worker;
    int e = t->shape.joint, patches = flaw_clip_patches(&t->shape), k = p->batch->sentences, pictures = 2 * p->batch->pairs;
    pair_space x = space_of(p, pair);
    ptrdiff_t rows = (pictures + (ptrdiff_t)pair * 2 * k) * e;
    direction(&x, t->text.out + rows, e, k);
    memset(x.dd, 0, (size_t)e * sizeof *x.dd);
    memset(x.dz, 0, (2 * (size_t)patches + 2) * sizeof *x.dz);
    for (int which = 0; which < 2; which++) {
        int picture = 2 * pair + which, at = 2 * patches + which;
        const float *cls = t->image.cls + (ptrdiff_t)picture * e;
        float state = (float)which;
        flaw_direction_forward(1, e, cls, x.d, p->scale, x.z + at, x.z_inverse + at);
        x.loss.state += flaw_focal_loss(1, x.z + at, &state, 0, p->weight->state / (float)pictures, x.dz + at);
        flaw_direction_backward(1, e, cls, x.d, p->scale, x.z + at, x.z_inverse + at, x.dz + at,
                                t->image.d_cls + (ptrdiff_t)picture * e, x.dd, &x.d_log_scale);
        if (!t->shape.local_head) continue;
        ptrdiff_t local = ((ptrdiff_t)picture * (1 + patches) + 1) * e, first = (ptrdiff_t)which * patches;
        flaw_direction_forward(patches, e, t->image.local + local, x.d, p->scale, x.z + first, x.z_inverse + first);
        patch_losses(p, &x, pair, which);
        flaw_direction_backward(patches, e, t->image.local + local, x.d, p->scale, x.z + first, x.z_inverse + first,
                                x.dz + first, t->image.d_local + local, x.dd, &x.d_log_scale);
    }
    direction_backward(&x, t->text.d_out + rows, e, k);
    float *result = x.dz + 2 * patches + 2;
    memcpy(result, &x.d_log_scale, sizeof x.d_log_scale);
    memcpy(result + 2, &x.loss, sizeof x.loss);
}

/* Pictures against captions; the first N rows of the texts. */
static double contrast(const loss_pass *p, float *work, double *d_log_scale)
{
    flaw_clip_train *t = p->t;
    int n = 2 * p->batch->pairs, e = t->shape.joint;
    size_t ne = (size_t)n * (size_t)e;
    float *a = work, *b = a + ne, *da = b + ne, *db = da + ne, *inverse = db + ne, *square = inverse + 2 * n;
    memset(da, 0, 2 * ne * sizeof *da);
    flaw_unit_forward(n, e, t->image.cls, a, inverse);
    flaw_unit_forward(n, e, t->text.out, b, inverse + n);
    double loss = flaw_contrast_loss(n, e, a, b, p->batch->group, t->w.logit_scale[0], p->weight->contrast, da, db,
                                     d_log_scale, square);
    flaw_unit_backward(n, e, a, inverse, da, t->image.d_cls);
    flaw_unit_backward(n, e, b, inverse + n, db, t->text.d_out);
    return loss;
}

/* Stage tokens against the teacher's, picture by picture; losses are collected in `sums` [N * stages]. */
typedef struct distil_pass {
    const loss_pass *p;
    double sums[FLAW_STAGES];
    int stage;
    double *picture; /* [N] */
} distil_pass;

static void distil_piece(void *context, int picture, int worker)
{
    const distil_pass *d = context;
    flaw_clip_train *t = d->p->t;
    (void)worker;
    int tokens = 1 + flaw_clip_patches(&t->shape), width = t->shape.image.width;
    ptrdiff_t at = (ptrdiff_t)picture * tokens * width;
    float weight = d->p->weight->distil / (float)(2 * d->p->batch->pairs * FLAW_STAGES);
    d->picture[picture] = flaw_cosine_loss(tokens, width, t->image.stage[d->stage] + at,
                                           d->p->batch->teacher[d->stage] + at, weight, t->image.d_stage[d->stage] + at);
}

static double distil(const loss_pass *p, float *work)
{
    distil_pass d = {.p = p, .picture = (double *)(void *)work};
    double sum = 0;
    int pictures = 2 * p->batch->pairs;
    for (d.stage = 0; d.stage < FLAW_STAGES; d.stage++) {
        if (!p->batch->teacher[d.stage] || !p->t->image.d_stage[d.stage]) continue;
        flaw_pool_run(p->c->pool, distil_piece, &d, pictures);
        for (int i = 0; i < pictures; i++) sum += d.picture[i];
    }
    return sum;
}

flaw_loss_values flaw_train_loss(flaw_compute *c, flaw_clip_train *t, const flaw_loss_batch *batch,
                                 const flaw_train_weights *weight, float *work)
{
    loss_pass p = {.c = c, .t = t, .batch = batch, .weight = weight, .work = work, .scale = expf(t->w.logit_scale[0])};
    flaw_loss_values sum = {0};
    double d_log_scale = 0;
    flaw_pool_run(c->pool, pair_piece, &p, batch->pairs);
    for (int i = 0; i < batch->pairs; i++) {
        pair_space x = space_of(&p, i);
        const float *result = x.dz + 2 * flaw_clip_patches(&t->shape) + 2;
        memcpy(&x.d_log_scale, result, sizeof x.d_log_scale);
        memcpy(&x.loss, result + 2, sizeof x.loss);
        d_log_scale += x.d_log_scale;
        sum.state += x.loss.state;
        sum.peak += x.loss.peak;
        sum.local += x.loss.local;
        sum.dice += x.loss.dice;
    }
    float *rest = work + (size_t)batch->pairs * pair_floats(&t->shape, batch->sentences);
    sum.contrast = contrast(&p, rest, &d_log_scale);
    if (batch->teacher && weight->distil > 0) sum.distil = distil(&p, rest);
    t->g.logit_scale[0] += (float)d_log_scale;
    sum.total = sum.contrast + sum.state + sum.peak + sum.local + sum.dice + sum.distil;
    return sum;
}
