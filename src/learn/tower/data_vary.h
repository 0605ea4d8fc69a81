/* Other products out of one: a subject recoloured, warped or laid out as many small ones, the same for both of its states. What a
 * tower learns of a mark must not hang on the colours, outlines and sizes of the kinds that are drawn. */
#ifndef FLAW_LEARN_DATA_VARY_H
#define FLAW_LEARN_DATA_VARY_H

#include "learn/tower/data.h"

/* A varied copy, owned by the caller: pictures, mask and words. */
flaw_status flaw_subject_vary(flaw_subject *out, const flaw_subject *in, flaw_random *random, flaw_error *err);

#endif
