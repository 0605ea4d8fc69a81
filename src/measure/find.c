/* Which data sets a path means, as paths. */
#include <stdlib.h>
#include <string.h>

#include "flaw/dataset.h"
#include "flaw/measure.h"

flaw_status flaw_eval_find(flaw_eval_paths *paths, const char *folder, flaw_error *err)
{
    flaw_dataset_list list = {0};
    flaw_status status = flaw_dataset_find(&list, folder, NULL, err);
    for (size_t i = 0; i < list.count && status == FLAW_OK; i++) {
        char **grown = realloc(paths->path, (paths->count + 1) * sizeof *grown);
        if (grown) paths->path = grown;
        if (grown && (grown[paths->count] = strdup(list.entry[i].root))) paths->count++;
        else status = flaw_fail(err, FLAW_NO_MEMORY, "data sets in '%s': no memory", folder);
    }
    flaw_dataset_list_release(&list);
    return status;
}

void flaw_eval_paths_release(flaw_eval_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) free(paths->path[i]);
    free(paths->path);
    *paths = (flaw_eval_paths){0};
}
