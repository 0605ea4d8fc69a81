#include "talk/prompts_bank.h"

#include <stddef.h>
#include <string.h>

#include "detect/sentence.h"

enum {
    METAL = 1,
    GLASS = 2,
    PLASTIC = 4,
    WOOD = 8,
    CLOTH = 16, /* and leather */
    PAPER = 32,
    FOOD = 64,
    STONE = 128, /* and ceramics */
    BOARD = 256, /* electronics */
    RUBBER = 512,
    ANY = 0,
    HARD = METAL | GLASS | PLASTIC | WOOD | STONE,
    SOFT = CLOTH | PAPER | RUBBER,
};

typedef struct entry {
    const char *text;
    unsigned materials;
} entry;

/* Defects as the scenes name them that the towers inside learnt from (src/learn/paint/defect.c), and some more. */
static const entry bad[] = {
    {"a scratch", ANY},
    {"a crack", HARD | FOOD | RUBBER},
    {"a cut", ANY},
    {"a hole", ANY},
    {"a dent", METAL | PLASTIC | WOOD | FOOD | PAPER},
    {"a missing piece", ANY},
    {"a broken edge", HARD | FOOD | BOARD},
    {"a deformation", ANY},
    {"a stain", ANY},
    {"a discoloration", ANY},
    {"a burn mark", ANY},
    {"a paint splash", ANY},
    {"a drop of liquid", ANY},
    {"rust", METAL},
    {"a hair on it", ANY},
    {"a thread on it", ANY},
    {"dust on it", ANY},
    {"a pen mark", ANY},
    {"glue on it", ANY},
    {"a smear", ANY},
    {"a worn spot", ANY},
    {"a gap", ANY},
    {"a foreign object on it", ANY},
    {"a misplaced area", ANY},
    {"mould", FOOD | WOOD | CLOTH | PAPER},
    {"a puncture", SOFT | FOOD | PLASTIC},
    {"a fold", SOFT | PLASTIC},
    {"a torn edge", SOFT},
    {"a loose thread", CLOTH},
    {"a chipped edge", HARD},
    {"splinters", WOOD | GLASS},
    {"a bent part", METAL | PLASTIC | BOARD},
    {"corrosion", METAL | BOARD},
    {"a bubble", GLASS | PLASTIC | RUBBER | FOOD},
    {"a missing component", BOARD},
    {"a burnt component", BOARD},
    {"dirt on it", ANY},
    {"a dark spot", ANY},
    {"a bright spot", ANY},
    {"an irregular texture", ANY},
};

static const entry good[] = {
    {"an even surface", ANY},
    {"a smooth surface", ANY},
    {"a clean surface", ANY},
    {"an intact surface", ANY},
    {"a uniform colour", ANY},
    {"an even colour", ANY},
    {"a uniform texture", ANY},
    {"a regular texture", ANY},
    {"a regular shape", ANY},
    {"a regular outline", ANY},
    {"a perfect shape", ANY},
    {"straight edges", HARD | PAPER | BOARD},
    {"clean edges", ANY},
    {"intact edges", ANY},
    {"crisp edges", HARD | BOARD},
    {"all parts in place", ANY},
    {"all components in place", BOARD},
    {"clean solder joints", BOARD},
    {"a bright and shiny surface", METAL | GLASS | PLASTIC},
    {"a polished finish", METAL | STONE},
    {"clear and even glass", GLASS},
    {"an even grain", WOOD},
    {"even seams", CLOTH},
    {"a fresh and healthy look", FOOD},
    {"a matt and even surface", RUBBER | STONE},
    {"a closed surface", ANY},
    {"a well-made body", ANY},
    {"a tidy look", ANY},
    {"a new look", ANY},
    {"even light on it", ANY},
    {"fine and regular lines", ANY},
    {"a regular pattern", ANY},
    {"a symmetric shape", ANY},
    {"a whole and complete body", ANY},
    {"clear and sharp details", ANY},
    {"a spotless surface", ANY},
    {"a pure colour", ANY},
    {"a natural colour", FOOD | WOOD},
};

