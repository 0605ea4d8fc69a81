/* Other products out of one: a subject recoloured, printed on, warped or laid out as many small ones, the same for both of its
 * states. What a tower learns of a mark must not hang on the colours, outlines and sizes of the kinds that are drawn. */
#ifndef FLAW_LEARN_DATA_VARY_H
#define FLAW_LEARN_DATA_VARY_H

#include "learn/tower/data.h"

/* A varied copy, owned by the caller: pictures, mask and words. */
flaw_status flaw_subject_vary(flaw_subject *out, const flaw_subject *in, flaw_random *random, flaw_error *err);

/* data_print.c: a print (letters, bars, rings) or a band of ribs on both states. */
flaw_status flaw_subject_print(flaw_subject *subject, flaw_random *random, flaw_error *err);
void flaw_subject_rib(flaw_subject *subject, flaw_random *random);

#endif
