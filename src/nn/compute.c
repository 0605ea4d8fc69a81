#include "nn/compute.h"

#include <stdlib.h>
#include <string.h>

#define SCRATCH_ALIGNMENT 64

flaw_status flaw_level_parse(flaw_level *out, const char *name, flaw_error *err)
{
    static const struct {
        const char *name;
        flaw_level level;
    } levels[] = {{"auto", FLAW_LEVEL_AMX},
                  {"ref", FLAW_LEVEL_REF},
                  {"neon", FLAW_LEVEL_NEON},
                  {"avx2", FLAW_LEVEL_AVX2},
                  {"avx512", FLAW_LEVEL_AVX512},
                  {"amx", FLAW_LEVEL_AMX}};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(name && *name ? name : "auto", levels[i].name) == 0) {
            *out = levels[i].level;
            return FLAW_OK;
        }
    return flaw_fail(err, FLAW_USAGE, "level \"%s\" is unknown, allowed are auto, ref, neon, avx2, avx512 and amx", name);
}

flaw_status flaw_compute_open(flaw_compute *out, int threads, flaw_level max, flaw_precision precision, flaw_error *err)
{
    flaw_compute c = {.kernels = flaw_kernels_select(max), .precision = precision};
    flaw_status status = flaw_pool_new(&c.pool, threads, err);
    if (status != FLAW_OK) return status;
    c.workers = flaw_pool_threads(c.pool);
    c.scratch = calloc((size_t)c.workers, sizeof *c.scratch);
    if (!c.scratch) {
        flaw_pool_free(c.pool);
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the scratch list of %d threads", c.workers);
    }
    *out = c;
    return FLAW_OK;
}

flaw_status flaw_compute_reserve(flaw_compute *c, size_t size, flaw_error *err)
{
    if (size <= c->scratch_size) return FLAW_OK;
    size_t rounded = (size + SCRATCH_ALIGNMENT - 1) / SCRATCH_ALIGNMENT * SCRATCH_ALIGNMENT;
    if (rounded < size) return flaw_fail(err, FLAW_NO_MEMORY, "scratch of %zu bytes for each thread is too large", size);
    for (int i = 0; i < c->workers; i++) {
        void *grown = aligned_alloc(SCRATCH_ALIGNMENT, rounded);
        if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu bytes of scratch for each thread", rounded);
        memset(grown, 0, rounded);
        free(c->scratch[i]);
        c->scratch[i] = grown;
    }
    c->scratch_size = rounded;
    return FLAW_OK;
}

void flaw_compute_close(flaw_compute *c)
{
    if (!c) return;
    for (int i = 0; c->scratch && i < c->workers; i++) free(c->scratch[i]);
    free(c->scratch);
    flaw_pool_free(c->pool);
    memset(c, 0, sizeof *c);
}
