#include "talk/clause.h"

#include <string.h>

#include "base/utf8.h"

#define K(bit) FLAW_IS(W_##bit)

typedef struct known_word {
    const char *text; /* lower case, without apostrophes */
    uint64_t is;
    int number;
} known_word;

/* Words and their kinds. Plurals stand beside: English makes them in too many ways. */
static const struct {
    const char *words;
    uint64_t is;
} lexicon[] = {
    {"yes yeah yep", K(YES)},
    {"no nope", K(NO)},
    {"not isnt arent wasnt werent dont doesnt didnt cant cannot hasnt havent never none nothing neither nor nobody "
     "failed "
     "fails fail",
     K(NOT)},
    {"couldnt wouldnt wont", K(NOT)},
    {"without lacks lack lacking absence", K(WITHOUT)},
    {"free", K(FREE)},
    {"anomaly anomalies abnormality abnormalities defect defects flaw flaws damage damages fault faults "
     "imperfection imperfections irregularity irregularities blemish blemishes",
     K(GENERAL)},
    {"problem problems issue issues", K(GENERAL)},
    {"scratch scratches hole holes crack cracks stain stains dent dents spot spots cut cuts tear tears chip chips burr "
     "burrs "
     "fracture fractures contamination contaminations discoloration discolouration discolorations deformation "
     "deformations "
     "bubble bubbles corrosion rust gouge gouges notch notches breakage fissure fissures",
     K(SPECIFIC)},
    {"region regions area areas place places location locations", K(REGION)},
    {"normal flawless perfect undamaged intact unblemished fine good ok okay clean pristine faultless immaculate "
     "healthy "
     "unbroken defectless",
     K(GOOD)},
    {"anomalous abnormal defective damaged faulty broken flawed cracked scratched bent dented stained wrong unusual "
     "misshapen "
     "deformed contaminated torn missing chipped corroded rusty discolored discoloured imperfect ng",
     K(BAD)},
    {"if should whether may might would possible possibly perhaps maybe unless ruled exclude excluded potential "
     "potentially hardly barely shouldnt when whenever normally usually typically generally",
     K(MAYBE)},
    {"could", K(COULD) | K(AUXILIARY)},
    {"other others else elsewhere rest remainder remaining otherwise further additional more compared than unlike "
     "differs differ different deviates deviate",
     K(ELSE)},
    {"unsure uncertain unclear unable unknown", K(DOUBT)},
    {"sure certain know tell say determine judge clear idea decide answer conclude", K(KNOW)},
    {"doubt question wonder", K(QUESTIONED)},
    {"detection detector inspection score scores map maps threshold limit detecting recognition localization "
     "segmentation "
     "class classes type types",
     K(COMPOUND)},
    {"there theres", K(SUBJECT) | K(HAS) | K(NO_PLACE_BEFORE)},
    {"it they he she i we you all that", K(SUBJECT)},
    {"youre thats", K(SUBJECT) | K(NO_PLACE_AFTER)},
    {"the this these its those", K(SUBJECT) | K(DEFINITE)},
    {"has have had", K(HAS) | K(AUXILIARY) | K(NO_PLACE_AFTER)},
    {"shows show shown contains contain exhibits exhibit reveals reveal bears suffers displays includes", K(HAS)},
    {"with having showing containing", K(HAS) | K(PARTICIPLE)},
    {"every each", K(EVERY)},
    {"means mean defined", K(DEFINES)},
    {"flaw", K(NAME)},
    {"called named name according by via im", K(NAMED)},
    {"says said reports reported answers answered judges judged thinks calls compares compared measures measured marks "
     "marked",
     K(ACTS)},
    {"see sees find detect notice observe identify", K(LOOK)},
    {"found seen detected noticed observed identified spotted visible present located exists exist evident apparent "
     "detectable noticeable",
     K(SEEN)},
    {"a an another single", K(ARTICLE)},
    {"several some multiple many few lot lots number numerous various series", K(MANY)},
    {"mm cm m px pixel pixels percent degrees degree inch inches x micron microns um", K(UNIT)},
    {"any", K(ANY)},
    {"of from", K(OF)},
    {"to", K(TO)},
    {"on", K(ON) | K(AT)},
    {"at in near around inside within", K(AT)},
    {"and", K(AND)},
    {"or", K(OR)},
    {"is are was were be been being am", K(AUXILIARY) | K(NO_PLACE_AFTER)},
    {"can do does did will", K(AUXILIARY)},
    {"only just merely", K(ONLY)},
    {"top topmost", K(TOP)},
    {"upper uppermost", K(TOP) | K(NEEDS_SIDE)},
    {"bottom bottommost", K(BOTTOM)},
    {"lower lowest", K(BOTTOM) | K(NEEDS_SIDE)},
    {"left leftmost lefthand", K(LEFT)},
    {"right rightmost righthand", K(RIGHT)},
    {"middle center centre centered centred", K(MIDDLE)},
    {"mid central", K(MIDDLE) | K(NEEDS_SIDE)},
    {"topleft upperleft", K(TOP) | K(LEFT)},
    {"topright upperright", K(TOP) | K(RIGHT)},
    {"bottomleft lowerleft", K(BOTTOM) | K(LEFT)},
    {"bottomright lowerright", K(BOTTOM) | K(RIGHT)},
    {"part side half edge corner area region third portion section end quarter quadrant hand border rim zone", K(SIDE)},
    {"something anything what", K(NO_PLACE_AFTER)},
    {"now away angle angles after before next here over behind out alone where above below under beside",
     K(NO_PLACE_BEFORE)},
    {"but however although though while whereas because since so therefore thus hence which except", K(TURN)},
};

