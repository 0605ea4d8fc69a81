#include "image/overlay.h"

#include <math.h>
#include <stdlib.h>

#include "image/colour_map.h"
#include "image/overlay_panel.h"
#include "image/resize.h"

static const flaw_colour GROUND = {22, 25, 31, 255}, CASING = {0, 0, 0, 170}, LINE = {255, 255, 255, 255};
static const flaw_colour CONTOUR = {255, 255, 255, 150};

/* Panels are never narrower than this, or the legend would not fit; a tall photograph stands in the middle then. */
enum { MIN_WIDTH = 460 };

typedef struct layout {
    flaw_panel panel;
    int width, height;    /* of the whole */
    int photo_w, photo_h; /* as shown */
    flaw_box plain, heat; /* where; `plain` is empty without side_by_side */
    int footer;           /* its first row */
} layout;

static int at_least(int a, int b)
{
    return a > b ? a : b;
}

/* Size at which the photograph is shown: its proportions kept, the long side within the limits. */
static void choose_size(layout *l, const flaw_overlay *in)
{
    int w = in->picture->width, h = in->picture->height, most = FLAW_OVERLAY_MAX_SIDE;
    if (in->side_by_side) most = most * 5 / 8;
    double longest = at_least(w, h), target = longest;
    if (target < FLAW_OVERLAY_MIN_SIDE) target = FLAW_OVERLAY_MIN_SIDE;
    if (target > most) target = most;
    l->photo_w = at_least((int)lround(w * target / longest), 1);
    l->photo_h = at_least((int)lround(h * target / longest), 1);
}

static void choose_layout(layout *l, const flaw_overlay *in)
{
    choose_size(l, in);
    bool stacked = in->side_by_side && l->photo_w > l->photo_h * 3 / 2;
    bool beside = in->side_by_side && !stacked;
    int gap = 8, photos_w = beside ? 2 * l->photo_w + gap : l->photo_w;
    int photos_h = stacked ? 2 * l->photo_h + gap : l->photo_h;
    l->width = at_least(photos_w, MIN_WIDTH);
    int unit = l->width / 60;
    l->panel = (flaw_panel){l->width, unit < 11 ? 11 : unit > 20 ? 20 : unit};
    int header = flaw_panel_header_height(l->panel), x = (l->width - photos_w) / 2;
    l->heat = (flaw_box){x, header, l->photo_w, l->photo_h};
    if (in->side_by_side) {
        l->plain = l->heat;
        if (beside) l->heat.x += l->photo_w + gap;
        else l->heat.y += l->photo_h + gap;
    }
    l->footer = header + photos_h;
    l->height = l->footer + flaw_panel_footer_height(l->panel, in);
}

/* Cover of the line where the map crosses the threshold. Its distance in pixels is, to first order, value / slope. */
static float contour_cover(const float *v, int x, int y, int w, int h)
{
    const float half = 1.25f;
    const float *at = v + (size_t)y * (size_t)w + x;
    float dx = x + 1 < w ? at[1] - at[0] : 0, dy = y + 1 < h ? at[w] - at[0] : 0;
    float value = at[0] - FLAW_HEAT_THRESHOLD, square = dx * dx + dy * dy;
    if (!(value * value < half * half * square)) return 0;
    return half - fabsf(value) / sqrtf(square);
}

/* Colours between 0 and 1 in steps finer than any eye: looked up, as every pixel needs one. */
enum { STEPS = 1024 };

/* Tint the photograph standing at `where`; `values` [where.height, where.width] on the scale of colour_map.h. */
static void draw_heat(flaw_picture *p, flaw_box where, const float *values)
{
    flaw_colour table[STEPS + 1];
    for (int i = 0; i <= STEPS; i++) table[i] = flaw_heat_colour((float)i / STEPS);
    for (int y = 0; y < where.height; y++) {
        const float *row = values + (size_t)y * (size_t)where.width;
        for (int x = 0; x < where.width; x++) {
            float v = row[x];
            if (v < FLAW_HEAT_CLEAR) continue;
            flaw_colour colour = isnan(v) ? flaw_heat_colour(v) : table[v < 1 ? (int)(v * STEPS) : STEPS];
            flaw_draw_pixel(p, where.x + x, where.y + y, colour, 1);
            float line = contour_cover(values, x, y, where.width, where.height);
            if (line > 0) flaw_draw_pixel(p, where.x + x, where.y + y, CONTOUR, line);
        }
    }
}

