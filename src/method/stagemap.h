/* The map by words of AnomalyGPT and APRIL-GAN: a linear per stage brings the patch tokens to the joint space, where
 * they are compared with what "normal" and "abnormal" mean in words; softmax, mean over the stages.
 *
 * The published map is upsampled before the softmax; its largest value is the score. What the methods hand on is its
 * value at the patches: there both agree. Letters: P patches, D width of the tower, E joint width, S side of the
 * square. */
#ifndef FLAW_METHOD_STAGEMAP_H
#define FLAW_METHOD_STAGEMAP_H

#include "method/method.h"
#include "model/voice/decoder.h"

#define FLAW_STAGEMAP_WANTS (FLAW_WANT_STAGES | FLAW_WANT_LAST | FLAW_WANT_PATCHES)

typedef struct flaw_stagemap {
    const flaw_clip *model;
    flaw_compute *compute;
    flaw_voice *decoder; /* owned; NULL until a recipe's is read */
    float *text;         /* [2, E] normal and abnormal */
    float *raw;          /* [stages, P, D] tokens at their own length */
    float *cells;        /* [G, G] */
    float *whole;        /* [S, S] */
    float *work;
    flaw_arena arena;
} flaw_stagemap;

/* `path`: where the decoder is (model/voice/decoder.h); it is not opened where a recipe follows. */
flaw_status flaw_stagemap_open(flaw_stagemap *m, const flaw_method_setup *setup, const char *path, flaw_error *err);
/* With a decoder that is there already; it is the map's then, also after a failure. */
flaw_status flaw_stagemap_open_with(flaw_stagemap *m, const flaw_method_setup *setup, flaw_voice *decoder,
                                    flaw_error *err);
void flaw_stagemap_close(flaw_stagemap *m);
/* map [G, G]; *peak: the largest value of the published map. */
flaw_status flaw_stagemap_make(flaw_stagemap *m, const flaw_features *picture, double *map, double *peak,
                               flaw_error *err);

/* "decoder.*": a recipe stands on its own. */
flaw_status flaw_stagemap_save(const flaw_stagemap *m, flaw_record *record, flaw_error *err);
flaw_status flaw_stagemap_load(flaw_stagemap *m, const flaw_record *record, flaw_error *err);

#endif
