/* Any bytes are a PyTorch file whose tensors can all be read, or are refused. Bytes that do not begin as a zip archive
 * are taken for the pickle of one with two storages: an archive's CRC would keep most damage from the pickle's reader.
 */
#include <string.h>

#include "../format/torch_build.h"
#include "format/tensors.h"
#include "fuzz.h"

static void check_tensor(const flaw_tensors *t, const flaw_tensor *x)
{
    size_t count = 1;
    unsigned sum = 0;
    for (int i = 0; i < x->rank; i++) count *= x->shape[i];
    flaw_fuzz_require(count == x->count && x->bytes == count * flaw_dtype_size(x->dtype));
    flaw_fuzz_require(flaw_tensors_find(t, x->name) == x);
    for (size_t i = 0; i < x->bytes; i++) sum += x->data[i]; /* the sanitizer sees what lies outside */
    flaw_fuzz_require(sum <= 255u * x->bytes);
}

static void check(const uint8_t *data, size_t size)
{
    flaw_tensors t = {.count = 77};
    flaw_error err = {.status = FLAW_OK};
    const flaw_status status = flaw_torch_parse(&t, data, size, "input", &err);
    if (status != FLAW_OK) {
        flaw_fuzz_require(status == FLAW_BAD_DATA || status == FLAW_NO_MEMORY);
        flaw_fuzz_require(err.status == status && strlen(err.text) > 10 && t.count == 77);
        return;
    }
    for (size_t i = 0; i < t.count; i++) {
        check_tensor(&t, &t.item[i]);
        flaw_fuzz_require(i == 0 || strcmp(t.item[i - 1].name, t.item[i].name) < 0);
    }
    flaw_tensors_close(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(data, size);
    if (size >= 2 && memcmp(data, "PK", 2) == 0) return 0;
    built z = build_torch(data, size);
    if (!z.file.failed) check((const uint8_t *)z.file.data, z.file.size);
    flaw_buffer_release(&z.file);
    return 0;
}
