/* Lines that people type, and Ctrl-C among them. The signal's handler writes into a pipe that is waited for beside the
 * input, so that a Ctrl-C counts whenever it comes: before the waiting, in it, and in whichever thread. One reader for
 * a process. */
#ifndef FLAW_CLI_LINES_H
#define FLAW_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "flaw/status.h"

typedef enum cli_line { CLI_LINE_TEXT, CLI_LINE_INTERRUPT, CLI_LINE_END } cli_line;

typedef struct cli_lines {
    char *data; /* [room] bytes read; owned */
    size_t first, size, room; /* data[first .. size) is not handed out yet */
    bool ended;
} cli_lines;

/* Catches Ctrl-C from now on. */
flaw_status cli_lines_open(cli_lines *out, flaw_error *err);
void cli_lines_close(cli_lines *l);
/* The next line of standard input without its end, valid until the next call; a line of more than 1 MiB comes in
 * pieces. CLI_LINE_INTERRUPT: Ctrl-C came since cli_lines_forget. Failing to read is the end. */
cli_line cli_lines_next(cli_lines *l, char **line);
/* Ctrl-C came; for as long as it is not forgotten. */
int cli_lines_interrupted(void);
void cli_lines_forget(void);

#endif
