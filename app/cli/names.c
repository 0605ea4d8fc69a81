#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

void cli_free_strings(char **strings, size_t count)
{
    for (size_t i = 0; strings && i < count; i++) free(strings[i]);
    free(strings);
}

/* Last part of the path without its ending; "picture" where nothing is left. */
static char *stem_of(const char *path)
{
    const char *name = strrchr(path, '/'), *dot;
    name = name ? name + 1 : path;
    dot = strrchr(name, '.');
    size_t length = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    return length ? strndup(name, length) : strdup("picture");
}

/* "good_003" for ".../good/003.png". */
static char *stem_with_folder(const char *path, const char *stem)
{
    const char *end = strrchr(path, '/');
    if (!end || end == path) return strdup(stem);
    const char *begin = end;
    while (begin > path && begin[-1] != '/') begin--;
    char *joined = NULL;
    return asprintf(&joined, "%.*s_%s", (int)(end - begin), begin, stem) < 0 ? NULL : joined;
}

/* Names in use: open addressing over at least twice as many places as names. */
typedef struct name_set {
    char **place;
    size_t mask;
} name_set;

/* False when the name is in use already; else it is now. */
static bool take(name_set *set, char *name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    size_t at = (size_t)hash & set->mask;
    for (; set->place[at]; at = (at + 1) & set->mask)
        if (strcmp(set->place[at], name) == 0) return false;
    set->place[at] = name;
    return true;
}

/* The stem; where it is taken, with the folder's name in front; where that is taken too, with a number behind. */
static char *unique_stem(name_set *set, const char *path)
{
    char *stem = stem_of(path);
    if (!stem || take(set, stem)) return stem;
    char *longer = stem_with_folder(path, stem);
    free(stem);
    if (!longer || take(set, longer)) return longer;
    for (int number = 2;; number++) {
        char *numbered = NULL;
        if (asprintf(&numbered, "%s-%d", longer, number) < 0) numbered = NULL;
        if (numbered && !take(set, numbered)) {
            free(numbered);
            continue;
        }
        free(longer);
        return numbered;
    }
}

char **cli_unique_stems(char *const *path, size_t count)
{
    name_set set = {.mask = 1};
    while (set.mask < 2 * count) set.mask = 2 * set.mask + 1;
    set.place = calloc(set.mask + 1, sizeof *set.place);
    char **stem = calloc(count + 1, sizeof *stem);
    bool good = set.place && stem;
    for (size_t i = 0; good && i < count; i++) good = (stem[i] = unique_stem(&set, path[i])) != NULL;
    free(set.place);
    if (good) return stem;
    cli_free_strings(stem, count);
    return NULL;
}

flaw_status cli_make_folder(const char *path, flaw_error *err)
{
    char *part = strdup(path);
    if (!part) return flaw_fail(err, FLAW_NO_MEMORY, "folder '%s': no memory", path);
    bool made = true;
    for (char *c = part + 1; made; c++) {
        if (*c != '/' && *c != 0) continue;
        char held = *c;
        *c = 0;
        made = mkdir(part, 0777) == 0 || errno == EEXIST;
        *c = held;
        if (!held) break;
    }
    int code = errno;
    struct stat info;
    free(part);
    if (made && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return FLAW_OK;
    return flaw_fail(err, FLAW_IO, "folder '%s': cannot be made: %s", path,
                     made || code == EEXIST ? "a file of that name is there" : strerrordesc_np(code));
}
