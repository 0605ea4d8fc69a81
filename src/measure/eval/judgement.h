/* One judged picture of an evaluation, and its line in results.jsonl. */
#ifndef FLAW_MEASURE_JUDGEMENT_H
#define FLAW_MEASURE_JUDGEMENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "detect/prepare.h"
#include "flaw/inspect.h"

#define FLAW_JUDGEMENT_GRID 256 /* largest side of a map that a line may hold */

/* Which of the plan's cells (eval_plan.h): a data set, a method, a number of good parts, a draw of these. */
typedef struct flaw_cell {
    int dataset, method, shots, draw;
} flaw_cell;

typedef struct flaw_judgement {
    flaw_cell cell;
    size_t item;         /* number of the picture in the data set */
    const char *image;   /* its path, as the data set gives it */
    flaw_verdict verdict;
    double score, threshold, p_value, ms;
    int width, height;   /* of the picture */
    flaw_seen seen;      /* part of it that the map covers */
    int grid;
    const float *map;    /* [grid, grid]; NULL with a failure */
    double map_low;      /* value of what the map does not cover */
    double map_threshold; /* map values over it are places of defects; NaN where the run did not keep it */
    const char *failure; /* why there is no number; NULL */
} flaw_judgement;

/* One line without its end, malloc'ed; NULL when memory is refused. `names`: what people want to read beside the numbers;
 * an object whose members come first in the line, borrowed. */
char *flaw_judgement_line(const flaw_judgement *j, json_t *names);
/* Texts and map go to the arena. FLAW_BAD_DATA says what is wrong, without the file's name. */
flaw_status flaw_judgement_read(flaw_judgement *out, const char *line, size_t length, flaw_arena *arena, flaw_error *err);

#endif
