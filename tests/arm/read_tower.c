/* read_tower FILE: the tower of write_tower on this machine, by its best level: float32 agrees within 1e-5. In the other
 * precisions a rounding now and then falls the other way, and changes what follows as much as any other rounding does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tower.h"

static _Noreturn void fail(const char *what)
{
    printf("read_tower: %s\n", what);
    exit(1);
}

static float *read_floats(FILE *in, size_t n)
{
    float *x = malloc(n * sizeof *x);
    if (!x || fread(x, sizeof *x, n, in) != n) fail("the file is short");
    return x;
}

static void build(flaw_clip *m, const tower_head *head, FILE *in)
{
    memset(m, 0, sizeof *m);
    m->shape = head->shape;
    flaw_arena_init(&m->arena, 0);
    flaw_error err = {0};
    m->image_block = flaw_arena_alloc(&m->arena, (size_t)m->shape.image_layers, sizeof *m->image_block);
    if (flaw_clip_parameters(&m->list, &m->shape, &m->arena, &err)) fail(err.text);
    if (m->list.total != head->parameters) fail("another number of parameters");
    m->weights = read_floats(in, m->list.total);
    if (flaw_clip_view_over(&m->view, &m->shape, &m->list, m->weights, &m->arena, &err)) fail(err.text);
}

/* Packed matrices belong to one precision. */
static void forget_packed(flaw_clip *m)
{
    flaw_linear *alone[] = {&m->patch, &m->image_proj, &m->text_proj, &m->head};
    for (int i = 0; i < 4; i++) alone[i]->packed = NULL;
    for (int i = 0; i < FLAW_STAGES; i++) m->local[i].packed = NULL;
    memset(m->image_block, 0, (size_t)m->shape.image_layers * sizeof *m->image_block);
}

/* The largest difference of two values, and the mean cosine of two vectors of the width: all are of unit length. */
typedef struct distance {
    double difference, cosine;
} distance;

static distance distance_of(size_t vectors, size_t width, const float *x, const float *y)
{
    distance d = {0.0, 0.0};
    for (size_t v = 0; v < vectors; v++) {
        double dot = 0.0;
        for (size_t i = 0; i < width; i++, x++, y++) {
            double off = fabs((double)*x - (double)*y);
            if (!(off <= d.difference)) d.difference = off; /* a NaN wins */
            dot += (double)*x * (double)*y;
        }
        d.cosine += dot / (double)vectors;
    }
    return d;
}

static const struct {
    const char *name;
    distance allowed;
} precisions[FLAW_PRECISIONS] = {{"float32", {1e-5, 0.999999}}, {"bf16", {1.0, 0.9999}}, {"int8", {1.0, 0.999}}};

static int compare(flaw_precision precision, flaw_clip *m, const float *pixels, const float *want)
{
    printf("[ RUN      ] tower %s\n", precisions[precision].name);
    flaw_error err = {0};
    flaw_compute c;
    if (flaw_compute_open(&c, 1, FLAW_LEVEL_AUTO, precision, &err)) fail(err.text);
    forget_packed(m);
    if (flaw_clip_pack(m, &c, &err)) fail(err.text);
    size_t n = tower_result(&m->shape), width = (size_t)flaw_clip_width(&m->shape);
    float *work = tower_work(m), *out = malloc(n * sizeof *out);
    tower_encode(&c, m, pixels, work, out);
    distance off = distance_of(n / width, width, out, want), allowed = precisions[precision].allowed;
    bool good = off.difference <= allowed.difference && off.cosine >= allowed.cosine;
    printf("%s %s, %s: difference from the other machine %.1e (allowed %.0e), mean cosine %.7f (%g)\n",
           good ? "[       OK ]" : "[  FAILED  ]", c.kernels->name, precisions[precision].name, off.difference,
           allowed.difference, off.cosine, allowed.cosine);
    free(work);
    free(out);
    flaw_compute_close(&c);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    tower_head head;
    FILE *in = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!in || fread(&head, sizeof head, 1, in) != 1) fail("no file");
    flaw_clip m;
    build(&m, &head, in);
    float *pixels = read_floats(in, tower_pixels(&m.shape));
    int status = 0;
    for (int p = 0; p < FLAW_PRECISIONS; p++) {
        float *want = read_floats(in, tower_result(&m.shape));
        status |= compare((flaw_precision)p, &m, pixels, want);
        free(want);
    }
    free(pixels);
    free(m.weights);
    flaw_arena_release(&m.arena);
    fclose(in);
    return status;
}
