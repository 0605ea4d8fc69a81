/* Figures of scores against the truth, of pictures and of pixels. Definitions, dialects, bounds and conventions:
 * docs/metrics.md. Equal scores are one step everywhere; NaN scores are FLAW_BAD_DATA; infinite scores rank as what
 * they are; where one class is missing a figure is NaN. */
#ifndef FLAW_METRICS_H
#define FLAW_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

/* ---- pictures: scores[n], labels[n] (nonzero = anomalous) ---- */

flaw_status flaw_auroc(double *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err);
flaw_status flaw_average_precision(double *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err);
flaw_status flaw_f1_max(double *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err);
/* Share of right verdicts when score > threshold says anomalous (the rule of flaw_inspect). NaN when n is 0. */
flaw_status flaw_accuracy(double *out, const float *scores, const uint8_t *labels, size_t n, double threshold,
                          flaw_error *err);

typedef struct flaw_image_figures {
    size_t good, bad;      /* pictures */
    double auroc;          /* Mann-Whitney, ties count one half */
    double ap;             /* sum of (R_n - R_{n-1}) P_n */
    double aupr_trapezoid; /* dialect: straight lines between the points of the precision-recall curve */
    double f1_max, accuracy_max; /* the largest over all thresholds */
    double f1_score;       /* f1_max is reached by the pictures with score >= this */
} flaw_image_figures;

flaw_status flaw_image_measure(flaw_image_figures *out, const float *scores, const uint8_t *labels, size_t n,
                               flaw_error *err);
/* One defect kind: the pictures with kinds[i] == kind against all good ones (kinds[i] == 0). kind >= 1. */
flaw_status flaw_image_measure_kind(flaw_image_figures *out, const float *scores, const int *kinds, size_t n, int kind,
                                    flaw_error *err);

/* ---- curves ---- */

typedef enum flaw_curve_kind {
    FLAW_CURVE_ROC, /* x false positive rate, y true positive rate, from (0, 0) to (1, 1) */
    FLAW_CURVE_PR,  /* x recall, y precision, from (0, 1) to (1, share of positives) */
    FLAW_CURVE_PRO  /* pixels only: x false positive rate, y mean overlap of the regions, from (0, 0) to (1, 1) */
} flaw_curve_kind;

typedef struct flaw_curve {
    double *x, *y;    /* [count] owned; x never falls; straight lines join the points */
    double *score;    /* [count] owned: the point is reached by all scores >= this; infinite at the first point */
    size_t count;
    double area;      /* under the full curve, straight lines, before thinning */
    double area_left_out; /* area between the full curve and this one is at most this; 0 when nothing was dropped */
} flaw_curve;

/* At most `points` points (>= 3; 0 = 1000). One class only gives an empty curve (count 0, area NaN). */
flaw_status flaw_image_curve(flaw_curve *out, flaw_curve_kind kind, const float *scores, const uint8_t *labels,
                             size_t n, size_t points, flaw_error *err);
void flaw_curve_release(flaw_curve *curve);

/* ---- pixels, any number of pictures: streamed into integer counts ----
 * The order of the pictures, how they were split over accumulators and the number of threads change no bit. */

typedef struct flaw_pixels flaw_pixels;

typedef struct flaw_pixels_options {
    int bits;     /* upper bits of a score that are told apart, 24 .. 28; 0 = 24: steps of 1/32768 of the score */
    int threads;  /* of flaw_pixels_add_batch, each with counts of its own; 0 = 1 */
    int sketches; /* nonzero: keep a summary of each picture (about 12 KB), for intervals and paired tests */
} flaw_pixels_options;

/* One defect region, where a picture has a list of them instead of a mask (MVTec LOCO: one for each mask file). Regions
 * may overlap; one without pixels does not count. */
typedef struct flaw_pixel_region {
    const uint32_t *pixel; /* [area] y * width + x, each once */
    size_t area;
    double saturation; /* this many found pixels are enough; 0 or from area up: all of them */
} flaw_pixel_region;

typedef struct flaw_pixels_picture {
    const char *name;    /* for errors; its id where NULL */
    uint64_t id;         /* number in the data set; intervals and paired tests know pictures by it */
    const float *map;    /* [height, width] */
    const uint8_t *mask; /* [height, width], nonzero = defect, regions are its 8-connected components; NULL = a good
                            picture, or use `regions` */
    const flaw_pixel_region *regions; /* [region_count] instead of a mask */
    size_t region_count;
    int width, height;
} flaw_pixels_picture;

flaw_status flaw_pixels_open(flaw_pixels **out, const flaw_pixels_options *options, flaw_error *err);
/* NaN in a map is FLAW_BAD_DATA and names picture and pixel; nothing of the call is counted then. */
flaw_status flaw_pixels_add(flaw_pixels *p, const flaw_pixels_picture *picture, flaw_error *err);
flaw_status flaw_pixels_add_batch(flaw_pixels *p, const flaw_pixels_picture *pictures, size_t n, flaw_error *err);
/* Both must have the same options but threads; with sketches, a picture (id) that both hold is FLAW_BAD_DATA. Figures
 * of one defect kind: keep counts of the good pictures and of each kind, and merge the two into new ones. */
