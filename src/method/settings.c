#include "method/settings.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 64 };

/* "k, coreset" */
static void list_names(char *out, size_t size, const flaw_method_option *list)
{
    size_t used = 0;
    out[0] = '\0';
    for (; list && list->name && used < size; list++)
        used += (size_t)snprintf(out + used, size - used, used ? ", %s" : "%s", list->name);
}

static flaw_status refuse_name(const flaw_method_option *list, const char *name, const char *method, flaw_error *err)
{
    char names[200];
    list_names(names, sizeof names, list);
    return flaw_fail(err, FLAW_USAGE, "method %s has no option \"%.60s\", allowed are %s", method, name,
                     *names ? names : "none");
}

static flaw_status refuse_value(const flaw_method_option *o, const char *value, const char *method, flaw_error *err)
{
    if (o->kind == FLAW_OPTION_CHOICE)
        return flaw_fail(err, FLAW_USAGE, "option %s of method %s is \"%.60s\", allowed are %s", o->name, method, value,
                         o->choices);
    return flaw_fail(err, FLAW_USAGE, "option %s of method %s is \"%.60s\", allowed are %s%g to %g", o->name, method,
                     value, o->kind == FLAW_OPTION_WHOLE ? "whole numbers from " : "", o->low, o->high);
}

/* The place of `word` in "a|b|c", or -1. */
static int place_of(const char *choices, const char *word)
{
    size_t length = strlen(word);
    for (int i = 0; length; i++) {
        size_t n = strcspn(choices, "|");
        if (n == length && !strncmp(choices, word, n)) return i;
        if (!choices[n]) return -1;
        choices += n + 1;
    }
    return -1;
}

/* 0.1, 10% or 1/10 for a share; a plain number else. */
static bool read_number(double *out, flaw_option_kind kind, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text) return false;
    if (kind == FLAW_OPTION_SHARE && *end == '%') {
        v /= 100;
        end++;
    } else if (kind == FLAW_OPTION_SHARE && *end == '/') {
        const char *under = end + 1;
        double divisor = strtod(under, &end);
        if (end == under || divisor == 0) return false;
        v /= divisor;
    }
    *out = v;
    return !*end && isfinite(v) && (kind != FLAW_OPTION_WHOLE || v == floor(v));
}

static flaw_status read_value(double *out, const flaw_method_option *o, const char *text, const char *method,
                              flaw_error *err)
{
    if (o->kind == FLAW_OPTION_CHOICE) {
        int place = place_of(o->choices, text);
        *out = place;
        return place >= 0 ? FLAW_OK : refuse_value(o, text, method, err);
    }
    bool ok = read_number(out, o->kind, text) && *out >= o->low && *out <= o->high;
    return ok ? FLAW_OK : refuse_value(o, text, method, err);
}

/* One "NAME=VALUE" of `length` bytes; `seen` has a bit for each option given so far. */
static flaw_status read_pair(double *value, unsigned *seen, const flaw_method_option *list, const char *pair,
                             size_t length, const char *method, flaw_error *err)
{
    char word[WORD] = "";
    if (length >= sizeof word)
        return flaw_fail(err, FLAW_USAGE, "option \"%.40s...\" of method %s is too long", pair, method);
    memcpy(word, pair, length);
    char *equals = strchr(word, '=');
    if (equals) *equals = '\0';
    int i = 0;
    while (list && list[i].name && strcmp(list[i].name, word) != 0) i++;
    if (!list || !list[i].name) return refuse_name(list, word, method, err);
    if (!equals)
        return flaw_fail(err, FLAW_USAGE, "option %s of method %s has no value, expected is %s=VALUE", word, method,
                         word);
    if (*seen >> i & 1) return flaw_fail(err, FLAW_USAGE, "option %s of method %s is given twice", word, method);
    *seen |= 1u << i;
    return read_value(&value[i], &list[i], equals + 1, method, err);
}

flaw_status flaw_settings_read(double value[FLAW_SETTINGS_MOST], const flaw_method_option *list, const char *text,
                               const char *method, flaw_error *err)
{
    unsigned seen = 0;
    int count = 0;
    for (int i = 0; i < FLAW_SETTINGS_MOST; i++) value[i] = 0;
    for (; list && list[count].name; count++) {
        if (count == FLAW_SETTINGS_MOST) return flaw_fail(err, FLAW_INTERNAL, "method %s has too many options", method);
        value[count] = list[count].standard;
    }
    flaw_status s = FLAW_OK;
    for (const char *at = text; !s && at && *at;) {
        size_t length = strcspn(at, ",");
        s = read_pair(value, &seen, list, at, length, method, err);
        at += length + (at[length] == ',');
    }
    return s;
}
