/* What an AnomalyGPT sees of a picture: stage tokens, a map of anomaly by words (the decoder) or by comparison with
 * normal pictures, and what the map says alone.
 *
 * Letters: P patches, D width of the image tower, E joint width, S map side, K normal pictures. */
#ifndef FLAW_INSPECT_EYES_H
#define FLAW_INSPECT_EYES_H

#include "detect/calibrate.h"
#include "detect/prepare.h"
#include "detect/prompts.h"
#include "detect/views.h"
#include "flaw/talk.h"
#include "model/voice/anomalygpt.h"

typedef struct flaw_eyes {
    const flaw_anomalygpt *m; /* borrowed, as the compute */
    flaw_compute *c;
    flaw_fit fit;
    char object[FLAW_OBJECT_ROOM]; /* what the text vectors are of */
    flaw_sight sight;              /* of the picture looked at last */
    flaw_seen seen;
    int width, height;        /* of that picture */
    float *pixels;            /* [3, S, S] */
    float *text;              /* [2, E] normal and abnormal */
    float *map;               /* [S, S] of the picture looked at last */
    float *work;              /* of the image tower and the decoder */
    float *bank[FLAW_STAGES]; /* [rows, D] of the normal pictures; NULL without */
    int rows;                 /* K * P, with rotations 4 * K * P */
    float *bank_work;
    int views;                         /* of each picture, for a map by words (detect/views.h); 1 = the whole alone */
    flaw_sight other[FLAW_VIEWS_MOST]; /* of the views behind the first, which is `sight` */
    float *logits;                     /* [stages, G, G] of one view */
    float *joined;                     /* [stages, cells, cells] of all */
    flaw_calibration calibration;
    flaw_arena arena;
} flaw_eyes;

/* `object` is the cleaned name; published weights take options->object as it is. With normal pictures (options->good) the
 * bank is filled and the limit calibrated on them. */
flaw_status flaw_eyes_open(flaw_eyes *out, const flaw_anomalygpt *m, flaw_compute *c, const flaw_talk_options *options,
                           const char *object, flaw_error *err);
void flaw_eyes_close(flaw_eyes *eyes);
/* Encode a picture and make its map. FLAW_BAD_DATA when a number on the way is not finite. */
flaw_status flaw_eyes_look(flaw_eyes *eyes, const flaw_picture *picture, flaw_error *err);
/* Another object under the same picture: new text vectors, and a new map where it comes from words. */
flaw_status flaw_eyes_name(flaw_eyes *eyes, const char *object, flaw_error *err);
/* The map as a result: score (its largest value), verdict, regions, words. *out is empty. */
flaw_status flaw_eyes_facts(const flaw_eyes *eyes, flaw_result *out, flaw_error *err);

/* eyes_good.c: the bank and the limit. */
flaw_status flaw_eyes_learn(flaw_eyes *eyes, const flaw_talk_options *options, flaw_error *err);
/* eyes.c, for it: a prepared square -> a sight; a map against rows of the bank -> eyes->map. */
flaw_status flaw_eyes_encode(flaw_eyes *eyes, const flaw_picture *square, flaw_sight *out, flaw_error *err);
void flaw_eyes_compare(flaw_eyes *eyes, int rows);
float flaw_eyes_peak(const flaw_eyes *eyes);

/* eyes_views.c: how often to look (options->views), the views behind the first, a map by words of all -> eyes->map. */
flaw_status flaw_eyes_views_open(flaw_eyes *eyes, const flaw_talk_options *options, flaw_error *err);
flaw_status flaw_eyes_views_look(flaw_eyes *eyes, const flaw_picture *square, const flaw_picture *picture,
                                 flaw_error *err);
void flaw_eyes_views_map(flaw_eyes *eyes);

#endif
