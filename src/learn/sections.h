/* Text files of lists: "[name]" begins a section, a line that begins with '#' is a comment. */
#ifndef FLAW_LEARN_SECTIONS_H
#define FLAW_LEARN_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "flaw/status.h"

typedef struct flaw_sections {
    const char *at, *end;
    const char *path; /* for messages */
    const char *const *names;
    int count;        /* of names */
    int section;      /* of the line at hand, an index of names; -1 before the first */
    int number;       /* of the line at hand, from 1 */
    const char *line; /* [length], without its end; may be empty */
    size_t length;
} flaw_sections;

flaw_sections flaw_sections_over(const char *text, size_t size, const char *path, const char *const *names, int count);
/* The next line that is neither heading nor comment. False at the end, and (*status not FLAW_OK) at an unknown section
 * or at words before any. */
bool flaw_sections_next(flaw_sections *s, flaw_status *status, flaw_error *err);

#endif
