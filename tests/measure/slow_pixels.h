/* Every pixel figure straight from its definition: for each distinct score as threshold, all pixels of all pictures are
 * looked at again, by double loops. Made to be read, not to be fast. */
#ifndef FLAW_TESTS_MEASURE_SLOW_PIXELS_H
#define FLAW_TESTS_MEASURE_SLOW_PIXELS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flaw/metrics.h"

enum { SLOW_SIDE = 8, SLOW_PIXELS = SLOW_SIDE * SLOW_SIDE, SLOW_REGIONS = 3, SLOW_PICTURES = 4 };

/* A data set with room of its own. */
typedef struct slow_set {
    float map[SLOW_PICTURES][SLOW_PIXELS];
    uint8_t mask[SLOW_PICTURES][SLOW_PIXELS];
    uint32_t pixel[SLOW_PICTURES][SLOW_REGIONS][SLOW_PIXELS];
    flaw_pixel_region region[SLOW_PICTURES][SLOW_REGIONS];
    flaw_pixels_picture picture[SLOW_PICTURES];
    size_t n;
} slow_set;

typedef struct slow_figures {
    double auroc, ap, f1, trapezoid, aupro, cflow200;
} slow_figures;

/* Component names by letting the largest name spread to the 8 neighbours until nothing changes. */
static inline void slow_spread(int *name, const uint8_t *mask, int width, int height)
{
    for (int i = 0; i < width * height; i++) name[i] = mask[i] ? i + 1 : 0;
    for (int changed = 1; changed;) {
        changed = 0;
        for (int a = 0; a < width * height; a++)
            for (int b = 0; b < width * height; b++)
                if (name[a] && name[b] > name[a] && abs(a % width - b % width) <= 1 &&
                    abs(a / width - b / width) <= 1) {
                    name[a] = name[b];
                    changed = 1;
                }
    }
}

static inline int slow_marked(const flaw_pixels_picture *p, int i)
{
    int marked = p->mask && p->mask[i];
    for (size_t r = 0; r < p->region_count; r++)
        for (size_t k = 0; k < p->regions[r].area; k++) marked |= p->regions[r].pixel[k] == (uint32_t)i;
    return marked;
}

typedef struct slow_point {
    double tp, fp, positives, negatives; /* pixels */
    double overlap;                      /* mean over regions */
    double regions;
} slow_point;

/* found: score >= t, or score > t when `strictly`. */
static inline int slow_found(const flaw_pixels_picture *p, int i, double t, int strictly)
{
    return strictly ? (double)p->map[i] > t : (double)p->map[i] >= t;
}

static inline slow_point slow_at(const slow_set *s, double t, int strictly)
{
    slow_point at = {0};
    double sum = 0;
    for (size_t k = 0; k < s->n; k++) {
        const flaw_pixels_picture *p = &s->picture[k];
        const int pixels = p->width * p->height;
        int name[SLOW_PIXELS] = {0};
        for (int i = 0; i < pixels; i++) {
            int marked = slow_marked(p, i), found = slow_found(p, i, t, strictly);
            at.positives += marked;
            at.negatives += !marked;
            at.tp += marked && found;
            at.fp += !marked && found;
        }
        if (p->mask) slow_spread(name, p->mask, p->width, p->height);
        for (int region = 1; p->mask && region <= pixels; region++) {
            double size = 0, found = 0;
            for (int i = 0; i < pixels; i++) {
                size += name[i] == region;
                found += name[i] == region && slow_found(p, i, t, strictly);
            }
            if (size > 0) sum += found / size, at.regions++;
        }
        for (size_t r = 0; r < p->region_count; r++) {
            const double size = (double)p->regions[r].area, saturation = p->regions[r].saturation;
            double found = 0, enough = saturation > 0 ? fmin(saturation, size) : size;
            for (size_t i = 0; i < p->regions[r].area; i++)
                found += slow_found(p, (int)p->regions[r].pixel[i], t, strictly);
            if (size > 0) sum += fmin(found / enough, 1), at.regions++;
        }
    }
    at.overlap = at.regions > 0 ? sum / at.regions : NAN;
    return at;
}

/* The largest score under t, or -infinity; *lowest over all. */
static inline double slow_next(const slow_set *s, double t)
{
    double next = -INFINITY;
    for (size_t k = 0; k < s->n; k++)
        for (int i = 0; i < s->picture[k].width * s->picture[k].height; i++)
            if (s->picture[k].map[i] < t && s->picture[k].map[i] > next) next = s->picture[k].map[i];
    return next;
}

/* cal_pro_score of the public evaluation scripts, with doubles. */
static inline double slow_cflow200(const slow_set *s, double limit)
{
    double highest = slow_next(s, INFINITY), lowest = highest, fpr[200], overlap[200];
    for (double t = highest; t > -INFINITY; t = slow_next(s, t)) lowest = t;
    if (lowest == highest) return NAN;
    int kept = 0;
    for (int i = 0; i < 200; i++) {
        slow_point at = slow_at(s, lowest + i * ((highest - lowest) / 200), 1);
        if (at.fp / at.negatives < limit) {
            fpr[kept] = at.fp / at.negatives;
            overlap[kept++] = at.overlap;
        }
    }
    if (!kept || fpr[0] == fpr[kept - 1]) return NAN;
    double area = 0, smallest = fpr[kept - 1], span = fpr[0] - smallest;
    for (int i = 1; i < kept; i++)
        area += ((fpr[i - 1] - smallest) / span - (fpr[i] - smallest) / span) * (overlap[i - 1] + overlap[i]) / 2;
    return area;
}

static inline slow_figures slow_measure(const slow_set *s, double limit)
{
    slow_figures f = {0};
    slow_point last = {0};
    double last_precision = 1, last_fpr = 0;
    for (double t = slow_next(s, INFINITY); t > -INFINITY; t = slow_next(s, t)) {
        slow_point at = slow_at(s, t, 0);
        if (at.positives == 0 || at.negatives == 0) return (slow_figures){NAN, NAN, NAN, NAN, NAN, NAN};
        double precision = at.tp / (at.tp + at.fp), recall = at.tp / at.positives, fpr = at.fp / at.negatives;
        double gain = recall - last.tp / at.positives;
        f.auroc += (fpr - last_fpr) * (recall + last.tp / at.positives) / 2;
        f.ap += gain * precision;
        f.trapezoid += gain * (precision + last_precision) / 2;
        if (at.tp > 0) f.f1 = fmax(f.f1, 2 * precision * recall / (precision + recall));
        if (last_fpr < limit && fpr > last_fpr) {
            double end = fmin(fpr, limit),
                   at_end = last.overlap + (at.overlap - last.overlap) * (end - last_fpr) / (fpr - last_fpr);
            f.aupro += (end - last_fpr) * (last.overlap + at_end) / 2;
        }
        last = at;
        last_precision = precision;
        last_fpr = fpr;
    }
    f.aupro /= limit;
    f.cflow200 = slow_cflow200(s, limit);
    return f;
}

#endif
