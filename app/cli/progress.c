#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { BAR = 30 };

cli_progress cli_progress_begin(const cli_settings *s)
{
    const char *when = s->progress ? s->progress : "auto";
    cli_progress p = {.after = isatty(STDERR_FILENO) ? 500 : INFINITY};
    if (strcmp(when, "always") == 0) p.after = 0;
    if (strcmp(when, "never") == 0) p.after = INFINITY;
    clock_gettime(CLOCK_MONOTONIC, &p.begin);
    return p;
}

double cli_milliseconds_since(const struct timespec *begin)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) * 1e3 + (double)(now.tv_nsec - begin->tv_nsec) / 1e6;
}

int cli_progress_step(void *progress, size_t done, size_t total, const char *what)
{
    cli_progress *p = progress;
    if (total == 0 || cli_milliseconds_since(&p->begin) < p->after) return 0;
    int full = (int)((double)done * BAR / (double)total);
    fprintf(stderr, "\r\033[K[");
    for (int i = 0; i < BAR; i++) fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "] %zu of %zu %s", done, total, what ? what : "");
    fflush(stderr);
    p->shown = true;
    return 0;
}

void cli_progress_clear(cli_progress *p)
{
    if (p->shown) fputs("\r\033[K", stderr);
    p->shown = false;
}
