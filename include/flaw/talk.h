/* Talk: questions about a picture, answered in words. A talker is a model with a voice (the embedded small
 * AnomalyGPT, a folder of published weights, or an OpenAI-compatible endpoint that is told measured facts), set up
 * for one product. */
#ifndef FLAW_TALK_H
#define FLAW_TALK_H

#include <stddef.h>

#include "flaw/inspect.h"

typedef struct flaw_talk_options {
    const char *model;       /* NULL or "default": embedded; folder or bundle of an AnomalyGPT */
    int threads;             /* 0: all */
    const char *precision;   /* NULL or "auto", "f32", "bf16", "int8", "int4": the language model's weights */
    const char *level;       /* as in flaw_engine_options */
    const char *object;      /* product name; NULL: "object" */
    const char *const *good; /* normal pictures (files): the few-shot map feeds the prompt learner */
    size_t good_count;
    const char *fit;         /* NULL: as the model was trained; "squash" (all of the picture), "crop" (its middle) */
    const char *prompts;     /* JSON prompt file for a model without a voice; NULL: the built-in sentences */
    const flaw_prompts_options *writer; /* as in flaw_inspect_options; used while opening only */
    const char *brief;       /* inspection brief (flaw_brief_read): stands in the fact sheet, an endpoint is told; or NULL */
    int views;               /* looks at a picture for a map by words (flaw_inspect_options.views): 1, 2, 6, 7 or 11; 0 = 11 with
                              towers of our own (a local head), else 1 */
    int rotations;           /* nonzero: normal pictures also turned by 90, 180, 270 degrees */
    const char *llm;         /* URL of an OpenAI-compatible endpoint (".../v1"), or NULL */
    const char *llm_model;   /* name to ask the endpoint for; NULL: its own default */
    const char *llm_key;     /* bearer key or NULL; never shown */
    double llm_timeout;      /* seconds for an answer; 0: 60 */
    int max_tokens;          /* of an answer; 0: 128 */
    double temperature, top_p; /* 0: the likeliest token; else drawn from the likeliest that make up top_p */
    unsigned long long seed;
    int upstream_quirks;     /* nonzero: as the published program does (docs/anomalygpt.md) */
} flaw_talk_options;
void flaw_talk_defaults(flaw_talk_options *options);

typedef enum flaw_talk_source { FLAW_TALK_LANGUAGE, FLAW_TALK_ENDPOINT, FLAW_TALK_FACTS } flaw_talk_source;

#define FLAW_MAX_PLACES 9

typedef struct flaw_answer {
    char *text;              /* owned */
    int *ids;                /* [id_count] generated tokens; owned, NULL without a language model of our own */
    int id_count;
    int cut;                 /* nonzero: max_tokens ended it */
    flaw_talk_source source;
    flaw_verdict verdict;    /* what the words say: yes = anomalous, no = normal, else unknown */
    int count;               /* anomalies the words speak of; -1 when they do not say */
    char place[FLAW_MAX_PLACES][24]; /* "top left", "center" ... */
    int places;
    double score;            /* largest value of the map that fed the prompt learner (or of the inspector's) */
    double threshold;        /* of that score */
    flaw_verdict map_verdict; /* what the map says alone */
    int agree;               /* 1 words and map agree, 0 they differ, -1 one of them says nothing */
    double ms;
    char note[496];          /* what went otherwise than asked for: who spoke instead, what was forgotten; else empty */
} flaw_answer;
void flaw_answer_release(flaw_answer *answer);
/* One JSON object without newline, malloc'ed. `ids` are left out when there are none. */
char *flaw_answer_json(const flaw_answer *answer, const char *image, const char *question, const char *model);

typedef struct flaw_talker flaw_talker;
flaw_status flaw_talker_open(flaw_talker **out, const flaw_talk_options *options, flaw_error *err);
void flaw_talker_close(flaw_talker *talker);
const char *flaw_talker_model(const flaw_talker *talker);
/* Another product: name and good parts in place of those it was opened with, on the same model. The next thing to do is to take
 * up a picture. When it fails, the product before stays. */
flaw_status flaw_talker_product(flaw_talker *talker, const char *object, const char *const *good, size_t good_count,
                                flaw_error *err);

/* Take up a picture: encoded once, the dialogue starts anew. */
flaw_status flaw_talker_look(flaw_talker *talker, const flaw_picture *picture, flaw_error *err);
flaw_status flaw_talker_look_file(flaw_talker *talker, const char *path, flaw_error *err);
/* Words as they come; return nonzero to stop. While nothing comes it may be called with size 0, to ask whether to stop. */
typedef int (*flaw_talk_words)(void *context, const char *text, size_t size);
/* Ask; the history is kept and the cache used again. FLAW_USAGE before any picture was taken up. Who speaks: the endpoint where
 * there is one, else the model's voice, else the fact sentence. When an endpoint fails, its status and error are returned, and
 * *out holds the fact sentence that stands in (it does not go to `words`). */
flaw_status flaw_talker_ask(flaw_talker *talker, const char *question, flaw_talk_words words, void *context,
                            flaw_answer *out, flaw_error *err);
/* For an ablation: until the next picture the language model knows this one by its embedding alone, without what the map
 * says; the dialogue starts anew. FLAW_UNAVAILABLE without a voice of the model's own, FLAW_USAGE before any picture. */
flaw_status flaw_talker_blindfold(flaw_talker *talker, flaw_error *err);
/* Forget the dialogue, keep the picture. */
void flaw_talker_restart(flaw_talker *talker);
/* What was measured on the picture: map, regions, score (for overlays, and the fact sheet). Owned by the talker. */
const flaw_result *flaw_talker_facts(const flaw_talker *talker);

/* As flaw_inspector_prompts; NULL for a model with a voice. */
const flaw_prompts_about *flaw_talker_prompts(const flaw_talker *talker);

/* The fact sheet of a result in plain lines, malloc'ed; NULL without memory. */
char *flaw_facts_text(const flaw_result *result);

/* Parse an answer: yes/no, count, places. */
void flaw_answer_parse(flaw_answer *answer, const char *text);
/* The same, where the product's name may hold words that would mean something else ("hole saw", "left shoe"); NULL: none. */
void flaw_answer_parse_about(flaw_answer *answer, const char *text, const char *object);

/* The plain language model: MODEL is a LLaMA folder or GGUF file, or NULL for the embedded one. */
typedef struct flaw_complete_options {
    const char *model, *precision, *level;
    int threads, max_tokens;
    double temperature, top_p;
    int top_k;
    unsigned long long seed;
} flaw_complete_options;
void flaw_complete_defaults(flaw_complete_options *options);
/* *text is malloc'ed, without the prompt; ids (may be NULL) malloc'ed [*count]. */
flaw_status flaw_complete(const flaw_complete_options *options, const char *prompt, flaw_talk_words words, void *context,
                          char **text, int **ids, int *count, flaw_error *err);

#endif
