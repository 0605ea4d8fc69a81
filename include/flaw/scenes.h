/* Drawn product pictures: objects and surfaces with or without defects, masks and captions. They teach the embedded
 * model and test it on kinds it has never seen. Everything follows from (options, seed): the same program draws the same
 * bytes again; another C library may differ by a grey level here and there. */
#ifndef FLAW_SCENES_H
#define FLAW_SCENES_H

#include <stdbool.h>
#include <stdint.h>

#include "flaw/picture.h"
#include "flaw/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of object are split once and for all: held-out kinds are never drawn for training. */
typedef enum flaw_split { FLAW_SPLIT_TRAIN, FLAW_SPLIT_HELD_OUT, FLAW_SPLIT_ALL } flaw_split;

typedef struct flaw_scene_options {
    int size;      /* side of the picture, 32 .. 1024 pixels; 0 means 224 */
    int kind;      /* 0 .. flaw_scene_kind_count() - 1, must be in `split`; -1: any of the split */
    int anomalous; /* 0 normal, 1 with at least one defect, -1 either (half and half) */
    flaw_split split;
    bool one_product; /* false: every seed is a product of its own */
    uint64_t product; /* with one_product: design of the product (shape, colours, background, lamp); `seed` is the shot
                         (place, turn, light, grain, noise) */
} flaw_scene_options;

typedef struct flaw_scene {
    flaw_picture picture; /* [size, size] RGB */
    uint8_t *mask;        /* [size, size], 255 where the defect shows, else 0; all 0 when normal; owned */
    uint8_t *foreground;  /* [size, size], 255 on the object, all 255 for a surface; owned */
    int kind;             /* index of the kind */
    bool held_out;        /* kind never drawn for training */
    bool texture;         /* a surface that fills the frame, not an object */
    bool anomalous;
    int defect_count;    /* 0 when normal */
    int object_count;    /* pieces in the picture */
    char object[48];     /* "metal nut" */
    char material[48];   /* "brushed metal" */
    char background[48]; /* "on a wooden table", "" for surfaces */
    char defect[48];     /* "scratch", "" when normal; of the first defect when there are several */
    char place[32];      /* "top left" ... of the first defect, "" when normal */
    char caption[256];   /* "a photo of a metal nut with a scratch on the top left" */
} flaw_scene;

/* Fill defaults: 224 pixels, any kind of the training split, either state, every seed its own product. */
void flaw_scene_options_init(flaw_scene_options *options);

/* Draw one scene. The same seed and options with anomalous 0 and 1 give the same scene without and with the defect.
 * FLAW_USAGE for options out of range, FLAW_NO_MEMORY. Free with flaw_scene_release. */
flaw_status flaw_scene_draw(flaw_scene *out, const flaw_scene_options *options, uint64_t seed, flaw_error *err);

/* Both states of one scene at little more than the cost of one; `options->anomalous` is ignored. */
flaw_status flaw_scene_draw_pair(flaw_scene *normal, flaw_scene *anomalous, const flaw_scene_options *options,
                                 uint64_t seed, flaw_error *err);

/* Free what the scene owns and zero it; safe on a zeroed struct. */
void flaw_scene_release(flaw_scene *scene);

/* The table of kinds. Names are unique, lower case, in natural words. Out of range: NULL or false. */
int flaw_scene_kind_count(void);
const char *flaw_scene_kind_name(int kind);
bool flaw_scene_kind_held_out(int kind);
bool flaw_scene_kind_texture(int kind);
int flaw_scene_kind_find(const char *name); /* -1 when unknown */

/* A data set on disk. Every kind of the split becomes `products` folders (NAME, NAME-2 ...) in MVTec layout:
 *   NAME/train/good/NNN.png  NAME/test/good/NNN.png  NAME/test/DEFECT/NNN.png  NAME/ground_truth/DEFECT/NNN_mask.png
 * beside captions.jsonl (one object per picture) and sheet.png (a grid of the first pictures, masks outlined). */
typedef struct flaw_scenes_options {
    int count; /* pictures in all, spread evenly over the folders, at least one each */
    int size;  /* as above */
    int kind;  /* one kind only, or -1 */
    uint64_t seed;
    flaw_split split;
    double anomalous_share; /* of all pictures, 0 .. 1; half of the good ones go to train/good, at least one */
    int products;           /* folders per kind, >= 1 */
} flaw_scenes_options;

void flaw_scenes_options_init(
    flaw_scenes_options *options); /* 200 pictures, 224, all kinds of TRAIN, 0.3, one product */

/* Called after every picture; returning false stops the writing with FLAW_OK and what is there so far. */
typedef bool (*flaw_scenes_progress)(void *context, int done, int total);

/* FLAW_USAGE (options), FLAW_IO (folder not writable), FLAW_NO_MEMORY. */
flaw_status flaw_scenes_write(const char *folder, const flaw_scenes_options *options, flaw_scenes_progress progress,
                              void *context, flaw_error *err);

#ifdef __cplusplus
}
#endif
#endif
