/* Data sets that a table lists: CSV or JSON lines, VisA's split_csv, meta.json, Lookout's manifest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/path.h"
#include "measure/dataset/table.h"

enum { BEGINNING = 1 << 16, MAX_TABLES = 16 };

typedef enum table_kind { TABLE_CSV, TABLE_JSONL, TABLE_META, TABLE_MANIFEST } table_kind;

/* The files of one data set, and the folder that their paths are relative to. */
typedef struct tables {
    const char *file[MAX_TABLES];
    table_kind kind[MAX_TABLES];
    int count;
    const char *folder;
} tables;

static bool ends_with(const char *name, const char *ending)
{
    size_t a = strlen(name), b = strlen(ending);
    return a > b && strcasecmp(name + a - b, ending) == 0;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "" for a file of the current folder. */
static const char *folder_of(flaw_arena *arena, const char *path)
{
    size_t length = (size_t)(name_of(path) - path);
    return flaw_arena_copy_string(arena, path, length > 1 ? length - 1 : length);
}

/* What a file is, by its name and, unless it was named itself, by its first bytes. */
static bool kind_of(table_kind *kind, const char *path, bool named)
{
    bool csv = ends_with(path, ".csv") || ends_with(path, ".tsv"), meta = ends_with(path, ".json");
    bool lines = ends_with(path, ".jsonl") || ends_with(path, ".ndjson") || ends_with(path, ".manifest");
    flaw_bytes file;
    if ((!csv && !meta && !lines) || flaw_file_is_folder(path) || flaw_file_map(&file, path, NULL) != FLAW_OK)
        return false;
    size_t size = file.size < BEGINNING ? file.size : BEGINNING;
    bool manifest = lines && (ends_with(path, ".manifest") || flaw_table_is_jsonl(file.data, size, true));
    *kind = csv ? TABLE_CSV : meta ? TABLE_META : manifest ? TABLE_MANIFEST : TABLE_JSONL;
    bool is = named;
    if (!is && csv) is = flaw_table_is_csv(file.data, size);
    else if (!is && meta) is = memmem(file.data, size, "\"img_path\"", 10) != NULL;
    else if (!is) is = flaw_table_is_jsonl(file.data, size, manifest);
    flaw_bytes_release(&file);
    return is;
}

/* Tables of these kinds at a path: the file itself, or those of a folder. */
static flaw_status collect(tables *out, flaw_arena *arena, const char *path, table_kind first, table_kind last,
                           flaw_error *err)
{
    *out = (tables){.folder = path};
    if (!flaw_file_is_folder(path)) {
        out->folder = folder_of(arena, path);
        out->file[0] = path;
        out->count = kind_of(&out->kind[0], path, true) && out->kind[0] >= first && out->kind[0] <= last;
        return out->folder ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", path);
    }
    flaw_names names;
    flaw_status status = flaw_file_list(&names, path, err);
    if (status != FLAW_OK) return status;
    for (size_t i = 0; i < names.count && status == FLAW_OK; i++) {
        const char *file = flaw_path_join(arena, path, names.name[i]);
        table_kind kind;
        if (!file) status = flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", path);
        if (status != FLAW_OK || !kind_of(&kind, file, false) || kind < first || kind > last) continue;
        if (out->count == MAX_TABLES)
            status = flaw_fail(err, FLAW_BAD_DATA, "data set '%s': more than %d tables, name one", path, MAX_TABLES);
        else out->file[out->count] = file, out->kind[out->count++] = kind;
    }
    flaw_names_release(&names);
    return status;
}

static bool has_tables(const char *path, table_kind first, table_kind last)
{
    flaw_arena arena;
    tables t;
    flaw_arena_init(&arena, 0);
    bool has = collect(&t, &arena, path, first, last, NULL) == FLAW_OK && t.count > 0;
    flaw_arena_release(&arena);
    return has;
}

/* "train.csv", "lines_test.jsonl": the part, where the name says one. */
static bool split_of(flaw_row *row, const char *path)
{
    static const char *const words[] = {"train", "val", "test"};
    const char *name = name_of(path);
    int found = -1;
    for (int i = 0; i < 3; i++)
        if (strcasestr(name, words[i])) found = found < 0 ? i : 3;
    return found >= 0 && found < 3 && flaw_row_split(row, words[found]);
}

static flaw_status read_one(flaw_rows *rows, const char *path, table_kind kind, flaw_error *err)
{
    flaw_bytes file;
    flaw_status status = flaw_file_read(&file, path, FLAW_TABLE_MAX_FILE, err);
    if (status != FLAW_OK) return status;
    if (kind == TABLE_CSV) status = flaw_rows_csv(rows, file.data, file.size, path, err);
    else if (kind == TABLE_META) status = flaw_rows_meta(rows, file.data, file.size, path, err);
    else status = flaw_rows_jsonl(rows, file.data, file.size, kind == TABLE_MANIFEST, path, err);
    flaw_bytes_release(&file);
    return status;
}

/* Either every line names a category or none. */
static flaw_status check_categories(const flaw_rows *rows, flaw_error *err)
{
    bool named = false;
    for (size_t i = 0; i < rows->count; i++) named |= rows->row[i].category != NULL;
    for (size_t i = 0; i < rows->count && named; i++)
        if (!rows->row[i].category)
            return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: no category, other lines have one", rows->row[i].where,
                             rows->row[i].line);
    return FLAW_OK;
}

