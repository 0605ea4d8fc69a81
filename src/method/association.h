/* WinCLIP+'s association map (CVPR 2023, section 4.3): how far windows and patches are from those of good parts. */
#ifndef FLAW_METHOD_ASSOCIATION_H
#define FLAW_METHOD_ASSOCIATION_H

#include "flaw/inspect.h"
#include "method/memory.h"
#include "method/method.h"

typedef struct flaw_association {
    flaw_memory memory;
    flaw_memory_plan plan;
    flaw_compute *compute;
    int grid;
    bool windows;     /* spaces: windows of 2, of 3, patches of the last stage; without: the stages below the last */
    double *distance; /* [P] and two maps behind it, [G, G] each; owned */
} flaw_association;

int flaw_association_wants(bool windows);
flaw_status flaw_association_open(flaw_association *a, const flaw_clip_shape *shape, flaw_compute *compute,
                                  const flaw_inspect_options *options, bool windows, flaw_error *err);
/* Where the association is open: its map is added to `map` [G, G], and half of its peak to half of *image. `spare`
 * [G, G] is overwritten. */
flaw_status flaw_association_join(flaw_association *a, const flaw_features *picture, double *map, double *spare,
                                  double *image, flaw_error *err);
/* learn, save and load of a method whose state begins with its association; one that is not open keeps nothing. */
flaw_status flaw_association_learn(void *state, const flaw_lesson *lesson, flaw_error *err);
flaw_status flaw_association_save(const void *state, flaw_record *record, flaw_error *err);
flaw_status flaw_association_load(void *state, const flaw_record *record, flaw_error *err);
void flaw_association_close(flaw_association *a);

#endif
