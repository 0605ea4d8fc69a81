/* What an answer says: three kinds of evidence, strongest first.
 *
 *   said    the words yes and no as answers
 *   there   statements that there is or is no anomaly ("two scratches are visible", "free of defects")
 *   looks   hints: adjectives ("looks intact") and denials of one kind of damage ("no scratch")
 *
 * Evidence of one kind against itself, or of one kind against a stronger one, gives no verdict: on any doubt the
 * verdict is unknown. Questions, clauses that only suppose ("if there is a defect") and statements about a kind ("a
 * normal cable has three wires") are no evidence; neither are names: this program's, and the product's where it sounds
 * like one. */
#include <stdlib.h>
#include <string.h>

#include "talk/answer.h"

enum { MOST = 100000 }; /* sums stay far from what an int holds */

typedef struct evidence {
    bool said_yes, said_no, there_is, there_is_none, looks_bad, looks_good;
    bool doubt;
    int general;  /* number of anomalies: the first that is said, -1 none */
    bool differs; /* and a larger one later */
    int specific; /* sum over scratches, holes ... */
    int bare;     /* a number alone: "There are two."; -1 none */
} evidence;

/* What a clause is as a whole, and how far its reading has come. */
typedef struct reading {
    const flaw_clause *c;
    evidence *e;
    bool supposes;  /* question, if, should: states nothing */
    bool general;   /* the same, for a statement about a kind; until the next one begins */
    bool to_end;    /* of the clause: "in a normal cable, there is ..." */
    bool elsewhere; /* other, rest */
    bool negated;
    bool taken_back; /* "not free of": what follows exists */
    int denied;      /* things denied since the negation began: a list goes on over commas */
} reading;

static bool is(const reading *r, int i, int bit)
{
    return flaw_word_is(r->c, i, bit);
}

static bool is_thing(const reading *r, int i)
{
    return is(r, i, W_GENERAL) || is(r, i, W_SPECIFIC) || (is(r, i, W_REGION) && is(r, i - 1, W_BAD));
}

static bool is_aside(const reading *r, int i) /* a comma stands before word i, or the clause ends there */
{
    return i >= r->c->count || r->c->word[i].gap == FLAW_GAP_COMMA;
}

/* "Normal means ...", "a defect is defined as ..." */
static bool defines(const reading *r, int i)
{
    int k = is(r, i - 1, W_AUXILIARY) ? i - 2 : i - 1;
    return is(r, i, W_DEFINES) && (is(r, k, W_GOOD) || is(r, k, W_BAD) || is_thing(r, k));
}

static reading begin(const flaw_clause *c, evidence *e)
{
    reading r = {.c = c, .e = e, .supposes = c->question};
    bool denies = false, could = false;
    for (int i = 0; i < c->count; i++) {
        r.supposes |= is(&r, i, W_MAYBE) || defines(&r, i);
        r.elsewhere |= is(&r, i, W_ELSE);
        could |= is(&r, i, W_COULD);
        denies |= is(&r, i, W_NO) || is(&r, i, W_NOT);
    }
    r.supposes |= could && !denies;
    return r;
}

/* A word that can be what an adjective before it describes: "cable", "part", and no "is" or "the". */
static bool is_noun(const reading *r, int i)
{
    const flaw_word *w = &r->c->word[i];
    return i < r->c->count && w->gap == FLAW_GAP_SPACE && w->number < 0 && !(w->is & ~FLAW_IS(W_SIDE));
}

static bool is_verb(const reading *r, int i)
{
    return is(r, i, W_AUXILIARY) || (is(r, i, W_HAS) && !is(r, i, W_PARTICIPLE));
}

/* What is said of "a normal cable" (its noun at i): of all such, unless it is that one is seen or where it is. */
static bool says_in_general(const reading *r, int i, bool bad)
{
    bool verb = false;
    for (int k = i + 1; k < r->c->count && !is_aside(r, k); k++) {
        if (is(r, k, W_SEEN) || (verb && is(r, k, W_HAS)) || (bad && is(r, k, W_AT))) return false;
        verb |= is_verb(r, k);
    }
    return verb || r->c->turned;
}

/* "A cable with three wires is normal": the noun at i. */
static bool is_good_in_general(const reading *r, int i)
{
    for (int k = i; k < r->c->count && (k == i || !is_aside(r, k)); k++) {
        if (is_thing(r, k) || is(r, k, W_BAD)) return false;
        if (is(r, k, W_AUXILIARY) && k > i && is(r, k + 1, W_GOOD)) return true;
    }
    return false;
}

