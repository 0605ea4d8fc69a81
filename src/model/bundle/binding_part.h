/* The parameters of a binding (towers, a voice) as a part of a bundle, read from their files while it is written: no more
 * than a few megabytes are in memory at a time, or the one matrix whose layout has to be changed. */
#ifndef FLAW_MODEL_BINDING_PART_H
#define FLAW_MODEL_BINDING_PART_H

#include "model/open/bind.h"
#include "model/bundle/part.h"

/* halves: matrices of F32 are written as F16; everything else in the type of its file (F64, and kernels of two frames
 * that are summed, as F32). files [count]: those whose pages are given back. Binding and files must stay until the part
 * is written. */
flaw_status flaw_binding_part(flaw_part *out, const flaw_binding *b, bool halves, const flaw_tensors *const *files,
                              size_t count, const char *name, flaw_error *err);

#endif
