/* What the words of a table mean. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "measure/dataset/table.h"

typedef struct column_name {
    const char *name;
    flaw_column column;
} column_name;

/* Names that tables in use have: anomalib, VisA, meta.json, and people's own. */
static const column_name column_names[] = {
    {"image_path", FLAW_COLUMN_IMAGE},   {"image", FLAW_COLUMN_IMAGE},      {"img_path", FLAW_COLUMN_IMAGE},
    {"img", FLAW_COLUMN_IMAGE},          {"path", FLAW_COLUMN_IMAGE},       {"file", FLAW_COLUMN_IMAGE},
    {"file_path", FLAW_COLUMN_IMAGE},    {"filepath", FLAW_COLUMN_IMAGE},   {"filename", FLAW_COLUMN_IMAGE},
    {"file_name", FLAW_COLUMN_IMAGE},    {"image_file", FLAW_COLUMN_IMAGE}, {"picture", FLAW_COLUMN_IMAGE},
    {"label", FLAW_COLUMN_LABEL},        {"verdict", FLAW_COLUMN_LABEL},    {"target", FLAW_COLUMN_LABEL},
    {"anomaly", FLAW_COLUMN_INDEX},      {"is_anomaly", FLAW_COLUMN_INDEX}, {"label_index", FLAW_COLUMN_INDEX},
    {"is_anomalous", FLAW_COLUMN_INDEX}, {"anomalous", FLAW_COLUMN_INDEX},     {"kind", FLAW_COLUMN_KIND},
    {"defect", FLAW_COLUMN_KIND},        {"defect_type", FLAW_COLUMN_KIND}, {"anomaly_type", FLAW_COLUMN_KIND},
    {"specie_name", FLAW_COLUMN_KIND},   {"split", FLAW_COLUMN_SPLIT},      {"set", FLAW_COLUMN_SPLIT},
    {"subset", FLAW_COLUMN_SPLIT},       {"phase", FLAW_COLUMN_SPLIT},      {"partition", FLAW_COLUMN_SPLIT},
    {"mask_path", FLAW_COLUMN_MASK},     {"mask", FLAW_COLUMN_MASK},        {"mask_file", FLAW_COLUMN_MASK},
    {"masks", FLAW_COLUMN_MASK},         {"category", FLAW_COLUMN_CATEGORY}, {"object", FLAW_COLUMN_CATEGORY},
    {"cls_name", FLAW_COLUMN_CATEGORY},  {"product", FLAW_COLUMN_CATEGORY}, {"class_name", FLAW_COLUMN_CATEGORY},
};

flaw_column flaw_column_named(const char *name)
{
    char plain[32];
    size_t length = strlen(name);
    if (length >= sizeof plain) return FLAW_COLUMN_OTHER;
    for (size_t i = 0; i <= length; i++)
        plain[i] = name[i] == '-' || name[i] == ' ' ? '_' : (char)tolower((unsigned char)name[i]);
    for (size_t i = 0; i < sizeof column_names / sizeof *column_names; i++)
        if (strcmp(column_names[i].name, plain) == 0) return column_names[i].column;
    return FLAW_COLUMN_OTHER;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0) return true;
    return false;
}

bool flaw_word_is_good(const char *text)
{
    static const char *const words[] = {"good", "normal", "ok", NULL};
    return is_one_of(text, words);
}

bool flaw_word_is_bad(const char *text)
{
    static const char *const words[] = {"bad",       "abnormal", "anomaly", "anomalous", "anomalies", "defect",
                                        "defective", "defects",  "ng",      "ko",        "nok",       NULL};
    return is_one_of(text, words);
}

void flaw_row_label(flaw_row *row, const char *text)
{
    static const char *const good[] = {"0", "false", NULL}, *const bad[] = {"1", "true", NULL};
    static const char *const unknown[] = {"", "unknown", "-1", "?", NULL};
    row->label = FLAW_LABEL_BAD;
    row->kind = text;
    if (is_one_of(text, unknown)) {
        row->label = FLAW_LABEL_UNKNOWN;
        row->kind = "unknown";
    } else if (flaw_word_is_good(text) || is_one_of(text, good)) {
        row->label = FLAW_LABEL_GOOD;
        row->kind = "good";
    } else if (flaw_word_is_bad(text) || is_one_of(text, bad)) {
        row->kind = "bad";
    }
}

bool flaw_row_split(flaw_row *row, const char *text)
{
    static const char *const train[] = {"train", "training", NULL}, *const test[] = {"test", "testing", NULL};
    static const char *const validation[] = {"validation", "val", "valid", "dev", NULL};
    if (is_one_of(text, train)) row->split = FLAW_DATASET_TRAIN;
    else if (is_one_of(text, validation)) row->split = FLAW_DATASET_VALIDATION;
    else if (is_one_of(text, test)) row->split = FLAW_DATASET_TEST;
    else return false;
    return row->has_split = true;
}

