/* What is true of a picture with defects, as a dialogue can speak of it: how many anomalies, where, how large. */
#ifndef FLAW_LEARN_VOICE_TRUTH_H
#define FLAW_LEARN_VOICE_TRUTH_H

#include "learn/language/dialogue.h"

/* Of a mask [side, side], not 0 on defects: what it marks by flaw_marked_find, the rule that answers are measured by, too;
 * object and texture are left alone. */
flaw_status flaw_truth_of_mask(flaw_truth *out, const uint8_t *mask, int side, flaw_error *err);

/* A map [side, side] as a decoder might have drawn it on a grid of `grid` patches, without any picture: up to three places
 * that stand out, smeared and uneven, over noise and bumps that do not matter. */
void flaw_truth_draw_map(flaw_truth *out, float *map, int grid, int side, flaw_random *random);

/* The same as the joined map of several views (detect/views.h): logits on `cells` a side, then the sigmoid. A smooth
 * background far below zero has bumps of its own, most of them below zero; places rise above that, some of them barely.
 * `patches`: of the tower, along a side. */
void flaw_truth_draw_joined(flaw_truth *out, float *map, int patches, int cells, int side, flaw_random *random);

#endif
