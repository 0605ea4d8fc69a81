#include "method/association.h"

#include <stdlib.h>

#include "detect/align.h"
#include "method/gridmap.h"

static const float *window_rows(const flaw_features *f, int space)
{
    return space < 2 ? f->window[space] : f->stage[FLAW_STAGES - 1];
}

static const float *stage_rows(const flaw_features *f, int space)
{
    return f->stage[space];
}

int flaw_association_wants(bool windows)
{
    return windows ? FLAW_WANT_WINDOWS | FLAW_WANT_LAST : FLAW_WANT_STAGES;
}

flaw_status flaw_association_open(flaw_association *a, const flaw_clip_shape *shape, flaw_compute *compute,
                                  const flaw_inspect_options *options, bool windows, flaw_error *err)
{
    int grid = shape->grid, cells = grid * grid;
    if (windows && grid < 3)
        return flaw_fail(err, FLAW_USAGE, "this model sees %d x %d patches, windows need at least 3 x 3", grid, grid);
    *a = (flaw_association){.compute = compute, .grid = grid, .windows = windows};
    a->plan = (flaw_memory_plan){.spaces = FLAW_BANK_STAGES,
                                 .joined = windows ? 0 : FLAW_BANK_STAGES,
                                 .table = windows ? window_rows : stage_rows,
                                 .limit = options->bank_limit > 0 ? (size_t)options->bank_limit : FLAW_MEMORY_LIMIT,
                                 .seed = options->seed};
    for (int s = 0; s < a->plan.spaces; s++) {
        int across = windows && s < 2 ? grid - 1 - s : grid;
        a->plan.rows[s] = across * across;
        a->plan.width[s] = windows && s < 2 ? shape->joint : shape->image.width;
    }
    a->distance = calloc(2 * (size_t)cells, sizeof(double));
    return a->distance ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "association map: memory was refused");
}

/* map [G, G] = mean over the spaces of min (1 - cos) / 2; windows meet patches through harmonic means. */
static flaw_status make_map(flaw_association *a, const flaw_features *picture, double *map, flaw_error *err)
{
    int cells = a->grid * a->grid;
    double *spread = a->distance + cells;
    for (int i = 0; i < cells; i++) map[i] = 0;
    for (int s = 0; s < a->plan.spaces; s++) {
        int rows = a->plan.rows[s];
        flaw_status status = flaw_memory_distance(&a->memory, s, a->plan.table(picture, s), rows, a->distance, err);
        if (status) return status;
        for (int i = 0; i < rows; i++) a->distance[i] /= 2;
        bool windowed = a->windows && s < 2;
        if (windowed) flaw_align_windows(spread, a->distance, a->grid, s + 2);
        for (int i = 0; i < cells; i++) map[i] += (windowed ? spread[i] : a->distance[i]) / a->plan.spaces;
    }
    return FLAW_OK;
}

flaw_status flaw_association_join(flaw_association *a, const flaw_features *picture, double *map, double *spare,
                                  double *image, flaw_error *err)
{
    int cells = a->grid * a->grid;
    flaw_status s = a->compute ? make_map(a, picture, spare, err) : FLAW_OK;
    if (s || !a->compute) return s;
    for (int i = 0; i < cells; i++) map[i] += spare[i];
    *image = (*image + flaw_gridmap_peak(spare, cells)) / 2;
    return FLAW_OK;
}

flaw_status flaw_association_learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    flaw_association *a = state;
    if (!a->compute) return FLAW_OK;
    return flaw_memory_learn(&a->memory, a->compute, &a->plan, lesson->good, lesson->count, err);
}

flaw_status flaw_association_save(const void *state, flaw_record *record, flaw_error *err)
{
    const flaw_association *a = state;
    return a->compute ? flaw_memory_save(&a->memory, record, err) : FLAW_OK;
}

flaw_status flaw_association_load(void *state, const flaw_record *record, flaw_error *err)
{
    flaw_association *a = state;
    return a->compute ? flaw_memory_load(&a->memory, a->compute, &a->plan, record, err) : FLAW_OK;
}

void flaw_association_close(flaw_association *a)
{
    flaw_memory_close(&a->memory);
    free(a->distance);
    *a = (flaw_association){0};
}
