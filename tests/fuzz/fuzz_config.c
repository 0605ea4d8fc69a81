/* Any text given to each reader of configurations is a shape within the limits, whose parameters can be listed, or is
 * refused. A shape that was read from a bundle and written again reads as the same. */
#include <string.h>

#include "base/buffer.h"
#include "fuzz.h"
#include "model/open/config.h"

static void check_shape(const flaw_clip_shape *s)
{
    flaw_parameters list;
    flaw_arena arena;
    flaw_error err;
    flaw_fuzz_require(flaw_clip_shape_check(s, "shape", &err) == FLAW_OK);
    flaw_arena_init(&arena, (size_t)1 << 26);
    flaw_status status = flaw_clip_parameters(&list, s, &arena, &err);
    flaw_fuzz_require(status == FLAW_OK || status == FLAW_NO_MEMORY);
    if (!status) flaw_fuzz_require(list.total > 0 && list.count > 0);
    flaw_arena_release(&arena);
}

/* Through the text of a bundle and back: twice the same text. */
static void check_written(const flaw_clip_shape *s)
{
    flaw_buffer one, other;
    flaw_clip_shape back;
    flaw_error err;
    flaw_buffer_init(&one, 65536);
    flaw_buffer_init(&other, 65536);
    flaw_config_bundle_write(&one, s);
    flaw_fuzz_require(flaw_config_bundle(&back, one.data, one.size, "written", &err) == FLAW_OK);
    flaw_config_bundle_write(&other, &back);
    flaw_fuzz_require(strcmp(one.data, other.data) == 0);
    flaw_buffer_release(&one);
    flaw_buffer_release(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_status (*const readers[])(flaw_clip_shape *, const char *, size_t, const char *,
                                   flaw_error *) = {flaw_config_openclip, flaw_config_hf, flaw_config_bundle, flaw_config_dino};
    static const char hf[] = "{\"model_type\":\"clip\"}", dino[] = "{\"model_type\":\"dinov2\"}";
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        flaw_clip_shape s = {.side = -7};
        flaw_error err = {.status = FLAW_OK};
        flaw_status status = readers[i](&s, (const char *)data, size, "input", &err);
        if (status) {
            flaw_fuzz_require(status == FLAW_BAD_DATA || status == FLAW_NO_MEMORY);
            flaw_fuzz_require(err.status == status && strlen(err.text) > 10 && s.side == -7);
        } else {
            check_shape(&s);
            check_written(&s);
        }
    }
    flaw_clip_shape s;
    flaw_error err;
    flaw_fuzz_require(flaw_config_hf(&s, hf, sizeof hf - 1, "base", &err) == FLAW_OK);
    if (!flaw_config_hf_prepare(&s, (const char *)data, size, "input", &err)) check_shape(&s);
    flaw_fuzz_require(flaw_config_dino(&s, dino, sizeof dino - 1, "base", &err) == FLAW_OK);
    if (!flaw_config_dino_prepare(&s, (const char *)data, size, "input", &err)) check_shape(&s);
    return 0;
}