/* Does a statement about a kind begin at word i? "A normal cable has three wires", "intact nuts are ...". */
static bool generalizes(reading *r, int i)
{
    if (i > 0 && r->c->word[i].gap != FLAW_GAP_COMMA && !is(r, i - 1, W_AND)) return false;
    bool in = is(r, i, W_AT);
    int k = i + in;
    bool article = is(r, k, W_ARTICLE) || is(r, k, W_EVERY), bad;
    k += article;
    bad = is(r, k, W_BAD);
    if ((bad || is(r, k, W_GOOD)) && is_noun(r, k + 1) && (article || !in)) {
        r->to_end = in;
        return in ? !bad : says_in_general(r, k + 1, bad);
    }
    return article && !in && is_noun(r, k) && is_good_in_general(r, k);
}

static void note_general(reading *r, int i)
{
    bool anew = r->c->word[i].gap == FLAW_GAP_COMMA || is(r, i - 1, W_AND);
    if (r->general && anew && !r->to_end && is(r, i, W_SUBJECT)) r->general = r->supposes = false;
    if (r->supposes || !generalizes(r, i)) return;
    r->general = r->supposes = true;
}

/* "No, ...", "no" alone, "No there is ...": not "no anomaly". */
static bool is_answer_no(const reading *r, int i)
{
    return is_aside(r, i + 1) || (i == 0 && is(r, i + 1, W_SUBJECT)) ||
           (i > 0 && is(r, i - 1, W_OR) && is(r, i - 2, W_YES));
}

/* Does the negation end before word i? "not smooth, there is a scratch"; "no crack and the edge is bent". */
static bool scope_ends(const reading *r, int i)
{
    const flaw_word *w = &r->c->word[i];
    if (is(r, i, W_QUESTIONED)) return true;
    if (is(r, i - 1, W_AND) && (is(r, i, W_SUBJECT) || is(r, i, W_ARTICLE) || is(r, i, W_GOOD))) return true;
    if (w->gap != FLAW_GAP_COMMA) return false;
    return !r->denied || is(r, i, W_SUBJECT) || is(r, i, W_GOOD) || is(r, i, W_YES);
}

static void begin_negation(reading *r, int i)
{
    if (is(r, i + 1, W_ONLY)) return; /* "not only" */
    bool takes_back = r->negated && (is(r, i, W_WITHOUT) || is(r, i, W_FREE));
    r->negated = !takes_back;
    r->taken_back = takes_back;
    r->denied = 0;
}

/* "An anomaly is not visible": -1 denied behind, 1 seen behind, 0 nothing known. */
static int said_behind(const reading *r, int i)
{
    bool denied = false;
    for (int k = i + 1; k < r->c->count && k <= i + 5 && !is_aside(r, k); k++) {
        denied |= is(r, k, W_NOT) || is(r, k, W_NO);
        if (is(r, k, W_SEEN) || is(r, k, W_HAS)) return denied ? -1 : 1;
        if (is(r, k, W_AT)) return denied ? 0 : 1;
    }
    return 0;
}

/* Is it said that the thing at i exists? Words about things in general do not ("defects are small"). */
static bool exists(const reading *r, int i)
{
    if (is(r, i - 1, W_ANY) || is(r, i - 2, W_ANY)) return false;
    if (r->taken_back || is(r, 0, W_YES)) return true;
    if (r->c->count <= 3 && !is(r, i - 1, W_OF)) return true; /* "An anomaly." */
    for (int k = i - 1; k >= 0; k--) {
        if (is(r, k, W_HAS) || is(r, k, W_SEEN)) return true;
        if (is(r, k, W_LOOK) && !is(r, k - 1, W_TO)) return true;
        if (i - k <= 2 && (is(r, k, W_DEFINITE) || r->c->word[k].number > 0)) return true;
    }
    return said_behind(r, i) > 0;
}

/* How many things at i, from the words before: -1 when they do not say. */
static int number_before(const reading *r, int i)
{
    for (int k = i - 1; k >= 0 && k >= i - 5; k--) {
        const flaw_word *w = &r->c->word[k];
        if (w[1].gap == FLAW_GAP_COMMA || is(r, k, W_MANY) || is(r, k, W_DEFINITE) || is(r, k, W_AND)) return -1;
        if (w->number >= 0 && !is(r, k + 1, W_UNIT)) return w->number;
        if (is(r, k, W_OF) && r->c->word[k - (k > 0)].number != 2) return -1; /* but "a pair of" */
        if (is(r, k, W_ARTICLE)) return 1;
        if (is_thing(r, k)) return -1;
    }
    return -1;
}

