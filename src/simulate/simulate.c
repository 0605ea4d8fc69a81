/* NSA (Schlueter et al. 2022) as AnomalyGPT uses it: cut out, resize, put elsewhere, by Poisson editing or plainly. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "image/resize.h"
#include "simulate/poisson.h"
#include "simulate/simulate_inside.h"

enum {
    TRIES = 200,   /* for a place to cut from, and for a place to put to */
    ATTEMPTS = 20, /* new sizes when no place was found, or nothing showed */
    SAMPLES = 48,  /* an overlap is counted on so many rows and columns at most */
    VISIBLE = 7,   /* side of a square of as many pixels as the mask has at least */
    SMALLEST = 3,  /* pixels of a patch's side: its rim keeps the picture, so that one is left inside */
};
#define OVERLAP 0.25 /* of the piece's object with that of the picture */

typedef struct job {
    const flaw_picture *picture, *source; /* of the same size */
    const flaw_simulate_preset *preset;
    flaw_blend blend;
    uint8_t *object, *source_object; /* [height, width] 1 on the object */
    bool bounded;                    /* a background is told apart */
    flaw_random random;
    flaw_simulated out;
} job;

/* What is put in, and where. Arrays are [height, width]. */
typedef struct patch {
    flaw_box at, from; /* in the picture, in the source */
    flaw_picture piece, before, paste, poisson;
    uint8_t *counts; /* 1 where a change counts: on either object */
    float *label, *pasted_label;
} patch;

static void patch_release(patch *p)
{
    flaw_picture_release(&p->piece);
    flaw_picture_release(&p->before);
    flaw_picture_release(&p->paste);
    flaw_picture_release(&p->poisson);
    free(p->counts);
    free(p->label);
    free(p->pasted_label);
    *p = (patch){0};
}

/* Gamma distribution of shape 2. */
static double gamma2(flaw_random *r, double scale)
{
    double a = flaw_random_uniform(r), b = flaw_random_uniform(r);
    return -scale * (log(1 - a) + log(1 - b));
}

static int clip(double value, int low, int high)
{
    return value < low ? low : value > high ? high : (int)value;
}

/* Bounds of one axis in pixels. False where nothing of at least SMALLEST fits. */
static bool bounds(int *low, int *high, int side, double share_low, double share_high)
{
    *low = (int)(share_low * side + 0.5);
    *high = (int)(share_high * side + 0.5);
    if (*low < SMALLEST) *low = SMALLEST;
    if (*high > side - 2) *high = side - 2;
    return *high >= *low;
}

static size_t place(const flaw_picture *p, int x, int y)
{
    return (size_t)y * (size_t)p->width + (size_t)x;
}

static int stride_of(int side)
{
    return side > SAMPLES ? side / SAMPLES : 1;
}

/* A place to cut from that holds enough of the source's object. */
static bool choose_source(job *j, flaw_box *from, int low_x, int low_y, int half_x, int half_y)
{
    int width = j->source->width, height = j->source->height;
    for (int t = 0; t < TRIES; t++) {
        int x = low_x + flaw_random_below(&j->random, width - 2 * low_x);
        int y = low_y + flaw_random_below(&j->random, height - 2 * low_y);
        int x0 = clip(x - half_x, 0, width), x1 = clip(x + half_x, 0, width);
        int y0 = clip(y - half_y, 0, height), y1 = clip(y + half_y, 0, height);
        *from = (flaw_box){x0, y0, x1 - x0, y1 - y0};
        if (!j->bounded) return true;
        size_t in = 0, all = 0;
        for (int v = y0; v < y1; v += stride_of(y1 - y0))
            for (int u = x0; u < x1; u += stride_of(x1 - x0), all++) in += j->source_object[place(j->source, u, v)];
        if ((double)in > j->preset->least_object * (double)all) return true;
    }
    return false;
}

