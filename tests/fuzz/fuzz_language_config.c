/* Any text given to the readers of language models' configurations is a shape within the limits, whose parameters can
 * be listed, or is refused with a reason; so is the metadata of any GGUF file. What was read and written again reads
 * the same. */
#include <string.h>

#include "fuzz.h"
#include "model/language/language_config.h"

static void check_config(const flaw_language_config *c)
{
    flaw_parameters list;
    flaw_language_config back;
    flaw_arena arena;
    flaw_buffer one, other;
    flaw_error err;
    flaw_fuzz_require(flaw_language_shape_check(&c->shape, "shape", &err) == FLAW_OK);
    flaw_fuzz_require(c->bos >= -1 && c->bos < c->shape.vocab && c->eos >= -1 && c->eos < c->shape.vocab);
    flaw_arena_init(&arena, (size_t)1 << 26);
    flaw_status status = flaw_language_parameters(&list, &c->shape, &arena, &err);
    flaw_fuzz_require(status == FLAW_OK || status == FLAW_NO_MEMORY);
    if (!status) flaw_fuzz_require(list.total > 0 && list.count == 2 + 6 * (size_t)c->shape.layers + !c->shape.tied);
    flaw_arena_release(&arena);
    flaw_buffer_init(&one, 65536);
    flaw_buffer_init(&other, 65536);
    flaw_language_config_write(&one, c);
    flaw_fuzz_require(flaw_language_config_bundle(&back, one.data, one.size, "written", &err) == FLAW_OK);
    flaw_language_config_write(&other, &back);
    flaw_fuzz_require(strcmp(one.data, other.data) == 0);
    flaw_buffer_release(&one);
    flaw_buffer_release(&other);
}

static void check_result(flaw_status status, const flaw_language_config *c, const flaw_error *err)
{
    if (status == FLAW_OK) {
        check_config(c);
        return;
    }
    flaw_fuzz_require(status == FLAW_BAD_DATA || status == FLAW_MISSING || status == FLAW_NO_MEMORY);
    flaw_fuzz_require(err->status == status && strlen(err->text) > 10 && c->bos == -7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_status (*const readers[])(flaw_language_config *, const char *, size_t, const char *,
                                   flaw_error *) = {flaw_language_config_hf, flaw_language_config_bundle};
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        flaw_language_config c = {.bos = -7};
        flaw_error err = {.status = FLAW_OK};
        check_result(readers[i](&c, (const char *)data, size, "input", &err), &c, &err);
    }
    flaw_tensors t;
    if (flaw_gguf_parse(&t, data, size, "input", NULL)) return 0;
    flaw_language_config c = {.bos = -7};
    flaw_error err = {.status = FLAW_OK};
    check_result(flaw_language_config_gguf(&c, &t, &err), &c, &err);
    flaw_tensors_close(&t);
    return 0;
}
