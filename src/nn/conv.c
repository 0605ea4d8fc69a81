#include "nn/conv.h"

#include <string.h>

typedef struct conv_pass {
    const flaw_conv *s;
    const float *x;
    float *columns; /* [I*k*k, h'*w'] */
    float *dx;
} conv_pass;

static size_t taps_of(const flaw_conv *s)
{
    return (size_t)s->in * (size_t)s->kernel * (size_t)s->kernel;
}

static size_t pixels_of(const flaw_conv *s)
{
    return (size_t)flaw_conv_height(s) * (size_t)flaw_conv_width(s);
}

size_t flaw_conv_work(const flaw_compute *c, const flaw_conv *s)
{
    size_t columns = (taps_of(s) * pixels_of(s) + 15) / 16 * 16;
    int taps = (int)taps_of(s), pixels = (int)pixels_of(s);
    size_t forward = flaw_plain_product_work(c, taps, pixels), dx = flaw_plain_product_work(c, s->out, pixels);
    size_t dw = flaw_plain_product_work(c, pixels, taps), most = forward > dx ? forward : dx;
    return columns + (most > dw ? most : dw);
}

/* Where output column j reads column j + shift of the input: the j with that inside, [*first, *end). */
static void inside(int shift, int out, int in, int *first, int *end)
{
    *first = shift < 0 ? -shift : 0;
    *end = out + shift > in ? in - shift : out;
    if (*first > out) *first = out;
    if (*end < *first) *end = *first;
}

/* One row of the kernel in one channel: k rows of `columns`. */
static void gather_piece(void *context, int piece, int worker)
{
    const conv_pass *p = context;
    const flaw_conv *s = p->s;
    (void)worker;
    int h = flaw_conv_height(s), w = flaw_conv_width(s), up = piece % s->kernel - s->pad, first, end;
    const float *plane = p->x + (size_t)(piece / s->kernel) * (size_t)s->height * (size_t)s->width;
    for (int kx = 0; kx < s->kernel; kx++) {
        float *out = p->columns + ((size_t)piece * (size_t)s->kernel + (size_t)kx) * pixels_of(s);
        inside(kx - s->pad, w, s->width, &first, &end);
        for (int y = 0; y < h; y++, out += w) {
            bool outside = y + up < 0 || y + up >= s->height;
            memset(out, 0, (size_t)w * sizeof *out);
            if (outside || end <= first) continue;
            memcpy(out + first, plane + (ptrdiff_t)(y + up) * s->width + first + kx - s->pad, (size_t)(end - first) * sizeof *out);
        }
    }
}

static void gather(flaw_compute *c, const flaw_conv *s, const float *x, float *columns)
{
    conv_pass p = {.s = s, .x = x, .columns = columns};
    flaw_pool_run(c->pool, gather_piece, &p, s->in * s->kernel);
}

/* The adjoint of gathering, one channel: every tap adds to the pixel it was read from. */
static void scatter_piece(void *context, int piece, int worker)
{
    const conv_pass *p = context;
    const flaw_conv *s = p->s;
    (void)worker;
    int h = flaw_conv_height(s), w = flaw_conv_width(s), first, end;
    size_t area = (size_t)s->height * (size_t)s->width;
    float *plane = p->dx + (size_t)piece * area;
    memset(plane, 0, area * sizeof *plane);
    for (int tap = 0; tap < s->kernel * s->kernel; tap++) {
        int up = tap / s->kernel - s->pad, left = tap % s->kernel - s->pad;
        const float *in = p->columns + (size_t)(piece * s->kernel * s->kernel + tap) * pixels_of(s);
        inside(left, w, s->width, &first, &end);
        for (int y = 0; y < h; y++, in += w) {
            if (y + up < 0 || y + up >= s->height) continue;
            float *out = plane + (ptrdiff_t)(y + up) * s->width + left;
            for (int x = first; x < end; x++) out[x] += in[x];
        }
    }
}

