/* Inside of a talker. Two kinds: with the eyes and the voice of an AnomalyGPT, or with an inspector whose measured
 * facts an endpoint or the fact sentence puts into words. Used by one thread at a time. */
#ifndef FLAW_INSPECT_TALKER_H
#define FLAW_INSPECT_TALKER_H

#include "flaw/talk.h"
#include "inspect/eyes.h"
#include "talk/dialogue_prompt.h"
#include "talk/endpoint.h"

/* The voice: talker_voice.c. */
typedef struct flaw_voiced {
    flaw_compute compute;
    flaw_anomalygpt m;
    flaw_eyes eyes;
    flaw_reading *reading;
    flaw_dialogue_prompt prompt;
    bool blind;          /* without soft prompts until the next picture */
    float *token;        /* [W] the picture among words */
    float *prompts;      /* [B + C, W] */
    float *saved, *work; /* of the prompt learner */
    flaw_buffer said;    /* quirk: all that was said since the picture, where the object's name is looked for */
    flaw_arena arena;
} flaw_voiced;

/* Dialogue with an endpoint: talker_endpoint.c. */
typedef struct flaw_remote {
    flaw_endpoint endpoint; /* its texts belong to the talker */
    char **line;            /* [count] questions and answers in turn; owned */
    size_t count, first;    /* lines before `first` are no longer sent */
} flaw_remote;

struct flaw_talker {
    flaw_talk_options options; /* own copies of its texts; `good` is not kept */
    char object[FLAW_OBJECT_ROOM];
    bool has_voice, looking;
    flaw_voiced voiced;  /* with a voice */
    flaw_engine *engine; /* without: the road of inspection */
    flaw_inspector *inspector;
    flaw_remote remote; /* options.llm */
    flaw_result facts;  /* of the picture */
    char note[400];     /* why there is no voice; empty when none was wanted */
    char model[512];
    flaw_arena arena;
};

flaw_status flaw_voiced_open(flaw_voiced *out, const flaw_talk_options *options, const char *object, flaw_error *err);
void flaw_voiced_close(flaw_voiced *v);
/* Eyes for another product (options->good): those before stay when it fails. */
flaw_status flaw_voiced_product(flaw_voiced *v, const flaw_talk_options *options, const char *object, flaw_error *err);
/* The picture's facts go into *facts (empty before). */
flaw_status flaw_voiced_look(flaw_voiced *v, const flaw_picture *picture, flaw_result *facts, flaw_error *err);
void flaw_voiced_restart(flaw_voiced *v);
/* The dialogue anew, without soft prompts. */
flaw_status flaw_voiced_blindfold(flaw_voiced *v, flaw_error *err);
/* Fills text, ids, cut, note of *out (empty before). A quirk may change the map and so *facts. */
flaw_status flaw_voiced_ask(flaw_voiced *v, const flaw_talk_options *options, const char *question,
                            flaw_talk_words words, void *context, flaw_result *facts, flaw_answer *out,
                            flaw_error *err);

flaw_status flaw_remote_ask(flaw_remote *r, const flaw_result *facts, const char *question, flaw_talk_words words,
                            void *context, flaw_answer *out, flaw_error *err);
void flaw_remote_restart(flaw_remote *r);

/* A copy of text [size] without white space at its ends; NULL without memory. */
char *flaw_talk_trimmed(const char *text, size_t size);

#endif
