/* Words of others as one line that drives no terminal and no prompt. */
#ifndef FLAW_BASE_LINE_H
#define FLAW_BASE_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* out: `text` as one clean line: white space collapsed and cut at both ends, control and direction characters and bytes
 * that are no UTF-8 left out. False when it does not fit (it is cut then). */
bool flaw_line_clean(char *out, size_t room, const char *text, size_t size);

#endif
