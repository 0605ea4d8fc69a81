#include "nn/optimiser.h"

#include <math.h>
#include <string.h>

#define CHUNK 16384 /* floats of one piece; fixed, so that the sum of squares has one order */
#define PI 3.14159265358979323846

typedef struct update {
    const flaw_compute *c;
    const flaw_optimiser *o;
    const flaw_moments *a;
    const flaw_group *group;
    flaw_adamw adamw;
    float ema;
    double *squares;
} update;

static size_t pieces_of(const flaw_group *g)
{
    return g->rate > 0 ? (g->count + CHUNK - 1) / CHUNK : 0;
}

/* The stretch of the array that a piece owns. */
static size_t stretch(const flaw_group *g, int piece, size_t *first)
{
    size_t start = (size_t)piece * CHUNK, left = g->count - start;
    *first = g->offset + start;
    return left < CHUNK ? left : CHUNK;
}

static void square_piece(void *context, int piece, int worker)
{
    const update *u = context;
    (void)worker;
    size_t first, n = stretch(u->group, piece, &first);
    u->squares[piece] = (double)u->c->kernels->dot(n, u->a->g + first, u->a->g + first);
}

static void update_piece(void *context, int piece, int worker)
{
    const update *u = context;
    (void)worker;
    size_t first, n = stretch(u->group, piece, &first);
    const flaw_moments *a = u->a;
    u->c->kernels->adamw(&u->adamw, n, a->w + first, a->g + first, a->m + first, a->v + first);
    if (a->average) {
        u->c->kernels->scale(n, u->ema, a->average + first);
        u->c->kernels->axpy(n, 1 - u->ema, a->w + first, a->average + first);
    }
    memset(a->g + first, 0, n * sizeof *a->g);
}

static void clear_piece(void *context, int piece, int worker)
{
    const update *u = context;
    (void)worker;
    size_t first, n = stretch(u->group, piece, &first);
    memset(u->a->g + first, 0, n * sizeof *u->a->g);
}

static double gradient_norm(flaw_compute *c, update *u)
{
    double sum = 0, squares[256];
    u->squares = squares;
    for (size_t i = 0; i < u->o->group_count; i++) {
        flaw_group whole = u->o->groups[i];
        if (!(whole.rate > 0)) continue;
        for (size_t done = 0; done < whole.count; done += 256 * (size_t)CHUNK) {
            flaw_group part = whole;
            part.offset += done;
            part.count = whole.count - done < 256 * (size_t)CHUNK ? whole.count - done : 256 * (size_t)CHUNK;
            u->group = &part;
            int pieces = (int)pieces_of(&part);
            flaw_pool_run(c->pool, square_piece, u, pieces);
            for (int p = 0; p < pieces; p++) sum += squares[p];
        }
    }
    u->squares = NULL;
    return sqrt(sum);
}

float flaw_schedule_rate(const flaw_schedule *s, int64_t step)
{
    if (step < s->warmup) return s->peak * (float)(step + 1) / (float)s->warmup;
    if (step >= s->steps) return s->floor;
    double at = (double)(step - s->warmup) / (double)(s->steps - s->warmup);
    return (float)(s->floor + (s->peak - s->floor) * 0.5 * (1 + cos(PI * at)));
}

double flaw_optimiser_step(flaw_compute *c, const flaw_optimiser *o, const flaw_moments *a, float rate, int64_t t)
{
    update u = {.c = c, .o = o, .a = a};
    double norm = gradient_norm(c, &u);
    float early = (float)((1.0 + (double)t) / (10.0 + (double)t));
    u.ema = o->ema < early ? o->ema : early;
    u.adamw = (flaw_adamw){.beta1 = o->beta1, .beta2 = o->beta2, .eps = o->eps, .grad_scale = 1};
    u.adamw.correct1 = (float)(1 / (1 - pow(o->beta1, (double)t)));
    u.adamw.correct2 = (float)(1 / (1 - pow(o->beta2, (double)t)));
    if (o->clip > 0 && norm > o->clip) u.adamw.grad_scale = (float)(o->clip / norm);
    for (size_t i = 0; i < o->group_count; i++) {
        u.group = &o->groups[i];
        u.adamw.rate = rate * u.group->rate;
        u.adamw.decay = u.group->decay;
        flaw_pool_run(c->pool, isfinite(norm) ? update_piece : clear_piece, &u, (int)pieces_of(u.group));
    }
    return norm;
}
