#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

bool cli_colours(FILE *to)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(to)) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t cli_text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++) width += !is_continuation(*text);
    return width;
}

void cli_print_safe(FILE *to, const char *text)
{
    for (; *text; text++) fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, to);
}

void cli_print_dataset(FILE *to, const char *path, const char *category)
{
    const char *slash = strrchr(path, '/');
    cli_print_safe(to, path);
    if (!*category || strcmp(slash ? slash + 1 : path, category) == 0) return;
    fputs(" [", to);
    cli_print_safe(to, category);
    fputc(']', to);
}

void cli_print_words(FILE *to, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i], next = i + 1 < size ? (unsigned char)text[i + 1] : 0;
        bool high = c == 0xc2 && next >= 0x80 && next < 0xa0; /* U+0080 to U+009F are controls, too */
        i += high;
        bool control = high || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        fputc(control ? '?' : (int)c, to);
    }
}

void cli_print_cell(FILE *to, const char *text, size_t width)
{
    size_t has = cli_text_width(text);
    if (has > width) {
        for (size_t skip = has - (width > 3 ? width - 3 : 0); skip > 0; skip--) do
                text++;
            while (is_continuation(*text));
        fputs("...", to);
        has = width;
    }
    cli_print_safe(to, text);
    fprintf(to, "%*s", (int)(width - has), "");
}

void cli_print_wrapped(FILE *to, const char *text, int indent, int columns)
{
    int at = 0;
    while (*text) {
        size_t word = strcspn(text, " \n");
        if (at == 0 || at + 1 + (int)word > columns) {
            if (at > 0) fputc('\n', to);
            fprintf(to, "%*s", indent, "");
            at = indent;
        } else {
            fputc(' ', to);
            at++;
        }
        fprintf(to, "%.*s", (int)word, text);
        at += (int)word;
        text += word;
        if (*text == '\n') at = columns; /* a line of its own begins */
        if (*text) text++;
    }
    fputc('\n', to);
}
