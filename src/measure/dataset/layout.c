/* The table of layouts, and the listing of folders that most of them share. */
#include "measure/dataset/layout.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/path.h"
#include "measure/dataset/table.h"

const flaw_layout flaw_layout_table[] = {
    {"mvtec-ad2", "train/good, validation/good, test_public/{good,bad,ground_truth/bad}, test_private*", 0,
     flaw_layout_fits_mvtec_ad2, NULL, flaw_layout_list_mvtec_ad2},
    {"loco", "train/good, validation/good, test/KIND, ground_truth/KIND/STEM/000.png, defects_config.json (MVTec LOCO)",
     0, flaw_layout_fits_loco, NULL, flaw_layout_list_mvtec},
    {"mvtec", "train/good, test/good, test/KIND, ground_truth/KIND/STEM_mask.png (MVTec AD, MPDD)", 0,
     flaw_layout_fits_mvtec, NULL, flaw_layout_list_mvtec},
    {"btad", "train/ok, test/{ok,ko}, ground_truth/ko/STEM.png", 0, flaw_layout_fits_btad, NULL,
     flaw_layout_list_mvtec},
    {"cookies", "training-images/{normal,anomaly}-N, mask-images/anomaly-N, test-images/test-{normal,anomaly}-N", 0,
     flaw_layout_fits_cookies, NULL, flaw_layout_list_cookies},
    {"visa", "split_csv/1cls.csv with object,split,label,image,mask (VisA), or that file", 0, flaw_layout_fits_visa,
     flaw_layout_find_visa, flaw_layout_list_visa},
    {"visa-object", "Data/Images/{Normal,Anomaly}, Data/Masks/Anomaly (one object of VisA)", 0,
     flaw_layout_fits_visa_object, NULL, flaw_layout_list_visa_object},
    {"meta", "meta.json: {\"train\": {CLASS: [{img_path, mask_path, specie_name, anomaly}]}, \"test\": ...}", 1,
     flaw_layout_fits_meta, flaw_layout_find_table, flaw_layout_list_table},
    {"manifest", "*.manifest: JSON lines with source-ref and anomaly-label (Lookout for Vision, SageMaker)", 1,
     flaw_layout_fits_manifest, flaw_layout_find_table, flaw_layout_list_table},
    {"table", "*.csv or *.jsonl with image_path,label,split,mask_path,category", 1, flaw_layout_fits_table,
     flaw_layout_find_table, flaw_layout_list_table},
    {"folder", "good|normal|ok/, bad|abnormal|defect|ng/, mask/; or train/{good|normal|ok}, test/KIND", 1,
     flaw_layout_fits_folder, NULL, flaw_layout_list_folder},
    {"pictures", "a folder of pictures that nothing is known of", 2, flaw_layout_fits_pictures, NULL,
     flaw_layout_list_pictures},
};
const int flaw_layout_count = sizeof flaw_layout_table / sizeof *flaw_layout_table;

const flaw_layout *flaw_layout_named(const char *name)
{
    for (int i = 0; i < flaw_layout_count; i++)
        if (strcmp(flaw_layout_table[i].name, name) == 0) return &flaw_layout_table[i];
    return NULL;
}

int flaw_dataset_layout_count(void)
{
    return flaw_layout_count;
}

const char *flaw_dataset_layout(int index)
{
    return index >= 0 && index < flaw_layout_count ? flaw_layout_table[index].name : NULL;
}

const char *flaw_dataset_layout_about(int index)
{
    return index >= 0 && index < flaw_layout_count ? flaw_layout_table[index].about : NULL;
}

bool flaw_layout_is_picture(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".bmp"};
    const char *dot = name[0] == '.' ? NULL : strrchr(name, '.'); /* hidden: "._000.png" of macOS is no picture */
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0) return true;
    return false;
}

bool flaw_layout_has(const char *folder, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    return length > 0 && length < (int)sizeof path && flaw_file_is_folder(path);
}

static flaw_status no_memory(const flaw_listing *l, flaw_error *err)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory to list over %zu pictures", l->object, l->count);
}

/* A pipe under the name of a picture would hold whoever reads it for ever. */
static flaw_status check_files(const flaw_dataset_item *item, flaw_error *err)
{
    const char *special = flaw_file_is_special(item->path) ? item->path : NULL;
    for (size_t i = 0; i < item->masks && !special; i++)
        if (flaw_file_is_special(item->mask[i])) special = item->mask[i];
    if (!special) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA, "'%s' is a pipe or a device, expected a picture", special);
}

flaw_status flaw_listing_add(flaw_listing *l, flaw_dataset_item item, flaw_error *err)
{
    flaw_status status = check_files(&item, err);
    if (status != FLAW_OK) return status;
    if (l->count >= FLAW_DATASET_MAX_ITEMS)
        return flaw_fail(err, FLAW_BAD_DATA, "data set '%s': more than %d pictures", l->object, FLAW_DATASET_MAX_ITEMS);
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        flaw_dataset_item *grown = flaw_arena_alloc(l->arena, room, sizeof *grown);
        if (!grown) return no_memory(l, err);
        if (l->count) memcpy(grown, l->item, l->count * sizeof *grown);
        l->item = grown;
        l->room = room;
    }
    item.object = l->object;
    l->item[l->count++] = item;
    return FLAW_OK;
}

