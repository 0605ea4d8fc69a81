#include "method/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "detect/coreset.h"

void flaw_memory_close(flaw_memory *m)
{
    for (int s = 0; s < m->spaces; s++) flaw_bank_close(&m->bank[s]);
    free(m->near);
    free(m->at);
    free(m->work);
    *m = (flaw_memory){0};
}

/* All rows of a space, one part after the other; malloc'ed. */
static float *gather(const flaw_memory_plan *plan, int space, const flaw_features *const *good, size_t count)
{
    size_t part = (size_t)plan->rows[space] * (size_t)plan->width[space], floats;
    if (!flaw_mul_ok(&floats, part, count) || !flaw_mul_ok(&floats, floats, sizeof(float))) return NULL;
    float *all = malloc(floats + 1);
    for (size_t i = 0; all && i < count; i++) memcpy(all + i * part, plan->table(good[i], space), part * sizeof(float));
    return all;
}

/* Keeps `keep` of the rows, in the order of choosing. */
static void pick(float *rows, const size_t *chosen, size_t keep, size_t width, float *room)
{
    for (size_t i = 0; i < keep; i++) memcpy(room + i * width, rows + chosen[i] * width, width * sizeof(float));
    memcpy(rows, room, keep * width * sizeof(float));
}

/* Cuts spaces [from, to), which hold `*rows` rows each, down to the limit. */
static flaw_status cut(const flaw_memory_plan *plan, flaw_compute *compute, float **table, int from, int to,
                       size_t *rows, flaw_error *err)
{
    size_t keep = plan->limit, width = (size_t)plan->width[from];
    if (*rows <= keep) return FLAW_OK;
    size_t *chosen = malloc(keep * sizeof *chosen);
    float *room = malloc(keep * width * sizeof *room);
    flaw_status s = chosen && room
                        ? flaw_coreset_choose(chosen, keep, (const float *const *)table + from, to - from, *rows,
                                              (int)width, plan->seed, compute, err)
                        : flaw_fail(err, FLAW_NO_MEMORY, "memory bank: a coreset of %zu rows was refused", keep);
    for (int i = from; !s && i < to; i++) pick(table[i], chosen, keep, width, room);
    if (!s) *rows = keep;
    free(chosen);
    free(room);
    return s;
}

flaw_status flaw_memory_learn(flaw_memory *m, flaw_compute *compute, const flaw_memory_plan *plan,
                              const flaw_features *const *good, size_t count, flaw_error *err)
{
    float *table[FLAW_MEMORY_SPACES] = {0};
    size_t rows[FLAW_MEMORY_SPACES];
    flaw_status s = FLAW_OK;
    for (int i = 0; !s && i < plan->spaces; i++) {
        rows[i] = (size_t)plan->rows[i] * count;
        table[i] = gather(plan, i, good, count);
        if (!table[i]) s = flaw_fail(err, FLAW_NO_MEMORY, "memory bank: rows of %zu good parts were refused", count);
    }
    for (int i = 0; !s && i < plan->spaces;) {
        int to = i < plan->joined ? plan->joined : i + 1;
        s = cut(plan, compute, table, i, to, &rows[i], err);
        for (int j = i + 1; j < to; j++) rows[j] = rows[i];
        i = to;
    }
    flaw_memory made = {.compute = compute};
    for (int i = 0; !s && i < plan->spaces; i++) {
        s = flaw_bank_open(&made.bank[i], compute, table[i], rows[i], plan->width[i], err);
        if (!s) made.spaces++;
    }
    for (int i = 0; i < plan->spaces; i++) free(table[i]);
    if (s) {
        flaw_memory_close(&made);
        return s;
    }
    flaw_memory_close(m);
    *m = made;
    return FLAW_OK;
}

static flaw_status make_room(flaw_memory *m, int count, flaw_error *err)
{
    size_t most = 0;
    for (int s = 0; s < m->spaces; s++) {
        size_t bytes = flaw_bank_workspace(m->compute, count, m->bank[s].width);
        if (bytes > most) most = bytes;
    }
    free(m->near);
    free(m->at);
    free(m->work);
    m->near = malloc((size_t)count * sizeof *m->near);
    m->at = malloc((size_t)count * sizeof *m->at);
    m->work = malloc(most);
    m->query = m->near && m->at && m->work ? count : 0;
    if (m->query) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "memory bank: a search for %d rows was refused", count);
}

flaw_status flaw_memory_distance(flaw_memory *m, int space, const float *rows, int count, double *distance,
                                 flaw_error *err)
{
    if (space >= m->spaces) return flaw_fail(err, FLAW_USAGE, "no good part has been learnt yet");
    flaw_status s = count > m->query ? make_room(m, count, err) : FLAW_OK;
    if (s) return s;
    flaw_bank_nearest(&m->bank[space], m->compute, rows, count, m->near, m->at, m->work);
    for (int i = 0; i < count; i++) distance[i] = 1.0 - (double)m->near[i];
    return FLAW_OK;
}

static void name_of(char name[32], int space)
{
    snprintf(name, 32, "bank.%d", space);
}

flaw_status flaw_memory_save(const flaw_memory *m, flaw_record *record, flaw_error *err)
{
    flaw_status s = FLAW_OK;
    for (int i = 0; !s && i < m->spaces; i++) {
        char name[32];
        name_of(name, i);
        s = flaw_record_put_table(record, name, m->bank[i].row, (size_t)m->bank[i].rows, (size_t)m->bank[i].width, err);
    }
    return s;
}

flaw_status flaw_memory_load(flaw_memory *m, flaw_compute *compute, const flaw_memory_plan *plan,
                             const flaw_record *record, flaw_error *err)
{
    flaw_memory made = {.compute = compute};
    flaw_status s = FLAW_OK;
    for (int i = 0; !s && i < plan->spaces; i++) {
        char name[32];
        const float *table;
        size_t rows;
        name_of(name, i);
        s = flaw_record_table(record, name, (size_t)plan->width[i], &table, &rows, err);
        if (!s && rows < 1) s = flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe is empty", name);
        if (!s) s = flaw_bank_open(&made.bank[i], compute, table, rows, plan->width[i], err);
        if (!s) made.spaces++;
    }
    if (s) {
        flaw_memory_close(&made);
        return s;
    }
    flaw_memory_close(m);
    *m = made;
    return FLAW_OK;
}