/* Pixel of the source that a pixel of the resized piece shows. */
static size_t shown(const job *j, const patch *p, int x, int y)
{
    int u = p->from.x + (int)((int64_t)(2 * x + 1) * p->from.width / (2 * p->at.width));
    int v = p->from.y + (int)((int64_t)(2 * y + 1) * p->from.height / (2 * p->at.height));
    return place(j->source, u, v);
}

static bool overlaps_enough(const job *j, const patch *p)
{
    if (!j->bounded) return true;
    size_t both = 0, piece = 0;
    for (int y = 0; y < p->at.height; y += stride_of(p->at.height))
        for (int x = 0; x < p->at.width; x += stride_of(p->at.width)) {
            bool in = j->source_object[shown(j, p, x, y)];
            piece += in;
            both += in && j->object[place(j->picture, p->at.x + x, p->at.y + y)];
        }
    return piece > 0 && (double)both > OVERLAP * (double)piece;
}

/* Patches keep so far from each other that their labels stay apart. */
static bool clear_of_others(const job *j, flaw_box at)
{
    int gap = flaw_simulate_scaled(j->picture, 6);
    for (int i = 0; i < j->out.patches; i++) {
        const int *f = j->out.frame[i];
        if (at.x < f[0] + f[2] + gap && f[0] < at.x + at.width + gap && at.y < f[1] + f[3] + gap &&
            f[1] < at.y + at.height + gap)
            return false;
    }
    return true;
}

/* Deviation, over the rim, of picture minus piece, in the channel where it is largest. Poisson editing takes its mean
 * away; the rest it smears over the inside, colours of the background into the object. */
static double rim_mismatch(const job *j, const patch *p)
{
    double sum[3] = {0}, squares[3] = {0}, count = 0;
    int width = p->at.width, height = p->at.height, around = 2 * (width + height), step = stride_of(around / 4);
    for (int i = 0; i < around; i += step) { /* top, bottom, left, right */
        int k = i - 2 * width;
        int x = i < 2 * width ? i % width : k < height ? 0 : width - 1;
        int y = i >= 2 * width ? k % height : i < width ? 0 : height - 1;
        const uint8_t *a = j->picture->rgb + 3 * place(j->picture, p->at.x + x, p->at.y + y);
        const uint8_t *b = j->source->rgb + 3 * shown(j, p, x, y);
        for (int c = 0; c < 3; c++) sum[c] += a[c] - b[c], squares[c] += (a[c] - b[c]) * (a[c] - b[c]);
        count++;
    }
    double largest = 0;
    for (int c = 0; c < 3; c++) largest = fmax(largest, squares[c] / count - sum[c] / count * (sum[c] / count));
    return sqrt(largest);
}

/* The rim may differ the more, the longer the search goes on: an addition to NSA that keeps patches natural. */
static bool choose_place(job *j, patch *p)
{
    int free_x = j->picture->width - p->at.width - 1, free_y = j->picture->height - p->at.height - 1;
    for (int t = 0; t < TRIES; t++) {
        p->at.x = 1 + flaw_random_below(&j->random, free_x);
        p->at.y = 1 + flaw_random_below(&j->random, free_y);
        double allowed = 12 + 128. * t / TRIES;
        if (clear_of_others(j, p->at) && overlaps_enough(j, p) && rim_mismatch(j, p) <= allowed) return true;
    }
    return false;
}

/* Sizes and both places. The bounds of half the size of what is cut out bound the whole of what is put in: NSA's. */
static bool choose(job *j, patch *p)
{
    const flaw_simulate_preset *o = j->preset;
    int width = j->picture->width, height = j->picture->height, low_x, high_x, low_y, high_y;
    if (!bounds(&low_x, &high_x, width, o->width_low, o->width_high)) return false;
    if (!bounds(&low_y, &high_y, height, o->height_low, o->height_high)) return false;
    int half_x = clip((0.03 + gamma2(&j->random, 0.05)) * width, low_x, high_x);
    int half_y = clip((0.03 + gamma2(&j->random, 0.05)) * height, low_y, high_y);
    double scale = 1 + 0.5 * flaw_random_normal(&j->random);
    scale = fmin(fmax(scale, o->resize_low), o->resize_high);
    if (width <= 2 * low_x || height <= 2 * low_y) return false;
    if (!choose_source(j, &p->from, low_x, low_y, half_x, half_y)) return false;
    double aspect = (double)p->from.width / p->from.height;
    p->at.height = clip(scale * p->from.height, low_y, high_y);
    p->at.width = clip(p->at.height * aspect, low_x, high_x);
    p->at.height = clip(p->at.width / aspect, low_y, high_y); /* where the width was clipped */
    return choose_place(j, p);
}

