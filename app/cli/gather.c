#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli.h"

enum { DEEPEST = 32 };

static void note(cli_pictures *p, const flaw_error *err)
{
    if (!p->quiet) cli_report(err);
    if (p->first.status == FLAW_OK) p->first = *err;
}

static void append(cli_pictures *p, char *path)
{
    flaw_error err;
    if (path && p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 64;
        char **grown = realloc(p->path, room * sizeof *grown);
        if (grown) {
            p->path = grown;
            p->room = room;
        }
    }
    if (path && p->count < p->room) {
        p->path[p->count++] = path;
        return;
    }
    free(path);
    flaw_fail(&err, FLAW_NO_MEMORY, "no memory to list %zu pictures", p->count + 1);
    note(p, &err);
}

static bool is_picture(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name && (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png") ||
                                 !strcasecmp(dot, ".bmp"));
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int bytewise(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static char *joined(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    char *path = NULL;
    while (length > 1 && folder[length - 1] == '/') length--;
    if (asprintf(&path, "%.*s%s%s", (int)length, folder, length == 1 && *folder == '/' ? "" : "/", name) < 0)
        return NULL;
    return path;
}

/* Pictures of one folder first, then those of its subfolders; links to folders are not followed (they may be circles).
 */
static void add_folder(cli_pictures *p, const char *folder, int depth)
{
    struct dirent **entry;
    flaw_error err;
    int count = depth < DEEPEST ? scandir(folder, &entry, visible, bytewise) : 0;
    if (count < 0) {
        flaw_fail(&err, FLAW_IO, "folder '%s': cannot be listed: %s", folder, strerrordesc_np(errno));
        note(p, &err);
        return;
    }
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < count; i++) {
            char *path = joined(folder, entry[i]->d_name);
            struct stat info;
            bool is_folder = path && lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
            bool wanted = pass == 0 ? !is_folder && is_picture(entry[i]->d_name) : is_folder;
            if (wanted && pass == 0) append(p, path);
            else if (wanted) add_folder(p, path, depth + 1);
            if (!wanted || pass == 1) free(path);
        }
    for (int i = 0; i < count; i++) free(entry[i]);
    if (depth < DEEPEST) free(entry);
}

void cli_pictures_add(cli_pictures *p, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) { /* a named file is tried whatever its name */
        append(p, strdup(path));
        return;
    }
    size_t before = p->count;
    const flaw_status status = p->first.status;
    add_folder(p, path, 0);
    if (p->count == before && p->first.status == status) {
        flaw_error err;
        flaw_fail(&err, FLAW_MISSING, "folder '%s': no pictures in it, expected files named .jpg, .jpeg, .png or .bmp",
                  path);
        note(p, &err);
    }
}

void cli_pictures_release(cli_pictures *p)
{
    cli_free_strings(p->path, p->count);
    *p = (cli_pictures){0};
}
