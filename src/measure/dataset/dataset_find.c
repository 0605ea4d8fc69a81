/* Which data sets a path means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "measure/dataset/layout.h"

enum {
    DEEPEST = 3, /* levels of folders that are searched: data/mvtec/bottle */
    RANKS = 3,
};

flaw_status flaw_dataset_list_add(flaw_dataset_list *list, const char *root, const char *category, const char *layout,
                                  flaw_error *err)
{
    size_t room = list->count ? list->count : 1;
    flaw_dataset_entry entry = {.layout = layout};
    if ((list->count & (list->count - 1)) == 0) { /* full at each power of two */
        flaw_dataset_entry *grown = realloc(list->entry, 2 * room * sizeof *grown);
        if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "data sets in '%s': no memory for %zu", root, 2 * room);
        list->entry = grown;
    }
    entry.root = strdup(root);
    entry.category = strdup(category);
    if (!entry.root || !entry.category) {
        free(entry.root);
        free(entry.category);
        return flaw_fail(err, FLAW_NO_MEMORY, "data sets in '%s': no memory for %zu", root, list->count);
    }
    list->entry[list->count++] = entry;
    return FLAW_OK;
}

void flaw_dataset_list_release(flaw_dataset_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->entry[i].root);
        free(list->entry[i].category);
    }
    free(list->entry);
    *list = (flaw_dataset_list){0};
}

/* The path itself under one layout. */
static flaw_status add(flaw_dataset_list *list, const char *path, const flaw_layout *layout, flaw_error *err)
{
    if (layout->find) return layout->find(list, path, layout->name, err);
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    char *root = strndup(path, end), *category = strndup(path + begin, end - begin);
    flaw_status status = root && category ? flaw_dataset_list_add(list, root, category, layout->name, err)
                                          : flaw_fail(err, FLAW_NO_MEMORY, "data sets in '%s': no memory", path);
    free(root);
    free(category);
    return status;
}

/* The first of its rank that fits. */
static const flaw_layout *guess(const char *path, const flaw_layout *named, int rank)
{
    if (named) return named->fits(path) ? named : NULL;
    for (int i = 0; i < flaw_layout_count; i++)
        if (flaw_layout_table[i].rank == rank && flaw_layout_table[i].fits(path)) return &flaw_layout_table[i];
    return NULL;
}

static bool is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

/* The folders of a path, and below those without a data set once more. Links are followed in the first only, so that a
 * loop of them ends. */
static flaw_status search(flaw_dataset_list *list, const char *path, const flaw_layout *named, int rank, int depth,
                          flaw_error *err)
{
    flaw_names names;
    flaw_status status = flaw_file_list(&names, path, err);
    if (status != FLAW_OK) return status;
    size_t slash = strlen(path);
    while (slash > 1 && path[slash - 1] == '/') slash--;
    for (size_t i = 0; i < names.count && status == FLAW_OK; i++) {
        char *folder = NULL;
        if (asprintf(&folder, "%.*s/%s", (int)slash, path, names.name[i]) < 0) {
            status = flaw_fail(err, FLAW_NO_MEMORY, "data sets in '%s': no memory", path);
            break;
        }
        if (names.name[i][0] != '.' && flaw_file_is_folder(folder) && (depth == 0 || !is_link(folder))) {
            const flaw_layout *layout = guess(folder, named, rank);
            if (layout) status = add(list, folder, layout, err);
            else if (depth + 1 < DEEPEST) status = search(list, folder, named, rank, depth + 1, err);
        }
        free(folder);
    }
    flaw_names_release(&names);
    return status;
}

/* Names of all layouts with commas. */
static void layout_names(char *names, size_t size)
{
    size_t used = 0;
    names[0] = '\0';
    for (int i = 0; i < flaw_layout_count && used < size; i++)
        used += (size_t)snprintf(names + used, size - used, "%s%s", i ? ", " : "", flaw_layout_table[i].name);
}

/* "train/good and test ...; ..." of the named layout, or the names of all. */
static flaw_status not_known(const char *path, const flaw_layout *named, flaw_error *err)
{
    if (named)
        return flaw_fail(err, FLAW_BAD_DATA, "data set '%s': neither it nor a folder in it has layout %s: %s", path,
                         named->name, named->about);
    char names[256];
    layout_names(names, sizeof names);
    return flaw_fail(err, FLAW_BAD_DATA,
                     "data set '%s': neither it nor a folder in it has a known layout (%s); expected is for instance "
                     "train/good, test/good and test/KIND",
                     path, names);
}

flaw_status flaw_dataset_find(flaw_dataset_list *list, const char *path, const char *layout, flaw_error *err)
{
    const flaw_layout *named = layout ? flaw_layout_named(layout) : NULL;
    if (layout && !named) {
        char names[256];
        layout_names(names, sizeof names);
        return flaw_fail(err, FLAW_USAGE, "data set '%s': no layout is called '%s', allowed are %s", path, layout, names);
    }
    if (!flaw_file_exists(path)) return flaw_fail(err, FLAW_MISSING, "data set '%s': no such file or folder", path);
    bool folder = flaw_file_is_folder(path);
    size_t before = list->count;
    for (int rank = 0; rank < RANKS; rank++) {
        const flaw_layout *here = guess(path, named, rank);
        if (here) return add(list, path, here, err);
        if (!folder || rank == RANKS - 1) continue;
        flaw_status status = search(list, path, named, rank, 0, err);
        if (status != FLAW_OK || list->count > before) return status;
    }
    if (folder) return not_known(path, named, err);
    return flaw_fail(err, FLAW_MISSING,
                     "data set '%s': is a file, expected is a folder or a table (.csv, .jsonl, .manifest, meta.json)",
                     path);
}

flaw_status flaw_dataset_open_path(flaw_dataset *out, const char *path, const char *layout, const char *category,
                                   flaw_error *err)
{
    flaw_dataset_list list = {0};
    flaw_status status = flaw_dataset_find(&list, path, layout, err);
    const flaw_dataset_entry *found = NULL;
    size_t fitting = 0;
    for (size_t i = 0; i < list.count && status == FLAW_OK; i++)
        if (!category || strcmp(list.entry[i].category, category) == 0) {
            found = &list.entry[i];
            fitting++;
        }
    if (status == FLAW_OK && fitting == 1) status = flaw_dataset_open(out, found, err);
    else if (status == FLAW_OK && category)
        status = flaw_fail(err, FLAW_MISSING, "data set '%s': %zu of its %zu categories are '%s', expected one", path,
                           fitting, list.count, category);
    else if (status == FLAW_OK)
        status = flaw_fail(err, FLAW_USAGE, "data set '%s' has %zu categories, expected one", path, list.count);
    flaw_dataset_list_release(&list);
    return status;
}