static flaw_status allocate(patch *p, flaw_error *err)
{
    size_t pixels = (size_t)p->at.width * (size_t)p->at.height;
    p->counts = malloc(pixels);
    p->label = malloc(pixels * sizeof *p->label);
    p->pasted_label = malloc(pixels * sizeof *p->pasted_label);
    if (p->counts && p->label && p->pasted_label) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for a patch of %d x %d", p->at.width, p->at.height);
}

/* The piece, what it covers, and where a change counts. */
static flaw_status cut(const job *j, patch *p, flaw_error *err)
{
    flaw_picture piece = {0};
    flaw_status status = flaw_picture_crop(&piece, j->source, p->from.x, p->from.y, p->from.width, p->from.height, err);
    if (status == FLAW_OK)
        status = flaw_picture_resize(&p->piece, &piece, p->at.width, p->at.height, FLAW_FILTER_BILINEAR, err);
    flaw_picture_release(&piece);
    if (status == FLAW_OK)
        status = flaw_picture_crop(&p->before, j->picture, p->at.x, p->at.y, p->at.width, p->at.height, err);
    if (status == FLAW_OK) status = flaw_picture_crop(&p->paste, &p->before, 0, 0, p->at.width, p->at.height, err);
    if (status == FLAW_OK) status = flaw_picture_crop(&p->poisson, &p->before, 0, 0, p->at.width, p->at.height, err);
    if (status == FLAW_OK) status = allocate(p, err);
    if (status != FLAW_OK) return status;
    for (int y = 0; y < p->at.height; y++)
        for (int x = 0; x < p->at.width; x++)
            p->counts[place(&p->piece, x, y)] =
                j->object[place(j->picture, p->at.x + x, p->at.y + y)] || j->source_object[shown(j, p, x, y)];
    return FLAW_OK;
}

/* Plain pasting, the rim of one pixel left as with Poisson editing. */
static void paste(patch *p)
{
    for (int y = 1; y < p->at.height - 1; y++)
        memcpy(p->paste.rgb + 3 * place(&p->paste, 1, y), p->piece.rgb + 3 * place(&p->piece, 1, y),
               3 * (size_t)(p->at.width - 2));
}

static flaw_status edit(patch *p, flaw_error *err)
{
    size_t pixels = (size_t)p->at.width * (size_t)p->at.height;
    double *picture = malloc(3 * pixels * sizeof *picture), *guide = malloc(3 * pixels * sizeof *guide);
    uint8_t *mask = malloc(pixels);
    flaw_status status = FLAW_OK;
    if (!picture || !guide || !mask)
        status =
            flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for a patch of %d x %d", p->at.width, p->at.height);
    if (status == FLAW_OK) {
        memset(mask, 1, pixels);
        for (size_t i = 0; i < 3 * pixels; i++) {
            picture[i] = p->before.rgb[i];
            guide[i] = p->piece.rgb[i];
        }
        status = flaw_poisson_edit(picture, guide, mask, p->at.width, p->at.height, NULL, err);
    }
    for (size_t i = 0; i < 3 * pixels && status == FLAW_OK; i++)
        p->poisson.rgb[i] = (uint8_t)clip(picture[i] + 0.5, 0, 255);
    free(picture);
    free(guide);
    free(mask);
    return status;
}

