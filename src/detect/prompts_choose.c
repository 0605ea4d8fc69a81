/* What the user wants of a set of sentences: some always there, some never. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "detect/prompts.h"

static const char *const sides[] = {"normal", "abnormal"};

typedef struct wish {
    int side; /* 0 normal, 1 abnormal, -1 either */
    char text[FLAW_PROMPT_BYTES];
} wish;

typedef struct choice {
    flaw_prompt_set *set;
    size_t room;     /* sentences of one side, all pins added to the longer one */
    char **text[2];  /* [room]: of the set, then added ones */
    bool *banned[2]; /* [room] */
    bool *pinned[2]; /* [room] */
    int count[2];
} choice;

/* "abnormal:  a {} with a hole" -> side 1, "a bottle with a hole". */
static flaw_status read_wish(wish *out, const char *given, const char *what, const char *object, flaw_error *err)
{
    out->side = -1;
    const char *text = given;
    for (int c = 0; c < 2; c++) {
        size_t n = strlen(sides[c]);
        if (strncasecmp(given, sides[c], n) || given[n] != ':') continue;
        out->side = c;
        text = given + n + 1;
    }
    text += strspn(text, " ");
    if (!flaw_utf8_valid(given, strlen(given)))
        return flaw_fail(err, FLAW_USAGE, "a %s sentence is not UTF-8 text", what);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 32 || *p == 127)
            return flaw_fail(err, FLAW_USAGE, "a %s sentence holds the control character %d", what, *p);
    if (flaw_prompts_fill(out->text, sizeof out->text, text, object)) return FLAW_OK;
    return flaw_fail(err, FLAW_USAGE, "the %s sentence \"%.80s\" is empty or longer than %d bytes", what, given,
                     FLAW_PROMPT_BYTES - 1);
}

static bool meets(const wish *w, const char *text, bool whole)
{
    return whole ? !strcasecmp(text, w->text) : strcasestr(text, w->text) != NULL;
}

/* Marks what a ban meets; returns how many. */
static int strike(choice *ch, const wish *w, bool whole)
{
    int met = 0;
    for (int c = 0; c < 2; c++) {
        if (w->side == 1 - c) continue;
        for (int i = 0; i < ch->count[c]; i++) {
            if (!meets(w, ch->text[c][i], whole)) continue;
            ch->banned[c][i] = true;
            met++;
        }
    }
    return met;
}

static flaw_status apply_ban(choice *ch, const char *given, flaw_error *err)
{
    wish w;
    flaw_status s = read_wish(&w, given, "banned", ch->set->object, err);
    if (s || strike(ch, &w, true) || strike(ch, &w, false)) return s;
    return flaw_fail(err, FLAW_USAGE, "ban: none of the %d %s%ssentences for \"%s\" is or holds \"%.120s\"",
                     (w.side != 1 ? ch->count[0] : 0) + (w.side != 0 ? ch->count[1] : 0),
                     w.side < 0 ? "" : sides[w.side], w.side < 0 ? "" : " ", ch->set->object, w.text);
}

static int find(const choice *ch, const wish *w, int c)
{
    for (int i = 0; i < ch->count[c]; i++)
        if (meets(w, ch->text[c][i], true)) return i;
    return -1;
}

static flaw_status add(choice *ch, const wish *w, flaw_error *err)
{
    int c = w->side;
    if (c < 0)
        return flaw_fail(err, FLAW_USAGE,
                         "pin: \"%.120s\" is none of the sentences for \"%s\"; to add it say which side it speaks for: "
                         "\"normal: ...\" or \"abnormal: ...\"",
                         w->text, ch->set->object);
    int at = ch->count[c];
    if (at == FLAW_PROMPTS_MOST)
        return flaw_fail(err, FLAW_USAGE, "pin: more than %d %s sentences", FLAW_PROMPTS_MOST, sides[c]);
    ch->text[c][at] = flaw_arena_copy_string(&ch->set->arena, w->text, strlen(w->text));
    if (!ch->text[c][at]) return flaw_fail(err, FLAW_NO_MEMORY, "memory for a sentence was refused");
    ch->pinned[c][at] = true;
    ch->count[c]++;
    return FLAW_OK;
}

