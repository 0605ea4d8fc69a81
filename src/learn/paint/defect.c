#include "learn/paint/defect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "learn/paint/defect_job.h"

const flaw_defect_kind flaw_defect_kinds[] = {
    {"scratch", "a scratch", flaw_paint_scratch, 0.06f, 0.4f, 0, 2},
    {"scratches", "scratches", flaw_paint_scratches, 0.1f, 0.4f, 0, 1},
    {"crack", "a crack", flaw_paint_crack, 0.08f, 0.5f, 0, 2},
    {"cut", "a cut", flaw_paint_cut, 0.05f, 0.35f, 0, 1.5f},
    {"hole", "a hole", flaw_paint_hole, 0.02f, 0.14f, 0, 2},
    {"puncture", "a puncture", flaw_paint_puncture, 0.02f, 0.06f, 0, 0.7f},
    {"dent", "a dent", flaw_paint_dent, 0.05f, 0.25f, 0, 1.3f},
    {"missing piece", "a missing piece", flaw_paint_chip, 0.06f, 0.3f, 1, 2},
    {"break", "a break", flaw_paint_break, 0.3f, 0.9f, 1, 1.5f},
    {"fold", "a fold", flaw_paint_fold, 0.15f, 0.5f, 0, 0.7f},
    {"deformation", "a deformation", flaw_paint_bend, 0.15f, 0.4f, 1, 1},
    {"stain", "a stain", flaw_paint_stain, 0.04f, 0.25f, 0, 1.5f},
    {"discoloration", "a discoloration", flaw_paint_discolour, 0.08f, 0.4f, 0, 1},
    {"burn mark", "a burn mark", flaw_paint_burn, 0.05f, 0.3f, 0, 1},
    {"paint splash", "a paint splash", flaw_paint_splash, 0.04f, 0.25f, 0, 2},
    {"drop of liquid", "a drop of liquid", flaw_paint_drop, 0.03f, 0.15f, 0, 0.7f},
    {"rust", "rust", flaw_paint_rust, 0.08f, 0.35f, 0, 0.7f},
    {"hair", "a hair", flaw_paint_hair, 0.1f, 0.4f, 0, 0.8f},
    {"thread", "a thread", flaw_paint_thread, 0.1f, 0.4f, 0, 0.8f},
    {"dust", "dust", flaw_paint_dust, 0.1f, 0.4f, 0, 0.7f},
    {"pen mark", "a pen mark", flaw_paint_mark, 0.08f, 0.4f, 0, 0.8f},
    {"glue", "glue", flaw_paint_glue, 0.06f, 0.3f, 0, 0.8f},
    {"smear", "a smear", flaw_paint_smear, 0.08f, 0.3f, 0, 0.8f},
    {"worn spot", "a worn spot", flaw_paint_wear, 0.06f, 0.3f, 0, 0.8f},
    {"gap", "a gap", flaw_paint_gap, 0.06f, 0.25f, 0, 0.8f},
    {"foreign object", "a foreign object", flaw_paint_object, 0.03f, 0.18f, 0, 1.2f},
    {"foreign patch", "a foreign patch", flaw_paint_patch, 0.05f, 0.3f, 0, 2},
    {"misplaced area", "a misplaced area", flaw_paint_swap, 0.06f, 0.25f, 0, 1},
    {"mould", "mould", flaw_paint_mould, 0.06f, 0.3f, 0, 0.6f},
};
enum { KINDS = sizeof flaw_defect_kinds / sizeof *flaw_defect_kinds, TRIES = 6 };

int flaw_defect_count(void)
{
    return KINDS;
}

const char *flaw_defect_name(int kind)
{
    return kind >= 0 && kind < KINDS ? flaw_defect_kinds[kind].name : NULL;
}

const char *flaw_defect_phrase(int kind)
{
    return kind >= 0 && kind < KINDS ? flaw_defect_kinds[kind].phrase : NULL;
}

int flaw_defect_find(const char *name)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(flaw_defect_kinds[i].name, name) == 0) return i;
    return -1;
}

int flaw_defect_any(flaw_random *r, const char *material)
{
    float sum = 0, weight[KINDS];
    bool metal = material && strstr(material, "metal");
    for (int i = 0; i < KINDS; i++) {
        bool odd = material && strcmp(flaw_defect_kinds[i].name, metal ? "mould" : "rust") == 0;
        sum += weight[i] = odd ? 0 : flaw_defect_kinds[i].weight;
    }
    float at = (float)flaw_random_range(r, 0, sum);
    for (int i = 0; i < KINDS; i++)
        if ((at -= weight[i]) < 0) return i;
    return 0;
}

