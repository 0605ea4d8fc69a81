/* Products of MVTec AD and VisA: how patches are simulated for each (as AnomalyGPT does, its table), and the words that
 * describe it. For products that are not known: a preset made from the picture, and a general sentence. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/ground.h"
#include "simulate/simulate_inside.h"

enum { NONE = FLAW_BACKGROUND_NONE };
#define LEAST_OBJECT 0.25 /* NSA's own; AnomalyGPT has 0 */
#define D "damage, flaw, defect, scratch, hole or broken part"
#define PHOTO(of) "This is a photo of " of " for anomaly detection"
#define PLAIN(of) PHOTO(of) ", which should be without any " D "."

/* name, width bounds, height bounds, slope, middle, background, tolerance, resize bounds; description. Names are plain
 * words where folders of the data sets have "metal_nut", "chewinggum", "pipe_fryum". */
#define OBJECT(name, w, h, slope, middle, background, tolerance)                                                       \
    {                                                                                                                  \
        name, 0.03, w, 0.03, h, slope, middle, background, tolerance, 0.7, 1.3, 0                                      \
    }
#define SURFACE(name, slope, middle)                                                                                   \
    {                                                                                                                  \
        name, 0.03, 0.4, 0.03, 0.4, slope, middle, NONE, 0, 0.5, 2, 0                                                  \
    }
#define VISA(name) SURFACE(name, 1. / 12, 24)

static const struct known {
    flaw_simulate_preset preset;
    const char *description;
} known[] = {
    {OBJECT("bottle", 0.4, 0.4, 1. / 12, 24, 200, 60), PHOTO("a bottle") ", which should be round, without any " D "."},
    {{"cable", 0.05, 0.4, 0.05, 0.4, 1. / 12, 24, NONE, 0, 0.7, 1.3, 0},
     PHOTO("three cables") ", they are green, blue and grey, which cannot be missed or swapped and should be without "
                           "any " D "."},
    {OBJECT("capsule", 0.15, 0.4, 1. / 2, 4, 200, 60),
     PHOTO("a capsule") ", which should be black and orange, with print '500', without any " D "."},
    {SURFACE("carpet", 1. / 3, 7), PLAIN("carpet")},
    {SURFACE("grid", 1. / 3, 7), PLAIN("grid")},
    {OBJECT("hazelnut", 0.35, 0.35, 1. / 12, 24, 20, 20), PLAIN("a hazelnut")},
    {SURFACE("leather", 1. / 3, 7), PHOTO("leather") ", which should be brown and without any " D "."},
    {OBJECT("metal nut", 0.4, 0.4, 1. / 3, 7, 20, 20),
     PHOTO("a metal nut") ", which should be without any " D ", and shouldn't be flipped."},
    {OBJECT("pill", 0.2, 0.4, 1. / 3, 7, 20, 20),
     PHOTO("a pill") ", which should be white, with print 'FF' and red patterns, without any " D "."},
    {OBJECT("screw", 0.12, 0.12, 1, 3, 200, 60),
     PHOTO("a screw") ", whose tail should be sharp, and without any " D "."},
    {SURFACE("tile", 1. / 3, 7), PLAIN("tile")},
    {OBJECT("toothbrush", 0.4, 0.2, 1. / 6, 15, 20, 20), PLAIN("a toothbrush")},
    {OBJECT("transistor", 0.4, 0.4, 1. / 6, 15, NONE, 0), PLAIN("a transistor")},
    {SURFACE("wood", 1. / 6, 15), PHOTO("wood") ", which should be brown with patterns, without any " D "."},
    {OBJECT("zipper", 0.4, 0.2, 1. / 6, 15, 200, 60), PLAIN("a zipper")},
    {VISA("candle"), PHOTO("4 candles") ", every candle should be round, without any " D "."},
    {VISA("capsules"), PHOTO("many small capsules") ", every capsule is green and should be without any " D "."},
    {VISA("cashew"), PLAIN("a cashew")},
    {VISA("chewing gum"), PHOTO("a chewing gum") ", which should be white, without any " D "."},
    {VISA("fryum"), PHOTO("a fryum") " on green background, which should be without any " D "."},
    {VISA("macaroni1"), PLAIN("4 macaronis")},
    {VISA("macaroni2"), PLAIN("4 macaronis")},
    {VISA("pcb1"), PLAIN("pcb")},
    {VISA("pcb2"), PLAIN("pcb")},
    {VISA("pcb3"), PLAIN("pcb")},
    {VISA("pcb4"), PLAIN("pcb")},
    {VISA("pipe fryum"), PLAIN("a pipe fryum")},
};
enum { KNOWN = sizeof known / sizeof *known };

int flaw_simulate_preset_count(void)
{
    return KNOWN;
}

const flaw_simulate_preset *flaw_simulate_preset_at(int index)
{
    return index >= 0 && index < KNOWN ? &known[index].preset : NULL;
}

/* "Metal_Nut", "metal-nut" and "metalnut" are "metal nut". */
static bool same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a && strchr(" _-", *a)) a++;
        while (*b && strchr(" _-", *b)) b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
        if (!*a) return true;
    }
}

static const struct known *find_known(const char *name)
{
    for (int i = 0; name && i < KNOWN; i++)
        if (same_name(known[i].preset.name, name)) return &known[i];
    return NULL;
}

static int grey(const flaw_picture *p, int x, int y)
{
    const uint8_t *c = p->rgb + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
    return (c[0] + c[1] + c[2]) / 3;
}