static flaw_status no_memory(const char *name, flaw_error *err)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory for its lines", name);
}

char *flaw_rows_copy(flaw_rows *rows, const char *text)
{
    return flaw_arena_copy_string(rows->arena, text, strlen(text));
}

/* The text of the row before where it is the same: names, categories and kinds repeat. */
static const char *copy_again(flaw_rows *rows, const char *before, const char *text)
{
    return before && strcmp(before, text) == 0 ? before : flaw_rows_copy(rows, text);
}

flaw_status flaw_rows_append(flaw_rows *rows, flaw_row row, const char *name, flaw_error *err)
{
    row.where = copy_again(rows, rows->count ? rows->row[rows->count - 1].where : NULL, name);
    if (!row.where) return no_memory(name, err);
    if (rows->count >= FLAW_DATASET_MAX_ITEMS)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: more than %d pictures", name, row.line, FLAW_DATASET_MAX_ITEMS);
    if (rows->count == rows->room) {
        size_t room = rows->room ? 2 * rows->room : 64;
        flaw_row *grown = flaw_arena_alloc(rows->arena, room, sizeof *grown);
        if (!grown) return no_memory(name, err);
        if (rows->count) memcpy(grown, rows->row, rows->count * sizeof *grown);
        rows->row = grown;
        rows->room = room;
    }
    rows->row[rows->count++] = row;
    return FLAW_OK;
}

static bool given(const char *text)
{
    return text && *text;
}

/* The index decides, then the label; a name for the defect is taken from where there is one. */
static flaw_status read_label(flaw_row *row, const char *const text[FLAW_COLUMNS], const char *name, flaw_error *err)
{
    const char *index = text[FLAW_COLUMN_INDEX], *label = text[FLAW_COLUMN_LABEL], *kind = text[FLAW_COLUMN_KIND];
    flaw_row decided = {0};
    flaw_row_label(row, given(label) ? label : given(kind) ? kind : "");
    if (row->label == FLAW_LABEL_BAD && given(kind) && !flaw_word_is_good(kind)) {
        flaw_row named = {0};
        flaw_row_label(&named, kind);
        if (named.label == FLAW_LABEL_BAD) row->kind = named.kind;
    }
    if (!given(index)) return FLAW_OK;
    flaw_row_label(&decided, index);
    if (decided.label == FLAW_LABEL_BAD && strcmp(decided.kind, "bad") != 0)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: '%.80s' says neither good nor bad, expected 0 or 1", name,
                         row->line, index);
    if (given(label) && row->label != FLAW_LABEL_UNKNOWN && decided.label != row->label)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: label '%.80s' beside '%.80s': one says good, one bad", name,
                         row->line, label, index);
    if (decided.label != FLAW_LABEL_BAD || row->label != FLAW_LABEL_BAD) row->kind = decided.kind;
    row->label = decided.label;
    return FLAW_OK;
}

flaw_status flaw_rows_add(flaw_rows *rows, const char *const text[FLAW_COLUMNS], size_t line, const char *name,
                          flaw_error *err)
{
    const flaw_row *before = rows->count ? &rows->row[rows->count - 1] : NULL;
    flaw_row row = {.line = line};
    if (!given(text[FLAW_COLUMN_IMAGE]))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: no path of a picture", name, line);
    flaw_status status = read_label(&row, text, name, err);
    if (status != FLAW_OK) return status;
    const char *split = text[FLAW_COLUMN_SPLIT], *category = text[FLAW_COLUMN_CATEGORY];
    if (given(split) && !flaw_row_split(&row, split))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: split '%.80s', expected train, validation or test", name, line,
                         split);
    row.image = flaw_rows_copy(rows, text[FLAW_COLUMN_IMAGE]);
    row.kind = copy_again(rows, before ? before->kind : NULL, row.kind);
    if (given(category)) row.category = copy_again(rows, before ? before->category : NULL, category);
    if (given(text[FLAW_COLUMN_MASK])) {
        const char **mask = flaw_arena_alloc(rows->arena, 1, sizeof *mask);
        if (mask) mask[0] = flaw_rows_copy(rows, text[FLAW_COLUMN_MASK]);
        row.masks = mask && mask[0] ? 1 : 0;
        row.mask = mask;
        if (!row.masks) return no_memory(name, err);
    }
    if (!row.image || !row.kind || (given(category) && !row.category)) return no_memory(name, err);
    return flaw_rows_append(rows, row, name, err);
}
