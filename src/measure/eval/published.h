/* Figures that papers and their re-implementations give for MVTec AD and VisA, to be read beside measured ones. All of
 * them are of other backbones than the model inside, and of other builds: they are quoted, never claimed. */
#ifndef FLAW_MEASURE_PUBLISHED_H
#define FLAW_MEASURE_PUBLISHED_H

#include "flaw/dataset.h"

/* In the order of the first figures of flaw_eval_figures: image AUROC, AP, F1-max, pixel AUROC, AP, PRO, F1-max. */
#define FLAW_PUBLISHED_FIGURES 7

typedef enum flaw_benchmark { FLAW_BENCHMARK_MVTEC, FLAW_BENCHMARK_VISA, FLAW_BENCHMARKS } flaw_benchmark;

typedef struct flaw_published_source {
    const char *name;  /* short, as it stands beside a row */
    const char *about; /* work, table, backbone, what to mind */
} flaw_published_source;

typedef struct flaw_published_row {
    flaw_benchmark benchmark;
    const char *category; /* "" = mean over all classes */
    const char *method;   /* as published */
    int shots;
    int source;           /* flaw_published_source_at */
    double percent[FLAW_PUBLISHED_FIGURES]; /* NaN where none is given */
} flaw_published_row;

const char *flaw_benchmark_name(flaw_benchmark benchmark);
int flaw_benchmark_classes(flaw_benchmark benchmark);

/* Which class of a benchmark a data set is: its name and how many good and bad pictures it has in all tell. *same_name:
 * a class that has the name but other pictures, or NULL. */
typedef struct flaw_benchmark_class {
    flaw_benchmark benchmark;
    const char *category;
    int good, bad;
} flaw_benchmark_class;
const flaw_benchmark_class *flaw_benchmark_class_of(const flaw_benchmark_class **same_name, const flaw_dataset *set);

int flaw_published_count(void);
const flaw_published_row *flaw_published_at(int index);
int flaw_published_sources(void);
const flaw_published_source *flaw_published_source_at(int index);

#endif
