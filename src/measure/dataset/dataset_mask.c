/* What is marked on a picture: as one mask, or as single defects for saturated overlap. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "measure/metrics/components.h"
#include "measure/dataset/dataset_store.h"

/* Green of the crack colour #23A436: over half of its distance from grey (164 - 54) / 2. */
static bool is_green(const uint8_t *rgb)
{
    int other = rgb[0] > rgb[2] ? rgb[0] : rgb[2];
    return rgb[1] - other >= 55;
}

static bool is_marked(const uint8_t *rgb, bool green, uint32_t background)
{
    return green ? is_green(rgb) : ((uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2]) != background;
}

/* out[height, width] |= what is marked in the file, at the nearest of its pixels. */
static void mark(uint8_t *out, int width, int height, const flaw_picture *mask, bool green, uint32_t background)
{
    for (int y = 0; y < height; y++) {
        size_t row = (size_t)((2 * (int64_t)y + 1) * mask->height / (2 * (int64_t)height)) * (size_t)mask->width;
        for (int x = 0; x < width; x++) {
            size_t column = (size_t)((2 * (int64_t)x + 1) * mask->width / (2 * (int64_t)width));
            out[(size_t)y * (size_t)width + (size_t)x] |=
                is_marked(mask->rgb + 3 * (row + column), green, background);
        }
    }
}

/* Masks of the cookies are photographs on which cracks are painted green. */
static bool has_green_masks(const flaw_dataset *set)
{
    return strcmp(set->layout, "cookies") == 0;
}

bool flaw_mask_marks(const flaw_dataset *set, const flaw_dataset_item *item, const flaw_picture *mask)
{
    bool green = has_green_masks(set);
    size_t pixels = (size_t)mask->width * (size_t)mask->height;
    for (size_t i = 0; i < pixels; i++)
        if (is_marked(mask->rgb + 3 * i, green, item->background)) return true;
    return false;
}

static flaw_status check(size_t *pixels, const flaw_dataset_item *item, int width, int height, flaw_error *err)
{
    if (width < 1 || height < 1 || !flaw_mul_ok(pixels, (size_t)width, (size_t)height) ||
        *pixels > FLAW_PICTURE_MAX_PIXELS)
        return flaw_fail(err, FLAW_USAGE, "mask of '%s' at %d x %d: size out of range", item->path, width, height);
    if (!flaw_dataset_has_map(item))
        return flaw_fail(err, FLAW_USAGE, "'%s' (%s) has no mask", item->path, item->kind);
    return FLAW_OK;
}

flaw_status flaw_dataset_mask(uint8_t *out, const flaw_dataset *set, const flaw_dataset_item *item, int width,
                              int height, flaw_error *err)
{
    size_t pixels = 0;
    flaw_status status = check(&pixels, item, width, height, err);
    if (status != FLAW_OK) return status;
    memset(out, 0, pixels);
    if (item->label == FLAW_LABEL_GOOD) return FLAW_OK;
    for (size_t i = 0; i < item->masks && status == FLAW_OK; i++) {
        flaw_picture mask = {0};
        status = flaw_picture_read(&mask, item->mask[i], err);
        if (status == FLAW_OK) mark(out, width, height, &mask, has_green_masks(set), item->background);
        flaw_picture_release(&mask);
    }
    return status;
}

/* Adds the pixels whose label (or mark) is `name`; region->area says how many. */
static flaw_status take_pixels(flaw_dataset_region *region, const uint8_t *mark_of, const uint32_t *label,
                               uint32_t name, size_t pixels, const char *path, flaw_error *err)
{
    size_t area = 0, at = 0;
    for (size_t i = 0; i < pixels; i++) area += label ? label[i] == name : mark_of[i] != 0;
    region->pixel = malloc((area + 1) * sizeof *region->pixel);
    if (!region->pixel) return flaw_fail(err, FLAW_NO_MEMORY, "mask of '%s': no memory for a defect", path);
    for (size_t i = 0; i < pixels; i++)
        if (label ? label[i] == name : mark_of[i] != 0) region->pixel[at++] = (uint32_t)i;
    region->area = area;
    return FLAW_OK;
}

/* The one value of a mask file of MVTec LOCO; how many pixels have it. */
static flaw_status value_of(int *value, size_t *area, const flaw_picture *mask, const char *path, flaw_error *err)
{
    size_t pixels = (size_t)mask->width * (size_t)mask->height;
    *value = 0;
    *area = 0;
    for (size_t i = 0; i < pixels; i++) {
        int v = mask->rgb[3 * i];
        if (!v) continue;
        if (*value && v != *value)
            return flaw_fail(err, FLAW_BAD_DATA, "mask '%s': values %d and %d, expected one defect a file", path,
                             *value, v);
        *value = v;
        ++*area;
    }
    if (!*area) return flaw_fail(err, FLAW_BAD_DATA, "mask '%s': nothing is marked", path);
    return FLAW_OK;
}

