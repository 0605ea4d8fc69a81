/* Sentences about the normal and the abnormal state of an object, and their embeddings.
 *
 * Two sources: the compositional ensemble of WinCLIP (templates x states, built in), and JSON files of sentences (built
 * in: models/prompts; or the user's own). JSON form:
 *   {"format": "flaw-prompts", "version": 1, "model": ..., "date": ..., "settings": ..., "query": ...,
 *    "entries": [{"class": "bottle", "also": ["flask"], "normal": ["a photo of ...", ...], "abnormal": [...]}, ...]}
 * "class": "*" serves any object; "{}" in a sentence becomes the object's name. Both lists are of one length: unequal
 * counts bias every rule that takes a largest or a top share (spec 5.6). */
#ifndef FLAW_DETECT_PROMPTS_H
#define FLAW_DETECT_PROMPTS_H

#include "base/arena.h"
#include "detect/context.h"
#include "detect/record.h"
#include "model/tower/clip.h"

#define FLAW_OBJECT_ROOM 96
#define FLAW_PROMPT_BYTES 512 /* longest sentence */

typedef struct flaw_prompt_set {
    char object[FLAW_OBJECT_ROOM]; /* cleaned name */
    char source[160];              /* for people: "WinCLIP templates", "bottle in mvtec-visa.json", ... */
    char model[128], date[32];     /* who wrote them and when, as the file says; else empty */
    int count[2];                  /* sentences: normal, abnormal */
    int banned[2];                 /* sentences taken out of the set; they stand behind the others */
    char **text[2];                /* [count + banned] */
    float *embedding[2];           /* [count + banned, E] unit length; NULL before flaw_prompts_embed */
    bool *pinned[2];               /* [count] sentences that contextual scoring never drops; NULL = none */
    int width;           /* E */
    int cut;             /* sentences longer than the text tower reads */
    flaw_arena arena;
} flaw_prompt_set;

/* "metal_nut" -> "metal nut", "macaroni1" -> "macaroni", "pcb3" -> "printed circuit board"; NULL or empty -> "object".
 * Control characters and bytes that are not UTF-8 are FLAW_USAGE, as is a name that does not fit. */
flaw_status flaw_object_clean(char out[FLAW_OBJECT_ROOM], const char *name, flaw_error *err);
/* Spaces only: "metal_nut" -> "metal nut", "pcb3" stays. What weights want that were trained with names as folders have
 * them. */
flaw_status flaw_object_tidy(char out[FLAW_OBJECT_ROOM], const char *name, flaw_error *err);

/* Each fills a fresh set with texts for the (cleaned) object. */
flaw_status flaw_prompts_templates(flaw_prompt_set *out, const char *object, flaw_error *err);
flaw_status flaw_prompts_file(flaw_prompt_set *out, const char *path, const char *object, flaw_error *err);
flaw_status flaw_prompts_builtin(flaw_prompt_set *out, const char *object, flaw_error *err);
/* The same from JSON text; FLAW_MISSING when no entry serves the object. */
flaw_status flaw_prompts_parse(flaw_prompt_set *out, const char *json, size_t size, const char *name,
                               const char *object, flaw_error *err);
void flaw_prompts_release(flaw_prompt_set *set);
/* out = `sentence` with "{}" replaced by the object; false when it is empty or does not fit. */
bool flaw_prompts_fill(char *out, size_t room, const char *sentence, const char *object);

/* A user's choice, before embedding. Pins and bans are "normal: SENTENCE", "abnormal: SENTENCE" or the sentence alone,
 * "{}" in it stands for the object; letters are compared without regard to case. A ban takes out the sentence, or where
 * there is no such sentence all that hold it; a pinned sentence is kept always, and added where the set has none.
 * FLAW_USAGE: a ban that meets nothing or leaves a class empty, a new sentence without its side, a sentence that is on
 * the other side or banned as well. */
flaw_status flaw_prompts_choose(flaw_prompt_set *set, const char *const *pin, size_t pins, const char *const *ban,
                                size_t bans, flaw_error *err);

flaw_status flaw_prompts_embed(flaw_prompt_set *set, const flaw_clip *model, flaw_compute *compute, flaw_error *err);

/* out[E] = sum of weight[i] * embedding[i] of class c, normalised. FLAW_BAD_DATA when it has no direction. */
flaw_status flaw_prompts_blend(float *out, const flaw_prompt_set *set, int c, const double *weight, flaw_error *err);
/* The same with weights for the first n rows, banned ones too. */
flaw_status flaw_prompts_blend_rows(float *out, const flaw_prompt_set *set, int c, const double *weight, int n,
                                    flaw_error *err);

flaw_status flaw_prompts_save(const flaw_prompt_set *set, flaw_record *record, flaw_error *err);
flaw_status flaw_prompts_load(flaw_prompt_set *out, const flaw_record *record, int width, flaw_error *err);

/* Built-in files, for lint and listing; NULL at the end. */
typedef struct flaw_prompts_source {
    const char *name;
    const char *json;
    size_t size;
} flaw_prompts_source;
const flaw_prompts_source *flaw_prompts_sources(void); /* ends with a NULL name */

#endif
