/* Folders of pictures that say by their names what is in them. */
#include "base/path.h"
#include "measure/layout.h"

bool flaw_layout_fits_cookies(const char *path)
{
    return flaw_layout_has(path, "training-images") && flaw_layout_has(path, "test-images");
}

/* References are drawn from normal-N and the others of these are tested too; anomaly-N have masks and are tested. */
flaw_status flaw_layout_list_cookies(flaw_listing *l, const flaw_dataset_entry *entry, flaw_error *err)
{
    const char *train = flaw_path_join(l->arena, entry->root, "training-images");
    const char *test = flaw_path_join(l->arena, entry->root, "test-images");
    const char *masks = flaw_path_join(l->arena, entry->root, "mask-images");
    if (!train || !test || !masks) return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", entry->root);
    const flaw_folder part[] = {
        {train, "normal-", "good", FLAW_DATASET_TRAIN, FLAW_LABEL_GOOD, NULL},
        {train, "anomaly-", "bad", FLAW_DATASET_TEST, FLAW_LABEL_BAD, masks},
        {test, "test-normal-", "good", FLAW_DATASET_TEST, FLAW_LABEL_GOOD, NULL},
        {test, "test-anomaly-", "bad", FLAW_DATASET_TEST, FLAW_LABEL_BAD, NULL},
    };
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < sizeof part / sizeof *part && status == FLAW_OK; i++)
        status = flaw_listing_folder(l, &part[i], err);
    l->references_tested = true;
    return status;
}
