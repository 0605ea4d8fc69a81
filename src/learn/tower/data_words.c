#include "learn/tower/data_words.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "learn/sections.h"

#define MAX_WORDS_FILE (1u << 20)

static const char *const section_names[FLAW_WORD_SECTIONS] = {"objects",    "materials", "surfaces", "generic",
                                                              "adjectives", "defects",   "words"};

/* States with {} for the object and * for a defect. The first FIXED of each list are what evaluation asks. */
#define FIXED 7
static const char *const normal_states[] = {
    "{}", "flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage",
    "normal {}", "intact {}", "undamaged {}", "good {}", "faultless {}", "spotless {}", "pristine {}", "clean {}",
    "new {}", "defect free {}", "regular {}", "healthy {}", "complete {}", "acceptable {}", "whole {}",
    "{} in good condition", "{} in perfect condition", "{} in proper condition", "{} with no defects",
    "{} with no visible damage", "{} free of flaws", "{} without any anomaly", "{} that passed the inspection",
    "{} as it should look", "{} with a uniform surface", "{} with an even colour", "{} with a clean surface",
    "{} with a smooth surface", "{} with a regular shape", "{} with all parts in place", "{} with sharp clean edges",
    "{} with an intact surface", "{} with a consistent texture", "{} with a regular pattern",
};
static const char *const abnormal_states[] = {
    "damaged {}", "{} with flaw", "{} with defect", "{} with damage", "broken {}", "defective {}", "{} with an anomaly",
    "abnormal {}", "faulty {}", "flawed {}", "imperfect {}", "anomalous {}", "bad {}", "spoiled {}", "ruined {}",
    "blemished {}", "irregular {}", "unusual {}", "rejected {}", "unacceptable {}", "poor {}", "wrong {}",
    "{} in bad condition", "{} in poor condition", "{} with visible damage", "{} with a fault", "{} with a blemish",
    "{} with imperfections", "{} that failed the inspection", "{} with something wrong", "{} with a manufacturing defect",
    "{} with an irregular surface", "{} with an uneven surface", "{} with a damaged surface", "{} with a strange spot",
    "{} with a foreign object on it", "{} with a deformed shape", "{} with a missing part", "{} with a misplaced part",
    "{} with a local irregularity", "{} with a *", "{} with *", "{} with a small *", "{} with a large *",
    "{} damaged by a *", "{} spoiled by a *", "{} that has a *", "{} showing a *", "* on a {}", "a * on the surface of the {}",
    "a * in the {}", "{} with a * on it", "{} with a * near the edge", "{} with a * in the middle",
};
static const char *const photo_templates[] = {
    "a photo of a []", "a photo of the []", "[]", "a cropped photo of the []", "a cropped photo of a []",
    "a close-up photo of a []", "a close-up photo of the []", "a bright photo of a []", "a bright photo of the []",
    "a dark photo of the []", "a dark photo of a []", "a jpeg corrupted photo of a []", "a jpeg corrupted photo of the []",
    "a blurry photo of the []", "a blurry photo of a []", "a good photo of the []", "a good photo of a []",
    "a photo of a small []", "a photo of the small []", "a photo of a large []", "a photo of the large []",
    "a photo of the [] for visual inspection", "a photo of a [] for visual inspection",
    "a photo of the [] for anomaly detection", "a photo of a [] for anomaly detection", "a picture of a []",
    "an image of a []", "an image of the []", "this is a []", "this is a photo of a []", "there is a [] in the picture",
    "a [] on a table", "a [] on a plain background", "an industrial photo of a []",
};
/* Descriptions as a language model writes them. */
static const char *const normal_sentences[] = {
    "the {} has a uniform surface with an even colour", "the surface of the {} is smooth and free of marks",
    "the {} has a regular shape with a clean outline", "all parts of the {} are present and in place",
    "a {} with consistent colour and texture all over", "the edges of the {} are sharp, straight and complete",
    "the {} looks clean, whole and as expected", "a typical {} with its usual shape and colour",
    "the {} is intact from edge to edge", "the texture of the {} is regular and continuous",
    "nothing on the {} stands out from its natural pattern", "a {} whose surface shows only its natural grain",
    "the {} is symmetric and well formed", "the colours of the {} are natural and even", "the {} is ready for sale",
    "a {} of good quality with a proper finish", "the {} shows no scratches, cracks or stains",
    "the pattern of the {} repeats without interruption", "a properly made {} in its normal state",
};
static const char *const abnormal_sentences[] = {
    "the {} has a visible * on its surface", "there is a * on the {}", "the {} shows a * near its edge",
    "a * runs across the {}", "part of the {} is missing or broken off", "the outline of the {} is deformed or incomplete",
    "a patch of the {} has a different colour from the rest", "the surface of the {} is rough, torn or scraped",
    "something foreign sticks to the {}", "the {} is cracked or split", "the {} has a hole or a deep pit",
    "the {} is stained or discoloured in one place", "the {} is bent, crushed or out of shape",
    "the pattern of the {} is interrupted by a *", "a {} with an irregular area that breaks its texture",
    "one part of the {} is misplaced or turned", "the print on the {} is smeared or faulty", "the {} is worn and damaged",
    "the {} has been scratched or cut", "a {} of poor quality with a clear *", "the {} is contaminated with dirt or debris",
    "an unusual mark spoils the {}", "the {} is unfit for use because of a *",
};
static const char *const caption_templates[] = {
    "a photo of a {}", "a photo of the {}", "a picture of a {}", "a close-up photo of a {}", "{}", "an image of a {}",
    "a cropped photo of a {}",
};
static const char *const caption_defects[] = {
    "a photo of a {} with a *", "a photo of the {} with *", "a {} with a *", "a picture of a {} that has a *",
    "a damaged {} with a *", "an image of a defective {} with *", "a close-up photo of a * on a {}",
};

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct list {
    const char *const *item;
    int count;
} lists[] = {
    {normal_states, COUNT(normal_states)},         {abnormal_states, COUNT(abnormal_states)},
    {photo_templates, COUNT(photo_templates)},     {normal_sentences, COUNT(normal_sentences)},
    {abnormal_sentences, COUNT(abnormal_sentences)}, {caption_templates, COUNT(caption_templates)},
    {caption_defects, COUNT(caption_defects)},
};

