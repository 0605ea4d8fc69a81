/* A data set opened: its pictures in order, and what is said of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/dataset/dataset_store.h"
#include "measure/dataset/layout.h"

/* "metal_nut" -> "metal nut". */
static const char *words_of(flaw_arena *arena, const char *category)
{
    char *words = flaw_arena_copy_string(arena, category, strlen(category));
    for (char *c = words; c && *c; c++)
        if (*c == '_' || *c == '-') *c = ' ';
    return words && (!*words || *words == '.' || *words == '/') ? "object" : words;
}

/* 0 references, 1 others, 2 tests. */
static int place_of(const flaw_dataset_item *item)
{
    if (item->split == FLAW_DATASET_TRAIN && item->label == FLAW_LABEL_GOOD) return 0;
    return item->split == FLAW_DATASET_TEST && item->label != FLAW_LABEL_UNKNOWN ? 2 : 1;
}

static flaw_status arrange(flaw_dataset *set, flaw_arena *arena, const flaw_listing *l, flaw_error *err)
{
    flaw_dataset_item *item = flaw_arena_alloc(arena, l->count, sizeof *item);
    if (!item) return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory for %zu pictures", set->root, l->count);
    size_t end[3] = {0}, at = 0;
    for (int place = 0; place < 3; place++) {
        for (size_t i = 0; i < l->count; i++)
            if (place_of(&l->item[i]) == place) item[at++] = l->item[i];
        end[place] = at;
    }
    set->item = set->reference = item;
    set->items = l->count;
    set->references = end[0];
    set->test = item + end[1];
    set->tests = end[2] - end[1];
    set->references_tested = l->references_tested;
    return FLAW_OK;
}

static flaw_status read_items(flaw_dataset *set, flaw_listing *l, const flaw_layout *layout,
                              const flaw_dataset_entry *entry, flaw_error *err)
{
    flaw_status status = layout->list(l, entry, err);
    if (status == FLAW_OK && l->count == 0)
        status = flaw_fail(err, FLAW_MISSING, "data set '%s' (%s): no pictures", set->root, set->layout);
    return status == FLAW_OK ? arrange(set, l->arena, l, err) : status;
}

flaw_status flaw_dataset_open(flaw_dataset *out, const flaw_dataset_entry *entry, flaw_error *err)
{
    return flaw_dataset_read(out, entry, NULL, NULL, err);
}

flaw_status flaw_dataset_read(flaw_dataset *out, const flaw_dataset_entry *entry, flaw_table_fault fault, void *context,
                              flaw_error *err)
{
    const flaw_layout *layout = entry->layout ? flaw_layout_named(entry->layout) : NULL;
    if (!layout)
        return flaw_fail(err, FLAW_USAGE, "data set '%s': no layout is called '%s'", entry->root,
                         entry->layout ? entry->layout : "");
    flaw_dataset set = {.layout = layout->name, .store = calloc(1, sizeof *set.store)};
    if (!set.store) return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", entry->root);
    flaw_arena *arena = &set.store->arena;
    flaw_arena_init(arena, 0);
    set.root = flaw_arena_copy_string(arena, entry->root, strlen(entry->root));
    set.category = flaw_arena_copy_string(arena, entry->category, strlen(entry->category));
    set.object = words_of(arena, entry->category);
    flaw_listing l = {.arena = arena, .object = set.object, .fault = fault, .context = context};
    flaw_status status = set.root && set.category && set.object
                             ? read_items(&set, &l, layout, entry, err)
                             : flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", entry->root);
    if (status == FLAW_OK && strcmp(set.layout, "loco") == 0) status = flaw_defects_read(set.store, set.root, err);
    if (status == FLAW_OK) *out = set;
    else flaw_dataset_close(&set);
    return status;
}

void flaw_dataset_close(flaw_dataset *set)
{
    if (set->store) flaw_arena_release(&set->store->arena);
    free(set->store);
    *set = (flaw_dataset){0};
}

flaw_status flaw_dataset_testable(const flaw_dataset *set, flaw_error *err)
{
    size_t labels = 0;
    for (size_t i = 0; i < set->items; i++) labels += set->item[i].label != FLAW_LABEL_UNKNOWN;
    if (set->tests > 0) return FLAW_OK;
    if (labels == 0)
        return flaw_fail(err, FLAW_BAD_DATA,
                         "data set '%s' (%s): nothing says which of its %zu pictures are good and which are bad; "
                         "expected is for instance train/good, test/good and test/KIND",
                         set->root, set->layout, set->items);
    return flaw_fail(err, FLAW_MISSING, "data set '%s' (%s): none of its %zu pictures is one to test with a label",
                     set->root, set->layout, set->items);
}

int flaw_dataset_has_map(const flaw_dataset_item *item)
{
    return item->label == FLAW_LABEL_GOOD || (item->label == FLAW_LABEL_BAD && item->masks > 0);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Kinds among the bad pictures; 0 without memory. */
static size_t count_kinds(const flaw_dataset *set)
{
    const char **kind = malloc((set->items + 1) * sizeof *kind);
    size_t n = 0, different = 0;
    for (size_t i = 0; i < set->items && kind; i++)
        if (set->item[i].label == FLAW_LABEL_BAD) kind[n++] = set->item[i].kind;
    if (n) qsort(kind, n, sizeof *kind, by_text);
    for (size_t i = 0; i < n; i++) different += i == 0 || strcmp(kind[i], kind[i - 1]) != 0;
    free(kind);
    return different;
}

void flaw_dataset_about(char *out, size_t room, const flaw_dataset *set)
{
    size_t count[3] = {0}, test[3] = {0}, masks = 0, kinds = count_kinds(set), used = 0;
    for (size_t i = 0; i < set->items; i++) {
        count[set->item[i].label]++;
        masks += set->item[i].label == FLAW_LABEL_BAD && set->item[i].masks > 0;
    }
    for (size_t i = 0; i < set->tests; i++) test[set->test[i].label]++;
    char kind[40] = "", unknown[40] = "";
    if (count[FLAW_LABEL_BAD]) snprintf(kind, sizeof kind, " in %zu kind%s", kinds, kinds == 1 ? "" : "s");
    if (count[FLAW_LABEL_UNKNOWN])
        snprintf(unknown, sizeof unknown, "%zu without a label, ", count[FLAW_LABEL_UNKNOWN]);
    /* The good ones are those to learn from, as data sets are quoted; those to test come behind. */
    size_t good = set->references ? set->references : count[FLAW_LABEL_GOOD];
    int n = snprintf(out, room, "%zu good, %zu bad%s, %s%zu mask%s, layout %s", good,
                     count[FLAW_LABEL_BAD], kind, unknown, masks, masks == 1 ? "" : "s", set->layout);
    used = n > 0 ? (size_t)n : 0;
    if (used >= room) return;
    if (set->references_tested)
        snprintf(out + used, room - used, " (test: %zu good, %zu bad, and good ones not learned from)",
                 test[FLAW_LABEL_GOOD], test[FLAW_LABEL_BAD]);
    else
        snprintf(out + used, room - used, " (test: %zu good, %zu bad)", test[FLAW_LABEL_GOOD], test[FLAW_LABEL_BAD]);
}