static bool on_object(const flaw_defect_job *j, int x, int y)
{
    return !j->foreground || j->foreground[(size_t)y * (size_t)j->picture->width + (size_t)x];
}

/* Away from the object: minus the mean way to foreground pixels on a ring of `reach` pixels. 0 deep inside. */
static bool border_at(flaw_defect_job *j, int x, int y, float reach)
{
    float sx = 0, sy = 0;
    int in = 0;
    for (int k = 0; k < 16; k++) {
        float c = cosf(0.3927f * (float)k), s = sinf(0.3927f * (float)k);
        int px = x + (int)(c * reach), py = y + (int)(s * reach);
        bool framed = px >= 0 && py >= 0 && px < j->picture->width && py < j->picture->height;
        if (framed && !on_object(j, px, py)) continue; /* beyond the frame the object goes on */
        sx += c, sy += s, in++;
    }
    float length = sqrtf(sx * sx + sy * sy);
    if (in < 3 || in > 12 || length < 1) return false;
    j->out_x = -sx / length, j->out_y = -sy / length;
    return true;
}

/* A random point of the foreground; at its border when `border` and one is found within some draws. */
static bool place(flaw_defect_job *j, const int *rows, int total, bool border)
{
    int w = j->picture->width;
    j->out_x = j->out_y = 0;
    for (int attempt = 0; attempt < (border ? 60 : 1); attempt++) {
        int at = flaw_random_below(j->r, total), y = 0;
        while (at >= rows[y]) at -= rows[y++];
        int x = 0;
        for (; x < w; x++)
            if (on_object(j, x, y) && at-- == 0) break;
        j->cx = (float)x, j->cy = (float)y;
        if (border && border_at(j, x, y, fmaxf(2, 0.05f * j->unit))) return true;
    }
    return !border;
}

static flaw_status make_box(flaw_defect_job *j, flaw_error *err)
{
    float reach = j->size * 1.9f + 6;
    int x1 = (int)(j->cx + reach) + 1, y1 = (int)(j->cy + reach) + 1;
    j->x0 = j->cx - reach < 0 ? 0 : (int)(j->cx - reach);
    j->y0 = j->cy - reach < 0 ? 0 : (int)(j->cy - reach);
    j->w = (x1 < j->picture->width ? x1 : j->picture->width) - j->x0;
    j->h = (y1 < j->picture->height ? y1 : j->picture->height) - j->y0;
    size_t n;
    if (!flaw_mul_ok(&n, (size_t)j->w, (size_t)j->h) || n > (size_t)1 << 28)
        return flaw_fail(err, FLAW_USAGE, "defect: picture of %d x %d is too large", j->picture->width,
                         j->picture->height);
    j->n = (int)n;
    float *planes = calloc(n, 4 * sizeof(float) + 3);
    if (!planes) return flaw_fail(err, FLAW_NO_MEMORY, "defect: no memory for %d x %d pixels", j->w, j->h);
    j->shape = planes, j->field = planes + n, j->u = planes + 2 * n, j->v = planes + 3 * n;
    j->before = (uint8_t *)(planes + 4 * n);
    for (int y = 0; y < j->h; y++) {
        size_t row = (size_t)(j->y0 + y) * (size_t)j->picture->width + (size_t)j->x0;
        memcpy(j->before + 3 * y * j->w, j->picture->rgb + 3 * row, 3 * (size_t)j->w);
        for (int x = 0; x < j->w; x++) j->u[y * j->w + x] = (float)(j->x0 + x), j->v[y * j->w + x] = (float)(j->y0 + y);
    }
    return FLAW_OK;
}

static void restore(const flaw_defect_job *j)
{
    for (int y = 0; y < j->h; y++) {
        size_t row = (size_t)(j->y0 + y) * (size_t)j->picture->width + (size_t)j->x0;
        memcpy(j->picture->rgb + 3 * row, j->before + 3 * y * j->w, 3 * (size_t)j->w);
    }
}

