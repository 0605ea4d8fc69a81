/* Prompt files that language models wrote, kept by object, model and question: SLUG-KEY-DATE.json in one folder, KEY
 * being the first 16 digits of the key below. The newest sound one counts. */
#ifndef FLAW_TALK_PROMPTS_CACHE_H
#define FLAW_TALK_PROMPTS_CACHE_H

#include <stddef.h>

#include "flaw/status.h"

typedef struct flaw_cache_key {
    char hex[65];  /* SHA-256 of everything that the answer follows from; stands in the file too */
    char slug[48]; /* the object, for people: "brass-hose-fitting" */
} flaw_cache_key;

void flaw_cache_slug(char slug[48], const char *object);
/* *json: malloc'ed text of the newest file of this key that is sound and serves the object. FLAW_MISSING without one;
 * when there are files and none is sound, FLAW_BAD_DATA names the newest and says what is wrong. */
flaw_status flaw_cache_find(char **json, const char *folder, const flaw_cache_key *key, const char *object,
                            flaw_error *err);
/* Temporary name, synced, renamed; the folder is made. */
flaw_status flaw_cache_keep(const char *folder, const flaw_cache_key *key, const char *date, const char *json,
                            flaw_error *err);
/* Is this text a prompt file of that key? For flaw_cache_find and tests. */
flaw_status flaw_cache_check(const char *json, size_t size, const char *name, const flaw_cache_key *key,
                             const char *object, flaw_error *err);

#endif