/* Pixels of the mask. */
static size_t area_of(const patch *p, const float *label)
{
    size_t sum = 0, pixels = (size_t)p->at.width * (size_t)p->at.height;
    for (size_t i = 0; i < pixels; i++) sum += label[i] > FLAW_SIMULATE_MASK;
    return sum;
}

/* Both blends and their labels; *shows when both can be seen. */
static flaw_status make(const job *j, patch *p, bool *shows, flaw_error *err)
{
    *shows = false;
    flaw_status status = cut(j, p, err);
    if (status != FLAW_OK) return status;
    paste(p);
    status = edit(p, err);
    if (status == FLAW_OK)
        status = flaw_simulate_label(p->label, p->before.rgb, p->poisson.rgb, p->counts, p->at.width, p->at.height,
                                     j->preset, j->picture, err);
    if (status == FLAW_OK)
        status = flaw_simulate_label(p->pasted_label, p->before.rgb, p->paste.rgb, p->counts, p->at.width, p->at.height,
                                     j->preset, j->picture, err);
    if (status != FLAW_OK) return status;
    size_t least =
        (size_t)flaw_simulate_scaled(j->picture, VISIBLE) * (size_t)flaw_simulate_scaled(j->picture, VISIBLE);
    *shows = area_of(p, p->label) >= least && area_of(p, p->pasted_label) >= least;
    return FLAW_OK;
}

/* Centre and box of what shows with Poisson editing. */
static void note(job *j, const patch *p)
{
    int n = j->out.patches++, x0 = p->at.width, x1 = 0, y0 = p->at.height, y1 = 0;
    double sum_x = 0, sum_y = 0, count = 0;
    for (int y = 0; y < p->at.height; y++)
        for (int x = 0; x < p->at.width; x++) {
            if (p->label[place(&p->piece, x, y)] <= FLAW_SIMULATE_MASK) continue;
            if (x < x0) x0 = x;
            if (x >= x1) x1 = x + 1;
            if (y < y0) y0 = y;
            y1 = y + 1;
            sum_x += x, sum_y += y, count++;
        }
    j->out.x[n] = p->at.x + (int)(sum_x / count + 0.5);
    j->out.y[n] = p->at.y + (int)(sum_y / count + 0.5);
    memcpy(j->out.box[n], (int[4]){p->at.x + x0, p->at.y + y0, x1 - x0, y1 - y0}, sizeof j->out.box[n]);
    memcpy(j->out.frame[n], (int[4]){p->at.x, p->at.y, p->at.width, p->at.height}, sizeof j->out.frame[n]);
}

static void put(job *j, const patch *p)
{
    const flaw_picture *result = j->blend == FLAW_BLEND_PASTE ? &p->paste : &p->poisson;
    const float *label = j->blend == FLAW_BLEND_PASTE ? p->pasted_label : p->label;
    for (int y = 0; y < p->at.height; y++) {
        size_t to = place(j->picture, p->at.x, p->at.y + y), from = place(result, 0, y);
        memcpy(j->out.picture.rgb + 3 * to, result->rgb + 3 * from, 3 * (size_t)p->at.width);
        memcpy(j->out.label + to, label + from, (size_t)p->at.width * sizeof *label);
    }
    note(j, p);
}

static flaw_status add_patch(job *j, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    bool shows = false;
    for (int i = 0; i < ATTEMPTS && !shows && status == FLAW_OK; i++) {
        patch p = {0};
        if (!choose(j, &p)) continue;
        status = make(j, &p, &shows, err);
        if (shows) put(j, &p);
        patch_release(&p);
    }
    return status;
}

