/* What the sentences did to a picture's score, for people and as JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { SHOWN = 60 }; /* sentences in a table */

int cli_set_explanation(json_t *line, const flaw_explanation *e)
{
    if (!e->count) return json_object_set_new(line, "explanation", json_null());
    char *text = flaw_explanation_json(e);
    json_t *list = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    json_t *overlap = e->overlap[0] <= e->overlap[1] ? json_pack("[f, f]", e->overlap[0], e->overlap[1]) : json_null();
    json_t *scoring = json_pack("{s:s, s:f, s:[f, f], s:o, s:f}", "rule", e->rule, "margin", e->margin, "pull",
                                e->pull[0], e->pull[1], "overlap", overlap, "duplicate_cosine", FLAW_TWIN_COSINE);
    int failed = !list || !scoring || json_object_set(line, "scoring", scoring) ||
                 json_object_set(line, "explanation", list);
    json_decref(scoring);
    json_decref(list);
    return failed;
}

/* What sets a sentence apart, in words. */
static void print_marks(const flaw_explanation *e, const flaw_sentence *s)
{
    const char *between = "  (";
    const struct {
        bool is;
        const char *word;
    } mark[] = {{s->pinned, "pinned"},
                {s->banned, "banned"},
                {!s->kept && !s->banned, "dropped"},
                {s->ambiguous && !s->banned, "ambiguous"},
                {s->tips, "tips the verdict"}};
    for (size_t i = 0; i < sizeof mark / sizeof *mark; i++) {
        if (!mark[i].is) continue;
        printf("%s%s", between, mark[i].word);
        between = ", ";
    }
    if (s->twin >= 0) {
        const flaw_sentence *twin = &e->sentence[s->twin];
        printf("%slike %s %d: %.3f", between, twin->abnormal ? "abnormal" : "normal", twin->number, s->twin_cosine);
        between = ", ";
    }
    if (*between == ',') putchar(')');
}

static void print_sentence(const flaw_explanation *e, const flaw_sentence *s, bool colours)
{
    bool faint = !s->kept;
    const char *colour = !colours ? "" : faint ? "\033[2m" : s->abnormal ? "\033[31m" : "\033[34m";
    printf("    %s%-8s %4d  ", colour, s->abnormal ? "abnormal" : "normal", s->number);
    if (s->kept) printf("%+8.4f %7.4f ", s->pull, s->weight);
    else printf("%8s %7s ", "-", "-");
    printf("%7.4f  ", s->similarity);
    if (isfinite(s->other)) printf("%8.4f %+8.4f", s->other, s->other - e->score);
    else printf("%8s %8s", "-", "-");
    fputs(colours ? "\033[0m  " : "  ", stdout);
    cli_print_safe(stdout, s->text);
    print_marks(e, s);
    putchar('\n');
}

void cli_print_explanation(const flaw_explanation *e, bool colours)
{
    printf("    words: %d of %d normal sentences pull %+.3f, %d of %d abnormal ones %+.3f: margin %+.3f (rule %s, ",
           e->kept[0], e->total[0], e->pull[0], e->kept[1], e->total[1], e->pull[1], e->margin, e->rule);
    cli_print_safe(stdout, e->source);
    puts(")");
    printf("    %-8s %4s  %8s %7s %7s  %8s %8s  %s\n", "side", "no.", "pull", "weight", "cosine", "without", "change",
           "sentence");
    for (int i = 0; i < e->count && i < SHOWN; i++) print_sentence(e, &e->sentence[i], colours);
    if (e->count > SHOWN) printf("    and %d more; --json has all\n", e->count - SHOWN);
    putchar('\n');
}