void flaw_conv_forward(flaw_compute *c, const flaw_conv *s, const float *x, const float *weights, const float *bias, float *y,
                       float *work)
{
    int taps = (int)taps_of(s), pixels = (int)pixels_of(s);
    float *product_work = work + (taps_of(s) * pixels_of(s) + 15) / 16 * 16;
    gather(c, s, x, work);
    flaw_plain_product p = {.m = s->out, .n = pixels, .k = taps, .a = weights, .a_row = taps, .a_col = 1, .b = work,
                            .b_row = pixels, .b_col = 1, .c = y, .c_row = pixels, .row_bias = bias};
    flaw_plain_product_run(c, &p, product_work);
}

void flaw_conv_backward(flaw_compute *c, const flaw_conv *s, const float *x, const float *weights, const float *dy, float *dx,
                        float *dw, float *db, float *work)
{
    int taps = (int)taps_of(s), pixels = (int)pixels_of(s);
    float *product_work = work + (taps_of(s) * pixels_of(s) + 15) / 16 * 16;
    if (dw) {
        gather(c, s, x, work);
        flaw_plain_product p = {.m = s->out, .n = taps, .k = pixels, .a = dy, .a_row = pixels, .a_col = 1, .b = work,
                                .b_row = 1, .b_col = pixels, .c = dw, .c_row = taps, .accumulate = true, .a_sums = db};
        flaw_plain_product_run(c, &p, product_work);
    }
    if (!dx) return;
    flaw_plain_product p = {.m = taps, .n = pixels, .k = s->out, .a = weights, .a_row = 1, .a_col = taps, .b = dy,
                            .b_row = pixels, .b_col = 1, .c = work, .c_row = pixels};
    flaw_plain_product_run(c, &p, product_work);
    conv_pass scatter = {.s = s, .columns = work, .dx = dx};
    flaw_pool_run(c->pool, scatter_piece, &scatter, s->in);
}

typedef struct pool_pass {
    int height, width;
    const float *x;
    float *y;
    uint8_t *which;
    const uint8_t *from;
} pool_pass;

#define NOTHING 4 /* of `which`: no value over 0 */

static void pool_piece(void *context, int piece, int worker)
{
    const pool_pass *p = context;
    (void)worker;
    int h = p->height / 2, w = p->width / 2;
    const float *x = p->x + (size_t)piece * (size_t)p->height * (size_t)p->width;
    float *y = p->y + (size_t)piece * (size_t)h * (size_t)w;
    uint8_t *which = p->which + (size_t)piece * (size_t)h * (size_t)w;
    for (int i = 0; i < h * w; i++) {
        const float *corner = x + (ptrdiff_t)(2 * (i / w)) * p->width + 2 * (i % w);
        const float four[4] = {corner[0], corner[1], corner[p->width], corner[p->width + 1]};
        float top = 0;
        uint8_t best = NOTHING;
        for (uint8_t k = 0; k < 4; k++)
            if (four[k] > top) {
                top = four[k];
                best = k;
            }
        y[i] = top;
        which[i] = best;
    }
}

void flaw_relu_pool_forward(flaw_compute *c, int channels, int height, int width, const float *x, float *y, uint8_t *which)
{
    pool_pass p = {.height = height, .width = width, .x = x, .y = y, .which = which};
    flaw_pool_run(c->pool, pool_piece, &p, channels);
}

static void unpool_piece(void *context, int piece, int worker)
{
    const pool_pass *p = context;
    (void)worker;
    int h = p->height / 2, w = p->width / 2;
    size_t area = (size_t)p->height * (size_t)p->width;
    const float *dy = p->x + (size_t)piece * (size_t)h * (size_t)w;
    const uint8_t *which = p->from + (size_t)piece * (size_t)h * (size_t)w;
    float *dx = p->y + (size_t)piece * area;
    memset(dx, 0, area * sizeof *dx);
    for (int i = 0; i < h * w; i++) {
        if (which[i] == NOTHING) continue;
        int row = 2 * (i / w) + which[i] / 2, column = 2 * (i % w) + which[i] % 2;
        dx[(ptrdiff_t)row * p->width + column] = dy[i];
    }
}

void flaw_relu_pool_backward(flaw_compute *c, int channels, int height, int width, const float *dy, const uint8_t *which,
                             float *dx)
{
    pool_pass p = {.height = height, .width = width, .x = dy, .y = dx, .from = which};
    flaw_pool_run(c->pool, unpool_piece, &p, channels);
}
