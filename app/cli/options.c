#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

static bool is_list(const cli_option *option)
{
    return option->kind == CLI_LIST || option->kind == CLI_LINES;
}

void cli_settings_release(cli_settings *s)
{
    for (int i = 0; i < cli_option_count; i++)
        if (is_list(&cli_option_table[i])) {
            cli_list *list = (cli_list *)((char *)s + cli_option_table[i].offset);
            free(list->value);
            *list = (cli_list){0};
        }
    for (size_t i = 0; i < s->copies.count; i++) free((void *)(uintptr_t)s->copies.value[i]);
    free(s->copies.value);
    free(s->arguments.value);
    s->copies = s->arguments = (cli_list){0};
}

void cli_environment_name(char out[64], const cli_option *option)
{
    snprintf(out, 64, "FLAW_%s", option->name);
    for (char *c = out; *c; c++) *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

static flaw_status list_add(cli_list *list, const char *value, flaw_error *err)
{
    const char **grown = realloc(list->value, (list->count + 1) * sizeof *grown);
    if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu arguments", list->count + 1);
    grown[list->count++] = value;
    list->value = grown;
    return FLAW_OK;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (const char *c = choices; length && *c; c += strcspn(c, "|"), c += *c == '|')
        if (strcspn(c, "|") == length && strncmp(c, value, length) == 0) return true;
    return false;
}

/* 0.01, 1% or 1/100; an option whose lowest value is above 0 takes no 0. */
static bool read_share(double *out, const cli_option *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text) return false;
    if (*end == '%') {
        value /= 100;
        end++;
    } else if (*end == '/') {
        const char *under = end + 1;
        double divisor = strtod(under, &end);
        if (end == under || !(divisor > 0)) return false;
        value /= divisor;
    }
    if (*end || !(value >= option->low && value <= 1)) return false;
    *out = value;
    return true;
}

static bool read_integer(int64_t *out, const cli_option *option, const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || (double)value < option->low || (double)value > option->high) return false;
    *out = value;
    return true;
}

static bool read_real(double *out, const cli_option *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= option->low && value <= option->high)) return false;
    *out = value;
    return true;
}

static bool read_switch(bool *out, const char *text)
{
    bool on = is_choice("1|yes|true|on", text);
    if (!on && !is_choice("0|no|false|off", text)) return false;
    *out = on;
    return true;
}

/* Why a value was refused: `where` is "--threads" or "FLAW_THREADS". */
static flaw_status refuse(const cli_option *o, const char *where, const char *value, flaw_error *err)
{
    switch (o->kind) {
    case CLI_SWITCH: return flaw_fail(err, FLAW_USAGE, "%s: '%.80s' is not yes or no", where, value);
    case CLI_CHOICE: return flaw_fail(err, FLAW_USAGE, "%s: '%.80s' is not one of %s", where, value, o->choices);
    case CLI_SHARE:
        return flaw_fail(err, FLAW_USAGE, "%s: '%.80s' is not a share %s 0 and 1 (0.01, 1%% or 1/100)", where,
                         value, o->low > 0 ? "strictly between" : "between");
    case CLI_INTEGER:
        return flaw_fail(err, FLAW_USAGE, "%s: '%.80s' is not a whole number from %.0f to %.0f", where, value, o->low,
                         o->high);
    case CLI_REAL:
        return flaw_fail(err, FLAW_USAGE, "%s: '%.80s' is not a number from %g to %g", where, value, o->low, o->high);
    default: return flaw_fail(err, FLAW_USAGE, "%s: empty, expected %s", where, o->argument);
    }
}

static flaw_status set_value(cli_settings *s, const cli_option *o, const char *where, const char *value,
                             flaw_error *err)
{
    void *field = (char *)s + o->offset;
    bool good = false;
    switch (o->kind) {
    case CLI_SWITCH: good = read_switch(field, value); break;
    case CLI_SHARE: good = read_share(field, o, value); break;
    case CLI_INTEGER: good = read_integer(field, o, value); break;
    case CLI_REAL: good = read_real(field, o, value); break;
    case CLI_LIST:
    case CLI_LINES: good = *value != 0; break;
    case CLI_CHOICE: good = is_choice(o->choices, value); break;
    case CLI_TEXT: good = *value != 0; break;
    case CLI_WORDS: good = true; break;
    }
    if (!good) return refuse(o, where, value, err);
    if (is_list(o)) return list_add(field, value, err);
    if (o->kind == CLI_CHOICE || o->kind == CLI_TEXT || o->kind == CLI_WORDS) *(const char **)field = value;
    return FLAW_OK;
}

static const cli_option *find_long(const char *name, size_t length, unsigned command)
{
    for (int i = 0; i < cli_option_count; i++) {
        const cli_option *o = &cli_option_table[i];
        if ((o->commands & command) && strlen(o->name) == length && strncmp(o->name, name, length) == 0) return o;
    }
    return NULL;
}

