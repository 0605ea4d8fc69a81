#include "talk/sentences.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/line.h"
#include "detect/prompts.h"
#include "detect/sentence.h"

#define HEADING_WORDS 12 /* longer lines that end with a colon are sentences cut short, or chatter */
#define JSON_TRIES 16    /* places where a JSON value may begin */
#define JSON_DEPTH 8

typedef struct reader {
    flaw_sentences *out;
    int side;
    bool failed;
} reader;

static int count_words(const char *text)
{
    char word[FLAW_WORD_ROOM];
    int n = 0;
    while (flaw_word_next(&text, word)) n++;
    return n;
}

/* A mark of quoting or emphasis at `text`: its bytes, else 0. */
static size_t mark_length(const char *text, size_t size)
{
    static const char *const marks[] = {"\"", "'", "`", "*", "_", "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x98", "\xe2\x80\x99",
                                        "\xc2\xab", "\xc2\xbb", " "};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t n = strlen(marks[i]);
        if (n <= size && memcmp(text, marks[i], n) == 0) return n;
    }
    return 0;
}

/* Cut marks, and at the end also stops and what JSON leaves there, off *text. */
static void strip(char **text)
{
    size_t n;
    while ((n = mark_length(*text, strlen(*text)))) *text += n;
    for (size_t size = strlen(*text); size; size -= n) {
        char last = (*text)[size - 1];
        n = strchr(".,;", last) ? 1 : 0;
        for (size_t k = 1; !n && k <= 3 && k <= size; k++)
            if (mark_length(*text + size - k, k) == k) n = k;
        if (!n) return;
        (*text)[size - n] = '\0';
    }
}

/* Which list a heading names: 0, 1, or -1 for none and for both. */
static int side_of(const char *text, size_t size)
{
    static const char *const good[] = {"normal", "good", "flawless", "perfect", "intact", "faultless"};
    static const char *const bad[] = {"abnormal", "anomalous", "anomaly", "anomalies", "defective", "defect", "defects",
                                      "damaged", "faulty", "bad"};
    char line[256], word[FLAW_WORD_ROOM];
    bool found[2] = {false, false};
    flaw_line_clean(line, sizeof line, text, size);
    for (const char *at = line; flaw_word_next(&at, word);) {
        for (size_t i = 0; i < sizeof good / sizeof *good; i++) found[0] |= !strcmp(word, good[i]);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) found[1] |= !strcmp(word, bad[i]);
    }
    return found[0] == found[1] ? -1 : found[1];
}

/* Typographic apostrophes and quotes as plain ones, which tokenizers and rules know: "isn't" is found in whatever
 * dress. */
static void plain_quotes(char *text)
{
    static const struct {
        const char *fancy;
        char plain;
    } marks[] = {{"\xe2\x80\x98", '\''}, {"\xe2\x80\x99", '\''}, {"\xe2\x80\x9c", '"'}, {"\xe2\x80\x9d", '"'}};
    char *to = text;
    for (const char *at = text; *at; to++) {
        size_t i = 0;
        while (i < 4 && strncmp(at, marks[i].fancy, 3)) i++;
        *to = i < 4 ? marks[i].plain : *at;
        at += i < 4 ? 3 : 1;
    }
    *to = '\0';
}

/* Put one sentence (cleaned and stripped here) into the list. */
static void add(reader *r, const char *text, size_t size)
{
    char line[FLAW_PROMPT_BYTES], *from = line;
    flaw_sentences *s = r->out;
    if (!flaw_line_clean(line, sizeof line, text, size) || s->count[0] + s->count[1] == FLAW_SENTENCES_MOST) {
        s->dropped++;
        return;
    }
    plain_quotes(line);
    strip(&from);
    if (!count_words(from)) return;
    char *copy = flaw_arena_copy_string(&s->arena, from, strlen(from));
    if (copy) s->text[r->side][s->count[r->side]++] = copy;
    else r->failed = true;
}

/* {"normal": [...]} changes the side inside; of an object that stands for a sentence the longest text is it. */
static void read_value(reader *r, const json_t *value, int depth)
{
    const char *key;
    json_t *inner;
    if (json_is_string(value)) add(r, json_string_value(value), json_string_length(value));
    if (depth == 0) return;
    for (size_t i = 0; i < json_array_size(value); i++) read_value(r, json_array_get(value, i), depth - 1);
    const json_t *longest = NULL;
    json_object_foreach((json_t *)value, key, inner)
    {
        int before = r->side, named = side_of(key, strlen(key));
        if (json_is_string(inner) && json_string_length(inner) > json_string_length(longest)) longest = inner;
        if (named >= 0) r->side = named;
        if (json_is_array(inner) || json_is_object(inner)) read_value(r, inner, depth - 1);
        r->side = before;
    }
    if (longest) read_value(r, longest, 0);
}

/* The first JSON array or object that holds a sentence, at the beginning of a line or the first anywhere. True also
 * when the text begins with one that holds none: there is nothing else to read. */
