#include "talk/facts.h"

#include <math.h>
#include <string.h>

#include "base/line.h"
#include "flaw/talk.h"
#include "talk/brief.h"

/* A text of others as one line: control bytes become blanks. */
static void say_text(flaw_buffer *out, const char *name, const char *text)
{
    flaw_buffer_printf(out, "%s: ", name);
    for (; *text; text++) flaw_buffer_append(out, (unsigned char)*text < 0x20 || *text == 0x7f ? " " : text, 1);
    flaw_buffer_text(out, "\n");
}

static void say_number(flaw_buffer *out, double value)
{
    if (isfinite(value)) flaw_buffer_printf(out, "%.4g", value);
    else flaw_buffer_text(out, "not known");
}

static const char *rule_about(const char *rule)
{
    static const struct {
        const char *name, *about;
    } rules[] = {{"text", "words: closer to sentences about damaged parts than to those about good ones"},
                 {"good-parts", "from the good parts alone"},
                 {"user", "set by the user"},
                 {"recipe", "from the recipe"},
                 {"map", "over half of the map's scale"},
                 {"doubt", "none: there is no verdict"}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!strcmp(rules[i].name, rule)) return rules[i].about;
    return rule;
}

/* 30 %, 0.4 %. */
static void say_share(flaw_buffer *out, double share)
{
    if (share > 0 && share < 1e-4) flaw_buffer_text(out, "under 0.01 %");
    else flaw_buffer_printf(out, share < 0.0995 ? "%.2g %%" : "%.0f %%", 100 * share);
}

static void say_verdict(flaw_buffer *out, const flaw_result *r, flaw_facts which)
{
    flaw_buffer_printf(out, "verdict: %s\n", flaw_verdict_name(r->verdict));
    if (*r->doubt && which == FLAW_FACTS_ALL) say_text(out, "reason of the doubt", r->doubt);
    flaw_buffer_text(out, "score: ");
    say_number(out, r->score);
    flaw_buffer_text(out, " (larger is more anomalous)\nlimit: ");
    say_number(out, r->threshold);
    flaw_buffer_text(out, " (anomalous above it)\n");
    say_text(out, "rule of the limit", rule_about(r->rule));
    flaw_buffer_text(out, "expected false alarms: ");
    if (isfinite(r->false_alarm_rate)) {
        flaw_buffer_text(out, "at most ");
        say_share(out, r->false_alarm_rate);
        flaw_buffer_text(out, " of good parts\n");
    } else {
        flaw_buffer_text(out, "not known\n");
    }
}

/* Each line of it a line of its own: the sheet's form holds whatever a user wrote. */
static void say_brief(flaw_buffer *out, const char *brief)
{
    while (*brief) {
        size_t size = strcspn(brief, "\n");
        char line[FLAW_BRIEF_MOST + 1];
        flaw_line_clean(line, sizeof line, brief, size);
        flaw_buffer_printf(out, "brief: %s\n", line);
        brief += size;
        brief += *brief == '\n';
    }
}

static void say_regions(flaw_buffer *out, const flaw_result *r)
{
    flaw_buffer_printf(out, "anomalous regions: %d%s\n", r->regions, r->regions == FLAW_MAX_REGIONS ? " or more" : "");
    for (int i = 0; i < r->regions; i++) {
        const flaw_region *g = &r->region[i];
        flaw_buffer_printf(out, "region %d: place %s; ", i + 1, g->place);
        say_share(out, g->area);
        flaw_buffer_printf(out, " of the picture; box x %d y %d width %d height %d pixels; score ", g->x, g->y,
                           g->width, g->height);
        say_number(out, g->score);
        flaw_buffer_text(out, "\n");
    }
}

void flaw_facts_say(flaw_buffer *out, const flaw_result *r, flaw_facts which)
{
    if (which == FLAW_FACTS_ALL) say_text(out, "object", *r->object ? r->object : "object");
    flaw_buffer_printf(out, "picture: %d x %d pixels\n", r->width, r->height);
    say_verdict(out, r, which);
    say_regions(out, r);
    if (r->brief && which == FLAW_FACTS_ALL) say_brief(out, r->brief);
    if (*r->closest && which == FLAW_FACTS_ALL) say_text(out, "sentence about damage that fits best", r->closest);
    if (r->unseen > 0.005) {
        flaw_buffer_text(out, "not looked at: the borders, ");
        say_share(out, r->unseen);
        flaw_buffer_text(out, " of the picture\n");
    }
    say_text(out, "method", *r->method ? r->method : "not known");
}

char *flaw_facts_text(const flaw_result *r)
{
    flaw_buffer sheet;
    flaw_buffer_init(&sheet, 65536);
    flaw_facts_say(&sheet, r, FLAW_FACTS_ALL);
    if (!sheet.failed) return sheet.data;
    flaw_buffer_release(&sheet);
    return NULL;
}
