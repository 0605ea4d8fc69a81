/* One HTML page without script and without anything from elsewhere. What is written is well-formed XML too. */
#ifndef FLAW_MEASURE_PAGE_H
#define FLAW_MEASURE_PAGE_H

#include "base/buffer.h"

/* Text of others, as an element's text or in a quoted attribute: markup is escaped; control and direction characters and
 * bytes that are no UTF-8 become U+FFFD. */
void flaw_page_text(flaw_buffer *out, const char *text);
/* Everything up to the first heading's place. `title` is text of others. */
void flaw_page_begin(flaw_buffer *out, const char *title);
void flaw_page_end(flaw_buffer *out);

#endif