static flaw_status run(job *j, int most, flaw_error *err)
{
    const flaw_picture *picture = j->picture;
    size_t pixels = (size_t)picture->width * (size_t)picture->height;
    bool found, source_found;
    j->object = malloc(pixels);
    j->source_object = malloc(pixels);
    j->out.label = calloc(pixels, sizeof *j->out.label);
    if (!j->object || !j->source_object || !j->out.label)
        return flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for %d x %d pixels", picture->width,
                         picture->height);
    flaw_status status = flaw_picture_crop(&j->out.picture, picture, 0, 0, picture->width, picture->height, err);
    if (status == FLAW_OK) status = flaw_simulate_object(j->object, &found, picture, j->preset, err);
    if (status == FLAW_OK) status = flaw_simulate_object(j->source_object, &source_found, j->source, j->preset, err);
    j->bounded = status == FLAW_OK && (found || source_found);
    for (int i = 0; i < most && status == FLAW_OK; i++)
        if (i == 0 || flaw_random_below(&j->random, 2)) status = add_patch(j, err);
    return status;
}

static bool shares(double low, double high, double most)
{
    return low > 0 && low <= high && high <= most; /* false where one is not a number */
}

static flaw_status check(const flaw_simulate_preset *o, int most, flaw_error *err)
{
    if (most < 1 || most > FLAW_SIMULATE_PATCHES)
        return flaw_fail(err, FLAW_USAGE, "simulation: %d patches, allowed 1 .. %d", most, FLAW_SIMULATE_PATCHES);
    if (!shares(o->width_low, o->width_high, 1) || !shares(o->height_low, o->height_high, 1))
        return flaw_fail(err, FLAW_USAGE, "simulation: widths %g .. %g and %g .. %g, allowed 0 .. 1, the lower first",
                         o->width_low, o->width_high, o->height_low, o->height_high);
    if (!shares(o->resize_low, o->resize_high, 100))
        return flaw_fail(err, FLAW_USAGE, "simulation: resizing by %g .. %g, allowed 0 .. 100, the lower first",
                         o->resize_low, o->resize_high);
    if (!(o->slope > 0 && o->slope <= 1000 && o->middle >= 0 && o->middle <= 255))
        return flaw_fail(err, FLAW_USAGE, "simulation: slope %g and middle %g, allowed 0 .. 1000 and 0 .. 255",
                         o->slope, o->middle);
    if (o->background < FLAW_BACKGROUND_GUESSED || o->background > 255 || o->tolerance < 0 || o->tolerance > 255)
        return flaw_fail(err, FLAW_USAGE, "simulation: background %d, tolerance %d, allowed -2 .. 255 and 0 .. 255",
                         o->background, o->tolerance);
    if (!(o->least_object >= 0 && o->least_object < 1))
        return flaw_fail(err, FLAW_USAGE, "simulation: %g of a piece on the object, allowed 0 .. 1", o->least_object);
    return FLAW_OK;
}

flaw_status flaw_simulate(flaw_simulated *out, const flaw_picture *picture, const flaw_picture *source,
                          const flaw_simulate_options *options, flaw_error *err)
{
    int most = options->most_patches ? options->most_patches : 2;
    flaw_simulate_preset preset = {0};
    flaw_picture fitted = {0};
    flaw_status status = FLAW_OK;
    if (options->preset) preset = *options->preset;
    else status = flaw_simulate_preset_find(&preset, NULL, picture, err);
    if (status == FLAW_OK) status = check(&preset, most, err);
    if (status == FLAW_OK && source && (source->width != picture->width || source->height != picture->height)) {
        status = flaw_picture_resize(&fitted, source, picture->width, picture->height, FLAW_FILTER_BILINEAR, err);
        source = &fitted;
    }
    if (status != FLAW_OK) return status;
    job j = {.picture = picture, .source = source ? source : picture, .preset = &preset, .blend = options->blend};
    flaw_random_init(&j.random, options->seed, options->stream);
    status = run(&j, most, err);
    if (status == FLAW_OK) *out = j.out;
    else flaw_simulated_release(&j.out);
    flaw_picture_release(&fitted);
    free(j.object);
    free(j.source_object);
    return status;
}

void flaw_simulated_release(flaw_simulated *s)
{
    flaw_picture_release(&s->picture);
    free(s->label);
    *s = (flaw_simulated){0};
}
