/* defects_config.json of MVTec LOCO: [{"defect_name", "pixel_value", "saturation_threshold", "relative_saturation"}]. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "measure/dataset/dataset_store.h"

enum { LARGEST = 1 << 20 };

static flaw_status read_one(flaw_defect *out, struct flaw_dataset_store *store, const json_t *entry, const char *path,
                            size_t index, flaw_error *err)
{
    const json_t *name = json_object_get(entry, "defect_name"), *value = json_object_get(entry, "pixel_value");
    const json_t *threshold = json_object_get(entry, "saturation_threshold");
    const json_t *relative = json_object_get(entry, "relative_saturation");
    if (!json_is_string(name) || !json_is_integer(value) || !json_is_number(threshold) || !json_is_boolean(relative))
        return flaw_fail(err, FLAW_BAD_DATA,
                         "'%s': defect %zu: expected defect_name, pixel_value, saturation_threshold and "
                         "relative_saturation",
                         path, index + 1);
    double saturation = json_number_value(threshold), most = json_is_true(relative) ? 1 : 1e9;
    json_int_t pixel_value = json_integer_value(value);
    if (!(saturation > 0 && saturation <= most))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': defect %zu: saturation_threshold %g, expected over 0, at most %g",
                         path, index + 1, saturation, most);
    if (pixel_value < 1 || pixel_value > 255)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': defect %zu: pixel_value %lld, expected 1 to 255", path, index + 1,
                         (long long)pixel_value);
    if (flaw_defect_of(store, (int)pixel_value))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': two defects with pixel_value %lld", path, (long long)pixel_value);
    const char *text = json_string_value(name);
    *out = (flaw_defect){flaw_arena_copy_string(&store->arena, text, strlen(text)), (int)pixel_value, saturation,
                         json_is_true(relative)};
    return out->name ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory", path);
}

flaw_status flaw_defects_read(struct flaw_dataset_store *store, const char *root, flaw_error *err)
{
    const char *path = flaw_path_join(&store->arena, root, "defects_config.json");
    if (!path) return flaw_fail(err, FLAW_NO_MEMORY, "data set '%s': no memory", root);
    if (!flaw_file_exists(path)) return FLAW_OK;
    flaw_bytes file;
    flaw_status status = flaw_file_read(&file, path, LARGEST, err);
    if (status != FLAW_OK) return status;
    json_error_t wrong;
    json_t *list = json_loadb((const char *)file.data, file.size, JSON_REJECT_DUPLICATES, &wrong);
    size_t count = json_array_size(list);
    if (!list) status = flaw_fail(err, FLAW_BAD_DATA, "'%s':%d: %s", path, wrong.line, wrong.text);
    else if (!json_is_array(list) || count == 0 || count > 255)
        status = flaw_fail(err, FLAW_BAD_DATA, "'%s': expected a list of 1 to 255 defects", path);
    else if (!(store->defect = flaw_arena_alloc(&store->arena, count, sizeof *store->defect)))
        status = flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory", path);
    for (size_t i = 0; i < count && status == FLAW_OK; i++) {
        status = read_one(&store->defect[i], store, json_array_get(list, i), path, i, err);
        if (status == FLAW_OK) store->defects++;
    }
    json_decref(list);
    flaw_bytes_release(&file);
    return status;
}

const flaw_defect *flaw_defect_of(const struct flaw_dataset_store *store, int pixel_value)
{
    for (size_t i = 0; i < store->defects; i++)
        if (store->defect[i].pixel_value == pixel_value) return &store->defect[i];
    return NULL;
}