static flaw_status add_heat(flaw_picture *p, const layout *l, const flaw_overlay *in, flaw_error *err)
{
    size_t count = (size_t)l->photo_w * (size_t)l->photo_h;
    float *values = malloc(count * sizeof(float));
    if (!values) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a heat map of %d x %d", l->photo_w, l->photo_h);
    flaw_map_upsample(values, l->photo_w, l->photo_h, in->map, in->map_width, in->map_height);
    for (size_t i = 0; i < count; i++) values[i] = flaw_heat_value(values[i], in->map_low, in->map_threshold);
    draw_heat(p, l->heat, values);
    free(values);
    return FLAW_OK;
}

/* A region's box where it is shown: at least 3 pixels, inside the photograph. */
static flaw_box shown_box(const flaw_region *r, const layout *l, const flaw_picture *picture)
{
    double scale_x = (double)l->photo_w / picture->width, scale_y = (double)l->photo_h / picture->height;
    double x0 = fmin(fmax(r->x * scale_x, 0), l->photo_w), y0 = fmin(fmax(r->y * scale_y, 0), l->photo_h);
    double x1 = fmin(fmax(((double)r->x + r->width) * scale_x, x0), l->photo_w);
    double y1 = fmin(fmax(((double)r->y + r->height) * scale_y, y0), l->photo_h);
    flaw_box box = {l->heat.x + (int)x0, l->heat.y + (int)y0, (int)ceil(x1) - (int)x0, (int)ceil(y1) - (int)y0};
    box.width = at_least(box.width, 3);
    box.height = at_least(box.height, 3);
    return box;
}

/* White on black, so that it stands out on any photograph. */
static void draw_box(flaw_picture *p, flaw_box box, int thickness)
{
    int t = thickness;
    flaw_draw_outline(p, (flaw_box){box.x - t, box.y - t, box.width + 2 * t, box.height + 2 * t}, t, CASING);
    if (box.width > 6 * t && box.height > 6 * t) {
        flaw_draw_outline(p, (flaw_box){box.x + t, box.y + t, box.width - 2 * t, box.height - 2 * t}, t, CASING);
    }
    flaw_draw_outline(p, box, t, LINE);
}

static void add_regions(flaw_picture *p, const layout *l, const flaw_overlay *in)
{
    int thickness = at_least(at_least(l->photo_w, l->photo_h) / 500, 2);
    for (int i = 0; i < in->region_count; i++) draw_box(p, shown_box(&in->regions[i], l, in->picture), thickness);
    for (int i = 0; i < in->region_count; i++) {
        flaw_box box = shown_box(&in->regions[i], l, in->picture);
        box.y -= thickness;
        box.height += 2 * thickness;
        flaw_panel_draw_tag(p, l->panel, l->heat, box, i + 1, in->regions[i].score);
    }
}

static flaw_status add_photos(flaw_picture *p, const layout *l, const flaw_overlay *in, flaw_error *err)
{
    flaw_picture shown;
    flaw_status status = flaw_picture_resize(&shown, in->picture, l->photo_w, l->photo_h, FLAW_FILTER_BICUBIC, err);
    if (status != FLAW_OK) return status;
    if (in->side_by_side) flaw_draw_picture(p, l->plain.x, l->plain.y, &shown);
    flaw_draw_picture(p, l->heat.x, l->heat.y, &shown);
    flaw_picture_release(&shown);
    return FLAW_OK;
}

flaw_status flaw_overlay_draw(flaw_picture *out, const flaw_overlay *in, flaw_error *err)
{
    if (in->picture->width < 1 || in->picture->height < 1) {
        return flaw_fail(err, FLAW_USAGE, "overlay of an empty picture was asked for");
    }
    if (in->map && (in->map_width < 1 || in->map_height < 1)) {
        return flaw_fail(err, FLAW_USAGE, "overlay of an empty map (%d x %d)", in->map_width, in->map_height);
    }
    layout l = {0};
    choose_layout(&l, in);
    flaw_picture p;
    flaw_status status = flaw_picture_new(&p, l.width, l.height, err);
    if (status != FLAW_OK) return status;
    flaw_draw_rect(&p, (flaw_box){0, 0, l.width, l.height}, GROUND);
    status = add_photos(&p, &l, in, err);
    if (status == FLAW_OK && in->map) status = add_heat(&p, &l, in, err);
    if (status != FLAW_OK) {
        flaw_picture_release(&p);
        return status;
    }
    add_regions(&p, &l, in);
    flaw_panel_draw_header(&p, l.panel, in);
    flaw_panel_draw_footer(&p, l.panel, l.footer, in);
    *out = p;
    return FLAW_OK;
}
