#include "measure/eval/dialogue.h"

#include <math.h>
#include <string.h>

#include "detect/marked.h"
#include "detect/regions.h"

static bool named(const flaw_dialogue_truth *truth, const char *place)
{
    for (int i = 0; i < truth->places; i++)
        if (!strcmp(truth->place[i], place)) return true;
    return false;
}

flaw_status flaw_dialogue_truth_of(flaw_dialogue_truth *out, const uint8_t *mask, int width, int height,
                                   const char *name, flaw_error *err)
{
    flaw_region region[FLAW_MARKED_MOST];
    int count = 0;
    flaw_status status = flaw_marked_find(region, &count, mask, width, height, err);
    if (status != FLAW_OK) return status;
    if (count == 0) return flaw_fail(err, FLAW_BAD_DATA, "mask of '%s': nothing is marked", name);
    flaw_dialogue_truth truth = {.anomalous = true, .located = true, .count = count};
    for (int i = 0; i < count; i++) {
        const flaw_region *r = &region[i]; /* the words of flaw_place_name live for ever, those of the region do not */
        const char *place = flaw_place_name((r->x + r->width / 2.0) / width, (r->y + r->height / 2.0) / height);
        if (!named(&truth, place)) truth.place[truth.places++] = place;
    }
    *out = truth;
    return FLAW_OK;
}

/* How many of the answer's places are true, each counted once. */
static int true_places(const flaw_dialogue_truth *truth, const flaw_answer *answer)
{
    int count = 0;
    for (int i = 0; i < truth->places; i++) {
        bool said = false;
        for (int k = 0; k < answer->places; k++) said |= strcmp(answer->place[k], truth->place[i]) == 0;
        count += said;
    }
    return count;
}

void flaw_dialogue_add(flaw_dialogue_tally *t, const flaw_dialogue_truth *truth, const flaw_answer *answer)
{
    bool yes = answer->verdict == FLAW_ANOMALOUS;
    if (!truth->anomalous) {
        t->normal++;
        t->normal_right += answer->verdict == FLAW_NORMAL;
        return;
    }
    t->anomalous++;
    t->anomalous_right += yes;
    t->missed += answer->verdict == FLAW_NORMAL;
    if (!truth->located) return;
    t->located++;
    if (!yes) return;
    bool none_wrong = answer->places > 0;
    for (int i = 0; i < answer->places; i++) none_wrong = none_wrong && named(truth, answer->place[i]);
    t->count_right += answer->count == truth->count;
    t->place += none_wrong;
    t->every_place += none_wrong && true_places(truth, answer) == truth->places;
}

static double share(size_t part, size_t all)
{
    return all ? (double)part / (double)all : NAN;
}

void flaw_dialogue_figures(flaw_ablation_figures *out, const flaw_dialogue_tally *t)
{
    out->accuracy = share(t->normal_right + t->anomalous_right, t->normal + t->anomalous);
    out->false_alarms = share(t->normal - t->normal_right, t->normal);
    out->misses = share(t->missed, t->anomalous);
    out->count = share(t->count_right, t->located);
    out->place = share(t->place, t->located);
    out->every_place = share(t->every_place, t->located);
}