static const char *const number_words[] = {"zero",     "one",      "two",      "three",   "four",    "five",
                                           "six",      "seven",    "eight",    "nine",    "ten",     "eleven",
                                           "twelve",   "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
                                           "eighteen", "nineteen", "twenty"};

enum { WORD_ROOM = 24, MOST_DIGITS = 4 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Is `word` one of the blank-separated `words`? */
static bool is_among(const char *words, const char *word, size_t length)
{
    while (*words) {
        size_t n = strcspn(words, " ");
        if (n == length && memcmp(words, word, n) == 0) return true;
        words += n;
        words += *words == ' ';
    }
    return false;
}

static int number_of(const char *word, size_t length)
{
    if (is_digit(word[0])) {
        int value = 0;
        for (size_t i = 0; i < length; i++) {
            if (!is_digit(word[i]) || i == MOST_DIGITS) return -1;
            value = 10 * value + (word[i] - '0');
        }
        return value;
    }
    for (size_t i = 0; i < sizeof number_words / sizeof *number_words; i++)
        if (is_among(number_words[i], word, length)) return (int)i;
    if (is_among("couple pair both", word, length)) return 2;
    return is_among("dozen", word, length) ? 12 : -1;
}

static void look_up(flaw_word *out, const char *word, size_t length)
{
    out->is = 0;
    out->number = number_of(word, length);
    for (size_t i = 0; i < sizeof lexicon / sizeof *lexicon; i++)
        if (is_among(lexicon[i].words, word, length)) out->is |= lexicon[i].is;
}

/* Typographic characters that mean what an ASCII one means; 0 for others. */
static char as_ascii(const char *at, size_t left)
{
    static const struct {
        const char *utf8;
        char means;
    } same[] = {{"\xe2\x80\x98", '\''}, {"\xe2\x80\x99", '\''}, {"\xe2\x80\x9c", '"'}, {"\xe2\x80\x9d", '"'},
                {"\xe2\x80\x90", '-'},  {"\xe2\x80\x91", '-'},  {"\xe2\x80\x93", ','}, {"\xe2\x80\x94", ','},
                {"\xe2\x80\xa6", '.'},  {"\xc2\xa0\0", ' '}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        size_t n = strlen(same[i].utf8);
        if (n <= left && memcmp(at, same[i].utf8, n) == 0) return same[i].means;
    }
    return 0;
}

/* The character at `at`, typographic ones as ASCII, other foreign bytes as '\x80'; *size its bytes. */
static char character(const char *at, const char *end, size_t *size)
{
    *size = 1;
    if (!((unsigned char)*at & 0x80)) return *at;
    size_t n = flaw_utf8_length(at, (size_t)(end - at));
    if (n) *size = n;
    char means = as_ascii(at, (size_t)(end - at));
    return means ? means : '\x80';
}

/* Does the sentence end here? `after` is what follows. Not in "2.5", "e.g." or a line broken before small letters. */
static bool ends_sentence(char c, const char *after, const char *end)
{
    if (c == '!' || c == '?' || c == ';' || c == ':') return true;
    if (c == '\n') {
        while (after < end && (*after == ' ' || *after == '\n')) after++;
        return after == end || !(*after >= 'a' && *after <= 'z');
    }
    if (c != '.') return false;
    return after == end || !(is_digit(*after) || (*after >= 'a' && *after <= 'z'));
}

flaw_clauses flaw_clauses_over(const char *text, size_t size)
{
    return (flaw_clauses){.at = text, .end = text + size, .sentence_end = text};
}

/* Whether the sentence at c->at ends with a question mark; looked for once a sentence. */
static bool asks(flaw_clauses *c)
{
    if (c->at < c->sentence_end) return c->question;
    const char *at = c->at;
    size_t size;
    c->question = false;
    while (at < c->end) {
        char ch = character(at, c->end, &size);
        at += size;
        if (ch != ';' && ch != ':' && ends_sentence(ch, at, c->end)) {
            c->question = ch == '?';
            break;
        }
    }
    c->sentence_end = at;
    return c->question;
}

/* Letters, digits and apostrophes; foreign letters belong to the word, which then is none we know. */
static size_t read_word(flaw_clauses *c, char word[WORD_ROOM])
{
    size_t length = 0, size;
    while (c->at < c->end) {
        char ch = character(c->at, c->end, &size);
        bool point = ch == '.' && length && is_digit(word[0]) && c->at + 1 < c->end && is_digit(c->at[1]); /* 2.5 */
        if (!is_letter(ch) && !is_digit(ch) && ch != '\'' && ch != '\x80' && !point) break;
        if (ch != '\'' && length < WORD_ROOM) word[length++] = lower(ch);
        c->at += size;
    }
    return length;
}

/* Passes what is no word. False when the clause ends here (its end is passed only when something stands in it). */
static bool read_gap(flaw_clauses *c, flaw_gap *gap)
{
    size_t size;
    int blanks = 0;
    *gap = FLAW_GAP_SPACE;
    while (c->at < c->end) {
        char ch = character(c->at, c->end, &size);
        if (is_letter(ch) || is_digit(ch) || ch == '\x80') return true;
        c->at += size;
        if (ends_sentence(ch, c->at, c->end)) return false;
        blanks += ch == ' ' || ch == '\n' || ch == '\t';
        if (ch == '-' || ch == '_') *gap = *gap == FLAW_GAP_SPACE && !blanks ? FLAW_GAP_JOIN : FLAW_GAP_COMMA;
        else if (*gap == FLAW_GAP_JOIN && blanks) *gap = FLAW_GAP_COMMA; /* "left- " */
        if (ch && strchr(",/()[]{}|", ch)) *gap = FLAW_GAP_COMMA;
    }
    return false;
}

/* Bytes of the name at c->at, with a plural's end; 0 where another word stands. */
static size_t name_at(const flaw_clauses *c)
{
    size_t size = c->name ? strlen(c->name) : 0, left = (size_t)(c->end - c->at);
    if (!size || size > left) return 0;
    for (size_t i = 0; i < size; i++)
        if (lower(c->at[i]) != lower(c->name[i])) return 0;
    for (size_t more = 0; more <= 2; more++) { /* "", "s", "es" */
        bool plural = more == 0 || (size + more <= left && !memcmp(c->at + size, "es" + 2 - more, more));
        const char *after = c->at + size + more;
        if (plural && (after == c->end || !(is_letter(*after) || is_digit(*after)))) return size + more;
    }
    return 0;
}

bool flaw_clause_next(flaw_clauses *c, flaw_clause *out)
{
    flaw_gap gap;
    out->count = 0;
    out->turned = false;
    while (c->at < c->end) {
        const char *before = c->at;
        bool open = read_gap(c, &gap);
        if (!open) {
            if (out->count) return true;
            continue;
        }
        if (!out->count) out->question = asks(c);
        char word[WORD_ROOM] = "";
        size_t name = name_at(c), length = name ? 0 : read_word(c, word);
        c->at += name;
        flaw_word *w = &out->word[out->count];
        look_up(w, word, length);
        w->gap = gap;
        bool turns = w->is & K(TURN);
        if (turns && out->count) { /* it begins the next clause */
            c->at = before;
            out->turned = true;
            return true;
        }
        if (!turns) out->count++;
        if (out->count == FLAW_CLAUSE_WORDS) return true;
    }
    return out->count > 0;
}