static const cli_option *find_short(char letter, unsigned command)
{
    for (int i = 0; i < cli_option_count; i++)
        if ((cli_option_table[i].commands & command) && cli_option_table[i].letter == letter)
            return &cli_option_table[i];
    return NULL;
}

/* The word is an option of no command, of another one, or nearly one of this. */
static flaw_status unknown_option(const char *word, size_t length, unsigned command, flaw_error *err)
{
    const char *here = cli_command_of(command)->name;
    const cli_option *other = length > 2 ? find_long(word + 2, length - 2, CLI_ALL) : NULL;
    for (int i = 0; other && i < cli_command_count; i++)
        if (other->commands & cli_command_table[i].bit)
            return flaw_fail(err, FLAW_USAGE, "%.*s is an option of flaw %s, not of flaw %s (flaw help %s)",
                             (int)length, word, cli_command_table[i].name, here, here);
    const char *names[64], *near = NULL;
    char wanted[64];
    size_t count = 0;
    for (int i = 0; i < cli_option_count && count < 64; i++)
        if (cli_option_table[i].commands & command) names[count++] = cli_option_table[i].name;
    if (length > 2 && length < sizeof wanted) {
        snprintf(wanted, sizeof wanted, "%.*s", (int)length - 2, word + 2);
        near = cli_nearest(wanted, names, count);
    }
    if (near)
        return flaw_fail(err, FLAW_USAGE, "unknown option %.*s of flaw %s; did you mean --%s?", (int)length, word, here,
                         near);
    return flaw_fail(err, FLAW_USAGE, "unknown option %.*s of flaw %s; flaw help %s lists them",
                     (int)(length > 80 ? 80 : length), word, here, here);
}

/* One word that begins with a dash; *used says whether the next word was its value. */
static flaw_status parse_option(cli_settings *s, bool *given, unsigned command, const char *word, const char *next,
                                bool *used, flaw_error *err)
{
    bool is_long = word[1] == '-';
    size_t length = is_long ? strcspn(word, "=") : 2;
    const cli_option *o = is_long ? find_long(word + 2, length - 2, command) : find_short(word[1], command);
    if (!o) return unknown_option(word, length, command, err);
    char where[80];
    snprintf(where, sizeof where, "%.*s", (int)length, word);
    const char *value = word[length] ? word + length + (is_long || word[length] == '=') : NULL;
    if (!value && o->kind == CLI_SWITCH) value = "yes";
    *used = !value;
    if (!value) value = next;
    if (!value) return flaw_fail(err, FLAW_USAGE, "%s needs a value: %s", where, o->choices ? o->choices : o->argument);
    given[o - cli_option_table] = true;
    return set_value(s, o, where, value, err);
}

/* A list is cut apart there, so its pieces are copied; s->copies owns them. */
static flaw_status from_environment(cli_settings *s, const cli_option *o, flaw_error *err)
{
    char name[64];
    cli_environment_name(name, o);
    const char *value = getenv(name);
    if (!value || !*value) return FLAW_OK;
    if (!is_list(o)) return set_value(s, o, name, value, err);
    const char *between = o->kind == CLI_LINES ? "\n" : ":";
    for (const char *at = value; *at; at += *at == *between) { /* past the separator, not past the end */
        size_t length = strcspn(at, between);
        char *piece = length ? strndup(at, length) : NULL;
        if (length && !piece) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to read %s", name);
        flaw_status status = piece ? list_add(&s->copies, piece, err) : FLAW_OK;
        if (status != FLAW_OK) free(piece);
        if (status == FLAW_OK && piece) status = set_value(s, o, name, piece, err);
        if (status != FLAW_OK) return status;
        at += length;
    }
    return FLAW_OK;
}

flaw_status cli_settings_parse(cli_settings *s, unsigned command, int count, char **words, flaw_error *err)
{
    bool given[256] = {false};
    bool options_end = false;
    flaw_status status = FLAW_OK;
    for (int i = 0; i < count && status == FLAW_OK; i++) {
        bool used = false;
        if (options_end || words[i][0] != '-' || !words[i][1]) {
            status = list_add(&s->arguments, words[i], err);
        } else if (strcmp(words[i], "--") == 0) {
            options_end = true;
        } else {
            status = parse_option(s, given, command, words[i], i + 1 < count ? words[i + 1] : NULL, &used, err);
            i += used;
        }
    }
    for (int i = 0; i < cli_option_count && status == FLAW_OK; i++)
        if ((cli_option_table[i].commands & command) && !given[i] && strcmp(cli_option_table[i].name, "help") != 0)
            status = from_environment(s, &cli_option_table[i], err);
    return status;
}
