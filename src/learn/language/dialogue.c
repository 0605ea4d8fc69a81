/* Questions and answers drawn for a truth. */
#include "learn/language/dialogue.h"

#include <stdio.h>
#include <string.h>

#include "flaw/simulate.h"
#include "learn/language/dialogue_lists.h"

enum { MAX_OBJECT = 64, MAX_KIND = 32 };

static const char *const places[9] = {"top left", "top",         "top right", "left",        "center",
                                      "right",    "bottom left", "bottom",    "bottom right"};

/* Index of a place, -1 for another word. */
static int field_of(const char *word)
{
    for (int i = 0; i < 9; i++)
        if (word && strcmp(word, places[i]) == 0) return i;
    return -1;
}

flaw_status flaw_truth_check(const flaw_truth *t, flaw_error *err)
{
    if (!t->object || !t->object[0] || strlen(t->object) > MAX_OBJECT)
        return flaw_fail(err, FLAW_USAGE, "a name of 1 to %d bytes is needed for the object", MAX_OBJECT);
    if (t->count < 0 || t->count > FLAW_TRUTH_ANOMALIES)
        return flaw_fail(err, FLAW_USAGE, "%d anomalies, allowed are 0 to %d", t->count, FLAW_TRUTH_ANOMALIES);
    for (int i = 0; i < t->count; i++) {
        if (field_of(t->anomaly[i].place) < 0)
            return flaw_fail(err, FLAW_USAGE, "anomaly %d is at \"%s\", which is none of the nine places", i,
                             t->anomaly[i].place ? t->anomaly[i].place : "");
        if (!(t->anomaly[i].area >= 0 && t->anomaly[i].area <= 1))
            return flaw_fail(err, FLAW_USAGE, "anomaly %d has the area %g, allowed is 0 to 1", i, t->anomaly[i].area);
        if (t->anomaly[i].kind && strlen(t->anomaly[i].kind) > MAX_KIND)
            return flaw_fail(err, FLAW_USAGE, "anomaly %d has a kind of more than %d bytes", i, MAX_KIND);
    }
    return FLAW_OK;
}

/* A text of bounded length; what does not fit is cut (the limits on lines and names leave room for all). */
typedef struct line {
    char *text;
    size_t size;
} line;

static void put(line *l, const char *text, size_t size)
{
    if (size > FLAW_TURN_TEXT - 1 - l->size) size = FLAW_TURN_TEXT - 1 - l->size;
    memcpy(l->text + l->size, text, size);
    l->size += size;
    l->text[l->size] = '\0';
}

static void put_text(line *l, const char *text)
{
    put(l, text, strlen(text));
}

/* "a metal nut", "an egg", "a usb stick", "leather". */
static void put_object(line *l, const flaw_truth *t)
{
    const bool vowel =
        strchr("aeiouAEIOU", t->object[0]) && strncmp(t->object, "us", 2) != 0 && strncmp(t->object, "uni", 3) != 0;
    if (!t->texture) put_text(l, vowel ? "an " : "a ");
    put_text(l, t->object);
}

/* Each place once, as one reads a page, whatever the order of the anomalies: nothing in a picture says which comes
 * first. "top left", "top left and center", "top, left and center". */
static void put_places(line *l, const flaw_truth *t)
{
    int count = 0, left;
    bool has[9] = {false};
    for (int i = 0; i < t->count; i++) has[field_of(t->anomaly[i].place)] = true;
    for (int i = 0; i < 9; i++) count += has[i];
    left = count;
    for (int i = 0; i < 9; i++) {
        if (!has[i]) continue;
        if (left < count) put_text(l, left == 1 ? " and " : ", ");
        put_text(l, places[i]);
        left--;
    }
}

const char *flaw_place_word(int field)
{
    return places[field];
}

const char *flaw_size_word(double area)
{
    if (!(area > 0)) return NULL;
    return area < 0.005 ? "very small" : area < 0.02 ? "small" : area < 0.08 ? "medium-sized" : "large";
}

/* Of the largest; NULL when one of them is not known. */
static const char *largest_size(const flaw_truth *t)
{
    double largest = 0;
    for (int i = 0; i < t->count; i++) {
        if (!flaw_size_word(t->anomaly[i].area)) return NULL;
        if (t->anomaly[i].area > largest) largest = t->anomaly[i].area;
    }
    return flaw_size_word(largest);
}

