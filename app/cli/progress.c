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

/* What is left when the rest goes as fast as what is done; nothing before that can be told. */
static void print_left(double gone, size_t done, size_t total)
{
    if (!done || gone < 2000 || done >= total) return;
    long left = lround(gone / 1000 * (double)(total - done) / (double)done);
    if (left >= 5400) fprintf(stderr, ", %ld h %ld min left", left / 3600, left % 3600 / 60);
    else if (left >= 90) fprintf(stderr, ", %ld min left", (left + 30) / 60);
    else fprintf(stderr, ", %ld s left", left);
}

int cli_progress_step(void *progress, size_t done, size_t total, const char *what)
{
    cli_progress *p = progress;
    if (total == 0 || cli_milliseconds_since(&p->begin) < p->after) return 0;
    int full = (int)((double)done * BAR / (double)total);
    fprintf(stderr, "\r\033[K[");
    for (int i = 0; i < BAR; i++) fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "] %zu of %zu %s", done, total, what ? what : "");
    print_left(cli_milliseconds_since(&p->begin), done, total);
    fflush(stderr);
    p->shown = true;
    return 0;
}

void cli_progress_clear(cli_progress *p)
{
    if (p->shown) fputs("\r\033[K", stderr);
    p->shown = false;
}
