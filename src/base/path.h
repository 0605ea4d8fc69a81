/* Paths as text; nothing here looks at the disk. */
#ifndef FLAW_BASE_PATH_H
#define FLAW_BASE_PATH_H

#include <stddef.h>

#include "base/arena.h"

/* "FOLDER/FILE" in the arena, with one slash between; NULL when memory is refused. */
const char *flaw_path_join(flaw_arena *arena, const char *folder, const char *file);
/* Last part of a path, slashes behind it left out, at most 100 bytes of it. */
void flaw_path_name(char *out, size_t room, const char *path);

#endif
