/* Solver: conjugate gradients, each step preconditioned by one V-cycle of multigrid, in floats, three channels side by
 * side in one vector; around it a few rounds that measure the residual in doubles and solve for the correction.
 *
 * Multigrid alone would do for discs and squares; conjugate gradients make it certain for any shape, because the
 * V-cycle is a symmetric positive definite operator whatever the coarse grids make of the shape: red-black Gauss-Seidel
 * in mirrored order before and after, restriction the transpose of interpolation. Pixel (2i, 2j) of a grid is pixel (i,
 * j) of the next coarser one; the operator 4 f - (neighbours) keeps its numbers there because restriction sums to 4.
 * Where the rim falls between two coarse pixels the coarse operator knows how far it is: without that a square whose
 * side is no power of two takes three times the steps. */
#include "simulate/poisson.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/checked.h"

typedef float lanes __attribute__((vector_size(16))); /* red, green, blue, nothing */
typedef int32_t lane_bits __attribute__((vector_size(16)));
typedef struct sums {
    double of[4]; /* one per lane */
} sums;

enum {
    LEVELS = 20,         /* a side of 65500 pixels is halved 16 times */
    COARSEST_SWEEPS = 8, /* pairs of sweeps that stand for an exact solution on the coarsest grid */
    MOST_STEPS = 200,    /* of conjugate gradients in one round; 6 are usual, 40 where one pixel in 100 is a hole */
    MOST_ROUNDS = 40,    /* 1 is usual */
};
#define LARGEST 1e6 /* of b: far over 8-bit pictures, far under the limits of floats */
#define GOAL 1e-6   /* hundred times better than promised: a residual can hide a larger, smooth error */

/* Unknown pixels x0 .. x1-1 of row y. */
typedef struct span {
    int y, x0, x1;
} span;

/* One grid. Arrays are [height, width] and 0 where nothing is solved for; the outermost pixels never are. */
typedef struct level {
    int width, height;
    uint8_t *inside;
    float (*reach)[4]; /* how far the rim is to the left, right, above, below, where that neighbour is not inside */
    float *centre;     /* A at the pixel itself: sum over the sides of 1 or, towards the rim, 1 / reach */
    float *inverse;    /* 1 / centre */
    span *span;
    size_t spans, cells;
    lanes *b, *x; /* right side and solution of this grid */
    lanes *rest;  /* residual on pixels of even x + y; always 0 on the others */
} level;

typedef struct multigrid {
    flaw_arena arena;
    level level[LEVELS];
    int levels;
    lanes *direction, *image, *correction; /* of conjugate gradients, on grid 0; image = A direction */
    int steps;
} multigrid;

/* Fills spans and cells from `inside`. */
static flaw_status find_spans(flaw_arena *arena, level *l, flaw_error *err)
{
    for (int pass = 0; pass < 2; pass++) {
        l->spans = 0;
        for (int y = 1; y < l->height - 1; y++) {
            const uint8_t *row = l->inside + (size_t)y * (size_t)l->width;
            for (int x = 1; x < l->width - 1; x++) {
                if (!row[x]) continue;
                span s = {y, x, x};
                while (row[s.x1]) s.x1++; /* ends at the outermost column, which is 0 */
                if (pass) l->span[l->spans] = s, l->cells += (size_t)(s.x1 - s.x0);
                l->spans++;
                x = s.x1;
            }
        }
        if (!pass) l->span = flaw_arena_alloc(arena, l->spans, sizeof *l->span);
        if (!l->span) return flaw_fail(err, FLAW_NO_MEMORY, "Poisson editing: no memory for %zu spans", l->spans);
    }
    return FLAW_OK;
}

static flaw_status make_level(flaw_arena *arena, level *l, flaw_error *err)
{
    size_t pixels = (size_t)l->width * (size_t)l->height;
    l->inside = flaw_arena_alloc(arena, pixels, 1);
    l->reach = flaw_arena_alloc(arena, pixels, sizeof *l->reach);
    l->centre = flaw_arena_alloc(arena, pixels, sizeof(float));
    l->inverse = flaw_arena_alloc(arena, pixels, sizeof(float));
    l->b = flaw_arena_alloc(arena, pixels, sizeof(lanes));
    l->x = flaw_arena_alloc(arena, pixels, sizeof(lanes));
    l->rest = flaw_arena_alloc(arena, pixels, sizeof(lanes));
    if (l->inside && l->reach && l->centre && l->inverse && l->b && l->x && l->rest) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "Poisson editing: no memory for a grid of %d x %d", l->width, l->height);
}

