/* Folders of pictures that say by their names what is in them. */
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/path.h"
#include "measure/dataset/table.h"

bool flaw_layout_fits_cookies(const char *path)
{
    return flaw_layout_has(path, "training-images") && flaw_layout_has(path, "test-images");
}

static flaw_status no_memory(const flaw_dataset_entry *entry, flaw_error *err)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", entry->root);
}

static flaw_status list_all(flaw_listing *l, const flaw_folder *folder, size_t count, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < count && status == FLAW_OK; i++) status = flaw_listing_folder(l, &folder[i], err);
    return status;
}

/* References are drawn from normal-N and the others of these are tested too; anomaly-N have masks and are tested. */
flaw_status flaw_layout_list_cookies(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err)
{
    const char *train = flaw_path_join(l->arena, entry->root, "training-images");
    const char *test = flaw_path_join(l->arena, entry->root, "test-images");
    const char *masks = flaw_path_join(l->arena, entry->root, "mask-images");
    if (!train || !test || !masks) return no_memory(entry, err);
    const flaw_folder part[] = {
        {train, "normal-", "good", FLAW_DATASET_TRAIN, FLAW_LABEL_GOOD, NULL},
        {train, "anomaly-", "bad", FLAW_DATASET_TEST, FLAW_LABEL_BAD, masks},
        {test, "test-normal-", "good", FLAW_DATASET_TEST, FLAW_LABEL_GOOD, NULL},
        {test, "test-anomaly-", "bad", FLAW_DATASET_TEST, FLAW_LABEL_BAD, NULL},
    };
    l->references_tested = true;
    return list_all(l, part, sizeof part / sizeof *part, err);
}

bool flaw_layout_fits_visa_object(const char *path)
{
    return flaw_layout_has(path, "Data/Images/Normal") && flaw_layout_has(path, "Data/Images/Anomaly");
}

flaw_status flaw_layout_list_visa_object(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err)
{
    const char *normal = flaw_path_join(l->arena, entry->root, "Data/Images/Normal");
    const char *anomaly = flaw_path_join(l->arena, entry->root, "Data/Images/Anomaly");
    const char *masks = flaw_path_join(l->arena, entry->root, "Data/Masks/Anomaly");
    if (!normal || !anomaly || !masks) return no_memory(entry, err);
    const flaw_folder part[] = {{normal, "", "good", FLAW_DATASET_TRAIN, FLAW_LABEL_GOOD, NULL},
                                {anomaly, "", "bad", FLAW_DATASET_TEST, FLAW_LABEL_BAD, masks}};
    l->references_tested = true;
    return list_all(l, part, 2, err);
}

static bool is_mask_word(const char *name)
{
    return !strcasecmp(name, "mask") || !strcasecmp(name, "masks") || !strcasecmp(name, "ground_truth");
}

/* A folder inside `path` whose name has this meaning. */
static bool has_word(const char *path, bool (*means)(const char *))
{
    flaw_names names;
    if (flaw_file_list(&names, path, NULL) != FLAW_OK) return false;
    bool has = false;
    for (size_t i = 0; i < names.count && !has; i++)
        has = means(names.name[i]) && flaw_layout_has(path, names.name[i]);
    flaw_names_release(&names);
    return has;
}

static bool has_parts(const char *path)
{
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    const char *train = flaw_path_join(&arena, path, "train");
    bool has = train && has_word(train, flaw_word_is_good) && flaw_layout_has(path, "test");
    flaw_arena_release(&arena);
    return has;
}

bool flaw_layout_fits_folder(const char *path)
{
    return has_word(path, flaw_word_is_good) || has_parts(path);
}

/* Bad pictures in the folder itself, and the kinds of defects as folders in it. */
static flaw_status list_bad(flaw_listing *l, const char *root, const char *name, const char *masks, flaw_error *err)
{
    const char *own = masks ? flaw_path_join(l->arena, masks, name) : NULL;
    if (own && flaw_file_is_folder(own)) masks = own;
    const flaw_folder take = {flaw_path_join(l->arena, root, name), "", "bad", FLAW_DATASET_TEST, FLAW_LABEL_BAD, masks};
    if (!take.path) return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", root);
    flaw_status status = flaw_listing_folder(l, &take, err);
    return status == FLAW_OK ? flaw_listing_kinds(l, root, name, FLAW_DATASET_TEST, masks, err) : status;
}

static const char *masks_of(flaw_listing *l, const char *root, const flaw_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (is_mask_word(names->name[i]) && flaw_layout_has(root, names->name[i]))
            return flaw_path_join(l->arena, root, names->name[i]);
    return NULL;
}

/* good/ and bad/ side by side: nobody says which good ones are to learn from. */
static flaw_status list_sides(flaw_listing *l, const char *root, const flaw_names *names, const char *masks,
                              flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < names->count && status == FLAW_OK; i++) {
        const char *name = names->name[i];
        if (!flaw_layout_has(root, name)) continue;
        flaw_folder good = {flaw_path_join(l->arena, root, name), "", "good", FLAW_DATASET_TRAIN, FLAW_LABEL_GOOD, NULL};
        if (!good.path) status = flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", root);
        else if (flaw_word_is_good(name)) status = flaw_listing_folder(l, &good, err);
        else if (flaw_word_is_bad(name)) status = list_bad(l, root, name, masks, err);
    }
    l->references_tested = true;
    return status;
}

flaw_status flaw_layout_list_folder(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err)
{
    flaw_names names;
    flaw_status status = flaw_file_list(&names, entry->root, err);
    if (status != FLAW_OK) return status;
    const char *masks = masks_of(l, entry->root, &names);
    if (!has_parts(entry->root)) status = list_sides(l, entry->root, &names, masks, err);
    else {
        status = flaw_listing_kinds(l, entry->root, "train", FLAW_DATASET_TRAIN, NULL, err);
        if (status == FLAW_OK) status = flaw_listing_kinds(l, entry->root, "test", FLAW_DATASET_TEST, masks, err);
    }
    flaw_names_release(&names);
    return status;
}

bool flaw_layout_fits_pictures(const char *path)
{
    flaw_names names;
    if (flaw_file_list(&names, path, NULL) != FLAW_OK) return false;
    bool has = false;
    for (size_t i = 0; i < names.count && !has; i++) has = flaw_layout_is_picture(names.name[i]);
    flaw_names_release(&names);
    return has;
}

flaw_status flaw_layout_list_pictures(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err)
{
    const flaw_folder take = {entry->root, "", "unknown", FLAW_DATASET_TEST, FLAW_LABEL_UNKNOWN, NULL};
    return flaw_listing_folder(l, &take, err);
}
