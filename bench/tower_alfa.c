#include "tower_alfa.h"

#include <stdlib.h>

#include "base/random.h"
#include "flaw/inspect.h"
#include "nn/watch.h"

struct tower_alfa {
    flaw_engine *engine;
    flaw_inspector *inspector;
    flaw_picture picture; /* noise [side, side, 3] */
};

static flaw_status draw(flaw_picture *out, int side, flaw_error *err)
{
    flaw_status status = flaw_picture_new(out, side, side, err);
    if (status) return status;
    flaw_random r;
    flaw_random_init(&r, 3, 0);
    for (int i = 0; i < 3 * side * side; i++) out->rgb[i] = (uint8_t)flaw_random_below(&r, 256);
    return FLAW_OK;
}

flaw_status tower_alfa_open(tower_alfa **out, const flaw_engine_options *options, int side, flaw_error *err)
{
    flaw_inspect_options inspect;
    tower_alfa *a = calloc(1, sizeof *a);
    if (!a) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for an inspector");
    flaw_inspect_defaults(&inspect);
    inspect.method = "alfa";
    flaw_status status = draw(&a->picture, side, err);
    if (!status) status = flaw_engine_open(&a->engine, options, err);
    if (!status) status = flaw_inspector_new(&a->inspector, a->engine, &inspect, NULL, NULL, err);
    if (status) tower_alfa_close(a);
    else *out = a;
    return status;
}

void tower_alfa_close(tower_alfa *a)
{
    if (!a) return;
    flaw_inspector_free(a->inspector);
    flaw_engine_close(a->engine);
    flaw_picture_release(&a->picture);
    free(a);
}

flaw_status tower_alfa_judge(double *ms, tower_alfa *a, flaw_error *err)
{
    flaw_result result = {0};
    double start = flaw_watch_now();
    flaw_status status = flaw_inspector_judge(a->inspector, &a->picture, &result, err);
    *ms = 1e3 * (flaw_watch_now() - start);
    flaw_result_release(&result);
    return status;
}
