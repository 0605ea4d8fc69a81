#include "measure/metrics/curve.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { USUAL_POINTS = 1000, SMALLEST_ROOM = 8192, MOST_POINTS = 1 << 24 };

flaw_status flaw_curve_begin(flaw_curve_builder *b, size_t points, flaw_error *err)
{
    if (!points) points = USUAL_POINTS;
    if (points < 3 || points > MOST_POINTS)
        return flaw_fail(err, FLAW_USAGE, "a curve of %zu points is not allowed, allowed are 3 .. %d", points,
                         MOST_POINTS);
    size_t room = points > SMALLEST_ROOM / 4 ? 4 * points : SMALLEST_ROOM;
    *b = (flaw_curve_builder){.room = room, .points = points};
    double **of_double[] = {&b->x, &b->y, &b->score, &b->moved};
    uint32_t **of_index[] = {&b->before, &b->after, &b->heap, &b->place};
    bool ok = true;
    for (int i = 0; i < 4; i++) {
        ok = (*of_double[i] = malloc(room * sizeof **of_double[i])) && ok;
        ok = (*of_index[i] = malloc(room * sizeof **of_index[i])) && ok;
    }
    if (ok) return FLAW_OK;
    flaw_curve_abandon(b);
    return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a curve of %zu points", room);
}

/* Twice a triangle's area is the cross product of two of its sides. */
static double triangle(const flaw_curve_builder *b, uint32_t i, uint32_t j, uint32_t k)
{
    return fabs((b->x[j] - b->x[i]) * (b->y[k] - b->y[i]) - (b->x[k] - b->x[i]) * (b->y[j] - b->y[i])) / 2;
}

/* Heap with the smallest triangle on top; equal ones by number, so that the result is fixed. */
static bool less(const flaw_curve_builder *b, uint32_t i, uint32_t j)
{
    return b->moved[i] < b->moved[j] || (b->moved[i] == b->moved[j] && i < j);
}

static void put(flaw_curve_builder *b, size_t at, uint32_t i)
{
    b->heap[at] = i;
    b->place[i] = (uint32_t)at;
}

static void sink(flaw_curve_builder *b, size_t size, size_t at)
{
    uint32_t i = b->heap[at];
    for (size_t child; (child = 2 * at + 1) < size; at = child) {
        if (child + 1 < size && less(b, b->heap[child + 1], b->heap[child])) child++;
        if (!less(b, b->heap[child], i)) break;
        put(b, at, b->heap[child]);
    }
    put(b, at, i);
}

static void rise(flaw_curve_builder *b, size_t at)
{
    uint32_t i = b->heap[at];
    for (; at && less(b, i, b->heap[(at - 1) / 2]); at = (at - 1) / 2) put(b, at, b->heap[(at - 1) / 2]);
    put(b, at, i);
}

static void renew(flaw_curve_builder *b, size_t size, uint32_t i)
{
    b->moved[i] = triangle(b, b->before[i], i, b->after[i]);
    sink(b, size, b->place[i]);
    rise(b, b->place[i]);
}

/* Drop points until `keep` are left; the first and the last always stay. */
static void thin(flaw_curve_builder *b, size_t keep)
{
    if (b->count <= keep) return;
    const uint32_t last = (uint32_t)b->count - 1;
    size_t size = 0;
    for (uint32_t i = 1; i < last; i++) {
        b->before[i] = i - 1;
        b->after[i] = i + 1;
        b->moved[i] = triangle(b, i - 1, i, i + 1);
        put(b, size++, i);
    }
    b->after[0] = 1;
    b->before[last] = last - 1;
    for (size_t at = size / 2; at-- > 0;) sink(b, size, at);
    for (size_t left = b->count; left > keep; left--) {
        uint32_t i = b->heap[0], before = b->before[i], after = b->after[i];
        b->area_left_out += b->moved[i];
        b->after[before] = after;
        b->before[after] = before;
        put(b, 0, b->heap[--size]);
        sink(b, size, 0);
        if (before != 0) renew(b, size, before);
        if (after != last) renew(b, size, after);
    }
    size_t n = 0;
    for (uint32_t i = 0;; i = b->after[i]) {
        b->x[n] = b->x[i];
        b->y[n] = b->y[i];
        b->score[n++] = b->score[i];
        if (i == last) break;
    }
    b->count = n;
}

void flaw_curve_add(flaw_curve_builder *b, double x, double y, double score)
{
    if (b->count == b->room) thin(b, b->room / 2);
    if (b->count) b->area += (x - b->x[b->count - 1]) * (y + b->y[b->count - 1]) / 2;
    b->x[b->count] = x;
    b->y[b->count] = y;
    b->score[b->count++] = score;
}

void flaw_curve_end(flaw_curve *out, flaw_curve_builder *b)
{
    thin(b, b->points);
    *out = (flaw_curve){.x = b->x, .y = b->y, .score = b->score, .count = b->count, .area = b->area,
                        .area_left_out = b->area_left_out};
    b->x = b->y = b->score = NULL;
    flaw_curve_abandon(b);
}

void flaw_curve_abandon(flaw_curve_builder *b)
{
    free(b->x);
    free(b->y);
    free(b->score);
    free(b->moved);
    free(b->before);
    free(b->after);
    free(b->heap);
    free(b->place);
    *b = (flaw_curve_builder){0};
}

void flaw_curve_none(flaw_curve *out)
{
    *out = (flaw_curve){.area = NAN};
}

void flaw_curve_release(flaw_curve *curve)
{
    free(curve->x);
    free(curve->y);
    free(curve->score);
    *curve = (flaw_curve){0};
}
