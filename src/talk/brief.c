#include "talk/brief.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/line.h"
#include "base/utf8.h"
#include "flaw/prompts.h"
#include "talk/dialogue_prompt.h"

flaw_status flaw_brief_clean(char **out, const char *text, size_t size, const char *name, flaw_error *err)
{
    char line[FLAW_BRIEF_MOST + 1];
    int lines = 0;
    flaw_buffer b;
    if (size > FLAW_BRIEF_MOST)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: a brief of %zu bytes, allowed is a page: %d", name, size,
                         FLAW_BRIEF_MOST);
    if (!flaw_utf8_valid(text, size)) return flaw_fail(err, FLAW_BAD_DATA, "%s: the brief is not UTF-8 text", name);
    flaw_buffer_init(&b, FLAW_BRIEF_MOST + 1);
    flaw_buffer_text(&b, "");
    for (size_t at = 0; at < size;) {
        size_t end = at;
        while (end < size && text[end] != '\n' && text[end] != '\r') end++;
        flaw_line_clean(line, sizeof line, text + at, end - at);
        at = end + 1;
        if (!*line) continue;
        if (lines++) flaw_buffer_text(&b, "\n");
        flaw_buffer_text(&b, line);
    }
    if (lines > FLAW_BRIEF_LINES || b.failed) {
        flaw_buffer_release(&b);
        return lines > FLAW_BRIEF_LINES
                   ? flaw_fail(err, FLAW_BAD_DATA, "%s: a brief of %d lines, allowed is a page: %d", name, lines,
                               FLAW_BRIEF_LINES)
                   : flaw_fail(err, FLAW_NO_MEMORY, "%s: memory for a brief was refused", name);
    }
    *out = b.data; /* the caller's now */
    return FLAW_OK;
}

flaw_status flaw_brief_read(char **out, const char *path, flaw_error *err)
{
    flaw_bytes bytes;
    flaw_status s = flaw_file_read(&bytes, path, FLAW_BRIEF_MOST, err);
    if (s) return s;
    s = flaw_brief_clean(out, (const char *)bytes.data, bytes.size, path, err);
    flaw_bytes_release(&bytes);
    if (s || **out) return s;
    free(*out);
    *out = NULL;
    return flaw_fail(err, FLAW_BAD_DATA, "%s: the brief is empty", path);
}

void flaw_brief_quote(flaw_buffer *out, const char *brief)
{
    while (*brief) {
        size_t size = strcspn(brief, "\n");
        char line[FLAW_BRIEF_MOST + 1];
        flaw_line_clean(line, sizeof line, brief, size);
        flaw_buffer_text(out, "> ");
        flaw_dialogue_question(out, line);
        flaw_buffer_text(out, "\n");
        brief += size;
        brief += *brief == '\n';
    }
}