static flaw_status apply_pin(choice *ch, const char *given, flaw_error *err)
{
    wish w;
    flaw_status s = read_wish(&w, given, "pinned", ch->set->object, err);
    if (s) return s;
    int at[2] = {find(ch, &w, 0), find(ch, &w, 1)};
    bool there[2] = {at[0] >= 0 && !ch->banned[0][at[0]], at[1] >= 0 && !ch->banned[1][at[1]]};
    for (int c = 0; c < 2; c++)
        if (w.side != 1 - c && at[c] >= 0 && !there[c] && !there[1 - c])
            return flaw_fail(err, FLAW_USAGE, "\"%.120s\" is both pinned and banned", w.text);
    if (w.side < 0 && there[0] && there[1])
        return flaw_fail(err, FLAW_USAGE,
                         "pin: \"%.120s\" is on both sides; say which is meant: \"normal: ...\" or \"abnormal: ...\"",
                         w.text);
    int side = w.side >= 0 ? w.side : there[0] ? 0 : there[1] ? 1 : -1;
    if (side >= 0 && there[1 - side] && !there[side])
        return flaw_fail(err, FLAW_USAGE, "pin: \"%.120s\" is among the %s sentences; ban it there first", w.text,
                         sides[1 - side]);
    if (side < 0 || !there[side]) return add(ch, &w, err);
    ch->pinned[side][at[side]] = true;
    return FLAW_OK;
}

static bool open_choice(choice *ch, flaw_arena *arena)
{
    for (int c = 0; c < 2; c++) {
        ch->text[c] = flaw_arena_alloc(&ch->set->arena, ch->room, sizeof(char *));
        ch->banned[c] = flaw_arena_alloc(arena, ch->room, sizeof(bool));
        ch->pinned[c] = flaw_arena_alloc(arena, ch->room, sizeof(bool));
        if (!ch->text[c] || !ch->banned[c] || !ch->pinned[c]) return false;
        ch->count[c] = ch->set->count[c];
        memcpy(ch->text[c], ch->set->text[c], (size_t)ch->count[c] * sizeof(char *));
    }
    return true;
}

/* The set's own lists: what is left in its order, then what is banned. */
static flaw_status close_choice(const choice *ch, flaw_error *err)
{
    flaw_prompt_set *set = ch->set;
    for (int c = 0; c < 2; c++) {
        int n = 0, left = 0, total = ch->count[c];
        for (int i = 0; i < total; i++) left += !ch->banned[c][i];
        if (!left)
            return flaw_fail(err, FLAW_USAGE, "ban: no %s sentence for \"%s\" is left", sides[c], set->object);
        char **text = flaw_arena_alloc(&set->arena, (size_t)total, sizeof(char *));
        bool *pinned = flaw_arena_alloc(&set->arena, (size_t)total, sizeof(bool));
        if (!text || !pinned) return flaw_fail(err, FLAW_NO_MEMORY, "memory for %d sentences was refused", total);
        for (int banned = 0; banned < 2; banned++)
            for (int i = 0; i < total; i++) {
                if (ch->banned[c][i] != banned) continue;
                pinned[n] = ch->pinned[c][i];
                text[n++] = ch->text[c][i];
            }
        set->text[c] = text;
        set->pinned[c] = pinned;
        set->count[c] = left;
        set->banned[c] = total - left;
    }
    return FLAW_OK;
}

flaw_status flaw_prompts_choose(flaw_prompt_set *set, const char *const *pin, size_t pins, const char *const *ban,
                                size_t bans, flaw_error *err)
{
    if (!pins && !bans) return FLAW_OK;
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    int longer = set->count[0] > set->count[1] ? set->count[0] : set->count[1];
    choice ch = {.set = set, .room = (size_t)longer + pins};
    flaw_status s = open_choice(&ch, &arena) ? FLAW_OK
                                             : flaw_fail(err, FLAW_NO_MEMORY, "memory for %zu sentences was refused",
                                                         ch.room);
    for (size_t i = 0; !s && i < bans; i++) s = apply_ban(&ch, ban[i], err);
    for (size_t i = 0; !s && i < pins; i++) s = apply_pin(&ch, pin[i], err);
    if (!s) s = close_choice(&ch, err);
    flaw_arena_release(&arena);
    return s;
}
