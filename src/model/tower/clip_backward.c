#include "model/tower/clip_backward.h"

#include <string.h>

#include "base/checked.h"
#include "nn/norm.h"

typedef struct carver {
    flaw_arena *arena;
    bool failed;
} carver;

static float *carve(carver *a, int rows, size_t width)
{
    size_t floats;
    float *p = flaw_mul_ok(&floats, (size_t)rows, width) ? flaw_arena_alloc(a->arena, floats, sizeof(float)) : NULL;
    if (!p) a->failed = true;
    return p;
}

static void carve_image(flaw_clip_train *t, carver *a)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_image_train *i = &t->image;
    int n = t->limits.pictures, rows = n * (1 + flaw_clip_patches(s)), first = t->limits.first_trained;
    size_t d = (size_t)s->image.width, e = (size_t)s->joint;
    i->columns = carve(a, n * flaw_clip_patches(s), 3 * (size_t)s->patch * (size_t)s->patch);
    i->embedded = carve(a, rows, d);
    i->mean = carve(a, rows, 1);
    i->rstd = carve(a, rows, 1);
    i->stream = carve(a, rows, d);
    i->d_a = carve(a, rows, d);
    i->d_b = carve(a, rows, d);
    i->work = carve(a, 1, flaw_block_workspace(&s->image, n, 1 + flaw_clip_patches(s)));
    i->saved = flaw_arena_alloc(a->arena, (size_t)s->image_layers, sizeof *i->saved);
    for (int k = 0; k < FLAW_STAGES; k++) {
        if (s->stage[k] < first) i->stage[k] = carve(a, rows, d);
        else i->d_stage[k] = carve(a, rows, d);
        if (!s->local_head) continue;
        i->local_norm[k] = carve(a, rows, d);
        i->local_mean[k] = carve(a, rows, 1);
        i->local_rstd[k] = carve(a, rows, 1);
    }
    i->class_rows = carve(a, n, d);
    i->post = carve(a, n, d);
    i->post_mean = carve(a, n, 1);
    i->post_rstd = carve(a, n, 1);
    i->cls = carve(a, n, e);
    i->d_cls = carve(a, n, e);
    if (s->local_head) i->local = carve(a, rows, e);
    if (s->local_head) i->d_local = carve(a, rows, e);
}

static void carve_text(flaw_clip_train *t, carver *a)
{
    const flaw_clip_shape *s = &t->shape;
    flaw_text_train *x = &t->text;
    int m = t->limits.sentences, rows = m * s->context;
    size_t d = (size_t)s->text.width;
    x->stream = carve(a, rows, d);
    x->d_a = carve(a, rows, d);
    x->d_b = carve(a, rows, d);
    x->saved = flaw_arena_alloc(a->arena, (size_t)s->text_layers, sizeof *x->saved);
    x->end_rows = carve(a, m, d);
    x->final = carve(a, m, d);
    x->mean = carve(a, m, 1);
    x->rstd = carve(a, m, 1);
    x->out = carve(a, m, (size_t)s->joint);
    x->d_out = carve(a, m, (size_t)s->joint);
}