static bool read_json(reader *r, const char *text, size_t size)
{
    int tries = 0;
    bool seen = false;
    for (size_t i = 0; i < size && tries < JSON_TRIES; i++) {
        if (text[i] != '[' && text[i] != '{') continue;
        size_t line = i;
        while (line && (text[line - 1] == ' ' || text[line - 1] == '\t')) line--;
        bool begins = line == 0 || text[line - 1] == '\n';
        if (!begins && seen) continue;
        seen = true;
        tries++;
        json_t *value = json_loadb(text + i, size - i, JSON_DISABLE_EOF_CHECK, NULL);
        size_t before = r->out->count[0] + r->out->count[1];
        bool all = value && line == strspn(text, " \t\r\n");
        if (value) read_value(r, value, JSON_DEPTH);
        json_decref(value);
        if (all || r->out->count[0] + r->out->count[1] > before) return true;
    }
    return false;
}

/* JSON that was cut off or is not quite JSON: texts in quotes; one before a colon is a key. */
static bool read_quoted(reader *r, const char *text, size_t size)
{
    size_t i = 0;
    while (i < size && (isspace((unsigned char)text[i]) || text[i] == '`')) i++;
    if (size - i > 4 && !strncasecmp(text + i, "json", 4)) i += 4;
    while (i < size && isspace((unsigned char)text[i])) i++;
    if (i == size || (text[i] != '[' && text[i] != '{')) return false;
    size_t found = r->out->count[0] + r->out->count[1];
    for (; i < size; i++) {
        if (text[i] != '"') continue;
        size_t begin = i + 1, end = begin;
        while (end < size && text[end] != '"' && text[end] != '\n') end += text[end] == '\\' && end + 1 < size ? 2 : 1;
        if (end >= size || text[end] != '"') break; /* the one that was cut */
        size_t behind = end + 1;
        while (behind < size && isspace((unsigned char)text[behind])) behind++;
        int named = side_of(text + begin, end - begin);
        if (behind < size && text[behind] == ':') r->side = named >= 0 ? named : r->side;
        else add(r, text + begin, end - begin);
        i = end;
    }
    return r->out->count[0] + r->out->count[1] > found;
}

/* A list's mark before an item: "-", "*", "\xe2\x80\xa2", "12.", "3)", "(4)", "a)". Its length with blanks, else 0. */
static size_t item_mark(const char *text)
{
    size_t n = 0, digits = 0;
    if (*text == '-' || *text == '*' || *text == '+') n = 1;
    else if (!strncmp(text, "\xe2\x80\xa2", 3) || !strncmp(text, "\xe2\x80\x93", 3)) n = 3;
    if (n) return text[n] == ' ' || n == 3 ? n + strspn(text + n, " ") : 0;
    size_t open = *text == '(' || *text == '#';
    while (isdigit((unsigned char)text[open + digits])) digits++;
    if (!digits && !open && isalpha((unsigned char)text[0]) && text[1] == ')') digits = 1;
    if (!digits || digits > 4) return 0;
    n = open + digits;
    if (!strchr(".):", text[n]) || !text[n]) return 0;
    n++;
    return isdigit((unsigned char)text[n]) ? 0 : n + strspn(text + n, " ");
}

/* One line, cleaned, with what is around it taken off. */
typedef struct line {
    char text[2 * FLAW_PROMPT_BYTES];
    char *body;  /* without mark and quotes */
    bool marked; /* an item of a list */
    bool head;   /* "#" or emphasis all around, or a colon at the end */
    bool whole;  /* it fitted */
} line;

static void read_line(line *l, const char *text, size_t size)
{
    l->whole = flaw_line_clean(l->text, sizeof l->text, text, size);
    char *at = l->text;
    while (*at == '>' || *at == ' ') at++;
    if (!strncmp(at, "```", 3)) *at = '\0'; /* a code fence */
    size_t hashes = strspn(at, "#");
    l->head = hashes && at[hashes] == ' ';
    if (l->head) at += hashes;
    size_t mark = item_mark(at);
    l->marked = mark > 0;
    at += mark;
    size_t length = strlen(at);
    l->head |= !l->marked && length > 4 && !strncmp(at, "**", 2) && !strncmp(at + length - 2, "**", 2);
    strip(&at);
    length = strlen(at);
    while (length && strchr("[{:*", at[length - 1])) {
        l->head |= at[length - 1] == ':';
        at[--length] = '\0';
    }
    l->body = at;
}

/* "Normal: a shiny nut" says the list; "**Scratched surface**: a nut with ..." has a title. An item's title of several
 * words says no list: "1. Normal wear: ..." stands among the abnormal ones. */
static char *behind_title(reader *r, char *body, bool item)
{
    char *colon = strchr(body, ':');
    if (!colon || colon[1] != ' ') return body;
    char first[FLAW_PROMPT_BYTES];
    flaw_line_clean(first, sizeof first, body, (size_t)(colon - body));
    int named = side_of(first, strlen(first)), words = count_words(first);
    if (words > 5 || count_words(colon) < 3) return body;
    if (named >= 0 && words <= (item ? 1 : 3)) r->side = named;
    return colon + 1;
}