/* Share of the outermost pixels that are background as the preset has it. */
static double border_share(const flaw_simulate_preset *preset, const flaw_picture *p)
{
    size_t all = 0, like = 0;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x += y == 0 || y == p->height - 1 || p->width < 2 ? 1 : p->width - 1) {
            all++;
            like += abs(grey(p, x, y) - preset->background) <= preset->tolerance;
        }
    return (double)like / (double)all;
}

enum { BLOCKS = 8 };

/* Where 2 % .. 98 % of the object's pixels lie along each axis, as shares of the sides; deviation of grey from the mean
 * of its block of BLOCKS x BLOCKS, so that the slow shading of a lamp does not count. */
typedef struct look {
    double extent_x, extent_y, deviation;
} look;

typedef struct block {
    double sum, squares, count;
} block;

static double extent(const size_t *count, int n)
{
    size_t sum = 0, all = 0;
    int first = -1, last = 0;
    for (int i = 0; i < n; i++) all += count[i];
    for (int i = 0; i < n; i++) {
        sum += count[i];
        if (first < 0 && sum * 50 > all) first = i;
        if (sum * 50 <= 49 * all) last = i + 1;
    }
    return first < 0 || last < first ? 1. / n : (double)(last - first + 1) / n;
}

static double pooled_deviation(block blocks[BLOCKS][BLOCKS])
{
    double squares = 0, count = 0;
    for (int i = 0; i < BLOCKS * BLOCKS; i++) {
        const block *b = &blocks[i / BLOCKS][i % BLOCKS];
        if (b->count > 0) squares += b->squares - b->sum * b->sum / b->count;
        count += b->count;
    }
    return count > 0 && squares > 0 ? sqrt(squares / count) : 0;
}

static flaw_status look_at(look *out, bool *found, const flaw_picture *p, flaw_error *err)
{
    size_t pixels = (size_t)p->width * (size_t)p->height;
    uint8_t *object = malloc(pixels);
    size_t *across = calloc((size_t)p->width, sizeof *across), *down = calloc((size_t)p->height, sizeof *down);
    if (!object || !across || !down) {
        free(object);
        free(across);
        free(down);
        return flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for %zu pixels", pixels);
    }
    *found = flaw_defect_foreground(p, object);
    block blocks[BLOCKS][BLOCKS] = {0};
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            if (!object[(size_t)y * (size_t)p->width + (size_t)x]) continue;
            double g = grey(p, x, y);
            block *b = &blocks[(int64_t)y * BLOCKS / p->height][(int64_t)x * BLOCKS / p->width];
            across[x]++, down[y]++;
            b->sum += g, b->squares += g * g, b->count++;
        }
    *out = (look){extent(across, p->width), extent(down, p->height), pooled_deviation(blocks)};
    free(object);
    free(across);
    free(down);
    return FLAW_OK;
}

static double within(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* Slope times middle is 2 to 3 in the table. The deviation comes near the table for leather (7). */
static void make_preset(flaw_simulate_preset *out, const look *l, bool object)
{
    double middle = within(l->deviation, 3, 24);
    *out = (flaw_simulate_preset)SURFACE("auto", 2.2 / middle, middle);
    if (!object) return;
    out->width_high = within(0.5 * l->extent_x, 0.06, 0.4);
    out->height_high = within(0.5 * l->extent_y, 0.06, 0.4);
    out->background = FLAW_BACKGROUND_GUESSED;
    out->resize_low = 0.7;
    out->resize_high = 1.3;
    out->least_object = LEAST_OBJECT;
}

flaw_status flaw_simulate_preset_find(flaw_simulate_preset *out, const char *name, const flaw_picture *picture,
                                      flaw_error *err)
{
    const struct known *row = find_known(name);
    if (!picture) {
        if (row) *out = row->preset;
        else make_preset(out, &(look){1, 1, 10}, false);
        return FLAW_OK;
    }
    if (row && (row->preset.background < 0 || border_share(&row->preset, picture) >= 0.25)) {
        *out = row->preset;
        return FLAW_OK;
    }
    look l = {0};
    bool object = false;
    flaw_status status = look_at(&l, &object, picture, err);
    if (status != FLAW_OK) return status;
    make_preset(out, &l, object);
    if (!row) return FLAW_OK;
    out->name = row->preset.name;
    out->width_high = fmin(out->width_high, row->preset.width_high);
    out->height_high = fmin(out->height_high, row->preset.height_high);
    return FLAW_OK;
}

void flaw_simulate_question(char *out, size_t size, const char *object)
{
    static const char asked[] = "Is there any anomaly in the image?";
    const struct known *row = find_known(object);
    if (row) {
        snprintf(out, size, "%s %s", row->description, asked);
        return;
    }
    if (!object || !*object) object = "object";
    const char *article = strchr("aeiouAEIOU", *object) ? "an" : "a";
    snprintf(out, size, PHOTO("%s %s") ", which should be without any " D ". %s", article, object, asked);
}

void flaw_simulate_answer(char *out, size_t size, int count, const char *const *places)
{
    char list[512] = "";
    size_t used = 0;
    const char *named[FLAW_SIMULATE_PATCHES];
    int names = 0;
    for (int i = 0; i < count && names < FLAW_SIMULATE_PATCHES; i++) {
        bool again = false;
        for (int k = 0; k < names; k++) again |= strcmp(named[k], places[i]) == 0;
        if (!again) named[names++] = places[i];
    }
    for (int i = 0; i < names && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 i == 0           ? ""
                                 : i == names - 1 ? " and "
                                                  : ", ",
                                 named[i]);
    if (count <= 0) snprintf(out, size, "No, there is no anomaly in the image.");
    else if (count == 1) snprintf(out, size, "Yes, there is an anomaly in the image, at the %s of the image.", list);
    else snprintf(out, size, "Yes, there are %d anomalies in the image, they are at the %s of the image.", count, list);
}
