/* PatchCore (Roth et al. 2022, arXiv 2106.08265) on any image tower.
 *
 * A patch is the mean of its 3 x 3 neighbourhood at two middle stages (after half and three quarters of the blocks),
 * side by side; each mean has unit length again, as the stages of a transformer have lengths of their own. The memory
 * is a greedy coreset of all patches of the good parts. Map: Euclidean distance to the nearest patch of the memory.
 * Image score: the largest distance s*, of patch q to row m of the memory, times 1 - exp(|q - m|) / sum over the b rows
 * n nearest to m, itself included, of exp(|q - n|) (equation 7): a patch far from a rare row of the memory counts more.
 * The paper smooths maps of 224 pixels by a Gaussian of 4 pixels: less than a third of a patch of 16, so left out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "method/gridmap.h"
#include "method/memory.h"
#include "method/method.h"
#include "method/patchrows.h"

enum { CORESET, NEIGHBOURS, OPTIONS };
enum { STAGES = 2, FIRST = 1, RADIUS = 1 };

static const flaw_method_option options[OPTIONS + 1] = {
    [CORESET] = {.name = "coreset",
                 .kind = FLAW_OPTION_SHARE,
                 .low = 0.001,
                 .high = 1,
                 .standard = 0.25,
                 .about = "share of the good parts' patches that the memory keeps"},
    [NEIGHBOURS] = {.name = "b",
                    .kind = FLAW_OPTION_WHOLE,
                    .low = 1,
                    .high = 1000,
                    .standard = 9,
                    .about = "rows of the memory that weigh the image score; 1 = the largest distance as it is"},
};

typedef struct patchcore {
    flaw_compute *compute;
    flaw_memory memory;
    flaw_memory_plan plan;
    int grid, cells, width, b;
    size_t most; /* rows of the memory, by --bank-limit */
    double share;
    float *mean; /* [P, width / 2] of one stage, two of them */
    float *rows; /* [P, width] of a picture */
    double *map; /* [P] */
    float *near; /* [rows of the memory] cosines with one of them */
    flaw_ranked *around; /* [b] rows nearest to that */
} patchcore;

static const float *made_rows(const flaw_features *f, int space)
{
    return f->stage[space];
}

static int wants(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_WANT_STAGES;
}

static void close_state(void *state)
{
    patchcore *p = state;
    if (!p) return;
    flaw_memory_close(&p->memory);
    free(p->mean);
    free(p->rows);
    free(p->map);
    free(p->near);
    free(p->around);
    free(p);
}

static flaw_status open_state(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    size_t cells = (size_t)shape->grid * (size_t)shape->grid, width = (size_t)(STAGES * shape->image.width);
    patchcore *p = calloc(1, sizeof *p);
    if (p) p->mean = calloc(cells * width, sizeof(float));
    if (p) p->rows = calloc(cells * width, sizeof(float));
    if (p) p->map = calloc(cells, sizeof(double));
    if (!p || !p->mean || !p->rows || !p->map) {
        close_state(p);
        return flaw_fail(err, FLAW_NO_MEMORY, "patchcore: memory was refused");
    }
    p->compute = setup->compute;
    p->grid = shape->grid;
    p->cells = (int)cells;
    p->width = (int)width;
    p->b = (int)setup->value[NEIGHBOURS];
    p->share = setup->value[CORESET];
    p->most = setup->options->bank_limit > 0 ? (size_t)setup->options->bank_limit : SIZE_MAX;
    p->plan = (flaw_memory_plan){.spaces = 1,
                                 .joined = 1,
                                 .rows = {p->cells},
                                 .width = {p->width},
                                 .table = made_rows,
                                 .seed = setup->options->seed};
    *state = p;
    return FLAW_OK;
}

/* out [P, width] = the locally aware patches of a picture. */
static void make_rows(patchcore *p, const flaw_features *f, float *out)
{
    size_t stage = (size_t)p->cells * (size_t)f->width;
    const float *mean[STAGES] = {p->mean, p->mean + stage};
    for (int s = 0; s < STAGES; s++)
        flaw_patchrows_average(p->mean + (size_t)s * stage, f->stage[FIRST + s], p->grid, f->width, RADIUS,
                               p->compute->kernels);
    flaw_patchrows_join(out, mean, STAGES, p->cells, f->width);
}

