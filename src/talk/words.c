#include "talk/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

static const char *const numbers[] = {"no",  "one",   "two",   "three", "four", "five",
                                      "six", "seven", "eight", "nine",  "ten"};

/* "at the top left", "in the center". */
static const char *preposition(const char *place)
{
    return strcmp(place, "center") ? "at the" : "in the";
}

/* Share of the picture as people write it: "0.4 %", "3 %", "25 %". */
static void say_share(flaw_buffer *b, double area)
{
    double percent = 100 * area;
    if (percent < 0.1) flaw_buffer_text(b, "under 0.1 %");
    else if (percent < 2) flaw_buffer_printf(b, "about %.1f %%", percent);
    else flaw_buffer_printf(b, "about %.0f %%", percent);
}

static void say_region(flaw_buffer *b, const flaw_region *r)
{
    if (r->area > 0.5) {
        flaw_buffer_printf(b, "over most of the picture (%d x %d px)", r->width, r->height);
        return;
    }
    flaw_buffer_printf(b, "%s %s, ", preposition(r->place), r->place);
    say_share(b, r->area);
    flaw_buffer_printf(b, " of the picture (%d x %d px)", r->width, r->height);
}

/* Numbers with as many digits as it takes to tell score and limit apart. */
static void say_score(flaw_buffer *b, const flaw_result *r)
{
    double apart = fabs(r->score - r->threshold);
    int digits = 2;
    while (digits < 6 && apart < 0.5 * pow(10, -digits)) digits++;
    flaw_buffer_printf(b, "score %.*f against a limit of %.*f", digits, r->score, digits, r->threshold);
    if (!strcmp(r->rule, "text")) return;
    if (r->threshold > 0 && apart < 0.02 * r->threshold) flaw_buffer_text(b, ", which is close");
}

static void say_regions(flaw_buffer *b, const flaw_result *r)
{
    if (r->regions == 0) {
        flaw_buffer_text(b, "no single place stands out");
    } else if (r->regions == 1) {
        flaw_buffer_text(b, "one region ");
        say_region(b, &r->region[0]);
    } else {
        const char *count = r->regions <= 10 ? numbers[r->regions] : "many";
        flaw_buffer_printf(b, "%s regions, the strongest ", count);
        say_region(b, &r->region[0]);
        if (strcmp(r->region[1].place, r->region[0].place))
            flaw_buffer_printf(b, ", the next %s %s", preposition(r->region[1].place), r->region[1].place);
    }
}

void flaw_words_say(flaw_result *r)
{
    flaw_buffer b;
    flaw_buffer_init(&b, 4096);
    if (r->verdict == FLAW_ANOMALOUS) {
        flaw_buffer_printf(&b, "The %s looks anomalous: ", r->object);
        say_regions(&b, r);
        flaw_buffer_text(&b, "; ");
        say_score(&b, r);
        flaw_buffer_text(&b, ".");
    } else if (r->verdict == FLAW_NORMAL) {
        flaw_buffer_printf(&b, "No anomaly seen on the %s; ", r->object);
        say_score(&b, r);
        flaw_buffer_text(&b, ".");
    } else {
        flaw_buffer_printf(&b, "No verdict on the %s: %s.", r->object,
                           *r->doubt ? r->doubt : "the picture was not judged");
    }
    if (r->unseen > 0.005 && r->verdict != FLAW_UNKNOWN)
        flaw_buffer_printf(&b, " The borders, %.0f %% of the picture, were not looked at.", 100 * r->unseen);
    snprintf(r->words, sizeof r->words, "%s", b.data && !b.failed ? b.data : "");
    flaw_buffer_release(&b);
}