static void count_things(reading *r, int i)
{
    int number = number_before(r, i);
    if (number <= 0) return;
    evidence *e = r->e;
    if (is(r, i, W_SPECIFIC)) e->specific = e->specific > MOST ? e->specific : e->specific + number;
    else if (e->general < 0) e->general = number;
    else e->differs |= number > e->general;
}

static void deny(reading *r, int i)
{
    r->denied++;
    if (r->elsewhere || r->supposes) return;
    if (is(r, i, W_SPECIFIC)) r->e->looks_good = true;
    else r->e->there_is_none = true;
}

/* A thing at word i ("anomaly", "scratch"). */
static void read_thing(reading *r, int i)
{
    bool freed = is(r, i + 1, W_FREE); /* "defect-free" */
    if (is(r, i + 1, W_COMPOUND)) return;
    if (number_before(r, i) == 0 || freed != r->negated) {
        deny(r, i);
        return;
    }
    int behind = said_behind(r, i);
    if (r->supposes) return;
    if (behind < 0) {
        deny(r, i);
    } else if (freed || exists(r, i)) {
        r->e->there_is = true;
        count_things(r, i);
    }
}

static void read_adjective(reading *r, int i)
{
    r->denied++;
    if (r->supposes || is_thing(r, i + 1)) return; /* "no visible damaged area" is for the thing to say */
    bool good = is(r, i, W_GOOD) != r->negated;
    if (good && !r->elsewhere) r->e->looks_good = true;
    if (!good && !(r->negated && r->elsewhere)) r->e->looks_bad = true;
}

static void read_no(reading *r, int i)
{
    if (!is_answer_no(r, i)) {
        begin_negation(r, i);
        return;
    }
    r->e->said_no = true;
    r->negated = false;
}

static bool is_object(const reading *r, int i) /* of a verb before it */
{
    static const int bits[] = {W_ARTICLE, W_DEFINITE, W_NO, W_NOT, W_ANY, W_MANY, W_GOOD, W_BAD};
    bool found = is_thing(r, i) || (i < r->c->count && r->c->word[i].number >= 0);
    for (size_t k = 0; k < sizeof bits / sizeof *bits; k++) found |= is(r, i, bits[k]);
    return found && !is_aside(r, i);
}

static bool is_being(const reading *r, int i) /* is, was, been: not has */
{
    return is(r, i, W_AUXILIARY) && is(r, i, W_NO_PLACE_AFTER) && !is(r, i, W_HAS);
}

/* "A flaw", "shows flaw": what stands before makes it a thing. */
static bool is_determined(const reading *r, int i)
{
    static const int bits[] = {W_ARTICLE, W_DEFINITE, W_ANY, W_MANY, W_HAS, W_LOOK, W_GOOD, W_BAD};
    for (int k = i - 1; k >= 0 && k >= i - 3 && !is_aside(r, k + 1); k--) {
        if (r->c->word[k].number >= 0) return true;
        for (size_t b = 0; b < sizeof bits / sizeof *bits; b++)
            if (is(r, k, bits[b])) return true;
    }
    return r->negated || (i > 0 && r->c->word[i].gap == FLAW_GAP_JOIN);
}

/* Is "flaw" at i the program? It is called so, or does something: "flaw found no anomaly", "flaw cannot see". */
static bool is_program(const reading *r, int i)
{
    if (!is(r, i, W_NAME)) return false;
    if (is(r, i - 1, W_NAMED) || (is(r, i - 1, W_TO) && is(r, i - 2, W_NAMED))) return true;
    if (is(r, i - 1, W_AUXILIARY) && !is(r, i - 2, W_HAS)) return is_aside(r, i + 1);
    if (is_determined(r, i)) return false;
    bool being = false;
    int k = i + 1;
    for (; k <= i + 3 && (is(r, k, W_AUXILIARY) || is(r, k, W_NOT) || is(r, k, W_TO)); k++) being |= is_being(r, k);
    if (being) return is_being(r, i + 1) && (is(r, i + 2, W_ARTICLE) || is(r, i + 2, W_DEFINITE));
    if (is(r, k, W_ACTS) || is(r, k, W_LOOK)) return true;
    return (is(r, k, W_SEEN) || (is_verb(r, k) && is(r, k, W_HAS))) && is_object(r, k + 1);
}

static void read_word(reading *r, int i)
{
    note_general(r, i);
    if (r->negated && scope_ends(r, i)) r->negated = false;
    if (is(r, i, W_YES)) r->e->said_yes |= !is(r, i - 1, W_MAYBE);
    if (is(r, i, W_NO)) read_no(r, i);
    bool freed = is(r, i, W_FREE) && is(r, i + 1, W_OF);
    if (is(r, i, W_NOT) || is(r, i, W_WITHOUT) || freed) begin_negation(r, i);
    r->e->doubt |= is(r, i, W_DOUBT) || (r->negated && is(r, i, W_KNOW));
    if (is_program(r, i)) return;
    if (is_thing(r, i)) read_thing(r, i);
    else if (is(r, i, W_GOOD) || is(r, i, W_BAD)) read_adjective(r, i);
}

