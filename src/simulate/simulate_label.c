/* From a change to a label: median filters and the logistic of NSA's "logistic intensity". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/ground.h"
#include "simulate/simulate_inside.h"

int flaw_simulate_scaled(const flaw_picture *picture, double pixels)
{
    int side = picture->width < picture->height ? picture->width : picture->height;
    int n = (int)(pixels * side / 224 + 0.5);
    return n > 0 ? n : 1;
}

/* Running sums along one line: out[i] = sum of in[i - radius .. i + radius], 0 outside. */
static void box_line(uint32_t *out, const uint32_t *in, size_t stride, int n, int radius)
{
    uint32_t sum = 0;
    for (int i = 0; i < n + radius; i++) {
        if (i < n) sum += in[(size_t)i * stride];
        if (i > 2 * radius) sum -= in[(size_t)(i - 2 * radius - 1) * stride];
        if (i >= radius) out[i - radius] = sum;
    }
}

flaw_status flaw_simulate_settle(uint8_t *mask, int width, int height, int radius, flaw_error *err)
{
    size_t pixels = (size_t)width * (size_t)height;
    uint32_t *sum = malloc(pixels * sizeof *sum);
    uint32_t *line = malloc((size_t)(width > height ? width : height) * sizeof *line);
    if (!sum || !line) {
        free(sum);
        free(line);
        return flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for %zu pixels", pixels);
    }
    for (size_t i = 0; i < pixels; i++) sum[i] = mask[i];
    for (int y = 0; y < height; y++) {
        uint32_t *row = sum + (size_t)y * (size_t)width;
        box_line(line, row, 1, width, radius);
        memcpy(row, line, (size_t)width * sizeof *row);
    }
    uint64_t half = (uint64_t)(2 * radius + 1) * (uint64_t)(2 * radius + 1) / 2;
    for (int x = 0; x < width; x++) {
        box_line(line, sum + x, (size_t)width, height, radius);
        for (int y = 0; y < height; y++) mask[(size_t)y * (size_t)width + (size_t)x] = line[y] > half;
    }
    free(sum);
    free(line);
    return FLAW_OK;
}

flaw_status flaw_simulate_object(uint8_t *object, bool *found, const flaw_picture *picture,
                                 const flaw_simulate_preset *preset, flaw_error *err)
{
    size_t pixels = (size_t)picture->width * (size_t)picture->height;
    if (preset->background == FLAW_BACKGROUND_GUESSED) {
        *found = flaw_defect_foreground(picture, object);
        for (size_t i = 0; i < pixels; i++) object[i] = object[i] != 0;
    } else if ((*found = preset->background >= 0)) {
        for (size_t i = 0; i < pixels; i++) {
            int sum = picture->rgb[3 * i] + picture->rgb[3 * i + 1] + picture->rgb[3 * i + 2];
            object[i] = abs(sum - 3 * preset->background) > 3 * preset->tolerance;
        }
    } else {
        memset(object, 1, pixels);
    }
    if (!*found) return FLAW_OK;
    return flaw_simulate_settle(object, picture->width, picture->height, flaw_simulate_scaled(picture, 3), err);
}

enum { CHANGES = 3 * 255 + 1 }; /* changes of three channels together */

/* Median in a disc that slides along a row (Huang, Yang, Tang 1979): a histogram, the median, and how many are below.
 */
typedef struct slide {
    const uint16_t *change; /* [height, width]; 0 outside */
    int width, height, radius;
    const int *reach; /* [2 radius + 1] half-width of the disc in each of its rows */
    int histogram[CHANGES];
    int median, below, middle; /* middle: rank of the median */
} slide;

static void count(slide *s, int x, int y, int by)
{
    bool in = x >= 0 && y >= 0 && x < s->width && y < s->height;
    int value = in ? s->change[(size_t)y * (size_t)s->width + (size_t)x] : 0;
    s->histogram[value] += by;
    if (value < s->median) s->below += by;
}

static int settle_median(slide *s)
{
    while (s->below > s->middle) s->below -= s->histogram[--s->median];
    while (s->below + s->histogram[s->median] <= s->middle) s->below += s->histogram[s->median++];
    return s->median;
}

/* out [height, width] = medians of `change` in discs of `radius`. */
static flaw_status disc_median(uint16_t *out, const uint16_t *change, int width, int height, int radius,
                               flaw_error *err)
{
    slide *s = calloc(1, sizeof *s);
    int *reach = malloc((size_t)(2 * radius + 1) * sizeof *reach), pixels = 0;
    if (!s || !reach) {
        free(s);
        free(reach);
        return flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for a disc of radius %d", radius);
    }
    for (int b = -radius; b <= radius; b++) {
        reach[b + radius] = (int)sqrt((double)radius * radius - (double)b * b);
        pixels += 2 * reach[b + radius] + 1;
    }
    *s = (slide){
        .change = change, .width = width, .height = height, .radius = radius, .reach = reach, .middle = pixels / 2};
    for (int y = 0; y < height; y++) {
        memset(s->histogram, 0, sizeof s->histogram);
        s->below = s->median = 0;
        for (int b = -radius; b <= radius; b++)
            for (int x = -reach[b + radius]; x <= reach[b + radius]; x++) count(s, x, y + b, 1);
        for (int x = 0; x < width; x++) {
            out[(size_t)y * (size_t)width + (size_t)x] = (uint16_t)settle_median(s);
            for (int b = -radius; b <= radius; b++) {
                count(s, x - reach[b + radius], y + b, -1);
                count(s, x + reach[b + radius] + 1, y + b, 1);
            }
        }
    }
    free(s);
    free(reach);
    return FLAW_OK;
}

flaw_status flaw_simulate_label(float *label, const uint8_t *before, const uint8_t *after, const uint8_t *mask,
                                int width, int height, const flaw_simulate_preset *preset, const flaw_picture *picture,
                                flaw_error *err)
{
    size_t pixels = (size_t)width * (size_t)height;
    uint16_t *change = malloc(pixels * sizeof *change), *calm = malloc(pixels * sizeof *calm);
    uint8_t *region = malloc(pixels);
    flaw_status status = FLAW_OK;
    if (!change || !calm || !region) status = flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for a label");
    for (size_t i = 0; i < pixels && status == FLAW_OK; i++) {
        int sum = 0;
        for (size_t c = 3 * i; c < 3 * i + 3; c++) sum += abs(before[c] - after[c]);
        change[i] = (uint16_t)sum;
        region[i] = mask[i] && sum > 3; /* more than one grey level in the mean over channels */
    }
    if (status == FLAW_OK) status = flaw_simulate_settle(region, width, height, flaw_simulate_scaled(picture, 2), err);
    for (size_t i = 0; i < pixels && status == FLAW_OK; i++) change[i] = region[i] ? change[i] : 0;
    if (status == FLAW_OK) status = disc_median(calm, change, width, height, flaw_simulate_scaled(picture, 5), err);
    for (size_t i = 0; i < pixels && status == FLAW_OK; i++)
        label[i] = region[i] ? (float)(1 / (1 + exp(-preset->slope * (calm[i] / 3. - preset->middle)))) : 0;
    free(change);
    free(calm);
    free(region);
    return status;
}