/* All lines of all files. Of several files each must say which part it is, in its lines or in its name. */
static flaw_status read_tables(flaw_rows *rows, const tables *t, const char *path, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (int i = 0; i < t->count && status == FLAW_OK; i++) {
        size_t before = rows->count;
        status = read_one(rows, t->file[i], t->kind[i], err);
        for (size_t r = before; r < rows->count && status == FLAW_OK && t->count > 1; r++)
            if (!rows->row[r].has_split && !split_of(&rows->row[r], t->file[i]))
                status = flaw_fail(err, FLAW_BAD_DATA,
                                   "data set '%s' has %d tables, and '%s' says neither in its name nor in line %zu "
                                   "whether it is to train or to test; name one of them",
                                   path, t->count, t->file[i], rows->row[r].line);
    }
    if (status == FLAW_OK && rows->count == 0)
        status = flaw_fail(err, FLAW_MISSING, "data set '%s': its table lists no picture", path);
    return status == FLAW_OK ? check_categories(rows, err) : status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One data set for each category, or one with the folder's name. */
static flaw_status add_categories(flaw_dataset_list *list, const flaw_rows *rows, const tables *t, const char *path,
                                  const char *layout, flaw_error *err)
{
    if (!rows->row[0].category) {
        char name[128] = "";
        flaw_path_name(name, sizeof name, t->folder);
        return flaw_dataset_list_add(list, path, name, layout, err);
    }
    const char **category = malloc(rows->count * sizeof *category);
    if (!category) return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", path);
    for (size_t i = 0; i < rows->count; i++) category[i] = rows->row[i].category;
    qsort(category, rows->count, sizeof *category, by_text);
    flaw_status status = FLAW_OK;
    size_t different = 0;
    for (size_t i = 0; i < rows->count && status == FLAW_OK; i++) {
        if (i && strcmp(category[i], category[i - 1]) == 0) continue;
        if (++different > FLAW_DATASET_MAX_CATEGORIES)
            status = flaw_fail(err, FLAW_BAD_DATA, "data set '%s': more than %d categories", path,
                               FLAW_DATASET_MAX_CATEGORIES);
        else status = flaw_dataset_list_add(list, path, category[i], layout, err);
    }
    free(category);
    return status;
}

static flaw_status find_tables(flaw_dataset_list *list, const tables *t, flaw_arena *arena, const char *path,
                               const char *layout, flaw_error *err)
{
    flaw_rows rows = {.arena = arena};
    flaw_status status = read_tables(&rows, t, path, err);
    return status == FLAW_OK ? add_categories(list, &rows, t, path, layout, err) : status;
}

static flaw_status list_tables(flaw_listing *l, const tables *t, const flaw_dataset_entry *entry, flaw_error *err)
{
    flaw_rows rows = {.arena = l->arena};
    flaw_status status = read_tables(&rows, t, entry->root, err);
    return status == FLAW_OK ? flaw_rows_list(l, &rows, entry->category, t->folder, err) : status;
}

/* Kinds of tables that a layout takes. */
static void kinds_of(table_kind *first, table_kind *last, const char *layout)
{
    bool meta = strcmp(layout, "meta") == 0, manifest = strcmp(layout, "manifest") == 0;
    *first = meta ? TABLE_META : manifest ? TABLE_MANIFEST : TABLE_CSV;
    *last = meta ? TABLE_META : manifest ? TABLE_MANIFEST : TABLE_JSONL;
}

bool flaw_layout_fits_table(const char *path)
{
    return has_tables(path, TABLE_CSV, TABLE_JSONL);
}

bool flaw_layout_fits_meta(const char *path)
{
    return has_tables(path, TABLE_META, TABLE_META);
}

bool flaw_layout_fits_manifest(const char *path)
{
    return has_tables(path, TABLE_MANIFEST, TABLE_MANIFEST);
}

flaw_status flaw_layout_find_table(flaw_dataset_list *list, const char *path, const char *layout, flaw_error *err)
{
    flaw_arena arena;
    tables t;
    table_kind first, last;
    flaw_arena_init(&arena, 0);
    kinds_of(&first, &last, layout);
    flaw_status status = collect(&t, &arena, path, first, last, err);
    if (status == FLAW_OK) status = find_tables(list, &t, &arena, path, layout, err);
    flaw_arena_release(&arena);
    return status;
}

flaw_status flaw_layout_list_table(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err)
{
    tables t;
    table_kind first, last;
    kinds_of(&first, &last, entry->layout);
    flaw_status status = collect(&t, l->arena, entry->root, first, last, err);
    return status == FLAW_OK ? list_tables(l, &t, entry, err) : status;
}

/* split_csv/1cls.csv of VisA's folder, or one of its files by name; paths are relative to VisA's folder. */
static bool visa_table(tables *out, flaw_arena *arena, const char *path)
{
    static const char *const files[] = {"split_csv/1cls.csv", "split_csv/2cls_highshot.csv",
                                        "split_csv/2cls_fewshot.csv"};
    *out = (tables){.folder = path};
    if (!flaw_file_is_folder(path)) {
        const char *splits = folder_of(arena, path);
        if (!splits || strcmp(name_of(splits), "split_csv") != 0) return false;
        out->folder = folder_of(arena, splits);
        out->file[0] = path;
    }
    for (int i = 0; i < 3 && !out->file[0]; i++) {
        const char *file = flaw_path_join(arena, path, files[i]);
        if (file && flaw_file_exists(file)) out->file[0] = file;
    }
    out->count = 1;
    return out->folder && out->file[0] && kind_of(&out->kind[0], out->file[0], true) && out->kind[0] == TABLE_CSV;
}

bool flaw_layout_fits_visa(const char *path)
{
    flaw_arena arena;
    tables t;
    flaw_arena_init(&arena, 0);
    bool fits = visa_table(&t, &arena, path);
    flaw_arena_release(&arena);
    return fits;
}

flaw_status flaw_layout_find_visa(flaw_dataset_list *list, const char *path, const char *layout, flaw_error *err)
{
    flaw_arena arena;
    tables t;
    flaw_arena_init(&arena, 0);
    flaw_status status = visa_table(&t, &arena, path) ? find_tables(list, &t, &arena, path, layout, err)
                                                      : flaw_fail(err, FLAW_BAD_DATA, "data set '%s': no VisA", path);
    flaw_arena_release(&arena);
    return status;
}

flaw_status flaw_layout_list_visa(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err)
{
    tables t;
    if (!visa_table(&t, l->arena, entry->root))
        return flaw_fail(err, FLAW_BAD_DATA, "data set '%s': no split_csv/1cls.csv with a column image", entry->root);
    return list_tables(l, &t, entry, err);
}
