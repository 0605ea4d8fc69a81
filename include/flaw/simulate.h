/* Simulated anomalies (NSA, Schlueter et al. 2022, as AnomalyGPT uses it): a patch of another picture, or of the
 * same, is cut out, resized and put elsewhere, by plain pasting or by Poisson editing (Perez et al. 2003), with a
 * mask that follows what really changed, and a question with its answer. */
#ifndef FLAW_SIMULATE_H
#define FLAW_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>

#include "flaw/picture.h"
#include "flaw/status.h"

typedef enum flaw_blend { FLAW_BLEND_POISSON, FLAW_BLEND_PASTE } flaw_blend;

/* Values of `background` that are no grey level. */
enum {
    FLAW_BACKGROUND_NONE = -1,    /* patches may lie anywhere: a surface that fills the picture */
    FLAW_BACKGROUND_GUESSED = -2, /* of each picture, from the colours along its border */
};

/* What a product needs. Widths bound the half-widths of the piece that is cut out, and the full widths of what is put
 * in after resizing, as shares of the picture's side. */
typedef struct flaw_simulate_preset {
    const char *name;               /* "bottle", ...; "auto" for products that are not known */
    double width_low, width_high;   /* along x */
    double height_low, height_high; /* along y */
    double slope, middle;           /* of the logistic that turns a change of intensity (0..255) into a label */
    int background, tolerance;      /* grey of the background and how far from it is still background, or one of above */
    double resize_low, resize_high;
    double least_object; /* a piece is cut out only where more than this share of it is object */
} flaw_simulate_preset;

/* By name, case and spaces aside. An unknown product gets one made from the picture: background guessed from the
 * border, widths from the extent of the object, slope and middle from its contrast. So does a known product on another
 * background than that of its data set, with widths no larger than the table's. picture NULL: the row of the table, or
 * one for a surface. */
flaw_status flaw_simulate_preset_find(flaw_simulate_preset *out, const char *name, const flaw_picture *picture, flaw_error *err);
int flaw_simulate_preset_count(void);
const flaw_simulate_preset *flaw_simulate_preset_at(int index);

#define FLAW_SIMULATE_PATCHES 4

typedef struct flaw_simulated {
    flaw_picture picture;  /* same size as the input */
    float *label;          /* [height, width] 0 .. 1; owned. The mask is label > 0.3 */
    int patches;           /* placed, 0 .. FLAW_SIMULATE_PATCHES; 0: none could be placed, the picture is unchanged */
    int x[FLAW_SIMULATE_PATCHES], y[FLAW_SIMULATE_PATCHES]; /* centre of what shows of each */
    int box[FLAW_SIMULATE_PATCHES][4];                      /* x, y, width, height of what shows of each */
    int frame[FLAW_SIMULATE_PATCHES][4];                    /* x, y, width, height that was put in: nothing else changed */
} flaw_simulated;
void flaw_simulated_release(flaw_simulated *s);

typedef struct flaw_simulate_options {
    const flaw_simulate_preset *preset; /* NULL: made from the picture */
    flaw_blend blend;
    int most_patches;        /* one always, each further with probability 1/2; 0: 2, at most FLAW_SIMULATE_PATCHES */
    unsigned long long seed; /* with `stream`: the same patches whatever the blend */
    unsigned long long stream;
} flaw_simulate_options;

/* source: where patches come from, any size; NULL: the picture itself. A patch counts as placed when it shows with
 * either blend, so centres, boxes and answers are the same for both; patches do not touch each other. */
flaw_status flaw_simulate(flaw_simulated *out, const flaw_picture *picture, const flaw_picture *source,
                          const flaw_simulate_options *options, flaw_error *err);

/* The sentence of the answer: "Yes, there are 2 anomalies in the image, they are at the top left and center of the
 * image." places: words of the 3x3 grid, equal ones named once. count 0: "No, there is no anomaly in the image." */
void flaw_simulate_answer(char *out, size_t size, int count, const char *const *places);
/* "This is a photo of ... Is there any anomaly in the image?" for a known product (its description), or a general
 * one. */
void flaw_simulate_question(char *out, size_t size, const char *object);

/* A data set made of pictures of good parts, in MVTec layout:
 *   train/good/NNN.png        every second picture, to compare with; patches come from these
 *   test/good/NNN.png         the others
 *   test/simulated/NNN.png    the others, in turn, with patches   ground_truth/simulated/NNN_mask.png
 *   test/pasted/NNN.png       where both blends are asked for: the same patches, pasted
 * beside dialogues.jsonl (one object for each test picture: question, answer, count, places, centres, boxes) and
 * contact.png (the first pictures with mask and both blends side by side). Of a single picture train/good is empty. */
typedef struct flaw_simulate_set {
    const char *const *good; /* files */
    size_t good_count;
    const char *const *source; /* files that patches come from instead; NULL: pictures of train/good */
    size_t source_count;
    const char *object; /* NULL: "object" */
    int count;          /* simulated pictures; 0: one of each picture of test/good */
    bool poisson, paste;
    int most_patches; /* as above */
    unsigned long long seed;
    /* All may be NULL. progress: return nonzero to stop with what is there so far. unreadable: a picture is left out. */
    int (*progress)(void *context, size_t done, size_t total, const char *what);
    void (*unreadable)(void *context, const flaw_error *err);
    void *context;
} flaw_simulate_set;

typedef struct flaw_simulate_summary {
    int train, test, simulated; /* pictures written */
    int unplaced;               /* left out because no patch could be placed that shows */
    int unreadable;
} flaw_simulate_summary;

/* FLAW_USAGE (options; a folder with pictures in it), FLAW_BAD_DATA (no picture could be read), FLAW_IO,
 * FLAW_NO_MEMORY. */
flaw_status flaw_simulate_write(flaw_simulate_summary *out, const char *folder, const flaw_simulate_set *set,
                                flaw_error *err);

#endif
