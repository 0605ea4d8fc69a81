/* What stands behind an open data set. */
#ifndef FLAW_MEASURE_DATASET_STORE_H
#define FLAW_MEASURE_DATASET_STORE_H

#include <stdbool.h>

#include "base/arena.h"
#include "flaw/dataset.h"
#include "flaw/picture.h"

/* One type of defect of MVTec LOCO: the value of its pixels in a mask, and how much of one must be found. */
typedef struct flaw_defect {
    const char *name;
    int pixel_value;
    double saturation; /* pixels at the mask's size, or a share of the defect when `relative` */
    bool relative;
} flaw_defect;

struct flaw_dataset_store {
    flaw_arena arena;
    flaw_defect *defect; /* [defects] */
    size_t defects;
};

/* Whether anything is marked in one of the item's mask files. */
bool flaw_mask_marks(const flaw_dataset *set, const flaw_dataset_item *item, const flaw_picture *mask);

/* defects_config.json in `root`; none when there is no such file. */
flaw_status flaw_defects_read(struct flaw_dataset_store *store, const char *root, flaw_error *err);
/* NULL when no type has that value. */
const flaw_defect *flaw_defect_of(const struct flaw_dataset_store *store, int pixel_value);

#endif
