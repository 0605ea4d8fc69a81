#include "model/voice/anomalygpt_files.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"

static bool is_there(const char *folder, const char *file)
{
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    const char *path = flaw_path_join(&arena, folder, file);
    const bool there = path && flaw_file_exists(path);
    flaw_arena_release(&arena);
    return there;
}

bool flaw_anomalygpt_is_folder(const char *folder)
{
    return is_there(folder, FLAW_FILE_ANOMALYGPT) || is_there(folder, FLAW_FILE_PANDAGPT) ||
           (is_there(folder, FLAW_FILE_VICUNA) && is_there(folder, FLAW_FILE_IMAGEBIND));
}

flaw_status flaw_anomalygpt_check_folder(const char *folder, flaw_error *err)
{
    static const char *const files[] = {FLAW_FILE_IMAGEBIND, FLAW_FILE_VICUNA, FLAW_FILE_PANDAGPT, FLAW_FILE_ANOMALYGPT};
    char missing[160] = "";
    for (size_t i = 0, used = 0; i < sizeof files / sizeof files[0]; i++) {
        if (is_there(folder, files[i])) continue;
        used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s", used ? ", " : "", files[i]);
    }
    if (!*missing) return FLAW_OK;
    return flaw_fail(err, FLAW_MISSING,
                     "%s: not a folder of AnomalyGPT's weights: it lacks %s (docs/weights.md says where each comes from)",
                     folder, missing);
}
