#include "measure/dataset.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "flaw/picture.h"

enum { PATH_ROOM = 4096, MAX_ITEMS = 1000000 };

typedef struct listing { /* grows by doubling inside the arena */
    flaw_dataset_item *item;
    size_t count, room;
} listing;

static bool is_picture(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name && (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png"));
}

static flaw_status join(char out[PATH_ROOM], flaw_error *err, const char *a, const char *b)
{
    int length = snprintf(out, PATH_ROOM, "%s/%s", a, b);
    if (length < 0 || length >= PATH_ROOM) return flaw_fail(err, FLAW_USAGE, "path '%.80s...' is too long", a);
    return FLAW_OK;
}

static bool has_folder(const char *root, const char *name)
{
    char path[PATH_ROOM];
    return join(path, NULL, root, name) == FLAW_OK && flaw_file_is_folder(path);
}

static flaw_status append(flaw_arena *arena, listing *l, flaw_dataset_item item, flaw_error *err)
{
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        flaw_dataset_item *grown = room <= MAX_ITEMS ? flaw_arena_alloc(arena, room, sizeof *grown) : NULL;
        if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "data set listing: no room for %zu pictures", room);
        if (l->count) memcpy(grown, l->item, l->count * sizeof *grown);
        l->item = grown;
        l->room = room;
    }
    l->item[l->count++] = item;
    return FLAW_OK;
}

/* The mask of test picture `name`: NAME_mask or NAME, any picture ending; NULL when there is none. */
static const char *find_mask(flaw_arena *arena, const char *folder, const char *name)
{
    static const char *const endings[] = {"_mask.png", ".png", "_mask.jpg", ".jpg", "_mask.jpeg", ".jpeg"};
    const char *dot = strrchr(name, '.');
    char path[PATH_ROOM];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int length = snprintf(path, sizeof path, "%s/%.*s%s", folder, (int)(dot - name), name, endings[i]);
        if (length > 0 && length < PATH_ROOM && flaw_file_exists(path))
            return flaw_arena_copy_string(arena, path, (size_t)length);
    }
    return NULL;
}

/* All pictures of folder whose names begin with `prefix`; masks are looked for in mask_folder when not NULL. */
static flaw_status add_folder(flaw_arena *arena, listing *l, const char *folder, const char *prefix, bool bad,
                              const char *mask_folder, flaw_error *err)
{
    flaw_names names;
    flaw_status status = flaw_file_list(&names, folder, err);
    if (status != FLAW_OK) return status;
    for (size_t i = 0; i < names.count && status == FLAW_OK; i++) {
        const char *name = names.name[i];
        char path[PATH_ROOM];
        if (!is_picture(name) || strncmp(name, prefix, strlen(prefix)) != 0) continue;
        status = join(path, err, folder, name);
        if (status != FLAW_OK) break;
        flaw_dataset_item item = {.path = flaw_arena_copy_string(arena, path, strlen(path)), .bad = bad};
        if (!item.path) status = flaw_fail(err, FLAW_NO_MEMORY, "data set listing of '%s'", folder);
        if (mask_folder) item.mask = find_mask(arena, mask_folder, name);
        if (status == FLAW_OK) status = append(arena, l, item, err);
    }
    flaw_names_release(&names);
    return status;
}

static flaw_status list_mvtec(flaw_dataset *set, listing *reference, listing *test, const char *root, flaw_error *err)
{
    char path[PATH_ROOM], masks[PATH_ROOM + 16], folder[PATH_ROOM];
    flaw_status status = join(path, err, root, "train/good");
    if (status == FLAW_OK) status = add_folder(&set->arena, reference, path, "", false, NULL, err);
    if (status == FLAW_OK) status = join(path, err, root, "test");
    flaw_names kinds = {0};
    if (status == FLAW_OK) status = flaw_file_list(&kinds, path, err);
    for (size_t i = 0; i < kinds.count && status == FLAW_OK; i++) {
        bool bad = strcmp(kinds.name[i], "good") != 0;
        status = join(folder, err, path, kinds.name[i]);
        if (status != FLAW_OK || !flaw_file_is_folder(folder)) continue;
        snprintf(masks, sizeof masks, "%s/ground_truth/%s", root, kinds.name[i]);
        status = add_folder(&set->arena, test, folder, "", bad, bad ? masks : NULL, err);
    }
    flaw_names_release(&kinds);
    return status;
}