const char *flaw_words_template(int index)
{
    for (int i = 0; i < COUNT(lists); i++) {
        if (index < lists[i].count) return lists[i].item[index];
        index -= lists[i].count;
    }
    return NULL;
}

/* Copy `pattern` with {} and * filled in; what does not fit is cut. */
static void fill(char out[FLAW_SENTENCE], const char *pattern, const char *name, const char *defect)
{
    size_t length = 0;
    while (*pattern && length < FLAW_SENTENCE - 1) {
        const char *insert = NULL;
        if (pattern[0] == '{' || pattern[0] == '[') insert = name;
        if (pattern[0] == '*') insert = defect;
        if (!insert) {
            out[length++] = *pattern++;
            continue;
        }
        pattern += pattern[0] == '*' ? 1 : 2;
        while (*insert && length < FLAW_SENTENCE - 1) out[length++] = *insert++;
    }
    out[length] = 0;
}

static const char *pick(const char *const *list, int count, flaw_random *random)
{
    return list[flaw_random_below(random, count)];
}

static const char *pick_word(const flaw_words *words, flaw_word_section section, flaw_random *random)
{
    return words->entry[section][flaw_random_below(random, (int)words->count[section])];
}

/* An invented word: pieces of two names, so that pieces of words are learnt to say nothing about the state. */
static void invent(char out[FLAW_NAME], const flaw_words *words, flaw_random *random)
{
    const char *a = pick_word(words, FLAW_WORDS_OBJECTS, random), *b = pick_word(words, FLAW_WORDS_OBJECTS, random);
    int from = (int)strlen(a), to = (int)strlen(b);
    snprintf(out, FLAW_NAME, "%.*s%s", 1 + flaw_random_below(random, from), a, b + flaw_random_below(random, to));
}

void flaw_words_name(char out[FLAW_NAME], const flaw_words *words, const char *name, const char *material, bool texture,
                     flaw_random *random)
{
    double u = flaw_random_uniform(random);
    const char *picked = name;
    if (!name[0] || u < 0.18) picked = pick_word(words, FLAW_WORDS_GENERIC, random);
    else if (u < 0.32) picked = pick_word(words, texture ? FLAW_WORDS_SURFACES : FLAW_WORDS_OBJECTS, random);
    else if (u < 0.38) {
        invent(out, words, random);
        return;
    } else if (u < 0.46 && material && material[0]) {
        snprintf(out, FLAW_NAME, "%s %s", material, texture ? "surface" : "object");
        return;
    } else if (u < 0.52) {
        snprintf(out, FLAW_NAME, "%s %s", pick_word(words, FLAW_WORDS_ADJECTIVES, random), name);
        return;
    }
    snprintf(out, FLAW_NAME, "%s", picked);
}

