#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

json_t *cli_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cli_json_text(const char *text)
{
    json_t *value = json_string(text);
    char *ascii = value ? NULL : strdup(text);
    for (char *c = ascii; c && *c; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';
    if (ascii) value = json_string(ascii);
    free(ascii);
    return value ? value : json_null();
}
