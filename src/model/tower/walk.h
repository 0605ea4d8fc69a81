/* Lists of parameters and views over arrays laid out in their order. A model describes itself by ONE walk that visits
 * every parameter with its name, shape and place in the view; making the list and making a view are two passes of it.
 */
#ifndef FLAW_MODEL_WALK_H
#define FLAW_MODEL_WALK_H

#include "model/tower/clip.h"

typedef struct flaw_walk {
    flaw_parameters *list;
    flaw_arena *arena;
    float *base; /* NULL while listing */
    size_t next; /* parameter visited next */
    bool failed; /* no memory, or sizes overflow */
} flaw_walk;

/* Visits all parameters of `shape`. While listing (base NULL) the slots of `view` are not written and may lead
 * anywhere. */
typedef void (*flaw_walker)(flaw_walk *w, void *view, const void *shape);

/* rows 0: a vector of `columns`. */
void flaw_walk_visit(flaw_walk *w, float **slot, int rows, int columns, const char *name);
/* "TOWER.block.INDEX.norm1.w" and so on; without `bias` only the matrices and the norms' factors. */
void flaw_walk_block(flaw_walk *w, flaw_block_weights *b, const flaw_block_shape *s, bool bias, const char *tower,
                     int index);

/* `view`: an empty one for the walk to point at. FLAW_NO_MEMORY also when the sizes overflow. */
flaw_status flaw_walk_list(flaw_parameters *out, flaw_walker walker, void *view, const void *shape, flaw_arena *arena,
                           flaw_error *err);
void flaw_walk_view(const flaw_parameters *list, flaw_walker walker, void *view, const void *shape, float *base);

#endif