/* Of grid 0: the rim is one pixel away. */
static void set_finest(level *l, const uint8_t *mask)
{
    for (int y = 1; y < l->height - 1; y++)
        for (int x = 1; x < l->width - 1; x++) {
            size_t p = (size_t)y * (size_t)l->width + (size_t)x;
            l->inside[p] = mask[p] != 0;
            for (int side = 0; side < 4; side++) l->reach[p][side] = 1;
        }
}

/* The pixels at even places of the finer grid; distances to its rim, not to where this grid's pixels happen to end. */
static void set_coarser(level *l, const level *fine)
{
    const ptrdiff_t step[4] = {-1, 1, -fine->width, fine->width};
    for (int y = 1; y < l->height - 1; y++)
        for (int x = 1; x < l->width - 1; x++) {
            size_t p = (size_t)y * (size_t)l->width + (size_t)x;
            size_t f = 2 * (size_t)y * (size_t)fine->width + 2 * (size_t)x;
            l->inside[p] = fine->inside[f];
            if (!l->inside[p]) continue;
            for (int side = 0; side < 4; side++) {
                size_t next = f + (size_t)step[side];
                l->reach[p][side] = (fine->inside[next] ? 1 + fine->reach[next][side] : fine->reach[f][side]) / 2;
            }
        }
}

static void set_centres(level *l)
{
    const ptrdiff_t step[4] = {-1, 1, -l->width, l->width};
    for (size_t i = 0; i < l->spans; i++)
        for (int x = l->span[i].x0; x < l->span[i].x1; x++) {
            size_t p = (size_t)l->span[i].y * (size_t)l->width + (size_t)x;
            for (int side = 0; side < 4; side++)
                l->centre[p] += l->inside[p + (size_t)step[side]] ? 1 : 1 / l->reach[p][side];
            l->inverse[p] = 1 / l->centre[p];
        }
}

/* Grid 0 from the mask, then coarser ones while they hold anything. */
static flaw_status make_levels(multigrid *s, const uint8_t *mask, int width, int height, flaw_error *err)
{
    for (s->levels = 0; s->levels < LEVELS; s->levels++) {
        level *l = &s->level[s->levels], *fine = l - 1;
        *l = s->levels ? (level){.width = fine->width / 2 + 1, .height = fine->height / 2 + 1}
                       : (level){.width = width, .height = height};
        flaw_status status = make_level(&s->arena, l, err);
        if (status != FLAW_OK) return status;
        if (s->levels) set_coarser(l, fine);
        else set_finest(l, mask);
        status = find_spans(&s->arena, l, err);
        if (status != FLAW_OK) return status;
        if (l->cells == 0) break;
        set_centres(l);
    }
    return FLAW_OK;
}

/* First pixel of a span with (x + y) % 2 == parity. */
static inline int first_of(const span *s, int parity)
{
    return s->x0 + ((s->x0 + s->y + parity) & 1);
}

/* Half of a Gauss-Seidel sweep: x = (b + neighbours) / centre on pixels of one parity. */
static void sweep(level *l, int parity)
{
    const size_t width = (size_t)l->width;
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        size_t row = (size_t)s->y * width;
        const float *inverse = l->inverse + row;
        lanes *x = l->x + row;
        const lanes *b = l->b + row, *above = x - width, *below = x + width;
        for (int c = first_of(s, parity); c < s->x1; c += 2)
            x[c] = (b[c] + (x[c - 1] + x[c + 1]) + (above[c] + below[c])) * inverse[c];
    }
}

/* A pair of sweeps from x = 0, of which the first half needs no neighbours. */
static void sweep_from_zero(level *l)
{
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        size_t row = (size_t)s->y * (size_t)l->width;
        for (size_t c = row + (size_t)first_of(s, 0); c < row + (size_t)s->x1; c += 2)
            l->x[c] = l->b[c] * l->inverse[c];
    }
    sweep(l, 1);
}