static const char *first_kind(const flaw_truth *t)
{
    return t->count && t->anomaly[0].kind && t->anomaly[0].kind[0] ? t->anomaly[0].kind : NULL;
}

static void put_blank(line *l, flaw_blank blank, const flaw_truth *t)
{
    char number[12];
    switch (blank) {
    case FLAW_BLANK_OBJECT: put_text(l, t->object); break;
    case FLAW_BLANK_A_OBJECT: put_object(l, t); break;
    case FLAW_BLANK_PLACES: put_places(l, t); break;
    case FLAW_BLANK_SIZE: put_text(l, largest_size(t)); break;
    case FLAW_BLANK_KIND: put_text(l, first_kind(t)); break;
    default: snprintf(number, sizeof number, "%d", t->count); put_text(l, number);
    }
}

static void fill(char out[FLAW_TURN_TEXT], const char *pattern, const flaw_truth *t)
{
    line l = {out, 0};
    out[0] = '\0';
    for (size_t size; *pattern; pattern += size) {
        flaw_blank blank = *pattern == '{' ? flaw_blank_at(pattern, &size) : FLAW_BLANKS;
        if (blank == FLAW_BLANKS) put(&l, pattern, size = 1);
        else put_blank(&l, blank, t);
    }
}

static bool is_usable(const char *pattern, const flaw_truth *t)
{
    if (strstr(pattern, "{size}") && !largest_size(t)) return false;
    return !strstr(pattern, "{kind}") || first_kind(t);
}

/* One of the lines that can be filled and hold `must` ("": every list has some). NULL when none does. */
static const char *pick_with(const flaw_lines *lines, const char *must, const flaw_truth *t, flaw_random *r)
{
    int usable = 0;
    for (size_t i = 0; i < lines->count; i++) usable += is_usable(lines->line[i], t) && strstr(lines->line[i], must);
    int at = usable ? flaw_random_below(r, usable) : -1;
    for (size_t i = 0; at >= 0; i++)
        if (is_usable(lines->line[i], t) && strstr(lines->line[i], must) && at-- == 0) return lines->line[i];
    return NULL;
}

static const char *pick(const flaw_lines *lines, const flaw_truth *t, flaw_random *r)
{
    return pick_with(lines, "", t, r);
}

static const char *pick_any(const flaw_lines *lines, flaw_random *r)
{
    return lines->line[flaw_random_below(r, (int)lines->count)];
}

static void draw_talk(flaw_turn *out, const flaw_talks *talks, flaw_question_kind kind, flaw_random *r)
{
    const flaw_talk_block *b = &talks->block[flaw_random_below(r, (int)talks->count)];
    out->kind = kind;
    snprintf(out->question, sizeof out->question, "%s", pick_any(&b->say, r));
    snprintf(out->answer, sizeof out->answer, "%s", pick_any(&b->answer, r));
}

/* People write as they like: some without the sign at the end, some without the capital. */
static void roughen(char *question, flaw_random *r)
{
    const size_t size = strlen(question);
    const double u = flaw_random_uniform(r), v = flaw_random_uniform(r);
    if (u < 0.1 && size > 1 && strchr(".?!", question[size - 1])) question[size - 1] = '\0';
    if (v < 0.1 && question[0] >= 'A' && question[0] <= 'Z' && question[1] != ' ' && question[1] != '\'')
        question[0] = (char)(question[0] + ('a' - 'A'));
}

