/* Every picture and mask of a data set read once, on all threads; then what only all of them together show. */
#include "flaw/dataset_check.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "base/sha256.h"
#include "flaw/picture.h"
#include "measure/dataset/dataset_store.h"
#include "measure/dataset/layout.h"

enum { BLOCK = 64 }; /* pictures between two words about progress */

typedef struct problems {
    flaw_dataset_problem *problem;
    size_t count, room;
    bool failed; /* no memory */
} problems;

/* What was found of one picture. */
typedef struct seen {
    uint8_t hash[32]; /* of size and pixels */
    bool read;
    size_t masks;
    problems found;
} seen;

typedef struct check {
    const flaw_dataset *set;
    seen *seen;   /* [items] */
    size_t first; /* of this block */
} check;

static void add(problems *to, const char *kind, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add(problems *to, const char *kind, const char *path, const char *format, ...)
{
    flaw_dataset_problem p = {.kind = kind, .path = strdup(path)};
    va_list list;
    va_start(list, format);
    if (vasprintf(&p.text, format, list) < 0) p.text = NULL;
    va_end(list);
    if (to->count == to->room) {
        size_t room = to->room ? 2 * to->room : 4;
        flaw_dataset_problem *grown = realloc(to->problem, room * sizeof *grown);
        if (grown) to->problem = grown, to->room = room;
    }
    if (to->count < to->room && p.path && p.text) {
        to->problem[to->count++] = p;
        return;
    }
    free(p.path);
    free(p.text);
    to->failed = true;
}

static void release(problems *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->problem[i].path);
        free(p->problem[i].text);
    }
    free(p->problem);
    *p = (problems){0};
}

/* `to` takes over what `from` holds. */
static void move(problems *to, problems *from)
{
    for (size_t i = 0; i < from->count; i++) {
        flaw_dataset_problem *p = &from->problem[i];
        add(to, p->kind, p->path, "%s", p->text);
    }
    to->failed |= from->failed;
    release(from);
}

static void hash_of(uint8_t out[32], const flaw_picture *picture)
{
    const uint32_t size[2] = {(uint32_t)picture->width, (uint32_t)picture->height};
    flaw_sha256 h;
    flaw_sha256_init(&h);
    flaw_sha256_update(&h, size, sizeof size);
    flaw_sha256_update(&h, picture->rgb, 3 * (size_t)picture->width * (size_t)picture->height);
    flaw_sha256_final(&h, out);
}

/* The mask files of one picture: readable, of its size, marked or not as its label says. */
static void check_masks(seen *s, const flaw_dataset *set, const flaw_dataset_item *item, int width, int height)
{
    bool marked = false, whole = true;
    flaw_error err;
    for (size_t i = 0; i < item->masks; i++) {
        flaw_picture mask = {0};
        if (flaw_picture_read(&mask, item->mask[i], &err) != FLAW_OK) {
            add(&s->found, "mask unreadable", item->path, "mask of '%s': %s", item->path, err.text);
            whole = false;
            continue;
        }
        s->masks++;
        if (mask.width != width || mask.height != height)
            add(&s->found, "mask size", item->path, "mask '%s' has %d x %d pixels, its picture %d x %d", item->mask[i],
                mask.width, mask.height, width, height);
        marked |= flaw_mask_marks(set, item, &mask);
        flaw_picture_release(&mask);
    }
    if (item->masks && whole && !marked && item->label == FLAW_LABEL_BAD)
        add(&s->found, "mask empty", item->path, "mask '%s' marks nothing, but the picture is bad (%s)", item->mask[0],
            item->kind);
    if (marked && item->label == FLAW_LABEL_GOOD)
        add(&s->found, "mask marked", item->path, "mask '%s' marks something, but the picture is good", item->mask[0]);
    if (!whole || !marked || !set->store->defects || item->label != FLAW_LABEL_BAD) return;
    flaw_dataset_regions regions = {0};
    if (flaw_dataset_regions_of(&regions, set, item, 1, 1, &err) != FLAW_OK)
        add(&s->found, "mask value", item->path, "%s", err.text);
    flaw_dataset_regions_release(&regions);
}

static void check_one(void *context, int piece, int worker)
{
    const check *c = context;
    const size_t at = c->first + (size_t)piece;
    const flaw_dataset_item *item = &c->set->item[at];
    seen *s = &c->seen[at];
    flaw_picture picture = {0};
    flaw_error err;
    (void)worker;
    if (flaw_picture_read(&picture, item->path, &err) != FLAW_OK) {
        add(&s->found, "unreadable", item->path, "%s", err.text);
        return;
    }
    s->read = true;
    hash_of(s->hash, &picture);
    int width = picture.width, height = picture.height;
    flaw_picture_release(&picture);
    check_masks(s, c->set, item, width, height);
}

static const char *split_name(flaw_dataset_split split)
{
    return split == FLAW_DATASET_TRAIN ? "train" : split == FLAW_DATASET_TEST ? "test" : "validation";
}

static int by_hash(const void *a, const void *b, void *context)
{
    const check *c = context;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int order = memcmp(c->seen[i].hash, c->seen[j].hash, sizeof c->seen[i].hash);
    return order ? order : (i > j) - (i < j);
}

static int by_folded_path(const void *a, const void *b, void *context)
{
    const check *c = context;
    const char *first = c->set->item[*(const size_t *)a].path, *second = c->set->item[*(const size_t *)b].path;
    int order = strcasecmp(first, second);
    return order ? order : strcmp(first, second);
}