/* Saved arrays of the trained blocks; each block reads what the one before wrote. */
static void carve_blocks(carver *a, flaw_block_saved *saved, const flaw_block_shape *shape, int first, int layers, int n,
                         int tokens, const float *input)
{
    for (int l = first; saved && l < layers; l++) {
        float *memory = carve(a, 1, flaw_block_saved_floats(shape, n, tokens));
        if (!memory) return;
        flaw_block_saved_place(&saved[l], shape, n, tokens, memory);
        saved[l].x = l == first ? input : saved[l - 1].y;
    }
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Largest workspace of any backward step. */
static size_t work_bytes(const flaw_clip_train *t, const flaw_compute *c)
{
    const flaw_clip_shape *s = &t->shape;
    int n = t->limits.pictures, patches = flaw_clip_patches(s), rows = n * (1 + patches), d = s->image.width;
    size_t bytes = flaw_block_backward_bytes(c, &s->image, n, 1 + patches);
    flaw_gradient_job patch = {.rows = n * patches, .in = 3 * s->patch * s->patch, .out = d};
    flaw_gradient_job local[FLAW_STAGES];
    for (int k = 0; k < FLAW_STAGES; k++) local[k] = (flaw_gradient_job){.rows = rows, .in = d, .out = s->joint};
    bytes = most(bytes, flaw_gradient_workspace(c, &patch, 1));
    bytes = most(bytes, flaw_gradient_workspace(c, local, FLAW_STAGES));
    bytes = most(bytes, flaw_norm_workspace(rows, d) * sizeof(float));
    if (!s->text.width) return bytes;
    int text_rows = t->limits.sentences * s->context;
    bytes = most(bytes, flaw_norm_workspace(t->limits.sentences, s->text.width) * sizeof(float));
    bytes = most(bytes, flaw_block_backward_bytes(c, &s->text, t->limits.sentences, s->context));
    flaw_gradient_job proj = {.rows = text_rows, .in = s->text.width, .out = s->joint};
    return most(bytes, flaw_gradient_workspace(c, &proj, 1));
}

static flaw_status reserve(flaw_clip_train *t, flaw_compute *c, flaw_error *err)
{
    const flaw_clip_shape *s = &t->shape;
    size_t scratch = flaw_block_train_scratch(c, &s->image, 1 + flaw_clip_patches(s));
    if (s->text.width) scratch = most(scratch, flaw_block_train_scratch(c, &s->text, s->context));
    return flaw_compute_reserve(c, scratch, err);
}

static flaw_status make_arrays(flaw_clip_train *t, flaw_compute *c, flaw_error *err)
{
    const flaw_clip_shape *s = &t->shape;
    carver a = {.arena = &t->arena};
    int tokens = 1 + flaw_clip_patches(s);
    t->weights = carve(&a, 1, t->list.total);
    t->grads = carve(&a, 1, t->list.total);
    t->image_block = flaw_arena_alloc(&t->arena, (size_t)s->image_layers, sizeof *t->image_block);
    t->text_block = flaw_arena_alloc(&t->arena, (size_t)s->text_layers, sizeof *t->text_block);
    carve_image(t, &a);
    carve_blocks(&a, t->image.saved, &s->image, t->limits.first_trained, s->image_layers, t->limits.pictures, tokens,
                 t->image.stream);
    for (int k = 0; k < FLAW_STAGES; k++)
        if (!t->image.stage[k] && t->image.saved) t->image.stage[k] = t->image.saved[s->stage[k]].y;
    if (s->text.width) {
        carve_text(t, &a);
        carve_blocks(&a, t->text.saved, &s->text, 0, s->text_layers, t->limits.sentences, s->context, t->text.stream);
    }
    t->work = carve(&a, 1, work_bytes(t, c) / sizeof(float) + 16);
    if (a.failed || !t->image_block || !t->text_block || !t->image.saved)
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory to train on %d pictures and %d sentences at a time",
                         t->limits.pictures, t->limits.sentences);
    return FLAW_OK;
}

static void bind(flaw_linear *l, int in, int out, const float *w, const float *b)
{
    *l = (flaw_linear){.in = in, .out = out, .w = w, .b = b};
}

static void bind_linears(flaw_clip_train *t)
{
    const flaw_clip_shape *s = &t->shape;
    bind(&t->patch, 3 * s->patch * s->patch, s->image.width, t->w.patch_w, t->w.patch_b);
    bind(&t->image_proj, s->image.width, s->joint, t->w.image_proj, NULL);
    if (s->text.width) bind(&t->text_proj, s->text.width, s->joint, t->w.text_proj, NULL);
    for (int k = 0; s->local_head && k < FLAW_STAGES; k++)
        bind(&t->local_linear[k], s->image.width, s->joint, t->w.local_w[k], k ? NULL : t->w.local_b);
    for (int l = 0; l < s->image_layers; l++) {
        t->image_block[l].shape = s->image;
        t->image_block[l].weights = t->w.image_block[l];
    }
    for (int l = 0; l < s->text_layers; l++) {
        t->text_block[l].shape = s->text;
        t->text_block[l].weights = t->w.text_block[l];
    }
}

