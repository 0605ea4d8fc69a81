#include "measure/eval/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"

enum { MOST_DATASETS = 1 << 16, MOST_METHODS = 1 << 8, MOST_SHOTS = 1 << 8, MOST_DRAWS = 1 << 11, MOST_ITEMS = 1 << 20 };

const char *flaw_journal_path(flaw_arena *arena, const char *folder)
{
    return flaw_path_join(arena, folder, "results.jsonl");
}

/* --- the set of what is there --- */

/* 63 bits that name a picture of a cell, and 1; 0 for numbers that no plan has. */
static uint64_t key_of(const flaw_cell *c, size_t item)
{
    if (c->dataset >= MOST_DATASETS || c->method >= MOST_METHODS || c->shots >= MOST_SHOTS || c->draw >= MOST_DRAWS ||
        item >= MOST_ITEMS)
        return 0;
    uint64_t key = (uint64_t)c->dataset;
    key = key * MOST_METHODS + (uint64_t)c->method;
    key = key * MOST_SHOTS + (uint64_t)c->shots;
    key = key * MOST_DRAWS + (uint64_t)c->draw;
    return (key * MOST_ITEMS + item) << 1 | 1;
}

/* Where the key is or would be. */
static uint64_t *bucket_of(const flaw_journal *j, uint64_t key)
{
    size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & (j->buckets - 1);
    while (j->key[at] && j->key[at] != key) at = (at + 1) & (j->buckets - 1);
    return &j->key[at];
}

bool flaw_journal_has(const flaw_journal *j, const flaw_cell *cell, size_t item)
{
    uint64_t key = key_of(cell, item);
    return key && j->buckets && *bucket_of(j, key) == key;
}

static flaw_status refused(flaw_error *err)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "memory for the judgements of an evaluation was refused");
}

/* Room for one more: the list doubles, the set stays at most half full. */
static flaw_status make_room(flaw_journal *j, flaw_error *err)
{
    if (j->count == j->room) {
        size_t room = j->room ? 2 * j->room : 256;
        flaw_judgement *grown = realloc(j->judgement, room * sizeof *grown);
        if (!grown) return refused(err);
        j->judgement = grown;
        j->room = room;
    }
    if (2 * (j->count + 1) <= j->buckets) return FLAW_OK;
    flaw_journal grown = {.buckets = j->buckets ? 2 * j->buckets : 1024};
    grown.key = calloc(grown.buckets, sizeof *grown.key);
    if (!grown.key) return refused(err);
    for (size_t i = 0; i < j->buckets; i++)
        if (j->key[i]) *bucket_of(&grown, j->key[i]) = j->key[i];
    free(j->key);
    j->key = grown.key;
    j->buckets = grown.buckets;
    return FLAW_OK;
}

static flaw_status keep(flaw_journal *j, const flaw_judgement *one, flaw_error *err)
{
    uint64_t key = key_of(&one->cell, one->item);
    if (!key) return flaw_fail(err, FLAW_USAGE, "an evaluation of so many pictures is not possible");
    flaw_status s = make_room(j, err);
    if (s) return s;
    *bucket_of(j, key) = key;
    j->judgement[j->count++] = *one;
    return FLAW_OK;
}

/* --- adding --- */

/* What people want to read in a line. */
static json_t *names_of(const flaw_plan *plan, const flaw_judgement *one)
{
    const flaw_dataset_item *item = flaw_plan_item(plan, one->cell.dataset, one->item);
    json_t *names = json_object();
    int failed = json_object_set_new(names, "object", json_string(plan->set[one->cell.dataset].object));
    failed |= json_object_set_new(names, "method", json_string(plan->method[one->cell.method]));
    failed |= json_object_set_new(names, "shots", json_integer(plan->shots[one->cell.shots]));
    failed |= json_object_set_new(names, "draw", json_integer(one->cell.draw));
    failed |= json_object_set_new(names, "kind", flaw_json_text(item->kind));
    failed |= json_object_set_new(names, "bad", json_boolean(item->label == FLAW_LABEL_BAD));
    if (!failed) return names;
    json_decref(names);
    return NULL;
}

/* A text as a line: its NUL becomes the line's end, so that it goes out in one write. */
static size_t end_line(char *text)
{
    size_t length = strlen(text);
    text[length] = '\n';
    return length + 1;
}

/* malloc'ed, without an end. */
static flaw_status line_of(char **out, const flaw_plan *plan, const flaw_judgement *one, flaw_error *err)
{
    json_t *names = names_of(plan, one);
    *out = names ? flaw_judgement_line(one, names) : NULL;
    json_decref(names);
    return *out ? FLAW_OK : refused(err);
}