/* Largest difference of the channels, per pixel, into `field`. */
static void differences(flaw_defect_job *j)
{
    for (int y = 0; y < j->h; y++) {
        const uint8_t *now = j->picture->rgb + 3 * ((size_t)(j->y0 + y) * (size_t)j->picture->width + (size_t)j->x0);
        const uint8_t *old = j->before + 3 * y * j->w;
        for (int x = 0; x < j->w; x++) {
            int most = 0;
            for (int c = 0; c < 3; c++) {
                int d = abs(now[3 * x + c] - old[3 * x + c]);
                most = d > most ? d : most;
            }
            j->field[y * j->w + x] = (float)most;
        }
    }
}

/* Mean of the 5 x 5 neighbourhood of `field` at (x, y), box borders clamped. */
static float around(const flaw_defect_job *j, int x, int y)
{
    float sum = 0;
    for (int b = -2; b <= 2; b++)
        for (int a = -2; a <= 2; a++) {
            int px = x + a < 0       ? 0
                     : x + a >= j->w ? j->w - 1
                                     : x + a,
                py = y + b < 0       ? 0
                     : y + b >= j->h ? j->h - 1
                                     : y + b;
            sum += j->field[py * j->w + px];
        }
    return sum / 25;
}

/* Mark what changed visibly. A change counts when a pixel, or its neighbourhood on average, moved by more than what
 * JPEG and sensor noise hide. Returns the number of pixels marked, and the mean change over them. */
static int mark(flaw_defect_job *j, uint8_t *mask, float *change)
{
    const float visible = 14;
    int count = 0;
    float sum = 0;
    differences(j);
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++) {
            int at = y * j->w + x;
            if (j->shape[at] < 0.1f) continue;
            bool seen = j->field[at] > visible || around(j, x, y) > 0.7f * visible;
            if (!seen) continue;
            if (mask) mask[(size_t)(j->y0 + y) * (size_t)j->picture->width + (size_t)(j->x0 + x)] = 255;
            count++;
            sum += j->field[at];
        }
    *change = count ? sum / (float)count : 0;
    return count;
}

static flaw_status attempt(flaw_defect_job *j, const flaw_defect_kind *k, uint8_t *mask, bool *done, flaw_error *err)
{
    float range = logf(k->hi / k->lo);
    j->size = fmaxf(3, j->unit * k->lo * expf(range * flaw_defect_pick(j, 0, 1)));
    float way = flaw_defect_pick(j, 0, 6.2831853);
    j->light_x = cosf(way), j->light_y = sinf(way);
    j->outside = false;
    flaw_status st = make_box(j, err);
    if (st) return st;
    k->paint(j);
    float shape = 0, change;
    for (int i = 0; i < j->n; i++) shape += j->shape[i];
    int seen = mark(j, NULL, &change);
    *done = seen >= 8 && (float)seen >= 0.3f * shape && change > 16;
    if (*done) mark(j, mask, &change);
    else restore(j);
    free(j->shape);
    return FLAW_OK;
}

flaw_status flaw_defect_paint(flaw_picture *picture, const uint8_t *foreground, const flaw_picture *other, int kind,
                              flaw_random *r, uint8_t *mask, int *painted, flaw_error *err)
{
    if (kind < -1 || kind >= KINDS)
        return flaw_fail(err, FLAW_USAGE, "defect: kind %d, allowed -1 .. %d", kind, KINDS - 1);
    flaw_defect_job j = {.picture = picture, .foreground = foreground, .other = other, .r = r};
    int *rows = calloc((size_t)picture->height, sizeof(int)), total = 0;
    if (!rows) return flaw_fail(err, FLAW_NO_MEMORY, "defect: no memory for %d rows", picture->height);
    for (int y = 0; y < picture->height; y++) {
        for (int x = 0; x < picture->width; x++) rows[y] += on_object(&j, x, y);
        total += rows[y];
    }
    j.unit = sqrtf((float)total);
    float strength = (float)flaw_random_range(r, 0.25, 1);
    flaw_status st = FLAW_OK;
    bool done = false;
    for (int t = 0; t < TRIES && total > 0 && !done && !st; t++) {
        int k = kind < 0 ? flaw_defect_any(r, NULL) : kind;
        j.strength = strength + 0.3f * (float)t;
        if (!place(&j, rows, total, flaw_defect_kinds[k].where == 1 && foreground) && kind < 0) continue;
        st = attempt(&j, &flaw_defect_kinds[k], mask, &done, err);
        if (done && painted) *painted = k;
    }
    free(rows);
    if (!st && !done)
        st = flaw_fail(err, FLAW_UNAVAILABLE, "defect: nothing visible after %d tries on %d foreground pixels", TRIES,
                       total);
    return st;
}
