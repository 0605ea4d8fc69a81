/* Dialogues as texts: truths made up, what stands for the picture, and a corpus of both. */
#include <math.h>
#include <stdio.h>

#include "flaw/scenes.h"
#include "learn/paint/defect.h"
#include "learn/language/dialogue_lists.h"

enum { MOST = 10000000 };

/* Names of the lists and of the scenes' kinds, all as likely. */
static void draw_object(flaw_truth *out, const flaw_dialogues *lists, flaw_random *r)
{
    const size_t objects = lists->object.count, surfaces = lists->surface.count;
    size_t at = (size_t)flaw_random_below(r, (int)(objects + surfaces) + flaw_scene_kind_count());
    if (at < objects) {
        out->object = lists->object.line[at];
    } else if (at < objects + surfaces) {
        out->object = lists->surface.line[at - objects];
        out->texture = true;
    } else {
        out->object = flaw_scene_kind_name((int)(at - objects - surfaces));
        out->texture = flaw_scene_kind_texture((int)(at - objects - surfaces));
    }
}

void flaw_truth_draw(flaw_truth *out, const flaw_dialogues *lists, flaw_random *r)
{
    static const double share[1 + FLAW_TRUTH_ANOMALIES] = {0.42, 0.30, 0.17, 0.08, 0.03};
    *out = (flaw_truth){.count = 0};
    draw_object(out, lists, r);
    double u = flaw_random_uniform(r);
    while (out->count < FLAW_TRUTH_ANOMALIES && u >= share[out->count]) u -= share[out->count++];
    const bool sizes = flaw_random_uniform(r) < 0.9;
    int field[FLAW_TRUTH_ANOMALIES];
    for (int i = 0; i < out->count; i++) {
        int at = flaw_random_below(r, 9), k = i;
        for (; k > 0 && field[k - 1] > at; k--) field[k] = field[k - 1];
        field[k] = at;
    }
    for (int i = 0; i < out->count; i++) {
        out->anomaly[i].place = flaw_place_word(field[i]);
        if (sizes) out->anomaly[i].area = exp(flaw_random_range(r, log(0.001), log(0.3)));
        if (flaw_random_uniform(r) < 0.5)
            out->anomaly[i].kind = flaw_defect_name(flaw_random_below(r, flaw_defect_count()));
    }
}

/* "no region." or "2 regions: small, top left; large, center.": short, for it stands where some twenty rows will stand.
 */
static void write_note(flaw_buffer *out, const flaw_truth *t)
{
    if (t->count == 0) flaw_buffer_text(out, "no region");
    else flaw_buffer_printf(out, "%d region%s", t->count, t->count == 1 ? "" : "s");
    for (int i = 0; i < t->count; i++) {
        const char *size = flaw_size_word(t->anomaly[i].area);
        flaw_buffer_printf(out, "%s%s%s%s", i ? "; " : ": ", size ? size : "", size ? ", " : "", t->anomaly[i].place);
    }
    flaw_buffer_text(out, ".");
}

void flaw_dialogue_write(flaw_buffer *out, const flaw_dialogue *d, const flaw_truth *picture)
{
    flaw_buffer_text(out, "###");
    for (int i = 0; i < d->turns; i++) {
        flaw_buffer_text(out, " Human: ");
        if (i == 0 && picture) {
            flaw_buffer_printf(out, "<Img> %s </Img>  ", picture->object);
            write_note(out, picture);
            flaw_buffer_text(out, " ");
        }
        flaw_buffer_printf(out, "%s\n### Assistant: %s\n###", d->turn[i].question, d->turn[i].answer);
    }
}

/* Dialogue `number` of a corpus. */
static flaw_status write_one(flaw_buffer *out, const flaw_dialogues *lists, uint64_t seed, int number, flaw_error *err)
{
    flaw_random r;
    flaw_truth truth;
    flaw_dialogue d;
    flaw_random_init(&r, seed, (uint64_t)number);
    flaw_truth_draw(&truth, lists, &r);
    const double u = flaw_random_uniform(&r);
    flaw_status status = FLAW_OK;
    if (u < 0.66) {
        status = flaw_dialogue_draw(&d, lists, &truth, &r, err);
    } else {
        flaw_dialogue_talk(&d, lists, &r);
        if (u >= 0.92) status = flaw_turn_draw(&d.turn[0], lists, FLAW_ASK_NO_PICTURE, &truth, &r, err);
    }
    if (status) return status;
    flaw_dialogue_write(out, &d, u < 0.76 ? &truth : NULL);
    flaw_buffer_text(out, "\n\n");
    return FLAW_OK;
}

flaw_status flaw_dialogue_corpus(flaw_buffer *out, const flaw_dialogues *lists, uint64_t seed, int count,
                                 flaw_error *err)
{
    if (count < 0 || count > MOST) return flaw_fail(err, FLAW_USAGE, "%d dialogues, allowed are 0 to %d", count, MOST);
    flaw_status status = FLAW_OK;
    for (int i = 0; i < count && !status && !out->failed; i++) status = write_one(out, lists, seed, i, err);
    if (!status && out->failed)
        return flaw_fail(err, FLAW_NO_MEMORY, "no room for %d dialogues in %zu bytes", count, out->maximum);
    return status;
}