/* "2", "there are two" and nothing else; "two regions". */
static void read_bare_number(reading *r)
{
    int last = r->c->count - 1, number = r->c->word[last].number;
    bool there = last == 2 && is(r, 0, W_HAS) && is(r, 1, W_AUXILIARY);
    for (int i = 1; i <= last; i++)
        if (is(r, i, W_REGION) && number_before(r, i) > 0) {
            number = number_before(r, i);
            there = true;
        }
    if (number >= 0 && r->e->bare < 0 && (last == 0 || there)) r->e->bare = number;
}

/* 1 anomalous, -1 normal, 0 nothing said. *clash when both were. */
static int balance(bool anomalous, bool normal, bool *clash)
{
    *clash |= anomalous && normal;
    return (int)anomalous - (int)normal;
}

static flaw_verdict verdict_of(const evidence *e)
{
    bool clash = false, mixed = false;
    int said = balance(e->said_yes, e->said_no, &clash);
    int there = balance(e->there_is, e->there_is_none, &clash);
    int looks = balance(e->looks_bad, e->looks_good, &mixed);
    if (clash || said * there < 0) return FLAW_UNKNOWN;
    int strong = said ? said : there;
    bool both = said && there; /* two agree: hints no longer matter ("Yes, a scratch; a normal one has none") */
    if (!said && e->doubt) return FLAW_UNKNOWN;
    if (!both && (strong * looks < 0 || (mixed && strong <= 0))) return FLAW_UNKNOWN;
    int verdict = strong ? strong : looks;
    return verdict > 0 ? FLAW_ANOMALOUS : verdict < 0 ? FLAW_NORMAL : FLAW_UNKNOWN;
}

static int count_of(const evidence *e, flaw_verdict verdict)
{
    if (verdict == FLAW_NORMAL) return 0;
    if (e->differs || e->said_no || e->there_is_none) return -1;
    if (e->general > 0) return e->general;
    if (e->specific > 0) return e->specific;
    return e->bare > 0 || (e->bare == 0 && verdict == FLAW_UNKNOWN) ? e->bare : -1;
}

/* Does a product's name hold words that would be evidence or places: "hole saw", "left shoe"? Not where they are
 * answers. */
static bool misleads(const char *object)
{
    const uint64_t hints = FLAW_IS(W_GENERAL) | FLAW_IS(W_SPECIFIC) | FLAW_IS(W_GOOD) | FLAW_IS(W_BAD);
    const uint64_t places = FLAW_IS(W_TOP) | FLAW_IS(W_BOTTOM) | FLAW_IS(W_LEFT) | FLAW_IS(W_RIGHT) | FLAW_IS(W_MIDDLE);
    const uint64_t answers = FLAW_IS(W_YES) | FLAW_IS(W_NO) | FLAW_IS(W_NOT);
    flaw_clauses clauses = flaw_clauses_over(object, strlen(object));
    flaw_clause clause;
    uint64_t all = 0;
    while (flaw_clause_next(&clauses, &clause))
        for (int i = 0; i < clause.count; i++) all |= clause.word[i].is;
    return (all & (hints | places)) && !(all & answers);
}

void flaw_answer_parse(flaw_answer *answer, const char *text)
{
    flaw_answer_parse_about(answer, text, NULL);
}

void flaw_answer_parse_about(flaw_answer *answer, const char *text, const char *object)
{
    evidence e = {.general = -1, .bare = -1};
    flaw_clause clause;
    flaw_clauses clauses = flaw_clauses_over(text ? text : "", text ? strlen(text) : 0);
    if (object && misleads(object)) clauses.name = object;
    answer->places = 0;
    while (flaw_clause_next(&clauses, &clause)) {
        reading r = begin(&clause, &e);
        for (int i = 0; i < clause.count; i++) read_word(&r, i);
        read_bare_number(&r);
        if (!clause.question) flaw_places_add(answer, &clause);
    }
    answer->verdict = verdict_of(&e);
    answer->count = count_of(&e, answer->verdict);
    if (answer->verdict == FLAW_NORMAL) answer->places = 0;
}

void flaw_answer_release(flaw_answer *answer)
{
    free(answer->text);
    free(answer->ids);
    *answer = (flaw_answer){0};
}