flaw_status flaw_journal_add(flaw_journal *j, const flaw_plan *plan, const flaw_judgement *one, flaw_error *err)
{
    flaw_judgement copy = *one;
    size_t cells = (size_t)one->grid * (size_t)one->grid;
    copy.image = flaw_arena_copy_string(&j->arena, one->image, strlen(one->image));
    if (one->failure) copy.failure = flaw_arena_copy_string(&j->arena, one->failure, strlen(one->failure));
    float *map = one->map ? flaw_arena_alloc(&j->arena, cells, sizeof *map) : NULL;
    if (!copy.image || (one->failure && !copy.failure) || (one->map && !map)) return refused(err);
    if (map) memcpy(map, one->map, cells * sizeof *map);
    copy.map = map;
    char *line = NULL;
    flaw_status s = j->log ? line_of(&line, plan, one, err) : FLAW_OK;
    if (!s && line) s = flaw_file_log_append(j->log, line, end_line(line), err);
    free(line);
    return s ? s : keep(j, &copy, err);
}

/* --- all at once --- */

static int by_plan(const void *a, const void *b)
{
    const flaw_judgement *x = *(const flaw_judgement *const *)a, *y = *(const flaw_judgement *const *)b;
    const int of_x[] = {x->cell.dataset, x->cell.method, x->cell.shots, x->cell.draw};
    const int of_y[] = {y->cell.dataset, y->cell.method, y->cell.shots, y->cell.draw};
    for (int i = 0; i < 4; i++)
        if (of_x[i] != of_y[i]) return of_x[i] < of_y[i] ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

flaw_status flaw_journal_sorted(const flaw_judgement ***out, const flaw_journal *j, flaw_error *err)
{
    const flaw_judgement **sorted = malloc((j->count + 1) * sizeof *sorted);
    if (!sorted) return refused(err);
    for (size_t i = 0; i < j->count; i++) sorted[i] = &j->judgement[i];
    qsort(sorted, j->count, sizeof *sorted, by_plan);
    *out = sorted;
    return FLAW_OK;
}

static flaw_status write_lines(flaw_file_stream *stream, const flaw_journal *j, const flaw_plan *plan, flaw_error *err)
{
    const flaw_judgement **sorted = NULL;
    char *line = flaw_plan_line(plan, false);
    flaw_status s = line ? flaw_file_stream_write(stream, line, end_line(line), err) : refused(err);
    free(line);
    if (!s) s = flaw_journal_sorted(&sorted, j, err);
    for (size_t i = 0; i < j->count && !s; i++) {
        s = line_of(&line, plan, sorted[i], err);
        if (!s) s = flaw_file_stream_write(stream, line, end_line(line), err);
        free(line);
    }
    free(sorted);
    return s;
}

flaw_status flaw_journal_write(const flaw_journal *j, const flaw_plan *plan, const char *folder, flaw_error *err)
{
    flaw_arena arena;
    flaw_file_stream *stream = NULL;
    flaw_arena_init(&arena, 0);
    const char *path = flaw_journal_path(&arena, folder);
    flaw_status s = path ? flaw_file_make_folder(folder, err) : refused(err);
    if (!s && flaw_file_exists(path))
        s = flaw_fail(err, FLAW_USAGE, "'%s' is there already; take another folder", path);
    if (!s) s = flaw_file_stream_begin(&stream, path, 0, err);
    if (!s) s = write_lines(stream, j, plan, err);
    if (s) flaw_file_stream_abandon(stream);
    else s = flaw_file_stream_end(stream, err);
    flaw_arena_release(&arena);
    return s;
}

/* --- reading --- */

/* The cell and the picture are the plan's. */
static flaw_status check(const flaw_plan *plan, const flaw_judgement *one, flaw_error *err)
{
    const flaw_cell *c = &one->cell;
    if (c->dataset >= (int)plan->sets || c->method >= (int)plan->methods || c->shots >= (int)plan->shot_counts ||
        c->draw >= plan->seeds)
        return flaw_fail(err, FLAW_BAD_DATA, "a cell that the plan does not have");
    const flaw_dataset *set = &plan->set[c->dataset].set;
    if (one->item >= set->items || set->item[one->item].label == FLAW_LABEL_UNKNOWN)
        return flaw_fail(err, FLAW_BAD_DATA, "picture %zu of a data set of %zu", one->item, set->items);
    const char *path = flaw_plan_item(plan, c->dataset, one->item)->path;
    if (strcmp(path, one->image) != 0)
        return flaw_fail(err, FLAW_BAD_DATA, "picture '%.100s', the data set has '%.100s' there: it has changed since",
                         one->image, path);
    return FLAW_OK;
}

static flaw_status take_line(flaw_journal *j, const flaw_plan *plan, const char *line, size_t length, flaw_error *err)
{
    flaw_judgement one;
    flaw_status s = flaw_judgement_read(&one, line, length, &j->arena, err);
    if (!s) s = check(plan, &one, err);
    if (!s && flaw_journal_has(j, &one.cell, one.item))
        s = flaw_fail(err, FLAW_BAD_DATA, "picture '%.200s' is judged twice", one.image);
    return s ? s : keep(j, &one, err);
}

/* Judgements behind the first line; *whole = bytes of the lines that have an end. */
static flaw_status take_lines(flaw_journal *j, const flaw_plan *plan, const flaw_bytes *file, const char *name,
                              size_t *whole, flaw_error *err)
{
    const char *text = (const char *)file->data, *end = text + file->size;
    const char *from = memchr(text, '\n', file->size);
    flaw_error why;
    for (size_t number = 2; from; number++) {
        from++;
        *whole = (size_t)(from - text);
        const char *stop = memchr(from, '\n', (size_t)(end - from));
        if (!stop) break; /* cut by a crash: judged again */
        flaw_status s = take_line(j, plan, from, (size_t)(stop - from), &why);
        if (s) return flaw_fail(err, s, "'%s', line %zu: %s", name, number, why.text);
        from = stop;
    }
    return FLAW_OK;
}

/* Length of the first line, which must have an end. */
static flaw_status first_line(size_t *length, const flaw_bytes *file, const char *name, flaw_error *err)
{
    const char *end = file->size ? memchr(file->data, '\n', file->size) : NULL;
    if (!end)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s', line 1: the plan of an evaluation is expected, it has no end",
                         name);
    *length = (size_t)(end - (const char *)file->data);
    return FLAW_OK;
}

