/* flaw dataset info|check PATH...: what is understood of data sets, and what is wrong with them. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/dataset.h"
#include "flaw/dataset_check.h"

enum { MAX_KINDS = 1000 };

/* How many pictures of one kind are in one part. */
typedef struct part {
    const char *split, *kind;
    size_t count, masks;
} part;

static const char *split_name(flaw_dataset_split split)
{
    return split == FLAW_DATASET_TRAIN ? "train" : split == FLAW_DATASET_TEST ? "test" : "validation";
}

static int by_part(const void *a, const void *b)
{
    static const char *const order[] = {"train", "validation", "test"};
    const part *first = a, *second = b;
    if (first->split == second->split) return strcmp(first->kind, second->kind);
    for (int i = 0; i < 3; i++) {
        if (strcmp(order[i], first->split) == 0) return -1;
        if (strcmp(order[i], second->split) == 0) return 1;
    }
    return 0;
}

/* All parts and kinds, malloc'ed; NULL without memory. */
static part *count_parts(size_t *count, const flaw_dataset *set)
{
    part *parts = calloc(set->items + 1, sizeof *parts);
    size_t n = 0;
    if (!parts) return NULL;
    for (size_t i = 0; i < set->items; i++)
        parts[i] = (part){split_name(set->item[i].split), set->item[i].kind, 1, set->item[i].masks > 0};
    qsort(parts, set->items, sizeof *parts, by_part);
    for (size_t i = 0; i < set->items; i++) {
        if (n && by_part(&parts[n - 1], &parts[i]) == 0) {
            parts[n - 1].count++;
            parts[n - 1].masks += parts[i].masks;
        } else {
            parts[n++] = parts[i];
        }
    }
    *count = n;
    return parts;
}

static void print_name(const flaw_dataset_entry *entry)
{
    cli_print_dataset(stdout, entry->root, entry->category);
}

static json_t *name_json(const flaw_dataset_entry *entry)
{
    return json_pack("{s:o, s:o, s:s}", "dataset", cli_json_text(entry->root), "category",
                     cli_json_text(entry->category), "layout", entry->layout);
}

static void print_line(json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    if (text) puts(text);
    fflush(stdout);
    free(text);
    json_decref(line);
}

static void info_json(const flaw_dataset_entry *entry, const flaw_dataset *set, const part *parts, size_t count)
{
    size_t of[3] = {0}, masks = 0;
    json_t *line = name_json(entry), *list = json_array();
    for (size_t i = 0; i < set->items; i++) {
        of[set->item[i].label]++;
        masks += set->item[i].label == FLAW_LABEL_BAD && set->item[i].masks > 0;
    }
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:I, s:I}", "split", parts[i].split, "kind",
                                              cli_json_text(parts[i].kind), "pictures", (json_int_t)parts[i].count,
                                              "masks", (json_int_t)parts[i].masks));
    json_object_set_new(line, "object", cli_json_text(set->object));
    json_object_set_new(line, "good", json_integer((json_int_t)of[FLAW_LABEL_GOOD]));
    json_object_set_new(line, "bad", json_integer((json_int_t)of[FLAW_LABEL_BAD]));
    json_object_set_new(line, "unknown", json_integer((json_int_t)of[FLAW_LABEL_UNKNOWN]));
    json_object_set_new(line, "masks", json_integer((json_int_t)masks));
    json_object_set_new(line, "references", json_integer((json_int_t)set->references));
    json_object_set_new(line, "tests", json_integer((json_int_t)set->tests));
    json_object_set_new(line, "parts", list);
    print_line(line);
}

static int info(const flaw_dataset_entry *entry, const cli_settings *s)
{
    flaw_error err;
    flaw_dataset set;
    size_t count = 0;
    char about[256];
    if (flaw_dataset_open(&set, entry, &err) != FLAW_OK) return cli_report(&err);
    part *parts = count_parts(&count, &set);
    if (parts && s->json) info_json(entry, &set, parts, count);
    if (parts && !s->json) {
        flaw_dataset_about(about, sizeof about, &set);
        print_name(entry);
        printf(": %s\n", about);
        for (size_t i = 0; i < count && i < MAX_KINDS; i++) {
            printf("  %-11s", parts[i].split);
            cli_print_cell(stdout, parts[i].kind, 24);
            printf("%8zu", parts[i].count);
            if (parts[i].masks) printf("  %zu with a mask", parts[i].masks);
            putchar('\n');
        }
        if (count > MAX_KINDS) printf("  ... and %zu more kinds\n", count - MAX_KINDS);
    }
    free(parts);
    flaw_dataset_close(&set);
    return parts ? 0 : flaw_status_exit(FLAW_NO_MEMORY);
}

static void check_json(const flaw_dataset_entry *entry, const flaw_dataset_report *report)
{
    json_t *line = name_json(entry), *list = json_array();
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "kind", report->problem[i].kind, "path",
                                              cli_json_text(report->problem[i].path), "text",
                                              cli_json_text(report->problem[i].text)));
    json_object_set_new(line, "about", json_string(report->about));
    json_object_set_new(line, "pictures", json_integer((json_int_t)report->pictures));
    json_object_set_new(line, "masks", json_integer((json_int_t)report->masks));
    json_object_set_new(line, "problems", list);
    print_line(line);
}

static void print_report(const flaw_dataset_entry *entry, const flaw_dataset_report *report)
{
    print_name(entry);
    printf(": %s\n", *report->about ? report->about : "no picture could be listed");
    for (size_t i = 0; i < report->count; i++) {
        printf("  %s: ", report->problem[i].kind);
        cli_print_safe(stdout, report->problem[i].text);
        putchar('\n');
    }
    printf("  %zu pictures and %zu masks read, ", report->pictures, report->masks);
    if (report->count) printf("%zu problem%s\n", report->count, report->count == 1 ? "" : "s");
    else printf("no problems\n");
}

static int check(const flaw_dataset_entry *entry, const cli_settings *s)
{
    flaw_error err;
    flaw_dataset_report report;
    cli_progress progress = cli_progress_begin(s);
    flaw_status status = flaw_dataset_check(&report, entry, (int)s->threads, cli_progress_step, &progress, &err);
    cli_progress_clear(&progress);
    if (status != FLAW_OK) return cli_report(&err);
    int exit = report.count ? flaw_status_exit(FLAW_BAD_DATA) : 0;
    if (s->json) check_json(entry, &report);
    else print_report(entry, &report);
    flaw_dataset_report_release(&report);
    return exit;
}

int cmd_dataset(const cli_settings *s)
{
    const char *what = s->arguments.count ? s->arguments.value[0] : "";
    bool checks = strcmp(what, "check") == 0;
    int exit = 0;
    if ((!checks && strcmp(what, "info") != 0) || s->arguments.count < 2)
        return cli_wrong_use("dataset: usage: flaw dataset info PATH... | check PATH...");
    flaw_dataset_list list = {0};
    for (size_t i = 1; i < s->arguments.count; i++) {
        flaw_error err;
        if (flaw_dataset_find(&list, s->arguments.value[i], s->layout, &err) == FLAW_OK) continue;
        int code = cli_report(&err);
        if (!exit) exit = code;
    }
    for (size_t i = 0; i < list.count; i++) {
        int code = checks ? check(&list.entry[i], s) : info(&list.entry[i], s);
        if (!exit) exit = code;
    }
    flaw_dataset_list_release(&list);
    return exit;
}