/* The truth is good. */
static void fill_turn(flaw_turn *out, const flaw_dialogues *d, flaw_question_kind kind, const flaw_truth *t,
                      flaw_random *r)
{
    if (kind == FLAW_ASK_TALK || kind == FLAW_ASK_ASIDE) {
        draw_talk(out, kind == FLAW_ASK_TALK ? &d->talk : &d->aside, kind, r);
        return;
    }
    out->kind = kind;
    if (kind == FLAW_ASK_NO_PICTURE) {
        fill(out->question, pick(&d->ask[flaw_random_below(r, FLAW_ASK_KINDS)], t, r), t);
        snprintf(out->answer, sizeof out->answer, "%s", pick_any(&d->no_picture, r));
        return;
    }
    const int number = t->count == 0 ? FLAW_ANSWER_NONE : t->count == 1 ? FLAW_ANSWER_ONE : FLAW_ANSWER_SEVERAL;
    fill(out->question, pick(&d->ask[kind], t, r), t);
    if (kind == FLAW_ASK_ANOMALY && !t->texture && flaw_random_uniform(r) < 0.2) /* with the product's own description */
        flaw_simulate_question(out->question, sizeof out->question, t->object);
    const char *answer = kind == FLAW_ASK_SIZE ? pick_with(&d->answer[kind][number], "{size}", t, r) : NULL;
    fill(out->answer, answer ? answer : pick(&d->answer[kind][number], t, r), t);
}

static void draw_turn(flaw_turn *out, const flaw_dialogues *d, flaw_question_kind kind, const flaw_truth *t,
                      flaw_random *r)
{
    fill_turn(out, d, kind, t, r);
    roughen(out->question, r);
}

flaw_status flaw_turn_draw(flaw_turn *out, const flaw_dialogues *lists, flaw_question_kind kind,
                           const flaw_truth *truth, flaw_random *r, flaw_error *err)
{
    flaw_status status = flaw_truth_check(truth, err);
    if (!status) draw_turn(out, lists, kind, truth, r);
    return status;
}

/* Index into shares that add up to 1. */
static int draw_share(const double *share, int count, flaw_random *r)
{
    double u = flaw_random_uniform(r);
    int i = 0;
    while (i < count - 1 && u >= share[i]) u -= share[i++];
    return i;
}

static int draw_turns(flaw_random *r)
{
    static const double share[FLAW_DIALOGUE_TURNS] = {0.6, 0.25, 0.15};
    return 1 + draw_share(share, FLAW_DIALOGUE_TURNS, r);
}

/* Anomaly, where, count, size, kind, good, object, describe, aside, talk. The first question is most often whether
 * there is an anomaly. */
static flaw_question_kind draw_kind(bool first, flaw_random *r)
{
    static const double begin[] = {0.50, 0.07, 0.09, 0.05, 0.06, 0.08, 0.05, 0.07, 0.00, 0.03};
    static const double go_on[] = {0.14, 0.15, 0.15, 0.10, 0.12, 0.09, 0.05, 0.05, 0.12, 0.03};
    return (flaw_question_kind)draw_share(first ? begin : go_on, 10, r);
}

static bool was_asked(const flaw_dialogue *d, flaw_question_kind kind)
{
    for (int i = 0; i < d->turns; i++)
        if (d->turn[i].kind == kind) return true;
    return false;
}

flaw_status flaw_dialogue_draw(flaw_dialogue *out, const flaw_dialogues *lists, const flaw_truth *truth, flaw_random *r,
                               flaw_error *err)
{
    flaw_status status = flaw_truth_check(truth, err);
    if (status) return status;
    const int turns = draw_turns(r);
    for (out->turns = 0; out->turns < turns; out->turns++) {
        flaw_question_kind kind = draw_kind(out->turns == 0, r);
        while (was_asked(out, kind)) kind = draw_kind(false, r);
        draw_turn(&out->turn[out->turns], lists, kind, truth, r);
    }
    return FLAW_OK;
}

/* Was the answer of the turn after the last one given before? */
static bool was_said(const flaw_dialogue *d)
{
    for (int i = 0; i < d->turns; i++)
        if (strcmp(d->turn[i].answer, d->turn[d->turns].answer) == 0) return true;
    return false;
}

void flaw_dialogue_talk(flaw_dialogue *out, const flaw_dialogues *lists, flaw_random *r)
{
    const int turns = draw_turns(r);
    for (out->turns = 0; out->turns < turns; out->turns++) {
        const bool aside = out->turns > 0 && flaw_random_uniform(r) < 0.25;
        const flaw_question_kind kind = aside ? FLAW_ASK_ASIDE : FLAW_ASK_TALK;
        for (int tries = 0; tries < 8; tries++) {
            draw_turn(&out->turn[out->turns], lists, kind, NULL, r);
            if (!was_said(out)) break;
        }
    }
}
