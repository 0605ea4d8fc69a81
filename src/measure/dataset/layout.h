/* How a layout is told and read. A layout is a row of the table in layout.c and a function that lists its pictures; the
 * functions here are what these share. */
#ifndef FLAW_MEASURE_LAYOUT_H
#define FLAW_MEASURE_LAYOUT_H

#include <stdbool.h>

#include "base/arena.h"
#include "flaw/dataset.h"

/* Pictures of one data set, and lines of one table. */
enum { FLAW_DATASET_MAX_ITEMS = 1000000, FLAW_DATASET_MAX_CATEGORIES = 10000 };

/* Takes what is wrong with a line of a table, so that the others are still read. */
typedef flaw_status (*flaw_table_fault)(void *context, const char *text, flaw_error *err);

typedef struct flaw_listing { /* grows by doubling inside the arena */
    flaw_arena *arena;
    const char *object; /* of every item */
    flaw_dataset_item *item;
    size_t count, room;
    bool references_tested;
    flaw_table_fault fault; /* NULL: the first fault ends the listing */
    void *context;
} flaw_listing;

typedef struct flaw_layout {
    const char *name, *about;
    int rank; /* 0: fixed names of folders; 1: only where none of these is found, here or below; 2: after all */
    bool (*fits)(const char *path);
    /* Adds the data sets of the path; NULL: it is one, named as its folder. */
    flaw_status (*find)(flaw_dataset_list *list, const char *path, const char *layout, flaw_error *err);
    flaw_status (*list)(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err);
} flaw_layout;

extern const flaw_layout flaw_layout_table[];
extern const int flaw_layout_count;
const flaw_layout *flaw_layout_named(const char *name); /* NULL when there is none */

flaw_status flaw_dataset_list_add(flaw_dataset_list *list, const char *root, const char *category, const char *layout,
                                  flaw_error *err);

/* flaw_dataset_open() that goes on after faulty lines of a table when `fault` takes them. */
flaw_status flaw_dataset_read(flaw_dataset *out, const flaw_dataset_entry *entry, flaw_table_fault fault, void *context,
                              flaw_error *err);

/* `item` has everything but its object. */
flaw_status flaw_listing_add(flaw_listing *l, flaw_dataset_item item, flaw_error *err);
/* One mask file as the item's list of masks; path lives in the arena. NULL without memory. */
const char *const *flaw_listing_mask(flaw_listing *l, const char *path);

/* Which pictures of a folder to take, and what is known of all of them. */
typedef struct flaw_folder {
    const char *path, *prefix; /* names that begin so; "" takes all */
    const char *kind;
    flaw_dataset_split split;
    flaw_dataset_label label;
    const char *masks; /* folder with STEM_mask.png, STEM.png or STEM/000.png; NULL: none is looked for */
} flaw_folder;
flaw_status flaw_listing_folder(flaw_listing *l, const flaw_folder *folder, flaw_error *err);
/* root/part/KIND for each subfolder; good, ok and normal are good; masks are looked for in masks_root/KIND (NULL: not). */
flaw_status flaw_listing_kinds(flaw_listing *l, const char *root, const char *part, flaw_dataset_split split,
                               const char *masks_root, flaw_error *err);

bool flaw_layout_is_picture(const char *name);              /* by its ending */
bool flaw_layout_has(const char *folder, const char *name); /* a folder of that name */

/* layout_mvtec.c */
bool flaw_layout_fits_mvtec(const char *path);
bool flaw_layout_fits_loco(const char *path);
bool flaw_layout_fits_mvtec_ad2(const char *path);
bool flaw_layout_fits_btad(const char *path);
flaw_status flaw_layout_list_mvtec(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err);
flaw_status flaw_layout_list_mvtec_ad2(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err);

/* layout_folder.c */
bool flaw_layout_fits_cookies(const char *path);
bool flaw_layout_fits_visa_object(const char *path);
bool flaw_layout_fits_folder(const char *path);
bool flaw_layout_fits_pictures(const char *path);
flaw_status flaw_layout_list_cookies(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err);
flaw_status flaw_layout_list_visa_object(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err);
flaw_status flaw_layout_list_folder(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err);
flaw_status flaw_layout_list_pictures(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err);

/* layout_table.c; `table` serves "table", "meta" and "manifest" */
bool flaw_layout_fits_table(const char *path);
bool flaw_layout_fits_meta(const char *path);
bool flaw_layout_fits_manifest(const char *path);
bool flaw_layout_fits_visa(const char *path);
flaw_status flaw_layout_find_table(flaw_dataset_list *list, const char *path, const char *layout, flaw_error *err);
flaw_status flaw_layout_find_visa(flaw_dataset_list *list, const char *path, const char *layout, flaw_error *err);
flaw_status flaw_layout_list_table(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err);
flaw_status flaw_layout_list_visa(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err);

#endif
