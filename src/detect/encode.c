/* Runs the image tower over prepared pictures and keeps what was asked for, as rows of unit length. */
#include <math.h>
#include <string.h>

#include "detect/features.h"
#include "model/tower/prepare.h"

static float *floats(flaw_arena *arena, size_t a, size_t b, size_t c, bool *failed)
{
    float *p = NULL;
    size_t count;
    if (!__builtin_mul_overflow(a, b, &count) && !__builtin_mul_overflow(count, c, &count))
        p = flaw_arena_alloc(arena, count, sizeof(float));
    if (!p) *failed = true;
    return p;
}

static const int window_size[2] = {2, 3};

static int window_sizes(const flaw_clip_shape *shape)
{
    return shape->grid < 2 ? 0 : shape->grid < 3 ? 1 : 2;
}

flaw_status flaw_encoder_open(flaw_encoder *out, const flaw_clip *model, flaw_compute *compute, int want, int batch,
                              flaw_error *err)
{
    const flaw_clip_shape *shape = &model->shape;
    size_t n = (size_t)batch, width = (size_t)shape->image.width, joint = shape->joint ? (size_t)shape->joint : width;
    size_t patches = (size_t)shape->grid * (size_t)shape->grid, side = (size_t)shape->side;
    size_t tokens = (size_t)flaw_clip_tokens(shape);
    bool failed = false;
    *out = (flaw_encoder){.model = model, .compute = compute, .want = want, .batch = batch};
    flaw_arena *arena = &out->arena;
    flaw_arena_init(arena, 0);
    out->pixels = floats(arena, n, 3, side * side, &failed);
    if (want & FLAW_WANT_CLS) out->raw.cls = floats(arena, n, 1, joint, &failed);
    if (want & FLAW_WANT_PATCHES) out->raw.patches = floats(arena, n, patches, joint, &failed);
    for (int s = 0; s < FLAW_STAGES; s++)
        if (want & (s < FLAW_BANK_STAGES ? FLAW_WANT_STAGES : FLAW_WANT_LAST))
            out->raw.stage[s] = floats(arena, n, tokens, width, &failed);
    size_t work = flaw_clip_image_workspace(model, batch);
    if (want & FLAW_WANT_WINDOWS) {
        out->raw.embedded = floats(arena, n, tokens, width, &failed);
        for (int i = 0; i < 2; i++) out->window[i] = floats(arena, patches, 1, joint, &failed);
        size_t more = flaw_clip_window_workspace(compute, model, window_sizes(shape), window_size);
        if (more > work) work = more;
    }
    out->work = floats(arena, work, 1, 1, &failed);
    if (!failed) return FLAW_OK;
    flaw_encoder_close(out);
    return flaw_fail(err, FLAW_NO_MEMORY, "buffers to encode %d pictures of %d x %d at a time were refused", batch,
                     shape->side, shape->side);
}

void flaw_encoder_close(flaw_encoder *e)
{
    flaw_arena_release(&e->arena);
    memset(e, 0, sizeof *e);
}

/* out = rows of `in` at unit length, which go to `length` unless it is NULL; false when a row has no finite length or
 * no direction. */
static bool unit_rows(const flaw_kernels *kernels, const float *in, size_t rows, size_t width, float *out,
                      float *length)
{
    bool sound = true;
    for (size_t r = 0; r < rows; r++) {
        const float *from = in + r * width;
        float *to = out + r * width;
        double square = kernels->dot(width, from, from);
        if (length) length[r] = (float)sqrt(square);
        if (!(square > 1e-24) || !isfinite(square)) {
            sound = false;
            memset(to, 0, width * sizeof(float));
            continue;
        }
        float scale = (float)(1.0 / sqrt(square));
        for (size_t i = 0; i < width; i++) to[i] = from[i] * scale;
    }
    return sound;
}

/* The i-th picture of the batch -> its features. */
static void keep(const flaw_encoder *e, size_t i, flaw_features *out)
{
    const flaw_kernels *kernels = e->compute->kernels;
    const flaw_image_output *raw = &e->raw;
    size_t joint = (size_t)out->joint, width = (size_t)out->width, patches = (size_t)out->grid * (size_t)out->grid;
    size_t sequence = (size_t)flaw_clip_tokens(&e->model->shape);
    bool sound = true;
    if (out->cls) sound &= unit_rows(kernels, raw->cls + i * joint, 1, joint, out->cls, NULL);
    if (out->patches)
        sound &= unit_rows(kernels, raw->patches + i * patches * joint, patches, joint, out->patches, NULL);
    for (int s = 0; s < FLAW_STAGES; s++) {
        if (!out->stage[s]) continue;
        const float *tokens = raw->stage[s] + (i * sequence + 1) * width; /* behind the class token */
        sound &= unit_rows(kernels, tokens, patches, width, out->stage[s], out->length[s]);
    }
    if (out->window[0])
        flaw_clip_encode_windows(e->compute, e->model, window_sizes(&e->model->shape), window_size,
                                 raw->embedded + i * sequence * width, e->window, e->work);
    for (size_t w = 0; w < 2; w++) {
        size_t across = (size_t)out->grid - 1 - w;
        if (out->window[w]) sound &= unit_rows(kernels, e->window[w], across * across, joint, out->window[w], NULL);
    }
    out->sound = sound;
}

flaw_status flaw_encoder_run(flaw_encoder *e, const flaw_picture *squares, int n, flaw_features *out, flaw_error *err)
{
    int side = e->model->shape.side;
    if (n < 1 || n > e->batch) return flaw_fail(err, FLAW_INTERNAL, "%d pictures in an encoder for %d", n, e->batch);
    for (int i = 0; i < n; i++) {
        if (out[i].cells != out[i].grid) return flaw_fail(err, FLAW_INTERNAL, "features of views in an encoder");
        if (squares[i].width != side || squares[i].height != side)
            return flaw_fail(err, FLAW_INTERNAL, "picture of %d x %d in an encoder for %d x %d", squares[i].width,
                             squares[i].height, side, side);
        flaw_prepare_normalise(e->pixels + (size_t)i * 3 * (size_t)side * (size_t)side, &squares[i],
                               &e->model->shape.prepare);
    }
    flaw_clip_encode_images(e->compute, e->model, n, e->pixels, &e->raw, e->work);
    for (int i = 0; i < n; i++) keep(e, (size_t)i, &out[i]);
    return FLAW_OK;
}