flaw_status flaw_pixels_merge(flaw_pixels *into, const flaw_pixels *other, flaw_error *err);
/* A file of the counts, for shards. The same pictures give the same bytes. FLAW_BAD_DATA when it is damaged. */
flaw_status flaw_pixels_write(const flaw_pixels *p, const char *path, flaw_error *err);
flaw_status flaw_pixels_read(flaw_pixels **out, const char *path, flaw_error *err);
void flaw_pixels_close(flaw_pixels *p); /* NULL is fine */

/* A figure from counts, with what the counts prove: the exact figure lies in [low, high]. */
typedef struct flaw_bounded {
    double value, low, high;
} flaw_bounded;

typedef struct flaw_pixel_figures {
    uint64_t pictures, regions, background, marked; /* the last two in pixels */
    float lowest, highest;                          /* scores */
    double limit;                                   /* of the two overlaps below */
    flaw_bounded auroc, ap, f1_max;
    flaw_bounded aupro;          /* sPRO where regions have a saturation */
    flaw_bounded aupr_trapezoid; /* dialect */
    flaw_bounded aupro_cflow200; /* dialect: 200 equal steps of the score, FPR < limit kept and stretched to [0, 1] */
    double f1_score;             /* f1_max.value is reached by the pixels with score >= this */
} flaw_pixel_figures;

/* 0 < limit <= 1; 0.3 is the usual one, 0.05 with LOCO. */
flaw_status flaw_pixels_measure(flaw_pixel_figures *out, const flaw_pixels *p, double limit, flaw_error *err);
flaw_status flaw_pixels_curve(flaw_curve *out, const flaw_pixels *p, flaw_curve_kind kind, size_t points,
                              flaw_error *err);

/* ---- pixels, all maps in memory: exact by sorting (8 bytes a background pixel, 16 a marked one) ---- */

/* low == value == high. */
flaw_status flaw_pixels_exact(flaw_pixel_figures *out, const flaw_pixels_picture *pictures, size_t n, double limit,
                              flaw_error *err);
/* Per-region overlap: 8-connected components of the masks, integrated over pixel FPR in [0, limit], divided by limit;
 * exact (all scores sorted, ties merged, interpolated at the limit). maps[i], masks[i] are [height[i], width[i]]. */
flaw_status flaw_pro(double *out, const float *const *maps, const uint8_t *const *masks, const int *width,
                     const int *height, size_t n, double limit, flaw_error *err);

/* ---- intervals and paired tests, by drawing pictures ----
 * Good and bad pictures are drawn apart, with replacement, as many as there are of each (stratified percentile
 * bootstrap). Replicate r draws from the generator (seed, r): the threads change no bit. */

typedef enum flaw_figure { FLAW_AUROC, FLAW_AP, FLAW_F1_MAX, FLAW_AUPRO, FLAW_FIGURES } flaw_figure;

typedef struct flaw_resample {
    int replicates; /* 0 = 2000; at least 100 */
    double level;   /* of the interval; 0 = 0.95 */
    uint64_t seed;
    int threads;    /* 0 = 1 */
} flaw_resample;

typedef struct flaw_interval {
    double value, low, high;
} flaw_interval;

/* Two methods on the same pictures. */
typedef struct flaw_difference {
    double first, second; /* the figure of each */
    double low, high;     /* interval of first - second */
    double p;             /* two-sided, of no difference */
} flaw_difference;

/* `options` may be NULL. FLAW_AUPRO is NaN for pictures; everything is when one class is missing. */
flaw_status flaw_image_intervals(flaw_interval out[FLAW_FIGURES], const float *scores, const uint8_t *labels, size_t n,
                                 const flaw_resample *options, flaw_error *err);
/* p by permutation: the ranks that the two methods give a picture are exchanged at random (all ways, when those are no
 * more than the replicates). */
flaw_status flaw_image_compare(flaw_difference out[FLAW_FIGURES], const float *first, const float *second,
                               const uint8_t *labels, size_t n, const flaw_resample *options, flaw_error *err);
/* AUROC by DeLong, DeLong and Clarke-Pearson (1988), without any drawing. Fewer than two good or bad pictures: NaN, and
 * so is p when the variance is 0 but the difference is not. level 0 = 0.95. */
flaw_status flaw_delong(flaw_difference *out, const float *first, const float *second, const uint8_t *labels, size_t n,
                        double level, flaw_error *err);
/* Pixel figures over pictures, with flaw_pixels_options.sketches (FLAW_USAGE without). A picture is bad when something
 * in it is marked. Replicates are measured on the summaries; what these are off for the whole set is taken off. */
flaw_status flaw_pixels_intervals(flaw_interval out[FLAW_FIGURES], const flaw_pixels *p, double limit,
                                  const flaw_resample *options, flaw_error *err);
/* The same pictures (id) with the same marks must be in both; p is twice the smaller share of replicates whose
 * difference is not above, or not below, 0. */
flaw_status flaw_pixels_compare(flaw_difference out[FLAW_FIGURES], const flaw_pixels *first, const flaw_pixels *second,
                                double limit, const flaw_resample *options, flaw_error *err);

#endif