/* Saturation is meant at the size of the file; shares are rounded down as the data set's own evaluation does. */
static double saturation_of(const flaw_defect *type, size_t area_of_file, double shrink, size_t area)
{
    double whole = (double)area_of_file;
    double full = type->relative ? floor(type->saturation * whole) : fmin(type->saturation, whole);
    double scaled = fmax(full, 1) * shrink;
    return area ? fmin(scaled, (double)area) : scaled;
}

/* One mask file, one defect, its type by its value. */
static flaw_status typed_region(flaw_dataset_region *out, const flaw_dataset *set, const char *path, uint8_t *marked,
                                int width, int height, flaw_error *err)
{
    flaw_picture mask = {0};
    int value = 0;
    size_t area = 0, pixels = (size_t)width * (size_t)height;
    flaw_status status = flaw_picture_read(&mask, path, err);
    if (status != FLAW_OK) return status;
    status = value_of(&value, &area, &mask, path, err);
    const flaw_defect *type = flaw_defect_of(set->store, value);
    if (status == FLAW_OK && !type)
        status = flaw_fail(err, FLAW_BAD_DATA, "mask '%s': value %d is not in defects_config.json", path, value);
    if (status == FLAW_OK) {
        memset(marked, 0, pixels);
        mark(marked, width, height, &mask, false, 0);
        status = take_pixels(out, marked, NULL, 0, pixels, path, err);
    }
    if (status == FLAW_OK) {
        double shrink = (double)pixels / ((double)mask.width * mask.height);
        out->defect = type->name;
        out->saturation = saturation_of(type, area, shrink, out->area);
    }
    flaw_picture_release(&mask);
    return status;
}

static flaw_status typed_regions(flaw_dataset_regions *out, const flaw_dataset *set, const flaw_dataset_item *item,
                                 uint8_t *marked, int width, int height, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    out->region = calloc(item->masks + 1, sizeof *out->region);
    if (!out->region) return flaw_fail(err, FLAW_NO_MEMORY, "mask of '%s': no memory for its defects", item->path);
    for (size_t i = 0; i < item->masks && status == FLAW_OK; i++)
        status = typed_region(&out->region[out->count++], set, item->mask[i], marked, width, height, err);
    return status;
}

/* 8-connected parts of the whole mask. */
static flaw_status parts(flaw_dataset_regions *out, const flaw_dataset *set, const flaw_dataset_item *item,
                         uint8_t *marked, int width, int height, flaw_error *err)
{
    size_t pixels = (size_t)width * (size_t)height;
    uint32_t count = 0, *label = malloc(pixels * sizeof *label);
    if (!label) return flaw_fail(err, FLAW_NO_MEMORY, "mask of '%s': no memory for its defects", item->path);
    flaw_status status = flaw_dataset_mask(marked, set, item, width, height, err);
    if (status == FLAW_OK) status = flaw_components_label(label, &count, marked, width, height, 1, err);
    if (status == FLAW_OK) out->region = calloc((size_t)count + 1, sizeof *out->region);
    if (status == FLAW_OK && !out->region)
        status = flaw_fail(err, FLAW_NO_MEMORY, "mask of '%s': no memory for %u defects", item->path, count);
    for (uint32_t i = 0; i < count && status == FLAW_OK; i++) {
        flaw_dataset_region *region = &out->region[out->count++];
        status = take_pixels(region, NULL, label, i + 1, pixels, item->path, err);
        region->defect = item->kind;
        region->saturation = (double)region->area;
    }
    free(label);
    return status;
}

flaw_status flaw_dataset_regions_of(flaw_dataset_regions *out, const flaw_dataset *set, const flaw_dataset_item *item,
                                    int width, int height, flaw_error *err)
{
    flaw_dataset_regions regions = {0};
    size_t pixels = 0;
    flaw_status status = check(&pixels, item, width, height, err);
    if (status != FLAW_OK) return status;
    uint8_t *marked = malloc(pixels);
    if (!marked) status = flaw_fail(err, FLAW_NO_MEMORY, "mask of '%s': no memory", item->path);
    else if (item->label == FLAW_LABEL_GOOD) status = FLAW_OK;
    else if (set->store->defects) status = typed_regions(&regions, set, item, marked, width, height, err);
    else status = parts(&regions, set, item, marked, width, height, err);
    free(marked);
    if (status == FLAW_OK) *out = regions;
    else flaw_dataset_regions_release(&regions);
    return status;
}

void flaw_dataset_regions_release(flaw_dataset_regions *regions)
{
    for (size_t i = 0; i < regions->count; i++) free(regions->region[i].pixel);
    free(regions->region);
    *regions = (flaw_dataset_regions){0};
}
