#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST ((size_t)1 << 20)

static volatile sig_atomic_t interrupted;
static int bell[2] = {-1, -1}; /* the pipe: one byte or more after a Ctrl-C */

static void on_interrupt(int signal)
{
    int kept = errno;
    (void)signal;
    interrupted = 1;
    if (write(bell[1], "!", 1) < 0) errno = kept; /* full: it rings already */
    errno = kept;
}

flaw_status cli_lines_open(cli_lines *out, flaw_error *err)
{
    struct sigaction stop = {.sa_handler = on_interrupt}; /* without SA_RESTART: what waits during an answer ends too */
    *out = (cli_lines){0};
    if (pipe2(bell, O_CLOEXEC | O_NONBLOCK) != 0)
        return flaw_fail(err, FLAW_IO, "a pipe for Ctrl-C: %s", strerrordesc_np(errno));
    sigemptyset(&stop.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    return FLAW_OK;
}

void cli_lines_close(cli_lines *l)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigemptyset(&usual.sa_mask);
    if (bell[0] >= 0) {
        sigaction(SIGINT, &usual, NULL);
        close(bell[0]);
        close(bell[1]);
        bell[0] = bell[1] = -1;
    }
    free(l->data);
    *l = (cli_lines){0};
}

int cli_lines_interrupted(void)
{
    return interrupted;
}

void cli_lines_forget(void)
{
    char some[64];
    interrupted = 0;
    while (read(bell[0], some, sizeof some) > 0) {
    }
}

/* Waits for input or Ctrl-C; true for the latter, though there were input too. */
static bool wait_interrupted(void)
{
    struct pollfd source[2] = {{.fd = bell[0], .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    while (poll(source, 2, -1) < 0 && errno == EINTR) {
    }
    return source[0].revents != 0;
}

/* Room for more bytes, those handed out left behind. */
static bool make_room(cli_lines *l)
{
    if (l->first) memmove(l->data, l->data + l->first, l->size - l->first);
    l->size -= l->first;
    l->first = 0;
    if (l->size + 1 < l->room) return true;
    size_t room = l->room ? 2 * l->room : 4096;
    char *grown = realloc(l->data, room);
    if (!grown) return false;
    l->data = grown;
    l->room = room;
    return true;
}

static void read_more(cli_lines *l)
{
    if (!make_room(l)) {
        l->ended = true;
        return;
    }
    ssize_t got = read(STDIN_FILENO, l->data + l->size, l->room - l->size - 1); /* one byte stays for the end of a line */
    if (got > 0) l->size += (size_t)got;
    else if (got == 0 || (errno != EINTR && errno != EAGAIN)) l->ended = true;
}

cli_line cli_lines_next(cli_lines *l, char **line)
{
    for (;;) {
        size_t waiting = l->size - l->first;
        char *start = waiting ? l->data + l->first : NULL, *end = waiting ? memchr(start, '\n', waiting) : NULL;
        if (end || (waiting && l->ended) || waiting >= LONGEST) {
            *line = start;
            l->first = end ? (size_t)(end + 1 - l->data) : l->size;
            if (end) *end = 0;
            else l->data[l->size] = 0;
            return CLI_LINE_TEXT;
        }
        if (l->ended) return CLI_LINE_END;
        if (wait_interrupted()) return CLI_LINE_INTERRUPT;
        read_more(l);
    }
}
