/* MVTec AD (Bergmann et al. 2019) and those that are laid out after it: LOCO, AD 2, BTAD. */
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "measure/dataset/layout.h"

/* Some keep the part to test alone, to judge by words: its good pictures show the layout, too. */
bool flaw_layout_fits_mvtec(const char *path)
{
    if (!flaw_layout_has(path, "train")) return flaw_layout_has(path, "test/good");
    return flaw_layout_has(path, "train/good") && flaw_layout_has(path, "test");
}

bool flaw_layout_fits_loco(const char *path)
{
    return flaw_layout_fits_mvtec(path) &&
           (flaw_layout_has(path, "test/logical_anomalies") || flaw_layout_has(path, "test/structural_anomalies"));
}

bool flaw_layout_fits_mvtec_ad2(const char *path)
{
    return flaw_layout_has(path, "train/good") && flaw_layout_has(path, "test_public");
}

bool flaw_layout_fits_btad(const char *path)
{
    if (!flaw_layout_has(path, "train")) return flaw_layout_has(path, "test/ok");
    return flaw_layout_has(path, "train/ok") && flaw_layout_has(path, "test");
}

/* train, validation and test with their kinds. */
static flaw_status list_parts(flaw_listing *l, const char *root, flaw_error *err)
{
    const char *masks = flaw_path_join(l->arena, root, "ground_truth");
    if (!masks) return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", root);
    flaw_status status = FLAW_OK;
    if (flaw_layout_has(root, "train")) status = flaw_listing_kinds(l, root, "train", FLAW_DATASET_TRAIN, NULL, err);
    if (status == FLAW_OK && flaw_layout_has(root, "validation"))
        status = flaw_listing_kinds(l, root, "validation", FLAW_DATASET_VALIDATION, NULL, err);
    if (status == FLAW_OK) status = flaw_listing_kinds(l, root, "test", FLAW_DATASET_TEST, masks, err);
    return status;
}

flaw_status flaw_layout_list_mvtec(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err)
{
    return list_parts(l, entry->root, err);
}

/* The private parts have no labels: "test_private", "test_private_mixed". */
static flaw_status list_private(flaw_listing *l, const char *root, const char *part, flaw_error *err)
{
    if (!flaw_layout_has(root, part)) return FLAW_OK;
    flaw_folder take = {
        flaw_path_join(l->arena, root, part), "", "unknown", FLAW_DATASET_TEST, FLAW_LABEL_UNKNOWN, NULL};
    if (!take.path) return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", root);
    return flaw_listing_folder(l, &take, err);
}

flaw_status flaw_layout_list_mvtec_ad2(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err)
{
    const char *root = entry->root, *public = flaw_path_join(l->arena, root, "test_public");
    const char *truth = public ? flaw_path_join(l->arena, public, "ground_truth") : NULL;
    if (!truth) return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", root);
    flaw_status status = flaw_listing_kinds(l, root, "train", FLAW_DATASET_TRAIN, NULL, err);
    if (status == FLAW_OK && flaw_layout_has(root, "validation"))
        status = flaw_listing_kinds(l, root, "validation", FLAW_DATASET_VALIDATION, NULL, err);
    flaw_names kinds = {0};
    if (status == FLAW_OK) status = flaw_file_list(&kinds, public, err);
    for (size_t i = 0; i < kinds.count && status == FLAW_OK; i++) {
        const char *name = kinds.name[i];
        bool bad = strcmp(name, "good") != 0;
        const char *kind = flaw_arena_copy_string(l->arena, name, strlen(name));
        flaw_folder take = {flaw_path_join(l->arena, public, name), "", kind, FLAW_DATASET_TEST,
                            bad ? FLAW_LABEL_BAD : FLAW_LABEL_GOOD, bad ? flaw_path_join(l->arena, truth, name) : NULL};
        if (!kind || !take.path || (bad && !take.masks))
            status = flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", root);
        if (status == FLAW_OK && strcmp(name, "ground_truth") != 0 && flaw_file_is_folder(take.path))
            status = flaw_listing_folder(l, &take, err);
    }
    flaw_names_release(&kinds);
    if (status == FLAW_OK) status = list_private(l, root, "test_private", err);
    if (status == FLAW_OK) status = list_private(l, root, "test_private_mixed", err);
    return status;
}