/* What assistants say around a list. */
static bool is_chatter(const char *body)
{
    static const char *const openings[] = {"sure",   "here",  "certainly", "of course",  "okay", "ok,",
                                           "i ",     "i'",    "let me",    "these",      "note", "below",
                                           "please", "thank", "hope",      "absolutely", "as an"};
    size_t n = strlen(body);
    if (!n || body[n - 1] == '?' || body[n - 1] == '!') return true;
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        size_t size = strlen(openings[i]);
        bool word = isalpha((unsigned char)openings[i][size - 1]) && isalpha((unsigned char)body[size]);
        if (!strncasecmp(body, openings[i], size) && !word) return true; /* "note", not "notebook" */
    }
    return false;
}

/* A paragraph: a sentence ends at a stop with a blank and a capital behind it. */
static void add_paragraph(reader *r, const char *text)
{
    const char *from = text;
    for (const char *p = text; *p; p++) {
        if ((*p != '.' && *p != ';') || p[1] != ' ' || !isupper((unsigned char)p[2])) continue;
        add(r, from, (size_t)(p - from));
        from = p + 2;
    }
    add(r, from, strlen(from));
}

static const char *line_end(const char *at, const char *end)
{
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    return stop ? stop : end;
}

/* The end of an item: lines further in that bear no mark of their own go on with it. */
static const char *item_end(const char *at, const char *end)
{
    const char *stop = line_end(at, end);
    while (at < stop && (*at == ' ' || *at == '\t')) at++;
    for (; item_mark(at) && stop < end; stop = line_end(stop + 1, end)) {
        const char *next = stop + 1, *text = next;
        while (text < end && (*text == ' ' || *text == '\t')) text++;
        bool goes_on = text - next >= 2 && text < end && *text != '\n' && *text != '\r' && !item_mark(text);
        if (!goes_on) break;
    }
    return stop;
}

static void take_line(reader *r, line *l, bool list)
{
    if (!*l->body) return;
    if (!l->whole) {
        r->out->dropped++;
        return;
    }
    int named = side_of(l->body, strlen(l->body));
    bool bare = !l->marked && count_words(l->body) == 1 && named >= 0; /* "Abnormal" alone on its line */
    if (bare || (l->head && count_words(l->body) <= HEADING_WORDS)) {
        if (named >= 0) r->side = named;
        return;
    }
    if (l->head || (!l->marked && is_chatter(l->body))) return;
    char *body = behind_title(r, l->body, l->marked);
    if (l->marked) add(r, body, strlen(body));
    else if (!list || body != l->body) add_paragraph(r, body);
}

/* Line by line. Where two lines or more bear the mark of a list, those alone are its items. */
static void read_lines(reader *r, const char *text, size_t size)
{
    const char *end = text + size;
    line l;
    int marked = 0;
    for (const char *at = text; at < end; at = line_end(at, end) + 1) {
        read_line(&l, at, (size_t)(line_end(at, end) - at));
        marked += l.marked && *l.body && !l.head;
    }
    for (const char *at = text, *stop; at < end; at = stop + 1) {
        stop = item_end(at, end);
        read_line(&l, at, (size_t)(stop - at));
        take_line(r, &l, marked > 1);
    }
}

/* Reasoning aloud comes before the answer: <think> ... </think>. Without an end there is no answer. */
static void skip_thoughts(const char **text, size_t *size)
{
    static const char open[] = "<think>", close[] = "</think>";
    const char *first = memmem(*text, *size, open, sizeof open - 1), *last = NULL, *at = *text;
    size_t left = *size;
    while (first && (at = memmem(at, left, close, sizeof close - 1))) {
        at += sizeof close - 1;
        left = *size - (size_t)(at - *text);
        last = at;
    }
    if (!first) return;
    *size = last ? *size - (size_t)(last - *text) : (size_t)(first - *text);
    if (last) *text = last;
}

flaw_status flaw_sentences_read(flaw_sentences *out, const char *text, size_t size, int side, flaw_error *err)
{
    *out = (flaw_sentences){.dropped = 0};
    flaw_arena_init(&out->arena, 0);
    reader r = {.out = out, .side = side};
    skip_thoughts(&text, &size);
    text = flaw_arena_copy_string(&out->arena, text, size); /* marks at its end are looked for up to a NUL */
    if (!text) {
        flaw_sentences_release(out);
        return flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused");
    }
    if (!read_json(&r, text, size)) {
        r.side = side;
        if (!read_quoted(&r, text, size)) {
            r.side = side;
            read_lines(&r, text, size);
        }
    }
    if (!r.failed) return FLAW_OK;
    flaw_sentences_release(out);
    return flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused");
}

void flaw_sentences_release(flaw_sentences *s)
{
    flaw_arena_release(&s->arena);
    *s = (flaw_sentences){.dropped = 0};
}
