#include "detect/sentence.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* And whatever ends with "n't". */
static const char *const negations[] = {"no",   "not",  "never", "none",    "nothing", "without", "cannot",
                                        "free", "lack", "lacks", "lacking", "nor",     "neither"};
static const char *const praises[] = {"unblemished", "undamaged", "flawless", "perfect", "intact"};
/* Beginnings of words that name a defect; "undamaged" does not begin so. */
static const char *const defects[] = {"scratch", "crack",      "dent",    "broken", "break",   "damage",  "defect",
                                      "stain",   "contaminat", "missing", "bent",   "torn",    "chipped", "discol",
                                      "rust",    "dirt",       "fray",    "deform", "misshap", "blemish", "burnt",
                                      "burst",   "crush",      "mould",   "faulty", "spoil",   "squash",  "worn",
                                      "shatter", "splinter",   "flaw",    "crumbl"};
/* Words that begin so and name none. */
static const char *const harmless[] = {"flawless", "flawlessly", "stainless", "breaker", "breakers", "cracker",
                                       "crackers", "moulded",    "moulding",  "dental",  "rustic"};
static const char *const articles[] = {"a", "an", "the"};

#define SIZE(list) (sizeof(list) / sizeof *(list))

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '\'' || (unsigned char)c >= 128;
}

bool flaw_word_next(const char **at, char word[FLAW_WORD_ROOM])
{
    while (**at && !in_word(**at)) ++*at;
    size_t n = 0;
    for (; **at && in_word(**at); ++*at)
        if (n < FLAW_WORD_ROOM - 1) word[n++] = (char)tolower((unsigned char)**at);
    word[n] = '\0';
    return n > 0;
}

static bool one_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(word, list[i])) return true;
    return false;
}

static bool begins_as(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strncmp(word, list[i], strlen(list[i]))) return true;
    return false;
}

static bool holds_word(const char *text, const char *wanted)
{
    char word[FLAW_WORD_ROOM];
    while (flaw_word_next(&text, word))
        if (!strcmp(word, wanted)) return true;
    return false;
}

bool flaw_sentence_names(const char *sentence, const char *object)
{
    char word[FLAW_WORD_ROOM], noun[FLAW_WORD_ROOM] = "";
    if (strstr(sentence, "{}")) return true;
    if (!strcmp(object, "*")) return false;
    for (const char *at = object; flaw_word_next(&at, word);) snprintf(noun, sizeof noun, "%s", word);
    size_t n = strlen(noun);
    for (const char *at = sentence; flaw_word_next(&at, word);)
        if (!strncmp(word, noun, n) && (!word[n] || !strcmp(word + n, "s") || !strcmp(word + n, "es") ||
                                        !strcmp(word + n, "'s")))
            return true;
    return false;
}

/* A word is one token, a long one two or more; so are punctuation marks. */
void flaw_sentence_length(int *words, int *tokens, const char *sentence)
{
    char word[FLAW_WORD_ROOM];
    *words = 0;
    *tokens = 2;
    for (const char *at = sentence; flaw_word_next(&at, word); ++*words) *tokens += 1 + (int)strlen(word) / 7;
    for (const char *p = sentence; *p; p++) *tokens += ispunct((unsigned char)*p) && *p != '{' && *p != '}';
}

static bool is_negation(const char *word)
{
    size_t size = strlen(word);
    return one_of(word, negations, SIZE(negations)) || (size > 3 && !strcmp(word + size - 3, "n't"));
}

bool flaw_sentence_negation(char word[FLAW_WORD_ROOM], const char *sentence, const char *object, bool abnormal)
{
    while (flaw_word_next(&sentence, word)) {
        bool found = is_negation(word) || (abnormal && one_of(word, praises, SIZE(praises)));
        if (found && !holds_word(object, word)) return true;
    }
    return false;
}

bool flaw_sentence_defect(char word[FLAW_WORD_ROOM], const char *sentence, const char *object)
{
    while (flaw_word_next(&sentence, word)) {
        bool found = begins_as(word, defects, SIZE(defects)) && !one_of(word, harmless, SIZE(harmless));
        if (found && !holds_word(object, word)) return true;
    }
    return false;
}

static bool next_but_articles(const char **at, char word[FLAW_WORD_ROOM])
{
    while (flaw_word_next(at, word))
        if (!one_of(word, articles, SIZE(articles))) return true;
    return false;
}

bool flaw_sentence_same(const char *a, const char *b)
{
    char x[FLAW_WORD_ROOM], y[FLAW_WORD_ROOM];
    for (;;) {
        bool more = next_but_articles(&a, x);
        if (more != next_but_articles(&b, y)) return false;
        if (!more) return true;
        if (strcmp(x, y) != 0) return false;
    }
}
