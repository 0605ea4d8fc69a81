#include <stdarg.h>

#include "cli.h"

int cli_report(const flaw_error *err)
{
    fflush(stdout); /* results before it come first where both go to one place */
    fputs("flaw: ", stderr);
    cli_print_safe(stderr, err->text);
    fputc('\n', stderr);
    return flaw_status_exit(err->status);
}

int cli_wrong_use(const char *format, ...)
{
    flaw_error err = {.status = FLAW_USAGE};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err.text, sizeof err.text, format, arguments);
    va_end(arguments);
    return cli_report(&err);
}
