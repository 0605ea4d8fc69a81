/* Station "views": a picture looked at several times. A patch of 16 pixels is coarse: a mark of a quarter of it is
 * missed, and what the tower says of it depends on where the patches happen to lie. So the tower also sees the picture
 * turned by a quarter, and overlapping squares of half its side, each as large as the whole (from the picture's own
 * pixels where it has them). What it says is joined on a grid FLAW_VIEWS_FINE times as fine: one half of the weight for
 * the views of the whole, the other for the halves over a place, bilinear between patches. docs/methods.md has what was
 * measured.
 *
 * Rows of unit length in, their weighted means out: a margin against words is linear in the row, so the margins of the
 * joined rows are the joined margins.
 *
 * Letters: G grid side of the tower, S side of its pictures. */
#ifndef FLAW_DETECT_VIEWS_H
#define FLAW_DETECT_VIEWS_H

#include "detect/features.h"

#define FLAW_VIEWS_MOST 11 /* 2 of the whole, 9 halves */

/* Whether so many views cover the picture evenly: 1, 2 (the whole and turned), 6 (and the four corners), 7 (and the
 * middle), 11 (and the four sides). FLAW_USAGE otherwise. */
flaw_status flaw_views_check(int count, flaw_error *err);

/* The picture at twice the side, [2S, 2S], fitted as flaw_prepare_square does: the halves are cut from it. */
flaw_status flaw_views_prepare(flaw_picture *twice, const flaw_clip_shape *shape, flaw_fit fit,
                               const flaw_picture *picture, flaw_error *err);
/* View i of `count`, [S, S], from the prepared square and that. */
flaw_status flaw_view_cut(flaw_picture *out, const flaw_picture *square, const flaw_picture *twice, int view,
                          flaw_error *err);
/* Add the rows [G, G, width] of view i of `count` to `out` [FINE G, FINE G, width], which begins as zeros. */
void flaw_view_join(float *out, const float *rows, int grid, size_t width, int view, int count);

typedef struct flaw_views {
    int count;
    flaw_encoder encoder;                /* of `count` pictures at a time */
    flaw_features view[FLAW_VIEWS_MOST]; /* [count] */
} flaw_views;

/* `want`: FLAW_WANT_CLS and FLAW_WANT_PATCHES, the features that views are joined of. */
flaw_status flaw_views_open(flaw_views *out, const flaw_clip *model, flaw_compute *compute, int want, int count,
                            flaw_error *err);
void flaw_views_close(flaw_views *v);
/* Look at a prepared square in all views: *out, made with FLAW_WANT_VIEWS, has cls of the whole's views and patches of
 * all. */
flaw_status flaw_views_run(flaw_views *v, const flaw_picture *square, const flaw_picture *twice, flaw_features *out,
                           flaw_error *err);

#endif
