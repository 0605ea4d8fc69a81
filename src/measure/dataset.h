/* A data set folder as others lay it out: which pictures are good references, which are tested, where their masks are.
 */
#ifndef FLAW_MEASURE_DATASET_H
#define FLAW_MEASURE_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "flaw/status.h"

typedef struct flaw_dataset_item {
    const char *path;
    const char *mask; /* NULL: good (nothing to mark), or bad without a mask */
    bool bad;
} flaw_dataset_item;

/* "mvtec": train/good, test/good, test/KIND, ground_truth/KIND/NAME_mask.png or NAME.png; pixels over 0 are marked.
 * "cookies": training-images/{normal,anomaly}-N, mask-images/anomaly-N, test-images/test-{normal,anomaly}-N; green
 * (the crack colour #23A436) is marked; references are drawn from normal-N and the others of these are tested too. */
typedef struct flaw_dataset {
    flaw_arena arena; /* owns all below */
    const char *layout, *object;
    bool green_masks;       /* marked is what is green, else what is not black */
    bool references_tested; /* good pictures that were not drawn as references belong to the test */
    flaw_dataset_item *reference, *test;
    size_t references, tests;
} flaw_dataset;

/* Sorted by name. FLAW_MISSING when the folder is not there; FLAW_BAD_DATA when it has none of the layouts. */
flaw_status flaw_dataset_open(flaw_dataset *out, const char *folder, flaw_error *err);
void flaw_dataset_close(flaw_dataset *set);

/* Whether the folder has one of the layouts (its subfolders exist; nothing is read). */
bool flaw_dataset_is(const char *folder);

/* The mask of an item at side x side, nearest neighbour (pixel centres); 1 marks a defect. All 0 for a good item. */
flaw_status flaw_dataset_mask(uint8_t *out, const flaw_dataset *set, const flaw_dataset_item *item, int side,
                              flaw_error *err);

#endif