/* Pictures that were read, sorted by their pixels: equal ones stand beside each other, the first of the data set first. */
static void find_same(problems *out, check *c, size_t *order, size_t count)
{
    if (count) qsort_r(order, count, sizeof *order, by_hash, c);
    for (size_t i = 0, first = 0; i < count; i++) {
        if (i == first || memcmp(c->seen[order[i]].hash, c->seen[order[first]].hash, 32) != 0) {
            first = i;
            continue;
        }
        const flaw_dataset_item *a = &c->set->item[order[first]], *b = &c->set->item[order[i]];
        bool listed = strcmp(a->path, b->path) == 0, leak = a->split != b->split;
        const char *kind = leak ? "leak" : "duplicate", *in_a = split_name(a->split), *in_b = split_name(b->split);
        if (listed)
            add(out, kind, b->path, "'%s' is listed twice: %s, %s and %s, %s", b->path, in_a, a->kind, in_b, b->kind);
        else
            add(out, kind, b->path, "'%s' (%s, %s) is the same picture as '%s' (%s, %s)", b->path, in_b, b->kind,
                a->path, in_a, a->kind);
    }
}

static void find_case(problems *out, check *c, size_t *order, size_t count)
{
    if (count) qsort_r(order, count, sizeof *order, by_folded_path, c);
    for (size_t i = 1; i < count; i++) {
        const char *a = c->set->item[order[i - 1]].path, *b = c->set->item[order[i]].path;
        if (strcasecmp(a, b) == 0 && strcmp(a, b) != 0)
            add(out, "case", b,
                "'%s' and '%s' differ by the case of letters only: one of them is lost where that is the "
                "same name",
                b, a);
    }
}

static flaw_status read_all(check *c, flaw_pool *pool, flaw_progress progress, void *context, flaw_error *err)
{
    const size_t items = c->set->items;
    for (c->first = 0; c->first < items; c->first += BLOCK) {
        size_t left = items - c->first;
        flaw_pool_run(pool, check_one, c, (int)(left < BLOCK ? left : BLOCK));
        if (progress && progress(context, left < BLOCK ? items : c->first + BLOCK, items, "checked"))
            return flaw_fail(err, FLAW_USAGE, "check of '%s': cancelled", c->set->root);
    }
    return FLAW_OK;
}

static flaw_status check_set(flaw_dataset_report *out, problems *found, const flaw_dataset *set, flaw_pool *pool,
                             flaw_progress progress, void *context, flaw_error *err)
{
    check c = {.set = set, .seen = calloc(set->items + 1, sizeof *c.seen)};
    size_t *order = malloc((set->items + 1) * sizeof *order), count = 0;
    flaw_status status = c.seen && order ? read_all(&c, pool, progress, context, err)
                                         : flaw_fail(err, FLAW_NO_MEMORY, "check of '%s': no memory", set->root);
    for (size_t i = 0; i < set->items && status == FLAW_OK; i++) {
        move(found, &c.seen[i].found);
        out->pictures += c.seen[i].read;
        out->masks += c.seen[i].masks;
        if (c.seen[i].read) order[count++] = i;
    }
    if (status == FLAW_OK) find_same(found, &c, order, count);
    for (size_t i = 0; i < set->items && status == FLAW_OK; i++) order[i] = i;
    if (status == FLAW_OK) find_case(found, &c, order, set->items);
    for (size_t i = 0; c.seen && i < set->items; i++) release(&c.seen[i].found);
    free(c.seen);
    free(order);
    return status;
}

static flaw_status take_fault(void *context, const char *text, flaw_error *err)
{
    problems *found = context;
    const char *end = text[0] == '\'' ? strchr(text + 1, '\'') : NULL; /* "'TABLE':LINE: ..." */
    char *path = end ? strndup(text + 1, (size_t)(end - text - 1)) : strdup("");
    if (path) add(found, "line", path, "%s", text);
    free(path);
    return path && !found->failed ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory for what is wrong");
}

flaw_status flaw_dataset_check(flaw_dataset_report *out, const flaw_dataset_entry *entry, int threads,
                               flaw_progress progress, void *context, flaw_error *err)
{
    flaw_dataset_report report = {0};
    problems found = {0};
    flaw_dataset set = {0};
    flaw_pool *pool = NULL;
    flaw_error why = {0};
    flaw_status status = flaw_dataset_read(&set, entry, take_fault, &found, &why);
    if (status == FLAW_OK) {
        flaw_dataset_about(report.about, sizeof report.about, &set);
        status = flaw_pool_new(&pool, threads, &why);
        if (status == FLAW_OK) status = check_set(&report, &found, &set, pool, progress, context, &why);
    } else if (found.count && status == FLAW_MISSING) {
        status = FLAW_OK; /* no line of the table was right: the problems say it */
    }
    flaw_pool_free(pool);
    if (status == FLAW_OK && found.failed)
        status = flaw_fail(&why, FLAW_NO_MEMORY, "check of '%s': no memory for what is wrong", entry->root);
    flaw_dataset_close(&set);
    if (status != FLAW_OK) {
        release(&found);
        return flaw_fail(err, status, "%s", why.text);
    }
    report.problem = found.problem;
    report.count = found.count;
    *out = report;
    return FLAW_OK;
}

void flaw_dataset_report_release(flaw_dataset_report *report)
{
    problems p = {.problem = report->problem, .count = report->count};
    release(&p);
    *report = (flaw_dataset_report){0};
}