/* What is left on pixels of even parity; the sweep before left nothing on the others. */
static void find_rest(level *l)
{
    const size_t width = (size_t)l->width;
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        size_t row = (size_t)s->y * width;
        const float *centre = l->centre + row;
        lanes *rest = l->rest + row;
        const lanes *x = l->x + row, *b = l->b + row, *above = x - width, *below = x + width;
        for (int c = first_of(s, 0); c < s->x1; c += 2)
            rest[c] = (b[c] + (x[c - 1] + x[c + 1]) + (above[c] + below[c])) - x[c] * centre[c];
    }
}

/* Transpose of the bilinear interpolation; the weights of odd parity meet a residual of 0 and are left out. */
static void restrict_to(level *coarse, const level *fine)
{
    const size_t width = (size_t)fine->width;
    const lanes quarter = {0.25f, 0.25f, 0.25f, 0.25f};
    for (size_t i = 0; i < coarse->spans; i++) {
        const span *s = &coarse->span[i];
        lanes *b = coarse->b + (size_t)s->y * (size_t)coarse->width;
        const lanes *rest = fine->rest + 2 * (size_t)s->y * width, *above = rest - width, *below = rest + width;
        for (int c = s->x0; c < s->x1; c++) {
            int f = 2 * c;
            b[c] = rest[f] + ((above[f - 1] + above[f + 1]) + (below[f - 1] + below[f + 1])) * quarter;
        }
    }
}

/* Bilinear interpolation onto pixels of even parity; the sweep that follows does not read the old values of the others.
 */
static void interpolate(level *fine, const level *coarse)
{
    const lanes quarter = {0.25f, 0.25f, 0.25f, 0.25f};
    for (size_t i = 0; i < fine->spans; i++) {
        const span *s = &fine->span[i];
        lanes *x = fine->x + (size_t)s->y * (size_t)fine->width;
        const lanes *upper = coarse->x + (size_t)(s->y / 2) * (size_t)coarse->width, *lower = upper + coarse->width;
        if (s->y % 2 == 0) {
            for (int c = first_of(s, 0); c < s->x1; c += 2) x[c] += upper[c / 2];
        } else {
            for (int c = first_of(s, 0); c < s->x1; c += 2)
                x[c] += ((upper[c / 2] + upper[c / 2 + 1]) + (lower[c / 2] + lower[c / 2 + 1])) * quarter;
        }
    }
}

/* level[0].x = about A^-1 level[0].b. */
static void cycle(multigrid *s)
{
    int last = s->levels - 1;
    for (int i = 0; i < last; i++) {
        sweep_from_zero(&s->level[i]);
        find_rest(&s->level[i]);
        restrict_to(&s->level[i + 1], &s->level[i]);
    }
    sweep_from_zero(&s->level[last]);
    for (int i = 1; i < COARSEST_SWEEPS; i++) {
        sweep(&s->level[last], 0);
        sweep(&s->level[last], 1);
    }
    for (int i = COARSEST_SWEEPS; i > 0; i--) { /* the mirror image of the above */
        sweep(&s->level[last], 1);
        sweep(&s->level[last], 0);
    }
    for (int i = last - 1; i >= 0; i--) {
        interpolate(&s->level[i], &s->level[i + 1]);
        sweep(&s->level[i], 1);
        sweep(&s->level[i], 0);
    }
}

static inline void add_row(sums *sum, lanes row)
{
    for (int c = 0; c < 4; c++) sum->of[c] += (double)row[c];
}

static inline lanes larger_size(lanes a, lanes b)
{
    lane_bits size = (lane_bits)b & 0x7fffffff, over = a < (lanes)size;
    return (lanes)((size & over) | ((lane_bits)a & ~over));
}

static sums dot(const level *l, const lanes *a, const lanes *b)
{
    sums sum = {0};
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        size_t row = (size_t)s->y * (size_t)l->width;
        lanes part = {0};
        for (int c = s->x0; c < s->x1; c++) part += a[row + (size_t)c] * b[row + (size_t)c];
        add_row(&sum, part);
    }
    return sum;
}

/* a / b, 0 where nothing is left to divide. */
static lanes ratio(const sums *a, const sums *b)
{
    lanes out = {0};
    for (int c = 0; c < 3; c++) out[c] = b->of[c] > 0 ? (float)(a->of[c] / b->of[c]) : 0;
    return out;
}

