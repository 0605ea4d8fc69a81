/* Which data sets a path means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "flaw/measure.h"
#include "measure/dataset.h"

static flaw_status add(flaw_eval_paths *paths, const char *folder, const char *name, flaw_error *err)
{
    char **grown = realloc(paths->path, (paths->count + 1) * sizeof *grown);
    if (grown) paths->path = grown;
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = grown ? malloc(room) : NULL;
    if (!path)
        return flaw_fail(err, FLAW_NO_MEMORY, "data sets in '%s': no memory for %zu paths", folder, paths->count);
    snprintf(path, room, *name ? "%s/%s" : "%s%s", folder, name);
    if (*name && !flaw_dataset_is(path)) free(path);
    else paths->path[paths->count++] = path;
    return FLAW_OK;
}

flaw_status flaw_eval_find(flaw_eval_paths *paths, const char *folder, flaw_error *err)
{
    if (!flaw_file_is_folder(folder))
        return flaw_fail(err, FLAW_MISSING, "data set '%s': %s", folder,
                         flaw_file_exists(folder) ? "is a file, expected a folder" : "no such folder");
    if (flaw_dataset_is(folder)) return add(paths, folder, "", err);
    flaw_names names;
    size_t before = paths->count;
    flaw_status status = flaw_file_list(&names, folder, err);
    if (status != FLAW_OK) return status;
    for (size_t i = 0; i < names.count && status == FLAW_OK; i++) status = add(paths, folder, names.name[i], err);
    flaw_names_release(&names);
    if (status == FLAW_OK && paths->count == before)
        return flaw_fail(
            err, FLAW_BAD_DATA,
            "data set '%s': neither it nor a folder in it has a known layout; expected train/good and test "
            "(MVTec), or training-images and test-images",
            folder);
    return status;
}

void flaw_eval_paths_release(flaw_eval_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) free(paths->path[i]);
    free(paths->path);
    *paths = (flaw_eval_paths){0};
}