/* `there`: a crash left the file without a whole line. */
static flaw_status begin_fresh(flaw_journal *j, const flaw_plan *plan, const char *path, bool there, flaw_error *err)
{
    char *line = flaw_plan_line(plan, false);
    if (!line) return refused(err);
    flaw_status s = flaw_file_log_open(&j->log, path, !there, err);
    if (!s && there) s = flaw_file_log_cut(j->log, 0, err);
    if (!s) s = flaw_file_log_append(j->log, line, end_line(line), err);
    free(line);
    return s;
}

static flaw_status go_on(flaw_journal *j, const flaw_plan *plan, const char *path, flaw_error *err)
{
    flaw_bytes file = {0};
    size_t length = 0, whole = 0;
    char *line = flaw_plan_line(plan, false);
    flaw_status s = line ? flaw_file_log_open(&j->log, path, false, err) : refused(err);
    if (!s) s = flaw_file_map(&file, path, err);
    if (!s) s = first_line(&length, &file, path, err);
    if (!s && (length != strlen(line) || memcmp(line, file.data, length) != 0))
        s = flaw_fail(err, FLAW_BAD_DATA,
                      "'%s' is of another evaluation: other data sets, methods, shots, seeds, options or model; resume "
                      "it with the options it began with",
                      path);
    if (!s) s = take_lines(j, plan, &file, path, &whole, err);
    if (!s) s = flaw_file_log_cut(j->log, whole, err);
    flaw_bytes_release(&file);
    free(line);
    return s;
}

/* A file that a crash left without a whole first line holds nothing. */
static bool is_empty(const char *path)
{
    flaw_bytes file = {0};
    if (flaw_file_map(&file, path, NULL)) return true;
    bool empty = !file.size || !memchr(file.data, '\n', file.size);
    flaw_bytes_release(&file);
    return empty;
}

flaw_status flaw_journal_begin(flaw_journal *j, const flaw_plan *plan, const char *folder, bool resume, flaw_error *err)
{
    *j = (flaw_journal){0};
    flaw_arena_init(&j->arena, 0);
    if (!folder) return FLAW_OK;
    const char *path = flaw_journal_path(&j->arena, folder);
    flaw_status s = path ? flaw_file_make_folder(folder, err) : refused(err);
    bool there = !s && flaw_file_exists(path);
    if (!s && there && !resume)
        s = flaw_fail(err, FLAW_USAGE, "'%s' is there already; --resume goes on with it, or take another folder", path);
    if (!s) s = there && !is_empty(path) ? go_on(j, plan, path, err) : begin_fresh(j, plan, path, there, err);
    if (s) flaw_journal_close(j, NULL);
    return s;
}

flaw_status flaw_journal_read(flaw_journal *j, flaw_plan *plan, const char *folder, flaw_error *err)
{
    *j = (flaw_journal){0};
    flaw_arena_init(&j->arena, 0);
    flaw_bytes file = {0};
    size_t length = 0, whole = 0;
    bool planned = false;
    const char *path = flaw_journal_path(&j->arena, folder);
    flaw_status s = path ? flaw_file_map(&file, path, err) : refused(err);
    if (!s) s = first_line(&length, &file, path, err);
    if (!s) s = flaw_plan_read(plan, (const char *)file.data, length, path, err);
    planned = !s;
    if (!s) s = take_lines(j, plan, &file, path, &whole, err);
    flaw_bytes_release(&file);
    if (s && planned) flaw_plan_close(plan);
    if (s) flaw_journal_close(j, NULL);
    return s;
}

flaw_status flaw_journal_close(flaw_journal *j, flaw_error *err)
{
    flaw_status s = flaw_file_log_close(j->log, err);
    free(j->judgement);
    free(j->key);
    flaw_arena_release(&j->arena);
    *j = (flaw_journal){0};
    return s;
}
