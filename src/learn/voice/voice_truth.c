#include "learn/voice/voice_truth.h"

#include <math.h>

#include "detect/marked.h"
#include "detect/regions.h"
#include "model/voice/anomalygpt.h"

_Static_assert(FLAW_TRUTH_ANOMALIES >= FLAW_MARKED_MOST, "a dialogue must hold all places of a mask");

flaw_status flaw_truth_of_mask(flaw_truth *out, const uint8_t *mask, int side, flaw_error *err)
{
    flaw_region region[FLAW_MARKED_MOST];
    flaw_status status = flaw_marked_find(region, &out->count, mask, side, side, err);
    for (int i = 0; !status && i < out->count; i++) {
        const flaw_region *r = &region[i];
        out->anomaly[i].place = flaw_place_name((r->x + r->width / 2.0) / side, (r->y + r->height / 2.0) / side);
        out->anomaly[i].kind = NULL;
        out->anomaly[i].area = r->area;
    }
    return status;
}

/* An ellipse on the grid, in units of the picture's side. */
typedef struct blob {
    double x, y, rx, ry, angle, peak;
} blob;

static blob any_blob(double low, double high, double peak, flaw_random *r)
{
    double size = low * pow(high / low, flaw_random_uniform(r)), aspect = exp(flaw_random_range(r, -0.7, 0.7));
    return (blob){.x = flaw_random_range(r, 0.04, 0.96), .y = flaw_random_range(r, 0.04, 0.96), .rx = size * aspect,
                  .ry = size / aspect, .angle = flaw_random_range(r, 0, 3.14159), .peak = peak};
}

/* Height at a point: 1 inside, falling off over about `smear` outside. */
static double height(const blob *b, double x, double y, double smear)
{
    double c = cos(b->angle), s = sin(b->angle), u = c * (x - b->x) + s * (y - b->y), v = c * (y - b->y) - s * (x - b->x);
    double reach = sqrt(u * u / ((b->rx + smear) * (b->rx + smear)) + v * v / ((b->ry + smear) * (b->ry + smear)));
    return b->peak / (1 + exp(6 * (reach - 0.9)));
}

static bool apart(const blob *all, int count, const blob *b)
{
    for (int i = 0; i < count; i++) {
        double reach = fmax(all[i].rx, all[i].ry) + fmax(b->rx, b->ry) + 0.11;
        if (hypot(all[i].x - b->x, all[i].y - b->y) < reach) return false;
    }
    return true;
}

/* Up to three of them, none smaller than `low`. */
static int draw_blobs(blob *out, double low, double high, flaw_random *r)
{
    static const double often[] = {0.4, 0.7, 0.87, 1};
    double u = flaw_random_uniform(r), peak = flaw_random_range(r, 0.4, 1);
    int want = 0, count = 0;
    while (u > often[want]) want++;
    for (int tries = 0; count < want && tries < 50; tries++) {
        blob b = any_blob(low, want > 1 ? high / 2 : high, peak * flaw_random_range(r, 0.65, 1), r);
        if (apart(out, count, &b)) out[count++] = b;
    }
    return count;
}

static void tell(flaw_truth *out, const blob *real, int count)
{
    out->count = count;
    for (int i = 0; i < count; i++) {
        out->anomaly[i].place = flaw_place_name(real[i].x, real[i].y);
        out->anomaly[i].kind = NULL;
        out->anomaly[i].area = fmin(3.14159 * real[i].rx * real[i].ry, 1);
    }
}

