/* Inside of flaw_prompts_make. */
#ifndef FLAW_TALK_PROMPTS_MAKE_H
#define FLAW_TALK_PROMPTS_MAKE_H

#include <jansson.h>

#include "detect/prompts.h"
#include "flaw/prompts.h"
#include "talk/prompts_cache.h"
#include "talk/prompts_sift.h"

#define FLAW_PROMPTS_COUNT 25
#define FLAW_PROMPTS_ASKS 4 /* of each side */

/* One task: options checked, names cleaned, questions written, key known. */
typedef struct flaw_making {
    flaw_prompts_options options;
    char object[FLAW_OBJECT_ROOM];
    char *brief;             /* cleaned; NULL without */
    char source[160];        /* as in flaw_prompts_about */
    flaw_buffer question[2]; /* the first of each side */
    flaw_cache_key key;
    char date[32];
    char model[128]; /* who answered */
    int asked;       /* questions put */
    flaw_sift sift;
} flaw_making;

/* prompts_file.c: the finished lists as a prompt file; malloc'ed, NULL without memory. */
char *flaw_making_file(const flaw_making *m);
/* The same of the built-in sentences for m->object. */
flaw_status flaw_making_builtin(char **out, const flaw_making *m, flaw_error *err);
/* source, model, date and count of a prompt file of our own. */
void flaw_about_read(flaw_prompts_about *out, const char *json);

#endif
