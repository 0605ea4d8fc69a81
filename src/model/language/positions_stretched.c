/* Rotary positions of models that were made to read longer texts (flaw_stretch in language.h). */
#include <math.h>

#include "model/language/language.h"

/* Frequency of one pair, in radians a token, as it is after stretching. */
static double stretched(const flaw_stretch *s, double frequency)
{
    const double slow = frequency / (double)s->factor;
    if (!(s->high > 0)) return slow;
    const double waves = s->original * frequency / (2 * M_PI); /* in the text that the model was trained on */
    if (waves <= (double)s->low) return slow;
    if (waves >= (double)s->high) return frequency;
    const double kept = (waves - (double)s->low) / (double)(s->high - s->low);
    return kept * frequency + (1 - kept) * slow;
}

void flaw_language_angles(const flaw_language_shape *shape, float *table)
{
    const flaw_block_shape *b = &shape->block;
    const int half = b->width / b->heads / 2;
    flaw_rotary_fill(b, shape->context, table);
    for (int j = 0; j < half && shape->stretch.factor > 0; j++) {
        const double frequency = stretched(&shape->stretch, pow((double)b->rotary_base, -(double)j / half));
        for (int t = 0; t < shape->context; t++) {
            float *at = table + (size_t)t * 2 * (size_t)half;
            at[j] = (float)cos(t * frequency);
            at[half + j] = (float)sin(t * frequency);
        }
    }
}
