/* Files below a folder by their names: what a URI of somebody else's storage may stand for here. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "measure/dataset/table.h"

enum { DEEPEST = 16, MAX_FILES = 2000000 };

struct flaw_name_index {
    flaw_arena arena;
    const char **path; /* [count], sorted by name */
    size_t count, room;
};

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static flaw_status add_file(flaw_name_index *index, const char *path, flaw_error *err)
{
    if (index->count == index->room) {
        size_t room = index->room ? 2 * index->room : 1024;
        const char **grown = index->count < MAX_FILES ? realloc(index->path, room * sizeof *grown) : NULL;
        if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "'%s': no room for over %zu files", path, index->count);
        index->path = grown;
        index->room = room;
    }
    index->path[index->count++] = path;
    return FLAW_OK;
}

static flaw_status add_folder(flaw_name_index *index, const char *folder, int depth, flaw_error *err)
{
    flaw_names names;
    flaw_status status = flaw_file_list(&names, folder, err);
    if (status != FLAW_OK) return status;
    for (size_t i = 0; i < names.count && status == FLAW_OK; i++) {
        struct stat info, target;
        const char *path = flaw_path_join(&index->arena, folder, names.name[i]);
        if (!path) status = flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory for its files", folder);
        if (status != FLAW_OK || lstat(path, &info) != 0) continue;
        if (S_ISDIR(info.st_mode) && depth < DEEPEST) status = add_folder(index, path, depth + 1, err);
        else if (!S_ISDIR(info.st_mode) && stat(path, &target) == 0 && S_ISREG(target.st_mode))
            status = add_file(index, path, err);
    }
    flaw_names_release(&names);
    return status;
}

static int by_name(const void *a, const void *b)
{
    const char *first = *(const char *const *)a, *second = *(const char *const *)b;
    int order = strcmp(name_of(first), name_of(second));
    return order ? order : strcmp(first, second);
}

flaw_status flaw_name_index_new(flaw_name_index **out, const char *folder, flaw_error *err)
{
    flaw_name_index *index = calloc(1, sizeof *index);
    if (!index) return flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory for its files", folder);
    flaw_arena_init(&index->arena, 0);
    flaw_status status = add_folder(index, folder, 0, err);
    if (index->count) qsort(index->path, index->count, sizeof *index->path, by_name);
    if (status == FLAW_OK) *out = index;
    else flaw_name_index_free(index);
    return status;
}

void flaw_name_index_free(flaw_name_index *index)
{
    if (!index) return;
    flaw_arena_release(&index->arena);
    free(index->path);
    free(index);
}

/* Whole parts of the path that agree, from the end. */
static size_t agreement(const char *a, const char *b)
{
    size_t i = strlen(a), j = strlen(b), parts = 0;
    while (i > 0 && j > 0 && a[i - 1] == b[j - 1]) {
        i--;
        j--;
        parts += a[i] == '/';
    }
    return parts + (i == 0 || j == 0 ? 1 : 0);
}

flaw_status flaw_name_index_find(const char **out, const flaw_name_index *index, const char *path, flaw_error *err)
{
    const char *name = name_of(path), *found = NULL;
    size_t low = 0, high = index->count, best = 0, equal = 0;
    while (low < high) { /* the first file with this name */
        size_t middle = (low + high) / 2;
        if (strcmp(name_of(index->path[middle]), name) < 0) low = middle + 1;
        else high = middle;
    }
    for (; *name && low < index->count && strcmp(name_of(index->path[low]), name) == 0; low++) {
        size_t agree = agreement(index->path[low], path);
        equal = !found || agree > best ? 1 : equal + (agree == best);
        if (!found || agree > best) {
            found = index->path[low];
            best = agree;
        }
    }
    if (!found) return flaw_fail(err, FLAW_MISSING, "no file '%.200s' is below the table's folder", name);
    if (equal > 1)
        return flaw_fail(err, FLAW_BAD_DATA, "%zu files below the table's folder may be '%.200s', '%.200s' is one",
                         equal, path, found);
    *out = found;
    return FLAW_OK;
}
