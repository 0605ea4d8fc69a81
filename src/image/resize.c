/* Pillow's resampling, written from its documented method: see resize.h. The order of the floating-point operations
 * below decides the last bit of a coefficient, and so sometimes a pixel; it is checked byte for byte against Pillow. */
#include "image/resize.h"

#include <math.h>
#include <stdlib.h>

/* A coefficient w is kept as round(w * 2^22): 8 bits of pixel and 2 of headroom (bicubic lobes overshoot) fill 32. */
enum { PRECISION = 32 - 8 - 2 };

/* What each output position of one axis sums: source positions first[i] .. first[i]+count[i]-1. */
typedef struct axis_plan {
    int size;        /* outputs */
    int taps;        /* room for coefficients per output */
    int *first;      /* [size] */
    int *count;      /* [size] */
    int32_t *weight; /* [size, taps] */
} axis_plan;

static double bilinear(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic convolution with a = -0.5. */
static double bicubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static void axis_plan_release(axis_plan *plan)
{
    free(plan->first);
    free(plan->count);
    free(plan->weight);
}

/* Weights of one output whose centre lies at `centre` in source pixels; `scratch` holds `count` doubles. */
static void plan_output(int32_t *weight, double *scratch, int first, int count, double centre, double shrink,
                        flaw_filter filter)
{
    double sum = 0.0, step = 1.0 / shrink;
    for (int i = 0; i < count; i++) {
        double x = (i + first - centre + 0.5) * step;
        scratch[i] = filter == FLAW_FILTER_BICUBIC ? bicubic(x) : bilinear(x);
        sum += scratch[i];
    }
    for (int i = 0; i < count; i++) {
        double w = sum != 0.0 ? scratch[i] / sum : scratch[i];
        weight[i] = (int32_t)(w * (1 << PRECISION) + (w < 0 ? -0.5 : 0.5));
    }
}

/* Plan outputs [start, start+size) of an axis that goes from `in` to `full` pixels. */
static flaw_status axis_plan_make(axis_plan *plan, int in, int full, int start, int size, flaw_filter filter,
                                  flaw_error *err)
{
    double scale = (double)in / full, shrink = scale < 1.0 ? 1.0 : scale;
    double support = (filter == FLAW_FILTER_BICUBIC ? 2.0 : 1.0) * shrink;
    *plan = (axis_plan){.size = size, .taps = (int)ceil(support) * 2 + 1};
    /* taps <= 4 * 65500 + 3 and size <= 65500 outputs of at most 100 million pixels: no overflow in size_t. */
    plan->first = calloc((size_t)size, sizeof(int));
    plan->count = calloc((size_t)size, sizeof(int));
    plan->weight = calloc((size_t)size * (size_t)plan->taps, sizeof(int32_t));
    double *scratch = calloc((size_t)plan->taps, sizeof(double));
    if (!plan->first || !plan->count || !plan->weight || !scratch) {
        axis_plan_release(plan);
        free(scratch);
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory to resize an axis from %d to %d pixels", in, full);
    }
    for (int i = 0; i < size; i++) {
        double centre = (start + i + 0.5) * scale;
        int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
        if (first < 0) first = 0;
        if (end > in) end = in;
        plan->first[i] = first;
        plan->count[i] = end - first;
        plan_output(plan->weight + (size_t)i * (size_t)plan->taps, scratch, first, end - first, centre, shrink, filter);
    }
    free(scratch);
    return FLAW_OK;
}

static uint8_t round_to_byte(int32_t sum)
{
    int value = sum >> PRECISION; /* arithmetic shift: rounds down, as Pillow's does */
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Rows [y0, y0+out->height) of `in`, columns resampled. */
static void pass_horizontal(flaw_picture *out, const flaw_picture *in, int y0, const axis_plan *plan)
{
    for (int y = 0; y < out->height; y++) {
        const uint8_t *row = in->rgb + (size_t)(y0 + y) * (size_t)in->width * 3;
        uint8_t *target = out->rgb + (size_t)y * (size_t)out->width * 3;
        for (int x = 0; x < plan->size; x++, target += 3) {
            const uint8_t *source = row + (size_t)plan->first[x] * 3;
            const int32_t *weight = plan->weight + (size_t)x * (size_t)plan->taps;
            int32_t red = 1 << (PRECISION - 1), green = red, blue = red;
            for (int i = 0; i < plan->count[x]; i++, source += 3) {
                red += source[0] * weight[i];
                green += source[1] * weight[i];
                blue += source[2] * weight[i];
            }
            target[0] = round_to_byte(red);
            target[1] = round_to_byte(green);
            target[2] = round_to_byte(blue);
        }
    }
}

/* Columns of `in` resampled; its row 0 is source row y0. `sum` holds one output row. */
static void pass_vertical(flaw_picture *out, const flaw_picture *in, int y0, const axis_plan *plan, int32_t *sum)
{
    size_t row_size = (size_t)out->width * 3;
    for (int y = 0; y < plan->size; y++) {
        const int32_t *weight = plan->weight + (size_t)y * (size_t)plan->taps;
        for (size_t x = 0; x < row_size; x++) sum[x] = 1 << (PRECISION - 1);
        for (int i = 0; i < plan->count[y]; i++) {
            const uint8_t *source = in->rgb + (size_t)(plan->first[y] - y0 + i) * row_size;
            int32_t w = weight[i];
            for (size_t x = 0; x < row_size; x++) sum[x] += source[x] * w;
        }
        uint8_t *target = out->rgb + (size_t)y * row_size;
        for (size_t x = 0; x < row_size; x++) target[x] = round_to_byte(sum[x]);
    }
}

/* Horizontal pass over the rows that the vertical one needs, then the vertical one. Pillow skips a pass whose size does
 * not change; its weights are exactly 0 and 1 then, so running it gives the same bytes. */
static flaw_status resample(flaw_picture *out, const flaw_picture *in, const axis_plan *across, const axis_plan *down,
                            flaw_error *err)
{
    int first_row = down->first[0], last = down->size - 1;
    int rows = down->first[last] + down->count[last] - first_row;
    flaw_picture narrow = {0}, result = {0};
    int32_t *sum = malloc((size_t)across->size * 3 * sizeof(int32_t));
    flaw_status status = sum ? flaw_picture_new(&narrow, across->size, rows, err)
                             : flaw_fail(err, FLAW_NO_MEMORY, "no memory to resize to %d pixels width", across->size);
    if (status == FLAW_OK) status = flaw_picture_new(&result, across->size, down->size, err);
    if (status == FLAW_OK) {
        pass_horizontal(&narrow, in, first_row, across);
        pass_vertical(&result, &narrow, first_row, down, sum);
        *out = result;
    }
    free(sum);
    flaw_picture_release(&narrow);
    return status;
}

flaw_status flaw_picture_resize_part(flaw_picture *out, const flaw_picture *in, int full_width, int full_height,
                                     flaw_box part, flaw_filter filter, flaw_error *err)
{
    if (part.x < 0 || part.y < 0 || part.width < 1 || part.height < 1 || part.x > full_width - part.width ||
        part.y > full_height - part.height) {
        return flaw_fail(err, FLAW_USAGE, "part of %d x %d pixels at (%d, %d) does not lie inside a size of %d x %d",
                         part.width, part.height, part.x, part.y, full_width, full_height);
    }
    if (part.width > FLAW_PICTURE_MAX_SIDE || part.height > FLAW_PICTURE_MAX_SIDE) {
        return flaw_fail(err, FLAW_USAGE, "resize to %d x %d pixels; allowed are %d a side", part.width, part.height,
                         FLAW_PICTURE_MAX_SIDE);
    }
    if (full_width == in->width && full_height == in->height) {
        return flaw_picture_crop(out, in, part.x, part.y, part.width, part.height, err);
    }
    axis_plan across, down;
    flaw_status status = axis_plan_make(&across, in->width, full_width, part.x, part.width, filter, err);
    if (status != FLAW_OK) return status;
    status = axis_plan_make(&down, in->height, full_height, part.y, part.height, filter, err);
    if (status == FLAW_OK) {
        status = resample(out, in, &across, &down, err);
        axis_plan_release(&down);
    }
    axis_plan_release(&across);
    return status;
}

flaw_status flaw_picture_resize(flaw_picture *out, const flaw_picture *in, int width, int height, flaw_filter filter,
                                flaw_error *err)
{
    return flaw_picture_resize_part(out, in, width, height, (flaw_box){0, 0, width, height}, filter, err);
}

/* Where an output of an axis lies between two source positions. */
typedef struct between {
    int low, high;
    float part; /* 0 at low, 1 at high */
} between;

static between find_between(int i, int in, int out)
{
    float at = ((float)i + 0.5f) * ((float)in / (float)out) - 0.5f;
    if (at < 0) at = 0;
    int low = (int)at < in - 1 ? (int)at : in - 1;
    return (between){low, low + 1 < in ? low + 1 : low, at - (float)low};
}

/* Columns whose places are worked out once and used for every row. */
enum { COLUMNS = 256 };

void flaw_map_upsample(float *out, int out_w, int out_h, const float *in, int in_w, int in_h)
{
    between across[COLUMNS];
    for (int x0 = 0; x0 < out_w; x0 += COLUMNS) {
        int columns = out_w - x0 < COLUMNS ? out_w - x0 : COLUMNS;
        for (int x = 0; x < columns; x++) across[x] = find_between(x0 + x, in_w, out_w);
        for (int y = 0; y < out_h; y++) {
            between down = find_between(y, in_h, out_h);
            const float *upper = in + (size_t)down.low * (size_t)in_w, *lower = in + (size_t)down.high * (size_t)in_w;
            float *row = out + (size_t)y * (size_t)out_w + x0;
            for (int x = 0; x < columns; x++) {
                between a = across[x];
                float top = upper[a.low] * (1 - a.part) + upper[a.high] * a.part;
                float bottom = lower[a.low] * (1 - a.part) + lower[a.high] * a.part;
                row[x] = top * (1 - down.part) + bottom * down.part;
            }
        }
    }
}
