#include "base/path.h"

#include <stdio.h>
#include <string.h>

const char *flaw_path_join(flaw_arena *arena, const char *folder, const char *file)
{
    size_t a = strlen(folder), b = strlen(file);
    char *path = flaw_arena_alloc(arena, a + b + 2, 1);
    if (path) snprintf(path, a + b + 2, "%s%s%s", folder, a && folder[a - 1] == '/' ? "" : "/", file);
    return path;
}

void flaw_path_name(char *out, size_t room, const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    snprintf(out, room, "%.*s", (int)(end - begin > 100 ? 100 : end - begin), path + begin);
}