static flaw_status list_cookies(flaw_dataset *set, listing *reference, listing *test, const char *root, flaw_error *err)
{
    char train[PATH_ROOM], tested[PATH_ROOM], masks[PATH_ROOM];
    flaw_status status = join(train, err, root, "training-images");
    if (status == FLAW_OK) status = join(tested, err, root, "test-images");
    if (status == FLAW_OK) status = join(masks, err, root, "mask-images");
    if (status == FLAW_OK) status = add_folder(&set->arena, reference, train, "normal-", false, NULL, err);
    if (status == FLAW_OK) status = add_folder(&set->arena, test, train, "anomaly-", true, masks, err);
    if (status == FLAW_OK) status = add_folder(&set->arena, test, tested, "test-normal-", false, NULL, err);
    if (status == FLAW_OK) status = add_folder(&set->arena, test, tested, "test-anomaly-", true, NULL, err);
    set->green_masks = set->references_tested = true;
    return status;
}

/* "metal_nut" -> "metal nut": the folder's name as words. */
static const char *object_name(flaw_arena *arena, const char *folder)
{
    size_t end = strlen(folder);
    while (end > 1 && folder[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && folder[begin - 1] != '/') begin--;
    char *name = flaw_arena_copy_string(arena, folder + begin, end - begin);
    for (char *c = name; c && *c; c++)
        if (*c == '_' || *c == '-') *c = ' ';
    return name && *name && *name != '.' ? name : "object";
}

static const char *layout_of(const char *folder)
{
    if (has_folder(folder, "train/good") && has_folder(folder, "test")) return "mvtec";
    return has_folder(folder, "training-images") && has_folder(folder, "test-images") ? "cookies" : NULL;
}

bool flaw_dataset_is(const char *folder)
{
    return layout_of(folder) != NULL;
}

flaw_status flaw_dataset_open(flaw_dataset *out, const char *folder, flaw_error *err)
{
    if (!flaw_file_is_folder(folder))
        return flaw_fail(err, FLAW_MISSING, "data set '%s': %s", folder,
                         flaw_file_exists(folder) ? "is a file, expected a folder" : "no such folder");
    flaw_dataset set = {.layout = layout_of(folder)};
    if (!set.layout)
        return flaw_fail(
            err, FLAW_BAD_DATA,
            "data set '%s': layout not known; expected train/good and test (MVTec), or training-images and "
            "test-images",
            folder);
    flaw_arena_init(&set.arena, 0);
    listing reference = {0}, test = {0};
    set.object = object_name(&set.arena, folder);
    flaw_status status = strcmp(set.layout, "mvtec") == 0 ? list_mvtec(&set, &reference, &test, folder, err)
                                                          : list_cookies(&set, &reference, &test, folder, err);
    if (status == FLAW_OK && test.count == 0)
        status = flaw_fail(err, FLAW_MISSING, "data set '%s' (%s): no test pictures (.jpg, .jpeg, .png)", folder,
                           set.layout);
    set.reference = reference.item;
    set.references = reference.count;
    set.test = test.item;
    set.tests = test.count;
    if (status == FLAW_OK) *out = set;
    else flaw_dataset_close(&set);
    return status;
}

void flaw_dataset_close(flaw_dataset *set)
{
    flaw_arena_release(&set->arena);
    *set = (flaw_dataset){0};
}

/* Green of the crack colour #23A436: over half of its distance from grey (164 - 54) / 2. */
static bool is_marked(const uint8_t *rgb, bool green)
{
    int other = rgb[0] > rgb[2] ? rgb[0] : rgb[2];
    return green ? rgb[1] - other >= 55 : (rgb[0] | rgb[1] | rgb[2]) != 0;
}

flaw_status flaw_dataset_mask(uint8_t *out, const flaw_dataset *set, const flaw_dataset_item *item, int side,
                              flaw_error *err)
{
    if (!item->mask) {
        memset(out, 0, (size_t)side * (size_t)side);
        return FLAW_OK;
    }
    flaw_picture mask = {0};
    flaw_status status = flaw_picture_read(&mask, item->mask, err);
    if (status != FLAW_OK) return status;
    for (int y = 0; y < side; y++) {
        size_t row = (size_t)((2 * y + 1) * (int64_t)mask.height / (2 * side)) * (size_t)mask.width;
        for (int x = 0; x < side; x++) {
            size_t column = (size_t)((2 * x + 1) * (int64_t)mask.width / (2 * side));
            out[(size_t)y * (size_t)side + (size_t)x] = is_marked(mask.rgb + 3 * (row + column), set->green_masks);
        }
    }
    flaw_picture_release(&mask);
    return FLAW_OK;
}