/* image = A direction; returns direction . image. */
static sums apply(multigrid *m)
{
    const level *l = &m->level[0];
    const size_t width = (size_t)l->width;
    const lanes four = {4, 4, 4, 4};
    sums sum = {0};
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        const lanes *p = m->direction + (size_t)s->y * width, *above = p - width, *below = p + width;
        lanes *image = m->image + (size_t)s->y * width, part = {0};
        for (int c = s->x0; c < s->x1; c++) {
            image[c] = p[c] * four - ((p[c - 1] + p[c + 1]) + (above[c] + below[c]));
            part += p[c] * image[c];
        }
        add_row(&sum, part);
    }
    return sum;
}

/* correction += step direction, b -= step image; the largest |b|. */
static float advance(multigrid *m, lanes step)
{
    const level *l = &m->level[0];
    lanes largest = {0};
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        size_t row = (size_t)s->y * (size_t)l->width;
        for (size_t c = row + (size_t)s->x0; c < row + (size_t)s->x1; c++) {
            m->correction[c] += step * m->direction[c];
            l->b[c] -= step * m->image[c];
            largest = larger_size(largest, l->b[c]);
        }
    }
    return fmaxf(fmaxf(largest[0], largest[1]), largest[2]);
}

/* direction = level[0].x + keep * direction. */
static void turn(multigrid *m, lanes keep)
{
    const level *l = &m->level[0];
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        size_t row = (size_t)s->y * (size_t)l->width;
        for (size_t c = row + (size_t)s->x0; c < row + (size_t)s->x1; c++)
            m->direction[c] = l->x[c] + keep * m->direction[c];
    }
}

/* correction = A^-1 level[0].b, until no more than `goal` is left anywhere. */
static void solve_round(multigrid *s, float goal)
{
    level *l = &s->level[0];
    memset(s->correction, 0, (size_t)l->width * (size_t)l->height * sizeof(lanes));
    sums before = {0};
    for (int i = 0; i < MOST_STEPS; i++) {
        cycle(s);
        sums now = dot(l, l->b, l->x);
        turn(s, ratio(&now, &before)); /* the first turn forgets the direction of an earlier round */
        before = now;
        sums length = apply(s);
        s->steps++;
        if (advance(s, ratio(&now, &length)) <= goal) return;
    }
}

/* Largest |b| of flaw_poisson_report over pixels and channels; NaN where a value is not finite. */
static double right_side(const level *l, const double *picture, const double *guide)
{
    size_t step = 3 * (size_t)l->width;
    double largest = 0;
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        for (int x = s->x0; x < s->x1; x++) {
            size_t p = (size_t)s->y * (size_t)l->width + (size_t)x;
            const uint8_t *m = l->inside + p;
            bool left = m[-1], right = m[1], up = m[-l->width], down = m[l->width];
            for (size_t c = 3 * p; c < 3 * p + 3; c++) {
                const double *g = guide + c, *f = picture + c;
                double b = 4 * g[0] - g[-3] - g[3] - g[-(ptrdiff_t)step] - g[step];
                b += (left ? 0 : f[-3]) + (right ? 0 : f[3]) + (up ? 0 : f[-(ptrdiff_t)step]) + (down ? 0 : f[step]);
                if (!isfinite(b)) return NAN;
                if (fabs(b) > largest) largest = fabs(b);
            }
        }
    }
    return largest;
}

/* Start: the guide, each channel shifted by its mean difference to the picture along the rim. */
static void set_start(const level *l, double *picture, const double *guide)
{
    double shift[3] = {0};
    size_t count = 0;
    const ptrdiff_t around[4] = {-1, 1, -l->width, l->width};
    for (size_t i = 0; i < l->spans; i++)
        for (int x = l->span[i].x0; x < l->span[i].x1; x++)
            for (int k = 0; k < 4; k++) {
                size_t p = (size_t)l->span[i].y * (size_t)l->width + (size_t)x + (size_t)around[k];
                if (l->inside[p]) continue;
                for (size_t c = 0; c < 3; c++) shift[c] += picture[3 * p + c] - guide[3 * p + c];
                count++;
            }
    for (size_t i = 0; i < l->spans; i++) {
        size_t p = (size_t)l->span[i].y * (size_t)l->width + (size_t)l->span[i].x0;
        size_t end = p + (size_t)(l->span[i].x1 - l->span[i].x0);
        for (; p < end; p++)
            for (size_t c = 0; c < 3; c++) picture[3 * p + c] = guide[3 * p + c] + shift[c] / (double)count;
    }
}