const char *const *flaw_listing_mask(flaw_listing *l, const char *path)
{
    const char **list = flaw_arena_alloc(l->arena, 1, sizeof *list);
    if (list) list[0] = path;
    return list;
}

/* Every picture of a folder of masks, as MVTec LOCO has them. */
static flaw_status mask_folder(flaw_listing *l, flaw_dataset_item *item, const char *folder, flaw_error *err)
{
    flaw_names names;
    flaw_status status = flaw_file_list(&names, folder, err);
    if (status != FLAW_OK) return status;
    const char **list = flaw_arena_alloc(l->arena, names.count + 1, sizeof *list);
    if (!list) status = no_memory(l, err);
    for (size_t i = 0; i < names.count && status == FLAW_OK; i++) {
        if (!flaw_layout_is_picture(names.name[i])) continue;
        list[item->masks] = flaw_path_join(l->arena, folder, names.name[i]);
        if (list[item->masks]) item->masks++;
        else status = no_memory(l, err);
    }
    item->mask = list;
    flaw_names_release(&names);
    return status;
}

/* The masks of picture `name`: STEM_mask.* or STEM.*, or all of the folder STEM; none when there is nothing. */
static flaw_status find_masks(flaw_listing *l, flaw_dataset_item *item, const char *folder, const char *name,
                              flaw_error *err)
{
    static const char *const endings[] = {"_mask.png",  ".png",      "_mask.jpg", ".jpg",
                                          "_mask.jpeg", ".jpeg",     "_mask.bmp", ".bmp",
                                          "_mask.PNG",  ".PNG"};
    const char *dot = strrchr(name, '.');
    size_t stem = dot ? (size_t)(dot - name) : strlen(name), room = strlen(folder) + stem + 16;
    char *path = flaw_arena_alloc(l->arena, room, 1);
    if (!path) return no_memory(l, err);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(path, room, "%s/%.*s%s", folder, (int)stem, name, endings[i]);
        if (!flaw_file_exists(path) || flaw_file_is_folder(path)) continue;
        item->mask = flaw_listing_mask(l, path);
        item->masks = 1;
        return item->mask ? FLAW_OK : no_memory(l, err);
    }
    snprintf(path, room, "%s/%.*s", folder, (int)stem, name);
    return flaw_file_is_folder(path) ? mask_folder(l, item, path, err) : FLAW_OK;
}

flaw_status flaw_listing_folder(flaw_listing *l, const flaw_folder *folder, flaw_error *err)
{
    flaw_names names;
    flaw_status status = flaw_file_list(&names, folder->path, err);
    if (status != FLAW_OK) return status;
    bool masks = folder->masks && flaw_file_is_folder(folder->masks);
    for (size_t i = 0; i < names.count && status == FLAW_OK; i++) {
        const char *name = names.name[i];
        if (!flaw_layout_is_picture(name) || strncmp(name, folder->prefix, strlen(folder->prefix)) != 0) continue;
        flaw_dataset_item item = {.path = flaw_path_join(l->arena, folder->path, name),
                                  .kind = folder->kind,
                                  .split = folder->split,
                                  .label = folder->label};
        if (!item.path) status = no_memory(l, err);
        if (status == FLAW_OK && masks) status = find_masks(l, &item, folder->masks, name, err);
        if (status == FLAW_OK) status = flaw_listing_add(l, item, err);
    }
    flaw_names_release(&names);
    return status;
}

flaw_status flaw_listing_kinds(flaw_listing *l, const char *root, const char *part, flaw_dataset_split split,
                               const char *masks_root, flaw_error *err)
{
    const char *path = flaw_path_join(l->arena, root, part);
    flaw_names kinds;
    if (!path) return no_memory(l, err);
    flaw_status status = flaw_file_list(&kinds, path, err);
    if (status != FLAW_OK) return status;
    for (size_t i = 0; i < kinds.count && status == FLAW_OK; i++) {
        const char *name = kinds.name[i];
        bool bad = !flaw_word_is_good(name);
        const char *folder = flaw_path_join(l->arena, path, name);
        const char *kind = bad ? flaw_arena_copy_string(l->arena, name, strlen(name)) : "good";
        const char *masks = masks_root ? flaw_path_join(l->arena, masks_root, name) : NULL;
        if (!folder || !kind || (masks_root && !masks)) status = no_memory(l, err);
        if (status != FLAW_OK || name[0] == '.' || !flaw_file_is_folder(folder)) continue;
        flaw_folder take = {folder, "", kind, split, bad ? FLAW_LABEL_BAD : FLAW_LABEL_GOOD, masks};
        status = flaw_listing_folder(l, &take, err);
    }
    flaw_names_release(&kinds);
    return status;
}
