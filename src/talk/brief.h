/* The inspection brief: a page of plain text that a user wrote about a product ("round, black and orange, print 500,
 * glare is normal"). It is told to language models as quoted lines and stands in the fact sheet; it never becomes
 * control text. */
#ifndef FLAW_TALK_BRIEF_H
#define FLAW_TALK_BRIEF_H

#include "base/buffer.h"
#include "flaw/status.h"

#define FLAW_BRIEF_MOST 4096 /* bytes: a page */
#define FLAW_BRIEF_LINES 80

/* *out: malloc'ed, lines without control characters or blanks at their ends, empty lines left out; "" for a blank text.
 * FLAW_BAD_DATA for more than a page, FLAW_USAGE for bytes that are no UTF-8; `name` is for messages. */
flaw_status flaw_brief_clean(char **out, const char *text, size_t size, const char *name, flaw_error *err);

/* Each line of a cleaned brief behind "> ", with "##" and picture marks broken up as in any question. */
void flaw_brief_quote(flaw_buffer *out, const char *brief);

#endif