static flaw_status check_train(const flaw_clip_shape *s, flaw_clip_train_limits limits, flaw_error *err)
{
    if (limits.pictures < 1 || limits.pictures > 4096 || limits.sentences < 0 || limits.sentences > 65536)
        return flaw_fail(err, FLAW_USAGE, "batch of %d pictures and %d sentences; allowed are 1 to 4096 and 0 to 65536",
                         limits.pictures, limits.sentences);
    if (limits.first_trained < 0 || limits.first_trained > s->image_layers)
        return flaw_fail(err, FLAW_USAGE, "first trained block is %d; the tower has %d", limits.first_trained,
                         s->image_layers);
    if (!s->joint || s->classes)
        return flaw_fail(err, FLAW_USAGE, "only a CLIP shape trains (joint width above 0, no classification head)");
    return FLAW_OK;
}

flaw_status flaw_clip_train_open(flaw_clip_train *out, const flaw_clip_shape *shape, flaw_clip_train_limits limits,
                                 flaw_compute *c, flaw_error *err)
{
    flaw_clip_train t = {.shape = *shape, .limits = limits};
    flaw_arena_init(&t.arena, 0);
    flaw_status status = check_train(shape, limits, err);
    if (!status) status = flaw_clip_parameters(&t.list, shape, &t.arena, err);
    if (!status) status = make_arrays(&t, c, err);
    if (!status) status = flaw_clip_view_over(&t.w, shape, &t.list, t.weights, &t.arena, err);
    if (!status) status = flaw_clip_view_over(&t.g, shape, &t.list, t.grads, &t.arena, err);
    if (!status) status = reserve(&t, c, err);
    if (status) {
        flaw_arena_release(&t.arena);
        return status;
    }
    bind_linears(&t);
    *out = t;
    return FLAW_OK;
}

void flaw_clip_train_close(flaw_clip_train *t)
{
    flaw_arena_release(&t->arena);
    memset(t, 0, sizeof *t);
}

static flaw_status pack_both(flaw_linear *l, flaw_clip_train *t, flaw_compute *c, flaw_error *err)
{
    flaw_status status = flaw_linear_pack(l, c, &t->arena, err);
    return status ? status : flaw_linear_pack_backward(l, c, &t->arena, err);
}

static flaw_status pack_blocks(flaw_block *blocks, int from, int to, bool backward, flaw_clip_train *t, flaw_compute *c,
                               flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (int l = from; l < to && !status; l++) {
        status = flaw_block_pack(&blocks[l], c, &t->arena, err);
        if (!status && backward) status = flaw_block_pack_backward(&blocks[l], c, &t->arena, err);
    }
    return status;
}

flaw_status flaw_clip_train_pack(flaw_clip_train *t, flaw_compute *c, flaw_error *err)
{
    const flaw_clip_shape *s = &t->shape;
    int first = t->limits.first_trained;
    flaw_status status = FLAW_OK;
    if (!t->frozen_packed || first == 0) status = flaw_linear_pack(&t->patch, c, &t->arena, err);
    if (!status && !t->frozen_packed) status = pack_blocks(t->image_block, 0, first, false, t, c, err);
    if (!status) status = pack_blocks(t->image_block, first, s->image_layers, true, t, c, err);
    if (!status) status = pack_both(&t->image_proj, t, c, err);
    for (int k = 0; s->local_head && !status && k < FLAW_STAGES; k++) status = pack_both(&t->local_linear[k], t, c, err);
    if (!status && s->text.width) status = pack_blocks(t->text_block, 0, s->text_layers, true, t, c, err);
    if (!status && s->text.width) status = pack_both(&t->text_proj, t, c, err);
    t->frozen_packed = status == FLAW_OK;
    return status;
}
