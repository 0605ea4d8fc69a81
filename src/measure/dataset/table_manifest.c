/* Manifests of Amazon Lookout for Vision and SageMaker Ground Truth: {"source-ref": "s3://...", "LABEL": n,
 * "LABEL-metadata": {"class-name": ...}, "MASK-ref": "s3://...", "MASK-ref-metadata": {"internal-color-map": ...}}. The
 * labels' names are free; Lookout's are anomaly-label and anomaly-mask-ref. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/dataset/table.h"

/* The value of KEY-metadata. */
static const json_t *metadata_of(const json_t *line, const char *key)
{
    char name[256];
    int length = snprintf(name, sizeof name, "%s-metadata", key);
    return length > 0 && length < (int)sizeof name ? json_object_get(line, name) : NULL;
}

/* Of a picture: the class's name where there is one, else the number. */
static void read_label(flaw_row *row, json_t *line)
{
    const json_t *value = json_object_get(line, "anomaly-label"), *metadata = metadata_of(line, "anomaly-label");
    const char *key;
    json_t *other;
    if (!value && !metadata)
        json_object_foreach(line, key, other)
        {
            const json_t *about = metadata_of(line, key);
            if (!json_is_string(json_object_get(about, "class-name"))) continue;
            value = other;
            metadata = about;
            break;
        }
    const char *name = json_string_value(json_object_get(metadata, "class-name"));
    flaw_row_label(row, name ? name : "");
    if (!name && json_is_integer(value)) flaw_row_label(row, json_integer_value(value) ? "1" : "0");
}

/* "#2ca02c". */
static bool read_colour(uint32_t *out, const char *text)
{
    char *end;
    if (!text || text[0] != '#' || strlen(text) != 7 || strspn(text + 1, "0123456789abcdefABCDEF") != 6) return false;
    *out = (uint32_t)strtoul(text + 1, &end, 16);
    return true;
}

/* The colour that is no defect, and the defect's name when the mask has one kind only. */
static flaw_status read_colours(flaw_row *row, const json_t *metadata, const char *name, flaw_error *err)
{
    json_t *colours = json_object_get(metadata, "internal-color-map"), *entry;
    const char *key, *defect = NULL;
    size_t defects = 0;
    bool found = false;
    json_object_foreach(colours, key, entry)
    {
        const char *class = json_string_value(json_object_get(entry, "class-name"));
        if (class && strcasecmp(class, "background") == 0) {
            found = read_colour(&row->background, json_string_value(json_object_get(entry, "hex-color")));
            if (!found)
                return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: the background's hex-color is not as #ffffff", name,
                                 row->line);
        } else if (class) {
            defect = class;
            defects++;
        }
    }
    if (!found) row->background = 0xffffff; /* Lookout's own */
    flaw_row named = {0};
    if (defects == 1) flaw_row_label(&named, defect);
    if (named.label == FLAW_LABEL_BAD && row->label == FLAW_LABEL_BAD && strcmp(row->kind, "bad") == 0)
        row->kind = named.kind;
    return FLAW_OK;
}

static flaw_status read_mask(flaw_row *row, const char **mask, json_t *line, const char *name, flaw_error *err)
{
    const char *key, *text = NULL;
    const json_t *metadata = NULL;
    json_t *value;
    json_object_foreach(line, key, value)
    {
        const json_t *about = metadata_of(line, key);
        bool is = strcmp(key, "anomaly-mask-ref") == 0 || json_is_object(json_object_get(about, "internal-color-map"));
        if (!is || !json_is_string(value)) continue;
        text = json_string_value(value);
        metadata = about;
        break;
    }
    *mask = text && *text ? text : NULL;
    return *mask ? read_colours(row, metadata, name, err) : FLAW_OK;
}

flaw_status flaw_row_from_manifest(flaw_rows *rows, const json_t *line, size_t number, const char *name,
                                   flaw_error *err)
{
    flaw_row row = {.line = number};
    const char *source = json_string_value(json_object_get(line, "source-ref")), *mask = NULL;
    if (!source || !*source || strlen(source) > FLAW_TABLE_MAX_FIELD)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: no \"source-ref\" of at most %d bytes", name, number,
                         FLAW_TABLE_MAX_FIELD);
    json_t *object = (json_t *)(uintptr_t)line; /* iteration takes no const */
    read_label(&row, object);
    flaw_status status = read_mask(&row, &mask, object, name, err);
    if (status != FLAW_OK) return status;
    if (mask && strlen(mask) > FLAW_TABLE_MAX_FIELD)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: the mask's name is longer than %d bytes", name, number,
                         FLAW_TABLE_MAX_FIELD);
    row.image = flaw_rows_copy(rows, source);
    row.kind = flaw_rows_copy(rows, row.kind);
    const char **list = mask ? flaw_arena_alloc(rows->arena, 1, sizeof *list) : NULL;
    if (list) list[0] = flaw_rows_copy(rows, mask);
    row.mask = list;
    row.masks = list != NULL;
    if (!row.image || !row.kind || (mask && (!list || !list[0])))
        return flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory for its lines", name);
    return flaw_rows_append(rows, row, name, err);
}
