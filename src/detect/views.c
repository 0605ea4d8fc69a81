#include "detect/views.h"

#include <math.h>
#include <string.h>

#include "detect/augment.h"
#include "image/resize.h"

enum { WHOLES = 2, SPAN = 2 }; /* a half spans 2 quarters of a side */

/* Upper left corner of the halves in quarters of the side: corners, middle, sides. */
static const struct {
    int x, y;
} half_at[FLAW_VIEWS_MOST - WHOLES] = {{0, 0}, {2, 0}, {0, 2}, {2, 2}, {1, 1}, {1, 0}, {0, 1}, {2, 1}, {1, 2}};

flaw_status flaw_views_check(int count, flaw_error *err)
{
    if (count == 1 || count == 2 || count == 6 || count == 7 || count == 11) return FLAW_OK;
    return flaw_fail(err, FLAW_USAGE, "%d views of a picture are not allowed, allowed are 1, 2, 6, 7 and 11", count);
}

flaw_status flaw_views_prepare(flaw_picture *twice, const flaw_clip_shape *shape, flaw_fit fit,
                               const flaw_picture *picture, flaw_error *err)
{
    flaw_clip_shape larger = *shape;
    flaw_seen seen;
    larger.side *= 2;
    larger.prepare.resize_to *= 2;
    return flaw_prepare_square(twice, &seen, &larger, fit, picture, err);
}

flaw_status flaw_view_cut(flaw_picture *out, const flaw_picture *square, const flaw_picture *twice, int view,
                          flaw_error *err)
{
    int side = square->width;
    if (view == 0) return flaw_picture_crop(out, square, 0, 0, side, side, err);
    if (view < WHOLES) return flaw_augment_quarter(out, square, err);
    int x = half_at[view - WHOLES].x, y = half_at[view - WHOLES].y;
    return flaw_picture_crop(out, twice, x * side / 2, y * side / 2, side, side, err);
}

/* Whether half h lies over the fine cell (y, x); cells along a side. */
static bool over(int h, int y, int x, int cells)
{
    int left = half_at[h].x * cells / 4, top = half_at[h].y * cells / 4, span = SPAN * cells / 4;
    return y >= top && y < top + span && x >= left && x < left + span;
}

/* Weight of a view at a fine cell: that of its group, shared with the others of the group that see the cell. */
static float weight_at(int view, int count, int y, int x, int cells)
{
    int wholes = count < WHOLES ? count : WHOLES, halves = 0;
    for (int h = 0; h < count - WHOLES; h++) halves += over(h, y, x, cells);
    float group = halves ? 0.5f : 1.0f;
    return view < WHOLES ? group / (float)wholes : group / (float)halves;
}

/* Between which patches of a view the fine cell i of a side lies: `low` and low + 1, `share` of the way. The view begins
 * at fine cell `first` and has `fine` of them per patch. */
static int between(int i, int first, int fine, int grid, float *share)
{
    float at = ((float)(i - first) + 0.5f) / (float)fine - 0.5f;
    at = fminf(fmaxf(at, 0), (float)(grid - 1));
    int low = (int)at < grid - 2 ? (int)at : grid - 2;
    *share = at - (float)low;
    return low;
}

/* Row of the patch at (y, x) of the view as the picture lies. */
static const float *patch_at(const float *rows, int grid, size_t width, int view, int y, int x)
{
    bool turned = view == 1; /* against the clock: its first row is the picture's last column */
    size_t at = turned ? (size_t)(grid - 1 - x) * (size_t)grid + (size_t)y : (size_t)y * (size_t)grid + (size_t)x;
    return rows + at * width;
}

void flaw_view_join(float *out, const float *rows, int grid, size_t width, int view, int count)
{
    int cells = FLAW_VIEWS_FINE * grid, half = view - WHOLES;
    int left = half < 0 ? 0 : half_at[half].x * cells / 4, top = half < 0 ? 0 : half_at[half].y * cells / 4;
    int span = half < 0 ? cells : SPAN * cells / 4, fine = span / grid;
    for (int y = top; y < top + span; y++)
        for (int x = left; x < left + span; x++) {
            float down, right, weight = weight_at(view, count, y, x, cells);
            int row = between(y, top, fine, grid, &down), column = between(x, left, fine, grid, &right);
            const float *corner[4];
            for (int k = 0; k < 4; k++) corner[k] = patch_at(rows, grid, width, view, row + k / 2, column + k % 2);
            float w0 = weight * (1 - down) * (1 - right), w1 = weight * (1 - down) * right;
            float w2 = weight * down * (1 - right), w3 = weight * down * right;
            float *to = out + ((size_t)y * (size_t)cells + (size_t)x) * width;
            for (size_t i = 0; i < width; i++)
                to[i] += w0 * corner[0][i] + w1 * corner[1][i] + w2 * corner[2][i] + w3 * corner[3][i];
        }
}

flaw_status flaw_views_open(flaw_views *out, const flaw_clip *model, flaw_compute *compute, int want, int count,
                            flaw_error *err)
{
    *out = (flaw_views){.count = count};
    flaw_status s = flaw_views_check(count, err);
    if (!s && model->shape.grid < 2)
        s = flaw_fail(err, FLAW_USAGE, "views need at least 2 x 2 patches, this model has one");
    if (!s) s = flaw_encoder_open(&out->encoder, model, compute, want, count, err);
    for (int i = 0; !s && i < count; i++) s = flaw_features_new(&out->view[i], model, want, err);
    if (s) flaw_views_close(out);
    return s;
}

void flaw_views_close(flaw_views *v)
{
    for (int i = 0; i < v->count; i++) flaw_features_release(&v->view[i]);
    if (v->encoder.model) flaw_encoder_close(&v->encoder);
    *v = (flaw_views){0};
}

/* Mean direction of the views of the whole; false when they have none. */
static bool join_whole(const flaw_views *v, float *cls, size_t joint)
{
    int wholes = v->count < WHOLES ? v->count : WHOLES;
    double square = 0;
    for (size_t i = 0; i < joint; i++) {
        cls[i] = v->view[0].cls[i];
        for (int k = 1; k < wholes; k++) cls[i] += v->view[k].cls[i];
        square += (double)cls[i] * cls[i];
    }
    if (!(square > 1e-24) || !isfinite(square)) return false;
    for (size_t i = 0; i < joint; i++) cls[i] = (float)(cls[i] / sqrt(square));
    return true;
}

flaw_status flaw_views_run(flaw_views *v, const flaw_picture *square, const flaw_picture *twice, flaw_features *out,
                           flaw_error *err)
{
    flaw_picture cut[FLAW_VIEWS_MOST] = {0};
    flaw_status s = FLAW_OK;
    size_t joint = (size_t)out->joint, cells = (size_t)out->cells * (size_t)out->cells;
    for (int i = 0; !s && i < v->count; i++) s = flaw_view_cut(&cut[i], square, twice, i, err);
    if (!s) s = flaw_encoder_run(&v->encoder, cut, v->count, v->view, err);
    for (int i = 0; i < v->count; i++) flaw_picture_release(&cut[i]);
    if (s) return s;
    out->sound = join_whole(v, out->cls, joint);
    memset(out->patches, 0, cells * joint * sizeof(float));
    for (int i = 0; i < v->count; i++) {
        out->sound = out->sound && v->view[i].sound;
        flaw_view_join(out->patches, v->view[i].patches, out->grid, joint, i, v->count);
    }
    return FLAW_OK;
}
