#include "talk/prompts_sift.h"

#include <string.h>

#include "detect/sentence.h"
#include "talk/prompts_query.h"

enum { MOST_TOKENS = 77, LONG_TOKENS = 40, MOST_REPORT = 1 << 18 };

static const char *const faults[FLAW_SIFT_FAULTS] = {
    "the object is not named",
    "a defect named in the normal list",
    "a negation (or praise in the abnormal list)",
    "there already",
    "in both lists",
    "more than 77 tokens",
    "not a sentence",
    "a brace",
};

void flaw_sift_init(flaw_sift *s, const char *object, int most)
{
    *s = (flaw_sift){.object = object, .most = most < FLAW_SIFT_MOST ? most : FLAW_SIFT_MOST};
    flaw_arena_init(&s->arena, 0);
    flaw_buffer_init(&s->report, MOST_REPORT);
    flaw_buffer_text(&s->report, "");
}

void flaw_sift_release(flaw_sift *s)
{
    flaw_arena_release(&s->arena);
    flaw_buffer_release(&s->report);
    *s = (flaw_sift){.most = 0};
}

/* A full report says no more; nothing depends on it. */
static void complain(flaw_sift *s, int side, const char *why, const char *word, const char *sentence)
{
    if (s->report.size + 1024 > MOST_REPORT) return;
    flaw_buffer_printf(&s->report, "%s: %s%s%s%s: %s\n", flaw_query_states[side], why, word ? " \"" : "",
                       word ? word : "", word ? "\"" : "", sentence);
}

static bool holds(const flaw_sift *s, int side, const char *sentence)
{
    for (int i = 0; i < s->count[side]; i++)
        if (flaw_sentence_same(s->text[side][i], sentence)) return true;
    return false;
}

/* FLAW_SIFT_FAULTS: none. `word` gets what it is about, or stays empty. */
static flaw_sift_fault fault_of(const flaw_sift *s, int side, const char *sentence, char word[FLAW_WORD_ROOM])
{
    int words, tokens;
    word[0] = '\0';
    flaw_sentence_length(&words, &tokens, sentence);
    if (words < 2) return FLAW_SIFT_SHORT;
    if (tokens > MOST_TOKENS) return FLAW_SIFT_LONG;
    if (strpbrk(sentence, "{}")) return FLAW_SIFT_BRACE;
    if (!flaw_sentence_names(sentence, s->object)) return FLAW_SIFT_UNNAMED;
    if (!side && flaw_sentence_defect(word, sentence, s->object)) return FLAW_SIFT_DEFECT;
    if (flaw_sentence_negation(word, sentence, s->object, side)) return FLAW_SIFT_NEGATION;
    word[0] = '\0';
    if (holds(s, side, sentence)) return FLAW_SIFT_TWICE;
    return holds(s, !side, sentence) ? FLAW_SIFT_BOTH : FLAW_SIFT_FAULTS;
}

flaw_status flaw_sift_add(flaw_sift *s, const flaw_sentences *from, flaw_error *err)
{
    char word[FLAW_WORD_ROOM];
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < from->count[side] && s->count[side] < s->most; i++) {
            const char *sentence = from->text[side][i];
            flaw_sift_fault fault = fault_of(s, side, sentence, word);
            int words, tokens;
            s->offered[side]++;
            if (fault < FLAW_SIFT_FAULTS) {
                s->fault[side][fault]++;
                complain(s, side, faults[fault], *word ? word : NULL, sentence);
                continue;
            }
            char *copy = flaw_arena_copy_string(&s->arena, sentence, strlen(sentence));
            if (!copy) return flaw_fail(err, FLAW_NO_MEMORY, "memory for a sentence was refused");
            s->text[side][s->count[side]++] = copy;
            flaw_sentence_length(&words, &tokens, sentence);
            if (tokens > LONG_TOKENS) complain(s, side, "kept, but about more than 40 tokens", NULL, sentence);
        }
    return FLAW_OK;
}

void flaw_sift_balance(flaw_sift *s)
{
    int less = s->count[0] < s->count[1] ? s->count[0] : s->count[1];
    s->count[0] = s->count[1] = less;
}

const char *flaw_sift_worst(const flaw_sift *s, int side)
{
    int worst = 0;
    for (int i = 1; i < FLAW_SIFT_FAULTS; i++)
        if (s->fault[side][i] > s->fault[side][worst]) worst = i;
    return s->fault[side][worst] ? faults[worst] : "";
}
