#include "nn/compute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/large.h"

#define SCRATCH_ALIGNMENT 64

/* " auto, ref, avx2 ..." of what runs here. */
static void list_levels(char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "auto");
    for (int i = FLAW_LEVEL_REF; i < FLAW_LEVEL_AUTO; i++)
        if (flaw_kernels_exact((flaw_level)i) && used < size)
            used += (size_t)snprintf(out + used, size - used, ", %s", flaw_level_name((flaw_level)i));
}

flaw_status flaw_level_parse(flaw_level *out, const char *name, flaw_error *err)
{
    const char *forced = getenv("FLAW_CPU"), *from = "level";
    if (!name || !*name || !strcmp(name, "auto")) {
        name = forced && *forced ? forced : "auto";
        from = forced && *forced ? "FLAW_CPU" : from;
    }
    char here[128];
    list_levels(here, sizeof here);
    for (int i = FLAW_LEVEL_REF; i <= FLAW_LEVEL_AUTO; i++) {
        if (strcmp(name, flaw_level_name((flaw_level)i))) continue;
        *out = i == FLAW_LEVEL_AUTO ? flaw_kernels_best() : (flaw_level)i;
        if (flaw_kernels_exact(*out)) return FLAW_OK;
        return flaw_fail(err, FLAW_UNAVAILABLE, "%s: this machine lacks \"%s\", allowed here are %s", from, name, here);
    }
    return flaw_fail(err, FLAW_USAGE, "%s \"%.40s\" is unknown, allowed here are %s", from, name, here);
}

flaw_status flaw_compute_open(flaw_compute *out, int threads, flaw_level max, flaw_precision precision, flaw_error *err)
{
    flaw_status status = max == FLAW_LEVEL_AUTO ? flaw_level_parse(&max, NULL, err) : FLAW_OK;
    if (status != FLAW_OK) return status;
    flaw_compute c = {.kernels = flaw_kernels_select(max), .precision = precision};
    status = flaw_pool_new(&c.pool, threads, err);
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
        void *grown = flaw_large_alloc(rounded);
        if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu bytes of scratch for each thread", rounded);
        memset(grown, 0, rounded);
        free(c->scratch[i]);
        c->scratch[i] = grown;
    }
    c->scratch_size = rounded;
    return FLAW_OK;
}

flaw_status flaw_compute_reserve_rows(flaw_compute *c, size_t size, flaw_error *err)
{
    if (size <= c->rows_size) return FLAW_OK;
    size_t rounded = (size + SCRATCH_ALIGNMENT - 1) / SCRATCH_ALIGNMENT * SCRATCH_ALIGNMENT;
    void *grown = rounded < size ? NULL : flaw_large_alloc(rounded);
    if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu bytes of packed rows", size);
    free(c->rows);
    c->rows = grown;
    c->rows_size = rounded;
    return FLAW_OK;
}

void flaw_compute_close(flaw_compute *c)
{
    if (!c) return;
    for (int i = 0; c->scratch && i < c->workers; i++) free(c->scratch[i]);
    free(c->scratch);
    free(c->rows);
    flaw_pool_free(c->pool);
    memset(c, 0, sizeof *c);
}
