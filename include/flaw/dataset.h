/* Data sets as others lay them out: which pictures are good parts to learn from, which are tested, what is wrong with
 * them and where. The layout is guessed or named; docs/data.md shows them all. */
#ifndef FLAW_DATASET_H
#define FLAW_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

/* One data set of a path: a folder, or one category of a folder or table that has several. */
typedef struct flaw_dataset_entry {
    char *root;         /* folder, or the file that lists its pictures */
    char *category;     /* as the data has it: "metal_nut"; "" when a table names none */
    const char *layout; /* a name of flaw_dataset_layout() */
} flaw_dataset_entry;

typedef struct flaw_dataset_list {
    flaw_dataset_entry *entry; /* [count] owned, with their strings */
    size_t count;
} flaw_dataset_list;

/* Adds to *list the data sets under a path, sorted by category: its own when it has a layout, else those of the folders
 * in it. `layout` NULL: guessed. FLAW_MISSING without such a path, FLAW_BAD_DATA when there is none, FLAW_USAGE for a
 * layout that no name stands for. Free with flaw_dataset_list_release, also after a failure. */
flaw_status flaw_dataset_find(flaw_dataset_list *list, const char *path, const char *layout, flaw_error *err);
void flaw_dataset_list_release(flaw_dataset_list *list);

typedef enum flaw_dataset_label { FLAW_LABEL_UNKNOWN, FLAW_LABEL_GOOD, FLAW_LABEL_BAD } flaw_dataset_label;
typedef enum flaw_dataset_split { FLAW_DATASET_TRAIN, FLAW_DATASET_VALIDATION, FLAW_DATASET_TEST } flaw_dataset_split;

typedef struct flaw_dataset_item {
    const char *path;
    const char *object; /* as words, of the data set */
    const char *kind;   /* "good", the name of the defect, "bad" where it has none, "unknown" without a label */
    flaw_dataset_split split;
    flaw_dataset_label label;
    const char *const *mask; /* [masks] files; several (MVTec LOCO): one a defect */
    size_t masks;
    uint32_t background; /* 0xRRGGBB of what is not marked in the masks: black but for Lookout's */
} flaw_dataset_item;

/* Items in this order: references (good pictures of the training part), others (bad training pictures, validation,
 * pictures without a label), tests (labelled pictures of the test part). Within each as the files' names or the lines
 * of the table have it. */
typedef struct flaw_dataset {
    const char *root, *layout, *category;
    const char *object; /* category as words: "metal nut"; "object" where there is none */
    const flaw_dataset_item *item;
    size_t items;
    const flaw_dataset_item *reference; /* part of `item`, as the next one */
    size_t references;
    const flaw_dataset_item *test;
    size_t tests;
    int references_tested; /* the data names no parts: good ones that are not learned from belong to the test */
    struct flaw_dataset_store *store;
} flaw_dataset;

/* FLAW_MISSING when there is no picture at all, or one that a table lists is not there. */
flaw_status flaw_dataset_open(flaw_dataset *out, const flaw_dataset_entry *entry, flaw_error *err);
/* The only data set under a path, or the one of that category; layout and category may be NULL. */
flaw_status flaw_dataset_open_path(flaw_dataset *out, const char *path, const char *layout, const char *category,
                                   flaw_error *err);
void flaw_dataset_close(flaw_dataset *set);

/* FLAW_MISSING unless there is a labelled picture to test. */
flaw_status flaw_dataset_testable(const flaw_dataset *set, flaw_error *err);

/* What was understood: "209 good, 63 bad in 3 kinds, 63 masks, layout mvtec (test: 20 good, 63
 * bad)". */
void flaw_dataset_about(char *out, size_t room, const flaw_dataset *set);

/* Whether it is known which pixels are bad: of good pictures, and of bad ones with a mask. */
int flaw_dataset_has_map(const flaw_dataset_item *item);

/* What is marked, at [height, width] whatever the size of the mask (nearest neighbour, pixel centres); 1 marks a defect.
 * Several files are united; good pictures have nothing marked. FLAW_USAGE when it is not known. */
flaw_status flaw_dataset_mask(uint8_t *out, const flaw_dataset *set, const flaw_dataset_item *item, int width,
                              int height, flaw_error *err);

/* Single defects for saturated per-region overlap (Bergmann et al. 2022): the overlap of one counts min(overlap /
 * saturation, 1). With MVTec LOCO a region is one mask file, its type the value of its pixels, its saturation from
 * defects_config.json; else a region is an 8-connected part of the mask and saturated when all of it is found (sPRO is
 * PRO then). */
typedef struct flaw_dataset_region {
    const char *defect; /* lives as long as the data set */
    uint32_t *pixel;    /* [area] y * width + x, ascending; owned */
    size_t area;        /* 0 when so small that none of its pixels is met at this size */
    double saturation;  /* pixels at this size, over 0, at most area unless that is 0 */
} flaw_dataset_region;

typedef struct flaw_dataset_regions {
    flaw_dataset_region *region;
    size_t count;
} flaw_dataset_regions;

flaw_status flaw_dataset_regions_of(flaw_dataset_regions *out, const flaw_dataset *set, const flaw_dataset_item *item,
                                    int width, int height, flaw_error *err);
void flaw_dataset_regions_release(flaw_dataset_regions *regions);

/* The layouts, in the order in which they are tried. */
int flaw_dataset_layout_count(void);
const char *flaw_dataset_layout(int index);       /* "mvtec" */
const char *flaw_dataset_layout_about(int index); /* what it looks like, one line */

#endif
