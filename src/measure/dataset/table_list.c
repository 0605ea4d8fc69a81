/* Rows of a table become pictures of a data set: whose paths are looked up, and which belong to the category. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "measure/dataset/table.h"

typedef struct lister {
    flaw_listing *l;
    const char *folder;
    flaw_name_index *index; /* made when the first URI comes */
} lister;

static bool goes_up(const char *text)
{
    for (const char *at = text; (at = strstr(at, "..")); at += 2)
        if ((at == text || at[-1] == '/') && (!at[2] || at[2] == '/')) return true;
    return false;
}

/* A URI's file; `message` gets why there is none. */
static flaw_status find_uri(const char **out, lister *t, const char *text, flaw_error *message)
{
    flaw_status status = FLAW_OK;
    if (!t->index) status = flaw_name_index_new(&t->index, t->folder, message);
    const char *found = NULL;
    if (status == FLAW_OK) status = flaw_name_index_find(&found, t->index, strstr(text, "://") + 3, message);
    if (status != FLAW_OK) return status;
    *out = flaw_arena_copy_string(t->l->arena, found, strlen(found));
    return *out ? FLAW_OK : flaw_fail(message, FLAW_NO_MEMORY, "no memory for a path");
}

/* The file of a path as written: forward slashes, or as Windows writes it. */
static flaw_status find_path(const char **out, lister *t, const char *text, flaw_error *message)
{
    if (text[0] == '/' && goes_up(text))
        return flaw_fail(message, FLAW_BAD_DATA, "'%.200s': an absolute path may not hold '..'", text);
    char *plain = flaw_arena_copy_string(t->l->arena, text, strlen(text));
    for (int turn = 0; plain && turn < 2; turn++) {
        const char *path = plain[0] == '/' || !*t->folder ? plain : flaw_path_join(t->l->arena, t->folder, plain);
        if (path && flaw_file_exists(path)) {
            if (flaw_file_is_folder(path))
                return flaw_fail(message, FLAW_BAD_DATA, "'%.200s' is a folder, expected a picture", text);
            *out = path;
            return FLAW_OK;
        }
        if (!path || !strchr(plain, '\\')) break;
        for (char *c = plain; *c; c++)
            if (*c == '\\') *c = '/';
        if (plain[0] == '/' && goes_up(plain)) break;
    }
    if (!plain) return flaw_fail(message, FLAW_NO_MEMORY, "no memory for a path");
    return flaw_fail(message, FLAW_MISSING, "'%.200s' is not there", text);
}

/* With the table's name and line in front. */
static flaw_status find_file(const char **out, lister *t, const flaw_row *row, const char *text, const char *what,
                             flaw_error *err)
{
    flaw_error message = {0};
    flaw_status status = strstr(text, "://") ? find_uri(out, t, text, &message) : find_path(out, t, text, &message);
    if (status == FLAW_OK) return FLAW_OK;
    return flaw_fail(err, status, "'%.150s':%zu: %s %s", row->where, row->line, what, message.text);
}

/* Faults of the table stop the listing, unless they are collected. */
static flaw_status fault(lister *t, flaw_status status, const flaw_error *found, flaw_error *err)
{
    if (t->l->fault && status != FLAW_NO_MEMORY) return t->l->fault(t->l->context, found->text, err);
    return flaw_fail(err, status, "%s", found->text);
}

static flaw_status add_row(lister *t, const flaw_row *row, bool splits, flaw_error *err)
{
    flaw_dataset_item item = {.kind = row->kind, .label = row->label, .split = row->split, .background = row->background};
    flaw_error found;
    if (splits && !row->has_split) {
        flaw_status status =
            flaw_fail(&found, FLAW_BAD_DATA, "'%s':%zu: no split, other lines have one", row->where, row->line);
        return fault(t, status, &found, err);
    }
    if (!splits) item.split = row->label == FLAW_LABEL_GOOD ? FLAW_DATASET_TRAIN : FLAW_DATASET_TEST;
    flaw_status status = find_file(&item.path, t, row, row->image, "picture", &found);
    if (status != FLAW_OK) return fault(t, status, &found, err);
    const char **mask = flaw_arena_alloc(t->l->arena, row->masks + 1, sizeof *mask);
    if (!mask) return flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory", row->where);
    for (size_t i = 0; i < row->masks; i++) {
        status = find_file(&mask[item.masks], t, row, row->mask[i], "mask", &found);
        if (status == FLAW_OK) item.masks++;
        else if ((status = fault(t, status, &found, err)) != FLAW_OK) return status;
    }
    item.mask = mask;
    return flaw_listing_add(t->l, item, err);
}

flaw_status flaw_rows_list(flaw_listing *l, const flaw_rows *rows, const char *category, const char *folder,
                           flaw_error *err)
{
    lister t = {.l = l, .folder = folder};
    bool splits = false;
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < rows->count; i++) splits |= rows->row[i].has_split;
    for (size_t i = 0; i < rows->count && status == FLAW_OK; i++) {
        const char *of = rows->row[i].category;
        if (!category || !of || strcmp(of, category) == 0) status = add_row(&t, &rows->row[i], splits, err);
    }
    if (!splits) l->references_tested = true;
    flaw_name_index_free(t.index);
    return status;
}