/* level[0].b = residual of the picture; returns its largest value. With d = guide - picture it is 4 d - (neighbours).
 */
static double measure(const level *l, const double *picture, const double *guide)
{
    size_t step = 3 * (size_t)l->width;
    double largest = 0;
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        for (int x = s->x0; x < s->x1; x++) {
            size_t p = (size_t)s->y * (size_t)l->width + (size_t)x;
            for (size_t c = 0; c < 3; c++) {
                const double *g = guide + 3 * p + c, *f = picture + 3 * p + c;
                double across = (g[-3] - f[-3]) + (g[3] - f[3]);
                double down = (g[-(ptrdiff_t)step] - f[-(ptrdiff_t)step]) + (g[step] - f[step]);
                double rest = 4 * (g[0] - f[0]) - across - down;
                l->b[p][c] = (float)rest;
                if (fabs(rest) > largest) largest = fabs(rest);
            }
        }
    }
    return largest;
}

static void correct(const multigrid *m, double *picture)
{
    const level *l = &m->level[0];
    for (size_t i = 0; i < l->spans; i++) {
        const span *s = &l->span[i];
        for (int x = s->x0; x < s->x1; x++) {
            size_t p = (size_t)s->y * (size_t)l->width + (size_t)x;
            for (size_t c = 0; c < 3; c++) picture[3 * p + c] += (double)m->correction[p][c];
        }
    }
}

static flaw_status solve(multigrid *s, double *picture, const double *guide, flaw_poisson_report *report,
                         flaw_error *err)
{
    const level *l = &s->level[0];
    double scale = right_side(l, picture, guide), residual = 0;
    if (!(scale <= LARGEST))
        return flaw_fail(err, FLAW_USAGE, "Poisson editing: a value of %g, allowed are grey levels up to %g", scale,
                         LARGEST);
    if (scale < 1) scale = 1;
    set_start(l, picture, guide);
    for (int i = 0; i <= MOST_ROUNDS; i++) {
        residual = measure(l, picture, guide) / scale;
        if (residual <= GOAL || i == MOST_ROUNDS) break;
        solve_round(s, (float)(scale * GOAL / 2)); /* floats may lose the other half */
        correct(s, picture);
    }
    *report = (flaw_poisson_report){l->cells, s->steps, residual};
    if (residual <= FLAW_POISSON_RESIDUAL) return FLAW_OK;
    return flaw_fail(err, FLAW_INTERNAL, "Poisson editing: residual %.1e over %zu pixels after %d steps", residual,
                     l->cells, s->steps);
}

static flaw_status prepare(multigrid *s, const uint8_t *mask, int width, int height, flaw_error *err)
{
    flaw_status status = make_levels(s, mask, width, height, err);
    if (status != FLAW_OK || s->levels == 0) return status;
    size_t pixels = (size_t)width * (size_t)height;
    s->direction = flaw_arena_alloc(&s->arena, pixels, sizeof(lanes));
    s->image = flaw_arena_alloc(&s->arena, pixels, sizeof(lanes));
    s->correction = flaw_arena_alloc(&s->arena, pixels, sizeof(lanes));
    if (s->direction && s->image && s->correction) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "Poisson editing: no memory for %d x %d pixels", width, height);
}

flaw_status flaw_poisson_edit(double *picture, const double *guide, const uint8_t *mask, int width, int height,
                              flaw_poisson_report *report, flaw_error *err)
{
    size_t pixels;
    flaw_poisson_report held;
    if (width < 1 || height < 1 || !flaw_mul_ok(&pixels, (size_t)width, (size_t)height) || pixels > INT32_MAX)
        return flaw_fail(err, FLAW_USAGE, "Poisson editing: %d x %d pixels, allowed 1 .. 2147483647 in all", width,
                         height);
    if (!report) report = &held;
    *report = (flaw_poisson_report){0};
    multigrid s = {0};
    flaw_arena_init(&s.arena, 0);
    flaw_status status = prepare(&s, mask, width, height, err);
    if (status == FLAW_OK && s.levels > 0) status = solve(&s, picture, guide, report, err);
    flaw_arena_release(&s.arena);
    return status;
}