void flaw_truth_draw_map(flaw_truth *out, float *map, int grid, int side, flaw_random *random)
{
    enum { BUMPS = 4, MOST_GRID = 64 };
    if (grid > MOST_GRID) grid = MOST_GRID;
    blob real[3], false_one[BUMPS];
    float cells[MOST_GRID * MOST_GRID];
    int bumps = flaw_random_below(random, BUMPS + 1);
    /* A decoder's map is near 0 where nothing is, a few-shot map is not. */
    bool compared = flaw_random_uniform(random) < 0.4;
    double floor = compared ? flaw_random_range(random, 0.08, 0.45) : flaw_random_range(random, 0, 0.05);
    double noise = compared ? flaw_random_range(random, 0.01, 0.07) : flaw_random_range(random, 0, 0.03);
    double smear = flaw_random_range(random, 0.25, 0.8) / grid;
    tell(out, real, draw_blobs(real, 0.015, 0.2, random));
    for (int i = 0; i < bumps; i++) false_one[i] = any_blob(0.03, 0.25, flaw_random_range(random, 0, 0.16), random);
    for (int i = 0; i < grid * grid; i++) {
        double x = (i % grid + 0.5) / grid, y = (i / grid + 0.5) / grid, top = 0;
        for (int k = 0; k < out->count; k++) top = fmax(top, height(&real[k], x, y, smear));
        for (int k = 0; k < bumps; k++) top = fmax(top, height(&false_one[k], x, y, smear));
        double value = floor + (1 - floor) * top + noise * flaw_random_normal(random);
        cells[i] = (float)(value < 0 ? 0 : value > 1 ? 1 : value);
    }
    flaw_upsample_corners(grid, side, cells, map);
}

enum { MOST_CELLS = 128, JOINED_BUMPS = 24 };

/* Normal noise on `patches` a side, bilinear on `cells`. */
static void add_noise(float *logit, int patches, int cells, double deviation, flaw_random *random)
{
    float coarse[MOST_CELLS * MOST_CELLS], fine[MOST_CELLS * MOST_CELLS];
    for (int i = 0; i < patches * patches; i++) coarse[i] = (float)(deviation * flaw_random_normal(random));
    flaw_upsample_corners(patches, cells, coarse, fine);
    for (int i = 0; i < cells * cells; i++) logit[i] += fine[i];
}

/* Blobs over a level: each lifts what lies under it towards its peak. */
static void lift(float *logit, int cells, const blob *b, double level, double smear)
{
    blob unit = *b;
    unit.peak = 1;
    for (int i = 0; i < cells * cells; i++) {
        double h = height(&unit, (i % cells + 0.5) / cells, (i / cells + 0.5) / cells, smear);
        logit[i] = (float)fmax((double)logit[i], level + (b->peak - level) * h);
    }
}

/* Levels like those of joined maps of products that training has not seen, bias added: background -10 +- 3, highest logit of
 * good pictures below 0, of anomalous ones above, be the place ever so small. */
void flaw_truth_draw_joined(flaw_truth *out, float *map, int patches, int cells, int side, flaw_random *random)
{
    float logit[MOST_CELLS * MOST_CELLS];
    blob real[3];
    if (cells > MOST_CELLS) cells = MOST_CELLS;
    if (patches > cells) patches = cells;
    double level = flaw_random_range(random, -14, -6), smear = flaw_random_range(random, 0.1, 0.7) / patches;
    double top = flaw_random_range(random, -6, -0.3); /* of the false bumps */
    double peak = flaw_random_uniform(random) < 0.5 ? flaw_random_range(random, 0.3, 4) : flaw_random_range(random, 3, 18);
    int bumps = 1 + flaw_random_below(random, JOINED_BUMPS);
    for (int i = 0; i < cells * cells; i++) logit[i] = (float)level;
    add_noise(logit, patches, cells, flaw_random_range(random, 0, 0.6), random);
    for (int i = 0; i < bumps; i++) {
        double low = level < top ? level : top, at = i ? low + (top - low) * sqrt(flaw_random_uniform(random)) : top;
        blob b = any_blob(0.006, 0.1, at, random);
        lift(logit, cells, &b, level, smear);
    }
    tell(out, real, draw_blobs(real, 0.006, 0.16, random));
    for (int i = 0; i < out->count; i++) {
        real[i].peak = fmax(peak * fmin(real[i].peak / real[0].peak, 1), 0.3); /* uneven: 0.65 to 1 */
        lift(logit, cells, &real[i], level, smear * flaw_random_range(random, 0.7, 1.2));
    }
    flaw_upsample_corners(cells, side, logit, map);
    for (int i = 0; i < side * side; i++) map[i] = 1 / (1 + expf(-map[i]));
}
