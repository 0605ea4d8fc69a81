/* Sentences about the normal and the abnormal state of an object, written by a language model when they are needed
 * (ALFA's run-time prompts) and kept in a cache from then on: the same question is answered once. */
#ifndef FLAW_PROMPTS_H
#define FLAW_PROMPTS_H

#include <stddef.h>

#include "flaw/status.h"

/* Where the sentences of an inspector come from. */
typedef struct flaw_prompts_about {
    char source[160]; /* "\"bottle\" of mvtec-visa.json", "http://host/v1", a file, "inside" */
    char model[128];  /* who wrote them, as far as is known */
    char date[32];    /* when */
    int count;        /* sentences of each side; 0: the method reads none */
    int cut;          /* of both sides: longer than the text tower reads */
    int cached;       /* nonzero: taken from the cache, nobody was asked */
    char note[496];   /* what went otherwise than asked for; else empty */
} flaw_prompts_about;

typedef struct flaw_prompts_options {
    const char *object;    /* in words; needed */
    int count;             /* K sentences of each state; 0: 25, of a file all (at most 100) */
    const char *brief;     /* text of the inspection brief (flaw_brief_read), or NULL */
    const char *llm;       /* URL of an OpenAI-compatible endpoint, or NULL */
    const char *llm_model; /* with llm: the model to ask for; without: a LLaMA folder or GGUF file. NULL or "inside": the
                              small language model that flaw carries (docs/prompts.md says what it can do) */
    const char *file;      /* instead of both: a prompt file, or an answer that somebody saved; read as leniently */
    const char *llm_key;   /* bearer key or NULL; never shown, never kept */
    double llm_timeout;    /* seconds for each answer; 0: 60 */
    double temperature, top_p;
    unsigned long long seed;
    const char *precision, *level; /* of a language model of our own, as in flaw_talk_options */
    int threads;
    const char *cache; /* folder of the cache, made when needed; NULL: none. The model inside and files need none */
    int offline;       /* nonzero: ask no endpoint, answer from the cache or fail */
    int refresh;       /* nonzero: ask though the cache has an answer; it stands in when nobody answers */
    void (*tell)(void *context, const char *what); /* who is about to be asked what, for people; may be NULL */
    void *context;
    int fallback;      /* nonzero: when no list can be had take the built-in sentences, and say so in the note */
} flaw_prompts_options;
void flaw_prompts_defaults(flaw_prompts_options *options);

typedef struct flaw_prompts {
    char *json;   /* a prompt file (docs/prompts.md): the lists with model, date, settings and query; owned */
    char *report; /* lines "normal: WHY: SENTENCE" for what was left out or is doubtful; owned, may be "" */
    flaw_prompts_about about;
} flaw_prompts;

/* FLAW_UNAVAILABLE, FLAW_BAD_DATA: nobody answered, or with nothing that can be used; the message says what was wrong with
 * most of it, and out->report (the one output that a failure touches) with each. */
flaw_status flaw_prompts_make(flaw_prompts *out, const flaw_prompts_options *options, flaw_error *err);
/* Temporary name, synced, renamed. */
flaw_status flaw_prompts_write(const char *path, const flaw_prompts *prompts, flaw_error *err);
void flaw_prompts_free(flaw_prompts *prompts);

/* A page of plain text, cleaned of control characters; *out is malloc'ed. FLAW_BAD_DATA: over 4,096 bytes or 80 lines, not
 * UTF-8, empty. */
flaw_status flaw_brief_read(char **out, const char *path, flaw_error *err);

#endif