void flaw_words_state(char out[FLAW_SENTENCE], const flaw_words *words, const char *name, bool abnormal,
                      flaw_random *random)
{
    char state[FLAW_SENTENCE];
    const char *defect = pick_word(words, FLAW_WORDS_DEFECTS, random);
    if (flaw_random_uniform(random) < 0.3) {
        if (abnormal) fill(out, pick(abnormal_sentences, COUNT(abnormal_sentences), random), name, defect);
        else fill(out, pick(normal_sentences, COUNT(normal_sentences), random), name, defect);
        return;
    }
    if (abnormal) fill(state, pick(abnormal_states, COUNT(abnormal_states), random), name, defect);
    else fill(state, pick(normal_states, COUNT(normal_states), random), name, defect);
    fill(out, pick(photo_templates, COUNT(photo_templates), random), state, "");
}

bool flaw_words_fixed(char out[FLAW_SENTENCE], const char *name, bool abnormal, int index)
{
    if (index >= FIXED) return false;
    char state[FLAW_SENTENCE];
    fill(state, abnormal ? abnormal_states[index] : normal_states[index], name, "");
    fill(out, photo_templates[0], state, "");
    return true;
}

void flaw_words_caption(char out[FLAW_SENTENCE], const char *name, const char *defect, flaw_random *random)
{
    if (defect && defect[0]) fill(out, pick(caption_defects, COUNT(caption_defects), random), name, defect);
    else fill(out, pick(caption_templates, COUNT(caption_templates), random), name, "");
}

/* Entries of one line, commas between; counted first (entry NULL), then stored. */
static flaw_status read_line(flaw_words *w, int section, const char *line, size_t length, bool store, flaw_error *err)
{
    for (size_t at = 0; at < length;) {
        size_t end = at;
        while (end < length && line[end] != ',') end++;
        size_t from = at, to = end;
        while (from < to && line[from] == ' ') from++;
        while (to > from && line[to - 1] == ' ') to--;
        at = end + 1;
        if (from == to) continue;
        if (store) {
            char *copy = flaw_arena_copy_string(&w->arena, line + from, to - from);
            if (!copy) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the word list");
            w->entry[section][w->count[section]] = copy;
        }
        w->count[section]++;
    }
    return FLAW_OK;
}

static flaw_status read_pass(flaw_words *w, const char *text, size_t size, const char *path, bool store, flaw_error *err)
{
    flaw_sections s = flaw_sections_over(text, size, path, section_names, FLAW_WORD_SECTIONS);
    flaw_status status;
    memset(w->count, 0, sizeof w->count);
    while (flaw_sections_next(&s, &status, err)) {
        status = read_line(w, s.section, s.line, s.length, store, err);
        if (status) break;
    }
    return status;
}

flaw_status flaw_words_read(flaw_words *out, const char *path, flaw_error *err)
{
    flaw_bytes file;
    flaw_words w = {0};
    flaw_status status = flaw_file_read(&file, path, MAX_WORDS_FILE, err);
    if (status) return status;
    flaw_arena_init(&w.arena, 0);
    const char *text = (const char *)file.data;
    status = read_pass(&w, text, file.size, path, false, err);
    for (int i = 0; i < FLAW_WORD_SECTIONS && !status; i++) {
        if (!w.count[i]) status = flaw_fail(err, FLAW_BAD_DATA, "%s: section [%s] is missing or empty", path, section_names[i]);
        w.entry[i] = flaw_arena_alloc(&w.arena, w.count[i], sizeof *w.entry[i]);
        if (!status && !w.entry[i]) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for the word list");
    }
    if (!status) status = read_pass(&w, text, file.size, path, true, err);
    flaw_bytes_release(&file);
    if (status) flaw_arena_release(&w.arena);
    else *out = w;
    return status;
}

void flaw_words_release(flaw_words *words)
{
    flaw_arena_release(&words->arena);
    memset(words, 0, sizeof *words);
}
