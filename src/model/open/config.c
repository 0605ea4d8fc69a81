#include "model/open/config.h"

#include "model/open/fields.h"

flaw_status flaw_config_read(flaw_clip_shape *out, flaw_config_reader *read, const char *json, size_t size, const char *name,
                             flaw_error *err)
{
    json_t *root;
    flaw_clip_shape s = {0};
    flaw_status status = flaw_json_parse(&root, json, size, name, err);
    if (status) return status;
    status = read(&s, root, name, err);
    json_decref(root);
    if (!status) status = flaw_clip_shape_check(&s, name, err);
    if (!status) *out = s;
    return status;
}
