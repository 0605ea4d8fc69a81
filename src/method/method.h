/* The methods: one file each, one table, the same five calls, all on any image tower.
 *
 *   open   text prototypes and options            learn  good parts -> memory
 *   score  features of one picture -> map, score  save / load  what the recipe keeps
 *
 * A method sees pictures only as flaw_features (encoded once, whatever the method). */
#ifndef FLAW_METHOD_METHOD_H
#define FLAW_METHOD_METHOD_H

#include "detect/features.h"
#include "detect/prompts.h"
#include "flaw/inspect.h"

typedef struct flaw_method_setup {
    const flaw_clip *model;
    flaw_compute *compute;
    const flaw_prompt_set *prompts; /* embedded normal and abnormal sentences; NULL for methods without text */
    const flaw_inspect_options *options;
} flaw_method_setup;

typedef struct flaw_score {
    float *map;   /* [G, G], written by the method into the caller's array */
    double image; /* image score */
} flaw_score;

typedef struct flaw_method {
    const char *name;   /* "winclip", "winclip+", "alfa", "alfa+", "few-shot" */
    const char *about;  /* one line: title, paper, needs */
    int needs_text;     /* 1: a text tower and prompts */
    int needs_good;     /* 1: at least one good part */
    int features;       /* FLAW_WANT_* of detect/features.h */
    flaw_status (*open)(void **state, const flaw_method_setup *setup, flaw_error *err);
    flaw_status (*learn)(void *state, const flaw_features *good, size_t count, flaw_error *err);
    flaw_status (*score)(const void *state, const flaw_features *picture, flaw_score *out, flaw_error *err);
    flaw_status (*save)(const void *state, struct flaw_record *record, flaw_error *err);
    flaw_status (*load)(void *state, const struct flaw_record *record, flaw_error *err);
    void (*close)(void *state);
} flaw_method;

const flaw_method *flaw_method_find(const char *name); /* NULL when there is none */
const flaw_method *flaw_method_at(int index);

#endif