static flaw_status make_near(patchcore *p, flaw_error *err)
{
    free(p->near);
    free(p->around);
    p->near = malloc((size_t)p->memory.bank[0].rows * sizeof *p->near);
    p->around = malloc((size_t)p->b * sizeof *p->around);
    return p->near && p->around ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "patchcore: memory was refused");
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    patchcore *p = state;
    size_t n = lesson->count, part = (size_t)p->cells * (size_t)p->width, bytes;
    flaw_features *made = calloc(n, sizeof *made);
    const flaw_features **list = calloc(n, sizeof(flaw_features *));
    float *rows = flaw_mul_ok(&bytes, n, part * sizeof *rows) ? malloc(bytes) : NULL;
    flaw_status s = FLAW_OK;
    if (!made || !list || !rows) s = flaw_fail(err, FLAW_NO_MEMORY, "patchcore: %zu good parts were refused", n);
    for (size_t i = 0; !s && i < n; i++) {
        make_rows(p, lesson->good[i], rows + i * part);
        made[i].stage[0] = rows + i * part;
        list[i] = &made[i];
    }
    size_t keep = (size_t)ceil(p->share * (double)n * (double)p->cells);
    p->plan.limit = keep < p->most ? keep : p->most;
    if (!s) s = flaw_memory_learn(&p->memory, p->compute, &p->plan, list, n, err);
    free(made);
    free(list);
    free(rows);
    return s ? s : make_near(p, err);
}

typedef struct neighbourhood {
    const patchcore *p;
    int row; /* of the memory */
} neighbourhood;

enum { PIECE = 1024 };

static void near_piece(void *context, int piece, int worker)
{
    const neighbourhood *n = context;
    const flaw_bank *bank = &n->p->memory.bank[0];
    size_t width = (size_t)bank->width;
    const float *row = bank->row + (size_t)n->row * width;
    (void)worker;
    for (int i = piece * PIECE; i < (piece + 1) * PIECE && i < bank->rows; i++)
        n->p->near[i] = n->p->compute->kernels->dot(width, row, bank->row + (size_t)i * width);
}

/* Equation 7 for the patch `q` that is farthest from the memory and nearest to row `m` of it. */
static double weight_of(patchcore *p, const float *q, int m, double distance)
{
    const flaw_bank *bank = &p->memory.bank[0];
    size_t width = (size_t)bank->width;
    int b = p->b < bank->rows ? p->b : bank->rows;
    neighbourhood n = {p, m};
    if (b < 2 || m < 0) return 1;
    flaw_pool_run(p->compute->pool, near_piece, &n, (bank->rows + PIECE - 1) / PIECE);
    p->near[m] = INFINITY; /* nearest to itself, whatever the rounding */
    flaw_largest_clear(p->around, b);
    for (int i = 0; i < bank->rows; i++) flaw_largest_put(p->around, b, (flaw_ranked){p->near[i], i});
    double sum = 0;
    for (int i = 0; i < b; i++) {
        float cosine = p->compute->kernels->dot(width, q, bank->row + (size_t)p->around[i].column * width);
        sum += exp(flaw_patchrows_distance((double)cosine) - distance);
    }
    return 1 - 1 / sum;
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    patchcore *p = state;
    make_rows(p, picture, p->rows);
    flaw_status s = flaw_memory_distance(&p->memory, 0, p->rows, p->cells, p->map, err);
    if (s) return s;
    int farthest = 0;
    for (int i = 0; i < p->cells; i++) {
        p->map[i] = flaw_patchrows_distance(1 - p->map[i]);
        if (p->map[i] > p->map[farthest]) farthest = i;
    }
    const float *row = p->rows + (size_t)farthest * (size_t)p->width;
    out->image = p->map[farthest] * weight_of(p, row, p->memory.at[farthest], p->map[farthest]);
    out->closest = NULL;
    flaw_gridmap_store(out->map, p->map, p->cells);
    return FLAW_OK;
}

/* With one good part: how far its patches are from those elsewhere in it (see few-shot). */
static flaw_status alone(const void *state, const flaw_features *part, double *out, flaw_error *err)
{
    patchcore *p = (patchcore *)state; /* its workspace only */
    int around = flaw_patchrows_around(p->grid);
    (void)err;
    make_rows(p, part, p->rows);
    double most = 0;
    for (int i = 0; i < p->cells; i++)
        most = fmax(most, flaw_patchrows_distance(
                              flaw_patchrows_elsewhere(p->compute->kernels, p->rows, p->grid, p->width, i, around)));
    *out = p->grid > 2 * around ? most * (1 - 1.0 / (p->b > 1 ? p->b : INFINITY)) : NAN;
    return FLAW_OK;
}

static flaw_status save(const void *state, flaw_record *record, flaw_error *err)
{
    const patchcore *p = state;
    return flaw_memory_save(&p->memory, record, err);
}

static flaw_status load(void *state, const flaw_record *record, flaw_error *err)
{
    patchcore *p = state;
    flaw_status s = flaw_memory_load(&p->memory, p->compute, &p->plan, record, err);
    return s ? s : make_near(p, err);
}

const flaw_method flaw_method_patchcore = {
    .name = "patchcore",
    .about = "coreset of neighbourhoods of two middle stages, nearest distance; needs good parts, no text",
    .paper = "Roth et al. 2022, arXiv 2106.08265",
    .option = options,
    .needs_good = true,
    .scores = {.spread = 0.1},
    .wants = wants,
    .open = open_state,
    .learn = learn,
    .score = score,
    .alone = alone,
    .save = save,
    .load = load,
    .close = close_state,
};