static const char *const frames[2][FLAW_BANK_FRAMES] = {
    {"a photo of a {} with %s", "a {} with %s", "a close-up photo of a {} with %s", "a flawless {} with %s"},
    {"a photo of a {} with %s", "a {} with %s", "a close-up photo of a {} with %s", "a damaged {} with %s"},
};

static const entry words[] = {
    {"metal", METAL},      {"steel", METAL},     {"brass", METAL},      {"iron", METAL},     {"copper", METAL},
    {"aluminium", METAL},  {"aluminum", METAL},  {"zinc", METAL},       {"bronze", METAL},   {"chrome", METAL},
    {"screw", METAL},      {"bolt", METAL},      {"nut", METAL},        {"washer", METAL},   {"gear", METAL},
    {"bearing", METAL},    {"spring", METAL},    {"zipper", METAL | CLOTH}, {"grid", METAL}, {"coin", METAL},
    {"glass", GLASS},      {"bottle", GLASS | PLASTIC}, {"lens", GLASS}, {"bulb", GLASS},    {"mirror", GLASS},
    {"plastic", PLASTIC},  {"cap", PLASTIC},     {"connector", PLASTIC}, {"toothbrush", PLASTIC}, {"capsule", PLASTIC},
    {"wood", WOOD},        {"wooden", WOOD},     {"oak", WOOD},         {"plywood", WOOD},   {"pencil", WOOD},
    {"cloth", CLOTH},      {"fabric", CLOTH},    {"textile", CLOTH},    {"cotton", CLOTH},   {"leather", CLOTH},
    {"carpet", CLOTH},     {"shirt", CLOTH},     {"felt", CLOTH},       {"paper", PAPER},    {"cardboard", PAPER},
    {"carton", PAPER},     {"label", PAPER},     {"book", PAPER},       {"hazelnut", FOOD},  {"walnut", FOOD},
    {"cookie", FOOD},      {"biscuit", FOOD},    {"bread", FOOD},       {"cake", FOOD},      {"apple", FOOD},
    {"fruit", FOOD},       {"candy", FOOD},      {"macaroni", FOOD},    {"fryum", FOOD},     {"cashew", FOOD},
    {"gum", FOOD},         {"chocolate", FOOD},  {"pasta", FOOD},       {"ceramic", STONE},  {"tile", STONE},
    {"stone", STONE},      {"concrete", STONE},  {"brick", STONE},      {"cup", STONE},      {"plate", STONE},
    {"pill", STONE},       {"tablet", STONE},    {"circuit", BOARD},    {"board", BOARD},    {"pcb", BOARD},
    {"transistor", BOARD}, {"chip", BOARD},      {"rubber", RUBBER},    {"hose", RUBBER},    {"gasket", RUBBER},
    {"tyre", RUBBER},      {"tire", RUBBER},     {"cable", RUBBER},     {"seal", RUBBER},
};

#define SIZE(list) ((int)(sizeof(list) / sizeof *(list)))

static unsigned materials_of(const char *text)
{
    char word[FLAW_WORD_ROOM];
    unsigned found = 0;
    while (flaw_word_next(&text, word))
        for (int i = 0; i < SIZE(words); i++) {
            size_t n = strlen(words[i].text);
            if (!strncmp(word, words[i].text, n) && (!word[n] || !strcmp(word + n, "s"))) found |= words[i].materials;
        }
    return found;
}

unsigned flaw_bank_materials(const char *object, const char *brief)
{
    return materials_of(object) | (brief ? materials_of(brief) : 0);
}

const char *flaw_bank_state(int side, int index, unsigned materials, int *fits)
{
    const entry *list = side ? bad : good;
    if (index < 0 || index >= (side ? SIZE(bad) : SIZE(good))) return NULL;
    *fits = list[index].materials == ANY || (list[index].materials & materials);
    return list[index].text;
}

const char *flaw_bank_frame(int side, int frame)
{
    return frames[side != 0][frame];
}
